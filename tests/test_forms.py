"""The forms of an answer: whatever is meant by it becomes one plain value, and nothing else does."""

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy
import torch

from gan_lessons.exercises import forms
from gan_lessons.exercises.forms import Unfit, any_number, number, set_of, several, table, tensor, text, whole_number

THREES: list[Any] = [
    3,
    3.0,
    3 + 0j,
    Fraction(6, 2),
    Decimal(3),
    sympy.Integer(3),
    sympy.sqrt(9),
    np.int64(3),
    np.float32(3),
    np.array([[3]]),
    torch.tensor(3),
    torch.tensor([3.0], requires_grad=True),
    torch.tensor(3.0, dtype=torch.bfloat16),
    torch.tensor(3 + 0j),
]


@pytest.mark.parametrize("value", THREES, ids=repr)
def test_a_number_in_any_form_is_a_plain_number(value: Any) -> None:
    for form, kind in ((number, float), (whole_number, int)):
        assert form(value) == 3
        assert type(form(value)) is kind
    assert torch.equal(tensor([value, value]).flatten(), torch.tensor([3.0, 3.0], dtype=torch.float64))


@pytest.mark.parametrize(
    ("form", "value", "words"),
    [
        (number, True, "a number, but it is a bool"),
        (number, np.bool_(True), "a number, but it is a bool"),
        (number, torch.tensor(False), "a number, but it is a bool"),
        (number, "3", "a number, but it is a str"),
        (number, [3], "a number, but it is a list"),
        (number, [[1], [1, 2]], "a number, but it is a list"),
        (number, torch.zeros(2), "a number, but it is a Tensor"),
        (number, np.zeros(0), "a number, but it is"),
        (number, 3 + 1j, "imaginary part 1"),
        (number, sympy.Symbol("x"), "symbols or is not real: x"),
        (number, math.nan, "it is nan"),
        (number, -math.inf, "it is minus infinity"),
        (whole_number, 2.5, "a whole number, but it is 2.5"),
        (text, 3, "text, but it is an int"),
        (several(float, 2), (1, "b"), "a pair of numbers, (a, b), but number 2 of them is a str"),
        (several(float, 2), (1, 2, 3), "but it holds 3"),
        (several(float, 2), {1, 2}, "but it is a set, which has no order"),
        (several(float, 2), "ab", "but it is a str"),
        (several(float), [], "several numbers, but it is empty"),
        (several(float, 2), torch.zeros(2, 2), "number 1 of them is a"),
        (set_of(int), (1, "b"), "a set of whole numbers, but in it stands what is a str"),
        (table(float, "a", "b"), {"a": 1}, "but there is no 'b'"),
        (table(float, "a"), {"a": 1, "z": 1}, "but it has the key 'z'"),
        (table(float, "a"), {"a": "x"}, "but under 'a' is a str"),
        (table(float, "a"), 1, "but it is an int"),
        (tensor, "x", "an array of numbers, but it is a str"),
        (tensor, [[1], [1, 2]], "its rows differ in length"),
        (tensor, torch.tensor([1 + 1j, 2]), "imaginary part 1"),
    ],
)
def test_what_is_wanted_is_told_where_a_form_does_not_fit(form: forms.Form, value: Any, words: str) -> None:
    with pytest.raises(Unfit) as caught:
        form(value)
    assert words in str(caught.value)


PAIRS: list[Any] = [
    (1, 2),
    [torch.tensor(1.0, requires_grad=True), Fraction(2)],
    np.array([1, 2]),
    np.array([[1], [2]]),
    torch.tensor([1.0, 2.0], requires_grad=True),
    range(1, 3),
    (part for part in (1, 2)),
]


@pytest.mark.parametrize("value", PAIRS)
def test_a_pair_in_any_form_is_a_tuple_of_floats(value: Any) -> None:
    pair = several(float, 2)(value)
    assert pair == (1.0, 2.0)
    assert [type(part) for part in pair] == [float, float]


@pytest.mark.parametrize("value", [{3, 6}, [6, 3.0, 3], np.array([3, 6]), torch.tensor([3.0, 6.0]), {3: "a", 6: "b"}])
def test_a_set_in_any_form_is_a_set(value: Any) -> None:
    assert set_of(int)(value) == {3, 6}
    assert set_of(int)(3) == {3}
    assert set_of(int)([]) == set()
    assert set_of(str)(["K5  Slow", " left"]) == {"k5 slow", "left"}


def test_keys_of_a_table_may_differ_in_case_and_blanks_and_come_out_in_order() -> None:
    given = table(float, "p(a | b)", "q")({" Q": torch.tensor(2.0, requires_grad=True), "P(a|b)": Fraction(1, 2)})
    assert list(given.items()) == [("p(a | b)", 0.5), ("q", 2.0)]


def test_large_whole_numbers_keep_all_their_digits() -> None:
    assert whole_number(10**20 + 1) == whole_number(sympy.Integer(10) ** 20 + 1) == 10**20 + 1


def test_any_number_may_be_nan_or_infinite() -> None:
    assert math.isnan(any_number(torch.tensor([math.nan])))
    assert any_number(sympy.oo) == any_number(10**400) == math.inf
    assert any_number(-(10**400)) == -math.inf
