"""Checkers of chapter 10, Freezing D. They run a learner's turn on a small pair, and compare what moved."""

import copy
import math
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import SGD, Optimizer

from gan_lessons.exercises import Verdict, checker, close, not_yet, right
from gan_lessons.exercises.forms import Form, any_number, set_of, several, text
from gan_lessons.exercises.traces import changes
from gan_lessons.exercises.trials import agrees, misses, of_numbers, pointwise, told

Round = Callable[[nn.Module, nn.Module, Optimizer, Optimizer, Tensor, Tensor], Any]
Turn = Callable[[nn.Module, nn.Module, Optimizer, Tensor], Any]
TRACES = tuple(f"{who} {trace}" for who in "DG" for trace in ("weights", "buffers", ".grad"))
_KNOWN = {name.replace(" ", "").casefold(): name for name in (*TRACES, "D memory", "G memory")}


def _trace_name(value: object) -> str:
    """A name as `fingerprints` writes it, whatever its blanks and capitals; any other text as it is."""
    return _KNOWN.get("".join(text.convert(value).split()), str(value))


def _as_written(value: object) -> str:
    text.convert(value)  # raises where it is none
    return str(value)


def _two_sets(value: object) -> tuple[set[str], ...]:
    pair: tuple[set[str], ...] = several(set_of(Form("a name", _trace_name)), 2).convert(value)
    return tuple(names - {"D memory", "G memory"} for names in pair)  # left out, as the page asks


@checker(Form("two sets of names, one for (a) and one for (b)", _two_sets))
def check_1(answer: tuple[set[str], set[str]]) -> Verdict:
    """What moves in G's turn: (a) D frozen and in evaluation mode, (b) G's optimizer holds both. We run it."""
    for name, given, truth in zip("ab", answer, (_moves(True, True, False), _moves(False, False, True)), strict=True):
        if unknown := sorted(given - set(TRACES)):
            return not_yet(f"({name}) holds {unknown[0]!r}; the names are {', '.join(TRACES)}.")
        extra, missing = sorted(given - truth), sorted(truth - given)
        if extra:
            return not_yet(f"({name}) {extra[0]} does not change in G's turn here. {_REASONS[extra[0]]}")
        if missing:
            return not_yet(f"({name}) {missing[0]} changes too. {_REASONS[missing[0]]}")
    return right("So a D that is wholly still takes two switches, and one wrong list undoes what a player is.")


@checker(callable)
def check_2(touched: Callable[[nn.Module, Callable[[], object]], Any]) -> Verdict:
    """touched(network, action): the names in state_dict() of what one call of action() changed."""
    for words, action in _ACTIONS.items():
        D, twin = _network(), _network()
        calls, x = [0], torch.randn(6, 4, generator=_source(5), dtype=torch.float64)

        def act(D: nn.Module = D, x: Tensor = x, calls: list[int] = calls, action: Any = action) -> None:
            calls[0] += 1
            action(D, x)

        found = set_of(Form("a name", _as_written))(touched(D, act))
        action(twin, x)
        truth, state = _differing(_network(), twin), twin.state_dict()
        if calls[0] != 1:
            return not_yet(f"action() should be called once; yours called it {calls[0]} times.")
        if left := _differing(D, twin):
            return not_yet(f"Where {words}, {sorted(left)[0]} is not as action() has left it. A witness only looks.")
        if D.training != twin.training or any(w.requires_grad != v.requires_grad for w, v in _weights(D, twin)):
            return not_yet("Your function has changed the network's mode or flags. A witness only looks.")
        extra, missing = sorted(found - truth), sorted(truth - found)
        if missing and "adds 1 to" in words:
            return not_yet(
                "One weight has changed by 1, and yours finds nothing. state_dict() gives the network's own tensors, "
                "and no copies: they change along with it. Clone them."
            )
        if missing and "1e-7" in words:
            return not_yet("A step of 1e-7 is a change too, and yours overlooks it: compare with torch.equal.")
        if missing and "swaps" in words:
            return not_yet("Two weights have changed places, and no sum, mean or norm shows it: compare each number.")
        if missing:
            return not_yet(f"Where {words}, {missing[0]} changes too. state_dict() holds weights and buffers.")
        if extra and extra[0] not in state:
            return not_yet(f"{extra[0]!r} is no name of state_dict(); they are like {next(iter(state))!r}.")
        if extra:
            return not_yet(f"Where {words}, {extra[0]} does not change.")
    return right("It sees one weight move by 1e-7, and buffers that move without any learning.")


