"""The parts of a run, for a checkpoint: what can be stored of each, what it is known by, and what was its state.

A part is known by what it was built with: shapes, kinds, an optimizer's defaults and its groups' first values. What
moves in a run is state and comes back: weights, moments, a rate that a scheduler or the loop has changed.
"""

import copy
import io
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from gan_lessons.settings import comparable, same

NUMPY = "a NumPy value: dtype, shape, bytes"  # the key under which one is stored
MACHINE = {"foreach", "fused", "capturable", "differentiable"}  # how an optimizer computes, not what

# What optimizers, schedulers and scalers held before the first round; None where they were first seen after it.
_built: WeakKeyDictionary[Any, list[dict[str, Any]] | None] = WeakKeyDictionary()


def note(parts: Iterable[Any], fresh: bool = True) -> None:
    """Remember how optimizers, schedulers and scalers were built: `fresh`, or seen for the first time within a run."""
    for part in parts:
        if isinstance(part, Optimizer | LRScheduler | torch.amp.GradScaler) and part not in _built:
            _built[part] = _values(part) if fresh else None


def record(part: Any) -> dict[str, Any] | None:
    """What an optimizer, scheduler or scaler is known by, as JSON holds it; None for any other part."""
    if not isinstance(part, Optimizer | LRScheduler | torch.amp.GradScaler):
        return None
    facts: dict[str, Any] = {"kind": f"{type(part).__module__}.{type(part).__qualname__}", "built": _built.get(part)}
    if isinstance(part, Optimizer):
        # a tensor among them is the very one that a scheduler moves
        facts["defaults"] = _comparable({k: v for k, v in part.defaults.items() if not isinstance(v, Tensor)})
        facts["shapes"] = [[list(weight.shape) for weight in group["params"]] for group in part.param_groups]
    return facts


def differences(
    name: str, part: Any, saved: Any, known: Mapping[str, Any] | None, scheduled: bool = False
) -> list[str]:
    """In words, how a part differs from the one whose state `saved` and record `known` are; empty where it does not.

    `scheduled`: a scheduler is among the parts, so that an optimizer's rates are state.
    """
    if isinstance(part, nn.Module):
        return tensor_differences(f"{name}.", part.state_dict(), saved)
    here = record(part)
    if here is None:
        return []
    if known is None:  # a checkpoint of an earlier version of this package
        known = {"built": [_comparable(g) for g in saved["param_groups"]] if isinstance(part, Optimizer) else None}
    for key in ("kind", "shapes"):
        if known.get(key, here.get(key)) != here.get(key):
            return [f"{name} had the {key} {known[key]}, has {here[key]}"]
    before, now = known["built"], here["built"]
    if before is None and now is not None and isinstance(part, Optimizer):
        before, now = _set_by_hand(part, saved, now, scheduled)
    faults = _changed(name, known.get("defaults", {}), here.get("defaults", {}))
    if before is None or now is None:
        return faults
    if len(before) != len(now):
        return [*faults, f"{name} has {len(now)} groups, had {len(before)}"]
    return faults or [fault for a, b in zip(before, now, strict=True) for fault in _changed(name, a, b)]


