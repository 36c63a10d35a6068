"""Checkers of chapter 02, Cross-entropy. Each compares an answer with the truth, then with the usual wrong turns."""

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gan_lessons.exercises import Verdict, checker, close, not_yet, right

Function = Callable[..., Any]
LOG2 = math.log(2)


def _coin(r: float) -> float:
    """Entropy in nats of a coin that shows 1 with probability r."""
    return -r * math.log(r) - (1 - r) * math.log(1 - r)


@checker(float)
def check_1(answer: float) -> Verdict:
    """The smallest mean fine, in nats, of an officer who never looks where 9 notes of 10 are real: H(0.9)."""
    answer, truth = _number(answer), _coin(0.9)
    if close(answer, truth, 5e-4):
        return right("H(0.9) = 0.325 nats: announce 0.9 on every note. A forecast of 0.5 would cost log 2 = 0.693.")
    wrong_turns = [
        (truth / LOG2, "That is the answer in bits. For nats take the natural logarithm."),
        (-truth, "The number is right but for its sign: a fine is -log of a probability, so it is positive."),
        (
            LOG2,
            "log 2 is the fine of the forecast 0.5. Is there a constant forecast that costs less when 0.9 are real?",
        ),
        (-math.log(0.9), "That is the fine on a real note only. One note in ten is forged, and it costs -log 0.1."),
        (
            -0.9 * math.log(0.9),
            "That is the share of the real notes. Add what the forged ones cost: 0.1 times -log 0.1.",
        ),
        (10 * truth, "That is the sum over ten notes. The question asks for the mean per note."),
        (_coin(0.1) / math.log(10), "That is with the logarithm to base 10. For nats take the natural logarithm."),
        (-math.log(0.1), "That is the fine on a forged note only, and nine notes of ten are real."),
    ]
    return _first_match(answer, wrong_turns) or not_yet(
        "The best constant forecast is the share of real notes, 0.9. Weigh its two fines, -log 0.9 and -log 0.1, "
        "by how often each is paid."
    )


@checker(callable)
def check_2(kl: Function) -> Verdict:
    """kl(r, f): the divergence KL(r || f) in nats of two 1-D tensors of probabilities, with 0 log 0 = 0."""
    pairs = [
        ([0.5, 0.25, 0.125, 0.125], [0.125, 0.125, 0.25, 0.5]),
        ([0.7, 0.2, 0.1], [0.2, 0.5, 0.3]),
        ([0.9, 0.1], [0.5, 0.5]),
    ]
    for r, f in (map(_probabilities, pair) for pair in pairs):
        if _size(kl(r, f)) != 1:
            return not_yet(f"KL is one number, but yours holds {_size(kl(r, f))}: take the sum over the outcomes.")
        if not close(kl(r, r), 0):
            return not_yet(
                "KL(r || r) must be 0: believing the truth costs nothing extra. Did you subtract the entropy?"
            )
        given, truth = kl(r, f), _kl(r, f)
        if close(given, truth):
            continue
        wrong_turns = [
            (_kl(f, r), "These are the arguments the wrong way round: the mean is taken over r, what really happens."),
            (truth / LOG2, "That is in bits. For nats take the natural logarithm, torch.log."),
            (-truth, "Right but for the sign: log(r / f), not log(f / r)."),
            (truth / len(r), "That is a mean over the outcomes. The weights r already make it a mean: take the sum."),
        ]
        return _first_match(given, wrong_turns) or not_yet(
            "Try r = (0.9, 0.1) and f = (0.5, 0.5) by hand: 0.9 log 1.8 + 0.1 log 0.2 = 0.368 nats."
        )
    certain = kl(_probabilities([1.0, 0.0]), _probabilities([0.8, 0.2]))
    if not close(certain, -math.log(0.8)):
        return not_yet(
            f"For r = (1, 0) and f = (0.8, 0.2) yours gives {_number(certain):.3g}, but it should be 0.223: what never "
            "happens costs nothing, 0 log 0 = 0. torch.xlogy or torch.where takes care of it."
        )
    agreed = kl(_probabilities([1.0, 0.0]), _probabilities([1.0, 0.0]))
    if not close(agreed, 0):
        return not_yet(
            f"For r = f = (1, 0) yours gives {_number(agreed):.3g}, but it should be 0. Where both are 0, r / f and "
            "0 log 0 are nan: split the logarithm, r log r - r log f, and take torch.xlogy for each."
        )
    impossible = kl(_probabilities([0.5, 0.5]), _probabilities([1.0, 0.0]))
    if not math.isinf(_number(impossible)):
        return not_yet(
            f"For r = (0.5, 0.5) and f = (1, 0) yours gives {_number(impossible):.3g}, but it should be infinite: half "
            "of the time something happens that f calls impossible. Is a small number added inside your logarithm?"
        )
    return right("0 for the truth, infinite for a belief that rules out what happens, and not symmetric.")


