"""Films: what is stored is what was drawn, and the slider works in a real browser by mouse, touch and keyboard."""

import base64
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from PIL import Image

from gan_lessons import film_codec, films

mpl.use("Agg")
LABELS = [f"step {100 * k}" for k in range(8)]
PINK = np.array([204, 121, 167], np.uint8)


def squares(count: int = 8) -> list[np.ndarray]:
    """Frames of 60 x 160: a pink square that moves right by 20 pixels a frame, on white with a black line below."""
    frames = np.full((count, 60, 160, 3), 255, np.uint8)
    frames[:, 55:57] = 0
    for k in range(count):
        frames[k, 20:40, 20 * k : 20 * k + 20] = PINK
    return list(frames)


def photographs(count: int = 5) -> list[np.ndarray]:
    """Smooth colours in all directions, with a little grain."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:90, :120] / 120
    parts = [[0.5 + 0.3 * np.sin(4 * x + k), 0.5 + 0.3 * np.cos(5 * y - k), 0.9 * x * y + 0.05] for k in range(count)]
    return [np.clip(np.stack(part, -1) + rng.normal(0, 0.01, (90, 120, 3)), 0, 1) for part in parts]


def stored(film: films.Film) -> tuple[list[np.ndarray], dict[str, Any]]:
    """The frames that a browser puts together from a film's HTML, and its data."""
    found = re.search(r"const \{frames, labels, below, milliseconds\} = (\{.*?\})\n", film.html)
    assert found is not None
    data = json.loads(found[1])
    still = re.search(r'<img[^>]*src="data:image/webp;base64,([^"]+)"', film.html)
    assert still is not None

    def picture(code: str) -> Image.Image:
        return Image.open(io.BytesIO(base64.b64decode(code))).convert("RGBA")

    frames = []
    for code in data["frames"]:
        top = picture(code or still[1])
        under = picture(data["below"]) if data["below"] else Image.new("RGBA", top.size)
        frames.append(np.asarray(Image.alpha_composite(under, top).convert("RGB")))
    return frames, data


def moving_line(figure: Figure) -> Callable[[float], Sequence[Artist]]:
    ax = figure.subplots()
    ax.set(xlim=(0, 1), ylim=(-1, 1), xlabel="x", title="a line")
    x = np.linspace(0, 1, 200)
    (line,) = ax.plot(x, 0 * x, color="#D55E00")
    (dot,) = ax.plot([0], [0], "o", color="#0072B2", zorder=5)

    def update(phase: float) -> Sequence[Artist]:
        line.set_data(x, np.sin(6 * x + phase))
        dot.set_data([0.5], [np.sin(3 + phase)])
        return [dot, line]

    return update


# --- what is stored ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("still", [0, 3, -1])
def test_a_film_of_few_colours_is_stored_exactly(still: int) -> None:
    frames, data = stored(films.film(squares(), labels=LABELS, alt="A square.", still=still))
    assert all(np.array_equal(a, b) for a, b in zip(frames, squares(), strict=True))
    assert data["labels"] == LABELS
    assert data["frames"].count("") == 1
    assert data["frames"][still] == ""


def test_photographs_keep_their_colours_and_take_fewer_bytes_than_exact_ones() -> None:
    originals = photographs()
    film = films.film(originals, labels=LABELS[:5], alt="Colours.")
    frames, data = stored(film)
    assert data["below"] == ""
    errors = [float(np.abs(a.astype(int) - 255 * b).mean()) for a, b in zip(frames, originals, strict=True)]
    assert 0 < max(errors) < 4
    exact = [film_codec.webp(np.round(255 * p).astype(np.uint8), lossless=True) for p in originals]
    assert film.nbytes < sum(map(len, exact)) / 2


