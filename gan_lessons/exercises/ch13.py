"""Checkers of chapter 13, Mode collapse, measured. Each compares an answer with the truth, then with wrong turns."""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor

from gan_lessons import toys
from gan_lessons.exercises import Verdict, checker, close, not_yet, right
from gan_lessons.exercises.forms import any_number, number, several, tensor
from gan_lessons.exercises.rounding import fault, rounded
from gan_lessons.exercises.traces import changes
from gan_lessons.exercises.trials import flow, misses
from gan_lessons.metrics import modes

Function = Callable[..., Any]
LOG2 = math.log(2)


@checker(callable)
def check_1(strict: Function) -> Verdict:
    """strict(which, distance, weights, part): modes with at least part * n * weight samples within 3 stds."""
    for case, given, truth in misses(strict, _strict, _samples()):
        which, distance, weights, part = case
        if given.numel() != 1:
            return not_yet(f"The answer is one number, but yours holds {given.numel()}: how many modes are captured?")
        good = distance <= 3
        even = torch.full_like(weights, 1 / len(weights))
        due = part * len(which) * weights
        wrong_turns = [
            (_strict(which, 0 * distance, weights, part), "Samples beyond 3 deviations do not count for a mode."),
            (
                _strict(which[good], distance[good], weights, part),
                "What is due is a share of all samples, len(which), not of the good ones alone.",
            ),
            (_strict(which, distance, weights, 0.5), "That is half of what is due. The part is an argument: take it."),
            (int((_good(*case[:3]) >= 1).sum()), 'That is the rule "at least one".'),
            (_strict(which, distance, even, part), "The weights differ: what is due to mode k is n w_k."),
            (int((_good(*case[:3]) > due).sum()), "At least means >=: the limit itself is enough."),
            (_strict(which, distance + 1e-3, weights, part), "A distance of exactly 3 is within."),
        ]
        return _first_match(given, wrong_turns) or not_yet(
            "Try which = (1, 1, 1, 0), all at distance 3, weights 1/2, part 1/2: both modes have half of their 2. On "
            f"one of the checker's cases yours gives {float(given):g}, and it should be {int(truth)}."
        )
    return right("It asks of each mode its share of all samples, so waste counts against it.")


def _samples() -> Iterator[tuple[Tensor, Tensor, Tensor, float]]:
    """(which, distance, weights, part): small ones by hand, then many samples of unequal modes by lot."""
    cases = [
        # of 100 samples 30, 18, 12, 1 and 1 are good; each wrong turn gives another number
        (
            [0] * 30 + [1] * 18 + [2] * 12 + [3, 4] + [1] * 3 + [2] * 9 + [3] * 20 + [4] * 6,
            [1.0] * 62 + [9.0] * 38,
            [0.2] * 5,
            1.0,
        ),
        # unequal weights: mode 1 is rare, and 6 are enough
        ([0] * 46 + [1] * 6 + [0] * 48, [2.0] * 52 + [5.0] * 48, [0.9, 0.1], 0.5),
        ([1, 1, 1, 0] * 5, [3.0] * 20, [0.5, 0.5], 0.5),  # the limit itself counts
        ([0, 0, 1, 1], [3.0, 3.0, 3.0, 3.01], [0.5, 0.5], 1.0),  # just within, just beyond
        ([0, 0, 1, 1], [1.0] * 4, [0.25] * 4, 0.5),  # of the last modes there is none
        ([0, 1, 2], [4.0, 5.0, 6.0], [0.5, 0.25, 0.25], 0.5),  # no good one at all
        ([0], [0.0], [1.0], 1.0),
    ]
    for modes_of, distances, shares, part in cases:
        for dtype in (torch.float32, torch.float64):
            yield torch.tensor(modes_of), torch.tensor(distances, dtype=dtype), torch.tensor(shares, dtype=dtype), part
    generator = torch.Generator().manual_seed(2)
    for part in (0.5, 0.9, 0.25):
        weights = torch.rand(40, generator=generator) + 0.1
        which = torch.multinomial(torch.rand(40, generator=generator), 2_000, True, generator=generator)
        yield which, 5 * torch.rand(2_000, generator=generator), weights / weights.sum(), part


