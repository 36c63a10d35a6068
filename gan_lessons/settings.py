"""The settings of a run or a study in one form that is equal in every process, and what changed between two of them."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import partial
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
from torch import Tensor

MAX_NUMBERS = 64  # a larger array is told by its checksum
_ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]{4,}")


def canonical(settings: Mapping[str, object]) -> dict[str, Any]:
    """Return the settings as JSON holds them, so that equal ones are equal in every process.

    NumPy's and torch's numbers become numbers, tuples and records become lists, paths, dtypes and devices their names,
    sets sorted lists, large arrays a checksum. A function is its module and name; one that was made in a notebook or
    within another function also its code and the values that it keeps. (What it reads from its module's globals is
    not looked at.) Raises ValueError, which names the setting, for a value that has no such form: one whose text is
    an address in memory, as that of most objects.
    """
    found = {}
    for key, value in settings.items():
        try:
            found[_key(key)] = _plain(value, ())
        except (ValueError, RecursionError) as error:
            raise ValueError(
                f"the setting {key!r} cannot be recognised in another process: {error}. Give what it is made of as "
                "numbers and words, or its name"
            ) from None
    return found


def comparable(values: Mapping[str, object]) -> dict[str, Any]:
    """Those of the values that `canonical` takes, as it gives them; the others are left out."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        try:
            found |= canonical({key: value})
        except ValueError:
            continue
    return found


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Say in words which of two canonical settings differ: "setting steps was 10, is 20". Empty where none does."""
    keys = [key for key in {**before, **now} if not same(before.get(key), now.get(key))]
    return [f"setting {key} was {before.get(key)!r}, is {now.get(key)!r}" for key in keys]


def same(a: Any, b: Any) -> bool:
    """Whether two canonical values are equal; NaN equals NaN."""
    return bool(a == b) or json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


def _key(key: object) -> str:
    key = key.item() if isinstance(key, np.generic) else key
    if isinstance(key, str):
        return str(key)
    if key is None or isinstance(key, bool | int | float):
        text: str = json.dumps({key: 0})
        return next(iter(json.loads(text)))  # as JSON writes it: 1 -> "1", True -> "true"
    raise ValueError(f"its key {key!r} is no word and no number")


def _plain(value: Any, above: tuple[int, ...]) -> Any:
    """The value in JSON's types; `above` are the ids of what holds it, for things that hold themselves."""
    if id(value) in above:
        raise ValueError(f"{type(value).__name__} holds itself")
    above = (*above, id(value))
    if isinstance(value, Enum) and not isinstance(value, int | str):
        return str(value)
    if value is None or isinstance(value, bool | int | float):
        return json.loads(json.dumps(value))  # a NumPy float is a float, an IntEnum an int
    if isinstance(value, Tensor):
        return _array(_numbers(value))
    if isinstance(value, np.ndarray | np.generic):
        return _array(np.asarray(value))
    if isinstance(value, Mapping):
        keys = [_key(key) for key in value]
        if len(set(keys)) < len(keys):
            raise ValueError(f"two of its keys are written alike, {sorted(keys)}")
        return {key: _plain(item, above) for key, item in zip(keys, value.values(), strict=True)}
    if isinstance(value, list | tuple):
        return [_plain(item, above) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((_plain(item, above) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name), above) for field in fields(value)}
    if isinstance(value, partial):
        return ["partial", *(_plain(part, above) for part in (value.func, value.args, value.keywords))]
    if isinstance(value, type | ModuleType) or callable(value):
        return _called(value, above)
    return _text(value)


def _numbers(tensor: Tensor) -> np.ndarray:
    try:
        here = tensor.detach().cpu()
        return (here.double() if here.is_floating_point() else here).numpy()  # NumPy has no bfloat16
    except (TypeError, RuntimeError) as error:  # sparse, quantised, or on the meta device
        raise ValueError(f"a tensor without plain numbers ({error})") from error


def _array(array: np.ndarray) -> Any:
    if array.dtype.hasobject:
        raise ValueError("an array of objects")
    if array.size <= MAX_NUMBERS:
        numbers = array.tolist()
        return numbers if array.dtype.kind in "biufU" and array.dtype != np.longdouble else str(numbers)
    checksum = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]
    return f"{array.dtype} {array.shape} {checksum}"


def _called(value: Any, above: tuple[int, ...]) -> Any:
    """A class, module or function by its name; a function that its name does not tell also by its code and values."""
    if isinstance(value, ModuleType):
        return value.__name__
    if isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, MethodType):
        return [_plain(value.__self__, above), value.__func__.__name__]
    if isinstance(value, BuiltinFunctionType):
        if not isinstance(value.__self__, type | ModuleType | None):
            raise ValueError(f"{value.__qualname__} belongs to one object")
        return f"{value.__module__ or 'builtins'}.{value.__qualname__}"
    if not isinstance(value, FunctionType):
        return _text(value)
    name = f"{value.__module__}.{value.__qualname__}"
    if value.__module__ != "__main__" and "<" not in value.__qualname__:
        return name
    cells = [cell.cell_contents for cell in value.__closure__ or () if not _empty(cell)]
    kept = [*cells, *(value.__defaults__ or ()), value.__kwdefaults__]
    values = [_plain(item, above) for item in kept if id(item) not in above]
    return [f"{name} {_code(value.__code__)}", *values]


def _empty(cell: Any) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return True
    return False


def _code(code: CodeType) -> str:
    """A checksum of what a function does, the same in every process of one version of Python."""

    def parts(code: CodeType) -> list[Any]:
        constants = [parts(c) if isinstance(c, CodeType) else _constant(c) for c in code.co_consts]
        return [code.co_code.hex(), list(code.co_names), list(code.co_varnames), constants]

    return hashlib.sha256(json.dumps(parts(code)).encode()).hexdigest()[:12]


def _constant(value: Any) -> str:
    return repr(sorted(map(repr, value))) if isinstance(value, frozenset) else repr(value)


def _text(value: Any) -> str:
    text = str(value)
    if _ADDRESS.search(text):
        raise ValueError(f"{text[:100]} names a place in memory, which is another one each time")
    return text
