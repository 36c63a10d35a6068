"""The live pieces of the built book in a real browser: what a reader sees, hears, presses and waits for."""

import json
import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from functools import partial
from html import unescape
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from PIL import Image

from gan_lessons import labels, strokes, zoo
from gan_lessons.plotting import tile
from tests.scripts import AS_TEXT, script
from tests.test_book import HTML, RIGHT_TAB_STOPS, ROOT, Visit, axe, built, pale, thinned_out, violations, visits

__all__ = ["built"]  # a fixture

PIECE = re.compile(r'<div class="live" data-live="([\w-]+)"')
PAGES = {file: PIECE.findall(file.read_text(encoding="utf-8")) for file in sorted((HTML / "book").glob("*.html"))}
RING, WRITER, GENERATOR = '[data-live="ring"]', '[data-live="writer"]', '[data-source]:not([data-live="writer"])'
OTHERS = {"ring", "writer"}  # pieces that are no generator's name
RINGS = {  # page -> what its ring plays first
    file.name: re.findall(r'data-live="ring" data-preset="(\w+)"', file.read_text(encoding="utf-8"))[0]
    for file, names in PAGES.items()
    if "ring" in names
}
HEAP = {"k1", "k5", "rates"}  # presets of chapter 04's game, with forecasts of its own
WITH_A_GENERATOR = [file.name for file, names in PAGES.items() if set(names) - OTHERS]
of_pages = partial(pytest.mark.parametrize, "page", scope="module")  # those of one page come together: it is open once
with_a_ring = of_pages(list(RINGS))
with_eight_modes = of_pages([page for page, preset in RINGS.items() if preset not in HEAP])
with_a_writer = of_pages([file.name for file, names in PAGES.items() if "writer" in names])
with_a_generator = of_pages(WITH_A_GENERATOR)
Open = Callable[..., Visit]


# Remember the pieces as they stand in the page, before their scripts, which are deferred, have run.
KEEP = """document.addEventListener('readystatechange', () => {
    if (document.readyState === 'interactive')
        window.untouched = [...document.querySelectorAll('.live')].map(piece => piece.cloneNode(true))
})"""
PUT_BACK = """() => {
    document.querySelectorAll('.live').forEach((piece, k) => piece.replaceWith(untouched[k].cloneNode(true)))
    document.body.removeAttribute('style')
    scrollTo(0, 0)
}"""
BEGIN = """() => {
    const scripts = [...document.scripts].filter(one => /live\\/(generator|ring|writer)\\.js/.test(one.src))
    return Promise.all(scripts.map(old => new Promise(end => {
        const script = document.createElement('script')
        Object.assign(script, {src: old.src, onload: end})
        old.replaceWith(script)
    })))
}"""


@pytest.fixture(scope="module")
def opened(browser: Any) -> Iterator[dict[str, Visit]]:
    """The pages that are open: each is loaded once, for a page takes longer to load than its pieces to play."""
    pages: dict[str, Visit] = {}
    yield pages
    for seen in pages.values():
        seen.close()


@pytest.fixture
def visit(browser: Any, opened: dict[str, Visit]) -> Iterator[Open]:
    """visit("book/ring.html", motion="reduce") gives a page without its maths, its pieces as nobody has touched them.

    Their scripts have begun anew; the rest of the page, and the weights that it has fetched, are as tests left them.
    """
    used: list[Visit] = []

    def open_page(file: str, motion: str = "no-preference") -> Visit:
        used.append(pieces_anew(browser, opened, file, motion))
        return used[-1]

    yield open_page
    for seen in used:
        seen.page.evaluate(PUT_BACK)  # nothing plays on while other tests run
        seen.faults.clear()  # they are the test's that made them


def pieces_anew(browser: Any, opened: dict[str, Visit], file: str, motion: str = "no-preference") -> Visit:
    if file not in opened:
        opened[file] = Visit(browser, file, maths=False, script=KEEP)
    seen = opened[file]
    assert seen.faults == []
    seen.page.evaluate(PUT_BACK)
    seen.page.emulate_media(media="screen", color_scheme="light", reduced_motion=motion)
    seen.page.evaluate(BEGIN)
    return seen


