"""Checkers of chapter 05, The MLP GAN."""

import copy
import inspect
import math
import struct
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_lessons import losses, models, noise
from gan_lessons.exercises import Verdict, checker, not_yet, right
from gan_lessons.exercises.forms import Form, Found, any_number, number, several, table, tensor
from gan_lessons.exercises.rounding import fault
from gan_lessons.exercises.traces import changes, unplayable
from gan_lessons.training import discriminator_step

Loss = Callable[[Tensor, Tensor], Tensor]


def _a_label(value: Any) -> float:
    """A number, True or False, a word, or a batch of equal labels such as torch.ones(64, 1)."""
    words = {"real": 1.0, "fake": 0.0, "ones": 1.0, "zeros": 0.0, "1": 1.0, "0": 0.0}
    if isinstance(value, str) and value.strip().casefold() in words:
        return words[value.strip().casefold()]
    if isinstance(value, (bool, str)):
        return float(value) if isinstance(value, bool) else float(number.convert(value))
    labels = tensor.convert(value).flatten()
    if len(labels) == 0 or not bool((labels == labels[0]).all()):
        raise Found("it holds several numbers")
    return float(number.convert(labels[0]))


@checker(table(Form("a label, 0 or 1,", _a_label), "D, real", "D, fake", "G, fake"))
def check_1(labels: dict[str, float]) -> Verdict:
    """Which label goes where: {"D, real": 1, "D, fake": 0, "G, fake": 1}."""
    wanted = {"D, real": 1.0, "D, fake": 0.0, "G, fake": 1.0}
    if labels == wanted:
        return right("The same fake images get 0 when D moves and 1 when G moves.")
    for name, label in labels.items():
        if label not in (0.0, 1.0):
            return not_yet(f"Look at {name!r}: {label:g} is no label of this game. They are 1 for real and 0 for fake.")
    if labels["G, fake"] == 0:
        return not_yet("Look at G's label: with 0, G would learn to be recognised as a forger.")
    return not_yet("Look at D's labels: D wants to say 1 for real and 0 for fake.")


@checker(int)
def check_2(count: int) -> Verdict:
    """Parameters of the generator 100-128-256-512-784."""
    G, D = models.mlp_generator((128, 256, 512), slope=0.2, signed=True), models.mlp_discriminator((512, 256))
    truth, of_D = (sum(p.numel() for p in network.parameters()) for network in (G, D))
    weights = sum(p.numel() for p in G.parameters() if p.ndim == 2)
    turns = [
        (weights, "These are the matrices. Each layer also has one bias for each of its outputs."),
        (truth + 100, "The 100 numbers of the noise are no layer: they have no biases."),
        (truth - weights, "These are the biases. Each layer also has a matrix of weights."),
        (of_D, "This is the discriminator, 784–512–256–1. The generator has four layers."),
    ]
    otherwise = "Add up m·n + n for the four layers 100→128, 128→256, 256→512 and 512→784."
    roughly = "About right. Count them one by one: the exact number is asked for."
    if pointer := fault(count, truth, turns, otherwise, digits=6, roughly=roughly):
        return not_yet(pointer)
    return right(f"Of the {truth:,} numbers {512 * 784 + 784:,} sit in the last layer.")


@checker(callable)
def check_3(idx_shape: Callable[[bytes], Any]) -> Verdict:
    """A reader of IDX headers: bytes -> shape."""
    for shape in ((300, 28, 28), (10_000,), (2, 3, 4, 5), (70_000, 2), (2**24 + 1,), (1, 2, 1, 2, 1, 2, 1)):
        file = struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape) + bytes(math.prod(shape))
        given = several(int)(idx_shape(file))
        if given == shape:
            continue
        swapped = tuple(struct.unpack(f"<{len(shape)}I", file[4 : 4 + 4 * len(shape)]))
        if given == swapped:
            return not_yet(f"{shape} came out as {given}: the most significant byte comes first, 'big'.")
        if len(given) == len(shape):
            return not_yet(f"The header of shape {shape} came out as {given}. Each dimension takes four bytes.")
        return not_yet(f"The header of shape {shape} came out as {given}. Byte 3 holds the number of dimensions.")
    for first in ((1, 0, 8), (0, 1, 8), (0, 0, 9), (0, 0, 13), (31, 139, 8)):
        wrong = bytes([*first, 1, 0, 0, 0, 1, 0])
        begins = f"a file that begins with {wrong[:3].hex(' ')} should raise a ValueError"
        try:
            inspect.unwrap(idx_shape)(wrong)  # giving back nothing is an answer here
        except ValueError:
            continue
        except Exception as error:
            return not_yet(f"The shapes are right, but {begins}, and yours raises {type(error).__name__}.")
        return not_yet(f"The shapes are right, but {begins}.")
    return right("Any number of dimensions, and other files are refused.")


