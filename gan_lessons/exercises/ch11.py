"""Checkers of chapter 11, Balance. Each compares an answer with the truth, then with the usual wrong turns."""

import math
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import torch

from gan_lessons import losses
from gan_lessons.exercises import Verdict, checker, close, not_yet, right

Function = Callable[..., Any]
LOG2 = math.log(2)
BEDS = "hijdefbagc"  # the diagnosis of bed 1, of bed 2, …


@checker(dict)
def check_1(answer: dict[str, Any]) -> Verdict:
    """times: 6 moves a round against 2. lessons: 18,000 moves of which each sixth is G's."""
    missing = {"times", "lessons"} - set(answer)
    if missing:
        return not_yet(f"The answer lacks {', '.join(sorted(missing))}.")
    times, lessons = float(answer["times"]), float(answer["lessons"])
    if not close(times, 3.0):
        wrong_turns = [
            (5.0, "times: G moves too. A round of 5:1 has six moves; how many has a round of 1:1?"),
            (6.0, "times: six moves a round, right. But a round of 1:1 has more than one."),
            (1 / 3, "times: the other way round."),
            (2.5, "times: count G's move in the round of 5:1, too."),
        ]
        return _first_match(times, wrong_turns) or not_yet(
            "times: divide the moves of one round by those of the other."
        )
    if not close(lessons, 3_000.0):
        wrong_turns = [
            (1_500.0, "lessons: 9,000 rounds of 1:1 are 18,000 moves."),
            (3_600.0, "lessons: every sixth move is G's, not every fifth."),
            (1_800.0, "lessons: 9,000 rounds of 1:1 are 18,000 moves, and every sixth is G's."),
            (9_000.0, "lessons: 9,000 rounds of 5:1 would cost three times as much as they may."),
            (15_000.0, "lessons: these are D's moves."),
        ]
        return _first_match(lessons, wrong_turns) or not_yet(
            "lessons: how many moves are 9,000 rounds of 1:1, and which share of the moves of 5:1 is G's?"
        )
    return right("Three times dearer for the same rounds, or a third of the lessons for the same bill.")


@checker(callable)
def check_2(dance: Function) -> Verdict:
    """dance(x, y, h, n, at_once): V = xy, x goes down and y up; at once, or in turns with y first."""
    for x, y, h, n in [(1.0, 0.5, 0.1, 1), (1.0, 0.0, 0.2, 7), (-0.3, 2.0, 0.05, 40), (1.0, 1.0, 0.1, 0)]:
        for at_once in (True, False):
            given, truth = dance(x, y, h, n, at_once), _dance(x, y, h, n, at_once)
            if np.size(given) != 2:
                return not_yet("Return two numbers, (x, y).")
            if close(given, truth, 1e-6):
                continue
            where = "At once" if at_once else "In turns"
            wrong_turns = [
                (_dance(x, y, h, n, not at_once), f"{where}: that is the other way of moving. Which slope is old?"),
                (
                    _dance(x, y, -h, n, at_once),
                    f"{where}: the signs are turned round. G goes down the slope of V, D up.",
                ),
                (_g_first(x, y, h, n), f"{where}: here G moved first. In `train` D does."),
                (_both_down(x, y, h, n), f"{where}: here both go down. D goes up the slope of V."),
            ]
            return _first_match(given, wrong_turns, 1e-6) or not_yet(
                f"{where}, from ({x:g}, {y:g}) with h = {h:g}, {n} rounds should end at "
                f"({truth[0]:.4f}, {truth[1]:.4f})."
            )
    return right("At once it spirals outwards, x² + y² grows by 1 + h² a round; in turns it circles for ever.")


@checker
def check_3(real: Any, fake: Any) -> Verdict:
    """Logits with d_loss = 2 log 2 and g_loss = log 2 (to .005), and 85 hits of 100 on both sides."""
    a, b = (_numbers(part) for part in (real, fake))
    for which, logits in (("real", a), ("fake", b)):
        if len(logits) != 100:
            return not_yet(f"{which} should hold 100 logits, but it holds {len(logits)}.")
        if not bool(logits.isfinite().all()):
            return not_yet(f"{which} holds NaN or infinity.")
    d = float(losses.non_saturating.d_loss(a, b))
    g = float(losses.non_saturating.g_loss(None, b))
    hits, caught = int((a > 0).sum()), int((b < 0).sum())
    if abs(g - LOG2) > 0.005:
        return not_yet(f"G's loss is {g:.3f}, and log 2 is {LOG2:.3f}. It depends on fake alone: softplus(-f).")
    if abs(d - 2 * LOG2) > 0.005:
        return not_yet(f"G's loss is right. D's loss is {d:.3f}, and should be {2 * LOG2:.3f}: now choose real.")
    if hits < 85 or caught < 85:
        return not_yet(
            f"Both losses are right, but the officer gets {hits} real and {caught} forged images right; 85 of each are "
            "asked. A logit of exactly 0 is right about neither."
        )
    return right(f"Losses of {d:.3f} and {g:.3f}, as of one who knows nothing, and {hits} and {caught} of 100 right.")


