"""`python -m tests.benchmarks [speed quality import memory]`: the ratios that the README and the issues quote."""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import nn
from tqdm import tqdm

from gan_lessons import GAN, Objective, data, losses, metrics, models, noise, train
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


def speed(pair: Pair, steps: int = 150, rounds: int = 9) -> float:
    """Seconds of the plain loop over seconds of ours for the same number of steps, batch 64: median of the pairs."""
    images = data.load("mnist")
    ours = GAN(*pair.networks(), pair.prior)
    transform = data.flat(data.symmetric if pair.signed else data.unit)
    batches = data.batches(images, 64, transform=transform)
    g_optimizer, d_optimizer = (torch.optim.Adam(net.parameters(), 2e-4, fused=True) for net in ours[:2])
    G, D = pair.networks()
    D.append(nn.Sigmoid())
    theirs = plain_batches(data_root(), 64, pair.signed)

    def plain() -> None:
        plain_train(
            *(G, D, theirs), steps=steps, g_steps=pair.g_steps, halved=pair.signed, uniform=pair.prior.name == "uniform"
        )

    def own() -> None:
        for _ in train(
            *(ours, batches, steps),
            objective=pair.objective,
            g_optimizer=g_optimizer,
            d_optimizer=d_optimizer,
            g_steps=pair.g_steps,
        ):
            pass

    return in_turn(pair.name, plain, own, rounds, per=steps)


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
        f"{name:28s} {one} {a:8.2f} ms   {other} {b:8.2f} ms   ratio {ratio:.2f} ({low:.2f} to {high:.2f})", flush=True
    )
    return ratio


def quality(seconds: float = 60.0, seed: int = 0) -> float:
    """Fréchet distance of chapter 05's recommended setting over that of the plain loop with the common defaults."""
    images, labels, _ = data.load("mnist")
    test = data.load("mnist", "test").images
    assert labels is not None
    torch.manual_seed(seed)
    judge = metrics.fit_classifier(images, labels, 1500)
    reference = metrics.moments(judge.features(data.unit(test)))

    def distance(samples: torch.Tensor) -> float:
        return metrics.frechet_distance(metrics.moments(judge.features((samples + 1) / 2)), reference)

    torch.manual_seed(seed)
    G, D = B.networks()
    plain_steps = plain_train(
        G, nn.Sequential(*D, nn.Sigmoid()), plain_batches(data_root(), 64, True), seconds=seconds, halved=True
    )
    plain = distance(GAN(G, D, B.prior).sample(10_000))

    torch.manual_seed(seed)
    gan = GAN(*B.networks(), B.prior)
    g_optimizer, d_optimizer = (torch.optim.Adam(n.parameters(), 1e-3, betas=(0.5, 0.999), fused=True) for n in gan[:2])
    average = torch.optim.swa_utils.AveragedModel(
        gan.G, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.995), use_buffers=True
    )
    batches = data.batches(data.load("mnist"), 128, transform=data.flat(data.symmetric))
    started = time.perf_counter()
    rounds = train(
        gan, batches, 10**9, objective=losses.non_saturating, g_optimizer=g_optimizer, d_optimizer=d_optimizer
    )
    made = 0
    for _ in rounds:
        made += 1
        average.update_parameters(gan.G)
        if time.perf_counter() - started > seconds:
            break
    own = distance(GAN(average.module, gan.D, gan.prior).sample(10_000))
    print(
        f"quality after {seconds:.0f} s, seed {seed}    plain {plain:8.1f} ({plain_steps} steps)   "
        f"ours {own:8.1f} ({made} steps)   ratio {own / plain:.3f}",
        flush=True,
    )
    return own / plain


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
    print(f"memory of a run on MNIST     {used[0]:.0f} MB, torch alone {used[1]:.0f} MB, above it {above:.0f} MB")
    return above


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", help="speed, quality, import, memory (default: all)")
    parser.add_argument("--seconds", type=float, default=60.0, help="for quality, each side (default 60)")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - {"speed", "quality", "import", "memory"}:
        parser.error(f"unknown part {sorted(unknown)}; have speed, quality, import, memory")
    torch.set_num_threads(arguments.threads)
    wanted = arguments.parts or ["speed", "quality", "import", "memory"]
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads; plain and ours in turn, medians of pairs")
    if "speed" in wanted:
        speed(A), speed(B)
    if "quality" in wanted:
        quality(arguments.seconds)
    if "import" in wanted:
        import_time()
    if "memory" in wanted:
        memory()


if __name__ == "__main__":
    main()