@checker(callable, returns=False)
def check_4(d_step: Callable[[nn.Module, torch.optim.Optimizer, Tensor, Tensor], object]) -> Verdict:
    """One step of D, in place, with left-over gradients in D and a graph behind fake."""
    for n, dtype, sure in ((16, torch.float32, False), (16, torch.float64, False), (1, torch.float64, True)):
        if pointer := _of_the_step(d_step, _table(n, dtype, sure)):
            return not_yet(pointer)
    return right("One step down D's own loss, and nothing reached G.")


class _Table(NamedTuple):
    G: nn.Module
    D: nn.Module
    real: Tensor
    fake: Tensor
    sure: bool


def _table(n: int, dtype: torch.dtype, sure: bool) -> _Table:
    """A game in which G has just moved, so that D holds a gradient; sure: D takes everything for real."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        G, D = models.mlp_generator((8,), 4, 9).to(dtype), models.mlp_discriminator((8,), 9).to(dtype)
        real, fake = torch.rand(n, 9).to(dtype), G(noise.gaussian(4).sample(n).to(dtype))
    if sure:
        with torch.no_grad():
            list(D.parameters())[-1].fill_(200.0)
    (losses.non_saturating.g_loss(None, D(fake.detach())) + D(real).mean()).backward()
    return _Table(G, D, real, fake, sure)


def _of_the_step(d_step: Callable[..., object], game: _Table) -> str:
    """What is wrong with a step of D; "" where nothing is."""
    G, D, real, fake, sure = game
    before, rate = copy.deepcopy(D), 0.5
    leftover = [p.grad.clone() for p in D.parameters() if p.grad is not None]
    with changes(real=real, fake=fake) as changed:
        d_step(D, torch.optim.SGD(D.parameters(), rate), real, fake)
    if any(p.grad is not None for p in G.parameters()):
        return "A gradient arrived at G. Cut the graph of the fake images before D sees them."
    if not fake.requires_grad:
        return "D's step may be right, but it cut the graph of `fake` for good, and G's move needs it: no detach_()."
    if left := changed[0] if changed else unplayable(D=D):
        return f"D's step may be right, but {left}"
    if _equal(D, before):
        return "D has not moved. Did you call backward() and step()?"
    truth = copy.deepcopy(before)
    discriminator_step(truth, torch.optim.SGD(truth.parameters(), rate), losses.non_saturating, real, fake.detach())
    if _equal(D, truth):
        return ""
    if sure:
        return (
            "Right for ordinary logits, but not where D is sure of itself: a sigmoid rounds to 1 there. Stay on "
            "logits, with BCEWithLogitsLoss or softplus."
        )
    with torch.no_grad():
        piled = copy.deepcopy(truth)
        for p, g in zip(piled.parameters(), leftover, strict=True):
            p.sub_(rate * g)
    if _equal(D, piled):
        return "The gradient that G's last step left in D was added to yours. Wipe it first."
    for words, wrong in _wrong_losses():
        other = copy.deepcopy(before)
        optimizer = torch.optim.SGD(other.parameters(), rate)
        optimizer.zero_grad()
        wrong(other(real), other(fake.detach())).backward()
        optimizer.step()
        if _equal(D, other):
            return words
    return "D moved, but not down real + fake on logits. Look at the labels and at the sum of two means."


def _wrong_losses() -> Iterator[tuple[str, Loss]]:
    d_loss = losses.non_saturating.d_loss
    yield "That is half of D's loss: the sum of the two means is asked for, real + fake.", lambda a, b: d_loss(a, b) / 2
    yield "The labels are swapped: D wants to say 1 for real and 0 for fake.", lambda a, b: d_loss(b, a)
    yield "D moved up its loss, not down.", lambda a, b: -d_loss(a, b)
    yield "Those are sums over the images. Take the mean of each kind.", lambda a, b: len(a) * d_loss(a, b)
    one = "D heard of the {} images only. Its loss is real + fake."
    yield one.format("real"), lambda a, b: F.softplus(-a).mean()
    yield one.format("fake"), lambda a, b: F.softplus(b).mean()
    yield (
        "That is a sigmoid too many: D gives logits, and the loss on logits holds a sigmoid already.",
        lambda a, b: d_loss(a.sigmoid(), b.sigmoid()),
    )


@checker(table(float, "SGD", "Adam"))
def check_5(factors: dict[str, float]) -> Verdict:
    """The factor on the first step's size when the loss is halved, for SGD and Adam: measured here."""
    truth = {"SGD": _first_step_ratio(torch.optim.SGD), "Adam": _first_step_ratio(torch.optim.Adam)}
    turns = [
        (2.0, "By which factor does the step change when the loss is *halved*?"),
        (0.0, "The question is for the factor, not for the change."),
    ]
    hints = {
        "SGD": "SGD moves by the learning rate times the gradient.",
        "Adam": "Adam divides the gradient by a running root mean square of itself: what is left of a factor?",
    }
    for name, answer in factors.items():
        if pointer := fault(answer, truth[name], turns, hints[name]):
            return not_yet(f"Look at {name}. {pointer}")
    return right("Adam forgets the scale of the loss; only its ε still knows it.")


