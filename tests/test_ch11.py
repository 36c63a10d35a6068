"""Chapter 11: moving at once is what it says, games cost the same, the ward's list is the checker's, its verdicts."""

import ast
import itertools
import math
import random
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import stats
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from gan_lessons import GAN, base, data, losses, models, noise, plotting, profiles, train
from gan_lessons.exercises import Verdict, ch11
from gan_lessons.training import Step, discriminator_step, generator_step
from tests.chapters import assert_listed_right, assert_listed_wrong, assert_wrong, by_hand, cases, difference
from tests.right_answers.ch11 import RIGHT
from tests.wrong_answers.ch11 import WRONG

ROOT = Path(__file__).parent.parent
NOTEBOOK = ROOT / "book" / "11_balance.ipynb"
CELLS = nbformat.read(NOTEBOOK, as_version=4).cells
CHECKS: dict[int, Callable[..., Verdict]] = {number: getattr(ch11, f"check_{number}") for number in range(1, 6)}
LOG2 = math.log(2)


def names_of(word: str, **names: Any) -> dict[str, Any]:
    """Run the code cell of the chapter that holds this word, and return its names."""
    (source,) = (cell.source for cell in CELLS if cell.cell_type == "code" and word in cell.source)
    exec(source, names)
    return names


def function(name: str, **names: Any) -> Callable[..., Any]:
    """One function of the chapter, alone, with these names around it."""
    cells = (cell.source for cell in CELLS if cell.cell_type == "code" and "%pip" not in cell.source)
    (found,) = (node for cell in cells for node in ast.parse(cell).body
                if isinstance(node, ast.FunctionDef) and node.name == name)  # fmt: skip
    exec(compile(ast.Module([found], []), NOTEBOOK.name, "exec"), names)
    made: Callable[..., Any] = names[name]
    return made


# --- both at once -----------------------------------------------------------------------------------------------


def simultaneous() -> Callable[..., Iterator[Step]]:
    found: Callable[..., Iterator[Step]] = by_hand("11_balance", torch=torch, Step=Step)["simultaneous"]
    return found


def game(order: Callable[..., Iterator[Step]], rounds: int, d_lr: float, g_lr: float) -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    G, D = models.mlp([3, 8, 2]).double(), models.mlp([2, 8, 1], 0.2).double()
    dice = torch.Generator().manual_seed(1)
    real = torch.randn(rounds, 16, 2, dtype=torch.float64, generator=dice)
    gan = GAN(G, D, noise.Prior("double", 3, lambda n, d, **_: torch.randn(n, d, generator=dice, dtype=torch.float64)))
    optimizers = {
        "d_optimizer": torch.optim.Adam(D.parameters(), d_lr),
        "g_optimizer": torch.optim.Adam(G.parameters(), g_lr),
    }
    played = list(order(gan, ((x,) for x in real), rounds, objective=losses.non_saturating, **optimizers))
    assert [step.number for step in played] == list(range(1, rounds + 1))
    return G, D


@pytest.mark.parametrize(("d_lr", "g_lr"), [(1e-2, 0.0), (0.0, 1e-2)], ids=["G stands still", "D stands still"])
def test_where_one_player_stands_still_the_order_makes_no_difference(d_lr: float, g_lr: float) -> None:
    here, there = (game(order, 20, d_lr, g_lr) for order in (simultaneous(), train))
    assert max(difference(a, b) for a, b in zip(here, there, strict=True)) < 1e-9
    moved = game(train, 20, 0.0, 0.0)
    assert max(difference(a, b) for a, b in zip(here, moved, strict=True)) > 1e-3


def test_at_once_g_moves_against_the_officer_of_before() -> None:
    at_once, turns, frozen = (game(*how) for how in ((simultaneous(), 1, 1e-2, 1e-2), (train, 1, 1e-2, 1e-2),
                                                     (train, 1, 0.0, 1e-2)))  # fmt: skip
    assert difference(at_once[1], turns[1]) < 1e-9  # D's first move is the same
    assert difference(at_once[0], frozen[0]) < 1e-9  # and G's is that against a D that has not moved
    many = [game(order, 20, 1e-2, 1e-2) for order in (simultaneous(), train)]
    assert difference(many[0][0], many[1][0]) > 1e-3


def test_the_smallest_game_spirals_at_once_and_circles_in_turns() -> None:
    h, n = 0.1, 200
    x, y = ch11._dance(1.0, 0.5, h, n, True)
    assert x * x + y * y == pytest.approx(1.25 * (1 + h * h) ** n)
    x, y = ch11._dance(1.0, 0.5, h, n, False)
    assert x * x + y * y + h * x * y == pytest.approx(1.25 + h * 0.5)


