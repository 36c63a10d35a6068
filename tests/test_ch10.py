"""Chapter 10: its round by hand is the game of `train`, and its checkers run what they judge."""

import copy
import hashlib
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import nbformat
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

from gan_lessons import GAN, losses, models, train
from gan_lessons.exercises import Verdict, ch10
from gan_lessons.noise import Prior
from tests.chapters import assert_listed_right, assert_listed_wrong, cases, difference
from tests.right_answers.ch10 import RIGHT
from tests.wrong_answers.ch10 import WRONG

ROOT = Path(__file__).parent.parent
CELLS = nbformat.read(ROOT / "book" / "10_freezing_d.ipynb", as_version=4).cells


def names_of(word: str, **names: Any) -> dict[str, Any]:
    """Run the code cell of the chapter that holds this word, and return its names."""
    (source,) = (cell.source for cell in CELLS if cell.cell_type == "code" and word in cell.source)
    exec(source, names)
    return names


def a_game() -> tuple[nn.Module, nn.Module, list[Tensor], list[Tensor]]:
    torch.manual_seed(0)
    G = models.mlp_generator((8,), z_dim=3, outputs=4, signed=True).double()
    D = models.mlp_discriminator((8,), inputs=4, slope=0.2).double()
    reals, noises = ([torch.randn(6, n, dtype=torch.float64) for _ in range(12)] for n in (4, 3))
    return G, D, reals, noises


LINES = ("def mean(", "def clear_d(", "def freeze(", "class Loop(", "loops = {", "def turns(")


def of_the_page() -> dict[str, Any]:
    """The lines of a round, its loops and its dealer, from the chapter's cells."""
    names: dict[str, Any] = {"F": F, "partial": partial, "Callable": Callable, "NamedTuple": NamedTuple}
    names["SimpleNamespace"] = SimpleNamespace
    for word in LINES:
        names |= names_of(word, **names)
    return names


def played(names: dict[str, Any], loop: str | Any) -> tuple[nn.Module, nn.Module]:
    """Twelve rounds of one of the chapter's loops."""
    G, D, reals, noises = a_game()
    drawn = iter(noises)
    gan = GAN(G, D, Prior("stored", 3, lambda n, dim, **where: next(drawn)))
    g, d = (torch.optim.Adam(net.parameters(), 1e-2) for net in (G, D))
    chosen = names["loops"][loop] if isinstance(loop, str) else loop
    for _ in names["turns"](chosen, gan, iter([(real,) for real in reals]), 12, g, d):
        pass
    return G, D


def apart(one: tuple[nn.Module, nn.Module], other: tuple[nn.Module, nn.Module]) -> float:
    return max(difference(a, b) for a, b in zip(one, other, strict=True))


def test_the_round_by_hand_is_the_game_of_train() -> None:
    G, D, reals, noises = a_game()
    start = copy.deepcopy((G, D))
    drawn = iter(noises)
    gan = GAN(G, D, Prior("stored", 3, lambda n, dim, **where: next(drawn)))
    g, d = (torch.optim.Adam(net.parameters(), 1e-2) for net in (G, D))
    batches = iter([(real,) for real in reals])
    for _ in train(gan, batches, 12, objective=losses.non_saturating, g_optimizer=g, d_optimizer=d):
        pass
    ours = played(of_the_page(), "careful")
    assert apart(ours, (G, D)) < 1e-9
    assert apart(ours, start) > 1e-2


@pytest.mark.parametrize("loop", ["D frozen", "not detached", "D's optimizer holds both", "D in evaluation mode"])
def test_a_guard_that_is_not_needed_changes_no_bit(loop: str) -> None:  # this D has no batch normalisation
    names = of_the_page()
    assert apart(played(names, loop), played(names, "careful")) == 0


@pytest.mark.parametrize("loop", list(of_the_page()["loops"])[5:])
def test_each_other_fault_changes_the_game(loop: str) -> None:
    names = of_the_page()
    assert apart(played(names, loop), played(names, "careful")) > 1e-3


