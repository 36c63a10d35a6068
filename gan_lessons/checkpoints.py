"""Save a run and go on with it later, bit for bit; save weights, where loading the wrong file says what to do."""

import copy
import io
import json
import random
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

import numpy as np
import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler

from gan_lessons import run_parts
from gan_lessons.data.downloads import DamagedFile
from gan_lessons.paths import atomic_write
from gan_lessons.settings import canonical, changes
from gan_lessons.training import Step


class Stateful(Protocol):
    """Anything a checkpoint can hold: a network, an optimizer, a History, Batches, an AveragedModel."""

    def state_dict(self) -> Any: ...
    def load_state_dict(self, state_dict: Any) -> Any: ...


Parts = Mapping[str, Any]  # name -> Stateful
Settings = Mapping[str, object]


def save_run(path: str | Path, step: int, parts: Parts, settings: Settings | None = None) -> Path:
    """Write all parts, the random states of torch, NumPy and Python, and the step's number to one file, atomically.

    What is saved can be resumed: NumPy's numbers and arrays come back as they were. Raises FloatingPointError, and
    writes nothing, where a network holds NaN or infinity; ValueError where a part or a setting holds what no checkpoint
    can give back; OSError as atomic_write.
    """
    for name, part in parts.items():
        if isinstance(part, nn.Module) and not all(map(_is_finite, part.state_dict().values())):
            raise FloatingPointError(f"{name} holds NaN or infinite numbers at step {step}: not saved over {path}")
    content = _content(step, parts, settings)
    return atomic_write(path, lambda stream: stream.write(content))


def resume(path: str | Path, parts: Parts, settings: Settings | None = None) -> int:
    """Put a saved run back into `parts`, in place, and return its step; 0, and nothing done, where there is no file.

    On a CPU the run then goes on bit-exactly. A rate that a scheduler or the loop has moved comes back as it was; a
    part that was built in another way is refused. ValueError with the remedy, and nothing changed, where the file is
    damaged (DamagedFile), or of other networks, optimizers, batches or settings.
    """
    run_parts.note(parts.values())
    path, now = Path(path), canonical(settings or {})
    if not path.exists():
        return 0
    if path.is_dir():
        raise ValueError(f"{path} is a folder, no checkpoint: give the path of a file")
    remedy = f"Move or delete {path} to start anew, or go back to the settings that wrote it."
    content = _read(path, remedy)
    saved = content["parts"]
    faults = changes(json.loads(content["settings"]), now)
    if set(saved) != set(parts):
        faults.append(f"it holds {sorted(saved)}, not {sorted(parts)}")
    else:
        known, scheduled = content.get("known", {}), any(isinstance(part, LRScheduler) for part in parts.values())
        for name, part in parts.items():
            faults += run_parts.differences(name, part, saved[name], known.get(name), scheduled)
    if faults:
        raise ValueError(f"{path} is a checkpoint of another run: {'; '.join(faults[:4])}. {remedy}")
    try:
        _restore(parts, saved)
    except Exception as error:  # each part has its own words for a state that it refuses
        raise ValueError(f"{path} is a checkpoint of another run: {error}. {remedy}") from error
    _set_random(content["random"])
    return int(content["step"])


def _content(step: int, parts: Parts, settings: Settings | None) -> memoryview:
    run_parts.note(parts.values(), fresh=False)
    return run_parts.serialised(
        {
            "format": "gan_lessons run 1",
            "step": int(step),
            "settings": json.dumps(canonical(settings or {}), sort_keys=True),
            "parts": {name: part.state_dict() for name, part in parts.items()},
            "known": {name: run_parts.record(part) for name, part in parts.items()},
            "random": {
                "torch": torch.get_rng_state(),
                "cuda": _cuda_states(),
                "numpy": list(np.random.get_state()),  # noqa: NPY002  its global generator, which `setup` seeds
                "python": random.getstate(),
            },
        }
    )


def _read(path: Path, remedy: str) -> dict[str, Any]:
    stored = path.read_bytes()
    try:
        content = run_parts.given_back(torch.load(io.BytesIO(stored), map_location="cpu", weights_only=True))
        json.loads(content["settings"]), int(content["step"]), content["random"]["python"], dict(content["parts"])
    except Exception as error:  # torch and pickle raise many kinds for a damaged file
        raise DamagedFile(f"{path} is damaged or no checkpoint of this course ({error}). {remedy}") from error
    return dict(content)


def _restore(parts: Parts, saved: Mapping[str, Any]) -> None:
    """Load all states or, where a part refuses its own, none."""
    here = {name: copy.deepcopy(part.state_dict()) for name, part in parts.items()}
    try:
        for name, part in parts.items():
            run_parts.load(part, saved[name])
    except Exception:
        for name, part in parts.items():
            part.load_state_dict(here[name])
        raise


