"""A run of more than a minute: resumed, averaged, with a progress bar, logged, scored and filmed along the way.

run = runs.watched(gan, batches, 8_000, path=..., score=score, objective=..., g_optimizer=..., d_optimizer=...)
run.scores["averaged_distance"]                   # at 10 %, 30 % and 100 % of the rounds
row = runs.read_along(gan, batches, 3_000, score, at=studies.marks(3_000), ...)     # a game of a study, without a file
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from tqdm import tqdm

from gan_lessons import averaging, checkpoints
from gan_lessons.checks import named, whole
from gan_lessons.history import Frames, History
from gan_lessons.settings import comparable
from gan_lessons.training import GAN, Step, train

Score = Callable[[GAN], Mapping[str, float]]


class Run(NamedTuple):
    """What a watched run leaves."""

    gan: GAN  # with the last weights
    averaged: GAN  # with the averaged generator
    history: History  # d_loss, g_loss, seconds
    scores: History  # at the readings: each number of `score` for the last weights, and as averaged_… for the average
    frames: Frames  # at the readings, from the averaged generator
    seconds: float  # of all sittings, without readings: of the processor on a CPU, by the clock elsewhere
    kept: float = 0.0  # of these, what the file held already: this sitting did not play it


def watched(
    gan: GAN,
    batches: Iterator[tuple[Tensor, ...]],
    steps: int,
    *,
    path: str | Path,
    score: Score | None = None,
    z: Tensor | None = None,
    shares: Sequence[int] = (10, 30, 100),
    every: int = 1000,
    decay: float = 0.999,
    statistics: int | None = None,
    settings: Mapping[str, object] | None = None,
    play: Callable[..., Iterator[Step]] = train,
    **game: Any,
) -> Run:
    """Play `steps` rounds of play(gan, batches, steps, **game), and watch them; `game` is what `train` takes.

    At the readings, `shares` in per cent of the rounds, score(gan) is asked for the last weights and for the averaged
    generator, and images of the noise `z` (n, z_dim) are kept, in [0, 1]. Neither changes the game: random states are
    put back. So many noise vectors as `statistics` measure its batch norm anew (`averaging.averaged`); without it 100
    for each round, at most 10,000.
    The run is saved to `path` each `every` rounds, at Ctrl-C, and at its end: called again with the same arguments it
    goes on, or returns at once. `settings` say what else the run depends on, beside `game`, `decay` and `shares`.
    Raises ValueError for a file at `path` of another run, shares that are no whole numbers from 1 to 100, z of which G
    makes no images, a score that returns no numbers by name, and where `play` plays other rounds than it should; and
    what `play` raises.
    """
    steps = whole("steps", steps)
    read = {-(-steps * whole("a share, in per cent,", share, 1, 100) // 100) for share in shares}
    path, average, clock = Path(path), averaging.average_of(gan.G, decay), _Clock(gan)
    statistics = _enough(statistics, steps)
    history, scores, frames = History(), History(), Frames()
    parts: dict[str, Any] = {"G": gan.G, "D": gan.D, "average": average, "clock": clock}
    parts |= {"history": history, "scores": scores, "frames": frames}
    parts |= {name: part for name, part in {**game, "batches": batches}.items() if hasattr(part, "load_state_dict")}
    rules = comparable({name: rule for name, rule in game.items() if name not in parts})
    about = {**rules, "decay": decay, "shares": sorted(set(shares)), **(settings or {}), "steps": steps}
    unfinished = path.with_name(f"{path.name}.part")
    first = checkpoints.resume(path, parts, about) or checkpoints.resume(unfinished, parts, about)
    kept = clock.seconds() if first else 0.0
    played = _all_rounds(play(gan, batches, steps, start=first, **game), first, steps)
    rounds = iter(tqdm(played, path.stem, steps, initial=first, leave=False, mininterval=1))
    log = max(1, steps // 300)
    if first < steps:
        if z is not None:  # a wrong one is refused now, not after a tenth of the rounds
            with clock.stopped(), torch.random.fork_rng():
                gan.images(z)
        for step in checkpoints.keep(rounds, unfinished, parts, about, every):
            average.update_parameters(gan.G)
            if step.number % log == 0:
                history.log(step.number, d_loss=step.d_loss, g_loss=step.g_loss, seconds=clock.seconds())
            if step.number in read:
                with clock.stopped(), torch.random.fork_rng():
                    _read(step.number, gan, averaging.averaged(gan, average, statistics), score, z, scores, frames)
            if step.number == steps:
                checkpoints.save_run(path, steps, parts, about)
    seconds = clock.seconds()
    unfinished.unlink(missing_ok=True)  # left by Ctrl-C in the last round
    with torch.random.fork_rng():
        return Run(gan, averaging.averaged(gan, average, statistics), history, scores, frames, seconds, kept)


def read_along(
    gan: GAN,
    batches: Iterator[tuple[Tensor, ...]],
    steps: int,
    score: Score,
    *,
    at: Mapping[int, object],
    decay: float = 0.999,
    statistics: int | None = None,
    play: Callable[..., Iterator[Step]] = train,
    **game: Any,
) -> dict[str, float]:
    """Play a game of a study, without a file, and return its row: what `score` says along the way and at the end.

    `at` names the rounds of the readings, as `studies.marks` does: {300: 10, 900: 30, 3000: 100} gives columns
    name@10, name@30 and name@100 of the averaged generator, and seconds@10 and so on, without the readings' own.
    `statistics` as in `watched`: how many noise vectors measure its batch norm anew. last_name is that of the last
    weights after the last round. Random states are put back, so readings change nothing.
    Raises ValueError for a reading after the last round, and what `play` and `score` raise.
    """
    steps = whole("steps", steps)
    if late := [number for number in at if not 1 <= number <= steps]:
        raise ValueError(f"readings come after rounds 1 to {steps}, not after {late}")
    average, clock, statistics = averaging.average_of(gan.G, decay), _Clock(gan), _enough(statistics, steps)
    row: dict[str, float] = {}
    for step in _all_rounds(play(gan, batches, steps, **game), 0, steps):
        average.update_parameters(gan.G)
        if step.number in at:
            with clock.stopped(), torch.random.fork_rng():
                mean = named("score", score(averaging.averaged(gan, average, statistics)))
            numbers = {**mean, "seconds": clock.seconds()}
            row |= {f"{name}@{at[step.number]}": value for name, value in numbers.items()}
    with torch.random.fork_rng():
        last = named("score", score(gan))
    return row | {f"last_{name}": value for name, value in last.items()}


def _enough(statistics: int | None, steps: int) -> int:
    return min(10_000, 100 * steps) if statistics is None else statistics


def _all_rounds(steps: Iterator[Step], first: int, last: int) -> Iterator[Step]:
    """Pass rounds first + 1 to `last` through. ValueError where others come, so that the last checkpoint is kept."""
    number = first
    for step in steps:
        number += 1
        if step.number != number or number > last:
            raise ValueError(f"play gave round {step.number} where {min(number, last)} of {last} was due")
        yield step
    if number < last:
        raise ValueError(f"play ended after {number} of {last} rounds: let it play to the last, `steps`")


def _read(
    number: int, gan: GAN, averaged: GAN, score: Score | None, z: Tensor | None, scores: History, frames: Frames
) -> None:
    if score is not None:
        last, mean = (named("score", score(game)) for game in (gan, averaged))
        scores.log(number, **last, **{f"averaged_{name}": value for name, value in mean.items()})
    if z is not None:
        frames.log(number, averaged.images(z))


class _Clock:
    """Seconds of all sittings, as a part of a checkpoint: of the processor where G is on a CPU, else of the clock."""

    def __init__(self, gan: GAN) -> None:
        on_cpu = next(gan.G.parameters()).device.type == "cpu"
        self._now = time.process_time if on_cpu else time.perf_counter
        self._sum, self._since = 0.0, self._now()

    def seconds(self) -> float:
        return self._sum + self._now() - self._since

    @contextmanager
    def stopped(self) -> Iterator[None]:
        self._sum = self.seconds()
        try:
            yield
        finally:
            self._since = self._now()

    def state_dict(self) -> dict[str, float]:
        return {"seconds": self.seconds()}

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        self._sum, self._since = state["seconds"], self._now()
