"""Checkers of chapter 08, DCGAN in colour."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gan_lessons.exercises import Verdict, checker, close, not_yet, right
from gan_lessons.exercises.forms import several, tensor
from gan_lessons.exercises.rounding import fault, rounded
from gan_lessons.exercises.traces import changes
from gan_lessons.exercises.trials import agrees, flow, misses, told
from gan_lessons.models.layers import deviation

Layer = Callable[[Tensor], Any]


@checker(several(int, 4))
def check_1(counts: tuple[int, int, int, int]) -> Verdict:
    """Features that enter D's three convolutions, and numbers that enter its last layer, for 32x32 images."""
    truth, last = (4, 17, 65, 129 * 8 * 8), counts[3]
    if counts[:3] == truth[:3] and (last == truth[3] or (last % 10 == 0 and rounded(last, truth[3]))):
        return right("Only the last number depends on the size of the images: convolutions do not ask for it.")
    if counts[:3] == (3, 16, 64):
        return not_yet("These are the features without the batch's deviation, which is one more map at each layer.")
    if counts[:3] == truth[:3] and last == 129 * 16:
        return not_yet("That is the last layer for 16 × 16 images. Here the smallest maps have another side.")
    if counts[:3] == truth[:3]:
        return not_yet("The last layer: how many maps, the extra one included, of how many pixels after two halvings?")
    wrong = [name for name, a, b in zip(("first", "second", "third"), counts, truth, strict=False) if a != b]
    return not_yet(f"Look at the {wrong[0]} number: the features of the layer before it, plus one.")


@checker(several(float, 3))
def check_2(numbers: tuple[float, float, float]) -> Verdict:
    """The deviation of real = (-1, 1), fake = (0, 0) and all four together."""
    corrected = "you have divided by n - 1. The layer divides by n."
    steps = "mean, mean squared distance from it, root."
    turns = {
        "real": [(math.sqrt(2), corrected), (2.0, "you have divided by n - 1, and the root is missing.")],
        "fake": [],
        "together": [
            (math.sqrt(2 / 3), corrected),
            (0.5, "0.5 is the mean square, and the mean distance too. The deviation is the root of the mean square."),
            (1.0, "four images share one mean square now. Two of them lie at 0."),
            (math.sqrt(2), "that is the root of the sum of the squares. Take their mean."),
        ],
    }
    for (name, wrong_turns), number, truth in zip(turns.items(), numbers, (1.0, 0.0, math.sqrt(0.5)), strict=True):
        if pointer := fault(
            number, truth, wrong_turns, steps, within=0.0 if truth else 1.5e-4
        ):  # the page's layer has ε
            return not_yet(f"Look at {name}: {pointer}")
    return right("In one batch both halves get the same 0.71, and what set them apart, 1 against 0, is gone.")


@checker(callable)
def check_3(forged: Layer) -> Verdict:
    """Images (n, c, 16, 16) in [0, 1] -> others in [0, 1] with the same means over 4x4 blocks."""
    torch.manual_seed(0)
    moved = 0.0
    for images, least in _photographs():
        copy = images.clone()
        with changes(images=copy) as changed:
            found = tensor(forged(copy))
        if changed:
            return not_yet(f"Look at what is left: {changed[0]}")
        if found.shape != images.shape:
            return not_yet(f"The answer should have the shape of the images, {tuple(images.shape)}.")
        if not bool(found.isfinite().all()):
            return not_yet("Some values are nan or infinite.")
        if float(found.min()) < -1e-5 or float(found.max()) > 1 + 1e-5:
            return not_yet("Some values lie outside [0, 1]: what you add may push bright pixels over the edge.")
        gap = float((F.avg_pool2d(found, 4) - F.avg_pool2d(images.double(), 4)).abs().max())
        if gap > 1e-4:
            return not_yet(f"From afar it shows: a mean over a block of 4 × 4 pixels is off by {gap:.3g}.")
        change = (found - images).abs().flatten(1).mean(1)
        moved = max(moved, float(change.mean()))
        if float(change.min()) < least:
            return not_yet(
                f"From near it is nearly the same image: the mean pixel of one moves by {float(change.min()):.3f}, of "
                "a contrast of 0.5. Change what lies inside the blocks, and change it more."
            )
    return right(f"The mean pixel moved by {moved:.2f}, and no eye that averages 4 × 4 pixels can know.")


