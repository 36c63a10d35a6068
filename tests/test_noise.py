import math

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
    with pytest.raises(ValueError, match="positive whole dimension"):
        noise.gaussian(dim)
