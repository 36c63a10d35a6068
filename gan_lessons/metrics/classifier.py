"""A small classifier, the judge: its features are the space in which images are compared.

`judges.load("mnist")` gives the one of digits that chapter 06 trained, `judges.load("cifar16")` the one of chapter 08
in colour; `fit_classifier` trains another.
"""

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import trange

from gan_lessons.checks import unit_range

CHUNK = 250  # images judged at once; a thousand leave a core's caches, and take it nearly twice as long


class DigitClassifier(nn.Module):
    """A small convolutional classifier of (n, 1, 28, 28) in [0, 1]: 128 features, then 10 logits."""

    shape: ClassVar = (1, 28, 28)  # of an image

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
    def features(self, images: Tensor, chunk: int = CHUNK) -> Tensor:
        """Features (n, 128), on the judge's device, of images on any device, bytes or floats in [0, 1], chunk by chunk.

        Of any shape that holds an image's numbers, here 784. Raises ValueError for another size or range, or NaN.
        """
        return torch.cat([self.body(part) for part in self._parts(images, chunk)])

    @torch.no_grad()
    def probabilities(self, images: Tensor, chunk: int = CHUNK) -> Tensor:
        """p(class | image), shape (n, 10), of images as `features` takes them."""
        return torch.cat([self(part).softmax(1) for part in self._parts(images, chunk)])

    def _parts(self, images: Tensor, chunk: int) -> Iterator[Tensor]:
        """Chunks of images, checked, as floats (m, c, h, w) in [0, 1] on the judge's device."""
        unit_range(images)
        c, h, w = self.shape
        if images.ndim < 2 or images[0].numel() != c * h * w:
            size = f"{h}x{w} = {h * w} numbers" if c == 1 else f"{c} colours of {h}x{w} = {c * h * w} numbers"
            raise ValueError(f"the judge reads images of {size}, not of shape {tuple(images.shape[1:])}")
        device = next(self.parameters()).device
        for part in images.reshape(-1, *self.shape).split(chunk):
            moved = part.to(device)
            yield moved.float() / 255 if part.dtype == torch.uint8 else moved.float()


class NormedClassifier(DigitClassifier):
    """A second opinion, of another make: five convolutions with batch normalisation, then 128 features, 10 logits.

    Strides in place of pooling, and batch normalisation on the features too, so that each has about one scale.
    """

    def __init__(self, width: int = 16, features: int = 128) -> None:
        nn.Module.__init__(self)
        w = width
        self.body = nn.Sequential(
            *_normed(nn.Conv2d(1, w, 3, padding=1, bias=False)),  # (n, w, 28, 28)
            *_normed(nn.Conv2d(w, 2 * w, 3, stride=2, padding=1, bias=False)),  # (n, 2w, 14, 14)
            *_normed(nn.Conv2d(2 * w, 2 * w, 3, padding=1, bias=False)),
            *_normed(nn.Conv2d(2 * w, 4 * w, 3, stride=2, padding=1, bias=False)),  # (n, 4w, 7, 7)
            *_normed(nn.Conv2d(4 * w, 4 * w, 3, padding=1, bias=False)),
            nn.Flatten(),
            *(nn.Linear(4 * w * 49, features, bias=False), nn.BatchNorm1d(features), nn.ReLU()),
        )
        self.head = nn.Linear(features, 10)


class ColourClassifier(DigitClassifier):
    """A judge of small pictures, (n, 3, 16, 16) in [0, 1]: three normed convolutions, 128 features, then the logits.

    With two `classes` it is the detective of chapter 08.
    """

    shape: ClassVar = (3, 16, 16)

    def __init__(self, width: int = 32, features: int = 128, classes: int = 10) -> None:
        nn.Module.__init__(self)
        layers: list[nn.Module] = []
        for before, after in pairwise((3, width, 2 * width, 4 * width)):
            layers += [*_normed(nn.Conv2d(before, after, 3, padding=1)), nn.MaxPool2d(2)]  # halves the side
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Linear(16 * width, features), nn.ReLU())
        self.head = nn.Linear(features, classes)


