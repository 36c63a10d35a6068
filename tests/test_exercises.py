"""The exercises: what a checker says to a learner, then every solution and every wrong answer of the real chapters."""

import ast
import importlib
import inspect
import json
import math
import random
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import numpy as np
import pytest
import torch
from IPython.lib.pretty import pretty
from nbformat.v4 import new_code_cell
from torch import nn

from gan_lessons import runner
from gan_lessons.exercises import Verdict, checker, close, forms, not_yet, right
from gan_lessons.exercises.traces import changes
from tests import outside

ROOT = Path(__file__).parent.parent
BOOK = sorted((ROOT / "book").glob("*.ipynb"))
by_stem = pytest.mark.parametrize("chapter", BOOK, ids=[path.stem for path in BOOK])

# --- a checker and its verdicts ---------------------------------------------------------------------------------


@checker(float)
def check_number(answer: float) -> Verdict:
    return right("It is half.") if close(answer, 0.5) else not_yet("Look at the middle.")


@checker(callable)
def check_square(square: Callable[[Any], Any]) -> Verdict:
    return right() if close(square(torch.tensor([1.0, 3.0])), [1.0, 9.0]) else not_yet("Square each number.")


@checker
def check_anything(answer: Any) -> Verdict:
    return right() if answer == "yes" else not_yet("Say yes.")


@checker(callable, returns=False)
def check_in_place(append: Callable[[list[int]], None]) -> Verdict:
    items: list[int] = []
    append(items)
    return right() if items == [1] else not_yet("The list should hold one 1.")


def stub(x: Any) -> Any: ...
def explained(x: Any) -> Any:
    """Return the square."""
    ...


def half_done(x: Any) -> Any:
    y = x * 2
    y += 1
    return ...


def appends(items: list[int]) -> None:
    items.append(1)


class Point(NamedTuple):
    x: int
    label: None


def test_a_verdict_is_shown_as_its_message_in_a_notebook() -> None:
    verdict = check_number(0.5)
    assert verdict == (True, "Right. It is half.")
    assert repr(verdict) == pretty(verdict) == "Right. It is half."
    assert check_square(lambda x: x * x).message == "Right."


@pytest.mark.parametrize(
    ("check", "answer"),
    [
        (check_number, None),
        (check_number, ...),
        (check_anything, (1, ...)),
        (check_anything, [None, 1]),
        (check_anything, {"a": ...}),
        (check_anything, lambda x: ...),
        (check_square, stub),
        (check_square, explained),
        (check_square, lambda x: None),
        (check_square, half_done),
        (check_in_place, stub),
    ],
)
def test_nothing_is_not_answered_yet(check: Callable[[Any], Verdict], answer: Any) -> None:
    assert check(answer) == (None, "Not answered yet.")


@pytest.mark.parametrize("answer", [0, 0.0, False, "", [], math.nan, lambda x: 0, Point(1, None)])
def test_an_answer_that_is_empty_or_false_is_still_an_answer(answer: Any) -> None:
    assert check_anything(answer).correct is False


def test_a_function_that_works_in_place_may_return_nothing() -> None:
    assert check_in_place(appends).correct is True
    assert check_in_place(lambda items: None).correct is None
    assert check_in_place(lambda items: items.append(2)).message == "Not yet. The list should hold one 1."


@pytest.mark.parametrize("answer", [0.5, np.float32(0.5), torch.tensor(0.5), torch.tensor([[0.5]]), np.array([0.5])])
def test_a_number_may_come_as_array_or_tensor(answer: Any) -> None:
    assert check_number(answer).correct is True


@pytest.mark.parametrize(
    ("check", "answer", "words"),
    [
        (check_number, "0.5", "should be a number, but it is a str"),
        (check_number, True, "should be a number, but it is a bool"),
        (check_number, [0.5], "should be a number, but it is a list"),
        (check_number, torch.tensor([0.5, 0.5]), "should be a number, but it is a Tensor"),
        (check_square, 9, "should be a function, but it is an int"),
        (checker(int)(lambda n: right()), 2.5, "should be a whole number, but it is 2.5"),
        (checker((list, tuple))(lambda n: right()), 2, "should be a list or a tuple, but it is an int"),
        (checker(object, torch.Tensor)(lambda a, b: right()), (1, 2), "should be a Tensor, but it is an int"),
    ],
)
def test_a_wrong_type_is_named(check: Callable[..., Verdict], answer: Any, words: str) -> None:
    answers = answer if type(answer) is tuple else (answer,)
    assert check(*answers).correct is False
    assert check(*answers).message.startswith("Not yet. The answer " + words)


