"""Chapter 02: its loss by hand is the library's loss, and its checkers know what they say."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy
import torch
import torch.nn.functional as F
from torch import Tensor

from gan_lessons import losses
from gan_lessons.exercises import Verdict, ch02
from tests.chapters import assert_listed_right, assert_listed_wrong, assert_wrong, by_hand, cases
from tests.right_answers.ch02 import RIGHT
from tests.wrong_answers.ch02 import WRONG

CHECKS: dict[int, Callable[..., Verdict]] = {number: getattr(ch02, f"check_{number}") for number in range(1, 7)}
H9 = -0.9 * math.log(0.9) - 0.1 * math.log(0.1)
Function = Callable[..., Any]


def value_and_gradient(loss: Function, logits: Tensor, *more: Any) -> tuple[Tensor, Tensor]:
    logits = logits.clone().requires_grad_()
    value = loss(logits, *more)
    (gradient,) = torch.autograd.grad(value, logits)
    return value.detach(), gradient


@pytest.mark.parametrize("target", [0.0, 1.0, 0.9, 0.1])
def test_the_loss_by_hand_is_the_librarys_in_value_and_gradient(target: float) -> None:
    logits = torch.linspace(-60, 60, 241, dtype=torch.float64)[:, None]
    mine, my_gradient = value_and_gradient(by_hand("02_cross_entropy", F=F)["bce_on_logits"], logits, target)
    theirs, their_gradient = value_and_gradient(losses.bce, logits, target)
    torch.testing.assert_close(mine, theirs)
    torch.testing.assert_close(my_gradient, their_gradient)
    torch.testing.assert_close(my_gradient, (logits.sigmoid() - target) / len(logits))
    assert float(mine) > 10  # and not because both are zero


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_the_loss_by_hand_keeps_small_and_large_losses_in_float32(sign: float) -> None:
    target = 1.0 if sign > 0 else 0.0
    for a in (20.0, -20.0, 200.0, -200.0):
        value, gradient = value_and_gradient(
            by_hand("02_cross_entropy", F=F)["bce_on_logits"], torch.tensor([[sign * a]]), target
        )
        exact = np.logaddexp(0.0, -a)
        assert float(value) == pytest.approx(exact, rel=1e-5)
        assert float(gradient.sum()) == pytest.approx(
            -sign * math.exp(-exact - max(a, 0)) if a > 0 else -sign, rel=1e-5
        )


def number(value: float) -> list[Any]:
    """The same number as float, NumPy number, array and tensor."""
    return [value, np.float64(value), np.array([value]), torch.tensor(value), torch.tensor([[value]])]


@pytest.mark.parametrize("answer", [*number(H9), 0.3251, 0.32508])
def test_exercise_2_takes_the_entropy_of_nine_in_ten(answer: Any) -> None:
    assert ch02.check_2(answer).correct is True


@pytest.mark.parametrize(
    ("answer", "pointer"),
    [
        (H9 / math.log(2), "bits"),
        (-H9, "sign"),
        (math.log(2), "0.5"),
        (-math.log(0.9), "real note only"),
        (-math.log(0.1), "forged note only"),
        (-0.9 * math.log(0.9), "share of the real"),
        (10 * H9, "sum over ten"),
        (H9 / math.log(10), "base 10"),
        (0.1, "best constant"),
        (math.nan, "it is nan"),
        ("0.325", "should be a number"),
    ],
)
def test_exercise_2_points_at_the_mistake(answer: Any, pointer: str) -> None:
    assert_wrong(ch02.check_2(answer), pointer)


KL = [
    lambda r, f: (torch.xlogy(r, r) - torch.xlogy(r, f)).sum(),
    lambda r, f: torch.where(r > 0, r * torch.log(r / f), 0.0).sum(),
    lambda r, f: float(sum(a * math.log(a / b) if b else math.inf for a, b in zip(r, f, strict=True) if a)),
    lambda r, f: (torch.special.entr(r) * -1 - torch.xlogy(r, f)).sum().numpy(),
]


@pytest.mark.parametrize("kl", KL)
def test_exercise_1_takes_every_way_to_write_it(kl: Function) -> None:
    assert ch02.check_1(kl).correct is True


@pytest.mark.parametrize(
    ("kl", "pointer"),
    [
        (lambda r, f: torch.xlogy(f, f / r).sum(), "wrong way round"),
        (lambda r, f: torch.xlogy(r, r / f).sum() / math.log(2), "bits"),
        (lambda r, f: -torch.xlogy(r, r / f).sum(), "sign"),
        (lambda r, f: torch.xlogy(r, r / f).mean(), "mean over the outcomes"),
        (lambda r, f: -torch.xlogy(r, f).sum(), "subtract the entropy"),
        (lambda r, f: (r * torch.log(r / f)).sum(), "0 log 0"),
        (lambda r, f: (r * torch.log((r + 1e-12) / (f + 1e-12))).sum(), "infinite"),
        (lambda r, f: torch.xlogy(r, r / f).sum(), "r = f = (1, 0)"),
        (lambda r, f: F.kl_div(f.log(), r, reduction="sum"), "r = f = (1, 0)"),
        (lambda r, f: (r - f).abs().sum(), "by hand"),
        (lambda r, f: torch.xlogy(r, r / f), "sum over the outcomes"),
        (7.0, "should be a function"),
    ],
)
def test_exercise_1_points_at_the_mistake(kl: Any, pointer: str) -> None:
    assert_wrong(ch02.check_1(kl), pointer)


def mean_bce(real: Tensor, fake: Tensor) -> Tensor:
    logits = torch.cat([real, fake])
    return F.binary_cross_entropy_with_logits(logits, torch.cat([torch.ones_like(real), torch.zeros_like(fake)]))


@pytest.mark.parametrize("d_loss", [mean_bce, losses.non_saturating_mean.d_loss])
def test_exercise_3_takes_every_way_to_write_it(d_loss: Function) -> None:
    assert ch02.check_3(d_loss).correct is True


@pytest.mark.parametrize(
    ("d_loss", "pointer"),
    [
        (losses.non_saturating.d_loss, "sum of the two means"),
        (lambda r, f: F.softplus(-r).sum() + F.softplus(f).sum(), "must not grow with the batch"),
        (lambda r, f: mean_bce(f, r), "labels swapped"),
        (lambda r, f: -mean_bce(r, f), "sign"),
        (lambda r, f: mean_bce(r.sigmoid(), f.sigmoid()), "sigmoid too many"),
        (lambda r, f: mean_bce(r, -f), "label 1"),
        (lambda r, f: mean_bce(r, f) / math.log(2), "bits"),
        (lambda r, f: -(r.log().mean() + (1 - f).log().mean()) / 2, "no probabilities"),
        (lambda r, f: F.softplus(-r) + F.softplus(f), "one number"),
        (lambda r, f: F.binary_cross_entropy(r, torch.ones_like(r)), "raised RuntimeError"),
        (lambda r, f: -((r.sigmoid() + 1e-9).log().mean() + (1 - f.sigmoid() + 1e-9).log().mean()) / 2, "log space"),
        (lambda r, f: -(r.sigmoid().log().mean() + (1 - f.sigmoid()).log().mean()) / 2, "log space"),
        (lambda r, f: (1 - r).relu().mean() + (1 + f).relu().mean(), "log 2"),
    ],
)
def test_exercise_3_points_at_the_mistake(d_loss: Function, pointer: str) -> None:
    assert_wrong(ch02.check_3(d_loss), pointer)


@pytest.mark.parametrize(
    "gradient",
    [
        lambda a, y: (torch.sigmoid(a) - y) / a.numel(),
        lambda a, y: ((1 / (1 + np.exp(-a.double().numpy()))) - y.numpy()) / len(a),
        lambda a, y: [(1 / (1 + math.exp(-float(u))) - float(v)) / len(a) for u, v in zip(a, y, strict=True)],
    ],
)
def test_exercise_4_takes_every_way_to_write_it(gradient: Function) -> None:
    assert ch02.check_4(gradient).correct is True


@pytest.mark.parametrize(
    ("gradient", "pointer"),
    [
        (lambda a, y: (y - a.sigmoid()) / len(a), "sign"),
        (lambda a, y: (a - y) / len(a), "logit itself"),
        (lambda a, y: 2 * (a.sigmoid() - y) * a.sigmoid() * (1 - a.sigmoid()) / len(a), "squared error"),
        (lambda a, y: (a.sigmoid() - y) * a.sigmoid() * (1 - a.sigmoid()) / len(a), "too many"),
        (lambda a, y: (a.sigmoid() - y) / (a.sigmoid() * (1 - a.sigmoid())) / len(a), "slope in D"),
        (lambda a, y: a.sigmoid() - y, "gradient of the sum"),
        (lambda a, y: y - a.sigmoid(), "sign"),
        (lambda a, y: (a.sigmoid() - y).mean(), "4 entries"),
        (lambda a, y: value_and_gradient(F.binary_cross_entropy_with_logits, a, y)[1], "use no autograd"),
        (lambda a, y: (a.exp() / (1 + a.exp()) - y) / len(a), "±100"),
        (lambda a, y: torch.zeros_like(a), "sigma(0) = 1/2"),
        (lambda a, y: (a.sigmoid() - y) / len(a) + 0.01, "sigma(0) = 1/2"),
    ],
)
def test_exercise_4_points_at_the_mistake(gradient: Function, pointer: str) -> None:
    assert_wrong(ch02.check_4(gradient), pointer)


@pytest.mark.parametrize(
    "answer", [(H9 / 2, math.log(9)), [0.1625, 2.197], (torch.tensor(H9 / 2), np.float32(2.1972)), (0.163, 2.2)]
)
def test_exercise_5_takes_floor_and_logit(answer: Any) -> None:
    assert ch02.check_5(answer).correct is True


@pytest.mark.parametrize(
    ("answer", "pointer"),
    [
        ((H9, math.log(9)), "generated and cost 0"),
        ((0.0, math.log(9)), "not even the best"),
        ((H9 / 2 / math.log(2), math.log(9)), "bits"),
        ((math.log(2), 0.0), "told apart"),
        ((-math.log(0.9) / 2, math.log(9)), "two terms"),
        ((-0.9 * math.log(0.9) / 2, math.log(9)), "two terms"),
        ((1.0, math.log(9)), "H(0.9, D)"),
        ((H9 / 2, 0.9), "best probability"),
        ((H9 / 2, 1 / (1 + math.exp(-0.9))), "way back"),
        ((H9 / 2, -math.log(9)), "sign"),
        ((H9 / 2, math.inf), "infinity"),
        ((H9 / 2, math.log2(9)), "base 2"),
        ((H9 / 2, 1.0), "label"),
        ((H9 / 2, 5.0), "solve"),
        ((H9 / 2,), "pair of numbers"),
        (H9 / 2, "should be a pair of numbers"),
        (("a", "b"), "number 1 of them is a str"),
    ],
)
def test_exercise_5_points_at_the_mistake(answer: Any, pointer: str) -> None:
    assert_wrong(ch02.check_5(answer), pointer)


def descent(a: Tensor, y: Tensor) -> Tensor:
    log_t = torch.zeros((), requires_grad=True)
    optimizer = torch.optim.LBFGS([log_t], max_iter=50)

    def closure() -> float:
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(a * torch.exp(-log_t), y)
        loss.backward()
        return loss.item()

    optimizer.step(closure)
    return log_t.exp()


def search(steps: Tensor, sign: int = 1) -> Function:
    return lambda a, y: float(min(steps, key=lambda t: float(F.binary_cross_entropy_with_logits(a * t ** (-sign), y))))


@pytest.mark.parametrize("temperature", [descent, search(torch.logspace(-1, 1, 401))])
def test_exercise_6_takes_every_search_that_is_fine_enough(temperature: Function) -> None:
    assert ch02.check_6(temperature).correct is True


@pytest.mark.parametrize(
    ("temperature", "pointer"),
    [
        (lambda a, y: 1.0, "T = 1"),
        (search(torch.logspace(-1, 1, 401), sign=-1), "not multiplied"),
        (search(torch.linspace(1, 10, 901)), "both T < 1 and T > 1"),
        (search(torch.tensor([0.1, 0.5, 1.0, 2.0, 4.0])), "Search longer"),
        (lambda a, y: -3.0, "positive"),
        (lambda a, y: math.nan, "positive"),
    ],
)
def test_exercise_6_points_at_the_mistake(temperature: Function, pointer: str) -> None:
    assert_wrong(ch02.check_6(temperature), pointer)


@pytest.mark.parametrize("times", [3.0, 1.0, 0.4])
def test_the_temperature_of_exaggerated_logits_is_about_the_exaggeration(times: float) -> None:
    a, y = ch02._overconfident(times)
    best = ch02._best_temperature(a, y)
    assert best == pytest.approx(times, rel=0.1)
    least = ch02._bce(a / best, y)
    assert all(ch02._bce(a / t, y) > least for t in (0.97 * best, 1.03 * best))


NAMES = {"math": math, "np": np, "sympy": sympy, "torch": torch, "F": F, "grad": torch.autograd.grad}


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


# --- on the spot ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("check", "answers"),
    [
        (ch02.try_dearest, ["Bold", " bold "]),
        (ch02.try_bits, [math.log2(100), 6.6, 6.64]),
        (ch02.try_questions, [(1, 0.47), [1.0, 0.469]]),
        (ch02.try_share, [0.75, 3 / 4]),
        (ch02.try_logit, [math.log(9), 2.2]),
        (ch02.try_slope, [-0.88, 1 / (1 + math.exp(2)) - 1]),
    ],
)
def test_a_right_answer_on_the_spot_is_right(check: Function, answers: list[Any]) -> None:
    assert [check(answer).correct for answer in answers] == [True] * len(answers)
    assert check(...).correct is None


@pytest.mark.parametrize(
    ("check", "answer", "pointer"),
    [
        (ch02.try_dearest, "Shrug", "99 % sure"),
        (ch02.try_dearest, "careful", "less sure"),
        (ch02.try_dearest, "Ada", "One of Bold"),
        (ch02.try_bits, 4.605, "nats"),
        (ch02.try_bits, 2, "base 10"),
        (ch02.try_bits, -6.64, "sign"),
        (ch02.try_bits, 3.19, "divide"),
        (ch02.try_bits, 5, "log2(0.01)"),
        (ch02.try_questions, (0.47, 0.47), "one yes/no question"),
        (ch02.try_questions, (1, 0.325), "nats"),
        (ch02.try_questions, (1, 1), "fair coin"),
        (ch02.try_questions, (1, 0.137), "Ada's share"),
        (ch02.try_share, 0.3, "density"),
        (ch02.try_share, 3, "odds"),
        (ch02.try_share, 0.25, "generated"),
        (ch02.try_logit, 9, "odds"),
        (ch02.try_logit, -0.105, "log 0.9"),
        (ch02.try_logit, 0.711, "sigma(0.9)"),
        (ch02.try_slope, 0.881, "sign"),
        (ch02.try_slope, 0.119, "Subtract"),
        (ch02.try_slope, -3, "not -2"),
    ],
)
def test_a_wrong_answer_on_the_spot_is_told_its_mistake(check: Function, answer: Any, pointer: str) -> None:
    assert_wrong(check(answer), pointer)
