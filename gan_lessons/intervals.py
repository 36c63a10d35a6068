"""How far a mean of a few values may be off."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike


def mean_interval(runs: ArrayLike, level: float = 0.95) -> tuple[Any, Any]:
    """Mean over the first axis (seeds) and the half-width of its Student-t interval (Student 1908); n >= 2."""
    from scipy.stats import t

    runs = np.asarray(runs, dtype=float)
    if len(runs) < 2:
        raise ValueError("an interval needs at least two seeds")
    half = t.ppf((1 + level) / 2, len(runs) - 1) * runs.std(0, ddof=1) / math.sqrt(len(runs))
    return runs.mean(0), half
