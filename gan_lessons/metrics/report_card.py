"""The report card: scores of samples beside a floor (real images) and nulls (baselines that learned nothing).

Here numbers are only laid out; scoring.py computes them.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gan_lessons.intervals import Difference, difference, number, plus_minus_words
from gan_lessons.intervals import plus_minus as interval


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


def verdict(values: Sequence[float], floor: Sequence[float], larger_is_better: bool, overlap: float = 0.0) -> str:
    """What a measure says of draws beside real ones: "worse", "better" or "no difference seen".

    Two samples are compared (`intervals.difference`). Five real draws beside ten are accused, or praised, in about one
    case of a hundred, three draws in about two.
    """
    return _said(difference(values, floor, overlap=overlap), larger_is_better)


def _said(apart: Difference, larger_is_better: bool) -> str:
    if apart.seen == 0:
        return "no difference seen"
    return "better" if (apart.seen > 0) == larger_is_better else "worse"


class Report(NamedTuple):
    """The report card: `print` it, show it in a notebook, or keep its `record()`."""

    name: str
    draws: list[Scores]
    floor: list[Scores]
    nulls: dict[str, Scores]
    n: int
    second: "Report | None" = None  # by another judge
    overlap: float = 0.0  # of two draws of the floor, as `intervals.difference` takes it

    def record(self) -> dict[str, dict[str, Any]]:
        """By measure: mean and half-width of its 95 % interval (None for one draw), the floor's, verdict; fit for JSON.

        "missed" is the smallest difference that about four of five such comparisons would have seen.
        """
        found = {}
        for key, measure in MEASURES.items():
            values, floor = [getattr(d, key) for d in self.draws], [getattr(d, key) for d in self.floor]
            mean, half = interval(values)
            apart = difference(values, floor, overlap=self.overlap)
            found[key] = {
                "mean": mean,
                "half": None if math.isnan(half) else half,
                "floor": interval(floor)[0],
                "floor_half": interval(floor)[1],
                "verdict": _said(apart, measure.larger_is_better),
                "missed": apart.missed,
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
        nulls = [number(getattr(null, key), form) for null in self.nulls.values()]
        word = facts["verdict"]
        if word == "no difference seen" and facts["missed"] > 0:
            word += f"; under {number(facts['missed'], form)} it would be missed"
        return [label + by, "more" if larger else "less", ours, floor, *nulls, word]

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
