"""Checkers of chapter 10, Freezing D. They run a learner's turn on a small pair, and compare what moved."""

import copy
import math
from collections.abc import Callable, Collection
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import SGD, Optimizer

from gan_lessons.exercises import Verdict, checker, close, not_yet, right

Round = Callable[[nn.Module, nn.Module, Optimizer, Optimizer, Tensor, Tensor], Any]
Turn = Callable[[nn.Module, nn.Module, Optimizer, Tensor], Any]
TRACES = tuple(f"{who} {trace}" for who in "DG" for trace in ("weights", "buffers", ".grad"))


@checker((tuple, list))
def check_1(answer: Collection[Collection[str]]) -> Verdict:
    """What moves in G's turn: (a) D frozen and in evaluation mode, (b) G's optimizer holds both. We run it."""
    if len(answer) != 2:
        return not_yet(f"Give two sets, for (a) and for (b), not {len(answer)}.")
    for name, given, truth in zip("ab", answer, (_moves(True, True, False), _moves(False, False, True)), strict=True):
        if isinstance(given, str) or not isinstance(given, Collection):
            return not_yet(f"({name}) should be a set of names, such as {{'D weights'}}.")
        unknown = sorted(str(trace) for trace in given if trace not in TRACES)
        if unknown:
            return not_yet(f"({name}) holds {unknown[0]!r}; the names are {', '.join(TRACES)}.")
        extra, missing = sorted(set(given) - truth), sorted(truth - set(given))
        if extra:
            return not_yet(f"({name}) {extra[0]} does not change in G's turn here. {_REASONS[extra[0]]}")
        if missing:
            return not_yet(f"({name}) {missing[0]} changes too. {_REASONS[missing[0]]}")
    return right("So a D that is wholly still takes two switches, and one wrong list undoes what a player is.")


@checker(callable)
def check_2(touched: Callable[[nn.Module, Callable[[], object]], Collection[str]]) -> Verdict:
    """touched(network, action): the names in state_dict() of what one call of action() changed."""
    actions = {
        "action does nothing": lambda D, x: None,
        "action adds 1 to one weight": lambda D, x: D.get_parameter("3.weight").data[0, 0].add_(1),
        "action is a forward pass in training mode": lambda D, x: D(x),
        "action is a forward pass in evaluation mode": lambda D, x: D.eval()(x),
        "action is a backward pass in evaluation mode": lambda D, x: D.eval()(x).sum().backward(),
        "action adds 1e-7 to one weight": lambda D, x: D.get_parameter("3.weight").data[0, 0].add_(1e-7),
        "action puts a new tensor in the place of a weight": _replace,
    }
    for words, action in actions.items():
        (_, D), calls = _pair(2), [0]
        x, twin = torch.randn(6, 4, generator=_source(5), dtype=torch.float64), copy.deepcopy(D)

        def act(D: nn.Module = D, x: Tensor = x, calls: list[int] = calls, action: Any = action) -> None:
            calls[0] += 1
            action(D, x)

        found = touched(D, act)
        action(twin, x)
        truth = {name for name, t in _pair(2)[1].state_dict().items() if not torch.equal(t, twin.state_dict()[name])}
        if calls[0] != 1:
            return not_yet(f"action() should be called once; yours called it {calls[0]} times.")
        if isinstance(found, str) or not isinstance(found, Collection):
            return not_yet("Return a set of names.")
        extra, missing = sorted(set(found) - truth), sorted(truth - set(found))
        if missing and "adds 1 to" in words:
            return not_yet(
                "One weight has changed by 1, and yours finds nothing. state_dict() gives the network's own tensors, "
                "and no copies: they change along with it. Clone them."
            )
        if missing and "1e-7" in words:
            return not_yet("A step of 1e-7 is a change too, and yours overlooks it: compare with torch.equal.")
        if missing:
            return not_yet(f"Where {words}, {missing[0]} changes too. state_dict() holds weights and buffers.")
        if extra:
            return not_yet(f"Where {words}, {extra[0]} does not change.")
    return right("It sees one weight move by 1e-7, and buffers that move without any learning.")