@checker(callable)
def check_4(twins: Function) -> Verdict:
    """twins(curves, distances, tolerance): the pair i < j within the tolerance with the largest ratio of distances."""
    dice = np.random.default_rng(11)
    for runs, points, tolerance in ((4, 5, 0.6), (12, 20, 0.5), (25, 8, 0.4)):
        curves = 1 + 0.3 * dice.standard_normal((runs, points))
        distances = np.exp(dice.normal(6, 0.8, runs))
        distances[dice.integers(runs)] *= 9  # one far worse than all others
        curves[int(distances.argmax())] += 2  # whose curve is like no other's
        given, truth = twins(curves.copy(), distances.copy(), tolerance), _twins(curves, distances, tolerance)
        if np.size(given) != 2:
            return not_yet("Return a pair of numbers of runs, (i, j).")
        pair = tuple(int(k) for k in given)
        if pair == truth:
            continue
        wrong_turns = [
            (truth[::-1], "Those are the twins, the wrong way round: i < j."),
            (
                _twins(curves, distances, math.inf),
                "That pair has the largest ratio of all, but its curves do not agree.",
            ),
            (
                _nearest(curves),
                "That pair has the most similar curves. Asked is the largest ratio among all that agree.",
            ),
            (
                _twins(curves, np.exp(distances / distances.max()), tolerance),
                "That pair has the largest difference of distances. Asked is the ratio.",
            ),
            (
                _twins(curves, distances, tolerance, total=True),
                "That looks like a sum over the points: the root mean square divides by their number.",
            ),
        ]
        return _first_match(pair, wrong_turns) or not_yet(
            f"On {runs} runs of the checker's the answer is {truth}, and yours {pair}. Compare all pairs, keep those "
            "within the tolerance, and take the one with the largest ratio."
        )
    return right(
        "With enough runs there is nearly always such a pair: that is why one pair proves only that it can be."
    )


@checker(dict)
def check_5(answer: dict[int, str]) -> Verdict:
    """How many of ten beds have the right letter; never which."""
    if set(answer) != set(range(1, 11)):
        return not_yet("Give a letter for each bed from 1 to 10, as in {1: 'a', 2: 'b', ...}.")
    letters = [str(answer[bed]).strip().lower() for bed in range(1, 11)]
    unknown = sorted(set(letters) - set(BEDS))
    if unknown:
        return not_yet(f"The diagnoses have the letters a to j; {', '.join(unknown)} is none of them.")
    count = sum(given == truth for given, truth in zip(letters, BEDS, strict=True))
    if count == len(BEDS):
        return right("All ten. Which sign was decisive in each? Compare with the folded answers.")
    twice = sorted({letter for letter in letters if letters.count(letter) > 1})
    more = f" Each letter is used once; you have {', '.join(twice)} more than once." if twice else ""
    return not_yet(f"{count} of 10 beds are right.{more} Look at the levels of the losses, then at the samples.")


def _dance(x: float, y: float, h: float, n: int, at_once: bool) -> tuple[float, float]:
    for _ in range(n):
        if at_once:
            x, y = x - h * y, y + h * x
        else:
            y = y + h * x
            x = x - h * y
    return x, y


def _g_first(x: float, y: float, h: float, n: int) -> tuple[float, float]:
    for _ in range(n):
        x = x - h * y
        y = y + h * x
    return x, y


def _both_down(x: float, y: float, h: float, n: int) -> tuple[float, float]:
    for _ in range(n):
        x, y = x - h * y, y - h * x
    return x, y


def _gap(one: Any, other: Any, total: bool = False) -> float:
    squares = (one - other) ** 2
    return math.sqrt(squares.sum() if total else squares.mean())


def _twins(curves: Any, distances: Any, tolerance: float, total: bool = False) -> tuple[int, int]:
    alike = [p for p in combinations(range(len(curves)), 2) if _gap(curves[p[0]], curves[p[1]], total) <= tolerance]
    return max(alike, key=lambda p: abs(math.log(distances[p[0]] / distances[p[1]])), default=(-1, -1))


def _nearest(curves: Any) -> tuple[int, int]:
    return min(combinations(range(len(curves)), 2), key=lambda p: _gap(curves[p[0]], curves[p[1]]))


def _numbers(values: Any) -> torch.Tensor:
    return torch.as_tensor(np.asarray(values, dtype=float)).flatten()


def _first_match(given: Any, wrong_turns: list[tuple[Any, str]], tol: float = 1e-3) -> Verdict | None:
    for value, words in wrong_turns:
        if close(given, value, tol):
            return not_yet(words)
    return None
