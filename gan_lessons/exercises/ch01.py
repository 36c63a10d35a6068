"""Checkers of chapter 01, Telling apart and making up."""

import copy
import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from gan_lessons.exercises import Verdict, checker, close, not_yet, right
from gan_lessons.exercises.forms import table, tensor
from gan_lessons.exercises.rounding import fault
from gan_lessons.exercises.traces import changes
from gan_lessons.exercises.trials import agrees, misses, pointwise, told
from gan_lessons.models import mlp

ZOO = torch.tensor([[30.0, 10.0], [5.0, 55.0]]) / 100  # horses, zebras; plain, striped


@checker(float)
def try_cut(x: float) -> Verdict:
    """The height at which 0.61 N(160, 8^2) and 0.39 N(130, 8^2) are equally likely: 144.05 cm; 144 will do."""
    truth = 145 + 8**2 / 30 * math.log(0.39 / 0.61)
    if abs(x - truth) <= 0.15:
        return right("One centimetre below the middle: zebras are rarer, so an animal must be a bit smaller to be one.")
    if abs(x - (290 - truth)) <= 0.15:
        return not_yet(
            "The right distance from the middle, to the wrong side: horses are more common. Who gets more room?"
        )
    if abs(x - 145) < 0.05:
        return not_yet(
            "That is halfway, and right for as many zebras as horses. Here a horse is the better bet at 145."
        )
    return not_yet(
        f"At {x:g} cm {'a zebra' if x < truth else 'a horse'} is the better bet. Set a(x) = 0: how far from 145?"
    )


@checker(float)
def try_rubbish(nats: float) -> Verdict:
    """log 1000 = 6.9 nats: what a machine loses at most that draws one digit in a thousand, else noise."""
    turns = [
        (-math.log(1000), "That is the right size. A loss is what is missing, so give it as a positive number."),
        (math.log(100), "That is one digit in a hundred. Here it is one in a thousand."),
        (3.0, "That is the logarithm to base 10. Nats take the natural one, math.log."),
        (math.log2(1000), "That is in bits. Nats take the natural logarithm, math.log."),
        (-math.log(0.999), "That is the logarithm of the share of rubbish. What is the share of digits?"),
        (math.log(0.999), "That is the logarithm of the share of rubbish. What is the share of digits?"),
    ]
    if pointer := fault(nats, math.log(1000), turns, "Put .001 for .01 in the inequality."):
        return not_yet(pointer)
    return right("Ten times fewer digits for another 2.3 nats, and a picture may have thousands.")


@checker(table(float, "p(striped)", "p(zebra | striped)", "p(striped | zebra)"))
def check_1(answers: dict[str, float]) -> Verdict:
    """Three probabilities of the zoo ((30, 10), (5, 55)): p(striped), p(zebra | striped), p(striped | zebra)."""
    (_, b), (_, d) = ZOO.double().tolist()
    all_striped, all_zebras = b + d, float(ZOO[1].double().sum())
    truth = {"p(striped)": b + d, "p(zebra | striped)": d / all_striped, "p(striped | zebra)": d / all_zebras}
    share = "that is a share of all animals."
    column = "Stay in the column of the striped animals. What share of that column are zebras?"
    row = "Stay in the row of the zebras. What share of that row is striped?"
    turns = {
        "p(striped)": [
            (b, "those are the striped horses. Add the striped zebras."),
            (d, "those are the striped zebras. Add the striped horses."),
        ],
        "p(zebra | striped)": [
            (d / all_zebras, "behind the bar stands what you know already: given stripes, divide by the striped ones."),
            (d, f"{share} {column}"),
        ],
        "p(striped | zebra)": [(d, f"{share} {row}")],
    }
    otherwise = {
        "p(striped)": "How many of all 100 animals are striped, whatever their label?",
        "p(zebra | striped)": column,
        "p(striped | zebra)": row,
    }
    for name, answer in answers.items():
        if pointer := fault(answer, truth[name], turns[name], otherwise[name]):
            return not_yet(f"Look at {name}: {pointer}")
    return right("The last two share their numerator. What they are divided by makes them different questions.")


