"""Sphinx extension: what the theme and Sphinx leave undone for readers with a screen reader."""

from typing import Any

from sphinx.application import Sphinx

# What stands in a page -> what should. Sphinx gives the entries of a bibliography, children of a list, a role that ARIA
# has withdrawn; and the empty corner of a table is no header.
MENDED = {
    'role="doc-biblioentry"': 'role="listitem"',
    '<th class="head"><p></p></th>': "<td></td>",
}


def mend(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Apply MENDED to the page's body."""
    for wrong, right in MENDED.items():
        context["body"] = context.get("body", "").replace(wrong, right)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("html-page-context", mend)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
