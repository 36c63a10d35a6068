"""Checkers of chapter 04, A GAN in one dimension. Each compares with the truth, then with the usual wrong turns."""

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_lessons import ensemble, losses, models, noise, theory, toys
from gan_lessons.exercises import Verdict, checker, not_yet, right
from gan_lessons.exercises.forms import Form, Found, any_number, number, several, table, text
from gan_lessons.exercises.rounding import fault
from gan_lessons.exercises.traces import unplayable
from gan_lessons.training import GAN, train

Function = Callable[..., Any]
GAMES = {"A": "k5 slow", "B": "k1 slow", "C": "k5 fast"}
NEW_NOTES = "You drew new real notes for G's move. It needs none: G stands only in the part of V with the forgeries."
OTHER_GAME = "G goes down -log D. That is the other game; here both move the same V."
BATCH = 16  # notes in exercise 2
NAMES = ("k1 slow", "k5 slow", "k1 fast", "k5 fast", "k1 two rates", "k1 plain")


@checker(float)
def check_1(answer: float) -> Verdict:
    """Density at 3.09 of x = 3 + z^2 for z uniform on (-1, 1): two roots, each (1/2) / 0.6."""
    truth = 1 / 0.6
    wrong_turns = [
        (truth / 2, "That is one root. Which other z lands on 3.09?"),
        (2 * truth, "p_z is 1/2 on (-1, 1), not 1: it has to integrate to 1 over a length of 2."),
        (0.6, "That is |G'(z)| itself. The more a piece is stretched, the thinner its probability: divide by it."),
        (2 * 0.5 * 0.6, "Divide by |G'(z)|: the more a piece is stretched, the thinner its probability."),
        (0.5 / 6.18, "G' is taken at z, not at x: z = 0.3, not 3.09."),
        (1 / 6.18, "G' is taken at z, not at x: z = 0.3, not 3.09."),
        (0.0, "The slopes 0.6 and -0.6 cancel only without the bars: |G'(z)|."),
    ]
    otherwise = "Find all z with 3 + z² = 3.09, the slope G' = 2z at each, and add up (1/2) / |G'|."
    if pointer := fault(answer, truth, wrong_turns, otherwise):
        return not_yet(pointer)
    return right("Two roots, z = 0.3 and -0.3, and each brings 0.5 / 0.6. Towards x = 3 it grows without bound.")


def _a_way(value: Any) -> float:
    """+1 or -1, as a number or in a word; another number as it is."""
    words = {"left": -1.0, "right": 1.0, "-1": -1.0, "+1": 1.0, "1": 1.0}
    if isinstance(value, str) and (word := value.strip().casefold()) in words:
        return words[word]
    if isinstance(value, str):
        raise Found(f"it is {value!r}")
    return float(any_number.convert(value))


def _a_guess(value: Any) -> tuple[float, float, float]:
    D, low, high = several(object, 3).convert(value)
    return float(number.convert(D)), _a_way(low), _a_way(high)


