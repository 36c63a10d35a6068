"""What tests of several chapters need: a chapter's cell by hand, and how far two networks are apart."""

from pathlib import Path
from typing import Any

import nbformat
from torch import nn

from gan_lessons.exercises import Verdict

BOOK = Path(__file__).parent.parent / "book"


def by_hand(stem: str, **names: object) -> dict[str, Any]:
    """Run the one cell tagged `by-hand` of a chapter, with these names in it, and return all that it defines."""
    cells = nbformat.read(BOOK / f"{stem}.ipynb", as_version=4).cells
    (source,) = (cell.source for cell in cells if "by-hand" in cell.metadata.get("tags", []))
    found: dict[str, Any] = dict(names)
    exec(source, found)
    return found


def difference(one: nn.Module, other: nn.Module) -> float:
    """The largest difference between two networks of one shape, over all their parameters."""
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return max(float((p - q).detach().abs().max()) for p, q in pairs)


def assert_wrong(verdict: Verdict, pointer: str) -> None:
    """A verdict "not yet" whose message points at the mistake."""
    assert verdict.correct is False, verdict.message
    assert verdict.message.startswith("Not yet. ")
    assert pointer in verdict.message