@checker(several(int, 2), tensor)
def try_twins(pair: tuple[int, int], tiles: Tensor) -> Verdict:
    """Two images of a sheet, numbered from 1 row by row, that are the same to the pixel."""
    n = len(tiles)
    if out := [number for number in pair if not 1 <= number <= n]:
        return not_yet(f"There is no image {out[0]}: count from 1 to {n}, row by row.")
    one, other = pair
    if one == other:
        return not_yet(f"That is image {one} twice. Name two places.")
    if torch.equal(tiles[one - 1], tiles[other - 1]):
        different = len(tiles.flatten(1).unique(dim=0))
        return right(f"The same image twice. On this sheet of {n} there are {different} different ones.")
    apart = float((tiles[one - 1].double() - tiles[other - 1].double()).abs().mean())
    return not_yet(
        f"Images {one} and {other} differ, by {apart:.0f} grey values of 255 a pixel. Look stroke by stroke."
    )


@checker(callable)
def check_6(share_of_copies: Callable[[Tensor, Tensor, Tensor], Any]) -> Verdict:
    """The share of samples nearer to the training set than 95 % of the test set is, on data with known copies.

    There are several quantiles of a sample: all shares between those of the two nearest limits are right.
    """
    for name, (samples, train, test) in _collections():
        low, high = _copies(samples, train, test)
        with changes(samples=samples, train=train, test=test) as changed:
            given = any_number(share_of_copies(samples, train, test))
        if changed:
            return not_yet(f"Look at what is left: {changed[0]}")
        if low - 1e-4 <= given <= high + 1e-4:
            continue
        if low - 1e-4 <= 1 - given <= high + 1e-4:
            return not_yet(f"For {name} you count those that are farther: turn the comparison round.")
        if low - 1e-2 <= given / 100 <= high + 1e-2 and given > 1:
            return not_yet(f"For {name} yours is {given:g}. A share lies between 0 and 1: no per cent, no counts.")
        if low - 1e-4 <= given / len(samples) <= high + 1e-4:
            return not_yet(f"For {name} yours is {given:g}: that is how many they are. Take the mean.")
        return not_yet(
            f"For {name} the share is {high:.3f}, yours {given:.3f}. The limit is the 5 % quantile of the test "
            "images' distances to the training images; the samples' distances are to the training images too."
        )
    return right("All copies are found, and honest samples pass at about the 5 % that the limit allows.")


def _collections() -> Iterator[tuple[str, tuple[Tensor, Tensor, Tensor]]]:
    """(samples, train, test) of several sizes and in both precisions."""
    generator = torch.Generator().manual_seed(0)
    train, test = torch.randn(400, 20, generator=generator), torch.randn(400, 20, generator=generator)
    honest = torch.randn(400, 20, generator=generator)
    copies = train[:400] + 0.01 * torch.randn(400, 20, generator=generator)
    yield "copies alone", (copies, train, test)
    yield "honest samples alone", (honest, train, test)
    yield "one copy in four", (torch.cat([copies[:100], honest[:300]]), train, test)
    yield "copies of the test set", (test + 0.01, train, test)
    few = torch.cat([copies[:30], honest[:60]])
    yield "90 samples, 400 training and 130 test images", (few, train, test[:130])
    yield "90 samples, 200 training and 400 test images in float64", (few.double(), train[:200].double(), test.double())
    yield "a single copy", (copies[:1], train, test)


def _copies(samples: Tensor, train: Tensor, test: Tensor) -> tuple[float, float]:
    """The share of copies under the largest and the smallest distance that can be called the 5 % quantile."""
    limits = torch.cdist(test, train).min(1).values.sort().values
    low, high = limits[math.floor(0.05 * (len(limits) - 1))], limits[math.ceil(0.05 * len(limits))]
    distances = torch.cdist(samples, train).min(1).values
    return float((distances < low).double().mean()), float((distances <= high).double().mean())


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