@checker(Form("(D, way, way), a number and two ways, +1 (to the right) or -1 (to the left)", _a_guess))
def check_3(answer: tuple[float, float, float]) -> Verdict:
    """(D*(3.0), way at 3.0, way at 3.6) for N(4, 0.5) against N(3.5, 0.25): 1/3, to the left, to the right."""
    D, low, high = answer
    turns = [
        (2 / 3, "That is the probability that the note is forged: D* = p / (p + q)."),
        (0.5, "The exponents are equal at 3.0, but a narrower heap is also higher: 1 / (s√(2π))."),
        (-math.log(2), "That is the logit. D* = sigma(a)."),
    ]
    otherwise = "Put x = 3 into both densities, then D* = p / (p + q). The exponents are both -2."
    if pointer := fault(D, 1 / 3, turns, otherwise):
        return not_yet(f"Look at D: {pointer}")
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
def check_2(one_round: Function) -> Verdict:
    """one_round(G, D, draw_x, draw_z, d_optimizer, g_optimizer, k): k moves of D up V, then one of G down V."""
    for k, far in ((1, False), (3, False), (2, True)):
        mine = _play(one_round, k, far)
        if mine.left:
            return not_yet(f"The moves may be right, but {mine.left}")
        if mine.moved is None:
            return not_yet("Your function must move the weights of G and D, and both stand where they stood.")
        if any(_same(mine, _play(_a_round(fresh=fresh), k, far)) for fresh in (False, True)):
            continue
        if far:
            return not_yet(
                "Right for ordinary logits, but not where D is sure of itself: log(1 - sigma(50)) is minus infinity in "
                "float32. Stay in log space: F.logsigmoid(a) and F.logsigmoid(-a)."
            )
        turn = next((words for wrong, words in _turns_of_2(k) if _same(mine, _play(wrong, k))), None)
        if turn is not None:
            return not_yet(turn)
        if mine.moved == "D":
            return not_yet("D moves, G does not. After D's k moves G takes one step of g_optimizer.")
        if mine.moved == "G":
            return not_yet("G moves, D does not. D takes k steps of d_optimizer before G moves.")
        return not_yet(
            f"With k = {k} the weights come out otherwise. Compare with the loop of Section 2, line by line."
        )
    return right("Equal weights with the loop of the chapter, for k = 1 and for k = 3.")


def _turns_of_2(k: int) -> Iterator[tuple[Function, str]]:
    """Rounds with one fault each, and what to say of them."""
    half = "goes down half of it. V has no halves: E log D + E log(1 - D)."
    money = f"takes sums for the two means: with {BATCH} notes {BATCH} times the money, so the step is too long."
    for fresh in (False, True):
        yield _a_round(g_moves=k, fresh=fresh), "G moves k times in your round. Only D does."
        yield _a_round(d_moves=1, fresh=fresh), "D moves once in your round, and should move k times."
        yield (
            _a_round(clear=False, fresh=fresh),
            "Gradients pile up: clear them before each backward, in both networks.",
        )
        yield _a_round(g_clear=False, fresh=fresh), "G's gradients pile up: clear them before its backward."
        yield _a_round(sign=-1, fresh=fresh), "D moves the wrong way: up V, so down -V."
        yield _a_round(g_sign=-1, fresh=fresh), "G moves the wrong way: down log(1 - D), and away from being caught."
        yield _a_round(non_saturating=True, fresh=fresh), OTHER_GAME
        yield _a_round(same=True, fresh=fresh), "D sees the same notes in all its k moves: draw new ones for each."
        yield _a_round(new_notes=True, fresh=fresh), NEW_NOTES
        yield _a_round(sign=0.5, fresh=fresh), f"D {half}"
        yield _a_round(g_sign=0.5, fresh=fresh), f"G {half}"
        yield _a_round(sign=0.5, g_sign=0.5, fresh=fresh), f"D, and G too, {half}"
        yield _a_round(sign=BATCH, fresh=fresh), f"D {money}"
        yield _a_round(g_sign=BATCH, fresh=fresh), f"G {money}"
        yield _a_round(sign=BATCH, g_sign=BATCH, fresh=fresh), f"Your round {money}"
    yield _a_round(leak=True), "What G's backward leaves in D is still there when D moves: clear D's gradients."
    yield _a_round(g_first=True), "G moves before D in your round. D answers first, k times, and then G moves."


@checker(table(str, *GAMES))
def check_4(answer: dict[str, str]) -> Verdict:
    """Which of the six games drew which curve of V."""
    known = {_letters(name): name for name in NAMES}
    unknown = [name for name in answer.values() if _letters(name) not in known]
    if unknown:
        return not_yet(f"{unknown[0]!r} is no game of Section 4; they are {', '.join(NAMES)}.")
    wrong = [letter for letter, name in GAMES.items() if known[_letters(answer[letter])] != name]
    if not wrong:
        return right("A value near 0 is an officer who wins; for how long, is a matter of the forger's rate.")
    hints = {
        "A": "A stays near 0 for long: an officer who answers much faster than the forger walks.",
        "B": "B is never near 0, not even at the start: an officer who is too slow to win a single time.",
        "C": "C leaves 0 soon: an officer who is quick, and a forger who is quick as well.",
    }
    return not_yet(f"{len(wrong)} of 3 wrong. {hints[wrong[0]]}")


