"""The game: two players, their steps, and the order of moves."""

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from gan_lessons.checks import black_and_white, unit_range, whole
from gan_lessons.labels import Labels, Told, beside, checked
from gan_lessons.losses import Objective
from gan_lessons.models.layers import mixes_the_batch
from gan_lessons.noise import NO_CLASSES, Prior

CHUNK = 1000  # images made at once
Penalty = Callable[[nn.Module, Tensor, Tensor], Tensor]


class GAN(NamedTuple):
    """The players and the source of noise: `G, D, prior = gan`."""

    G: nn.Module
    D: nn.Module
    prior: Prior

    def sample(self, n: int, labels: Labels | None = None) -> Tensor:
        """Draw n samples from G in eval mode, without gradients, on G's device; G's mode is put back.

        A conditional generator draws these `labels`, (n,) or one for all, or ones drawn with equal chances.
        """
        if n < 1:
            raise ValueError(f"cannot draw {n} samples; ask for at least 1")
        return self._evaluated(self.prior.sample(n, labels, device=next(self.G.parameters()).device))

    def images(
        self, noise: int | Tensor, limits: tuple[float, float] | None = None, labels: Labels | None = None
    ) -> Tensor:
        """Make images as floats in [0, 1], (n, c, h, w), in eval mode and without gradients, on G's device.

        `noise` says how many, or is itself z (n, z_dim). `limits` are G's values for black and white: (-1, 1) where G
        ends in tanh and (0, 1) where it ends in a sigmoid, which is seen without being told. Flat samples of a square
        number of values become (n, 1, h, h). 1,000 images are made at a time. A conditional generator draws these
        `labels`, (n,) or one for all; where there are none and n is a number, ones drawn with equal chances. Its
        `noise` may also be z with what stands for a label beside it already, (n, z_dim + classes).
        Raises ValueError for n under 1, limits that are none, a G with another end and no `limits`, samples that are
        no images, values outside the limits or NaN, and labels that do not fit (see `Prior.sample`).
        """
        black, white = _limits(self.G) if limits is None else limits
        black_and_white(black, white)
        if isinstance(noise, Tensor):
            chunks = [self._evaluated(z) for z in self._labelled(noise, labels).split(CHUNK)]
        else:
            n = whole("the number of images", noise)
            if labels is not None and self.prior.classes:
                labels = checked(labels, n, self.prior.classes)
            starts = range(0, n, CHUNK)
            given = [labels[k : k + CHUNK] if isinstance(labels, Tensor) else labels for k in starts]
            chunks = [self.sample(min(CHUNK, n - k), some) for k, some in zip(starts, given, strict=True)]
        samples = torch.cat(chunks)
        side = math.isqrt(samples[0].numel())
        if samples.ndim == 2 and side * side == samples.shape[1]:
            samples = samples.unflatten(1, (1, side, side))
        if samples.ndim != 4:
            raise ValueError(
                f"G makes samples of shape {tuple(samples.shape[1:])}, which are no images; take sample(n)"
            )
        images = (samples - black) / (white - black)
        unit_range(images)
        return images.clamp(0, 1)

    def _labelled(self, z: Tensor, labels: Labels | None) -> Tensor:
        """What G takes, from z (n, z_dim), with the one-hots of labels beside it where there are classes."""
        classes = self.prior.classes
        if z.ndim != 2 or not len(z):
            raise ValueError(f"noise is z (n, {self.prior.dim}) with n of at least 1, not {tuple(z.shape)}")
        if labels is not None and not classes:
            raise ValueError(NO_CLASSES)
        if classes and labels is None and z.shape[1] == self.prior.dim:
            raise ValueError(f"this generator draws what a label asks for: give labels=, from 0 to {classes - 1}")
        return z if labels is None else beside(z, labels, classes)

    def _evaluated(self, z: Tensor) -> Tensor:
        was_training = self.G.training
        self.G.eval()
        try:
            with torch.no_grad():
                return self.G(z)
        finally:
            self.G.train(was_training)


