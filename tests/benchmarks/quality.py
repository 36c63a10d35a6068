"""Time to quality: what both judges say after so many seconds of one core, for the games that the book compares.

And after how many seconds the second judge's distance is down to 40, 20 and 10: the games of chapters 05, 07, 14 and
15, and the common tutorial's.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from gan_lessons import GAN, averaging, base, data, judges, noise, profiles
from gan_lessons.paths import data_root
from tests.benchmarks.convolutions import plain_batches, plain_networks, plain_rounds

SECONDS = (10, 20, 30, 60, 120, 240, 480, 900, 1_800)
SAMPLES = 10_000
GOALS = (40, 20, 10)  # of the second judge; real images have about 4
Reading = tuple[int, int, float, float]  # seconds, rounds, distance, second distance


class Contestant(NamedTuple):
    """A game: its endless rounds, and images (n, 1, 28, 28) in [0, 1] of what it has learned so far."""

    name: str
    rounds: Iterator[object]
    images: Callable[[], Tensor]


def quality(seconds: float = 60.0, seed: int = 0) -> dict[str, list[Reading]]:
    """Play each game for so many seconds of one core, and print its distances by both judges on the way.

    Returns (seconds, rounds, distance, second distance) by game. Judging is not counted.
    """
    torch.set_num_threads(1)
    judged = judges.opinions(data.load("mnist", "test").images)
    found: dict[str, list[Reading]] = {}
    games = (base.MLP, base.DCGAN, base.DCGAN_LONG, base.CDCGAN, base.MODERN)
    starts: list[Callable[[int], Contestant]] = [*(partial(ours, game) for game in games), tutorial]
    for start in starts:
        contestant = start(seed)
        found[contestant.name] = []
        for spent, number, images in readings(contestant, seconds):
            scores = judged(images)
            found[contestant.name].append((spent, number, scores["distance"], scores["second_distance"]))
            print(
                f"{contestant.name:28s} {spent:5d} s {number:7,d} rounds   distance {scores['distance']:8.1f}   "
                f"second judge {scores['second_distance']:8.1f}",
                flush=True,
            )
    for name, way in found.items():
        print(f"{name:28s} second judge: " + ", ".join(f"{goal} {_when(way, goal)}" for goal in GOALS), flush=True)
    return found


def reached(scores: Sequence[Reading], goal: float) -> float | None:
    """After how many seconds the second judge's distance first is `goal`, between readings on log axes; None if never.

    Where it is there at the first reading already, that reading's time: an upper bound.
    """
    if scores and scores[0][3] <= goal:
        return float(scores[0][0])
    for (t0, _, _, high), (t1, _, _, low) in pairwise(scores):
        if low <= goal < high:
            share = math.log(high / goal) / math.log(high / low)
            return t0 * (t1 / t0) ** share
    return None


def _when(scores: Sequence[Reading], goal: float) -> str:
    seconds = reached(scores, goal)
    return "not reached" if seconds is None else f"after {seconds:.0f} s"


def readings(contestant: Contestant, seconds: float) -> Iterator[tuple[int, int, Tensor]]:
    """Play, and yield (seconds, rounds, images) at each of SECONDS up to `seconds`, and at the game's end."""
    due = [mark for mark in SECONDS if mark <= seconds] or [round(seconds)]
    spent, number, since = 0.0, 0, time.process_time()
    for number, _ in enumerate(contestant.rounds, 1):
        if spent + time.process_time() - since < due[0]:
            continue
        spent += time.process_time() - since
        yield due.pop(0), number, contestant.images()
        if not due:
            return
        since = time.process_time()
    yield round(spent + time.process_time() - since), number, contestant.images()


def ours(game: base.Game, seed: int) -> Contestant:
    """A base game of the course; its images are those of the averaged generator."""
    dtype = profiles.convolution_dtype(torch.device("cpu"))
    gan, batches, rest = base.start(game, data.load("mnist"), seed, dtype=dtype)
    average = averaging.average_of(gan.G)

    def rounds() -> Iterator[None]:
        for _ in game.play(gan, batches, game.rounds, **rest):
            average.update_parameters(gan.G)
            yield

    return Contestant(game.name, rounds(), lambda: averaging.averaged(gan, average).images(SAMPLES))


def tutorial(seed: int) -> Contestant:
    """The layers of the common 64x64 tutorial brought to 28x28, its settings, and the loop that tutorials show."""
    torch.manual_seed(seed)
    G, D = plain_networks(28, 64, 100)
    prior = noise.gaussian(100)
    images = GAN(torch.nn.Sequential(torch.nn.Unflatten(1, (100, 1, 1)), *G), D, prior).images
    rounds = plain_rounds(G, D, plain_batches(data_root(), 64, 28), 100)
    return Contestant("tutorial DCGAN, plain loop", rounds, lambda: images(SAMPLES))