@checker(callable)
def check_2(by_luck: Function) -> Verdict:
    """by_luck(a, K, n): K (1 - (1 - a/K)^n), at a = K as well; judged in proportion to the truth."""
    for a, K, n in [(0.5, 4, 10), (0.0177, 25, 2_500), (1.0, 8, 20), (0.5, 1, 1), (0.3, 10, 1), (0.9, 5, 10_000)]:
        given, truth = number(by_luck(a, K, n)), _by_luck(a, K, n)
        if close(given / truth, 1.0, 1e-4):
            continue
        wrong_turns = [
            (truth / K, "That is the share of the modes. The question asks how many: multiply by K."),
            (n * a, "That is the number of good samples. Several may hit the same mode."),
            (min(K, n * a), "That is the number of good samples, cut at K. Several may hit the same mode."),
            (K * (1 - (1 - a) ** n), "(1 - a)^n: a sample is a good one of this mode with probability a / K only."),
            (K * (1 - a / K) ** n, "That is how many are missed. Subtract from K."),
            (1 - (1 - a / K) ** (n * K), "That is the chance to capture any. You want the mean number."),
            (K * (1 - math.exp(-n * a / K)), "Nearly: exp(-n a / K) is (1 - a/K)^n only where a / K is small."),
        ]
        return _first_match(tensor(given), wrong_turns) or not_yet(
            f"For a = {a:g}, K = {K}, n = {n} it should be {truth:.4g}, and yours gives {given:.4g}. One mode "
            "is missed with probability (1 - a/K)^n."
        )
    for n in (5, 1, 10**12):
        if not close(_sure(by_luck, n), 1.0):
            return not_yet(
                f"Right for ordinary numbers. For a = K = 1 and n = {n:,} each sample is a good one of the only mode, "
                "so the answer is 1. There 1 - a/K is 0, and math.log1p(-1) raises an error: take care of that case "
                "first."
            )
    for a, K, n in [(1e-18, 2, 10**12), (1e-12, 1, 10**6), (1e-16, 10, 2 * 10**17), (1e-25, 1, 10**6)]:
        tiny, truth = number(by_luck(a, K, n)), _by_luck(a, K, n)
        if not close(tiny / truth, 1.0, 1e-3):
            return not_yet(
                f"Right for ordinary numbers. For a = {a:g}, K = {K}, n = {n:g} it should be {truth:.4g}, and yours "
                f"gives {tiny:.4g}: 1 - a/K is 1 in floating point, or nearly. Use math.log1p and math.expm1."
            )
    return right("With n large enough it is K, however small a is.")


def _sure(by_luck: Function, n: int) -> float:
    """What it gives for a = K = 1; nan where the logarithm of 0 raises an error."""
    try:
        return float(any_number(by_luck(1.0, 1, n)))
    except (ValueError, ArithmeticError):
        return math.nan


@checker(several(any_number, 2))
def check_3(answer: tuple[float, float]) -> Verdict:
    """(kl, times): log 2 nats for 4 of 8 kinds, and that over the floor 7 / 5000."""
    kl, times = answer
    floor = modes.kl_floor(8, 2_500)
    kls = [
        (1.0, "that is in bits. In nats it is log 2."),
        (-LOG2, "right but for the sign. A divergence is never negative; is q in the numerator?"),
        (LOG2 / 4, "that is the part of one kind. Add all four."),
        (0.5, "half of the kinds are lost, but the divergence is a mean logarithm: four times 1/4 log 2."),
        (math.inf, "infinite is the other direction, KL(p || q). The mean here is over q, what is printed."),
        (math.log(8), "log 8 is what one kind of eight scores. Here four are left."),
        (math.log(4), "log 4 is the entropy of the four. The divergence is log 8 less that."),
    ]
    if pointer := fault(kl, LOG2, kls, "put q_k = 1/4 four times and p_k = 1/8 into the sum."):
        return not_yet(f"kl: {pointer}")
    if not rounded(times, kl / floor):  # whoever goes on with a rounded divergence
        all_times = [
            (LOG2 / (2 * floor), "the floor is (K - 1) / 2n, with a 2 below."),
            (LOG2 * 5_000 / 8, "the counts add up to n, so there are K - 1 = 7 degrees of freedom, not 8."),
            (LOG2 * 5_000 / 3, "the perfect machine prints all 8 kinds, so its floor has K = 8."),
            (floor / LOG2, "the other way round. How many floors fit into the divergence?"),
            (floor, "that is the floor. How many times does it fit into the divergence?"),
        ]
        if pointer := fault(times, LOG2 / floor, all_times, "divide by (8 - 1) / (2 * 2500) = 0.0014."):
            return not_yet(f"times: {pointer}")
    return right("0.693 nats, some 495 times what the perfect machine scores with 2,500 prints.")


