"""Nearest neighbours: who lies among whom, who copies, who repeats. Distances are Euclidean, between rows (n, d)."""

import math

import torch
from torch import Tensor

from gan_lessons.checks import finite

CHUNK = 2_000  # rows compared at once: 2,000 x 10,000 distances take 80 MB
LARGE = 10_000


def nearest(a: Tensor, b: Tensor, k: int = 1) -> Tensor:
    """Distance of each row of a (n, d) to its k-th nearest row of b (m, d): (n,), m >= k. Bytes count as numbers."""
    return _kth_distance(a, b, k, same=False)


def spacing(a: Tensor, k: int = 1) -> Tensor:
    """Distance of each row of a (n, d) to its k-th nearest other row: (n,), n > k."""
    return _kth_distance(a, a, k, same=True)


def inside(points: Tensor, centres: Tensor, radii: Tensor) -> Tensor:
    """Whether each point (n, d) lies in at least one ball round centres (m, d) with radii (m,): bool (n,)."""
    for rows in (points, centres):
        finite("the rows", rows)
    parts = [(torch.cdist(part, centres) <= radii).any(1) for part in points.split(CHUNK)]
    return torch.cat(parts)


def precision_recall(real: Tensor, fake: Tensor, k: int = 3) -> tuple[float, float]:
    """Precision: share of fake rows among the real ones. Recall: share of real rows among the fake ones.

    Rows (n, d) and (m, d) of features. A set's region is the union of balls, one round each row, that reach to its
    k-th nearest other row (Kynkäänniemi et al. 2019, eq. 1-2; k = 3). Raises ValueError for k or fewer rows.
    """
    precision = inside(fake, real, spacing(real, k)).float().mean()
    recall = inside(real, fake, spacing(fake, k)).float().mean()
    return float(precision), float(recall)


def copy_limit(test: Tensor, train: Tensor, level: float = 0.05) -> float:
    """The distance under which an image counts as a copy: a share `level` of real test images lies nearer to train."""
    return float(nearest(test, train).quantile(level))


def share_of_copies(samples: Tensor, train: Tensor, limit: float) -> float:
    """Share of samples (n, d) that lie nearer than `limit` to a row of train; `copy_limit` gives a limit."""
    return float((nearest(samples, train) < limit).float().mean())


def share_of_repeats(samples: Tensor, real: Tensor, level: float = 0.05) -> float:
    """Share of samples (n, d) with another sample nearer than a share `level` of as many real ones have: (n, d) too.

    The more images, the closer they lie, so both sets must be of one size; else ValueError.
    """
    if len(samples) != len(real):
        raise ValueError(f"compare as many real images as samples: {len(real)} and {len(samples)} differ")
    return float((spacing(samples) < spacing(real).quantile(level)).float().mean())


def _kth_distance(a: Tensor, b: Tensor, k: int, same: bool) -> Tensor:
    if not 1 <= k <= len(b) - same:
        raise ValueError(f"there is no {k}-th nearest of {len(b) - same} rows; give more rows or a smaller k")
    for rows in (a, b):
        finite("the rows", rows)
    found = []
    for start in range(0, len(a), CHUNK):
        rows = a[start : start + CHUNK].float()
        best = torch.full((len(rows), k), math.inf, device=a.device, dtype=torch.float32)
        for begin in range(0, len(b), LARGE):
            distances = torch.cdist(rows, b[begin : begin + LARGE].float())
            if same:
                distances.diagonal(start - begin).fill_(math.inf)  # no row is its own neighbour
            near = distances.topk(min(k, distances.shape[1]), dim=1, largest=False).values
            best = torch.cat([best, near], 1).topk(k, dim=1, largest=False).values
        found.append(best[:, -1])
    return torch.cat(found)
