"""Checkers of chapter 06, How do we know it is good?"""

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gan_lessons import data
from gan_lessons.exercises import Verdict, checker, close, not_yet, right
from gan_lessons.exercises.forms import Unfit, any_number, several, table, tensor, whole_number
from gan_lessons.exercises.rounding import fault
from gan_lessons.exercises.traces import changes
from gan_lessons.exercises.trials import agrees, misses
from gan_lessons.metrics.classifier import DigitClassifier
from gan_lessons.metrics.distances import frechet_distance, kernel_distance, moments
from gan_lessons.metrics.neighbours import copy_limit, precision_recall, share_of_copies

Function = Callable[..., Any]
HIDDEN = 300  # images in exercise 6


@checker(str, several(whole_number, 2))
def find_twins(machine: str, places: tuple[int, ...], shown: dict[str, Tensor]) -> Verdict:
    """Two places, from 1 on, at which a machine shows the same image; `shown` holds the images by the machine."""
    name = machine.strip().upper()[-1:]
    if name not in shown:
        return not_yet(f"The machines are called {', '.join(shown)}; {machine!r} is none of them.")
    twins = {key: _twins(images) for key, images in shown.items()}
    if not any(twins.values()):
        return not_yet(f"You could not: this time no machine shows an image twice among {len(shown[name])}.")
    one, other = sorted(places)
    if one == other or one < 1 or other > len(shown[name]):
        return not_yet(f"Give two different places from 1 to {len(shown[name])}, counted row by row.")
    if (one, other) in twins[name]:
        return right(f"Machine {name} shows {len(twins[name])} such pair{'s' * (len(twins[name]) > 1)} here.")
    a, b = (shown[name][place - 1].float() for place in (one, other))
    return not_yet(
        f"In machine {name} the images at {one} and {other} differ, in {int((a != b).sum())} of their pixels."
    )


def _twins(images: Tensor) -> list[tuple[int, int]]:
    """All pairs of places, from 1 on, with the same image, bit by bit."""
    pairs = combinations(enumerate(images, 1), 2)
    return [(i, j) for (i, one), (j, other) in pairs if torch.equal(one, other)]


@checker(float)
def check_1(answer: float) -> Verdict:
    """The squared Fréchet distance of N(0, 1) and N(3, 5^2): 9 + 16."""
    turns = [
        (5.0, "That is the distance. The square of it is asked for, which is what everybody quotes."),
        (9.0, "That is the share of the means. The spreads differ, too."),
        (16.0, "That is the share of the standard deviations. The means differ, too."),
        (585.0, "The second term takes the standard deviations, 1 and 5, not the variances, 1 and 25."),
        (7.0, "Square the differences before you add them."),
        (35.0, "The formula is a difference of deviations, squared: 1 + 25 - 2 * 1 * 5, not their squares added."),
        (33.0, "The second term takes the standard deviations, 1 and 5, not the variances; and it is squared."),
    ]
    otherwise = "Equation: the difference of the means squared, plus that of s and s'."
    if pointer := fault(answer, 25.0, turns, otherwise):
        return not_yet(pointer)
    return right("9 for the means, 16 for the standard deviations.")


@checker(callable)
def check_2(measure: Function) -> Verdict:
    """measure(real, fake, k): precision and recall."""
    for real, fake, k in _two_clouds():
        with changes(real=real, fake=fake) as changed:
            result = measure(real, fake, k)
        if changed:
            raise Unfit(f"may be right, but {changed[0]}")
        given = several(any_number, 2)(result)
        if pointer := _of_the_shares(given, real, fake, k):
            return not_yet(pointer)
    return right("Swap the two sets, and precision and recall swap.")


def _two_clouds() -> Iterator[tuple[Tensor, Tensor, int]]:
    for k in (1, 3):
        yield _cloud(60, 2, 0), _cloud(50, 2, 1, 0.9) * 0.6, k
    yield _cloud(20, 5, 2).double(), _cloud(70, 5, 3).double() * 2, 2
    yield _cloud(8, 3, 4), _cloud(12, 3, 5) + 50, 5  # far apart


def _of_the_shares(given: tuple[float, ...], real: Tensor, fake: Tensor, k: int) -> str:
    """What is wrong with a precision and a recall; "" where nothing is."""
    truth = precision_recall(real, fake, k)
    if close(given, truth, 1e-3):
        return ""
    if close(given, truth[::-1], 1e-3):
        return "The two are swapped: precision asks about the fake points, recall about the real ones."
    if k == 1 and close(given, (0.0, 0.0), 1e-3):
        return "Your balls have radius 0: the nearest point to a point is itself. Take the next one."
    if k > 1 and close(given, precision_recall(real, fake, k - 1), 1e-3):
        return "Your balls reach to the (k-1)-th nearest other point: the point itself has been counted."
    if close(given, _own_balls(real, fake, k), 1e-3):
        return "The balls stand round the wrong points: precision uses balls round the real points."
    if close([one / 100 for one in given], truth, 1e-3):
        return "Those are per cent. Give shares, between 0 and 1."
    if close([given[0] / len(fake), given[1] / len(real)], truth, 1e-3):
        return "Those are numbers of points. Take the mean over all of them."
    mine, wanted = (", ".join(f"{value:.3f}" for value in pair) for pair in (given, truth))
    return f"For a test case with k = {k} yours gives {mine}, but it should be {wanted}."


