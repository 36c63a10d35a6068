"""Chapter 05: its loop by hand is the library's loop, and its checkers know what they say."""

import struct
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from gan_lessons import GAN, data, losses, models, noise, train
from gan_lessons.exercises import Verdict, ch05
from tests.chapters import assert_listed_right, assert_listed_wrong, by_hand, cases, difference
from tests.right_answers.ch05 import RIGHT
from tests.wrong_answers.ch05 import WRONG

CHECKS: dict[int, Callable[..., Verdict]] = {number: getattr(ch05, f"check_{number}") for number in range(1, 7)}


def game(seed: int = 0) -> tuple[GAN, data.Batches]:
    torch.manual_seed(seed)
    prior = noise.Prior("uniform", 100, lambda n, dim, **where: torch.rand(n, dim, dtype=torch.float64) * 2 - 1)
    gan = GAN(models.mlp_generator((16,)).double(), models.mlp_discriminator((16,)).double(), prior)
    digits = data.load("digits").images[:100]
    return gan, data.batches(digits, 16, transform=lambda b: data.unit(b).flatten(1).double(), seed=3)


def test_the_loop_by_hand_and_the_library_end_in_equal_weights() -> None:
    (hand, batches), (ours, our_batches) = game(), game()
    torch.manual_seed(7)
    by_hand("05_mlp_gan", torch=torch, nn=nn)["play_by_hand"](hand.G, hand.D, batches, 25, hand.prior.sample, lr=1e-3)

    torch_optimizers: dict[str, Any] = {
        "g_optimizer": torch.optim.Adam(ours.G.parameters(), 1e-3),
        "d_optimizer": torch.optim.Adam(ours.D.parameters(), 1e-3),
    }
    torch.manual_seed(7)
    for _ in train(ours, our_batches, 25, objective=losses.non_saturating, **torch_optimizers, g_steps=2):
        pass

    assert difference(hand.G, ours.G) < 1e-9
    assert difference(hand.D, ours.D) < 1e-9
    fresh, _ = game()
    assert difference(hand.G, fresh.G) > 1e-3  # and not because nothing moved


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_adam_does_not_see_the_scale_of_a_loss_and_sgd_does(factor: float) -> None:
    assert ch05._first_step_ratio(torch.optim.SGD) == pytest.approx(0.5)
    assert ch05._first_step_ratio(torch.optim.Adam) == pytest.approx(1.0, abs=1e-6)
    assert ch05.check_5({"SGD": factor, "Adam": 1.0}).correct is (factor == 0.5)


def test_checkers_leave_the_global_random_state_alone() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    ch05.check_4(lambda D, optimizer, real, fake: 0)
    ch05.check_6(lambda samples, train, test: 0.0)
    assert torch.equal(torch.rand(3), expected)


def shape_of(file: bytes, looked_at: Iterable[int]) -> tuple[int, ...]:
    """The shape in an IDX header, if those of its first bytes that are looked at are right."""
    if any(file[k] != (0, 0, 8)[k] for k in looked_at if k < 3):
        raise ValueError("no IDX file of bytes")
    return tuple(int.from_bytes(file[4 + 4 * k : 8 + 4 * k], "big") for k in range(file[3]))


def test_a_reader_that_looks_at_all_three_bytes_is_right() -> None:
    assert ch05.check_3(lambda file: shape_of(file, range(3))).correct is True


softplus, d_loss = nn.functional.softplus, losses.non_saturating.d_loss


def step_down(loss: Callable[..., Any]) -> Callable[..., None]:
    """A careful step of D, down whatever loss."""

    def d_step(D: nn.Module, optimizer: torch.optim.Optimizer, real: torch.Tensor, fake: torch.Tensor) -> None:
        optimizer.zero_grad()
        loss(D(real), D(fake.detach())).backward()
        optimizer.step()

    return d_step


def share(samples: torch.Tensor, train: torch.Tensor, test: torch.Tensor) -> float:
    limit = torch.cdist(test, train).min(1).values.quantile(0.05)
    return float((torch.cdist(samples, train).min(1).values < limit).float().mean())


