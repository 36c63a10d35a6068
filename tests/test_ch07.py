"""Chapter 07: its transposed convolution by hand is PyTorch's, and its checkers know what they say."""

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from types import SimpleNamespace
from typing import Any

import nbformat
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gan_lessons import GAN, Step, base, data, generator_step, losses, noise
from gan_lessons.exercises import Verdict, ch07
from gan_lessons.models import classic, convolutions, layers
from tests.chapters import BOOK, assert_listed_right, assert_listed_wrong, by_hand, cases
from tests.right_answers.ch07 import RIGHT
from tests.wrong_answers.ch07 import WRONG

CHECKS: dict[int, Callable[..., Verdict]] = {number: getattr(ch07, f"check_{number}") for number in range(1, 7)}


@pytest.mark.parametrize("channels", [(1, 1), (3, 2)])
@pytest.mark.parametrize(
    ("side", "k", "s", "p"), [(7, 4, 2, 1), (1, 7, 1, 0), (5, 3, 2, 1), (4, 5, 3, 2), (3, 2, 4, 0)]
)
def test_the_transposed_convolution_by_hand_is_pytorchs(
    side: int, k: int, s: int, p: int, channels: tuple[int, int]
) -> None:
    names = by_hand("07_dcgan", torch=torch)
    torch.manual_seed(0)
    layer = nn.ConvTranspose2d(*channels, k, s, p, bias=False).double()
    x = torch.randn(channels[0], side, side, dtype=torch.float64)
    theirs = layer(x[None])[0].detach()
    # the chapter's canvas is float32
    ours = names["transposed"](x.float(), layer.weight.detach().float(), s, p)
    assert ours.shape == theirs.shape
    assert torch.allclose(ours.double(), theirs, atol=1e-5)
    assert float(theirs.abs().max()) > 0.01
    assert theirs.shape[-1] == names["side_after"](side, k, s, p)


def defined_by(*ids: str, **names: Any) -> dict[str, Any]:
    """Run cells of the chapter, with these names in them, and return all that they define."""
    cells = {cell.id: cell.source for cell in nbformat.read(BOOK / "07_dcgan.ipynb", as_version=4).cells}
    for id in ids:
        exec(cells[id], names)
    return names


@pytest.mark.parametrize(("deep", "patch", "first", "last"), [(False, 10, 5, 22), (True, 18, 1, 26)])
def test_d_judges_two_pixels_together_where_one_patch_holds_both(deep: bool, patch: int, first: int, last: int) -> None:
    torch.manual_seed(0)
    images = torch.randint(256, (64, 1, 28, 28), dtype=torch.uint8)
    names = defined_by("c07-n13", torch=torch, convolutions=convolutions, data=data, test_images=images)
    change = names["seen"]["three layers" if deep else "two layers"]
    rows, columns = (change > 1e-9 * change.max()).nonzero().unbind(1)
    assert (int(rows.min()), int(rows.max())) == (int(columns.min()), int(columns.max())) == (first, last)
    stride, start = (8, -7) if deep else (4, -3)  # of the patches, and where the first begins
    holding = [k for k in range(start, 28, stride) if k <= 13 < k + patch]
    assert (max(0, holding[0]), min(27, holding[-1] + patch - 1)) == (first, last)


def test_the_road_ends_at_the_base_game_and_changes_one_thing_a_step() -> None:
    profile = SimpleNamespace(steps=lambda full: full)
    given = {"partial": partial, "base": base, "noise": noise, "convolutions": convolutions, "ours": base.DCGAN}
    road = defined_by("c07-n17", "c07-n18", profile=profile, dtype=torch.float32, **given)["road"]
    *_, last = road.values()
    shapes = [
        [(name, p.shape) for make in (game.generator, game.discriminator) for name, p in make().named_parameters()]
        for game in (last, base.DCGAN)
    ]
    assert shapes[0] == shapes[1]
    for field in ("batch", "lr", "betas", "transform", "objective", "penalty", "d_steps", "g_steps"):
        assert getattr(last, field) == getattr(base.DCGAN, field)
    assert last.prior.dim == base.DCGAN.prior.dim
    assert {game.rounds for game in road.values()} == {2_000}


def weights(network: nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in network.parameters()]).clone()


