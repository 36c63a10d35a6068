"""The loop that most tutorials show, kept as the yardstick: nothing here is slow on purpose.

torchvision's dataset and a DataLoader, BCELoss on a sigmoid, Adam as it comes, two passes of D, gradients for D's
weights in G's step, new noise for each move, `.item()` at each step.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms


def plain_batches(root: Path, batch: int, signed: bool) -> Iterator[Tensor]:
    """Endless flat real batches from torchvision's MNIST, decoded and transformed image by image."""
    steps = [transforms.ToTensor(), *([transforms.Normalize(0.5, 0.5)] if signed else [])]
    dataset = datasets.MNIST(str(root), transform=transforms.Compose(steps))
    loader = DataLoader(dataset, batch_size=batch, shuffle=True, drop_last=True)
    while True:
        for images, _ in loader:
            yield images.flatten(1)


def plain_train(
    G: nn.Module,
    D: nn.Module,
    batches: Iterator[Tensor],
    *,
    steps: int | None = None,
    seconds: float | None = None,
    g_steps: int = 1,
    halved: bool = False,
    uniform: bool = False,
    lr: float = 2e-4,
) -> int:
    """Train for some steps or some seconds; D ends in a sigmoid. Returns the number of steps made."""
    bce = nn.BCELoss()
    g_optimizer = torch.optim.Adam(G.parameters(), lr=lr)
    d_optimizer = torch.optim.Adam(D.parameters(), lr=lr)
    started, number = time.perf_counter(), 0
    while (steps is None or number < steps) and (seconds is None or time.perf_counter() - started < seconds):
        real = next(batches)
        n = len(real)
        ones, zeros = torch.ones(n, 1), torch.zeros(n, 1)

        def noise(n: int = n) -> Tensor:
            return torch.rand(n, 100) * 2 - 1 if uniform else torch.randn(n, 100)

        d_optimizer.zero_grad()
        real_loss = bce(D(real), ones)
        fake_loss = bce(D(G(noise()).detach()), zeros)
        d_loss = (real_loss + fake_loss) / 2 if halved else real_loss + fake_loss
        d_loss.backward()
        d_optimizer.step()
        for _ in range(g_steps):
            g_optimizer.zero_grad()
            g_loss = bce(D(G(noise())), ones)
            g_loss.backward()
            g_optimizer.step()
        d_loss.item(), g_loss.item()
        number += 1
    return number
