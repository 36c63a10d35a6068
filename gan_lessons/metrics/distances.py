"""Distances between two clouds of features: by their means and covariances, or by the mean likeness of pairs.

Features are rows, (n, d); what they are features of does not matter here.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from gan_lessons.checks import finite


class Moments(NamedTuple):
    """Mean (d,) and covariance (d, d) of features, in float64."""

    mean: Tensor
    covariance: Tensor


def moments(features: Tensor) -> Moments:
    """Mean and unbiased covariance of features (n, d), n >= 2. Raises ValueError for fewer, NaN or infinity."""
    if features.ndim != 2 or len(features) < 2:
        raise ValueError(f"features must be (n, d) with n >= 2, not {tuple(features.shape)}")
    finite("the features", features)
    features = features.double()
    return Moments(features.mean(0), torch.cov(features.T).reshape(features.shape[1], features.shape[1]))


def frechet_distance(a: Moments, b: Moments) -> float:
    """Squared Fréchet distance of two Gaussians, |m_a - m_b|^2 + tr(A + B - 2 (A^1/2 B A^1/2)^1/2).

    Dowson and Landau 1982; on features of a network, Heusel et al. 2017, eq. 6. At least 0, and 0 for equal
    moments: what rounding leaves below is cut off. Raises ValueError for unequal d, and moments that are NaN, infinite,
    or so large that their products are.
    """
    if a.covariance.shape != b.covariance.shape:
        raise ValueError(f"moments must be of equally many features, not {len(a.mean)} and {len(b.mean)}")
    for part in (*a, *b):
        finite("the moments", part)
    if torch.equal(a.mean, b.mean) and torch.equal(a.covariance, b.covariance):
        return 0.0
    root = _symmetric_root(a.covariance)
    cross = torch.linalg.eigvalsh(root @ b.covariance @ root).clamp(min=0).sqrt().sum()
    trace = a.covariance.trace() + b.covariance.trace() - 2 * cross
    distance = (a.mean - b.mean).square().sum() + trace
    finite("the distance's terms", distance)  # max(0, NaN) would be the best of distances
    return max(0.0, float(distance))


def _symmetric_root(matrix: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp(min=0).sqrt()) @ vectors.T


def kernel_distance(a: Tensor, b: Tensor) -> float:
    """Squared maximum mean discrepancy of features a (n, d) and b (m, d) under k(x, y) = (x·y/d + 1)^3, unbiased.

    The mean of k over pairs within a, plus that within b, minus twice that between them; no row is paired with
    itself, which is why the estimate may be negative (Gretton et al. 2012, eq. 3; Bińkowski et al. 2018, eq. 4).
    Raises ValueError for fewer than 2 rows, unequal d, NaN or infinity.
    """
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise ValueError(f"features must be (n, d) and (m, d) with n, m >= 2, not {tuple(a.shape)}, {tuple(b.shape)}")
    for features in (a, b):
        finite("the features", features)
    a, b = a.double(), b.double()
    return float(_within(a) + _within(b) - 2 * _kernel(a, b).mean())


def kernel_distances(a: Tensor, b: Tensor, size: int = 1000) -> Tensor:
    """Kernel distances of disjoint blocks of `size` rows of a and of b, float64 (blocks,).

    Each is unbiased, and they are independent: their mean is the usual score (Bińkowski et al. 2018, section 4), and
    their spread gives its interval. Rows should be in random order. There are min(n, m) // size blocks, and one of all
    rows where that is 0.
    """
    size = min(size, len(a), len(b))
    pairs = zip(a.split(size), b.split(size), strict=False)
    found = [kernel_distance(x, y) for x, y in pairs if len(x) == len(y) == size]
    return torch.tensor(found, dtype=torch.float64, device="cpu")


def _kernel(a: Tensor, b: Tensor) -> Tensor:
    likeness = a @ b.T / a.shape[1] + 1
    return likeness * likeness * likeness


def _within(a: Tensor) -> Tensor:
    kernel = _kernel(a, a)
    return (kernel.sum() - kernel.trace()) / (len(a) * (len(a) - 1))