def _limits(G: nn.Module) -> tuple[float, float]:
    """The range of G's values by its last activation: (-1, 1) after tanh, (0, 1) after a sigmoid; else ValueError."""
    last = [layer for layer in G.modules() if not any(True for _ in layer.children())][-1]
    if isinstance(last, nn.Tanh):
        return -1.0, 1.0
    if isinstance(last, nn.Sigmoid):
        return 0.0, 1.0
    raise ValueError(f"G ends in {type(last).__name__}, so its range is not known: give limits=(black, white)")


class Step(NamedTuple):
    """One round of the game: its number from 1, and the last loss of each player, detached (0-d tensors)."""

    number: int
    d_loss: Tensor
    g_loss: Tensor


def discriminator_step(
    D: nn.Module, optimizer: Optimizer, objective: Objective, real: Tensor, fake: Tensor, penalty: Penalty | None = None
) -> Tensor:
    """Move D once: down the gradient of its loss on a real and a detached fake batch, each (n, ...).

    Where no layer of D looks at the whole batch, both halves go through D in one pass: the same mathematics, faster.
    """
    if mixes_the_batch(D):
        real_logits, fake_logits = D(real), D(fake)
    else:
        real_logits, fake_logits = D(torch.cat([real, fake])).split([len(real), len(fake)])
    loss = objective.d_loss(real_logits, fake_logits)
    if penalty is not None:
        loss = loss + penalty(D, real, fake)
    _descend(loss, D, optimizer)
    return loss.detach()


def generator_step(
    G: nn.Module, D: nn.Module, optimizer: Optimizer, objective: Objective, fake: Tensor, real: Tensor | None = None
) -> Tensor:
    """Move G once: `fake` = G(z) with its graph; the gradient passes through D and reaches the weights of G alone."""
    real_logits = D(real) if objective.relativistic and real is not None else None
    loss = objective.g_loss(real_logits, D(fake))
    _descend(loss, G, optimizer)
    return loss.detach()


def _descend(loss: Tensor, player: nn.Module, optimizer: Optimizer) -> None:
    """Move one player's weights by the gradient of this loss, and compute no gradient but theirs.

    What their .grad held before is replaced and the other player's is not touched, so no zero_grad and no
    requires_grad_(False) is needed.
    """
    weights = list(player.parameters())
    for weight, gradient in zip(weights, torch.autograd.grad(loss, weights, allow_unused=True), strict=True):
        if gradient is not None and gradient.stride() != weight.stride():  # a fused optimizer pairs them as they lie
            gradient = torch.empty_like(weight).copy_(gradient)
        weight.grad = gradient
    optimizer.step()


def train(
    gan: GAN,
    batches: Iterator[tuple[Tensor, ...]],
    steps: int,
    *,
    objective: Objective,
    g_optimizer: Optimizer,
    d_optimizer: Optimizer,
    d_steps: int = 1,
    g_steps: int = 1,
    penalty: Penalty | None = None,
    start: int = 0,
) -> Iterator[Step]:
    """Play rounds start + 1 to `steps` (the number of the last round), and yield a Step after each.

    Algorithm 1 of Goodfellow et al. 2014. Nothing runs until it is iterated, and what a run needs beside the game (a
    progress bar, averages, plots, checkpoints) is ordinary code in the body of the caller's `for`. In a round D moves
    d_steps times, each on a new real and a new fake batch, then G moves g_steps times, first against the fake batch
    that D saw last. `batches` yields tuples of tensors whose first is the real batch; its device is the game's.
    Raises ValueError for counts under 1, FloatingPointError when a loss is NaN or infinite.
    """
    for name, count in {"steps": steps, "d_steps": d_steps, "g_steps": g_steps}.items():
        whole(name, count)
    G, D, prior = gan

    def rounds() -> Iterator[Step]:
        for number in range(start + 1, steps + 1):
            for k in range(d_steps):
                real = next(batches)[0]
                with torch.set_grad_enabled(k == d_steps - 1):  # only the last one's graph serves G below
                    fake = G(prior.sample(len(real), device=real.device))
                d_loss = discriminator_step(D, d_optimizer, objective, real, fake.detach(), penalty)
            for k in range(g_steps):
                if k > 0:
                    fake = G(prior.sample(len(real), device=real.device))
                g_loss = generator_step(G, D, g_optimizer, objective, fake, real)
            refuse_nan(number, d_loss, g_loss)
            yield Step(number, d_loss, g_loss)

    return rounds()