@checker(callable)
def check_3(d_loss: Function) -> Verdict:
    """d_loss(real, fake): half of BCE(real, 1) plus half of BCE(fake, 0), for logits (n, 1) each, as one number."""
    generator = torch.Generator().manual_seed(2)
    for n in (5, 64):
        real, fake = (torch.randn(n, 1, generator=generator) * 2 + shift for shift in (1.0, -0.5))
        given, truth = d_loss(real, fake), _d_loss(real, fake)
        if _size(given) != 1:
            return not_yet(f"The loss is one number, but yours holds {_size(given)}: take the mean over the batch.")
        if close(given, truth):
            continue
        wrong_turns = [
            (
                2 * truth,
                "That is the sum of the two means. A note is real with probability 1/2: weigh each mean by it.",
            ),
            (
                2 * n * truth,
                "That is the sum over all notes. The loss is the mean fine: it must not grow with the batch.",
            ),
            (_d_loss(fake, real), "That has the labels swapped: real notes carry y = 1, and generated ones y = 0."),
            (-truth, "Right but for the sign: the officer minimises the fine, and a fine is positive."),
            (
                _d_loss(real.sigmoid(), fake.sigmoid()),
                "That is a sigmoid too many. real and fake are logits, and the loss on logits holds a sigmoid already.",
            ),
            (_d_loss(real, -fake), "That gives both batches the label 1. Generated notes carry y = 0."),
            (truth / LOG2, "That is in bits. The loss is wanted in nats."),
        ]
        if math.isnan(_number(given)):
            return not_yet(
                "That gives nan: a logarithm of something negative. Logits are no probabilities. Pass them through "
                "torch.sigmoid, or better, use softplus: -log sigma(a) = softplus(-a)."
            )
        return _first_match(given, wrong_turns) or not_yet(
            "Try real = tensor([[0.]]) and fake = tensor([[0.]]): the officer says 1/2 twice, and "
            "the loss is log 2 = 0.693."
        )
    far = torch.full((4, 1), 200.0)
    if not close(d_loss(-far, far), 200.0):
        return not_yet(
            f"Right for ordinary logits. But for a real note at a = -200 and a generated one at a = 200 it gives "
            f"{_number(d_loss(-far, far)):.4g} and not 200: stay in log space, with softplus instead of log(sigmoid)."
        )
    return right("This is the loss of chapter 05's second setting, (real + fake) / 2.")


@checker(callable)
def check_4(gradient: Function) -> Verdict:
    """gradient(a, y): that of the mean BCE with respect to the logits, (sigma(a) - y) / n, same shape as a (n,)."""
    generator = torch.Generator().manual_seed(3)
    for n in (1, 4, 10):
        a = 3 * torch.randn(n, generator=generator)
        y = (torch.rand(n, generator=generator) < 0.5).float() if n != 4 else torch.tensor([0.9, 0.0, 1.0, 0.1])
        truth = (a.sigmoid() - y) / n
        try:
            with torch.no_grad():
                given = gradient(a, y)
        except RuntimeError as error:
            if "grad" not in str(error):
                raise
            return not_yet("The formula is asked for: autograd is switched off while yours is tried.")
        if close(given, truth, 1e-4):
            continue
        D = a.sigmoid()
        wrong_turns = [
            (
                n * truth,
                "Nearly: that is the gradient of the sum. For the mean over n notes each entry is divided by n.",
            ),
            (-truth, "Right but for the sign: prediction minus label. A real note (y = 1) should pull its logit up."),
            (-n * truth, "Prediction minus label, not label minus prediction, and for the mean divide by n."),
            ((a - y) / n, "The logit itself is no prediction: pass it through the sigmoid first."),
            (a - y, "The logit itself is no prediction: pass it through the sigmoid first, and divide by n."),
            (2 * (D - y) * D * (1 - D) / n, "That is the gradient of the squared error (sigma(a) - y)^2."),
            (truth * D * (1 - D), "There is a factor sigma(1 - sigma) too many: it cancels against the 1/D(1 - D)."),
            (
                (D - y) / (D * (1 - D)) / n,
                "That is the slope in D. The chain rule brings a factor D(1 - D) for the logit.",
            ),
        ]
        if _size(given) != n:
            return not_yet(f"For {n} logits the gradient has {n} entries, one each, but yours has {_size(given)}.")
        return _first_match(given, wrong_turns, 1e-4) or not_yet(
            "Try a = (0, 0) and y = (1, 0): sigma(0) = 1/2, so the gradient of the mean is (-0.25, 0.25)."
        )
    sure = torch.tensor([200.0, -200.0])
    if not close(gradient(sure, torch.zeros(2)), [0.5, 0.0]):
        return not_yet(
            "Right for ordinary logits, but not for a = ±200: e^200 is no float32. torch.sigmoid takes care of it."
        )
    return right("Prediction minus label, shared out over the batch.")