@checker(callable, returns=False)
def check_3(mended: Round) -> Verdict:
    """A round whose weights, three rounds long, are those of the careful loop; D comes out trainable."""
    truth, (G0, D0) = _rounds(_careful, 3), _pair(0)
    (G1, D1), ((G, D),) = truth[0], _rounds(mended, 1)
    if _same(G, G0) and _same(D, D0):
        return not_yet("After a round neither player has moved.")
    if _same(G, G0):
        return not_yet("G does not move. Its loss has to reach it: in its own turn nothing may be cut off.")
    if _same(D, D0):
        return not_yet("D does not move in its turn.")
    if not _same(D, D1):
        return not_yet("After one round D is elsewhere than in the careful loop. What does its loss compare, 1 and 0?")
    if not _same(G, G1):
        if float(_step(G, G0) @ _step(G1, G0)) < 0:
            return not_yet("G moves the wrong way: its forgeries become easier to catch. Whose gradient does it go by?")
        return not_yet(
            "After one round G is elsewhere than in the careful loop: it should go by its own loss alone, and against "
            "a D in training mode."
        )
    if not all(w.requires_grad for w in D.parameters()):
        return not_yet("After the round D is still frozen, so that it cannot learn in the next one.")
    if not D.training:
        return not_yet("After the round D is in evaluation mode.")
    found = _rounds(mended, 3)
    for k in (1, 2):
        (G1, D1), (G, D) = truth[k], found[k]
        if not _same(D, D1):
            return not_yet(
                f"Right for {k} round{'s' * (k > 1)}, and then D is elsewhere: something is left in its .grad from G's "
                "turn. When is it cleared?"
            )
        if not _same(G, G1):
            return not_yet(
                f"Right for {k} round{'s' * (k > 1)}, and then G is elsewhere: is its .grad cleared in time?"
            )
    return right("Three rounds, and the weights are those of the careful loop.")


@checker(callable, returns=False)
def check_4(quiet: Turn) -> Verdict:
    """G's turn against D in training mode that leaves weights, buffers, .grad, mode and flags of D as they were."""
    for leftover in (True, False):
        (G, D), z = _warm(leftover), torch.randn(6, 3, generator=_source(7), dtype=torch.float64)
        before, twin = _traces(G, D), copy.deepcopy((G, D))
        flags, start = [w.requires_grad for w in D.parameters()], copy.deepcopy(G)
        quiet(G, D, _sgd(G), z)
        _quiet(*twin, _sgd(twin[0]), z)
        if not all(module.training for module in D.modules()):
            return not_yet("D comes out in evaluation mode; it went in in training mode.")
        if [w.requires_grad for w in D.parameters()] != flags:
            return not_yet("Some of D's weights took a gradient before and do not now, or the other way round.")
        changed = [trace for trace in TRACES[:3] if _traces(G, D)[trace] != before[trace]]
        if changed:
            return not_yet(f"{changed[0]} is not as before. {_REASONS[changed[0]]}")
        if _same(G, start):
            return not_yet("G does not move.")
        if not _same(G, twin[0]):
            evaluated = copy.deepcopy(start), copy.deepcopy(D).eval()
            _quiet(*evaluated, _sgd(evaluated[0]), z)
            if _same(G, evaluated[0]):
                return not_yet("G moves as against a D in evaluation mode. The D that learns is in training mode.")
            return not_yet("G is elsewhere than after the careful turn. What lay in its .grad before must not count.")
    return right("G has moved as ever, and D could swear that nobody was there.")


@checker(callable, callable)
def check_5(push: Callable[[Tensor, float], Tensor], rest: Callable[[float], float]) -> Verdict:
    """push(a, mu) = sigma(-a) - mu sigma(a), and rest(mu) = -log mu."""
    a = torch.linspace(-4, 4, 9, dtype=torch.float64)
    for mu in (0.5, 1.0, 2.0, 0.0):
        given, truth = push(a, mu), torch.sigmoid(-a) - mu * torch.sigmoid(a)
        if close(given, truth, 1e-6):
            continue
        wrong_turns = [
            (-truth, "That is the derivative. A force goes down the loss: take its negative."),
            (torch.sigmoid(-a) + mu * torch.sigmoid(a), "The two forces pull against each other: mind the sign of the"),
            (torch.sigmoid(a) - mu * torch.sigmoid(-a), "That is D's pressure with a leak. Here G moves."),
            (F.softplus(-a) + mu * F.softplus(a), "That is the loss. The force is minus its slope."),
        ]
        for value, words in wrong_turns:
            if close(given, value, 1e-6):
                return not_yet(words + (" second." if words.endswith("the") else ""))
        return not_yet("push: the slope of softplus(a) is sigma(a), and that of softplus(-a) is -sigma(-a).")
    for mu in (1.0, 0.5, 2.0):
        stop = rest(mu)
        if close(stop, -math.log(mu), 1e-6):
            continue
        if close(stop, math.log(mu), 1e-6):
            return not_yet("rest: the sign. With a small leak G climbs high before it stops: rest(0.5) > 0.")
        return not_yet(f"rest: for mu = {mu:g} the force should vanish there, and at yours it does not.")
    return right("With the full leak G rests at a coin's toss, and with none it climbs for ever.")


