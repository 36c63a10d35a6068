"""Change one thing of a base game, and measure what it does: whole games, judged along the way.

    lab = ablation.Lab(data.load("mnist"), judges.opinions(test.images), 10_000)
    changed = {"noise from U[0, 1)": base.MLP._replace(prior=noise.uniform(100, 0, 1))}
    table = ablation.study(lab, base.MLP, changed, profile.seeds(10), folder=folder, name="09-noises")
    studies.factors(table, "second_distance@100", baseline=ablation.UNCHANGED).words()

The unchanged games lie in a table of their own, base-MLP.csv, so that all chapters share them. For toy games, all of
whose seeds are one batched run on points, there are `Bench` and `study_together`; their unchanged games lie in
base-toy.csv twice, with the seeds and with other dice, which is the null:

    table = ablation.study_together(ablation.Bench(), base.TOY, {"2:1": base.TOY._replace(d_steps=2)}, ...)
    studies.differences(table, "usable@100", baseline=UNCHANGED, nulls=[AGAIN], larger_is_better=True)
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from gan_lessons import base, ensemble, runs, studies
from gan_lessons.base import Game
from gan_lessons.checks import whole
from gan_lessons.data import Images
from gan_lessons.metrics import modes
from gan_lessons.toys import Mixture
from gan_lessons.training import GAN

UNCHANGED = "as it is"  # the baseline of every table
AGAIN = "as it is, other dice"  # the null of toy games: the unchanged game with other weights, points and noise
OTHER_DICE = 1_000  # added to each seed for it
LOOKS = 20  # at the losses of a toy game, spread over its last tenth
CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)


class Lab(NamedTuple):
    """What all games of a study have in common: the images, who judges, and where they are played."""

    images: Images  # that D sees
    judge: Callable[[Tensor], Mapping[str, float]]  # of samples (n, c, h, w) in [0, 1], such as judges.opinions
    samples: int  # fresh ones for each reading
    device: torch.device = torch.device("cpu")
    dtype: torch.dtype = torch.float32  # of games with convolutions: profiles.convolution_dtype(device)

    def play(self, game: Game, seed: int, shares: Sequence[int] = (10, 30, 100)) -> dict[str, float]:
        """Play a whole game and return its row: name@share of the averaged generator, and last_name of the last.

        `shares` are the readings, in per cent of the game's rounds. As many noise vectors as there are `samples`
        measure batch norm anew, as in `averaging.averaged`. Raises what `base.start` and `runs.read_along` do.
        """
        convolves = any(isinstance(layer, CONVOLUTIONS) for layer in game.generator().modules())
        dtype = self.dtype if convolves else torch.float32
        gan, batches, rest = base.start(game, self.images, seed, device=self.device, dtype=dtype)
        at = studies.marks(game.rounds, shares)
        rest |= {"at": at, "play": game.play, "statistics": max(2, self.samples)}
        return runs.read_along(gan, batches, game.rounds, self.score, **rest)

    def score(self, gan: GAN) -> Mapping[str, float]:
        """What the judge says of fresh samples."""
        return self.judge(gan.images(self.samples))


class Bench(NamedTuple):
    """What all toy games of a study have in common: the modes, and how many points of each seed are counted."""

    toy: Mixture = base.RING
    samples: int = 2_500

    def play(self, game: Game, seeds: Sequence[int], shares: Sequence[int] = (10, 30, 100)) -> dict[str, list[float]]:
        """Play all seeds of a whole game as one run and return its columns, one number a seed.

        name@share: what `measure` says of G's last weights, `shares` being per cent of the rounds. d_loss and g_loss:
        the players' losses on fresh points, means of some looks in the last tenth. Readings and looks have dice of
        their own, so they change nothing. Raises what `base.start_together` and the game's `play` do.
        """
        gan, batches, rest = base.start_together(game, seeds, self.toy.sample)
        at = studies.marks(game.rounds, shares)
        looks = range(game.rounds, 9 * game.rounds // 10, -max(1, game.rounds // (10 * LOOKS)))
        dice = _dice(seeds)
        columns, losses = dict[str, list[float]](), list[Tensor]()
        for step in game.play(gan, batches, game.rounds, **rest):
            if step.number in at:
                rows = [self.measure(points) for points in self.draw(gan, game, seeds)]
                columns |= {f"{name}@{at[step.number]}": [row[name] for row in rows] for name in rows[0]}
            if step.number in looks:
                losses.append(self.losses(gan, game, dice))
        d_loss, g_loss = torch.stack(losses).mean(0).tolist()
        return columns | {"d_loss": d_loss, "g_loss": g_loss}

    def draw(self, gan: GAN, game: Game, seeds: Sequence[int]) -> Tensor:
        """Points of each seed's generator, (seeds, samples, d): the same noise whenever a seed is asked."""
        return gan._replace(prior=ensemble.stack_prior(game.prior, _dice(seeds))).sample(self.samples).transpose(0, 1)

    def measure(self, points: Tensor) -> dict[str, float]:
        """Judge points (n, d), good ones being those within 3 stds of a mode.

        usable: per cent of an order, each mode by its weight, that the good ones can fill (`modes.usable`);
        modes: those with half of their due; one: those with a single good point; quality: per cent of good points;
        kl: reverse KL of the modes' shares, nats; variety: the spread around the mean, as a multiple of the toy's own.
        Of points that are NaN or infinite nothing is usable, and the divergence is that of a single mode.
        """
        weights = self.toy.weights
        if not points.isfinite().all():
            lost = dict.fromkeys(("usable", "modes", "one", "quality"), 0.0)
            return lost | {"kl": float(-weights.min().log()), "variety": 0.0}
        found = modes.tally(points, self.toy.means, self.toy.stds)
        centre = weights @ self.toy.means
        due = weights @ ((self.toy.means - centre).square().sum(1) + points.shape[1] * self.toy.stds.square())
        return {
            "usable": 100 * modes.usable(found.good, found.n, weights),
            "modes": float(modes.expected_share(found.good, found.n, weights).sum()),
            "one": float(modes.at_least_one(found.good).sum()),
            "quality": 100 * found.quality,
            "kl": modes.reverse_kl(found.nearest, weights),
            "variety": float((points.var(0).sum() / due).sqrt()),
        }

    @torch.no_grad()
    def losses(self, gan: GAN, game: Game, dice: Sequence[torch.Generator]) -> Tensor:
        """Both losses of each seed on a fresh batch of the game's size: (2, seeds), D's first."""
        D = copy.deepcopy(gan.D)  # where it normalises batches, a look would move its running averages
        real = torch.stack([self.toy.sample(game.batch, generator=one) for one in dice], 1)  # (n, S, d)
        fake = gan._replace(prior=ensemble.stack_prior(game.prior, dice)).sample(game.batch)
        pairs = list(zip(D(real).unbind(1), D(fake).unbind(1), strict=True))
        told = [[game.objective.d_loss(*pair) for pair in pairs], [game.objective.g_loss(*pair) for pair in pairs]]
        return torch.tensor(told)


