"""Layers that the networks share, and `prepared`, which puts a network on a device in the layout that is fast there."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Flat(nn.Module):
    """(n, c, h, w) -> (n, h * w * c): pixel by pixel, so that channels-last memory is read as it lies."""

    def forward(self, images: Tensor) -> Tensor:
        return images.permute(0, 2, 3, 1).flatten(1)


class Maps(nn.Module):
    """The inverse of Flat, (n, side * side * c) -> (n, c, side, side), channels last in memory."""

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
    """The transposed counterpart of ThinConv2d: a transposed 4x4 convolution with stride 2 to one channel."""

    def forward(self, maps: Tensor, output_size: list[int] | None = None) -> Tensor:
        if output_size is not None:
            return super().forward(maps, output_size)
        bias = None if self.bias is None else self.bias.expand(4)
        return F.pixel_shuffle(F.conv_transpose2d(maps, F.pixel_unshuffle(self.weight, 2), bias), 2)[..., 1:-1, 1:-1]


def _thinned(layer: nn.Module) -> nn.Module:
    """Return the thin layer that shares the weights of a convolution from or to one channel; any other as it is."""
    shape = {"kernel_size": (4, 4), "stride": (2, 2), "padding": (1, 1), "dilation": (1, 1), "groups": 1}
    if not all(getattr(layer, name, None) == value for name, value in shape.items()) or layer._forward_hooks:
        return layer
    thin: nn.Module
    if type(layer) is nn.Conv2d and layer.in_channels == 1 and layer.padding_mode == "zeros":
        thin = ThinConv2d(1, layer.out_channels, 4, 2, 1, bias=layer.bias is not None, device="meta")
    elif type(layer) is nn.ConvTranspose2d and layer.out_channels == 1 and layer.output_padding == (0, 0):
        thin = ThinConvTranspose2d(layer.in_channels, 1, 4, 2, 1, bias=layer.bias is not None, device="meta")
    else:
        return layer
    thin.weight, thin.bias = layer.weight, layer.bias  # the same parameters, so an optimizer goes on to hold them
    return thin.train(layer.training)


def prepared(network: nn.Module, device: torch.device, dtype: torch.dtype = torch.float32) -> nn.Module:
    """Return the network on `device`, channels last; computing in `dtype` (see `profiles.convolution_dtype`).

    On a CPU each convolution from or to one channel is exchanged for a thin one with the same parameters: faster;
    sums are taken in another order, so last bits may differ.
    """
    if device.type == "cpu":
        network = _thinned(network)
        for parent in list(network.modules()):
            for name, child in list(parent.named_children()):
                setattr(parent, name, _thinned(child))
    network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network if dtype == torch.float32 else Autocast(network, dtype)


def mixes_the_batch(network: nn.Module) -> bool:
    """Whether an output depends on the other rows of the batch, as with batch normalisation in training mode.

    A layer of one's own that does so says `mixes_the_batch = True` as a class attribute.
    """
    kinds = (nn.modules.batchnorm._BatchNorm,)
    return any(isinstance(m, kinds) or getattr(m, "mixes_the_batch", False) for m in network.modules())


class BatchDeviation(nn.Module):
    """Append to each row the batch's mean deviation: (n, c, ...) -> (n, c + 1, ...), e.g. (n, c, h, w) or (n, c).

    The standard deviation over the batch of each feature at each place, averaged to one number, written into a new
    feature that is constant over the batch (Karras et al. 2018, section 3; features of a batch: Salimans et al. 2016,
    section 3.2). In training mode the number comes from the batch at hand, with its gradient; in evaluation mode from
    its running average, as in batch normalisation, so that an image's features do not depend on the other images of
    its batch. The sources have no running average; with `momentum` None the batch at hand counts in both modes.
    """

    mixes_the_batch = True  # training.discriminator_step keeps real and fake batches apart
    running: Tensor

    def __init__(self, momentum: float | None = 0.1) -> None:
        super().__init__()
        self.momentum = momentum
        self.register_buffer("running", torch.tensor(1.0))

    def forward(self, features: Tensor) -> Tensor:
        if self.training or self.momentum is None:
            statistic = deviation(features)
            if self.momentum is not None:
                with torch.no_grad():
                    self.running.lerp_(statistic.to(self.running.dtype), self.momentum)
        else:
            statistic = self.running
        extra = statistic.to(features.dtype).expand_as(features[:, :1])
        if features.ndim == 4 and features.is_contiguous(memory_format=torch.channels_last):
            extra = extra.contiguous(memory_format=torch.channels_last)  # or else the result is not
        return torch.cat([features, extra], 1)


def deviation(features: Tensor, epsilon: float = 1e-8) -> Tensor:
    """Mean over features and places of the standard deviation over the batch; a scalar, in float32 at least.

    The deviation divides by n. `epsilon` under the root keeps the gradient finite where a whole batch is one image.
    """
    wide = features if features.dtype == torch.float64 else features.float()  # variances need more digits than bfloat16
    centred = wide - wide.mean(0)  # half the time of var
    return (centred.square().mean(0) + epsilon).sqrt().mean()
