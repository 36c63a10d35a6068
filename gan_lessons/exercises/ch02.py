"""Checkers of chapter 02, Cross-entropy. Each compares an answer with the truth, then with the usual wrong turns."""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gan_lessons.exercises import Verdict, checker, close, not_yet, right
from gan_lessons.exercises.forms import any_number, several, tensor
from gan_lessons.exercises.rounding import fault
from gan_lessons.exercises.traces import changes
from gan_lessons.exercises.trials import agrees, flow, logits, mentions, misses, told

Function = Callable[..., Any]
LOG2 = math.log(2)


def _coin(r: float) -> float:
    """Entropy in nats of a coin that shows 1 with probability r."""
    return -r * math.log(r) - (1 - r) * math.log(1 - r)


@checker(str)
def try_dearest(name: str) -> Verdict:
    """Of the three officers of the opening Bold pays most: 0.93 nats a note, Shrug 0.69, Careful 0.50."""
    if name == "bold":
        return right("Two errors at 99 % cost more than eight hits save.")
    if name == "shrug":
        return not_yet(
            "Shrug pays log 2 = 0.69 on each note, never more. What does it cost to be 99 % sure, and wrong?"
        )
    if name == "careful":
        return not_yet("Careful makes the same guesses as Bold, and is less sure. Whom does an error cost more?")
    return not_yet("One of Bold, Careful and Shrug.")


@checker(float)
def try_bits(bits: float) -> Verdict:
    """The surprise of P = 0.01 in bits: log2(100) = 6.64."""
    turns = [
        (math.log(100), "That is in nats. A bit is log 2 = 0.693 nats: how many fit in?"),
        (2.0, "That is to base 10. Bits take base 2: how often can you halve 1 until 0.01 is left?"),
        (-math.log2(100), "Right but for the sign: a surprise is positive."),
        (LOG2 * math.log(100), "Nats are larger than bits, so there are more bits: divide by log 2."),
    ]
    return _judged(
        bits, math.log2(100), turns, "-log2(0.01), or surprise(0.01) / log 2.", "Halve 1 between six and seven times."
    )


@checker(several(float, 2))
def try_questions(answer: tuple[float, float]) -> Verdict:
    """Two forgers, 0.9 and 0.1: one question a case, and H = 0.469 bits."""
    questions, bits = answer
    once = "Questions a case: with two forgers there is one yes/no question to ask, in every case."
    if pointer := fault(questions, 1.0, (), once):
        return not_yet(pointer)
    turns = [
        (_coin(0.9), "That is the entropy in nats. Divide by log 2 for bits."),
        (1.0, "One bit is the entropy of a fair coin. Here one forger is nine times as common."),
        (-0.9 * math.log2(0.9), "That is Ada's share. Add what the rare one brings: 0.1 times log2(10)."),
    ]
    otherwise = "Weigh both surprises, log2(1 / 0.9) and log2(1 / 0.1), by how often they come."
    praise = "Half a question for a whole one: only if many cases are asked about together is the entropy reached."
    return _judged(bits, _coin(0.9) / LOG2, turns, otherwise, praise)


@checker(float)
def try_share(forecast: float) -> Verdict:
    """Bayes with equal priors: 0.3 / (0.3 + 0.1) = 0.75."""
    turns = [
        (0.3, "That is a density, not a probability. Of what is it a share?"),
        (3.0, "Those are the odds, 3 to 1. As a probability?"),
        (0.25, "That is the share of the generated notes."),
        (0.15, "That is half of p: divide it by half of p plus half of q."),
        (0.2, "That is the mean of both densities, what you divide by."),
    ]
    return _judged(forecast, 0.75, turns, "p / (p + q).", "Three real notes to one generated one.")


@checker(float)
def try_logit(logit: float) -> Verdict:
    """The logit of 0.9: log 9 = 2.197."""
    turns = [
        (9.0, "Those are the odds. The logit is their logarithm."),
        (math.log(0.9), "That is log 0.9, minus a surprise. Take the logarithm of the odds."),
        (1 / (1 + math.exp(-0.9)), "That is the way back: sigma(0.9). Which a has sigma(a) = 0.9?"),
        (-math.log(9), "That says 10 %."),
        (math.log10(9), "That is to base 10; the natural logarithm, please."),
    ]
    return _judged(logit, math.log(9), turns, "log(0.9 / 0.1).", "Odds of nine to one.")


