"""Chapter 05: its loop by hand is the library's loop, and its checkers know what they say."""

import copy
import struct
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch import nn

from gan_lessons import GAN, base, data, losses, profiles, train
from gan_lessons.exercises import Verdict, ch05
from tests.chapters import assert_listed_right, assert_listed_wrong, by_hand, cases, difference
from tests.right_answers.ch05 import RIGHT
from tests.wrong_answers.ch05 import WRONG

CHECKS: dict[int, Callable[..., Verdict]] = {number: getattr(ch05, f"check_{number}") for number in range(1, 7)}


def rows(batch: int) -> Iterator[tuple[torch.Tensor]]:
    """Batches as the program draws them: with replacement, from the global generator."""
    x = data.load("digits", size=28, channels=1).images.flatten(1) / 127.5 - 1
    while True:
        yield (x[torch.randint(len(x), (batch,))],)


def test_the_program_on_one_screen_plays_the_game_of_train_and_base(tmp_path: Path) -> None:
    torch.set_default_dtype(torch.float64)
    try:
        torch.manual_seed(7)
        budget = profiles.PROFILES["full"]._replace(max_steps=25)
        known = {"profile": budget, "dataset_name": "digits", "device": torch.device("cpu"), "folder": tmp_path}
        hand = by_hand("05_mlp_gan", **known)

        torch.manual_seed(7)
        G, D = base.MLP.generator(), base.MLP.discriminator()
        fresh = copy.deepcopy((G, D))
        adams = [torch.optim.Adam(network.parameters(), base.MLP.lr, base.MLP.betas) for network in (G, D)]
        gan = GAN(G, D, base.MLP.prior)
        rest: dict[str, Any] = {"g_optimizer": adams[0], "d_optimizer": adams[1], "objective": base.MLP.objective}
        for _ in train(gan, rows(base.MLP.batch), 25, **rest):
            pass
    finally:
        torch.set_default_dtype(torch.float32)
        plt.close("all")

    assert difference(hand["G"], G) < 1e-9
    assert difference(hand["D"], D) < 1e-9
    assert difference(hand["G"], fresh[0]) > 1e-3  # and not because nothing moved
    assert difference(hand["D"], fresh[1]) > 1e-3


def test_what_the_program_saves_is_its_generator(tmp_path: Path) -> None:
    budget = profiles.PROFILES["full"]._replace(max_steps=2)
    known = {"profile": budget, "dataset_name": "digits", "device": torch.device("cpu"), "folder": tmp_path}
    hand = by_hand("05_mlp_gan", **known)
    plt.close("all")
    G = base.MLP.generator()
    G.load_state_dict(torch.load(tmp_path / "my_first_gan.pt", weights_only=True))
    assert difference(hand["G"], G) == 0


@pytest.mark.parametrize(
    ("answer", "correct", "words"),
    [
        ((1, 3), True, "there are 3 different ones"),
        ((3, 1), True, "The same image twice"),
        ([4, 5], True, "The same"),
        ((1, 2), False, "Images 1 and 2 differ, by 40 grey values"),
        ((2, 2), False, "image 2 twice"),
        ((0, 3), False, "no image 0"),
        ((1, 6), False, "from 1 to 5"),
        ((1, 2, 3), False, "should be"),
        ((..., ...), None, "Not answered yet"),
    ],
)
def test_twins_are_two_places_with_one_image(answer: Any, correct: bool | None, words: str) -> None:
    tiles = torch.tensor([10, 50, 10, 7, 7], dtype=torch.uint8)[:, None, None, None].expand(-1, 1, 3, 3)
    verdict = ch05.try_twins(answer, tiles)
    assert verdict.correct is correct
    assert words in verdict.message


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
