"""Sphinx extension: below an exercise whose answer is one number, a box in which the page itself checks it.

What is right stands in data/answers.json, written from the checkers by tools/page_answers.py.
"""

import json
import re
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

FILE = Path(__file__).parent.parent / "data" / "answers.json"
CALL = re.compile(r"^(ch\d\d\.\w+)\(\w+\)\s*$", re.MULTILINE)  # the last line of an exercise's cell


@cache
def answers() -> dict[str, Any]:
    return json.loads(FILE.read_text(encoding="utf-8"))


def add_boxes(app: Sphinx, doctree: nodes.document) -> None:
    """Put a box behind each cell that calls a checker of one number, and nothing else does."""
    for cell in list(doctree.findall(nodes.container)):
        code = next(cell.findall(nodes.literal_block), None) if cell.get("nb_element") == "cell_code" else None
        call = CALL.search(code.astext()) if code is not None else None
        if call and call[1] in answers():
            facts = escape(json.dumps(answers()[call[1]], ensure_ascii=False), quote=True)
            box = nodes.raw("", f'<div class="answer-box" data-answer="{facts}"></div>', format="html")
            cell.parent.insert(cell.parent.index(cell) + 1, box)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("doctree-read", add_boxes)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
