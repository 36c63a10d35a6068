"""Checkers of chapter 05, The MLP GAN."""

import copy
import struct
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from gan_lessons import losses, models, noise
from gan_lessons.exercises import Verdict, checker, close, not_yet, right
from gan_lessons.training import discriminator_step


@checker(dict)
def check_1(labels: Mapping[str, float]) -> Verdict:
    """Which label goes where: {"D, real": 1, "D, fake": 0, "G, fake": 1}."""
    wanted = {"D, real": 1, "D, fake": 0, "G, fake": 1}
    if set(labels) != set(wanted):
        return not_yet(f"Keep the three keys {list(wanted)}.")
    if labels == wanted:
        return right("The same fake images get 0 when D moves and 1 when G moves.")
    if labels["G, fake"] == 0:
        return not_yet("Look at G's label: with 0, G would learn to be recognised as a forger.")
    return not_yet("Look at D's labels: D wants to say 1 for real and 0 for fake.")


@checker(int)
def check_2(count: int) -> Verdict:
    """Parameters of the generator 100-128-256-512-784."""
    G = models.mlp_generator((128, 256, 512), slope=0.2, signed=True)
    truth = sum(p.numel() for p in G.parameters())
    weights = sum(p.numel() for p in G.parameters() if p.ndim == 2)
    if count == truth:
        return right(f"Of the {truth:,} numbers {512 * 784 + 784:,} sit in the last layer.")
    if count == weights:
        return not_yet("These are the matrices. Each layer also has one bias for each of its outputs.")
    D = models.mlp_discriminator((512, 256))
    if count == sum(p.numel() for p in D.parameters()):
        return not_yet("This is the discriminator, 784–512–256–1. The generator has four layers.")
    return not_yet("Add up m·n + n for the four layers 100→128, 128→256, 256→512 and 512→784.")


@checker(callable)
def check_3(idx_shape: Callable[[bytes], tuple[int, ...]]) -> Verdict:
    """A reader of IDX headers: bytes -> shape."""
    for shape in ((60_000, 28, 28), (10_000,), (2, 3, 4, 5)):
        file = struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape) + bytes(7)
        found: Any = idx_shape(file)
        if not isinstance(found, tuple):
            return not_yet(f"The shape should be a tuple such as {shape}, but it is a {type(found).__name__}.")
        if found == shape:
            continue
        swapped = tuple(struct.unpack(f"<{len(shape)}I", file[4 : 4 + 4 * len(shape)]))
        if found == swapped:
            return not_yet(f"{shape} came out as {found}: the most significant byte comes first, 'big'.")
        return not_yet(f"The header of shape {shape} came out as {found}. Byte 3 holds the number of dimensions.")
    for first in ((1, 0, 8), (0, 1, 8), (0, 0, 9), (0, 0, 13)):
        wrong = bytes([*first, 1, 0, 0, 0, 1])
        try:
            idx_shape(wrong)
        except ValueError:
            continue
        return not_yet(
            f"The shapes are right, but a file that begins with {wrong[:3].hex(' ')} should raise a ValueError."
        )
    return right("Any number of dimensions, and other files are refused.")


