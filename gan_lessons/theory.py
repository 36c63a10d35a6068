"""Closed forms and quadrature: what the game should do, to hold against what a run does.

Densities live on a grid x (m,) as values p(x) (..., m); integrals are trapezoidal sums. All results are in nats.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor


def entropy(p: Tensor) -> Tensor:
    """H(p) = -sum p log p over the last axis of probabilities (..., k) that sum to 1 (Shannon 1948)."""
    return -torch.xlogy(p, p).sum(-1)


def cross_entropy(p: Tensor, q: Tensor) -> Tensor:
    """H(p, q) = -sum p log q over the last axis; infinite where q = 0 < p."""
    return -torch.xlogy(p, q).sum(-1)


def kl(p: Tensor, q: Tensor) -> Tensor:
    """KL(p || q) = H(p, q) - H(p) >= 0 (Kullback and Leibler 1951)."""
    return cross_entropy(p, q) - entropy(p)


def js(p: Tensor, q: Tensor) -> Tensor:
    """JS(p, q) = KL(p || m)/2 + KL(q || m)/2 with m = (p + q)/2; between 0 and log 2 (Lin 1991)."""
    m = (p + q) / 2
    return (kl(p, m) + kl(q, m)) / 2


def gaussian_kl(mean_p: float, std_p: float, mean_q: float, std_q: float) -> float:
    """KL of two normal distributions: log(s_q/s_p) + (s_p^2 + (m_p - m_q)^2) / (2 s_q^2) - 1/2."""
    return math.log(std_q / std_p) + (std_p**2 + (mean_p - mean_q) ** 2) / (2 * std_q**2) - 0.5


def integrate(values: Tensor, x: Tensor) -> Tensor:
    """Trapezoidal integral over the last axis of values (..., m) on the grid x (m,), which ascends."""
    return torch.trapezoid(values, x)


def kl_quadrature(p: Tensor, q: Tensor, x: Tensor) -> Tensor:
    """KL(p || q) of densities on a grid. Points with p = 0 add nothing; q = 0 < p makes it infinite."""
    return integrate(torch.xlogy(p, p) - torch.xlogy(p, q), x)


def js_quadrature(p: Tensor, q: Tensor, x: Tensor) -> Tensor:
    """JS(p, q) of densities (..., m) on a grid, broadcast over the leading axes."""
    m = (p + q) / 2
    return integrate(torch.xlogy(p, p) + torch.xlogy(q, q), x) / 2 - integrate(torch.xlogy(m, m), x)


def js_within(p: Tensor, q: Tensor, x: Tensor) -> Tensor:
    """JS(p, q) where the grid holds all of p, but not all of q (..., m): the part beyond it counts in full.

    There p = 0, so a unit of q adds log(2)/2.
    """
    beyond = (1 - integrate(q, x)).clamp(min=0)
    return js_quadrature(p, q, x) + 0.5 * math.log(2) * beyond


def optimal_logit(log_p: Tensor, log_q: Tensor) -> Tensor:
    """Logit of the best discriminator: log p - log q, so that sigma of it is D* = p / (p + q).

    Goodfellow et al. 2014, proposition 1.
    """
    return log_p - log_q


def value(p: Tensor, q: Tensor, logit: Tensor, x: Tensor) -> Tensor:
    """V(D, G) = E_p log D + E_q log(1 - D) by quadrature, D = sigma(logit) (Goodfellow et al. 2014, eq. 1)."""
    log_d, log_not_d = -torch.nn.functional.softplus(-logit), -torch.nn.functional.softplus(logit)
    return integrate(p * log_d + q * log_not_d, x)


def push_forward(
    g: Callable[[Tensor], Tensor], edges: Tensor, cdf: Callable[[Tensor], Tensor], z_limits: tuple[float, float], n: int
) -> Tensor:
    """Density of x = g(z) for a one-dimensional z, as the mean density of each bin: (..., m - 1) for edges (m,).

    g maps z (n + 1, 1) to values (n + 1, ...); cdf is that of z. The z axis is cut into n pieces; within a piece g is
    taken as linear, so its probability spreads evenly between the two values of g at its ends. No probability is lost
    but what falls outside the edges, whatever the folds of g (the rule p(x) = sum over roots of p(z)/|g'(z)|).
    """
    z = torch.linspace(*z_limits, n + 1, dtype=edges.dtype, device=edges.device)
    values = g(z[:, None]).detach().to(edges.dtype).flatten(1)  # (n + 1, s)
    mass = cdf(z).diff()
    mass = mass / mass.sum()
    low, high = torch.minimum(values[:-1], values[1:]), torch.maximum(values[:-1], values[1:])
    width = (high - low).clamp(min=1e-12)
    bins = [
        ((edge - low) / width).clamp(0, 1).mul(mass[:, None]).sum(0)
        for edge in edges  # cdf of x at the edge, (s,)
    ]
    density = torch.stack(bins, -1).diff(dim=-1) / edges.diff()
    return density.squeeze(0) if density.shape[0] == 1 else density


def normal_cdf(z: Tensor) -> Tensor:
    """Cumulative distribution of the standard normal."""
    return torch.special.ndtr(z)


def uniform_cdf(z: Tensor) -> Tensor:
    """Cumulative distribution of the uniform distribution on (-1, 1)."""
    return ((z + 1) / 2).clamp(0, 1)