def leaked(names: dict[str, Any], d_turn: list[Callable[[Any], object]]) -> tuple[list[Tensor], list[Tensor]]:
    """D's second step by plain descent at rate 1, and the leak: G's loss on the first round's forgeries."""
    G, D, reals, noises = a_game()
    g, d = (torch.optim.SGD(net.parameters(), 1.0) for net in (G, D))
    drawn = iter(noises)
    gan = GAN(G, D, Prior("stored", 3, lambda n, dim, **where: next(drawn)))
    seen, weights = (
        names["turns"](names["Loop"](d_turn, names["G_TURN"]), gan, iter([(r,) for r in reals]), 2, g, d),
        [],
    )
    for _ in range(3):
        t = next(seen)
        weights.append([w.detach().clone() for w in D.parameters()])
        if len(weights) == 1:
            before, fake = copy.deepcopy(D), t.fake.detach()
    step = [then - now for then, now in zip(weights[1], weights[2], strict=True)]
    shown = t.fake.detach()
    loss = F.softplus(-before(reals[1])).mean() + F.softplus(before(shown)).mean()
    own = torch.autograd.grad(loss, list(before.parameters()))
    foreign = torch.autograd.grad(F.softplus(-before(fake)).mean(), list(before.parameters()))
    return [a - b for a, b in zip(step, own, strict=True)], list(foreign)


def test_a_leak_from_gs_turn_is_the_gradient_of_gs_loss_added_to_ds_and_can_be_turned_round() -> None:
    names = of_the_page()
    names |= names_of("def with_term(", **names)
    for sign, extra in ((1, []), (-1, [names["turn_round"]])):
        turn = [names["draw"], *extra, names["d_backward"], names["step_d"], names["clear_d"]]
        found, due = leaked(names, turn)
        for a, b in zip(found, due, strict=True):
            assert torch.allclose(a, sign * b, atol=1e-12)
            assert float(b.abs().max()) > 1e-6


@pytest.mark.parametrize("new", [False, True])
def test_the_term_openly_is_the_forgers_loss_on_the_forgeries_it_names(new: bool) -> None:
    names = of_the_page()
    names |= names_of("def with_term(", torch=torch, **names)
    G, D, reals, noises = a_game()
    t = SimpleNamespace(G=G, D=D, real=reals[0], z=noises[0], fake=G(noises[0]))
    torch.manual_seed(3)
    others = G(torch.randn_like(t.z)) if new else t.fake
    loss = F.softplus(-D(t.real)).mean() + F.softplus(D(t.fake)).mean() + F.softplus(-D(others)).mean()
    due = torch.autograd.grad(loss, list(D.parameters()))
    torch.manual_seed(3)
    names["with_term"](t, new)
    for w, gradient in zip(D.parameters(), due, strict=True):
        assert w.grad is not None
        assert torch.allclose(w.grad, gradient, atol=1e-12)
    assert all(w.grad is None for w in G.parameters())


def test_adams_memory_is_filed_under_the_network_it_is_about_whichever_optimizer_keeps_it() -> None:
    names = names_of("def memory(", hashlib=hashlib)
    names |= names_of("def fingerprints(", **names)
    G, D, reals, noises = a_game()
    g = torch.optim.Adam(G.parameters(), 1e-2)
    d = torch.optim.Adam([*D.parameters(), *G.parameters()], 1e-2)  # a list that is too long

    def moves(action: Callable[[], object]) -> set[str]:
        before = names["fingerprints"](G, D, [g, d])
        action()
        found: set[str] = names["moved"](before, names["fingerprints"](G, D, [g, d]))
        return found

    assert moves(lambda: F.softplus(-D(reals[0])).mean().backward()) == {"D .grad"}
    assert moves(d.step) == {"D weights", "D memory"}
    assert names["memory"](G, [d]) == []  # on its list, and never moved by it
    assert moves(d.zero_grad) == {"D .grad"}
    assert moves(lambda: F.softplus(G(noises[0])).mean().backward()) == {"G .grad"}
    assert moves(g.step) == {"G weights", "G memory"}
    assert moves(d.step) == {"G weights", "G memory"}  # the same gradient, by the other one
    assert len(names["memory"](G, [g, d])) == 2 * len(names["memory"](G, [g])) > 0
    G.requires_grad_(False)
    assert names["memory"](D, [g]) == []


# --- the checkers -----------------------------------------------------------------------------------------------


def a_round(
    G: nn.Module,
    D: nn.Module,
    g: Optimizer,
    d: Optimizer,
    real: Tensor,
    z: Tensor,
    *,
    swap: bool = False,
    half: float = 1.0,
    clear: bool = True,
    mode: bool = True,
    cut: bool = False,
    still: bool = False,
    sign: float = 1.0,
) -> None:
    fake = G(z)
    a, b = (1, -1) if not swap else (-1, 1)
    d_loss = half * (F.softplus(-a * D(real)).mean() + F.softplus(-b * D(fake.detach())).mean())
    if clear:
        d.zero_grad()
    if not still:
        d_loss.backward()
        d.step()
    g.zero_grad()
    g_loss = F.softplus(-sign * D(fake.detach() if cut else fake)).mean()
    g_loss.backward()
    g.step()
    D.train(mode)