@pytest.fixture
def first_visit(browser: Any) -> Iterator[Open]:
    """The same, but loads the page for this test alone; with its maths, if asked for."""
    with visits(browser, maths=False) as open_page:
        yield open_page


def drawn_by(name: str) -> str:
    """The stored generator of a piece."""
    return "cdcgan-mnist" if name == "writer" else name


ROUNDS = f"() => document.querySelector('{RING}').live.game.rounds"
FRAMES = "n => new Promise(end => { const next = () => (n-- ? requestAnimationFrame(next) : end()); next() })"


def rounds(page: Any) -> int:
    return int(page.evaluate(ROUNDS))


def plays(page: Any, more_than: int = 0) -> None:
    page.wait_for_function(f"least => ({ROUNDS})() > least", arg=more_than)


def at_the_ring(seen: Visit) -> Any:
    seen.page.locator(f"{RING} .live-panel").scroll_into_view_if_needed()
    return seen.page.locator(RING)


def forecast(page: str) -> str:
    """A forecast of the game on a page, and not the first one that comes true."""
    return "The walk" if RINGS[page] in HEAP else "It settles"


# --- what a page loads ----------------------------------------------------------------------------------------------


def test_some_page_has_a_ring_and_some_page_a_generator() -> None:
    names = {name for pieces in PAGES.values() for name in pieces}
    assert "ring" in names
    assert names & set(zoo.names())


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.name)
def test_a_page_loads_the_scripts_of_its_own_pieces_and_no_others(file: Path) -> None:
    text, names = file.read_text(encoding="utf-8"), PAGES[file]
    loaded = set(re.findall(r"_static/live/([\w.]+)\?", text))
    expected: set[str] = {"live.css", "chance.js"} if names else set()
    expected |= {"ring_game.js", "ring.js"} if "ring" in names else set()
    expected |= {"networks.js", "pieces.js"} if set(names) - {"ring"} else set()
    expected |= {"generator.js"} if set(names) - OTHERS else set()
    expected |= {"writer.js"} if "writer" in names else set()
    assert loaded == expected


@pytest.mark.parametrize("file", [file for file, names in PAGES.items() if names], ids=lambda file: file.name)
def test_the_pieces_of_a_page_weigh_at_most_a_megabyte(file: Path) -> None:
    live = HTML / "_static" / "live"
    scripts = set(re.findall(r"_static/live/([\w.]+)\?", file.read_text(encoding="utf-8")))
    weights = {f"generators/{drawn_by(name)}.js" for name in PAGES[file] if name != "ring"}
    assert sum((live / part).stat().st_size for part in scripts | weights) <= 1_000_000


@pytest.mark.parametrize("name", sorted({name for names in PAGES.values() for name in names} - {"ring"}))
def test_the_book_has_the_stored_weights_and_the_still_shows_their_samples(name: str) -> None:
    picture, generator = f"book/figures/live_{name}.png", drawn_by(name)
    order = "--text 0123456789" if name == "writer" else "--n 16 --columns 8"
    remedy = f"run `python -m gan_lessons sample {generator} {order} --out {picture}`, and build the book again"
    assert (HTML / "_static" / "live" / "generators" / f"{generator}.js").read_text() == script(generator), remedy
    still = np.asarray(Image.open(ROOT / picture))
    stored = zoo.load(generator)
    drawn = stored.sample(10, 0, list(range(10))) if name == "writer" else stored.sample(16, 0)
    own = (tile(drawn, 10 if name == "writer" else 8) * 255).round()
    assert still.shape == own.shape, remedy
    assert np.abs(still - own).mean() < 1, remedy


# --- the ring -------------------------------------------------------------------------------------------------------