@checker(callable)
def check_4(with_deviation: Function) -> Verdict:
    """with_deviation(x): (..., n, d) -> (..., n, 2d), x beside its std over the batch; finite gradient at std 0."""
    generator = torch.Generator().manual_seed(4)
    for shape in ((6, 3), (2, 5, 4), (4, 4, 3), (64, 1), (1, 3), (3, 1, 2)):
        for dtype in (torch.float32, torch.float64):
            scales = torch.arange(1.0, shape[-1] + 1, dtype=dtype)
            x = torch.randn(*shape, generator=generator, dtype=dtype) * scales
            if pointer := _no_deviation(with_deviation, x):
                return not_yet(pointer)
    alike = torch.randn(2, 4, 2, generator=generator)
    alike[0] = 3.0  # one seed has collapsed
    alike[1, :, 1] = 0.0
    uneven = 10 * torch.randn(1, 50, generator=generator).repeat(7, 1)  # whose mean square is not their squared mean
    for x in (torch.ones(4, 2), torch.zeros(8, 3, dtype=torch.float64), torch.full((1, 2), 100.0), alike, uneven):
        x.requires_grad_()
        (slope,) = torch.autograd.grad(with_deviation(x).sum(), x)
        if not bool(slope.isfinite().all()):
            return not_yet(
                "For a batch of equal rows the gradient is NaN or infinite: add 1e-8 inside the root. (And take the "
                "mean of (x - mean)^2: a mean square less a squared mean may come out negative.)"
            )
    return right("It has no weights, and it sees what no single note shows.")


def _no_deviation(with_deviation: Function, x: Tensor) -> str:
    """What is wrong with the numbers or gradients of with_deviation(x); "" where nothing is."""
    truth, ours = _with_deviation(x), x.clone()
    with changes(x=ours) as changed:
        given = with_deviation(ours)
    if changed:
        return f"Look at what is left: {changed[0]}"
    if not isinstance(given, Tensor):
        return "Give back a tensor: training needs its gradient."
    if given.shape != truth.shape:
        return (
            f"For x of shape {tuple(x.shape)} the result has the shape {tuple(truth.shape)}, not {tuple(given.shape)}."
        )
    if not bool(given.isfinite().all()):
        return f"For x of shape {tuple(x.shape)} yours is NaN or infinite: in a batch of 1 the deviation is 0."
    if close(given, truth, 1e-3):
        pointer = flow(with_deviation, _with_deviation, x.float()) if x.shape[-2] > 2 else ""
        return f"The numbers are right, but {pointer}" if pointer else ""
    turns = _turns_of_4(x, truth) if x.shape[-2] > 1 else ()
    pointers = (pointer for value, pointer in turns if close(given, value, 1e-3))
    return next(pointers, "Column d + j holds the deviation of column j over the batch.")


def _turns_of_4(x: Tensor, truth: Tensor) -> Iterator[tuple[Tensor, str]]:
    d, mixes = x.shape[-1], "The batch is the last axis but one; this mixes the seeds."
    yield _beside(x, x.std(-2, keepdim=True)), "That is divided by n - 1. Here divide by n: correction=0."
    yield _beside(x, x.var(-2, keepdim=True, correction=0)), "That is the variance. Take its root."
    yield _beside(x, x.std(-1, keepdim=True, correction=0)), "That is over the numbers of one note, not the batch."
    yield torch.cat([truth[..., d:], truth[..., :d]], -1), "The numbers first, then the deviations."
    yield _beside(x, x.std(0, keepdim=True, correction=0)), mixes
    yield _beside(x, x.std(tuple(range(x.ndim - 1)), keepdim=True, correction=0)), mixes
    mean = x.std(-2, keepdim=True, correction=0).mean(-1, keepdim=True)
    yield _beside(x, mean), "That is the mean deviation, one number for all. Each column has its own here."


