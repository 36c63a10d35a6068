"""Checkers of chapter 12, Label smoothing. Each compares an answer with the truth, then with the usual wrong turns."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gan_lessons.exercises import Verdict, checker, close, not_yet, right
from gan_lessons.losses import bce

Function = Callable[..., Any]
LOG2 = math.log(2)


@checker((tuple, list))
def check_1(answer: tuple[Any, ...]) -> Verdict:
    """(victory, alike): H(.9) + H(.1) and 2 log 2."""
    if len(answer) != 2:
        return not_yet(f"Give two numbers, (victory, alike), not {len(answer)}.")
    victory, alike = (_number(part) for part in answer)
    lowest = 2 * _coin(0.9)
    if not close(victory, lowest, 2e-3):
        wrong_turns = [
            (0.0, "victory: a soft label is never free. On a real note the best forecast is 0.9, and it costs H(0.9)."),
            (lowest / 2, "victory: that is one of the two parts, or their mean. The program prints their sum."),
            (-2 * math.log(0.9), "victory: a note with the label 0.9 costs 0.9 (-log D) and 0.1 (-log(1 - D))."),
            (2 * LOG2, "victory: that is the other end, where he cannot tell at all."),
            (lowest / LOG2, "victory: that is in bits. For nats take the natural logarithm."),
        ]
        return _first_match(victory, wrong_turns) or not_yet(
            "victory: H(alpha) + H(beta), as real and forged are apart."
        )
    if not close(alike, 2 * LOG2, 2e-3):
        wrong_turns = [
            (LOG2, "alike: that is the mean of the two parts. The program prints their sum."),
            (
                2 * _coin(0.45),
                "alike: that is for one-sided smoothing, where D says 0.45. Here it says (0.9 + 0.1) / 2.",
            ),
            (2.0, "alike: that is in bits. For nats take the natural logarithm."),
        ]
        return _first_match(alike, wrong_turns) or not_yet("alike: 2 H((alpha + beta) / 2).")
    return right("0.650 to 1.386. With hard labels the same fight runs from 0 to 1.386.")


@checker(callable)
def check_2(best_logit: Function) -> Verdict:
    """best_logit(log_p, log_q, alpha, beta): logit of (alpha p + beta q) / (p + q), from logarithms."""
    log_p = torch.tensor([-1.0, -3.0, -0.5, -9.0], dtype=torch.float64)
    log_q = torch.tensor([-2.0, -0.5, -0.5, -1.0], dtype=torch.float64)
    for alpha, beta in ((0.8, 0.3), (0.9, 0.1)):
        given, truth = best_logit(log_p.clone(), log_q.clone(), alpha, beta), _best(log_p, log_q, alpha, beta)
        if _size(given) != truth.numel():
            return not_yet(
                f"For {truth.numel()} places there are {truth.numel()} logits, but yours has {_size(given)}."
            )
        if close(given, truth):
            continue
        wrong_turns = [
            (log_p - log_q, "That is the best officer with hard labels. Where do alpha and beta come in?"),
            (truth.sigmoid(), "That is D*. The question asks for its logit, log(D / (1 - D))."),
            (-truth, "Right but for the sign: u over v, since D* is the probability of the label real."),
            (_best(log_p, log_q, beta, alpha), "alpha belongs to the real notes, p, and beta to the forged ones."),
            (truth.sigmoid().log(), "That is the logarithm of D*. The logit is log D* - log(1 - D*)."),
            (
                math.log(alpha) + log_p - math.log(1 - beta) - log_q,
                "u = alpha p + beta q has two terms, and so has v: also a real note may be called forged.",
            ),
        ]
        return _first_match(given, wrong_turns) or not_yet(
            "Try p = q with alpha = 0.9 and beta = 0.1: D* is 1/2 and its logit 0. With beta = 0.3 and alpha = 0.8, "
            "D* = 0.55 and its logit is 0.2007."
        )
    far_p, far_q = (torch.tensor([value], dtype=torch.float64) for value in (-2000.0, -2001.0))
    if not close(best_logit(far_p, far_q, 0.9, 0.1), _best(far_p, far_q, 0.9, 0.1)):
        return not_yet(
            f"Right for ordinary densities. For log p = -2000 and log q = -2001 it should be "
            f"{float(_best(far_p, far_q, 0.9, 0.1)):.3f}, and yours gives "
            f"{_number(best_logit(far_p, far_q, 0.9, 0.1)):.3g}: exp(-2000) is 0. Use torch.logaddexp."
        )
    return right("It lies between log(beta / (1 - beta)) and log(alpha / (1 - alpha)), wherever you ask.")


@checker(callable)
def check_3(floor: Function) -> Verdict:
    """floor(p, q, alpha, beta): sum of (p + q) H(D*), for 1-D probabilities that may hold zeros."""
    worlds = [
        ([0.5, 0.3, 0.2], [0.2, 0.2, 0.6], 0.9, 0.1),
        ([0.25] * 4, [0.25] * 4, 0.9, 0.0),
        ([0.7, 0.3], [0.1, 0.9], 0.8, 0.3),
    ]
    for first, second, alpha, beta in worlds:
        p, q = (torch.tensor(part, dtype=torch.float64) for part in (first, second))
        given, truth = floor(p.clone(), q.clone(), alpha, beta), _floor(p, q, alpha, beta)
        if _size(given) != 1:
            return not_yet(f"The floor is one number, but yours holds {_size(given)}: add over the notes.")
        if close(given, truth, 5e-4):
            continue
        wrong_turns = [
            (truth / 2, "That is the mean of the two parts. The question asks for their sum: weigh by p + q."),
            (_floor(p, q, 1.0, 0.0), "That is the floor with hard labels. The forecast is D* with alpha and beta."),
            (_floor(p, q, beta, alpha), "alpha belongs to the real notes, p, and beta to the forged ones."),
            (truth / LOG2, "That is in bits. For nats take the natural logarithm."),
            (-truth, "Right but for the sign: a fine is positive."),
            (
                _hard_bill(p, q, alpha, beta),
                "That is what D* would pay with hard labels. A real note costs H(alpha, D*), both terms of it.",
            ),
        ]
        return _first_match(given, wrong_turns) or not_yet(
            f"Try p = q with alpha = 0.9 and beta = 0: it should be 2 H(0.45) = 1.3763. On one of the checker's worlds "
            f"yours gives {_number(given):.4f}, and it should be {float(truth):.4f}."
        )
    p, q = (torch.tensor(part, dtype=torch.float64) for part in ([0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]))
    for alpha, beta in ((1.0, 0.0), (0.9, 0.0)):
        number, due = _number(floor(p.clone(), q.clone(), alpha, beta)), float(_floor(p, q, alpha, beta))
        if not close(number, due, 5e-4):
            return not_yet(
                f"Right where all probabilities are positive. For p = (.5, .5, 0, 0), q = (0, 0, 1, 0) and alpha = "
                f"{alpha:g} it should be {due:.3f}, and yours gives {number:.3g}: 0 log 0 = 0, and a note that is "
                "never seen costs nothing. torch.xlogy knows the former; avoid 0 / 0 for the latter."
            )
    return right("Between the two ends there is one number for each world, and each pair of targets has its own scale.")


@checker(callable)
def check_4(one_sided: Function) -> Verdict:
    """one_sided(real, fake, alpha): BCE(real, alpha) + BCE(fake, 0), on logits, in log space."""
    generator = torch.Generator().manual_seed(4)
    for n, alpha in ((5, 0.9), (64, 0.7)):
        real, fake = (2 * torch.randn(n, 1, generator=generator) + shift for shift in (1.0, -0.5))
        given, truth = one_sided(real.clone(), fake.clone(), alpha), _one_sided(real, fake, alpha)
        if _size(given) != 1:
            return not_yet(f"The loss is one number, but yours holds {_size(given)}: take the mean over each batch.")
        if close(given, truth):
            continue
        on_real, on_fake = F.softplus(-real).mean(), F.softplus(fake).mean()
        wrong_turns = [
            (truth / 2, "That is half of it. The question asks for the sum of the two means."),
            (
                alpha * on_real + on_fake,
                "alpha times the real loss is a weight. The label 0.9 has a second term, (1 - D).",
            ),
            (on_real + bce(fake, 1 - alpha), "That smooths the forged side, the wrong one."),
            (bce(real, alpha) + bce(fake, 1 - alpha), "That smooths both sides. The forged notes keep the label 0."),
            (on_real + on_fake, "Those are hard labels. Where does alpha come in?"),
            (_one_sided(fake, real, alpha), "The two batches are swapped: the real logits come first."),
            (n * truth, "That is a sum over the batch. Take the mean, or the loss grows with it."),
            (
                _one_sided(real.sigmoid(), fake.sigmoid(), alpha),
                "That is a sigmoid too many: real and fake are logits, and softplus holds the sigmoid already.",
            ),
        ]
        return _first_match(given, wrong_turns) or not_yet(
            "Try logits of 0 and alpha = 0.9: every forecast is 1/2, and the loss is 2 log 2 = 1.386 for any alpha."
        )
    far = torch.full((4, 1), 200.0)
    number, due = _number(one_sided(-far, far, 0.9)), float(_one_sided(-far, far, 0.9))
    if not close(number, due):
        return not_yet(
            f"Right for ordinary logits. For real logits of -200 and forged ones of 200 it should be {due:.0f}, and "
            f"yours gives {number:.4g}: stay in log space, with softplus instead of log(sigmoid)."
        )
    return right("At the best forecast of a real note, logit log 9 for alpha = 0.9, its slope is zero.")


@checker((tuple, list))
def check_5(answer: tuple[Any, ...]) -> Verdict:
    """(a, b): .8 r / (.1 + .8 r) and .9 (1 - r) / (1 - .9 r) at r = .01."""
    if len(answer) != 2:
        return not_yet(f"Give two numbers, (a, b), not {len(answer)}.")
    a, b = (_number(part) for part in answer)
    r = 0.01
    first, second = 0.8 * r / (0.1 + 0.8 * r), 0.9 * (1 - r) / (1 - 0.9 * r)
    if not close(100 * a, 100 * first, 5e-3):
        s = 1 / 99
        wrong_turns = [
            (100 * (1 - first), "a: that is the part that is lost. How much is left?"),
            (100 * (0.1 + 0.8 * r), "a: that is D*. The factor compares two slopes of log D*."),
            (80.0, "a: the slope of D* is multiplied by 0.8. But the forger climbs log D*, so divide by D* as well."),
            (100 * 0.8 * s / (0.1 + 0.8 * s), "a: p / q is 1/99, so r = p / (p + q) is 1/100."),
            (100 * 0.9 * r / (0.1 + 0.9 * r), "a: t is alpha - beta = 0.8."),
            (100.0, "a: unchanged is the one-sided case. Here beta = 0.1."),
        ]
        return _first_match(100 * a, wrong_turns, 5e-3) or not_yet(
            "a: put r = 0.01, t = 0.8 and beta = 0.1 into the factor."
        )
    if not close(100 * b, 100 * second, 5e-4):
        wrong_turns = [
            (90.0, "b: nearly. The slope of D* is multiplied by 0.9, but 1 - D* below it has changed as well."),
            (100.0, "b: unchanged is the non-saturating game. Here the forger goes down log(1 - D*)."),
            (100 * 0.9 * r / (0.1 + 0.9 * r), "b: here beta = 0."),
            (100 / second, "b: the other way round. One-sided over hard labels."),
        ]
        return _first_match(100 * b, wrong_turns) or not_yet("b: -alpha / (1 - alpha r), divided by -1 / (1 - r).")
    return right("7 % and 90 %: the two sides of smoothing are not alike.")


@checker(callable)
def check_6(targets: Function) -> Verdict:
    """targets(d_loss): (alpha, beta) of a program that can only be called."""
    for alpha, beta in ((0.9, 0.0), (1.0, 0.1), (0.9, 0.1), (0.75, 0.2), (1.0, 0.0)):
        given = targets(partial(_smoothed, alpha=alpha, beta=beta))
        if not isinstance(given, (tuple, list)) or len(given) != 2:
            return not_yet("Return two numbers, (alpha, beta).")
        mine = tuple(_number(part) for part in given)
        if close(mine, (alpha, beta), 0.01):
            continue
        wrong_turns = [
            ((beta, alpha), "These are the right numbers the wrong way round: alpha belongs to the first batch."),
            ((alpha, 1 - beta), "beta is the target itself, near 0 for a program that does not smooth."),
            ((1 - alpha, beta), "alpha is the target itself, near 1 for a program that does not smooth."),
            ((1 - alpha, 1 - beta), "Prediction minus label: at logit 0 the slope is 1/2 minus the target, not plus."),
            ((0.5 - alpha, 0.5 - beta), "Those are the slopes at logit 0. The target is 1/2 minus the slope."),
            ((alpha - 0.5, beta - 0.5), "That lacks the 1/2: at logit 0 the prediction is 1/2, not 0."),
        ]
        return _first_match(mine, wrong_turns, 0.01) or not_yet(
            f"For a program with the targets ({alpha:g}, {beta:g}) yours says ({mine[0]:.3g}, {mine[1]:.3g}). The "
            "slope in a real logit at 0 is 1/2 - alpha."
        )
    return right("Two slopes at logit 0 tell everything that a program does to its labels.")


def _first_match(answer: Any, wrong_turns: list[tuple[Any, str]], tol: float = 5e-4) -> Verdict | None:
    """The pointer of the first wrong turn whose value is the answer."""
    return next((not_yet(pointer) for value, pointer in wrong_turns if close(answer, value, tol)), None)


def _number(value: Any) -> float:
    """A learner's number as a float: also a tensor with a graph, or an array of one element."""
    return float(torch.as_tensor(value, dtype=torch.float64).detach().reshape(()))


