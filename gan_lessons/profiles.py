"""Budgets of a run in one place, and the one call that seeds everything and picks the device.

torch is imported where it is needed: whoever runs chapters by name needs it only in their kernels.
"""

from __future__ import annotations

import os
import random
import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from gan_lessons.checks import whole
from gan_lessons.paths import in_notebook

if TYPE_CHECKING:
    import torch

CHOOSE_CPU = 'to choose it yourself: setup(PROFILE, seed=SEED, device="cpu"), or the variable GAN_LESSONS_DEVICE=cpu'
WITHOUT_FIGURES = {"agg", "cairo", "pdf", "pgf", "ps", "svg", "template"}  # backends that only write files


class Profile(NamedTuple):
    """How much of a chapter's full budget a run spends. A chapter states its full numbers; this scales them."""

    name: str
    share: float  # of the full number of training steps
    max_steps: int | None  # and never more than this
    max_seeds: int | None
    max_samples: int | None
    max_batch: int | None
    embedded: str | None  # the dataset that stands in for a downloaded one, or None

    def steps(self, full: int) -> int:
        """Training steps of this profile where the full profile takes `full`; at least 2."""
        return self._scaled(full, self.share, self.max_steps, floor=2)

    def seeds(self, full: int) -> list[int]:
        """The seeds 0, 1, … of this profile where the full profile takes `full` of them; at least 2."""
        return list(range(self._scaled(full, 1.0, self.max_seeds, floor=2)))

    def samples(self, full: int) -> int:
        """How many samples to draw or score where the full profile takes `full`."""
        return self._scaled(full, 1.0, self.max_samples, floor=2)

    def batch(self, full: int) -> int:
        """How many images D sees at a time where the full profile shows it `full`."""
        return self._scaled(full, 1.0, self.max_batch, floor=2)

    def dataset(self, name: str) -> str:
        """The dataset of this profile: `name` itself, or the embedded one that needs no network."""
        return self.embedded or name

    @staticmethod
    def _scaled(full: int, share: float, most: int | None, floor: int) -> int:
        full = whole("a budget", full)
        scaled = round(full * share) if most is None else min(round(full * share), most)
        return min(full, max(floor, scaled))


PROFILES = {
    # for CI and tests: the same code, no network, no GPU, seconds a chapter; as many samples as a batch of chapter 05
    "smoke": Profile("smoke", 1.0, max_steps=4, max_seeds=2, max_samples=128, max_batch=16, embedded="digits"),
    # for a laptop: recognisable results in minutes
    "quick": Profile("quick", 0.3, max_steps=None, max_seeds=2, max_samples=2_000, max_batch=None, embedded=None),
    # for a GPU or a patient CPU: what the published outputs show
    "full": Profile("full", 1.0, max_steps=None, max_seeds=None, max_samples=None, max_batch=None, embedded=None),
}


def resolve(name: str = "auto", device: torch.device | str = "auto") -> Profile:
    """Return the profile called `name`; "auto" asks $GAN_LESSONS_PROFILE, then takes full on a GPU, else quick.

    The device is chosen as in `setup`. Raises ValueError for a name that does not exist.
    """
    chosen = name if name != "auto" else os.environ.get("GAN_LESSONS_PROFILE") or "auto"
    if chosen == "auto":
        chosen = "full" if _place(device)[0].type == "cuda" else "quick"
    if chosen not in PROFILES:
        raise ValueError(f"unknown profile {chosen!r}; have {sorted(PROFILES)}, or 'auto'")
    return PROFILES[chosen]


