"""The DCGAN pair, sized by arguments: z (n, z_dim) to images (n, c, h, w), and images to logits (n, 1).

Batches stay in channels-last memory up to the linear layers. Activations work in place, because a training step here
is limited by memory bandwidth.
"""

from collections.abc import Callable

from torch import nn

from gan_lessons.models.layers import Flat, Maps

Initialise = Callable[[nn.Module], None]
LEAK = 0.2  # Radford et al. 2016, section 4
LAST_SIDE = 4  # of the maps before the logit: as in Radford et al. 2016, figure 1, whose images are 64x64


def dcgan_init(network: nn.Module) -> None:
    """Weights from N(0, .02), batch norm's gamma from N(1, .02), biases 0, in place (Radford et al. 2016)."""
    kinds = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
    for layer in network.modules():
        if isinstance(layer, (*kinds, nn.BatchNorm2d)):
            nn.init.normal_(layer.weight, 0.0 if isinstance(layer, kinds) else 1.0, 0.02)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def keep_init(network: nn.Module) -> None:
    """Leave the weights as PyTorch drew them: uniform within +-1/sqrt(inputs of a unit)."""


def dcgan_generator(
    size: int = 28,
    width: int = 24,
    channels: int = 1,
    z_dim: int = 32,
    *,
    deep: bool = False,
    norm: bool = True,
    strides: bool = True,
    hidden: int = 0,
    output: Callable[[], nn.Module] = nn.Tanh,
    init: Initialise = dcgan_init,
) -> nn.Sequential:
    """z (n, z_dim) to images (n, channels, size, size): each block doubles the side and halves the features.

    `width` is the number of features before the image: 28 gives 7x7 of 2 width, 14x14 of width, 28x28; 32 begins with
    4x4 of 4 width. A `deep` one has a 3x3 convolution more, on the first maps. The rules of Radford et al. 2016 can be
    taken away: `norm` (batch normalisation, never on the output), `strides` (a transposed convolution; without, a
    resize and a 3x3 convolution), no fully connected `hidden` layer (of so many units, between z and the first maps),
    `output`, `init`.
    """
    side, blocks = _halvings(size)
    features = width * 2 ** (blocks - 1)
    # a linear layer is the transposed convolution from 1x1, and faster
    layers = [
        *_dense(z_dim, hidden, nn.ReLU(inplace=True)),
        nn.Linear(hidden or z_dim, features * side * side, bias=not norm),
    ]
    layers += [Maps(side)]
    if deep:
        layers += [
            *_norm(norm, features),
            nn.ReLU(inplace=True),
            nn.Conv2d(features, features, 3, padding=1, bias=not norm),
        ]
    for k in range(blocks):
        layers += [*_norm(norm, features), nn.ReLU(inplace=True)]
        last = k == blocks - 1
        after, bias = (channels, True) if last else (features // 2, not norm)
        if strides:
            layers += [nn.ConvTranspose2d(features, after, 4, stride=2, padding=1, bias=bias)]
        else:
            layers += [nn.Upsample(scale_factor=2), nn.Conv2d(features, after, 3, padding=1, bias=bias)]
        features = after
    network = nn.Sequential(*layers, output())
    init(network)
    return network


def dcgan_discriminator(
    size: int = 28,
    width: int = 24,
    channels: int = 1,
    *,
    deep: bool = False,
    norm: bool = True,
    strides: bool = True,
    hidden: int = 0,
    slope: float = LEAK,
    init: Initialise = dcgan_init,
) -> nn.Sequential:
    """Images (n, channels, size, size) to logits (n, 1): each block halves the side and doubles the features.

    The mirror of `dcgan_generator`, with leaky ReLU (a `slope` of 0 makes it a plain one) and with no batch
    normalisation where the image comes in. From 28 pixels two blocks come down to maps of 7x7, in which a number has
    seen 10x10 pixels; a `deep` one has a 3x3 convolution with stride 2 more where maps are wider than 4. Without
    `strides` a block is a 3x3 convolution and an average over 2x2 pixels; a `hidden` layer lies between the last maps
    and the logit.
    """
    side, blocks = _halvings(size)
    layers: list[nn.Module] = []
    before, features = channels, width
    for k in range(blocks):
        normed = norm and k > 0
        if strides:
            layers += [nn.Conv2d(before, features, 4, stride=2, padding=1, bias=not normed)]
        else:
            layers += [nn.Conv2d(before, features, 3, padding=1, bias=not normed), nn.AvgPool2d(2)]
        layers += [*_norm(normed, features), nn.LeakyReLU(slope, inplace=True)]
        before, features = features, 2 * features
    if deep and side > LAST_SIDE:
        layers += [nn.Conv2d(before, features, 3, stride=2, padding=1, bias=not norm)]
        layers += [*_norm(norm, features), nn.LeakyReLU(slope, inplace=True)]
        before, side = features, -(-side // 2)
    ends = before * side * side
    network = nn.Sequential(
        *layers, Flat(), *_dense(ends, hidden, nn.LeakyReLU(slope, inplace=True)), nn.Linear(hidden or ends, 1)
    )
    init(network)
    return network


def _dense(inputs: int, units: int, activation: nn.Module) -> list[nn.Module]:
    return [nn.Linear(inputs, units), activation] if units else []


def _norm(wanted: bool, features: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(features)] if wanted else []


def _halvings(size: int) -> tuple[int, int]:
    """Halve `size` until it is odd or 4: the last side and the number of halvings, 28 -> (7, 2), 32 -> (4, 3)."""
    side, blocks = size, 0
    while side % 2 == 0 and side > 4:
        side, blocks = side // 2, blocks + 1
    if blocks < 1 or side > 7:
        raise ValueError(f"images of {size} pixels halve down to {side}; take a size such as 16, 28, 32 or 64")
    return side, blocks
