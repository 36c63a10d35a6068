"""Distances of features against closed forms, brute force, scipy and torch-fidelity."""

import math
from typing import Any

import numpy as np
import pytest
import scipy.linalg
import torch

from gan_lessons.metrics.distances import Moments, frechet_distance, kernel_distance, kernel_distances, moments
from gan_lessons.metrics.neighbours import nearest, precision_recall


def spd(d: int, seed: int) -> torch.Tensor:
    a = torch.randn(d, 2 * d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return a @ a.T / d


def cloud(n: int, d: int, seed: int, shift: float = 0.0) -> torch.Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + shift


def test_frechet_distance_is_squared_mean_distance_for_equal_covariance() -> None:
    covariance = spd(6, 0)
    a, b = Moments(torch.zeros(6).double(), covariance), Moments(torch.full((6,), 2.0).double(), covariance)
    assert frechet_distance(a, b) == pytest.approx(24.0, rel=1e-9)
    assert frechet_distance(a, a) == pytest.approx(0.0, abs=1e-9)


def test_frechet_distance_of_commuting_covariances_is_squared_distance_of_their_roots() -> None:
    a = Moments(torch.zeros(2).double(), torch.diag(torch.tensor([4.0, 9.0])).double())
    b = Moments(torch.zeros(2).double(), torch.diag(torch.tensor([1.0, 25.0])).double())
    assert frechet_distance(a, b) == pytest.approx((2 - 1) ** 2 + (3 - 5) ** 2, rel=1e-12)


def test_frechet_distance_agrees_with_scipys_matrix_root_and_is_symmetric() -> None:
    a = Moments(torch.arange(5).double(), spd(5, 1))
    b = Moments(torch.ones(5).double(), spd(5, 2))
    root = scipy.linalg.sqrtm(a.covariance.numpy() @ b.covariance.numpy())
    expected = float(((a.mean - b.mean) ** 2).sum()) + float(
        np.trace(a.covariance.numpy() + b.covariance.numpy() - 2 * np.real(root))
    )
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-8)
    assert frechet_distance(b, a) == pytest.approx(expected, rel=1e-8)


def test_frechet_distance_survives_singular_covariances() -> None:
    few = torch.randn(5, 20, generator=torch.Generator().manual_seed(0))
    assert frechet_distance(moments(few), moments(few)) == pytest.approx(0.0, abs=1e-5)
    assert math.isfinite(frechet_distance(moments(few), moments(few + 1)))


def test_moments_are_mean_and_unbiased_covariance() -> None:
    features = cloud(50, 3, 0)
    m = moments(features)
    assert torch.allclose(m.mean, features.mean(0))
    assert np.allclose(m.covariance.numpy(), np.cov(features.numpy().T))
    with pytest.raises(ValueError, match="n >= 2"):
        moments(features[:1])


def test_kernel_distance_of_two_points_each_many_times_over() -> None:
    x, y = torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, -2.0]])
    # k(x, x) = (5/2 + 1)^3, k(y, y) = (4/2 + 1)^3, k(x, y) = (-4/2 + 1)^3
    expected = 3.5**3 + 3.0**3 - 2 * (-1.0) ** 3
    assert kernel_distance(x.repeat(4, 1), y.repeat(7, 1)) == pytest.approx(expected, rel=1e-12)
    assert kernel_distance(x.repeat(4, 1), x.repeat(7, 1)) == pytest.approx(0.0, abs=1e-12)


def test_kernel_distance_is_the_sum_over_pairs_of_different_rows() -> None:
    a, b = cloud(5, 3, 0), cloud(7, 3, 1, shift=0.5)

    def k(x: torch.Tensor, y: torch.Tensor) -> float:
        return float((x @ y / 3 + 1) ** 3)

    within = [sum(k(r[i], r[j]) for i in range(len(r)) for j in range(len(r)) if i != j) for r in (a, b)]
    between = sum(k(x, y) for x in a for y in b)
    expected = within[0] / 20 + within[1] / 42 - 2 * between / 35
    assert kernel_distance(a, b) == pytest.approx(expected, rel=1e-10)
    assert kernel_distance(b, a) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("shift", [0.0, 0.7])