@checker(callable, returns=False)
def check_4(d_step: Callable[[nn.Module, torch.optim.Optimizer, Tensor, Tensor], object]) -> Verdict:
    """One step of D, in place, with left-over gradients in D and a graph behind fake."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        G, D = models.mlp_generator((8,), 4, 9), models.mlp_discriminator((8,), 9)
        real, fake = torch.rand(16, 9), G(noise.gaussian(4).sample(16))
    truth, leftover = copy.deepcopy(D), copy.deepcopy(D)
    discriminator_step(truth, torch.optim.SGD(truth.parameters(), 0.5), losses.non_saturating, real, fake.detach())
    for network in (D, leftover):
        losses.non_saturating.g_loss(None, network(fake.detach())).backward()  # what G's move leaves in D
    losses.non_saturating.d_loss(leftover(real), leftover(fake.detach())).backward()
    torch.optim.SGD(leftover.parameters(), 0.5).step()
    before = copy.deepcopy(D)
    d_step(D, torch.optim.SGD(D.parameters(), 0.5), real, fake)
    if any(p.grad is not None for p in G.parameters()):
        return not_yet("A gradient arrived at G. Cut the graph of the fake images before D sees them.")
    if _equal(D, before):
        return not_yet("D has not moved. Did you call backward() and step()?")
    if _equal(D, leftover):
        return not_yet("The gradient that G's last step left in D was added to yours. Wipe it first.")
    if not _equal(D, truth):
        return not_yet("D moved, but not down real + fake on logits. Look at the labels and at the sum of two means.")
    return right("One step down D's own loss, and nothing reached G.")


@checker(dict)
def check_5(factors: Mapping[str, float]) -> Verdict:
    """The factor on the first step's size when the loss is halved, for SGD and Adam: measured here."""
    if set(factors) != {"SGD", "Adam"}:
        return not_yet("Keep the two keys 'SGD' and 'Adam'.")
    truth = {"SGD": _first_step_ratio(torch.optim.SGD), "Adam": _first_step_ratio(torch.optim.Adam)}
    wrong = [name for name in truth if not close(factors[name], truth[name], 1e-2)]
    if not wrong:
        return right("Adam forgets the scale of the loss; only its ε still knows it.")
    hints = {
        "SGD": "SGD moves by the learning rate times the gradient.",
        "Adam": "Adam divides the gradient by a running root mean square of itself: what is left of a factor?",
    }
    return not_yet(f"Look at {' and '.join(wrong)}. {hints[wrong[0]]}")


@checker(callable)
def check_6(share_of_copies: Callable[[Tensor, Tensor, Tensor], float]) -> Verdict:
    """The share of samples nearer to the training set than 95 % of the test set is, on data with known copies."""
    generator = torch.Generator().manual_seed(0)
    train, test = torch.randn(400, 20, generator=generator), torch.randn(400, 20, generator=generator)
    honest = torch.randn(400, 20, generator=generator)
    copies = train[:400] + 0.01 * torch.randn(400, 20, generator=generator)
    cases = {
        "copies alone": (copies, 1.0),
        "honest samples alone": (honest, _copies(honest, train, test)),
        "one copy in four": (torch.cat([copies[:100], honest[:300]]), None),
        "copies of the test set": (test + 0.01, None),
    }
    for name, (samples, known) in cases.items():
        truth = _copies(samples, train, test) if known is None else known
        found = share_of_copies(samples, train, test)
        if close(found, truth, 1e-3):
            continue
        if close(found, 1 - truth, 1e-3):
            return not_yet(f"For {name} you count those that are farther: turn the comparison round.")
        return not_yet(
            f"For {name} the share is {truth:.3f}, yours {float(found):.3f}. The limit is the 5 % quantile of the test "
            "images' distances to the training images; the samples' distances are to the training images too."
        )
    return right("All copies are found, and honest samples pass at about the 5 % that the limit allows.")


def _copies(samples: Tensor, train: Tensor, test: Tensor) -> float:
    limit = torch.cdist(test, train).min(1).values.quantile(0.05)
    return float((torch.cdist(samples, train).min(1).values < limit).float().mean())


def _equal(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return all(torch.allclose(p, q, rtol=1e-4, atol=1e-6) for p, q in pairs)


def _first_step_ratio(kind: Any) -> float:
    """Size of the first step on half a loss over its size on the whole loss."""
    moves = []
    for factor in (1.0, 0.5):
        weight = torch.tensor([3.0, -1.0], dtype=torch.float64, requires_grad=True)
        before = weight.detach().clone()
        optimizer = kind([weight], lr=0.1)
        (factor * weight.square().sum()).backward()
        optimizer.step()
        moves.append(float((weight.detach() - before).norm()))
    return moves[1] / moves[0]
