"""One shape for every measured trick: variants × seeds -> a table that resumes -> intervals -> a verdict in words.

table = studies.run(variants, profile.seeds(5), measure, path=..., settings={"steps": steps})
studies.compare(table, "distance", "one-sided", "none").words(better="lower")
"""

import csv
import io
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike
from tqdm import tqdm

from gan_lessons.intervals import mean_interval
from gan_lessons.paths import atomic_write

Variant = TypeVar("Variant")
KEYS = ("variant", "seed", "settings", "seconds")  # the columns of a table before those that were measured


class Row(NamedTuple):
    """What one variant with one seed measured."""

    variant: str
    seed: int
    seconds: float
    values: dict[str, float]


class Table(NamedTuple):
    """The rows of a study, variant by variant, seed by seed."""

    rows: tuple[Row, ...]

    def column(self, name: str) -> dict[str, list[float]]:
        """One measured column: variant -> its values in the order of the seeds. KeyError for an unknown name."""
        found: dict[str, list[float]] = {}
        for row in self.rows:
            if name not in row.values:
                raise KeyError(f"nothing called {name!r} was measured; have {list(row.values)}")
            found.setdefault(row.variant, []).append(row.values[name])
        return found

    def seconds(self) -> float:
        """How long all rows took together."""
        return sum(row.seconds for row in self.rows)


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
) -> Table:
    """Measure each variant with each seed, and keep the table at `path` (CSV) as it grows.

    measure(variant, seed) returns numbers by name, the same names each time. A row that the file holds already is not
    measured again, so an interrupted study goes on where it stopped, and more seeds or variants add to it; the seeds
    are played round by round, so that every variant has some early. `settings` say what else the numbers depend on.
    Raises ValueError, and measures nothing, for no variants, no or repeated seeds, and a file that is damaged or that
    other settings made.
    """
    if not variants or not seeds or len(set(seeds)) != len(seeds):
        raise ValueError(f"a study needs variants and different seeds; here are {list(variants)} and {list(seeds)}")
    done = _read(Path(path), settings or {})
    wanted = [(name, seed) for seed in seeds for name in variants]
    missing = [key for key in wanted if key not in done]
    for name, seed in (bar := tqdm(missing, Path(path).stem, leave=False)):
        bar.set_postfix_str(f"{name}, seed {seed}")
        started = time.perf_counter()
        values = {k: float(v) for k, v in measure(variants[name], seed).items()}
        before = set(next(iter(done.values())).values) if done else set(values)
        if set(values) != before:
            raise ValueError(f"{name}, seed {seed} measured {sorted(values)}, the rows before it {sorted(before)}")
        done[name, seed] = Row(name, seed, round(time.perf_counter() - started, 2), values)
        _write(Path(path), done.values(), settings or {})
    return Table(tuple(done[name, seed] for name in variants for seed in seeds))


def run_together(
    variants: Mapping[str, Variant],
    seeds: Sequence[int],
    measure: Callable[[Variant, Sequence[int]], Mapping[str, ArrayLike]],
    *,
    path: str | Path,
    settings: Mapping[str, object] | None = None,
) -> Table:
    """`run` for an ensemble, all of whose seeds are one batched run: measure(variant, seeds) -> (seeds,) by name."""
    kept: dict[str, dict[int, dict[str, float]]] = {}

    def one(named: tuple[str, Variant], seed: int) -> Mapping[str, float]:
        name, variant = named
        if name not in kept:
            columns = {k: np.asarray(v, float) for k, v in measure(variant, seeds).items()}
            for k, v in columns.items():
                if v.shape != (len(seeds),):
                    raise ValueError(f"{name} measured {k!r} of shape {v.shape}; one number a seed is {(len(seeds),)}")
            kept[name] = {s: {k: float(v[i]) for k, v in columns.items()} for i, s in enumerate(seeds)}
        return kept[name][seed]

    return run({k: (k, v) for k, v in variants.items()}, seeds, one, path=path, settings=settings)


def read(path: str | Path) -> Table:
    """Read a table that `run` kept; data/results holds those behind the book.

    Raises FileNotFoundError for none, ValueError for a damaged one.
    """
    path = Path(path)
    if not path.exists():
        have = ", ".join(sorted(other.name for other in path.parent.glob("*.csv"))) or "none"
        raise FileNotFoundError(f"no table {path}; that folder's tables: {have}")
    return Table(tuple(_read(path, None).values()))


def interval(values: ArrayLike, level: float = 0.95, resamples: int = 10_000) -> tuple[float, float, float]:
    """Mean of values (n,) and its bootstrap interval over seeds: (mean, low, high); n >= 2.

    The percentiles are widened as in Hesterberg (2015, section 4.2): plain ones are too narrow for few values. For
    five normal values "95 %" then covers about 92 % (without, 83 %), from ten values on what it says. Three values have
    only ten different resamples, and even the widened interval would cover 76 %: below five it is Student's, which
    assumes normal errors. Always the same resamples, so that a page can be made again.
    """
    from scipy.stats import norm, t

    values = np.asarray(values, dtype=float)
    n = len(values)
    if values.ndim != 1 or n < 2:
        raise ValueError(f"an interval needs at least two values in a row, not shape {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError(f"{int((~np.isfinite(values)).sum())} of {n} values are NaN or infinite: they have no mean")
    if n < 5:
        mean, half = mean_interval(values, level)
        return float(mean), float(mean - half), float(mean + half)
    tail = norm.cdf(-math.sqrt(n / (n - 1)) * t.ppf((1 + level) / 2, n - 1))
    drawn = np.random.default_rng(0).integers(n, size=(resamples, n))
    low, high = np.quantile(values[drawn].mean(1), [tail, 1 - tail])
    return float(values.mean()), float(low), float(high)


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


def _read(path: Path, settings: Mapping[str, object] | None) -> dict[tuple[str, int], Row]:
    if not path.exists():
        return {}
    remedy = f"Move or delete {path} to measure anew, or go back to the settings that made it."
    rows = {}
    try:
        with path.open(newline="") as stream:
            header, *lines = list(csv.reader(stream))
        if tuple(header[: len(KEYS)]) != KEYS:
            raise ValueError("its first line is not that of a study")
        for line in lines:
            name, seed, before, seconds, *values = line
            measured = dict(zip(header[len(KEYS) :], map(float, values), strict=True))
            rows[name, int(seed)] = Row(name, int(seed), float(seconds), measured)
            made_by: dict[str, Any] = json.loads(before)
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is damaged or no table of a study ({error}). {remedy}") from error
    if rows and settings is not None and made_by != (now := _canonical(settings)):
        changed = [
            f"{k} was {made_by.get(k)!r}, is {now.get(k)!r}" for k in made_by | now if made_by.get(k) != now.get(k)
        ]
        raise ValueError(f"{path} was made with other settings: {'; '.join(changed)}. {remedy}")
    return rows


def _write(path: Path, rows: Any, settings: Mapping[str, object]) -> None:
    text = io.StringIO(newline="")
    writer, names, about = csv.writer(text, lineterminator="\n"), None, json.dumps(_canonical(settings))
    for row in rows:
        if names is None:
            names = list(row.values)
            writer.writerow([*KEYS, *names])
        writer.writerow([row.variant, row.seed, about, row.seconds, *(row.values[k] for k in names)])
    atomic_write(path, lambda stream: stream.write(text.getvalue().encode()))


def _canonical(settings: Mapping[str, object]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(dict(settings), sort_keys=True, default=str))
    return found