def _normed(convolution: nn.Conv2d) -> tuple[nn.Module, ...]:
    return convolution, nn.BatchNorm2d(convolution.out_channels), nn.ReLU()


def fit_classifier(
    images: Tensor,
    labels: Tensor | None,
    steps: int,
    *,
    batch: int = 128,
    lr: float = 2e-3,
    shift: int = 0,
    network: DigitClassifier | None = None,
    augment: Callable[[Tensor], Tensor] | None = None,
    bar: bool = True,
) -> DigitClassifier:
    """Train a classifier on uint8 images of its shape and labels (n,), and freeze it; a DigitClassifier without one.

    Batches are drawn with replacement; the learning rate falls linearly to 0. It returns in eval mode. With `shift`
    each batch is moved as a whole by up to so many pixels each way, so that position tells the judge little; `augment`
    changes each batch of images in [0, 1], as `jittered` does. Without `bar` no progress is shown: a study has its own.
    Raises ValueError where there are no labels, or labels outside 0..9, and for images that are no bytes.
    """
    if images.dtype != torch.uint8:
        raise ValueError(f"the judge is trained on uint8 images, as data.load gives them, not {images.dtype}")
    most = 9 if network is None or labels is None else int(labels.max())  # a network of one's own has its classes
    if labels is None or int(labels.min()) < 0 or int(labels.max()) > most:
        raise ValueError("the judge needs a label from 0 to 9 for each image: put the images into class folders")
    network = (DigitClassifier() if network is None else network).to(images.device).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=steps)
    for _ in trange(steps, desc="training the judge", leave=False, mininterval=1, disable=not bar):
        index = torch.randint(len(images), (batch,), device=images.device)
        inputs = _moved(images[index].float() / 255, shift)
        loss = F.cross_entropy(network(augment(inputs) if augment else inputs), labels[index])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return network.eval().requires_grad_(False)


@torch.no_grad()
def scaled(network: NormedClassifier, images: Tensor, variance: float = 1000.0) -> NormedClassifier:
    """Scale the features, in place, so that their variances over uint8 `images` add up to `variance`; and return it.

    Its probabilities stay what they are: the head divides by the factor. Distances get a size that does not depend on
    how batch normalisation scaled the features.
    """
    features = network.features(images.float() / 255)
    factor = math.sqrt(variance / float(features.double().var(0).sum()))
    norm = network.body.get_submodule(str(len(network.body) - 2))
    for parameter in norm.parameters():
        parameter.mul_(factor)
    network.head.weight.div_(factor)
    return network


def jittered(images: Tensor, shift: float = 2.0, turn: float = 10.0, scale: float = 0.1) -> Tensor:
    """Move, turn and scale each image (n, c, h, w) by chance: up to `shift` pixels, `turn` degrees, a factor 1 ± scale.

    Uniform draws from the global generator of the images' device; black comes in from outside.
    """
    n, _, h, w = images.shape
    angle, factor, dx, dy = (2 * torch.rand(4, n, device=images.device) - 1).unbind()
    angle, factor = angle * math.radians(turn), 1 + scale * factor
    cos, sin = angle.cos() / factor, angle.sin() / factor
    rows = [cos, -sin, 2 * shift / w * dx, sin, cos, 2 * shift / h * dy]
    grid = F.affine_grid(torch.stack(rows, 1).reshape(n, 2, 3), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="zeros", align_corners=False)


def mirrored(images: Tensor) -> Tensor:
    """Mirror each image (n, c, h, w), left for right, with probability 1/2; from the device's global generator."""
    chosen = torch.rand(len(images), 1, 1, 1, device=images.device) < 0.5
    return torch.where(chosen, images.flip(-1), images)


def _moved(images: Tensor, most: int) -> Tensor:
    """The batch moved by up to `most` pixels down or up and right or left, all images alike; black comes in."""
    if most == 0:
        return images
    y, x = torch.randint(2 * most + 1, (2,)).tolist()
    h, w = images.shape[-2:]
    return F.pad(images, (most, most, most, most))[..., y : y + h, x : x + w]
