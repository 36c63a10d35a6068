"""Intervals of a mean: against scipy, and covering what they should."""

import numpy as np
import pytest
from scipy import stats

from gan_lessons.intervals import mean_interval


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_the_interval_is_that_of_scipy(level: float) -> None:
    runs = np.random.default_rng(0).normal(3, 2, (6, 4))
    mean, half = mean_interval(runs, level)
    low, high = stats.ttest_1samp(runs, 0).confidence_interval(level)
    assert mean == pytest.approx(runs.mean(0))
    assert (mean - half, mean + half) == (pytest.approx(low), pytest.approx(high))


def test_one_seed_has_no_interval() -> None:
    with pytest.raises(ValueError, match="two seeds"):
        mean_interval([1.0])
