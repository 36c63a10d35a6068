"""Objectives of the two players. D returns raw logits a = log(D / (1 - D)); every loss stays in log space.

With sigma the logistic function, softplus(-a) = -log sigma(a) and softplus(a) = -log(1 - sigma(a)).
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Objective(NamedTuple):
    """What each player minimises, as functions of (real_logits, fake_logits), each (n, 1), to a scalar."""

    name: str
    d_loss: Callable[[Tensor, Tensor], Tensor]
    g_loss: Callable[[Tensor | None, Tensor], Tensor]  # real is None unless the objective is relativistic
    relativistic: bool = False


def bce(logits: Tensor, target: float) -> Tensor:
    """Mean binary cross-entropy of logits (n, 1) against one constant target y in [0, 1].

    -y log sigma(a) - (1 - y) log(1 - sigma(a)) = y softplus(-a) + (1 - y) softplus(a): a sum of two terms that are
    never negative, so neither a large nor a small loss is lost to rounding.
    """
    if target == 1:
        return F.softplus(-logits).mean()
    if target == 0:
        return F.softplus(logits).mean()
    return target * F.softplus(-logits).mean() + (1 - target) * F.softplus(logits).mean()


def _bce_d_loss(real: Tensor, fake: Tensor, real_target: float = 1.0, fake_target: float = 0.0) -> Tensor:
    return bce(real, real_target) + bce(fake, fake_target)


def _halved(real: Tensor, fake: Tensor) -> Tensor:
    return 0.5 * _bce_d_loss(real, fake)


def _non_saturating_g_loss(real: Tensor | None, fake: Tensor) -> Tensor:
    return F.softplus(-fake).mean()  # -log D(G(z)): BCE against ones


def _saturating_g_loss(real: Tensor | None, fake: Tensor) -> Tensor:
    return -F.softplus(fake).mean()  # log(1 - D(G(z)))


minimax = Objective("minimax", _bce_d_loss, _saturating_g_loss)
"""The game as written: both players share one V(D, G) (Goodfellow et al. 2014, eq. 1)."""

non_saturating = Objective("non-saturating", _bce_d_loss, _non_saturating_g_loss)
"""G maximises log D(G(z)) instead, which keeps its gradient when D wins (Goodfellow et al. 2014, section 3)."""

non_saturating_mean = Objective("non-saturating, mean", _halved, _non_saturating_g_loss)
"""The same with D's two terms averaged, (real + fake) / 2: half the gradient, the same minimiser."""


def smoothed(real_target: float = 0.9, fake_target: float = 0.0) -> Objective:
    """Non-saturating game with smoothed targets for D (Salimans et al. 2016, section 3.4: real side only).

    The optimal D becomes (real_target p + fake_target q) / (p + q) (Goodfellow 2016, section 4.2).
    Raises ValueError for targets outside 0 <= fake_target < real_target <= 1.
    """
    if not 0 <= fake_target < real_target <= 1:
        raise ValueError(
            f"smoothing needs 0 <= fake_target < real_target <= 1, not fake {fake_target!r}, real {real_target!r}"
        )
    d_loss = partial(_bce_d_loss, real_target=real_target, fake_target=fake_target)
    return Objective(f"non-saturating, targets {real_target:g}/{fake_target:g}", d_loss, _non_saturating_g_loss)


def _paired_d_loss(real: Tensor, fake: Tensor) -> Tensor:
    return F.softplus(fake - real).mean()  # -log sigma(D(x) - D(G(z)))


def _paired_g_loss(real: Tensor | None, fake: Tensor) -> Tensor:
    if real is None:
        raise ValueError("a relativistic game compares D's logits in pairs: give the real ones to G's loss too")
    return F.softplus(real - fake).mean()


relativistic = Objective("relativistic", _paired_d_loss, _paired_g_loss, relativistic=True)
"""D says which of a real and a fake image is the real one (Jolicoeur-Martineau 2019, section 4.1; R3GAN, eq. 1).

Image i of the real batch is paired with image i of the fake one. At the best D the value, log 2 minus D's loss, is
JS(p x q, q x p): the distance between the pairs in their true order and turned round.
"""


def r1(D: nn.Module, real: Tensor, fake: Tensor, gamma: float = 1.0, share: float = 1.0) -> Tensor:
    """R1: gamma/2 * E||grad_x D(x)||^2 on real data (Mescheder et al. 2018, eq. 9). `fake` is not used.

    real: (n, ...). Returns a scalar with a graph. The factor 1/2 is part of the definition here. The mean is taken
    over the first `share` of the batch, one image at least: the same expectation at a part of the cost. Raises
    ValueError for a share outside (0, 1].
    """
    return 0.5 * gamma * _squared_slope(D, real, share)


def r2(D: nn.Module, real: Tensor, fake: Tensor, gamma: float = 1.0, share: float = 1.0) -> Tensor:
    """R2: gamma/2 * E||grad_x D(x)||^2 on generated data (Mescheder et al. 2018, eq. 10). `real` is not used.

    Shapes, `share` and errors as in `r1`.
    """
    return 0.5 * gamma * _squared_slope(D, fake, share)


def r1_r2(D: nn.Module, real: Tensor, fake: Tensor, gamma: float = 1.0, share: float = 1.0) -> Tensor:
    """R1 + R2, both with the same gamma (Huang et al. 2024, R3GAN, eq. 12). Shapes, `share` and errors as in `r1`."""
    return r1(D, real, fake, gamma, share) + r2(D, real, fake, gamma, share)


def _squared_slope(D: nn.Module, images: Tensor, share: float) -> Tensor:
    """Mean squared norm of D's gradient at the first `share` of the images (n, ...), with a graph."""
    if not 0 < share <= 1:
        raise ValueError(f"the share of the batch that the penalty looks at lies in (0, 1], not {share!r}")
    images = images[: max(1, round(share * len(images)))].detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(D(images).sum(), images, create_graph=True)
    return gradient.flatten(1).square().sum(1).mean()
