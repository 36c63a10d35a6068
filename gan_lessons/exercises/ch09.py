"""Checkers of chapter 09, Noise. Each compares an answer with the truth, then with the usual wrong turns."""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor

from gan_lessons.exercises import Verdict, checker, close, not_yet, right
from gan_lessons.exercises.forms import any_number, several, tensor
from gan_lessons.exercises.rounding import fault
from gan_lessons.exercises.traces import changes
from gan_lessons.exercises.trials import agrees, misses, of_numbers, told

Function = Callable[..., Any]
ROOT12 = math.sqrt(12)


@checker(several(float, 2))
def check_1(answer: tuple[float, float]) -> Verdict:
    """(a, b): the mean cosine of two vectors from U[0, 2)^d, 3/4, and from U[1, 2)^d, 27/28."""
    a, b = answer
    own = "that is the share of what is each vector's own. The common share is asked for."
    root = "without the root. The cosine is the share of the squared length itself."
    angle = "that is the angle. The question is about its cosine."
    noise = "that is what is each vector's own against the common part. Divide by both together, μ² + s²."
    wrong_turns = [
        (1 / (1 + 1 / 12), "the variance grows with the square of the length: 4/12 on [0, 2), not 1/12."),
        (0.0, "0 belongs to noise without a mean. All coordinates here are positive."),
        (0.25, own),
        (math.sqrt(0.75), root),
        (2 / 3, noise),
        *((value, angle) for value in _angles(0.75)),
    ]
    if pointer := fault(a, 0.75, wrong_turns, "U[0, 2) is 2 U[0, 1). What does a scale do to an angle?"):
        return not_yet(f"a: {pointer}")
    wrong_turns = [
        (0.75, "adding 1 is no scale. The mean is now 3/2, and the variance is still 1/12."),
        (2.25 / (2.25 + 1 / 3), "the interval [1, 2) has length 1, so the variance is 1/12 and not 4/12."),
        (12 / 13, "that is the mean 1. The middle of [1, 2) is 3/2."),
        (math.sqrt(27 / 28), root),
        (1 / 28, own),
        (26 / 27, noise),
        *((value, angle) for value in _angles(27 / 28)),
    ]
    if pointer := fault(b, 27 / 28, wrong_turns, "put the mean 3/2 and the variance 1/12 into the formula."):
        return not_yet(f"b: {pointer}")
    return right("A scale changes no angle; a shift away from the origin brings all vectors closer to one direction.")


def _angles(cosine: float) -> tuple[float, float]:
    return math.acos(cosine), math.degrees(math.acos(cosine))


@checker(callable)
def check_2(standardise: Function) -> Verdict:
    """standardise(z, low, high): uniform noise (n, d) on [low, high) with mean 0 and variance 1, by known moments."""
    for (z, low, high), given, truth in misses(standardise, _standardised, _uniform()):
        if given.numel() != z.numel() or given.squeeze().shape != z.squeeze().shape:
            return not_yet(f"The result should have the shape of z, {tuple(z.shape)}, but it has {tuple(given.shape)}.")
        z, middle, width = z.double(), (low + high) / 2, high - low
        wrong_turns = [
            ((z - z.mean()) / z.std(), "That takes the mean of this batch. Take the distribution's: it is known."),
            ((z - z.mean(0)) / z.std(0), "That takes the means of this batch. Take the distribution's: it is known."),
            (
                (z - middle) / width,
                "The mean is right. The standard deviation is the length divided by the root of 12.",
            ),
            ((z - middle) / (width**2 / 12), "That divides by the variance. Divide by its root."),
            ((z - middle) / (width / 2), "That brings z to [-1, 1), with a variance of 1/3. The variance should be 1."),
            ((z - low) / (width / ROOT12), "The spread is right. But the mean lies in the middle, not at low."),
            ((z - low) / width, "That brings z to [0, 1), the noise that this chapter is about."),
            ((z - width / 2) / (width / ROOT12), "(b - a)/2 is half the length. The middle is (a + b)/2."),
            ((z - 0.5) * ROOT12, "That is right for [0, 1) alone. Which mean and which spread has [low, high)?"),
            (z - middle, "The mean is right. Now the variance: divide by the standard deviation."),
            ((z - middle) * (width / ROOT12), "That multiplies by the standard deviation. Divide by it."),
        ]
        return _first_match(given, wrong_turns) or not_yet(
            f"{told((z, low, high), given, truth)} "
            "For low = 0 and high = 1 the mean is 1/2 and the standard deviation 0.289: z = 1 becomes 1.732."
        )
    return right("For [0, 1) it gives numbers from -1.732 to 1.732.")


