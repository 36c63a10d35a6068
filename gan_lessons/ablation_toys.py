"""Change one thing of the toy game, and measure what it does: whole games of many seeds at once, on points.

    lab = ablation_toys.Lab()
    changed = {"2:1": base.TOY._replace(d_steps=2)}
    table = ablation_toys.study(lab, base.TOY, changed, profile.seeds(40), folder=folder, name="11-ring")
    effects = studies.differences(table, "usable@100", baseline=UNCHANGED, nulls=[AGAIN], larger_is_better=True)

The unchanged games lie in a table of their own, base-toy.csv, twice: with the seeds, and with other dice (the null).
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gan_lessons import base, ensemble, runs, studies
from gan_lessons.ablation import UNCHANGED, numbers
from gan_lessons.base import Game
from gan_lessons.checks import whole
from gan_lessons.metrics import modes
from gan_lessons.toys import Mixture
from gan_lessons.training import GAN, Step

AGAIN = "as it is, other dice"  # the null: the unchanged game with other weights, points and noise
OTHER_DICE = 1_000  # added to each seed of the null
LOOKS = 20  # at the losses, spread over the last tenth of a game


def usable(samples: Tensor, toy: Mixture) -> float:
    """Which part of an order, each mode by its weight, the good samples (n, d) can fill: sum of min(good / n, weight).

    Good ones lie within 3 stds of a mode. Waste, lost modes and uneven shares all lower it; see `modes`.
    """
    found = modes.tally(samples, toy.means, toy.stds)
    return float(torch.minimum(found.good / found.n, toy.weights).sum())


class Lab(NamedTuple):
    """What all games of a study have in common: the points, and how many samples of each seed are counted."""

    toy: Mixture = base.RING
    samples: int = 2_500

    def play(self, game: Game, seeds: Sequence[int], shares: Sequence[int] = (10, 30, 100)) -> dict[str, Any]:
        """Play whole games and return a row's numbers, (seeds,) each: name@share of the averaged generators.

        `shares` are the readings, in per cent of the rounds; last_name is that of the last weights. d_loss and g_loss
        are the players' losses on fresh samples, means over the last tenth. Readings have dice of their own, so they
        change nothing. Raises what `base.start_together` and `runs.read_along` do.
        """
        gan, batches, rest = base.start_together(game, seeds, self.toy.sample)
        dice = [torch.Generator().manual_seed(10 * seed + 4) for seed in seeds]
        prior, looked = ensemble.stack_prior(game.prior, dice), []
        looks = set(range(game.rounds, 9 * game.rounds // 10, -max(1, game.rounds // (10 * LOOKS))))

        def watched(*players: Any, **rules: Any) -> Iterator[Step]:
            for step in game.play(*players, **rules):
                if step.number in looks:
                    looked.append(self.losses(gan._replace(prior=prior), game, dice))
                yield step

        def score(gan: GAN) -> Mapping[str, Any]:
            return self.score(gan._replace(prior=prior))

        at = studies.marks(game.rounds, shares)
        row = runs.read_along(gan, batches, game.rounds, score, at=at, play=watched, **rest)
        d_loss, g_loss = torch.stack(looked).mean(0)
        told = {name: value for name, value in row.items() if not name.startswith("seconds@")}  # of all seeds together
        return told | {"d_loss": d_loss, "g_loss": g_loss}

    def score(self, gan: GAN) -> dict[str, list[float]]:
        """Count each seed's samples: usable and quality in per cent, modes with half of their due, reverse KL."""
        found: dict[str, list[float]] = {name: [] for name in ("usable", "modes", "quality", "kl")}
        for samples in gan.sample(self.samples).transpose(0, 1):
            count = modes.tally(samples, self.toy.means, self.toy.stds)
            captured = modes.expected_share(count.good, count.n, self.toy.weights)
            found["usable"].append(100 * usable(samples, self.toy))
            found["modes"].append(float(captured.sum()))
            found["quality"].append(100 * count.quality)
            found["kl"].append(modes.reverse_kl(count.nearest, self.toy.weights))
        return found

    @torch.no_grad()
    def losses(self, gan: GAN, game: Game, dice: Sequence[torch.Generator]) -> Tensor:
        """Both losses of each seed on a fresh batch of the game's size: (2, seeds), D's first."""
        real = torch.stack([self.toy.sample(game.batch, generator=one) for one in dice], 1)  # (n, S, d)
        on_real, on_fake = gan.D(real), gan.D(gan.sample(game.batch))  # (n, S, 1)
        pairs = list(zip(on_real.unbind(1), on_fake.unbind(1), strict=True))
        told = [[game.objective.d_loss(*pair) for pair in pairs], [game.objective.g_loss(*pair) for pair in pairs]]
        return torch.tensor(told)


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
    """Play `game`, with these seeds and with other dice (AGAIN), and its changed forms, and return one table.

    It is `ablation.study` for points: the changed games lie in folder/name.csv, the unchanged ones, UNCHANGED and
    AGAIN, in folder/base-GAME.csv. Raises ValueError for a changed game that has a name of theirs or is equal to the
    unchanged one, and what `studies.run_together` raises.
    """
    whole("the number of samples", lab.samples, 2)
    if not changed or name == f"base-{game.name}":
        raise ValueError(f"a study needs a changed game, and a name of its own: here are {list(changed)} and {name!r}")
    for words, other in changed.items():
        if words in (UNCHANGED, AGAIN):
            raise ValueError(f"{words!r} is the unchanged {game.name}; call what you changed by what you changed")
        if other == game:
            raise ValueError(f"{words!r} changes nothing: it is {game.name} itself")

    def measure(variant: tuple[Game, int], seeds: Sequence[int]) -> Mapping[str, Any]:
        played, dice = variant
        return lab.play(played, [dice + seed for seed in seeds])

    games = {f"base-{game.name}": {UNCHANGED: (game, 0), AGAIN: (game, OTHER_DICE)}}
    games[name] = {words: (other, 0) for words, other in changed.items()}
    settings = {**numbers(game), "samples": lab.samples, "points": lab.toy.name, "std": float(lab.toy.stds[0])}
    tables = [
        studies.run_together(
            one, seeds, measure, path=Path(folder) / f"{file}.csv", settings=settings, executor=executor
        )
        for file, one in games.items()
    ]
    return studies.Table(tables[0].rows + tables[1].rows)