def test_kernel_distance_is_unbiased(shift: float) -> None:
    # For d = 1 the kernel is 1 + 3xy + 3x^2y^2 + x^3y^3, so MMD^2 is made of the differences of three moments.
    truth = 3 * shift**2 + 3 * shift**4 + (shift**3 + 3 * shift) ** 2
    found = kernel_distances(cloud(20_000, 1, 2), cloud(20_000, 1, 3, shift), size=10)
    assert found.shape == (2_000,)
    error = float(found.std()) / math.sqrt(len(found))
    assert abs(float(found.mean()) - truth) < 3.5 * error
    biased = 2 * (1 + 3 + 3 * 3 + 15) / 10  # what pairing each row with itself would add where there is no shift
    assert error < biased / 4


def test_blocks_are_disjoint_and_their_mean_is_near_the_whole() -> None:
    a, b = cloud(250, 4, 0), cloud(230, 4, 1, 0.3)
    blocks = kernel_distances(a, b, size=100)
    expected = [kernel_distance(a[:100], b[:100]), kernel_distance(a[100:200], b[100:200])]
    assert blocks.tolist() == pytest.approx(expected)
    assert kernel_distances(a[:30], b, size=100).tolist() == pytest.approx([kernel_distance(a[:30], b[:30])])


@pytest.mark.parametrize(
    ("a", "b"), [((1, 3), (5, 3)), ((5, 3), (1, 3)), ((5, 3), (5, 2)), ((5,), (5, 3)), ((5, 3), (5,))]
)
def test_features_of_no_use_are_refused(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="n, m >= 2"):
        kernel_distance(torch.zeros(a), torch.zeros(b))


def test_both_distances_agree_with_torch_fidelity() -> None:
    fidelity: Any = pytest.importorskip("torch_fidelity")
    from torch_fidelity import metric_fid, metric_kid

    assert fidelity.__version__
    a, b = cloud(60, 5, 0), cloud(60, 5, 1, 0.4) * 1.3
    ours = frechet_distance(moments(a), moments(b))
    statistics = [metric_fid.fid_features_to_statistics(x) for x in (a, b)]
    theirs = metric_fid.fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    assert ours == pytest.approx(theirs, rel=1e-6)
    settings = {"kid_subsets": 1, "kid_subset_size": 60, "verbose": False}
    theirs = metric_kid.kid_features_to_metric(a, b, **settings)["kernel_inception_distance_mean"]
    assert kernel_distance(a, b) == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_equal_moments_have_the_distance_zero_and_rounding_never_goes_below(seed: int) -> None:
    torch.manual_seed(seed)
    features = torch.randn(300, 40) @ torch.randn(40, 40)
    m = moments(features)
    assert f"{frechet_distance(m, moments(features.clone())):.1f}" == "0.0"
    assert frechet_distance(m, m) == 0.0
    nearly = moments(features.flip(0))  # the same rows, summed in another order
    assert 0 <= frechet_distance(m, nearly) < 1e-3
    assert math.copysign(1, frechet_distance(m, nearly)) == 1


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_features_that_are_no_numbers_are_refused(value: float) -> None:
    sound = torch.randn(20, 3)
    broken = sound.index_fill(0, torch.tensor([4]), value)
    with pytest.raises(ValueError, match="NaN or infinite"):
        moments(broken)
    for pair in ((sound, broken), (broken, sound)):
        with pytest.raises(ValueError, match="NaN or infinite"):
            kernel_distance(*pair)
        with pytest.raises(ValueError, match="NaN or infinite"):
            precision_recall(*pair)
        with pytest.raises(ValueError, match="NaN or infinite"):
            nearest(*pair)


def test_moments_without_a_distance_are_never_the_best_of_distances() -> None:
    good = moments(torch.randn(9, 3, generator=torch.Generator().manual_seed(0)))
    for spoilt in (
        good._replace(mean=torch.full_like(good.mean, torch.nan)),
        good._replace(covariance=good.covariance * torch.inf),
        good._replace(mean=good.mean + 1e200),
    ):
        for pair in ((good, spoilt), (spoilt, good)):
            with pytest.raises(ValueError, match="hold NaN or infinite values"):
                frechet_distance(*pair)
    with pytest.raises(ValueError, match="equally many features, not 3 and 4"):
        frechet_distance(good, moments(torch.ones(9, 4)))
