"""Modes: which kinds of sample are left, counted in a mixture with known modes or in the classes of a judge.

    found = modes.tally(samples, toy.means, toy.stds)
    captured = modes.expected_share(found.good, found.n, toy.weights).sum()

Three rules say whether a mode counts as captured, from the weakest to the strictest. Each takes counts alone, so it
serves digits and stacked digits as well; each needs its nulls and the perfect sampler beside it (chapter 13).
"""

from typing import NamedTuple

import torch
from torch import Tensor


class Tally(NamedTuple):
    """Samples counted by their nearest mode: n = nearest.sum(), and good <= nearest."""

    nearest: Tensor  # (k,) all samples
    good: Tensor  # (k,) those of high quality

    @property
    def n(self) -> int:
        """How many samples were counted."""
        return int(self.nearest.sum())

    @property
    def quality(self) -> float:
        """The share of high quality; `true_quality` says what the real distribution has."""
        return int(self.good.sum()) / self.n


def assign(samples: Tensor, means: Tensor, stds: Tensor) -> tuple[Tensor, Tensor]:
    """The nearest mode of each sample, and its distance from that mode in stds of that mode.

    samples (n, d), means (k, d), stds (k,) -> which (n,), distance (n,). Raises ValueError for other shapes, no
    samples, samples or means that are NaN or infinite, which have no nearest mode, and stds that are not above 0.
    """
    if samples.ndim != 2 or means.ndim != 2 or samples.shape[1] != means.shape[1] or not len(samples):
        raise ValueError(f"give samples (n, d) and means (k, d), not {tuple(samples.shape)} and {tuple(means.shape)}")
    if not samples.isfinite().all():
        raise ValueError(f"{int((~samples.isfinite()).any(1).sum())} of {len(samples)} samples are NaN or infinite")
    if not (means.isfinite().all() and ((stds > 0) & stds.isfinite()).all()):
        raise ValueError("the modes need finite means, and finite stds above 0")
    means, stds = means.to(samples), stds.to(samples)
    # not by matrix products: with a std of .01 those lose the digits that matter
    distances = torch.cdist(samples, means, compute_mode="donot_use_mm_for_euclid_dist")  # (n, k)
    distance, which = distances.min(1)
    return which, distance / stds[which]


def tally(samples: Tensor, means: Tensor, stds: Tensor, within: float = 3.0) -> Tally:
    """Count samples (n, d) by nearest mode; good ones lie within 3 stds of it (Srivastava et al. 2017)."""
    which, distance = assign(samples, means, stds)
    k = len(means)
    return Tally(torch.bincount(which, minlength=k), torch.bincount(which[distance <= within], minlength=k))


def true_quality(dim: int, within: float = 3.0) -> float:
    """The mass of a round Gaussian in `dim` dimensions within so many stds: chi-square's; in 2-D 1 - exp(-w^2/2)."""
    half = torch.tensor([dim / 2, within**2 / 2], dtype=torch.float64)
    return float(torch.special.gammainc(half[0], half[1]))


def at_least_one(good: Tensor) -> Tensor:
    """The published rule: one good sample captures a mode (Srivastava et al. 2017; Lin et al. 2018). (k,) -> bool."""
    return good >= 1


def least_share(good: Tensor, n: int, share: float = 0.02) -> Tensor:
    """A mode is captured by a fixed share of all n samples. Beyond 1/share modes nobody can capture all of them."""
    return good >= share * n


def expected_share(good: Tensor, n: int, weights: Tensor, part: float = 0.5) -> Tensor:
    """A mode is captured by a part of the count that it has in the data, n times its weight: fair to any weights.

    The perfect sampler passes only where n is large enough: by luck a mode's count is off by some sqrt(n weight).
    """
    return (good >= part * n * weights.to(good.device)) & (weights > 0).to(good.device)


def usable(good: Tensor, n: int, weights: Tensor) -> float:
    """Which part of an order, each mode by its weight, the good ones of n samples can fill: sum of min(good / n, w).

    Waste, lost modes and uneven shares all lower it; the perfect sampler has a little less than `true_quality`.
    """
    return float(torch.minimum(good / n, weights.to(good.device)).sum())


def reverse_kl(counts: Tensor, weights: Tensor) -> float:
    """KL(q || p) in nats of the shares q of all samples, by nearest mode, from the modes' true weights p (k,).

    As in Srivastava et al. (2017) and Lin et al. (2018). It looks at shares only, never at quality. Infinite where a
    mode of weight 0 has samples. Raises ValueError where nothing was counted.
    """
    if not int(counts.sum()):
        raise ValueError("nothing was counted; a share needs at least one sample")
    q = counts.double() / counts.sum()
    return float(torch.xlogy(q, q / weights.to(q)).where(q > 0, 0.0).sum())


def kl_floor(k: int, n: int) -> float:
    """What n draws of the perfect sampler score on average, (k - 1) / 2n: 2n KL tends to chi-square (Wilks 1938)."""
    return (k - 1) / (2 * n)


def chance(hits: Tensor, n: int) -> float:
    """How many modes a machine captures by `at_least_one`, on average: sum of 1 - (1 - hits)^n.

    hits (k,): the probability that one of its samples is a good one of each mode.
    """
    return float(-torch.expm1(n * torch.log1p(-hits.double())).sum())
