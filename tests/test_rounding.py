"""One rule for rounded numbers: at least two digits, and never blamed for a wrong turn."""

import math

import pytest

from gan_lessons.exercises.rounding import fault, rounded

THIRD = 0.3133


@pytest.mark.parametrize(
    ("answer", "truth", "digits", "expected"),
    [
        (0.31, THIRD, 2, True),
        (0.313, THIRD, 2, True),
        (0.3133, THIRD, 2, True),
        (0.3, THIRD, 2, False),
        (0.32, THIRD, 2, False),
        (0.311, THIRD, 2, False),  # three digits, and the last is wrong
        (0.316, THIRD, 2, False),
        (-0.31, -THIRD, 2, True),
        (-0.31, THIRD, 2, False),
        (0.31, THIRD, 3, False),
        (0.313, THIRD, 3, True),
        (0.3, 0.3012, 2, True),  # 0.30
        (31, 31.33, 2, True),
        (310, 313.3, 2, True),
        (26 / 27, 27 / 28, 2, False),
        (0.96, 27 / 28, 2, True),
        (THIRD * 1.0009, THIRD, 2, True),
        (THIRD * 1.0011, THIRD, 2, False),
        (0.32, 0.32508, 2, True),  # by way of 0.325
        (0.0021, 0.00213, 2, True),
        (0.0025, 0.00213, 2, False),
        (0.0, 0.0, 2, True),
        (1e-9, 0.0, 2, True),
        (1e-3, 0.0, 2, False),
        (0.0, THIRD, 2, False),
        (math.inf, math.inf, 2, True),
        (math.inf, -math.inf, 2, False),
        (math.nan, THIRD, 2, False),
        (math.nan, math.nan, 2, False),
        (1e9, math.inf, 2, False),
    ],
)
def test_rounded_takes_the_truth_to_so_many_digits_and_no_other(
    answer: float, truth: float, digits: int, expected: bool
) -> None:
    assert rounded(answer, truth, digits) is expected


def test_nothing_is_said_of_a_right_number() -> None:
    assert fault(0.31, THIRD, [(0.31, "a wrong turn that rounding explains")]) == ""


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (0.5, "a half"),
        (0.3, "two digits or more"),
        (31, "in per cent"),
        (31.33, "in per cent"),
        (0.9, "otherwise"),
        (math.nan, "otherwise"),
    ],
)
def test_a_wrong_number_gets_the_pointer_that_fits(answer: float, words: str) -> None:
    assert words in fault(answer, THIRD, [(0.5, "a half"), (0.311, "near the truth")], "otherwise")


def test_a_wrong_turn_within_rounding_of_the_truth_is_not_blamed() -> None:
    assert fault(0.3128, 0.3133, [(0.313, "a wrong turn")], "otherwise") == "otherwise"
    assert fault(0.3134, 0.31, [(0.3134, "a wrong turn")], "otherwise") == "a wrong turn"
    assert fault(0.96, 27 / 28, [(26 / 27, "a wrong turn")], "otherwise") == ""


def test_a_measured_number_is_right_within_what_is_given() -> None:
    assert fault(415.0, 418.9, within=4.2) == ""
    assert fault(414.0, 418.9, within=4.2) != ""
    assert fault(1e-4, 0.0, within=1.5e-4) == ""
    assert fault(1e-4, 0.0) != ""


def test_a_wrong_turn_beside_the_truth_is_seen_by_its_unrounded_number_alone() -> None:
    turns = [(11_066_160.0, "with the biases")]
    assert fault(11_066_160.0, 11_063_808.0, exactly=turns) == "with the biases"
    assert fault(1.107e7, 11_063_808.0, exactly=turns) == fault(11_066_161.0, 11_063_808.0, exactly=turns) == ""
    assert fault(11_063_808.0, 11_063_808.0, exactly=turns) == ""


def test_two_right_digits_are_told_where_all_are_asked_for() -> None:
    assert fault(579_727.0, 579_728.0, digits=6, roughly="about right") == "about right"
    assert fault(579_728.0, 579_728.0, digits=6, roughly="about right") == ""
    assert fault(500_000.0, 579_728.0, (), "otherwise", digits=6, roughly="about right") == "otherwise"


@pytest.mark.parametrize("truth", [0.75, 0.7499999999999999, 0.7500000000000001])
@pytest.mark.parametrize("answer", [0.7, 0.8])
def test_a_half_may_be_rounded_both_ways_whatever_its_last_bit_is(truth: float, answer: float) -> None:
    assert "rounded too much" in fault(answer, truth)
    assert "rounded too much" in fault(-answer, -truth)
    assert "rounded too much" not in fault(1.5 - answer + 0.01, truth)
