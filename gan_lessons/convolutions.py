"""Convolutional networks of the course, sized by arguments: images (n, c, h, w) to logits (n, 1), and z to images.

They keep a batch in the order of memory that convolutions are fast in, channels last, up to the linear layers, and
their activations overwrite what they are given: no gradient needs it, and memory is what a step waits for.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Initialise = Callable[[nn.Module], None]
LEAK = 0.2  # Radford et al. 2016, section 4


class Flat(nn.Module):
    """(n, c, h, w) -> (n, h * w * c): pixel by pixel, so that channels-last memory is read as it lies."""

    def forward(self, images: Tensor) -> Tensor:
        return images.permute(0, 2, 3, 1).flatten(1)


class Maps(nn.Module):
    """The way back, (n, side * side * c) -> (n, c, side, side), channels last in memory."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, rows: Tensor) -> Tensor:
        return rows.unflatten(1, (self.side, self.side, -1)).permute(0, 3, 1, 2)


class Autocast(nn.Module):
    """A network whose layers compute in a short dtype; its weights and its output stay float32."""

    def __init__(self, network: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.network = network
        self.dtype = dtype

    def forward(self, inputs: Tensor) -> Tensor:
        with torch.autocast(inputs.device.type, self.dtype):
            outputs = self.network(inputs)
        return outputs.float()


class ThinConv2d(nn.Conv2d):
    """A 4x4 convolution with stride 2 of one channel, in which the gradient for the images is cheap.

    Four pixels become four channels (space to depth) and the kernel 2x2: the same products, summed in another order.
    Convolutions are written for many channels, and lose most of their time on one. Where the images need no gradient
    the layer is computed as usual, so that whether they do can change the last bit of an output.
    """

    def forward(self, images: Tensor) -> Tensor:
        odd = images.shape[-1] % 2 or images.shape[-2] % 2  # the last row or column has no place in blocks of four
        if odd or not images.requires_grad:  # only that gradient is slow
            return super().forward(images)
        return F.conv2d(F.pixel_unshuffle(F.pad(images, (1, 1, 1, 1)), 2), F.pixel_unshuffle(self.weight, 2), self.bias)


class ThinConvTranspose2d(nn.ConvTranspose2d):
    """The way back: a transposed 4x4 convolution with stride 2 to one channel, by four channels and 2x2."""

    def forward(self, maps: Tensor, output_size: list[int] | None = None) -> Tensor:
        if output_size is not None:
            return super().forward(maps, output_size)
        bias = None if self.bias is None else self.bias.expand(4)
        return F.pixel_shuffle(F.conv_transpose2d(maps, F.pixel_unshuffle(self.weight, 2), bias), 2)[..., 1:-1, 1:-1]


def _thin(network: nn.Module) -> None:
    """Let each convolution from or to one channel be computed the fast way: same layer, same weights."""
    shape = {"kernel_size": (4, 4), "stride": (2, 2), "padding": (1, 1), "dilation": (1, 1), "groups": 1}
    for layer in network.modules():
        if not all(getattr(layer, name, None) == value for name, value in shape.items()):
            continue
        if type(layer) is nn.Conv2d and layer.in_channels == 1 and layer.padding_mode == "zeros":
            layer.__class__ = ThinConv2d
        elif type(layer) is nn.ConvTranspose2d and layer.out_channels == 1 and layer.output_padding == (0, 0):
            layer.__class__ = ThinConvTranspose2d


def prepared(network: nn.Module, device: torch.device, dtype: torch.dtype = torch.float32) -> nn.Module:
    """Return the network on `device`, channels last; computing in `dtype` (see `profiles.convolution_dtype`).

    On a CPU its convolutions from and to one channel become thin: the same layers, faster by another order of sums.
    """
    if device.type == "cpu":
        _thin(network)
    network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network if dtype == torch.float32 else Autocast(network, dtype)


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
    norm: bool = True,
    strides: bool = True,
    hidden: int = 0,
    output: Callable[[], nn.Module] = nn.Tanh,
    init: Initialise = dcgan_init,
) -> nn.Sequential:
    """z (n, z_dim) to images (n, channels, size, size): each block doubles the side and halves the features.

    `width` is the number of features before the image: 28 gives 7x7 of 2 width, 14x14 of width, 28x28; 32 begins with
    4x4 of 4 width. The rules of Radford et al. 2016 can be taken away: `norm` (batch normalisation, never on the
    output), `strides` (a transposed convolution; without, a resize and a 3x3 convolution), no fully connected `hidden`
    layer (of so many units, between z and the first maps), `output`, `init`.
    """
    side, blocks = _smallest(size)
    features = width * 2 ** (blocks - 1)
    # a linear layer is the transposed convolution from 1x1, and faster
    layers = [
        *_dense(z_dim, hidden, nn.ReLU(inplace=True)),
        nn.Linear(hidden or z_dim, features * side * side, bias=not norm),
    ]
    layers += [Maps(side)]
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
    norm: bool = True,
    strides: bool = True,
    hidden: int = 0,
    slope: float = LEAK,
    init: Initialise = dcgan_init,
) -> nn.Sequential:
    """Images (n, channels, size, size) to logits (n, 1): each block halves the side and doubles the features.

    The mirror of `dcgan_generator`, with leaky ReLU (a `slope` of 0 makes it a plain one) and with no batch
    normalisation where the image comes in. Without `strides` a block is a 3x3 convolution and an average over 2x2
    pixels; a `hidden` layer lies between the last maps and the logit.
    """
    side, blocks = _smallest(size)
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
    ends = before * side * side
    network = nn.Sequential(
        *layers, Flat(), *_dense(ends, hidden, nn.LeakyReLU(slope, inplace=True)), nn.Linear(hidden or ends, 1)
    )
    init(network)
    return network