def test_what_goes_wrong_in_a_learners_code_is_shown_and_not_raised() -> None:
    assert check_square(lambda x: 1 / 0) == (False, "Not yet. Your answer raised ZeroDivisionError: division by zero")
    assert check_square(lambda: 1).correct is False
    assert check_square(lambda x: "text").correct is False
    assert check_anything().correct is False
    assert check_anything(torch.tensor([1, 2])).correct is False  # its truth value is an error


@pytest.mark.parametrize("answer", [math.nan, math.inf, torch.tensor(-math.inf)])
def test_nan_and_infinity_are_told(answer: Any) -> None:
    assert re.search("it is (nan|infinity|minus infinity)", check_number(answer).message)


def test_what_a_function_returns_in_no_fit_form_is_told() -> None:
    check = checker(callable)(lambda f: right(str(forms.number(f()))))
    assert check(lambda: torch.tensor([0.5])).message == "Right. 0.5"
    assert check(lambda: [1, 2]).message == "Not yet. What your function returns should be a number, but it is a list."


def test_a_checker_gets_the_answer_in_the_form_that_it_wants() -> None:
    check = checker(float, int, forms.several(float, 2))(lambda *answers: right(repr(answers)))
    assert check(torch.tensor([0.5]), 3.0, np.array([1, 2])).message == "Right. (0.5, 3, (1.0, 2.0))"


def test_a_checker_leaves_the_global_state_as_it_was() -> None:
    def unruly() -> float:
        torch.manual_seed(1)
        np.random.seed(1)  # noqa: NPY002
        random.seed(1)
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        return 1.0

    def state() -> list[Any]:
        numpys = str(np.random.get_state())  # noqa: NPY002
        dice = [torch.get_rng_state().tolist(), numpys, random.getstate()]
        return [*dice, torch.get_default_dtype(), torch.is_grad_enabled()]

    def unruly_and_broken() -> float:
        unruly()
        raise ValueError

    for learner in (unruly, unruly_and_broken):
        before = state()
        assert checker(callable)(lambda f: right(f"{f()}"))(learner).correct is (learner is unruly)
        assert state() == before


def test_a_checker_leaves_a_network_that_is_the_answer_as_it_was() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    network(torch.randn(4, 2)).sum().backward()
    network[1].eval()

    @checker(nn.Module)
    def check(given: nn.Module) -> Verdict:
        given.train().requires_grad_(False)(torch.randn(4, 2))
        given.zero_grad()
        torch.nn.init.zeros_(given[0].weight)  # type: ignore[index]
        return right()

    with changes(network=network) as changed:
        assert check(network).correct is True
    assert changed == []


def test_a_checker_gets_its_own_dict_and_leaves_the_learners() -> None:
    answer = {"A ": torch.tensor(1.0)}
    check = checker(forms.table(float, "a"))(lambda given: right(given.clear()))
    assert check(answer).correct is True
    assert list(answer) == ["A "]


def test_ctrl_c_in_a_learners_code_is_no_wrong_answer() -> None:
    def interrupted(x: Any) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check_square(interrupted)


@pytest.mark.parametrize(
    ("answer", "truth", "tol", "expected"),
    [
        (1.0009, 1.0, 1e-3, True),
        (1.0011, 1.0, 1e-3, False),
        (0.9989, 1.0, 1e-3, False),
        (1000.9, 1000.0, 1e-3, True),
        (1001.1, 1000.0, 1e-3, False),
        (0.0009, 0.0, 1e-3, True),
        (-0.0011, 0.0, 1e-3, False),
        (math.nan, 1.0, 1e-3, False),
        (math.nan, math.nan, 1e-3, False),
        ([1.0, 2.0], [1.0, 2.0], 1e-9, True),
        ([1.0, 2.1], [1.0, 2.0], 1e-3, False),
        ([1.0], [1.0, 1.0], 1e-3, False),
        ([[1.0], [2.0]], [1.0, 2.0], 1e-3, True),
        (torch.tensor([1.0, 2.0], requires_grad=True), np.array([1, 2]), 1e-3, True),
        (partial(torch.ones, 2, 3)(), torch.ones(3, 2), 1e-3, False),
    ],
)
def test_close_bounds_the_difference_on_both_sides(answer: Any, truth: Any, tol: float, expected: bool) -> None:
    assert close(answer, truth, tol) is expected


# --- the exercises on the pages ---------------------------------------------------------------------------------


