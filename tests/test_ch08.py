"""Chapter 08: its layer by hand is the package's, its fraud keeps its blocks, and its checkers know what they say."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_lessons.exercises import Verdict, ch08
from gan_lessons.models.layers import BatchDeviation
from tests.chapters import assert_listed_right, assert_listed_wrong, cases
from tests.right_answers.ch08 import RIGHT
from tests.wrong_answers.ch08 import WRONG

CHECKS: dict[int, Callable[..., Verdict]] = {number: getattr(ch08, f"check_{number}") for number in range(1, 7)}
NOTEBOOK = Path(__file__).parent.parent / "book" / "08_dcgan_in_colour.ipynb"


def from_the_page(start: str, until: str = "\0", **names: Any) -> dict[str, Any]:
    """The names of the one code cell that begins so, as it stands in the chapter, up to `until`."""
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    (source,) = (c.source for c in cells if c.cell_type == "code" and c.source.startswith(start))
    names |= {"torch": torch, "F": F}
    exec(source.partition(until)[0], names)
    return names


@pytest.mark.parametrize("shape", [(6, 3, 4, 4), (2, 1, 5, 3)])
def test_the_layer_by_hand_is_the_packages(shape: tuple[int, ...]) -> None:
    ours = from_the_page('def with_deviation(x):\n    """')["with_deviation"]
    x = (3 * torch.randn(shape) + 1).requires_grad_()
    theirs = BatchDeviation()(x)
    assert torch.allclose(ours(x), theirs, atol=1e-6)
    assert theirs.shape == (shape[0], shape[1] + 1, *shape[2:])
    a, b = (torch.autograd.grad(y[:, -1].sum(), x)[0] for y in (ours(x), theirs))
    assert torch.allclose(a, b, atol=1e-6)
    assert float(a.abs().max()) > 0


def test_the_fraud_of_the_page_keeps_each_blocks_pixels_and_moves_them() -> None:
    scrambled = from_the_page("def scrambled(")["scrambled"]
    torch.manual_seed(0)
    images = torch.rand(5, 3, 16, 16)
    fraud = scrambled(images)
    assert torch.allclose(F.avg_pool2d(fraud, 4), F.avg_pool2d(images, 4), atol=1e-6)
    assert float((fraud - images).abs().mean()) > 0.1

    def sorted_blocks(x: Tensor) -> Tensor:  # by their first colour; the other two must have come along
        cut = x.reshape(5, 3, 4, 4, 4, 4).permute(0, 2, 4, 1, 3, 5).flatten(4)
        order = cut[..., :1, :].argsort(-1).expand_as(cut)
        return cut.gather(-1, order)

    assert torch.equal(sorted_blocks(fraud), sorted_blocks(images))


def test_the_ridge_of_the_page_is_the_textbooks_with_the_strength_of_the_best_leave_one_out() -> None:
    source = torch.Generator().manual_seed(0)
    x = torch.randn(20, 6, generator=source, dtype=torch.float64)
    y = (x[:, 0] + 0.5 * torch.randn(20, generator=source, dtype=torch.float64) > 0).long()
    asked = torch.randn(50, 6, generator=source, dtype=torch.float64)
    told = from_the_page("def ridge(", classes=2)["ridge"](x, y, asked)
    kernel, targets = x @ x.T / 6 + 1, 2.0 * F.one_hot(y, 2).double() - 1
    errors = {}
    for strength in torch.logspace(-3, 3, 13, dtype=torch.float64):
        out = torch.stack([ch08._without(kernel, targets, float(strength), k) for k in range(20)])
        errors[float(strength)] = float((out - targets).square().mean())
    best = min(errors, key=lambda k: errors[k])
    alpha = torch.linalg.solve(kernel + best * torch.eye(20, dtype=torch.float64), targets)
    assert torch.equal(told, ((asked @ x.T / 6 + 1) @ alpha).argmax(1))
    assert 1e-3 < best < 1e3  # the choice was one


def test_checkers_leave_the_global_random_state_alone() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    ch08.check_5(lambda x: x)
    ch08.check_3(lambda images: images + torch.rand_like(images))
    ch08.check_6(lambda K, Y, lam: Y)
    assert torch.equal(torch.rand(3), expected)