def broken(G: nn.Module, D: nn.Module, g: Optimizer, d: Optimizer, real: Tensor, z: Tensor) -> None:
    """The round that exercise 3 asks to mend."""
    fake = G(z)
    (F.softplus(-D(real)).mean() + F.softplus(D(fake)).mean()).backward()
    d.step()
    d.zero_grad()
    D.requires_grad_(False)
    F.softplus(-D(fake.detach())).mean()
    g.step()
    g.zero_grad()


def loud(G: nn.Module, D: nn.Module, optimizer: Optimizer, z: Tensor) -> None:
    """The turn that exercise 4 asks to mend."""
    D.requires_grad_(False)
    D.eval()
    optimizer.zero_grad()
    F.softplus(-D(G(z))).mean().backward()
    optimizer.step()


def evaluated(G: nn.Module, D: nn.Module, g: Optimizer, d: Optimizer, real: Tensor, z: Tensor) -> None:
    fake = G(z)
    d.zero_grad()
    (F.softplus(-D(real)).mean() + F.softplus(D(fake.detach())).mean()).backward()
    d.step()
    D.eval()
    g.zero_grad()
    F.softplus(-D(fake)).mean().backward()
    g.step()
    D.train()


def g_resting(G: nn.Module, D: nn.Module, g: Optimizer, d: Optimizer, real: Tensor, z: Tensor) -> None:
    a_round(G, D, g, d, real, z)
    G.eval()


def thawed_never(G: nn.Module, D: nn.Module, g: Optimizer, d: Optimizer, real: Tensor, z: Tensor) -> None:
    a_round(G, D, g, d, real, z)
    D.requires_grad_(False)


def frozen_first(
    G: nn.Module, D: nn.Module, g: Optimizer, d: Optimizer, real: Tensor, z: Tensor
) -> None:  # another right answer: frozen, and thawed
    fake = G(z)
    d.zero_grad(set_to_none=False)
    (F.softplus(-D(real)).mean() + F.softplus(D(fake.detach())).mean()).backward()
    d.step()
    D.requires_grad_(False)
    g.zero_grad()
    F.softplus(-D(fake)).mean().backward()
    g.step()
    D.requires_grad_(True)


def by_copy(G: nn.Module, D: nn.Module, optimizer: Optimizer, z: Tensor) -> None:
    twin = copy.deepcopy(D)
    optimizer.zero_grad()
    F.softplus(-twin(G(z))).mean().backward()
    optimizer.step()


def turn(
    G: nn.Module, D: nn.Module, optimizer: Optimizer, z: Tensor, *, ending: Callable[[nn.Module], object], clear: bool
) -> None:
    twin = copy.deepcopy(D)
    if clear:
        optimizer.zero_grad()
    F.softplus(-twin(G(z))).mean().backward()
    optimizer.step()
    ending(D)


def close_witness(network: nn.Module, action: Callable[[], object]) -> set[str]:
    before = copy.deepcopy(network.state_dict())
    action()
    after = network.state_dict()
    return {k for k, v in after.items() if not torch.allclose(v.double(), before[k].double(), atol=1e-5)}


def twice(network: nn.Module, action: Callable[[], object]) -> set[str]:
    action()
    action()
    return set()


def everything(network: nn.Module, action: Callable[[], object]) -> set[str]:
    action()
    return set(network.state_dict())


def sleepy(network: nn.Module, action: Callable[[], object]) -> set[str]:
    network.eval()
    return everything(network, action)


def push(a: Tensor, mu: float) -> Tensor:
    return torch.sigmoid(-a) - mu * torch.sigmoid(a)


G_TURN, ALL = {"G weights", "G .grad"}, {"G weights", "G .grad", "D weights", "D buffers", "D .grad"}


@pytest.mark.parametrize(
    ("check", "answers"),
    [
        (ch10.check_1, ([list(G_TURN), list(ALL)],)),
        (ch10.check_3, (a_round,)),
        (ch10.check_3, (frozen_first,)),
        (ch10.check_4, (by_copy,)),
    ],
)
def test_other_right_answers_are_right(check: Any, answers: Any) -> None:
    assert check(*answers).correct is True


