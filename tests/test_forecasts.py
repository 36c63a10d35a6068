"""A forecast beside its number."""

import numpy as np
import pytest
import torch

from gan_lessons.exercises.forecasts import forecast
from tests.chapters import assert_wrong


@pytest.mark.parametrize("guess", [80, 100.0, np.float64(90), torch.tensor([85.0])])
def test_a_guess_within_the_limit_is_right_and_the_number_is_told(guess: object) -> None:
    verdict = forecast(guess, np.float32(90.0), 10)
    assert verdict.correct is True
    assert verdict.message.endswith("the run gave 90.")


@pytest.mark.parametrize(("guess", "pointer"), [(79.5, "10.5 more"), (101, "11 less"), ("much", "should be a number")])
def test_another_guess_is_told_by_how_much(guess: object, pointer: str) -> None:
    assert_wrong(forecast(guess, 90.0, 10), pointer)


def test_no_guess_is_not_answered_yet() -> None:
    assert forecast(..., 90.0, 10).correct is None