def test_whole_numbers_of_any_kind_are_counts() -> None:
    for kind in (int, float, torch.tensor):
        assert ch08.check_1(tuple(kind(count) for count in (4, 17, 65, 129 * 64))).correct is True
    assert ch08.check_1((4, 17, 65, 129 * 64 + 0.5)).message.startswith("Not yet. The answer should be 4 whole")


def widened(number: Any) -> Any:
    return lambda x: torch.cat([x, number(x).expand_as(x[:, :1])], 1)


@pytest.mark.parametrize(
    ("check", "answer", "words"),
    [
        (ch08.check_1, (4, 17, 65), "4 whole numbers, but it holds 3"),
        (ch08.check_1, (4, 16, 64, 129 * 64), "second"),
        (ch08.check_1, (4, 17, 65, 128 * 64), "the extra one included"),
        (ch08.check_2, (1.0, 0.0), "3 numbers, but it holds 2"),
        (ch08.check_2, (1.0, 0.5, 0.5**0.5), "Look at fake"),
        (ch08.check_5, widened(lambda x: x.var(0, unbiased=False).mean()), "its root is missing"),
        (ch08.check_5, widened(lambda x: x.std(unbiased=False)), "place by place"),
        (ch08.check_5, widened(lambda x: x.var(0, unbiased=False).mean().sqrt()), "root of a mean"),
        (ch08.check_5, widened(lambda x: x.detach().std(0, unbiased=False).mean()), "no gradient"),
        (
            ch08.check_5,
            widened(lambda x: x.detach().std(0, correction=0).mean() + x.mean() - x.detach().mean()),
            "gradient",
        ),
        (ch08.check_5, lambda x: torch.cat([x + 0.1, x[:, :1]], 1), "unchanged"),
        (ch08.check_5, lambda x: x, "should have shape"),
        (ch08.check_5, lambda x: torch.cat([x, x.std(0, keepdim=True)[:, :1].expand_as(x[:, :1])], 1), "one number"),
        (ch08.check_4, 12, "round up"),
        (ch08.check_3, lambda images: images[:, :, :8], "shape of the images"),
        (ch08.check_3, lambda images: images.flip(3), "a mean over a block"),
        (ch08.check_3, lambda images: images + 0.5, "outside"),
        (ch08.check_6, lambda K, Y, lam: Y, "differ"),
        (ch08.check_6, lambda K, Y, lam: Y[:1], "should have shape"),
    ],
)
def test_other_wrong_answers_get_a_pointer(check: Any, answer: Any, words: str) -> None:
    verdict = check(answer)
    assert verdict.correct is False
    assert words in verdict.message


@pytest.mark.parametrize(
    "forged",
    [
        lambda images: F.avg_pool2d(images, 4).repeat_interleave(4, 2).repeat_interleave(4, 3),
        lambda images: images.reshape(-1, 3, 4, 4, 4, 4).transpose(3, 5).reshape(-1, 3, 16, 16),
    ],
)
def test_any_fraud_that_keeps_the_means_is_right(forged: Any) -> None:
    assert ch08.check_3(forged).correct is True


def test_the_predictions_of_ridges_without_each_image_are_right() -> None:
    def one_by_one(K: Tensor, Y: Tensor, lam: float) -> Tensor:
        rows = []
        for k in range(len(Y)):
            keep = [i for i in range(len(Y)) if i != k]
            part = K[keep][:, keep] + lam * torch.eye(len(keep), dtype=K.dtype)
            rows.append(K[k, keep] @ torch.linalg.inv(part) @ Y[keep])
        return torch.stack(rows)

    assert ch08.check_6(one_by_one).correct is True


def judged(exercise: int, code: str) -> Verdict:
    names: dict[str, Any] = {"np": np, "nn": nn, **from_the_page("def scrambled(")}
    exec(code, names)
    functions = {3: "forged", 5: "with_deviation", 6: "leave_one_out"}
    return CHECKS[exercise](names[functions.get(exercise, f"answer_{exercise}")])


@pytest.mark.parametrize(("exercise", "code"), cases(RIGHT))
def test_each_listed_right_answer_is_right(exercise: int, code: str) -> None:
    assert_listed_right(judged(exercise, code))


@pytest.mark.parametrize(("exercise", "code"), cases(WRONG))
def test_each_listed_wrong_answer_gets_a_pointer(exercise: int, code: str) -> None:
    assert_listed_wrong(judged(exercise, code), 30)
