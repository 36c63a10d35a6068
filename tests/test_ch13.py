"""Chapter 13: its census by hand is the library's, its layers see the batch, and its checkers know what they say."""

import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gan_lessons import base, ensemble, toys, train
from gan_lessons.exercises import Verdict, ch13
from gan_lessons.metrics import modes
from gan_lessons.profiles import PROFILES
from tests.chapters import assert_listed_right, assert_listed_wrong, assert_wrong, cases
from tests.right_answers.ch13 import RIGHT
from tests.wrong_answers.ch13 import WRONG

ROOT = Path(__file__).parent.parent
NOTEBOOK = ROOT / "book" / "13_mode_collapse.ipynb"
CHECKS: dict[int, Callable[..., Verdict]] = {number: getattr(ch13, f"check_{number}") for number in range(1, 7)}
Function = Callable[..., Any]
LOG2 = math.log(2)


def source(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def cells_with(*words: str, **more: Any) -> dict[str, Any]:
    """Run the code cells of the chapter that hold one of these words, and return their names; `more` are given ones."""
    names: dict[str, Any] = {"torch": torch, "nn": nn, "fresh": source, "pairwise": pairwise, "math": math, **more}
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        if cell.cell_type == "code" and any(word in cell.source for word in words):
            exec(cell.source, names)
    return names


@pytest.mark.parametrize("toy", [toys.ring(), toys.grid()], ids=lambda toy: toy.name)
def test_the_census_by_hand_and_its_rules_are_the_librarys(toy: toys.Mixture) -> None:
    names = cells_with("def census(")
    samples = torch.cat([toy.sample(2_000, generator=source()), 3 * torch.randn(500, 2, generator=source(1))])
    nearest, fine = names["census"](samples, toy)
    found = modes.tally(samples, toy.means, toy.stds)
    assert torch.equal(nearest, found.nearest)
    assert torch.equal(fine, found.good)
    fine[0] = 40  # fewer than its due by every strict rule
    kinds = names["captured"](fine, 2_500, toy.weights)
    assert kinds["at least one"] == int(modes.at_least_one(fine).sum()) == toy.modes
    assert kinds["at least 2 %"] == int(modes.least_share(fine, 2_500).sum()) == toy.modes - 1
    assert kinds["half of its due"] == int(modes.expected_share(fine, 2_500, toy.weights).sum()) == toy.modes - 1


def test_a_machine_is_luckier_in_one_draw_than_in_another_and_the_mean_is_the_formulas() -> None:
    given: dict[str, Any] = {"profile": PROFILES["full"], "toys": toys, "modes": modes, "SEED": 0}
    names = cells_with("def census(", "def frauds(", "SAMPLES, DRAWS =", **given)
    names["DRAWS"] = 40
    exec(cell_of("def drawn(").split("\n\n\n")[0], names)  # the function, not the games
    found = names["drawn"](names["ring"], names["machines"]["ring of 8"]["box"])["at least one"]
    hits = torch.full((8,), math.pi * 0.03**2 / 2.4**2, dtype=torch.float64)
    assert min(found) < modes.chance(hits, 2_500) < max(found)
    assert np.mean(found) == pytest.approx(modes.chance(hits, 2_500), abs=0.7)  # 40 draws: 3 standard errors


def cell_of(words: str) -> str:
    """The source of the one code cell that holds these words."""
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    (found,) = [cell.source for cell in cells if cell.cell_type == "code" and words in cell.source]
    return str(found)


def test_the_batch_layer_says_so_keeps_the_seeds_apart_and_sees_sameness() -> None:
    layer = cells_with("class BatchDeviation")["BatchDeviation"]()
    assert layer.mixes_the_batch is True
    x = torch.randn(2, 6, 3, generator=source())
    other = torch.stack([x[0], torch.randn(6, 3, generator=source(1))])
    told, changed = layer(x), layer(other)
    assert torch.equal(told[..., :3], x)
    assert torch.equal(told[0], changed[0])
    assert not torch.allclose(told[1, :, 3:], changed[1, :, 3:])
    assert float(layer(torch.ones(2, 5, 3))[..., 3:].max()) < 1e-3
    moved = x.clone()
    moved[0, 0] += 1  # another row of the batch changes what the last one is told
    assert not torch.allclose(layer(moved)[0, -1, 3:], told[0, -1, 3:])


def test_a_watchful_d_has_one_logit_a_row_that_depends_on_the_others_and_plays_as_an_ensemble() -> None:
    watchful = cells_with("class BatchDeviation")["watchful"]
    D = watchful([3, 8, 1])
    assert [layer.in_features for layer in D if isinstance(layer, nn.Linear)] == [6, 16]
    rows = torch.randn(5, 3, generator=source())
    moved = torch.cat([rows[:4], rows[4:] + 1])
    with torch.no_grad():
        told, changed = D(rows), D(moved)
        other = watchful([3, 8, 1])
        together = ensemble.stack([D, other])(torch.stack([rows, moved], 1))  # (n, S, 1)
    assert told.shape == (5, 1)
    assert not torch.allclose(told[:4], changed[:4])
    assert torch.allclose(together[:, 0], told, atol=1e-5)


@pytest.mark.parametrize(("g", "d"), [(0.3, 1.0), (1.0, 0.2), (5.0, 0.5)])
def test_the_changed_games_change_the_rates_of_the_named_player_alone(g: float, d: float) -> None:
    given = {"profile": PROFILES["smoke"], "base": base, "train": train, "FAST": 5.0}
    names = cells_with("def rates(", **given)
    gan, batches, rest = base.start_together(base.TOY, [0])
    plays = names["rates"](g=g, d=d)(gan, batches, 2, **rest)
    assert len(list(plays)) == 2
    assert rest["g_optimizer"].param_groups[0]["lr"] == pytest.approx(g * base.TOY.lr)
    assert rest["d_optimizer"].param_groups[0]["lr"] == pytest.approx(d * base.TOY.lr)


@pytest.fixture(scope="module")
def stacks() -> dict[str, Any]:
    return cells_with("def kinds_of(", modes=modes, thousand=torch.full((1_000,), 1e-3))


def test_the_name_of_a_stack_is_its_three_digits_in_the_order_of_the_colours(stacks: dict[str, Any]) -> None:
    counts = stacks["kinds_of"](torch.tensor([[0, 0, 7], [9, 9, 9], [0, 7, 0], [0, 0, 7]]))
    assert counts.nonzero().flatten().tolist() == [7, 70, 999]
    assert counts[7] == 2


def test_mixed_stacks_keep_the_digits_of_each_colour_and_lose_their_company(stacks: dict[str, Any]) -> None:
    digits = torch.randint(10, (5_000, 1), generator=source()).repeat(1, 3)  # three times the same: 10 kinds
    mixed = stacks["mixed"](digits)
    assert torch.equal(mixed.sort(0).values, digits.sort(0).values)
    scores = stacks["stack_scores"](digits)
    assert (scores["one"], scores["half"]) == (10, 10)
    assert scores["one, mixed"] > 950
    counts = stacks["kinds_of"](mixed)  # and by lot: no more uneven than 5,000 honest draws
    assert modes.reverse_kl(counts, torch.full((1_000,), 1e-3)) < 1.3 * modes.kl_floor(1_000, 5_000)


@pytest.mark.parametrize("answer", [(LOG2, LOG2 / 0.0014), [0.693, 495], (torch.tensor(LOG2), np.float64(495.1))])
def test_exercise_3_takes_divergence_and_floors(answer: Any) -> None:
    assert ch13.check_3(answer).correct is True


@pytest.mark.parametrize(
    ("answer", "pointer"),
    [
        ((1.0, 714.3), "bits"),
        ((-LOG2, 495), "sign"),
        ((LOG2 / 4, 495), "Add all four"),
        ((0.5, 495), "mean logarithm"),
        ((math.inf, 1), "other direction"),
        ((math.log(8), 495), "one kind of eight"),
        ((0.3, 1), "1/8"),
        ((LOG2, LOG2 / 0.0028), "a 2 below"),
        ((LOG2, LOG2 * 5_000 / 8), "not 8"),
        ((LOG2, LOG2 * 5_000 / 3), "K = 8"),
        ((LOG2, 0.0014 / LOG2), "other way round"),
        ((LOG2, 3.0), "divide by"),
        ((math.log(4), 495), "entropy of the four"),
        ((0.69, 0.0014), "that is the floor"),
        ((0.7, 500), "rounded too much"),
        ((LOG2,), "pair of numbers"),
        (LOG2, "should be a pair"),
    ],
)
def test_exercise_3_points_at_the_mistake(answer: Any, pointer: str) -> None:
    assert_wrong(ch13.check_3(answer), pointer)


def strict(which: Tensor, distance: Tensor, weights: Tensor, part: float) -> int:
    return int((good(which, distance, weights) >= part * len(which) * weights).sum())


def good(which: Tensor, distance: Tensor, weights: Tensor) -> Tensor:
    return torch.bincount(which[distance <= 3], minlength=len(weights))


def by_loop(which: Tensor, distance: Tensor, weights: Tensor, part: float) -> int:
    found = [
        sum(w == k and d <= 3 for w, d in zip(which.tolist(), distance.tolist(), strict=True))
        for k in range(len(weights))
    ]
    return sum(c >= part * len(which) * w for c, w in zip(found, weights.tolist(), strict=False))


@pytest.mark.parametrize("answer", [strict, by_loop])
def test_exercise_1_takes_every_way_to_write_it(answer: Function) -> None:
    assert ch13.check_1(answer).correct is True


@pytest.mark.parametrize(
    ("answer", "pointer"),
    [
        (lambda w, d, p, part: strict(w, 0 * d, p, part), "beyond 3"),
        (lambda w, d, p, part: strict(w[d <= 3], d[d <= 3], p, part), "not of the good ones"),
        (lambda w, d, p, part: int((good(w, d, p) >= 1).sum()), "at least one"),
        (lambda w, d, p, part: strict(w, d, torch.full_like(p, 1 / len(p)), part), "weights differ"),
        (lambda w, d, p, part: int((good(w, d, p) > part * len(w) * p).sum()), "limit itself"),
        (lambda w, d, p, part: good(w, d, p) >= part * len(w) * p, "one number"),
        (lambda w, d, p, part: strict(w, d + 1e-3, p, part), "exactly 3"),
        (lambda w, d, p, part: strict(w, d, p, 0.5), "half of what is due"),
        (lambda w, d, p, part: strict(w, d, p.fill_(0.5), part), "changed argument 3"),
        (lambda w, d, p, part: 17, "which = (1, 1, 1, 0)"),
    ],
)
def test_exercise_1_points_at_the_mistake(answer: Any, pointer: str) -> None:
    assert_wrong(ch13.check_1(answer), pointer)


def by_luck(a: float, K: int, n: int) -> float:
    return K * (1 - (1 - a / K) ** n)


@pytest.mark.parametrize(
    "answer",
    [
        lambda a, K, n: -K * math.expm1(n * math.log1p(-a / K)) if a < K else K,
        lambda a, K, n: modes.chance(torch.full((K,), a / K, dtype=torch.float64), n),
    ],
)
def test_exercise_2_takes_every_way_to_write_it(answer: Function) -> None:
    assert ch13.check_2(answer).correct is True


@pytest.mark.parametrize(
    ("answer", "pointer"),
    [
        (by_luck, "math.log1p and math.expm1"),
        (lambda a, K, n: -K * math.expm1(n * math.log1p(-a / K)), "a = K = 1"),  # raises there
        (lambda a, K, n: 0.0 if a == K else by_luck(a, K, n), "a = K = 1"),
        (lambda a, K, n: by_luck(a, K, n) / K, "multiply by K"),
        (lambda a, K, n: n * a, "Several may hit"),
        (lambda a, K, n: min(K, n * a), "cut at K"),
        (lambda a, K, n: K * (1 - (1 - a) ** n), "a / K only"),
        (lambda a, K, n: K - by_luck(a, K, n), "missed"),
        (lambda a, K, n: -K * math.expm1(-n * a / K), "only where"),
        (lambda a, K, n: K if a >= K else min(K, n * a) if a < 1e-9 else by_luck(a, K, n), "1 - a/K is 1"),
        (lambda a, K, n: K if a >= K and n < 100 else -K * math.expm1(n * math.log1p(-a / K)), "n = 1,000,000,000,000"),
        (lambda a, K, n: 1 - (1 - a / K) ** (n * K), "capture any"),
        (lambda a, K, n: 0.5, "probability"),
    ],
)
def test_exercise_2_points_at_the_mistake(answer: Any, pointer: str) -> None:
    assert_wrong(ch13.check_2(answer), pointer)


def fewer(x: Tensor) -> int:
    return x.shape[-2] if x.shape[-2] > 1 else 0


def beside(x: Tensor, spread: Tensor) -> Tensor:
    return torch.cat([x, spread.expand_as(x)], -1)


@pytest.mark.parametrize(
    "answer",
    [
        lambda x: beside(x, (x.var(-2, keepdim=True, correction=0) + 1e-8).sqrt()),
        lambda x: beside(x, x.std(-2, keepdim=True, correction=0)),  # torch's own slope at 0 is 0
        lambda x: beside(x, ((x - x.mean(-2, keepdim=True)).square().mean(-2, keepdim=True) + 1e-9).sqrt()),
    ],
)
def test_exercise_4_takes_every_way_to_write_it(answer: Function) -> None:
    assert ch13.check_4(answer).correct is True


@pytest.mark.parametrize(
    ("answer", "pointer"),
    [
        (lambda x: beside(x, x.var(-2, keepdim=True, correction=0).sqrt()), "inside the root"),
        (
            lambda x: beside(x, (x.square().mean(-2, keepdim=True) - x.mean(-2, keepdim=True).square() + 1e-8).sqrt()),
            "squared mean",
        ),
        (lambda x: beside(x, x.std(-2, keepdim=True)), "n - 1"),
        (lambda x: beside(x, x.var(-2, keepdim=True, correction=0)), "variance"),
        (lambda x: beside(x, x.std(-1, keepdim=True, correction=0)), "one note"),
        (lambda x: beside(x, x.std(0, keepdim=True, correction=0)), "mixes the seeds"),
        (lambda x: beside(x, x.std(tuple(range(x.ndim - 1)), keepdim=True, correction=0)), "mixes the seeds"),
        (lambda x: x.std(-2, keepdim=True, correction=0).expand_as(x), "has the shape"),
        (lambda x: torch.cat([x.std(-2, keepdim=True, correction=0).expand_as(x), x], -1), "numbers first"),
        (lambda x: beside(x, x.std(-2, keepdim=True, correction=0).mean(-1, keepdim=True)), "one number for all"),
        (
            lambda x: beside(x, ((x - x.mean(-2, keepdim=True)) ** 2).sum(-2, keepdim=True).div(fewer(x)).sqrt()),
            "batch of 1",
        ),
        (lambda x: beside(x, x.std(-2, keepdim=True, correction=0).detach()), "gradient is wrong"),
        (lambda x: beside(x, x.std(-2, keepdim=True, correction=0)).detach(), "no gradient flows"),
        (lambda x: beside(x.mul_(1.0).add_(1), x), "changed x"),
        (lambda x: beside(x, 0 * x), "deviation of column"),
        (lambda x: x.tolist(), "tensor"),
    ],
)
def test_exercise_4_points_at_the_mistake(answer: Any, pointer: str) -> None:
    assert_wrong(ch13.check_4(answer), pointer)


@pytest.mark.parametrize("answer", [(999 / 52_000, 50, math.log(10 / 7)), [0.01921, 50.0, 0.3567]])
def test_exercise_5_takes_the_three_numbers(answer: Any) -> None:
    assert ch13.check_5(answer).correct is True


@pytest.mark.parametrize(
    ("answer", "pointer"),
    [
        ((999 / 26_000, 50, 0.357), "a 2 below"),
        ((0.0, 50, 0.357), "not 0"),
        ((0.0014, 50, 0.357), "ring's"),
        ((0.5, 50, 0.357), "26,000"),
        ((999 / 52_000, 1_000, 0.357), "2,000 %"),
        ((999 / 52_000, 520, 0.357), "How many kinds"),
        ((999 / 52_000, 20, 0.357), "of the samples"),
        ((999 / 52_000, 7, 0.357), "add up to 1"),
        ((999 / 52_000, 50, -math.log(10 / 7)), "sign"),
        ((999 / 52_000, 50, math.log(700)), "entropy"),
        ((999 / 52_000, 50, 0.3), "mean logarithm"),
        ((999 / 52_000, 50, math.log2(10 / 7)), "bits"),
        ((999 / 52_000, 50, math.inf), "other direction"),
        ((999 / 52_000, 50, 5.0), "1/700"),
        ((999 / 52_000, 50, math.log(1_000 / 300)), "300 lost"),
        ((999 / 52_000, 50, 0.376), "wobble"),
        ((999 / 52_000, 50, 0.7), "70 %"),
        ((1_000 / 52_000, 50, 0.357), "K = 1,000"),
        ((999 / 52_000, 50), "3 numbers"),
    ],
)
def test_exercise_5_points_at_the_mistake(answer: Any, pointer: str) -> None:
    assert_wrong(ch13.check_5(answer), pointer)


def fraud(n: int, means: Tensor, stds: Tensor) -> Tensor:
    which = torch.arange(n) % len(means)
    points = means[which].clone()
    odd = torch.arange(n) % 90 == 0
    points[odd, 0] += 5 * stds[which[odd]]
    return points


def test_exercise_6_takes_a_fraud_also_as_an_array() -> None:
    assert ch13.check_6(fraud).correct is True
    assert ch13.check_6(lambda n, m, s: fraud(n, m, s).numpy()).correct is True


@pytest.mark.parametrize(
    ("answer", "pointer"),
    [
        (lambda n, m, s: m[torch.arange(n) % len(m)], "too good"),
        (lambda n, m, s: fraud(n, m, s) + 1e-3 * torch.rand(n, 2), "different points"),
        (lambda n, m, s: m[:1].repeat(n, 1), "of 8 modes"),
        (
            lambda n, m, s: (
                fraud(n, m, s) + 1e-9 * torch.rand(n, 2, dtype=torch.float64) * (fraud(n, m, s).abs() > 0.1)
            ),
            "different points",
        ),
        (lambda n, m, s: fraud(n, m, s) + 0 * m.add_(1)[0], "changed means"),
        (lambda n, m, s: fraud(n - 1, m, s), "shape"),
        (lambda n, m, s: fraud(n, m, s) / 0, "NaN"),
        (lambda n, m, s: torch.where(torch.arange(n)[:, None] % 9 == 0, 9.0, fraud(n, m, s)), "too little"),
        (lambda n, m, s: torch.cat([fraud(n - 400, m, s), m[:1].repeat(400, 1)]), "times the floor"),
    ],
)
def test_exercise_6_points_at_the_mistake(answer: Any, pointer: str) -> None:
    assert_wrong(ch13.check_6(answer), pointer)


NAMES = {"math": math, "np": np, "torch": torch}


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
