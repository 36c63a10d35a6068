"""DCGANs: our loop (channels last, short numbers, linear layers at 1x1) against the plain float32 loop of tutorials."""

import time
from collections.abc import Callable, Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torch.utils.flop_counter import FlopCounterMode
from torchvision import datasets, transforms

from gan_lessons import GAN, data, losses, noise, profiles, train
from gan_lessons.models import convolutions, layers
from gan_lessons.paths import data_root


def dcgan_speed(
    size: int = 28, width: int = 24, z_dim: int = 32, batch: int = 64, steps: int = 12, rounds: int = 5
) -> float:
    """Seconds of the plain loop over seconds of ours, for a DCGAN on MNIST at this size: median of the pairs."""
    from tests.benchmarks.__main__ import in_turn

    cpu = torch.device("cpu")
    dtype = profiles.convolution_dtype(cpu)
    G, D = (
        layers.prepared(net, cpu, dtype)
        for net in (convolutions.dcgan_generator(size, width, 1, z_dim), convolutions.dcgan_discriminator(size, width))
    )
    adams: dict[str, Any] = {
        name: torch.optim.Adam(net.parameters(), 2e-4, (0.5, 0.999), fused=True)
        for name, net in (("g_optimizer", G), ("d_optimizer", D))
    }
    batches = data.batches(data.load("mnist", size=size), batch)
    plain_G, plain_D = plain_networks(size, width, z_dim)
    theirs = plain_batches(data_root(), batch, size)

    def own() -> None:
        for _ in train(GAN(G, D, noise.gaussian(z_dim)), batches, steps, objective=losses.non_saturating, **adams):
            pass

    def plain() -> None:
        plain_train(plain_G, plain_D, theirs, steps, z_dim)

    name = f"DCGAN {size}x{size}, width {width}, {str(dtype).removeprefix('torch.')}"
    ratio = in_turn(name, plain, own, rounds, per=steps)
    needed, rate = operations(own) / steps, fastest_products(dtype)
    print(
        f"{'':33s} ours needs {needed / 1e9:.1f} GFLOP a step; at the {rate / 1e9:.0f} GFLOP/s of this machine's best "
        f"{str(dtype).removeprefix('torch.')} products: {1000 * needed / rate:.1f} ms",
        flush=True,
    )
    return ratio


def operations(function: Callable[[], object]) -> int:
    """Multiplications and additions in the products and convolutions that `function` computes."""
    with FlopCounterMode(display=False) as counter:
        function()
    return counter.get_total_flops()


def fastest_products(dtype: torch.dtype, side: int = 2048, rounds: int = 7) -> float:
    """Multiplications and additions a second in a large product of matrices: as fast as arithmetic gets here."""
    a, b = torch.randn(2, side, side).to(dtype)
    seconds = []
    for _ in range(rounds + 1):
        started = time.perf_counter()
        a @ b
        seconds.append(time.perf_counter() - started)
    return 2 * side**3 / min(seconds[1:])


def wide_dcgan_speed(steps: int = 3, rounds: int = 5) -> float:
    """The same for a DCGAN of 32x32 with 64, 128 and 256 features and z of 100."""
    return dcgan_speed(32, 64, 100, steps=steps, rounds=rounds)


def plain_networks(size: int, width: int, z_dim: int) -> tuple[nn.Sequential, nn.Sequential]:
    """The pair of tutorials: z as a 1x1 image, a transposed convolution from it, D's convolution down to 1x1."""
    sides = [size // 2**k for k in range(1, 6) if size % 2**k == 0 and size // 2**k >= 4]
    features = [width * 2**k for k in range(len(sides))]  # the first ones are next to the image
    up: list[nn.Module] = [nn.ConvTranspose2d(z_dim, features[-1], sides[-1], bias=False)]
    for before, after in pairwise(features[::-1]):
        up += [nn.BatchNorm2d(before), nn.ReLU(), nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False)]
    up += [nn.BatchNorm2d(width), nn.ReLU(), nn.ConvTranspose2d(width, 1, 4, 2, 1), nn.Tanh()]
    down: list[nn.Module] = [nn.Conv2d(1, width, 4, 2, 1), nn.LeakyReLU(0.2)]
    for before, after in pairwise(features):
        down += [nn.Conv2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after), nn.LeakyReLU(0.2)]
    down += [nn.Conv2d(features[-1], 1, sides[-1]), nn.Flatten(), nn.Sigmoid()]
    pair = nn.Sequential(*up), nn.Sequential(*down)
    for network in pair:
        convolutions.dcgan_init(network)
    return pair


def plain_batches(root: Path, batch: int, size: int) -> Iterator[Tensor]:
    """Endless real batches from torchvision's MNIST, decoded, resized and scaled image by image."""
    resize = [transforms.Resize(size)] if size != 28 else []
    steps = [*resize, transforms.ToTensor(), transforms.Normalize(0.5, 0.5)]
    dataset = datasets.MNIST(str(root), transform=transforms.Compose(steps))
    loader = DataLoader(dataset, batch_size=batch, shuffle=True, drop_last=True)
    while True:
        for images, _ in loader:
            yield images


def plain_train(G: nn.Module, D: nn.Module, batches: Iterator[Tensor], steps: int, z_dim: int) -> None:
    """So many of the plain rounds, with optimizers of their own."""
    for _ in islice(plain_rounds(G, D, batches, z_dim), steps):
        pass


def plain_rounds(G: nn.Module, D: nn.Module, batches: Iterator[Tensor], z_dim: int) -> Iterator[None]:
    """The loop of tutorials: BCELoss, Adam as it comes, all gradients in G's step, `.item()` in each round."""
    bce = nn.BCELoss()
    g_optimizer, d_optimizer = (torch.optim.Adam(net.parameters(), 2e-4, (0.5, 0.999)) for net in (G, D))
    for real in batches:
        ones, zeros = torch.ones(len(real), 1), torch.zeros(len(real), 1)
        fake = G(torch.randn(len(real), z_dim, 1, 1))
        d_optimizer.zero_grad()
        real_loss, fake_loss = bce(D(real), ones), bce(D(fake.detach()), zeros)
        (real_loss + fake_loss).backward()
        d_optimizer.step()
        g_optimizer.zero_grad()
        g_loss = bce(D(fake), ones)
        g_loss.backward()
        g_optimizer.step()
        real_loss.item(), fake_loss.item(), g_loss.item()
        yield
