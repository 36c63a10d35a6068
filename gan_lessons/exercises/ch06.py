"""Checkers of chapter 06, How do we know it is good?"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from gan_lessons import data
from gan_lessons.exercises import Verdict, checker, close, not_yet, right
from gan_lessons.metrics.classifier import DigitClassifier
from gan_lessons.metrics.distances import frechet_distance, kernel_distance, moments
from gan_lessons.metrics.neighbours import copy_limit, precision_recall, share_of_copies

Function = Callable[..., Any]
HIDDEN = 300  # images in exercise 6


@checker(float)
def check_1(answer: float) -> Verdict:
    """The squared Fréchet distance of N(0, 1) and N(3, 5^2): 9 + 16."""
    if close(answer, 25.0):
        return right("9 for the means, 16 for the standard deviations.")
    wrong_turns = {
        5.0: "That is the distance. The square of it is asked for, which is what everybody quotes.",
        9.0: "That is the share of the means. The spreads differ, too.",
        16.0: "That is the share of the standard deviations. The means differ, too.",
        585.0: "The second term takes the standard deviations, 1 and 5, not the variances, 1 and 25.",
        7.0: "Square the differences before you add them.",
        35.0: "The formula is a difference of deviations, squared: 1 + 25 - 2 * 1 * 5, not their squares added.",
    }
    return _first(answer, wrong_turns) or not_yet(
        "Equation: the difference of the means squared, plus that of s and s'."
    )


@checker(callable)
def check_2(kernel: Function) -> Verdict:
    """kernel(x, g): the unbiased kernel distance of features (n, d) and (m, d)."""
    x, g = _cloud(6, 3, 0), _cloud(9, 3, 1, 0.5)
    given, truth = kernel(x, g), kernel_distance(x, g)
    if close(given, truth, 1e-4) and close(kernel(g, x), truth, 1e-4):
        return right("Its mean over many draws of real images is 0, and single values may be negative.")
    parts = _k(x, x), _k(g, g), _k(x, g)
    off = [p.sum() - p.diagonal().sum() for p in parts[:2]]
    wrong_turns = {
        float(parts[0].mean() + parts[1].mean() - 2 * parts[2].mean()): (
            "That is the biased estimate: it pairs each image with itself. Leave the diagonals out."
        ),
        float(off[0] / 36 + off[1] / 81 - 2 * parts[2].mean()): (
            "The diagonal is left out, but still counted: n (n - 1) pairs are left, not n * n."
        ),
        float(off[0] / 30 + off[1] / 72 - parts[2].mean()): "The mean between the clouds counts twice.",
        float(off[0] / 30 + off[1] / 72): "The mean between the clouds is missing.",
        -truth: "Right but for the sign: alike within, minus alike between.",
        max(truth, 0.0): "Right but for a cut at 0. An unbiased estimate of 0 is negative half of the time: let it be.",
    }
    return _first(given, wrong_turns) or not_yet(
        f"For a test case yours gives {float(given):.4g}, but it should be {truth:.4g}. Look at the kernel: the "
        "product is divided by d, 1 is added, and then comes the third power."
    )


@checker(dict)
def check_3(answer: Mapping[str, str]) -> Verdict:
    """Which report card belongs to which fault."""
    truth = {"X": "memory", "Y": "dropped class", "Z": "blur"}
    if set(answer) != set(truth):
        return not_yet("Keep the three keys X, Y and Z.")
    unknown = set(answer.values()) - set(truth.values())
    if unknown:
        return not_yet(f"Use the words {sorted(truth.values())}; {sorted(map(str, unknown))[0]!r} is none of them.")
    if answer == truth:
        return right("X would win every contest that looks at the Fréchet distance alone.")
    if answer["X"] != "memory":
        return not_yet("All of X's images count as copies, and yet its distance is that of real images. Who does that?")
    return not_yet("One of Y and Z draws nine digits only. Count the classes.")


@checker(callable)
def check_4(measure: Function) -> Verdict:
    """measure(real, fake, k): precision and recall."""
    real, fake = _cloud(60, 2, 0), _cloud(50, 2, 1, 0.9) * 0.6
    for k in (1, 3):
        given, truth = measure(real, fake, k), precision_recall(real, fake, k)
        if not (isinstance(given, (tuple, list, Tensor)) and len(given) == 2):
            return not_yet("Return two numbers, precision and recall.")
        if close(given, truth, 1e-3):
            continue
        if close(given, truth[::-1], 1e-3):
            return not_yet("The two are swapped: precision asks about the fake points, recall about the real ones.")
        if k == 1 and close(given, (0.0, 0.0), 1e-3):
            return not_yet("Your balls have radius 0: the nearest point to a point is itself. Take the next one.")
        if k > 1 and close(given, precision_recall(real, fake, k - 1), 1e-3):
            return not_yet("Your balls reach to the (k-1)-th nearest other point: the point itself has been counted.")
        if close(given, _own_balls(real, fake, k), 1e-3):
            return not_yet("The balls stand round the wrong points: precision uses balls round the real points.")
        found, wanted = (", ".join(f"{float(v):.3f}" for v in pair) for pair in (given, truth))
        return not_yet(f"For a test case with k = {k} yours gives {found}, but it should be {wanted}.")
    return right("Swap the two sets, and precision and recall swap.")


@checker(callable)
def check_5(at_infinity: Function) -> Verdict:
    """at_infinity(n, distances): the constant of a straight line in 1/n."""
    sizes = torch.tensor([500.0, 1000.0, 2000.0, 5000.0, 10000.0])
    bend = torch.tensor([0.2, -0.3, 0.2, 0.0, -0.1])  # a line through two of the points is not the best one
    for n, end, bias in ((sizes, 3.0, 4000.0), (sizes.flip(0) / 2, 17.4, 900.0)):
        verdict = _extrapolated(at_infinity, n, end + bias / n + bend, f"{end:g} + {bias:g}/n")
        if verdict is not None:
            return verdict
    return right("It may come out negative where the true distance is 0: it is an estimate, not a distance.")


def _extrapolated(at_infinity: Function, n: Tensor, distances: Tensor, near: str) -> Verdict | None:
    """What is wrong with the constant of a line in 1/n through these distances; None where it is right."""
    columns = torch.stack([torch.ones(5), 1 / n], 1).double()
    constant, slope = torch.linalg.lstsq(columns, distances.double()[:, None]).solution[:, 0].tolist()
    given = at_infinity(n, distances)
    if close(given, constant, 5e-3):
        return None
    if close(given, slope, 1e-2):
        return not_yet("That is the slope c. The constant is asked for: the value at 1/n = 0.")
    if close(given, float(distances[n.argmax()]), 1e-3):
        return not_yet("That is the distance at the largest n. It still holds a bias of c/n.")
    if close(given, float(distances.mean()), 1e-3):
        return not_yet("That is the mean over the sizes. Fit a line in 1/n, and read it at 1/n = 0.")
    direct = torch.linalg.lstsq(torch.stack([torch.ones(5), n], 1), distances[:, None]).solution[0]
    if close(given, float(direct), 1e-2):
        return not_yet("That is a line in n. The bias shrinks like 1/n: fit a line in 1/n.")
    return not_yet(
        f"For distances near {near} yours gives {float(given):.4g}, and the line of least squares {constant:.4g}."
    )


@checker(callable, DigitClassifier)
def check_6(hide: Function, judge: DigitClassifier) -> Verdict:
    """hide(images): memorised images that no longer count as copies in pixels, and are still as good to the judge."""
    train, test = (data.load("digits", split).images for split in ("train", "test"))
    known = train[:HIDDEN]
    hidden = hide(known.clone())
    if not isinstance(hidden, Tensor) or hidden.shape != known.shape or hidden.dtype != torch.uint8:
        return not_yet("Return bytes (torch.uint8) of the same shape as the images that came in.")
    limit = copy_limit(test.flatten(1), train.flatten(1))
    copies = share_of_copies(hidden.flatten(1), train.flatten(1), limit)
    before, after = (_distance(judge, images, test) for images in (known, hidden))
    if copies > 0.1:
        return not_yet(
            f"{copies:.0%} of your images still count as copies; honest ones score 5 to 10 %. Change more pixels, "
            "in a way that a reader does not mind."
        )
    if after > 3 * before:
        return not_yet(
            f"Only {copies:.0%} count as copies, but the Fréchet distance went from {before:.1f} to {after:.1f}: the "
            "judge minds. Which change leaves a digit the digit that it was?"
        )
    return right(
        f"{copies:.0%} count as copies, and the distance is {after:.1f} (before: {before:.1f}). All were copied."
    )


def _distance(judge: DigitClassifier, images: Tensor, real: Tensor) -> float:
    return frechet_distance(*(moments(judge.features(data.unit(x))) for x in (images, real)))


def _own_balls(real: Tensor, fake: Tensor, k: int) -> tuple[float, float]:
    """Each point asked about its own ball: whether it reaches to any point of the other set."""
    shares = []
    for points, others in ((fake, real), (real, fake)):
        radii = torch.cdist(points, points).kthvalue(k + 1).values
        shares.append(float((torch.cdist(points, others) <= radii[:, None]).any(1).double().mean()))
    return shares[0], shares[1]


def _k(a: Tensor, b: Tensor) -> Tensor:
    return (a @ b.T / a.shape[1] + 1) ** 3


def _cloud(n: int, d: int, seed: int, shift: float = 0.0) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed)) + shift


def _first(answer: Any, wrong_turns: Mapping[float, str]) -> Verdict | None:
    return next((not_yet(text) for value, text in wrong_turns.items() if close(answer, value)), None)