class Exercise(NamedTuple):
    """One exercise of a page: its text, its code cell, and the checker call that ends the cell."""

    number: int
    text: str
    cell: Any
    at: int  # position of the code cell

    @property
    def call(self) -> str:
        return ast.unparse(ast.parse(self.cell.source).body[-1])

    def folded(self, kind: str) -> str:
        found = re.findall(rf'<details class="{kind}">(.*?)</details>', self.text, re.DOTALL)
        assert len(found) == 1, f"exercise {self.number} has {len(found)} blocks of kind {kind}"
        return str(found[0])

    @property
    def solution(self) -> str:
        blocks = re.findall(r"^```python\n(.*?)^```", self.folded("solution"), re.DOTALL | re.MULTILINE)
        assert blocks, f"the solution of exercise {self.number} holds no ```python block"
        return "\n".join(blocks)


def exercises(chapter: Path) -> Iterator[Exercise]:
    cells = nbformat.read(chapter, as_version=4).cells
    for index, cell in enumerate(cells):
        for tag in cell.metadata.get("tags", []):
            if re.fullmatch(r"exercise-\d+", tag):
                first = index
                while cells[first - 1].cell_type == "markdown":
                    first -= 1
                text = "\n\n".join(part.source for part in cells[first:index])
                yield Exercise(int(tag.split("-")[1]), text, cell, index)


def listed(kind: str, chapter: Path) -> dict[int, tuple[str, ...]]:
    """The right or the wrong answers to the exercises of a chapter, as source code; {} where none are listed yet."""
    path = ROOT / "tests" / f"{kind}_answers" / f"ch{chapter.stem[:2]}.py"
    answers: dict[int, tuple[str, ...]] = {}
    if path.exists():
        answers = getattr(importlib.import_module(f"tests.{kind}_answers.{path.stem}"), kind.upper())
    return answers


def test_there_are_chapters_with_exercises() -> None:
    assert {"02_cross_entropy", "05_mlp_gan"} <= {path.stem for path in BOOK}


@by_stem
def test_a_chapter_has_four_to_six_exercises_with_hint_solution_and_checker(chapter: Path) -> None:
    found = list(exercises(chapter))
    assert [exercise.number for exercise in found] == list(range(1, len(found) + 1))
    assert 4 <= len(found) <= 6
    for exercise in found:
        assert re.search(rf"^### Exercise {exercise.number} · \S", exercise.text, re.MULTILINE)
        assert len(re.sub(r"<[^>]+>|\s+|Hint", "", exercise.folded("hint"))) > 20
        assert re.match(rf"ch{chapter.stem[:2]}\.check_{exercise.number}\(", exercise.call)
        for kind in ("hint", "solution"):
            assert f"<summary>{kind.title()}</summary>\n\n" in exercise.folded(kind)  # the blank line starts markdown
            assert exercise.folded(kind).endswith("\n\n")


def bare(code: str) -> str:
    """Code without comments and of one layout, to see whether two answers are the same."""
    return ast.unparse(ast.parse(code))


@by_stem
@pytest.mark.parametrize("kind", ["right", "wrong"])
def test_each_exercise_has_three_right_and_three_wrong_answers_beside_its_solution(kind: str, chapter: Path) -> None:
    answers = listed(kind, chapter)
    found = {exercise.number: exercise for exercise in exercises(chapter)}
    counts = [len({bare(code) for code in answers.get(n, ())} - {bare(one.solution)}) for n, one in found.items()]
    assert set(answers) <= set(found)
    assert min(counts) >= 3


# Runs in the kernel, after the exercise's own cell: each case in a copy of the notebook's names.
PROBE = """
def _judge(cases):
    import ast, json, traceback
    verdicts = {}
    for name, code in cases.items():
        names, tree = dict(globals()), ast.parse(code)
        call = ast.Expression(tree.body.pop().value)
        try:
            exec(compile(tree, name, "exec"), names)
            verdict = eval(compile(call, name, "eval"), names)
            verdicts[name] = [type(verdict).__name__, verdict.correct, verdict.message]
        except BaseException:
            verdicts[name] = ["raised", None, traceback.format_exc()]
    return json.dumps(verdicts)
"""