# --- how the page measures --------------------------------------------------------------------------------------


def test_a_move_of_d_costs_as_much_as_a_move_of_g() -> None:
    n, z = 32, 64
    G = models.mlp_generator((128, 128), z, slope=0.2, signed=True)
    D = models.mlp_discriminator((128, 128), slope=0.2)
    d_adam, g_adam = (torch.optim.Adam(player.parameters()) for player in (D, G))

    def fresh() -> Tensor:
        found: Tensor = G(torch.randn(n, z))
        return found

    def d_move() -> None:
        with torch.no_grad():
            fake = fresh()
        discriminator_step(D, d_adam, losses.non_saturating, torch.randn(n, 784), fake)

    def g_move() -> None:
        generator_step(G, D, g_adam, losses.non_saturating, fresh())

    cost = []
    for move in (d_move, g_move):
        with FlopCounterMode(display=False) as counter:
            move()
        cost.append(counter.get_total_flops())
    assert 0.8 < cost[0] / cost[1] < 1.25
    forward = 2 * n * sum(p.numel() for p in G.parameters() if p.ndim == 2)
    assert all(4 < price / forward < 5.5 for price in cost)


def names_of_ring() -> dict[str, Any]:
    """The cell that shares the work, without its study."""
    return names_of(
        "def rates(",
        profile=profiles.PROFILES["full"],
        base=base,
        train=train,
    )


def test_a_round_costs_what_the_formula_says_in_the_mlp_and_a_little_more_for_d_on_the_ring() -> None:
    names = names_of(
        "def multiplications(", base=base, SEED=0, train_set=data.load("digits"), FlopCounterMode=FlopCounterMode,
        plotting=plotting, partial=partial,
    )  # fmt: skip
    count, games = names["multiplications"], names["GAMES"]
    digits, ring = ({shape: count(*game, *shape) for shape in ((1, 1), (1, 2), (2, 1), (5, 1))} for game in games)
    for (d, g), price in digits.items():
        assert price / digits[1, 1] == pytest.approx((5 * (d + g) - 1) / 9, rel=0.05)
        assert ring[d, g] / ring[1, 1] == pytest.approx((5 * (d + g) - 1) / 9, rel=0.12)
    assert ring[2, 1] / ring[1, 1] > 14 / 9 > ring[1, 2] / ring[1, 1]


def test_games_of_other_steps_cost_as_much_as_the_unchanged_one() -> None:
    steps = names_of_ring()["steps"]
    for d, g in ((1, 2), (2, 1), (4, 1)):
        game = steps(base.TOY, d, g)
        assert (game.d_steps, game.g_steps) == (d, g)
        assert game.rounds * (5 * (d + g) - 1) == pytest.approx(9 * base.TOY.rounds, rel=1e-3)
    assert steps(base.TOY, 1, 1) == base.TOY
    assert steps(base.TOY._replace(rounds=4), 2, 1).rounds == 4  # the least that is read at 10, 30 and 100 %


def test_a_quarter_of_a_players_rate_moves_that_player_alone_by_a_quarter() -> None:
    rates = names_of_ring()["rates"]
    moved = {}
    for name, factors in (("as it is", {}), ("slow D", {"d": 0.25}), ("slow G", {"g": 0.25})):
        gan, batches, rules = base.start_together(rates(base.TOY, **factors), [0])
        before = [[w.detach().clone() for w in player.parameters()] for player in gan[:2]]
        for _ in rates(base.TOY, **factors).play(gan, batches, 1, **rules):
            pass
        moved[name] = [
            max(float((w.detach() - old).abs().max()) for w, old in zip(player.parameters(), olds, strict=True))
            for player, olds in zip(gan[:2], before, strict=True)
        ]  # Adam's first step is as long as its rate
    lr = base.TOY.lr
    assert moved["as it is"] == pytest.approx([lr, lr], rel=1e-2)
    assert moved["slow D"] == pytest.approx([lr, lr / 4], rel=1e-2)
    assert moved["slow G"] == pytest.approx([lr / 4, lr], rel=1e-2)


def test_ranks_say_nothing_where_all_games_are_equal() -> None:
    correlation = function("rank_correlation", stats=stats, np=np, math=math)
    assert correlation([1, 2, 3, 4], [10, 20, 30, 99]) == pytest.approx(1.0)
    assert correlation([1, 2, 3, 4], [4, 3, 2, 1]) == pytest.approx(-1.0)
    assert math.isnan(correlation([1, 2, 3], [5, 5, 5]))


