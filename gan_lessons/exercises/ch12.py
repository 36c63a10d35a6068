"""Checkers of chapter 12, Label smoothing. Each compares an answer with the truth, then with the usual wrong turns."""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gan_lessons.exercises import Verdict, checker, close, not_yet, right
from gan_lessons.exercises.forms import any_number, several, tensor
from gan_lessons.exercises.rounding import fault
from gan_lessons.exercises.trials import flow, logits, mentions, misses, told
from gan_lessons.losses import bce

Function = Callable[..., Any]
LOG2 = math.log(2)


@checker(several(any_number, 2))
def check_1(answer: tuple[float, float]) -> Verdict:
    """(victory, alike): H(.9) + H(.1) and 2 log 2."""
    victory, alike = answer
    lowest = 2 * _coin(0.9)
    victories = [
        (0.0, "a soft label is never free. On a real note the best forecast is 0.9, and it costs H(0.9)."),
        (lowest / 2, "that is one of the two parts, or their mean. The program prints their sum."),
        (-2 * math.log(0.9), "a note with the label 0.9 costs 0.9 (-log D) and 0.1 (-log(1 - D))."),
        (2 * LOG2, "that is the other end, where D cannot tell at all."),
        (lowest / LOG2, "that is in bits. For nats take the natural logarithm."),
        (-lowest, "right but for the sign: a loss is positive."),
    ]
    alikes = [
        (LOG2, "that is the mean of the two parts. The program prints their sum."),
        (2 * _coin(0.45), "that is for one-sided smoothing, where D says 0.45. Here it says (0.9 + 0.1) / 2."),
        (2.0, "that is in bits. For nats take the natural logarithm."),
        (lowest, "that is the other end, where D has won."),
        (-2 * LOG2, "right but for the sign: a loss is positive."),
    ]
    if pointer := fault(victory, lowest, victories, "H(alpha) + H(beta), as real and forged are apart."):
        return not_yet(f"victory: {pointer}")
    if pointer := fault(alike, 2 * LOG2, alikes, "2 H((alpha + beta) / 2)."):
        return not_yet(f"alike: {pointer}")
    return right("0.650 to 1.386. With hard labels the same fight runs from 0 to 1.386.")


@checker(callable)
def check_2(best_logit: Function) -> Verdict:
    """best_logit(log_p, log_q, alpha, beta): logit of (alpha p + beta q) / (p + q), from logarithms."""

    def of_any_shape(log_p: Tensor, log_q: Tensor, alpha: float, beta: float) -> Any:
        try:
            return best_logit(log_p, log_q, alpha, beta)
        except (TypeError, ValueError):  # a loop over numbers
            return tensor(best_logit(log_p.flatten(), log_q.flatten(), alpha, beta)).reshape(log_p.shape)

    for case, given, truth in misses(of_any_shape, _best, _densities()):
        log_p, log_q, alpha, beta = case
        if given.numel() != truth.numel():
            return not_yet(
                f"For {truth.numel()} places there are {truth.numel()} logits, but yours has {given.numel()}."
            )
        if given.squeeze().shape != truth.squeeze().shape:
            return not_yet(told(case, given, truth))
        if float(torch.cat([log_p, log_q]).abs().max()) >= 100:
            return not_yet(
                f"Right for ordinary densities. {told(case, given, truth)} exp(-2000) is 0, and exp(2000) infinite: "
                "use torch.logaddexp."
            )
        return _first_match(given, _turns_of_2(log_p.double(), log_q.double(), alpha, beta)) or not_yet(
            "Try p = q with alpha = 0.9 and beta = 0.1: D* is 1/2 and its logit 0. With beta = 0.3 and alpha = 0.8, "
            "D* = 0.55 and its logit is 0.2007."
        )
    return right("It lies between log(beta / (1 - beta)) and log(alpha / (1 - alpha)), wherever you ask.")


