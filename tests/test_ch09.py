"""Chapter 09: its slerp by hand is the library's, its reflection is one, and its checkers know what they say."""

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
import torch
from torch import Tensor

from gan_lessons import base, noise, train
from gan_lessons.exercises import Verdict, ch09
from gan_lessons.models import mlp
from tests.chapters import assert_listed_right, assert_listed_wrong, assert_wrong, by_hand, cases
from tests.right_answers.ch09 import RIGHT
from tests.wrong_answers.ch09 import WRONG

CHECKS: dict[int, Callable[..., Verdict]] = {number: getattr(ch09, f"check_{number}") for number in range(1, 6)}
Function = Callable[..., Any]
ROOT12 = math.sqrt(12)


def of_the_page(word: str, **names: Any) -> dict[str, Any]:
    """Run the code cell of the chapter that holds this word, and return its names."""
    cells = nbformat.read(Path(__file__).parent.parent / "book" / "09_noise.ipynb", as_version=4).cells
    (source,) = (cell.source for cell in cells if cell.cell_type == "code" and word in cell.source)
    exec(source, names)
    return names


def test_the_mean_in_the_first_bias_makes_the_raw_network_of_centred_noise() -> None:
    ring = base.TOY._replace(prior=noise.gaussian(100), generator=partial(mlp, [100, 64, 64, 2]))
    raw = noise.uniform01(100)
    names = of_the_page(
        "def started(", torch=torch, partial=partial, noise=noise, RING=ring, raw=raw, centred=noise.shifted(raw, -0.5)
    )
    z, first = raw.sample(50), {}
    for name, game in names["suspects"].items():
        torch.manual_seed(3)
        G = game.generator()
        first[name] = G(z - (0.5 if game.prior.name != raw.name else 0.0)).detach()
    torch.testing.assert_close(first["mean at the start only"], first["U[0, 1)"], atol=1e-5, rtol=0)
    torch.testing.assert_close(first["mean in the learning only"], first["centred"], atol=1e-5, rtol=0)
    assert float((first["centred"] - first["U[0, 1)"]).abs().max()) > 1e-2


def test_the_first_layer_learns_at_its_own_rates_and_at_equal_ones_the_game_is_trains() -> None:
    first_layer = of_the_page("def first_layer(", torch=torch, train=train)["first_layer"]

    def weights(play: Function) -> list[Tensor]:
        gan, batches, rest = base.start_together(base.TOY, [0, 1])
        before = [w.detach().clone() for w in gan.G.parameters()]
        for _ in play(gan, batches, 3, **rest):
            pass
        return [now.detach() - then for now, then in zip(gan.G.parameters(), before, strict=True)]

    plain, equal = weights(train), weights(first_layer)
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(plain, equal, strict=True))
    frozen = weights(partial(first_layer, weight=0.0, bias=0.0))
    assert [float(w.abs().max()) > 0 for w in frozen] == [False, False, True, True, True, True]
    quick = weights(partial(first_layer, bias=50.0))
    assert float(quick[1].abs().max()) > 20 * float(plain[1].abs().max())


def test_the_turns_are_orthogonal_and_one_of_them_brings_the_mean_to_an_axis() -> None:
    names = of_the_page("def mirror(", torch=torch)
    for turn in (names["mirror"](100), names["any_turn"](100)):
        torch.testing.assert_close(turn @ turn.T, torch.eye(100), atol=1e-5, rtol=0)
    mean = torch.full((100,), 0.5)
    assert float((mean @ names["mirror"](100)).abs().sum()) == pytest.approx(5, abs=1e-4)
    assert float((mean @ names["any_turn"](100)).abs().sum()) > 35


@pytest.mark.parametrize("t", [0.0, 0.3, 0.5, 1.0])
def test_slerp_by_hand_is_the_librarys(t: float) -> None:
    start, stop = torch.randn(2, 50, 100, generator=torch.Generator().manual_seed(0)).double()
    mine = by_hand("09_noise", torch=torch)["slerp"](start, stop, t)
    torch.testing.assert_close(mine, noise.slerp(start, stop, t))
    assert float(mine.norm(dim=1).mean()) == pytest.approx(10, rel=0.02)


def test_the_share_in_common_is_the_mean_cosine_of_uniform_noise_in_any_interval() -> None:
    generator = torch.Generator().manual_seed(1)
    for low, high, truth in ((0.0, 2.0, 3 / 4), (1.0, 2.0, 27 / 28)):
        one, two = (low + (high - low) * torch.rand(2_000, 512, generator=generator) for _ in range(2))
        assert float(torch.cosine_similarity(one, two).mean()) == pytest.approx(truth, abs=2e-3)