@checker(float)
def try_slope(slope: float) -> Verdict:
    """Prediction minus label for a real note with the logit -2: sigma(-2) - 1 = -0.881."""
    D = 1 / (1 + math.exp(2))
    turns = [
        (1 - D, "The right force. Its sign: the fine falls as the logit grows."),
        (D, "That is the prediction. Subtract the label."),
        (-3.0, "The prediction is sigma(-2), not -2."),
        (1 / D - 1, "That is exp(2), the odds against. Prediction minus label."),
    ]
    return _judged(
        slope, D - 1, turns, "sigma(-2) - 1.", "She is wrong and rather sure, so it is nearly the full force 1."
    )


def _judged(answer: float, truth: float, turns: list[tuple[float, str]], otherwise: str, praise: str) -> Verdict:
    pointer = fault(answer, truth, turns, otherwise)
    return not_yet(pointer) if pointer else right(praise)


@checker(callable)
def check_1(kl: Function) -> Verdict:
    """kl(r, f): the divergence KL(r || f) in nats of two 1-D tensors of probabilities, with 0 log 0 = 0."""
    for (r, f), given, wanted in misses(kl, _kl, _beliefs()):
        truth = float(wanted)
        if given.numel() != 1:
            return not_yet(f"KL is one number, but yours holds {given.numel()}: take the sum over the outcomes.")
        if torch.equal(r, f) and r.all():
            return not_yet(
                "KL(r || r) must be 0: believing the truth costs nothing extra. Did you subtract the entropy?"
            )
        if not (r.all() and f.all()):
            return not_yet(_of_the_impossible(r, f, float(given)))
        wrong_turns = [
            (
                float(_kl(f, r)),
                "These are the arguments the wrong way round: the mean is taken over r, what really happens.",
            ),
            (truth / LOG2, "That is in bits. For nats take the natural logarithm, torch.log."),
            (-truth, "Right but for the sign: log(r / f), not log(f / r)."),
            (truth / len(r), "That is a mean over the outcomes. The weights r already make it a mean: take the sum."),
        ]
        return _first_match(given, wrong_turns) or not_yet(
            f"{told((r, f), given, wanted)} Try r = (0.9, 0.1) and f = (0.5, 0.5) by hand: "
            "0.9 log 1.8 + 0.1 log 0.2 = 0.368 nats."
        )
    return right("0 for the truth, infinite for a belief that rules out what happens, and not symmetric.")


def _beliefs() -> Iterator[tuple[Tensor, Tensor]]:
    """Pairs (r, f), and each r with itself; first without zeros, then with, and with very small numbers."""
    pairs = [
        ([0.5, 0.25, 0.125, 0.125], [0.125, 0.125, 0.25, 0.5]),
        ([0.7, 0.2, 0.1], [0.2, 0.5, 0.3]),
        ([0.9, 0.1], [0.5, 0.5]),
        ([1.0, 0.0], [0.8, 0.2]),
        ([1.0, 0.0], [1.0, 0.0]),
        ([0.5, 0.5], [1.0, 0.0]),
        ([1e-30, 1.0], [0.5, 0.5]),
        ([0.5, 0.5], [1e-30, 1.0]),
    ]
    for dtype in (torch.float64, torch.float32):
        for r, f in (map(torch.tensor, pair) for pair in pairs):
            if r.all() and f.all():
                yield r.to(dtype), r.to(dtype)
            yield r.to(dtype), f.to(dtype)
    yield torch.full((1000,), 1e-3, dtype=torch.float64), torch.arange(1, 1001, dtype=torch.float64) / 500500


def _of_the_impossible(r: Tensor, f: Tensor, given: float) -> str:
    """The pointer for a wrong divergence where some probabilities are 0."""
    if not bool(((f == 0) & (r > 0)).any()):
        if torch.equal(r, f):
            return (
                f"For r = f = (1, 0) yours gives {given:.3g}, but it should be 0. Where both are 0, r / f and "
                "0 log 0 are nan: split the logarithm, r log r - r log f, and take torch.xlogy for each."
            )
        return (
            f"For r = (1, 0) and f = (0.8, 0.2) yours gives {given:.3g}, but it should be 0.223: what never "
            "happens costs nothing, 0 log 0 = 0. torch.xlogy or torch.where takes care of it."
        )
    return (
        f"For r = (0.5, 0.5) and f = (1, 0) yours gives {given:.3g}, but it should be infinite: half "
        "of the time something happens that f calls impossible. Is a small number added inside your logarithm?"
    )


def _kl(r: Tensor, f: Tensor) -> Tensor:
    return (torch.xlogy(r, r) - torch.xlogy(r, f)).sum()


