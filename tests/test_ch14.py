"""Chapter 14: its round by hand is the package's, and its checkers know what they say."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from gan_lessons import GAN, base, labels, losses, models, noise, strokes
from gan_lessons.exercises import Verdict, ch14
from gan_lessons.training import train_conditional
from tests.chapters import assert_listed_right, assert_listed_wrong, assert_wrong, by_hand, cases, difference
from tests.right_answers.ch14 import RIGHT
from tests.wrong_answers.ch14 import WRONG

CHECKS: dict[int, Callable[..., Verdict]] = {number: getattr(ch14, f"check_{number}") for number in range(1, 7)}
NAMES = {1: "answer_1", 2: "answer_2", 3: "projection", 4: "answer_4", 5: "variety", 6: "measure"}


def test_the_round_by_hand_is_the_packages() -> None:
    names = by_hand("14_conditional", torch=torch, F=F, bce=losses.bce)

    def pair() -> GAN:
        torch.manual_seed(0)
        G = models.mlp_generator((16,), z_dim=5 + 10, outputs=9, signed=True).double()
        D = models.mlp_discriminator((16,), inputs=9 + 10, slope=0.2).double()
        plain = noise.Prior("gaussian", 5, lambda *size, **where: torch.randn(*size, dtype=torch.float64, **where))
        return GAN(G, D, noise.labelled(plain, 10))

    def adams(gan: GAN) -> list[torch.optim.Adam]:
        return [torch.optim.Adam(network.parameters(), 1e-2) for network in (gan.G, gan.D)]

    source = torch.Generator().manual_seed(3)
    batches = [
        (torch.rand(8, 9, generator=source).double(), torch.randint(10, (8,), generator=source)) for _ in range(5)
    ]
    hand, ours = pair(), pair()
    g_adam, d_adam = adams(hand)
    torch.manual_seed(1)
    for x, y in batches:
        z = torch.randn(8, 5, dtype=torch.float64)
        names["conditional_round"](hand.G, hand.D, x, y, z, g_adam, d_adam)
    g_adam, d_adam = adams(ours)
    game: dict[str, Any] = {"objective": losses.non_saturating, "g_optimizer": g_adam, "d_optimizer": d_adam}
    torch.manual_seed(1)
    for _ in train_conditional(ours, iter(batches), 5, **game):
        pass
    assert difference(hand.G, ours.G) < 1e-9
    assert difference(hand.D, ours.D) < 1e-9
    assert difference(hand.G, pair().G) > 1e-3


@pytest.mark.parametrize("shape", [(3, 4), (3, 2, 5, 5)])
def test_beside_by_hand_is_the_packages(shape: tuple[int, ...]) -> None:
    names = by_hand("14_conditional", torch=torch, F=F, bce=losses.bce)
    x, y = torch.randn(*shape), torch.tensor([9, 0, 4])
    assert torch.equal(names["beside"](x, y), labels.beside(x, y, 10))


def judged(number: int, code: str) -> Verdict:
    names: dict[str, Any] = {"torch": torch, "np": np, "F": F, "base": base, "strokes": strokes}
    exec(code, names)
    return CHECKS[number](names[NAMES[number]])


@pytest.mark.parametrize(("number", "code"), cases(RIGHT))
def test_right_answers_are_right(number: int, code: str) -> None:
    assert_listed_right(judged(number, code))


@pytest.mark.parametrize(("number", "code"), cases(WRONG))
def test_wrong_answers_are_wrong_with_a_pointer(number: int, code: str) -> None:
    assert_listed_wrong(judged(number, code))


def test_a_measure_that_spoils_its_images_spoils_no_later_answer() -> None:
    assert_wrong(ch14.check_6(lambda images: images.zero_().sum((1, 2, 3))), "changed")
    assert_listed_right(judged(6, RIGHT[6][0]))


def test_checkers_leave_the_global_random_state_alone() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    ch14.check_3(lambda h, y, V, w, b: h @ w)
    ch14.check_5(lambda features, labels: features.var())
    assert torch.equal(torch.rand(3), expected)


def test_a_measure_that_is_none_and_one_that_no_line_in_z_changes_are_told_so() -> None:
    assert "2,000 images should get as many numbers" in ch14.check_6(lambda images: images.mean((0, 1))[0]).message
    by_chance = torch.Generator().manual_seed(0)
    verdict = ch14.check_6(lambda images: torch.rand(len(images), generator=by_chance))
    assert "whatever other images come with it" in verdict.message
    verdict = ch14.check_6(lambda images: images[:, 0, 14, 14])
    assert "A straight line in z says too little" in verdict.message


@pytest.mark.parametrize(
    ("answer", "pointer"),
    [((31_370, 5_120), "no bias"), ((31_360, 5_632), "all weights of the first convolution"), ((3_136, 512), "ten")],
)
def test_the_pointers_of_exercise_1(answer: tuple[int, int], pointer: str) -> None:
    assert pointer in ch14.check_1(answer).message


def test_a_variety_that_weighs_labels_or_takes_ten_for_granted_is_told_so() -> None:
    def spreads(features: torch.Tensor, labels: torch.Tensor) -> list[torch.Tensor]:
        return [features[labels == k].var(0).sum() for k in labels.unique()]

    counts = ch14.check_5(lambda f, y: (torch.stack(spreads(f, y)) * y.unique(return_counts=True)[1]).sum() / len(y))
    assert "Each label counts once" in counts.message
    assert "need not be ten" in ch14.check_5(lambda f, y: torch.stack(spreads(f, y)).sum() / 10).message


def test_the_two_numbers_of_exercise_1_are_those_of_the_base_games() -> None:
    sizes = {
        name: sum(p.numel() for p in build().parameters())
        for name, build in (
            ("G", base.DCGAN.generator),
            ("CG", base.CDCGAN.generator),
            ("D", base.DCGAN.discriminator),
            ("CD", base.CDCGAN.discriminator),
        )
    }
    assert ch14.check_1((sizes["CG"] - sizes["G"], sizes["CD"] - sizes["D"])).correct is True
