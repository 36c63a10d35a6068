"""Every interval of the course: of a mean, a share, and of the next value; and all of them in words.

interval(values) is the rule for new studies: Student's below ten seeds, bootstrap from ten.
"""

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

FEW = 10  # below so many values Student's interval, from here on the bootstrap
RESAMPLES = 10_000


class Interval(NamedTuple):
    """A mean, the ends of its interval, and of how many values it is."""

    mean: float
    low: float
    high: float
    n: int


def mean_interval(runs: ArrayLike, level: float = 0.95) -> tuple[Any, Any]:
    """Mean over the first axis (seeds) and the half-width of its Student-t interval (Student 1908); n >= 2."""
    from scipy.stats import t

    _refuse_level(level)
    runs = np.asarray(runs, dtype=float)
    if len(runs) < 2:
        raise ValueError("an interval needs at least two seeds")
    half = t.ppf((1 + level) / 2, len(runs) - 1) * runs.std(0, ddof=1) / math.sqrt(len(runs))
    return runs.mean(0), half


def plus_minus(values: ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """Mean of values (n,) and the half-width of its Student-t interval; the half-width of a single value is nan."""
    values = np.asarray(values, dtype=float)
    if len(values) == 1:
        return float(values[0]), math.nan
    mean, half = mean_interval(values, level)
    return float(mean), float(half)


def interval(values: ArrayLike, level: float = 0.95) -> Interval:
    """Mean of values (n,), n >= 2, and its interval: Student's below ten values, the widened bootstrap from ten.

    With few values the bootstrap is too narrow (`error_rates`); with many it needs no normal errors.
    Raises ValueError for fewer than two values, NaN or infinity.
    """
    values = _checked(values)
    if len(values) >= FEW:
        return bootstrap(values, level)
    mean, half = mean_interval(values, level)
    return Interval(float(mean), float(mean - half), float(mean + half), len(values))


def bootstrap(values: ArrayLike, level: float = 0.95, resamples: int = RESAMPLES) -> Interval:
    """Mean of values (n,), n >= 2, and its bootstrap interval, widened as in Hesterberg (2015, section 4.2).

    Plain percentiles are too narrow for few values: for five normal ones "95 %" would cover 83 %, widened about 92 %.
    Always the same resamples, so that a page can be made again. Raises ValueError as `interval` does.
    """
    values = _checked(values)
    n, begins = len(values), tail(len(values), level)
    low, high = np.quantile(values[_drawn(n, resamples)].mean(1), [begins, 1 - begins])
    return Interval(float(values.mean()), float(low), float(high), n)


@lru_cache(maxsize=8)  # a page asks for many intervals of few sizes
def _drawn(n: int, resamples: int) -> NDArray[np.int64]:
    """Which of n values each resample holds: (resamples, n), the same ones always."""
    return np.random.default_rng(0).integers(n, size=(resamples, n))


@lru_cache
def tail(n: int, level: float) -> float:
    """The quantile of the bootstrap's means at which the widened interval begins (Hesterberg 2015, section 4.2)."""
    from scipy.stats import norm, t

    _refuse_level(level)
    return float(norm.cdf(-math.sqrt(n / (n - 1)) * t.ppf((1 + level) / 2, n - 1)))


def prediction_range(values: ArrayLike, level: float = 0.99) -> tuple[float, float]:
    """The range in which one more value like these, at least two, lies with probability `level` (normal errors).

    One more value strays by s, and the mean of n by s/sqrt(n): together sqrt(n + 1) times as far as the mean alone.
    """
    mean, half = plus_minus(values, level)
    if math.isnan(half):
        raise ValueError("a prediction range needs at least two values")
    reach = half * math.sqrt(len(np.asarray(values)) + 1)
    return mean - reach, mean + reach


@lru_cache
def visible(df: int, power: float = 0.8, level: float = 0.95) -> float:
    """The effect, in its own estimated standard error e, that another study as large sees with this probability.

    That study, of the error e', sees z + c e where |z + c e| > q e'. The probability is the mean over e and e' (with df
    degrees of freedom, in units of the true error, each at 400 equally likely places) of the normal one over z; q is
    Student's quantile. So an error that came out small by luck does not promise too much.
    """
    from scipy.optimize import brentq
    from scipy.stats import chi2, norm, t

    errors = np.sqrt(chi2.ppf((np.arange(400) + 0.5) / 400, df) / df)
    bound = t.ppf((1 + level) / 2, df) * errors[:, None]  # (e', 1)

    def seen(c: float) -> float:
        return float(np.mean(norm.sf(bound - c * errors) + norm.cdf(-bound - c * errors)))

    return float(brentq(lambda c: seen(c) - power, 0.0, 1e4, xtol=1e-4))


class Difference(NamedTuple):
    """How far the mean of some values lies above that of others, its interval, and what was too small to be seen."""

    mean: float
    low: float
    high: float
    missed: float  # the smallest difference that four of five such comparisons would have seen

    @property
    def seen(self) -> int:
        """1 where the interval lies above 0, -1 where it lies below, else 0."""
        return int(self.low > 0) - int(self.high < 0)


def difference(values: ArrayLike, floor: ArrayLike, level: float = 0.99, overlap: float = 0.0) -> Difference:
    """Compare two independent samples by Welch's interval (1947): the mean of `values` less that of `floor`.

    values (m,), m >= 1; floor (k,), k >= 2. A single value is held against the range of one more of the floor's
    (`prediction_range`). `overlap` is the mean correlation of two of the floor's values, where they are draws that
    share images: their spread is then too small by 1 - overlap, and their mean less certain.
    Raises ValueError for too few values, NaN or infinity.
    """
    from scipy.stats import t

    _refuse_level(level)
    floor, values = _checked(floor), np.atleast_1d(np.asarray(values, dtype=float))
    values = values if len(values) == 1 and np.isfinite(values).all() else _checked(values)
    if not 0 <= overlap < 1:
        raise ValueError(f"the overlap is a correlation from 0 to below 1, not {overlap!r}")
    m, k = len(values), len(floor)
    of_one = float(floor.var(ddof=1)) / (1 - overlap)  # the variance of a value of the floor
    of_floor = of_one * (1 + (k - 1) * overlap) / k  # of their mean
    of_values = float(values.var(ddof=1)) / m if m > 1 else of_one
    error, away = of_floor + of_values, float(values.mean() - floor.mean())
    welch = error**2 / (of_floor**2 / (k - 1) + of_values**2 / (m - 1)) if error and m > 1 else k - 1.0
    reach = float(t.ppf((1 + level) / 2, welch)) * math.sqrt(error)
    missed = visible(max(1, int(welch)), level=level) * math.sqrt(error) if error else 0.0
    return Difference(away, away - reach, away + reach, missed)


def share(hits: int, n: int, level: float = 0.95) -> Interval:
    """The share hits / n and its exact binomial interval (Clopper and Pearson 1934); 0 <= hits <= n."""
    from scipy.stats import beta

    _refuse_level(level)
    if not 0 <= hits <= n or n < 1:
        raise ValueError(f"a share is that of 0 to n hits among n >= 1 tries, not of {hits} among {n}")
    tail = (1 - level) / 2
    low = float(beta.ppf(tail, hits, n - hits + 1)) if hits else 0.0
    high = float(beta.ppf(1 - tail, hits + 1, n - hits)) if hits < n else 1.0
    return Interval(hits / n, low, high, n)


def words(values: ArrayLike | Interval, form: str = ",.1f", unit: str = "seeds") -> str:
    """Say a mean and its interval: "12.3 (10.1 to 14.2, 5 seeds)". Take an Interval as it is; values by `interval`.

    A single value is said to be one. form: a format specification for numbers; minus signs are true ones.
    """
    if not isinstance(values, Interval):
        if len(alone := np.asarray(values, dtype=float)) == 1:
            return f"{number(float(alone[0]), form)} (1 {unit.removesuffix('s')})"
        values = interval(values)
    mean, low, high = (number(v, form) for v in values[:3])
    return f"{mean} ({low} to {high}, {values.n:,} {unit})"


def plus_minus_words(mean: float, half: float | None, form: str = ",.1f") -> str:
    """Say a mean and its half-width: "12.3 ± 1.9"; the mean alone where the half-width is None or nan."""
    alone = half is None or math.isnan(half)
    return number(mean, form) + ("" if alone else f" ± {number(half or 0.0, form)}")


def number(value: float, form: str = ",.1f") -> str:
    """A number as text, with a true minus sign, and none before a zero: number(-0.04) is "0.0"."""
    text = format(value, form)
    if text.startswith("-") and not any(digit in text for digit in "123456789"):
        text = text[1:] if math.isfinite(value) else text
    return text.replace("-", "−")


def _refuse_level(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"the level of an interval lies between 0 and 1, not {level!r}; .95 is usual")


def _checked(values: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(values, dtype=float)
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(f"an interval needs at least two values in a row, not shape {values.shape}")
    if not np.isfinite(values).all():
        bad = int((~np.isfinite(values)).sum())
        raise ValueError(f"{bad} of {len(values)} values are NaN or infinite: they have no mean")
    return values