def _densities() -> Iterator[tuple[Tensor, Tensor, float, float]]:
    """(log p, log q, alpha, beta): ordinary ones of several shapes, then beyond floating point, one and both."""
    generator = torch.Generator().manual_seed(2)
    log_p, log_q = [-1.0, -3.0, -0.5, -9.0], [-2.0, -0.5, -0.5, -1.0]
    for alpha, beta in ((0.8, 0.3), (0.9, 0.1), (0.99, 0.5), (0.45, 0.02)):
        for dtype in (torch.float64, torch.float32):
            yield torch.tensor(log_p, dtype=dtype), torch.tensor(log_q, dtype=dtype), alpha, beta
            yield torch.tensor(log_p[:1], dtype=dtype), torch.tensor(log_q[:1], dtype=dtype), alpha, beta
            p, q = 3 * torch.randn(2, 2, 3, generator=generator, dtype=dtype)
            yield p, q, alpha, beta
    for far, dtype in ((2000.0, torch.float64), (100.0, torch.float32)):  # float32 has no digits left at 2000
        ones = torch.tensor([-far, far, -far, 0.0, far], dtype=dtype)
        others = torch.tensor([-far - 1, far - 2, 0.0, -far, -far], dtype=dtype)
        yield ones, others, 0.9, 0.1


def _turns_of_2(log_p: Tensor, log_q: Tensor, alpha: float, beta: float) -> list[tuple[Tensor, str]]:
    truth = _best(log_p, log_q, alpha, beta)
    return [
        (log_p - log_q, "That is the best officer with hard labels. Where do alpha and beta come in?"),
        (truth.sigmoid(), "That is D*. The question asks for its logit, log(D / (1 - D))."),
        (-truth, "Right but for the sign: u over v, since D* is the probability of the label real."),
        (_best(log_p, log_q, beta, alpha), "alpha belongs to the real notes, p, and beta to the forged ones."),
        (F.logsigmoid(truth), "That is the logarithm of D*. The logit is log D* - log(1 - D*)."),
        (truth / LOG2, "That is to base 2. Take the natural logarithm."),
        (
            math.log(alpha) + log_p - math.log(1 - beta) - log_q,
            "u = alpha p + beta q has two terms, and so has v: also a real note may be called forged.",
        ),
    ]


@checker(callable)
def check_3(floor: Function) -> Verdict:
    """floor(p, q, alpha, beta): sum of (p + q) H(D*), for 1-D probabilities that may hold zeros."""
    for case, given, truth in misses(floor, _floor, _worlds()):
        p, q, alpha, beta = case
        if given.numel() != 1:
            return not_yet(f"The floor is one number, but yours holds {given.numel()}: add over the notes.")
        if bool(p.all() and q.all()) and 0 < beta < alpha < 1:
            return _first_match(given, _turns_of_3(p.double(), q.double(), alpha, beta)) or not_yet(
                "Try p = q with alpha = 0.9 and beta = 0.1: it should be 2 H(0.5) = 1.3863. On one of the checker's "
                f"worlds yours gives {float(given):.4f}, and it should be {float(truth):.4f}."
            )
        return not_yet(
            f"Right for soft targets where all probabilities are positive. For p = {_few(p)}, q = {_few(q)}, alpha = "
            f"{alpha:g} and beta = {beta:g} it should be {float(truth):.3f}, and yours gives {float(given):.3g}: "
            "0 log 0 = 0, and a note that is never seen costs nothing. torch.xlogy knows the former; avoid 0 / 0 for "
            "the latter."
        )
    return right("Between the two ends there is one number for each world, and each pair of targets has its own scale.")


def _worlds() -> Iterator[tuple[Tensor, Tensor, float, float]]:
    """(p, q, alpha, beta): soft targets on worlds without zeros, then targets 0 and 1, and worlds with zeros."""
    positive = [
        ([0.5, 0.3, 0.2], [0.2, 0.2, 0.6]),
        ([0.7, 0.3], [0.1, 0.9]),
        ([0.25] * 4, [0.25] * 4),
        ([1.0], [1.0]),
        ([1e-30, 1.0], [0.5, 0.5]),
    ]
    with_zeros = [([0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]), ([1.0, 0.0], [0.0, 1.0]), ([0.0, 1.0], [0.5, 0.5])]
    soft, hard = [(0.9, 0.1), (0.8, 0.3)], [(0.9, 0.0), (1.0, 0.0), (1.0, 0.1)]
    for worlds, targets in ((positive, soft), (positive, hard), (with_zeros, soft + hard)):
        for first, second in worlds:
            for alpha, beta in targets:
                for dtype in (torch.float64, torch.float32):
                    yield torch.tensor(first, dtype=dtype), torch.tensor(second, dtype=dtype), alpha, beta


