"""`python -m tests.benchmarks [PART…]`: the ratios that README and issues quote. PARTS, below, names them."""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import nn
from tqdm import tqdm

from gan_lessons import GAN, Objective, data, ensemble, losses, models, noise, toys, train
from gan_lessons.paths import data_root
from tests.benchmarks.plain_loop import plain_batches, plain_train


class Pair(NamedTuple):
    """One of chapter 05's classic settings."""

    name: str
    g_hidden: tuple[int, ...]
    d_hidden: tuple[int, ...]
    slope: float
    signed: bool
    prior: noise.Prior
    g_steps: int
    objective: Objective

    def networks(self) -> tuple[nn.Sequential, nn.Sequential]:
        G = models.mlp_generator(self.g_hidden, slope=self.slope, signed=self.signed)
        D = models.mlp_discriminator(self.d_hidden, slope=self.slope)
        return G, D


A = Pair("MLP (A), d:g 1:2", (128,), (128,), 0.0, False, noise.uniform(100), 2, losses.non_saturating)
B = Pair(
    *("MLP (B), d:g 1:1", (128, 256, 512), (512, 256), 0.2, True, noise.gaussian(100), 1),
    losses.non_saturating_mean,
)


@contextmanager
def products(precision: str) -> Iterator[None]:
    """Chapter 05's setup allows "medium"; PyTorch's default, which the plain loop has, is "highest"."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def speed(pair: Pair, steps: int = 150, rounds: int = 9, alike: bool = False) -> float:
    """Seconds of the plain loop over seconds of ours for the same number of steps, batch 64: median of the pairs.

    alike: the plain loop too gets the products of chapter 05's setup, so that only the loops differ.
    """
    images = data.load("mnist")
    ours = GAN(*pair.networks(), pair.prior)
    transform = data.flat(data.symmetric if pair.signed else data.unit)
    batches = data.batches(images, 64, transform=transform)
    g_optimizer, d_optimizer = (torch.optim.Adam(net.parameters(), 2e-4, fused=True) for net in ours[:2])
    G, D = pair.networks()
    D.append(nn.Sigmoid())
    theirs = plain_batches(data_root(), 64, pair.signed)

    def plain() -> None:
        with products("medium" if alike else "highest"):
            uniform = pair.prior.name == "uniform"
            plain_train(G, D, theirs, steps=steps, g_steps=pair.g_steps, halved=pair.signed, uniform=uniform)

    def own() -> None:
        optimizers: dict[str, Any] = {"g_optimizer": g_optimizer, "d_optimizer": d_optimizer}
        rounds = train(ours, batches, steps, objective=pair.objective, g_steps=pair.g_steps, **optimizers)
        with products("medium"):
            for _ in rounds:
                pass

    return in_turn(pair.name + (", products alike" if alike else ""), plain, own, rounds, per=steps)


def ensemble_cost(
    seeds: int, steps: int = 200, rounds: int = 9, batch: int = 128, hidden: tuple[int, ...] = (64, 64)
) -> float:
    """Seconds of S seeds of a GAN on the ring of 8 as one batched run over those of one seed, played singly."""

    def play(count: int) -> Callable[[], None]:
        def networks(seed: int) -> tuple[nn.Sequential, nn.Sequential]:
            torch.manual_seed(seed)
            return models.mlp([2, *hidden, 2], slope=0.2), models.mlp([2, *hidden, 1], slope=0.2)

        def sources(offset: int) -> list[torch.Generator]:
            return [torch.Generator().manual_seed(offset + seed) for seed in range(count)]

        pairs = [networks(seed) for seed in range(count)]
        objective, (G, D) = losses.non_saturating, pairs[0]
        prior, batches = noise.gaussian(2), ensemble.points(ring.sample, batch, sources(1), ahead=64)
        if count == 1:
            batches = ((real[:, 0],) for (real,) in batches)
        else:
            G, D = (ensemble.stack(column) for column in zip(*pairs, strict=True))
            prior, objective = ensemble.stack_prior(prior, sources(1000)), ensemble.over_seeds(objective, count)
        g_optimizer, d_optimizer = (
            torch.optim.Adam(n.parameters(), 1e-3, betas=(0.5, 0.9), fused=True) for n in (G, D)
        )
        game: dict[str, Any] = {"objective": objective, "g_optimizer": g_optimizer, "d_optimizer": d_optimizer}

        def run() -> None:
            for _ in train(GAN(G, D, prior), batches, steps, **game):
                pass

        return run

    ring = toys.ring()
    labels = (f"{seeds} seeds", "one seed")
    return in_turn(f"{seeds} seeds, hidden layers {hidden}", play(seeds), play(1), rounds, per=steps, labels=labels)


def graph_ratios() -> None:
    """What a CUDA graph saves, for both MLP pairs and both DCGANs; says so where there is no CUDA device."""
    if not torch.cuda.is_available():
        print("CUDA graphs: no CUDA device here")
        return
    from tests.benchmarks.cuda import dcgan_graph_speed, graph_speed

    for pair in (A, B):

        def networks(pair: Pair = pair) -> tuple[nn.Module, nn.Module]:
            G, D = (net.to("cuda") for net in pair.networks())
            return G, D

        transform = data.flat(data.symmetric if pair.signed else data.unit)
        graph_speed(*(pair.name, networks, pair.prior, transform), objective=pair.objective, g_steps=pair.g_steps)
    dcgan_graph_speed(), dcgan_graph_speed(32, 64, 100)


def in_turn(
    name: str,
    plain: Callable[[], object],
    own: Callable[[], object],
    rounds: int,
    per: int = 1,
    labels: tuple[str, str] = ("plain", "ours"),
) -> float:
    """Time two functions alternately after one warm-up each, print medians, return the median of the ratios."""
    plain(), own()
    times: list[tuple[float, float]] = []
    for _ in tqdm(range(rounds), desc=name, leave=False):
        pair = []
        for function in (plain, own):
            started = time.perf_counter()
            function()
            pair.append(time.perf_counter() - started)
        times.append((pair[0], pair[1]))
    ratio = statistics.median(a / b for a, b in times)
    a, b = (1000 * statistics.median(t[k] for t in times) / per for k in (0, 1))
    low, high = min(a / b for a, b in times), max(a / b for a, b in times)
    one, other = labels
    print(
        f"{name:33s} {one} {a:8.2f} ms   {other} {b:8.2f} ms   ratio {ratio:.2f} ({low:.2f} to {high:.2f})", flush=True
    )
    return ratio


def import_time(rounds: int = 9) -> float:
    """Seconds of `import gan_lessons` after torch and torchvision over those two alone, each in a new process."""
    base, with_ours = "import torch, torchvision", "import torch, torchvision, gan_lessons"

    def timed(code: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, "-c", code], check=True)

    return in_turn("import", timed(with_ours), timed(base), rounds, labels=("with ours", "without"))


def memory(steps: int = 300) -> float:
    """Peak resident MB of a run on MNIST in a new process, above a process that only imports torch and torchvision."""
    # VmHWM of Linux: getrusage would count what this process held before it became that one
    peak = "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    run = (
        "import torch, torchvision\nfrom tests.benchmarks.__main__ import *\ngan = GAN(*B.networks(), B.prior)\n"
        "o = [torch.optim.Adam(n.parameters(), fused=True) for n in gan[:2]]\n"
        "b = data.batches(data.load('mnist'), 64, transform=data.flat(data.symmetric))\n"
        f"for _ in train(gan, b, {steps}, objective=B.objective, g_optimizer=o[0], d_optimizer=o[1]): pass\n"
    )
    used = [
        int(subprocess.run([sys.executable, "-c", code + peak], check=True, capture_output=True, text=True).stdout)
        / 1024
        for code in (run, "import torch, torchvision\n")
    ]
    above = used[0] - used[1]
    print(f"memory of a run on MNIST          {used[0]:.0f} MB, torch alone {used[1]:.0f} MB, above it {above:.0f} MB")
    return above


PARTS = ("speed", "ensemble", "convolutions", "graphs", "quality", "import", "memory", "pages")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", help=", ".join(PARTS) + " (default: all)")
    parser.add_argument("--seconds", type=float, default=60.0, help="for quality, of one core a game (default 60)")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"unknown part {sorted(unknown)}; have {', '.join(PARTS)}")
    torch.set_num_threads(arguments.threads)
    wanted = arguments.parts or PARTS
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads; plain and ours in turn, medians of pairs")
    if "speed" in wanted:
        speed(A), speed(B), speed(A, alike=True), speed(B, alike=True)
    if "ensemble" in wanted:
        for seeds in (10, 20):
            ensemble_cost(seeds, hidden=(64,)), ensemble_cost(seeds, hidden=(64, 64))
    if "convolutions" in wanted:
        from tests.benchmarks.convolutions import dcgan_speed, wide_dcgan_speed

        dcgan_speed(), wide_dcgan_speed()
    if "graphs" in wanted:
        graph_ratios()
    if "pages" in wanted:
        from tests.benchmarks.pages import pages

        pages()
    if "quality" in wanted:
        from tests.benchmarks.quality import quality

        quality(arguments.seconds)
    if "import" in wanted:
        import_time()
    if "memory" in wanted:
        memory()


if __name__ == "__main__":
    main()
