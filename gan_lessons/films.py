"""Films: pictures of a run with a slider under them, as one piece of HTML that needs no kernel, network or library.

    frames = films.frames_of(draw, states)
    films.film(frames, labels=[f"step {s}" for s in steps], alt="Two curves that approach each other.")

Where scripts are off, and on paper, one frame stands still.
"""

import json
from collections.abc import Callable, Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from gan_lessons.checks import unit_range
from gan_lessons.film_codec import Picture, encode

# The !important ones stand against what themes do to pictures in outputs.
STYLE = """
.film{margin:1rem 0!important;max-width:100%}
.film img{display:block;max-width:100%;height:auto;margin:0 auto!important;padding:0!important;
background-size:100% 100%!important;print-color-adjust:exact;-webkit-print-color-adjust:exact}
.film-controls{display:flex;flex-wrap:wrap;align-items:center;gap:.25rem .75rem;margin:.25rem auto 0;max-width:100%}
.film-controls[hidden]{display:none}
.film button{font:inherit;color:inherit;background:none;border:1px solid;border-radius:.25rem;
min-width:4.5rem;min-height:2.25rem;cursor:pointer}
.film input{flex:1 1 8rem;min-width:0;height:2.25rem;margin:0;touch-action:pan-y;cursor:pointer}
.film output{min-width:7rem;font-variant-numeric:tabular-nums}
.film figcaption{margin:.25rem 0 0!important;color:inherit!important}
@media print{.film button,.film input{display:none}}
"""

SCRIPT = """
(() => {
  const film = document.currentScript.parentElement
  const [picture, controls, button, slider, label] =
    ["img", ".film-controls", "button", "input", "output"].map(name => film.querySelector(name))
  const {frames, labels, below, milliseconds} = DATA
  const still = picture.src, alt = picture.alt
  let timer = 0
  const show = k => {
    slider.value = k
    picture.src = frames[k] ? "data:image/webp;base64," + frames[k] : still
    picture.alt = alt + " Shown: " + labels[k]
    label.textContent = labels[k]
    slider.setAttribute("aria-valuetext", labels[k])
  }
  const stop = () => { clearInterval(timer); timer = 0; button.textContent = "Play" }
  const next = () => {
    if (!film.isConnected || +slider.value + 1 >= frames.length) stop()
    else show(+slider.value + 1)
  }
  slider.addEventListener("input", () => { stop(); show(+slider.value) })
  slider.addEventListener("keydown", event => event.stopPropagation())
  button.addEventListener("click", () => {
    if (timer) return stop()
    if (+slider.value + 1 >= frames.length) show(0)
    button.textContent = "Pause"
    timer = setInterval(next, milliseconds)
  })
  if (below) picture.style.backgroundImage = "url(data:image/webp;base64," + below + ")"
  controls.hidden = false
})()
"""


class Film(NamedTuple):
    """What `film` makes: a notebook shows it. `length` is the number of frames, `nbytes` the size of the HTML."""

    html: str
    length: int

    def _repr_html_(self) -> str:
        return self.html

    @property
    def nbytes(self) -> int:
        return len(self.html.encode())

    def __repr__(self) -> str:
        return f"film of {self.length} frames, {self.nbytes / 1000:.0f} kB"


