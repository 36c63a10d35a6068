"""Save a run and go on with it later, bit for bit; save weights, where loading the wrong file says what to do."""

import copy
import io
import json
import random
import signal
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.optim import Optimizer

from gan_lessons.paths import atomic_write
from gan_lessons.training import Step


class Stateful(Protocol):
    """Anything a checkpoint can hold: a network, an optimizer, a History, Batches, an AveragedModel."""

    def state_dict(self) -> Any: ...
    def load_state_dict(self, state_dict: Any) -> Any: ...


Parts = Mapping[str, Any]  # name -> Stateful
Settings = Mapping[str, object]


def save_run(path: str | Path, step: int, parts: Parts, settings: Settings | None = None) -> Path:
    """Write all parts, the random states of torch and of Python, and the step's number to one file, atomically.

    Raises FloatingPointError, and writes nothing, where a network holds NaN or infinity; OSError as atomic_write.
    """
    for name, part in parts.items():
        if isinstance(part, nn.Module) and not all(bool(v.isfinite().all()) for v in part.state_dict().values()):
            raise FloatingPointError(f"{name} holds NaN or infinite numbers at step {step}: not saved over {path}")
    content = {
        "format": "gan_lessons run 1",
        "step": step,
        "settings": json.dumps(dict(settings or {}), sort_keys=True, default=str),
        "parts": {name: part.state_dict() for name, part in parts.items()},
        "random": {"torch": torch.get_rng_state(), "cuda": _cuda_states(), "python": random.getstate()},
    }
    packed = io.BytesIO()  # torch hides a full disk behind an error of its zip writer, so it does not write there
    torch.save(content, packed)
    return atomic_write(path, lambda stream: stream.write(packed.getbuffer()))


def resume(path: str | Path, parts: Parts, settings: Settings | None = None) -> int:
    """Put a saved run back into `parts`, in place, and return its step; 0, and nothing done, where there is no file.

    On a CPU the run then goes on bit-exactly. ValueError with the remedy, and nothing changed, where the file is
    damaged, or of other networks, optimizers, batches or settings.
    """
    path = Path(path)
    if not path.exists():
        return 0
    remedy = f"Move or delete {path} to start anew, or go back to the settings that wrote it."
    stored = path.read_bytes()
    try:
        content = torch.load(io.BytesIO(stored), map_location="cpu", weights_only=True)
        saved, step, states = content["parts"], int(content["step"]), content["random"]
    except Exception as error:  # torch and pickle raise many kinds for a damaged file
        raise ValueError(f"{path} is damaged or no checkpoint of this course ({error}). {remedy}") from error
    before, now = json.loads(content["settings"]), json.loads(json.dumps(dict(settings or {}), default=str))
    faults = [
        f"setting {k} was {before.get(k)!r}, is {now.get(k)!r}" for k in before | now if before.get(k) != now.get(k)
    ]
    if set(saved) != set(parts):
        faults.append(f"it holds {sorted(saved)}, not {sorted(parts)}")
    else:
        faults += [fault for name in parts for fault in _differences(name, parts[name], saved[name])]
    if faults:
        raise ValueError(f"{path} is a checkpoint of another run: {'; '.join(faults[:4])}. {remedy}")
    here = {name: copy.deepcopy(part.state_dict()) for name, part in parts.items()}
    try:
        for name, part in parts.items():
            part.load_state_dict(saved[name])
    except Exception as error:  # each part has its own words for a state that it refuses
        for name, part in parts.items():
            part.load_state_dict(here[name])
        raise ValueError(f"{path} is a checkpoint of another run: {error}. {remedy}") from error
    torch.set_rng_state(states["torch"])
    if states["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(states["cuda"])
    kind, numbers, rest = states["python"]
    random.setstate((kind, tuple(numbers), rest))
    return step


def keep(
    steps: Iterator[Step], path: str | Path, parts: Parts, settings: Settings | None = None, every: int = 1000
) -> Iterator[Step]:
    """Pass the steps of `train` through, and save the run each `every` steps and when it is interrupted.

        start = resume(path, parts)
        for step in keep(train(..., start=start), path, parts):
            ...

    Ctrl-C (SIGINT) waits for the end of the round and of the loop's body, saves, and raises KeyboardInterrupt that
    says how to go on; a second one stops at once. When training diverges, the error gets a note that names the last
    good checkpoint. A run that ends by itself removes its checkpoint: the next one starts anew.
    """
    if every < 1:
        raise ValueError(f"every must be at least 1, not {every!r}")
    path = Path(path)
    interrupt = _Interrupt()
    saved: int | None = None
    with interrupt:
        try:
            for step in steps:
                yield step
                if step.number % every == 0 or interrupt.asked:
                    save_run(path, step.number, parts, settings)
                    saved = step.number
                if interrupt.asked:
                    raise KeyboardInterrupt(
                        f"stopped after step {step.number}; saved to {path}: run this again to go on"
                    )
        except FloatingPointError as error:
            error.add_note(
                f"Last good checkpoint: {path}" + (f" at step {saved}." if saved else ".")
                if path.exists()
                else "No checkpoint had been saved yet."
            )
            raise
    path.unlink(missing_ok=True)


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
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def __exit__(self, *error: object) -> None:
        if self.earlier is not None:
            signal.signal(signal.SIGINT, self.earlier)


def save_weights(path: str | Path, network: nn.Module, dtype: torch.dtype = torch.float32) -> Path:
    """Write a network's parameters and buffers as safetensors, floating ones in `dtype`, atomically."""
    state = {k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()}
    state = {k: v.to(dtype) if v.is_floating_point() else v for k, v in state.items()}
    return atomic_write(path, lambda stream: stream.write(save(state)))


def load_weights(path: str | Path, network: nn.Module) -> None:
    """Read weights that `save_weights` wrote into a network of the same shape, in place.

    Raises FileNotFoundError for no file, ValueError for a damaged one or one of another network; then nothing changed.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"no weights at {path}; train the network first, or check the path")
    try:
        state = load_file(path)
    except Exception as error:
        raise ValueError(f"{path} is damaged or no safetensors file ({error}); fetch or make it again") from error
    faults = _tensor_differences("", network.state_dict(), state)
    if faults:
        raise ValueError(f"{path} holds weights of another network: {'; '.join(faults[:4])}; build the one it is of")
    network.load_state_dict(state)


def _differences(name: str, part: Any, saved: Any) -> list[str]:
    if isinstance(part, nn.Module):
        return _tensor_differences(f"{name}.", part.state_dict(), saved)
    if isinstance(part, Optimizer):
        here, there = ([_hyperparameters(g) for g in s["param_groups"]] for s in (part.state_dict(), saved))
        return [f"{name} had {b}, has {a}" for a, b in zip(here, there, strict=False) if a != b] + (
            [f"{name} has {len(here)} groups, had {len(there)}"] if len(here) != len(there) else []
        )
    return []


def _hyperparameters(group: Mapping[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) and k != "params" else v for k, v in group.items()}


def _tensor_differences(prefix: str, here: Mapping[str, Tensor], there: Mapping[str, Tensor]) -> list[str]:
    shapes = [{k: tuple(v.shape) for k, v in state.items()} for state in (here, there)]
    return [
        f"{prefix}{k} is {shapes[1].get(k, 'missing')} there, {shapes[0].get(k, 'missing')} here"
        for k in shapes[0] | shapes[1]
        if shapes[0].get(k) != shapes[1].get(k)
    ]


def _cuda_states() -> list[Tensor]:
    return torch.cuda.get_rng_state_all() if torch.cuda.is_available() and torch.cuda.is_initialized() else []
