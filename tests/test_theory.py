import math

import pytest
import torch

from gan_lessons import theory

x = torch.linspace(-20, 20, 20_001, dtype=torch.float64)


def normal(mean: float, std: float) -> torch.Tensor:
    return torch.exp(-0.5 * ((x - mean) / std) ** 2) / (std * math.sqrt(2 * math.pi))


def test_discrete_forms_agree_with_scipy() -> None:
    from scipy.spatial.distance import jensenshannon
    from scipy.stats import entropy

    p, q = torch.tensor([0.5, 0.3, 0.2]).double(), torch.tensor([0.1, 0.6, 0.3]).double()
    assert float(theory.entropy(p)) == pytest.approx(entropy(p.numpy()))
    assert float(theory.kl(p, q)) == pytest.approx(entropy(p.numpy(), q.numpy()))
    assert float(theory.js(p, q)) == pytest.approx(jensenshannon(p.numpy(), q.numpy()) ** 2)


def test_zero_probabilities_add_nothing_to_entropy_and_make_kl_infinite() -> None:
    sure, fair = torch.tensor([1.0, 0.0]), torch.tensor([0.5, 0.5])
    assert float(theory.entropy(sure)) == 0
    assert float(theory.kl(sure, fair)) == pytest.approx(math.log(2))
    assert float(theory.kl(fair, sure)) == math.inf
    assert float(theory.js(sure, 1 - sure)) == pytest.approx(math.log(2))


def test_quadrature_finds_the_closed_form_of_two_gaussians() -> None:
    p, q = normal(0.5, 1.0), normal(-1.0, 2.0)
    assert float(theory.integrate(p, x)) == pytest.approx(1.0, abs=1e-9)
    assert float(theory.kl_quadrature(p, q, x)) == pytest.approx(theory.gaussian_kl(0.5, 1.0, -1.0, 2.0), rel=1e-6)
    expected = (theory.kl_quadrature(p, (p + q) / 2, x) + theory.kl_quadrature(q, (p + q) / 2, x)) / 2
    assert float(theory.js_quadrature(p, q, x)) == pytest.approx(float(expected), rel=1e-9)


def test_js_is_zero_for_equal_log_two_for_far_and_never_more() -> None:
    assert float(theory.js_quadrature(normal(0, 1), normal(0, 1), x)) == pytest.approx(0, abs=1e-12)
    assert float(theory.js_quadrature(normal(-10, 0.5), normal(10, 0.5), x)) == pytest.approx(math.log(2), abs=1e-9)


def test_js_counts_what_lies_beyond_the_grid_as_having_nothing_in_common() -> None:
    p, q = normal(0, 1), normal(0.5, 1)
    apart = torch.zeros_like(x)  # all of it lies beyond
    expected = float(theory.js_quadrature(p, q, x))
    found = theory.js_within(p, torch.stack([q, 0.75 * p, apart]), x)
    assert float(found[0]) == pytest.approx(expected, rel=1e-9)
    m = (1 + 0.75) / 2
    three_quarters = (0.75 * math.log(0.75 / m) - math.log(m)) / 2 + 0.25 * math.log(2) / 2
    assert float(found[1]) == pytest.approx(three_quarters, rel=1e-6)
    assert float(found[2]) == pytest.approx(math.log(2), rel=1e-6)


def test_value_at_the_optimal_discriminator_is_two_js_minus_two_log_two() -> None:
    p, q = normal(0, 1), normal(1.5, 1)
    best = theory.optimal_logit(p.log(), q.log())
    value = float(theory.value(p, q, best, x))
    assert value == pytest.approx(2 * float(theory.js_quadrature(p, q, x)) - 2 * math.log(2), rel=1e-9)
    assert all(float(theory.value(p, q, best + e * torch.sin(x), x)) < value for e in (-0.1, 0.1))


def test_push_forward_of_a_line_is_a_scaled_normal() -> None:
    edges = torch.linspace(-8, 8, 161, dtype=torch.float64)
    density = theory.push_forward(lambda z: 2 * z + 1, edges, theory.normal_cdf, (-8, 8), 4000)
    expected = theory.normal_cdf((edges - 1) / 2).diff() / edges.diff()
    assert torch.allclose(density, expected, rtol=1e-3, atol=1e-9)


def test_push_forward_keeps_its_mass_at_folds_and_where_g_is_flat() -> None:
    edges = torch.linspace(-3, 12, 301, dtype=torch.float64)
    square = theory.push_forward(lambda z: z**2, edges, theory.normal_cdf, (-3.4, 3.4), 8000)
    flat = theory.push_forward(lambda z: torch.full_like(z, 2.03), edges, theory.normal_cdf, (-8, 8), 100)
    widths = edges.diff()
    assert float((square * widths).sum()) == pytest.approx(1.0, abs=1e-9)
    assert float((flat * widths).sum()) == pytest.approx(1.0, abs=1e-9)
    assert int((flat > 0).sum()) == 1
    middle = (edges[1:] + edges[:-1]) / 2
    chi2 = torch.exp(-middle / 2) / torch.sqrt(2 * math.pi * middle.clamp(min=1e-9))
    far = (middle > 0.5) & (middle < 9)
    assert torch.allclose(square[far], chi2[far], rtol=0.02)


def test_push_forward_takes_many_generators_at_once() -> None:
    edges = torch.linspace(-6, 6, 61, dtype=torch.float64)
    both = theory.push_forward(lambda z: torch.cat([z, -2 * z], 1), edges, theory.normal_cdf, (-8, 8), 2000)
    one = theory.push_forward(lambda z: -2 * z, edges, theory.normal_cdf, (-8, 8), 2000)
    assert both.shape == (2, 60)
    assert torch.allclose(both[1], one)


def test_the_cdf_of_the_uniform_prior_is_that_of_minus_one_to_one() -> None:
    z = torch.tensor([-2.0, -1.0, 0.0, 0.5, 1.0, 3.0])
    assert theory.uniform_cdf(z).tolist() == [0, 0, 0.5, 0.75, 1, 1]