def _network() -> nn.Module:
    """A D with layers within layers, the same for each call."""
    *body, head = _pair(2)[1].children()
    return nn.Sequential(nn.Sequential(*body), head)


def _differing(one: nn.Module, other: nn.Module) -> set[str]:
    """The names of the weights and buffers that differ in some bit."""
    state = other.state_dict()
    return {name for name, tensor in one.state_dict().items() if not torch.equal(tensor, state[name])}


def _weights(one: nn.Module, other: nn.Module) -> list[tuple[Tensor, Tensor]]:
    return list(zip(one.parameters(), other.parameters(), strict=True))


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
        if _same(G, _rounds(partial(_careful, evaluated=True), 1)[0][0]):
            return not_yet("G moves as against a D in evaluation mode. The D that learns is in training mode.")
        if float(_step(G, G0) @ _step(G1, G0)) < 0:
            return not_yet("G moves the wrong way: its forgeries become easier to catch. Whose gradient does it go by?")
        return not_yet(
            "After one round G is elsewhere than in the careful loop: it should go by its own loss alone, and against "
            "a D in training mode."
        )
    if not all(w.requires_grad for w in D.parameters()):
        return not_yet("After the round D is still frozen, so that it cannot learn in the next one.")
    if not all(w.requires_grad for w in G.parameters()):
        return not_yet("After the round G is frozen, so that it cannot learn in the next one.")
    for name, network in (("D", D), ("G", G)):
        if not all(module.training for module in network.modules()):
            return not_yet(f"After the round {name} is in evaluation mode.")
    if words := _spoilt(mended):
        return not_yet(f"The players may be right, but {words}")
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
        with changes(z=z) as changed:
            quiet(G, D, _sgd(G), z)
        if changed:
            return not_yet(f"Look at what is left: {changed[0]}")
        _quiet(*twin, _sgd(twin[0]), z)
        if not all(module.training for module in D.modules()):
            return not_yet("D comes out in evaluation mode; it went in in training mode.")
        if [w.requires_grad for w in D.parameters()] != flags:
            return not_yet("Some of D's weights took a gradient before and do not now, or the other way round.")
        traces = [trace for trace in TRACES[:3] if _traces(G, D)[trace] != before[trace]]
        if traces:
            return not_yet(f"{traces[0]} is not as before. {_REASONS[traces[0]]}")
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
def check_5(push: Callable[[Tensor, float], Any], rest: Callable[[float], Any]) -> Verdict:
    """push(a, mu) = sigma(-a) - mu sigma(a), and rest(mu) = -log mu."""
    for (a, mu), given, truth in misses(lambda a, mu: pointwise(lambda a: push(a, mu), a), _push, _logits()):
        a = a.double()
        wrong_turns = [
            (-truth, "That is the derivative. A force goes down the loss: take its negative."),
            (_push(a, -mu), "The two forces pull against each other: mind the sign of the second."),
            (-_push(-a, mu), "That is D's pressure with a leak. Here G moves."),
            (_push(-a, mu), "That is D's pressure with a leak, and its sign. Here G moves."),
            (F.softplus(-a) + mu * F.softplus(a), "That is the loss. The force is minus its slope."),
            (mu * _push(a, 1 / mu) if mu else truth, "The leak μ belongs to D's loss on the forgery, softplus(a)."),
            (truth.mean() * torch.ones_like(a), "That is a mean over the forgeries. Each of them has its own force."),
        ]
        for value, words in wrong_turns:
            if mu not in (0.0, 1.0) and agrees(given, value, torch.float32):
                return not_yet(words)
        if given.squeeze().shape == a.squeeze().shape and agrees(given[a.abs() < 30], truth[a.abs() < 30], a.dtype):
            return not_yet(
                f"push: right for ordinary logits. {told((a, mu), given, truth)} torch.sigmoid takes care of ±100."
            )
        return not_yet(
            f"push: {told((a, mu), given, truth)} The slope of softplus(a) is sigma(a), and that of softplus(-a) is "
            "-sigma(-a)."
        )
    for mu in (0.5, 1.0, 2.0, 1e-3, 20.0):
        stop, best = any_number(of_numbers(rest, mu)), -math.log(mu)
        if close(stop, best):
            continue
        if close(stop, -best):
            return not_yet("rest: the sign. With a small leak G climbs high before it stops: rest(0.5) > 0.")
        if close(stop, 1 / (1 + mu)):
            return not_yet("rest: that is D's answer there, a probability. The logit is asked for.")
        if close(stop, best / math.log(2)) or close(stop, best / math.log(10)):
            return not_yet("rest: take the natural logarithm.")
        return not_yet(f"rest: for mu = {mu:g} the force should vanish there, and at yours, {stop:.4g}, it does not.")
    return right("With the full leak G rests at a coin's toss, and with none it climbs for ever.")


