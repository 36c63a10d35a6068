"""A small classifier of digits, the judge: its features are the space in which images are compared.

`judges.load("mnist")` gives the one that chapter 06 trained; `fit_classifier` trains another.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_lessons.checks import unit_range


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
        """Features (n, 128) of images, bytes or floats in [0, 1], a chunk at a time.

        Of any shape that holds 784 numbers an image. Raises ValueError for another size or range, or NaN.
        """
        return torch.cat([self.body(part) for part in _parts(images, chunk)])

    @torch.no_grad()
    def probabilities(self, images: Tensor, chunk: int = 1000) -> Tensor:
        """p(class | image), shape (n, 10), of images as `features` takes them."""
        return torch.cat([self(part).softmax(1) for part in _parts(images, chunk)])


def fit_classifier(
    images: Tensor, labels: Tensor | None, steps: int, *, batch: int = 128, lr: float = 2e-3, shift: int = 0
) -> DigitClassifier:
    """Train a DigitClassifier on uint8 images (n, 1, 28, 28) and labels (n,), and freeze it.

    Batches are drawn with replacement; the learning rate falls linearly to 0. It returns in eval mode. With `shift`
    each batch is moved as a whole by up to so many pixels each way, so that position tells the judge little.
    Raises ValueError where there are no labels, or labels outside 0..9, and for images that are no bytes.
    """
    if images.dtype != torch.uint8:
        raise ValueError(f"the judge is trained on uint8 images, as data.load gives them, not {images.dtype}")
    if labels is None or int(labels.min()) < 0 or int(labels.max()) > 9:
        raise ValueError("the judge needs a label from 0 to 9 for each image: put the images into class folders")
    network = DigitClassifier().to(images.device)
    optimizer = torch.optim.Adam(network.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=steps)
    for _ in range(steps):
        index = torch.randint(len(images), (batch,), device=images.device)
        loss = F.cross_entropy(network(_moved(images[index].float() / 255, shift)), labels[index])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return network.eval().requires_grad_(False)


def _parts(images: Tensor, chunk: int) -> Iterator[Tensor]:
    """Chunks of images, checked, as floats (m, 1, 28, 28) in [0, 1]."""
    unit_range(images)
    if images.ndim < 2 or images[0].numel() != 784:
        raise ValueError(f"the judge reads images of 28x28 = 784 numbers, not of shape {tuple(images.shape[1:])}")
    for part in images.reshape(-1, 1, 28, 28).split(chunk):
        yield part.float() / 255 if part.dtype == torch.uint8 else part.float()


def _moved(images: Tensor, most: int) -> Tensor:
    """The batch moved by up to `most` pixels down or up and right or left, all images alike; black comes in."""
    if most == 0:
        return images
    y, x = torch.randint(2 * most + 1, (2,)).tolist()
    h, w = images.shape[-2:]
    return F.pad(images, (most, most, most, most))[..., y : y + h, x : x + w]
