"""Folded cells: what a reader skips may bind no name that the code which she reads needs."""

import symtable
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest

from gan_lessons.runner import FOLDED

BOOK = sorted((Path(__file__).parent.parent / "book").glob("*.ipynb"))


class Names(NamedTuple):
    """What a cell binds, what it reads as it runs, and what its functions read when they are called."""

    binds: set[str]
    reads: set[str]
    later: set[str]


def names(source: str) -> Names:
    """The global names of a cell's code; lines for IPython (% and !) count for nothing."""
    lines = source.splitlines()
    indents = [line[: len(line) - len(line.lstrip())] for line in lines]
    plain = [f"{i}pass" if line.lstrip()[:1] in ("%", "!") else line for i, line in zip(indents, lines, strict=True)]
    top = symtable.symtable("\n".join(plain), "cell", "exec")
    mine = top.get_symbols()
    binds = {symbol.get_name() for symbol in mine if symbol.is_assigned() or symbol.is_imported()}
    later = {symbol.get_name() for table in below(top) for symbol in table.get_symbols() if symbol.is_global()}
    return Names(binds, {symbol.get_name() for symbol in mine if symbol.is_referenced()} - binds, later - binds)


def below(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    """All scopes inside this one: functions, classes, comprehensions."""
    for child in table.get_children():
        yield child
        yield from below(child)


def needs(cells: list[tuple[bool, str]]) -> set[str]:
    """The names that visible code takes from a folded cell, of (folded, source) cells in their order.

    As it runs, it takes a name from the last cell above that binds it; a function may be called at any time, so a
    visible cell anywhere will do for what it reads.
    """
    known = [(folded, names(source)) for folded, source in cells]
    open_names = {name for folded, cell in known if not folded for name in cell.binds}
    folded_names = {name for folded, cell in known if folded for name in cell.binds}
    last_folded: dict[str, bool] = {}
    found: set[str] = set()
    for folded, cell in known:
        if not folded:
            found |= {name for name in cell.reads if last_folded.get(name)}
            found |= cell.later & folded_names - open_names
        last_folded |= dict.fromkeys(cell.binds, folded)
    return found


def of_chapter(path: Path) -> set[str]:
    """The names that a chapter's visible code needs from folded cells; the set-up is folded by design and may bind."""
    code = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    folded = [bool(FOLDED & set(cell.metadata.get("tags", []))) and "setup(PROFILE" not in cell.source for cell in code]
    return needs([(fold, cell.source) for fold, cell in zip(folded, code, strict=True)])


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([(True, "a = 1"), (False, "print(a)")], {"a"}),
        ([(False, "a = 1"), (True, "print(a)")], set()),
        ([(True, "import a, b as c\nfrom d import e"), (False, "a, b, c, d, e")], {"a", "c", "e"}),
        ([(True, "def f(): ...\nclass C: ..."), (False, "f(C)")], {"f", "C"}),
        ([(True, "for k in range(3): ..."), (False, "k")], {"k"}),
        ([(True, "[k for k in range(3)]"), (False, "k = 1\nprint(k)")], set()),
        ([(True, "with open(x) as a: ..."), (False, "print(a)")], {"a"}),
        ([(True, "a = 1"), (False, "a = 2\nprint(a)")], set()),
        ([(True, "a = 1"), (False, "def f(a): return a")], set()),
        ([(True, "a = 1"), (False, "def f(): return a")], {"a"}),
        ([(True, "a = 1"), (False, "[a for _ in x]")], {"a"}),
        ([(True, "a = 1"), (False, "[a for a in x]")], set()),
        ([(False, "def f(): return a"), (False, "a = 1"), (True, "a = 2")], set()),
        ([(False, "a = 1"), (True, "a = 2"), (False, "print(a)")], {"a"}),
        ([(True, "a = 2"), (False, "a = 1"), (False, "print(a)")], set()),
        ([(False, "print(a)"), (True, "a = 1")], set()),
        ([(True, "a = 1"), (True, "print(a)")], set()),
        ([(True, "%pip install x\nif y:\n    %pip install z\na = 1"), (False, "%time f(a)")], set()),
    ],
)
def test_a_name_from_a_folded_cell_is_found(cells: list[tuple[bool, str]], expected: set[str]) -> None:
    assert needs(cells) == expected


@pytest.mark.parametrize("chapter", BOOK, ids=[path.stem for path in BOOK])
def test_visible_code_reads_no_name_that_only_a_folded_cell_binds(chapter: Path) -> None:
    assert of_chapter(chapter) == set()
