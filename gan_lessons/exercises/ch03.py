"""Checkers of chapter 03, The minimax game. Each compares an answer with the truth, then with the usual wrong turns."""

import math
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gan_lessons import theory
from gan_lessons.exercises import Verdict, checker, not_yet, right
from gan_lessons.exercises.forms import Unfit, any_number, several, tensor
from gan_lessons.exercises.rounding import fault, rounded
from gan_lessons.exercises.traces import changes
from gan_lessons.exercises.trials import agrees, misses, told

Function = Callable[..., Any]
LOG2 = math.log(2)


@checker(float)
def check_1(answer: float) -> Verdict:
    """JS in nats behind real_loss + fake_loss = 1.10 of a discriminator at its best: (V + log 4) / 2 with V = -1.10."""
    truth, mean_fine = (2 * LOG2 - 1.10) / 2, "It is real_loss + fake_loss, the mean fine twice; see section 1."
    turns = [
        (2 * truth, "This is 2 JS: the value is -log 4 + 2 JS, and one factor 2 is still in your answer."),
        (LOG2 - 1.10, f"You took 1.10 for the mean fine L. {mean_fine}"),
        (1.10 - LOG2, f"You took 1.10 for the mean fine L. {mean_fine}"),
        (truth / LOG2, "This is right in bits. The question asks for nats."),
        (-truth, "Look at the sign: the loss is minus V, and JS is never negative."),
        ((2 * LOG2 + 1.10) / 2, "Look at the sign of V: the loss is minus V. (And JS is never above log 2.)"),
    ]
    otherwise = (
        "First turn the printed loss into V (section 1), then V at its best into JS (the last step of section 4)."
    )
    if pointer := fault(answer, truth, turns, otherwise):
        return not_yet(pointer)
    return right("V = -1.10, so JS = (log 4 - 1.10) / 2 = 0.143 nats, a fifth of a bit.")


@checker(callable)
def check_2(best_D: Function) -> Verdict:
    """The best discriminator for any share of real notes: prior p / (prior p + (1 - prior) q)."""
    for (p, q, prior), given, truth in misses(best_D, _best_D, _densities()):
        wrong_turns = [
            (
                _best_D(p, q, 0.5),
                f"This is the answer for a share of one half; with prior = {prior} it does not change.",
            ),
            (
                _best_D(p, q, 1 - prior),
                "The weights sit at the wrong densities: the prior is the share of the *real* notes, p.",
            ),
            (
                prior * p / (p + q),
                "The prior belongs into the denominator too: it is the density of all notes, with their shares.",
            ),
            (1 - truth, "This is the probability that the note is forged."),
            (
                p.log() - q.log() + math.log(prior / (1 - prior)),
                "That is the logit of the answer. Pass it through the sigmoid.",
            ),
        ]
        if given.squeeze().shape != truth.squeeze().shape:
            return not_yet(f"{told((p, q, prior), given, truth)} One answer for each place.")
        if float(p.max()) < 1e-6:
            far = "Right for ordinary densities, but not far out, where both are tiny."
            return not_yet(f"{far} {told((p, q, prior), given, truth)} Is a small number added in the denominator?")
        return _first_match(given, wrong_turns) or not_yet(
            f"{told((p, q, prior), given, truth)} "
            "Write the mean fine with the weights prior and 1 - prior, and maximise point by point (section 3)."
        )
    return right("Its logit is log p - log q + log(prior / (1 - prior)): the prior only shifts it by a constant.")


def _densities() -> Iterator[tuple[Tensor, Tensor, float]]:
    """(p, q, prior): of several shapes, with places that only one of the two prints, and places far out."""
    p, q = _tensor(0.4, 0.1, 0.05, 0.0, 0.3, 7.0), _tensor(0.1, 0.1, 0.4, 0.2, 0.0, 0.01)
    for dtype in (torch.float64, torch.float32):
        for prior in (0.75, 0.2, 0.5, 0.999):
            yield p.to(dtype), q.to(dtype), prior
        yield p.to(dtype).reshape(3, 2), q.to(dtype).reshape(3, 2), 0.75
        yield p[:1].to(dtype), q[:1].to(dtype), 0.3
        yield _tensor(1e-12, 2e-20).to(dtype), _tensor(3e-12, 1e-20).to(dtype), 0.75


def _best_D(p: Tensor, q: Tensor, prior: float) -> Tensor:
    return prior * p / (prior * p + (1 - prior) * q)


@checker(callable)
def check_3(best_value: Function) -> Verdict:
    """max_D V for two distributions on finitely many kinds of notes, zeros allowed: -log 4 + 2 JS."""
    for name, pair in _drawers():
        for dtype in (torch.float64, torch.float32):
            case = [tuple(one.to(dtype) for one in pair)]
            for (p, q), given, truth in misses(best_value, _best_value, case):
                return not_yet(_of_the_value(name, p, q, given, float(truth)))
    return right("From -log 4 for equals up to 0 for those who share nothing.")


