"""Sphinx extension: a chapter or a section that the text names by its number is a link to it, and a link has a preview.

Notebooks say "chapter 05" and "Section 3", which reads well in a plain copy too. In the book the number of a chapter is
that of the contents, "chapter 5", and both are links. Code, titles and the text of links stay as they are, but for the
numbers of chapters. "section 3" with a small letter is one of somebody else's paper.
"""

import re
from collections.abc import Iterator
from html import escape
from typing import Any, NamedTuple

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.environment import BuildEnvironment

LIST = r"\d{1,2}(?![.\d]*\d)(?:(?:, and |, | and | or | to |–)\d{1,2}(?![.\d]*\d))*"
OF_CHAPTERS = re.compile(rf"\b(?P<word>[Cc]hapters?)\s+(?P<numbers>{LIST})(?:, Sections?\s+(?P<sections>{LIST}))?")
OF_SECTIONS = re.compile(rf"\bSections?\s+(?P<sections>{LIST})")
NAMED = re.compile(rf"{OF_CHAPTERS.pattern}|\bSections?\s+(?P<own>{LIST})")
ZERO = re.compile(r"(?<=hapter )0(?=\d)|(?<=hapters )0(?=\d)")
HEADING = re.compile(r"(\d+) · ")
CODE = (nodes.literal, nodes.literal_block, nodes.raw, nodes.math, nodes.math_block, nodes.comment)
NO_LINKS = (nodes.reference, nodes.title, nodes.rubric)


class Places(NamedTuple):
    """Where the chapters and their numbered sections are: chapters[5] a page, sections[page][3] its anchor and title."""

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


def linked(text: str, page: str, known: Places, link: Any) -> Iterator[nodes.Node]:
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


def in_turn(text: str, numbers: str, make: Any) -> Iterator[nodes.Node]:
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


def chapter(number: int, words: str, known: Places, link: Any) -> nodes.Node:
    return link(words, known.chapters[number]) if number in known.chapters else nodes.Text(words)


def section(number: int, words: str, page: str, known: Places, link: Any) -> nodes.Node:
    place = known.sections.get(page, {}).get(number)
    return link(words, page, *place) if place else nodes.Text(words)


# --- previews of what lies on another page ------------------------------------------------------------------------


def words(node: nodes.Node) -> str:
    """A node's text as HTML, with its maths."""
    if isinstance(node, nodes.Text):
        return escape(str(node))
    if isinstance(node, nodes.math):
        return rf'<span class="math notranslate nohighlight">\({escape(node.astext())}\)</span>'
    return "".join(map(words, node.children))


def note_previews(app: Sphinx, doctree: nodes.document) -> None:
    """Keep what links from other pages show: the page's question, its titles, equations, theorems and figures."""
    found: dict[str, str] = {}
    first = next(doctree.findall(nodes.paragraph), None)
    for title in doctree.findall(nodes.title):
        if isinstance(title.parent, nodes.section):
            found |= dict.fromkeys(title.parent["ids"], f"<p><strong>{words(title)}</strong></p>")
    if titles := list(doctree.findall(nodes.title)):
        found[""] = f"<p><strong>{words(titles[0])}</strong></p><p>{words(first) if first else ''}</p>"
    for block in doctree.findall(nodes.math_block):
        tex = f'<div class="math notranslate nohighlight">\\[{escape(block.astext())}\\]</div>'
        found |= dict.fromkeys(block["ids"], tex)
    for figure in doctree.findall(nodes.figure):
        picture, caption = next(figure.findall(nodes.image), None), next(figure.findall(nodes.caption), None)
        if picture is not None and caption is not None:
            found |= dict.fromkeys(
                figure["ids"], f"{picture['uri']}\n{escape(picture.get('alt', ''))}\n{words(caption)}"
            )
    for proof in doctree.findall(lambda node: "proof" in type(node).__name__ or "theorem" in type(node).__name__):
        if ids := getattr(proof, "attributes", {}).get("ids"):
            found |= dict.fromkeys(ids, f"<p>{words(proof)}</p>")
    previews(app.env)[app.env.docname] = found


def previews(env: BuildEnvironment) -> dict[str, dict[str, str]]:
    """What links to each page show, by anchor."""
    if not hasattr(env, "book_previews"):
        env.book_previews = {}  # type: ignore[attr-defined]
    return env.book_previews  # type: ignore[attr-defined]


def add_previews(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Put the previews of a page's links below its text, as templates that nobody sees until a script shows them."""
    if doctree is None or app.env is None or not isinstance(app.builder, StandaloneHTMLBuilder):
        return
    pages = {app.builder.get_relative_uri(pagename, page): page for page in app.env.found_docs if page != pagename}
    shown = []
    for uri in sorted({link["refuri"] for link in doctree.findall(nodes.reference) if "refuri" in link}):
        file, _, anchor = uri.partition("#")
        preview = previews(app.env).get(pages.get(file, ""), {}).get(anchor)
        if preview is not None:
            html = preview if preview.startswith("<") else picture_html(app, *preview.split("\n", 2))
            shown.append(f'<template class="preview" data-for="{escape(uri)}">{html}</template>')
    context["body"] = context.get("body", "") + "\n".join(shown)


def picture_html(app: Sphinx, uri: str, alt: str, caption: str) -> str:
    """A figure of another page; nothing but its caption where the builder does not know its picture."""
    image = ""
    if uri in app.env.images:
        image = f'<img src="../{app.builder.imagedir}/{app.env.images[uri][1]}" alt="{alt}">'
    return f"<figure>{image}<figcaption>{caption}</figcaption></figure>"


def forget(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    previews(env).pop(docname, None)


def merge(app: Sphinx, env: BuildEnvironment, docnames: set[str], other: BuildEnvironment) -> None:
    previews(env).update({page: found for page, found in previews(other).items() if page in docnames})


# --- Deeper sections ----------------------------------------------------------------------------------------------


def wrap_deeper(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put what follows the title of a section "Deeper: …" into a box of its own, which a script can close."""
    for section_ in list(doctree.findall(nodes.section)):
        if section_.children and isinstance(section_[0], nodes.title) and section_[0].astext().startswith("Deeper:"):
            box = nodes.container(classes=["deeper-body"])
            box += section_.children[1:]
            section_.children[1:] = []
            section_ += box


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("doctree-read", note_previews)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
    app.connect("doctree-resolved", link_names)
    app.connect("doctree-resolved", wrap_deeper)
    app.connect("html-page-context", add_previews)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