def _push(a: Tensor, mu: float) -> Tensor:
    return torch.sigmoid(-a) - mu * torch.sigmoid(a)


def _logits() -> Iterator[tuple[Tensor, float]]:
    """(a, mu): ordinary logits and far ones, one alone, in both precisions, for several leaks."""
    for mu in (0.5, 2.0, 1.0, 0.0):
        for dtype in (torch.float64, torch.float32):
            yield torch.linspace(-4, 4, 9, dtype=dtype), mu
            yield torch.tensor([0.7], dtype=dtype), mu
            yield torch.tensor([100.0, -100.0, 0.0, 30.0], dtype=dtype), mu


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


_ACTIONS: dict[str, Callable[[nn.Module, Tensor], object]] = {
    "action does nothing": lambda D, x: None,
    "action adds 1 to one weight": lambda D, x: D.get_parameter("1.weight").data[0, 0].add_(1),
    "action is a forward pass in training mode": lambda D, x: D(x),
    "action is a forward pass in evaluation mode": lambda D, x: D.eval()(x),
    "action is a backward pass in evaluation mode": lambda D, x: D.eval()(x).sum().backward(),
    "action adds 1e-7 to one weight": lambda D, x: D.get_parameter("1.weight").data[0, 0].add_(1e-7),
    "action swaps two weights": lambda D, x: (
        D.get_parameter("0.0.weight").data[2:4].copy_(D.get_parameter("0.0.weight").data[[3, 2]])
    ),
    "action adds 1 to the last bias": lambda D, x: D.get_parameter("1.bias").data.add_(1),
    "action puts a new tensor in the place of a weight": lambda D, x: _replace(D.get_submodule("1")),
}


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


def _careful(
    G: nn.Module, D: nn.Module, g: Optimizer, d: Optimizer, real: Tensor, z: Tensor, *, evaluated: bool = False
) -> None:
    fake = G(z)
    d.zero_grad()
    (F.softplus(-D(real)).mean() + F.softplus(D(fake.detach())).mean()).backward()
    d.step()
    g.zero_grad()
    F.softplus(-D.train(not evaluated)(fake)).mean().backward()
    g.step()


def _quiet(G: nn.Module, D: nn.Module, optimizer: Optimizer, z: Tensor) -> None:
    optimizer.zero_grad()
    F.softplus(-copy.deepcopy(D)(G(z))).mean().backward()
    optimizer.step()


@cache
def _moves(frozen: bool, evaluated: bool, both: bool) -> frozenset[str]:
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
    return frozenset(found)


def _rounds(play: Round, count: int) -> list[tuple[nn.Module, nn.Module]]:
    """The pair after each of some rounds, as copies."""
    G, D = _pair(0)
    g, d, source, found = _sgd(G), _sgd(D), _source(3), []
    for _ in range(count):
        real, z = (torch.randn(6, n, generator=source, dtype=torch.float64) for n in (4, 3))
        play(G, D, g, d, real + 1, z)
        found.append(copy.deepcopy((G, D)))
    return found


def _spoilt(play: Round) -> str:
    """What one round does to its real batch and its noise, in words; "" where it leaves them alone."""
    G, D = _pair(0)
    real, z = (torch.randn(6, n, generator=_source(3), dtype=torch.float64) for n in (4, 3))
    with changes(real=real, z=z) as changed:
        play(G, D, _sgd(G), _sgd(D), real, z)
    return changed[0] if changed else ""


def _warm(leftover: bool) -> tuple[nn.Module, nn.Module]:
    """A pair in mid-game: gradients lie in both, or nowhere, and one weight of D is frozen for good."""
    G, D = _pair(4)
    if leftover:
        z = torch.randn(6, 3, generator=_source(6), dtype=torch.float64)
        D(G(z)).sum().backward()
    D.get_parameter("0.bias").requires_grad_(False)
    return G, D


def _replace(layer: nn.Module) -> None:
    layer.weight = nn.Parameter(torch.ones(1, 8, dtype=torch.float64))


def _flat(network: nn.Module) -> Tensor:
    return torch.cat([w.detach().flatten() for w in network.parameters()])


def _step(after: nn.Module, before: nn.Module) -> Tensor:
    return _flat(after) - _flat(before)


def _same(one: nn.Module, other: nn.Module) -> bool:
    return float(_step(one, other).abs().max()) < 1e-9