def _set_random(states: Mapping[str, Any]) -> None:
    torch.set_rng_state(states["torch"])
    if states["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(states["cuda"])
    if "numpy" in states:
        np.random.set_state(tuple(states["numpy"]))  # noqa: NPY002  as above
    kind, numbers, rest = states["python"]
    random.setstate((kind, tuple(numbers), rest))


def _is_finite(value: Any) -> bool:
    return not isinstance(value, Tensor) or bool(value.isfinite().all())


def keep(
    steps: Iterator[Step], path: str | Path, parts: Parts, settings: Settings | None = None, every: int = 1000
) -> Iterator[Step]:
    """Pass the steps of `train` through, and save the run each `every` steps and when it is interrupted.

        start = resume(path, parts)
        for step in keep(train(..., start=start), path, parts):
            ...

    Ctrl-C (SIGINT) waits for the end of the round and of the loop's body, saves, and raises KeyboardInterrupt that
    says how to go on; a second one stops at once, and after the loop, however it was left, the first one does. When
    training diverges, the error gets a note that names the last good checkpoint. A run that ends by itself removes its
    checkpoint: the next one starts anew. Raises ValueError before the first round for what `save_run` would refuse.
    """
    if every < 1:
        raise ValueError(f"every must be at least 1, not {every!r}")
    run_parts.note(parts.values())
    _content(0, parts, settings)
    return _Kept(steps, Path(path), parts, settings, every)


class _Kept(Iterator[Step]):
    """The steps of a loop. A `for` gets a generator that it alone holds, so that leaving it, by break too, ends it."""

    def __init__(self, steps: Iterator[Step], path: Path, parts: Parts, settings: Settings | None, every: int) -> None:
        self.steps, self.path, self.parts, self.settings, self.every = steps, path, parts, settings, every
        self.saved: int | None = None
        self.by_hand: Iterator[Step] | None = None

    def __iter__(self) -> Iterator[Step]:
        return self._rounds(_Interrupt())

    def __next__(self) -> Step:
        """The next step, asked for by hand: nobody can tell when the last one was, so Ctrl-C is an ordinary one."""
        self.by_hand = self.by_hand or self._rounds(None)
        return next(self.by_hand)

    def _rounds(self, interrupt: "_Interrupt | None") -> Iterator[Step]:
        with interrupt or nullcontext():
            try:
                for step in self.steps:
                    yield step
                    asked = interrupt is not None and interrupt.asked
                    if step.number % self.every == 0 or asked:
                        save_run(self.path, step.number, self.parts, self.settings)
                        self.saved = step.number
                    if asked:
                        raise KeyboardInterrupt(
                            f"stopped after step {step.number}; saved to {self.path}: run this again to go on"
                        )
            except FloatingPointError as error:
                at = "." if self.saved is None else f" at step {self.saved}."
                there = self.path.exists()
                error.add_note(
                    f"Last good checkpoint: {self.path}{at}" if there else "No checkpoint had been saved yet."
                )
                raise
        self.path.unlink(missing_ok=True)


class _Interrupt:
    """While open, the first SIGINT only sets `asked`; the second is an ordinary KeyboardInterrupt."""

    def __init__(self) -> None:
        self.asked = False
        self.earlier: Any = None

    def __enter__(self) -> "_Interrupt":
        if threading.current_thread() is threading.main_thread():
            self.earlier = signal.signal(signal.SIGINT, self._note)
        return self

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        signal.signal(signal.SIGINT, self._stop)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.asked = False  # it stops now, and need not once more after the loop
        signal.default_int_handler(number, frame)

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if self.earlier is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self.earlier)
        if kind is GeneratorExit and self.asked:  # the loop was left by break before it could stop
            # in a moment: a generator that is being closed would swallow the exception
            threading.Timer(0.01, signal.raise_signal, [signal.SIGINT]).start()


def packed_weights(state: Mapping[str, Tensor], dtype: torch.dtype = torch.float32) -> bytes:
    """A network's state as the bytes of a safetensors file, floating tensors in `dtype`.

    Raises ValueError for numbers that are finite, and too large for that dtype.
    """
    here = {k: v.detach().cpu().contiguous() for k, v in state.items()}
    there = {k: v.to(dtype) if v.is_floating_point() else v for k, v in here.items()}
    if lost := [k for k, v in there.items() if not torch.equal(v.isfinite(), here[k].isfinite())]:
        raise ValueError(f"{', '.join(lost[:4])} would be infinite in {dtype}: keep the weights in a wider dtype")
    return save(there)


def save_weights(path: str | Path, network: nn.Module, dtype: torch.dtype = torch.float32) -> Path:
    """Write a network's parameters and buffers as safetensors, floating ones in `dtype`, atomically.

    Raises ValueError for numbers too large for `dtype`, OSError as atomic_write.
    """
    packed = packed_weights(network.state_dict(), dtype)
    return atomic_write(path, lambda stream: stream.write(packed))


def load_weights(path: str | Path, network: nn.Module) -> None:
    """Read weights that `save_weights` wrote into a network of the same shape, in place.

    Whether one of the two was compiled, averaged or computes in a short dtype does not matter. Raises FileNotFoundError
    for no file, DamagedFile (a ValueError) for a damaged one, ValueError for one of another network; then nothing
    changed.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"no weights at {path}; train the network first, or check the path")
    try:
        state = load_file(path)
    except Exception as error:
        raise DamagedFile(f"{path} is damaged or no safetensors file ({error}); fetch or make it again") from error
    state = matched(network.state_dict(), state)
    faults = run_parts.tensor_differences("", network.state_dict(), state)
    if faults:
        raise ValueError(f"{path} holds weights of another network: {'; '.join(faults[:4])}; build the one it is of")
    network.load_state_dict(state)


def matched(here: Mapping[str, Any], there: Mapping[str, Any]) -> dict[str, Any]:
    """The weights `there` under the names of `here`, without what wraps the network and without an average's count."""
    found = run_parts.with_names_of(here, there)
    return {name: value for name, value in found.items() if name in here or name != "n_averaged"}


def _cuda_states() -> list[Tensor]:
    return torch.cuda.get_rng_state_all() if torch.cuda.is_available() and torch.cuda.is_initialized() else []
