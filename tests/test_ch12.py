"""Chapter 12: its loss, best officer and floor are what the theory says, and its checkers know what they say."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from gan_lessons import base, losses, studies, theory
from gan_lessons.exercises import Verdict, ch12
from tests.chapters import assert_listed_right, assert_listed_wrong, assert_wrong, cases
from tests.right_answers.ch12 import RIGHT
from tests.wrong_answers.ch12 import WRONG

NOTEBOOK = Path(__file__).parent.parent / "book" / "12_label_smoothing.ipynb"
RESULTS = Path(__file__).parent.parent / "data" / "results"
CHECKS: dict[int, Callable[..., Verdict]] = {number: getattr(ch12, f"check_{number}") for number in range(1, 7)}
Function = Callable[..., Any]
LOG2 = math.log(2)
TARGETS = [(1.0, 0.0), (0.9, 0.0), (0.7, 0.0), (0.9, 0.1), (1.0, 0.1)]


def coin(r: float) -> float:
    return -r * math.log(r) - (1 - r) * math.log(1 - r)


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    """The names of the chapter's cells that train nothing: its loss, best officer, floor, pull and walk."""
    found: dict[str, Any] = {"SEED": 0, "SOFT": 0.9, "profile": None, "D_STEPS": 3, "SEEDS": [0, 1], "MORE": [20, 21]}
    source = "import math, torch\nimport torch.nn.functional as F\nfrom functools import partial\n"
    source += "from torch import nn\nfrom typing import NamedTuple\nfrom torch.autograd import grad\n"
    source += "from gan_lessons import ensemble, studies, theory\n"
    exec(source, found)
    wanted = (
        "def soft_d_loss(",
        "class Officer(",
        "def floor_at(",
        "def game(",
        "def walk(",
        "def best(",
        "def learn(",
        "def answers(",
        "def look(",
        "def in_two(",
        "def one_officer(",
        "def label_loss(",
        "def off(",
        "def twice(",
    )
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        if cell.cell_type == "code" and any(word in cell.source for word in wanted):
            exec(_definitions(cell.source), found)
    return found


def _definitions(source: str) -> str:
    """The functions, classes and plain constants of a cell, without what it runs."""
    import ast

    kept = (ast.FunctionDef, ast.ClassDef)
    tree = ast.parse(source)
    constants = {"x", "near", "x_near", "Z", "Z_WEIGHT", "OFFICERS", "ONE", "AGAIN"}
    body: list[ast.stmt] = [
        node
        for node in tree.body
        if isinstance(node, kept)
        or (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in constants)
        or (isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) and node.target.id in constants)
    ]
    return ast.unparse(ast.Module(body=body, type_ignores=[]))


@pytest.mark.parametrize("targets", TARGETS)
def test_the_loss_by_hand_is_the_librarys_in_value_and_gradient(
    names: dict[str, Any], targets: tuple[float, float]
) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(2, 32, 1, generator=generator, dtype=torch.float64)
    results: list[list[Tensor]] = []
    for d_loss in (lambda r, f: names["soft_d_loss"](r, f, *targets), losses.smoothed(*targets).d_loss):
        real, fake = (part.clone().requires_grad_() for part in logits)
        loss = d_loss(real, fake)
        results.append([loss.detach(), *torch.autograd.grad(loss, (real, fake))])
    assert all(torch.allclose(one, two) for one, two in zip(*results, strict=True))


@pytest.mark.parametrize("targets", TARGETS)
def test_the_floor_has_its_two_closed_ends(names: dict[str, Any], targets: tuple[float, float]) -> None:
    alpha, beta = targets
    normal, floor_at = names["normal"], names["floor_at"]
    mean = (alpha + beta) / 2
    assert float(floor_at(normal(0.0), normal(0.0), *targets)) == pytest.approx(2 * coin(mean), abs=1e-6)
    ends = sum(coin(t) for t in targets if 0 < t < 1)
    assert float(floor_at(normal(5.0), normal(-5.0), *targets)) == pytest.approx(ends, abs=1e-4)
    p, q = normal(0.7), normal(-0.7)
    D = names["best"](p, q, *targets)
    for shift in (-0.02, 0.02):  # any other forecast costs more
        E = (D + shift).clamp(1e-9, 1 - 1e-9)
        bill = p * F.binary_cross_entropy(E, torch.full_like(E, alpha), reduction="none")
        bill = bill + q * F.binary_cross_entropy(E, torch.full_like(E, beta), reduction="none")
        assert float(theory.integrate(bill, names["x"])) > float(floor_at(p, q, *targets)) + 1e-5