@with_a_ring
def test_the_page_asks_for_a_forecast_and_then_plays(page: str, visit: Open) -> None:
    seen = visit(f"book/{page}")
    ring = at_the_ring(seen)
    play = ring.get_by_role("button", name="Play")
    assert play.is_disabled()
    seen.page.evaluate(FRAMES, 10)
    assert rounds(seen.page) == 0
    ring.get_by_label(forecast(page)).check()
    plays(seen.page)
    ring.get_by_label("Game", exact=True).select_option(index=1)  # another game, another forecast
    assert play.is_disabled()
    assert not ring.get_by_label(forecast(page)).is_checked()
    assert rounds(seen.page) == 0
    assert seen.faults == []


@with_a_ring
def test_it_pauses_moves_by_one_round_and_begins_anew(page: str, visit: Open) -> None:
    seen = visit(f"book/{page}")
    ring = at_the_ring(seen)
    ring.get_by_label(forecast(page)).check()
    plays(seen.page, 3)
    ring.get_by_role("button", name="Pause").click()
    before = rounds(seen.page)
    seen.page.evaluate(FRAMES, 10)
    assert rounds(seen.page) == before
    ring.get_by_role("button", name="One round").click()
    assert rounds(seen.page) == before + 1
    assert ring.locator("dd").first.inner_text() == f"{before + 1:,}"
    ring.get_by_role("button", name="Restart").click()
    assert rounds(seen.page) == 0


@with_a_ring
def test_only_one_player_moves_when_asked(page: str, visit: Open) -> None:
    seen = visit(f"book/{page}")
    ring = at_the_ring(seen)
    moves = f"() => {{ const {{G, D}} = document.querySelector('{RING}').live.game; return [G.moves, D.moves] }}"
    for button, expected in (("Only D", [0, 1]), ("Only G", [1, 1]), ("One round", [2, 2])):
        ring.get_by_role("button", name=button).click()
        assert seen.page.evaluate(moves) == expected


@with_a_ring
def test_who_wants_little_motion_gets_none_unasked(page: str, visit: Open) -> None:
    tab = visit(f"book/{page}", motion="reduce").page
    ring = tab.locator(RING)
    ring.get_by_label(forecast(page)).check()
    tab.evaluate(FRAMES, 20)
    assert rounds(tab) == 0
    ring.get_by_role("button", name="Play").click()
    plays(tab)


@with_a_ring
def test_it_rests_while_nobody_sees_it(page: str, visit: Open) -> None:
    seen = visit(f"book/{page}")
    ring = at_the_ring(seen)
    ring.get_by_label(forecast(page)).check()
    plays(seen.page, 3)
    seen.page.evaluate("document.body.style.paddingBottom = '300vh'")
    seen.page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    seen.page.evaluate(FRAMES, 10)
    before = rounds(seen.page)
    seen.page.evaluate(FRAMES, 20)
    assert rounds(seen.page) == before
    at_the_ring(seen)
    plays(seen.page, before)


@pytest.mark.long
@pytest.mark.parametrize("preset", ["settles", "circles", "collapses"])
def test_the_verdict_stands_beside_the_forecast(preset: str, visit: Open) -> None:
    """Each of the three games ends as it is called, and the page says so after 2,000 rounds."""
    # One page will do: the others' rings have the same script. With little motion it draws but twice a second.
    seen = visit("book/ring.html", motion="reduce")
    ring = at_the_ring(seen)
    ring.get_by_label("Game", exact=True).select_option(preset)
    assert ring.get_by_role("button", name="Play").is_disabled()
    ring.get_by_label("It settles").check()
    ring.get_by_role("button", name="Play").click()
    seen.page.wait_for_function(f"document.querySelector('{RING}').dataset.outcome", timeout=300_000)
    words = ring.locator(".live-verdict").inner_text()
    assert words.startswith(f"It {preset}:")
    assert words.endswith("Your forecast was right." if preset == "settles" else "Your forecast was another.")


