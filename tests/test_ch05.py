"""Chapter 05: its loop by hand is the library's loop, and its checkers know what they say."""

from collections.abc import Iterable
from typing import Any

import pytest
import torch
from torch import nn

from gan_lessons import GAN, data, losses, models, noise, train
from gan_lessons.exercises import ch05
from tests.chapters import by_hand, difference


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


@pytest.mark.parametrize(
    ("check", "answer", "words"),
    [
        (ch05.check_1, {"D, real": 1}, "Keep the three keys"),
        (ch05.check_2, 1, "Add up"),
        (ch05.check_2, "many", "should be"),
        (ch05.check_3, lambda file: (1, 2, 3), "came out as"),
        (ch05.check_3, lambda file: list(shape_of(file, range(4))), "should be a tuple"),
        (ch05.check_3, lambda file: shape_of(file, ()), "begins with 01 00 08"),
        (ch05.check_3, lambda file: shape_of(file, (0, 2)), "begins with 00 01 08"),
        (ch05.check_3, lambda file: shape_of(file, (0, 1)), "begins with 00 00 09"),
        (ch05.check_4, lambda D, optimizer, real, fake: 0, "has not moved"),
        (ch05.check_5, {"SGD": 0.5}, "Keep the two keys"),
        (ch05.check_6, lambda samples, train, test: 0.0, "For copies alone"),
        (ch05.check_6, lambda samples, train, test: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_other_wrong_answers_get_a_pointer(check: Any, answer: Any, words: str) -> None:
    verdict = check(answer)
    assert verdict.correct is False
    assert words in verdict.message
