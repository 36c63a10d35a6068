"""One shape for every measured trick: variants × seeds -> a table that resumes -> intervals -> a verdict in words.

table = studies.run(variants, profile.seeds(5), measure, path=..., settings={"steps": steps})
studies.compare(table, "distance", "one-sided", "none").words(better="lower")

comparisons.py holds new studies against all plays of the unchanged game.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike
from tqdm import tqdm

from gan_lessons.intervals import bootstrap, mean_interval
from gan_lessons.study_jobs import Job, play_in_turn, play_on
from gan_lessons.study_tables import Growing, Numbers, called
from gan_lessons.study_tables import Row as Row  # studies.Row, Table and read, as the chapters call them
from gan_lessons.study_tables import Table as Table
from gan_lessons.study_tables import read as read

Variant = TypeVar("Variant")


class Comparison(NamedTuple):
    """A variant against another one, seed by seed: mean difference, its interval, and of how many seeds."""

    variant: str
    baseline: str
    mean: float
    low: float
    high: float
    seeds: int

    def words(self, better: str = "lower", digits: int = 0) -> str:
        """Say whether the variant is better, worse or not told apart; better: "lower" or "higher" is what is wanted."""
        if better not in ("lower", "higher"):
            raise ValueError(f'better is "lower" or "higher", not {better!r}')
        told = f"{self.mean:+,.{digits}f} ({self.low:+,.{digits}f} to {self.high:+,.{digits}f}, {self.seeds} seeds)"
        if self.low <= 0 <= self.high:
            return f"{self.variant}: not told apart from {self.baseline}, {told}"
        good = (self.high < 0) == (better == "lower")
        return f"{self.variant}: {'better' if good else 'worse'} than {self.baseline}, {told}"


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
    Raises ValueError, and measures nothing, for no variants, no or repeated seeds, and a file that is damaged or that
    other settings made.
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
        Job(name, games, _numbers_by_seed, (name, measure, variants[name], seeds, [seed for _, seed in games]))
        for name, games in missing.items()
        if games
    ]
    return _played(study, jobs, executor)


def interval(values: ArrayLike, level: float = 0.95, resamples: int = 10_000) -> tuple[float, float, float]:
    """Mean of values (n,) and its interval over seeds, (mean, low, high), by the rule of chapters 07 to 13; n >= 2.

    It is `intervals.bootstrap` from five values on, and Student's below: three values have only ten different
    resamples. Kept as it is, for the stored outputs were made by it; with five values it errs in 8 % of cases, not 5 %.
    New studies take `intervals.interval`.
    """
    values = np.asarray(values, dtype=float)
    mean, low, high, n = bootstrap(values, level, resamples)
    if n < 5:
        middle, half = mean_interval(values, level)
        return float(middle), float(middle - half), float(middle + half)
    return mean, low, high


def compare(table: Table, name: str, variant: str, baseline: str) -> Comparison:
    """Compare two variants in one measured column, paired by seed. KeyError for a variant that is not in the table."""
    column = table.column(name)
    for key in (variant, baseline):
        if key not in column:
            raise KeyError(f"no variant {key!r} in this table; have {list(column)}")
    seeds = {key: [row.seed for row in table.rows if row.variant == key] for key in (variant, baseline)}
    if seeds[variant] != seeds[baseline]:
        raise ValueError(f"{variant} and {baseline} were not measured with the same seeds")
    differences = np.subtract(column[variant], column[baseline])
    return Comparison(variant, baseline, *interval(differences), seeds=len(differences))


def _played(study: Growing, jobs: Sequence[Job], executor: Executor | None) -> Table:
    """Play the jobs, here or on an executor; a note on whatever stops them says what is missing."""
    with tqdm(total=len(study.missing()), desc=study.path.stem, leave=False) as bar:

        def keep(job: Job, seconds: float, numbers: list[Numbers]) -> None:
            bar.update(len(job.games))
            study.add(job.games, seconds, numbers)

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
    return [{k: float(v) for k, v in measure(variant, seed).items()}]


def _numbers_by_seed(
    name: str,
    measure: Callable[[Any, Sequence[int]], Mapping[str, ArrayLike]],
    variant: Any,
    seeds: Sequence[int],
    missing: Sequence[int],
) -> list[Numbers]:
    columns = {k: np.asarray(v, float) for k, v in measure(variant, seeds).items()}
    for k, v in columns.items():
        if v.shape != (len(seeds),):
            raise ValueError(f"{name} measured {k!r} of shape {v.shape}; one number a seed is {(len(seeds),)}")
    return [{k: float(v[list(seeds).index(seed)]) for k, v in columns.items()} for seed in missing]