def _photographs() -> Iterator[tuple[Tensor, float]]:
    """(images, by how much the mean pixel of each has to move): with room on both sides, on the edge, and plain."""
    source = torch.Generator().manual_seed(0)
    for n, dtype in ((6, torch.float32), (1, torch.float64)):
        anything = torch.rand(n, 3, 16, 16, generator=source, dtype=dtype)
        yield 0.25 + 0.5 * anything, 0.04
        yield anything, 0.0  # where a dark and a bright pixel share a block there is little room for noise
        yield anything.round(), 0.0
        yield torch.ones_like(anything), 0.0


@checker(float)
def check_4(images: float) -> Verdict:
    """The least k with sqrt(1 - 1/k) >= 0.95."""
    limit = 1 / (1 - 0.95**2)
    turns = [
        (10.0, "With 10 it is √0.9 = 0.949: almost."),
        (limit, "There it is equal to 0.95. But images come whole: from which whole number on is it reached?"),
        (20.0, "You have left out the root: 1 - 1/20 is 0.95, and its root is larger."),
    ]
    if pointer := fault(images, 11.0, turns, "Solve √(1 - 1/k) ≥ 0.95 for k, and round up.", digits=3):
        return not_yet(pointer)
    return right("From eleven images on, the bound no longer rules out that a batch deviates like a varied one.")


@checker(callable)
def check_5(with_deviation: Layer) -> Verdict:
    """(n, c, h, w) -> (n, c + 1, h, w): the layer in training mode, gradient included."""
    for x in _batches():
        if pointer := _no_deviation(with_deviation, x):
            return not_yet(pointer)
    equal = torch.ones(4, 2, 3, 3)
    partly = torch.where(torch.arange(3) < 2, equal, torch.arange(4.0)[:, None, None, None])
    for x in (equal, partly, equal[:1], equal.double()):
        leaf = x.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(with_deviation(leaf)[:, -1].sum(), leaf)
        if not bool(gradient.isfinite().all()):
            return not_yet(
                "For images that are equal, if only in some pixels, the gradient is NaN: the root has infinite slope "
                "at 0. Add 1e-8 under it."
            )
    return right("It survives a batch of equal images too, the very case that it is for.")


def _batches() -> Iterator[Tensor]:
    """Batches with a deviation of 0.5 to 3 at each place, where no ε counts; then equal images, and some far out."""
    source = torch.Generator().manual_seed(0)
    for shape in ((5, 3, 4, 4), (8, 1, 2, 6), (2, 5, 3, 1)):
        for dtype in (torch.float32, torch.float64):
            x = torch.randn(shape, generator=source, dtype=dtype)
            spread = 0.5 + 2.5 * torch.rand(shape[1:], generator=source, dtype=dtype)
            yield (x - x.mean(0)) / x.std(0, unbiased=False) * spread + torch.randn(shape[1:], generator=source)
    yield torch.full((6, 2, 4, 4), 0.5)
    yield torch.tensor([100.0, -100.0, 0.0])[:, None, None, None].expand(3, 2, 2, 2).clone()


def _no_deviation(with_deviation: Layer, x: Tensor) -> str:
    """What is wrong with the layer on this batch; "" where nothing is."""
    n, c, h, w = x.shape
    given_x = x.clone()
    with changes(x=given_x) as changed:
        result = with_deviation(given_x)
    if changed:
        return f"Look at what is left: {changed[0]}"
    found = tensor(result)
    if tuple(found.shape) != (n, c + 1, h, w):
        wanted = f"For images of shape {(n, c, h, w)} the answer should have shape {(n, c + 1, h, w)}"
        return f"{wanted}, not {tuple(found.shape)}."
    if not torch.equal(found[:, :c], x.double()):
        return "The first maps should be those that came in, unchanged."
    new = found[:, c]
    if float(new.max() - new.min()) > 1e-4:
        return "The new map should hold one number, the same for all images and places: average it."
    number, truth = float(new.mean()), float(deviation(x.double(), 0.0))
    if truth == 0 and 0 <= number < 0.01:  # the root of some ε
        return ""
    if not close(number, truth):
        return _other_deviation(x, number, truth)
    if pointer := flow(lambda x: with_deviation(x)[:, -1], lambda x: deviation(x).expand(n, h, w), x.float()):
        return f"The number is right, but G would learn nothing true from it: {pointer}"
    if pointer := flow(lambda x: with_deviation(x)[:, :c] * x.detach(), lambda x: x * x.detach(), x):
        return f"The number is right, but the gradient has to pass the first maps as well: {pointer}"
    return ""