def _uniform() -> Iterator[tuple[Tensor, float, float]]:
    """(z, low, high): several intervals and sizes, one vector alone, in both precisions."""
    generator = torch.Generator().manual_seed(2)
    for low, high in ((2.0, 5.0), (0.0, 1.0), (-1.0, 1.0), (-100.0, 100.0), (-0.3, -0.1)):
        for n, dtype in ((6, torch.float32), (1, torch.float64)):
            yield low + (high - low) * torch.rand(n, 4, generator=generator, dtype=dtype), low, high


def _standardised(z: Tensor, low: float, high: float) -> Tensor:
    return (z.double() - (low + high) / 2) / ((high - low) / ROOT12)


@checker(callable)
def check_3(shortening: Function) -> Verdict:
    """shortening(mean, std): length of lerp's midpoint over that of the ends, sqrt((mu^2 + s^2/2) / (mu^2 + s^2))."""
    for mean, std in (
        (0.5, 1 / ROOT12),
        (-1.0, 2.0),
        (0.0, 1.0),
        (0.0, 3.0),
        (1.0, 0.0),
        (100.0, 100.0),
        (-0.01, 0.05),
    ):
        given, truth = any_number(of_numbers(shortening, mean, std)), _shortening(mean, std)
        if close(given, truth, 3e-3):  # as fine as from a million draws
            continue
        own, both = std**2, mean**2 + std**2
        wrong_turns = [
            (truth**2, "That is the ratio of the squared lengths. Take the root."),
            (math.sqrt(0.5), "That is right for noise without a mean only. The common part does not get shorter."),
            (
                math.sqrt((mean**2 / 2 + own / 4) / both),
                "The mean of the midpoint is the mean itself, and independent variances add: (s/2)^2 twice is s^2/2.",
            ),
            (
                math.sqrt((mean**2 + own / 4) / both),
                "The midpoint has two halves, each of variance s^2/4. Together that is s^2/2.",
            ),
            (
                math.sqrt((mean**2 + std / 2) / (mean**2 + own)),
                "std is the standard deviation; square it to get the variance.",
            ),
            (
                math.sqrt((mean**2 + std / 2) / (mean**2 + std)),
                "std is the standard deviation; square it to get the variance.",
            ),
            (1 / truth, "The other way round: the midpoint's length over that of the ends, so at most 1."),
            (1 - truth, "That is by how much it gets shorter. The share that is left is asked for."),
        ]
        return _first_match(tensor(given), wrong_turns) or not_yet(
            f"For mean {mean:g} and std {std:.4g} yours gives {given:.4g}. "
            "For mean 0 and std 1 it must be 0.707, and for mean 0.5 and std 0.2887 it must be 0.935."
        )
    return right("0.935 for U[0, 1): the straight walk hardly leaves a cloud that lies all on one side.")


