"""Checkers of chapter 04, A GAN in one dimension. Each compares with the truth, then with the usual wrong turns."""

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_lessons import ensemble, losses, models, noise, theory, toys
from gan_lessons.exercises import Verdict, checker, close, not_yet, right, roughly
from gan_lessons.training import GAN, train

Function = Callable[..., Any]
GAMES = {"A": "k5 slow", "B": "k1 slow", "C": "k5 fast"}
NEW_NOTES = "You drew new real notes for G's move. It needs none: G stands only in the part of V with the forgeries."
NAMES = ("k1 slow", "k5 slow", "k1 fast", "k5 fast", "k1 two rates", "k1 plain")


@checker(float)
def check_1(answer: float) -> Verdict:
    """Density at 3.09 of x = 3 + z^2 for z uniform on (-1, 1): two roots, each (1/2) / 0.6."""
    answer, truth = float(answer), 1 / 0.6
    if close(answer, truth, 5e-3):
        return right("Two roots, z = 0.3 and -0.3, and each brings 0.5 / 0.6. Towards x = 3 it grows without bound.")
    wrong_turns = [
        (truth / 2, "That is one root. Which other z lands on 3.09?"),
        (2 * truth, "p_z is 1/2 on (-1, 1), not 1: it has to integrate to 1 over a length of 2."),
        (0.6, "That is |G'(z)| itself. The more a piece is stretched, the thinner its probability: divide by it."),
        (2 * 0.5 * 0.6, "Divide by |G'(z)|: the more a piece is stretched, the thinner its probability."),
        (0.5 / 6.18, "G' is taken at z, not at x: z = 0.3, not 3.09."),
        (1 / 6.18, "G' is taken at z, not at x: z = 0.3, not 3.09."),
        (0.0, "The slopes 0.6 and -0.6 cancel only without the bars: |G'(z)|."),
    ]
    if roughly(answer, truth):
        return not_yet("Within 3 % of it. Give three digits.")
    return _first_match(answer, wrong_turns) or not_yet(
        "Find all z with 3 + z² = 3.09, the slope G' = 2z at each, and add up (1/2) / |G'|."
    )


@checker((list, tuple))
def check_2(answer: Any) -> Verdict:
    """(D*(3.0), way at 3.0, way at 3.6) for N(4, 0.5) against N(3.5, 0.25): 1/3, to the left, to the right."""
    if len(answer) != 3:
        return not_yet("Answer as (D, way, way), three numbers.")
    D, low, high = (float(part) for part in answer)
    if not close(D, 1 / 3, 2e-3):
        if roughly(D, 1 / 3):
            return not_yet("D is within 3 % of it. Give three digits, or a fraction.")
        if close(D, 2 / 3, 2e-3):
            return not_yet("That is the probability that the note is forged: D* = p / (p + q).")
        if close(D, 0.5, 2e-3):
            return not_yet("The exponents are equal at 3.0, but a narrower heap is also higher: 1 / (s√(2π)).")
        return not_yet("Put x = 3 into both densities, then D* = p / (p + q). The exponents are both -2.")
    if {abs(low), abs(high)} != {1.0}:
        return not_yet("D* is right. The ways are +1 (to the right) or -1 (to the left).")
    if (low, high) == (1.0, 1.0):
        return not_yet(
            "D* is right. Not all notes go to the real mean: each follows the slope of D* at its own place. Take the "
            "slope of log p - log q at 3.0."
        )
    if (low, high) != (-1.0, 1.0):
        return not_yet("D* is right. The logit is log p - log q; its slope is -4(x - 4) + 16(x - 3.5). Which sign?")
    return right("The slope changes its sign at x = 3.33. The left end of the heap goes left, away from 4: it widens.")