@pytest.mark.parametrize(
    ("check", "answers", "words"),
    [
        (ch10.check_1, ((G_TURN, ALL, ALL),), "two sets of names, one for (a) and one for (b), but it holds 3"),
        (ch10.check_1, ((7, ALL),), "number 1 of them is an int"),
        (ch10.check_1, (("G weights", ALL),), "(a) G .grad changes too"),
        (ch10.check_1, (({"G gradient"}, ALL),), "the names are"),
        (ch10.check_1, ((G_TURN | {"G buffers"}, ALL),), "(a) G buffers does not change"),
        (ch10.check_1, ((G_TURN, ALL - {"D weights"}),), "(b) D weights changes too"),
        (ch10.check_2, (close_witness,), "1e-7"),
        (ch10.check_2, (twice,), "called it 2 times"),
        (ch10.check_2, (everything,), "does not change"),
        (ch10.check_2, (sleepy,), "mode or flags"),
        (ch10.check_3, (lambda *players: 0,), "neither player"),
        (ch10.check_3, (partial(a_round, cut=True),), "G does not move"),
        (ch10.check_3, (broken,), "the wrong way"),
        (ch10.check_3, (evaluated,), "against a D in evaluation mode"),
        (ch10.check_3, (g_resting,), "After the round G is in evaluation mode"),
        (ch10.check_3, (thawed_never,), "still frozen"),
        (ch10.check_4, (loud,), "in evaluation mode"),
        (ch10.check_3, (partial(a_round, still=True),), "D does not move"),
        (ch10.check_3, (partial(a_round, swap=True),), "After one round D is elsewhere"),
        (ch10.check_3, (partial(a_round, half=0.5),), "After one round D is elsewhere"),
        (ch10.check_3, (partial(a_round, sign=-1.0),), "the wrong way"),
        (ch10.check_3, (partial(a_round, clear=False),), "Right for 1 round, and then D"),
        (ch10.check_3, (partial(a_round, mode=False),), "is in evaluation mode"),
        (ch10.check_4, (partial(turn, ending=nn.Module.eval, clear=True),), "in evaluation mode"),
        (ch10.check_4, (partial(turn, ending=nn.Module.requires_grad_, clear=True),), "took a gradient"),
        (ch10.check_4, (partial(turn, ending=nn.Module.zero_grad, clear=True),), "D .grad"),
        (ch10.check_4, (partial(turn, ending=lambda D: 0, clear=False),), "in its .grad"),
        (ch10.check_4, (lambda *players: 0,), "G does not move"),
        (ch10.check_4, (lambda G, D, optimizer, z: z.zero_(),), "changed z, which it was given"),
        (ch10.check_5, (lambda a, mu: -push(a, mu), lambda mu: 0.0), "take its negative"),
        (ch10.check_5, (lambda a, mu: push(-a, mu), lambda mu: 0.0), "D's pressure"),
        (ch10.check_5, (push, lambda mu: 0.0), "vanish"),
        (ch10.check_5, (push, lambda mu: 1 / (1 + mu)), "a probability"),
        (ch10.check_5, (push, lambda mu: -math.log2(mu)), "natural logarithm"),
        (ch10.check_5, (push, math.log), "the sign"),
    ],
)
def test_other_wrong_answers_get_a_pointer(check: Any, answers: Any, words: str) -> None:
    verdict = check(*answers)
    assert verdict.correct is False
    assert words in verdict.message


def test_checkers_leave_the_global_random_state_alone() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    for check, answer in ((ch10.check_1, (ALL, ALL)), (ch10.check_3, a_round), (ch10.check_4, by_copy)):
        check(answer)
    assert torch.equal(torch.rand(3), expected)


CHECKS: dict[int, Callable[..., Verdict]] = {number: getattr(ch10, f"check_{number}") for number in range(1, 6)}
NAMES = {"np": np, "copy": copy, "hashlib": hashlib, "torch": torch, "F": F, "losses": losses}


def judged(exercise: int, code: str) -> Verdict:
    names: dict[str, Any] = dict(NAMES)
    exec(code, names)
    asked = {1: ["answer_1"], 2: ["touched"], 3: ["mended"], 4: ["quiet"], 5: ["push", "rest"]}[exercise]
    return CHECKS[exercise](*(names[name] for name in asked))


@pytest.mark.parametrize(("exercise", "code"), cases(RIGHT))
def test_each_listed_right_answer_is_right(exercise: int, code: str) -> None:
    assert_listed_right(judged(exercise, code))


@pytest.mark.parametrize(("exercise", "code"), cases(WRONG))
def test_each_listed_wrong_answer_gets_a_pointer(exercise: int, code: str) -> None:
    assert_listed_wrong(judged(exercise, code), 30)
