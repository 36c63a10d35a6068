"""Settings: equal ones are equal in every process, and what has no such form is refused by its name."""

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, IntEnum
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gan_lessons import losses, noise
from gan_lessons.settings import canonical, changes

ROOT = Path(__file__).parent.parent

PROGRAM = """
import functools, json, pathlib
import numpy as np
import torch
from gan_lessons import losses, noise
from gan_lessons.settings import canonical

def mine(x, factor=3):
    if x in {"red", "green", "blue"}:
        return factor
    return lambda y: y + x

turned = noise.turned(noise.uniform(2), torch.tensor([[0.0, 1.0], [-1.0, 0.0]]))
print(json.dumps(canonical({
    "objective": losses.smoothed(), "prior": noise.gaussian(8), "other": noise.uniform(8), "turned": turned,
    "mine": mine, "inner": mine(1), "partial": functools.partial(torch.nn.functional.softplus, beta=2),
    "device": torch.device("cpu"), "dtype": torch.bfloat16, "path": pathlib.Path("a/b"),
    "numpy": np.float32(0.5), "array": np.arange(1000), "tensor": torch.ones(3), "names": {"c", "a", "b"},
    "class": torch.optim.Adam, "layer": torch.nn.Tanh(), 3: (1, None, True, float("nan")),
})))
"""


def in_another_process(seed: int) -> str:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": str(seed)}
    command = [sys.executable, "-c", PROGRAM]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_equal_settings_are_equal_in_every_process() -> None:
    first, second = (in_another_process(seed) for seed in (1, 2))
    assert first == second
    found = json.loads(first)
    assert found["numpy"] == 0.5
    assert found["tensor"] == [1.0, 1.0, 1.0]
    assert found["names"] == ["a", "b", "c"]
    assert (found["device"], found["dtype"], found["path"]) == ("cpu", "torch.bfloat16", "a/b")
    assert found["3"][:3] == [1, None, True]
    assert changes(found, json.loads(second)) == []  # NaN included


class Colour(Enum):
    RED = 1


class Size(IntEnum):
    SMALL = 1


@dataclass
class Recipe:
    steps: int
    rate: object


def test_numbers_are_numbers_whoever_made_them() -> None:
    plain = canonical({"a": 3, "b": 0.5, "c": [1, 2], "d": True, "e": 1})
    assert plain == {"a": 3, "b": 0.5, "c": [1, 2], "d": True, "e": 1}
    numpy = {"a": np.int64(3), "b": np.float64(0.5), "c": np.array([1, 2]), "d": np.bool_(True), "e": Size.SMALL}
    assert canonical(numpy) == plain
    tensors = {"a": torch.tensor(3), "b": torch.tensor(0.5, requires_grad=True), "c": torch.tensor([1, 2])}
    assert canonical({**plain, **tensors}) == plain
    assert canonical({"r": Recipe(3, np.float32(0.5)), "c": Colour.RED}) == {
        "r": {"steps": 3, "rate": 0.5},
        "c": "Colour.RED",
    }


def scaled(factor: float) -> Callable[[float], float]:
    return lambda x: factor * x


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (losses.smoothed(0.9), losses.smoothed(0.8)),
        (losses.minimax, losses.non_saturating),
        (noise.gaussian(8), noise.uniform01(8)),
        (noise.uniform(8), noise.sphere(8)),
        (noise.turned(noise.uniform(2), torch.eye(2)), noise.turned(noise.uniform(2), -torch.eye(2))),
        (scaled(2.0), scaled(3.0)),
        (lambda x: x + 1, lambda x: x + 2),
        (partial(math.pow, 2), partial(math.pow, 3)),
        (torch.optim.Adam, torch.optim.AdamW),
        (np.arange(1000), np.arange(1000)[::-1]),
        (torch.zeros(1000), torch.zeros(1000).index_fill(0, torch.tensor([500]), 1.0)),
        (torch.float32, torch.float64),
        (Path("a"), Path("b")),
    ],
)
def test_what_differs_is_told_apart(one: Any, other: Any) -> None:
    assert changes(canonical({"it": one}), canonical({"it": one})) == []
    (words,) = changes(canonical({"it": one}), canonical({"it": other}))
    assert words.startswith("setting it was ")


@pytest.mark.parametrize(
    "value",
    [
        object(),
        torch.Generator(),
        iter([1]),
        {"deep": [object()]},
        scaled(object()),  # type: ignore[arg-type]
        [].append,
        str(object()),
        np.array([object()]),
        {(1, 2): 3},
    ],
)
def test_a_value_without_such_a_form_is_refused_by_name(value: object) -> None:
    with pytest.raises(ValueError, match=r"the setting 'loss' cannot be recognised in another process: .*Give"):
        canonical({"fine": 1, "loss": value})


def test_a_list_that_holds_itself_is_refused() -> None:
    knot: list[object] = []
    knot.append(knot)
    with pytest.raises(ValueError, match="holds itself"):
        canonical({"knot": knot})


def test_a_function_that_calls_itself_has_a_form() -> None:
    def countdown(n: int) -> int:
        return n and countdown(n - 1)

    assert changes(canonical({"f": countdown}), canonical({"f": countdown})) == []


def test_changes_name_what_came_and_went() -> None:
    assert changes({"a": 1, "b": 2}, {"b": 3, "c": float("nan")}) == [
        "setting a was 1, is None",
        "setting b was 2, is 3",
        "setting c was None, is nan",
    ]


def deep(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [torch.eye(2).to_sparse(), torch.ones(2, device="meta"), {1: 2, "1": 3}, deep(5000)],
    ids=["sparse", "meta", "two keys", "deep"],
)
def test_what_has_no_plain_form_is_refused_by_name_too(value: object) -> None:
    with pytest.raises(ValueError, match="the setting 'x' cannot be recognised"):
        canonical({"x": value})


def test_every_number_of_numpy_goes_into_json() -> None:
    json.dumps(canonical({"x": np.longdouble(1.5), "y": np.arange(3, dtype=np.longdouble)}))
