"""How often an interval errs, and what a study could have seen: by formula where there is one, else by simulation."""

import math
from functools import lru_cache

import numpy as np

from gan_lessons.intervals import FEW, RESAMPLES, tail, visible


def false_alarms(n: int, level: float = 0.95) -> float:
    """How often `interval` of n values leaves out the true mean: the rate of differences "seen" where there is none.

    Student's errs in exactly 1 - level of cases if errors are normal; the bootstrap's rate is measured on such errors.
    """
    return bootstrap_false_alarms(n, level) if n >= FEW else 1 - level


@lru_cache
def bootstrap_false_alarms(n: int, level: float = 0.95, studies: int = 20_000) -> float:
    """How often `bootstrap` leaves out the true mean of n normal values, measured on simulated studies (fixed seed).

    The standard error of the rate is about sqrt(0.05 * 0.95 / studies), 0.15 % as it stands.
    """
    drawn = np.random.default_rng(0).integers(n, size=(RESAMPLES, n))  # the resamples that `bootstrap` always takes
    weights = np.stack([(drawn == k).sum(1) for k in range(n)], 1) / n  # (resamples, n): times values gives the means
    generator, begins, missed = np.random.default_rng(1), tail(n, level), 0
    for begin in range(0, studies, 500):
        values = generator.normal(size=(n, min(500, studies - begin)))
        below = (weights @ values < 0).mean(0)  # the share of resampled means under the true one
        missed += int(((below < begins) | (below > 1 - begins)).sum())
    return missed / studies


def detectable(spread: float, seeds: int, power: float = 0.8, level: float = 0.95) -> float:
    """The smallest mean effect that a study of so many seeds would have seen with this probability.

    spread: the standard deviation over seeds, measured in as many seeds; the probability is over both studies, the one
    that measured the spread and the one that looks (normal errors, Student's interval), so that a spread which came out
    small by luck does not promise too much. Infinite for a single seed.
    """
    return spread * visible(seeds - 1, power, level) / math.sqrt(seeds) if seeds > 1 else math.inf
