"""Write book/part_three.md, Part III in one table: `.venv/bin/python tools/part_three.py`.

Every table NN-name.csv of chapters 09 to 13 in data/results that changes a base game gives a row for each change: its
verdict at the end, its size, what the study could have seen, its cost. Tables that lie without their base game
(base-GAME.csv with the same settings), or that another kind of study made, are left out. Run it after a full run.
"""

import csv
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from gan_lessons import ablation, intervals, studies  # noqa: E402
from gan_lessons.page_table import table as page_table  # noqa: E402
from gan_lessons.studies import Effect, Row, Table  # noqa: E402

RESULTS, BOOK = ROOT / "data" / "results", ROOT / "book"
PAGE = BOOK / "part_three.md"
CHAPTERS = {name[:2]: name for name in sorted(path.stem for path in BOOK.glob("*.ipynb"))}
PART = ("09", "10", "11", "12", "13")
JUDGED = ("distance@100", "second_distance@100")  # what decides about images: both judges
POINTS = ("usable@100",)  # and about points: the usable share in per cent, as in chapters 09 to 12
ITEMS = {"mnist": 60_000}
CALLED = {
    "DCGAN": "Digits, the DCGAN",
    "MLP": "Digits, the MLP",
    "toy": "The ring",
    "toy-100": "The ring, with 100 numbers of noise",
    "toy-normed": "The ring, D normalised behind both layers",
    "toy-normed-once": "The ring, D normalised behind its second layer",
}
HEAD = ("changed", "verdict", "size", "would have been missed", "cost")
INTRO = """# Part III in one table

*Which trick is worth a try tomorrow?*

Chapters 09 to 13 change one thing of a **base game**, and play whole games of both. Here are all of their studies that
do so, by one rule: each change against all plays of the unchanged game, paired by seed, with a 95 % interval. On images
the verdict is by the Fréchet distance, and two judges must agree; on points it is by the usable share in per cent, as a
divergence does not see waste. All rows of a base game share its unchanged games, and so the luck of these. *Would
have been missed* says how small an effect was too small for the study. *Cost* is the time of a game, the unchanged
one's being 1. On points it is the clock's, on a machine that did other work beside: there a factor below three
means little.

This table says what was seen in these games. "No difference seen" is never "no difference". How far a verdict holds,
each chapter says in its rule for tomorrow. [Below](sec-survives) stands which verdicts of short games survive.
"""
SURVIVES = """(sec-survives)=
## Which verdicts survive training

Earlier versions of these chapters played short games: a ring of 2,000 rounds, digits for an epoch or less, one judge,
three rules for differences. These are their verdicts beside those of whole games, as the chapters print them. A short
game tells who is ahead early.
"""


class Study(NamedTuple):
    """A stored table: its rows, and the settings that all of them have."""

    name: str
    table: Table
    settings: dict[str, Any]


def stored(path: Path) -> Study:
    """Read a table and its settings. Raises ValueError for a damaged one, and for rows of different settings."""
    with path.open(newline="", encoding="utf-8") as stream:
        settings = {line["settings"] for line in csv.DictReader(stream)}
    if len(settings) != 1:
        raise ValueError(f"{path} holds rows of {len(settings)} settings; move it away and measure anew")
    return Study(path.stem, studies.read(path), dict(json.loads(settings.pop())))


def beside(base: Study, study: Study) -> Table:
    """The unchanged games and a study's own, for the seeds that all of the study's variants have."""
    seeds = set.intersection(*(_seeds(study.table, name) for name in variants(study.table)))
    rows = (*base.table.rows, *study.table.rows)
    return Table(tuple(row for row in rows if row.seed in seeds))


def variants(table: Table) -> list[str]:
    """The variants of a table, in its order."""
    return list(dict.fromkeys(row.variant for row in table.rows))


def _seeds(table: Table, name: str) -> set[int]:
    return {row.seed for row in table.rows if row.variant == name}


def effects(table: Table) -> dict[str, list[Effect]]:
    """Of each change its effects at the end: by both judges, or of points by the usable share; nulls are baseline."""
    measured = table.rows[0].values
    columns = [column for column in (*JUDGED, *POINTS) if column in measured]
    points = partial(studies.differences, larger_is_better=True)
    compare = points if columns == list(POINTS) else studies.factors
    nulls = [name for name in variants(table) if name == ablation.AGAIN]
    found: dict[str, list[Effect]] = {}
    for column in columns:
        for effect in compare(table, column, baseline=ablation.UNCHANGED, nulls=nulls).effects:
            found.setdefault(effect.variant, []).append(effect)
    return found