def _drawers() -> Iterator[tuple[str, tuple[Tensor, Tensor]]]:
    yield "two different ones", (_tensor(0.7, 0.2, 0.1), _tensor(0.1, 0.3, 0.6))
    yield "p = q", (_tensor(0.5, 0.3, 0.2), _tensor(0.5, 0.3, 0.2))
    yield "nothing in common", (_tensor(0.4, 0.6, 0.0, 0.0), _tensor(0.0, 0.0, 0.5, 0.5))
    yield "a kind that nobody makes", (_tensor(0.4, 0.6, 0.0), _tensor(0.9, 0.1, 0.0))
    yield "a single kind", (_tensor(1.0), _tensor(1.0))
    shares, zeros = torch.full((10_000,), 1e-4, dtype=torch.float64), torch.zeros(10_000, dtype=torch.float64)
    yield "20,000 kinds, none of them in common", (torch.cat([shares, zeros]), torch.cat([zeros, shares]))


def _best_value(p: Tensor, q: Tensor) -> Tensor:
    return 2 * theory.js(p, q) - 2 * LOG2


def _of_the_value(name: str, p: Tensor, q: Tensor, given: Tensor, truth: float) -> str:
    """The pointer for a wrong value of the game."""
    if given.numel() != 1:
        return f"The value is one number, but yours holds {given.numel()}: take the sum over the kinds."
    if bool(given.isnan()):
        return f"For {name} it is nan: 0 log 0 should count as 0. torch.xlogy does that."
    js = truth / 2 + LOG2
    for wrong, words in (
        (js, "This is JS itself. The value is -log 4 + 2 JS."),
        (2 * js, "This is 2 JS; the -log 4 is missing."),
        (js - LOG2, "This is half the value: minus the mean fine. V has dropped its halves (section 1)."),
        (-truth, "This is real_loss + fake_loss at its best. V is won, not paid."),
        (truth / len(p), "That is a mean over the kinds. The weights p and q make it a mean already: take the sum."),
        (truth / LOG2, "That is in bits. The value is wanted in nats."),
    ):
        if agrees(given, _tensor(wrong), p.dtype):
            return f"{words} (Tried on: {name}.)"
    if len(p) > 1000:
        return (
            f"Right for few kinds. For {name}, each with a small probability, yours gives {float(given):.3g}, and it "
            "should be 0. Is a small number added in a quotient or a logarithm? Do without: torch.xlogy."
        )
    return f"For {name} the value is {truth:.4f}, yours {float(given):.4f}. Put D* into V."


@checker(callable)
def check_4(weights: Function) -> Verdict:
    """The weights of a forged note with logit a: sigma(a) saturating, sigma(-a) non-saturating, exact in float32."""
    for a in _forged():
        one, two = _two_weights(weights, a)
        truth = torch.sigmoid(a), torch.sigmoid(-a)
        if not one.shape == two.shape == a.shape:
            return not_yet(
                f"For logits of shape {tuple(a.shape)} the two weights have the shapes {tuple(one.shape)} and "
                f"{tuple(two.shape)}: give one weight for each note."
            )
        if pointer := _of_the_weights(one, two, a):
            return not_yet(pointer)
        for name, mine, exact in (("saturating", one, truth[0]), ("non-saturating", two, truth[1])):
            if not torch.allclose(mine, exact.double(), rtol=1e-3, atol=0):
                return not_yet(
                    f"The {name} weight is rounded away where |a| = 40: 1 - sigmoid(40) is 0 in float32. "
                    "Use 1 - sigma(a) = sigma(-a)."
                )
    return right("They add up to 1 and their ratio is exp(-a): at a = -40 one of them is 4e-18.")


def _forged() -> Iterator[Tensor]:
    """Logits of several shapes, first ordinary ones, then ones where 1 - sigma(a) loses its digits."""
    ordinary = torch.tensor([-3.0, 0.0, 2.0, 1.0, -0.5, 4.0])
    for dtype in (torch.float32, torch.float64):
        for shape in ((6,), (6, 1), (2, 3), (1, 3, 2)):
            yield ordinary.to(dtype).reshape(shape)
        yield ordinary[:1].to(dtype)
        yield ordinary[2].to(dtype)  # of no axis
    for dtype in (torch.float32, torch.float64):
        yield torch.tensor([-40.0, -20.0, 0.0, 20.0, 40.0], dtype=dtype)


