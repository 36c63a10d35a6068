"""Sphinx extension: index.html, 404.html and, where the book's address is known, sitemap.xml."""

from html import escape
from pathlib import Path
from typing import Any

import book_head
from sphinx.application import Sphinx


def page(title: str, head: str, body: str) -> str:
    """A small page that needs no other file."""
    style = "body{font:1.1rem/1.6 system-ui,sans-serif;max-width:36rem;margin:15vh auto;padding:0 1rem}"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n{head}"
        f"<style>:root{{color-scheme:light dark}}{style}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def write_other_pages(app: Sphinx, exception: Exception | None) -> None:
    """index.html, which leads to the book's first page; 404.html, for the server; sitemap.xml, for those who search."""
    if exception is not None or app.builder.format != "html" or app.env is None:
        return
    out, base, title = Path(app.outdir), book_head.address(app.config), str(app.config.html_title)
    home = f"{app.config.root_doc}.html"
    words = book_head.summary(app.env.get_doctree(app.config.root_doc))
    head = f'<meta http-equiv="refresh" content="0; url={home}">\n' + book_head.card(app, title, words, home, "")
    head += f'<link rel="canonical" href="{base}{home}">\n' if base else ""
    body = f'<h1>{escape(title)}</h1>\n<p>{escape(words)}</p>\n<p><a href="{home}">To the book</a></p>'
    (out / "index.html").write_text(page(title, head, body), encoding="utf-8")
    head = '<meta name="robots" content="noindex">\n' + (f'<base href="{base}">\n' if base else "")
    head += '<link rel="icon" href="_static/favicon.svg">\n'  # not for index.html, which is gone before it comes
    body = (
        "<h1>This page does not exist</h1>\n<p>It may have moved, or its address has a slip of the pen.</p>\n"
        f'<p><a href="{home}">The book begins here.</a></p>'
    )
    (out / "404.html").write_text(page(f"Not found · {title}", head, body), encoding="utf-8")
    sitemap = out / "sitemap.xml"
    sitemap.unlink(missing_ok=True)
    if base:
        pages = "".join(f"<url><loc>{escape(base + name)}.html</loc></url>\n" for name in sorted(app.env.found_docs))
        sitemap.write_text(
            '<?xml version="1.0" encoding="utf-8"?>\n'
            f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{pages}</urlset>\n',
            encoding="utf-8",
        )


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("build-finished", write_other_pages, priority=100)  # before others write an index of their own
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