def _set_by_hand(
    part: Optimizer, saved: Any, now: Any, scheduled: bool
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """For a saved optimizer that was first seen within its run: what its groups, and these, hold beside the defaults.

    Without a scheduler that is what they were built with; with one, only the rates that it started from are.
    """
    defaults = _comparable(part.defaults)
    before = [_comparable(group) for group in saved["param_groups"]]
    kept = [
        [k for k in group if (k == "initial_lr" if scheduled else not same(group[k], defaults.get(k)))] for group in now
    ]
    for groups in (before, now := copy.deepcopy(now)):
        for group, keys in zip(groups, kept, strict=False):
            for key in group.keys() - set(keys):
                del group[key]
    return before, now


def _changed(name: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    keys = [key for key in before if key in now and key not in MACHINE and not same(before[key], now[key])]
    then, here = ({key: values[key] for key in keys} for values in (before, now))
    return [f"{name} had {then}, has {here}"] if keys else []


def _values(part: Any) -> list[dict[str, Any]]:
    if isinstance(part, Optimizer):
        return [_comparable(group) for group in part.state_dict()["param_groups"]]
    return [_comparable(part.state_dict())]


def _comparable(values: Mapping[str, Any]) -> dict[str, Any]:
    """What can be compared with another process of these values."""
    return comparable({key: len(value) if key == "params" else value for key, value in values.items()})


def tensor_differences(prefix: str, here: Mapping[str, Any], there: Mapping[str, Any]) -> list[str]:
    """In words, which tensors of a network's state are missing or have another shape; names as in `with_names_of`."""
    there = with_names_of(here, there)
    shapes = [{k: _shape(v) for k, v in state.items()} for state in (here, there)]
    return [
        f"{prefix}{k} is {shapes[1].get(k, 'missing')} there, {shapes[0].get(k, 'missing')} here"
        for k in shapes[0] | shapes[1]
        if shapes[0].get(k) != shapes[1].get(k)
    ]


def _shape(value: Any) -> Any:
    return tuple(value.shape) if isinstance(value, Tensor) else "no tensor"


def with_names_of(here: Mapping[str, Any], there: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the state `there` under the names of `here`, where they differ only by what wraps the network.

    torch.compile puts `_orig_mod.` into the names, an average or DataParallel `module.` before them, and
    `layers.Autocast` `network.`. What has no counterpart keeps its name.
    """
    if here.keys() == there.keys():
        return there
    ours, theirs = ({bare: name for name, bare in _bare(list(state)).items()} for state in (here, there))
    return {ours.get(bare, name): there[name] for bare, name in theirs.items()}


def _bare(names: list[str]) -> dict[str, str]:
    bare = {name: ".".join(part for part in name.split(".") if part != "_orig_mod") for name in names}
    wrapped = [name for name in names if name != "n_averaged"]
    for prefix in ("module.", "network.") * 3:  # wrappers lie in one another
        if wrapped and all(bare[name].startswith(prefix) for name in wrapped):
            bare |= {name: bare[name].removeprefix(prefix) for name in wrapped}
    return bare


def load(part: Any, saved: Any) -> None:
    """Put a saved state into a part, under the part's own names and as this machine computes."""
    if isinstance(part, nn.Module):
        saved = with_names_of(part.state_dict(), saved)
    if isinstance(part, Optimizer):
        here = part.state_dict()["param_groups"]
        groups = [_group(ours, theirs) for ours, theirs in zip(here, saved["param_groups"], strict=True)]
        saved = {**saved, "param_groups": groups}
    part.load_state_dict(saved)


def _group(here: Mapping[str, Any], saved: Mapping[str, Any]) -> dict[str, Any]:
    """A saved group, with what a newer torch has added to it, on this device and as it is computed here."""
    merged = {**here, **saved, **{key: here[key] for key in MACHINE & here.keys()}}
    for key, value in merged.items():
        if isinstance(value, Tensor) and isinstance(here.get(key), Tensor):
            merged[key] = value.to(here[key].device)
    return merged


def storable(state: Any) -> Any:
    """A state with NumPy's numbers and arrays as torch reads them without trust; `given_back` is the way back."""
    if isinstance(state, np.ndarray | np.generic) and _is_plain(state.dtype):
        content = np.frombuffer(np.ascontiguousarray(state).tobytes(), np.uint8).copy()
        shape = list(state.shape) if isinstance(state, np.ndarray) else None
        return {NUMPY: [state.dtype.str, shape, torch.from_numpy(content)]}
    return _each(state, storable)


def _is_plain(dtype: np.dtype[Any]) -> bool:
    """Whether values of this kind are bytes that the kind's short name tells how to read: no objects, no fields."""
    return not dtype.hasobject and np.dtype(dtype.str) == dtype


def given_back(state: Any) -> Any:
    """A state as it was before `storable`."""
    if isinstance(state, dict) and state.keys() == {NUMPY}:
        dtype, shape, content = state[NUMPY]
        array = np.frombuffer(content.numpy().tobytes(), dtype).copy()
        return array[0] if shape is None else array.reshape(shape)
    return _each(state, given_back)


def _each(state: Any, change: Any) -> Any:
    if isinstance(state, MutableMapping):
        changed = copy.copy(state)  # of the same kind, and with the versions that a network's state carries
        for key, value in state.items():
            changed[key] = change(value)
        return changed
    return type(state)(map(change, state)) if type(state) in (list, tuple) else state


def serialised(content: Mapping[str, Any]) -> memoryview:
    """The bytes of a checkpoint, which are known to be readable again.

    Raises ValueError that names the first value which is not: an object, a function, a record of one's own.
    """
    try:
        return _round_trip(storable(content))
    except Exception as error:  # pickle and torch raise many kinds
        culprit = next(_refused(storable(content["parts"]), ""), f"something that cannot be stored ({error})")
        raise ValueError(
            f"{culprit.removeprefix('.')}, which no checkpoint can give back: keep it out of the part's state_dict(), "
            "or keep it there as numbers, text, lists or tensors"
        ) from error


def _round_trip(content: Any) -> memoryview:
    packed = io.BytesIO()  # torch hides a full disk behind an error of its zip writer, so it does not write there
    torch.save(content, packed)
    packed.seek(0)
    torch.load(packed, map_location="cpu", weights_only=True)
    return packed.getbuffer()


def _refused(state: Any, where: str) -> Iterator[str]:
    if isinstance(state, Mapping):
        for key, value in state.items():
            yield from _refused(value, f"{where}.{key}")
    elif isinstance(state, list | tuple | set):
        for number, value in enumerate(state):
            yield from _refused(value, f"{where}[{number}]")
    try:
        _round_trip(state)
    except Exception:  # pickle and torch raise many kinds
        yield f"{where} holds {_a(type(state).__name__)}"


def _a(noun: str) -> str:
    return f"an {noun}" if noun[:1].lower() in "aeiou" else f"a {noun}"
