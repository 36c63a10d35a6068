import math
from collections.abc import Callable

import pytest
import torch

from gan_lessons import noise

N, DIM = 20_000, 16


def draw(prior: noise.Prior) -> torch.Tensor:
    return prior.sample(N, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("prior", "mean", "variance"),
    [
        (noise.gaussian(DIM), 0.0, 1.0),
        (noise.uniform(DIM), 0.0, 1 / 3),
        (noise.uniform01(DIM), 0.5, 1 / 12),
        (noise.sphere(DIM), 0.0, 1.0),
    ],
    ids=lambda p: getattr(p, "name", ""),
)
def test_mean_and_variance_of_each_prior(prior: noise.Prior, mean: float, variance: float) -> None:
    z = draw(prior)
    assert z.shape == (N, DIM)
    spread = math.sqrt(variance / z.numel())
    assert float(z.mean()) == pytest.approx(mean, abs=5 * spread)
    assert float(z.var()) == pytest.approx(variance, rel=0.02)


def test_uniform_fills_the_cube_from_minus_one_to_one_and_uniform01_its_positive_corner() -> None:
    z, positive = draw(noise.uniform(DIM)), draw(noise.uniform01(DIM))
    assert -1 <= float(z.min()) < -0.999
    assert 0.999 < float(z.max()) <= 1
    assert 0 <= float(positive.min()) < 0.001
    assert 0.999 < float(positive.max()) <= 1


def test_sphere_has_radius_root_dim() -> None:
    assert torch.allclose(draw(noise.sphere(DIM)).norm(dim=1), torch.full((N,), DIM**0.5), rtol=1e-5)


def test_vectors_of_uniform01_point_the_same_way_and_those_of_uniform_do_not() -> None:
    def mean_cosine(prior: noise.Prior) -> float:
        z = torch.nn.functional.normalize(prior.sample(2_000, generator=torch.Generator().manual_seed(1)), dim=1)
        return float((z[::2] * z[1::2]).sum(1).mean())

    assert mean_cosine(noise.uniform01(100)) == pytest.approx(0.75, abs=0.01)
    assert mean_cosine(noise.uniform(100)) == pytest.approx(0, abs=0.02)


def test_draws_differ_and_repeat_with_the_seed() -> None:
    prior = noise.gaussian(4)
    torch.manual_seed(0)
    first, second = prior.sample(3), prior.sample(3)
    torch.manual_seed(0)
    assert torch.equal(prior.sample(3), first)
    assert not torch.equal(first, second)


@pytest.mark.parametrize("dim", [0, -1, 2.5])
def test_a_dimension_that_makes_no_sense_is_refused(dim: int) -> None:
    with pytest.raises(ValueError, match="dimension of a prior must be a whole number of at least 1"):
        noise.gaussian(dim)


def test_a_shifted_prior_has_the_shifted_mean_and_the_scaled_spread() -> None:
    z = draw(noise.shifted(noise.gaussian(DIM), 3.0, 0.5))
    assert float(z.mean()) == pytest.approx(3, abs=0.01)
    assert float(z.std()) == pytest.approx(0.5, rel=0.01)


@pytest.mark.parametrize(
    ("prior", "mean", "variance"), [(noise.uniform(DIM), 0, 1 / 3), (noise.uniform01(DIM), 0.5, 1 / 12)]
)
def test_a_standardised_prior_has_mean_0_and_variance_1(prior: noise.Prior, mean: float, variance: float) -> None:
    z = draw(noise.standardised(prior, mean, math.sqrt(variance)))
    assert float(z.mean()) == pytest.approx(0, abs=0.01)
    assert float(z.var()) == pytest.approx(1, rel=0.01)
    assert float(z.abs().max()) == pytest.approx(math.sqrt(3), abs=0.01)  # and is still uniform


def test_constant_noise_cannot_be_standardised() -> None:
    with pytest.raises(ValueError, match="above 0"):
        noise.standardised(noise.uniform01(4), 0.5, 0.0)


def test_a_turned_prior_keeps_lengths_and_angles_and_moves_the_mean() -> None:
    toward = torch.full((DIM,), DIM**-0.5)
    v = toward - torch.eye(DIM)[0]
    mirror = torch.eye(DIM) - 2 * torch.outer(v, v) / v.dot(v)
    before, after = draw(noise.uniform01(DIM))[:50], draw(noise.turned(noise.uniform01(DIM), mirror))[:50]
    torch.testing.assert_close(after @ after.T, before @ before.T)
    mean = draw(noise.turned(noise.uniform01(DIM), mirror)).mean(0)
    assert float(mean[0]) == pytest.approx(DIM**0.5 / 2, rel=0.01)
    assert float(mean[1:].abs().max()) < 0.02


def test_only_a_rotation_turns_noise() -> None:
    for wrong in (2 * torch.eye(DIM), torch.eye(DIM + 1)):
        with pytest.raises(ValueError, match="orthogonal"):
            noise.turned(noise.gaussian(DIM), wrong)


@pytest.mark.parametrize("walk", [noise.lerp, noise.slerp])
def test_a_walk_begins_and_ends_where_it_should(walk: Callable[..., torch.Tensor]) -> None:
    start, stop = draw(noise.gaussian(DIM))[:100].split(50)
    torch.testing.assert_close(walk(start, stop, 0.0), start)
    torch.testing.assert_close(walk(start, stop, 1.0), stop)


def test_slerp_stays_on_the_sphere_in_equal_angles_and_lerp_cuts_through() -> None:
    start, stop = draw(noise.sphere(100))[:200].split(100)
    third = noise.slerp(start, stop, 1 / 3)
    torch.testing.assert_close(third.norm(dim=1), start.norm(dim=1))
    angle = torch.cosine_similarity(start, stop).acos()
    torch.testing.assert_close(torch.cosine_similarity(start, third).acos(), angle / 3, rtol=1e-3, atol=1e-4)
    assert float(noise.lerp(start, stop, 0.5).norm(dim=1).mean()) == pytest.approx(math.sqrt(50), rel=0.01)


def test_slerp_of_a_vector_with_itself_is_the_vector() -> None:
    z = draw(noise.gaussian(DIM))[:10]
    torch.testing.assert_close(noise.slerp(z, z, 0.3), z)
    torch.testing.assert_close(noise.slerp(z, 2 * z, 0.5), 1.5 * z)
