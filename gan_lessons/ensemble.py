"""The same game for many seeds at once: S small networks as one, so that ten seeds cost little more than one.

The seeds stand in the second axis, (n, S, d), behind the batch. So `train` and both steps of training.py play an
ensemble as they play a single pair; all that changes is what is passed to them.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gan_lessons.losses import Objective
from gan_lessons.noise import Prior


class StackedLinear(nn.Module):
    """S linear layers side by side: (S, n, inputs) -> (S, n, outputs), each seed by its own weights."""

    def __init__(self, layers: Sequence[nn.Linear]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.stack([layer.weight.detach().T for layer in layers]))  # (S, inputs, outputs)
        self.bias = nn.Parameter(torch.stack([layer.bias.detach() for layer in layers])[:, None])  # (S, 1, outputs)

    def forward(self, x: Tensor) -> Tensor:
        if self.weight.shape[2] == 1:  # for a single output, products and sums beat S thin matrices
            return (x * self.weight.transpose(1, 2)).sum(2, keepdim=True) + self.bias
        return torch.baddbmm(self.bias, x, self.weight)


class StackedNorm(nn.Module):
    """S batch normalisations side by side, (S, n, features): each seed by the statistics of its own batch."""

    def __init__(self, layers: Sequence[nn.BatchNorm1d]) -> None:
        super().__init__()
        one = layers[0]
        self.norm = nn.BatchNorm1d(len(layers) * one.num_features, one.eps, one.momentum).to(one.weight)
        for name, tensor in self.norm.state_dict().items():
            parts = [layer.state_dict()[name] for layer in layers]
            tensor.copy_(torch.cat(parts) if parts[0].ndim else parts[0])

    def forward(self, x: Tensor) -> Tensor:
        seeds, n, features = x.shape
        side_by_side = x.transpose(0, 1).reshape(n, seeds * features)
        normed: Tensor = self.norm(side_by_side)
        return normed.unflatten(1, (seeds, features)).transpose(0, 1)


class Stacked(nn.Sequential):
    """S networks side by side: (n, S, inputs) -> (n, S, outputs). Between the layers the seeds stand in front."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.transpose(0, 1)).transpose(0, 1)


def stack(networks: Sequence[nn.Sequential]) -> Stacked:
    """Make S equal networks of linear layers, batch normalisations and activations into one; weights are copied.

    Raises ValueError for networks of different shapes or with other layers than these.
    """
    shapes = {tuple((k, tuple(v.shape)) for k, v in network.state_dict().items()) for network in networks}
    if len(shapes) != 1:
        raise ValueError(f"an ensemble needs at least one network, and all of one shape; here are {len(shapes)} shapes")
    layers: list[nn.Module] = []
    for column in zip(*networks, strict=True):
        if all(isinstance(layer, nn.Linear) for layer in column):
            layers.append(StackedLinear(column))
        elif all(isinstance(layer, nn.BatchNorm1d) for layer in column):
            layers.append(StackedNorm(column))
        elif any(True for _ in column[0].parameters()) or any(True for _ in column[0].buffers()):
            raise ValueError(
                f"cannot stack a {type(column[0]).__name__}; networks of Linear, BatchNorm1d and activations only"
            )
        else:
            layer = copy.copy(column[0])
            if isinstance(layer, nn.ReLU | nn.LeakyReLU) and layers and isinstance(layers[-1], StackedLinear):
                layer.inplace = True  # its gradient needs the result alone, and many seeds are slow by their memory
            layers.append(layer)
    return Stacked(*layers)


def seeded(make: Callable[[], nn.Sequential], seeds: Sequence[int]) -> Stacked:
    """Stack the networks that make() returns, one a seed, each made right after torch.manual_seed(seed)."""
    networks = []
    for seed in seeds:
        torch.manual_seed(seed)
        networks.append(make())
    return stack(networks)


@torch.no_grad()
def on_line(networks: nn.Module, places: Tensor, seeds: int) -> Tensor:
    """What S stacked networks, each from one number to one number, answer at places (m,): (m, S), in their dtype."""
    own = places.to(next(networks.parameters()).dtype)
    return networks(own[:, None, None].expand(-1, seeds, 1))[..., 0].to(places.dtype)


def stack_prior(prior: Prior, generators: Sequence[torch.Generator]) -> Prior:
    """A prior that draws (n, S, dim), the part of each seed from its own generator."""

    def draw(n: int, dim: int, **where: Any) -> Tensor:
        return torch.stack([prior.draw(n, dim, generator=generator, **where) for generator in generators], 1)

    return Prior(f"{prior.name} × {len(generators)}", prior.dim, draw)


def shared_prior(prior: Prior, seeds: int) -> Prior:
    """A prior that draws (n, S, dim) for all seeds in one call.

    Shorter than `stack_prior`, but what one seed gets depends on how many there are.
    """

    def draw(n: int, dim: int, **where: Any) -> Tensor:
        return prior.draw(n * seeds, dim, **where).reshape(n, seeds, dim)

    return Prior(f"{prior.name} × {seeds}", prior.dim, draw)


def stack_batches(sources: Sequence[Iterator[tuple[Tensor, ...]]]) -> Iterator[tuple[Tensor, ...]]:
    """Endless batches (n, S, d) from one iterator a seed."""
    for parts in zip(*sources, strict=True):
        yield tuple(torch.stack(column, 1) for column in zip(*parts, strict=True))


def points(
    sample: Callable[..., Tensor], batch_size: int, generators: Sequence[torch.Generator], ahead: int = 1
) -> Iterator[tuple[Tensor]]:
    """Endless batches of fresh points, sample(n, generator=...) -> (n, d), as (n, S, d): one generator a seed.

    Each seed draws `ahead` batches at a time, which is faster; what it draws does not depend on the other seeds.
    """
    while True:
        drawn = torch.stack([sample(ahead * batch_size, generator=generator) for generator in generators], 1)
        yield from ((batch,) for batch in drawn.split(batch_size))


def shared_points(
    sample: Callable[..., Tensor], batch_size: int, seeds: int, generator: torch.Generator
) -> Iterator[tuple[Tensor]]:
    """Endless batches of fresh points, sample(n, generator=...) -> (n, d), as (n, S, d): one generator for all seeds.

    Shorter than `points`, but what one seed gets depends on how many there are.
    """
    while True:
        drawn = sample(batch_size * seeds, generator=generator)
        yield (drawn.reshape(batch_size, seeds, -1),)


def over_seeds(objective: Objective, seeds: int) -> Objective:
    """The objective as a sum over seeds, so that each seed's gradient is the one it would have alone."""

    def d_loss(real: Tensor, fake: Tensor) -> Tensor:
        return seeds * objective.d_loss(real, fake)

    def g_loss(real: Tensor | None, fake: Tensor) -> Tensor:
        return seeds * objective.g_loss(real, fake)

    return Objective(f"{objective.name}, summed over {seeds} seeds", d_loss, g_loss, objective.relativistic)
