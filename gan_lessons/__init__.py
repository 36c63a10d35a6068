"""GAN Lessons: the small package behind the book. Each name here is taught in a chapter before it is imported.

The rooms:

    the game     losses · noise · training (the loop) · ensemble (many seeds at once) · cuda_graphs (the loop, recorded)
    on paper     theory · toys
    networks     models: mlp · convolutions · colour · classic · layers
    images in    data: sets · folders (images of your own) · batching · downloads
    how good     metrics: scoring · report_card · distances · neighbours · modes · classifier
    a run        base (the base games) · runs · history · checkpoints (run_parts: what is kept of each part) · averaging
    a study      ablation (one thing changed) · studies: running · tables · jobs · comparisons · readings ·
                 error_rates · pairs; intervals; settings
    shown        plotting · page_table · films · film_codec · live (generators for pages)
    stored       zoo (generators) · judges (classifiers) · stored (weights beside their card)
    the book's   runner · plain_copies · plain_markdown · profiles · paths · checks · exercises

A name is fetched from its module when it is first asked for, so that `python -m gan_lessons check` needs no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gan_lessons.history import History
    from gan_lessons.losses import Objective
    from gan_lessons.noise import Prior
    from gan_lessons.profiles import setup
    from gan_lessons.training import GAN, Step, discriminator_step, generator_step, train
    from gan_lessons.zoo import load

__version__ = "0.2.0"
__all__ = [
    "GAN",
    "History",
    "Objective",
    "Prior",
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
    "profiles": ("setup",),
    "training": ("GAN", "Step", "discriminator_step", "generator_step", "train"),
    "zoo": ("load",),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"gan_lessons.{home}"), name)
    raise AttributeError(f"module 'gan_lessons' has no attribute {name!r}")
