"""Checkers of chapter 15, A modern baseline."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_lessons import losses
from gan_lessons.exercises import Verdict, checker, not_yet, right
from gan_lessons.exercises.forms import several, tensor
from gan_lessons.exercises.rounding import fault
from gan_lessons.exercises.traces import changes
from gan_lessons.exercises.trials import agrees, flow, misses, told

REAL, FAKE = torch.tensor([2.0, 0.5]), torch.tensor([-1.0, 0.3])  # the logits of exercise 1


@checker(several(float, 2))
def check_1(given: tuple[float, float]) -> Verdict:
    """Both losses of two pairs: real logits 2.0 and 0.5, forged ones -1.0 and 0.3."""
    gaps, every = REAL - FAKE, REAL[:, None] - FAKE[None, :]
    d_loss, g_loss = float(F.softplus(-gaps).mean()), float(F.softplus(gaps).mean())
    turns = [
        (g_loss, "that is the loss of G. D wants the real image of a pair to have the larger logit."),
        (2 * d_loss, "an expectation is a mean over the pairs, not their sum."),
        (float(F.softplus(-every).mean()), "that compares each real image with each forged one: four pairs, not two."),
        (
            float(F.softplus(-REAL).mean() + F.softplus(FAKE).mean()),
            "that is the loss of the plain game, note by note.",
        ),
        (float(gaps.sigmoid().mean()), "that is the mean probability of calling the pair right, not the loss."),
        (float(F.softplus(-gaps.mean())), "softplus first, then the mean."),
    ]
    if pointer := fault(given[0], d_loss, turns, "subtract within each pair, take softplus, then the mean."):
        return not_yet(f"D: {pointer}")
    turns = [
        (d_loss, "that is the loss of D once more. G wants the forged image to have the larger logit."),
        (-d_loss, "G's loss is no minus of D's: turn the sign inside of softplus, not outside."),
        (2 * g_loss, "an expectation is a mean over the pairs, not their sum."),
        (float(F.softplus(every).mean()), "that compares each real image with each forged one: four pairs, not two."),
        (float(F.softplus(-FAKE).mean()), "that is the loss of the plain game: the real half of the pair is missing."),
        (float(F.softplus(gaps.mean())), "softplus first, then the mean."),
    ]
    if pointer := fault(given[1], g_loss, turns, "the same differences with the other sign."):
        return not_yet(f"G: {pointer}")
    return right("The first pair costs D next to nothing: she is 95 % sure, and right.")


@checker(several(float, 3))
def check_2(given: tuple[float, float, float]) -> Verdict:
    """The gamma of `10 * slope`; of R1 alone that pulls like R1 + R2 with 1; how much the mean of 64 loses."""
    turns = [
        (10.0, "the definition has a half before the mean, and this program has none."),
        (5.0, "it is the other way: gamma / 2 is what stands before the mean."),
    ]
    if pointer := fault(given[0], 20.0, turns, "what stands before the mean in the definition, and what here?"):
        return not_yet(f"(a): {pointer}")
    turns = [
        (1.0, "there are two such terms, equal at rest."),
        (0.5, "the sum of both is larger than each of them, not smaller."),
        (4.0, "there are two equal terms, and gamma stands before each as it is, not squared."),
    ]
    if pointer := fault(given[1], 2.0, turns, "at rest both expectations are the same number."):
        return not_yet(f"(b): {pointer}")
    turns = [
        (64.0, "so much smaller is each gradient. The penalty has its square."),
        (128.0, "each gradient is 64 times too small, and is squared."),
        (1 / 4096, "that is the share that is left. How many times too small?"),
    ]
    if pointer := fault(given[2], 4096.0, turns, "each gradient is 64 times too small; what is done with it?"):
        return not_yet(f"(c): {pointer}")
    return right("Before you copy a gamma, look how the program computes its penalty.")


@checker(callable)
def check_3(both: Callable[[nn.Module, Tensor, Tensor, float], Any]) -> Verdict:
    """R1 + R2 at images of any shape, differentiable in D's weights."""
    for case, given, wanted in misses(both, losses.r1_r2, _officers()):
        D, real, fake, gamma = case
        one, two = (float(f(D, real, fake, gamma).detach()) for f in (losses.r1, losses.r2))
        norms = [_slopes(D, images) for images in (real, fake)]
        wrong = [
            (2 * (one + two), "The half of gamma / 2 is missing."),
            (one, "That is R1 alone. The forged images pay, too."),
            (two, "That is R2 alone. The real images pay, too."),
            ((one + two) / gamma, "Your penalty does not depend on gamma."),
            ((one + two) / 2, "Each of the two has gamma / 2; take their sum, not their mean."),
            (
                gamma * float(torch.cat(norms).square().mean()),
                "Each batch has its own mean; where their sizes differ, one mean over both is another number.",
            ),
            (gamma / 2 * sum(float(n.mean()) for n in norms), "The norm is squared in both."),
            (
                gamma / 2 * sum(float(n.square().sum()) for n in norms),
                "Take the mean over the images, not their sum.",
            ),
            (
                gamma / 2 * sum(float(n.square().mean()) / len(n) ** 2 for n in norms),
                "The gradient of the mean logit is too small by the number of images: take that of the sum.",
            ),
            (
                gamma
                / 2
                * sum(float(n.square().mean()) / images[0].numel() for n, images in zip(norms, case[1:3], strict=True)),
                "Within an image the squares of all its pixels are added up: no mean there.",
            ),
        ]
        for value, pointer in wrong:
            if agrees(given.flatten(), torch.tensor([value]), torch.float32):
                return not_yet(pointer)
        return not_yet(f"Look at the two penalties one by one. {told('the case tried', given, wanted)}")
    D, real, fake, gamma = next(_officers())
    weight = next(D.parameters())
    with torch.enable_grad():
        result = both(D, real, fake, gamma)
        if not isinstance(result, Tensor) or not result.requires_grad:
            return not_yet("The number is right, but D cannot learn from it: the gradient needs create_graph=True.")
        (flows,) = torch.autograd.grad(result.sum(), weight, allow_unused=True)
        (should,) = torch.autograd.grad(losses.r1_r2(D, real, fake, gamma), weight)
    if flows is None or not agrees(flows, should, torch.float32):
        return not_yet("The number is right, but its gradient for D's weights is not: is a part of it cut off?")
    return right("Two penalties, one line each.")


