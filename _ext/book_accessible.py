"""Sphinx extension: what the theme and Sphinx leave undone for readers with a screen reader."""

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
ALL_MATHS = re.compile(r'(?<=<th class="head"><p>)(?=<span class="math [^>]*>[^<]*</span></p></th>)')


def mend(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Apply MENDED to the page's body."""
    for wrong, right in MENDED.items():
        context["body"] = context.get("body", "").replace(wrong, right)
    context["body"] = ALL_MATHS.sub('<span class="visually-hidden">column </span>', context.get("body", ""))


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
