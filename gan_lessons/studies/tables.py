"""The table of a study: its rows, and the CSV file that keeps them."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from gan_lessons.checks import text, whole
from gan_lessons.paths import atomic_write
from gan_lessons.settings import canonical, changes

KEYS = ("variant", "seed", "settings", "seconds")  # the columns of a table before those that were measured
Key = tuple[str, int]  # a game: its variant and its seed
Numbers = dict[str, float]  # what a game measured


class Row(NamedTuple):
    """What one variant with one seed measured."""

    variant: str
    seed: int
    seconds: float
    values: Numbers


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


class Growing:
    """The table of a study that is being played, and the file that grows with it."""

    def __init__(
        self, variants: Iterable[str], seeds: Sequence[int], path: Path, settings: Mapping[str, object]
    ) -> None:
        names = [text("a variant's name", name) for name in variants]  # as the file gives them back
        self.seeds = [whole("a seed", seed, 0) for seed in seeds]
        if not names or not self.seeds or len(set(self.seeds)) != len(self.seeds):
            raise ValueError(f"a study needs variants and different seeds; here are {names} and {self.seeds}")
        self.path, self.settings = path, canonical(settings)  # refused now, not after the first game
        self.rows = kept_rows(path, self.settings)
        self.wanted = [(name, seed) for name in names for seed in self.seeds]
        by_seed = [(name, seed) for seed in self.seeds for name in names]
        self.order = [*(key for key in self.rows if key not in by_seed), *by_seed]  # whichever game ended first
        self.unsaved: dict[Key, Row] = {}

    def missing(self) -> list[Key]:
        """The games that are wanted and not yet measured, in the order in which they are played."""
        return [key for key in self.order if key not in self.rows]

    def table(self) -> Table:
        """The rows that were wanted, variant by variant, once none is missing."""
        return Table(tuple(self.rows[key] for key in self.wanted))

    def add(self, games: Sequence[Key], seconds: float, numbers: Sequence[Numbers]) -> None:
        """Take in what a job measured and write the whole table: with it, rows that a full disk refused before.

        Called again after Ctrl-C, it completes what was broken off.
        """
        for k, (key, values) in enumerate(zip(games, numbers, strict=True)):
            before = set(next(iter(self.rows.values())).values) if self.rows else set(values)
            if set(values) != before:
                raise ValueError(f"{called(key)} measured {sorted(values)}, the rows before it {sorted(before)}")
            row = Row(*key, 0.0 if k else seconds, values)
            self.unsaved[key] = self.rows[key] = row  # in one step: Ctrl-C leaves no row that nobody writes
        self.write()

    def write(self) -> None:
        """Write the file where rows are unsaved: all rows, in the order of the games."""
        if self.unsaved:
            content = as_text((self.rows[key] for key in self.order if key in self.rows), self.settings).encode()
            atomic_write(self.path, lambda stream: stream.write(content))
            self.unsaved = {}

    def note(self) -> str:
        """Say which games are missing; give the rows that could not be written, after one more try."""
        with suppress(OSError):
            self.write()
        missing = [called(key) for key in self.missing()]
        names = "; ".join(missing[:10]) + (f"; and {len(missing) - 10} more" if len(missing) > 10 else "")
        told = f"{len(missing)} of {len(self.wanted)} games are missing: {names}. " if missing else ""
        if not self.unsaved:
            return told + f"The finished ones are in {self.path}: run the study again, and it goes on from there."
        rows = as_text(self.unsaved.values(), self.settings)
        return told + f"These finished rows could not be written; add them to {self.path} when there is room:\n{rows}"


def called(game: Key) -> str:
    """A game's name in messages: "one-sided, seed 3"."""
    name, seed = game
    return f"{name}, seed {seed}"


def read(path: str | Path) -> Table:
    """Read a table that `studies.run` kept; data/results holds those behind the book.

    Raises FileNotFoundError for none, ValueError for a damaged one.
    """
    path = Path(path)
    if not path.exists():
        have = ", ".join(sorted(other.name for other in path.parent.glob("*.csv"))) or "none"
        raise FileNotFoundError(f"no table {path}; that folder's tables: {have}")
    return Table(tuple(kept_rows(path, None).values()))


def kept_rows(path: Path, settings: Mapping[str, object] | None) -> dict[Key, Row]:
    """Read the rows of a file, by (variant, seed); none where there is no file.

    Raises ValueError for a damaged file, and for one that other settings made (None: whatever they were).
    """
    if not path.exists():
        return {}
    remedy = f"Move or delete {path} to measure anew, or go back to the settings that made it."
    if path.is_dir():
        raise ValueError(f"{path} is a folder, no table: give the path of a file")
    rows: dict[Key, Row] = {}
    made_by: list[dict[str, Any]] = []  # mostly one: all rows have the same settings
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            header, *lines = list(csv.reader(stream))
        if tuple(header[: len(KEYS)]) != KEYS:
            raise ValueError("its first line is not that of a study")
        for line in lines:
            name, seed, before, seconds, *values = line
            measured = dict(zip(header[len(KEYS) :], map(float, values), strict=True))
            if (name, int(seed)) in rows:
                raise ValueError(f"{called((name, int(seed)))} is there twice")
            rows[name, int(seed)] = Row(name, int(seed), float(seconds), measured)
            if (about := dict(json.loads(before))) not in made_by:
                made_by.append(about)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} is damaged or no table of a study ({error}). {remedy}") from error
    for made in made_by if settings is not None else []:
        if changed := changes(made, canonical(settings or {})):
            raise ValueError(f"{path} was made with other settings: {'; '.join(changed)}. {remedy}")
    return rows


def as_text(rows: Iterable[Row], settings: Mapping[str, object]) -> str:
    """Return the text of a file: a line of names, and one line for each row, with all digits of each number."""
    stream = io.StringIO(newline="")
    writer, names, about = (
        csv.writer(stream, lineterminator="\n"),
        None,
        json.dumps(canonical(settings), sort_keys=True),
    )
    for row in rows:
        if names is None:
            names = list(row.values)
            writer.writerow([*KEYS, *names])
        writer.writerow([row.variant, row.seed, about, row.seconds, *(row.values[k] for k in names)])
    return stream.getvalue()
