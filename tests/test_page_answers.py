"""Exercises that a page checks by itself: the same verdicts as the checkers', and a box that works."""

import html
import importlib
import json
import math
import re
from collections.abc import Iterator
from typing import Any

import page_answers
import pytest

from tests.test_book import HTML, ROOT, built

__all__ = ["built"]  # a fixture

SCRIPT = ROOT / "_static" / "page" / "answers.js"
STORED: dict[str, dict[str, Any]] = json.loads(page_answers.FILE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def blank(browser: Any) -> Iterator[Any]:
    """An empty page with the script."""
    page = browser.new_page()
    page.add_script_tag(path=SCRIPT)
    yield page
    page.close()


def test_what_pages_know_is_what_the_checkers_ask() -> None:
    assert page_answers.answers() == STORED, "run .venv/bin/python tools/page_answers.py"
    assert len(STORED) >= 9


def test_a_page_says_of_each_number_what_the_checker_says(blank: Any) -> None:
    for name, facts in STORED.items():
        module, _, check = name.partition(".")
        given = page_answers.near(facts)
        expected = [getattr(importlib.import_module(f"gan_lessons.exercises.{module}"), check)(one) for one in given]
        words = blank.evaluate(
            "([all, facts]) => all.map(one => ganAnswers.verdict(one, facts))", [list(map(repr, given)), facts]
        )
        assert list(zip(given, words, strict=True)) == [
            (one, verdict.message) for one, verdict in zip(given, expected, strict=True)
        ], name
        assert {one.correct for one in expected} == {True, False}


def test_a_number_is_understood_as_it_is_written(blank: Any) -> None:
    written = {
        "0.31": 0.31,
        " \u22120,31 ": -0.31,
        "5/3": 5 / 3,
        "1e-3": 0.001,
        ".5": 0.5,
        "two": math.nan,
        "": math.nan,
        "1/2/3": math.nan,
    }
    read = blank.evaluate("all => all.map(one => ganAnswers.number(one))", list(written))
    assert read == pytest.approx(list(written.values()), nan_ok=True)


def test_each_such_exercise_has_its_box_in_the_book_and_the_box_answers(browser: Any) -> None:
    boxes: dict[str, list[Any]] = {}
    for path in sorted((HTML / "book").glob("*.html")):
        found = re.findall(r'<div class="answer-box" data-answer="([^"]*)">', path.read_text(encoding="utf-8"))
        boxes[path.name] = [json.loads(html.unescape(one)) for one in found]
    shown = [one for found in boxes.values() for one in found]
    assert [name for name, facts in STORED.items() if facts not in shown] == []
    context = browser.new_context()
    context.route("**/mathjax/**", lambda route: route.abort())
    page = context.new_page()
    name = next(name for name, found in boxes.items() if found)
    page.goto((HTML / "book" / name).as_uri())
    box = page.locator(".answer-box").first
    for given, expected in (("", "Not answered yet."), (str(boxes[name][0]["truth"]), boxes[name][0]["right"])):
        box.locator("input").fill(given)
        box.locator("input").press("Enter")
        assert box.locator("output").inner_text() == expected
    box.locator("input").fill("-98765")
    box.get_by_role("button", name="Check").click()
    assert box.locator("output").inner_text().startswith("Not yet. ")
    context.close()
