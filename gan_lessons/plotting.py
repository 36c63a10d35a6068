"""Figures: arrays or a History in, Axes out. Nothing here trains, loads or writes a file.

One colour code through the book (Okabe and Ito's palette, safe for colour-blind readers).
"""

import math
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from numpy.typing import ArrayLike
from torch import Tensor

from gan_lessons import films
from gan_lessons.checks import unit_range
from gan_lessons.films import Film
from gan_lessons.history import History
from gan_lessons.intervals import mean_interval as mean_interval  # the chapters call it here

REAL, FAKE, DISC, THEORY = "#0072B2", "#D55E00", "#009E73", "#444444"
EXTRA = "#CC79A7"  # a fourth curve, where there must be one


def style() -> None:
    """Set matplotlib's defaults for the book: light paper, few lines, readable at phone width."""
    plt.rcParams.update(
        {
            "figure.figsize": (6.4, 3.4),
            "figure.dpi": 110,
            "figure.facecolor": "white",
            "savefig.bbox": "tight",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": 11,
            "axes.titlelocation": "left",
            "axes.labelsize": 10,
            "axes.grid": True,
            "grid.color": "#e6e6e6",
            "axes.axisbelow": True,
            "legend.frameon": False,
            "legend.fontsize": 9,
            "lines.linewidth": 1.8,
            "image.cmap": "gray",
            "axes.prop_cycle": cycler(color=[REAL, FAKE, DISC, EXTRA, "#E69F00", "#56B4E9"]),
        }
    )


def as_tiles(images: Tensor) -> np.ndarray:
    """Images as floats for imshow: (n, 784), (n, h, w) or (n, c, h, w), uint8 or floats in [0, 1] -> (n, h, w[, 3]).

    No contrast is stretched: a faint image stays faint. Raises ValueError for values outside the range.
    """
    unit_range(images.detach())
    tiles = images.detach().cpu()
    tiles = tiles.float() / 255 if not tiles.is_floating_point() else tiles.float()
    if tiles.ndim == 2:
        side = math.isqrt(tiles.shape[1])
        if side * side != tiles.shape[1]:
            raise ValueError(f"flat images of {tiles.shape[1]} numbers are not square; give them as (n, c, h, w)")
        tiles = tiles.reshape(-1, side, side)
    tiles = tiles.clamp(0, 1)
    if tiles.ndim == 4:
        tiles = tiles[:, 0] if tiles.shape[1] == 1 else tiles.permute(0, 2, 3, 1)
    return tiles.numpy()


