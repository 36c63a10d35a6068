"""Intervals: against scipy, covering what they should, and in words."""

import math

import numpy as np
import pytest
from scipy import stats

from gan_lessons import intervals, studies
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


def test_a_single_draw_has_a_mean_and_no_half_width() -> None:
    mean, half = intervals.plus_minus([3.0])
    assert mean == 3
    assert math.isnan(half)
    assert intervals.plus_minus([1.0, 2.0, 6.0]) == pytest.approx(mean_interval([1.0, 2.0, 6.0]))


@pytest.mark.parametrize(("n", "rule"), [(2, "student"), (9, "student"), (10, "bootstrap"), (30, "bootstrap")])
def test_the_interval_is_that_of_student_below_ten_values_and_the_bootstrap_from_ten(n: int, rule: str) -> None:
    values = np.random.default_rng(n).exponential(size=n)
    mean, half = mean_interval(values)
    of_student = (mean, mean - half, mean + half, n)
    found = intervals.interval(values)
    assert found == pytest.approx(of_student if rule == "student" else intervals.bootstrap(values))
    assert found != pytest.approx(intervals.bootstrap(values) if rule == "student" else of_student)


@pytest.mark.parametrize(("n", "of_bootstrap"), [(4, False), (5, True), (9, True), (20, True)])
def test_the_rule_of_the_stored_chapters_stays_the_bootstrap_from_five_values(n: int, of_bootstrap: bool) -> None:
    values = np.random.default_rng(n).normal(size=n)
    assert (studies.interval(values) == intervals.bootstrap(values)[:3]) == of_bootstrap


def test_the_rule_of_the_stored_chapters_gives_the_numbers_that_it_gave() -> None:
    assert studies.interval([1.0, 2.0, 4.0, 8.0, 16.0]) == (6.2, 1.2, 14.4)


def test_a_prediction_range_holds_one_more_value_as_often_as_it_says() -> None:
    draws = np.random.default_rng(0).normal(3, 2, (4_000, 6))
    ranges = [intervals.prediction_range(row[:5], 0.9) for row in draws]
    held = np.mean([low <= row[5] <= high for row, (low, high) in zip(draws, ranges, strict=True)])
    assert held == pytest.approx(0.9, abs=3 * math.sqrt(0.09 / 4_000))
    with pytest.raises(ValueError, match="at least two values"):
        intervals.prediction_range([1.0])


@pytest.mark.parametrize(("hits", "n"), [(0, 7), (3, 10), (10, 10), (41, 200)])
def test_a_share_has_the_exact_interval_of_scipy(hits: int, n: int) -> None:
    exact = stats.binomtest(hits, n).proportion_ci(method="exact")
    assert intervals.share(hits, n) == pytest.approx((hits / n, exact.low, exact.high, n))


def test_a_share_of_nothing_is_refused() -> None:
    for hits, n in ((0, 0), (3, 2), (-1, 4)):
        with pytest.raises(ValueError, match=f"{hits} among {n}"):
            intervals.share(hits, n)


def test_words_give_mean_interval_and_number_of_seeds() -> None:
    assert intervals.words([1.0, 2.0, 6.0]) == "3.0 (−3.6 to 9.6, 3 seeds)"
    assert intervals.words(intervals.Interval(-1234.5, -2000, 3, 5), ",.0f", "draws") == "−1,234 (−2,000 to 3, 5 draws)"
    assert intervals.words([2.0]) == "2.0 (1 seed)"
    assert intervals.plus_minus_words(-12.34, 1.9) == "−12.3 ± 1.9"
    assert intervals.plus_minus_words(12.3, None) == intervals.plus_minus_words(12.3, math.nan) == "12.3"
    assert [intervals.number(v) for v in (-0.04, 0.04, -0.06, -math.inf)] == ["0.0", "0.0", "−0.1", "−inf"]


@pytest.mark.parametrize("level", [0, 1, 95, -1, math.nan])
def test_a_level_that_is_none_is_refused_by_every_interval(level: float) -> None:
    for make in (
        lambda: intervals.interval([1, 2, 3], level),
        lambda: intervals.bootstrap(range(12), level),
        lambda: intervals.plus_minus([1, 2], level),
        lambda: intervals.prediction_range([1, 2], level),
        lambda: intervals.share(1, 2, level),
    ):
        with pytest.raises(ValueError, match="the level of an interval lies between 0 and 1"):
            make()


def test_the_difference_of_two_samples_is_welchs() -> None:
    from scipy.stats import ttest_ind

    values, floor = [1.0, 2.5, 2.0, 4.0, 3.1], [0.5, 0.4, 0.9, 0.8, 0.1, 0.7, 0.2]
    level = 1 - ttest_ind(values, floor, equal_var=False).pvalue  # at which the interval just touches 0
    found = intervals.difference(values, floor, level)
    assert found.low == pytest.approx(0, abs=1e-9)
    assert found.mean == pytest.approx(np.mean(values) - np.mean(floor))
    assert intervals.difference(values, floor, level - 1e-6).seen == 1
    assert intervals.difference(floor, values, level - 1e-6).seen == -1
    assert intervals.difference(values, floor, level + 1e-6).seen == 0


def test_one_value_is_compared_with_the_range_of_one_more() -> None:
    floor = [3.0, 4.0, 5.0, 4.5]
    low, high = intervals.prediction_range(floor)
    assert intervals.difference([high + 1e-6], floor).seen == 1
    assert intervals.difference([high - 1e-6], floor).seen == 0
    assert intervals.difference([low - 1e-6], floor).seen == -1


def test_draws_that_overlap_count_for_less() -> None:
    # With a correlation r the sample variance is (1 - r) s^2, and that of the mean (1 + (k - 1) r) s^2 / k.
    floor, values = [1.0, 2.0, 3.0, 4.0], [2.0, 2.0, 2.0]
    plain, shared = (intervals.difference(values, floor, overlap=r) for r in (0.0, 0.2))
    assert (shared.high - shared.mean) / (plain.high - plain.mean) == pytest.approx(math.sqrt(1.6 / 0.8))
    for wrong in (-0.1, 1.0, math.nan):
        with pytest.raises(ValueError, match="overlap"):
            intervals.difference(values, floor, overlap=wrong)
    for values, floor in (([], [1.0, 2.0]), ([1.0], [1.0]), ([math.nan], [1.0, 2.0]), ([1.0], [1.0, math.inf])):
        with pytest.raises(ValueError, match=r"two values|NaN"):
            intervals.difference(values, floor)