def _dice(seeds: Sequence[int]) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(10 * seed + 4) for seed in seeds]  # 0 to 3 are the game's


def study(
    lab: Lab,
    game: Game,
    changed: Mapping[str, Game],
    seeds: Sequence[int],
    *,
    folder: str | Path,
    name: str,
    executor: Executor | None = None,
) -> studies.Table:
    """Play `game` and its changed forms, each with every seed, and return one table; the unchanged is UNCHANGED.

    The changed games lie in folder/name.csv, the unchanged ones in folder/base-GAME.csv, GAME being game.name; a row
    that is there is not played again. Raises ValueError for a changed game that is called as the baseline or equal to
    it, and what `studies.run` raises: also for a table that another base game made.
    """
    whole("the number of samples", lab.samples, 2)
    _refuse(game, changed, name)
    settings = {**numbers(game), "samples": lab.samples, "images": lab.images.name}
    tables = [
        studies.run(games, seeds, lab.play, path=Path(folder) / f"{file}.csv", settings=settings, executor=executor)
        for file, games in ((f"base-{game.name}", {UNCHANGED: game}), (name, changed))
    ]
    return studies.Table(tables[0].rows + tables[1].rows)


def study_together(
    bench: Bench,
    game: Game,
    changed: Mapping[str, Game],
    seeds: Sequence[int],
    *,
    folder: str | Path,
    name: str,
    executor: Executor | None = None,
) -> studies.Table:
    """`study` for toy games, all of whose seeds are one run: the unchanged one is there twice, UNCHANGED and AGAIN.

    A game that is in the table is not played again, so an interrupted study goes on with the next one. Raises
    ValueError as `study` does, and for seeds that reach those of the other dice.
    """
    whole("the number of samples", bench.samples, 2)
    _refuse(game, changed, name)
    if max(seeds, default=0) >= OTHER_DICE:
        raise ValueError(f"seeds from {OTHER_DICE} on are those of {AGAIN!r}; take smaller ones than {max(seeds)}")
    settings = {**numbers(game), "samples": bench.samples, "toy": bench.toy.name, "std": float(bench.toy.stds[0])}
    games = {
        f"base-{game.name}": {UNCHANGED: (game, 0), AGAIN: (game, OTHER_DICE)},
        name: {words: (other, 0) for words, other in changed.items()},
    }
    measure = partial(_play_moved, bench)
    tables = [
        studies.run_together(
            one, seeds, measure, path=Path(folder) / f"{file}.csv", settings=settings, executor=executor
        )
        for file, one in games.items()
    ]
    return studies.Table(tables[0].rows + tables[1].rows)


def _play_moved(bench: Bench, variant: tuple[Game, int], seeds: Sequence[int]) -> dict[str, list[float]]:
    game, by = variant
    return bench.play(game, [seed + by for seed in seeds])


def _refuse(game: Game, changed: Mapping[str, Game], name: str) -> None:
    """Raise ValueError for a study of nothing, and for a change that is none or takes the baseline's name."""
    if not changed or name == f"base-{game.name}":
        raise ValueError(f"a study needs a changed game, and a name of its own: here are {list(changed)} and {name!r}")
    for words, other in changed.items():
        if words in (UNCHANGED, AGAIN):
            raise ValueError(f"{words!r} is the unchanged {game.name}; call what you changed by what you changed")
        if other == game:
            raise ValueError(f"{words!r} changes nothing: it is {game.name} itself")


def numbers(game: Game) -> dict[str, object]:
    """What tells a base game from another with its name: its numbers, and how many weights its networks have."""
    weights = [sum(w.numel() for w in make().parameters()) for make in (game.generator, game.discriminator)]
    told = {"game": game.name, "z": game.prior.name, "z_dim": game.prior.dim, "weights of G, D": weights}
    return told | {name: getattr(game, name) for name in ("rounds", "batch", "lr", "betas", "d_steps", "g_steps")}