def _other_deviation(x: Tensor, number: float, truth: float) -> str:
    others = {
        "divides by n - 1; take unbiased=False": x.std(0).mean(),
        "is a variance: its root is missing": x.var(0, unbiased=False).mean(),
        "mixes places: the deviation is taken over the batch alone, place by place, and averaged after": x.std(
            unbiased=False
        ),
        "is the root of a mean: take the root place by place, then the mean": x.var(0, unbiased=False).mean().sqrt(),
        "is taken within each image; it should be taken over the batch": x.flatten(1).std(1, unbiased=False).mean(),
    }
    for words, value in others.items():
        if close(number, float(value), 1e-4):
            return f"Your number {words}."
    return f"The new map holds {number:.3f} where {truth:.3f} is right."


@checker(callable)
def check_6(leave_one_out: Callable[[Tensor, Tensor, float], Any]) -> Verdict:
    """K (n, n), Y (n, c), lam -> the prediction for each row by the ridge that never saw it, (n, c)."""
    for (kernel, y, lam), given, truth in misses(leave_one_out, _left_out, _ridges()):
        n, c = y.shape
        if given.numel() != truth.numel() or given.squeeze().shape != truth.squeeze().shape:
            return not_yet(f"For {n} images and {c} classes the answer should have shape {(n, c)}.")
        inverse = torch.linalg.inv(kernel + lam * torch.eye(n, dtype=kernel.dtype))
        alpha = inverse @ y
        errors = alpha / inverse.diagonal()[:, None]
        wrong_turns = [
            (kernel @ alpha, "These are the fits to images that were seen in training: none has been left out."),
            (errors, "These are the errors. The predictions are the labels minus them."),
            (y + errors, "The error is target minus prediction, so the prediction is the target *minus* the error."),
            (-errors, "These are the errors with their sign turned. The prediction is the target minus the error."),
            (alpha, "That is α. The errors are α over the diagonal of A, and the predictions what is missing to Y."),
            (y - alpha, "α itself is no error: divide by the diagonal of A."),
        ]
        for value, pointer in wrong_turns:
            if agrees(given.reshape(n, c), value, torch.float32):
                return not_yet(pointer)
        return not_yet(
            f"For n = {n}, λ = {lam:g} the numbers differ from those of {n} ridges without one image each. "
            f"{told((kernel, y, lam), given, truth)}"
        )
    return right("One inverse did the work of n fits.")


def _ridges() -> Iterator[tuple[Tensor, Tensor, float]]:
    """(K, Y, lam): of several sizes and strengths, with more images than pixels and with fewer."""
    source = torch.Generator().manual_seed(0)
    for n, pixels, c, lam in ((7, 4, 3, 0.5), (12, 4, 2, 3.0), (2, 3, 1, 1.0), (20, 30, 10, 100.0), (6, 6, 4, 2)):
        for dtype in (torch.float64, torch.float32):
            x = torch.randn(n, pixels, generator=source, dtype=dtype)
            yield x @ x.T, torch.randn(n, c, generator=source, dtype=dtype), lam


def _left_out(kernel: Tensor, y: Tensor, lam: float) -> Tensor:
    return torch.stack([_without(kernel.double(), y.double(), lam, k) for k in range(len(y))])


def _without(kernel: Tensor, y: Tensor, lam: float, k: int) -> Tensor:
    """The prediction for row k by a ridge fitted to the other rows."""
    keep = torch.arange(len(y)) != k
    part = kernel[keep][:, keep]
    alpha = torch.linalg.solve(part + lam * torch.eye(len(part), dtype=part.dtype), y[keep])
    return kernel[k, keep] @ alpha
