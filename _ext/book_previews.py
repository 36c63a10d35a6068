"""Sphinx extension: what links lead to can be seen without going there, and Deeper sections can be closed.

Scripts (_static/page) do both in the page; here they get what they need: a template for each target on another page,
and a box around what follows the title of a section "Deeper: …".
"""

from html import escape
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.environment import BuildEnvironment


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
    app.connect("doctree-resolved", wrap_deeper)
    app.connect("html-page-context", add_previews)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
