"""A run of more than a minute: resumed, averaged, with a progress bar, logged, scored and filmed along the way.

run = runs.watched(gan, batches, 8_000, path=..., score=score, objective=..., g_optimizer=..., d_optimizer=...)
run.scores["averaged_distance"]                   # at 10 %, 30 % and 100 % of the rounds
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
from gan_lessons.checks import whole
from gan_lessons.history import Frames, History
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
    settings: Mapping[str, object] | None = None,
    play: Callable[..., Iterator[Step]] = train,
    **game: Any,
) -> Run:
    """Play `steps` rounds of play(gan, batches, steps, **game), and watch them; `game` is what `train` takes.

    At the readings, `shares` in per cent of the rounds, score(gan) is asked for the last weights and for the averaged
    generator, and images of the noise `z` (n, z_dim) are kept, in [0, 1]. Neither changes the game: random states are
    put back.
    The run is saved to `path` each `every` rounds, at Ctrl-C, and at its end: called again with the same arguments it
    goes on, or returns at once. `settings` say what else the run depends on, beside the game's optimizers.
    Raises ValueError for a file at `path` of another run, and what `play` raises.
    """
    whole("steps", steps)
    path, average, clock = Path(path), averaging.average_of(gan.G, decay), _Clock(gan)
    history, scores, frames = History(), History(), Frames()
    parts: dict[str, Any] = {"G": gan.G, "D": gan.D, "average": average, "clock": clock}
    parts |= {"history": history, "scores": scores, "frames": frames}
    parts |= {name: part for name, part in {**game, "batches": batches}.items() if hasattr(part, "load_state_dict")}
    about = {**(settings or {}), "steps": steps}
    unfinished = path.with_name(f"{path.name}.part")
    first = checkpoints.resume(path, parts, about) or checkpoints.resume(unfinished, parts, about)
    played = play(gan, batches, steps, start=first, **game)
    rounds = iter(tqdm(played, path.stem, steps, initial=first, leave=False, mininterval=1))
    read, log = {-(-steps * share // 100) for share in shares}, max(1, steps // 300)
    if first < steps:
        for step in checkpoints.keep(rounds, unfinished, parts, about, every):
            average.update_parameters(gan.G)
            if step.number % log == 0:
                history.log(step.number, d_loss=step.d_loss, g_loss=step.g_loss, seconds=clock.seconds())
            if step.number in read:
                with clock.stopped(), torch.random.fork_rng():
                    _read(step.number, gan, averaging.averaged(gan, average), score, z, scores, frames)
            if step.number == steps:
                checkpoints.save_run(path, steps, parts, about)
    seconds = clock.seconds()
    with torch.random.fork_rng():
        return Run(gan, averaging.averaged(gan, average), history, scores, frames, seconds)


def _read(
    number: int, gan: GAN, averaged: GAN, score: Score | None, z: Tensor | None, scores: History, frames: Frames
) -> None:
    if score is not None:
        last, mean = score(gan), score(averaged)
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
