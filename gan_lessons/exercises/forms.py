"""Forms of an answer: each turns every sensible way to write it into one plain value, or says what is wanted.

`number(torch.tensor([[0.5]]))` is 0.5, and `several(float, 2)(np.array([1, 2]))` is (1.0, 2.0). The guard of `checker`
applies them to answers; a checker applies them to what a learner's function returns.
"""

import math
from collections.abc import Callable, Mapping, Set
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor


class Unfit(ValueError):
    """A value does not have the wanted form; the message reads on from "The answer": "should be …, but …"."""


class Found(Exception):
    """Raised inside a form: what was found in place of what it wants, as "it is a str"."""


class Form(NamedTuple):
    """What is wanted, in words, and the function that converts to it; called, it raises Unfit where that fails."""

    words: str
    convert: Callable[[Any], Any]

    def __call__(self, value: object) -> Any:
        try:
            return self.convert(value)
        except Found as found:
            raise Unfit(f"should be {self.words}, but {found}") from None


def _plain(value: Any) -> Any:
    """A tensor or array of one element as a Python number, wherever it lies; other tensors as arrays."""
    if isinstance(value, Tensor):
        value = value.detach().cpu()
        value = (value.double() if value.is_floating_point() else value).resolve_conj().numpy()
    if isinstance(value, np.ndarray) and value.size == 1:
        return value.reshape(()).item()
    return value.item() if isinstance(value, np.generic) else value


def _any_number(value: Any) -> float:
    """int, float, Fraction, Decimal, complex without an imaginary part, SymPy, NumPy, tensors of one element."""
    number = _plain(value)
    if isinstance(number, complex) and number.imag == 0:
        number = number.real
    if isinstance(number, complex):
        raise Found(f"it has the imaginary part {number.imag:g}")
    if isinstance(number, bool) or not hasattr(number, "__float__") or isinstance(number, np.ndarray):
        raise Found(f"it is {_article(type(value if isinstance(number, np.ndarray) else number).__name__)}")
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf
    except (TypeError, ValueError):  # SymPy
        raise Found(f"it holds symbols or is not real: {number}") from None


def _number(value: Any) -> float:
    number = _any_number(value)
    if math.isnan(number):
        raise Found("it is nan: is there 0 / 0 in it, or the logarithm of a negative number?")
    if math.isinf(number):
        raise Found(f"it is {'minus ' * (number < 0)}infinity")
    return number


def _whole_number(value: Any) -> int:
    number = _plain(value)
    if hasattr(number, "__index__") and not isinstance(number, (bool, np.ndarray)):
        return int(number)  # a large int would lose digits as a float
    number = _number(value)
    if not number.is_integer():
        raise Found(f"it is {number:g}")
    return int(number)


def _text(value: Any) -> str:
    value = value.item() if isinstance(value, np.generic) else value
    if not isinstance(value, str):
        raise Found(f"it is {_article(type(value).__name__)}")
    return " ".join(value.split()).casefold()


def _function(value: Any) -> Any:
    if not callable(value):
        raise Found(f"it is {_article(type(value).__name__)}")
    return value


number = Form("a number", _number)  # finite
any_number = Form("a number", _any_number)  # may be nan or infinite
whole_number = Form("a whole number", _whole_number)
text = Form("text", _text)  # in small letters, single blanks
function = Form("a function", _function)
_FORMS: dict[object, Form] = {float: number, int: whole_number, str: text, callable: function}


def form(kind: Any) -> Form:
    """The form of a kind: a Form itself, float, int, str, callable, any other class, or a tuple of classes."""
    if isinstance(kind, Form):
        return kind
    return _FORMS.get(kind) or _instance(kind if isinstance(kind, tuple) else (kind,))


def _instance(classes: tuple[type, ...]) -> Form:
    words: dict[type, str] = {bool: "True or False"}

    def convert(value: Any) -> Any:
        if not isinstance(value, classes):
            raise Found(f"it is {_article(type(value).__name__)}")
        return value

    return Form(" or ".join(words.get(one) or _article(one.__name__) for one in classes), convert)


