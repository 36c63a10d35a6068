"""Checkers of chapter 11, Balance. Each compares an answer with the truth, then with the usual wrong turns."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import combinations
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gan_lessons import losses
from gan_lessons.exercises import Verdict, checker, not_yet, right
from gan_lessons.exercises.forms import Form, Found, several, table, tensor
from gan_lessons.exercises.rounding import fault
from gan_lessons.exercises.traces import changes
from gan_lessons.exercises.trials import agrees, misses

Function = Callable[..., Any]
LOG2 = math.log(2)
BEDS = "hijdefbagc"  # the diagnosis of bed 1, of bed 2, …
MARGIN = 0.05  # of a logit: within it a forecast lies between 0.4875 and 0.5125, and knows nothing


def _bed_numbers(value: Any) -> Any:
    """Ten letters in the order of the beds as a dict."""
    if isinstance(value, (str, list, tuple, np.ndarray)) and len(value) == len(BEDS):
        value = dict(enumerate(value, start=1))
    if not isinstance(value, Mapping):
        raise Found(f"it is of the type {type(value).__name__}")
    return _letters.convert(value)


_letters = table(str, *map(str, range(1, 11)))
beds = Form("a dict with a letter for each bed from 1 to 10, as in {1: 'a', 2: 'b', ...}", _bed_numbers)


@checker(beds)
def check_1(answer: dict[str, str]) -> Verdict:
    """How many of ten beds have the right letter; never which."""
    letters = [str(letter).strip(" .()'\"").casefold() for letter in answer.values()]
    unknown = sorted(set(letters) - set(BEDS))
    if unknown:
        return not_yet(f"The diagnoses have the letters a to j; {', '.join(unknown)} is none of them.")
    count = sum(given == truth for given, truth in zip(letters, BEDS, strict=True))
    if count == len(BEDS):
        return right("All ten. Which sign was decisive in each? Compare with the folded answers.")
    twice = sorted({letter for letter in letters if letters.count(letter) > 1})
    more = f" Each letter is used once; you have {', '.join(twice)} more than once." if twice else ""
    return not_yet(f"{count} of 10 beds are right.{more} Look at the levels of the losses, then at the samples.")


@checker(table(float, "times", "lessons"))
def check_2(answer: dict[str, float]) -> Verdict:
    """times: 29 units a round against 9. lessons: what 81,000 units buy, 29 each."""
    times = [
        (3.0, "that takes all moves for equally dear. G's first move of a round uses D's last fakes: 5 (k + m) - 1."),
        (10 / 3, "G's first move of the round is cheaper in 5:1 as well: 5 (k + m) - 1."),
        (2.9, "a round of 1:1 has a cheaper move, too: it costs 9, not 10."),
        (5.0, "G moves too. What does a round of 5:1 cost, and what one of 1:1?"),
        (6.0, "six moves a round, right. But a round of 1:1 has more than one, and count what they cost."),
        (9 / 29, "the other way round."),
        (20 / 9, "that is how much more it costs. How many times the price of 1:1 is its own price?"),
        (25 / 9, "count G's move in the round of 5:1, too."),
    ]
    lessons = [
        (3_000.0, "that takes all moves for equally dear: 9,000 rounds of 1:1 cost 9 units each, one of 5:1 costs 29."),
        (90_000 / 29, "9,000 rounds of 1:1 cost 81,000 units, not 90,000."),
        (2_700.0, "a round of 5:1 costs 29 units, not 30."),
        (81_000 / 25, "count G's move in the round of 5:1, too."),
        (1_500.0, "a round is no move. What do 9,000 rounds of 1:1 cost?"),
        (9_000.0, "9,000 rounds of 5:1 would cost 3.2 times as much as they may."),
        (5 * 81_000 / 29, "these are D's moves."),
        (6 * 81_000 / 29, "these are the moves of both."),
    ]
    if pointer := fault(answer["times"], 29 / 9, times, "divide the price of one round by that of the other."):
        return not_yet(f"times: {pointer}")
    otherwise = "what do 9,000 rounds of 1:1 cost, and how many rounds of 5:1 are that?"
    if pointer := fault(answer["lessons"], 81_000 / 29, lessons, otherwise, digits=3):
        return not_yet(f"lessons: {pointer}")
    return right("3.2 times dearer for the same rounds, or less than a third of the lessons for the same bill.")


@checker(tensor, tensor)
def check_3(real: Tensor, fake: Tensor) -> Verdict:
    """Logits with d_loss = 2 log 2 and g_loss = log 2 (to .005), and 85 hits of 100 on both sides, beyond MARGIN."""
    for which, logits in (("real", real), ("fake", fake)):
        if logits.numel() != 100:
            return not_yet(f"{which} should hold 100 logits, but it holds {logits.numel()}.")
        if not bool(logits.isfinite().all()):
            return not_yet(f"{which} holds NaN or infinity.")
    a, b = real.reshape(-1, 1), fake.reshape(-1, 1)
    d, g = float(losses.non_saturating.d_loss(a, b)), float(losses.non_saturating.g_loss(None, b))
    if abs(g - LOG2) > 0.005:
        return not_yet(f"G's loss is {g:.3f}, and log 2 is {LOG2:.3f}. It depends on fake alone: softplus(-f).")
    if abs(d - 2 * LOG2) > 0.005:
        return not_yet(f"G's loss is right. D's loss is {d:.3f}, and should be {2 * LOG2:.3f}: now choose real.")
    hits, caught = int((a > 0).sum()), int((b < 0).sum())
    if hits < 85 or caught < 85:
        return not_yet(
            f"Both losses are right, but the officer gets {hits} real and {caught} forged images right; 85 of each are "
            "asked. A logit of exactly 0 is right about neither."
        )
    if int((a > MARGIN).sum()) < 85 or int((b < -MARGIN).sum()) < 85:
        return not_yet(
            f"By the letter, yes: but logits within ±{MARGIN:g} are forecasts between 0.487 and 0.513. Whoever gives "
            "them still says ½, and has these losses for knowing nothing. Find a surer officer: let a few forgeries "
            "have a large logit."
        )
    return right(f"Losses of {d:.3f} and {g:.3f}, as of one who knows nothing, and {hits} and {caught} of 100 right.")


@checker(callable)
def check_4(dance: Function) -> Verdict:
    """dance(x, y, h, n, at_once): V = xy, x goes down and y up; at once, or in turns with y first."""
    for case, given, truth in misses(dance, _dance, _dances()):
        x, y, h, n, at_once = case
        if given.numel() != 2:
            return not_yet(f"Return two numbers, (x, y), where the two are at the end; yours are {given.numel()}.")
        where = "At once" if at_once else "In turns"
        moved = "the second slope is taken at the new place." if at_once else "here G moved first. In `train` D does."
        wrong_turns = [
            (_dance(x, y, h, n, not at_once), "that is the other way of moving. Which slope is old?"),
            (_dance(x, y, -h, n, at_once), "the signs are turned round. G goes down the slope of V, D up."),
            (_g_first(x, y, h, n), moved),
            (_both_down(x, y, h, n), "here both go down. D goes up the slope of V."),
            (_dance(x, y, h, n + 1, at_once), f"these are {n + 1} rounds, and n is {n}."),
            (_dance(x, y, h, max(n - 1, 0), at_once), f"these are {n - 1} rounds, and n is {n}."),
            (truth.flip(-1), "these are y and x. Return x first."),
        ]
        return _first_match(given, wrong_turns, f"{where}: ") or not_yet(
            f"{where}, from ({x:g}, {y:g}) with h = {h:g}, {n} rounds should end at "
            f"({truth[0]:.4f}, {truth[1]:.4f}), and yours end at ({given.flatten()[0]:.4f}, {given.flatten()[1]:.4f})."
        )
    return right("At once it spirals outwards, x² + y² grows by 1 + h² a round; in turns it circles for ever.")


def _dances() -> Iterator[tuple[float, float, float, int, bool]]:
    """(x, y, h, n, at_once): one round and many, small and large rates, the equilibrium, and no round at all."""
    for x, y, h, n in [
        (1.0, 0.5, 0.1, 1),
        (1.0, 0.0, 0.2, 7),
        (-0.3, 2.0, 0.05, 40),
        (100.0, -100.0, 1.5, 3),
        (0.0, 0.0, 0.1, 5),
        (1.0, 2.0, 0.1, 0),
    ]:
        for at_once in (True, False):
            yield x, y, h, n, at_once


@checker(callable)
def check_5(twins: Function) -> Verdict:
    """twins(curves, distances, tolerance): the pair i < j within the tolerance with the largest ratio of distances."""
    pairs, cases = [], list(_runs())
    for curves, distances, tolerance in cases:
        ours = curves.copy(), distances.copy()
        with changes(curves=ours[0], distances=ours[1]) as changed:
            result = twins(*ours, tolerance)
        if changed:
            return not_yet(f"Look at what is left: {changed[0]}")
        pairs.append(several(int, 2)(result))
    for wrong, pointer in TURNS_OF_5:  # a turn is blamed only where it explains the pairs of all cases
        if pairs == [wrong(*case) for case in cases]:
            return not_yet(pointer)
    for pair, case in zip(pairs, cases, strict=True):
        if pair != (truth := _twins(*case)):
            return not_yet(
                f"On {len(case[0])} runs of the checker's the answer is {truth}, and yours {pair}. Compare all pairs, "
                "keep those within the tolerance, at it as well, and take the one with the largest ratio."
            )
    return right(
        "With enough runs there is nearly always such a pair: that is why one pair proves only that it can be."
    )


def _runs() -> Iterator[tuple[Any, Any, float]]:
    """(curves, distances, tolerance): by lot, with distances around 400 and around 1; then curves at the limit."""
    dice = np.random.default_rng(11)
    for runs, points, tolerance in [(4, 5, 0.6), (12, 20, 0.5), (25, 8, 0.4), (20, 1, 0.1), *[(16, 6, 0.4)] * 8]:
        curves = 1 + 0.3 * dice.standard_normal((runs, points)) + 0.1 * dice.standard_normal((runs, 1))
        distances = np.exp(dice.normal(6 * (points > 6), 0.8, runs))
        distances[dice.integers(runs)] *= 9  # one far worse than all others
        curves[int(distances.argmax())] += 2  # whose curve is like no other's
        yield curves, distances, tolerance
    at_the_limit = np.array([[0.0] * 4, [0.5] * 4, [0.5, -0.25] * 2])
    yield at_the_limit, np.array([1.0, 4.0, 2.0]), 0.5
    yield np.array([[1.0, 2.0], [1.0, 2.0]]), np.array([3.0, 3.0]), 0.0


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


def _rms(gaps: Any) -> float:
    return math.sqrt(np.mean(gaps**2))


def _root_of_sum(gaps: Any) -> float:
    return math.sqrt(np.sum(gaps**2))


def _mean_square(gaps: Any) -> float:
    return float(np.mean(gaps**2))


def _largest(gaps: Any) -> float:
    return float(np.abs(gaps).max())


def _mean_gap(gaps: Any) -> float:
    return float(np.abs(gaps).mean())


def _pairs(curves: Any) -> Iterator[tuple[int, int]]:
    return combinations(range(len(curves)), 2)


def _twins(curves: Any, distances: Any, tolerance: float, gap: Callable[[Any], float] = _rms) -> tuple[int, int]:
    alike = [p for p in _pairs(curves) if gap(curves[p[0]] - curves[p[1]]) <= tolerance]
    return max(alike, key=lambda p: abs(math.log(distances[p[0]] / distances[p[1]])), default=(-1, -1))


def _nearest(curves: Any, distances: Any, tolerance: float) -> tuple[int, int]:
    return min(_pairs(curves), key=lambda p: _rms(curves[p[0]] - curves[p[1]]))


def _by_difference(curves: Any, distances: Any, tolerance: float) -> tuple[int, int]:
    return _twins(curves, np.exp(distances / distances.max()), tolerance)


TURNS_OF_5: list[tuple[Callable[[Any, Any, float], tuple[int, ...]], str]] = [
    (lambda c, d, t: _twins(c, d, t)[::-1], "Those are the twins, the wrong way round: i < j."),
    (
        lambda c, d, t: _twins(c, d, math.inf),
        "These pairs have the largest ratio of all, but their curves do not agree.",
    ),
    (_nearest, "These pairs have the most similar curves. Asked is the largest ratio among all that agree."),
    (_by_difference, "These pairs have the largest difference of distances. Asked is the ratio."),
    (
        lambda c, d, t: _twins(c, d, t, _root_of_sum),
        "That looks like a sum over the points: the root mean square divides by their number.",
    ),
    (lambda c, d, t: _twins(c, d, t, _mean_square), "That looks like the mean square: the root is missing."),
    (lambda c, d, t: _twins(c, d, t, _largest), "That looks like the largest gap of the curves, not the mean one."),
    (lambda c, d, t: _twins(c, d, t, _mean_gap), "That looks like the mean gap of the curves, with no squares."),
    (
        lambda c, d, t: _twins(c, d, t, np.std),
        "That looks like a standard deviation, which forgets how far the two curves lie apart on average.",
    ),
]


def _first_match(given: Tensor, wrong_turns: Iterable[tuple[Any, str]], start: str = "") -> Verdict | None:
    """The pointer of the first wrong turn whose value is what a learner's function gave."""
    for value, pointer in wrong_turns:
        if agrees(given, tensor(value), torch.float32):
            return not_yet(start + pointer)
    return None
