"""Toy distributions whose modes and density are known exactly: mixtures of round Gaussians in any dimension."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from gan_lessons.checks import whole


class Mixture(NamedTuple):
    """A mixture of k round Gaussians in d dimensions: p(x) = sum_i weights_i N(x; means_i, stds_i^2 I)."""

    name: str
    means: Tensor  # (k, d)
    stds: Tensor  # (k,)
    weights: Tensor  # (k,), adding up to 1

    @property
    def modes(self) -> int:
        """How many components there are: k."""
        return self.means.shape[0]

    @property
    def dim(self) -> int:
        """The dimension of the space: d."""
        return self.means.shape[1]

    def sample(
        self, n: int, *, generator: torch.Generator | None = None, device: str | torch.device | None = None
    ) -> Tensor:
        """Draw n points, shape (n, d), from `generator`, or from the global random state of `device` (CPU)."""
        drawn_on = generator.device if generator is not None else torch.device(device or "cpu")
        means, stds, weights = (part.to(drawn_on) for part in self[1:])
        which = torch.multinomial(weights, n, replacement=True, generator=generator)  # (n,)
        noise = torch.randn(n, self.dim, generator=generator, device=drawn_on)
        return (means[which] + stds[which, None] * noise).to(device or drawn_on)

    def log_density(self, x: Tensor) -> Tensor:
        """Return log p(x) in nats: (n, d) -> (n,), in the precision and on the device of x, differentiable in x."""
        if x.ndim != 2 or x.shape[1] != self.dim:
            raise ValueError(f"{self.name} has points of shape (n, {self.dim}), not {tuple(x.shape)}")
        means, stds, weights = (part.to(x) for part in self[1:])
        # differences, not |x|^2 - 2 x.m + |m|^2: with a std of .01 the latter loses every digit of float32
        squared = (x[:, None] - means).square().sum(-1) / stds.square()  # (n, k)
        log_normaliser = self.dim * (stds.log() + 0.5 * math.log(2 * math.pi))  # (k,)
        return torch.logsumexp(weights.log() - log_normaliser - squared / 2, dim=1)


def mixture(
    means: Sequence[float] | Sequence[Sequence[float]] | Tensor,
    stds: float | Sequence[float] | Tensor,
    weights: Sequence[float] | Tensor | None = None,
    name: str = "mixture",
) -> Mixture:
    """Build a mixture from k means, one std or k, and k weights (equal ones if not given; scaled to add up to 1).

    Plain numbers as means make a mixture on the line: `mixture([-2, 2], 0.5)` has points of shape (n, 1).
    Raises ValueError where the lengths differ, a std is not positive, or a weight is negative.
    """
    centres = torch.as_tensor(means, dtype=torch.float32)
    centres = centres[:, None] if centres.ndim == 1 else centres
    if centres.ndim != 2 or not centres.numel():
        raise ValueError(f"means are k numbers or k points, shape (k,) or (k, d), not {tuple(centres.shape)}")
    k = len(centres)
    spreads = torch.as_tensor(stds, dtype=torch.float32)
    spreads = spreads.repeat(k) if spreads.ndim == 0 else spreads
    shares = torch.ones(k) if weights is None else torch.as_tensor(weights, dtype=torch.float32)
    if spreads.shape != (k,) or shares.shape != (k,):
        raise ValueError(f"{k} means need {k} stds and {k} weights, not {spreads.numel()} and {shares.numel()}")
    if not (spreads > 0).all() or not (shares >= 0).all() or not shares.sum() > 0:
        raise ValueError("every std must be above 0, every weight at least 0, and one weight above 0")
    return Mixture(name, centres, spreads, shares / shares.sum())


def ring(modes: int = 8, radius: float = 1.0, std: float = 0.01) -> Mixture:
    """Equal Gaussians evenly spaced on a circle, the first at angle 0; the defaults are PacGAN's (Lin et al. 2018)."""
    whole("modes", modes)
    angles = torch.arange(modes) * (2 * math.pi / modes)  # linspace(0, 2 pi, modes) would put the last on the first
    return mixture(radius * torch.stack([angles.cos(), angles.sin()], dim=1), std, name=f"ring of {modes}")


def grid(side: int = 5, spacing: float = 2.0, std: float = 0.05) -> Mixture:
    """Equal Gaussians on a square grid around 0; the defaults are {-4,-2,0,2,4}^2 as in PacGAN (Lin et al. 2018)."""
    whole("side", side)
    ticks = spacing * (torch.arange(side) - (side - 1) / 2)
    return mixture(torch.cartesian_prod(ticks, ticks), std, name=f"grid of {side}x{side}")
