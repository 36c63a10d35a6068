"""Sphinx extension: what the home page shows of the chapters: cards, the picture of what needs what, a Colab button.

    ```{chapters}
    01 fig-01-animals
    ```

    ```{needs}
    05: 02
    ```

    ```{colab} 05_mlp_gan
    Run the first GAN in Colab
    ```

A card takes its title and its question from the notebook's first lines, and its picture from the outputs of the figure
of that name, so that nothing stands in two places.
"""

import base64
import json
import re
import sys
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))  # the package need not be installed to build the book, nor torch

from gan_lessons.plain_copies import published_address  # noqa: E402

BOOK = ROOT / "book"
PICTURES = Path("_static", "cards")  # in the finished book
WIDTH, HEIGHT, LEFT, TOP = 96, 62, 48, 40  # of the picture of what needs what, in its own units: steps and margins


class Chapter(NamedTuple):
    """What a card tells."""

    page: str  # 05_mlp_gan
    title: str
    question: str
    cells: list[dict[str, Any]]


def chapter(number: str) -> Chapter:
    """Read a chapter. Raises ValueError where there is none, or where it does not begin with title and question."""
    found = sorted(BOOK.glob(f"{number}_*.ipynb"))
    if not found:
        raise ValueError(f"there is no chapter {number!r} in {BOOK.name}/")
    cells = json.loads(found[0].read_text(encoding="utf-8"))["cells"]
    opening = re.match(r"# (.+)\n\s*\*(.+)\*\n", "".join(cells[0]["source"]) + "\n")
    if opening is None:
        raise ValueError(f'{found[0].name} does not begin with "# Title" and "*Question?*"')
    return Chapter(found[0].stem, opening[1].strip(), opening[2].strip(), cells)


def picture(known: Chapter, figure: str) -> bytes | None:
    """The PNG of the chapter's figure of that name; None before its first run. ValueError for no such figure."""
    for cell in known.cells:
        if cell["metadata"].get("mystnb", {}).get("figure", {}).get("name") == figure:
            found = [output["data"]["image/png"] for output in cell["outputs"] if "image/png" in output.get("data", {})]
            return base64.b64decode("".join(found[0])) if found else None
    raise ValueError(f"{known.page} has no figure {figure!r}")


class Chapters(SphinxDirective):
    """{chapters}: one line a card, the chapter's number and the name of a figure."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        cards, pictures = [], {}
        for line in filter(None, map(str.strip, self.content)):
            number, _, figure = line.partition(" ")
            try:
                known = chapter(number)
                image = picture(known, figure.strip())
            except ValueError as error:
                raise self.error(str(error)) from error
            self.env.note_dependency(str(BOOK / f"{known.page}.ipynb"))
            if image is not None:
                pictures[number] = image
            cards.append(card(number, known, image is not None))
        html = f'<ul class="chapters">{"".join(cards)}</ul>'
        return [nodes.raw("", html, format="html", pictures=pictures)]


def card(number: str, known: Chapter, pictured: bool) -> str:
    """A chapter's card as HTML, one link. The picture has no words: title and question are beside it."""
    source = f"../{PICTURES.as_posix()}/{number}.png"
    image = f'<span class="chapter-picture"><img src="{source}" alt="" fetchpriority="low"></span>' if pictured else ""
    words = f'<span class="chapter-title">{int(number)}. {escape(known.title)}</span> <em>{escape(known.question)}</em>'
    return f'<li><a href="{known.page}.html">{image}{words}</a></li>'