def _letters(name: str) -> str:
    """The letters and digits of a name: "k5_slow" and "k = 5, slow" are "k5 slow"."""
    return "".join(filter(str.isalnum, name))


@checker(float)
def check_5(answer: float) -> Verdict:
    """Period of the two-number game with rates 0.09 and 0.01: 4 pi / sqrt(0.0009) = 419 rounds."""
    truth = 4 * math.pi / 0.03
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
    equation = "θ'' = -(η_D η_G / 4) θ"
    otherwise = f"Differentiate the second equation of the pendulum once more and put the first in: {equation}."
    if pointer := fault(
        answer, truth, wrong_turns, otherwise, within=truth / 100
    ):  # measured, it is a round or two off
        return not_yet(pointer)
    return right("Only the product of the rates counts for the period. Who has which decides about the friction.")


@checker(table(float, "d_lr", "g_lr", "beta1"))
def check_6(answer: dict[str, float]) -> Verdict:
    """d_lr, g_lr and beta1 with which four games with k = 1 neither swing nor stay away in 1,200 rounds.

    The limits are those of the page and a tenth: four games do not tell a swing of 0.21 from one of 0.2.
    """
    d_lr, g_lr, beta1 = answer.values()
    if not (0 < d_lr <= 1 and 0 < g_lr <= 1 and 0 <= beta1 < 1):
        return not_yet("Rates lie above 0 (and not above 1), beta1 in [0, 1).")
    try:
        js, swing = _calm(d_lr, g_lr, beta1)
    except FloatingPointError:
        return not_yet("These games diverge: the losses became infinite. Take smaller rates.")
    found = f"In the last 400 of 1,200 rounds JS is {js:.2f} nats and the heap's mean swings by {swing:.2f}"
    if js < 0.33 and swing < 0.22:
        return right(f"{found}, in the mean of four games with k = 1.")
    if js > 0.65:
        return not_yet(f"{found}: the forger is not there yet, or has run away. How far can he walk with his rate?")
    if swing >= 0.22:
        return not_yet(f"{found}: it still swings. {_to_calm_it(d_lr, g_lr, beta1)}")
    return not_yet(f"{found}: calm, but a needle or a heap in the wrong place; JS should be below 0.3.")


def _to_calm_it(d_lr: float, g_lr: float, beta1: float) -> str:
    if d_lr < 2 * g_lr:
        return "Which of the two has to answer faster?"
    if beta1 > 0.6:
        return "D has the larger rate already, but momentum makes both answer late: try a smaller beta1."
    return "D has the larger rate already. Is it large enough, and is G's small enough?"


# --- forecasts, at their sections: said before, judged by what the page's own games did ----------------------------


def _a_forecast(value: Any) -> tuple[float, str]:
    """Farthest mean and "falls" or "rises", from {"farthest mean": …, "loss of D": …}."""
    given = table(object, "farthest mean", "loss of D").convert(value)
    way = text.convert(given["loss of D"])
    if way not in ("falls", "rises"):
        raise Found(f"under 'loss of D' stands {way!r}")
    return float(number.convert(given["farthest mean"])), way