def _two_weights(weights: Function, a: Tensor) -> tuple[Tensor, Tensor]:
    given = a.clone()
    with changes(a=given) as changed:
        result = weights(given)
    if changed:
        raise Unfit(f"may be right, but {changed[0]}")
    if not isinstance(result, (tuple, list, Tensor, np.ndarray)) or len(result) != 2:
        raise Unfit("should be two tensors, (saturating, non_saturating).")
    return tensor(result[0]), tensor(result[1])


def _of_the_weights(one: Tensor, two: Tensor, a: Tensor) -> str:
    """The pointer for wrong weights, as far as four digits after the point show it; "" where they are right so far."""

    def are(first: Tensor, second: Tensor) -> bool:
        return agrees(one, first, torch.float32) and agrees(two, second, torch.float32)

    D, not_D = torch.sigmoid(a), torch.sigmoid(-a)
    if are(D, not_D):
        return ""
    if are(not_D, D):
        return "The two are swapped: which forger listens to the notes that are caught (a far below 0)?"
    if are(-D, -not_D):
        return "These are the slopes of the losses. The weight is the strength of the pull upwards: minus that."
    if are(D / a.numel(), not_D / a.numel()) or are(-D / a.numel(), -not_D / a.numel()):
        return "These are the weights in a mean over the batch. The weight of each note is asked for, without the mean."
    return "Differentiate both losses by the logit (section 7), at a = -3, 0 and 2, and look at the size."


@checker(several(any_number, 3))
def check_5(answer: tuple[float, float, float]) -> Verdict:
    """(D, V, JS) for N(1, 1) against N(-1, 1) and an officer who sees only |x|: one half, -log 4, and the true JS."""
    D, V, js = answer
    truth = _js_of_bells(1.0, -1.0)
    if pointer := fault(D, 0.5, (), "Which density has |x| under p, and which under q?"):
        return not_yet(f"Look at D: {pointer}")
    values = [
        (2 * LOG2, "look at the sign. V is won, and no logarithm of a probability is above 0."),
        (2 * truth - 2 * LOG2, "that is the value of an officer who sees x. This one sees |x| only."),
    ]
    into = "now put it into V: E_p log D + E_q log(1 - D), in nats, without halves."
    if pointer := fault(V, -2 * LOG2, values, into):
        return not_yet(f"D is right. V: {pointer}")
    divergences = [
        (0.0, "that is what she can see of it. But the JS is that of p and q themselves, for eyes that see x."),
        (2 * truth, "that is twice the JS."),
        (truth / LOG2, "that is in bits. It is wanted in nats."),
    ]
    if pointer := fault(js, truth, divergences, "integrate on the grid x: theory.js_quadrature(p, q, x)."):
        return not_yet(f"D and V are right. JS: {pointer}")
    return right(f"She is at her best and says one half, while JS = {truth:.3f} nats.")


@checker(callable)
def check_6(closest: Function) -> Verdict:
    """Mean and std of the normal density that is closest to p, for three distances; for JS p is seen in a mirror."""
    x = torch.linspace(-10, 10, 801, dtype=torch.float64)
    p = 0.6 * _normal(x, -2.0, 0.5) + 0.4 * _normal(x, 1.5, 0.7)
    for name, real, distance, known in (
        ("KL(p‖q)", p, lambda p, q: theory.kl_quadrature(p, q, x), (-0.6, 1.813)),
        ("JS(p, q) and p in a mirror", p.flip(0), lambda p, q: theory.js_quadrature(p, q, x), (0.52, 1.8)),
        ("2 KL(m‖p)", p, lambda p, q: 2 * theory.kl_quadrature((p + q) / 2, p, x), (-2.0, 0.5)),
    ):
        mean, std = _closest(closest, distance, real, x)
        if not std > 0:
            return not_yet(f"For {name} the std came out as {std:g}; it must be above 0.")
        mine, best = (float(distance(real, _normal(x, *one))) for one in ((mean, std), known))
        if not mine <= best + 3e-3:
            return not_yet(
                f"For {name} you found mean {mean:.2f}, std {std:.2f}, at a distance of {mine:.4f}; there is one at "
                f"{best:.4f}. Search more widely, with the distance and the p that are given: there may be several "
                "valleys."
            )
    return right("Two of the three prefer one broad heap over both humps; the third sits down on one hump.")


def _closest(closest: Function, distance: Function, p: Tensor, x: Tensor) -> tuple[float, float]:
    """What a learner's search finds. Its distance takes arrays as well as tensors."""

    def forgiving(*densities: Any) -> Tensor:
        return distance(*(torch.as_tensor(one) for one in densities))

    given = p.clone(), x.clone()
    with changes(p=given[0], x=given[1]) as changed:
        result = closest(forgiving, *given)
    if changed:
        raise Unfit(f"may be right, but {changed[0]}")
    mean, std = several(any_number, 2)(result)
    return mean, std


# --- forecasts, at their sections: said before, judged by what the page's own runs did -----------------------------


