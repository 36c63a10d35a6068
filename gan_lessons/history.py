"""What a run recorded, step by step: numbers in a History, pictures in Frames."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from gan_lessons.checks import unit_range
from gan_lessons.data.batching import to_bytes


class History:
    """A table of numbers: one row a logged step, one column a name.

    `history.log(step, d_loss=..., g_loss=...)` adds a row; `history["d_loss"]` is that column as a list of floats,
    `history["step"]` the steps. Tensors are turned into numbers here, which waits for the device: log sparingly.
    """

    def __init__(self) -> None:
        self.columns: dict[str, list[float]] = {"step": []}

    def __len__(self) -> int:
        return len(self.columns["step"])

    def __getitem__(self, name: str) -> list[float]:
        if name not in self.columns:
            raise KeyError(f"no column {name!r}; have {list(self.columns)}")
        return self.columns[name]

    def log(self, step: int, **values: float | Tensor) -> None:
        """Append one row. Raises ValueError where the names differ from the first row's or the step goes back."""
        if not values or (len(self) and set(values) != set(self.columns) - {"step"}):
            raise ValueError(f"each row needs the same columns {list(self.columns)[1:]}, not {list(values)}")
        if len(self) and step <= self.columns["step"][-1]:
            raise ValueError(f"step {step} does not come after step {self.columns['step'][-1]:g}")
        row = {k: float(v.detach() if isinstance(v, Tensor) else v) for k, v in values.items()}
        for name, value in {"step": step, **row}.items():
            self.columns.setdefault(name, []).append(value)

    def state_dict(self) -> dict[str, Any]:
        """The table, for a checkpoint."""
        return {name: list(column) for name, column in self.columns.items()}

    def load_state_dict(self, state: Mapping[str, list[float]]) -> None:
        """Replace the table by a saved one."""
        self.columns = {name: list(column) for name, column in state.items()}


class Frames:
    """Images of a run at some of its steps, kept as bytes, for a film: `frames.log(step, images)`."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.images: list[Tensor] = []

    def log(self, step: int, images: Tensor) -> None:
        """Keep float images in [0, 1], any shape (n, ...). Raises ValueError for a step that goes back."""
        if self.steps and step <= self.steps[-1]:
            raise ValueError(f"step {step} does not come after step {self.steps[-1]}")
        unit_range(images)
        self.steps.append(step)
        self.images.append(to_bytes(images.detach()).cpu())

    def state_dict(self) -> dict[str, Any]:
        """The frames, for a checkpoint."""
        return {"steps": list(self.steps), "images": list(self.images)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Replace the frames by saved ones."""
        self.steps, self.images = list(state["steps"]), list(state["images"])
