"""Multilayer perceptrons, sized by arguments: D maps flat samples to logits (n, 1), G maps z (n, z_dim) to samples."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn


def mlp(sizes: Sequence[int], slope: float = 0.0) -> nn.Sequential:
    """Linear layers of the given sizes with a (leaky) ReLU between them, nothing after the last.

    mlp([784, 128, 1]) maps (n, 784) to (n, 1). slope 0 is ReLU, .2 the usual leaky one (Maas et al. 2013).
    """
    if len(sizes) < 2 or any(size < 1 for size in sizes):
        raise ValueError(f"an mlp needs at least an input and an output size, all positive, not {list(sizes)}")
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.LeakyReLU(slope) if slope else nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def mlp_discriminator(hidden: Sequence[int] = (128,), inputs: int = 784, slope: float = 0.0) -> nn.Sequential:
    """An MLP from flat images (n, inputs) to logits (n, 1)."""
    return mlp([inputs, *hidden, 1], slope)


def mlp_generator(
    hidden: Sequence[int] = (128,), z_dim: int = 100, outputs: int = 784, slope: float = 0.0, signed: bool = False
) -> nn.Sequential:
    """An MLP from z (n, z_dim) to flat images (n, outputs) in (0, 1) by a sigmoid, or in (-1, 1) by tanh if signed."""
    return mlp([z_dim, *hidden, outputs], slope).append(nn.Tanh() if signed else nn.Sigmoid())


def initialise(network: nn.Module, weight_: Callable[[Tensor], object], bias: float = 0.0) -> None:
    """Fill each Linear's weight by `weight_` (such as nn.init.xavier_uniform_) and its bias by a constant, in place."""
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, nn.Linear):
                weight_(layer.weight)
                if layer.bias is not None:
                    layer.bias.fill_(bias)
