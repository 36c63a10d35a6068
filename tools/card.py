"""Draw the picture that stands beside a link to the book when somebody shares it: `.venv/bin/python tools/card.py`."""

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

ROOT = Path(__file__).parent.parent
SAMPLES, CARD = ROOT / "book" / "figures" / "05_samples.png", ROOT / "_static" / "card.png"
WIDTH, HEIGHT = 1200, 630  # pixels, as Open Graph advises


def draw() -> NDArray[np.uint8]:
    """The card (630, 1200, 3): the book's name above the samples of its home page."""
    figure = Figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    figure.text(0.05, 0.83, "GAN Lessons", fontsize=54, color="#111111", weight="bold", va="center")
    figure.text(
        0.05, 0.69, "Generative adversarial networks, in notebooks that run", fontsize=25, color="#444444", va="center"
    )
    axes = figure.add_axes((0.05, 0.1, 0.9, 0.452))
    axes.imshow(
        np.asarray(Image.open(SAMPLES).convert("L")),
        cmap="gray",
        vmin=0,
        vmax=255,
        interpolation="nearest",
        aspect="auto",
    )
    axes.set_axis_off()
    canvas.draw()
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., :3])


if __name__ == "__main__":
    Image.fromarray(draw()).convert("P", palette=Image.Palette.ADAPTIVE, colors=64).save(CARD, optimize=True)
    print(f"{CARD.relative_to(ROOT)}: {CARD.stat().st_size / 1000:.0f} kB")