def setup(profile: str = "auto", seed: int = 0, device: torch.device | str = "auto") -> tuple[Profile, torch.device]:
    """Seed the random generators of Python, NumPy and torch once, and return the profile and the device.

    The device is "cpu", "cuda" or "cuda:1"; "auto" asks $GAN_LESSONS_DEVICE, then takes the GPU where one computes, and
    says so where one is there and does not. Raises ValueError for an unknown profile, a seed that is not a whole
    number in [0, 2^32), an unknown device, or a GPU that was asked for and cannot be used.
    """
    import numpy as np
    import torch

    seed = whole("SEED", seed, 0, 2**32 - 1)
    place, word = _place(device)
    chosen = resolve(profile, place)
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  its global generator, for readers who use it
    torch.manual_seed(seed)  # the CPU's generator and every CUDA device's
    if place.index is not None and place.type == "cuda":
        torch.cuda.set_device(place)  # what asks for "cuda" alone means this one too
    print(f"profile {chosen.name}, device {place}, seed {seed}")
    for note in filter(None, [word, _show_figures()]):
        print(note)
    return chosen, place


def _place(device: torch.device | str) -> tuple[torch.device, str]:
    """The device to compute on, and a word to the reader where a GPU is there and cannot be used, else ""."""
    import torch

    chosen = str(device) if str(device) != "auto" else os.environ.get("GAN_LESSONS_DEVICE") or "auto"
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", chosen):
        raise ValueError(f"unknown device {chosen!r}; have 'cpu', 'cuda', 'cuda:1' and so on, or 'auto'")
    if chosen == "cpu" or (chosen == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu"), ""
    trouble = _trouble("cuda" if chosen == "auto" else chosen)
    if trouble and chosen != "auto":
        raise ValueError(f"the device {chosen} cannot be used ({trouble}): {CHOOSE_CPU}")
    if trouble:
        return torch.device("cpu"), f"A GPU is there and cannot be used ({trouble}). The CPU is taken; {CHOOSE_CPU}."
    return torch.device("cuda" if chosen == "auto" else chosen), ""


@cache
def _trouble(device: str) -> str:
    """Why a GPU cannot be used, "" where it can: one convolution and one product there, forth and back."""
    import torch
    import torch.nn.functional as F

    if not torch.cuda.is_available():
        return "torch sees no GPU here"
    try:
        images = torch.ones(4, 1, 8, 8, device=device, requires_grad=True)
        maps = F.conv2d(images, torch.ones(2, 1, 3, 3, device=device))  # (4, 2, 6, 6), 9 everywhere
        total = (maps.flatten(1) @ torch.ones(72, 3, device=device)).sum()
        total.backward()
        torch.cuda.synchronize(device)
        right = (
            float(total.detach()) == 4 * 3 * 72 * 9 and images.grad is not None and bool(images.grad.isfinite().all())
        )
    except Exception as error:  # drivers raise many kinds
        return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
    return "" if right else "its sums are wrong"


def _show_figures() -> str:
    """Let a notebook show its figures where MPLBACKEND forbids it, and say so; "" where there is nothing to do."""
    backend = os.environ.get("MPLBACKEND", "")
    if not in_notebook() or backend.lower() not in WITHOUT_FIGURES:
        return ""
    from IPython import get_ipython

    get_ipython().run_line_magic("matplotlib", "inline")
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    return f"MPLBACKEND={backend} would show no figure in a notebook; they are shown inline."


def convolution_dtype(device: torch.device) -> torch.dtype:
    """The dtype that convolutions should compute in: bfloat16 where the device gains time by it, else float32.

    Those are CUDA from compute capability 8, and CPUs with AMX, or with AVX-512-BF16 unless they are Intel's: on a Xeon
    that has the latter without AMX, a DCGAN's round takes longer in bfloat16. Elsewhere it is emulated, which is slower
    still. Chapter 07 times both on the machine that runs it.
    """
    import torch

    if device.type == "cuda":
        short = torch.cuda.get_device_capability(device) >= (8, 0)
    elif device.type == "cpu" and hasattr(torch.cpu, "get_capabilities"):  # an older torch cannot say
        has = torch.cpu.get_capabilities()
        short = bool(has.get("amx_bf16") or (has.get("avx512_bf16") and "Intel" not in str(has.get("cpu_name"))))
    else:
        short = False
    return torch.bfloat16 if short else torch.float32
