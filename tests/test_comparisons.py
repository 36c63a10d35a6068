"""Verdicts of studies, on simulated tables whose truth is known."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from gan_lessons.studies import comparisons, error_rates
from gan_lessons.studies.tables import Row, Table

STUDIES = 1_500


def table(columns: Mapping[str, Sequence[float] | NDArray[np.float64]], name: str = "distance") -> Table:
    return Table(tuple(Row(v, s, 1.0, {name: float(x)}) for v, xs in columns.items() for s, x in enumerate(xs)))


def simulated(
    generator: np.random.Generator,
    names: Sequence[str],
    factors: Mapping[str, float],
    seeds: int = 5,
    shared: float = 1.0,
) -> Table:
    """Log-normal games: what a seed does to all games (shared), what each game does alone (0.2), and known factors."""
    seed_effects = shared * generator.normal(size=seeds)
    return table(
        {name: np.exp(3 + seed_effects + 0.2 * generator.normal(size=seeds)) * factors.get(name, 1.0) for name in names}
    )


def test_a_factor_is_the_geometric_mean_of_ratios_to_all_plays_of_the_unchanged_game() -> None:
    found = comparisons.factors(
        table({"plain": [1, 2, 4], "again": [4, 2, 1], "trick": [4, 6, 4]}),
        "distance",
        baseline="plain",
        nulls=["again"],
    )
    (trick,) = found.effects
    assert trick.each == pytest.approx((2, 3, 2))  # to sqrt(1 * 4), sqrt(2 * 2), sqrt(4 * 1)
    assert trick.mean == pytest.approx(12 ** (1 / 3))
    assert (trick.variant, trick.seeds, found.baseline) == ("trick", 3, ("plain", "again"))
    (again,) = found.nulls
    assert again.each == pytest.approx((4, 1, 1 / 4))  # to plain alone


def test_a_difference_is_that_to_the_mean_of_all_plays() -> None:
    columns = {"plain": [1.0, -2.0], "again": [3.0, 0.0], "trick": [5.0, 0.0]}
    found = comparisons.differences(table(columns), "distance", baseline="plain", nulls=["again"])
    assert found.effects[0].each == pytest.approx((3, 1))
    assert found.effects[0].mean == pytest.approx(2)
    assert found.luck == pytest.approx((-found.luck[1], found.luck[1])) if found.luck else False


def test_false_alarms_are_as_many_as_the_rule_says_and_the_interval_covers_the_truth() -> None:
    generator, truth, missed = np.random.default_rng(0), 0.7, 0
    for _ in range(STUDIES):
        games = simulated(generator, ["plain", "again", "trick"], {"trick": truth})
        (trick,) = comparisons.factors(games, "distance", baseline="plain", nulls=["again"]).effects
        missed += not trick.low <= truth <= trick.high
    rate = error_rates.false_alarms(5)
    assert missed / STUDIES == pytest.approx(rate, abs=3 * math.sqrt(rate / STUDIES))


def test_a_further_null_lies_within_luck_as_often_as_it_says() -> None:
    generator, held = np.random.default_rng(1), 0
    for _ in range(STUDIES):
        games = simulated(generator, ["plain", "again", "once more", "fresh"], {})
        found = comparisons.factors(games, "distance", baseline="plain", nulls=["again", "once more"])
        assert found.luck is not None
        held += found.luck[0] <= found.effects[0].mean <= found.luck[1]
    assert held / STUDIES == pytest.approx(0.95, abs=3 * math.sqrt(0.05 * 0.95 / STUDIES))


def test_pooled_plays_narrow_the_interval_by_what_theory_says() -> None:
    generator, names = np.random.default_rng(2), ["plain", "n1", "n2", "n3", "trick"]
    widths = []
    for _ in range(300):
        games = simulated(generator, names, {})
        alone = Table(tuple(row for row in games.rows if row.variant in ("plain", "trick")))
        pair = (
            comparisons.factors(games, "distance", baseline="plain", nulls=names[1:4]).effects[0],
            comparisons.factors(alone, "distance", baseline="plain").effects[0],
        )
        widths.append([math.log(e.high / e.low) for e in pair])
    pooled, single = np.mean(widths, 0)
    assert pooled / single == pytest.approx(math.sqrt((1 + 1 / 4) / 2), rel=0.06)


def test_what_could_have_been_seen_is_seen_in_eight_of_ten_other_studies() -> None:
    generator, seen, names = np.random.default_rng(3), 0, ["plain", "again", "trick"]
    for _ in range(STUDIES):
        first = comparisons.factors(simulated(generator, names, {}), "distance", baseline="plain", nulls=["again"])
        effect = first.effects[0].detectable
        assert effect > 1
        other = simulated(generator, names, {"trick": effect})
        found = comparisons.factors(other, "distance", baseline="plain", nulls=["again"])
        seen += found.effects[0].verdict == "worse"
    assert seen / STUDIES == pytest.approx(0.8, abs=3 * math.sqrt(0.16 / STUDIES))


def test_verdicts_and_words() -> None:
    games = table(
        {"plain": [8, 10, 12], "good": [4, 5.1, 6], "bad": [17, 20, 24], "same": [8, 10, 12], "so so": [9, 9, 12]}
    )
    found = comparisons.factors(games, "distance", baseline="plain")
    assert [e.verdict for e in found.effects] == ["better", "worse", "the same numbers", "no difference seen"]
    assert found.words().splitlines() == [
        "good: better; ×0.50 (0.49 to 0.52), 3 seeds",
        "bad: worse; ×2.04 (1.87 to 2.23), 3 seeds",
        "same: the same numbers; ×1.00 (1.00 to 1.00), 3 seeds",
        f"so so: no difference seen: a factor under {found.effects[3].detectable:.2f} would have been missed; "
        "×1.00 (0.76 to 1.33), 3 seeds",
        "luck: not known, the unchanged game was played once a seed",
        "4 comparisons, 2 of which saw a difference; the rule errs in 5 % of cases: 0.2 false alarms are due by luck",
    ]
    upside = comparisons.factors(games, "distance", baseline="plain", larger_is_better=True)
    assert [e.verdict for e in upside.effects[:2]] == ["worse", "better"]
    apart = comparisons.differences(games, "distance", baseline="plain")
    assert apart.effects[0].size(".1f") == "−5.0 (−7.5 to −2.5)"
    assert apart.effects[3].words(".1f").startswith("so so: no difference seen: a difference under ")


def test_rows_hold_effects_and_nulls() -> None:
    games = table({"plain": [8, 10, 12], "again": [9, 9, 13], "good": [4, 5, 6]})
    found = comparisons.factors(games, "distance", baseline="plain", nulls=["again"])
    head, rows = found.rows()
    assert head == ["", "factor", "verdict"]
    assert [(row[0], row[2].partition(":")[0]) for row in rows] == [
        ("good", "better"),
        ("again (null)", "no difference seen"),
    ]
    assert found.luck_words().startswith("luck: ×0.")


def test_alarms_add_up_over_the_studies_of_a_page() -> None:
    generator = np.random.default_rng(4)
    few = comparisons.factors(simulated(generator, ["plain", "a", "b"], {"a": 0.1}), "distance", baseline="plain")
    many = comparisons.factors(simulated(generator, ["plain", *"abc"], {}, seeds=12), "distance", baseline="plain")
    due = 2 * error_rates.false_alarms(5) + 3 * error_rates.false_alarms(12)
    rate = 100 * error_rates.false_alarms(12)
    told = comparisons.alarms([few, many])
    assert told.startswith("5 comparisons, ")
    assert f"errs in {rate:.1f} to 5 % of cases: {due:.1f} false alarms are due" in told


def test_a_null_that_is_a_copy_of_the_baseline_is_refused() -> None:
    games = table({"plain": [8, 10, 12], "again": [8, 10, 12], "good": [4, 5, 6]})
    with pytest.raises(ValueError, match="again is a copy of plain"):
        comparisons.factors(games, "distance", baseline="plain", nulls=["again"])
    two = [row._replace(values={**row.values, "loss": k}) for k, row in enumerate(games.rows)]
    comparisons.factors(Table(tuple(two)), "distance", baseline="plain", nulls=["again"])  # equal in one column alone


def test_games_that_cannot_be_compared_are_refused() -> None:
    games = table({"plain": [8, 10, 12], "good": [4, 0, 6]})
    with pytest.raises(ValueError, match=r"good has a distance that is not a positive number: take .*differences"):
        comparisons.factors(games, "distance", baseline="plain")
    with pytest.raises(KeyError, match=r"no variant 'null' in this table; have \['plain', 'good'\]"):
        comparisons.differences(games, "distance", baseline="plain", nulls=["null"])
    with pytest.raises(ValueError, match="good was not measured with the same seeds as plain"):
        comparisons.differences(Table(games.rows[:-1]), "distance", baseline="plain")