@pytest.mark.long
def test_one_heap_is_judged_by_the_three_guesses_of_its_chapter(visit: Open) -> None:
    """With k = 1 the forgeries run past 4, as in chapter 04; the page says which of its guesses came true."""
    page = next(page for page, preset in RINGS.items() if preset in HEAP)
    seen = visit(f"book/{page}", motion="reduce")
    ring = at_the_ring(seen)
    chapter = (HTML / "book" / page).read_text(encoding="utf-8")
    for guess in ("The walk", "The pendulum", "The needle"):  # the same words
        assert f"{guess}.</strong>" in chapter
        assert ring.get_by_label(guess).is_visible()
    ring.get_by_label("The walk").check()
    ring.get_by_role("button", name="Play").click()
    seen.page.wait_for_function(f"document.querySelector('{RING}').dataset.outcome", timeout=300_000)
    words = ring.locator(".live-verdict").inner_text()
    came = re.search(r"The mean went (\d\.\d\d) past 4", words)
    assert came is not None, words
    assert float(came[1]) > 0.5
    assert words.endswith("Your forecast was another.")
    outcome = ring.get_attribute("data-outcome")
    assert outcome in {"pendulum", "needle", "pendulum needle", "none"}
    starts = {"none": "None of the three", "needle": "The needle"}.get(outcome, "The pendulum")
    assert words.startswith(starts)


@with_a_ring
def test_everything_can_be_done_by_keyboard(page: str, visit: Open) -> None:
    seen = visit(f"book/{page}")
    ring = at_the_ring(seen)
    keys = seen.page.keyboard
    ring.get_by_role("button", name="One round").focus()
    keys.press("Enter")
    keys.press("Space")
    assert rounds(seen.page) == 2
    ring.locator("summary").focus()
    keys.press("Enter")
    before = seen.page.evaluate(f"document.querySelector('{RING}').live.settings.dSteps")
    ring.get_by_label("D's steps a round, k").focus()
    keys.press("ArrowRight")
    assert seen.page.evaluate(f"document.querySelector('{RING}').live.settings.dSteps") == before + 1
    assert seen.page.url.endswith(page)  # the arrow keys turn no pages


@with_eight_modes
@pytest.mark.parametrize("how", ["mouse", "keyboard"])
def test_a_drawing_of_ones_own_is_forged(how: str, page: str, visit: Open) -> None:
    seen = visit(f"book/{page}")
    ring = at_the_ring(seen)
    ring.get_by_label("Real points", exact=True).select_option("drawing")
    canvas = ring.locator("canvas").first
    if how == "mouse":
        box = canvas.bounding_box()
        assert box
        seen.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 4)
        seen.page.mouse.down()
        seen.page.mouse.move(box["x"] + 3 * box["width"] / 4, box["y"] + box["height"] / 4, steps=9)
        seen.page.mouse.up()
    else:
        canvas.focus()
        for key in ("ArrowUp", "Space", "ArrowRight", "Space"):
            seen.page.keyboard.press(key)
    ring.get_by_role("button", name="Use the drawing").click()
    real = seen.page.evaluate(f"[...document.querySelector('{RING}').live.game.target.sample(400, ringGame.random(0))]")
    points = np.array(real).reshape(-1, 2)
    middle, height = (0.4, 0.8) if how == "mouse" else (0.04, 0.08)
    assert abs(points[:, 0].mean() - middle) < 0.1
    assert abs(points[:, 1].mean() - height) < 0.1
    ring.get_by_role("button", name="Play").click()
    plays(seen.page)
    assert seen.faults == []


# --- generators -----------------------------------------------------------------------------------------------------

PIXELS = f"""canvases => canvases.map(
    canvas => {AS_TEXT}(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data))"""


def pixels(canvases: Any) -> list[bytes]:
    """Red, green, blue and opacity of each pixel, row by row, of each canvas."""
    return [b64decode(text) for text in canvases.evaluate_all(PIXELS)]


def at_the_generator(seen: Visit) -> Any:
    piece = seen.page.locator(GENERATOR).first
    piece.scroll_into_view_if_needed()
    seen.page.wait_for_selector(f"{GENERATOR} button[aria-pressed]")
    return piece


