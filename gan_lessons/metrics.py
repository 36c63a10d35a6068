"""Numbers for "how close are the samples to the data": features of a frozen classifier, then a distance.

Chapter 06 puts these on trial; before that, chapter 05 uses one of them as a judge and says what it cannot see.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Moments(NamedTuple):
    """Mean (d,) and covariance (d, d) of features, in float64."""

    mean: Tensor
    covariance: Tensor


def moments(features: Tensor) -> Moments:
    """Mean and unbiased covariance of features (n, d), n >= 2."""
    if features.ndim != 2 or len(features) < 2:
        raise ValueError(f"features must be (n, d) with n >= 2, not {tuple(features.shape)}")
    features = features.double()
    return Moments(features.mean(0), torch.cov(features.T).reshape(features.shape[1], features.shape[1]))


def frechet_distance(a: Moments, b: Moments) -> float:
    """Squared Fréchet distance of two Gaussians, |m_a - m_b|^2 + tr(A + B - 2 (A^1/2 B A^1/2)^1/2).

    Dowson and Landau 1982; on features of a network, Heusel et al. 2017, eq. 6. At least 0 up to rounding.
    """
    root = _symmetric_root(a.covariance)
    cross = torch.linalg.eigvalsh(root @ b.covariance @ root).clamp(min=0).sqrt().sum()
    trace = a.covariance.trace() + b.covariance.trace() - 2 * cross
    return float((a.mean - b.mean).square().sum() + trace)


def _symmetric_root(matrix: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp(min=0).sqrt()) @ vectors.T


class DigitClassifier(nn.Module):
    """A small convolutional classifier of (n, 1, 28, 28) in [0, 1]: 128 features, then 10 logits."""

    def __init__(self, width: int = 16, features: int = 128) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *(nn.Conv2d(1, width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),  # (n, w, 14, 14)
            *(nn.Conv2d(width, 2 * width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),  # (n, 2w, 7, 7)
            *(nn.Flatten(), nn.Linear(2 * width * 49, features), nn.ReLU()),
        )
        self.head = nn.Linear(features, 10)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.body(images))

    @torch.no_grad()
    def features(self, images: Tensor, chunk: int = 1000) -> Tensor:
        """Features (n, 128) of images in [0, 1], any shape that holds 784 numbers an image, a chunk at a time."""
        return torch.cat([self.body(part.reshape(-1, 1, 28, 28)) for part in images.split(chunk)])

    @torch.no_grad()
    def probabilities(self, images: Tensor, chunk: int = 1000) -> Tensor:
        """p(class | image), shape (n, 10)."""
        return torch.cat([self(part.reshape(-1, 1, 28, 28)).softmax(1) for part in images.split(chunk)])


def fit_classifier(
    images: Tensor, labels: Tensor | None, steps: int, *, batch: int = 128, lr: float = 2e-3
) -> DigitClassifier:
    """Train a DigitClassifier on uint8 images (n, 1, 28, 28) and labels (n,), and freeze it.

    Batches are drawn with replacement; the learning rate falls linearly to 0. It returns in eval mode.
    Raises ValueError where there are no labels, or labels outside 0..9.
    """
    if labels is None or int(labels.min()) < 0 or int(labels.max()) > 9:
        raise ValueError("the judge needs a label from 0 to 9 for each image: put the images into class folders")
    network = DigitClassifier().to(images.device)
    optimizer = torch.optim.Adam(network.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=steps)
    for _ in range(steps):
        index = torch.randint(len(images), (batch,), device=images.device)
        loss = F.cross_entropy(network(images[index].float() / 255), labels[index])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return network.eval().requires_grad_(False)
