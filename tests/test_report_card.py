"""The report card: intervals, verdicts and the table."""

import json
from typing import Any

import pytest

from gan_lessons.intervals import plus_minus
from gan_lessons.metrics.report_card import MEASURES, Report, Scores, verdict

REAL = Scores(3.0, 0.0, 0.90, 0.91, 10.0, 2.30, 0.99, 0.05, 0.05)
FLOOR = [REAL, REAL._replace(frechet=4.0, precision=0.92), REAL._replace(frechet=5.0, precision=0.94)]
NOISE = Scores(1200.0, 3.0, 0.0, 0.0, 1.0, 0.0, 0.999, 0.0, 0.0)


def test_every_measure_is_described() -> None:
    assert tuple(MEASURES) == Scores._fields
    assert {key for key, m in MEASURES.items() if not m.larger_is_better} == {"frechet", "kernel", "copies", "repeats"}


@pytest.mark.parametrize(
    ("values", "larger", "expected"),
    [
        ([4.0, 4.5, 3.9], False, "no difference"),
        ([43.0, 44.0, 45.0], False, "worse"),
        ([-43.0, -44.0, -45.0], False, "better"),
        ([43.0, 44.0, 45.0], True, "better"),
        ([-43.0, -44.0, -45.0], True, "worse"),
        ([43.0], False, "worse"),
        ([5.0], False, "no difference"),
        ([4.0, 80.0, 40.0], False, "no difference"),  # one of them might be real
        ([-43.0, 80.0, 40.0], False, "no difference"),
        ([10.0, 800.0, 4_000.0], False, "no difference"),  # the range ends at 4 + 9.92 * sqrt(4/3) = 15.5
        ([15.5, 800.0, 4_000.0], False, "worse"),
        ([-7.5, -800.0], True, "worse"),
        ([-7.4, -800.0], True, "no difference"),
    ],
)
def test_a_verdict_needs_every_draw_on_one_side_of_what_real_draws_do(values: Any, larger: bool, expected: str) -> None:
    assert verdict(values, [3.0, 4.0, 5.0], larger) == expected


def test_a_floor_without_spread_is_a_bound_and_equal_to_it_is_no_difference() -> None:
    assert verdict([10.0, 10.0], [10.0, 10.0, 10.0], True) == "no difference"
    assert verdict([9.0, 9.0], [10.0, 10.0, 10.0], True) == "worse"


def test_a_report_is_a_table_and_a_record() -> None:
    draws = [REAL._replace(frechet=f) for f in (60.0, 61.0, 62.0)]
    report = Report("mine", draws, FLOOR, {"uniform noise": NOISE}, 500)
    record = report.record()
    assert json.loads(json.dumps(record)) == record
    assert record["frechet"]["mean"] == 61.0
    assert record["frechet"]["half"] == pytest.approx(plus_minus([60, 61, 62])[1])
    assert (record["frechet"]["floor"], record["frechet"]["verdict"]) == (4.0, "worse")
    assert record["recall"]["verdict"] == "no difference"
    head, first, *rest = str(report).splitlines()
    assert head.split("  ")[0] == "measure"
    assert " ".join(first.split()) == "Fréchet distance less 61.0 ± 2.5 4.0 ± 2.5 1,200.0 worse"
    assert len(rest) == 8
    lines = report._repr_markdown_().splitlines()
    assert [line.count("|") for line in lines] == [7] * 11
    assert "| 90.0% ± 0.0% |" in lines[4]
    assert repr(report) == str(report)


def test_a_report_of_one_draw_has_no_interval() -> None:
    report = Report("mine", [NOISE], FLOOR, {}, 500)
    assert report.record()["frechet"]["half"] is None
    assert "1,200.0  4.0 ± 2.5" in str(report)
    assert report.record()["confidence"]["verdict"] == "better"  # noise, and more confident than real images


def test_the_facts_for_a_stored_card_are_the_record_to_four_digits_and_say_how_it_was_judged() -> None:
    odd = REAL._replace(frechet=46.123456, confidence=0.8897654)
    report = Report("dcgan", [odd, odd._replace(frechet=47.0), REAL], FLOOR, {"noise": NOISE}, 10_000)
    facts = report.facts(judge="8926c9", against="mnist, test")
    assert (facts["n"], facts["draws"], facts["judge"], facts["against"]) == (10_000, 3, "8926c9", "mnist, test")
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
    record = report.record()
    assert facts["measures"].keys() == record.keys() == MEASURES.keys()
    for key, found in facts["measures"].items():
        assert found["verdict"] == record[key]["verdict"]
        for part in ("mean", "half", "floor", "floor_half"):
            assert found[part] == pytest.approx(record[key][part], rel=5e-4)
    assert facts["measures"]["frechet"]["mean"] == 32.04
    assert Report("one", [REAL], FLOOR, {}, 5).facts()["measures"]["frechet"]["half"] is None
