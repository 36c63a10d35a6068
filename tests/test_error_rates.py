"""How often an interval errs and what a study could have seen, against simulated studies whose truth is known."""

import math

import numpy as np
import pytest

from gan_lessons import intervals
from gan_lessons.studies import error_rates


@pytest.mark.parametrize("n", [3, 5, 9, 12])
def test_the_rule_errs_as_often_as_its_rate_says(n: int) -> None:
    draws = np.random.default_rng(n + 100).normal(2.0, 3.0, (1_500, n))
    spans = [intervals.interval(row) for row in draws]
    missed = np.mean([not low <= 2.0 <= high for _, low, high, _ in spans])
    rate = error_rates.false_alarms(n)
    assert missed == pytest.approx(rate, abs=3 * math.sqrt(rate * (1 - rate) / 1_500))


def test_the_bootstrap_of_five_values_errs_more_often_than_it_says() -> None:
    draws = np.random.default_rng(7).normal(size=(1_500, 5))
    missed = np.mean([not low <= 0 <= high for _, low, high, _ in map(intervals.bootstrap, draws)])
    rate = error_rates.bootstrap_false_alarms(5)
    assert 0.07 < rate < 0.085
    assert missed == pytest.approx(rate, abs=3 * math.sqrt(rate * (1 - rate) / 1_500))
    assert error_rates.false_alarms(9) == pytest.approx(0.05)
    assert 0.05 < error_rates.false_alarms(10) < 0.06


@pytest.mark.parametrize(("n", "power"), [(3, 0.8), (5, 0.8), (5, 0.5), (9, 0.8), (12, 0.8)])
def test_an_effect_that_a_study_says_it_could_have_seen_is_seen_that_often_in_another(n: int, power: float) -> None:
    generator = np.random.default_rng(n)
    effects = [error_rates.detectable(3.0 * row.std(ddof=1), n, power) for row in generator.normal(size=(1_500, n))]
    spans = [intervals.interval(effect + 3.0 * generator.normal(size=n)) for effect in effects]
    seen = np.mean([not low <= 0 <= high for _, low, high, _ in spans])
    assert seen == pytest.approx(power, abs=3 * math.sqrt(power * (1 - power) / 1_500))


def test_what_can_be_seen_grows_with_the_spread_and_shrinks_with_seeds() -> None:
    assert error_rates.detectable(2.0, 5) == pytest.approx(2 * error_rates.detectable(1.0, 5))
    assert error_rates.detectable(1.0, 40) == pytest.approx(2.80 / math.sqrt(40), rel=0.06)  # 1.96 + 0.84 for many
    assert error_rates.detectable(1.0, 5) > error_rates.detectable(1.0, 10) > error_rates.detectable(1.0, 40)
    assert error_rates.detectable(1.0, 1) == math.inf
