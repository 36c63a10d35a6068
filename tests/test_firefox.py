"""The live pages in Firefox, from a disk: no script error, no request, and they play. Skipped without a Firefox."""

from collections.abc import Iterator

import pytest

from tests import firefox
from tests.test_book import HTML, built

__all__ = ["built"]  # a fixture

PAGES = HTML / "book"
RING = "document.querySelector('[data-live=\"ring\"]')"
RINGS = [page.name for page in sorted(PAGES.glob("*.html")) if 'data-live="ring"' in page.read_text(encoding="utf-8")]
pytestmark = [pytest.mark.long, pytest.mark.skipif(firefox.program() is None, reason="no Firefox on this machine")]


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[firefox.Firefox]:
    with firefox.running(tmp_path_factory.mktemp("profile")) as one:
        yield one


@pytest.mark.parametrize("page", RINGS)
def test_the_ring_plays_after_a_forecast(page: str, tab: firefox.Firefox) -> None:
    tab.open(PAGES / page)
    assert tab.evaluate(f"{RING}.live.game.rounds") == 0
    tab.evaluate(f"{RING}.querySelector('.live-panel').scrollIntoView()")
    tab.evaluate(f"{RING}.querySelector('fieldset input').click()")
    tab.wait(f"{RING}.live.game.rounds > 3")
    tab.evaluate(f"[...{RING}.querySelectorAll('button')].find(one => one.textContent === 'Pause').click()")
    assert tab.faults == []


def test_a_number_is_written(tab: firefox.Firefox) -> None:
    tab.open(PAGES / "intro.html")
    canvas = "document.querySelector('[data-live=\"writer\"] canvas')"
    tab.wait(f"{canvas}.ariaLabel.startsWith('0123456789')")
    tab.evaluate(
        """(() => { const field = document.querySelector('[data-live="writer"] input[type=text]')
            field.value = "2026"
            field.dispatchEvent(new Event("input", {bubbles: true})) })()"""
    )
    tab.wait(f"{canvas}.ariaLabel.startsWith('2026')")
    pixels = f"{canvas}.getContext('2d').getImageData(0, 0, {canvas}.width, {canvas}.height).data"
    assert tab.evaluate(f"{canvas}.width") == 4 * 28
    assert 10 < tab.evaluate(f"{pixels}.reduce((sum, x, k) => sum + (k % 4 ? 0 : x), 0) / (28 * 4 * 28)") < 120
    assert tab.faults == []


def test_a_generator_draws_sixteen_samples(tab: firefox.Firefox) -> None:
    tab.open(PAGES / "05_mlp_gan.html")
    tab.evaluate("document.querySelector('[data-source]').scrollIntoView()")
    tab.wait("document.querySelector('[data-source] button[aria-pressed]')")
    drawn = tab.evaluate(
        "[...document.querySelectorAll('.live-samples canvas')].map(canvas => "
        "canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.reduce((sum, x) => sum + x, 0))"
    )
    assert len(set(drawn)) == 16
    assert tab.faults == []


def test_an_exercise_is_checked(tab: firefox.Firefox) -> None:
    tab.open(PAGES / "02_cross_entropy.html")
    said = tab.evaluate(
        """(() => { const box = [...document.querySelectorAll(".answer-box")].find(one => one.querySelector("input"))
            box.querySelector("input").value = "-98765"
            box.querySelector("button").click()
            return box.querySelector("output").textContent })()"""
    )
    assert said.startswith("Not yet. ")
    assert tab.faults == []