def test_a_film_of_64_frames_of_a_plot_stays_under_400_kilobytes() -> None:
    frames = films.frames_of(moving_line, np.linspace(0, 6, 64).tolist())
    film = films.film(frames, labels=[str(k) for k in range(64)], alt="A wave.")
    assert film.length == 64
    assert film.nbytes == len(film._repr_html_().encode()) < 400_000
    assert repr(film) == f"film of 64 frames, {film.nbytes / 1000:.0f} kB"
    for a, b in zip(stored(film)[0][::9], frames[::9], strict=True):
        assert float(np.sqrt(np.mean((a.astype(float) - b) ** 2))) < film_codec.NOTICEABLE


def test_a_thin_line_keeps_its_colour_among_much_white() -> None:
    frames = films.frames_of(moving_line, [0.0, 1.0, 2.0])
    kept, _ = stored(films.film(frames, labels=LABELS[:3], alt="A wave."))
    for colour in ([0xD5, 0x5E, 0x00], [0x00, 0x72, 0xB2]):
        drawn = (frames[1] == colour).all(-1)
        assert drawn.sum() > 30
        assert np.array_equal((kept[1] == colour).all(-1) & drawn, drawn)


def test_frames_show_what_a_figure_drawn_anew_shows() -> None:
    phases = [0.0, 1.0, 2.0]
    quick = films.frames_of(moving_line, phases, figsize=(4, 3), dpi=100)
    for phase, frame in zip(phases, quick, strict=True):
        (anew,) = films.frames_of(moving_line, [phase], figsize=(4, 3), dpi=100)
        assert frame.shape == (300, 400, 3)
        assert np.array_equal(frame, anew)
    assert not np.array_equal(quick[0], quick[1])


def test_grey_colour_float_and_pil_frames_are_one_film() -> None:
    grey = squares()[0][..., 0]
    kinds = [grey, grey / 255, Image.fromarray(grey), np.stack([grey] * 3, -1)]
    frames, _ = stored(films.film(kinds, labels=LABELS[:4], alt="Grey."))
    assert all(np.array_equal(frame, np.stack([grey] * 3, -1)) for frame in frames)


def test_words_cannot_break_out_of_the_page() -> None:
    evil = '</script><b>"&'
    html = films.film(squares(2), labels=[evil, "b"], alt=evil, caption=evil, still=0).html
    assert html.count("</script>") == 1
    assert "<b>" not in html
    assert stored(films.Film(html, 2))[1]["labels"][0] == evil


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"frames": []}, "at least one frame"),
        ({"labels": LABELS[:3]}, "here 8 and 3"),
        ({"frames": [*squares(7), np.zeros((3, 3), np.uint8)]}, "all frames need one size"),
        ({"frames": [np.full((4, 4), 2.0)] * 8}, r"\[2.00, 2.00\], not in \[0, 1\]"),
        ({"frames": [np.zeros((4, 4), np.int64)] * 8}, "of int64"),
        ({"frames": [np.zeros((4, 4, 4), np.uint8)] * 8}, r"\(4, 4, 4\)"),
        ({"alt": " "}, "alt text"),
        ({"still": 8}, "no frame 8"),
    ],
)
def test_what_is_no_film_is_refused_with_the_remedy(arguments: dict[str, Any], words: str) -> None:
    usual: dict[str, Any] = {"frames": squares(), "labels": LABELS, "alt": "A square."}
    with pytest.raises(ValueError, match=words):
        films.film(**usual | arguments)


# --- in a browser -----------------------------------------------------------------------------------------------


