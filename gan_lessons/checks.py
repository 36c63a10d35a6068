"""Checks that several rooms share: a whole number, and images of the right range."""

import math
import operator
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor  # the runner asks `whole`, and needs no torch

ROUNDING = 1e-4  # how far a value may lie outside the range by rounding


def whole(name: str, value: object, least: int = 1, most: int | None = None, limit: str = "") -> int:
    """Return `value` as an int where it is a whole number from `least` (to `most`, in words `limit`), NumPy's included.

    Raises ValueError, which names the argument, for anything else: True, 2.5, "3", or a number out of range.
    """
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if isinstance(value, bool) or number is None or number < least or (most is not None and number > most):
        limits = f"of at least {least}" if most is None else f"from {least} to {limit or most}"
        raise ValueError(f"{name} must be a whole number {limits}, not {value!r}")
    return number


def named(measure: str, values: object) -> Mapping[str, Any]:
    """Return what the function called `measure` returned where that is a mapping from names to whatever it measured.

    Raises ValueError for anything else, for nothing, and for a name that is no printable text, which no file gives
    back as it was.
    """
    if not isinstance(values, Mapping) or not values:
        raise ValueError(f'{measure} must return numbers by name, such as {{"distance": 3.2}}, not {values!r}')
    for name in values:
        text(f"a name that {measure} returns", name)
    return values


def text(name: str, value: object) -> str:
    """Return `value` as a str where it is printable text: no number, and no line break in it. Else ValueError."""
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError(f"{name} must be printable text, not {value!r}: take one such as {ascii(str(value))!r}")
    return str(value)


def black_and_white(black: float, white: float) -> None:
    """Raise ValueError unless these can be a generator's values for black and white: finite, the larger one white."""
    if not (math.isfinite(black) and math.isfinite(white) and black < white):
        raise ValueError(f"the limits are G's value for black and a larger one for white, not {(black, white)}")


def finite(name: str, values: "Tensor") -> None:
    """Raise ValueError where a tensor, of any shape, holds NaN or infinity."""
    if values.is_floating_point() and not bool(values.isfinite().all()):
        raise ValueError(f"{name} hold NaN or infinite values: the network has diverged; load an earlier one")


def unit_range(images: "Tensor | np.ndarray[Any, Any]") -> None:
    """Raise ValueError, with the remedy, unless images are bytes or floats in [0, 1], at least one, and none is NaN.

    Of any shape. It is asked wherever images come in to be scored, shown or stored.
    """
    if 0 in images.shape:
        raise ValueError(f"there are no images here: the shape is {tuple(images.shape)}")
    if "float" not in str(images.dtype):
        if "uint8" not in str(images.dtype):
            raise ValueError(
                f"images are bytes (uint8) or floats in [0, 1], not {images.dtype}; bring them to one of these"
            )
        return
    if not isinstance(images, np.ndarray):
        images = images.detach()
    low, high = float(images.min()), float(images.max())  # NaN where one value is NaN
    if not (low >= -ROUNDING and high <= 1 + ROUNDING):
        if not (abs(low) < float("inf") and abs(high) < float("inf")):
            raise ValueError("the images hold NaN or infinite values: the generator has diverged; load an earlier one")
        raise ValueError(
            f"image values lie in [{low:.2f}, {high:.2f}], not in [0, 1]; "
            "for a generator with tanh give (images + 1) / 2, for bytes as floats images / 255"
        )