class Needs(SphinxDirective):
    """{needs}: one line a chapter, "05: 02 03", drawn as a picture whose numbers are links."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        try:
            needs = needed(list(self.content))
            titles = {number: chapter(number) for number in needs}
        except ValueError as error:
            raise self.error(str(error)) from error
        return [nodes.raw("", drawing(needs, titles), format="html")]


def needed(lines: list[str]) -> dict[str, list[str]]:
    """Chapter -> the chapters that it needs, which stand in lines above it. Raises ValueError for others."""
    needs: dict[str, list[str]] = {}
    for line in filter(None, map(str.strip, lines)):
        number, colon, before = line.partition(":")
        if not colon or (unknown := [other for other in before.split() if other not in needs]):
            raise ValueError(f'"{line}": write "05: 02 03", with chapters of lines above; {unknown if colon else ""}')
        needs[number.strip()] = before.split()
    return needs


def places(needs: dict[str, list[str]]) -> dict[str, tuple[float, int]]:
    """Chapter -> (column, row): below all that it needs, each row centred about 0, in the order of what it needs."""
    rows: dict[str, int] = {}
    for number, before in needs.items():
        rows[number] = 1 + max((rows[other] for other in before), default=-1)
    at: dict[str, tuple[float, int]] = {}
    for row in range(1 + max(rows.values())):
        inside = [number for number in needs if rows[number] == row]
        inside.sort(key=lambda number: sum(at[other][0] for other in needs[number]) / max(1, len(needs[number])))
        at |= {number: (k - (len(inside) - 1) / 2, row) for k, number in enumerate(inside)}
    return at


def drawing(needs: dict[str, list[str]], titles: dict[str, Chapter]) -> str:
    """The picture as SVG: a disc a chapter, a line to each that it needs; colours are the page's own."""
    at = places(needs)
    half = max(abs(column) for column, _ in at.values())
    x = {number: LEFT + WIDTH * (half + column) for number, (column, _) in at.items()}
    y = {number: TOP + HEIGHT * row for number, (_, row) in at.items()}
    size = 2 * LEFT + 2 * WIDTH * half, TOP + HEIGHT * max(row for _, row in at.values()) + 40
    lines = [
        f'<path d="M{x[other]:g} {y[other] + 16:g} C{x[other]:g} {y[number] - 34:g} {x[number]:g} {y[other] + 34:g} '
        f'{x[number]:g} {y[number] - 16:g}"/>'
        for number, before in needs.items()
        for other in before
    ]
    discs = [
        f'<a href="{known.page}.html"><title>{escape(known.title)}</title>'
        f'<circle cx="{x[number]:g}" cy="{y[number]:g}" r="16"/>'
        f'<text x="{x[number]:g}" y="{y[number] + 5:g}">{int(number)}</text></a>'
        for number, known in titles.items()
    ]
    said = "; ".join(
        f"{int(number)} needs {' and '.join(str(int(other)) for other in before)}"
        for number, before in needs.items()
        if before
    )
    return (
        f'<figure class="needs"><svg viewBox="0 0 {size[0]:g} {size[1]:g}" role="group" aria-label="What needs what: '
        f'{said}.">{"".join(lines)}{"".join(discs)}</svg></figure>'
    )


class Colab(SphinxDirective):
    """{colab} PAGE: a button to the plain copy of a chapter in Colab; its words are the content."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        page, config = self.arguments[0], self.config
        if not (BOOK / f"{page}.ipynb").is_file():
            raise self.error(f"there is no chapter {page!r} in {BOOK.name}/")
        repository = config.html_theme_options["repository_url"]
        url = published_address(repository, config.plain_copies_branch)(f"{page}.ipynb")
        words = escape(" ".join(self.content))
        return [nodes.raw("", f'<a class="home-button" href="{escape(url)}">{words}</a>', format="html")]


def write_pictures(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Write the pictures of a page's cards beside it."""
    for node in doctree.findall(nodes.raw):
        pictures: dict[str, bytes] = node.get("pictures", {})
        for number, image in pictures.items():
            file = Path(app.outdir) / PICTURES / f"{number}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(image)


def setup(app: Sphinx) -> dict[str, Any]:
    for name, directive in {"chapters": Chapters, "needs": Needs, "colab": Colab}.items():
        app.add_directive(name, directive)
    app.connect("doctree-resolved", write_pictures)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
