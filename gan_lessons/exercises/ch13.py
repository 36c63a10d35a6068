"""Checkers of chapter 13, Mode collapse, measured. Each compares an answer with the truth, then with wrong turns."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gan_lessons import toys
from gan_lessons.exercises import Verdict, checker, close, not_yet, right
from gan_lessons.metrics import modes

Function = Callable[..., Any]
LOG2 = math.log(2)


@checker((tuple, list))
def check_1(answer: tuple[Any, ...]) -> Verdict:
    """(kl, times): log 2 nats for 4 of 8 kinds, and that over the floor 7 / 5000."""
    if len(answer) != 2:
        return not_yet(f"Give two numbers, (kl, times), not {len(answer)}.")
    kl, times = (_number(part) for part in answer)
    if not close(kl, LOG2, 2e-3):
        wrong_turns = [
            (1.0, "kl: that is in bits. In nats it is log 2."),
            (-LOG2, "kl: right but for the sign. A divergence is never negative; is q in the numerator?"),
            (LOG2 / 4, "kl: that is the part of one kind. Add all four."),
            (0.5, "kl: half of the kinds are lost, but the divergence is a mean logarithm: four times 1/4 log 2."),
            (math.inf, "kl: infinite is the other direction, KL(p || q). The mean here is over q, what is printed."),
            (math.log(8), "kl: log 8 is what one kind of eight scores. Here four are left."),
        ]
        return _first_match(kl, wrong_turns) or not_yet("kl: put q_k = 1/4 four times and p_k = 1/8 into the sum.")
    floor = modes.kl_floor(8, 2_500)
    if not close(times / (kl / floor), 1.0, 0.02):
        wrong_turns = [
            (kl / (2 * floor), "times: the floor is (K - 1) / 2n, with a 2 below."),
            (kl * 5_000 / 8, "times: the counts add up to n, so there are K - 1 = 7 degrees of freedom, not 8."),
            (kl * 5_000 / 3, "times: the perfect machine prints all 8 kinds, so its floor has K = 8."),
            (floor / kl, "times: the other way round. How many floors fit into the divergence?"),
        ]
        return _first_match(times, wrong_turns, 0.02) or not_yet("times: divide by (8 - 1) / (2 * 2500) = 0.0014.")
    return right("0.693 nats, some 495 times what the perfect machine scores with 2,500 prints.")


@checker(callable)
def check_2(strict: Function) -> Verdict:
    """strict(which, distance, weights, part): modes with at least part * n * weight samples within 3 stds."""
    cases = [
        # of 100 samples 30, 24, 21 and 1 are good; each wrong turn gives another number
        ([0] * 30 + [1] * 24 + [2] * 21 + [3] * 25, [1.0] * 76 + [9.0] * 24, [0.25] * 4, 1.0),
        # unequal weights: mode 1 is rare, and 6 are enough
        ([0] * 46 + [1] * 6 + [0] * 48, [2.0] * 52 + [5.0] * 48, [0.9, 0.1], 0.5),
        ([1, 1, 1, 0] * 5, [3.0] * 20, [0.5, 0.5], 0.5),  # the limit itself counts
    ]
    for which, distance, weights, part in cases:
        args = torch.tensor(which), torch.tensor(distance), torch.tensor(weights)
        given, truth = strict(*(a.clone() for a in args), part), _strict(*args, part)
        if _size(given) != 1:
            return not_yet(f"The answer is one number, but yours holds {_size(given)}: how many modes are captured?")
        if close(given, truth):
            continue
        far = torch.zeros_like(args[1])
        good = args[1] <= 3
        wrong_turns = [
            (_strict(args[0], far, args[2], part), "Samples beyond 3 standard deviations do not count for a mode."),
            (
                _strict(args[0][good], args[1][good], args[2], part),
                "What is due is a share of all samples, len(which), not of the good ones alone.",
            ),
            (int((_good(*args) >= 1).sum()), 'That is the rule "at least one".'),
            (
                _strict(args[0], args[1], torch.full_like(args[2], 1 / len(args[2])), part),
                "The weights differ: use n w_k.",
            ),
            (
                int((_good(*args) > part * len(args[0]) * args[2]).sum()),
                "At least means >=: the limit itself is enough.",
            ),
        ]
        return _first_match(given, wrong_turns) or not_yet(
            "Try which = (1, 1, 1, 0), all at distance 3, weights 1/2, part 1/2: both modes have half of their 2. On "
            f"one of the checker's cases yours gives {_number(given):g}, and it should be {truth}."
        )
    return right("It asks of each mode its share of all samples, so waste counts against it.")


@checker(callable)
def check_3(by_luck: Function) -> Verdict:
    """by_luck(a, K, n): K (1 - (1 - a/K)^n), at a = K as well."""
    for a, K, n in [(0.5, 4, 10), (0.0177, 25, 2_500), (1.0, 8, 20), (0.5, 1, 1)]:
        given, truth = by_luck(a, K, n), _by_luck(a, K, n)
        if close(given, truth, 1e-4):
            continue
        wrong_turns = [
            (truth / K, "That is the share of the modes. The question asks how many: multiply by K."),
            (n * a, "That is the number of good samples. Several may hit the same mode."),
            (min(K, n * a), "That is the number of good samples, cut at K. Several may hit the same mode."),
            (K * (1 - (1 - a) ** n), "(1 - a)^n: a sample is a good one of this mode with probability a / K only."),
            (K * (1 - a / K) ** n, "That is how many are missed. Subtract from K."),
            (1 - (1 - a / K) ** (n * K), "That is the chance to capture any. You want the mean number."),
        ]
        return _first_match(given, wrong_turns, 1e-4) or not_yet(
            f"For a = {a:g}, K = {K}, n = {n} it should be {truth:.4g}, and yours gives {_number(given):.4g}. One mode "
            "is missed with probability (1 - a/K)^n."
        )
    try:
        sure = _number(by_luck(1.0, 1, 5))
    except ValueError:
        sure = math.nan
    if not close(sure, 1.0):
        return not_yet(
            "Right for ordinary numbers. For a = K = 1 each sample is a good one of the only mode, so the answer is 1. "
            "There 1 - a/K is 0, and math.log1p(-1) raises an error: take care of that case first."
        )
    tiny = by_luck(1e-18, 2, 10**12)
    if not close(_number(tiny) / 1e-6, 1.0, 1e-3):
        return not_yet(
            f"Right for ordinary numbers. For a = 1e-18, K = 2, n = 1e12 it should be 1e-6, and yours gives "
            f"{_number(tiny):.3g}: 1 - a/K is 1 in floating point. Use math.log1p and math.expm1."
        )
    return right("With n large enough it is K, however small a is.")


@checker(callable)
def check_4(with_deviation: Function) -> Verdict:
    """with_deviation(x): (..., n, d) -> (..., n, 2d), x beside its std over the batch; finite gradient at std 0."""
    generator = torch.Generator().manual_seed(4)
    for shape in ((6, 3), (2, 5, 4)):
        x = torch.randn(*shape, generator=generator) * torch.arange(1.0, shape[-1] + 1)
        given, truth = with_deviation(x.clone()), _with_deviation(x)
        if not isinstance(given, Tensor):
            return not_yet("Give back a tensor: training needs its gradient.")
        if tuple(given.shape) != tuple(truth.shape):
            return not_yet(
                f"For x of shape {shape} the result has the shape {tuple(truth.shape)}, not {tuple(given.shape)}."
            )
        if close(given, truth, 1e-3):
            continue
        d = shape[-1]
        wrong_turns: list[tuple[Tensor, str]] = [
            (_beside(x, x.std(-2, keepdim=True)), "That is divided by n - 1. Here divide by n: correction=0."),
            (_beside(x, x.var(-2, keepdim=True, correction=0)), "That is the variance. Take its root."),
            (_beside(x, x.std(-1, keepdim=True, correction=0)), "That is over the numbers of one note, not the batch."),
            (torch.cat([truth[..., d:], truth[..., :d]], -1), "The numbers first, then the deviations."),
            (
                _beside(x, x.std(0, keepdim=True, correction=0)),
                "The batch is the last axis but one; this mixes the seeds.",
            ),
        ]
        if x.ndim == 3:
            mixed = x.std((0, 1), keepdim=True, correction=0)
            wrong_turns.append((_beside(x, mixed), "That mixes the seeds. Each has its own batch."))
        return _first_match(given, wrong_turns) or not_yet(
            "Column d + j holds the deviation of column j over the batch."
        )
    same = torch.ones(4, 2, requires_grad=True)
    (slope,) = torch.autograd.grad(with_deviation(same).sum(), same)
    if not bool(slope.isfinite().all()):
        return not_yet("For a batch of equal rows the gradient is NaN or infinite: add 1e-8 inside the root.")
    return right("It has no weights, and it sees what no single note shows.")


@checker((tuple, list))
def check_5(answer: tuple[Any, ...]) -> Verdict:
    """(floor, most, kl): 999 / 52000, 50, log(1000 / 700)."""
    if len(answer) != 3:
        return not_yet(f"Give three numbers, (floor, most, kl), not {len(answer)}.")
    floor, most, kl = (_number(part) for part in answer)
    if not close(100 * floor, 100 * modes.kl_floor(1_000, 26_000), 5e-3):
        wrong_turns = [
            (99.9 / 26, "floor: the floor is (K - 1) / 2n, with a 2 below."),
            (0.0, "floor: the perfect machine's counts wobble, so its divergence is not 0."),
            (100 * 7 / 5_000, "floor: that is the ring's. Here K = 1,000 and n = 26,000."),
        ]
        return _first_match(100 * floor, wrong_turns, 5e-3) or not_yet("floor: (K - 1) / 2n, K = 1,000 and n = 26,000.")
    if not close(most, 50):
        wrong_turns = [
            (1_000.0, "most: 1,000 kinds with 2 % each would be 2,000 % of the samples."),
            (520.0, "most: 520 is 2 % of 26,000, what one kind needs. How many kinds can have that?"),
            (20.0, "most: 2 % of 1,000 is 20, but the 2 % are of the samples."),
        ]
        return _first_match(most, wrong_turns) or not_yet("most: the shares add up to 1, and each needs 0.02.")
    if not close(kl, math.log(1_000 / 700), 2e-3):
        wrong_turns = [
            (-math.log(1_000 / 700), "kl: right but for the sign."),
            (math.log(700), "kl: that is the entropy of its kinds. The divergence is log 1000 less that."),
            (0.3, "kl: 30 % of the kinds are lost, but the divergence is a mean logarithm."),
            (math.log2(1_000 / 700), "kl: that is in bits. Take the natural logarithm."),
            (math.inf, "kl: infinite is the other direction, KL(p || q). The mean here is over q."),
        ]
        return _first_match(kl, wrong_turns) or not_yet("kl: q_k = 1/700 and p_k = 1/1000, 700 times.")
    return right("The strict rule goes on to work for a thousand kinds; the 2 % do not.")


@checker(callable)
def check_6(fraud: Function) -> Verdict:
    """fraud(n, means, stds): points (n, 2), at most 100 different ones, that pass every number of section 4."""
    n = 2_500
    for toy in (toys.ring(), toys.grid()):
        points = torch.as_tensor(fraud(n, toy.means.clone(), toy.stds.clone())).detach().float()
        if tuple(points.shape) != (n, 2):
            return not_yet(f"The result has the shape ({n}, 2), but yours has {tuple(points.shape)}.")
        if not bool(points.isfinite().all()):
            return not_yet("Some points are NaN or infinite.")
        different = len(points.unique(dim=0))
        if different > 100:
            return not_yet(f"On the {toy.name} there are {different:,} different points; at most 100 are allowed.")
        found = modes.tally(points, toy.means, toy.stds)
        kinds = int(modes.expected_share(found.good, n, toy.weights).sum())
        if kinds < toy.modes:
            return not_yet(f"On the {toy.name} only {kinds} of {toy.modes} modes get half of their due.")
        if not 0.983 <= found.quality <= 0.995:
            more = "too good: send about 1.1 % out of reach." if found.quality > 0.995 else "too little."
            return not_yet(f"On the {toy.name} the quality is {found.quality:.2%}, {more}")
        kl, floor = modes.reverse_kl(found.nearest, toy.weights), modes.kl_floor(toy.modes, n)
        if kl > 3 * floor:
            return not_yet(f"On the {toy.name} the divergence is {kl:.4f}, {kl / floor:.1f} times the floor.")
    return right("It passes everything. Which number would unmask it?")


def _first_match(answer: Any, wrong_turns: list[tuple[Any, str]], tol: float = 5e-4) -> Verdict | None:
    """The pointer of the first wrong turn whose value is the answer."""
    return next((not_yet(pointer) for value, pointer in wrong_turns if _alike(answer, value, tol)), None)


def _alike(answer: Any, value: Any, tol: float) -> bool:
    if isinstance(value, float) and math.isinf(value):
        return bool(_number(answer) == value)
    return close(answer, value, tol)


def _number(value: Any) -> float:
    """A learner's number as a float: also a tensor with a graph, or an array of one element."""
    return float(torch.as_tensor(value, dtype=torch.float64).detach().reshape(()))


def _size(value: Any) -> int:
    return int(torch.as_tensor(value).numel())


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