def verdicts_of(
    chapter: Path, scratch: Path, site: Path, warm_socket: str
) -> tuple[Path, dict[int, dict[str, list[Any]]]]:
    """Run a chapter once in smoke; say where it lies, what each exercise's cell showed, and the verdicts on answers."""
    notebook = nbformat.read(chapter, as_version=4)
    found = list(exercises(chapter))
    for exercise in reversed(found):
        answers = {"solution": exercise.solution}
        for kind in ("right", "wrong"):
            codes = listed(kind, chapter).get(exercise.number, ())
            answers |= {f"{kind} {k}": code for k, code in enumerate(codes, start=1)}
        cases = {name: f"{code}\n{exercise.call}" for name, code in answers.items()}
        probe = new_code_cell(f"{PROBE}\n_judge({cases!r})", metadata={"tags": [f"verdicts-{exercise.number}"]})
        notebook.cells.insert(exercise.at + 1, probe)
    path = scratch / "book" / chapter.name
    path.parent.mkdir()
    nbformat.write(notebook, path)
    finished = outside.run_in_smoke(path, scratch / "run", site, warm_socket)
    cells = nbformat.read(finished, as_version=4).cells
    results = {}
    for exercise in found:
        (index,) = (k for k, c in enumerate(cells) if f"verdicts-{exercise.number}" in c.metadata.get("tags", []))
        stub_output, probe_output = cells[index - 1].outputs[-1], cells[index].outputs[-1]
        results[exercise.number] = json.loads(ast.literal_eval(probe_output.data["text/plain"]))
        results[exercise.number]["stub"] = ["shown", None, stub_output.get("data", {}).get("text/plain", "")]
    return finished, results


@pytest.mark.long
@by_stem
def test_chapter_runs_in_smoke_without_data_and_its_checkers_tell_right_from_wrong(
    chapter: Path,
    tmp_path: Path,
    site: Path,
    warm_socket: str,
    monkeypatch: pytest.MonkeyPatch,
    subtests: pytest.Subtests,
) -> None:
    monkeypatch.setenv("GAN_LESSONS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("GAN_LESSONS_RUNS", str(tmp_path / "runs"))
    finished, results = verdicts_of(chapter, tmp_path, site, warm_socket)
    with subtests.test("smoke run"):
        stamp = nbformat.read(finished, as_version=4).metadata["gan_lessons"]
        assert stamp["processor"] < 120  # seconds of the kernel: what else the machine does is no fault of the chapter
        assert stamp["dataset"] in ("digits", "none")
        of_the_test = ("of a smoke run", "kB, over")  # its size: the verdicts on all listed answers lie in it too
        assert [fault for fault in runner.check(finished) if not any(word in fault for word in of_the_test)] == []
        assert [file for file in (tmp_path / "data").rglob("*") if file.is_file()] == []
    for number, verdicts in results.items():
        with subtests.test("unanswered", exercise=number):
            assert verdicts["stub"][2] == "Not answered yet."
        for name, (kind, correct, message) in verdicts.items():
            with subtests.test(name, exercise=number):
                if name == "solution" or name.startswith("right"):
                    assert (kind, correct) == ("Verdict", True), message
                    assert message.startswith("Right.")
                elif name.startswith("wrong"):
                    assert (kind, correct) == ("Verdict", False), message
                    assert re.match(r"Not yet\. .{15}", message)
                    assert "Your answer raised" not in message  # a judgement, not an accident


# --- what every checker of every chapter keeps -------------------------------------------------------------------

CHECKERS = {
    f"{path.stem} exercise {name.removeprefix('check_')}": check
    for path in sorted((ROOT / "gan_lessons" / "exercises").glob("ch[0-9][0-9].py"))
    for name, check in vars(importlib.import_module(f"gan_lessons.exercises.{path.stem}")).items()
    if re.fullmatch(r"check_\d", name)
}
NONSENSE = ["text", {}, [], [[]], np.zeros(3), torch.zeros(0), object(), lambda: 1, lambda *a: "x"]
of_every_checker = pytest.mark.parametrize("check", CHECKERS.values(), ids=CHECKERS)


def answered(check: Callable[..., Verdict], answer: Any) -> Verdict:
    """The verdict on this answer, given for each of the names that a checker asks for."""
    asked = [p for p in inspect.signature(check).parameters.values() if p.default is p.empty and p.name != "judge"]
    return check(*[answer] * len(asked))


@of_every_checker
@pytest.mark.parametrize("answer", [None, ...])
def test_no_answer_is_not_answered_yet(check: Callable[..., Verdict], answer: Any) -> None:
    assert answered(check, answer) == (None, "Not answered yet.")


@of_every_checker
@pytest.mark.parametrize("answer", NONSENSE)
def test_nonsense_is_wrong_and_makes_no_checker_raise(check: Callable[..., Verdict], answer: Any) -> None:
    assert answered(check, answer).correct is False


@by_stem
def test_sections_that_a_checker_names_are_in_its_chapter(chapter: Path) -> None:
    cells = nbformat.read(chapter, as_version=4).cells
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    checkers = ROOT / "gan_lessons" / "exercises" / f"ch{chapter.stem[:2]}.py"
    named = re.findall(r"\b[sS]ection (\d+)", checkers.read_text(encoding="utf-8"))
    assert set(named) <= set(re.findall(r"^## (\d+) ·", prose, re.MULTILINE))