@pytest.mark.parametrize("alpha", [0.9, 0.5, 0.01])
def test_smoothing_the_real_side_leaves_the_pull_of_the_best_officer_as_it_is(
    names: dict[str, Any], alpha: float
) -> None:
    places = torch.linspace(-2, 6, 33, dtype=torch.float64)
    hard, r = names["game"](1.0, 0.0, places)
    assert torch.allclose(names["game"](alpha, 0.0, places)[0], hard, rtol=1e-10)
    both = names["game"](alpha, alpha / 10, places)[0]
    t = 0.9 * alpha
    assert torch.allclose(both, hard * t * r / (alpha / 10 + t * r), rtol=1e-10)
    assert float((both / hard)[-1]) < 0.01  # far out nothing is left of it
    assert float((both / hard)[0]) > 0.85


def test_the_walk_goes_down_the_mean_slope_of_the_best_officers_log(names: dict[str, Any]) -> None:
    start, lr = 2.0, 0.05
    for alpha, beta in ((1.0, 0.0), (0.9, 0.0), (0.9, 0.1)):
        notes = (start + names["Z"]).clone().requires_grad_()
        log_p, log_q = -(notes**2) / 2, -((notes - start) ** 2) / 2
        D = beta + (alpha - beta) * torch.sigmoid(log_p - log_q)
        (slope,) = torch.autograd.grad((D.log() * names["Z_WEIGHT"]).sum(), notes)
        moved = names["walk"](alpha, beta, start, 1)
        assert float(moved[1]) == pytest.approx(start + lr * float(slope.sum()), rel=1e-9)
    notes = (start + names["Z"]).clone().requires_grad_()
    log_not_D = F.logsigmoid(notes**2 / 2 - (notes - start) ** 2 / 2)  # the saturating forger goes down log(1 - D*)
    (slope,) = torch.autograd.grad((log_not_D * names["Z_WEIGHT"]).sum(), notes)
    saturating = names["walk"](1.0, 0.0, start, 1, saturating=True)
    assert float(saturating[1]) == pytest.approx(start - lr * float(slope.sum()), rel=1e-9)


def test_noisy_labels_have_the_mean_of_soft_ones(names: dict[str, Any]) -> None:
    Officer, torch_names = names["Officer"], names
    loss = torch_names["label_loss"](Officer(0.9, 0.0, noisy=True), 3)
    soft = torch_names["label_loss"](Officer(0.9), 3)
    real, fake = torch.full((4_000, 1), 1.3), torch.full((4_000, 1), -0.4)
    values = torch.stack([loss(real, fake) for _ in range(50)])
    error = float(values.std()) / math.sqrt(50)
    assert float(values.std()) > 0
    assert abs(float(values.mean() - soft(real, fake))) < 4 * error


@pytest.mark.parametrize("at", [-2.0, 5.0])
def test_noisy_labels_add_a_variance_that_does_not_depend_on_the_logit(names: dict[str, Any], at: float) -> None:
    logits = torch.full((50_000, 1), at, requires_grad=True)
    loss = names["label_loss"](names["Officer"](0.9, 0.0, noisy=True), 5)
    pulls = len(logits) * torch.autograd.grad(loss(logits, torch.zeros(1, 1)), logits)[0].double()
    assert float(pulls.mean()) == pytest.approx(1 / (1 + math.exp(-at)) - 0.9, abs=0.006)
    assert float(pulls.var()) == pytest.approx(0.09, abs=0.004)