@checker(float)
def check_2(answer: float) -> Verdict:
    """The smallest mean fine, in nats, of an officer who never looks where 9 notes of 10 are real: H(0.9)."""
    truth = _coin(0.9)
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
    otherwise = (
        "The best constant forecast is the share of real notes, 0.9. Weigh its two fines, -log 0.9 and -log 0.1, "
        "by how often each is paid."
    )
    if pointer := fault(answer, truth, wrong_turns, otherwise):
        return not_yet(pointer)
    return right("H(0.9) = 0.325 nats: announce 0.9 on every note. A forecast of 0.5 would cost log 2 = 0.693.")


@checker(callable)
def check_3(d_loss: Function) -> Verdict:
    """d_loss(real, fake): half of BCE(real, 1) plus half of BCE(fake, 0), for logits (n, 1) each, as one number."""
    far = torch.full((4, 1), 1000.0)
    cases = [*logits(1.0, -0.5, seed=2), (-far / 5, far / 5), (-far, far), (far, -far)]
    for (real, fake), given, wanted in misses(d_loss, _d_loss, cases):
        if given.numel() != 1:
            return not_yet(f"The loss is one number, but yours holds {given.numel()}: take the mean over the batch.")
        if bool((torch.cat([real, fake]).abs() >= 30).any()):
            return not_yet(
                f"Right for ordinary logits. {told((real, fake), given, wanted)} Stay in log space, with softplus "
                "instead of log(sigmoid), and clamp nothing."
            )
        if bool(given.isnan()):
            return not_yet(
                "That gives nan: a logarithm of something negative. Logits are no probabilities. Pass them through "
                "torch.sigmoid, or better, use softplus: -log sigma(a) = softplus(-a)."
            )
        return _first_match(given, _turns_of_3(real, fake)) or not_yet(
            "Try real = tensor([[0.]]) and fake = tensor([[0.]]): the officer says 1/2 twice, and "
            "the loss is log 2 = 0.693."
        )
    for real, fake in ([one[:5] for one in cases[0]], (-far / 10, far / 10), (far / 10, -far / 10)):
        if pointer := flow(d_loss, _d_loss, real, fake):
            return not_yet(f"The numbers are right, but a loss is there to be learned from, and {pointer}")
    return right("This is the loss of chapter 05's second setting, (real + fake) / 2.")


def _turns_of_3(real: Tensor, fake: Tensor) -> list[tuple[float, str]]:
    truth, n = float(_d_loss(real, fake)), len(real)
    return [
        (2 * truth, "That is the sum of the two means. A note is real with probability 1/2: weigh each mean by it."),
        (2 * n * truth, "That is the sum over all notes. The loss is the mean fine: it must not grow with the batch."),
        (float(_d_loss(fake, real)), "That has the labels swapped: real notes carry y = 1, and generated ones y = 0."),
        (-truth, "Right but for the sign: the officer minimises the fine, and a fine is positive."),
        (
            float(_d_loss(real.sigmoid(), fake.sigmoid())),
            "That is a sigmoid too many. real and fake are logits, and the loss on logits holds a sigmoid already.",
        ),
        (float(_d_loss(real, -fake)), "That gives both batches the label 1. Generated notes carry y = 0."),
        (truth / LOG2, "That is in bits. The loss is wanted in nats."),
    ]


def _d_loss(real: Tensor, fake: Tensor) -> Tensor:
    return (F.softplus(-real).mean() + F.softplus(fake).mean()) / 2


@checker(callable)
def check_4(gradient: Function) -> Verdict:
    """gradient(a, y): that of the mean BCE with respect to the logits, (sigma(a) - y) / n, same shape as a (n,)."""
    if mentions(gradient, "autograd", "grad", "backward", "enable_grad", "vjp", "jvp", "jacrev", "jacfwd", "jacobian"):
        return not_yet("The formula is asked for: use no autograd, whatever its name.")
    with torch.no_grad():
        for (a, y), given, truth in misses(gradient, lambda a, y: (a.sigmoid() - y) / len(a), _notes()):
            n = len(a)
            if given.numel() != n:
                return not_yet(f"For {n} logits the gradient has {n} entries, one each, but yours has {given.numel()}.")
            if float(a.abs().max()) >= 100:
                return not_yet(
                    f"Right for ordinary logits, but not for a = ±{float(a.abs().max()):g}: float32 ends at e^88, "
                    "float64 at e^709. torch.sigmoid takes care of it."
                )
            return _first_match(given.reshape(-1), _turns_of_4(a.double(), y.double())) or not_yet(
                f"{told((a, y), given, truth)} Try a = (0, 0) and y = (1, 0): sigma(0) = 1/2, so the gradient of the "
                "mean is (-0.25, 0.25)."
            )
    return right("Prediction minus label, shared out over the batch.")


