"""Checkers of chapter 08, DCGAN in colour."""

import math
from collections.abc import Callable, Collection

import torch
import torch.nn.functional as F
from torch import Tensor

from gan_lessons.exercises import Verdict, checker, close, not_yet, right, whole
from gan_lessons.models.layers import deviation


@checker((tuple, list))
def check_1(counts: Collection[int]) -> Verdict:
    """Features that enter D's three convolutions, and numbers that enter its last layer, for 32x32 images."""
    if len(counts) != 4 or not all(whole(count) for count in counts):
        return not_yet("Give four whole numbers: (first, second, third, last).")
    truth = (4, 17, 65, 129 * 8 * 8)
    found = tuple(counts)
    if found == truth:
        return right("Only the last number hangs on the size of the images: convolutions do not ask for it.")
    if found[:3] == (3, 16, 64):
        return not_yet("These are the features without the batch's deviation, which is one more map at each layer.")
    if found[:3] == truth[:3] and found[3] == 129 * 16:
        return not_yet("That is the last layer for 16 × 16 images. Here the smallest maps have another side.")
    if found[:3] == truth[:3] and found[3] in (128 * 64, 129 * 64 * 4):
        return not_yet("The last layer: how many maps, the extra one included, of how many pixels after two halvings?")
    wrong = [name for name, a, b in zip(("first", "second", "third", "last"), found, truth, strict=True) if a != b]
    return not_yet(f"Look at the {wrong[0]} number: the features of the layer before it, plus one.")


@checker((tuple, list))
def check_2(numbers: Collection[float]) -> Verdict:
    """The deviation of real = (-1, 1), fake = (0, 0) and all four together."""
    if len(numbers) != 3:
        return not_yet("Give three numbers: (real, fake, together).")
    real, fake, together = numbers
    if close(real, math.sqrt(2)) or close(together, math.sqrt(2 / 3)):
        return not_yet("You have divided by n - 1. The layer divides by n.")
    if close(together, 0.5) and close(real, 1):
        return not_yet("Together it is 0.5 before the root: that is the variance.")
    wrong = [
        name
        for name, value, truth in (("real", real, 1.0), ("fake", fake, 0.0), ("together", together, math.sqrt(0.5)))
        if not close(value, truth)
    ]
    if wrong:
        return not_yet(f"Look at {wrong[0]}: mean, mean squared distance from it, root.")
    return right("In one batch both halves get the same 0.71, and what told them apart, 1 against 0, is gone.")


@checker(callable)
def check_3(with_deviation: Callable[[Tensor], Tensor]) -> Verdict:
    """(n, c, h, w) -> (n, c + 1, h, w): the layer in training mode, gradient included."""
    source = torch.Generator().manual_seed(0)
    for shape in ((5, 3, 4, 4), (8, 1, 2, 6)):
        x = torch.randn(shape, generator=source) * torch.rand(shape[1:], generator=source) * 3
        leaf = x.clone().requires_grad_()
        found = with_deviation(leaf)
        n, c, h, w = shape
        if not isinstance(found, Tensor) or tuple(found.shape) != (n, c + 1, h, w):
            given = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
            return not_yet(f"For images of shape {shape} the answer should have shape {(n, c + 1, h, w)}, not {given}.")
        if not torch.equal(found[:, :c].detach(), x):
            return not_yet("The first maps should be those that came in, unchanged.")
        new = found[:, c].detach()
        if float(new.max() - new.min()) > 1e-4:
            return not_yet("The new map should hold one number, the same for all images and places: average it.")
        number, truth = float(new.mean()), float(deviation(x))
        if not close(number, truth):
            return not_yet(_other_deviation(x, number, truth))
        if not found.requires_grad:
            return not_yet("The number is right, but no gradient gets through it: G would learn nothing from it.")
        (gradient,) = torch.autograd.grad(found[:, c].sum(), leaf, allow_unused=True)
        if gradient is None or float(gradient.abs().max()) == 0:
            return not_yet("The number is right, but no gradient gets through it: G would learn nothing from it.")
    same = torch.ones(4, 2, 3, 3, requires_grad=True)
    (gradient,) = torch.autograd.grad(with_deviation(same)[:, -1].sum(), same)
    if not bool(gradient.isfinite().all()):
        return not_yet("For a batch of equal images the gradient is NaN: the root has infinite slope at 0. Add 1e-8.")
    return right("It survives a batch of equal images too, the very case that it is for.")


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