def test_the_pull_of_the_best_saturating_officer_is_weaker_by_the_factor_in_the_text(names: dict[str, Any]) -> None:
    places = torch.linspace(-2, 6, 33, dtype=torch.float64).requires_grad_()
    r = torch.sigmoid(-(places**2) / 2 + (places - 3) ** 2 / 2)  # as in game(): real N(0, 1), forged N(3, 1)
    slopes = [torch.autograd.grad((1 - t * r).log().sum(), places, retain_graph=True)[0] for t in (0.9, 1.0)]
    assert torch.allclose(slopes[0], slopes[1] * 0.9 * (1 - r) / (1 - 0.9 * r), rtol=1e-6)
    assert torch.allclose(names["game"](0.1, 1.0, places.detach())[0], slopes[0], rtol=1e-6)


@pytest.mark.parametrize("targets", TARGETS)
def test_the_best_officers_own_error_is_that_of_his_slope(names: dict[str, Any], targets: tuple[float, float]) -> None:
    x = names["x_near"].clone().requires_grad_()
    log_p, log_q = -((x - 1) ** 2) / 2, -((x + 1) ** 2) / 2
    r = torch.sigmoid(log_p - log_q)
    alpha, beta = targets
    hard, soft = (torch.autograd.grad(d.log().sum(), x, retain_graph=True)[0] for d in (r, beta + (alpha - beta) * r))
    q = log_q.detach().exp() / math.sqrt(2 * math.pi)
    error = float(theory.integrate(q * (soft - hard) ** 2, x.detach()).sqrt())
    assert names["off"](names["Officer"](*targets)) == pytest.approx(error, abs=1e-6)
    assert (error > 1) == (beta > 0)


