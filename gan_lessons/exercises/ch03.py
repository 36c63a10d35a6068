"""Checkers of chapter 03, The minimax game. Each compares an answer with the truth, then with the usual wrong turns."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gan_lessons import theory
from gan_lessons.exercises import Verdict, checker, close, not_yet, right, roughly

Function = Callable[..., Any]
Distance = Callable[[Tensor, Tensor], Tensor]
LOG2 = math.log(2)


@checker(float)
def check_1(answer: float) -> Verdict:
    """JS in nats behind real_loss + fake_loss = 1.10 of a discriminator at its best: (V + log 4) / 2 with V = -1.10."""
    answer, truth = float(answer), (2 * LOG2 - 1.10) / 2
    if close(answer, truth, 5e-4):
        return right("V = -1.10, so JS = (log 4 - 1.10) / 2 = 0.143 nats, a fifth of a bit.")
    if close(answer, 2 * truth, 5e-4):
        return not_yet("This is 2 JS: the value is -log 4 + 2 JS, and one factor 2 is still in your answer.")
    if close(answer, LOG2 - 1.10, 5e-4) or close(answer, 1.10 - LOG2, 5e-4):
        return not_yet(
            "You took 1.10 for the mean fine L. It is real_loss + fake_loss, the mean fine twice; see section 1."
        )
    if close(answer, truth / LOG2, 5e-4):
        return not_yet("This is right in bits. The question asks for nats.")
    if close(answer, -truth, 5e-4):
        return not_yet("Look at the sign: the loss is minus V, and JS is never negative.")
    if roughly(answer, truth):
        return not_yet("Within 3 % of it. Give three digits.")
    return not_yet(
        "First turn the printed loss into V (section 1), then V at its best into JS (the last step of section 4)."
    )


@checker(callable)
def check_2(best_D: Function) -> Verdict:
    """The best discriminator for any share of real notes: prior p / (prior p + (1 - prior) q)."""
    p, q = _tensor(0.4, 0.1, 0.05, 0.0), _tensor(0.1, 0.1, 0.4, 0.2)
    for prior in (0.75, 0.2, 0.5):
        found = best_D(p, q, prior)
        if close(found, prior * p / (prior * p + (1 - prior) * q), 1e-5):
            continue
        if close(found, p / (p + q), 1e-5):
            return not_yet(f"This is the answer for a share of one half; with prior = {prior} it does not change.")
        if close(found, (1 - prior) * p / ((1 - prior) * p + prior * q), 1e-5):
            return not_yet("The weights sit at the wrong densities: the prior is the share of the *real* notes, p.")
        if close(found, prior * p / (p + q), 1e-5):
            return not_yet(
                "The prior belongs into the denominator too: it is the density of all notes, with their shares."
            )
        if close(found, 1 - prior * p / (prior * p + (1 - prior) * q), 1e-5):
            return not_yet("This is the probability that the note is forged.")
        return not_yet(
            "Write the mean fine with the weights prior and 1 - prior, and maximise point by point (section 3)."
        )
    return right("Its logit is log p - log q + log(prior / (1 - prior)): the prior only shifts it by a constant.")


@checker(callable)
def check_3(best_value: Function) -> Verdict:
    """max_D V for two distributions on finitely many kinds of notes, zeros allowed: -log 4 + 2 JS."""
    cases = {
        "two different ones": (_tensor(0.7, 0.2, 0.1), _tensor(0.1, 0.3, 0.6)),
        "p = q": (_tensor(0.5, 0.3, 0.2), _tensor(0.5, 0.3, 0.2)),
        "nothing in common": (_tensor(0.4, 0.6, 0.0, 0.0), _tensor(0.0, 0.0, 0.5, 0.5)),
        "a kind that nobody makes": (_tensor(0.4, 0.6, 0.0), _tensor(0.9, 0.1, 0.0)),
    }
    for name, (p, q) in cases.items():
        js = float(theory.js(p, q))
        found = best_value(p, q)
        if close(found, 2 * js - 2 * LOG2, 1e-6):
            continue
        if bool(torch.as_tensor(found).isnan().any()):
            return not_yet(f"For {name} it is nan: 0 log 0 should count as 0. torch.xlogy does that.")
        for wrong, words in (
            (js, "This is JS itself. The value is -log 4 + 2 JS."),
            (2 * js, "This is 2 JS; the -log 4 is missing."),
            (js - LOG2, "This is half the value: minus the mean fine. V has dropped its halves (section 1)."),
            (2 * LOG2 - 2 * js, "This is real_loss + fake_loss at its best. V is won, not paid."),
        ):
            if close(found, wrong, 1e-6):
                return not_yet(f"{words} (Tried on: {name}.)")
        return not_yet(f"For {name} the value is {2 * js - 2 * LOG2:.4f}, yours {float(found):.4f}. Put D* into V.")
    return right("From -log 4 for equals up to 0 for those who share nothing.")


@checker(callable)
def check_4(weights: Function) -> Verdict:
    """The weights of a forged note with logit a: sigma(a) saturating, sigma(-a) non-saturating, exact in float32."""
    a = torch.tensor([-40.0, -3.0, 0.0, 2.0, 40.0])
    truth = torch.sigmoid(a), torch.sigmoid(-a)
    found = weights(a)
    if len(found) != 2:
        return not_yet("Return two tensors: (saturating, non_saturating).")
    one, two = (torch.as_tensor(part) for part in found)
    moderate = slice(1, 4)
    if close(one[moderate], truth[1][moderate], 1e-5) and close(two[moderate], truth[0][moderate], 1e-5):
        return not_yet("The two are swapped: which forger listens to the notes that are caught (a far below 0)?")
    if close(one[moderate], -truth[0][moderate], 1e-5):
        return not_yet(
            "These are the slopes of the losses. The weight is the strength of the pull upwards: minus that."
        )
    if not (close(one[moderate], truth[0][moderate], 1e-5) and close(two[moderate], truth[1][moderate], 1e-5)):
        return not_yet("Differentiate both losses by the logit (section 9), at a = -3, 0 and 2, and look at the size.")
    for name, mine, exact in (("saturating", one, truth[0]), ("non-saturating", two, truth[1])):
        if not torch.allclose(mine.double(), exact.double(), rtol=1e-3, atol=0):
            return not_yet(
                f"The {name} weight is rounded away where |a| = 40: 1 - sigmoid(40) is 0 in float32. "
                "Use 1 - sigma(a) = sigma(-a)."
            )
    return right("They add up to 1 and their ratio is exp(-a): at a = -40 one of them is 4e-18.")


@checker((list, tuple))
def check_5(answer: Any) -> Verdict:
    """(D, V, JS) for N(1, 1) against N(-1, 1) and an officer who sees only |x|: one half, -log 4, and the true JS."""
    if len(answer) != 3:
        return not_yet("Answer as (D, V, JS), three numbers.")
    D, V, found = (float(part) for part in answer)
    truth = _js_of_bells(1.0, -1.0)
    if not close(D, 0.5, 1e-3):
        return not_yet("Look at D: which density has |x| under p, and which under q?")
    if not close(V, -2 * LOG2, 1e-3):
        return not_yet("D is right. Now put it into V: E_p log D + E_q log(1 - D), in nats, without halves.")
    if close(found, 0.0, 1e-3):
        return not_yet("D and V are right. But the JS is that of p and q themselves, for eyes that see x.")
    if close(found, 2 * truth, 2e-3):
        return not_yet("D and V are right. The last number is twice the JS.")
    if not close(found, truth, 2e-3):
        if roughly(found, truth):
            return not_yet("D and V are right, and JS is within 3 % of it. Give three digits.")
        return not_yet("D and V are right. For JS integrate on the grid x: theory.js_quadrature(p, q, x).")
    return right(f"He is at his best and says one half, while JS = {truth:.3f} nats.")


@checker(callable)
def check_6(closest: Function) -> Verdict:
    """Mean and std of the normal density that is closest to p, for three distances."""
    x = torch.linspace(-10, 10, 801, dtype=torch.float64)
    p = 0.6 * _normal(x, -2.0, 0.5) + 0.4 * _normal(x, 1.5, 0.7)
    distances: dict[str, tuple[Distance, tuple[float, float]]] = {
        "KL(p‖q)": (lambda p, q: theory.kl_quadrature(p, q, x), (-0.6, 1.813)),
        "JS(p, q)": (lambda p, q: theory.js_quadrature(p, q, x), (-0.52, 1.8)),
        "2 KL(m‖p)": (lambda p, q: 2 * theory.kl_quadrature((p + q) / 2, p, x), (-2.0, 0.5)),
    }
    for name, (distance, known) in distances.items():
        mean, std = (float(part) for part in closest(distance, p, x))
        if not std > 0:
            return not_yet(f"For {name} the std came out as {std:g}; it must be above 0.")
        mine, best = float(distance(p, _normal(x, mean, std))), float(distance(p, _normal(x, *known)))
        if mine > best + 3e-3:
            return not_yet(
                f"For {name} you found mean {mean:.2f}, std {std:.2f}, at a distance of {mine:.4f}; there is one at "
                f"{best:.4f}. Search more widely: there may be several valleys."
            )
    return right("Two of the three prefer one broad heap over both humps; the third sits down on one hump.")


def _tensor(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def _normal(x: Tensor, mean: float, std: float) -> Tensor:
    return torch.exp(-0.5 * ((x - mean) / std) ** 2) / (std * math.sqrt(2 * math.pi))


def _js_of_bells(mean_p: float, mean_q: float) -> float:
    x = torch.linspace(-12, 12, 4801, dtype=torch.float64)
    return float(theory.js_quadrature(_normal(x, mean_p, 1.0), _normal(x, mean_q, 1.0), x))