@checker(callable)
def check_2(spin: Callable[[Tensor, Tensor], Tensor]) -> Verdict:
    """spin(p, z): numbers z (n,) of [0, 1) to outcomes (n,), outcome k on a piece of length p[k], in order."""
    for (p, z), given, truth in misses(spin, _outcomes, _spins()):
        shares = [round(share, 3) for share in p.tolist()]
        if given.numel() != len(z):
            shape = tuple(given.shape)
            return not_yet(f"{len(z):,} numbers z should give {len(z):,} outcomes, but yours have shape {shape}.")
        given = given.reshape(-1)
        if len(z) > 1 and torch.equal(given, truth + 1):
            return not_yet("Nearly: your outcomes are one too high. The first piece belongs to outcome 0.")
        if len(z) > 1 and torch.equal(given, (z * len(p)).floor().double()):
            return not_yet(f"Each outcome comes equally often, but p is {shares}: cut pieces of these lengths.")
        if len(z) == 1 and z[0] == 0:
            return not_yet(
                f"Nearly. For p = {shares} and z = 0 you give outcome {given[0]:g}, which has probability 0: z has "
                "passed an end also where it lies on it."
            )
        if len(z) == 1:
            return not_yet(
                f"Nearly. For z just below 1 you give outcome {given[0]:g}, where the last is {len(p) - 1}: rounded "
                "probabilities may add up to a little less than 1. Leave the last end out, or clamp."
            )
        shares_given = [round(float((given == k).double().mean()), 2) for k in range(len(p))]
        return not_yet(
            f"For p = {shares} evenly spread z gave the shares {shares_given}. The pieces end at p.cumsum(0): "
            "count how many ends z has passed."
        )
    return right("The first sampler of the book, in one line: dice in, animals out.")


def _spins() -> Iterator[tuple[Tensor, Tensor]]:
    """(p, z): spread evenly, then the two ends, where a piece has no length or rounded pieces do not fill [0, 1)."""
    for dtype in (torch.float64, torch.float32):
        for shares in ([0.5, 0.4, 0.1], [0.1, 0.2, 0.3, 0.4], [0.25, 0.0, 0.75], [0.3, 0.7]):
            yield torch.tensor(shares, dtype=dtype), (torch.arange(1000, dtype=dtype) + 0.5) / 1000
        for shares in ([0.0, 1.0], [0.0, 0.0, 0.5, 0.5]):
            yield torch.tensor(shares, dtype=dtype), torch.zeros(1, dtype=dtype)
        p = torch.tensor([0.3, 0.3, 0.4], dtype=dtype) * (1 - 1e-6)  # as after some rounding
        yield p, torch.tensor([1 - 2**-24], dtype=dtype)


def _outcomes(p: Tensor, z: Tensor) -> Tensor:
    return (z[:, None] >= p.cumsum(0)[:-1]).sum(1)


@checker(callable)
def check_3(density: Callable[[Any], Any]) -> Verdict:
    """Density of x = z^2 for z uniform on (0, 1): 1 / (2 sqrt(x)), for a tensor of numbers x or one number."""
    x = torch.linspace(0.02, 0.99, 98, dtype=torch.float64)
    cases = [x, x.float(), x[:1], torch.tensor([1e-8, 0.25, 1 - 1e-6], dtype=torch.float64)]
    for (x,), given, truth in misses(lambda x: pointwise(density, x), _density, [(x,) for x in cases]):
        wrong_turns = [
            (2 * x.sqrt(), "That is the slope of G at z = sqrt(x). Where it is steep, G spreads its samples: divide."),
            (2 * x, "That is the slope of G at z = x. You need it at the z that lands on x; and then divide by it."),
            (1 / (2 * x), "You divide by the slope of G, as you should, but at z = x. Take the z that lands on x."),
            (1 / x.sqrt(), "That adds up to 2, not to 1. What is the derivative of z squared?"),
            (x.sqrt(), "That is the share of samples below x. The density is its slope."),
            (torch.ones_like(x), "That is the density of z. G squeezes and stretches it."),
        ]
        for value, pointer in wrong_turns:
            if agrees(given, value, torch.float32):
                return not_yet(pointer)
        return not_yet(f"{told(x, given, truth)} At x = 0.25 it is 1. Half of the samples lie below 0.25: why?")
    return right("Where G is flat, near z = 0, the samples crowd. The density there even has no limit.")


def _density(x: Tensor) -> Tensor:
    return 1 / (2 * x.sqrt())


@checker(callable)
def check_4(log_mixture: Callable[[Tensor, float], Tensor]) -> Verdict:
    """log((1 - share) p + share * 1), from log p (n,), for log p from -3,000 to 3,000."""
    for (log_p, share), given, truth in misses(log_mixture, _log_mixture, _mixtures()):
        if given.squeeze().shape != truth.squeeze().shape:
            return not_yet(f"For {len(truth)} numbers log p there are {len(truth)} answers, one each.")
        if agrees(given, _log_mixture(log_p, 1 - share), torch.float32):
            return not_yet("These are the shares the wrong way round: `share` is how often the machine draws noise.")
        if agrees(given, (1 - share) * log_p, torch.float32):
            return not_yet("That is a mean of logarithms. Mix the densities first, then take the logarithm.")
        if log_p.abs().max() >= 100:
            return not_yet(
                f"Right for small numbers. {told((log_p, share), given, truth)} exp overflows: stay in "
                "logarithms, with torch.logaddexp."
            )
        k = int((given.reshape(-1) - truth).abs().nan_to_num(torch.inf).argmax())
        return not_yet(
            f"With log p = {log_p[k]:g} and share = {share} the mixture's density has the logarithm "
            f"{round(float(truth[k]), 3) + 0.0:g}; "
            f"yours gives {given.reshape(-1)[k]:.3g}."
        )
    return right("And that is the whole paradox: 99 % rubbish never costs more than log 100 = 4.6 nats a picture.")