@checker(table(str, "X", "Y", "Z"))
def check_3(answer: dict[str, str]) -> Verdict:
    """Which report card belongs to which fault."""
    truth = {"X": "memory", "Y": "dropped class", "Z": "blur"}
    known = {_letters(fault): fault for fault in truth.values()}
    unknown = [word for word in answer.values() if _letters(word) not in known]
    if unknown:
        return not_yet(f"Use the words {sorted(truth.values())}; {unknown[0]!r} is none of them.")
    given = {key: known[_letters(word)] for key, word in answer.items()}
    if given == truth:
        return right("X would win every contest that looks at the Fréchet distance alone.")
    if given["X"] != "memory":
        return not_yet("All of X's images count as copies, and yet its distance is that of real images. Who does that?")
    return not_yet("One of Y and Z draws nine digits only. Count the classes.")


def _letters(word: str) -> str:
    """The letters of a word or two: "dropped_class" is "dropped class"."""
    return "".join(filter(str.isalnum, word))


@checker(callable)
def check_4(kernel: Function) -> Verdict:
    """kernel(x, g): the unbiased kernel distance of features (n, d) and (m, d)."""
    for (x, g), given, wanted in misses(kernel, kernel_distance, _pairs_of_clouds()):
        truth, n, m = float(wanted), len(x), len(g)
        if given.numel() != 1:
            return not_yet(f"The distance is one number, but yours holds {given.numel()}: take means over the pairs.")
        within = [float(p.sum() - p.trace()) for p in (_k(x, x), _k(g, g))]
        a, b, between = within[0] / (n * (n - 1)), within[1] / (m * (m - 1)), float(_k(x, g).mean())
        biased = float(_k(x, x).mean() + _k(g, g).mean()) - 2 * between
        turns = [
            (biased, "That is the biased estimate: it pairs each image with itself. Leave the diagonals out."),
            (
                within[0] / n**2 + within[1] / m**2 - 2 * between,
                "The diagonal is left out, but still counted: n (n - 1) pairs are left, not n * n.",
            ),
            (a + b - between, "The mean between the clouds counts twice."),
            (a + b, "The mean between the clouds is missing."),
            (abs(truth), "Right but for the sign of a negative value: an unbiased estimate of 0 may be negative."),
            (-truth, "Right but for the sign: alike within, minus alike between."),
            (
                max(truth, 0.0),
                "Right but for a cut at 0. An unbiased estimate of 0 is negative half of the time: let it be.",
            ),
            (abs(truth) ** 0.5, "That is a root. The distance is quoted as it is, squared."),
        ]
        for value, pointer in turns:
            if agrees(given, torch.tensor(value), torch.float32):
                return not_yet(pointer)
        return not_yet(
            f"For x {tuple(x.shape)} and g {tuple(g.shape)} yours gives {float(given):.4g}, but it should be "
            f"{truth:.4g}. Look at the kernel: the product is divided by d, 1 is added, and then comes the third power."
        )
    return right("Its mean over many draws of real images is 0, and single values may be negative.")


def _pairs_of_clouds() -> Iterator[tuple[Tensor, Tensor]]:
    """Features of several sizes and in both precisions: a distance above 0, then some below."""
    for n, m, d in ((40, 20, 1), (6, 9, 3), (9, 6, 3), (2, 3, 5)):
        yield _cloud(n, d, 0), _cloud(m, d, 1, 0.5)
        yield _cloud(n, d, 0).double(), _cloud(m, d, 1, 0.5).double()


@checker(callable)
def check_5(at_infinity: Function) -> Verdict:
    """at_infinity(n, distances): the constant of a straight line in 1/n."""
    for n, distances, near in _measured():
        with changes(n=n, distances=distances) as changed:
            result = at_infinity(n, distances)
        if changed:
            raise Unfit(f"may be right, but {changed[0]}")
        if pointer := _of_the_line(tensor(result), n.double(), distances.double(), near):
            return not_yet(pointer)
    return right("It may come out negative where the true distance is 0: it is an estimate, not a distance.")