def _notes() -> Iterator[tuple[Tensor, Tensor]]:
    """(a, y): ordinary logits with hard and soft labels, then extremes."""
    generator = torch.Generator().manual_seed(3)
    for n in (4, 1, 10, 64):
        a = 3 * torch.randn(n, generator=generator)
        y = (torch.rand(n, generator=generator) < 0.5).float() if n != 4 else torch.tensor([0.9, 0.0, 1.0, 0.1])
        yield a, y
        yield a.double(), y.double()
    for far in (100.0, 200.0):
        for dtype in (torch.float32, torch.float64):
            a = torch.tensor([far, -far, 0.0], dtype=dtype)
            yield a, torch.zeros_like(a)
            yield a, torch.ones_like(a)


def _turns_of_4(a: Tensor, y: Tensor) -> list[tuple[Tensor, str]]:
    n, D = len(a), a.sigmoid()
    truth = (D - y) / n
    return [
        (n * truth, "Nearly: that is the gradient of the sum. For the mean over n notes each entry is divided by n."),
        (-truth, "Right but for the sign: prediction minus label. A real note (y = 1) should pull its logit up."),
        (-n * truth, "The sign is turned: prediction minus label, not label minus prediction. And divide by n."),
        ((a - y) / n, "The logit itself is no prediction: pass it through the sigmoid first."),
        (a - y, "The logit itself is no prediction: pass it through the sigmoid first, and divide by n."),
        (2 * (D - y) * D * (1 - D) / n, "That is the gradient of the squared error (sigma(a) - y)^2."),
        (truth * D * (1 - D), "There is a factor sigma(1 - sigma) too many: it cancels against the 1/D(1 - D)."),
        ((D - y) / (D * (1 - D)) / n, "That is the slope in D. The chain rule brings a factor D(1 - D) for the logit."),
    ]


@checker(several(any_number, 2))
def check_5(answer: tuple[float, float]) -> Verdict:
    """(floor, logit): least mean loss with targets 0.9 and 0 on separable notes, H(0.9) / 2; best real logit, log 9."""
    floor, logit = answer
    two_terms = "the target 0.9 has two terms, -0.9 log D and -0.1 log(1 - D); you kept one."
    floors = [
        (_coin(0.9), "that is the floor on the real notes, H(0.9). Half of the notes are generated and cost 0."),
        (0.0, "with the target 0.9 not even the best forecast is free. What does D = 0.9 cost on a real note?"),
        (_coin(0.9) / 2 / LOG2, "that is in bits. The loss is wanted in nats."),
        (LOG2, "log 2 is what D = 1/2 costs. These notes can be told apart."),
        (-math.log(0.9) / 2, two_terms),
        (-0.9 * math.log(0.9) / 2, two_terms),
    ]
    otherwise = (
        "on a real note the loss is the cross-entropy H(0.9, D), least where D = 0.9. On a generated note "
        "the target is 0 and the loss can vanish. Take the mean of the two."
    )
    if pointer := fault(floor, _coin(0.9) / 2, floors, otherwise):
        return not_yet(f"floor: {pointer}")
    best_logits = [
        (math.inf, "with the target 1 it would run to infinity. With 0.9 it has a place to stop."),
        (0.9, "0.9 is the best probability D. Which a has sigma(a) = 0.9?"),
        (1 / (1 + math.exp(-0.9)), "that is sigma(0.9). You want the way back, log(D / (1 - D))."),
        (-math.log(9), "right but for the sign; a real note's logit should be positive."),
        (math.log(9) / LOG2, "that is log 9 to base 2. Take the natural logarithm."),
        (1.0, "1 is a label. Which a has sigma(a) = 0.9?"),
    ]
    if pointer := fault(logit, math.log(9), best_logits, "solve sigma(a) = 0.9, that is a = log(D / (1 - D))."):
        return not_yet(f"logit: {pointer}")
    return right("Smoothed real labels cost 0.163 nats at least, and give the logits of real notes a place to stop.")


@checker(callable)
def check_6(temperature: Function) -> Verdict:
    """temperature(a, y): the T > 0 that minimises BCE(a / T, y), for logits a (n,) and labels y (n,)."""
    for true in (3.0, 1.0, 0.4):
        a, y = _overconfident(true)
        with changes(a=a, y=y) as changed:
            given = any_number(temperature(a, y))
        if changed:
            return not_yet(f"Look at what is left: {changed[0]}")
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


def _first_match(answer: Tensor, wrong_turns: Iterable[tuple[Any, str]]) -> Verdict | None:
    """The pointer of the first wrong turn whose value is the answer of a learner's function."""
    turns = ((tensor(value), pointer) for value, pointer in wrong_turns)
    return next((not_yet(pointer) for value, pointer in turns if agrees(answer, value, torch.float32)), None)


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
