"""Checkers of chapter 01, Telling apart and making up."""

import copy
import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from gan_lessons.exercises import Verdict, checker, close, not_yet, right
from gan_lessons.models import mlp

ZOO = torch.tensor([[30.0, 10.0], [5.0, 55.0]]) / 100  # horses, zebras; plain, striped


@checker(dict)
def check_1(answers: Mapping[str, float]) -> Verdict:
    """Three probabilities of the zoo ((30, 10), (5, 55)): p(striped), p(zebra | striped), p(striped | zebra)."""
    (_, b), (_, d) = ZOO.tolist()
    columns, rows = ZOO.sum(0).tolist(), ZOO.sum(1).tolist()
    truth = {"p(striped)": columns[1], "p(zebra | striped)": d / columns[1], "p(striped | zebra)": d / rows[1]}
    if set(answers) != set(truth):
        return not_yet(f"Keep the three keys {list(truth)}.")
    if all(close(answers[name], truth[name]) for name in truth):
        return right("The last two share their numerator. What they are divided by makes them different questions.")
    given = {name: float(value) for name, value in answers.items()}
    if any(value > 1 for value in given.values()):
        return not_yet("A probability is at most 1: divide the counts.")
    if close(given["p(zebra | striped)"], truth["p(striped | zebra)"]) and not close(
        given["p(striped | zebra)"], truth["p(striped | zebra)"]
    ):
        return not_yet("Behind the bar stands what you know already: given stripes, divide by the striped animals.")
    wrong = next(name for name in truth if not close(given[name], truth[name]))
    pointers = {
        "p(striped)": "How many of all 100 animals are striped, whatever their label?",
        "p(zebra | striped)": "Stay in the column of the striped animals. What share of that column are zebras?",
        "p(striped | zebra)": "Stay in the row of the zebras. What share of that row is striped?",
    }
    if close(given[wrong], d) and wrong != "p(striped)":
        return not_yet(f"Look at {wrong}: {d:g} is a share of all animals. {pointers[wrong]}")
    if wrong == "p(striped)" and close(given[wrong], b):
        return not_yet("Look at p(striped): those are the striped horses. Add the striped zebras.")
    return not_yet(f"Look at {wrong}. {pointers[wrong]}")


@checker(callable)
def check_2(spin: Callable[[Tensor, Tensor], Tensor]) -> Verdict:
    """spin(p, z): numbers z (n,) of [0, 1) to outcomes (n,), outcome k on a piece of length p[k], in order."""
    for shares in ([0.5, 0.4, 0.1], [0.1, 0.2, 0.3, 0.4], [0.25, 0.0, 0.75]):
        p = torch.tensor(shares, dtype=torch.float64)
        z = (torch.arange(1000, dtype=torch.float64) + 0.5) / 1000
        truth = torch.tensor([sum(float(v) >= sum(shares[: k + 1]) for k in range(len(shares) - 1)) for v in z])
        given = torch.as_tensor(spin(p, z))
        if given.shape != z.shape:
            return not_yet(f"1,000 numbers z should give 1,000 outcomes, but yours have shape {tuple(given.shape)}.")
        given = given.long()
        if torch.equal(given, truth):
            continue
        if torch.equal(given, truth + 1):
            return not_yet("Nearly: your outcomes are one too high. The first piece belongs to outcome 0.")
        if torch.equal(given, (z * len(p)).long()):
            return not_yet(f"Each outcome comes equally often, but p is {shares}: cut pieces of these lengths.")
        shares_given = [round(float((given == k).double().mean()), 2) for k in range(len(shares))]
        return not_yet(
            f"For p = {shares} evenly spread z gave the shares {shares_given}. The pieces end at p.cumsum(0): "
            "count how many ends z has passed."
        )
    p = torch.tensor([0.3, 0.3, 0.4]) * (1 - 1e-6)  # as after some rounding
    last = int(torch.as_tensor(spin(p, torch.tensor([1 - 2**-24]))).item())
    if last != 2:
        return not_yet(
            f"Nearly. For z just below 1 you give outcome {last}, where the last of three is 2: rounded probabilities "
            "may add up to a little less than 1. Leave the last end out, or clamp."
        )
    return right("The first sampler of the book, in one line: dice in, animals out.")


@checker(callable)
def check_3(density: Callable[[Tensor], Tensor]) -> Verdict:
    """Density of x = z^2 for z uniform on (0, 1): 1 / (2 sqrt(x))."""
    x = torch.linspace(0.02, 0.99, 98, dtype=torch.float64)
    given = torch.as_tensor(density(x), dtype=torch.float64)
    truth = 1 / (2 * x.sqrt())
    if close(given, truth):
        return right("Where G is flat, near z = 0, the samples crowd. The density there even has no limit.")
    wrong_turns = [
        (2 * x.sqrt(), "That is the slope of G at z = sqrt(x). Where G is steep it spreads its samples thin: divide."),
        (2 * x, "That is the slope of G at z = x. You need it at the z that lands on x; and then divide by it."),
        (1 / (2 * x), "You divide by the slope of G, as you should, but at z = x. Take the z that lands on x."),
        (1 / x.sqrt(), "That adds up to 2, not to 1. What is the derivative of z squared?"),
        (x.sqrt(), "That is the share of samples below x. The density is its slope."),
        (torch.ones_like(x), "That is the density of z. G squeezes and stretches it."),
    ]
    for value, pointer in wrong_turns:
        if close(given, value):
            return not_yet(pointer)
    return not_yet(
        f"At x = 0.25 the density is 1, and yours is {float(density(torch.tensor([0.25], dtype=torch.float64))):.3g}. "
        "Half of the samples lie below 0.25: why?"
    )