@checker(Form('a dict {"farthest mean": a number, "loss of D": "falls" or "rises"}', _a_forecast))
def forecast_film(answer: tuple[float, str], film: dict[str, Tensor]) -> Verdict:
    """How far to the right the mean comes (to 0.25), and the way of D's loss, of a film with "mean", "V" and "js"."""
    said, way = answer
    farthest = float(film["mean"].max())
    rises = float(torch.corrcoef(torch.stack([film["V"], film["js"]]))[0, 1]) > 0
    place = f"The mean comes as far as {farthest:.2f}"
    if abs(said - farthest) > 0.25:
        why = "Nobody brakes it at 4: D still points to the right." if 3.9 <= said < farthest else f"You said {said:g}."
        return not_yet(f"{place}. {why}")
    if (way == "rises") != rises:
        goes = "rises: the better the forgeries, the more mistakes she makes" if rises else "falls"
        return not_yet(f"{place}, about as you said. But D's loss {goes}.")
    return right(f"{place}, and D's loss {way}.")


@checker(several(str, 5))
def forecast_games(answer: tuple[str, ...], final: dict[str, Tensor]) -> Verdict:
    """Five games in the order of their mean JS, the best first; final: JS of each seed by the name of the game."""
    known = {_letters(name): name for name in NAMES[:5]}
    order = [known.get(_letters(name), "") for name in answer]
    if sorted(order) != sorted(NAMES[:5]):
        return not_yet(f"Each of {', '.join(NAMES[:5])} should stand in your list once.")
    means = {name: float(final[name].mean()) for name in NAMES[:5]}
    truth = sorted(means, key=lambda name: means[name])
    told = ", ".join(f"{name} ({means[name]:.2f})" for name in truth)
    if order == truth:
        return right(f"By JS: {told}.")
    hits = sum(one == other for one, other in zip(order, truth, strict=True))
    return not_yet(f"{hits} of 5 stand at their place. By JS, best first: {told}.")


@checker(float)
def forecast_slope(answer: float, mean: Tensor, slope: Tensor) -> Verdict:
    """Sign of the slope that a heap feels as its mean passes 4 to the right; mean, slope: (seeds, marks)."""
    if answer not in (-1.0, 0.0, 1.0):
        return not_yet("Give a sign: -1, 0 or +1.")
    passes = (mean[:, :-1] < 4) & (mean[:, 1:] >= 4)
    felt = ((slope[:, :-1] + slope[:, 1:]) / 2)[passes]
    if not len(felt):
        return not_yet("In these games no heap passes 4: play more rounds.")
    share = float((felt > 0).double().mean())
    truth = 1.0 if share > 0.5 else -1.0
    told = f"Of {len(felt)} passages to the right {100 * share:.0f} % have a slope that points onwards"
    if answer == truth:
        return right(f"{told}: she has not unlearned her tilt yet.")
    return not_yet(f"{told}. The officer learned her tilt while the heap was on the left; when does she unlearn it?")


@checker(float)
def forecast_losses(answer: float, values: Tensor) -> Verdict:
    """How many games end with V within 0.02 of -log 4 (to a tenth of all); values: V of each game."""
    count, games = int(((values + math.log(4)).abs() < 0.02).sum()), len(values)
    told = f"{count} of {games} games end within 0.02 of -log 4"
    if not 0 <= answer <= games:
        return not_yet(f"There are {games} games: give a number from 0 to {games}.")
    if abs(answer - count) <= games / 10:
        return right(f"{told}.")
    return not_yet(f"{told}, the good and the hopeless alike. The figure shows both.")


# --- exercise 2: a round of the game, right and wrong -----------------------------------------------------------


class _Played(NamedTuple):
    weights: Tensor
    moved: str | None  # "D", "G", "both" or None
    left: str  # what is left frozen or in another mode


