"""Readings along the way: which columns they are, and where a verdict turns."""

from functools import partial

import pytest

from gan_lessons.studies import comparisons, readings
from gan_lessons.studies.tables import Row, Table

PLAIN = {"distance": 20.0, "distance@30": 50.0, "distance@10": 100.0}
FACTORS = {"plain": (1, 1, 1), "hasty": (2, 1, 0.5), "patient": (1.8, 1.9, 2), "early": (1, 1, 0.5)}
COMPARE = partial(comparisons.factors, baseline="plain")


def table() -> Table:
    noise = (0.98, 1.0, 1.03, 1.0)  # of each seed, but not of the plain games
    return Table(
        tuple(
            Row(
                name,
                seed,
                1.0,
                {
                    k: v * f * (noise[seed] if name != "plain" else 1)
                    for (k, v), f in zip(PLAIN.items(), fs, strict=True)
                },
            )
            for name, fs in FACTORS.items()
            for seed in range(4)
        )
    )


def test_each_reading_is_compared_in_its_own_column_and_the_last_is_the_end() -> None:
    found = readings.along(table(), "distance", COMPARE)
    assert list(found.at) == [10, 30, 100]
    assert [e.mean for e in found.of("patient").values()] == pytest.approx([2, 1.9, 1.8], rel=0.01)
    assert found.at[10].effects == comparisons.factors(table(), "distance@10", baseline="plain").effects


def test_a_verdict_that_turns_is_shown_where_it_turns() -> None:
    found = readings.along(table(), "distance", COMPARE)
    assert {name: found.turns(name) for name in found.variants()} == {"hasty": [(10, 100)], "patient": [], "early": []}
    hasty, patient, early = found.words().splitlines()
    assert hasty.startswith("hasty: worse; ×2.00")
    assert "at 10 %: better, ×0.50" in hasty
    assert hasty.endswith("it turns between 10 % and 100 % of the length")
    assert "turns" not in patient
    assert early.endswith("what was seen on the way is not seen at the end")


def test_a_column_without_a_reading_at_the_end_is_refused() -> None:
    with pytest.raises(KeyError, match="no reading of 'loss' at the end"):
        readings.along(table(), "loss", COMPARE)
    with pytest.raises(KeyError, match="no effect of 'plain'"):
        readings.along(table(), "distance", COMPARE).of("plain")


def test_marks_are_the_rounds_of_the_readings() -> None:
    assert readings.marks(1_000) == {100: 10, 300: 30, 1_000: 100}
    assert readings.marks(7, (50, 100)) == {4: 50, 7: 100}
    with pytest.raises(ValueError, match="2 rounds have no readings at 10, 30, 100 %"):
        readings.marks(2)