@checker((float, int))
def check_4(images: float) -> Verdict:
    """The least k with sqrt(1 - 1/k) >= 0.95."""
    if close(images, 11, 1e-9):
        return right("From eleven images on, the bound no longer rules out that a batch deviates like a varied one.")
    if close(images, 10, 1e-9):
        return not_yet("With 10 it is √0.9 = 0.949: almost.")
    if close(images, 20, 1e-9):
        return not_yet("You have left out the root: 1 - 1/20 is 0.95, and its root is larger.")
    return not_yet("Solve √(1 - 1/k) ≥ 0.95 for k, and round up.")


@checker(callable)
def check_5(forged: Callable[[Tensor], Tensor]) -> Verdict:
    """Images (n, c, 16, 16) in [0, 1] -> others in [0, 1] with the same means over 4x4 blocks."""
    source = torch.Generator().manual_seed(0)
    images = torch.rand(6, 3, 16, 16, generator=source)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        found = torch.as_tensor(forged(images.clone()))
    if tuple(found.shape) != tuple(images.shape):
        return not_yet(f"The answer should have the shape of the images, {tuple(images.shape)}.")
    if float(found.min()) < -1e-5 or float(found.max()) > 1 + 1e-5:
        return not_yet("Some values lie outside [0, 1]: what you add may push bright pixels over the edge.")
    gap = float((F.avg_pool2d(found, 4) - F.avg_pool2d(images, 4)).abs().max())
    if gap > 1e-4:
        return not_yet(f"From afar it shows: a mean over a block of 4 × 4 pixels is off by {gap:.3f}.")
    change = float((found - images).abs().mean())
    if change < 0.02:
        return not_yet("From near it is nearly the same image. Change what lies inside the blocks.")
    return right(f"The mean pixel moved by {change:.2f}, and no eye that averages 4 × 4 pixels can know.")


@checker(callable)
def check_6(leave_one_out: Callable[[Tensor, Tensor, float], Tensor]) -> Verdict:
    """K (n, n), Y (n, c), lam -> the prediction for each row by the ridge that never saw it, (n, c)."""
    source = torch.Generator().manual_seed(0)
    for n, c, lam in ((7, 3, 0.5), (12, 2, 3.0)):
        x = torch.randn(n, 4, generator=source, dtype=torch.float64)
        y = torch.randn(n, c, generator=source, dtype=torch.float64)
        kernel = x @ x.T
        found = torch.as_tensor(leave_one_out(kernel.clone(), y.clone(), lam))
        truth = torch.stack([_without(kernel, y, lam, k) for k in range(n)])
        if tuple(found.shape) != (n, c):
            return not_yet(f"For {n} images and {c} classes the answer should have shape {(n, c)}.")
        if close(found, truth, 1e-6):
            continue
        inverse = torch.linalg.inv(kernel + lam * torch.eye(n, dtype=torch.float64))
        alpha = inverse @ y
        if close(found, kernel @ alpha, 1e-6):
            return not_yet("These are the fits to images that were seen in training: none has been left out.")
        if close(found, alpha / inverse.diagonal()[:, None], 1e-6):
            return not_yet("These are the errors. The predictions are the labels minus them.")
        return not_yet(f"For n = {n}, λ = {lam:g} the numbers differ from those of {n} ridges without one image each.")
    return right("One inverse did the work of n fits.")


def _without(kernel: Tensor, y: Tensor, lam: float, k: int) -> Tensor:
    """The prediction for row k by a ridge fitted to the other rows."""
    keep = torch.arange(len(y)) != k
    part = kernel[keep][:, keep]
    alpha = torch.linalg.solve(part + lam * torch.eye(len(part), dtype=part.dtype), y[keep])
    return kernel[k, keep] @ alpha
