"""Figures: arrays or a History in, Axes out. Nothing here trains, loads or writes a file.

One colour code through the book (Okabe and Ito's palette, safe for colour-blind readers).
"""

import math
import sys
from base64 import b64encode
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from torch import Tensor

from gan_lessons import films
from gan_lessons.checks import unit_range
from gan_lessons.films import Film
from gan_lessons.history import History
from gan_lessons.intervals import mean_interval as mean_interval  # the chapters call it here
from gan_lessons.page_table import table as table  # plotting.table(head, rows)
from gan_lessons.studies.comparisons import Effect

REAL, FAKE, DISC, THEORY = "#0072B2", "#D55E00", "#009E73", "#444444"
EXTRA = "#CC79A7"  # a fourth curve, where there must be one


def style(pixels: float = 2.0) -> None:
    """Set matplotlib's defaults for the book: light paper, few lines, readable at phone width.

    pixels: how many a notebook's figures get for each pixel of their width on the page. Two are sharp on every screen;
    a figure then takes about 2.5 times the space that it takes with one, and with 1.5 about 1.7 times: a notebook with
    too many figures for its 600 kB takes fewer. Outside notebooks it changes nothing.
    """
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
    _draw_in_notebooks(pixels)


def _draw_in_notebooks(pixels: float) -> None:
    """Draw a notebook's figures with so many pixels, and say how wide they are (not how high: phones would squeeze)."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None or "inline" not in plt.get_backend():
        return
    import matplotlib_inline.backend_inline  # noqa: F401  as it is imported it registers its own, which ours replaces
    from IPython.core.pylabtools import print_figure

    def as_png(figure: Figure) -> tuple[str, dict[str, int]] | None:
        png = print_figure(figure, dpi=figure.dpi * pixels)
        if png is None:  # an empty figure
            return None
        width = int.from_bytes(png[16:20], "big")  # of the PNG's header
        return b64encode(png).decode(), {"width": round(width / pixels)}

    shell.display_formatter.formatters["image/png"].for_type(Figure, as_png)


def as_tiles(images: Tensor) -> np.ndarray:
    """Images as floats for imshow: (n, 784), (n, h, w) or (n, c, h, w), uint8 or floats in [0, 1] -> (n, h, w[, 3]).

    No contrast is stretched: a faint image stays faint. Raises ValueError for another shape, or values
    outside the range.
    """
    unit_range(images.detach())
    if images.ndim not in (2, 3, 4) or (images.ndim == 4 and images.shape[1] not in (1, 3)):
        raise ValueError(f"images are (n, 784), (n, h, w) or (n, c, h, w) with c 1 or 3, not {tuple(images.shape)}")
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


def ratio_forest(
    ax: Axes, effects: Sequence[Effect], *, luck: tuple[float, float] | None = None, form: str = ".2f"
) -> None:
    """Factors on a log axis: one row an effect, its seeds as dots, mean and interval, and both in numbers at the right.

    Green is better, vermilion worse, grey no difference seen. luck: the factors that an unchanged game would show by
    luck (`comparisons.Effects.luck`), shaded. Raises ValueError for differences, which have no log axis: take `forest`.
    """
    if not all(effect.neutral == 1 for effect in effects):
        raise ValueError("ratio_forest draws factors; for differences take plotting.forest")
    if luck is not None:
        ax.axvspan(*luck, color=THEORY, alpha=0.1, linewidth=0)
        ax.annotate("luck", (1, -0.55), ha="center", va="bottom", fontsize=8, color=THEORY, annotation_clip=False)
    ax.axvline(1, color=THEORY, linestyle="--", linewidth=1)
    for row, effect in enumerate(effects):
        colour = {"better": DISC, "worse": FAKE}.get(effect.verdict, THEORY)
        ax.plot([effect.low, effect.high], [row, row], color=colour, linewidth=2, solid_capstyle="butt")
        ax.plot(effect.mean, row, "s", color=colour, markersize=5)
        ax.plot(effect.each, np.full(len(effect.each), row + 0.27), "o", color=colour, markersize=2.5, alpha=0.5)
        ax.text(
            1, row, f" {effect.size(form)}", transform=ax.get_yaxis_transform(), va="center", fontsize=8, color=colour
        )
    ax.set_yticks(range(len(effects)), [effect.variant for effect in effects])
    ax.set(xscale="log", ylim=(len(effects) - 0.4, -0.6))
    ax.grid(axis="y", visible=False)
    _ticks_of_factors(ax)


def _ticks_of_factors(ax: Axes) -> None:
    """Label factors as ×0.5, ×1, ×2 at the coarsest steps of which the axis shows four, as far as there is room."""
    low, high = ax.get_xlim()
    coarse = [(1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 5, 7)]
    for steps in (*coarse, (1, 1.2, 1.5, 2, 3, 5, 6, 7, 8, 9), (1, 1.05, 1.1, 1.15, 1.2, 7, 8, 8.5, 9, 9.5)):
        marks = sorted({round(m * 10.0**k, 6) for m in steps for k in range(-4, 5)})
        shown = [m for m in marks if low <= m <= high]
        if len(shown) >= 4:
            break
    labels = {mark: f"×{mark:g}" for mark in shown}
    kept: list[float] = []
    for mark in sorted(shown, key=lambda m: abs(np.log(m))):  # ×1 comes first
        room = {other: 0.036 * len(labels[mark] + labels[other]) + 0.04 for other in kept}  # of an axis on a phone
        if all(abs(np.log(mark / other)) >= share * np.log(high / low) for other, share in room.items()):
            kept.append(mark)
    ax.set_xticks(sorted(kept), [labels[mark] for mark in sorted(kept)])
    ax.minorticks_off()