def _play(one_round: Function, k: int, far: bool = False) -> _Played:
    """Two rounds of a small game from fixed weights and fixed draws; far: in float32, and D is too sure of itself."""
    dtype = torch.float32 if far else torch.float64
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        G, D = models.mlp([1, 6, 1]).to(dtype), models.mlp([1, 6, 1], slope=0.2).to(dtype)
    if far:
        with torch.no_grad():
            list(D.parameters())[-1].fill_(200.0)
    before = [_flat(net) for net in (G, D)]
    generator, other = torch.Generator().manual_seed(5), torch.Generator().manual_seed(6)
    d_optimizer, g_optimizer = (torch.optim.SGD(net.parameters(), 0.1, momentum=0.5) for net in (D, G))

    def draw_x() -> Tensor:
        return (4 + 0.5 * torch.randn(BATCH, 1, generator=generator, dtype=torch.float64)).to(dtype)

    def draw_z() -> Tensor:
        return (2 * torch.rand(BATCH, 1, generator=other, dtype=torch.float64) - 1).to(dtype)

    left = ""
    for _ in range(2):
        if not left:
            one_round(G, D, draw_x, draw_z, d_optimizer, g_optimizer, k)
            left = unplayable(G=G, D=D)
    after = [_flat(net) for net in (G, D)]
    g_moved, d_moved = (not torch.equal(a, b) for a, b in zip(before, after, strict=True))
    moved = "both" if g_moved and d_moved else "G" if g_moved else "D" if d_moved else None
    return _Played(torch.cat(after), moved, left)


def _same(one: _Played, other: _Played) -> bool:
    rtol, atol = (1e-5, 1e-10) if one.weights.dtype == torch.float64 else (1e-3, 1e-4)
    return torch.allclose(one.weights, other.weights, rtol, atol)


def _flat(net: nn.Module) -> Tensor:
    return torch.cat([weight.detach().flatten() for weight in net.parameters()])


def _a_round(
    *,
    d_moves: int | None = None,
    g_moves: int = 1,
    sign: float = 1,
    g_sign: float = 1,
    clear: bool = True,
    g_clear: bool = True,
    g_first: bool = False,
    non_saturating: bool = False,
    fresh: bool = False,
    same: bool = False,
    leak: bool = False,
    new_notes: bool = False,
) -> Function:
    """A round as the exercise wants it, or with one of the usual faults; sign, g_sign: factors on what moves D, G."""

    def one_round(
        G: nn.Module, D: nn.Module, draw_x: Function, draw_z: Function, d_optimizer: Any, g_optimizer: Any, k: int
    ) -> None:
        notes, forged = None, None
        if g_first:
            g_optimizer.zero_grad()
            F.logsigmoid(-D(G(draw_z()))).mean().backward()
            g_optimizer.step()
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
        for move in range(0 if g_first else g_moves):
            if new_notes:
                draw_x()  # log D of real notes has no gradient in G; only the stream of draws moves on
            if fresh or move > 0:
                forged = G(draw_z())
            assert forged is not None
            a = D(forged)
            loss = -F.logsigmoid(a).mean() if non_saturating else g_sign * F.logsigmoid(-a).mean()
            if clear and g_clear:
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
            torch.optim.Adam(net.parameters(), lr, betas=(beta1, 0.999), fused=True)
            for net, lr in ((G, g_lr), (D, d_lr))
        )
        prior = ensemble.shared_prior(noise.uniform(1), seeds)
        batches = ensemble.shared_points(real.sample, 64, seeds, torch.Generator().manual_seed(0))
        distances, means = [], []
        for step in train(
            GAN(G, D, prior),
            batches,
            rounds,
            objective=ensemble.over_seeds(losses.minimax, seeds),
            g_optimizer=g_optimizer,
            d_optimizer=d_optimizer,
        ):
            if step.number > 2 * rounds // 3 and step.number % max(1, rounds // 60) == 0:
                q = theory.push_forward(
                    lambda z: ensemble.on_line(G, z[:, 0], seeds), edges, theory.uniform_cdf, (-1, 1), 300
                )
                distances.append(theory.js_within(p, q, x))
                means.append(theory.integrate(q * x, x))
    return float(torch.stack(distances).mean()), float(torch.stack(means).std(0).mean())


def _team(names: range, sizes: tuple[int, ...]) -> ensemble.Stacked:
    networks = []
    for name in names:
        torch.manual_seed(name)
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(sizes):
            layers += [nn.Linear(inputs, outputs), nn.Tanh()]
        networks.append(nn.Sequential(*layers[:-1]))
    return ensemble.stack(networks)