def film(
    frames: Sequence[Any],
    *,
    labels: Sequence[str],
    alt: str,
    caption: str = "",
    still: int = -1,
    width: int | None = None,
    milliseconds: int = 150,
) -> Film:
    """Make a film that is moved by a slider (mouse, touch, arrow keys, Home, End) or a button, and never by itself.

    frames: n pictures of one size, PIL images or arrays (h, w) or (h, w, 3), uint8 or floats in [0, 1]. labels: what
    each frame is, in a few words; shown, and read out by screen readers. alt: the whole film in one sentence. still:
    the frame that is seen first, on paper and without scripts. width: in CSS pixels (default: that of the frames, at
    most 640); frames half as wide or narrower keep their pixels square. milliseconds: a frame's time when it plays.
    The frames are stored as WebP: pictures of few colours, such as plots, exactly and as differences from their
    median; others, such as photographs, lossily. Raises ValueError where the sizes or numbers do not fit.
    """
    pictures = [_rgb(frame) for frame in frames]
    if not pictures or len(pictures) != len(labels):
        raise ValueError(
            f"a film needs at least one frame and a label for each; here {len(pictures)} and {len(labels)}"
        )
    if len({picture.shape for picture in pictures}) > 1:
        raise ValueError(f"all frames need one size; here are {sorted({p.shape[:2] for p in pictures})}")
    if not alt.strip():
        raise ValueError("a film needs an alt text: one sentence for those who cannot see it")
    if not -len(pictures) <= still < len(pictures):
        raise ValueError(f"there is no frame {still} to stand still in a film of {len(pictures)}")
    still %= len(pictures)
    first, below, stored = encode(pictures, still)
    stored[still] = ""  # the page has it already
    data = {"frames": stored, "labels": [str(label) for label in labels], "below": below, "milliseconds": milliseconds}
    height, across = pictures[0].shape[:2]
    shown = width or min(across, 640)
    html = _html(data, first, alt, caption, still, shown, round(shown * height / across), pixelated=shown >= 2 * across)
    return Film(html, len(pictures))


def frames_of(
    draw: Callable[[Figure], Callable[[Any], Sequence[Artist]]],
    states: Sequence[Any],
    *,
    figsize: tuple[float, float] = (6.4, 4.0),
    dpi: int = 140,
) -> list[Picture]:
    """Render one frame (h, w, 3) for each state, on one figure of which only the moving parts are drawn anew.

    draw(figure) sets up axes, limits and all that stands still, and returns update(state), which moves the rest and
    returns the artists that it moved, the same ones each time. Those have hard edges: at 140 dots an inch, shown at
    100, they look as smooth as others, and take fewer bytes. Limits and titles of axes stand still unless they are
    among those artists.
    """
    figure = Figure(figsize=figsize, dpi=dpi, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    update = draw(figure)
    frames: list[Picture] = []
    ground: Any = None
    for state in states:
        moving = sorted(update(state), key=lambda artist: artist.get_zorder())
        if ground is None:
            for artist in moving:
                artist.set_animated(True)
                if hasattr(artist, "set_antialiased"):
                    artist.set_antialiased(False)
            canvas.draw()
            figure.set_layout_engine("none")
            ground = canvas.copy_from_bbox(figure.bbox)
        canvas.restore_region(ground)
        for artist in moving:
            figure.draw_artist(artist)
        frames.append(np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., :3]))
    return frames


def _rgb(frame: Any) -> Picture:
    """Any frame as uint8 (h, w, 3)."""
    array = np.asarray(frame.convert("RGB") if isinstance(frame, Image.Image) else frame)
    if array.dtype.kind == "f":
        unit_range(array)
        array = np.round(255 * array.clip(0, 1)).astype(np.uint8)
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3):
        raise ValueError(f"a frame is (h, w) or (h, w, 3), uint8 or floats, not {array.shape} of {array.dtype}")
    return np.stack([array] * 3, -1) if array.ndim == 2 else array


def _html(
    data: dict[str, Any], first: str, alt: str, caption: str, still: int, width: int, height: int, pixelated: bool
) -> str:
    label = escape(data["labels"][still])
    script = SCRIPT.replace("DATA", json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"))
    parts = [
        '<figure class="film" data-lm-suppress-shortcuts="true">',  # in JupyterLab too the arrow keys are the slider's
        f"<style>{STYLE}</style>",
        f'<img width="{width}" height="{height}" alt="{escape(alt)}" style="width:{width}px'
        f'{";image-rendering:pixelated" if pixelated else ""}" src="data:image/webp;base64,{first}">',
        f'<div class="film-controls" style="width:{width}px" hidden>',
        '<button type="button">Play</button>',
        f'<input type="range" min="0" max="{len(data["labels"]) - 1}" value="{still}" step="1" autocomplete="off" '
        f'aria-label="Frame of the film" aria-valuetext="{label}">',
        f"<output>{label}</output></div>",
        f"<figcaption>{escape(caption)}</figcaption>" if caption else "",
        f"<script>{script}</script></figure>",
    ]
    return "".join(parts)