@checker(several(any_number, 3))
def check_5(answer: tuple[float, float, float]) -> Verdict:
    """(floor, most, kl): 999 / 52000, 50, log(1000 / 700)."""
    floor, most, kl = answer
    truth, lost = modes.kl_floor(1_000, 26_000), math.log(1_000 / 700)
    floors = [
        (999 / 26_000, "the floor is (K - 1) / 2n, with a 2 below."),
        (0.0, "the perfect machine's counts wobble, so its divergence is not 0."),
        (7 / 5_000, "that is the ring's. Here K = 1,000 and n = 26,000."),
    ]
    mosts = [
        (1_000.0, "1,000 kinds with 2 % each would be 2,000 % of the samples."),
        (520.0, "520 is 2 % of 26,000, what one kind needs. How many kinds can have that?"),
        (20.0, "2 % of 1,000 is 20, but the 2 % are of the samples."),
    ]
    kls = [
        (-lost, "right but for the sign."),
        (math.log(700), "that is the entropy of its kinds. The divergence is log 1000 less that."),
        (0.3, "30 % of the kinds are lost, but the divergence is a mean logarithm."),
        (0.7, "70 % of the kinds are left, but the divergence is a mean logarithm."),
        (lost / LOG2, "that is in bits. Take the natural logarithm."),
        (math.inf, "infinite is the other direction, KL(p || q). The mean here is over q."),
        (math.log(1_000 / 300), "that is of the 300 lost ones. The mean is over what is printed."),
        (lost + truth, "without the wobble of the counts: do not add the floor."),
    ]
    parts = [
        ("floor", fault(floor, truth, floors, "(K - 1) / 2n, K = 1,000 and n = 26,000.")),
        ("most", fault(most, 50.0, mosts, "the shares add up to 1, and each needs 0.02.", digits=2)),
        ("kl", fault(kl, lost, kls, "q_k = 1/700 and p_k = 1/1000, 700 times.")),
    ]
    for name, pointer in parts:
        if pointer:
            return not_yet(f"{name}: {pointer}")
    return right("The strict rule goes on to work for a thousand kinds; the 2 % do not.")


@checker(callable)
def check_6(fraud: Function) -> Verdict:
    """fraud(n, means, stds): points (n, 2), at most 100 different ones, that pass every number of section 4."""
    n = 2_500
    for toy in (toys.ring(), toys.grid()):
        means, stds = toy.means.clone(), toy.stds.clone()
        with changes(means=means, stds=stds) as changed:
            points = tensor(fraud(n, means, stds))
        if changed:
            return not_yet(f"Look at what is left: {changed[0]}")
        if tuple(points.shape) != (n, 2):
            return not_yet(f"The result has the shape ({n}, 2), but yours has {tuple(points.shape)}.")
        if not bool(points.isfinite().all()):
            return not_yet("Some points are NaN or infinite.")
        if pointer := _unmasked(points, toy):
            return not_yet(f"On the {toy.name} {pointer}")
    return right("It passes everything. Which number would unmask it?")


def _unmasked(points: Tensor, toy: toys.Mixture) -> str:
    """The first number of section 4 that the points (n, 2) fail; "" where they pass."""
    n = len(points)
    different = len(points.unique(dim=0))
    if different > 100:
        return f"there are {different:,} different points; at most 100 are allowed."
    found = modes.tally(points, toy.means, toy.stds)
    kinds = int(modes.expected_share(found.good, n, toy.weights).sum())
    if kinds < toy.modes:
        return f"only {kinds} of {toy.modes} modes get half of their due."
    if not 0.983 <= found.quality <= 0.995:
        more = "too good: send about 1.1 % out of reach." if found.quality > 0.995 else "too little."
        return f"the quality is {found.quality:.2%}, {more}"
    kl, floor = modes.reverse_kl(found.nearest, toy.weights), modes.kl_floor(toy.modes, n)
    return f"the divergence is {kl:.4f}, {kl / floor:.1f} times the floor." if kl >= 3 * floor else ""


def _first_match(given: Tensor, wrong_turns: Iterable[tuple[Any, str]]) -> Verdict | None:
    """The pointer of the first wrong turn whose value is what a learner's function gave."""
    return next((not_yet(pointer) for value, pointer in wrong_turns if close(given, value, 5e-4)), None)


def _good(which: Tensor, distance: Tensor, weights: Tensor) -> Tensor:
    return torch.bincount(which[distance <= 3], minlength=len(weights))


def _strict(which: Tensor, distance: Tensor, weights: Tensor, part: float) -> int:
    return int((_good(which, distance, weights) >= part * len(which) * weights).sum())


def _by_luck(a: float, K: int, n: int) -> float:
    return K if a >= K else -K * math.expm1(n * math.log1p(-a / K))


def _beside(x: Tensor, spread: Tensor) -> Tensor:
    return torch.cat([x, spread.expand_as(x)], -1)


def _with_deviation(x: Tensor) -> Tensor:
    return _beside(x, (x.var(-2, keepdim=True, correction=0) + 1e-8).sqrt())