_REASONS = {
    "D weights": "An optimizer moves the weights that it holds, if they have a gradient.",
    "D buffers": "Every forward pass in training mode moves batch normalisation's averages, frozen or not.",
    "D .grad": "A backward pass writes into every weight on its way that takes a gradient; it adds.",
    "G weights": "It is G's turn.",
    "G buffers": "They move where G draws. In whose turn are the forgeries drawn?",
    "G .grad": "G's own loss reaches it in its own turn.",
}


def _source(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _pair(seed: int) -> tuple[nn.Module, nn.Module]:
    """A pair with batch normalisation in both, in float64, the same for each call."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        G = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 4))
        D = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
    return G.double(), D.double()


def _sgd(*networks: nn.Module) -> SGD:
    """Plain gradient descent: unlike Adam it shows the size of a gradient too."""
    return SGD([w for network in networks for w in network.parameters()], 0.1)


def _traces(G: nn.Module, D: nn.Module) -> dict[str, list[bytes]]:
    found = {}
    for who, network in (("D", D), ("G", G)):
        found[f"{who} weights"] = [w.detach().numpy().tobytes() for w in network.parameters()]
        found[f"{who} buffers"] = [b.numpy().tobytes() for b in network.buffers()]
        found[f"{who} .grad"] = [b"" if w.grad is None else w.grad.numpy().tobytes() for w in network.parameters()]
    return found


def _careful(G: nn.Module, D: nn.Module, g: Optimizer, d: Optimizer, real: Tensor, z: Tensor) -> None:
    fake = G(z)
    d.zero_grad()
    (F.softplus(-D(real)).mean() + F.softplus(D(fake.detach())).mean()).backward()
    d.step()
    g.zero_grad()
    F.softplus(-D(fake)).mean().backward()
    g.step()


def _quiet(G: nn.Module, D: nn.Module, optimizer: Optimizer, z: Tensor) -> None:
    optimizer.zero_grad()
    F.softplus(-copy.deepcopy(D)(G(z))).mean().backward()
    optimizer.step()


def _moves(frozen: bool, evaluated: bool, both: bool) -> set[str]:
    """Play two rounds, and say what moves in G's turn of the second."""
    G, D = _pair(1)
    g, d, source = _sgd(G, D) if both else _sgd(G), _sgd(D), _source(1)
    found: set[str] = set()
    for _ in range(2):
        real, z = (torch.randn(6, n, generator=source, dtype=torch.float64) for n in (4, 3))
        fake = G(z)
        d.zero_grad()
        (F.softplus(-D(real)).mean() + F.softplus(D(fake.detach())).mean()).backward()
        d.step()
        before = _traces(G, D)
        D.requires_grad_(not frozen).train(not evaluated)
        g.zero_grad()
        F.softplus(-D(fake)).mean().backward()
        g.step()
        after = _traces(G, D)
        found = {trace for trace in TRACES if before[trace] != after[trace]}
        D.requires_grad_(True).train()
    return found


def _rounds(play: Round, count: int) -> list[tuple[nn.Module, nn.Module]]:
    """The pair after each of some rounds, as copies."""
    G, D = _pair(0)
    g, d, source, found = _sgd(G), _sgd(D), _source(3), []
    for _ in range(count):
        real, z = (torch.randn(6, n, generator=source, dtype=torch.float64) for n in (4, 3))
        play(G, D, g, d, real + 1, z)
        found.append(copy.deepcopy((G, D)))
    return found


def _warm(leftover: bool) -> tuple[nn.Module, nn.Module]:
    """A pair in mid-game: gradients lie in both, or nowhere, and one weight of D is frozen for good."""
    G, D = _pair(4)
    if leftover:
        z = torch.randn(6, 3, generator=_source(6), dtype=torch.float64)
        D(G(z)).sum().backward()
    D.get_parameter("0.bias").requires_grad_(False)
    return G, D


def _replace(D: nn.Module, x: Tensor) -> None:
    D.get_submodule("3").weight = nn.Parameter(torch.ones(1, 8, dtype=torch.float64))


def _flat(network: nn.Module) -> Tensor:
    return torch.cat([w.detach().flatten() for w in network.parameters()])


def _step(after: nn.Module, before: nn.Module) -> Tensor:
    return _flat(after) - _flat(before)


def _same(one: nn.Module, other: nn.Module) -> bool:
    return float(_step(one, other).abs().max()) < 1e-9