@checker((tuple, list))
def check_5(answer: tuple[Any, ...]) -> Verdict:
    """(floor, logit): least mean loss with targets 0.9 and 0 on separable notes, H(0.9) / 2; best real logit, log 9."""
    if len(answer) != 2:
        return not_yet(f"Give two numbers, (floor, logit), not {len(answer)}.")
    floor, logit = (_number(part) for part in answer)
    if not close(floor, _coin(0.9) / 2, 5e-4):
        wrong_turns = [
            (
                _coin(0.9),
                "floor: that is the floor on the real notes, H(0.9). Half of the notes are generated and cost 0.",
            ),
            (
                0.0,
                "floor: with the target 0.9 not even the best forecast is free. What does D = 0.9 cost on a real note?",
            ),
            (_coin(0.9) / 2 / LOG2, "floor: that is in bits. The loss is wanted in nats."),
            (LOG2, "floor: log 2 is what D = 1/2 costs. These notes can be told apart."),
            (-math.log(0.9) / 2, "floor: the target 0.9 has two terms, -0.9 log D and -0.1 log(1 - D); you kept one."),
            (
                -0.9 * math.log(0.9) / 2,
                "floor: the target 0.9 has two terms, -0.9 log D and -0.1 log(1 - D); you kept one.",
            ),
        ]
        return _first_match(floor, wrong_turns) or not_yet(
            "floor: on a real note the loss is the cross-entropy H(0.9, D), least where D = 0.9. On a generated note "
            "the target is 0 and the loss can vanish. Take the mean of the two."
        )
    if not close(logit, math.log(9), 5e-3):
        wrong_turns = [
            (0.9, "logit: 0.9 is the best probability D. Which a has sigma(a) = 0.9?"),
            (1 / (1 + math.exp(-0.9)), "logit: that is sigma(0.9). You want the way back, log(D / (1 - D))."),
            (-math.log(9), "logit: right but for the sign; a real note's logit should be positive."),
            (math.log(9) / LOG2, "logit: that is log 9 to base 2. Take the natural logarithm."),
            (1.0, "logit: 1 is a label. Which a has sigma(a) = 0.9?"),
        ]
        if math.isinf(logit):
            return not_yet("logit: with the target 1 it would run to infinity. With 0.9 it has a place to stop.")
        return _first_match(logit, wrong_turns) or not_yet("logit: solve sigma(a) = 0.9, that is a = log(D / (1 - D)).")
    return right("Smoothed real labels cost 0.163 nats at least, and give the logits of real notes a place to stop.")


@checker(callable)
def check_6(temperature: Function) -> Verdict:
    """temperature(a, y): the T > 0 that minimises BCE(a / T, y), for logits a (n,) and labels y (n,)."""
    for true in (3.0, 1.0, 0.4):
        a, y = _overconfident(true)
        given = _number(temperature(a.clone(), y.clone()))
        best = _best_temperature(a, y)
        if close(given / best, 1.0, 0.02):
            continue
        if not math.isfinite(given) or given <= 0:
            return not_yet(f"The temperature must be a positive number, but yours is {given:.3g}.")
        if close(given * best, 1.0, 0.02):
            return not_yet("That is 1 / T: the logits are divided by the temperature, not multiplied by it.")
        before, after, least = (_bce(a / t, y) for t in (1.0, given, best))
        return not_yet(
            f"On logits {true:g} times too large yours gives T = {given:.3g}: mean loss {after:.4f}, before "
            f"{before:.4f}, with the best T {least:.4f} nats. Search longer, over both T < 1 and T > 1, and look that "
            "the loss is the mean over all notes and that a / T goes into it."
        )
    return right("One number repairs an officer who exaggerates, and leaves every guess as it was.")


def _first_match(answer: Any, wrong_turns: list[tuple[Any, str]], tol: float = 5e-4) -> Verdict | None:
    """The pointer of the first wrong turn whose value is the answer."""
    return next((not_yet(pointer) for value, pointer in wrong_turns if close(answer, value, tol)), None)


def _probabilities(values: list[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def _number(value: Any) -> float:
    """A learner's number as a float: also a tensor with a graph, or an array of one element."""
    return float(torch.as_tensor(value, dtype=torch.float64).detach().reshape(()))


def _size(value: Any) -> int:
    return int(torch.as_tensor(value).numel())


def _kl(r: Tensor, f: Tensor) -> float:
    return float(torch.xlogy(r, r / f).sum())


def _d_loss(real: Tensor, fake: Tensor) -> float:
    return float((F.softplus(-real).mean() + F.softplus(fake).mean()) / 2)


def _bce(a: Tensor, y: Tensor) -> float:
    return float(F.binary_cross_entropy_with_logits(a, y))


def _overconfident(times: float, n: int = 4000) -> tuple[Tensor, Tensor]:
    """Honest logits of n notes multiplied by `times`, and labels drawn from the honest ones."""
    generator = torch.Generator().manual_seed(round(10 * times))
    honest = 1.5 * torch.randn(n, generator=generator)
    y = (torch.rand(n, generator=generator) < honest.sigmoid()).float()
    return times * honest, y


def _best_temperature(a: Tensor, y: Tensor) -> float:
    """By Newton's method on beta = 1 / T, in which the loss is convex."""
    a, y, beta = a.double(), y.double(), 1e-3
    for _ in range(100):
        D = (beta * a).sigmoid()
        beta -= float((a * (D - y)).mean() / (a * a * D * (1 - D)).mean())
    return 1 / beta
