"""Exercises of numbers and choices that a page checks by itself: the checkers' verdicts, and a box that works."""

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


def made(name: str, given: list[Any]) -> Any:
    """An answer as its checker takes it, from what stands in the fields of its page."""
    module, _, check = name.partition(".")
    known = page_answers.CHOICES.get(name) or page_answers.form(getattr(module_of(module), check))
    assert known is not None
    return known[1](given)


def module_of(name: str) -> Any:
    return importlib.import_module(f"gan_lessons.exercises.{name}")


def checked(name: str, given: list[Any]) -> Any:
    module, _, check = name.partition(".")
    return getattr(module_of(module), check)(made(name, given))


def typed(facts: dict[str, Any], given: list[Any]) -> list[Any]:
    """What a reader types and chooses."""
    kinds = [field["kind"] for field in facts["fields"]]
    return [
        repr(one) if kind in ("number", "whole") else sorted(one) if kind == "set" else one
        for kind, one in zip(kinds, given, strict=True)
    ]


def test_what_pages_know_is_what_the_checkers_ask() -> None:
    assert page_answers.answers() == STORED, "run .venv/bin/python tools/page_answers.py"
    assert len(STORED) >= 28
    kinds = {field["kind"] for facts in STORED.values() for field in facts["fields"]}
    assert kinds == {"number", "whole", "choice", "set"}


@pytest.mark.parametrize("name", STORED)
def test_a_page_says_of_each_answer_what_the_checker_says(name: str, blank: Any) -> None:
    """Of the right answer, of each number rounded more and less, of each choice, and where several are off."""
    facts = STORED[name]
    given = [one for one in page_answers.trials(facts) if any(typed(facts, one))]  # nothing ticked is no answer yet
    assert len({repr(one) for one in given}) == len(given) >= 3
    given = given[:400] + given[400::7]
    expected = [checked(name, one) for one in given]
    words = blank.evaluate(
        "([all, facts]) => all.map(one => ganAnswers.verdict(one, facts))",
        [[typed(facts, one) for one in given], facts],
    )
    assert list(zip(given, words, strict=True)) == [
        (one, verdict.message) for one, verdict in zip(given, expected, strict=True)
    ]
    assert {one.correct for one in expected} == {True, False}
    assert expected[0].correct is True


def test_a_number_is_understood_as_it_is_written(blank: Any) -> None:
    written = {
        "0.31": 0.31,
        " \u22120,31 ": -0.31,
        "5/3": 5 / 3,
        "1e-3": 0.001,
        "1,667": 1.667,
        "11,063,808": 11_063_808,
        "18 432": 18_432,
        "\u2212inf": -math.inf,
        ".5": 0.5,
        "two": math.nan,
        "": math.nan,
        "1/2/3": math.nan,
    }
    read = blank.evaluate("all => all.map(one => ganAnswers.number(one))", list(written))
    assert read == pytest.approx(list(written.values()), nan_ok=True)
    assert blank.evaluate("ganAnswers.number('18,432', true)") == 18_432


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("ch02.check_2", [" "], "Not answered yet."),
        ("ch02.check_2", ["two"], "Give one number, such as 0.31 or 5/3."),
        ("ch02.check_5", ["0.163", ""], "One is missing."),
        ("ch02.check_5", ["0.163", "log 9"], "logit of a real note: give a number, such as 0.31 or 5/3."),
        ("ch07.check_1", ["32", "30", "31.5"], "(c): give a whole number."),
        ("ch07.check_4", [[]], "Not answered yet."),
        ("ch04.check_4", [None, None, None], "Not answered yet."),
        ("ch04.check_4", ["k5 slow", None, None], "2 are missing."),
        ("ch04.check_3", ["1/3", None, 1], "One is missing."),
    ],
)
def test_what_is_missing_or_is_no_number_is_told(name: str, given: list[Any], words: str, blank: Any) -> None:
    assert blank.evaluate("([one, facts]) => ganAnswers.verdict(one, facts)", [given, STORED[name]]) == words


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
    name, k = next(
        (name, k)
        for name, found in boxes.items()
        for k, one in enumerate(found)
        if [field["kind"] for field in one["fields"]] == ["number"]
    )
    page.goto((HTML / "book" / name).as_uri())
    box = page.locator(".answer-box").nth(k)
    for given, expected in (
        ("", "Not answered yet."),
        (str(boxes[name][k]["steps"][0]["truth"]), boxes[name][k]["right"]),
    ):
        box.locator("input").fill(given)
        box.locator("input").press("Enter")
        assert box.locator("output").inner_text() == expected
    box.locator("input").fill("-98765")
    box.get_by_role("button", name="Check").click()
    assert box.locator("output").inner_text().startswith("Not yet. ")
    context.close()


@pytest.mark.parametrize("name", ["ch04.check_4", "ch07.check_4", "ch07.check_1", "ch04.check_3"])
def test_a_box_of_several_fields_is_filled_by_keyboard(name: str, browser: Any) -> None:
    facts = STORED[name]
    right = next(page_answers.trials(facts))
    (file,) = [path.name for path in (HTML / "book").glob(f"{name[2:4]}_*.html")]
    context = browser.new_context()
    context.route("**/mathjax/**", lambda route: route.abort())
    page = context.new_page()
    page.goto((HTML / "book" / file).as_uri())
    k = page.evaluate(
        """right => [...document.querySelectorAll(".answer-box")]
            .findIndex(box => JSON.parse(box.dataset.answer).right === right)""",
        facts["right"],
    )
    box = page.locator(".answer-box").nth(k)
    fields = box.locator('input[type="text"], select, fieldset')
    for place, (field, value) in enumerate(zip(facts["fields"], right, strict=True)):
        element = fields.nth(place)
        assert field["label"] in element.get_attribute("aria-label")
        if field["kind"] == "set":
            for shown, option in field["options"]:
                if option in value:
                    element.get_by_label(shown, exact=True).focus()
                    page.keyboard.press("Space")
        elif field["kind"] == "choice":
            element.select_option(label=next(shown for shown, option in field["options"] if option == value))
        else:
            element.focus()
            page.keyboard.type(repr(value))
    box.get_by_role("button", name="Check").focus()
    page.keyboard.press("Enter")
    assert box.locator("output").inner_text() == facts["right"]
    context.close()