@checker(callable)
def check_4(dose: Function) -> Verdict:
    """dose(r, std, dim): the mean at which (mean * dim + 1) / (std * sqrt(dim)) = r, at least 0."""
    for r, std, dim in ((17.7, 1.0, 100), (17.7, 1.0, 8), (5.0, 0.3, 32), (40.0, 2.0, 512), (3.0, 0.5, 1)):
        given, truth = any_number(of_numbers(dose, r, std, dim)), (r * std * dim**0.5 - 1) / dim
        if close(given / truth, 1.0, 2e-3):
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
            ((r * std**2 * dim**0.5 - 1) / dim, "The speed divides by the standard deviation, not by the variance."),
            (
                r * std * dim**0.5 - 1,
                "That is the sum over all coordinates, m's 1-norm. The mean is one of dim equal parts.",
            ),
        ]
        return _first_match(tensor(given), wrong_turns) or not_yet(
            f"For r = {r:g}, std = {std:g} and dim = {dim} yours gives {given:.4g}. "
            "For r = 17.7, std = 1 and dim = 100 the mean is (177 - 1) / 100 = 1.76."
        )
    for r, std, dim in ((0.05, 1.0, 100), (0.01, 1.0, 4), (0.0, 1.0, 8)):
        given = any_number(of_numbers(dose, r, std, dim))
        if not abs(given) < 1e-6:
            return not_yet(
                f"For r = {r:g} in {dim} dimensions the bias alone is faster already: the answer is 0, "
                f"{'not below' if given < 0 else f'not {given:.3g}'}."
            )
    return right("6.1 for normal noise in 8 dimensions, 1.76 in 100: a mean is made fast by the number of coordinates.")


@checker(callable)
def check_5(turn: Function) -> Verdict:
    """turn(mean): an orthogonal Q (d, d) with mean @ Q on the first axis, also where it lies there already."""
    for mean in _means():
        copy, size = mean.clone(), len(mean)
        with changes(mean=copy) as changed:
            Q = tensor(turn(copy))
        if changed:
            return not_yet(f"Look at what is left: {changed[0]}")
        if Q.numel() != size**2 or Q.squeeze().shape != torch.Size([size] * 2 if size > 1 else []):
            return not_yet(f"For {size} coordinates Q is ({size}, {size}), but yours has the shape {tuple(Q.shape)}.")
        Q, m = Q.reshape(size, size), mean.double()
        if not Q.isfinite().all():
            return not_yet(f"{_words(m)} Q holds nan: is v zero there? Choose the other sign.")
        if not torch.allclose(Q @ Q.T, torch.eye(size, dtype=torch.float64), atol=1e-4):
            return not_yet(
                f"{_words(m)} Q is not orthogonal: Q Q^T should be the identity, or lengths and angles change."
            )
        if _off_axis(m @ Q.T) and _off_axis(m @ Q):
            moved = [round(float(x), 2) for x in (m @ Q)[:4]]
            return not_yet(
                f"{_words(m)} Q is orthogonal, but m Q = {moved}... is not on the first axis. "
                "Is v made of the unit vector m / |m| and the axis?"
            )
        if _off_axis(m @ Q):
            return not_yet("Your Q takes m to the axis from the other side, as Q m. For m Q it has to be transposed.")
    return right(
        "Same lengths, same angles, and the 1-norm of the mean falls from 50 to 5 for U[0, 1) in 100 dimensions."
    )


def _means() -> Iterator[Tensor]:
    """Means of several sizes and lengths; on the first axis, on both sides of it; across it; and a single number."""
    generator = torch.Generator().manual_seed(4)
    axis = torch.eye(5)
    yield torch.full((100,), 0.5)
    yield torch.randn(8, generator=generator)
    yield from (3 * axis[0], -2 * axis[0], axis[1], -100 * axis[4])
    yield from (torch.tensor([-2.0]), torch.tensor([1.0, -1.0]), torch.tensor([1e-3, 2e-3, 0.0]))
    yield from (torch.randn(6, generator=generator, dtype=torch.float64), axis[0].double())


def _off_axis(moved: Tensor) -> bool:
    return float(moved[1:].norm()) > 1e-3 * float(moved.norm())


def _words(mean: Tensor) -> str:
    if len(mean) > 1 and not bool(mean[1:].any()):
        return "For a mean on the first axis already,"
    return f"For a mean of {len(mean)} coordinate{'s' * (len(mean) > 1)},"


def _first_match(answer: Tensor, wrong_turns: Iterable[tuple[Any, str]]) -> Verdict | None:
    """The pointer of the first wrong turn whose value is the answer of a learner's function."""
    turns = ((tensor(value), pointer) for value, pointer in wrong_turns)
    return next((not_yet(pointer) for value, pointer in turns if agrees(answer, value, torch.float32)), None)


def _shortening(mean: float, std: float) -> float:
    return math.sqrt((mean**2 + std**2 / 2) / (mean**2 + std**2))
