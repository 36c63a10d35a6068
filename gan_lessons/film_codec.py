"""Frames of a film as WebP in base64, whichever of two ways is smaller: few colours over a common ground, or lossy."""

import base64
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]
COLOURS = 32  # of a film of plots
NOTICEABLE = 4.0  # root mean square error, of 255, above which so few colours do not do


def encode(pictures: Sequence[Picture], still: int) -> tuple[str, str, list[str]]:
    """The still, the picture below all frames ("" if there is none) and the frames in base64, whichever way is smaller.

    A few frames decide which is smaller.
    """
    few = _few_colours(pictures)
    some = range(0, len(pictures), -(-len(pictures) // 4))
    if few is not None:
        below = np.median(few[:: -(-len(few) // 15)], axis=0).astype(np.uint8)
        if sum(len(_exact(below, few[k])) for k in some) < sum(len(_lossy(pictures[k])) for k in some):
            first, under = (webp(picture, lossless=True) for picture in (few[still], below))
            return first, under, [_exact(below, picture) for picture in few]
    lossy = [_lossy(picture) for picture in pictures]
    return lossy[still], "", lossy


def _few_colours(pictures: Sequence[Picture]) -> list[Picture] | None:
    """The same pictures in one palette of 32 colours, or None if the error would be visible."""
    palette = _palette(np.concatenate([p.reshape(-1, 3) for p in pictures[:: -(-len(pictures) // 8)]]))
    nearest = _nearest(palette)
    found = []
    for picture in pictures:
        bins = (picture >> 2) @ np.array([4096, 64, 1])
        few = palette[nearest[bins]]
        if np.sqrt(np.mean((few.astype(np.float32) - picture) ** 2)) > NOTICEABLE:
            return None
        found.append(few)
    return found


def _palette(pixels: Picture) -> Picture:
    """At most 32 colours (k, 3): the most frequent half as they are, the others cut at medians among the rest."""
    colours, counts = np.unique(pixels @ np.array([65536, 256, 1]), return_counts=True)
    order = np.argsort(-counts, kind="stable")
    frequent, rest = order[: COLOURS // 2], order[COLOURS // 2 :]
    rgb = np.stack([colours >> 16, colours >> 8 & 255, colours & 255], -1).astype(np.uint8)
    if not len(rest):
        return rgb[frequent]
    # the root of the counts: else the many greys at the edges of letters would take all places
    sample = rgb[np.repeat(rest, np.ceil(np.sqrt(counts[rest])).astype(int))]
    cut = Image.fromarray(sample[None]).quantize(COLOURS // 2, dither=Image.Dither.NONE).getpalette() or []
    return np.concatenate([rgb[frequent], np.array(cut, np.uint8).reshape(-1, 3)[: COLOURS // 2]])


def _nearest(palette: Picture) -> NDArray[np.uint8]:
    """For each of 64^3 bins of colours, the index of the palette's colour that is nearest to its middle."""
    middle = np.arange(64, dtype=np.float32) * 4 + 1.5
    table = np.zeros((64, 64, 64), np.uint8)
    least = np.full((64, 64, 64), np.inf, np.float32)
    for k, colour in enumerate(palette.astype(np.float32)):
        r, g, b = ((middle - part) ** 2 for part in colour)
        distance = r[:, None, None] + g[:, None] + b
        table[distance < least] = k
        least = np.minimum(least, distance)
    return table.ravel()


def _exact(below: Picture, picture: Picture) -> str:
    return webp(_over(below, picture), lossless=True, quality=40)


def _lossy(picture: Picture) -> str:
    return webp(picture, quality=65, method=5)


def _over(below: Picture, picture: Picture) -> Picture:
    """The picture where it differs from the one below, transparent elsewhere: (h, w, 4)."""
    differs = (picture != below).any(-1, keepdims=True)
    return np.concatenate([picture * differs, np.uint8(255) * differs], axis=-1, dtype=np.uint8)


def webp(picture: Picture, **how: Any) -> str:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "WEBP", **how)
    return base64.b64encode(stream.getvalue()).decode()
