"""Change one thing of a base game, and measure what it does: whole games, judged along the way.

    lab = ablation.Lab(data.load("mnist"), judges.opinions(test.images), 10_000)
    changed = {"noise from U[0, 1)": base.MLP._replace(prior=noise.uniform(100, 0, 1))}
    table = ablation.study(lab, base.MLP, changed, profile.seeds(10), folder=folder, name="09-noises")
    studies.factors(table, "second_distance@100", baseline=ablation.UNCHANGED).words()

The unchanged games lie in a table of their own, base-MLP.csv, so that all chapters share them. Toy games, all of whose
seeds are one run, are played on a `Bench` by `study_together`; theirs lie in base-toy.csv.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from gan_lessons import base, ensemble, runs, studies
from gan_lessons.base import RING, Game
from gan_lessons.checks import whole
from gan_lessons.data import Images
from gan_lessons.metrics import modes
from gan_lessons.toys import Mixture
from gan_lessons.training import GAN

UNCHANGED = "as it is"  # the baseline of every table
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

        `shares` are the readings, in per cent of the game's rounds. Raises what `base.start` and `runs.read_along` do.
        """
        convolves = any(isinstance(layer, CONVOLUTIONS) for layer in game.generator().modules())
        dtype = self.dtype if convolves else torch.float32
        gan, batches, rest = base.start(game, self.images, seed, device=self.device, dtype=dtype)
        at = studies.marks(game.rounds, shares)
        return runs.read_along(gan, batches, game.rounds, self.score, at=at, play=game.play, **rest)

    def score(self, gan: GAN) -> Mapping[str, float]:
        """What the judge says of fresh samples."""
        return self.judge(gan.images(self.samples))


class Bench(NamedTuple):
    """What all toy games of a study have in common: the modes, and how many points each reading draws."""

    toy: Mixture = base.RING
    samples: int = 2_500

    def play(
        self,
        game: Game,
        seeds: Sequence[int],
        shares: Sequence[int] = (10, 30, 100),
        also: Callable[[GAN, Game, Sequence[int]], Mapping[str, ArrayLike]] | None = None,
    ) -> dict[str, ArrayLike]:
        """Play all seeds of a game as one run; return name@share, one number a seed, and what `also` says at the end.

        `shares` are the readings, in per cent of the game's rounds; they take no random numbers from the game.
        """
        gan, batches, rest = base.start_together(game, seeds, self.toy.sample)
        at = studies.marks(game.rounds, shares)
        row: dict[str, ArrayLike] = {}
        for step in game.play(gan, batches, game.rounds, **rest):
            if step.number in at:
                scores = self.score(gan, game, seeds)
                row |= {f"{name}@{at[step.number]}": values for name, values in scores.items()}
        return row | dict(also(gan, game, seeds) if also else {})

    def draw(self, gan: GAN, game: Game, seeds: Sequence[int]) -> Tensor:
        """Points of each seed's generator, (seeds, samples, d), from noise of the seed's own."""
        dice = [torch.Generator().manual_seed(10 * seed + 4) for seed in seeds]  # 0 to 3 are the game's
        z = torch.stack([game.prior.sample(self.samples, generator=generator) for generator in dice], 1)
        with torch.no_grad():
            return gan.G(z).transpose(0, 1)

    def score(self, gan: GAN, game: Game, seeds: Sequence[int]) -> dict[str, list[float]]:
        """Modes captured: one (at least one good point), due (half of what is due), near (the same, good or not).

        quality: per cent of high quality. kl: the reverse divergence, nats.
        """
        tallies = [modes.tally(points, self.toy.means, self.toy.stds) for points in self.draw(gan, game, seeds)]

        def half(counts: Tensor) -> float:
            return float(modes.expected_share(counts, self.samples, self.toy.weights).sum())

        return {
            "one": [float(modes.at_least_one(tally.good).sum()) for tally in tallies],
            "due": [half(tally.good) for tally in tallies],
            "near": [half(tally.nearest) for tally in tallies],
            "quality": [100 * tally.quality for tally in tallies],
            "kl": [modes.reverse_kl(tally.nearest, self.toy.weights) for tally in tallies],
        }


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
    nulls: Mapping[str, int] | None = None,
    also: Callable[[GAN, Game, Sequence[int]], Mapping[str, ArrayLike]] | None = None,
    executor: Executor | None = None,
) -> studies.Table:
    """`study` for toy games: the unchanged ones lie in folder/base-GAME.csv, the others in folder/name.csv.

    nulls: the unchanged game with other seeds, by how far they are moved; their rows have the seed they stand for.
    also(gan, game, seeds) measures more of each ended pair, and may spoil it; the shared table goes without. Raises
    ValueError as `study` does, and for a null that is moved onto seeds of the study.
    """
    whole("the number of samples", bench.samples, 2)
    _refuse(game, changed, name)
    moved = nulls or {}
    if bad := [words for words, by in moved.items() if {seed + by for seed in seeds} & set(seeds) or words in changed]:
        raise ValueError(f"{bad[0]!r} needs a name and seeds of its own: move them by more than {max(seeds)}")
    settings = {**numbers(game), "samples": bench.samples, "toy": bench.toy.name, "std": float(bench.toy.stds[0])}
    others = {words: (other, 0) for words, other in changed.items()} | {w: (game, by) for w, by in moved.items()}
    parts = [(f"base-{game.name}", {UNCHANGED: (game, 0)}, None), (name, others, also)]
    tables = [
        studies.run_together(
            games,
            seeds,
            partial(_play_moved, bench, more),
            path=Path(folder) / f"{file}.csv",
            settings=settings,
            executor=executor,
        )
        for file, games, more in parts
    ]
    return studies.Table(tables[0].rows + tables[1].rows)


