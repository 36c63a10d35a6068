"""Chapter 15: its round by hand is the package's, its trainer averages as the package does, its checkers know."""

import copy
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

from gan_lessons import GAN, base, data, losses, noise, plotting, train
from gan_lessons.exercises import Verdict, ch15
from tests.benchmarks.quality import reached
from tests.chapters import BOOK, assert_listed_right, assert_listed_wrong, by_hand, cases, difference
from tests.right_answers.ch15 import RIGHT
from tests.wrong_answers.ch15 import WRONG

CHECKS: dict[int, Callable[..., Verdict]] = {number: getattr(ch15, f"check_{number}") for number in range(1, 7)}
NAMES = {1: "answer_1", 2: "answer_2", 3: "both", 4: "answer_4", 5: "moved", 6: "make"}
GAMMA = 0.5


def cells(*ids: str) -> dict[str, Any]:
    """Run these cells of the chapter, and return all that they define."""
    found = {
        cell["id"]: "".join(cell["source"]) for cell in json.loads((BOOK / "15_baseline.ipynb").read_text())["cells"]
    }
    names: dict[str, Any] = {"torch": torch, "nn": nn, "F": F, "deepcopy": copy.deepcopy, "base": base}
    for one in ids:
        exec(found[one], names)
    return names


def pair() -> GAN:
    torch.manual_seed(0)
    G = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 9)).double()
    D = nn.Sequential(nn.Linear(9, 16), nn.Tanh(), nn.Linear(16, 1)).double()
    prior = noise.Prior("gaussian", 5, lambda *size, **where: torch.randn(*size, dtype=torch.float64, **where))
    return GAN(G, D, prior)