def samples(piece: Any) -> list[bytes]:
    return pixels(piece.locator(".live-samples canvas"))


def walked(piece: Any) -> bytes:
    return pixels(piece.locator(".live-walk canvas"))[0]


@with_a_generator
def test_sixteen_unlike_samples_and_new_ones_from_new_noise(page: str, visit: Open) -> None:
    seen = visit(f"book/{page}")
    piece = at_the_generator(seen)
    first = samples(piece)
    assert len(set(first)) == 16
    assert min(np.std(list(sample)) for sample in first) > 30
    piece.get_by_role("button", name="New noise").click()
    assert all(a != b for a, b in zip(first, samples(piece), strict=True))
    assert seen.faults == []


@with_a_generator
def test_the_walk_begins_and_ends_at_the_chosen_samples(page: str, visit: Open) -> None:
    seen = visit(f"book/{page}")
    piece = at_the_generator(seen)
    for k in (5, 9):
        piece.get_by_role("button", name=f"Sample {k}", exact=True).focus()
        seen.page.keyboard.press("Enter")
    pressed = piece.locator("button[aria-pressed=true]").evaluate_all("all => all.map(one => one.ariaLabel)")
    assert pressed == ["Sample 5", "Sample 9"]
    drawn = samples(piece)
    slider = piece.locator("input[type=range]")
    slider.focus()
    for way in ("straight", "along the sphere"):
        piece.get_by_label(way).check()
        slider.focus()
        seen.page.keyboard.press("Home")
        assert walked(piece) == drawn[4]
        seen.page.keyboard.press("End")
        assert walked(piece) == drawn[8]
    seen.page.keyboard.press("Home")
    for _ in range(5):  # a tenth of the way each
        seen.page.keyboard.press("PageUp")
    seen.page.keyboard.press("ArrowRight")
    half = walked(piece)
    assert half not in (drawn[4], drawn[8])
    piece.get_by_label("straight").check()
    assert walked(piece) != half


@with_a_generator
def test_the_weights_wait_until_the_piece_is_near(page: str, first_visit: Open) -> None:
    seen = first_visit(f"book/{page}")
    asked: list[str] = []
    seen.page.on("request", lambda request: asked.append(request.url))
    source = seen.page.locator(GENERATOR).first.get_attribute("data-source")
    assert source
    if seen.page.locator(GENERATOR).first.bounding_box()["y"] < 1_500:
        pytest.skip("this page opens with its piece")
    assert seen.page.evaluate("Object.keys(ganLessons.generators)") == []
    at_the_generator(seen)
    assert [url for url in asked if url.endswith(source.removeprefix("../"))] != []


@with_a_generator
def test_a_generator_of_ones_own_is_opened_and_a_wrong_file_is_told(page: str, visit: Open, tmp_path: Path) -> None:
    seen = visit(f"book/{page}")
    piece = at_the_generator(seen)
    before = samples(piece)
    facts: dict[str, Any] = {"format": 1, "name": "mine", "bits": 16, "shape": [1, 1, 1], "range": [-1, 1]}
    facts |= {"prior": {"name": "gaussian", "dim": 1}, "layers": [{"kind": "tanh"}]}
    (tmp_path / "mine.js").write_text(f"x = {json.dumps(facts)}\n")
    (tmp_path / "wrong.js").write_text("alert(1)")
    piece.locator("input[type=file]").set_input_files(tmp_path / "wrong.js")
    seen.page.wait_for_selector("text=wrong.js is no script")
    assert samples(piece) == before
    piece.locator("input[type=file]").set_input_files(tmp_path / "mine.js")
    seen.page.wait_for_selector("text=mine draws in this page")
    assert {len(sample) for sample in samples(piece)} == {4}
    assert seen.faults == []