def _turns_of_3(p: Tensor, q: Tensor, alpha: float, beta: float) -> list[tuple[Tensor, str]]:
    truth = _floor(p, q, alpha, beta)
    return [
        (truth / 2, "That is the mean of the two parts. The question asks for their sum: weigh by p + q."),
        (_floor(p, q, 1.0, 0.0), "That is the floor with hard labels. The forecast is D* with alpha and beta."),
        (_floor(p, q, beta, alpha), "alpha belongs to the real notes, p, and beta to the forged ones."),
        (truth / LOG2, "That is in bits. For nats take the natural logarithm."),
        (-truth, "Right but for the sign: a fine is positive."),
        (
            _hard_bill(p, q, alpha, beta),
            "That is what D* would pay with hard labels. A real note costs H(alpha, D*), both terms of it.",
        ),
        (truth / len(p), "That is a mean over the notes. p and q are the weights: take the sum."),
    ]


def _few(values: Tensor) -> str:
    return "(" + ", ".join(f"{value:g}" for value in values.tolist()) + ")"


@checker(callable)
def check_4(one_sided: Function) -> Verdict:
    """one_sided(real, fake, alpha): BCE(real, alpha) + BCE(fake, 0), on logits, in log space."""
    far = torch.full((4, 1), 200.0)
    ordinary = [(real, fake, alpha) for alpha in (0.9, 0.7, 1.0) for real, fake in logits(1.0, -0.5, seed=4)]
    extreme = [(-far, far, 0.9), (far, -far, 0.9), (far.double(), far.double(), 0.8)]
    for case, given, truth in misses(one_sided, _one_sided, [*ordinary, *extreme]):
        real, fake, alpha = case
        if given.numel() != 1:
            return not_yet(f"The loss is one number, but yours holds {given.numel()}: take the mean over each batch.")
        if float(torch.cat([real, fake]).abs().max()) >= 30:
            return not_yet(
                f"Right for ordinary logits. {told(case, given, truth)} Stay in log space, with softplus instead of "
                "log(sigmoid), and clamp nothing."
            )
        return _first_match(given, _turns_of_4(real.double(), fake.double(), alpha)) or not_yet(
            "Try logits of 0 and alpha = 0.9: every forecast is 1/2, and the loss is 2 log 2 = 1.386 for any alpha."
        )
    for real, fake in (ordinary[0][:2], (-far / 2, far / 2), (far / 2, -far / 2)):
        if pointer := flow(lambda a, b: one_sided(a, b, 0.9), lambda a, b: _one_sided(a, b, 0.9), real, fake):
            return not_yet(f"The numbers are right, but a loss is there to be learned from, and {pointer}")
    return right("At the best forecast of a real note, logit log 9 for alpha = 0.9, its slope is zero.")


def _turns_of_4(real: Tensor, fake: Tensor, alpha: float) -> list[tuple[Tensor, str]]:
    truth, on_real, on_fake = _one_sided(real, fake, alpha), bce(real, 1.0), bce(fake, 0.0)
    return [
        (truth / 2, "That is half of it. The question asks for the sum of the two means."),
        (alpha * on_real + on_fake, "alpha times the real loss is a weight. The label 0.9 has a second term, (1 - D)."),
        (on_real + bce(fake, 1 - alpha), "That smooths the forged side, the wrong one."),
        (bce(real, alpha) + bce(fake, 1 - alpha), "That smooths both sides. The forged notes keep the label 0."),
        (on_real + on_fake, "Those are hard labels. Where does alpha come in?"),
        (_one_sided(fake, real, alpha), "The two batches are swapped: the real logits come first."),
        (len(real) * truth, "That is a sum over the batch. Take the mean, or the loss grows with it."),
        (-truth, "Right but for the sign: the officer minimises the loss, and it is positive."),
        (
            _one_sided(real.sigmoid(), fake.sigmoid(), alpha),
            "That is a sigmoid too many: real and fake are logits, and softplus holds the sigmoid already.",
        ),
    ]


