"""Sphinx extension: what the theme and Sphinx leave undone for readers with a screen reader, and for films.

The first cell of a table's row is its header. Films have a number and a caption: Film 4.1.
"""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

# What stands in a page -> what should. Sphinx gives the entries of a bibliography, children of a list, a role that ARIA
# has withdrawn; the empty corner of a table is no header; and a fold is called what is written on it.
MENDED = {
    '<summary aria-label="Toggle hidden content">': "<summary>",
    'role="doc-biblioentry"': 'role="listitem"',
    '<th class="head"><p></p></th>': "<td></td>",
}
ALL_MATHS = re.compile(
    r'(?:(?<=<th class="head"><p>)|(?<=<th scope="row"><p>))(?=<span class="math [^>]*>[^<]*</span></p></th>)'
)
TWICE = re.compile(r' id="proof(-content)?"')  # the same for each theorem of a page
BODY = re.compile(r"(<tbody>)(.*?)(</tbody>)", re.DOTALL)
FIRST_CELL = re.compile(r"(<tr[^>]*>\s*)<td([^>]*)>(?!(?:<p></p>)?</td>)(.*?)</td>(?=\s*<td)", re.DOTALL)
FILM = re.compile(
    r'<figure class="film"(?P<rest>[^>]*)>(?P<picture>.*?alt="(?P<alt>[^"]*)".*?)'
    r"(?:<figcaption>(?:Film: )?(?P<caption>.*?)</figcaption>)?(?P<script><script>)",
    re.DOTALL,
)


def mend(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Apply all that is mended here to the page's body."""
    body = context.get("body", "")
    for wrong, right in MENDED.items():
        body = body.replace(wrong, right)
    body = TWICE.sub("", body)
    body = BODY.sub(lambda rows: rows[1] + FIRST_CELL.sub(r'\1<th scope="row"\2>\3</th>', rows[2]) + rows[3], body)
    body = ALL_MATHS.sub('<span class="visually-hidden">header </span>', body)
    numbers = app.env.toc_secnumbers.get(pagename, {}).get("") if app.env else None
    context["body"] = numbered(body, f"{numbers[0]}." if numbers else "")


def numbered(body: str, chapter: str) -> str:
    """Films with their number, `chapter` first; without a caption they get their description as one."""
    films = 0

    def mended(film: re.Match[str]) -> str:
        nonlocal films
        films += 1
        number = f"{chapter}{films}"
        picture = film["picture"].replace("Frame of the film", f"Frame of film {number}")
        caption = film["caption"] or film["alt"].removeprefix("Film: ")
        caption = caption[:1].upper() + caption[1:]
        return (
            f'<figure class="film" id="film-{number.replace(".", "-")}"{film["rest"]}>{picture}'
            f'<figcaption><span class="caption-number">Film {number} </span>{caption}</figcaption>{film["script"]}'
        )

    return FILM.sub(mended, body)


class OneNamePerFold(SphinxPostTransform):
    """A folded cell keeps its name (mystnb.code_prompt_show) when it is open."""

    default_priority = 198  # before myst-nb folds the cells

    def run(self, **_: Any) -> None:
        for cell in self.document.findall(nodes.container):
            if "prompt_show" in cell:
                cell["prompt_hide"] = cell["prompt_show"]


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_post_transform(OneNamePerFold)
    app.connect("html-page-context", mend)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
