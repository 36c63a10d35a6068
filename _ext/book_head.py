"""Sphinx extension: the head of every page.

A description and a card for those who share a page, and the theme's colours before the first paint. The book's address
is `html: baseurl:` of _config.yml, or else that of the repository's pages at GitHub.
"""

import re
from html import escape, unescape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError

CARD = "_static/card.png"
CARD_ALT = "GAN Lessons, above four rows of handwritten digits that a generator has drawn."
LENGTH = 200  # letters of a description
PDF_PLACE = "<!-- the PDF: begin --><!-- the PDF: end -->"  # tools/whole_book.py names it there

# Before the first paint: the colours that the reader chose, or those of her system. The theme's own script comes late.
THEME = (
    'document.documentElement.dataset.theme = localStorage.getItem("theme") || "auto";',
    'document.documentElement.dataset.theme = ["light", "dark"].find(name => name === localStorage.getItem("mode")) || '
    '(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");\n'
    '    document.documentElement.classList.add("scripts");',
)
# What the theme's pages hold -> what these hold; each must occur, or the theme has changed.
FINISHED: list[tuple[re.Pattern[str], str]] = [
    (re.compile(re.escape(THEME[0])), THEME[1]),
    (re.compile(r'(<html [^>]*)data-theme="auto"'), r'\1data-theme="light"'),  # where scripts are off
    (re.compile(r'(<meta charset="utf-8" />\s*)(<meta name="viewport"[^>]*>\s*)+'), r"\1"),  # one of three stays
    (re.compile(r'<script defer src="[^"]*scripts/fontawesome\.js[^"]*"></script>'), ""),
    (re.compile(r'(<button class="btn search-button-field[^>]*) aria-label="Search"'), r"\1"),  # its words name it
    (re.compile(r"(<script) (src=\"[^\"]*_static/page/)"), r"\1 defer \2"),
]
# The search page alone searches: the theme loads this on all, 0.2 MB of it.
SEARCHES = re.compile(r'<script src="[^"]*(searchtools|language_data|searchindex)\.js[^"]*"></script>\s*')

# The theme asks of each block of code whether it scrolls, and makes a Tab stop of it. To answer for a closed fold, the
# browser has to lay it out: seconds for a page on a slow machine, and again after each formula. So what lies in a fold
# is a Tab stop that nobody meets, until the fold opens: page/formulas.js tells the theme, as if by a resize.
THEME_SCRIPT = "scripts/pydata-sphinx-theme.js"
ASKED = "e.tabIndex=e.scrollWidth>e.clientWidth||e.scrollHeight>e.clientHeight?0:-1"
ASKED_IF_SEEN = ASKED.replace("=e.", "=e.checkVisibility?.()===false||e.", 1)  # a browser without it asks all


def address(config: Config) -> str:
    """Where the book is published, with a slash at its end, or '' where nobody has said so."""
    if config.html_baseurl:
        return str(config.html_baseurl).rstrip("/") + "/"
    found = re.fullmatch(r"https://github\.com/([^/]+)/([^/]+)/?", config.html_theme_options.get("repository_url", ""))
    return "" if found is None or found[1] == "OWNER" else f"https://{found[1].lower()}.github.io/{found[2]}/"


def set_address(app: Sphinx, config: Config) -> None:
    """Let Sphinx write the canonical address of each page."""
    config.html_baseurl = address(config)


def summary(doctree: nodes.document) -> str:
    """The first words of a page, cut at a word to LENGTH letters."""
    words = ""
    for paragraph in doctree.findall(nodes.paragraph):
        words = " ".join(f"{words} {paragraph.astext()}".split())
        if len(words) > 60:
            break
    words = re.sub(r"\\[a-zA-Z]+|[{}$]", "", words)
    return words if len(words) <= LENGTH else words[: words.rfind(" ", 0, LENGTH)].rstrip(",;:") + " …"


def metas(facts: dict[str, str]) -> str:
    """Meta elements: Open Graph's names are properties."""
    kind = {True: "property", False: "name"}
    return "".join(f'<meta {kind[k.startswith("og:")]}="{k}" content="{escape(v)}">\n' for k, v in facts.items() if v)


def card(app: Sphinx, title: str, description: str, page: str, up: str) -> str:
    """What a page says of itself to those who share it."""
    base = address(app.config)
    return metas(
        {
            "description": description,
            "og:site_name": app.config.html_title,
            "og:type": "article",
            "og:title": title,
            "og:description": description,
            "og:url": base and base + page,
            "og:image": (base or up) + CARD,
            "og:image:alt": CARD_ALT,
            "twitter:card": "summary_large_image",
        }
    )


def describe(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Add the description and the card to the page's head."""
    if doctree is not None:
        title = plain(context.get("title", ""))
        words = card(app, title, summary(doctree), f"{pagename}.html", "../" * pagename.count("/"))
        context["metatags"] = context.get("metatags", "") + words
    if pagename == app.config.root_doc:
        context["body"] = context.get("body", "") + PDF_PLACE


def plain(html: str) -> str:
    """HTML without its tags and entities, for a title."""
    return unescape(re.sub(r"<[^>]+>", "", html)).strip()


def finish_pages(app: Sphinx) -> None:
    """Mend each page when all of it is there: Sphinx has no event for that."""
    if app.builder.format != "html":
        return
    render = app.builder.templates.render

    def rendered(template: str, context: dict[str, Any]) -> str:
        html = render(template, context)
        return finished(html, context["pagename"]) if "<html" in html else html

    app.builder.templates.render = rendered


def finished(html: str, page: str) -> str:
    """A page with FINISHED. Raises ExtensionError where the theme no longer writes what is mended here."""
    for wrong, right in FINISHED:
        html, count = wrong.subn(right, html)
        if not count:
            raise ExtensionError(f"{page}: the theme no longer writes {wrong.pattern}; mend FINISHED in book_head.py")
    return html if page == "search" else SEARCHES.sub("", html)


def quicken(app: Sphinx, exception: Exception | None) -> None:
    """Let the theme's script ask only what is seen. Raises ExtensionError where it asks in another way."""
    if exception is not None or app.builder.format != "html":
        return
    file = Path(app.outdir, "_static", THEME_SCRIPT)
    script = file.read_text(encoding="utf-8")
    if ASKED not in script and ASKED_IF_SEEN not in script:
        raise ExtensionError(f"the theme's {THEME_SCRIPT} no longer says {ASKED}; mend ASKED in book_head.py")
    file.write_text(script.replace(ASKED, ASKED_IF_SEEN), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("config-inited", set_address, priority=950)  # the theme's options are there
    app.connect("builder-inited", finish_pages)
    app.connect("html-page-context", describe)
    app.connect("build-finished", quicken)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