def test_the_coin_of_the_ward_has_no_better_officer_than_one_half() -> None:
    coin = losses.Objective("coin", lambda r, f: (losses.non_saturating.d_loss(r, f)
                            + losses.non_saturating.d_loss(f, r)) / 2, losses.non_saturating.g_loss)  # fmt: skip
    (source,) = (c.source for c in CELLS if c.cell_type == "code" and "WARD = {" in c.source)
    assert "(ns.d_loss(r, f) + ns.d_loss(f, r)) / 2" in source
    real, fake = torch.randn(50, 1), torch.randn(50, 1)
    assert float(coin.d_loss(real, fake)) > float(coin.d_loss(0 * real, 0 * fake)) == pytest.approx(2 * LOG2)


# --- the ward ---------------------------------------------------------------------------------------------------


def test_the_wards_list_is_the_checkers_and_the_answers_are_under_their_beds() -> None:
    text = "\n".join(cell.source for cell in CELLS)
    (lot,) = re.findall(r"random\.Random\((\d+)\)\.sample\(sorted\(WARD\), len\(WARD\)\)", text)
    letters = "abcdefghij"
    assert "".join(random.Random(int(lot)).sample(letters, len(letters))) == ch11.BEDS
    under = re.findall(r"<summary>Bed (\d+)</summary>\n\n\*\*[^*]+\(([a-j])\)\.\*\*", text)
    assert under == [(str(bed), letter) for bed, letter in enumerate(ch11.BEDS, start=1)]
    listed = re.findall(r"^\| \*\*([a-j])\*\* \|", text, re.MULTILINE)
    assert "".join(listed) == letters


def test_the_ward_round_counts_and_does_not_say_which() -> None:
    key = dict(enumerate(ch11.BEDS, start=1))
    assert ch11.check_1(key).correct is True
    assert ch11.check_1({bed: letter.upper() for bed, letter in key.items()}).correct is True
    swapped = key | {3: key[7], 7: key[3]}
    verdict = ch11.check_1(swapped)
    assert verdict.correct is False
    assert "8 of 10" in verdict.message
    assert not re.search(r"[Bb]ed [37]\b", verdict.message)
    others = {ch11.check_1(key | {a: key[b], b: key[a]}).message for a, b in itertools.combinations(key, 2)}
    assert others == {verdict.message}
    assert "of 10" not in ch11.check_1(dict(enumerate("kijdefbagc", start=1))).message


# --- the checkers -----------------------------------------------------------------------------------------------


def officer(e: float, fooled: float, share: int) -> tuple[list[float], list[float]]:
    fake = [-e] * (100 - share) + [fooled] * share
    cost = float(F.softplus(torch.tensor(fake, dtype=torch.float64)).mean())
    return [-math.log(math.expm1(2 * LOG2 - cost))] * 100, fake


def test_an_officer_who_sees_may_cost_what_a_blind_one_costs() -> None:
    e = math.log(math.expm1((LOG2 - 0.1 * math.log1p(math.exp(-4))) / 0.9))
    real, fake = officer(e, 4.0, 10)
    verdict = ch11.check_3(real, fake)
    assert verdict.correct is True
    assert "1.386 and 0.693" in verdict.message
    assert ch11.check_3(torch.tensor(real)[:, None], np.array(fake)).correct is True
    assert "85 of each" in ch11.check_3([0.0] * 100, [0.0] * 100).message  # the blind one
    assert "G's loss is 0." in ch11.check_3(real, [1.0] * 100).message
    assert "D's loss is" in ch11.check_3([1.0] * 100, fake).message
    assert "holds 3" in ch11.check_3([1.0] * 3, fake).message
    assert "NaN" in ch11.check_3([math.nan] * 100, fake).message


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"times": 5, "lessons": 2_793}, "G moves too"),
        ({"times": 6, "lessons": 2_793}, "more than one"),
        ({"times": 3, "lessons": 3_000}, "equally dear"),
        ({"times": 29 / 9, "lessons": 3_000}, "equally dear"),
        ({"times": 29 / 9, "lessons": 13_966}, "D's moves"),
        ({"times": 20 / 9, "lessons": 2_793}, "how much more"),
        ({"times": 2.9, "lessons": 2_793}, "not 10"),
        ({"times": 29 / 9, "lessons": 3_103}, "81,000"),
        ({"times": 29 / 9}, "there is no 'lessons'"),
    ],
)
def test_an_unfair_comparison_names_its_wrong_turn(answer: dict[str, float], words: str) -> None:
    assert_wrong(ch11.check_2(answer), words)
    assert ch11.check_2({"times": 3.22, "lessons": 2_793}).correct is True