# Each generator, and each page: their pieces have one script, and the pairs of both would take a minute.
@pytest.mark.parametrize(("name", "page"), [*zip(zoo.names(), cycle(WITH_A_GENERATOR), strict=False)])
def test_an_exported_generator_shows_what_pytorch_makes_of_the_same_noise(
    name: str, page: str, visit: Open, tmp_path: Path
) -> None:
    assert len(zoo.names()) >= len(WITH_A_GENERATOR)
    seen = visit(f"book/{page}")
    piece = at_the_generator(seen)
    (tmp_path / f"{name}.js").write_text(script(name))
    piece.locator("input[type=file]").set_input_files(tmp_path / f"{name}.js")
    seen.page.wait_for_selector(f"text=/^{name} draws in this page/")
    G, _, card = zoo.load(name)
    z = seen.page.evaluate(
        """prior => { const chance = liveChance.random(1)
            return Array.from({length: 16}, () => [...ganLessons.networks.noise(prior, chance)]) }""",
        card.prior,
    )
    black, white = card.range
    images = ((G(torch.tensor(z)).reshape(16, *card.shape) - black) / (white - black)).clamp(0, 1)
    expected = 255 * images.permute(0, 2, 3, 1).expand(-1, -1, -1, 3).numpy()
    drawn = np.frombuffer(b"".join(samples(piece)), np.uint8).reshape(16, *card.shape[1:], 4).astype(float)
    assert (drawn[..., 3] == 255).all()
    assert (np.abs(drawn[..., :3] - expected) < 1.5).mean() > 0.97  # MLPs are rounded more (tests/test_live.py)


@with_a_generator
def test_below_each_sample_stands_what_the_d_of_its_game_says(page: str, first_visit: Open, tmp_path: Path) -> None:
    seen = first_visit(f"book/{page}", maths=True)  # its width is asked for
    piece = at_the_generator(seen)
    facts: dict[str, Any] = {"format": 1, "name": "mine", "bits": 32, "shape": [1, 1, 1], "range": [-1, 1]}
    facts |= {"prior": {"name": "uniform", "dim": 1}, "layers": [{"kind": "flat"}]}
    one = {"shape": [1, 1], "bits": 32, "data": "AACAQA=="}  # a weight of 4
    facts["opinion"] = {"layers": [{"kind": "linear", "inputs": 1, "outputs": 1, "weight": one}]}
    (tmp_path / "mine.js").write_text(f"x = {json.dumps(facts)}\n")
    piece.locator("input[type=file]").set_input_files(tmp_path / "mine.js")
    seen.page.wait_for_selector("text=mine draws in this page")
    z = [2 * sample[0] / 255 - 1 for sample in samples(piece)]
    said = [float(text) for text in piece.locator(".live-opinion").all_inner_texts()]
    assert said == pytest.approx([1 / (1 + np.exp(-4 * each)) for each in z], abs=0.02)
    assert np.std(said) > 0.1
    assert piece.get_by_text("the probability that the D of the same game gives").is_visible()
    assert re.search(r"D says \d\.\d\d", piece.locator(".live-walk").inner_text())
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 1280
    assert seen.faults == []


# --- the writer -------------------------------------------------------------------------------------------------------


def at_the_writer(seen: Visit) -> Any:
    piece = seen.page.locator(WRITER).first
    piece.scroll_into_view_if_needed()
    seen.page.wait_for_selector(f'{WRITER} canvas[aria-label="0123456789, written by the generator"]')
    return piece


def written(piece: Any) -> np.ndarray:
    """What stands on the canvas, (28, 28 a digit)."""
    (canvas,) = pixels(piece.locator("canvas"))
    return np.frombuffer(canvas, np.uint8).reshape(28, -1, 4)[..., 0].astype(float)


# What PyTorch makes of the piece's own noise.
NOISE = """({prior, n}) => { const chance = liveChance.random(1)
    return Array.from({length: n}, () => [...ganLessons.networks.noise({...prior, classes: 0}, chance)]) }"""


