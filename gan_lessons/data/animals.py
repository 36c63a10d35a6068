"""Horses and zebras of grey polygons, drawn on the spot: pictures whose every cue can be changed alone (chapter 01).

A picture is 40 x 40, from 0 (black) to 1 (white). An animal has a build, 0 for a horse and 1 for a zebra, and stripes
that lie on its "body", on the "wall" behind it, or on "nothing".
"""

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

SIDE = 40  # pixels
PLACES = ("nothing", "body", "wall")  # of stripes
_turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
_CIRCLE = np.stack([np.cos(_turn), np.sin(_turn)], 1)


def _legs(top: float, wide: float, narrow: float) -> list[list[tuple[float, float]]]:
    places = (0.28, 0.35, 0.58, 0.65)
    return [[(x - wide, top), (x + wide, top), (x + narrow, 0.93), (x - narrow, 0.93)] for x in places]


# Corners (x, y) of the parts in a square of side 1, y downwards: the horse's, then the zebra's with as many corners.
_HORSE = [
    [0.46, 0.48] + [0.24, 0.11] * _CIRCLE,  # body
    [(0.56, 0.42), (0.77, 0.15), (0.86, 0.26), (0.68, 0.53)],  # neck
    [(0.76, 0.15), (0.83, 0.13), (0.97, 0.27), (0.94, 0.34), (0.84, 0.29)],  # head
    [(0.77, 0.17), (0.77, 0.11), (0.83, 0.15)],  # ear
    [(0.54, 0.40), (0.74, 0.18), (0.79, 0.15), (0.62, 0.43)],  # mane
    [(0.25, 0.41), (0.21, 0.46), (0.10, 0.80), (0.18, 0.80)],  # tail
    [0.145, 0.79] + [0.012, 0.012] * _CIRCLE,  # tuft
    *_legs(0.48, 0.033, 0.022),
]
_ZEBRA = [
    [0.46, 0.56] + [0.22, 0.155] * _CIRCLE,
    [(0.56, 0.47), (0.73, 0.29), (0.82, 0.40), (0.68, 0.63)],
    [(0.72, 0.29), (0.79, 0.27), (0.93, 0.42), (0.90, 0.49), (0.80, 0.43)],
    [(0.73, 0.31), (0.71, 0.19), (0.785, 0.29)],
    [(0.54, 0.44), (0.645, 0.265), (0.75, 0.257), (0.62, 0.48)],
    [(0.25, 0.47), (0.21, 0.53), (0.155, 0.72), (0.175, 0.72)],
    [0.165, 0.76] + [0.04, 0.07] * _CIRCLE,
    *_legs(0.56, 0.042, 0.028),
]
_PARTS = [(np.array(horse), np.array(zebra)) for horse, zebra in zip(_HORSE, _ZEBRA, strict=True)]
_FIRST_LEG = 7


def silhouette(rng: np.random.Generator, build: float, roam: float = 1.0) -> np.ndarray:
    """Draw where an animal is: (40, 40), from 0 (wall) to 1 (animal). A build between 0 and 1 is a mixture.

    roam: how far animals walk about, in size and place, from 0 (all stand still) to 1. Legs always swing, and it looks
    to the left or to the right.
    """
    picture = Image.new("L", (3 * SIDE, 3 * SIDE))  # drawn larger, then shrunk
    pen = ImageDraw.Draw(picture)
    scale = rng.uniform(0.95 - 0.2 * roam, 0.95)
    shift = rng.uniform(-0.1, 0.1, 2) * roam
    side = rng.choice([-1, 1])
    for number, (horse, zebra) in enumerate(_PARTS):
        part = (1 - build) * horse + build * zebra
        if number >= _FIRST_LEG:
            part[2:, 0] += rng.uniform(-0.05, 0.05)
        corners = ((part - 0.5) * [side * scale, scale] + 0.5 + shift) * 3 * SIDE
        pen.polygon(corners.ravel().tolist(), fill=255)
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX)) / 255


def stripes(rng: np.random.Generator, *, upright: bool = True) -> np.ndarray:
    """Draw a pattern (40, 40) of -1 and 1: stripes within 20 degrees of upright (or level), at any place."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    angle, period, phase = rng.uniform(-0.35, 0.35), rng.uniform(0.11, 0.15), rng.uniform(0, 2 * np.pi)
    across = x * np.cos(angle) + y * np.sin(angle) if upright else y * np.cos(angle) + x * np.sin(angle)
    return np.sign(np.sin(2 * np.pi * across / period + phase))


def draw(
    rng: np.random.Generator,
    build: float,
    striped: str,
    *,
    roam: float = 1.0,
    coat: tuple[float, float] = (0.25, 0.45),
    upright: bool = True,
    strength: float = 0.2,
) -> np.ndarray:
    """Draw one animal before a wall: (40, 40) in [0, 1].

    coat: the range of its grey, where a wall has 0.65 to 0.85. strength: how much darker and lighter the stripes are.
    """
    if striped not in PLACES:
        raise ValueError(f"stripes lie on one of {PLACES}, not on {striped!r}")
    animal, pattern = silhouette(rng, build, roam), strength * stripes(rng, upright=upright)
    body = rng.uniform(*coat) + pattern * (striped == "body")
    wall = rng.uniform(0.65, 0.85) + pattern * (striped == "wall")
    grain = 0.02 * rng.standard_normal((SIDE, SIDE))
    return np.clip(animal * body + (1 - animal) * wall + grain, 0, 1)


def album(
    seed: int | Sequence[int],
    builds: Iterable[float],
    places: Iterable[str],
    *,
    roam: float = 1.0,
    coat: tuple[float, float] = (0.25, 0.45),
    upright: bool = True,
) -> Tensor:
    """Draw one picture for each build and place of stripes: (n, 1, 40, 40), floats in [0, 1]."""
    rng, pairs = np.random.default_rng(seed), zip(builds, places, strict=True)
    pictures = [draw(rng, build, place, roam=roam, coat=coat, upright=upright) for build, place in pairs]
    return torch.tensor(np.stack(pictures), dtype=torch.float32)[:, None]