@checker(several(any_number, 2))
def check_5(answer: tuple[float, float]) -> Verdict:
    """(a, b): .8 r / (.1 + .8 r) and .9 (1 - r) / (1 - .9 r) at r = .01."""
    a, b = answer
    r, s = 0.01, 1 / 99
    first, second = 0.8 * r / (0.1 + 0.8 * r), 0.9 * (1 - r) / (1 - 0.9 * r)
    firsts = [
        (1 - first, "that is the part that is lost. How much is left?"),
        (0.1 + 0.8 * r, "that is D*. The factor compares two slopes of log D*."),
        (0.8, "the slope of D* is multiplied by 0.8. But the forger climbs log D*, so divide by D* as well."),
        (0.8 * s / (0.1 + 0.8 * s), "p / q is 1/99, so r = p / (p + q) is 1/100."),
        (0.9 * r / (0.1 + 0.9 * r), "t is alpha - beta = 0.8."),
        (1.0, "unchanged is the one-sided case. Here beta = 0.1."),
        (1 / first, "the other way round. Soft labels over hard ones."),
    ]
    seconds = [
        (0.9, "nearly. The slope of D* is multiplied by 0.9, but 1 - D* below it has changed as well."),
        (1.0, "unchanged is the non-saturating game. Here the forger goes down log(1 - D*)."),
        (0.9 * r / (0.1 + 0.9 * r), "here beta = 0."),
        (1 / second, "the other way round. One-sided over hard labels."),
        (1 - second, "that is the part that is lost. How much is left?"),
        (-second, "right but for the sign: both slopes are negative, and the factor is not."),
    ]
    if pointer := fault(a, first, firsts, "put r = 0.01, t = 0.8 and beta = 0.1 into the factor."):
        return not_yet(f"a: {pointer}")
    if pointer := fault(b, second, seconds, "-alpha / (1 - alpha r), divided by -1 / (1 - r).", digits=3):
        return not_yet(f"b: {pointer}")
    return right("7 % and 90 %: the two sides of smoothing are not alike.")


@checker(callable)
def check_6(targets: Function) -> Verdict:
    """targets(d_loss): (alpha, beta) of a program that can only be called."""
    if mentions(targets, "__closure__", "cell_contents", "getclosurevars"):
        return not_yet("You may call the program, and not read it. What does its slope tell?")
    for alpha, beta in ((0.9, 0.0), (1.0, 0.1), (0.9, 0.1), (0.75, 0.2), (1.0, 0.0), (0.873, 0.137), (0.62, 0.41)):
        mine = several(any_number, 2)(targets(_program(alpha, beta)))
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
        return _first_match(tensor(mine), wrong_turns, 0.01) or not_yet(
            f"For a program with the targets ({alpha:g}, {beta:g}) yours says ({mine[0]:.3g}, {mine[1]:.3g}). The "
            "slope in a real logit at 0 is 1/2 - alpha."
        )
    return right("Two slopes at logit 0 tell everything that a program does to its labels.")


def _program(alpha: float, beta: float) -> Function:
    def d_loss(real: Tensor, fake: Tensor) -> Tensor:
        return bce(real, alpha) + bce(fake, beta)

    return d_loss


def _first_match(given: Tensor, wrong_turns: Iterable[tuple[Any, str]], tol: float = 1e-4) -> Verdict | None:
    """The pointer of the first wrong turn whose value is what a learner's function gave."""
    return next((not_yet(pointer) for value, pointer in wrong_turns if close(given, value, tol)), None)


def _coin(r: float) -> float:
    """Entropy in nats of a coin that shows 1 with probability r."""
    return -r * math.log(r) - (1 - r) * math.log(1 - r)


def _best(log_p: Tensor, log_q: Tensor, alpha: float, beta: float) -> Tensor:
    """Logit of (alpha p + beta q) / (p + q) for 0 < beta, alpha < 1; only log p - log q matters."""
    r = torch.sigmoid(log_p.double() - log_q.double())
    return torch.logit(beta + (alpha - beta) * r)


def _floor(p: Tensor, q: Tensor, alpha: float, beta: float) -> Tensor:
    p, q = p.double(), q.double()
    u, v = alpha * p + beta * q, (1 - alpha) * p + (1 - beta) * q
    return (torch.xlogy(u + v, u + v) - torch.xlogy(u, u) - torch.xlogy(v, v)).sum()


def _hard_bill(p: Tensor, q: Tensor, alpha: float, beta: float) -> Tensor:
    D = (alpha * p + beta * q) / (p + q)
    return -(p * D.log() + q * (1 - D).log()).sum()


def _one_sided(real: Tensor, fake: Tensor, alpha: float) -> Tensor:
    return bce(real, alpha) + bce(fake, 0.0)