def tile(images: Tensor, columns: int, gap: int = 2) -> np.ndarray:
    """Lay n images side by side, row by row, white lines of `gap` pixels between them -> (H, W[, 3]) in [0, 1]."""
    tiles = as_tiles(images)
    n, h, w, *colour = tiles.shape
    columns = min(columns, n)
    rows = -(-n // columns)
    sheet = np.ones((rows * (h + gap) - gap, columns * (w + gap) - gap, *colour), dtype=np.float32)
    for k, image in enumerate(tiles):
        y, x = divmod(k, columns)
        sheet[y * (h + gap) : y * (h + gap) + h, x * (w + gap) : x * (w + gap) + w] = image
    return sheet


def show_images(images: Tensor, columns: int = 10, title: str = "", ax: Axes | None = None) -> Axes:
    """Draw a grid of images on one scale from 0 (black) to 1 (white)."""
    if ax is None:
        count = min(columns, len(images))
        _, ax = plt.subplots(figsize=(0.62 * count, 0.62 * -(-len(images) // count) + 0.3))
    ax.imshow(tile(images, columns), vmin=0, vmax=1, interpolation="nearest")
    ax.set_axis_off()
    ax.set_title(title)
    return ax


def losses(history: History, ax: Axes | None = None, smooth: int = 1) -> Axes:
    """Both players' losses against the step, labelled at their ends; the raw ones faint under a running mean."""
    ax = ax or plt.subplots()[1]
    for name, label, colour in (("d_loss", "D", DISC), ("g_loss", "G", FAKE)):
        steps, values = np.array(history["step"]), np.array(history[name])
        if smooth > 1 and len(values) > 2 * smooth:
            ax.plot(steps, values, color=colour, alpha=0.25, linewidth=0.7)
            values = np.convolve(values, np.ones(smooth) / smooth, mode="valid")
            steps = steps[smooth // 2 : smooth // 2 + len(values)]
        ax.plot(steps, values, color=colour)
        end_label(ax, steps[-1], values[-1], label, colour)
    ax.set_xlabel("training step")
    ax.set_ylabel("loss (nats)")
    return ax


def end_label(ax: Axes, x: float, y: float, text: str, colour: str) -> None:
    """Write a curve's name beside its last point, in its colour."""
    ax.annotate(f" {text}", (x, y), color=colour, va="center", fontsize=9, annotation_clip=False)


def band(ax: Axes, x: ArrayLike, runs: ArrayLike, colour: str, label: str = "") -> None:
    """Seeds as thin lines under their mean with a band of 95 % t-intervals. x: (t,), runs: (seeds, t)."""
    x, runs = np.asarray(x), np.asarray(runs)
    ax.plot(x, runs.T, color=colour, alpha=0.25, linewidth=0.7)
    mean, half = mean_interval(runs)
    ax.fill_between(x, mean - half, mean + half, color=colour, alpha=0.2, linewidth=0)
    ax.plot(x, mean, color=colour, label=label or None)


def dots(ax: Axes, groups: dict[str, Sequence[float]], colour: str = FAKE) -> None:
    """One row a group: each seed a dot, their mean a bar with its 95 % t-interval."""
    for row, (_, values) in enumerate(groups.items()):
        mean, half = mean_interval(values)
        ax.errorbar(mean, row, xerr=half, color=THEORY, marker="|", markersize=14, capsize=3, linewidth=1.4)
        ax.plot(values, np.full(len(values), row + 0.18), "o", color=colour, markersize=4, alpha=0.7)
    ax.set_yticks(range(len(groups)), list(groups))
    ax.set_ylim(len(groups) - 0.5, -0.5)


def film(
    frames: Sequence[Tensor], columns: int, *, labels: Sequence[str], alt: str, milliseconds: int = 500, scale: int = 2
) -> Film:
    """A film of image grids: frames each (n, 784) or (n, c, h, w), uint8 or in [0, 1], and a label for each."""
    sheets = [tile(images, columns) for images in frames]
    return films.film(sheets, labels=labels, alt=alt, milliseconds=milliseconds, width=scale * sheets[0].shape[1])


def forest(
    ax: Axes,
    groups: Mapping[str, Sequence[float]],
    intervals: Mapping[str, tuple[float, float, float]],
    *,
    lines: Mapping[str, float] | None = None,
    baseline: str | None = None,
) -> None:
    """A forest plot: one row a group, its values as dots under its mean and interval (mean, low, high).

    lines: named numbers to hold the rows against, such as a floor, dashed and labelled on top. baseline: the group
    whose interval is shaded through all rows. Raises KeyError where a group has no interval.
    """
    if baseline is not None:
        ax.axvspan(*intervals[baseline][1:], color=THEORY, alpha=0.1, linewidth=0)
    for row, (name, values) in enumerate(groups.items()):
        mean, low, high = intervals[name]
        ax.plot([low, high], [row, row], color=THEORY, linewidth=1.6, solid_capstyle="butt")
        ax.plot(mean, row, "s", color=THEORY, markersize=5)
        ax.plot(values, np.full(len(values), row + 0.25), "o", color=FAKE, markersize=3.5, alpha=0.7)
    for text, value in (lines or {}).items():
        ax.axvline(value, color=THEORY, linestyle="--", linewidth=1)
        ax.annotate(text, (value, -0.55), ha="center", va="bottom", fontsize=8, annotation_clip=False)
    ax.set_yticks(range(len(groups)), list(groups))
    ax.set_ylim(len(groups) - 0.4, -0.5)
    ax.grid(axis="y", visible=False)