def train_conditional(
    gan: GAN,
    batches: Iterator[tuple[Tensor, ...]],
    steps: int,
    *,
    objective: Objective,
    g_optimizer: Optimizer,
    d_optimizer: Optimizer,
    d_steps: int = 1,
    g_steps: int = 1,
    penalty: Penalty | None = None,
    start: int = 0,
) -> Iterator[Step]:
    """Play as `train` does, with labels: both players see the same ones beside their input (Mirza and Osindero 2014).

    `batches` yields (real, labels): images and whole numbers (n,). G draws what these very labels ask for, and D sees
    them beside real and fake images alike, so that she can tell a wrong digit, but no image by its label alone.
    Penalties see images, and no maps of labels. Raises ValueError as `train`, and for a prior without classes or
    batches without labels.
    """
    for name, count in {"steps": steps, "d_steps": d_steps, "g_steps": g_steps}.items():
        whole(name, count)
    G, D, prior = gan
    if not prior.classes:
        raise ValueError("a conditional game needs noise with labels: noise.labelled(prior, classes)")

    def rounds() -> Iterator[Step]:
        for number in range(start + 1, steps + 1):
            for k in range(d_steps):
                real, labels = _images_and_labels(next(batches))
                told = Told(D, labels, prior.classes)
                with torch.set_grad_enabled(k == d_steps - 1):  # only the last one's graph serves G below
                    fake = G(prior.sample(len(real), labels, device=real.device))
                d_loss = discriminator_step(told, d_optimizer, objective, real, fake.detach(), penalty)
            for k in range(g_steps):
                if k > 0:
                    fake = G(prior.sample(len(real), labels, device=real.device))
                g_loss = generator_step(G, told, g_optimizer, objective, fake, real)
            refuse_nan(number, d_loss, g_loss)
            yield Step(number, d_loss, g_loss)

    return rounds()


def _images_and_labels(batch: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    if len(batch) != 2 or batch[1].ndim != 1:
        raise ValueError("a conditional game needs (images, labels) in a batch: data.batches((images, labels), n)")
    return batch[0], batch[1]


def train_falling(
    gan: GAN,
    batches: Iterator[tuple[Tensor, ...]],
    steps: int,
    *,
    g_optimizer: Optimizer,
    d_optimizer: Optimizer,
    start: int = 0,
    **game: Any,
) -> Iterator[Step]:
    """Play as `train` does, with rates that stay as they are for half of the rounds and then fall linearly to 0.

    They are a function of the round and of the rates that the optimizers began with, which stay in their groups as
    "initial_lr" (torch's schedulers keep them there, too), so that a resumed run has the same ones.
    """
    groups = [*g_optimizer.param_groups, *d_optimizer.param_groups]
    for group in groups:
        group.setdefault("initial_lr", group["lr"])

    def fall(number: int) -> None:
        for group in groups:
            group["lr"] = group["initial_lr"] * min(1.0, 2 * (1 - (number - 1) / steps))

    rounds = train(gan, batches, steps, g_optimizer=g_optimizer, d_optimizer=d_optimizer, start=start, **game)

    def played() -> Iterator[Step]:
        fall(start + 1)
        for step in rounds:
            yield step
            fall(step.number + 1)

    return played()


def refuse_nan(number: int, d_loss: Tensor, g_loss: Tensor) -> None:
    """Raise FloatingPointError, with the usual causes, where the losses of round `number` are NaN or infinite.

    Looked at in each round on a CPU, and in each 100th on another device, which has to be waited for.
    """
    if d_loss.device.type != "cpu" and (number % 100 or torch.cuda.is_current_stream_capturing()):
        return
    if not math.isfinite(d_loss + g_loss):
        raise FloatingPointError(
            f"at step {number} the losses are D {float(d_loss):g}, G {float(g_loss):g}: training has diverged. Usual "
            "causes: a learning rate too large (try a tenth), a log of a probability in place of softplus of a logit, "
            "real images far outside [-1, 1], or a penalty too strong"
        )
