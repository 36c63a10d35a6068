"""Sphinx extension: a chapter or a section that the text names by its number is a link to it.

Notebooks say "chapter 05" and "Section 3", which reads well in a plain copy too. In the book the number of a chapter is
that of the contents, "chapter 5", and both are links. Code, titles and the text of links stay as they are, but for the
numbers of chapters. "section 3" with a small letter is one of somebody else's paper.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.environment import BuildEnvironment

LIST = r"\d{1,2}(?![.\d]*\d)(?:(?:, and |, | and | or | to |–)\d{1,2}(?![.\d]*\d))*"
OF_CHAPTERS = re.compile(rf"\b(?P<word>[Cc]hapters?)\s+(?P<numbers>{LIST})(?:, Sections?\s+(?P<sections>{LIST}))?")
NAMED = re.compile(rf"{OF_CHAPTERS.pattern}|\bSections?\s+(?P<own>{LIST})")
ZERO = re.compile(r"(?<=hapter )0(?=\d)|(?<=hapters )0(?=\d)")
HEADING = re.compile(r"(\d+) · ")
CODE = (nodes.literal, nodes.literal_block, nodes.raw, nodes.math, nodes.math_block, nodes.comment)
NO_LINKS = (nodes.reference, nodes.title, nodes.rubric)


Link = Callable[..., nodes.Node]  # link(text, page, anchor="", title="")


class Places(NamedTuple):
    """Numbered chapters and sections: chapters[5] is a page, sections[page][3] an anchor and a title."""

    chapters: dict[int, str]
    sections: dict[str, dict[int, tuple[str, str]]]


def places(env: BuildEnvironment) -> Places:
    """All numbered chapters and sections of the book, from its contents."""
    chapters = {numbers[""][0]: page for page, numbers in env.toc_secnumbers.items() if numbers.get("")}
    sections: dict[str, dict[int, tuple[str, str]]] = {}
    for page in chapters.values():
        for entry in env.tocs[page].findall(nodes.reference):
            if found := HEADING.match(entry.astext()):
                sections.setdefault(page, {})[int(found[1])] = (entry["anchorname"], entry.astext())
    return Places(chapters, sections)


def link_names(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Replace each text that names chapters or sections by one with links."""
    if not isinstance(app.builder, StandaloneHTMLBuilder):
        return
    known = places(app.env)

    def link(text: str, page: str, anchor: str = "", title: str = "") -> nodes.Node:
        uri = app.builder.get_relative_uri(docname, page) if page != docname else ""
        title = title or app.env.titles[page].astext()
        if page == docname and not anchor:
            return nodes.Text(text)
        return nodes.reference("", text, internal=True, refuri=uri + anchor, reftitle=title, classes=["named"])

    for text in list(doctree.findall(nodes.Text)):
        if not NAMED.search(text) or any(isinstance(above, CODE) for above in ancestors(text)):
            continue
        if any(isinstance(above, NO_LINKS) for above in ancestors(text)):
            new: list[nodes.Node] = [nodes.Text(ZERO.sub("", text))]
        else:
            new = list(linked(str(text), docname, known, link))
        text.parent.replace(text, new)


def ancestors(node: nodes.Node) -> Iterator[nodes.Node]:
    while node.parent is not None:
        node = node.parent
        yield node


def linked(text: str, page: str, known: Places, link: Link) -> Iterator[nodes.Node]:
    """The parts of a text, with links for what it names. A number that no chapter or section has stays text."""
    end = 0
    for found in NAMED.finditer(text):
        yield nodes.Text(text[end : found.start()])
        end = found.end()
        if found["own"]:
            yield from in_turn(found[0], found["own"], lambda n, words: section(n, words, page, known, link))
            continue
        numbers = found["numbers"]
        head = found[0][: found[0].index(numbers) + len(numbers)]
        yield from in_turn(head, numbers, lambda n, words: chapter(n, words, known, link))
        if found["sections"]:
            there = known.chapters.get(int(re.findall(r"\d+", numbers)[-1]), "")
            yield from in_turn(
                found[0][len(head) :],
                found["sections"],
                lambda n, words: section(n, words, there, known, link),  # noqa: B023  used at once
            )
    yield nodes.Text(text[end:])


def in_turn(text: str, numbers: str, make: Callable[[int, str], nodes.Node]) -> Iterator[nodes.Node]:
    """make(number, words) for each number in turn; a lone number takes the word before it into its link."""
    head, all_numbers = text[: text.rindex(numbers)], re.split(r"(\D+)", numbers)
    if len(all_numbers) == 1:
        lead = re.match(r"(?:, )?", head)
        yield nodes.Text(lead[0] if lead else "")
        yield make(int(numbers), f"{head[lead.end() if lead else 0 :]}{int(numbers)}")
        return
    yield nodes.Text(head)
    for part in all_numbers:
        yield make(int(part), str(int(part))) if part.isdigit() else nodes.Text(part)


def chapter(number: int, words: str, known: Places, link: Link) -> nodes.Node:
    return link(words, known.chapters[number]) if number in known.chapters else nodes.Text(words)


def section(number: int, words: str, page: str, known: Places, link: Link) -> nodes.Node:
    place = known.sections.get(page, {}).get(number)
    return link(words, page, *place) if place else nodes.Text(words)


def setup(app: Sphinx) -> dict[str, object]:
    app.connect("doctree-resolved", link_names)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
