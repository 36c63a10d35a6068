"""Sphinx extension: the box at each chapter's end that tells how its outputs were made.

The runner (`python -m gan_lessons run`) writes the facts into the notebook's metadata; this file only shows them, and
adds up how long the games took that the tables of a chapter hold (data/results/NN-name.csv), which a run plays once.
The unchanged games that chapters share (base-GAME.csv) are counted for none of them.
"""

import csv
import json
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

Stamp = dict[str, Any]

UNSTAMPED = "These outputs carry no stamp: nobody has run this chapter with <code>make run</code> yet."


def duration(seconds: float) -> str:
    """42.3 -> '42 s', 754 -> '12 min 34 s', 7500 -> '2 h 5 min'."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def memory(size: float) -> str:
    """Bytes in words: 734003200 -> '734 MB'."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def date(text: str) -> str:
    """An ISO date or time -> '2026-11-20'; any other text as it is."""
    try:
        return datetime.fromisoformat(text).date().isoformat()
    except ValueError:
        return text


def games(number: str, results: Path) -> float | None:
    """Seconds of all games in the tables of chapter `number`, such as "05"; None where it has no table."""
    tables = sorted(results.glob(f"{number}-*.csv"))
    if not tables:
        return None
    return sum(
        float(row["seconds"])
        for table in tables
        for row in csv.DictReader(table.read_text(encoding="utf-8").splitlines())
    )


def rows(stamp: Stamp) -> list[tuple[str, str]]:
    """(label, words) for each fact that the stamp holds, in reading order."""
    versions = stamp.get("versions") or {}
    facts: list[tuple[str, Any]] = [
        ("Profile", stamp.get("profile")),
        ("Data set", stamp.get("dataset")),
        ("Seed", stamp.get("seed")),
        ("Device", stamp.get("device")),
        ("Time", None if stamp.get("seconds") is None else duration(float(stamp["seconds"]))),
        ("Processor", None if stamp.get("processor") is None else duration(float(stamp["processor"]))),
        ("Games in its tables", None if stamp.get("games") is None else duration(float(stamp["games"]))),
        ("Long games kept from before", duration(float(stamp["kept"])) if stamp.get("kept") else None),
        ("Peak memory", None if stamp.get("peak_memory") is None else memory(float(stamp["peak_memory"]))),
        ("Date", None if stamp.get("date") is None else date(str(stamp["date"]))),
        ("Versions", ", ".join(f"{name} {version}" for name, version in versions.items()) or None),
        ("Commit", stamp.get("commit")),
        ("Code (sha256)", None if stamp.get("code_sha256") is None else str(stamp["code_sha256"])[:12]),
    ]
    return [(label, str(words)) for label, words in facts if words is not None]


def stamp_html(stamp: Stamp | None) -> str:
    """The box as HTML: a labelled section with a list of facts, or one sentence where there is no stamp."""
    if stamp:
        facts = "".join(f"<div><dt>{label}</dt><dd>{escape(words)}</dd></div>" for label, words in rows(stamp))
        body = f"<dl>{facts}</dl>"
    else:
        body = f"<p>{UNSTAMPED}</p>"
    title = '<p class="stamp-title" id="stamp-title">How the outputs of this page were made</p>'
    return f'<section class="stamp" aria-labelledby="stamp-title">{title}{body}</section>'


def append_stamp(app: Sphinx, doctree: nodes.document) -> None:
    """Put the box at the end of every page that comes from a notebook."""
    source = Path(app.env.doc2path(app.env.docname))
    if source.suffix == ".ipynb":
        stamp = json.loads(source.read_text(encoding="utf-8"))["metadata"].get("gan_lessons")
        if stamp:
            stamp = {**stamp, "games": games(source.stem.partition("_")[0], Path(app.srcdir) / "data" / "results")}
        doctree += nodes.raw("", stamp_html(stamp), format="html")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("doctree-read", append_stamp)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