@checker(callable)
def check_4(log_mixture: Callable[[Tensor, float], Tensor]) -> Verdict:
    """log((1 - share) p + share * 1), from log p (n,), for log p from -3,000 to 3,000."""
    for share in (0.5, 0.99, 0.999):
        log_p = torch.tensor([-2.0, 0.0, 1.5, 6.0], dtype=torch.float64)
        given = torch.as_tensor(log_mixture(log_p, share), dtype=torch.float64)
        truth = torch.log((1 - share) * log_p.exp() + share)
        if close(given, truth):
            continue
        if close(given, torch.log(share * log_p.exp() + (1 - share))):
            return not_yet("These are the shares the wrong way round: `share` is how often the machine draws noise.")
        if close(given, (1 - share) * log_p):
            return not_yet("That is a mean of logarithms. Mix the densities first, then take the logarithm.")
        if given.shape != truth.shape:
            return not_yet(f"For {len(truth)} numbers log p there are {len(truth)} answers, one each.")
        k = int((given - truth).abs().nan_to_num(math.inf).argmax())
        return not_yet(
            f"With log p = {log_p[k]:g} and share = {share} the mixture's density has the logarithm {truth[k]:.3g}; "
            f"yours gives {given[k]:.3g}."
        )
    far = torch.tensor([-3000.0, 3000.0], dtype=torch.float64)
    given = torch.as_tensor(log_mixture(far, 0.99), dtype=torch.float64)
    truth = torch.tensor([math.log(0.99), 3000 + math.log(0.01)], dtype=torch.float64)
    if not close(given, truth, 1e-6):
        return not_yet(
            f"Right for small numbers. But for log p = -3000 and 3000 yours gives {given[0]:.4g} and {given[1]:.6g}; "
            "it should be -0.01005 and 2995.39. exp(3000) overflows: stay in logarithms, with torch.logaddexp."
        )
    return right("And that is the whole paradox: 99 % rubbish never costs more than log 100 = 4.6 nats a picture.")


@checker(callable)
def check_5(best_picture: Callable[[Tensor], Tensor]) -> Verdict:
    """The picture (d,) of least mean absolute distance to pictures (n, d): the median of each pixel."""
    generator = torch.Generator().manual_seed(5)
    pictures = torch.rand(41, 30, generator=generator).pow(3)  # lopsided, so that mean and median differ
    given = torch.as_tensor(best_picture(pictures.clone()))
    if given.numel() != 30:
        return not_yet(f"From pictures of 30 pixels you made one of {given.numel()}. Keep one number for each pixel.")
    given = given.reshape(30).to(pictures)
    cost, least = (float((pictures - c).abs().sum(1).mean()) for c in (given, pictures.median(0).values))
    if close(cost, least, 1e-5):
        return right("The pixel-wise median. It is black wherever fewer than half of the pictures have ink.")
    if close(given, pictures.mean(0)):
        return not_yet(f"The mean is best for squared distances. It costs {cost:.3f} here, the best {least:.3f}.")
    if (given[None] - pictures).abs().sum(1).min() < 1e-6:
        return not_yet(f"One of the given pictures costs {cost:.3f} on average, the best possible one {least:.3f}.")
    return not_yet(
        f"Yours costs {cost:.3f} on average, the best possible picture {least:.3f}. Each pixel can be chosen alone: "
        "which number has the smallest mean distance to 41 given numbers?"
    )


@checker(callable)
def check_6(advice: Callable[[nn.Module, Tensor], Tensor]) -> Verdict:
    """The gradient of D's logit at each point (n, 2), with no trace left in D."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(6)
        D, points = mlp([2, 16, 1]).double(), torch.randn(7, 2, dtype=torch.float64)
    truth, probability = _gradient(D, points), _gradient(nn.Sequential(copy.deepcopy(D), nn.Sigmoid()), points)
    given: Any = advice(D, points.clone())
    if any(weight.grad is not None for weight in D.parameters()):
        return not_yet("The arrows may be right, but D was left with a gradient: use torch.autograd.grad(…, points).")
    if given.shape != points.shape:
        return not_yet(f"7 points should get 7 arrows (7, 2), but yours have shape {tuple(given.shape)}.")
    if close(given, truth, 1e-6):
        if given.requires_grad:
            return not_yet("Right numbers, but they still carry a graph: detach them.")
        return right("All that a generator ever hears of the real data is an arrow like this.")
    if close(given, -truth, 1e-6):
        return not_yet("Your arrows point the other way: to where D finds the points *less* real.")
    if close(given, truth / len(points), 1e-6):
        return not_yet("Your arrows are seven times too short: that is the gradient of the mean. Take the sum.")
    if close(given, probability, 1e-6):
        return not_yet("That is the gradient of the probability sigma(a). Take that of the logit a itself.")
    return not_yet("Ask autograd for the gradient of D(points).sum() with respect to the points.")


def _gradient(D: nn.Module, points: Tensor) -> Tensor:
    points = points.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(D(points).sum(), points)
    return gradient
