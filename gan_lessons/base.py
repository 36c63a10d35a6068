"""The base games that all studies change one thing of: the toy ring, the MLP of chapter 05, the DCGAN of chapter 07.

CMLP and CDCGAN are the last two with labels, the games of chapter 14. MODERN is the DCGAN with pairs and two penalties,
and DCGAN_LONG the DCGAN played long, with falling rates and another D: chapter 15's.

    gan, batches, game = base.start(base.MLP, data.load("mnist"), seed=0)
    for step in base.MLP.play(gan, batches, base.MLP.rounds, **game): ...

A study changes one thing, `base.MLP._replace(lr=2e-4)`, and names it.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from gan_lessons import data, ensemble, losses, noise, toys
from gan_lessons.labels import checked
from gan_lessons.losses import Objective
from gan_lessons.models import convolutions, layers, mlp, mlp_discriminator, mlp_generator
from gan_lessons.noise import Prior
from gan_lessons.profiles import Profile
from gan_lessons.training import GAN, Penalty, Step, train, train_conditional, train_falling

RING = toys.ring(std=0.02)


class Game(NamedTuple):
    """A game but for its data, seed and device."""

    name: str
    generator: Callable[[], nn.Sequential]
    discriminator: Callable[[], nn.Sequential]
    prior: Prior
    rounds: int  # the full length
    batch: int
    lr: float
    betas: tuple[float, float]
    transform: data.Transform = data.symmetric
    objective: Objective = losses.non_saturating
    penalty: Penalty | None = None
    d_steps: int = 1
    g_steps: int = 1
    play: Callable[..., Iterator[Step]] = train

    def epochs(self, items: int) -> float:
        """How often all of so many items pass before D in a game of full length."""
        return self.rounds * self.d_steps * self.batch / items

    def at(self, profile: Profile) -> "Game":
        """The game with as many rounds, and images in a batch, as this profile spends where the full one plays it."""
        return self._replace(rounds=profile.steps(self.rounds), batch=profile.batch(self.batch))


TOY = Game(
    name="toy",
    generator=partial(mlp, [8, 64, 64, 2]),
    discriminator=partial(mlp, [2, 64, 64, 1], 0.2),
    prior=noise.gaussian(8),
    rounds=12_000,  # by then the captured modes and their KL have come to rest
    batch=128,
    lr=1e-3,
    betas=(0.5, 0.999),
)
_MLP_G = partial(mlp_generator, (128, 256, 512), slope=0.2, signed=True)
_MLP_D = partial(mlp_discriminator, (512, 256), slope=0.2)
MLP = Game(
    name="MLP",
    generator=_MLP_G,
    discriminator=_MLP_D,
    prior=noise.gaussian(100),
    transform=data.flat(data.symmetric),
    rounds=8_000,
    batch=128,
    lr=1e-3,
    betas=(0.5, 0.999),
)
_DCGAN_G = partial(convolutions.dcgan_generator, width=32, z_dim=64, deep=True, init=convolutions.keep_init)
_DCGAN_D = partial(convolutions.dcgan_discriminator, width=32, deep=True, norm=False, init=convolutions.keep_init)
DCGAN = Game(
    name="DCGAN",
    generator=_DCGAN_G,
    discriminator=_DCGAN_D,
    prior=noise.gaussian(64),
    rounds=8_000,
    batch=64,
    lr=2e-3,
    betas=(0.0, 0.99),
    penalty=partial(losses.r1, gamma=1.0, share=0.25),
)
DCGAN_LONG = DCGAN._replace(
    name="DCGAN_LONG",
    discriminator=partial(_DCGAN_D, norm=True, hidden=128, slope=0.0),  # three changes that chapter 15 tries
    rounds=12_000,
    play=train_falling,
)
MODERN = DCGAN._replace(
    name="MODERN",
    objective=losses.relativistic,
    penalty=partial(losses.r1_r2, gamma=0.5, share=0.25),  # half as much for each, so that the whole stays the DCGAN's
)
CLASSES = 10
CMLP = MLP._replace(
    name="CMLP",
    generator=partial(_MLP_G, z_dim=100 + CLASSES),
    discriminator=partial(_MLP_D, inputs=784 + CLASSES),
    prior=noise.labelled(MLP.prior, CLASSES),
    play=train_conditional,
)
CDCGAN = DCGAN._replace(
    name="CDCGAN",
    generator=partial(_DCGAN_G, z_dim=64 + CLASSES),
    discriminator=partial(_DCGAN_D, channels=1 + CLASSES),
    prior=noise.labelled(DCGAN.prior, CLASSES),
    lr=1e-3,
    penalty=partial(losses.r1, gamma=0.1, share=0.25),  # chapter 14 plays it with 07's, too
    play=train_conditional,
)


def start(
    game: Game,
    images: data.Images | Tensor,
    seed: int,
    *,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
) -> tuple[GAN, data.Batches, dict[str, Any]]:
    """Seed everything, and return what `train` takes: the pair, endless batches of `images`, and the rest by name.

    Convolutions compute in `dtype` (see `profiles.convolution_dtype`). The same seed gives the same game, to the bit
    on a CPU of one kind. A conditional game takes the labels of `images`, too. Raises ValueError where they have none,
    and for fewer images than a batch of the game.
    """
    if (count := len(images if isinstance(images, Tensor) else images[0])) < game.batch:
        smaller = f", or play it with smaller batches, game._replace(batch={count})" if count > 1 else ""
        raise ValueError(f"{game.name} takes {game.batch} images at a time, and here are {count}: bring more{smaller}")
    told: data.Images | Tensor | tuple[Tensor, ...] = images
    if game.prior.classes:
        if not isinstance(images, data.Images) or images.labels is None:
            raise ValueError(
                f"the game {game.name} needs images with labels: data.load gives both, or data.Images does"
            )
        told = images.images, checked(images.labels, len(images.images), game.prior.classes)
    torch.manual_seed(seed)
    G, D = (layers.prepared(make(), torch.device(device), dtype) for make in (game.generator, game.discriminator))
    batches = data.batches(told, game.batch, device=device, transform=game.transform)
    return GAN(G, D, game.prior), batches, _rest(game, G, D, fused=True)


def start_together(
    game: Game, seeds: Sequence[int], sample: Callable[..., Tensor] = RING.sample
) -> tuple[GAN, Iterator[tuple[Tensor]], dict[str, Any]]:
    """The same for a toy game of many seeds as one batched run: sample(n, generator=…) draws its points (n, d).

    The networks are MLPs. What a seed draws does not depend on the other seeds.
    """
    pairs = [
        [_seeded(10 * seed + k, make) for seed in seeds] for k, make in enumerate((game.generator, game.discriminator))
    ]
    noises, dice = ([torch.Generator().manual_seed(10 * seed + k) for seed in seeds] for k in (2, 3))
    G, D = (ensemble.stack(networks) for networks in pairs)
    objective = ensemble.over_seeds(game.objective, len(seeds))
    gan = GAN(G, D, ensemble.stack_prior(game.prior, noises))
    return gan, ensemble.points(sample, game.batch, dice, ahead=8), _rest(game._replace(objective=objective), G, D)


def _rest(game: Game, G: nn.Module, D: nn.Module, fused: bool = False) -> dict[str, Any]:
    adams = {
        name: torch.optim.Adam(network.parameters(), game.lr, game.betas, fused=fused)
        for name, network in (("g_optimizer", G), ("d_optimizer", D))
    }
    rules = {"objective": game.objective, "penalty": game.penalty, "d_steps": game.d_steps, "g_steps": game.g_steps}
    return {**rules, **adams}


def _seeded(seed: int, make: Callable[[], nn.Sequential]) -> nn.Sequential:
    torch.manual_seed(seed)
    return make()