def test_the_round_by_hand_is_the_packages() -> None:
    one_round = by_hand("15_baseline", torch=torch, F=F)["one_round"]

    def adams(gan: GAN) -> list[torch.optim.Adam]:
        return [torch.optim.Adam(network.parameters(), 1e-2, (0.0, 0.99)) for network in (gan.G, gan.D)]

    source = torch.Generator().manual_seed(3)
    batches = [(torch.rand(16, 9, generator=source).double(),) for _ in range(5)]
    hand, ours = pair(), pair()
    torch.manual_seed(1)
    both = adams(hand)
    for (x,) in batches:
        one_round(hand.G, hand.D, x, torch.randn(16, 5, dtype=torch.float64), *both, GAMMA)
    g_adam, d_adam = adams(ours)
    torch.manual_seed(1)

    def penalty(D: nn.Module, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        return losses.r1_r2(D, real, fake, gamma=GAMMA, share=0.25)

    game: dict[str, Any] = {"g_optimizer": g_adam, "d_optimizer": d_adam, "penalty": penalty}
    for _ in train(ours, iter(batches), 5, objective=losses.relativistic, **game):
        pass
    assert difference(hand.G, ours.G) < 1e-9
    assert difference(hand.D, ours.D) < 1e-9
    assert difference(hand.G, pair().G) > 1e-3


def test_the_networks_on_the_screen_are_those_of_the_base_game() -> None:
    names = cells("c15-22")
    for one, other in (
        (names["generator"](), base.DCGAN.generator()),
        (names["discriminator"](), base.DCGAN.discriminator()),
    ):
        assert [tuple(p.shape) for p in one.parameters()] == [tuple(p.shape) for p in other.parameters()]
    assert names["generator"]()(torch.randn(2, 64)).shape == (2, 1, 28, 28)
    assert names["discriminator"]()(torch.randn(2, 1, 28, 28)).shape == (2, 1)


def test_the_trainer_on_the_screen_averages_and_lets_the_rate_fall_to_nearly_nothing() -> None:
    names = cells("c15-24", "c15-26")
    rates: list[float] = []

    def counts(G: nn.Module, D: nn.Module, x: torch.Tensor, z: torch.Tensor, g: Any, d: Any, gamma: float) -> None:
        rates.append(g.param_groups[0]["lr"])
        nn.init.constant_(G.get_parameter("weight"), float(len(rates)))

    names["one_round"] = counts  # after round k all weights are k
    G = nn.Linear(2, 1)
    nn.init.constant_(G.weight, 0.0)
    points = iter(lambda: (torch.randn(4, 1),), None)
    average = names["train_gan"](G, nn.Linear(1, 1), points, 8, z_dim=2, lr=1.0)
    assert rates == [1.0] * 5 + [0.75, 0.5, 0.25]
    expected = 0.0
    for k in range(1, 9):
        keep = min(0.999, (1 + k) / (10 + k))
        expected = keep * expected + (1 - keep) * k
    assert float(average.weight.detach().mean()) == pytest.approx(expected, rel=1e-5)
    assert not average.training


def test_the_trainer_on_the_screen_takes_a_zip_of_photographs_as_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ZipFile(tmp_path / "photos.zip", "w") as folder:
        for k, digit in enumerate(data.load("digits").images[:220]):
            file = io.BytesIO()
            Image.fromarray(digit[0].numpy()).resize((40, 40)).save(file, "png")
            folder.writestr(f"{k}.png", file.getvalue())
    monkeypatch.chdir(tmp_path)
    page = json.loads((BOOK / "15_baseline.ipynb").read_text())["cells"]
    (told,) = ("".join(cell["source"]) for cell in page if cell["id"] == "c15-34")
    code = told.split("```python\n")[1].split("```")[0]
    shown: list[torch.Tensor] = []
    monkeypatch.setattr(plotting, "show_images", lambda images, columns: shown.append(images))
    names = cells("c15-22", "c15-24", "c15-26") | {"data": data, "GAN": GAN, "noise": noise, "plotting": plotting}
    assert "4_000" in code
    exec(code.replace("4_000", "2"), names)
    assert shown[0].shape == (48, 1, 28, 28)
    assert 0 <= float(shown[0].min()) < float(shown[0].max()) <= 1


def test_shifts_move_each_image_by_itself_pass_gradients_and_rest_in_evaluation() -> None:
    shifts = cells("c15-71")["Shifts"]()
    torch.manual_seed(0)
    x = torch.full((64, 1, 28, 28), -1.0)
    x[:, :, 14, 14] = 1.0
    moved = shifts(x)
    assert moved.shape == x.shape
    places = moved.flatten(1).argmax(1)
    rows, columns = places // 28 - 14, places % 28 - 14
    assert {-3, 3} <= set(rows.tolist()) <= set(range(-3, 4))
    assert {-3, 3} <= set(columns.tolist()) <= set(range(-3, 4))
    assert len(set(zip(rows.tolist(), columns.tolist(), strict=True))) > 20
    y = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(shifts(y)[:, :, 14, 14].sum(), y)
    assert float(gradient.sum()) == 64
    assert torch.equal(shifts.eval()(x), x)


def test_the_modern_game_has_the_whole_price_of_the_dcgan_where_real_and_forged_are_alike() -> None:
    D, x = nn.Linear(4, 1), torch.randn(16, 4)
    assert base.MODERN.penalty is not None
    assert base.DCGAN.penalty is not None
    assert base.MODERN.penalty(D, x, x).item() == pytest.approx(base.DCGAN.penalty(D, x, x).item(), rel=1e-6)
    assert base.MODERN.objective.relativistic


def test_the_time_to_a_distance_lies_between_its_readings() -> None:
    scores = [(10, 1, 0.0, 80.0), (40, 2, 0.0, 20.0), (90, 3, 0.0, 15.0)]
    assert reached(scores, 40) == pytest.approx(20.0)  # half way, on log axes
    assert reached(scores, 20) == pytest.approx(40.0)
    assert reached(scores, 100) == 10.0
    assert reached(scores, 10) is None


def judged(number: int, code: str) -> Verdict:
    names: dict[str, Any] = {"torch": torch, "np": np, "F": F, "nn": nn, "losses": losses}
    exec(code, names)
    return CHECKS[number](names[NAMES[number]])


@pytest.mark.parametrize(("number", "code"), cases(RIGHT))
def test_right_answers_are_right(number: int, code: str) -> None:
    assert_listed_right(judged(number, code))


@pytest.mark.parametrize(("number", "code"), cases(WRONG))
def test_wrong_answers_are_wrong_with_a_pointer(number: int, code: str) -> None:
    assert_listed_wrong(judged(number, code))


def test_wrong_answers_are_told_what_is_wrong() -> None:
    verdict = ch15.check_3(lambda D, real, fake, gamma: losses.r1_r2(D, real, fake, 1.0))
    assert "does not depend on gamma" in verdict.message
    verdict = ch15.check_5(lambda images, dx, dy: list(ch15._moved(images, dx, dy)))
    assert "one tensor" in verdict.message


def test_checkers_leave_the_global_random_state_alone() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    ch15.check_3(lambda D, real, fake, gamma: torch.rand(()))
    ch15.check_5(lambda images, dx, dy: images)
    ch15.check_6(lambda: nn.Linear(2, 1))
    assert torch.equal(torch.rand(3), expected)


def test_the_value_of_exercise_4_is_that_of_the_pairs() -> None:
    p, q = torch.tensor([1.0, 1e-12]), torch.tensor([0.5, 0.5])
    one, other = torch.outer(p, q), torch.outer(q, p)
    mean = (one + other) / 2
    value = float((one * (one / mean).log() + other * (other / mean).log()).sum() / 2)
    assert ch15.check_4(value).correct is True