def _officers() -> Iterator[tuple[nn.Module, Tensor, Tensor, float]]:
    """(D, real, fake, gamma): points and images, batches of different sizes, one image alone."""
    source = torch.Generator().manual_seed(0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        points = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1)).double()
        images = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(4 * 9, 1)).double()
    for D, shape in ((points, (3,)), (images, (1, 5, 5))):
        for n, m, gamma in ((7, 7, 1.0), (5, 9, 2.5), (1, 1, 0.5)):
            real, fake = (torch.randn(k, *shape, generator=source, dtype=torch.float64) for k in (n, m))
            yield D, real, 2 * fake + 1, gamma


def _slopes(D: nn.Module, images: Tensor) -> Tensor:
    """Norms of D's gradient, (n,)."""
    x = images.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(D(x).sum(), x)
    return gradient.flatten(1).norm(dim=1)


@checker(float)
def check_4(value: float) -> Verdict:
    """JS(p x q, q x p) for p all A, and q half A, half B."""
    single = 0.75 * math.log(4 / 3)  # JS(p, q)
    turns = [
        (single, "That is the value of the plain game. Two notes say more than one."),
        (2 * single, "Two notes are not worth twice one note: they are judged together."),
        (math.log(2), "That is the worth of a pair that is sure. How many pairs are?"),
        (0.5, "That is in bits. For nats take the natural logarithm."),
        (math.log(2) / 4, "Half of the pairs are sure, not a quarter."),
        (0.0, "A pair in which one note is B can be called right."),
    ]
    if pointer := fault(value, math.log(2) / 2, turns, "Go through the pairs: A and A, A and B."):
        return not_yet(pointer)
    return right("Half of the pairs are sure, and each of these is worth log 2.")


@checker(callable)
def check_5(moved: Callable[[Tensor, Tensor, Tensor], Any]) -> Verdict:
    """images (n, c, h, w), dx and dy (n,) whole -> each moved by its own way; black, -1, comes in."""
    for case, given, wanted in misses(moved, _moved, _ways()):
        images, dx, dy = case
        wrong = [
            (_moved(images, dy, dx), "dx and dy are exchanged: dx goes to the right, dy down."),
            (_moved(images, -dx, -dy), "It moves the other way: to the right and down are positive."),
            (_moved(images, -dx, dy), "Left and right are exchanged."),
            (_moved(images, dx, -dy), "Up and down are exchanged."),
            (
                torch.stack([one.roll((int(y), int(x)), (1, 2)) for one, x, y in zip(images, dx, dy, strict=True)]),
                "What leaves on one side comes back on the other. It should be lost, and black come in.",
            ),
            (_moved(images, dx[:1].expand_as(dx), dy[:1].expand_as(dy)), "Each image has its own way to go."),
            (_moved(images, dx, dy, 0.0), "What comes in should be black, -1, not 0."),
        ]
        if given.shape != wanted.shape:
            return not_yet(f"The images should keep their shape {tuple(wanted.shape)}; yours is {tuple(given.shape)}.")
        for other, pointer in wrong:
            if agrees(given.flatten(), other.flatten(), torch.float32):
                return not_yet(pointer)
        return not_yet(f"Try it on one image with a single white pixel. {told('the case tried', given, wanted)}")
    images, dx, dy = next(_ways())
    if not isinstance(moved(images, dx, dy), Tensor):
        return not_yet("The pictures are right, but a game needs them as one tensor: torch.stack makes one of a list.")
    if pointer := flow(lambda x: moved(x, dx, dy), lambda x: _moved(x, dx, dy), images):
        return not_yet(f"The pictures are right, but {pointer}")
    return right("As D's first layer this is an augmentation of real and forged images alike.")


