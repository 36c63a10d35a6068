"""Checkers of chapter 09, Noise. Each compares an answer with the truth, then with the usual wrong turns."""

import math
from collections.abc import Callable
from typing import Any

import torch

from gan_lessons.exercises import Verdict, checker, close, not_yet, right

Function = Callable[..., Any]


@checker((tuple, list))
def check_1(answer: tuple[Any, ...]) -> Verdict:
    """(a, b): the mean cosine of two vectors from U[0, 2)^d, 3/4, and from U[1, 2)^d, 27/28."""
    if len(answer) != 2:
        return not_yet(f"Give two numbers, (a, b), not {len(answer)}.")
    a, b = (_number(part) for part in answer)
    if not close(a, 0.75, 5e-3):
        wrong_turns = [
            (1 / (1 + 1 / 12), "a: the variance grows with the square of the length: 4/12 on [0, 2), not 1/12."),
            (0.0, "a: 0 belongs to noise without a mean. All coordinates here are positive."),
            (0.25, "a: that is the share of what is each vector's own. The common share is asked for."),
            (math.sqrt(0.75), "a: without the root. The cosine is the share of the squared length itself."),
        ]
        return _first_match(a, wrong_turns) or not_yet("a: U[0, 2) is 2 U[0, 1). What does a scale do to an angle?")
    if not close(b, 27 / 28, 5e-3):
        wrong_turns = [
            (0.75, "b: adding 1 is no scale. The mean is now 3/2, and the variance is still 1/12."),
            (2.25 / (2.25 + 1 / 3), "b: the interval [1, 2) has length 1, so the variance is 1/12 and not 4/12."),
            (12 / 13, "b: that is the mean 1. The middle of [1, 2) is 3/2."),
            (math.sqrt(27 / 28), "b: without the root. The cosine is the share of the squared length itself."),
            (1 / 28, "b: that is the share of what is each vector's own."),
        ]
        return _first_match(b, wrong_turns) or not_yet("b: put the mean 3/2 and the variance 1/12 into the formula.")
    return right("A scale changes no angle; a shift away from the origin brings all vectors closer to one direction.")


@checker(callable)
def check_2(standardise: Function) -> Verdict:
    """standardise(z, low, high): uniform noise (n, d) on [low, high) with mean 0 and variance 1, by known moments."""
    generator = torch.Generator().manual_seed(2)
    for low, high in ((2.0, 5.0), (0.0, 1.0), (-1.0, 1.0)):
        z = low + (high - low) * torch.rand(6, 4, generator=generator)
        given = torch.as_tensor(standardise(z.clone(), low, high), dtype=torch.float32).detach()
        truth = (z - (low + high) / 2) / ((high - low) / math.sqrt(12))
        if given.shape != z.shape:
            return not_yet(f"The result should have the shape of z, {tuple(z.shape)}, but it has {tuple(given.shape)}.")
        if close(given, truth):
            continue
        middle, width = (low + high) / 2, high - low
        wrong_turns = [
            ((z - z.mean()) / z.std(), "That takes the mean of this batch. Take the distribution's: it is known."),
            ((z - z.mean(0)) / z.std(0), "That takes the means of this batch. Take the distribution's: it is known."),
            (
                (z - middle) / width,
                "The mean is right. The standard deviation is the length divided by the root of 12.",
            ),
            ((z - middle) / (width**2 / 12), "That divides by the variance. Divide by its root."),
            ((z - middle) / (width / 2), "That brings z to [-1, 1), with a variance of 1/3. The variance should be 1."),
            ((z - low) / (width / math.sqrt(12)), "The spread is right. But the mean lies in the middle, not at low."),
            ((z - low) / width, "That brings z to [0, 1), the noise that this chapter is about."),
            (z - middle, "The mean is right. Now the variance: divide by the standard deviation."),
        ]
        return _first_match(given, wrong_turns) or not_yet(
            "For low = 0 and high = 1 the mean is 1/2 and the standard deviation 0.289: z = 1 becomes 1.732."
        )
    return right("For [0, 1) it gives numbers from -1.732 to 1.732.")


