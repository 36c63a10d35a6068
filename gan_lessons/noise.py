"""Priors: where the generator's input z comes from."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor


class Prior(NamedTuple):
    """A distribution over z: its name, its dimension, and how n vectors are drawn from it."""

    name: str
    dim: int
    draw: Callable[..., Tensor]  # draw(n, dim, **where) -> (n, dim)

    def sample(self, n: int, **where: Any) -> Tensor:
        """Draw z of shape (n, dim). `where` holds device=, dtype=, generator=, as in torch.randn."""
        return self.draw(n, self.dim, **where)


def gaussian(dim: int) -> Prior:
    """Standard normal, N(0, I)."""
    return Prior("gaussian", _dimension(dim), torch.randn)


def uniform(dim: int) -> Prior:
    """Uniform over the cube (-1, 1)^dim: mean 0, variance 1/3 a coordinate (Radford et al. 2016)."""
    return Prior("uniform", _dimension(dim), lambda *size, **where: torch.rand(*size, **where).mul_(2).sub_(1))


def uniform01(dim: int) -> Prior:
    """Uniform over the cube [0, 1)^dim: mean 1/2, so any two vectors point the same way (mean cosine 3/4)."""
    return Prior("uniform01", _dimension(dim), torch.rand)


def sphere(dim: int) -> Prior:
    """Uniform on the sphere of radius sqrt(dim): a normalised Gaussian vector (Muller 1959)."""
    return Prior("sphere", _dimension(dim), _on_sphere)


def _on_sphere(n: int, dim: int, **where: Any) -> Tensor:
    z = torch.randn(n, dim, **where)
    return z * (dim**0.5 / z.norm(dim=1, keepdim=True))


def _dimension(dim: int) -> int:
    if not isinstance(dim, int) or dim < 1:
        raise ValueError(f"a prior needs a positive whole dimension, not {dim!r}; the book uses 100")
    return dim
