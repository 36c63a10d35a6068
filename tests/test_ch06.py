"""Chapter 06: its Fréchet distance by hand is the package's, and its checkers know what they say."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from gan_lessons import data, judges
from gan_lessons.exercises import Verdict, ch06
from gan_lessons.metrics.distances import frechet_distance, kernel_distance, moments
from gan_lessons.metrics.neighbours import precision_recall
from tests.chapters import assert_listed_right, assert_listed_wrong, by_hand, cases
from tests.right_answers.ch06 import RIGHT
from tests.wrong_answers.ch06 import WRONG

CHECKS: dict[int, Callable[..., Verdict]] = {number: getattr(ch06, f"check_{number}") for number in range(1, 7)}


def cloud(n: int, d: int, seed: int) -> Tensor:
    mix = torch.randn(d, d, generator=torch.Generator().manual_seed(seed + 100), dtype=torch.float64)
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) @ mix


@pytest.mark.parametrize("n", [300, 6])  # with 6 points in 12 dimensions both covariances are singular
def test_the_distance_by_hand_is_the_packages(n: int) -> None:
    real, fake = cloud(n, 12, 0), cloud(n, 12, 1) + 0.5
    ours = frechet_distance(moments(real), moments(fake))
    assert float(by_hand("06_how_good", torch=torch)["frechet_by_hand"](real, fake)) == pytest.approx(ours, rel=1e-6)
    assert ours > 1


def test_two_numbers_each_by_plan_and_by_formula_cost_5_and_with_n_minus_1_they_would_cost_6() -> None:
    a, b = (torch.tensor(x, dtype=torch.float64)[:, None] for x in ([1.0, 3.0], [2.0, 6.0]))
    plan = (a.sort(0).values - b.sort(0).values).square().mean()
    formula = (a.mean() - b.mean()) ** 2 + (a.std(correction=0) - b.std(correction=0)) ** 2
    assert float(plan) == float(formula) == 5
    assert frechet_distance(moments(a), moments(b)) == pytest.approx(6.0)
    # torch.cov of one column is a number; in two dimensions, each coordinate by itself, it is twice 6
    two = [torch.cat([torch.cat([x, x * 0]), torch.cat([x * 0, x])], 1) for x in (a, b)]
    assert float(by_hand("06_how_good", torch=torch)["frechet_by_hand"](*two)) == pytest.approx(
        frechet_distance(*map(moments, two)), rel=1e-9
    )


def test_twins_are_found_where_they_are() -> None:
    images = torch.randint(256, (27, 1, 28, 28), dtype=torch.uint8)
    shown = {"A": images.clone(), "B": images}
    shown["A"][20] = shown["A"][3]
    for machine, places in (("A", (4, 21)), ("machine a", np.array([21, 4])), ("A", [21, 4])):
        assert ch06.find_twins(machine, places, shown) == (True, "Right. Machine A shows 1 such pair here.")
    for machine, places, words in (
        ("B", (4, 21), "differ, in 7"),
        ("A", (3, 20), "differ, in 7"),
        ("A", (4, 4), "two different places"),
        ("A", (0, 28), "two different places"),
        ("E", (4, 21), "none of them"),
    ):
        assert ch06.find_twins(machine, places, shown).correct is False
        assert words in ch06.find_twins(machine, places, shown).message
    assert "no machine shows" in ch06.find_twins("B", (4, 21), {"B": images}).message
    assert ch06.find_twins(..., (..., ...), shown).correct is None


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (25, "Right"),
        (5.0, "The square of it"),
        (9.0, "spreads differ"),
        (16.0, "means differ"),
        ((0 - 3) ** 2 + (1 - 25) ** 2, "not the variances"),
        (3 + 4, "Square the differences"),
        (9 + 1 + 25, "difference of deviations"),
        (24.0, "Equation"),
        (20, "rounded too much"),
    ],
)
def test_1_knows_the_usual_wrong_turns(answer: float, words: str) -> None:
    assert words in ch06.check_1(answer).message
    assert ch06.check_1(answer).correct is (words == "Right")


def k(a: Tensor, b: Tensor) -> Tensor:
    return (a @ b.T / a.shape[1] + 1) ** 3


def off(a: Tensor, pairs: float) -> Tensor:
    return (k(a, a).sum() - k(a, a).diagonal().sum()) / pairs


@pytest.mark.parametrize(
    ("kernel", "words"),
    [
        (kernel_distance, "Right"),
        (lambda x, g: k(x, x).mean() + k(g, g).mean() - 2 * k(x, g).mean(), "biased"),
        (lambda x, g: off(x, len(x) ** 2) + off(g, len(g) ** 2) - 2 * k(x, g).mean(), "still counted"),
        (lambda x, g: off(x, len(x) * (len(x) - 1)) + off(g, len(g) * (len(g) - 1)), "is missing"),
        (lambda x, g: off(x, len(x) * (len(x) - 1)) + off(g, len(g) * (len(g) - 1)) - k(x, g).mean(), "counts twice"),
        (lambda x, g: -kernel_distance(x, g), "alike within"),
        (lambda x, g: max(kernel_distance(x, g), 0.0), "cut at 0"),
        (lambda x, g: kernel_distance(x * math.sqrt(3), g * math.sqrt(3)), "divided by d"),
        (lambda x, g: abs(kernel_distance(x, g)), "sign of a negative value"),
        (lambda x, g: k(x, g), "one number"),
        (lambda x, g: kernel_distance(x.mul_(2), g), "changed argument 1"),
    ],
)
def test_4_knows_the_usual_wrong_turns(kernel: Callable[[Tensor, Tensor], Any], words: str) -> None:
    assert words in ch06.check_4(kernel).message
    assert ch06.check_4(kernel).correct is (words == "Right")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"X": "memory", "Y": "dropped class", "Z": "blur"}, "Right"),
        ({"X": "memory", "Y": "blur", "Z": "dropped class"}, "Count the classes"),
        ({"X": "blur", "Y": "memory", "Z": "dropped class"}, "count as copies"),
        ({"X": "memory", "Y": "noise", "Z": "blur"}, "'noise' is none of them"),
        ({"X": "memory"}, "there is no 'Y'"),
    ],
)
def test_3_knows_the_usual_wrong_turns(answer: dict[str, str], words: str) -> None:
    assert words in ch06.check_3(answer).message
    assert ch06.check_3(answer).correct is (words == "Right")


@pytest.mark.parametrize(
    ("measure", "words"),
    [
        (precision_recall, "Right"),
        (lambda r, f, k: list(precision_recall(r, f, k)), "Right"),
        (lambda r, f, k: torch.tensor(precision_recall(r, f, k)), "Right"),
        (lambda r, f, k: precision_recall(f, r, k), "swapped"),
        (lambda r, f, k: precision_recall(r, f, k - 1) if k > 1 else (0.0, 0.0), "radius 0"),
        (lambda r, f, k: precision_recall(r, f, max(1, k - 1)), "has been counted"),
        (lambda r, f, k: ch06._own_balls(r, f, k), "wrong points"),
        (lambda r, f, k: (1.0, 1.0), "it should be"),
        (lambda r, f, k: np.array(precision_recall(r, f, k)), "Right"),
        (lambda r, f, k: 1.0, "a pair of numbers"),
        (lambda r, f, k: [100 * one for one in precision_recall(r, f, k)], "per cent"),
        (
            lambda r, f, k: [n * one for n, one in zip((len(f), len(r)), precision_recall(r, f, k), strict=True)],
            "numbers of",
        ),
        (lambda r, f, k: (math.nan, 1.0), "it should be"),
        (lambda r, f, k: precision_recall(r.mul_(2), f.mul_(2), k), "changed real"),
    ],
)
def test_2_knows_the_usual_wrong_turns(measure: Callable[..., Any], words: str) -> None:
    assert words in ch06.check_2(measure).message
    assert ch06.check_2(measure).correct is (words == "Right")


def line(n: Tensor, distances: Tensor, which: int) -> float:
    columns = torch.stack([torch.ones(len(n)), 1 / n], 1)
    return float(torch.linalg.lstsq(columns, distances[:, None]).solution[which])


@pytest.mark.parametrize(
    ("extrapolate", "words"),
    [
        (lambda n, d: line(n, d, 0), "Right"),
        (lambda n, d: line(n, d, 1), "slope"),
        (lambda n, d: d[-1], "largest n"),
        (lambda n, d: d.mean(), "mean over the sizes"),
        (lambda n, d: line(1 / n, d, 0), "line in n"),
        (lambda n, d: 0.0, "least squares"),
        (lambda n, d: line(n.sqrt(), d, 0), "1/sqrt(n)"),
        (lambda n, d: max(line(n, d, 0), 0.0), "cut at 0"),
        (lambda n, d: (line(n, d, 0), line(n, d, 1)), "one number"),
        (lambda n, d: line(n, d.sub_(1), 0) + 1, "changed distances"),
        (lambda n, d: 3.0, "least squares"),
        (lambda n, d: line(n.sort().values[-2:], d[n.argsort()][-2:], 0), "least squares"),
    ],
)
def test_5_knows_the_usual_wrong_turns(extrapolate: Callable[[Tensor, Tensor], Any], words: str) -> None:
    assert words in ch06.check_5(extrapolate).message
    assert ch06.check_5(extrapolate).correct is (words == "Right")


@pytest.mark.parametrize(
    ("hide", "words"),
    [
        (lambda x: x.roll(1, dims=3), "Right"),
        (lambda x: x.roll(-1, dims=2), "Right"),
        (lambda x: x.roll((1, 1), (2, 3)), "Right"),
        (lambda x: x.roll(2, 3).numpy(), "Right"),
        (lambda x: data.load("digits", "test").images[: len(x)], "in its place"),
        (lambda x: x.int() + 1000, "Return bytes"),
        (lambda x: x, "still count as copies"),
        (lambda x: (x * 0.97).byte(), "still count as copies"),
        (lambda x: 255 - x, "the judge minds"),
        (lambda x: x.flip(3), "the judge minds"),
        (lambda x: x.float(), "Return bytes"),
        (lambda x: x[:5], "Return bytes"),
    ],
)
def test_6_takes_what_hides_a_copy_and_keeps_the_digit(hide: Callable[[Tensor], Tensor], words: str) -> None:
    verdict = ch06.check_6(hide, judges.load("mnist"))
    assert words in verdict.message
    assert verdict.correct is (words == "Right")


@pytest.mark.parametrize("number", CHECKS)
def test_a_checker_never_raises(number: int) -> None:
    judge = (judges.load("mnist"),) if number == 6 else ()
    for answer in ("text", 3, [1], {"X": 1}, lambda *a: "text", lambda *a: torch.ones(2, 2)):
        assert CHECKS[number](answer, *judge).correct is False
    for nothing in (None, ..., lambda *a: None):
        assert CHECKS[number](nothing, *judge).correct is None


NAMES = {"math": math, "np": np, "torch": torch, "F": F, "data": data}
ANSWERS = ("kernel_distance", "my_precision_recall", "at_infinity", "hide")


def verdict_on(exercise: int, code: str) -> Verdict:
    names: dict[str, Any] = dict(NAMES)
    exec(code, names)
    answer = next(names[name] for name in (f"answer_{exercise}", *ANSWERS) if name in names)
    return CHECKS[exercise](answer, *([judges.load("mnist")] if exercise == 6 else []))


@pytest.mark.parametrize(("exercise", "code"), cases(WRONG))
def test_each_listed_wrong_answer_gets_a_pointer(exercise: int, code: str) -> None:
    assert_listed_wrong(verdict_on(exercise, code), 40)


@pytest.mark.parametrize(("exercise", "code"), cases(RIGHT))
def test_each_listed_right_answer_is_right(exercise: int, code: str) -> None:
    assert_listed_right(verdict_on(exercise, code))
