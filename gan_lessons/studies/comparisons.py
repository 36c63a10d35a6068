"""A study's verdicts: each variant against all plays of the unchanged game, by factor or by difference.

effects = comparisons.factors(table, "distance", baseline="plain", nulls=["plain, other seeds"])
print(effects.words())

One rule for all studies. The unchanged game is the baseline and every null, which is the same game played anew (its
own random numbers); all of them are one group. In each seed a variant's logarithm (or value) is held against the mean
of the group's, so that what a seed does to all games drops out; the interval over seeds is `intervals.interval`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gan_lessons.intervals import interval, number
from gan_lessons.studies.error_rates import detectable, false_alarms
from gan_lessons.studies.tables import Table

Floats = NDArray[np.float64]


class Effect(NamedTuple):
    """What a change did: its mean factor or difference over seeds, the interval, and what could have been seen."""

    variant: str
    mean: float
    low: float
    high: float
    seeds: int
    each: tuple[float, ...]  # seed by seed
    detectable: float  # a factor of at least 1, or a difference of at least 0: what is seen in 80 % of studies
    neutral: float  # 1 for factors, 0 for differences
    larger_is_better: bool

    @property
    def verdict(self) -> str:
        """ "better", "worse", "no difference seen", or "the same numbers" where no seed differs in any bit."""
        if all(value == self.neutral for value in self.each):
            return "the same numbers"
        if self.low <= self.neutral <= self.high:
            return "no difference seen"
        return "better" if (self.low > self.neutral) == self.larger_is_better else "worse"

    def size(self, form: str = ".2f") -> str:
        """The effect and its interval: "×0.85 (0.80 to 0.91)", or "+10.0 (…)" for a difference."""
        mean = f"×{number(self.mean, form)}" if self.neutral else number(self.mean, f"+{form}")
        return f"{mean} ({number(self.low, form)} to {number(self.high, form)})"

    def missed(self, form: str = ".2f") -> str:
        """What the study was too small to see: "a factor under 1.15 would have been missed"."""
        kind = "factor" if self.neutral else "difference"
        return f"a {kind} under {number(self.detectable, form)} would have been missed"

    def words(self, form: str = ".2f") -> str:
        """The verdict in one line."""
        return f"{self.variant}: {self.verdict_words(form)}; {self.size(form)}, {self.seeds} seeds"

    def verdict_words(self, form: str = ".2f") -> str:
        """The verdict; where no difference was seen, with what would have been missed."""
        return f"{self.verdict}: {self.missed(form)}" if self.verdict == "no difference seen" else self.verdict


class Effects(NamedTuple):
    """All variants of a table in one column, against all plays of the unchanged game."""

    column: str
    baseline: tuple[str, ...]
    effects: tuple[Effect, ...]
    nulls: tuple[Effect, ...]  # each null against the other plays of the unchanged game
    luck: tuple[float, float] | None  # where another null's mean would lie in 95 % of studies; None without nulls

    def words(self, form: str = ".2f") -> str:
        """Line by line: each effect, the luck, and the false alarms that are due."""
        return "\n".join([*(effect.words(form) for effect in self.effects), self.luck_words(form), alarms([self])])

    def luck_words(self, form: str = ".2f") -> str:
        """The spread of the unchanged game: "luck: ×0.90 to ×1.10"."""
        if self.luck is None:
            return "luck: not known, the unchanged game was played once a seed"
        neutral = self.effects[0].neutral if self.effects else self.nulls[0].neutral
        ends = [f"×{number(v, form)}" if neutral else number(v, f"+{form}") for v in self.luck]
        return f"luck: {ends[0]} to {ends[1]}"

    def rows(self, form: str = ".2f") -> tuple[list[str], list[list[str]]]:
        """Head and rows for plotting.table: effects, then nulls."""
        head = ["", "factor" if all(e.neutral for e in (*self.effects, *self.nulls)) else "difference", "verdict"]
        told = [[e.variant, e.size(form), e.verdict_words(form)] for e in self.effects]
        return head, told + [[f"{e.variant} (null)", e.size(form), e.verdict_words(form)] for e in self.nulls]


def factors(
    table: Table, column: str, *, baseline: str, nulls: Sequence[str] = (), larger_is_better: bool = False
) -> Effects:
    """Each variant's factor on a column of positive numbers: paired by seed, on the log scale.

    The factor of a seed is exp(log v - mean of log b), b all plays of the unchanged game (baseline and nulls) with that
    seed. `luck` is an interval for the mean factor of one more null with as many seeds, from the spread of these plays
    within a seed. Raises KeyError for an unknown name; ValueError for values that have no logarithm, for variants with
    other seeds than the baseline, and for a null that is the baseline, or another null, to the bit.
    """
    values = {name: np.asarray(row) for name, row in table.column(column).items()}
    for name, row in values.items():
        if not (np.isfinite(row).all() and (row > 0).all()):
            raise ValueError(f"{name} has a {column} that is not a positive number: take comparisons.differences")
    logs = {name: np.log(row) for name, row in values.items()}
    group = _group(table, logs, baseline, nulls)
    return _effects(column, logs, group, np.exp, 1.0, larger_is_better)


def differences(
    table: Table, column: str, *, baseline: str, nulls: Sequence[str] = (), larger_is_better: bool = False
) -> Effects:
    """Each variant's difference in a column, paired by seed, from the mean of all plays of the unchanged game.

    Everything else is as in `factors`. Raises ValueError for NaN and infinity too.
    """
    values = {name: np.asarray(row) for name, row in table.column(column).items()}
    group = _group(table, values, baseline, nulls)
    return _effects(column, values, group, np.asarray, 0.0, larger_is_better)


def alarms(studies: Iterable[Effects]) -> str:
    """How many comparisons a page makes, how many differences it saw, and how many false alarms are due by luck.

    Due are, if nothing made a difference, the sum of the rates at which the interval errs (`error_rates.false_alarms`).
    """
    effects = [effect for study in studies for effect in study.effects]
    due = sum(false_alarms(effect.seeds) for effect in effects)
    seen = sum(effect.verdict in ("better", "worse") for effect in effects)
    rates = sorted({round(100 * false_alarms(effect.seeds), 1) for effect in effects})
    errs = " to ".join(f"{rate:g}" for rate in dict.fromkeys((rates[0], rates[-1]))) if rates else "0"
    return (
        f"{len(effects)} comparison{'s' * (len(effects) != 1)}, {seen} of which saw a difference; "
        f"the rule errs in {errs} % of cases: {due:.1f} false alarms are due by luck"
    )


def _group(table: Table, values: Mapping[str, Floats], baseline: str, nulls: Sequence[str]) -> dict[str, Floats]:
    """All plays of the unchanged game; with the checks that make pairing sound."""
    names = [baseline, *nulls]
    for name in names:
        if name not in values:
            raise KeyError(f"no variant {name!r} in this table; have {list(values)}")
    seeds = {name: [row.seed for row in table.rows if row.variant == name] for name in values}
    if other := [name for name in values if seeds[name] != seeds[baseline]]:
        raise ValueError(f"{other[0]} was not measured with the same seeds as {baseline}: play those that are missing")
    measured = {name: [row.values for row in table.rows if row.variant == name] for name in names}
    for k, name in enumerate(names):
        if measured[name] in [measured[earlier] for earlier in names[:k]]:
            raise ValueError(
                f"{name} is a copy of {' or '.join(names[:k])}, the same to the bit, and says nothing of luck: "
                "give a null other random numbers, or leave it out"
            )
    return {name: values[name] for name in names}


def _effects(
    column: str,
    values: Mapping[str, Floats],
    group: Mapping[str, Floats],
    back: Callable[[Floats], Floats],
    neutral: float,
    larger_is_better: bool,
) -> Effects:
    """Hold all variants against the group. back: from the scale of the values to that of the effects, exp for logs."""

    def effect(name: str, plays: Sequence[Floats]) -> Effect:
        apart = values[name] - np.mean(plays, 0)  # (seeds,)
        mean, low, high, seeds = interval(apart)
        could_see = detectable(float(apart.std(ddof=1)), seeds)
        mean, low, high, could_see = (float(v) for v in back(np.array([mean, low, high, could_see])))
        each = tuple(float(v) for v in back(apart))
        return Effect(name, mean, low, high, seeds, each, could_see, neutral, larger_is_better)

    others = [name for name in values if name not in group]
    nulls = list(group)[1:]
    return Effects(
        column,
        tuple(group),
        tuple(effect(name, list(group.values())) for name in others),
        tuple(effect(name, [plays for other, plays in group.items() if other != name]) for name in nulls),
        _luck(np.array(list(group.values())), back),
    )


def _luck(plays: Floats, back: Callable[[Floats], Floats], level: float = 0.95) -> tuple[float, float] | None:
    """Where the mean of one more null would lie, held against these plays (k, seeds) of the unchanged game.

    The variance within a seed, s^2 with seeds * (k - 1) degrees of freedom, makes that of the mean of `seeds` values
    less the mean of k times as many: s^2 (1 + 1/k) / seeds.
    """
    from scipy.stats import t

    k, seeds = plays.shape
    if k < 2:
        return None
    df = seeds * (k - 1)
    variance = float(((plays - plays.mean(0)) ** 2).sum()) / df
    reach = t.ppf((1 + level) / 2, df) * np.sqrt(variance * (1 + 1 / k) / seeds)
    low, high = back(np.array([-reach, reach]))
    return float(low), float(high)