def test_the_null_officer_is_one_with_hard_labels_other_weights_and_other_notes(
    names: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def weights(kind: Any, seeds: list[int]) -> Tensor:
        return torch.cat([p.detach().flatten() for p in names["learn"](kind, seeds, few=8).parameters()])

    hard, one_officer = names["Officer"](), names["one_officer"]
    again = weights(None, [0, 1])
    assert torch.equal(again, weights(hard, [500, 501]))
    assert not torch.equal(again, weights(hard, [0, 1]))
    monkeypatch.setitem(names, "one_officer", lambda _: one_officer(7))  # the same weights learn from other notes
    assert not torch.equal(weights(hard, [0]), weights(hard, [20]))


def test_a_study_in_two_parts_is_one_table_in_the_order_of_the_seeds(
    names: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played: list[tuple[int, ...]] = []

    def measure(_: Any, seeds: list[int]) -> dict[str, list[float]]:
        played.append(tuple(seeds))
        return {"seed": [float(s) for s in seeds]}

    monkeypatch.setitem(names, "folder", tmp_path)
    table = names["in_two"]({"a": None, "b": None}, measure, "12-x.csv", {})
    assert played == [(0, 1), (0, 1), (20, 21), (20, 21)]
    assert table.column("seed") == {"a": [0, 1, 20, 21], "b": [0, 1, 20, 21]}
    assert names["in_two"]({"a": None, "b": None}, measure, "12-x.csv", {}) == table
    assert len(played) == 4


@pytest.mark.parametrize("answer", [(0.65017, 2 * LOG2), [0.65, 1.386], (torch.tensor(0.6502), np.float64(1.3863))])
def test_exercise_1_takes_both_ends(answer: Any) -> None:
    assert ch12.check_1(answer).correct is True


@pytest.mark.parametrize(
    ("answer", "pointer"),
    [
        ((0.0, 1.386), "never free"),
        ((0.32508, 1.386), "sum"),
        ((0.21072, 1.386), "costs 0.9"),
        ((1.3863, 1.386), "other end"),
        ((0.93799, 1.386), "bits"),
        ((0.4, 1.386), "H(alpha)"),
        ((0.65017, LOG2), "mean of the two"),
        ((0.65017, 1.3763), "one-sided"),
        ((0.65017, 2.0), "bits"),
        ((0.65017, 1.1), "2 H("),
        ((0.65017, 1), "rounded too much"),
        ((-0.65017, 1.386), "sign"),
        ((0.65017, -1.386), "sign"),
        ((0.65017, 0.65017), "other end"),
        ((0.65017,), "pair of numbers"),
        (0.65, "should be a pair"),
    ],
)
def test_exercise_1_points_at_the_mistake(answer: Any, pointer: str) -> None:
    assert_wrong(ch12.check_1(answer), pointer)


def best_logit(log_p: Tensor, log_q: Tensor, alpha: float, beta: float) -> Tensor:
    u = torch.logaddexp(math.log(alpha) + log_p, math.log(beta) + log_q)
    v = torch.logaddexp(math.log(1 - alpha) + log_p, math.log(1 - beta) + log_q)
    return u - v


def test_exercise_2_takes_two_ways() -> None:
    assert ch12.check_2(best_logit).correct is True
    ratio = lambda s, t, a, b: torch.logit(b + (a - b) * torch.sigmoid(s - t))  # noqa: E731
    assert ch12.check_2(ratio).correct is True


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        (lambda s, t, a, b: s - t, "hard labels"),
        (lambda s, t, a, b: best_logit(s, t, a, b).sigmoid(), "its logit"),
        (lambda s, t, a, b: -best_logit(s, t, a, b), "sign"),
        (lambda s, t, a, b: best_logit(s, t, b, a), "alpha belongs"),
        (lambda s, t, a, b: F.logsigmoid(best_logit(s, t, a, b)), "log(1 - D*)"),
        (lambda s, t, a, b: math.log(a) + s - math.log(1 - b) - t, "two terms"),
        (lambda s, t, a, b: 0 * s, "0.2007"),
        (lambda s, t, a, b: best_logit(s, t, a, b) / LOG2, "base 2"),
        (lambda s, t, a, b: best_logit(s, t, a, b).sum(), "there are 4"),
        (lambda s, t, a, b: best_logit(s, t, a, b).flatten(), "should be (2, 3)"),
        (lambda s, t, a, b: best_logit(s, t, a, b).add_(0 * s.add_(1)), "changed argument 1"),
        (
            lambda s, t, a, b: torch.log(a * s.exp() + b * t.exp()) - torch.log((1 - a) * s.exp() + (1 - b) * t.exp()),
            "logaddexp",
        ),
    ],
)
def test_exercise_2_points_at_the_mistake(wrong: Function, pointer: str) -> None:
    assert_wrong(ch12.check_2(wrong), pointer)


def floor(p: Tensor, q: Tensor, alpha: float, beta: float) -> Tensor:
    u, v = alpha * p + beta * q, (1 - alpha) * p + (1 - beta) * q
    return (torch.xlogy(u + v, u + v) - torch.xlogy(u, u) - torch.xlogy(v, v)).sum()


def quotient(p: Tensor, q: Tensor, alpha: float, beta: float) -> Tensor:
    D = (alpha * p + beta * q) / (p + q)
    return -((p + q) * (D * D.log() + (1 - D) * (1 - D).log())).sum()


def test_exercise_3_takes_the_sum() -> None:
    assert ch12.check_3(floor).correct is True


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        (lambda p, q, a, b: floor(p, q, a, b) / 2, "mean of the two"),
        (lambda p, q, a, b: floor(p, q, 1.0, 0.0), "hard labels"),
        (lambda p, q, a, b: floor(p, q, b, a), "alpha belongs"),
        (lambda p, q, a, b: floor(p, q, a, b) / LOG2, "bits"),
        (lambda p, q, a, b: -floor(p, q, a, b), "sign"),
        (lambda p, q, a, b: torch.ones(3), "one number"),
        (lambda p, q, a, b: torch.tensor(0.1), "2 H(0.5)"),
        (lambda p, q, a, b: floor(p, q, a, b) / len(p), "mean over the notes"),
        (quotient, "0 log 0"),
        (lambda p, q, a, b: quotient(p + 1e-3, q + 1e-3, a, b), "2 H(0.5)"),
    ],
)
def test_exercise_3_points_at_the_mistake(wrong: Function, pointer: str) -> None:
    assert_wrong(ch12.check_3(wrong), pointer)