@checker(callable, returns=False)
def check_3(one_round: Function) -> Verdict:
    """one_round(G, D, draw_x, draw_z, d_optimizer, g_optimizer, k): k moves of D up V, then one of G down V."""
    for k in (1, 3):
        mine = _play(one_round, k)
        if mine.moved is None:
            return not_yet("Your function must move the weights of G and D, and both stand where they stood.")
        if _same(mine, _play(_a_round(), k)) or _same(mine, _play(_a_round(fresh=True), k)):
            continue
        turns: list[tuple[Function, str]] = [
            (_a_round(g_moves=k), "G moves k times in your round. Only D does."),
            (_a_round(d_moves=1), "D moves once in your round, and should move k times."),
            (_a_round(clear=False), "Gradients pile up: clear them before each backward, in both networks."),
            (_a_round(sign=-1), "D moves the wrong way: up V, so down -V."),
            (_a_round(g_sign=-1), "G moves the wrong way: down log(1 - D), and away from being caught."),
            (_a_round(non_saturating=True), "G goes down -log D. That is the other game; here both move the same V."),
            (_a_round(same=True), "D sees the same notes in all its k moves: draw new ones for each."),
            *((_a_round(new_notes=True, fresh=fresh), NEW_NOTES) for fresh in (False, True)),
            (_a_round(leak=True), "What G's backward leaves in D is still there when D moves: clear D's gradients."),
        ]
        for wrong, message in turns:
            if _same(mine, _play(wrong, k)):
                return not_yet(message)
        if mine.moved == "D":
            return not_yet("D moves, G does not. After D's k moves G takes one step of g_optimizer.")
        if mine.moved == "G":
            return not_yet("G moves, D does not. D takes k steps of d_optimizer before G moves.")
        return not_yet(
            f"With k = {k} the weights come out otherwise. Compare with the loop of section 2, line by line."
        )
    return right("Equal weights with the loop of the chapter, for k = 1 and for k = 3.")


@checker(dict)
def check_4(answer: dict[str, Any]) -> Verdict:
    """Which of the six games drew which curve of V."""
    if set(answer) != set(GAMES):
        return not_yet(f"Keep the keys {', '.join(GAMES)}.")
    unknown = [name for name in answer.values() if name not in NAMES]
    if unknown:
        return not_yet(f"{unknown[0]!r} is no game of section 5; they are {', '.join(NAMES)}.")
    wrong = [letter for letter, name in GAMES.items() if answer[letter] != name]
    if not wrong:
        return right("A value near 0 is an officer who wins; how long he does so is the forger's rate.")
    hints = {
        "A": "A stays near 0 for long: an officer who answers much faster than the forger walks.",
        "B": "B is never near 0, not even at the start: an officer who is too slow to win a single time.",
        "C": "C leaves 0 soon: an officer who is quick, and a forger who is quick as well.",
    }
    return not_yet(f"{len(wrong)} of 3 wrong. {hints[wrong[0]]}")


@checker(float)
def check_5(answer: float) -> Verdict:
    """Period of the two-number game with rates 0.09 and 0.01: 4 pi / sqrt(0.0009) = 419 rounds."""
    answer, truth = float(answer), 4 * math.pi / 0.03
    if close(answer, truth, 0.01):
        return right("Only the product of the rates counts for the period. Who has which decides about the friction.")
    wrong_turns = [
        (2 * math.pi / 0.03, "The angular velocity is half of √(η_D η_G): a factor 2 is missing."),
        (math.pi / 0.03, "The factor in front is 4π."),
        (4 * math.pi / 0.0009, "The root is missing: √(0.09 · 0.01) = 0.03."),
        (4 * math.pi / 0.05, "The geometric mean of the two rates, not their average: √(0.09 · 0.01)."),
        (4 * math.pi / 0.10, "The geometric mean of the two rates, not their sum: √(0.09 · 0.01)."),
        (4 * math.pi / 0.09, "That is with D's rate alone. Both take part: √(0.09 · 0.01)."),
        (4 * math.pi / 0.01, "That is with G's rate alone. Both take part: √(0.09 · 0.01)."),
        (0.03, "That is √(η_D η_G). The period is 4π divided by it."),
        (1 / truth, "That is the number of swings in a round. The period is its inverse."),
    ]
    return _first_match(answer, wrong_turns) or not_yet(
        "Differentiate the second equation of the pendulum once more and put the first in: θ'' = -(η_D η_G / 4) θ."
    )