class Screen:
    """A page with two films, opened from the disk."""

    def __init__(self, browser: Any, file: Path, **context: Any) -> None:
        self.context = browser.new_context(**({"viewport": {"width": 800, "height": 700}} | context))
        self.page = self.context.new_page()
        self.faults: list[str] = []
        self.page.on("request", lambda request: self._request(request.url))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda line: self.faults.append(line.text) if line.type == "error" else None)
        self.page.clock.install()
        self.page.goto(file.as_uri())

    def _request(self, url: str) -> None:
        if not url.startswith(("file:", "data:")):
            self.faults.append(f"foreign request: {url[:100]}")

    def slider(self, film: int = 0) -> Any:
        return self.page.locator(".film input").nth(film)

    def shown(self, film: int = 0) -> int:
        """The frame that is seen: where the pink square stands in a photograph of the page."""
        self.page.locator(".film img").nth(film).evaluate("image => image.decode()")
        return self.seen(film)

    def seen(self, film: int = 0) -> int:
        """The same where scripts are off."""
        shot = Image.open(io.BytesIO(self.page.locator(".film img").nth(film).screenshot())).convert("RGB")
        picture = np.asarray(shot.resize((160, 60), Image.Resampling.NEAREST)).astype(int)
        assert (picture[50:59] < 100).all(-1).any(), "the line that stands still is not there"
        (columns,) = np.nonzero((np.abs(picture[20:40] - PINK).max(-1) < 12).mean(0) > 0.5)
        assert len(columns) in (19, 20, 21), f"not one square but {len(columns)} columns"
        return round(float(columns.mean() - 9.5) / 20)

    def state(self, film: int = 0) -> tuple[int, str, str, str]:
        """The slider's place, its words for a screen reader, the label, and the picture's alternative text."""
        figure = self.page.locator(".film").nth(film)
        return (
            int(self.slider(film).input_value()),
            self.slider(film).get_attribute("aria-valuetext"),
            figure.locator("output").inner_text(),
            figure.locator("img").get_attribute("alt"),
        )


