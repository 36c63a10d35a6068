"""The home page: a card for each chapter, the picture of what needs what, a button to Colab."""

import re
import sys
from html import unescape
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "_ext"))

import book_home  # noqa: E402

PARTS = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))["parts"]
CHAPTERS = [Path(chapter["file"]).name for part in PARTS for chapter in part["chapters"]]
CHAPTERS = [page for page in CHAPTERS if re.match(r"\d\d_", page)]


@pytest.fixture(scope="module")
def home() -> str:
    page = ROOT / "_build" / "html" / "book" / "intro.html"
    if not page.exists():
        pytest.skip("no built book: make book")
    return page.read_text(encoding="utf-8")


def test_each_chapter_has_a_card_with_its_question_and_picture(home: str) -> None:
    cards = re.findall(r'<li><a href="(\w+)\.html">(.*?)</a></li>', home)
    assert [page for page, _ in cards] == CHAPTERS
    for page, inside in cards:
        known = book_home.chapter(page[:2])
        words = unescape(re.sub(r"<.*?>", "", inside))
        assert words == f"{int(page[:2])}. {known.title} {known.question}"
        (source,) = re.findall(r'<img src="\.\./(.*?)"', inside)
        assert (ROOT / "_build" / "html" / source).read_bytes().startswith(b"\x89PNG")


def test_the_first_thing_to_do_is_to_have_a_number_written(home: str) -> None:
    assert home.index('data-live="writer"') < home.index("home-buttons") < home.index('data-live="ring"')


def test_the_picture_of_what_needs_what_has_all_chapters_as_links(home: str) -> None:
    (drawing,) = re.findall(r'<figure class="needs">.*?</figure>', home, re.DOTALL)
    assert re.findall(r'<a href="(\w+)\.html">', drawing) == CHAPTERS
    assert re.findall(r"<text[^>]*>(\d+)<", drawing) == [str(int(page[:2])) for page in CHAPTERS]
    assert "8 needs 6 and 7" in drawing


def test_colab_opens_the_plain_copy_that_the_chapters_own_button_opens(home: str) -> None:
    (button,) = re.findall(r'<a class="home-button" href="(.*?)">', home)
    chapter = (ROOT / "_build" / "html" / "book" / "05_mlp_gan.html").read_text(encoding="utf-8")
    assert f'href="{button}"' in chapter


def test_what_needs_something_stands_below_it_and_no_two_in_one_place() -> None:
    needs = book_home.needed(["01:", "02: 01", "", "05: 02", "03: 02", "11: 03 05", "04: 03"])
    at = book_home.places(needs)
    assert all(at[number][1] > at[other][1] for number, before in needs.items() for other in before)
    assert len(set(at.values())) == len(needs)
    assert [at[number][0] for number in ("01", "05", "03")] == [0, -0.5, 0.5]


@pytest.mark.parametrize("line", ["05 02", "05: 02"])
def test_what_needs_an_unknown_chapter_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=rf'"{line}": write "05: 02 03", with chapters of lines above'):
        book_home.needed(["01:", line])


def test_a_card_of_what_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="no chapter '99'"):
        book_home.chapter("99")
    with pytest.raises(ValueError, match="13_mode_collapse has no figure 'fig-13-none'"):
        book_home.picture(book_home.chapter("13"), "fig-13-none")


def test_a_chapter_without_its_question_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book_home, "BOOK", tmp_path)
    (tmp_path / "05_x.ipynb").write_text('{"cells": [{"source": ["# Title\\n", "No question."]}]}', encoding="utf-8")
    with pytest.raises(ValueError, match=r'05_x\.ipynb does not begin with "# Title" and'):
        book_home.chapter("05")
