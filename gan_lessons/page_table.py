"""A table for a page: numbers right-aligned under one another, the first column as headers of the rows."""

import html
import re
from collections.abc import Sequence
from typing import NamedTuple

# A number as the course prints it, alone or followed by what belongs to it: −1,234.5, ×0.85 (0.80 to 0.91), 12 %.
_NUMBER = re.compile(r"[*]*[×+−±-]?\d[\d,.]*(e[+−-]?\d+)?(\s?%|\s?s|\s?kB)?([*]*|\s[(±].*)", re.DOTALL)
_MARKUP = re.compile(r"\$|\]\(|\{[a-z:]+\}`|<")  # maths, a link, a role: only Markdown shows them
_MINUS = re.compile(r"(?<![\w.)])-(?=\.?\d)")


class PageTable(NamedTuple):
    """A head and rows of text: as a cell's last line it is shown as a table, in JupyterLab and in the book.

    Both take HTML before Markdown, and only HTML has headers of rows. Cells with maths or links need Markdown.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def _repr_markdown_(self) -> str:
        right = [self._is_right(k) for k in range(len(self.head))]
        rule = ["---:" if numbers else "---" for numbers in right]
        lines = [_line(self.head), _line(rule), *(_line(row) for row in self.rows)]
        return "\n".join(lines) + "\n"

    def _repr_html_(self) -> str | None:
        """HTML with headers of columns and rows; None, so that Markdown is shown, where a cell needs that."""
        if any(_MARKUP.search(cell) for row in (self.head, *self.rows) for cell in row):
            return None
        sides = ["right" if self._is_right(k) else "left" for k in range(len(self.head))]
        head = "".join(_cell(cell, side, "col") for cell, side in zip(self.head, sides, strict=True))
        lines = []
        for name, *cells in self.rows:
            others = "".join(_cell(cell, side) for cell, side in zip(cells, sides[1:], strict=True))
            lines.append(f"<tr>{_cell(name, sides[0], 'row')}{others}</tr>")
        return f'<table class="table"><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table>'

    def __str__(self) -> str:
        widths = [max(map(len, column)) for column in zip(self.head, *self.rows, strict=True)]
        right = [self._is_right(k) for k in range(len(self.head))]

        def line(row: Sequence[str]) -> str:
            cells = zip(row, widths, right, strict=True)
            return "  ".join(c.rjust(w) if numbers else c.ljust(w) for c, w, numbers in cells).rstrip()

        return "\n".join(map(line, (self.head, *self.rows)))

    def __repr__(self) -> str:
        return str(self)

    def _is_right(self, k: int) -> bool:
        """Whether column k holds numbers: all its cells that say something do; the first column names the rows."""
        cells = [row[k] for row in self.rows if row[k] not in ("", "–")]
        return k > 0 and bool(cells) and all(_NUMBER.fullmatch(cell) for cell in cells)


def table(head: Sequence[object], rows: Sequence[Sequence[object]]) -> PageTable:
    """Make a table of a head and rows, each as long; cells are text or anything that `str` turns into text.

    A column of numbers is aligned to the right, "-5" gets a true minus sign, and a "|" in a cell is no border.
    Raises ValueError where a row is not as long as the head.
    """
    for row in rows:
        if len(row) != len(head):
            raise ValueError(f"the head has {len(head)} cells, but {list(row)} has {len(row)}")
    return PageTable(tuple(map(_text, head)), tuple(tuple(map(_text, row)) for row in rows))


def _text(cell: object) -> str:
    return _MINUS.sub("−", str(cell))


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _cell(text: str, side: str, scope: str = "") -> str:
    """One cell in HTML: a header of a column or a row, or neither; an empty corner is no header."""
    inner = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))
    inner = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", inner)
    weight = "; font-weight: normal" if scope == "row" else ""
    style = f'style="text-align: {side}{weight}"'
    return f'<th scope="{scope}" {style}>{inner}</th>' if scope and text else f"<td {style}>{inner}</td>"
