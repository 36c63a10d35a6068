"""GAN Lessons: the small package behind the book. Each name here is taught in a chapter before it is imported.

A name is fetched from its module when it is first asked for, so that `python -m gan_lessons check` needs no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gan_lessons.history import History
    from gan_lessons.losses import Objective
    from gan_lessons.noise import Prior
    from gan_lessons.profiles import PROFILES, Profile, setup
    from gan_lessons.training import GAN, Step, discriminator_step, generator_step, train
    from gan_lessons.zoo import load

__version__ = "0.1.0"
__all__ = [
    "GAN",
    "PROFILES",
    "History",
    "Objective",
    "Prior",
    "Profile",
    "Step",
    "discriminator_step",
    "generator_step",
    "load",
    "setup",
    "train",
]
_HOMES = {
    "history": ("History",),
    "losses": ("Objective",),
    "noise": ("Prior",),
    "profiles": ("PROFILES", "Profile", "setup"),
    "training": ("GAN", "Step", "discriminator_step", "generator_step", "train"),
    "zoo": ("load",),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"gan_lessons.{home}"), name)
    raise AttributeError(f"module 'gan_lessons' has no attribute {name!r}")
