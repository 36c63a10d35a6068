"""Budgets of a run in one place, and the one call that seeds everything and picks the device."""

import os
import random
from typing import NamedTuple

import numpy as np
import torch

from gan_lessons.checks import whole


class Profile(NamedTuple):
    """How much of a chapter's full budget a run spends. A chapter states its full numbers; this scales them."""

    name: str
    share: float  # of the full number of training steps
    max_steps: int | None  # and never more than this
    max_seeds: int | None
    max_samples: int | None
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

    def dataset(self, name: str) -> str:
        """The dataset of this profile: `name` itself, or the embedded one that needs no network."""
        return self.embedded or name

    @staticmethod
    def _scaled(full: int, share: float, most: int | None, floor: int) -> int:
        full = whole("a budget", full)
        scaled = round(full * share) if most is None else min(round(full * share), most)
        return min(full, max(floor, scaled))


PROFILES = {
    # for CI and tests: the same code, no network, no GPU, seconds a chapter
    "smoke": Profile("smoke", 1.0, max_steps=4, max_seeds=2, max_samples=256, embedded="digits"),
    # for a laptop: recognisable results in minutes
    "quick": Profile("quick", 0.3, max_steps=None, max_seeds=2, max_samples=2_000, embedded=None),
    # for a GPU or a patient CPU: what the published outputs show
    "full": Profile("full", 1.0, max_steps=None, max_seeds=None, max_samples=None, embedded=None),
}


def resolve(name: str = "auto") -> Profile:
    """Return the profile called `name`; "auto" asks $GAN_LESSONS_PROFILE, then takes full with CUDA, else quick.

    Raises ValueError for a name that does not exist.
    """
    chosen = name if name != "auto" else os.environ.get("GAN_LESSONS_PROFILE") or "auto"
    if chosen == "auto":
        chosen = "full" if torch.cuda.is_available() else "quick"
    if chosen not in PROFILES:
        raise ValueError(f"unknown profile {chosen!r}; have {sorted(PROFILES)}, or 'auto'")
    return PROFILES[chosen]


def setup(profile: str = "auto", seed: int = 0) -> tuple[Profile, torch.device]:
    """Seed the random generators of Python, NumPy and torch once, and return the profile and the device.

    The device is CUDA where there is one. Raises ValueError for an unknown profile or a seed that is not a whole
    number in [0, 2^32).
    """
    seed = whole("SEED", seed, 0, 2**32 - 1)
    chosen = resolve(profile)
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  its global generator, for readers who use it
    torch.manual_seed(seed)  # the CPU's generator and every CUDA device's
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    print(f"profile {chosen.name}, device {device.type}, seed {seed}")
    return chosen, device


def convolution_dtype(device: torch.device) -> torch.dtype:
    """The dtype that convolutions should compute in: bfloat16 where the device has instructions for it, else float32.

    Those are CUDA from compute capability 8, and CPUs with AMX or AVX-512-BF16. Elsewhere bfloat16 is emulated, which
    is slower. Chapter 07 times both on the machine that runs it, and holds their scores against each other.
    """
    if device.type == "cuda":
        short = torch.cuda.get_device_capability(device) >= (8, 0)
    elif device.type == "cpu" and hasattr(torch.cpu, "get_capabilities"):  # an older torch cannot say
        has = torch.cpu.get_capabilities()
        short = bool(has.get("amx_bf16") or has.get("avx512_bf16"))
    else:
        short = False
    return torch.bfloat16 if short else torch.float32
