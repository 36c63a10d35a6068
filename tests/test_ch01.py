"""Chapter 01: its sampler by hand has the density it should have, and its checkers know what they say."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from gan_lessons import theory
from gan_lessons.exercises import Verdict, ch01
from tests.chapters import by_hand

Function = Callable[..., Any]


X = np.linspace(-4.0, 6.0, 4001)
DENSITIES = {
    "even": np.ones_like(X),
    "normal": np.exp(-(X**2) / 2),
    "two humps of other heights": np.exp(-2 * (X + 2) ** 2) + 3 * np.exp(-2 * (X - 3) ** 2),
    "a cliff": np.where(X > 0, np.exp(-X), 0.0),
    "not yet adding up to 1": 17 * np.exp(-np.abs(X)),
}


def out_of(machine: Function, edges: torch.Tensor) -> torch.Tensor:
    """Exact density of machine(z) for z spread evenly over (0, 1), without dice."""
    return theory.push_forward(lambda z: torch.tensor(machine(z.numpy())), edges, lambda z: z, (0.0, 1.0), 40_000)


@pytest.mark.parametrize("name", DENSITIES)
def test_the_sampler_by_hand_has_the_density_that_it_was_given(name: str) -> None:
    p = DENSITIES[name] / np.trapezoid(DENSITIES[name], X)
    edges = torch.linspace(-3.95, 5.95, 100, dtype=torch.float64)
    below = np.interp(edges, X, np.concatenate([[0], np.cumsum((p[1:] + p[:-1]) / 2 * np.diff(X))]))
    wanted = torch.tensor(np.diff(below))  # the probability of each bin
    given = out_of(by_hand("01_telling_apart", np=np)["sampler"](DENSITIES[name], X), edges) * edges.diff()
    wrong = out_of(lambda z: -4 + 10 * z**2, edges) * edges.diff()
    assert float((given - wanted).abs().sum()) < 1e-3 < 0.1 < float((wrong - wanted).abs().sum())


def test_the_sampler_by_hand_is_a_plain_function_that_climbs_with_z() -> None:
    G = by_hand("01_telling_apart", np=np)["sampler"](DENSITIES["normal"], X)
    z = np.linspace(0, 1, 1001)
    assert (np.diff(G(z)) > 0).all()
    assert (G(z) == G(z)).all()
    assert G(0.5) == pytest.approx(0.0, abs=1e-3)  # the median
    assert G(0.975) == pytest.approx(1.96, abs=1e-2)


def test_the_sampler_by_hand_weighs_each_step_of_an_uneven_grid() -> None:
    x = 12 * np.linspace(0, 1, 4001) ** 2 - 4  # steps that grow from left to right
    G = by_hand("01_telling_apart", np=np)["sampler"](np.exp(-(x**2) / 2), x)
    for z, quantile in ((0.025, -1.95996), (0.25, -0.67449), (0.5, 0.0), (0.975, 1.95996)):
        assert G(z) == pytest.approx(quantile, abs=1e-2)


def assert_wrong(verdict: Verdict, pointer: str) -> None:
    assert verdict.correct is False
    assert pointer in verdict.message, verdict.message
    assert "raised" not in verdict.message


@pytest.mark.parametrize("cut", [144, 144.05, 144.1, np.float64(144.046)])
def test_the_cut_lies_one_centimetre_below_the_middle(cut: float) -> None:
    assert ch01.try_cut(cut).correct is True
    zebra, horse = 0.39 * math.exp(-((cut - 130) ** 2) / 128), 0.61 * math.exp(-((cut - 160) ** 2) / 128)
    assert zebra == pytest.approx(horse, rel=0.05)


@pytest.mark.parametrize(
    ("cut", "pointer"),
    [(145, "halfway"), (145.95, "wrong side"), (140, "a zebra is the better"), (150.0, "a horse is the better")],
)
def test_another_cut_is_told_who_is_likelier_there(cut: float, pointer: str) -> None:
    assert_wrong(ch01.try_cut(cut), pointer)


@pytest.mark.parametrize("nats", [math.log(1000), 6.9, -math.log(0.001)])
def test_one_digit_in_a_thousand_loses_log_1000(nats: float) -> None:
    assert ch01.try_rubbish(nats).correct is True


@pytest.mark.parametrize(
    ("nats", "pointer"),
    [(-6.91, "positive"), (4.605, "hundred"), (3, "base 10"), (9.966, "bits"), (0.0010005, "rubbish"), (1, ".001")],
)
def test_another_price_of_rubbish_is_told_its_mistake(nats: float, pointer: str) -> None:
    assert_wrong(ch01.try_rubbish(nats), pointer)


ZOO = {"p(striped)": 0.65, "p(zebra | striped)": 55 / 65, "p(striped | zebra)": 55 / 60}


@pytest.mark.parametrize("kind", [float, np.float64, torch.tensor])
def test_exercise_1_takes_the_three_probabilities(kind: Function) -> None:
    assert ch01.check_1({name: kind(value) for name, value in ZOO.items()}).correct is True


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"p(zebra | striped)": 55 / 60, "p(striped | zebra)": 55 / 65}, "ehind the bar"),
        ({"p(striped)": 0.10}, "those are the striped horses"),
        ({"p(striped)": 0.55}, "those are the striped zebras"),
        ({"p(striped)": 0.35}, "of all 100 animals"),
        ({"p(zebra | striped)": 0.55}, "share of all animals"),
        ({"p(striped | zebra)": 0.55}, "share of all animals"),
        ({"p(zebra | striped)": 0.5}, "column"),
        ({"p(striped | zebra)": 0.5}, "row"),
        ({"p(striped)": 65}, "per cent"),
        ({"p(striped)": math.nan}, "is nan"),
        ({"another": 0.1}, "it has the key 'another'"),
    ],
)
def test_exercise_1_points_at_the_mistake(change: dict[str, float], pointer: str) -> None:
    assert_wrong(ch01.check_1(ZOO | change), pointer)


SPIN: list[Function] = [
    lambda p, z: (z[:, None] >= p.cumsum(0)[:-1]).sum(1),
    lambda p, z: torch.searchsorted(p.cumsum(0), z.to(p), right=True).clamp(max=len(p) - 1),
    lambda p, z: (z[:, None] >= p.cumsum(0)[:-1]).sum(1).double(),
]


@pytest.mark.parametrize("spin", SPIN)
def test_exercise_2_takes_every_way_to_write_it(spin: Function) -> None:
    assert ch01.check_2(spin).correct is True


@pytest.mark.parametrize(
    ("spin", "pointer"),
    [
        (lambda p, z: (z[:, None] >= p.cumsum(0)[:-1]).sum(1) + 1, "one too high"),
        (lambda p, z: (z * len(p)).long(), "equally often"),
        (lambda p, z: torch.full_like(z, int(p.argmax())), "shares"),
        (lambda p, z: (z[:, None] >= p[:-1]).sum(1), "cumsum"),
        (lambda p, z: p.cumsum(0), "1,000 outcomes"),
        (lambda p, z: torch.searchsorted(p.cumsum(0), z, right=True), "outcome 3"),
        (lambda p, z: (z[:, None] < p.cumsum(0)).int().argmax(1), "outcome 0"),
    ],
)
def test_exercise_2_points_at_the_mistake(spin: Function, pointer: str) -> None:
    assert_wrong(ch01.check_2(spin), pointer)


@pytest.mark.parametrize("density", [lambda x: 1 / (2 * x.sqrt()), lambda x: 0.5 * x**-0.5])
def test_exercise_3_takes_one_over_twice_the_root(density: Function) -> None:
    assert ch01.check_3(density).correct is True
    x = torch.linspace(0, 1, 1_000_001, dtype=torch.float64)[1:]
    assert float(density(x).mean()) == pytest.approx(1, abs=1e-2)  # it is a density
    edges = torch.tensor([0.2, 0.3], dtype=torch.float64)
    exact = theory.push_forward(lambda z: z**2, edges, lambda z: z, (0.0, 1.0), 40_000)
    assert float(exact) == pytest.approx(float(density(torch.linspace(0.2, 0.3, 1001)).mean()), rel=1e-3)


@pytest.mark.parametrize(
    ("density", "pointer"),
    [
        (lambda x: 2 * x.sqrt(), "divide"),
        (lambda x: 2 * x, "slope of G at z = x"),
        (lambda x: 1 / (2 * x), "z that lands on x"),
        (lambda x: 1 / x.sqrt(), "adds up to 2"),
        (lambda x: x.sqrt(), "share of samples below"),
        (lambda x: torch.ones_like(x), "density of z"),
        (lambda x: x**2, "At x = 0.25"),
    ],
)
def test_exercise_3_points_at_the_mistake(density: Function, pointer: str) -> None:
    assert_wrong(ch01.check_3(density), pointer)


def log_mixture(log_p: torch.Tensor, share: float) -> torch.Tensor:
    return torch.logaddexp(log_p + math.log(1 - share), torch.full_like(log_p, math.log(share)))


def test_exercise_4_takes_a_mixture_in_logarithms() -> None:
    assert ch01.check_4(log_mixture).correct is True
    worst = torch.tensor([1e6], dtype=torch.float64)
    assert float(worst - log_mixture(worst, 0.99)) == pytest.approx(math.log(100))  # the chapter's bound, reached


@pytest.mark.parametrize(
    ("mixture", "pointer"),
    [
        (lambda log_p, share: log_mixture(log_p, 1 - share), "wrong way round"),
        (lambda log_p, share: (1 - share) * log_p, "mean of logarithms"),
        (lambda log_p, share: log_p - math.log(100), "the mixture's density has the logarithm"),
        (lambda log_p, share: log_p, "With log p = -2 and share = 0.3"),
        (lambda log_p, share: (log_p + math.log(1 - share)).clamp(min=math.log(share)), "has the logarithm 0;"),
        (lambda log_p, share: log_mixture(log_p, share)[:3], "there are 4 answers"),
        (lambda log_p, share: torch.log((1 - share) * log_p.exp() + share), "logaddexp"),
        (lambda log_p, share: log_mixture(log_p.clamp(-50, 50), share), "logaddexp"),
    ],
)
def test_exercise_4_points_at_the_mistake(mixture: Function, pointer: str) -> None:
    assert_wrong(ch01.check_4(mixture), pointer)


@pytest.mark.parametrize(
    "best", [lambda p: p.median(0).values, lambda p: np.median(p.numpy(), axis=0), lambda p: p.quantile(0.5, dim=0)]
)
def test_exercise_5_takes_any_median(best: Function) -> None:
    assert ch01.check_5(best).correct is True


@pytest.mark.parametrize(
    ("best", "pointer"),
    [
        (lambda p: p.mean(0), "squared distances"),
        (lambda p: p[torch.cdist(p, p, p=1).sum(1).argmin()], "One of the given"),
        (lambda p: torch.zeros(30), "chosen alone"),
        (lambda p: p.median(), "one number for each pixel"),
    ],
)
def test_exercise_5_points_at_the_mistake(best: Function, pointer: str) -> None:
    assert_wrong(ch01.check_5(best), pointer)


def arrows(D: Function, x: torch.Tensor, reduce: str = "sum", after: Function = lambda a: a) -> torch.Tensor:
    x = x.clone().requires_grad_()
    return torch.autograd.grad(getattr(after(D(x)), reduce)(), x)[0]


def backward(D: Function, x: torch.Tensor) -> Any:
    x = x.clone().requires_grad_()
    D(x).sum().backward()
    return x.grad


@pytest.mark.parametrize(
    "advice", [arrows, lambda D, x: torch.func.vmap(torch.func.jacrev(lambda one: D(one)[0]))(x).detach()]
)
def test_exercise_6_takes_the_gradient_of_the_logit(advice: Function) -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    assert ch01.check_6(advice).correct is True
    assert torch.equal(torch.rand(3), expected)  # and the global random state is as it was


@pytest.mark.parametrize(
    ("advice", "pointer"),
    [
        (backward, "left with a gradient"),
        (lambda D, x: arrows(D, x, "mean"), "seven times too short"),
        (lambda D, x: -arrows(D, x), "other way"),
        (lambda D, x: arrows(D, x, after=torch.sigmoid), "probability"),
        (lambda D, x: arrows(D, x).sum(0), "(7, 2)"),
        (lambda D, x: arrows(D, x).requires_grad_(), "detach"),
        (lambda D, x: torch.zeros_like(x), "autograd"),
    ],
)
def test_exercise_6_points_at_the_mistake(advice: Function, pointer: str) -> None:
    assert_wrong(ch01.check_6(advice), pointer)


@pytest.mark.parametrize("number", range(2, 7))
def test_a_stub_is_not_answered_yet(number: int) -> None:
    def stub(*anything: Any) -> Any: ...

    assert getattr(ch01, f"check_{number}")(stub).correct is None