def by_pytorch(seen: Visit, text: str, **values: float) -> np.ndarray:
    G, _, card = zoo.load("cdcgan-mnist")
    assert card.directions is not None
    z = torch.tensor(seen.page.evaluate(NOISE, {"prior": card.prior, "n": len(text)}))
    for name, way in ((name, torch.tensor(way)) for name, way in card.directions.items()):
        z = z + (values.get(name, 0.0) - z @ way)[:, None] * way
    images = G(labels.beside(z, [int(digit) for digit in text], 10)).detach()
    return np.concatenate(list(((images[:, 0] + 1) * 127.5).numpy()), axis=1)


@with_a_writer
def test_it_writes_what_is_typed_as_pytorch_would_and_anew_when_asked(page: str, visit: Open) -> None:
    seen = visit(f"book/{page}")
    piece = at_the_writer(seen)
    assert np.abs(written(piece) - by_pytorch(seen, "0123456789")).max() < 1.5
    field = piece.get_by_label("Type a number")
    field.fill("2026")
    seen.page.wait_for_selector(f'{WRITER} canvas[aria-label="2026, written by the generator"]')
    first = written(piece)
    assert np.abs(first - by_pytorch(seen, "2026")).max() < 1.5
    piece.get_by_role("button", name="Write it anew").click()
    second = written(piece)
    assert second.shape == first.shape == (28, 4 * 28)
    assert np.abs(first - second).mean() > 5
    field.press("Enter")
    assert np.abs(written(piece) - second).mean() > 5
    assert seen.faults == []


@with_a_writer
def test_letters_are_left_out_with_a_word_and_twelve_digits_are_the_most(page: str, visit: Open) -> None:
    seen = visit(f"book/{page}")
    piece = at_the_writer(seen)
    field, says = piece.get_by_label("Type a number"), piece.locator("p[role=status]")
    field.fill("1a²3")
    assert field.input_value() == "13"
    assert "digits 0 to 9" in says.inner_text()
    field.fill("")
    field.press_sequentially("12345678901234")
    assert field.input_value() == "123456789012"
    assert says.inner_text() == ""
    field.fill("")
    seen.page.wait_for_selector(f'{WRITER} canvas[aria-label="Nothing is written yet"]')
    assert written(piece).max() == 0
    assert seen.page.url.endswith(page)
    assert seen.faults == []


@with_a_writer
def test_the_sliders_change_slant_and_thickness_by_keyboard(page: str, visit: Open) -> None:
    seen = visit(f"book/{page}")
    piece = at_the_writer(seen)
    piece.get_by_label("Type a number").fill("1471")
    seen.page.wait_for_selector(f'{WRITER} canvas[aria-label="1471, written by the generator"]')
    for name, measure in strokes.MEASURES.items():
        slider, seen_at = piece.get_by_label(name.capitalize()), []
        for key, value in (("Home", -3), ("End", 3)):
            slider.focus()
            seen.page.keyboard.press(key)
            seen.page.evaluate(FRAMES, 2)
            canvas = written(piece)
            assert np.abs(canvas - by_pytorch(seen, "1471", **{name: value})).max() < 1.5
            digits = torch.tensor(canvas / 255).float().reshape(28, 4, 28).transpose(0, 1)[:, None]
            seen_at.append(measure(digits).mean())
        assert seen_at[1] > seen_at[0] + 0.2
        slider.fill("0")
    assert seen.faults == []


# --- without scripts, on paper, by ear --------------------------------------------------------------------------------


@pytest.mark.parametrize("file", [file for file, names in PAGES.items() if names], ids=lambda file: file.name)
def test_without_scripts_there_is_a_still_picture_with_its_caption(file: Path, browser: Any) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    for piece in page.locator(".live").all():
        assert piece.locator("img").is_visible()
        assert len(piece.locator("figcaption").inner_text()) > 20
    assert page.locator(".live-panel").count() == 0
    context.close()


