"""The game: two players, their steps, and the order of moves."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from gan_lessons.graphs import Recorder, Replayed
from gan_lessons.losses import Objective
from gan_lessons.models import sees_the_batch
from gan_lessons.noise import Prior

Penalty = Callable[[nn.Module, Tensor, Tensor], Tensor]


class GAN(NamedTuple):
    """The players and the source of noise: `G, D, prior = gan`."""

    G: nn.Module
    D: nn.Module
    prior: Prior

    def sample(self, n: int) -> Tensor:
        """Draw n samples from G in eval mode, without gradients, on G's device; G's mode is put back."""
        if n < 1:
            raise ValueError(f"cannot draw {n} samples; ask for at least 1")
        device = next(self.G.parameters()).device
        was_training = self.G.training
        self.G.eval()
        try:
            with torch.no_grad():
                return self.G(self.prior.sample(n, device=device))
        finally:
            self.G.train(was_training)


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
    if sees_the_batch(D):
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

    What their .grad held before is replaced and the other player's is not touched: nothing to freeze, nothing to clear.
    """
    weights = list(player.parameters())
    for weight, gradient in zip(weights, torch.autograd.grad(loss, weights, allow_unused=True), strict=True):
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
    recorder: Recorder | None = None,
) -> Iterator[Step]:
    """Play rounds start + 1 … steps of the game and yield a Step after each (Goodfellow et al. 2014, Algorithm 1).

    A generator function: nothing runs until it is iterated, and what a run needs beside the game (a progress bar,
    averages, plots, checkpoints) is ordinary code in the body of the caller's `for`. In a round D moves d_steps times,
    each on a new real and a new fake batch, then G moves g_steps times, first against the fake batch that D saw last.
    `batches` yields tuples of tensors whose first is the real batch; its device is the game's.
    With a `recorder`, such as `graphs.recorder(device)`, a round is recorded once and then replayed: the same game,
    but all its batches are drawn before its moves, so layers and losses that draw numbers themselves may draw others.
    Raises ValueError for counts under 1, FloatingPointError when a loss is NaN or infinite (looked at in each
    round on a CPU, each 100th on another device, which would otherwise have to be waited for).
    """
    for name, count in {"steps": steps, "d_steps": d_steps, "g_steps": g_steps}.items():
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise ValueError(f"{name} must be a whole number of at least 1, not {count!r}")
    moves = _Moves(gan, objective, g_optimizer, d_optimizer, d_steps, g_steps, penalty)
    return _rounds(moves, batches, range(start + 1, steps + 1), recorder)


class _Moves(NamedTuple):
    """One round but for its batches: who moves how often, by which gradient."""

    gan: GAN
    objective: Objective
    g_optimizer: Optimizer
    d_optimizer: Optimizer
    d_steps: int
    g_steps: int
    penalty: Penalty | None

    def play(self, reals: Iterator[Tensor], noise: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
        """Take d_steps real batches, and of noise one for each of them and for each further move of G."""
        G, D, _ = self.gan
        for k in range(self.d_steps):
            real = next(reals)
            with torch.set_grad_enabled(k == self.d_steps - 1):  # only the last one's graph serves G below
                fake = G(noise(real))
            d_loss = discriminator_step(D, self.d_optimizer, self.objective, real, fake.detach(), self.penalty)
        for k in range(self.g_steps):
            if k > 0:
                fake = G(noise(real))
            g_loss = generator_step(G, D, self.g_optimizer, self.objective, fake, real)
        return d_loss, g_loss


def _rounds(
    moves: _Moves, batches: Iterator[tuple[Tensor, ...]], numbers: range, recorder: Recorder | None
) -> Iterator[Step]:
    (G, D, prior), d_steps, draws = moves.gan, moves.d_steps, moves.d_steps + moves.g_steps - 1
    reals = (batch[0] for batch in batches)

    def noise(real: Tensor) -> Tensor:
        return prior.sample(len(real), device=real.device)

    def from_memory(drawn: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        ready = iter(drawn[d_steps:])
        return moves.play(iter(drawn[:d_steps]), lambda _: next(ready))

    replayed = recorder and Replayed(from_memory, (G, D), (moves.g_optimizer, moves.d_optimizer), recorder)
    for number in numbers:
        if replayed:
            real, drawn = [], []
            for k in range(draws):
                if k < d_steps:
                    real.append(next(reals))
                drawn.append(noise(real[-1]))
            d_loss, g_loss = replayed([*real, *drawn])
        else:
            d_loss, g_loss = moves.play(reals, noise)
        if number % (1 if d_loss.device.type == "cpu" else 100) == 0:
            _refuse_nan(number, d_loss, g_loss)
        yield Step(number, d_loss, g_loss)


def _refuse_nan(number: int, d_loss: Tensor, g_loss: Tensor) -> None:
    if not math.isfinite(d_loss + g_loss):
        raise FloatingPointError(
            f"at step {number} the losses are D {float(d_loss):g}, G {float(g_loss):g}: training has diverged. Usual "
            "causes: a learning rate too large (try a tenth), a log of a probability in place of softplus of a logit, "
            "real images far outside [-1, 1], or a penalty too strong"
        )