@pytest.mark.parametrize(
    ("check", "answer", "words"),
    [
        (ch05.check_1, {"D, real": 1}, "there is no 'D, fake'"),
        (ch05.check_1, {"D, real": 1, "D, fake": 0, "G, fake": 0.9}, "0.9 is no label"),
        (ch05.check_1, {"D, real": 1, "D, fake": 0, "G, fake": torch.arange(2)}, "holds several numbers"),
        (ch05.check_1, {"D, real": 1, "D, fake": 0, "G, fake": "yes"}, "is a str"),
        (ch05.check_2, 579_727, "exact number"),
        (ch05.check_2, 1680, "These are the biases"),
        (ch05.check_2, 579_828, "The 100 numbers"),
        (ch05.check_2, 5.8e5, "exact number"),
        (ch05.check_2, 579728.5, "should be a whole number"),
        (ch05.check_2, 1, "Add up"),
        (ch05.check_2, "many", "should be"),
        (ch05.check_3, lambda file: (1, 2, 3), "came out as"),
        (ch05.check_3, lambda file: 3, "should be several whole numbers"),
        (ch05.check_3, lambda file: tuple(n % 2**16 for n in shape_of(file, range(4))), "takes four bytes"),
        (ch05.check_3, lambda file: tuple(n % 2**24 for n in shape_of(file, range(4))), "takes four bytes"),
        (ch05.check_3, lambda file: shape_of(file, range(4))[:5], "Byte 3"),
        (ch05.check_3, lambda file: shape_of(file, ()), "begins with 01 00 08"),
        (ch05.check_3, lambda file: shape_of(file, ()) if file[0] == 0 else None, "should raise a ValueError."),
        (ch05.check_3, lambda file: shape_of(file, ()) if file[0] == 0 else file[99], "yours raises IndexError"),
        (ch05.check_3, lambda file: shape_of(file, (0, 2)), "begins with 00 01 08"),
        (ch05.check_3, lambda file: shape_of(file, (0, 1)), "begins with 00 00 09"),
        (ch05.check_4, lambda D, optimizer, real, fake: 0, "has not moved"),
        (ch05.check_4, lambda D, optimizer, real, fake: real.add_(1), "changed real"),
        (ch05.check_4, lambda D, optimizer, real, fake: fake.detach_(), "no detach_()"),
        (ch05.check_4, step_down(lambda a, b: softplus(-b).mean() + softplus(a).mean()), "labels are swapped"),
        (ch05.check_4, step_down(lambda a, b: -softplus(-a).mean() - softplus(b).mean()), "up its loss"),
        (ch05.check_4, step_down(lambda a, b: softplus(-a).sum() + softplus(b).sum()), "sums"),
        (ch05.check_4, step_down(lambda a, b: softplus(-a).mean()), "real images only"),
        (ch05.check_4, step_down(lambda a, b: softplus(b).mean()), "fake images only"),
        (
            ch05.check_4,
            step_down(lambda a, b: softplus(-a.sigmoid()).mean() + softplus(b.sigmoid()).mean()),
            "sigmoid too",
        ),
        (ch05.check_4, step_down(lambda a, b: (1 - a).relu().mean() + (1 + b).relu().mean()), "D moved, but not down"),
        (ch05.check_5, {"SGD": 0.5}, "there is no 'Adam'"),
        (ch05.check_5, {"SGD": 50, "Adam": 100}, "right in per cent"),
        (ch05.check_5, {"SGD": 2, "Adam": 1}, "*halved*"),
        (ch05.check_6, lambda samples, train, test: 0.0, "For copies alone"),
        (ch05.check_6, lambda samples, train, test: 1 / 0, "ZeroDivisionError"),
        (ch05.check_6, lambda samples, train, test: 1 - share(samples, train, test), "turn the comparison"),
        (ch05.check_6, lambda samples, train, test: 100 * share(samples, train, test), "no per cent"),
        (ch05.check_6, lambda samples, train, test: len(samples) * share(samples, train, test), "Take the mean"),
        (ch05.check_6, lambda samples, train, test: share(samples.mul_(1), train, test.add_(1)), "changed test"),
    ],
)
def test_other_wrong_answers_get_a_pointer(check: Any, answer: Any, words: str) -> None:
    verdict = check(answer)
    assert verdict.correct is False
    assert words in verdict.message


NAMES = {"np": np, "struct": struct, "torch": torch, "nn": nn}
RESULTS = ("idx_shape", "d_step", "share_of_copies")


@pytest.mark.parametrize(("exercise", "code"), cases(WRONG))
def test_each_listed_wrong_answer_gets_a_pointer(exercise: int, code: str) -> None:
    names: dict[str, Any] = dict(NAMES)
    exec(code, names)
    assert_listed_wrong(
        CHECKS[exercise](next(names[name] for name in (f"answer_{exercise}", *RESULTS) if name in names)), 40
    )


@pytest.mark.parametrize(("exercise", "code"), cases(RIGHT))
def test_each_listed_right_answer_is_right(exercise: int, code: str) -> None:
    names: dict[str, Any] = dict(NAMES)
    exec(code, names)
    assert_listed_right(
        CHECKS[exercise](next(names[name] for name in (f"answer_{exercise}", *RESULTS) if name in names))
    )