@checker(float)
def forecast_place(answer: float, places: Tensor, score: Tensor) -> Verdict:
    """Of the places -4, 0, 2 and 4, the one where a forger has the lowest score against one officer for good."""
    choices = {place: float(score[(places - place).abs().argmin()]) for place in (-4.0, 0.0, 2.0, 4.0)}
    best = min(choices, key=lambda place: choices[place])
    told = ", ".join(f"{value:.2f} at {place:g}" for place, value in choices.items())
    if answer == best:
        return right(f"V is {told}. He runs away from her suspicion, and no real note holds him.")
    if answer not in choices:
        return not_yet("Choose one of -4, 0, 2 and 4.")
    why = " Real notes lie there, and he does not care: only his own notes enter his part of V." if answer == 0 else ""
    return not_yet(f"V is {told}.{why}")


@checker(several(str, 3))
def forecast_order(answer: tuple[str, ...], js: dict[str, float]) -> Verdict:
    """The three forgers in the order of their JS, the smallest first."""
    return _in_order(answer, js, "JS minds most where there is no overlap at all: Half never makes the second kind.")


@checker(several(str, 3))
def forecast_second_order(answer: tuple[str, ...], distances: dict[str, float]) -> Verdict:
    """The three forgers in the order of their 2 KL(m||p), the smallest first."""
    reason = "It minds notes where no real ones are, which Blurry prints, and hardly those that Half leaves out."
    return _in_order(answer, distances, reason)


def _in_order(answer: tuple[str, ...], distances: dict[str, float], reason: str) -> Verdict:
    truth = sorted(distances, key=lambda name: distances[name])
    order = [next((name for name in distances if name.casefold() == one), "") for one in answer]
    told = ", ".join(f"{name} ({distances[name]:.3f})" for name in truth)
    if sorted(order) != sorted(distances):
        return not_yet(f"Each of {', '.join(sorted(distances))} should stand in your list once.")
    if order == truth:
        return right(f"{told}.")
    return not_yet(f"The order is {told}. {reason}")


@checker(several(int, 2))
def forecast_forged(answer: tuple[int, int]) -> Verdict:
    """Forged notes of one round with k = 5 and batches of 64: 5 * 64 by hand, and 64 new ones for G in the paper's."""
    hand, paper = answer
    if hand != 5 * 64:
        turns = {64: "Each of D's five moves draws new ones.", 6 * 64: "G moves on those that D saw last."}
        return not_yet(f"By hand: {turns.get(hand, 'count the calls of draw_z, and what each of them draws.')}")
    if paper != 6 * 64:
        turns = {5 * 64: "Step 2 draws new z for G.", 5 * 128: "G moves once, not k times."}
        return not_yet(f"The first is right. The paper's: {turns.get(paper, 'step 2 draws z once more.')}")
    return right("Five batches, and in the paper's version a sixth one for G.")


@checker(float)
def forecast_stuck(answer: float, ends: Tensor) -> Verdict:
    """Mean place of the notes of a forger who trained against one officer for good (to 0.2)."""
    mean, spread = float(ends.mean()), float(ends.std())
    told = f"The notes lie at {mean:.2f} on average, with a standard deviation of {spread:.2f}"
    if abs(answer - mean) <= 0.2:
        return right(f"{told}.")
    return not_yet(f"{told}. What is the lowest value that a mean of log(1 - D) can have?")


@checker(float)
def forecast_line(answer: float, js: Tensor) -> Verdict:
    """JS at the end of the game against a straight line (to 0.1 nats); js: of each seed."""
    mean = float(js.mean())
    if rounded(answer, mean) or abs(answer - mean) <= 0.1:
        return right(f"{mean:.2f} nats on average, of log 2 = {LOG2:.2f} at most.")
    if not 0 <= answer <= LOG2 + 0.005:
        return not_yet(f"JS lies between 0 and log 2 = {LOG2:.2f}. Here it is {mean:.2f}.")
    return not_yet(f"It is {mean:.2f} nats on average. Line minds the mean of the notes, and nothing else.")


def _first_match(given: Tensor, wrong_turns: list[tuple[Tensor, str]]) -> Verdict | None:
    """The pointer of the first wrong turn that leads to what a learner's function returned."""
    return next((not_yet(pointer) for value, pointer in wrong_turns if agrees(given, value, torch.float32)), None)


def _tensor(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def _normal(x: Tensor, mean: float, std: float) -> Tensor:
    return torch.exp(-0.5 * ((x - mean) / std) ** 2) / (std * math.sqrt(2 * math.pi))


@cache
def _js_of_bells(mean_p: float, mean_q: float) -> float:
    x = torch.linspace(-12, 12, 4801, dtype=torch.float64)
    return float(theory.js_quadrature(_normal(x, mean_p, 1.0), _normal(x, mean_q, 1.0), x))