def several(kind: Any, count: int | None = None) -> Form:
    """Form of a tuple of `count` values (None: any number, but one at least): of a list, an array, a tensor, …"""
    one = form(kind)
    noun = one.words.split(" ", 1)[-1]
    words = {None: f"several {noun}s", 1: f"one {noun}", 2: f"a pair of {noun}s, (a, b)"}.get(count, f"{count} {noun}s")

    def convert(value: Any) -> tuple[Any, ...]:
        parts = _parts(value)
        if count is not None and len(parts) != count:
            raise Found(f"it holds {len(parts)}")
        return tuple(_within(one, part, f"number {k} of them") for k, part in enumerate(parts, start=1))

    return Form(words, convert)


def set_of(kind: Any) -> Form:
    """Form of a set, of whatever holds its members: a set, a list, a tuple, an array, keys of a dict, one member."""
    one = form(kind)

    def convert(value: Any) -> set[Any]:
        try:
            return {one(value)}
        except Unfit:
            parts = list(value) if isinstance(value, (Set, Mapping)) else _parts(value, empty=True)
            return {_within(one, part, "in it stands what") for part in parts}

    return Form(f"a set of {one.words.split(' ', 1)[-1]}s", convert)


def table(kind: Any, *keys: str) -> Form:
    """Form of a dict with these keys, in this order, and values of one kind; case and blanks of keys are free."""
    one = form(kind)
    known = {"".join(key.split()).casefold(): key for key in keys}

    def convert(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise Found(f"it is {_article(type(value).__name__)}")
        given = {known.get("".join(str(key).split()).casefold(), str(key)): part for key, part in value.items()}
        for key in [*given, *keys]:
            if key not in given or key not in keys:
                raise Found(f"{'there is no' if key in keys else 'it has the key'} {key!r}")
        return {key: _within(one, given[key], f"under {key!r}") for key in keys}

    return Form(f"a dict with the keys {', '.join(map(repr, keys))}, {one.words} under each", convert)


def _tensor(value: Any) -> Tensor:
    """A tensor of float64 without a graph, from a tensor, an array, a number, or nested lists of these."""
    if isinstance(value, Tensor) and not value.is_complex():
        return value.detach().cpu().double()
    if isinstance(value, Tensor):
        value = value.detach().cpu().resolve_conj().numpy()
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return torch.tensor(value, dtype=torch.float64)  # a copy, of whatever strides
    if not isinstance(value, (list, tuple, np.ndarray)) or (isinstance(value, np.ndarray) and value.ndim == 0):
        return torch.tensor(_any_number(value), dtype=torch.float64)
    parts = [_tensor(part) for part in value]
    if len({part.shape for part in parts}) > 1:
        raise Found("its rows differ in length")
    return torch.stack(parts) if parts else torch.zeros(0, dtype=torch.float64)


tensor = Form("an array of numbers", _tensor)  # may hold nan and infinities


def _parts(value: Any, *, empty: bool = False) -> list[Any]:
    """What a sequence, array or tensor holds; axes of length 1 do not count."""
    array = _plain(value) if isinstance(value, Tensor) else value
    if isinstance(array, np.ndarray) and array.squeeze().ndim <= 1:
        array = array.reshape(-1).tolist()
    if isinstance(array, (Set, Mapping)):
        raise Found(f"it is {_article(type(value).__name__)}, which has no order")
    if isinstance(array, (str, bytes)) or not hasattr(array, "__iter__"):
        raise Found(f"it is {_article(type(value).__name__)}")
    parts = list(array)
    if not parts and not empty:
        raise Found("it is empty")
    return parts


def _within(one: Form, part: Any, where: str) -> Any:
    try:
        return one.convert(part)
    except Found as found:
        raise Found(f"{where} {str(found).removeprefix('it ')}") from None


def _article(noun: str) -> str:
    return f"{'an' if noun[0].lower() in 'aeiou' else 'a'} {noun}"