def one_sided(real: Tensor, fake: Tensor, alpha: float) -> Tensor:
    return losses.bce(real, alpha) + losses.bce(fake, 0.0)


def test_exercise_4_takes_the_loss() -> None:
    assert ch12.check_4(one_sided).correct is True


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        (lambda r, f, a: one_sided(r, f, a) / 2, "half"),
        (lambda r, f, a: a * losses.bce(r, 1.0) + losses.bce(f, 0.0), "a weight"),
        (lambda r, f, a: losses.bce(r, 1.0) + losses.bce(f, 1 - a), "wrong one"),
        (lambda r, f, a: losses.bce(r, a) + losses.bce(f, 1 - a), "both sides"),
        (lambda r, f, a: losses.bce(r, 1.0) + losses.bce(f, 0.0), "hard labels"),
        (lambda r, f, a: one_sided(f, r, a), "swapped"),
        (lambda r, f, a: -one_sided(r, f, a), "sign"),
        (lambda r, f, a: one_sided(r, f, a).detach(), "no gradient flows"),
        (lambda r, f, a: one_sided(r.detach(), f, a), "input number 1"),
        (lambda r, f, a: one_sided(r.clamp(-99, 99), f, a), "clamp nothing"),
        (lambda r, f, a: len(r) * one_sided(r, f, a), "sum over the batch"),
        (lambda r, f, a: one_sided(r.sigmoid(), f.sigmoid(), a), "sigmoid too many"),
        (lambda r, f, a: r, "one number"),
        (lambda r, f, a: torch.tensor(7.0), "2 log 2"),
        (
            lambda r, f, a: (
                F.binary_cross_entropy(r.sigmoid(), torch.full_like(r, a)) + F.binary_cross_entropy(f.sigmoid(), 0 * f)
            ),
            "log space",
        ),
    ],
)
def test_exercise_4_points_at_the_mistake(wrong: Function, pointer: str) -> None:
    assert_wrong(ch12.check_4(wrong), pointer)


FIRST, SECOND = 0.008 / 0.108, 0.891 / 0.991


def test_exercise_5_takes_both_factors() -> None:
    assert ch12.check_5((FIRST, SECOND)).correct is True
    assert_wrong(ch12.check_5((FIRST, 0.9)), "has changed")  # the page asks for three digits, which tell it from .899
    assert ch12.check_5((0.074, 0.899)).correct is True


@pytest.mark.parametrize(
    ("answer", "pointer"),
    [
        ((1 - FIRST, SECOND), "lost"),
        ((0.108, SECOND), "that is D*"),
        ((0.8, SECOND), "divide by D*"),
        ((0.074766, SECOND), "1/100"),
        ((0.009 / 0.109, SECOND), "0.8"),
        ((1.0, SECOND), "one-sided case"),
        ((0.5, SECOND), "t = 0.8"),
        ((1 / FIRST, SECOND), "other way round"),
        ((FIRST, 0.91), "divided by"),
        ((FIRST, -SECOND), "sign"),
        ((FIRST, 1 - SECOND), "lost"),
        ((FIRST, 1.0), "non-saturating"),
        ((FIRST, 0.009 / 0.109), "beta = 0"),
        ((FIRST, 1 / SECOND), "other way round"),
        ((FIRST, 0.3), "divided by"),
        ((FIRST,), "pair of numbers"),
    ],
)
def test_exercise_5_points_at_the_mistake(answer: Any, pointer: str) -> None:
    assert_wrong(ch12.check_5(answer), pointer)


def targets_of(d_loss: Function) -> tuple[float, float]:
    real, fake = torch.zeros(2, 1, 1, requires_grad=True)
    on_real, on_fake = torch.autograd.grad(d_loss(real, fake), (real, fake))
    return 0.5 - float(on_real), 0.5 - float(on_fake)