def test_the_midpoint_of_two_draws_is_as_short_as_exercise_3_says() -> None:
    generator = torch.Generator().manual_seed(2)
    for mean, std in ((0.0, 1.0), (0.5, 1 / ROOT12), (-1.0, 2.0)):
        one, two = (mean + std * torch.randn(500, 4_000, generator=generator) for _ in range(2))
        found = float(noise.lerp(one, two, 0.5).norm(dim=1).mean() / one.norm(dim=1).mean())
        assert found == pytest.approx(ch09._shortening(mean, std), rel=2e-3)


@pytest.mark.parametrize("answer", [(0.75, 27 / 28), [3 / 4, 0.964], (torch.tensor(0.75), np.float32(0.9643))])
def test_exercise_1_takes_both_cosines(answer: Any) -> None:
    assert ch09.check_1(answer).correct is True


@pytest.mark.parametrize(
    ("answer", "pointer"),
    [
        ((1 / (1 + 1 / 12), 27 / 28), "a: the variance grows"),
        ((0.0, 27 / 28), "a: 0 belongs"),
        ((0.25, 27 / 28), "each vector's own"),
        ((math.sqrt(0.75), 27 / 28), "a: without the root"),
        ((0.5, 27 / 28), "What does a scale do"),
        ((0.75, 0.75), "b: adding 1"),
        ((0.75, 2.25 / (2.25 + 1 / 3)), "length 1"),
        ((0.75, 12 / 13), "The middle of"),
        ((0.75, math.sqrt(27 / 28)), "b: without the root"),
        ((0.75, 1 / 28), "each vector's own"),
        ((0.75, 0.5), "mean 3/2"),
        ((0.75,), "pair of numbers, (a, b), but it holds 1"),
        ((0.75, 26 / 27), "Divide by both together"),
        ((2 / 3, 27 / 28), "a: that is what is"),
        ((math.radians(41.4), 27 / 28), "a: that is the angle"),
        (0.75, "should be a pair"),
    ],
)
def test_exercise_1_points_at_the_mistake(answer: Any, pointer: str) -> None:
    assert_wrong(ch09.check_1(answer), pointer)


@pytest.mark.parametrize(
    "standardise",
    [
        lambda z, low, high: (z - (low + high) / 2) * ROOT12 / (high - low),
        lambda z, low, high: ((z - low) / (high - low) - 0.5) * ROOT12,
        lambda z, low, high: (z.numpy() - (low + high) / 2) / ((high - low) / ROOT12),
    ],
)
def test_exercise_2_takes_every_way_to_write_it(standardise: Function) -> None:
    assert ch09.check_2(standardise).correct is True


@pytest.mark.parametrize(
    ("standardise", "pointer"),
    [
        (lambda z, low, high: (z - z.mean()) / z.std(), "mean of this batch"),
        (lambda z, low, high: (z - z.mean(0)) / z.std(0), "means of this batch"),
        (lambda z, low, high: (z - (low + high) / 2) / (high - low), "root of 12"),
        (lambda z, low, high: (z - (low + high) / 2) / ((high - low) ** 2 / 12), "divides by the variance"),
        (lambda z, low, high: 2 * (z - low) / (high - low) - 1, "variance of 1/3"),
        (lambda z, low, high: (z - low) / (high - low) * ROOT12, "not at low"),
        (lambda z, low, high: z - (low + high) / 2, "Now the variance"),
        (lambda z, low, high: (z - low) / (high - low), "[0, 1)"),
        (lambda z, low, high: (z - (high - low) / 2) * ROOT12 / (high - low), "half the length"),
        (lambda z, low, high: (z - 0.5) * ROOT12, "[0, 1) alone"),
        (lambda z, low, high: 7 * z, "becomes 1.732"),
        (lambda z, low, high: z.sum(), "shape of z"),
        (0.5, "should be a function"),
    ],
)
def test_exercise_2_points_at_the_mistake(standardise: Any, pointer: str) -> None:
    assert_wrong(ch09.check_2(standardise), pointer)


def test_exercise_3_takes_the_root_of_the_ratio() -> None:
    assert ch09.check_3(ch09._shortening).correct is True
    assert ch09.check_3(lambda m, s: torch.tensor(1 - s**2 / (2 * m**2 + 2 * s**2)).sqrt()).correct is True