@checker(dict)
def check_6(answer: dict[str, Any]) -> Verdict:
    """d_lr, g_lr and beta1 with which four games with k = 1 neither swing nor stay away in 1,200 rounds."""
    if set(answer) != {"d_lr", "g_lr", "beta1"}:
        return not_yet("Keep the three keys: d_lr, g_lr, beta1.")
    d_lr, g_lr, beta1 = (float(answer[key]) for key in ("d_lr", "g_lr", "beta1"))
    if not (0 < d_lr <= 1 and 0 < g_lr <= 1 and 0 <= beta1 < 1):
        return not_yet("Rates lie above 0 (and not above 1), beta1 in [0, 1).")
    try:
        js, swing = _calm(d_lr, g_lr, beta1)
    except FloatingPointError:
        return not_yet("These games diverge: the losses became infinite. Take smaller rates.")
    found = f"In the last 400 of 1,200 rounds JS is {js:.2f} nats and the heap's mean swings by {swing:.2f}"
    if js < 0.3 and swing < 0.2:
        return right(f"{found}, in the mean of four games with k = 1.")
    if js > 0.65:
        return not_yet(f"{found}: the forger is not there yet, or has run away. How far can he walk with his rate?")
    if swing >= 0.2:
        return not_yet(f"{found}: it still swings. Which of the two players has to answer faster?")
    return not_yet(f"{found}: calm, but a needle or a heap in the wrong place; JS should be below 0.3.")


def _first_match(answer: float, wrong_turns: list[tuple[float, str]]) -> Verdict | None:
    return next((not_yet(words) for value, words in wrong_turns if close(answer, value, 5e-3)), None)


# --- exercise 3: a round of the game, right and wrong -----------------------------------------------------------


class _Played(NamedTuple):
    weights: Tensor
    moved: str | None  # "D", "G", "both" or None


def _play(one_round: Function, k: int) -> _Played:
    """Two rounds of a small game in float64 from fixed weights and fixed draws."""
    with torch.random.fork_rng():
        torch.manual_seed(4)
        G, D = models.mlp([1, 6, 1]).double(), models.mlp([1, 6, 1], slope=0.2).double()
    before = [_flat(net) for net in (G, D)]
    generator, other = torch.Generator().manual_seed(5), torch.Generator().manual_seed(6)
    d_optimizer, g_optimizer = (torch.optim.SGD(net.parameters(), 0.1, momentum=0.5) for net in (D, G))

    def draw_x() -> Tensor:
        return 4 + 0.5 * torch.randn(16, 1, generator=generator, dtype=torch.float64)

    def draw_z() -> Tensor:
        return 2 * torch.rand(16, 1, generator=other, dtype=torch.float64) - 1

    for _ in range(2):
        one_round(G, D, draw_x, draw_z, d_optimizer, g_optimizer, k)
    after = [_flat(net) for net in (G, D)]
    g_moved, d_moved = (not torch.equal(a, b) for a, b in zip(before, after, strict=True))
    moved = "both" if g_moved and d_moved else "G" if g_moved else "D" if d_moved else None
    return _Played(torch.cat(after), moved)


def _same(one: _Played, other: _Played) -> bool:
    return torch.allclose(one.weights, other.weights, atol=1e-10)


def _flat(net: nn.Module) -> Tensor:
    return torch.cat([weight.detach().flatten() for weight in net.parameters()])


