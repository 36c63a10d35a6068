"""What tests of several chapters need: a chapter's cell by hand, and how far two networks are apart."""

import re
from collections.abc import Iterable, Mapping
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


def cases(listed: Mapping[int, Iterable[str]]) -> list[tuple[int, str]]:
    """Each answer of a chapter's list beside the number of its exercise."""
    return [(number, code) for number, codes in listed.items() for code in codes]


def assert_listed_right(verdict: Verdict) -> None:
    """A verdict "right"; where it is not, its message is shown."""
    assert verdict.correct is True, verdict.message


def assert_listed_wrong(verdict: Verdict, letters: int = 25) -> None:
    """A verdict "not yet" that points at something: it says more than that the code failed."""
    assert verdict.correct is False
    assert "raised" not in verdict.message
    assert len(verdict.message) > letters


def leftovers(text: str) -> list[str]:
    """Return what is still MyST in a text: roles, labels, directives."""
    pattern = r"\{+[\w:.-]+\}+`|^\([\w-]+\)=|^ *(?::{3,}|(?:`{3,}|~{3,})\{).*|\$\$ *\([\w-]+\)$"
    return [found[0] for found in re.finditer(pattern, text, re.MULTILINE)]