def _play_moved(
    bench: Bench,
    also: Callable[[GAN, Game, Sequence[int]], Mapping[str, ArrayLike]] | None,
    variant: tuple[Game, int],
    seeds: Sequence[int],
) -> dict[str, ArrayLike]:
    game, by = variant
    return bench.play(game, [seed + by for seed in seeds], also=also)


def _refuse(game: Game, changed: Mapping[str, Game], name: str) -> None:
    """Raise ValueError for a study of nothing, and for a change that is none or takes the baseline's name."""
    if not changed or name == f"base-{game.name}":
        raise ValueError(f"a study needs a changed game, and a name of its own: here are {list(changed)} and {name!r}")
    for words, other in changed.items():
        if words == UNCHANGED:
            raise ValueError(f"{UNCHANGED!r} is the unchanged {game.name}; call what you changed by what you changed")
        if other == game:
            raise ValueError(f"{words!r} changes nothing: it is {game.name} itself")


def ring_study(
    game: Game,
    changed: Mapping[str, Game],
    seeds: Sequence[int],
    *,
    folder: str | Path,
    name: str,
    samples: int = 2_500,
    executor: Executor | None = None,
) -> studies.Table:
    """`study` for the toy: each game plays all its seeds at once, and `on_ring` judges `samples` points of each.

    The tables are called as there, and hold name@10, name@30 and name@100 of G's last weights.
    Raises ValueError as `study`, and what `base.start_together` and `studies.run_together` raise.
    """
    whole("the number of samples", samples, 2)
    _refuse(game, changed, name)
    settings = {**numbers(game), "samples": samples}

    measure = partial(play_on_ring, samples=samples)
    tables = [
        studies.run_together(
            games, seeds, measure, path=Path(folder) / f"{file}.csv", settings=settings, executor=executor
        )
        for file, games in ((f"base-{game.name}", {UNCHANGED: game}), (name, changed))
    ]
    return studies.Table(tables[0].rows + tables[1].rows)


def play_on_ring(
    game: Game, seeds: Sequence[int], samples: int = 2_500, shares: Sequence[int] = (10, 30, 100)
) -> dict[str, list[float]]:
    """Play a whole toy game with many seeds: columns name@share, a number a seed. Readings change nothing."""
    gan, batches, rest = base.start_together(game, seeds)
    at, columns = studies.marks(game.rounds, shares), dict[str, list[float]]()
    for step in game.play(gan, batches, game.rounds, **rest):
        if step.number in at:
            own = [torch.Generator().manual_seed(10 * seed + 4) for seed in seeds]
            points = gan._replace(prior=ensemble.stack_prior(game.prior, own)).sample(samples)  # (n, S, 2)
            rows = [on_ring(part) for part in points.unbind(1)]
            columns |= {f"{name}@{at[step.number]}": [row[name] for row in rows] for name in rows[0]}
    return columns


def on_ring(points: Tensor) -> dict[str, float]:
    """Judge points (n, 2) against the toy's ring of eight.

    misplaced: the share of the points that would have to move, so that each mode, and the plane around the modes, has
    what it is due (total variation, 0 to 1). captured: modes with half of their due or more; quality: the share of
    points within three deviations of a mode; kl: reverse KL of the modes' counts, in nats; variety: the spread around
    the mean, the ring's being 1. NaN or infinite points have all of them misplaced, and variety 0.
    """
    if not points.isfinite().all():
        return {
            "misplaced": 1.0,
            "captured": 0.0,
            "quality": 0.0,
            "kl": float(RING.weights.log().neg().max()),
            "variety": 0.0,
        }
    found, near = modes.tally(points, RING.means, RING.stds), modes.true_quality(2)
    shares = found.good / found.n
    apart = (shares - near * RING.weights).abs().sum() + abs((1 - near) - (1 - found.quality))
    spread = points.var(0).sum().sqrt()
    due = (RING.stds.square().mean() * 2 + RING.means.square().sum(1).mean()).sqrt()
    return {
        "misplaced": float(apart) / 2,
        "captured": float(modes.expected_share(found.good, found.n, RING.weights).sum()),
        "quality": found.quality,
        "kl": modes.reverse_kl(found.nearest, RING.weights),
        "variety": float(spread / due),
    }


def numbers(game: Game) -> dict[str, object]:
    """What tells a base game from another with its name: its numbers, and how many weights its networks have."""
    weights = [sum(w.numel() for w in make().parameters()) for make in (game.generator, game.discriminator)]
    told = {"game": game.name, "z": game.prior.name, "z_dim": game.prior.dim, "weights of G, D": weights}
    return told | {name: getattr(game, name) for name in ("rounds", "batch", "lr", "betas", "d_steps", "g_steps")}


def _refuse(game: Game, changed: Mapping[str, Game], name: str) -> None:
    if not changed or name == f"base-{game.name}":
        raise ValueError(f"a study needs a changed game, and a name of its own: here are {list(changed)} and {name!r}")
    for words, other in changed.items():
        if words == UNCHANGED:
            raise ValueError(f"{UNCHANGED!r} is the unchanged {game.name}; call what you changed by what you changed")
        if other == game:
            raise ValueError(f"{words!r} changes nothing: it is {game.name} itself")