def _a_round(
    *,
    d_moves: int | None = None,
    g_moves: int = 1,
    sign: int = 1,
    g_sign: int = 1,
    clear: bool = True,
    non_saturating: bool = False,
    fresh: bool = False,
    same: bool = False,
    leak: bool = False,
    new_notes: bool = False,
) -> Function:
    """A round as the exercise wants it, or with one of the usual faults."""

    def one_round(
        G: nn.Module, D: nn.Module, draw_x: Function, draw_z: Function, d_optimizer: Any, g_optimizer: Any, k: int
    ) -> None:
        notes, forged = None, None
        for _ in range(d_moves or k):
            if notes is None or not same:
                notes, forged = draw_x(), G(draw_z())
            assert forged is not None
            V = F.logsigmoid(D(notes)).mean() + F.logsigmoid(-D(forged.detach())).mean()
            if clear and not leak:
                d_optimizer.zero_grad()
            (-sign * V).backward()
            d_optimizer.step()
            if leak:
                d_optimizer.zero_grad()
        for move in range(g_moves):
            if new_notes:
                draw_x()  # log D of real notes has no gradient in G; only the stream of draws moves on
            if fresh or move > 0:
                forged = G(draw_z())
            assert forged is not None
            a = D(forged)
            loss = -F.logsigmoid(a).mean() if non_saturating else g_sign * F.logsigmoid(-a).mean()
            if clear:
                g_optimizer.zero_grad()
            loss.backward()
            g_optimizer.step()

    return one_round


# --- exercise 6: four games with k = 1 --------------------------------------------------------------------------


def _calm(d_lr: float, g_lr: float, beta1: float, seeds: int = 4, rounds: int = 1_200) -> tuple[float, float]:
    """Mean JS, and mean swing (std over time of the heap's mean), of the last third of the games."""
    edges = torch.linspace(-2, 8, 251, dtype=torch.float64)
    x = (edges[1:] + edges[:-1]) / 2
    real = toys.mixture([4.0], 0.5)
    p = real.log_density(x[:, None]).exp()
    with torch.random.fork_rng():
        G, D = (
            _team(range(first, first + seeds), sizes) for first, sizes in ((0, (1, 16, 16, 1)), (100, (1, 24, 24, 1)))
        )
        torch.manual_seed(0)
        g_optimizer, d_optimizer = (
            torch.optim.Adam(net.parameters(), lr, betas=(beta1, 0.999)) for net, lr in ((G, g_lr), (D, d_lr))
        )
        prior = noise.Prior("uniform", 1, lambda n, dim, **_: 2 * torch.rand(n, seeds, dim) - 1)
        distances, means = [], []
        for step in train(
            GAN(G, D, prior),
            _notes(real, seeds),
            rounds,
            objective=ensemble.over_seeds(losses.minimax, seeds),
            g_optimizer=g_optimizer,
            d_optimizer=d_optimizer,
        ):
            if step.number > 2 * rounds // 3 and step.number % max(1, rounds // 60) == 0:
                with torch.no_grad():
                    q = theory.push_forward(
                        lambda z: G(z.float()[:, None].expand(-1, seeds, 1))[..., 0],
                        edges,
                        theory.uniform_cdf,
                        (-1, 1),
                        300,
                    )
                outside = (1 - theory.integrate(q, x)).clamp(min=0)
                distances.append(theory.js_quadrature(p, q, x) + 0.5 * math.log(2) * outside)
                means.append(theory.integrate(q * x, x))
    return float(torch.stack(distances).mean()), float(torch.stack(means).std(0).mean())


def _notes(real: toys.Mixture, seeds: int) -> Iterator[tuple[Tensor]]:
    generator = torch.Generator().manual_seed(0)
    while True:
        yield (real.sample(64 * seeds, generator=generator).reshape(64, seeds, 1),)


def _team(names: range, sizes: tuple[int, ...]) -> ensemble.Stacked:
    networks = []
    for name in names:
        torch.manual_seed(name)
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(sizes):
            layers += [nn.Linear(inputs, outputs), nn.Tanh()]
        networks.append(nn.Sequential(*layers[:-1]))
    return ensemble.stack(networks)