@pytest.mark.parametrize(
    ("dance", "words"),
    [
        (lambda x, y, h, n, at_once: ch11._dance(x, y, h, n, not at_once), "other way of moving"),
        (lambda x, y, h, n, at_once: ch11._dance(x, y, -h, n, at_once), "signs"),
        (
            lambda x, y, h, n, at_once: ch11._dance(x, y, h, n, True) if at_once else ch11._g_first(x, y, h, n),
            "G moved",
        ),
        (lambda x, y, h, n, at_once: ch11._both_down(x, y, h, n), "both go down"),
        (
            lambda x, y, h, n, at_once: ch11._dance(x, y, h, n, at_once) if not at_once else ch11._g_first(x, y, h, n),
            "new",
        ),
        (lambda x, y, h, n, at_once: ch11._dance(x, y, h, n + 1, at_once), "2 rounds, and n is 1"),
        (lambda x, y, h, n, at_once: ch11._dance(x, y, h, n - 1, at_once), "0 rounds, and n is 1"),
        (lambda x, y, h, n, at_once: ch11._dance(x, y, h, n, at_once)[::-1], "x first"),
        (lambda x, y, h, n, at_once: x, "two numbers"),
        (lambda x, y, h, n, at_once: (9.0, 9.0), "should end at"),
    ],
)
def test_a_wrong_dance_is_named(dance: Callable[..., Any], words: str) -> None:
    assert_wrong(ch11.check_4(dance), words)


def test_the_right_dance_is_right() -> None:
    assert ch11.check_4(ch11._dance).correct is True


@pytest.mark.parametrize(
    ("twins", "words"),
    [
        (lambda c, d, t: ch11._twins(c, d, t)[::-1], "wrong way round"),
        (lambda c, d, t: ch11._twins(c, d, math.inf), "do not agree"),
        (ch11._nearest, "most similar"),
        (ch11._by_difference, "difference of distances"),
        (lambda c, d, t: ch11._twins(c, d, t, ch11._root_of_sum), "sum over the points"),
        (lambda c, d, t: ch11._twins(c, d, t, ch11._mean_square), "root is missing"),
        (lambda c, d, t: ch11._twins(c, d, t, ch11._largest), "largest gap"),
        (lambda c, d, t: ch11._twins(c, d, t, ch11._mean_gap), "mean gap"),
        (lambda c, d, t: ch11._twins(c, d, t, np.std), "standard deviation"),
        (lambda c, d, t: (0, 1), "Compare all pairs"),
        (lambda c, d, t: ch11._twins(c, d, t) + (c.fill(0),)[:0], "changed curves"),
        (lambda c, d, t: 1.0, "pair"),
    ],
)
def test_wrong_twins_are_named(twins: Callable[..., Any], words: str) -> None:
    assert_wrong(ch11.check_5(twins), words)


def test_right_twins_are_right_as_a_pair_and_as_an_array() -> None:
    assert ch11.check_5(ch11._twins).correct is True
    assert ch11.check_5(lambda c, d, t: np.array(ch11._twins(c, d, t))).correct is True


def test_the_checkers_runs_all_have_twins() -> None:
    for curves, distances, tolerance in ch11._runs():
        assert ch11._twins(curves, distances, tolerance) > (-1, -1)


def test_twins_agree_and_lie_apart() -> None:
    curves = np.array([[1.0, 1.0], [1.0, 1.1], [1.0, 1.0], [5.0, 5.0]])
    assert ch11._twins(curves, np.array([100.0, 200.0, 500.0, 1.0]), 0.2) == (0, 2)


@pytest.mark.parametrize("number", sorted(CHECKS))
def test_nothing_is_no_answer(number: int) -> None:
    empty = (..., ...) if number == 3 else (...,)
    assert CHECKS[number](*empty).correct is None


def verdict_on(exercise: int, code: str) -> Verdict:
    names: dict[str, Any] = {"math": math, "np": np, "torch": torch, "F": F}
    exec(code, names)
    answers = (names["real"], names["fake"]) if exercise == 3 else (list(names.values())[-1],)
    return CHECKS[exercise](*answers)


@pytest.mark.parametrize(("exercise", "code"), cases(WRONG))
def test_each_listed_wrong_answer_gets_a_pointer(exercise: int, code: str) -> None:
    assert_listed_wrong(verdict_on(exercise, code))


@pytest.mark.parametrize(("exercise", "code"), cases(RIGHT))
def test_each_listed_right_answer_is_right(exercise: int, code: str) -> None:
    assert_listed_right(verdict_on(exercise, code))