@pytest.mark.parametrize(
    ("shortening", "pointer"),
    [
        (lambda m, s: (m**2 + s**2 / 2) / (m**2 + s**2), "squared lengths"),
        (lambda m, s: 0.5**0.5, "without a mean only"),
        (lambda m, s: math.sqrt((m**2 + s**2 / 4) / (m**2 + s**2)), "two halves"),
        (lambda m, s: math.sqrt((m**2 / 2 + s**2 / 4) / (m**2 + s**2)), "variances add"),
        (lambda m, s: math.sqrt((m**2 + s / 2) / (m**2 + s**2)), "square it"),
        (lambda m, s: math.sqrt((m**2 + s**2) / (m**2 + s**2 / 2)), "other way round"),
        (lambda m, s: 1.0, "0.707"),
        (lambda m, s: math.nan, "0.707"),
    ],
)
def test_exercise_3_points_at_the_mistake(shortening: Any, pointer: str) -> None:
    assert_wrong(ch09.check_3(shortening), pointer)


def test_exercise_4_takes_the_mean_at_that_speed() -> None:
    assert ch09.check_4(lambda r, s, d: max(0, (r * s * d**0.5 - 1) / d)).correct is True


@pytest.mark.parametrize(
    ("dose", "pointer"),
    [
        (lambda r, s, d: r * s / d**0.5, "Its 1 is part"),
        (lambda r, s, d: (r * s * d**0.5 + 1) / d, "subtract its 1"),
        (lambda r, s, d: (r * s * d - 1) / d, "grows with the root"),
        (lambda r, s, d: (r * s - 1) / d, "root of the dimension is missing"),
        (lambda r, s, d: r * s * d**0.5 - 1, "1-norm"),
        (lambda r, s, d: (r * s * d**0.5 - 1) / d, "the answer is 0"),
        (lambda r, s, d: 1.0, "1.76"),
    ],
)
def test_exercise_4_points_at_the_mistake(dose: Any, pointer: str) -> None:
    assert_wrong(ch09.check_4(dose), pointer)


def test_exercise_4_sees_a_missing_deviation() -> None:
    assert_wrong(ch09.check_4(lambda r, s, d: max(0.0, (r * d**0.5 - 1) / d)), "deviation is missing")


def away_from_the_mean(mean: Tensor) -> Tensor:
    v = mean / mean.norm()
    v[0] += 1.0 if v[0] >= 0 else -1.0
    return torch.eye(len(v)) - 2 * torch.outer(v, v) / v.dot(v)


def by_qr(mean: Tensor) -> Tensor:
    basis = torch.eye(len(mean))
    basis[:, 0] = mean / mean.norm()
    free = torch.randn(len(mean), len(mean) - 1, generator=torch.Generator().manual_seed(0))
    return torch.linalg.qr(torch.cat([basis[:, :1], free], 1)).Q


@pytest.mark.parametrize("turn", [away_from_the_mean, by_qr])
def test_exercise_5_takes_every_turn_to_the_axis(turn: Function) -> None:
    assert ch09.check_5(turn).correct is True


def careless(mean: Tensor) -> Tensor:
    v = mean / mean.norm()
    v[0] -= 1
    return torch.eye(len(v)) - 2 * torch.outer(v, v) / v.dot(v)


@pytest.mark.parametrize(
    ("turn", "pointer"),
    [
        (careless, "holds nan"),
        (lambda m: torch.eye(len(m)), "not on the first axis"),
        (lambda m: torch.eye(len(m)) / m, "not orthogonal"),
        (lambda m: m, "shape"),
        (lambda m: by_qr(m.float()).T, "from the other side"),
    ],
)
def test_exercise_5_points_at_the_mistake(turn: Any, pointer: str) -> None:
    assert_wrong(ch09.check_5(turn), pointer)


def judged(exercise: int, code: str) -> Verdict:
    names: dict[str, Any] = {"math": math, "np": np, "torch": torch}
    exec(code, names)
    functions = {2: "standardise", 3: "shortening", 4: "dose", 5: "turn"}
    return CHECKS[exercise](names[functions.get(exercise, f"answer_{exercise}")])


@pytest.mark.parametrize(("exercise", "code"), cases(RIGHT))
def test_each_listed_right_answer_is_right(exercise: int, code: str) -> None:
    assert_listed_right(judged(exercise, code))


@pytest.mark.parametrize(("exercise", "code"), cases(WRONG))
def test_each_listed_wrong_answer_gets_a_pointer(exercise: int, code: str) -> None:
    assert_listed_wrong(judged(exercise, code), 40)