def by_small_steps(d_loss: Function) -> tuple[float, float]:
    zero, step = torch.zeros(1, 1, dtype=torch.float64), 1e-4
    sides = ((step, 0.0), (0.0, step))
    slopes = [float(d_loss(zero + a, zero + b) - d_loss(zero - a, zero - b)) / (2 * step) for a, b in sides]
    return 0.5 - slopes[0], 0.5 - slopes[1]


def test_exercise_6_takes_slopes_and_small_steps() -> None:
    assert ch12.check_6(targets_of).correct is True
    assert ch12.check_6(by_small_steps).correct is True


def changed(change: Callable[[float, float], Any]) -> Function:
    return lambda d_loss: change(*targets_of(d_loss))


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        (changed(lambda a, b: (b, a)), "wrong way round"),
        (changed(lambda a, b: (a, 1 - b)), "near 0"),
        (changed(lambda a, b: (1 - a, b)), "near 1"),
        (changed(lambda a, b: (1 - a, 1 - b)), "not plus"),
        (changed(lambda a, b: (0.5 - a, 0.5 - b)), "the slopes"),
        (changed(lambda a, b: (a - 0.5, b - 0.5)), "lacks the 1/2"),
        (changed(lambda a, b: (3.0, 4.0)), "1/2 - alpha"),
        (changed(lambda a, b: (a, 0.0)), "1/2 - alpha"),
        (changed(lambda a, b: (round(a, 1), round(b, 1))), "1/2 - alpha"),  # only the usual targets
        (changed(lambda a, b: a), "pair of numbers"),
    ],
)
def test_exercise_6_points_at_the_mistake(wrong: Function, pointer: str) -> None:
    assert_wrong(ch12.check_6(wrong), pointer)


NAMES = {"math": math, "np": np, "torch": torch, "F": F}


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


SOFTER = {"one-sided 0.9", "one-sided 0.7", "two-sided", "wrong side", "noisy"}
NULL = "hard labels again (null)"


@pytest.mark.parametrize("study", ["officers-apart", "officers-few"])
def test_each_stored_study_has_hard_labels_a_null_and_equally_many_seeds(study: str) -> None:
    found: dict[str, list[int]] = {}
    for row in studies.read(RESULTS / f"12-{study}.csv").rows:
        found.setdefault(row.variant, []).append(row.seed)
    assert set(found) == SOFTER | {"hard labels", NULL}
    assert all(sorted(rows) == list(range(40)) for rows in found.values())


def test_stored_officers_with_few_notes_and_a_soft_side_send_more_notes_the_wrong_way() -> None:
    rows = sorted(studies.read(RESULTS / "12-officers-few.csv").rows, key=lambda row: (row.variant, row.seed))
    table = studies.Table(tuple(rows))
    strays = studies.differences(table, "astray", baseline="hard labels", nulls=[NULL])
    errors = studies.factors(table, "error", baseline="hard labels", nulls=[NULL])
    said = {effect.variant: effect.verdict for effect in strays.effects}
    assert said == dict.fromkeys(SOFTER - {"noisy"}, "worse") | {"noisy": "no difference seen"}
    said = {effect.variant: effect.verdict for effect in errors.effects}
    ones = dict.fromkeys(("one-sided 0.9", "one-sided 0.7"), "no difference seen")
    assert said == dict.fromkeys(SOFTER - set(ones), "better") | ones
    assert all(null.verdict == "no difference seen" for null in (*strays.nulls, *errors.nulls))


def test_both_moves_of_d_and_one_cost_the_same(names: dict[str, Any]) -> None:
    twice = names["twice"](base.TOY)
    work = [5 * game.d_steps + 5 * game.g_steps - 1 for game in (base.TOY, twice)]  # D's last fakes serve G as well
    assert work[1] * twice.rounds == pytest.approx(work[0] * base.TOY.rounds, rel=1e-3)