def test_the_classic_pair_is_warmed_up_and_its_d_moves_by_two_adams() -> None:
    images = torch.randint(256, (64, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    given = {"torch": torch, "GAN": GAN, "Step": Step, "generator_step": generator_step, "losses": losses}
    given |= {"noise": noise, "data": data, "classic": classic, "layers": layers, "images": images}
    given |= {"device": torch.device("cpu"), "dtype": torch.float32}
    names = defined_by("c07-n49a", "c07-n50", "c07-n51", **given)
    gan, batches, adams = names["classic_start"](0)
    before = [weights(net) for net in gan[:2]]
    steps = names["classic_game"](gan, batches, 2, warm_up=3, **adams)
    assert [weights(net).equal(old) for net, old in zip(gan[:2], before, strict=True)] == [True, True]
    assert next(steps).number == 1
    for name, moves in (("real_adam", 4), ("fake_adam", 4), ("g_adam", 1)):  # three alone, then a round
        (count,) = {int(state["step"]) for state in adams[name].state.values()}
        assert count == moves
    assert [weights(net).equal(old) for net, old in zip(gan[:2], before, strict=True)] == [False, False]
    assert [step.number for step in steps] == [2]
    again = names["classic_game"](gan, batches, 3, warm_up=3, start=2, **adams)  # a resumed run is not warmed up again
    assert [step.number for step in again] == [3]
    assert {int(state["step"]) for state in adams["real_adam"].state.values()} == {6}


def test_checkers_leave_the_global_random_state_alone() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    ch07.check_3(lambda x, kernel, stride: x)
    ch07.check_5(lambda network: None)
    ch07.check_6(lambda D, images: images)
    assert torch.equal(torch.rand(3), expected)


def with_eval(D: nn.Module, images: torch.Tensor) -> torch.Tensor:
    return torch.sigmoid(D.eval()(images)).detach()


def with_graph(D: nn.Module, images: torch.Tensor) -> torch.Tensor:
    return torch.sigmoid(D.eval()(images))


def frozen(D: nn.Module, images: torch.Tensor) -> torch.Tensor:
    training = D.training
    try:
        return torch.sigmoid(D.requires_grad_(False).eval()(images))
    finally:
        D.train(training)


@pytest.mark.parametrize("kind", [int, float, np.int64, torch.tensor])
def test_whole_numbers_of_any_kind_are_sides(kind: Any) -> None:
    assert ch07.check_1(tuple(kind(side) for side in (32, 30, 32))).correct is True
    assert ch07.check_1(tuple(kind(side) for side in (32, 30, 31))).correct is False


def bias_left(network: nn.Module) -> None:
    from gan_lessons.models.convolutions import dcgan_init

    dcgan_init(network)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.constant_(layer.bias, 0.3)


def gamma_left(network: nn.Module) -> None:
    from gan_lessons.models.convolutions import dcgan_init

    dcgan_init(network)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.ones_(layer.weight)


def frozen_weights(network: nn.Module) -> None:
    convolutions.dcgan_init(network)
    network.requires_grad_(False)


def new_weights(network: nn.Module) -> None:
    convolutions.dcgan_init(network)
    for layer in network.modules():
        if isinstance(layer, nn.ConvTranspose2d):
            layer.weight = nn.Parameter(layer.weight.detach().clone())


def off_for_all(D: nn.Module, images: torch.Tensor) -> torch.Tensor:
    torch.set_grad_enabled(False)
    return torch.sigmoid(deepcopy(D).eval()(images))


@pytest.mark.parametrize(
    ("check", "answer", "words"),
    [
        (ch07.check_1, (31, 29, 32), "Almost"),
        (ch07.check_1, (32, 30, 63), "Look at c"),
        (ch07.check_1, (32, 30), "3 whole numbers, but it holds 2"),
        (ch07.check_1, (32.5, 30, 32), "number 1 of them is 32.5"),
        (ch07.check_2, (5, 11_063_808), "4 x 4 weights"),
        (ch07.check_2, (11_063_808, 18_432), "the other way round"),
        (ch07.check_2, (24 * 48 * 16,), "pair of numbers"),
        (ch07.check_3, lambda x, kernel, stride: x, "it should have"),
        (ch07.check_3, lambda x, kernel, stride: 1 / 0, "ZeroDivisionError"),
        (ch07.check_4, {3, 6}, "Try 9"),
        (ch07.check_4, {3, 5, 6, 9}, "5 leaves a pattern"),
        (ch07.check_4, {3, 6, 9, 12}, "12 is none of them"),
        (ch07.check_5, frozen_weights, "take no gradient"),
        (ch07.check_5, new_weights, "other tensors"),
        (ch07.check_5, lambda network: nn.init.ones_(next(network.parameters())), "; N(0, 0.02²) is wanted"),
        (ch07.check_6, off_for_all, "nobody gets a gradient"),
        (ch07.check_5, lambda network: 0, "came out as it went in"),
        (ch07.check_5, gamma_left, "mean 1 and standard deviation"),
        (ch07.check_5, bias_left, "A bias of BatchNorm2d"),
        (ch07.check_6, with_eval, "put it back"),
        (ch07.check_6, with_graph, "carries a graph"),
        (ch07.check_6, frozen, "unable to learn"),
    ],
)
def test_other_wrong_answers_get_a_pointer(check: Any, answer: Any, words: str) -> None:
    verdict = check(answer)
    assert verdict.correct is False
    assert words in verdict.message


NAMES = {"np": np, "torch": torch, "F": F, "nn": nn, "deepcopy": deepcopy, "convolutions": convolutions}


def judged(exercise: int, code: str) -> Verdict:
    names = {**by_hand("07_dcgan", torch=torch), **NAMES}
    exec(code, names)
    functions = {3: "transposed_1d", 5: "initialise", 6: "probability"}
    return CHECKS[exercise](names[functions.get(exercise, f"answer_{exercise}")])


@pytest.mark.parametrize(("exercise", "code"), cases(RIGHT))
def test_each_listed_right_answer_is_right(exercise: int, code: str) -> None:
    assert_listed_right(judged(exercise, code))


@pytest.mark.parametrize(("exercise", "code"), cases(WRONG))
def test_each_listed_wrong_answer_gets_a_pointer(exercise: int, code: str) -> None:
    assert_listed_wrong(judged(exercise, code), 30)