def stands_at(screen: Screen, k: int, film: int = 0) -> bool:
    label = LABELS[k]
    told = screen.state(film) == (k, label, label, f"A square. Shown: {label}")
    return told and screen.shown(film) == k and screen.faults == []


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with two films, and one with none (plain.html)."""
    folder = tmp_path_factory.mktemp("films")
    first = films.film(squares(), labels=LABELS, alt="A square.", caption="A square on its way.", width=320)
    second = films.film(squares(), labels=LABELS, alt="A square.", still=2, milliseconds=500, width=320)
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Films</title>'
    head += '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">'
    for name, body in {"films.html": first.html + second.html, "plain.html": ""}.items():
        (folder / name).write_text(f"{head}<main><h1>Films</h1>{body}</main></html>", encoding="utf-8")
    return folder / "films.html"


@pytest.fixture
def screen(browser: Any, pages: Path) -> Iterator[Callable[..., Screen]]:
    """screen(viewport=…, color_scheme=…) opens the page, and closes it after the test."""
    opened: list[Screen] = []

    def open_page(**context: Any) -> Screen:
        opened.append(Screen(browser, pages, **context))
        return opened[-1]

    yield open_page
    for each in opened:
        each.context.close()


def test_the_film_opens_at_its_still_frame(screen: Callable[..., Screen]) -> None:
    page = screen()
    assert [page.state(0)[:3], page.state(1)[:3]] == [(7, LABELS[7], LABELS[7]), (2, LABELS[2], LABELS[2])]
    assert [page.shown(0), page.shown(1)] == [7, 2]
    assert page.faults == []


def test_keys_move_the_frame_its_label_and_its_words(screen: Callable[..., Screen]) -> None:
    page = screen()
    page.page.keyboard.press("Tab")  # to the button
    page.page.keyboard.press("Tab")  # to the slider
    for key, k in [("Home", 0), ("ArrowRight", 1), ("ArrowUp", 2), ("ArrowLeft", 1), ("End", 7), ("ArrowRight", 7)]:
        page.page.keyboard.press(key)
        assert stands_at(page, k), key
    assert page.shown(1) == 2  # the other film stands where it stood


def test_a_mouse_drags_through_all_frames(screen: Callable[..., Screen]) -> None:
    page = screen()
    box = page.slider().bounding_box()
    y = box["y"] + box["height"] / 2
    page.page.mouse.move(box["x"] + box["width"] - 8, y)
    page.page.mouse.down()
    seen = set()
    for part in np.linspace(1, 0, 40):
        page.page.mouse.move(box["x"] + 8 + part * (box["width"] - 16), y)
        seen.add(page.state()[0])
    page.page.mouse.up()
    assert seen == set(range(8))
    assert stands_at(page, 0)


def test_a_finger_moves_the_film_on_a_phone(screen: Callable[..., Screen]) -> None:
    page = screen(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    box = page.slider().bounding_box()
    page.page.touchscreen.tap(box["x"] + 8 + (box["width"] - 16) * 3 / 7, box["y"] + box["height"] / 2)
    assert stands_at(page, 3)
    assert box["height"] >= 32
    assert page.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_button_plays_to_the_end_pauses_and_begins_anew(screen: Callable[..., Screen]) -> None:
    page = screen()
    button = page.page.get_by_role("button").nth(1)
    assert button.inner_text() == "Play"
    button.click()
    page.page.clock.run_for(1100)  # two frames of 500 ms
    assert button.inner_text() == "Pause"
    button.click()
    stopped = page.state(1)[0]
    assert 4 <= stopped <= 6  # from 2 on; the clock also runs by itself, and a slow machine is a frame or two late
    page.page.clock.run_for(5000)
    assert (stands_at(page, stopped, 1), button.inner_text()) == (True, "Play")
    button.click()
    page.page.clock.run_for(5000)
    assert (stands_at(page, 7, 1), button.inner_text()) == (True, "Play")
    button.click()  # from the end: at once the first frame, and on
    assert page.state(1)[0] <= 1
    page.page.clock.run_for(600)
    again = page.state(1)[0]
    assert 1 <= again <= 3
    page.slider(1).press("ArrowRight")  # a hand on the slider stops it
    stopped = page.state(1)[0]
    assert again < stopped <= 6
    page.page.clock.run_for(5000)
    assert (stands_at(page, stopped, 1), button.inner_text()) == (True, "Play")
    assert page.shown(0) == 7


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_no_film_starts_by_itself(motion: str, screen: Callable[..., Screen]) -> None:
    page = screen(reduced_motion=motion)
    page.page.clock.run_for(60_000)
    assert [page.shown(0), page.shown(1)] == [7, 2]


def test_a_film_leaves_no_name_behind(screen: Callable[..., Screen]) -> None:
    page = screen()
    names = "() => Object.getOwnPropertyNames(window).filter(name => isNaN(name)).sort()"
    with_films = page.page.evaluate(names)
    page.page.goto(page.page.url.replace("films.html", "plain.html"))
    assert with_films == page.page.evaluate(names)


def test_without_scripts_the_still_stands_and_nothing_useless_is_shown(screen: Callable[..., Screen]) -> None:
    page = screen(java_script_enabled=False)
    assert [page.seen(0), page.seen(1)] == [7, 2]
    assert page.page.get_by_role("img").first.get_attribute("alt") == "A square."
    assert page.page.get_by_role("slider").count() == 0
    assert page.page.get_by_role("button").count() == 0


def test_on_paper_the_frame_and_its_label_stand_without_controls(screen: Callable[..., Screen]) -> None:
    page = screen()
    page.slider().press("Home")
    page.page.emulate_media(media="print")
    assert stands_at(page, 0)
    assert page.page.locator(".film output").first.is_visible()
    assert [page.slider().is_visible(), page.page.locator(".film button").first.is_visible()] == [False, False]
    assert len(page.page.pdf()) > 1000


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_film_is_accessible(theme: str, screen: Callable[..., Screen]) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    page = screen(color_scheme=theme)
    assert page.page.get_by_role("slider", name="Frame of the film").count() == 2
    page.slider().press("Home")
    violations = axe.Axe().run(page.page).response["violations"]
    assert {fault["id"]: [node["html"][:200] for node in fault["nodes"]] for fault in violations} == {}
