import math

import numpy as np
import pytest
import scipy.linalg
import torch

from gan_lessons import metrics
from gan_lessons.metrics import Moments, frechet_distance, moments


def spd(d: int, seed: int) -> torch.Tensor:
    a = torch.randn(d, 2 * d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return a @ a.T / d


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
    features = torch.randn(50, 3, generator=torch.Generator().manual_seed(0)).double()
    m = moments(features)
    assert torch.allclose(m.mean, features.mean(0))
    assert np.allclose(m.covariance.numpy(), np.cov(features.numpy().T))
    with pytest.raises(ValueError, match="n >= 2"):
        moments(features[:1])


def test_a_classifier_learns_two_easy_classes_and_is_frozen() -> None:
    torch.manual_seed(0)
    images = torch.zeros(200, 1, 28, 28, dtype=torch.uint8)
    labels = torch.arange(200) % 2
    images[labels == 1, :, 10:18, 10:18] = 255
    network = metrics.fit_classifier(images, labels, steps=30)
    probabilities = network.probabilities(images.float() / 255)
    assert torch.equal(probabilities.argmax(1), labels)
    assert torch.allclose(probabilities.sum(1), torch.ones(200), atol=1e-5)
    assert network.features(images.float().flatten(1) / 255).shape == (200, 128)
    assert not network.training
    assert not any(p.requires_grad for p in network.parameters())


@pytest.mark.parametrize("labels", [None, torch.tensor([0, 10])])
def test_a_classifier_without_usable_labels_is_refused(labels: torch.Tensor | None) -> None:
    with pytest.raises(ValueError, match="put the images into class folders"):
        metrics.fit_classifier(torch.zeros(2, 1, 28, 28, dtype=torch.uint8), labels, steps=2)