def _moved(images: Tensor, dx: Tensor, dy: Tensor, black: float = -1.0) -> Tensor:
    h, w = images.shape[2:]
    far = max(h, w)
    padded = F.pad(images, (far, far, far, far), value=black)
    ways = zip(padded, dx.tolist(), dy.tolist(), strict=True)
    return torch.stack([one[:, far - y : far - y + h, far - x : far - x + w] for one, x, y in ways])


def _ways() -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """(images, dx, dy): sides that differ, several channels, moves of nothing and of nearly everything."""
    source = torch.Generator().manual_seed(0)
    for dtype in (torch.float64, torch.float32):
        for n, c, h, w in ((5, 1, 6, 9), (4, 3, 7, 7), (1, 1, 4, 5)):
            images = torch.rand(n, c, h, w, generator=source, dtype=dtype) * 2 - 1
            most = min(h, w)  # also where a learner exchanges them
            dx, dy = torch.randint(1 - most, most, (2, n), generator=source)
            dx[0], dy[0] = 2, -1
            yield images, dx, dy


@checker(callable)
def check_6(make: Callable[[], Any]) -> Verdict:
    """A new D for points (n, 2) that separates, pays no penalty, and passes a slope to each single point."""
    source = torch.Generator().manual_seed(0)
    side = torch.tensor([2.0, 0.0])
    real, fake = (side * sign + 0.3 * torch.randn(32, 2, generator=source) for sign in (1, -1))
    order = torch.randperm(64, generator=source)
    is_real = order < 32
    D = make()
    if not isinstance(D, nn.Module):
        return not_yet(f"make() should return a new network, an nn.Module, not {type(D).__name__}.")
    if not any(weight.requires_grad for weight in D.parameters()):
        return not_yet("Your D has no weights that could learn.")
    if not D.training:
        return not_yet("Your D is in evaluation mode: a game is played in training mode.")
    if make() is D:
        return not_yet("make() should return a new D at each call, and it returns the same one again.")
    mixed = torch.cat([real, fake])[order].requires_grad_()
    with changes(points=mixed) as changed:
        logits = D(mixed)
    if changed:
        return not_yet(f"Your D may cheat well, but {changed[0]}")
    if not isinstance(logits, Tensor) or logits.shape != (64, 1):
        shape = tuple(tensor(logits).shape)
        return not_yet(f"64 points should get logits of shape (64, 1), and yours have {shape}.")
    lead = float((logits[is_real].mean() - logits[~is_real].mean()).detach())
    if not lead >= 1:
        return not_yet(
            "Her logits of real points should be higher by 1 at least, in whatever order they come; "
            f"they are by {lead:.2f}."
        )
    forged = [int(k) for k in (~is_real).nonzero()]
    own = [torch.autograd.grad(logits[k, 0], mixed, retain_graph=True, allow_unused=True)[0] for k in forged]
    felt = min(0.0 if one is None else float(one[k].norm()) for k, one in zip(forged, own, strict=True))
    if felt < 1e-3:
        return not_yet("She pays nothing, but no slope reaches a forged point either: G cannot learn from her.")
    (summed,) = torch.autograd.grad(logits.sum(), mixed, retain_graph=True)
    price = float(losses.r1_r2(D, real, fake).detach())
    paid = max(price, float(summed.square().sum()))
    if not paid < 1e-6:
        return not_yet(
            f"She pays {paid:.3g}. The penalty sees the slope of the sum of all logits: keep that sum the same."
        )
    return right(
        f"She leads by {lead:.1f} and pays nothing. Only the slope of one logit at its own point, within the batch, "
        "shows what she does."
    )