def verdict(found: Sequence[Effect]) -> str:
    """What all judges say; where they differ, that."""
    said = list(dict.fromkeys(effect.verdict for effect in found))
    return f"**{said[0]}**" if len(said) == 1 else f"the judges differ: {', '.join(said)}"


def seconds(rows: Sequence[Row]) -> float:
    """A game's time without its readings where the rows have it, else a row's share of the whole run."""
    own = [row.values["seconds@100"] for row in rows if "seconds@100" in row.values]
    return median(own) if own else sum(row.seconds for row in rows) / len(rows)


def rows_of(base: Study, study: Study) -> Iterator[list[str]]:
    """A row for each change of a study, as HEAD says."""
    table = beside(base, study)
    for name, found in effects(table).items():
        own, unchanged = seconds([row for row in table.rows if row.variant == name]), seconds(list(base.table.rows))
        cost = f"×{own / unchanged:.1f}" if unchanged else "–"
        number, seeds = study.name[:2], found[0].seeds
        link = f"[{int(number)}]({CHAPTERS[number]}.ipynb)"
        sizes = "; ".join(effect.size() for effect in found)
        missed = "; ".join(intervals.number(effect.detectable, ".2f") for effect in found)
        yield [f"{name} ({link}, {seeds} seeds)", verdict(found), sizes, missed, cost]


def about(base: Study) -> str:
    """A sentence about a base game: its length, and what it comes to by itself."""
    told, rounds = base.settings, int(base.settings["rounds"])
    length = f"{rounds:,} rounds of {told['batch']}"
    if (items := ITEMS.get(str(told.get("images")))) is not None:
        length += f" ({rounds * told['d_steps'] * told['batch'] / items:.0f} epochs)"
    own = [column for column in (*JUDGED, *POINTS) if column in base.table.rows[0].values]
    rows = base.table.rows
    ends = " and ".join(f"{sum(row.values[c] for row in rows) / len(rows):.1f}" for c in own)
    word = "a usable share, in per cent," if own == list(POINTS) else "distances"
    return f"The unchanged game: {length}; it ends at {word} of {ends} on average ({len(rows)} games)."


def page(results: Path = RESULTS, book: Path = BOOK) -> str:
    """The whole page, as Markdown."""
    found = [stored(path) for path in sorted(results.glob("*.csv"), key=lambda path: path.stem)]
    bases = {s.settings["game"]: s for s in found if s.name == f"base-{s.settings.get('game')}"}
    parts = [INTRO]
    for game, base in bases.items():
        lines = [row for study in found if fits(study, base) for row in rows_of(base, study)]
        if lines:
            parts += [f"## {CALLED.get(game, game)}\n", f"{about(base)}\n", page_table(HEAD, lines)._repr_markdown_()]
    if len(parts) == 1:
        parts.append("No study of whole games is stored yet.\n")
    parts.append(SURVIVES)
    for number in PART:
        parts += [
            f"**[Chapter {int(number)}](sec-{number}-before)**\n",
            then_and_now(book / f"{CHAPTERS[number]}.ipynb"),
        ]
    return "\n".join(parts)


def then_and_now(chapter: Path) -> str:
    """The old verdicts beside the new ones, as Markdown: the table that a run stored below a chapter's `sec-NN-before`.

    Raises ValueError for a chapter without one.
    """
    below = False
    for cell in json.loads(chapter.read_text(encoding="utf-8"))["cells"]:
        below = below or f"(sec-{chapter.name[:2]}-before)=" in "".join(cell["source"])
        if below:
            for output in cell.get("outputs", ()):
                text = "".join(output.get("data", {}).get("text/markdown", ""))
                if text.startswith("|"):
                    return f"{text.rstrip()}\n"
    raise ValueError(f"{chapter.name} has no table of old verdicts below its label: run it in full")


def fits(study: Study, base: Study) -> bool:
    """Whether a table changes this base game: of Part III, with its settings and a column that decides."""
    columns: Mapping[str, float] = study.table.rows[0].values
    decides = set(JUDGED) <= set(columns) or set(POINTS) <= set(columns)
    return study.name[:2] in PART and study.settings == base.settings and decides


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")
