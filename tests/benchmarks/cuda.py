"""On a CUDA device: our loop played kernel by kernel against the same loop replayed as a CUDA graph."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import nn

from gan_lessons import GAN, Objective, cuda_graphs, data, losses, noise, profiles, train
from gan_lessons.models import convolutions, layers


def graph_speed(
    name: str,
    networks: Callable[[], tuple[nn.Module, nn.Module]],
    prior: noise.Prior,
    transform: data.Transform = data.symmetric,
    size: int = 28,
    objective: Objective = losses.non_saturating,
    g_steps: int = 1,
    steps: int = 200,
    rounds: int = 9,
) -> float:
    """Seconds of played rounds over seconds of replayed ones, batch 64: median of the pairs."""
    from tests.benchmarks.__main__ import in_turn

    images, device = data.load("mnist", size=size), torch.device("cuda")

    def side(recorder: cuda_graphs.Recorder | None) -> Callable[[], None]:
        G, D = networks()
        adams: dict[str, Any] = {
            name: torch.optim.Adam(net.parameters(), 2e-4, (0.5, 0.999), fused=True)
            for name, net in (("g_optimizer", G), ("d_optimizer", D))
        }
        batches = data.batches(images, 64, device=device, transform=transform)

        def run() -> None:
            game: dict[str, Any] = {"objective": objective, "g_steps": g_steps, **adams}
            play = partial(cuda_graphs.train, recorder=recorder) if recorder else train
            for _ in play(GAN(G, D, prior), batches, steps, **game):
                pass
            torch.cuda.synchronize()

        return run

    return in_turn(
        name, side(None), side(cuda_graphs.cuda_graph), rounds, per=steps, labels=("kernel by kernel", "as a graph")
    )


def dcgan_graph_speed(size: int = 28, width: int = 24, z_dim: int = 32) -> float:
    """The same for a DCGAN of this size, in the short dtype that `setup` would choose."""
    device = torch.device("cuda")
    dtype = profiles.convolution_dtype(device)

    def networks() -> tuple[nn.Module, nn.Module]:
        pair = convolutions.dcgan_generator(size, width, 1, z_dim), convolutions.dcgan_discriminator(size, width)
        G, D = (layers.prepared(net, device, dtype) for net in pair)
        return G, D

    name = f"DCGAN {size}x{size}, width {width}, {str(dtype).removeprefix('torch.')}"
    return graph_speed(name, networks, noise.gaussian(z_dim), size=size)
