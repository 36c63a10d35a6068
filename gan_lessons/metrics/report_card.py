"""The report card: scores of samples beside a floor (real images) and nulls (baselines that learned nothing).

Here numbers are only laid out; scoring.py computes them.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gan_lessons.intervals import plus_minus as interval
from gan_lessons.intervals import plus_minus_words, prediction_range


class Scores(NamedTuple):
    """What the nine measures say of one set of images; MEASURES says how to read them."""

    frechet: float
    kernel: float
    precision: float
    recall: float
    coverage: float
    entropy: float
    confidence: float
    copies: float
    repeats: float


class Measure(NamedTuple):
    """How to read a number: its name in words, whether larger is better, and how to print it."""

    label: str
    larger_is_better: bool
    form: str


MEASURES = {
    "frechet": Measure("Fréchet distance", False, ",.1f"),
    "kernel": Measure("kernel distance", False, ",.2f"),
    "precision": Measure("precision", True, ".1%"),
    "recall": Measure("recall", True, ".1%"),
    "coverage": Measure("classes covered", True, ".1f"),
    "entropy": Measure("entropy of classes (nats)", True, ".3f"),
    "confidence": Measure("confidence", True, ".2%"),
    "copies": Measure("copies of training images", False, ".1%"),
    "repeats": Measure("repeated images", False, ".1%"),
}

BY_JUDGE = tuple(key for key in MEASURES if key not in ("copies", "repeats"))  # the others look at pixels


def verdict(values: Sequence[float], floor: Sequence[float], larger_is_better: bool) -> str:
    """What a measure says of draws beside real ones: "worse", "better" or "no difference".

    It sees a difference where every draw lies outside the range in which 99 % of real draws would lie, all on one side.
    """
    low, high = prediction_range(floor)
    if min(values) > high:
        return "better" if larger_is_better else "worse"
    if max(values) < low:
        return "worse" if larger_is_better else "better"
    return "no difference"


class Report(NamedTuple):
    """The report card: `print` it, show it in a notebook, or keep its `record()`."""

    name: str
    draws: list[Scores]
    floor: list[Scores]
    nulls: dict[str, Scores]
    n: int
    second: "Report | None" = None  # by another judge

    def record(self) -> dict[str, dict[str, Any]]:
        """By measure: mean, half-width of its 95 % interval (None for one draw), floor, and verdict; fit for JSON."""
        found = {}
        for key, measure in MEASURES.items():
            values, floor = [getattr(d, key) for d in self.draws], [getattr(d, key) for d in self.floor]
            mean, half = interval(values)
            found[key] = {
                "mean": mean,
                "half": None if math.isnan(half) else half,
                "floor": interval(floor)[0],
                "floor_half": interval(floor)[1],
                "verdict": verdict(values, floor, measure.larger_is_better),
            }
        return found

    def facts(self, **about: Any) -> dict[str, Any]:
        """What a stored generator's card keeps: n, the number of draws, what `about` adds, and the measures rounded.

        Name in `about` what the numbers depend on: judge (its sha256), against (the real images), and the like.
        """
        facts = {"n": self.n, "draws": len(self.draws), **about, "measures": _rounded(self.record())}
        if self.second is not None:
            record = self.second.record()
            facts["second"] = _rounded({key: record[key] for key in BY_JUDGE})
        return facts

    def rows(self) -> list[list[str]]:
        """The table in words: a head, one row for each measure, and under it the second judge's, where there is one."""
        table = [["measure", "better is", self.name, "real images", *self.nulls, "verdict"]]
        for key in MEASURES:
            table.append(self._row(key))
            if self.second is not None and key in BY_JUDGE:
                table.append(self.second._row(key, " by the second judge"))
        return table

    def _row(self, key: str, by: str = "") -> list[str]:
        (label, larger, form), facts = MEASURES[key], self.record()[key]
        ours = plus_minus_words(facts["mean"], facts["half"], form)
        floor = plus_minus_words(facts["floor"], facts["floor_half"], form)
        nulls = [format(getattr(null, key), form) for null in self.nulls.values()]
        return [label + by, "more" if larger else "less", ours, floor, *nulls, facts["verdict"]]

    def __str__(self) -> str:
        table = self.rows()
        widths = [max(len(row[k]) for row in table) for k in range(len(table[0]))]
        return "\n".join(
            "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in table
        )

    def __repr__(self) -> str:
        return str(self)

    def _repr_markdown_(self) -> str:
        head, *rows = self.rows()
        lines = ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)]
        return "\n".join(lines)


def _rounded(record: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        key: {k: _significant(v) if isinstance(v, float) else v for k, v in facts.items()}
        for key, facts in record.items()
    }


def _significant(value: float, digits: int = 4) -> float:
    return float(f"{value:.{digits}g}")
