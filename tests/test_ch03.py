"""Chapter 03: its Algorithm 1 by hand is the library's loop, and its checkers know what they say."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import sympy
import torch
import torch.nn.functional as F
from torch import Tensor

from gan_lessons import GAN, losses, models, noise, theory, train
from gan_lessons.exercises import Verdict, ch03
from tests.chapters import assert_listed_right, assert_listed_wrong, assert_wrong, by_hand, cases, difference
from tests.right_answers.ch03 import RIGHT
from tests.wrong_answers.ch03 import WRONG

CHECKS: dict[int, Callable[..., Verdict]] = {number: getattr(ch03, f"check_{number}") for number in range(1, 7)}
LOG2 = math.log(2)
JS_ANSWER = (math.log(4) - 1.10) / 2
Function = Callable[..., Any]


def game() -> tuple[GAN, Iterator[tuple[Tensor]]]:
    torch.manual_seed(0)
    prior = noise.Prior("gaussian", 2, lambda *size, **where: torch.randn(*size, dtype=torch.float64))
    gan = GAN(models.mlp([2, 8, 1]).double(), models.mlp([1, 8, 1], slope=0.2).double(), prior)
    generator = torch.Generator().manual_seed(1)

    def batches() -> Iterator[tuple[Tensor]]:
        while True:
            yield (3 + torch.randn(16, 1, generator=generator, dtype=torch.float64),)

    return gan, batches()


@pytest.mark.parametrize("k", [1, 4])
def test_algorithm_1_by_hand_and_the_library_end_in_equal_weights(k: int) -> None:
    (hand, batches), (ours, our_batches) = game(), game()
    torch.manual_seed(7)
    by_hand("03_minimax_game", torch=torch, F=F)["algorithm_1"](
        hand.G, hand.D, batches, 25, hand.prior.sample, k=k, lr=0.1
    )

    g_optimizer, d_optimizer = (torch.optim.SGD(network.parameters(), 0.1) for network in (ours.G, ours.D))
    torch.manual_seed(7)
    for _ in train(
        ours,
        our_batches,
        25,
        objective=losses.minimax,
        g_optimizer=g_optimizer,
        d_optimizer=d_optimizer,
        d_steps=k,
    ):
        pass

    assert difference(hand.G, ours.G) < 1e-12
    assert difference(hand.D, ours.D) < 1e-12
    fresh, _ = game()
    assert difference(hand.G, fresh.G) > 1e-3  # and not because nothing moved
    assert difference(hand.D, fresh.D) > 1e-3


@pytest.mark.parametrize("answer", [JS_ANSWER, np.float32(JS_ANSWER), torch.tensor([JS_ANSWER]), 0.1431, 0.14])
def test_exercise_1_takes_the_divergence(answer: Any) -> None:
    assert ch03.check_1(answer).correct is True


@pytest.mark.parametrize(
    ("answer", "pointer"),
    [
        (2 * JS_ANSWER, "This is 2 JS"),
        (LOG2 - 1.10, "the mean fine twice"),
        (1.10 - LOG2, "the mean fine twice"),
        (JS_ANSWER / LOG2, "bits"),
        (-JS_ANSWER, "sign"),
        ((math.log(4) + 1.10) / 2, "sign of V"),
        (0.1, "rounded too much"),
        (0.155, "First turn"),
        (1.10, "First turn"),
        (math.nan, "it is nan"),
        ("0.143", "should be a number"),
    ],
)
def test_exercise_1_points_at_the_mistake(answer: Any, pointer: str) -> None:
    assert_wrong(ch03.check_1(answer), pointer)


@pytest.mark.parametrize(
    "best_D",
    [
        lambda p, q, prior: prior * p / (prior * p + (1 - prior) * q),
        lambda p, q, prior: 1 / (1 + (1 - prior) * q / (prior * p)),
        lambda p, q, prior: torch.sigmoid(p.log() - q.log() + math.log(prior / (1 - prior))).numpy(),
    ],
)
def test_exercise_2_takes_every_way_to_write_it(best_D: Function) -> None:
    assert ch03.check_2(best_D).correct is True


@pytest.mark.parametrize(
    ("best_D", "pointer"),
    [
        (lambda p, q, prior: p / (p + q), "share of one half"),
        (lambda p, q, prior: (1 - prior) * p / ((1 - prior) * p + prior * q), "wrong densities"),
        (lambda p, q, prior: prior * p / (p + q), "denominator"),
        (lambda p, q, prior: (1 - prior) * q / (prior * p + (1 - prior) * q), "forged"),
        (lambda p, q, prior: prior * torch.ones_like(p), "point by point"),
        (lambda p, q, prior: float("nan"), "the shape"),
        (lambda p, q, prior: (prior * p / (prior * p + (1 - prior) * q)).sum(), "One answer for each place"),
        (lambda p, q, prior: p.log() - q.log() + math.log(prior / (1 - prior)), "logit"),
        (lambda p, q, prior: prior * p / (prior * p + (1 - prior) * q + 1e-8), "small number"),
        (lambda p, q, prior: p.mul_(prior) / p.add_((1 - prior) * q), "changed argument 1"),
    ],
)
def test_exercise_2_points_at_the_mistake(best_D: Function, pointer: str) -> None:
    assert_wrong(ch03.check_2(best_D), pointer)


def loop(p: Tensor, q: Tensor) -> float:
    total = 0.0
    for a, b in zip(p.tolist(), q.tolist(), strict=True):
        total += a * math.log(a / (a + b)) if a else 0.0
        total += b * math.log(b / (a + b)) if b else 0.0
    return total


def patched(p: Tensor, q: Tensor) -> Tensor:
    D = p / (p + q + 1e-8)
    return (p * (D + 1e-8).log() + q * (1 - D + 1e-8).log()).sum()


@pytest.mark.parametrize("best_value", [loop, lambda p, q: -2 * LOG2 + 2 * theory.js(p, q)])
def test_exercise_3_takes_every_way_to_write_it(best_value: Function) -> None:
    assert ch03.check_3(best_value).correct is True


@pytest.mark.parametrize(
    ("best_value", "pointer"),
    [
        (lambda p, q: theory.js(p, q), "JS itself"),
        (lambda p, q: 2 * theory.js(p, q), "-log 4 is missing"),
        (lambda p, q: theory.js(p, q) - LOG2, "half the value"),
        (lambda p, q: 2 * LOG2 - 2 * theory.js(p, q), "not paid"),
        (lambda p, q: (p * (p / (p + q)).log() + q * (q / (p + q)).log()).sum(), "nan"),
        (lambda p, q: (torch.xlogy(p, p / (p + q)) + torch.xlogy(q, q / (p + q))).sum(), "nan"),
        (lambda p, q: 0.0, "Put D* into V"),
        (lambda p, q: torch.xlogy(p, p) + torch.xlogy(q, q) - torch.xlogy(p + q, p + q), "sum over the kinds"),
        (lambda p, q: loop(p, q) / len(p), "mean over the kinds"),
        (lambda p, q: loop(p, q) / LOG2, "bits"),
        (patched, "small number"),
    ],
)
def test_exercise_3_points_at_the_mistake(best_value: Function, pointer: str) -> None:
    assert_wrong(ch03.check_3(best_value), pointer)


@pytest.mark.parametrize(
    "weights",
    [
        lambda a: (a.sigmoid(), (-a).sigmoid()),
        lambda a: [1 / (1 + torch.exp(-a)), 1 / (1 + torch.exp(a))],
        lambda a: (F.logsigmoid(a).exp().numpy(), F.logsigmoid(-a).exp().numpy()),
    ],
)
def test_exercise_4_takes_every_way_to_write_it(weights: Function) -> None:
    assert ch03.check_4(weights).correct is True


@pytest.mark.parametrize(
    ("weights", "pointer"),
    [
        (lambda a: ((-a).sigmoid(), a.sigmoid()), "swapped"),
        (lambda a: (-a.sigmoid(), -(-a).sigmoid()), "minus that"),
        (lambda a: (a.sigmoid(), 1 - a.sigmoid()), "The non-saturating weight is rounded"),
        (lambda a: (1 - (-a).sigmoid(), (-a).sigmoid()), "The saturating weight is rounded"),
        (lambda a: (a.sigmoid(), a.sigmoid()), "Differentiate"),
        (lambda a: a.sigmoid(), "two tensors"),
        (lambda a: (a.sigmoid() / len(a), (-a).sigmoid() / len(a)), "without the mean"),
        (lambda a: (a.flatten().sigmoid(), (-a).flatten().sigmoid()), "one weight for each note"),
        (lambda a: (a.neg_().sigmoid(), a.sigmoid()), "your function changed a"),
    ],
)
def test_exercise_4_points_at_the_mistake(weights: Function, pointer: str) -> None:
    assert_wrong(ch03.check_4(weights), pointer)


TRUE_JS = ch03._js_of_bells(1.0, -1.0)


def test_the_divergence_of_the_two_bells_is_what_chance_says() -> None:
    generator = torch.Generator().manual_seed(0)
    x = 1 + torch.randn(400_000, generator=generator, dtype=torch.float64)
    nats = LOG2 - F.softplus(-2 * x)  # by symmetry the real notes are enough
    assert abs(float(nats.mean()) - TRUE_JS) < 4 * float(nats.std()) / math.sqrt(len(nats))


@pytest.mark.parametrize("answer", [(0.5, -math.log(4), TRUE_JS), [0.5, torch.tensor(-1.3863), np.float64(0.3368)]])
def test_exercise_5_takes_what_he_says_and_what_he_misses(answer: Any) -> None:
    assert ch03.check_5(answer).correct is True


@pytest.mark.parametrize(
    ("answer", "pointer"),
    [
        ((1.0, -math.log(4), TRUE_JS), "Look at D"),
        ((0.5, -LOG2, TRUE_JS), "without halves"),
        ((0.5, -math.log(4), 0.0), "eyes that see x"),
        ((0.5, -math.log(4), 2 * TRUE_JS), "twice"),
        ((0.5, -math.log(4), 0.1), "js_quadrature"),
        ((0.5, -math.log(4), round(TRUE_JS, 1)), "rounded too much"),
        ((0.5, -math.log(4), TRUE_JS / LOG2), "bits"),
        ((0.5, math.log(4), TRUE_JS), "sign"),
        ((0.5, 2 * TRUE_JS - math.log(4), TRUE_JS), "sees x"),
        ((math.nan, -math.log(4), TRUE_JS), "Look at D"),
        ((0.5, -math.log(4)), "should be 3 numbers, but it holds 2"),
        (0.5, "should be 3 numbers"),
    ],
)
def test_exercise_5_points_at_the_mistake(answer: Any, pointer: str) -> None:
    assert_wrong(ch03.check_5(answer), pointer)


def normal(x: Tensor, mean: Any, std: Any) -> Tensor:
    return torch.exp(-0.5 * ((x - mean) / std) ** 2) / (std * math.sqrt(2 * math.pi))


def descent(start: float) -> Function:
    def closest(distance: Function, p: Tensor, x: Tensor) -> tuple[float, float]:
        found = []
        for mean in (start, 1.5, -2.0):
            weights = torch.tensor([mean, 0.0], dtype=torch.float64, requires_grad=True)
            optimizer = torch.optim.Adam([weights], lr=0.1)
            for _ in range(200):
                loss = distance(p, normal(x, weights[0], weights[1].exp()))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            found.append((loss.item(), weights[0].item(), weights[1].exp().item()))
        return min(found)[1:]

    return closest


def moments(distance: Function, p: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    mean = theory.integrate(p * x, x)
    return mean, theory.integrate(p * (x - mean) ** 2, x).sqrt()


def looked_up(distance: Function, p: Tensor, x: Tensor) -> tuple[float, float]:
    known = [(-0.6, 1.813), (-0.52, 1.8), (-2.0, 0.5)]
    return min(known, key=lambda one: float(distance(p, normal(x, *one))))


def test_exercise_6_takes_a_descent_from_several_starts() -> None:
    assert ch03.check_6(descent(0.0)).correct is True


def test_the_listed_optima_of_exercise_6_are_optima() -> None:
    x = torch.linspace(-10, 10, 801, dtype=torch.float64)
    p = 0.6 * normal(x, -2.0, 0.5) + 0.4 * normal(x, 1.5, 0.7)
    means, stds = torch.meshgrid(torch.arange(-4, 4.01, 0.1), torch.arange(0.2, 3.01, 0.1), indexing="ij")
    q = normal(x, means.reshape(-1, 1).double(), stds.reshape(-1, 1).double())
    p = p.expand_as(q)
    for distance, (mean, std) in (
        (theory.kl_quadrature(p, q, x), (-0.6, 1.8)),
        (theory.js_quadrature(p, q, x), (-0.5, 1.8)),
        (2 * theory.kl_quadrature((p + q) / 2, p, x), (-2.0, 0.5)),
    ):
        least = int(distance.nan_to_num(nan=math.inf).argmin())
        assert float(means.flatten()[least]) == pytest.approx(mean, abs=0.051)
        assert float(stds.flatten()[least]) == pytest.approx(std, abs=0.051)


@pytest.mark.parametrize(
    ("closest", "pointer"),
    [
        (moments, "For 2 KL(m‖p) you found"),
        (lambda distance, p, x: (-0.6, 1.813), "For JS(p, q) and p in a mirror"),
        (lambda distance, p, x: (-2.0, 0.5), "For KL(p‖q) you found"),
        (lambda distance, p, x: (0.0, -1.0), "must be above 0"),
        (lambda distance, p, x: 1.0, "a pair of numbers"),
        (lambda distance, p, x: (math.nan, 1.0), "Search more widely"),
        (lambda distance, p, x: (x.neg_()[0], 1.0), "your function changed x"),
        (looked_up, "p in a mirror"),
    ],
)
def test_exercise_6_points_at_the_mistake(closest: Function, pointer: str) -> None:
    assert_wrong(ch03.check_6(closest), pointer)


NAMES = {"math": math, "np": np, "sympy": sympy, "torch": torch, "F": F, "grad": torch.autograd.grad, "theory": theory}


@pytest.mark.parametrize(("exercise", "code"), cases(WRONG))
def test_each_listed_wrong_answer_gets_a_pointer(exercise: int, code: str) -> None:
    names: dict[str, Any] = dict(NAMES)
    exec(code, names)
    assert_listed_wrong(CHECKS[exercise](list(names.values())[-1]), 40)


@pytest.mark.parametrize(("exercise", "code"), cases(RIGHT))
def test_each_listed_right_answer_is_right(exercise: int, code: str) -> None:
    names: dict[str, Any] = dict(NAMES)
    exec(code, names)
    assert_listed_right(CHECKS[exercise](list(names.values())[-1]))


# --- the forecasts ----------------------------------------------------------------------------------------------


def test_the_forecast_of_the_place_wants_the_lowest_score() -> None:
    places = torch.linspace(-4, 4, 65, dtype=torch.float64)
    assert ch03.forecast_place(-4, places, places).correct is True
    assert ch03.forecast_place(4, places, -places).correct is True
    assert_wrong(ch03.forecast_place(0, places, places), "he does not care")
    assert_wrong(ch03.forecast_place(2, places, places), "-4.00 at -4")
    assert_wrong(ch03.forecast_place(1, places, places), "Choose one")


def test_the_forecast_of_the_order_wants_the_smallest_js_first() -> None:
    js = {"Shifty": 0.155, "Half": 0.163, "Blurry": 0.134}
    assert ch03.forecast_order(["blurry", "Shifty", " HALF"], js).correct is True
    assert_wrong(ch03.forecast_order(["Half", "Shifty", "Blurry"], js), "Blurry (0.134), Shifty")
    assert_wrong(ch03.forecast_order(["Half", "Half", "Blurry"], js), "in your list once")


def test_the_forecast_of_the_second_order_wants_the_smallest_first_and_says_what_it_minds() -> None:
    distances = {"Shifty": 0.399, "Half": 0.182, "Blurry": 0.792}
    assert ch03.forecast_second_order(["half", "Shifty", "BLURRY"], distances).correct is True
    assert_wrong(ch03.forecast_second_order(["Blurry", "Shifty", "Half"], distances), "where no real ones are")
    assert_wrong(ch03.forecast_second_order(["Half", "Shifty", "Nobody"], distances), "in your list once")


@pytest.mark.parametrize(
    ("answer", "pointer"),
    [((64, 384), "five moves"), ((384, 384), "D saw last"), ((320, 320), "new z for G"), ((320, 640), "G moves once")],
)
def test_the_forecast_of_forged_notes_points_at_the_slip(answer: tuple[int, int], pointer: str) -> None:
    assert_wrong(ch03.forecast_forged(answer), pointer)
    assert ch03.forecast_forged((320, 384)).correct is True


def test_the_forecast_of_one_note_is_the_mean_of_the_ends() -> None:
    ends = torch.full((3, 50), -2.25)
    assert ch03.forecast_stuck(-2.2, ends).correct is True
    assert_wrong(ch03.forecast_stuck(-2.5, ends), "lowest value")
    assert_wrong(ch03.forecast_stuck(-2.0, ends), "-2.25")


@pytest.mark.parametrize(
    ("answer", "correct", "pointer"),
    [(0.65, True, "0.65"), (0.56, True, "0.65"), (0.5, False, "Line minds"), (0.8, False, "between 0 and log 2")],
)
def test_the_forecast_of_line_is_held_against_the_mean_js(answer: float, correct: bool, pointer: str) -> None:
    verdict = ch03.forecast_line(answer, torch.tensor([0.6, 0.7]))
    assert verdict.correct is correct
    assert pointer in verdict.message