def _measured() -> Iterator[tuple[Tensor, Tensor, str]]:
    """(sizes, distances, the law near which they lie), in any order, as whole numbers and in both precisions."""
    sizes = torch.tensor([500.0, 1000.0, 2000.0, 5000.0, 10000.0])
    bend = torch.tensor([0.2, -0.3, 0.2, 0.0, -0.1])  # a line through two of the points is not the best one
    yield sizes, 3 + 4000 / sizes + bend, "3 + 4000/n"
    yield sizes.flip(0) / 2, 17.4 + 1800 / sizes.flip(0) + bend, "17.4 + 900/n"
    yield sizes[1:].long(), -0.5 + 800 / sizes[1:] + bend[1:], "-0.5 + 800/n"
    more = torch.tensor([300.0, 700.0, 1100.0, 3000.0, 4000.0, 9000.0, 20000.0], dtype=torch.float64)
    yield more, 40 + 3000 / more + more.sin(), "40 + 3000/n"


def _of_the_line(given: Tensor, n: Tensor, distances: Tensor, near: str) -> str:
    """What is wrong with the constant of a line in 1/n through these distances; "" where it is right."""
    if given.numel() != 1:
        return f"The value at infinity is one number, but yours holds {given.numel()}. Which coefficient is it?"
    constant, slope = _line(1 / n, distances)
    turns = [
        (slope, "That is the slope c. The constant is asked for: the value at 1/n = 0."),
        (float(distances[n.argmax()]), "That is the distance at the largest n. It still holds a bias of c/n."),
        (float(distances.mean()), "That is the mean over the sizes. Fit a line in 1/n, and read it at 1/n = 0."),
        (_line(n, distances)[0], "That is a line in n. The bias shrinks like 1/n: fit a line in 1/n."),
        (_line(n**-0.5, distances)[0], "That is a line in 1/sqrt(n). The bias shrinks like 1/n."),
        (max(constant, 0.0), "Right but for a cut at 0. It is an estimate: let it be negative."),
    ]
    if close(given, constant, 5e-3):
        return ""
    for value, pointer in turns:
        if close(given, value, 5e-3):
            return pointer
    return f"For distances near {near} yours gives {float(given):.4g}, and the line of least squares {constant:.4g}."


def _line(x: Tensor, y: Tensor) -> tuple[float, float]:
    """Constant and slope of the line of least squares."""
    slope = float(((x - x.mean()) * (y - y.mean())).sum() / (x - x.mean()).square().sum())
    return float(y.mean()) - slope * float(x.mean()), slope


@checker(callable, DigitClassifier)
def check_6(hide: Function, judge: DigitClassifier) -> Verdict:
    """hide(images): memorised images that no longer count as copies in pixels, and are still as good to the judge."""
    train, test = (data.load("digits", split).images for split in ("train", "test"))
    known = train[:HIDDEN]
    hidden = _bytes(hide(known.clone()))
    if hidden is None or hidden.shape != known.shape:
        return not_yet("Return bytes (torch.uint8) of the same shape as the images that came in.")
    limit = copy_limit(test.flatten(1), train.flatten(1))
    copies = share_of_copies(hidden.flatten(1), train.flatten(1), limit)
    before, after = (_distance(judge, images, test) for images in (known, hidden))
    if copies > 0.1:
        return not_yet(
            f"{copies:.0%} of your images still count as copies; honest ones score 5 to 10 %. Change more pixels, "
            "in a way that a reader does not mind."
        )
    if after > 5 * before:
        return not_yet(
            f"Only {copies:.0%} count as copies, but the Fréchet distance went from {before:.1f} to {after:.1f}: the "
            "judge minds. Which change leaves a digit the digit that it was?"
        )
    kept = float((_classes(judge, hidden) == _classes(judge, known)).float().mean())
    if kept < 0.8:
        return not_yet(
            f"Only {copies:.0%} count as copies, and the distance is small. But the judge finds the same digit as "
            f"before in {kept:.0%} of the images only: change each image, and return it in its place."
        )
    return right(
        f"{copies:.0%} count as copies, and the distance is {after:.1f} (before: {before:.1f}). All were copied, and "
        "the judge minds only a little."
    )


def _bytes(images: Any) -> Tensor | None:
    """Images as bytes, from a tensor or an array of whole numbers from 0 to 255; None for anything else."""
    images = torch.from_numpy(images.copy()) if isinstance(images, np.ndarray) else images
    if not isinstance(images, Tensor) or images.is_floating_point() or images.dtype == torch.bool:
        return None
    whole = images.dtype == torch.uint8 or (images.numel() > 0 and 0 <= int(images.min()) <= int(images.max()) <= 255)
    return images.to("cpu", torch.uint8) if whole else None


def _classes(judge: DigitClassifier, images: Tensor) -> Tensor:
    return judge.probabilities(data.unit(images)).argmax(1)


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