@checker(callable)
def check_3(shortening: Function) -> Verdict:
    """shortening(mean, std): length of lerp's midpoint over that of the ends, sqrt((mu^2 + s^2/2) / (mu^2 + s^2))."""
    for mean, std in ((0.5, math.sqrt(1 / 12)), (-1.0, 2.0), (0.0, 1.0), (0.0, 3.0)):
        given, truth = _number(shortening(mean, std)), _shortening(mean, std)
        if close(given, truth):
            continue
        own = std**2
        wrong_turns = [
            (truth**2, "That is the ratio of the squared lengths. Take the root."),
            (math.sqrt(0.5), "That is right for noise without a mean only. The common part does not get shorter."),
            (
                math.sqrt((mean**2 / 2 + own / 4) / (mean**2 + own)),
                "The mean of the midpoint is the mean itself, and independent variances add: (s/2)^2 twice is s^2/2.",
            ),
            (
                math.sqrt((mean**2 + own / 4) / (mean**2 + own)),
                "The midpoint has two halves, each of variance s^2/4. Together that is s^2/2.",
            ),
            (
                math.sqrt((mean**2 + std / 2) / (mean**2 + own)),
                "std is the standard deviation; square it to get the variance.",
            ),
            (1 / truth, "The other way round: the midpoint's length over that of the ends, so at most 1."),
        ]
        return _first_match(given, wrong_turns) or not_yet(
            "For mean 0 and std 1 it must be 0.707, and for mean 0.5 and std 0.2887 it must be 0.935."
        )
    return right("0.935 for U[0, 1): the straight walk hardly leaves a cloud that lies all on one side.")


@checker(callable)
def check_4(dose: Function) -> Verdict:
    """dose(r, std, dim): the mean at which (mean * dim + 1) / (std * sqrt(dim)) = r, at least 0."""
    for r, std, dim in ((17.7, 1.0, 100), (17.7, 1.0, 8), (5.0, 0.3, 32), (40.0, 2.0, 512)):
        given, truth = _number(dose(r, std, dim)), (r * std * dim**0.5 - 1) / dim
        if close(given, truth, 2e-3):
            continue
        wrong_turns = [
            (r * std * dim**0.5 / dim, "Nearly: the bias moves all images together, too. Its 1 is part of the sum."),
            ((r * std * dim**0.5 + 1) / dim, "The bias is on the side of the mean: subtract its 1."),
            ((r * std * dim - 1) / dim, "What is each vector's own grows with the root of the dimension."),
            (
                (r * std - 1) / dim,
                "The root of the dimension is missing: r * std * sqrt(dim) is what has to be reached.",
            ),
            ((r * dim**0.5 - 1) / dim, "The standard deviation is missing: wider noise needs a larger mean."),
            (
                r * std * dim**0.5 - 1,
                "That is the sum over all coordinates, m's 1-norm. The mean is one of dim equal parts.",
            ),
        ]
        return _first_match(given, wrong_turns, 2e-3) or not_yet(
            "For r = 17.7, std = 1 and dim = 100 the mean is (177 - 1) / 100 = 1.76."
        )
    if not close(dose(0.05, 1.0, 100), 0.0):
        return not_yet("For r = 0.05 in 100 dimensions the bias alone is faster already: the answer is 0, not below.")
    return right("6.1 for normal noise in 8 dimensions, 1.76 in 100: a mean is made fast by the number of coordinates.")


@checker(callable)
def check_5(turn: Function) -> Verdict:
    """turn(mean): an orthogonal Q (d, d) with mean @ Q on the first axis, also where it lies there already."""
    generator = torch.Generator().manual_seed(4)
    means = [torch.full((100,), 0.5), torch.randn(8, generator=generator), 3 * torch.eye(5)[0], -2 * torch.eye(5)[0]]
    for mean in means:
        kept, size = mean.clone(), len(mean)
        Q = torch.as_tensor(turn(mean.clone()), dtype=torch.float32).detach()
        if Q.shape != (size, size):
            return not_yet(f"For {size} coordinates Q is ({size}, {size}), but yours has the shape {tuple(Q.shape)}.")
        if not Q.isfinite().all():
            return not_yet("For a mean on the first axis already, Q holds nan: there v is zero. Choose the other sign.")
        if not torch.allclose(Q @ Q.T, torch.eye(size), atol=1e-4):
            return not_yet("Q is not orthogonal: Q Q^T should be the identity, or lengths and angles change.")
        moved = kept @ Q
        if float(moved[1:].abs().max()) > 1e-3 * float(kept.norm()):
            return not_yet(
                f"Q is orthogonal, but m Q = {[round(float(x), 2) for x in moved[:4]]}... is not on the first axis. "
                "Is v made of the unit vector m / |m| and the axis?"
            )
    return right(
        "Same lengths, same angles, and the 1-norm of the mean falls from 50 to 5 for U[0, 1) in 100 dimensions."
    )


def _first_match(answer: Any, wrong_turns: list[tuple[Any, str]], tol: float = 1e-3) -> Verdict | None:
    """The pointer of the first wrong turn whose value is the answer."""
    return next((not_yet(pointer) for value, pointer in wrong_turns if close(answer, value, tol)), None)


def _shortening(mean: float, std: float) -> float:
    return math.sqrt((mean**2 + std**2 / 2) / (mean**2 + std**2))


def _number(value: Any) -> float:
    """A learner's number as a float: also a tensor with a graph, or an array of one element."""
    return float(torch.as_tensor(value, dtype=torch.float64).detach().reshape(()))
