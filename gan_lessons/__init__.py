"""GAN Lessons: the small package behind the book. Each name here is taught in a chapter before it is imported."""

from gan_lessons.history import History
from gan_lessons.losses import Objective
from gan_lessons.noise import Prior
from gan_lessons.profiles import PROFILES, Profile, setup
from gan_lessons.training import GAN, Step, discriminator_step, generator_step, train

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
    "setup",
    "train",
]
