"""The report card: intervals, verdicts and the table."""

import json
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from gan_lessons.intervals import difference, plus_minus
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
        ([4.0, 4.5, 3.9], False, "no difference seen"),
        ([43.0, 44.0, 45.0], False, "worse"),
        ([-43.0, -44.0, -45.0], False, "better"),
        ([43.0, 44.0, 45.0], True, "better"),
        ([-43.0, -44.0, -45.0], True, "worse"),
        ([4.0, 80.0, 40.0], False, "no difference seen"),
        ([10.0, 800.0, 4_000.0], False, "no difference seen"),  # far, and as far from one another
        ([15.4], False, "no difference seen"),  # one draw: the range of one more ends at 4 + 9.92 * sqrt(4/3) = 15.46
        ([15.5], False, "worse"),
        ([-7.5], True, "worse"),
        ([-7.4], True, "no difference seen"),
    ],
)
def test_a_verdict_compares_the_draws_with_real_ones(values: Any, larger: bool, expected: str) -> None:
    assert verdict(values, [3.0, 4.0, 5.0], larger) == expected


def test_a_difference_that_the_eye_sees_is_seen_in_either_direction() -> None:
    # Shares of copies of a stored generator, and of real images: half as many, in all of five draws, is better.
    real, ours = [0.040, 0.046, 0.052, 0.055, 0.049, 0.051], [0.017, 0.012, 0.011, 0.015, 0.014]
    assert verdict(ours, real, False) == "better"
    assert verdict(ours, real, True) == "worse"


@pytest.mark.parametrize(("draws", "floors"), [(5, 10), (3, 10), (1, 10)])
def test_the_verdict_accuses_real_draws_about_as_often_as_it_says_and_sees_what_it_says_it_sees(
    draws: int, floors: int
) -> None:
    source, studies = np.random.default_rng(0), 2_000
    words: dict[str, list[str]] = {"same": [], "apart": []}
    for _ in range(studies):
        values, floor = source.normal(size=draws), source.normal(size=floors)
        words["same"].append(verdict(values.tolist(), floor.tolist(), True))
        missed = difference(values, floor).missed  # what another study would see in four of five cases
        values, floor = source.normal(size=draws) + missed, source.normal(size=floors)
        words["apart"].append(verdict(values.tolist(), floor.tolist(), True))
    alarms = {word: words["same"].count(word) / studies for word in ("better", "worse")}
    due = 0.02 if draws == 3 else 0.01  # Welch's interval of three and ten is too narrow: two in a hundred
    assert due / 2 < sum(alarms.values()) < 1.6 * due
    assert min(alarms.values()) > due / 5  # on either side
    assert 0.7 < words["apart"].count("better") / studies < 0.87
    assert words["apart"].count("worse") < 3


def test_without_the_allowance_draws_that_share_images_would_accuse_real_ones() -> None:
    # Ten draws of 40 of 120 images; two of different orders share a third of them.
    source = np.random.default_rng(0)
    alarms = {"as it is": 0, "without": 0}
    for _ in range(2_000):
        images = source.normal(size=120)
        orders = [source.permutation(120).reshape(3, 40) for _ in range(4)]
        chosen = np.concatenate(orders)[:10]
        floor = images[chosen].mean(1).tolist()
        values = source.normal(size=(5, 40)).mean(1).tolist()
        shared = [len(np.intersect1d(a, b)) / 40 for a, b in combinations(chosen, 2)]
        alarms["as it is"] += verdict(values, floor, True, float(np.mean(shared))) != "no difference seen"
        alarms["without"] += verdict(values, floor, True) != "no difference seen"
    assert alarms["as it is"] < 45  # 20 are due
    assert alarms["without"] > 2 * alarms["as it is"]


def test_a_floor_without_spread_is_a_bound_and_equal_to_it_is_no_difference() -> None:
    assert verdict([10.0, 10.0], [10.0, 10.0, 10.0], True) == "no difference seen"
    assert verdict([9.0, 9.0], [10.0, 10.0, 10.0], True) == "worse"


def test_a_report_is_a_table_and_a_record() -> None:
    draws = [REAL._replace(frechet=f) for f in (60.0, 61.0, 62.0)]
    report = Report("mine", draws, FLOOR, {"uniform noise": NOISE}, 500)
    record = report.record()
    assert json.loads(json.dumps(record)) == record
    assert record["frechet"]["mean"] == 61.0
    assert record["frechet"]["half"] == pytest.approx(plus_minus([60, 61, 62])[1])
    assert (record["frechet"]["floor"], record["frechet"]["verdict"]) == (4.0, "worse")
    assert record["recall"]["verdict"] == "no difference seen"
    assert record["precision"]["missed"] == pytest.approx(difference([0.90] * 3, [0.90, 0.92, 0.94]).missed)
    head, first, *rest = str(report).splitlines()
    assert head.split("  ")[0] == "measure"
    assert " ".join(first.split()) == "Fréchet distance less 61.0 ± 2.5 4.0 ± 2.5 1,200.0 worse"
    assert len(rest) == 8
    lines = report._repr_markdown_().splitlines()
    assert [line.count("|") for line in lines] == [7] * 11
    assert "| 90.0% ± 0.0% |" in lines[4]
    small = f"{100 * record['precision']['missed']:.1f}%"
    assert lines[4].endswith(f"| no difference seen; under {small} it would be missed |")
    assert lines[5].endswith("| no difference seen |")  # no spread at all: nothing would be missed
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
