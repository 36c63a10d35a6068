"""Priors: where the generator's input z comes from."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gan_lessons.checks import whole
from gan_lessons.labels import Labels, beside

NO_CLASSES = "labels are given, but this generator was trained without any: ask one that was not, or give none"


class Prior(NamedTuple):
    """A distribution over z: its name, its dimension, and how n vectors are drawn from it."""

    name: str
    dim: int
    draw: Callable[..., Tensor]  # draw(n, dim, **where) -> (n, dim)
    classes: int = 0  # how many labels there are, one of which stands beside each z as a one-hot; 0: no labels

    def sample(self, n: int, labels: Labels | None = None, **where: Any) -> Tensor:
        """Draw z of shape (n, dim). `where` holds device=, dtype=, generator=, as in torch.randn.

        With `classes` the one-hot of a label stands beside each z, (n, dim + classes): of these `labels`, or of ones
        drawn with equal chances. The z of a random state do not depend on the labels. Raises ValueError for labels that
        `labels.checked` refuses, and for labels where there are no classes.
        """
        z = self.draw(n, self.dim, **where)
        if not self.classes:
            if labels is not None:
                raise ValueError(NO_CLASSES)
            return z
        if labels is None:
            labels = torch.randint(self.classes, (n,), device=z.device, generator=where.get("generator"))
        return beside(z, labels, self.classes)


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


def labelled(prior: Prior, classes: int) -> Prior:
    """The same noise with the one-hot of a label beside it: what the generator of a conditional game takes."""
    return prior._replace(classes=whole("the number of classes", classes, 2))


def shifted(prior: Prior, shift: float = 0.0, scale: float = 1.0) -> Prior:
    """The same noise, scaled and then moved: shift + scale z in every coordinate."""
    name = f"{scale:g} {prior.name} {shift:+g}"
    return prior._replace(name=name, draw=lambda *size, **where: prior.draw(*size, **where).mul_(scale).add_(shift))


def standardised(prior: Prior, mean: float, std: float) -> Prior:
    """(z - mean) / std: coordinates of mean 0 and variance 1, given those of the prior."""
    if std <= 0:
        raise ValueError(f"a standard deviation is above 0, not {std}: constant noise cannot be standardised")
    return shifted(prior, -mean / std, 1 / std)._replace(name=f"{prior.name}, standardised")


def turned(prior: Prior, rotation: Tensor) -> Prior:
    """z Q for an orthogonal Q (dim, dim): all lengths and all angles between vectors stay as they were."""
    eye = torch.eye(prior.dim, dtype=rotation.dtype, device=rotation.device)
    if rotation.shape != eye.shape or not torch.allclose(rotation @ rotation.T, eye, atol=1e-4):
        raise ValueError(f"a rotation of {prior.dim} coordinates is an orthogonal matrix of that size; this is none")

    def draw(*size: int, **where: Any) -> Tensor:
        z = prior.draw(*size, **where)
        return z @ rotation.to(z)

    return prior._replace(name=f"{prior.name}, turned", draw=draw)


def lerp(start: Tensor, stop: Tensor, t: float) -> Tensor:
    """The point at a share t of the straight line from start to stop, each (n, d)."""
    return (1 - t) * start + t * stop


def slerp(start: Tensor, stop: Tensor, t: float) -> Tensor:
    """The point at a share t of the arc from start to stop, each (n, d) (Shoemake 1985; White 2016).

    Vectors of one length stay at it; of others, the length changes along the way. Nearly parallel ones are joined by
    lerp, which is the limit; opposite ones have no arc, and give NaN or infinity.
    """
    cosine = torch.cosine_similarity(start, stop, dim=1)[:, None].clamp(-1, 1)
    angle = cosine.acos()
    arc = (torch.sin((1 - t) * angle) * start + torch.sin(t * angle) * stop) / torch.sin(angle)
    return torch.where(angle < 1e-3, lerp(start, stop, t), arc)


def _on_sphere(n: int, dim: int, **where: Any) -> Tensor:
    z = torch.randn(n, dim, **where)
    return z * (dim**0.5 / z.norm(dim=1, keepdim=True))


def _dimension(dim: int) -> int:
    return whole("the dimension of a prior", dim)