def classic_discriminator() -> nn.Sequential:
    """28x28 to a logit: 5x5 convolutions with 32 and 64 features, average pooling, 1024 units, as tutorials had it."""
    network = nn.Sequential(
        *(nn.Conv2d(1, 32, 5, padding=2), nn.ReLU(inplace=True), nn.AvgPool2d(2)),  # (n, 32, 14, 14)
        *(nn.Conv2d(32, 64, 5, padding=2), nn.ReLU(inplace=True), nn.AvgPool2d(2)),  # (n, 64, 7, 7)
        *(Flat(), nn.Linear(3136, 1024), nn.ReLU(inplace=True), nn.Linear(1024, 1)),
    )
    _truncated(network)
    return network


def classic_generator(z_dim: int = 100) -> nn.Sequential:
    """z to 28x28 in (0, 1), the odd way of the same tutorials: 56x56 pixels, shrunk and blown up again, twice.

    Linear to 3136 = 56x56, then three convolutions with stride 2, to z_dim/2 and z_dim/4 features and to one, a resize
    back to 56x56 between them. It was called a deconvolution, and holds none.
    """
    a, b = z_dim // 2, z_dim // 4
    network = nn.Sequential(
        *(nn.Linear(z_dim, 3136), Maps(56), nn.BatchNorm2d(1), nn.ReLU(inplace=True)),  # (n, 1, 56, 56)
        *(
            nn.Conv2d(1, a, 3, stride=2, padding=1),
            nn.BatchNorm2d(a),
            nn.ReLU(inplace=True),
            nn.Upsample(scale_factor=2),
        ),
        *(
            nn.Conv2d(a, b, 3, stride=2, padding=1),
            nn.BatchNorm2d(b),
            nn.ReLU(inplace=True),
            nn.Upsample(scale_factor=2),
        ),
        *(nn.Conv2d(b, 1, 1, stride=2), nn.Sigmoid()),  # (n, 1, 28, 28)
    )
    _truncated(network)
    return network


def _truncated(network: nn.Module) -> None:
    """Weights from N(0, .02) cut at two standard deviations, biases 0."""
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.trunc_normal_(layer.weight, 0.0, 0.02, -0.04, 0.04)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def _dense(inputs: int, units: int, activation: nn.Module) -> list[nn.Module]:
    return [nn.Linear(inputs, units), activation] if units else []


def _norm(wanted: bool, features: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(features)] if wanted else []


def _smallest(size: int) -> tuple[int, int]:
    """The side of the smallest maps, and how often it doubles to `size`: 28 -> (7, 2), 32 -> (4, 3)."""
    side, blocks = size, 0
    while side % 2 == 0 and side > 4:
        side, blocks = side // 2, blocks + 1
    if blocks < 1 or side > 7:
        raise ValueError(f"images of {size} pixels halve down to {side}; take a size such as 16, 28, 32 or 64")
    return side, blocks