def _size(value: Any) -> int:
    return int(torch.as_tensor(value).numel())


def _coin(r: float) -> float:
    """Entropy in nats of a coin that shows 1 with probability r."""
    return -r * math.log(r) - (1 - r) * math.log(1 - r)


def _best(log_p: Tensor, log_q: Tensor, alpha: float, beta: float) -> Tensor:
    """Logit of (alpha p + beta q) / (p + q) for 0 < beta, alpha < 1; only log p - log q matters."""
    r = torch.sigmoid(log_p - log_q)
    return torch.logit(beta + (alpha - beta) * r)


def _floor(p: Tensor, q: Tensor, alpha: float, beta: float) -> Tensor:
    u, v = alpha * p + beta * q, (1 - alpha) * p + (1 - beta) * q
    return (torch.xlogy(u + v, u + v) - torch.xlogy(u, u) - torch.xlogy(v, v)).sum()


def _hard_bill(p: Tensor, q: Tensor, alpha: float, beta: float) -> Tensor:
    D = (alpha * p + beta * q) / (p + q)
    return -(p * D.log() + q * (1 - D).log()).sum()


def _smoothed(real: Tensor, fake: Tensor, alpha: float, beta: float) -> Tensor:
    return bce(real, alpha) + bce(fake, beta)


def _one_sided(real: Tensor, fake: Tensor, alpha: float) -> Tensor:
    return _smoothed(real, fake, alpha, 0.0)
