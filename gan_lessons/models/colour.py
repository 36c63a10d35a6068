"""The pair of chapter 08: small pictures in colour, three layers of features, batch deviation at each of D's layers."""

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from gan_lessons.models.convolutions import LEAK, Initialise, dcgan_init
from gan_lessons.models.layers import BatchDeviation, Flat, Maps

FEATURES = (16, 64, 128)  # at the full side, at half of it, at a quarter


def colour_generator(
    size: int = 16,
    features: Sequence[int] = FEATURES,
    channels: int = 3,
    z_dim: int = 64,
    *,
    init: Initialise = dcgan_init,
) -> nn.Sequential:
    """z (n, z_dim) to images (n, channels, size, size) in (-1, 1), by the rules of Radford et al. 2016.

    The features are named from the image on: (16, 64, 128) begins with 128 maps of a quarter of the side, doubles the
    side twice, and ends with a 3x3 convolution from 16 maps to colours.
    """
    side = _first_side(size, features)
    layers: list[nn.Module] = [nn.Linear(z_dim, features[-1] * side * side, bias=False), Maps(side)]
    for before, after in pairwise(reversed(features)):
        layers += [nn.BatchNorm2d(before), nn.ReLU()]
        layers += [nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=False)]
    layers += [nn.BatchNorm2d(features[0]), nn.ReLU(), nn.Conv2d(features[0], channels, 3, padding=1), nn.Tanh()]
    network = nn.Sequential(*layers)
    init(network)
    return network


def colour_discriminator(
    size: int = 16,
    features: Sequence[int] = FEATURES,
    channels: int = 3,
    *,
    deviation: bool = True,
    norm: bool = True,
    outputs: int = 1,
    init: Initialise = dcgan_init,
) -> nn.Sequential:
    """Images (n, channels, size, size) to logits (n, outputs): the mirror of `colour_generator`.

    With `deviation` the batch's deviation is one more map before every convolution and before the last layer. Without
    `norm` no layer is normalised, as in `base.DCGAN`. With `outputs` = number of classes the same body makes a
    classifier.
    """
    side = _first_side(size, features)
    more = [BatchDeviation] if deviation else []
    extra = len(more)
    layers: list[nn.Module] = [*(kind() for kind in more)]
    layers += [nn.Conv2d(channels + extra, features[0], 3, padding=1), nn.LeakyReLU(LEAK)]
    for before, after in pairwise(features):
        layers += [kind() for kind in more]
        layers += [nn.Conv2d(before + extra, after, 4, stride=2, padding=1, bias=not norm)]
        layers += [*([nn.BatchNorm2d(after)] if norm else []), nn.LeakyReLU(LEAK)]
    layers += [*(kind() for kind in more), Flat(), nn.Linear((features[-1] + extra) * side * side, outputs)]
    network = nn.Sequential(*layers)
    init(network)
    return network


def _first_side(size: int, features: Sequence[int]) -> int:
    """The side of the smallest maps. Raises ValueError where the side cannot be halved as often as it must be."""
    times = 2 ** (len(features) - 1)
    if not features or size < times or size % times:
        raise ValueError(f"{len(features)} layers of features need a side that is a multiple of {times}, not {size}")
    return size // times
