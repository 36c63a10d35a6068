"""toys: mixtures with known density, modes and moments."""

import math

import pytest
import torch
from scipy import integrate, stats
from torch import Tensor
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from gan_lessons.toys import Mixture, grid, mixture, ring

UNEVEN = mixture([-2.0, 0.5, 3.0], [0.5, 0.1, 1.0], [1.0, 2.0, 5.0])


def reference(toy: Mixture) -> MixtureSameFamily:
    means, stds, weights = (part.double() for part in toy[1:])
    components = Independent(Normal(means, stds[:, None].expand_as(means)), 1)
    return MixtureSameFamily(Categorical(weights), components)


def density(toy: Mixture, x: float) -> float:
    return float(toy.log_density(torch.tensor([[x]], dtype=torch.float64)).exp())


def test_density_on_the_line_integrates_to_one() -> None:
    mass, error = integrate.quad(lambda x: density(UNEVEN, x), -12, 12, points=[-2, 0.5, 3], limit=200)
    assert error < 1e-8
    assert mass == pytest.approx(1, abs=1e-8)


def test_density_in_the_plane_integrates_to_one() -> None:
    toy = mixture([[0.0, 0.0], [1.0, -1.0]], [0.3, 0.6], [1.0, 3.0])
    axis = torch.linspace(-6, 6, 601, dtype=torch.float64)
    points = torch.cartesian_prod(axis, axis)
    assert float(toy.log_density(points).exp().sum()) * 0.02**2 == pytest.approx(1, abs=1e-6)


def test_density_of_one_gaussian_is_scipys() -> None:
    for x in (-3.0, 0.2, 7.5):
        assert density(mixture([1.5], 2.0), x) == pytest.approx(stats.norm(1.5, 2.0).pdf(x), rel=1e-6)


@pytest.mark.parametrize("toy", [UNEVEN, ring(), grid(), ring(5, radius=2, std=0.3)], ids=lambda toy: toy.name)
def test_log_density_is_that_of_torch_distributions(toy: Mixture) -> None:
    x = 3 * torch.randn(500, toy.dim, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x = torch.cat([x, toy.sample(500, generator=torch.Generator().manual_seed(1)).double()])
    torch.testing.assert_close(toy.log_density(x), reference(toy).log_prob(x), rtol=1e-7, atol=1e-6)


def test_log_density_keeps_its_digits_in_single_precision_on_a_narrow_ring() -> None:
    x = ring().sample(1_000, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(ring().log_density(x).double(), ring().log_density(x.double()), rtol=0, atol=1e-3)


def test_log_density_is_finite_far_away_and_has_the_gaussian_score_as_gradient() -> None:
    x = torch.tensor([[50.0, -20.0]], requires_grad=True)
    value = mixture([[1.0, 2.0]], 0.5).log_density(x).sum()
    (score,) = torch.autograd.grad(value, x)
    assert math.isfinite(value.item())
    torch.testing.assert_close(score, torch.tensor([[-196.0, 88.0]]))  # -(x - mean) / std^2


def test_sample_has_the_mixtures_mean_variance_and_weights() -> None:
    n = 200_000
    x = UNEVEN.sample(n, generator=torch.Generator().manual_seed(0)).double()
    assert x.shape == (n, 1)
    means, stds, weights = UNEVEN.means[:, 0].double(), UNEVEN.stds.double(), UNEVEN.weights.double()
    mean = float((weights * means).sum())
    variance = float((weights * (stds**2 + means**2)).sum()) - mean**2
    assert abs(float(x.mean()) - mean) < 4 * math.sqrt(variance / n)
    fourth = float(((x - mean) ** 4).mean())
    assert abs(float(x.var()) - variance) < 4 * math.sqrt((fourth - variance**2) / n)
    share = float((x < -0.5).double().mean())  # the leftmost component, up to its far tail
    expected = sum(w * stats.norm(m, s).cdf(-0.5) for w, m, s in zip(weights, means, stds, strict=True))
    assert abs(share - expected) < 4 * math.sqrt(expected * (1 - expected) / n)


def test_sample_in_the_plane_has_round_components() -> None:
    n = 100_000
    x = mixture([[3.0, -1.0]], 0.5).sample(n, generator=torch.Generator().manual_seed(0))
    covariance = torch.cov(x.T)
    assert (x.mean(0) - torch.tensor([3.0, -1.0])).abs().max() < 4 * 0.5 / math.sqrt(n)
    assert (covariance - 0.25 * torch.eye(2)).abs().max() < 4 * 0.25 * math.sqrt(2 / n)


def nearest_counts(toy: Mixture, x: Tensor) -> Tensor:
    return torch.cdist(x, toy.means).argmin(1).bincount(minlength=toy.modes)


@pytest.mark.parametrize("toy", [ring(), grid()], ids=lambda toy: toy.name)
def test_sample_visits_all_modes_equally(toy: Mixture) -> None:
    counts = nearest_counts(toy, toy.sample(20_000, generator=torch.Generator().manual_seed(0)))
    assert 0.001 < stats.chisquare(counts.numpy()).pvalue < 0.999


@pytest.mark.parametrize("k", [1, 2, 7, 8, 12])
def test_ring_has_k_distinct_evenly_spaced_modes(k: int) -> None:
    toy = ring(k, radius=2.0, std=0.1)
    assert toy.modes == k
    assert toy.dim == 2
    torch.testing.assert_close(toy.means.norm(dim=1), torch.full((k,), 2.0))
    torch.testing.assert_close(toy.means[0], torch.tensor([2.0, 0.0]))
    steps = (toy.means - toy.means.roll(1, dims=0)).norm(dim=1)
    torch.testing.assert_close(steps, torch.full((k,), 4 * math.sin(math.pi / k)), atol=1e-6, rtol=1e-5)


def test_grid_is_the_published_one() -> None:
    expected = {(x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)}
    assert {(float(x), float(y)) for x, y in grid().means} == expected
    assert grid().stds.unique().tolist() == [pytest.approx(0.05)]
    assert ring().stds.unique().tolist() == [pytest.approx(0.01)]


def test_sample_repeats_with_its_generator_and_follows_the_global_seed_without_one() -> None:
    first, second = (ring().sample(50, generator=torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, second)
    torch.manual_seed(4)
    third = ring().sample(50)
    torch.manual_seed(4)
    assert torch.equal(third, ring().sample(50))
    assert not torch.equal(first, third)


def test_weights_are_scaled_to_add_up_to_one() -> None:
    torch.testing.assert_close(UNEVEN.weights, torch.tensor([0.125, 0.25, 0.625]))
    torch.testing.assert_close(grid(2).weights, torch.full((4,), 0.25))


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: mixture([0.0, 1.0], [1.0, 0.0]), "std must be above 0"),
        (lambda: mixture([0.0, 1.0], 1.0, [1.0, -1.0]), "weight at least 0"),
        (lambda: mixture([0.0, 1.0], 1.0, [0.0, 0.0]), "one weight above 0"),
        (lambda: mixture([0.0, 1.0], [1.0, 1.0, 1.0]), "2 means need 2 stds"),
        (lambda: mixture([], 1.0), "means are k numbers or k points"),
        (lambda: ring(0), "modes must be a whole number"),
        (lambda: grid(2.5), "side must be a whole number"),  # type: ignore[arg-type]
        (lambda: grid().log_density(torch.zeros(3)), r"points of shape \(n, 2\), not \(3,\)"),
    ],
)
def test_nonsense_is_refused_with_words(build, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=words):
        build()
