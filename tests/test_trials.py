"""Trying a learner's function: misses are found at extremes, in both precisions, and in what flows back."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from gan_lessons.exercises.forms import Unfit
from gan_lessons.exercises.trials import agrees, flow, logits, mentions, misses, of_numbers, pointwise, told


def truth(a: Tensor) -> Tensor:
    return F.softplus(a)


@pytest.mark.parametrize(
    "function",
    [
        F.softplus,
        lambda a: a.clamp(min=0) + torch.log1p(torch.exp(-a.abs())),
        lambda a: np.logaddexp(0, a.numpy()),
        lambda a: [float(np.logaddexp(0, float(value))) for value in a],
        lambda a: F.softplus(a.float()),  # coarser, and says so by its dtype
    ],
)
def test_a_right_function_misses_nowhere(function: Callable[[Tensor], Any]) -> None:
    assert list(misses(function, truth, logits(0.0))) == []


@pytest.mark.parametrize(
    ("function", "extreme"),
    [
        (lambda a: torch.log(1 + torch.exp(a)), 100.0),  # inf in float32
        (lambda a: F.softplus(a.clamp(-50, 50)), 100.0),
        (lambda a: F.softplus(a) + 1e-3, None),
        (lambda a: F.softplus(a).sum(), None),
        (lambda a: F.softplus(a) if len(a) > 1 else 0 * a, None),
        (lambda a: F.softplus(a.half()).double(), None),
    ],
)
def test_a_wrong_function_misses_where_it_is_wrong(function: Callable[[Tensor], Any], extreme: float | None) -> None:
    (a,), given, wanted = next(misses(function, truth, logits(0.0)))
    assert extreme is None or float(a.abs().max()) == extreme
    assert "should be" in told((a,), given, wanted)


def test_a_function_that_changes_what_it_is_given_is_told() -> None:
    with pytest.raises(Unfit, match="your function changed argument 1"):
        list(misses(lambda a: a.exp_(), torch.exp, [(torch.ones(2),)]))


def test_logits_are_tried_in_both_precisions_alone_and_at_extremes() -> None:
    cases = list(logits(0.0, 1.0))
    assert {real.dtype for real, _ in cases} == {torch.float32, torch.float64}
    assert {1, 5, 64} <= {len(real) for real, _ in cases}
    assert {0.0, 100.0, -100.0} <= {value for real, _ in cases for value in real.flatten().tolist()}
    assert all(not torch.equal(real, fake) for real, fake in cases)


@pytest.mark.parametrize(
    ("given", "wanted", "dtype", "expected"),
    [
        ([1.0, 2.0], [1.0, 2.0], torch.float64, True),
        ([1.0], [1.0 + 2e-6], torch.float64, False),
        ([1.0], [1.0 + 2e-6], torch.float32, True),
        ([1.0], [1.0 + 2e-4], torch.float32, False),
        ([math.inf], [math.inf], torch.float32, True),
        ([1.0], [math.inf], torch.float32, False),
        ([math.inf], [1.0], torch.float32, False),
        ([math.nan], [math.nan], torch.float32, False),
        ([1.0], [1.0, 1.0], torch.float32, False),
        ([[1.0], [2.0]], [1.0, 2.0], torch.float32, True),
    ],
)
def test_agrees_is_as_strict_as_the_precision(
    given: list[Any], wanted: list[Any], dtype: torch.dtype, expected: bool
) -> None:
    assert (
        agrees(torch.tensor(given, dtype=torch.float64), torch.tensor(wanted, dtype=torch.float64), dtype) is expected
    )


def test_told_names_the_worst_entry_and_the_input() -> None:
    words = told((torch.tensor([1.0, 2.0]), 0.5), torch.tensor([1.0, 7.0]), torch.tensor([1.0, 4.0]))
    assert words == "For tensor([1, 2]), 0.5 yours gives 7 as entry 1, and it should be 4."
    assert "shape (1,), and it should be (2,)" in told(1.0, torch.ones(1), torch.ones(2))


def loss(real: Tensor, fake: Tensor) -> Tensor:
    return (F.softplus(-real) + F.softplus(fake)).mean()


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (loss, ""),
        (lambda real, fake: loss(real, fake).item(), "no gradient flows"),
        (lambda real, fake: loss(real.detach(), fake.detach()), "no gradient flows"),
        (lambda real, fake: loss(real, fake.detach()), "no gradient arrives at its input number 2"),
        (lambda real, fake: loss(real.clamp(-10, 10), fake), "its gradient is wrong"),
        (lambda real, fake: loss(real, fake) - fake.mean() + fake.mean().detach(), "its gradient is wrong"),
    ],
)
def test_flow_follows_gradients_to_each_input(function: Callable[..., Any], words: str) -> None:
    real, fake = torch.tensor([-100.0, 0.5, 30.0]), torch.tensor([1.0, -1.0, 0.3])
    with torch.no_grad():  # whatever the mode outside
        found = flow(function, loss, real, fake)
    assert found.startswith(words)
    assert bool(found) is bool(words)
    assert not real.requires_grad


def test_pointwise_takes_functions_of_tensors_and_of_single_numbers() -> None:
    x = torch.tensor([1.0, 4.0])
    assert pointwise(math.sqrt, x) == [1.0, 2.0]
    assert torch.equal(pointwise(torch.sqrt, x), torch.tensor([1.0, 2.0]))


def test_of_numbers_takes_functions_of_plain_numbers_and_of_tensors() -> None:
    assert of_numbers(math.hypot, 3.0, 4.0) == 5.0
    assert float(of_numbers(torch.hypot, 3.0, 4.0)) == 5.0
    assert float(of_numbers(lambda a, b: (a.square() + b.square()).sqrt(), 3.0, 4.0)) == 5.0
    with pytest.raises(ZeroDivisionError):
        of_numbers(lambda a: a / 0, 1.0)


def by_helper(a: Tensor) -> Tensor:
    return differentiates(a)


def differentiates(a: Tensor) -> Tensor:
    return torch.func.grad(torch.sum)(a)


def named_so(a: Tensor) -> Tensor:
    grad = 2 * a
    grad += 1
    return grad


def test_mentions_finds_names_also_in_helpers_and_not_local_ones() -> None:
    assert mentions(differentiates, "grad")
    assert mentions(by_helper, "grad")
    assert mentions(lambda a: [torch.autograd.grad(b, b) for b in a], "grad")
    assert not mentions(named_so, "grad", "backward")
    assert not mentions(math.sqrt, "grad")
