"""Handwriting by two numbers, slant and thickness, and the directions in z that change them."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from gan_lessons.labels import checked

Measure = Callable[[Tensor], Tensor]


def slant(images: Tensor) -> Tensor:
    """Columns to the right that the ink leans for each row upwards: (n, 1, h, w) in [0, 1] to (n,), 0 for upright.

    The slope of the line that fits column to row best, weighted by ink; 0 for an image without ink.
    """
    h, w = images.shape[-2:]
    ink = images.reshape(len(images), h, w)
    up = torch.arange(h, 0.0, -1, device=ink.device)[:, None].expand(h, w)
    right = torch.arange(float(w), device=ink.device).expand(h, w)
    total = ink.sum((1, 2)).clamp(min=1e-6)
    up, right = (side - (ink * side).sum((1, 2), keepdim=True) / total[:, None, None] for side in (up, right))
    return (ink * up * right).sum((1, 2)) / (ink * up.square()).sum((1, 2)).clamp(min=1e-6)


def thickness(images: Tensor) -> Tensor:
    """Mean width of the strokes in pixels: (n, 1, h, w) in [0, 1] to (n,).

    A stroke of width b and length l has ink b l and an outline of about 2 l, which is the sum of the grey steps; so the
    width is twice the ink over the outline. 0 for an image without ink.
    """
    ink = torch.nn.functional.pad(images.reshape(len(images), *images.shape[-2:]), (1, 1, 1, 1))
    down, right = ink.diff(dim=1)[:, :, :-1], ink.diff(dim=2)[:, :-1]
    outline = (down.square() + right.square()).sqrt().sum((1, 2))
    return 2 * ink.sum((1, 2)) / outline.clamp(min=1e-6)


MEASURES: dict[str, Measure] = {"slant": slant, "thickness": thickness}


def directions(
    images: Tensor, z: Tensor, labels: Tensor, measures: Mapping[str, Measure] = MEASURES
) -> dict[str, Tensor]:
    """The direction in z along which each measure grows within a class: unit vectors (d,), at right angles.

    Least squares of the measure on z (n, d) over generated images (n, 1, h, w) in [0, 1], from both of which the means
    of each label's images are taken away; each direction is freed of those before it. Raises ValueError where there are
    not at least twice as many images as numbers in z, or a measure is the same for all.
    """
    n, d = z.shape
    if n < 2 * d:
        raise ValueError(f"a direction in {d} numbers needs at least {2 * d} images, not {n}")
    classes = int(labels.max()) + 1
    hot = torch.nn.functional.one_hot(checked(labels, n, classes), classes).double()

    def within(values: Tensor) -> Tensor:
        means = hot.T @ values.double() / hot.sum(0)[:, None].clamp(min=1)
        return values.double() - hot @ means

    found: dict[str, Tensor] = {}
    for name, measure in measures.items():
        way = torch.linalg.lstsq(within(z), within(measure(images)[:, None])).solution[:, 0]
        for other in found.values():
            way = way - (way @ other) * other
        length = float(way.norm())
        if not length > 1e-9:
            raise ValueError(f"the {name} of these images does not change with z, so it has no direction")
        found[name] = way / length
    return found
