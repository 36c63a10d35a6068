"""Play variants × seeds, here or on an executor, into a table that resumes."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor
from tqdm import tqdm

from gan_lessons.checks import named
from gan_lessons.studies.jobs import Job, play_in_turn, play_on
from gan_lessons.studies.tables import Growing, Numbers, Table, called

Variant = TypeVar("Variant")


def run(
    variants: Mapping[str, Variant],
    seeds: Sequence[int],
    measure: Callable[[Variant, int], Mapping[str, float]],
    *,
    path: str | Path,
    settings: Mapping[str, object] | None = None,
    executor: Executor | None = None,
) -> Table:
    """Measure each variant with each seed, and keep the table at `path` (CSV) as it grows.

    measure(variant, seed) returns numbers by name, the same names each time. A row that the file holds already is not
    measured again, so an interrupted study goes on where it stopped, and more seeds or variants add to it; the seeds
    are played round by round, so that every variant has some early. `settings` say what else the numbers depend on.

    executor: any of `concurrent.futures`, whose workers are processes: loky.get_reusable_executor(2), Dask's
    client.get_executor(). Each game then has one thread. However many workers there are, the file has the same rows in
    the same order with the same numbers to the bit, but for `seconds`: a clock's, of the game in its worker. Without an
    executor games are played here, with torch's own threads (one thread: the same bits).

    Whatever stops a study (an error in a game, a worker that dies, Ctrl-C, a full disk), finished games are in the
    file, and a note on the error says which are missing. Games in an executor's workers at Ctrl-C go on there, unkept.
    Raises ValueError, and measures nothing, for no variants or names of them that are no printable text, seeds that are
    repeated or no whole numbers from 0, and a file that is damaged or that other settings made.
    """
    study = Growing(variants, seeds, Path(path), settings or {})
    jobs = [Job(called(game), (game,), _numbers, (measure, variants[game[0]], game[1])) for game in study.missing()]
    return _played(study, jobs, executor)


def run_together(
    variants: Mapping[str, Variant],
    seeds: Sequence[int],
    measure: Callable[[Variant, Sequence[int]], Mapping[str, ArrayLike]],
    *,
    path: str | Path,
    settings: Mapping[str, object] | None = None,
    executor: Executor | None = None,
) -> Table:
    """`run` for an ensemble, all of whose seeds are one batched run: measure(variant, seeds) -> (seeds,) by name.

    A variant is one job of an executor; its first row has all its seconds.
    """

    study = Growing(variants, seeds, Path(path), settings or {})
    missing = {name: tuple(key for key in study.missing() if key[0] == name) for name in variants}
    jobs = [
        Job(name, games, _numbers_by_seed, (name, measure, variants[name], study.seeds, [seed for _, seed in games]))
        for name, games in missing.items()
        if games
    ]
    return _played(study, jobs, executor)


def _played(study: Growing, jobs: Sequence[Job], executor: Executor | None) -> Table:
    """Play the jobs, here or on an executor; a note on whatever stops them says what is missing."""
    wanted = len(study.missing())
    with tqdm(total=wanted, desc=study.path.stem, leave=False) as bar:

        def keep(job: Job, seconds: float, numbers: list[Numbers]) -> None:
            study.add(job.games, seconds, numbers)
            bar.update(wanted - len(study.missing()) - bar.n)  # the same however often a job is kept

        try:
            if executor is None:
                play_in_turn(jobs, keep, bar.set_postfix_str)
            else:
                play_on(executor, jobs, keep)
        except BaseException as error:
            error.add_note(study.note())
            raise
    return study.table()


def _numbers(measure: Callable[[Any, int], Mapping[str, float]], variant: Any, seed: int) -> list[Numbers]:
    return [{k: float(v) for k, v in named("measure", measure(variant, seed)).items()}]


def _numbers_by_seed(
    name: str,
    measure: Callable[[Any, Sequence[int]], Mapping[str, ArrayLike]],
    variant: Any,
    seeds: Sequence[int],
    missing: Sequence[int],
) -> list[Numbers]:
    columns = {k: _array(v) for k, v in named("measure", measure(variant, seeds)).items()}
    for k, v in columns.items():
        if v.shape != (len(seeds),):
            raise ValueError(f"{name} measured {k!r} of shape {v.shape}; one number a seed is {(len(seeds),)}")
    return [{k: float(v[list(seeds).index(seed)]) for k, v in columns.items()} for seed in missing]


def _array(values: ArrayLike) -> np.ndarray:
    return np.asarray(values.detach().cpu() if isinstance(values, Tensor) else values, float)