@pytest.mark.parametrize("file", [file for file, names in PAGES.items() if names], ids=lambda file: file.name)
def test_on_paper_there_is_the_still_picture(file: Path, visit: Open) -> None:
    page = visit(f"book/{file.name}").page
    assert [piece.is_visible() for piece in page.locator(".live img").all()] == [False] * len(PAGES[file])
    page.emulate_media(media="print")
    assert [piece.is_visible() for piece in page.locator(".live img").all()] == [True] * len(PAGES[file])
    assert not any(panel.is_visible() for panel in page.locator(".live-panel").all())


# What axe says of an element beside others. All else depends on itself, so that the page around a piece at play is
# right if it is right at rest (tests/test_book.py).
BESIDE_OTHERS = [
    *("accesskeys", "aria-hidden-focus", "bypass", "duplicate-id-aria", "form-field-multiple-labels", "heading-order"),
    *("label", "landmark-banner-is-top-level", "landmark-main-is-top-level", "landmark-one-main", "landmark-unique"),
    *("nested-interactive", "page-has-heading-one", "region", "scrollable-region-focusable", "skip-link", "tabindex"),
]
ALONE = """() => {
    const pieces = [...document.querySelectorAll('.live')]
    for (const element of document.body.querySelectorAll('*:not(script)')) {
        if (!pieces.some(piece => piece.contains(element) || element.contains(piece))) element.remove()
    }
}"""


class Played(NamedTuple):
    """A page whose pieces have been played with, what was seen of it then, and of which the pieces alone are left."""

    visit: Visit
    faults: list[str]  # before axe, which asks for files that a page on a disk does not get
    widths: dict[int, int]  # of the window, and of the page in it
    beside: dict[str, list[str]]  # what BESIDE_OTHERS find


@pytest.fixture(scope="module")
def played(request: pytest.FixtureRequest, browser: Any, opened: dict[str, Visit]) -> Iterator[Played]:
    """Such a page, for all widths and themes, without its maths: the pieces have none."""
    file, names = f"book/{request.param.name}", PAGES[request.param]
    seen = pieces_anew(browser, opened, file)
    if set(names) - OTHERS:
        at_the_generator(seen)
    if "writer" in names:
        at_the_writer(seen)
    if "ring" in names:
        at_the_ring(seen).get_by_label(forecast(request.param.name)).check()
        plays(seen.page, 3)
        seen.page.locator(RING).get_by_role("button", name="Pause").click()
    faults, widths = list(seen.faults), {}
    for width in (390, 1280):
        seen.page.set_viewport_size({"width": width, "height": 900})
        seen.page.evaluate(FRAMES, 2)
        widths[width] = seen.page.evaluate("document.documentElement.scrollWidth")
    seen.open_all().page.wait_for_function(RIGHT_TAB_STOPS)
    beside = axe(thinned_out(seen), None, runOnly={"type": "rule", "values": BESIDE_OTHERS})
    seen.page.evaluate(ALONE)  # axe looks through a whole page to say something of a part
    yield Played(seen, faults, widths, beside)
    opened.pop(file).close()  # of no more use to others


@pytest.mark.parametrize(
    "played", [file for file, names in PAGES.items() if names], ids=lambda file: file.name, indirect=True
)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_piece_at_play_is_accessible_and_fits(width: int, theme: str, played: Played) -> None:
    page = played.visit.page
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=theme)
    page.wait_for_function("theme => document.documentElement.dataset.theme === theme", arg=theme)
    page.evaluate(FRAMES, 2)
    assert played.faults == []
    assert played.widths[width] <= width
    assert played.beside == {}
    assert page.locator(".live-panel").first.is_visible()
    looked_at = violations if theme == "light" else pale  # a theme changes colours alone
    assert looked_at(played.visit, within=".live") == {}


# --- the directive ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", [file for file, names in PAGES.items() if names], ids=lambda file: file.name)
def test_a_piece_takes_no_number_from_the_figures(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    figures = re.findall(r'<div class="live"[^>]*><figure>(.*?)</figure>', text, re.DOTALL)
    assert len(figures) == len(PAGES[file])
    assert not any("caption-number" in unescape(figure) for figure in figures)