def _mixtures() -> Iterator[tuple[Tensor, float]]:
    for values in ([-2.0, 0.0, 1.5, 6.0], [3.0], [0.0, 100.0, -100.0], [-3000.0, 3000.0]):
        for dtype in (torch.float64, torch.float32):
            for share in (0.3, 0.5, 0.99, 0.999):
                yield torch.tensor(values, dtype=dtype), share


def _log_mixture(log_p: Tensor, share: float) -> Tensor:
    model, noise = torch.tensor([1 - share, share], dtype=torch.float64).log()
    return torch.logaddexp(log_p.double() + model, noise)


@checker(callable)
def check_5(best_picture: Callable[[Tensor], Tensor]) -> Verdict:
    """The picture (d,) of least mean absolute distance to pictures (n, d): the median of each pixel."""
    generator = torch.Generator().manual_seed(5)
    for n, dtype in ((41, torch.float32), (40, torch.float64), (1, torch.float32)):
        pictures = torch.rand(n, 30, generator=generator, dtype=dtype).pow(3)  # lopsided: mean and median differ
        before = pictures.clone()
        given = tensor(best_picture(pictures))
        if not torch.equal(pictures, before):
            return not_yet("Your function changed the pictures that it was given: work on a copy.")
        if given.numel() != 30:
            found = f"From {n} pictures of 30 pixels you made one of {given.numel()}."
            return not_yet(f"{found} Keep one number for each pixel.")
        if pointer := _costlier(given.reshape(30), before.double()):
            return not_yet(pointer)
    return right("The pixel-wise median. It is black wherever fewer than half of the pictures have ink.")


def _costlier(given: Tensor, pictures: Tensor) -> str:
    """What to say of a picture that costs more than 0.1 % above the least cost; "" for any other."""
    best = pictures.median(0).values
    cost, least = (float((pictures - c).abs().sum(1).mean()) for c in (given, best))
    if cost <= 1.001 * least + 1e-4:
        return ""
    if close(given, pictures.mean(0)):
        return f"The mean is best for squared distances. It costs {cost:.3f} here, the best {least:.3f}."
    if (given[None] - pictures).abs().sum(1).min() < 1e-6:
        return f"One of the given pictures costs {cost:.3f} on average, the best possible one {least:.3f}."
    return (
        f"Yours costs {cost:.3f} on average, the best possible picture {least:.3f}. Each pixel can be chosen alone: "
        f"which number has the smallest mean distance to {len(pictures)} given numbers?"
    )


@checker(callable)
def check_6(advice: Callable[[nn.Module, Tensor], Any]) -> Verdict:
    """The gradient of D's logit at each point (n, 2), with no trace left in D."""
    torch.manual_seed(6)
    network = mlp([2, 16, 1])
    for n, dtype, leftover in ((7, torch.float64, False), (7, torch.float32, True), (1, torch.float64, True)):
        D, points = copy.deepcopy(network).to(dtype), torch.randn(n, 2, dtype=dtype)
        if leftover:
            D(torch.randn(3, 2, dtype=dtype)).sum().backward()
        if pointer := _no_advice(advice, D, points):
            return not_yet(pointer)
    return right("All that a generator ever hears of the real data is an arrow like this.")


def _no_advice(advice: Callable[[nn.Module, Tensor], Any], D: nn.Module, points: Tensor) -> str:
    """What is wrong with the arrows of advice(D, points); "" where nothing is."""
    truth, probability = _gradient(D, points), _gradient(nn.Sequential(copy.deepcopy(D), nn.Sigmoid()), points)
    x, n = points.clone(), len(points)
    with changes(D=D) as changed:
        result: Any = advice(D, x)
    given = tensor(result)
    if changed:
        return f"The arrows may be right, but {changed[0]} torch.autograd.grad(…, points) touches the points alone."
    if given.shape != points.shape:
        return f"{n} points should get arrows of shape {tuple(points.shape)}, but yours have {tuple(given.shape)}."
    if not torch.equal(x.detach(), points):
        return "Your function changed the points that it was given: work on a copy."
    if agrees(given, truth, points.dtype):
        carries = isinstance(result, Tensor) and result.requires_grad
        return "Right numbers, but they still carry a graph: detach them." if carries else ""
    if agrees(given, -truth, torch.float32):
        return "Your arrows point the other way: to where D finds the points *less* real."
    if agrees(given, truth / n, torch.float32):
        return "Your arrows are seven times too short: that is the gradient of the mean. Take the sum."
    if agrees(given, probability, torch.float32):
        return "That is the gradient of the probability sigma(a). Take that of the logit a itself."
    return "Ask autograd for the gradient of D(points).sum() with respect to the points."


def _gradient(D: nn.Module, points: Tensor) -> Tensor:
    points = points.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(D(points).sum(), points)
    return gradient
