"""Sphinx extension: the head of every page, and the pages that belong to no chapter.

A description and a card for those who share a page; the theme's colours before the first paint; icons from a style of a
few kB instead of the theme's script of 1.5 MB. Besides: index.html, 404.html and, where the book's address is known,
sitemap.xml. The address is `html: baseurl:` of _config.yml, or else that of the repository's pages at GitHub.
"""

import re
from html import escape, unescape
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError

CARD = "_static/card.png"
CARD_ALT = "GAN Lessons, above four rows of handwritten digits that a generator has drawn."
LENGTH = 200  # letters of a description
PDF_PLACE = "<!-- the PDF: begin --><!-- the PDF: end -->"  # tools/pdf.py names it there
ICONS = "icons.css"  # below _static of the finished book

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
ICON = re.compile(r"(?<![\w-])fa[bs]? fa-([\w-]+)|fa-solid fa-([\w-]+)")


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
    app.add_css_file(ICONS)
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
    render = app.builder.templates.render  # type: ignore[attr-defined]

    def rendered(template: str, context: dict[str, Any]) -> str:
        html = render(template, context)
        return finished(html, context["pagename"]) if "<html" in html else html

    app.builder.templates.render = rendered  # type: ignore[attr-defined]


def finished(html: str, page: str) -> str:
    """A page with FINISHED. Raises ExtensionError where the theme no longer writes what is mended here."""
    for wrong, right in FINISHED:
        html, count = wrong.subn(right, html)
        if not count:
            raise ExtensionError(f"{page}: the theme no longer writes {wrong.pattern}; mend FINISHED in book_head.py")
    return html if page == "search" else SEARCHES.sub("", html)


# --- icons --------------------------------------------------------------------------------------------------------


def icons_css(script: str, names: set[str]) -> str:
    """Styles for icons, cut out of the theme's script: each a mask, so that it has the colour of the words around it.

    Raises ExtensionError for an icon that the script does not have.
    """
    rules = [
        "/* Font Awesome Free 6, https://fontawesome.com, CC BY 4.0. */",
        ":is(.fas, .fab, .fa-solid), :is(.fas, .fab, .fa-solid)::before { font-family: inherit !important; }",
        ":is(.fas, .fab, .fa-solid)::before { content: '' !important; display: inline-block; width: 1.25em; height: 1em; "
        "vertical-align: -0.125em; background: currentColor; mask: var(--icon) center / contain no-repeat; }",
        "@media (forced-colors: active) { :is(.fas, .fab, .fa-solid)::before { background: ButtonText; } }",
    ]
    for name in sorted(names):
        found = re.search(rf'[{{,]"?{name}"?:\[(\d+),(\d+),\[[^\]]*\],"\w+","([^"]+)"\]', script)
        if found is None:
            raise ExtensionError(f"the theme's script has no icon {name!r}: mend icons_css in book_head.py")
        width, height, path = found.groups()
        picture = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}'><path d='{path}'/></svg>"
        data = quote(picture, safe=" ='/:,")
        rules.append(f'.fa-{name} {{ --icon: url("data:image/svg+xml,{data}"); }}')
    return "\n".join(rules) + "\n"


def write_icons(app: Sphinx, exception: Exception | None) -> None:
    """Write the style of the icons that pages have, and take the theme's script of icons away."""
    if exception is not None or app.builder.format != "html":
        return
    static = Path(app.outdir, "_static")
    script = theme_folder() / "static" / "scripts" / "fontawesome.js"
    pages = [
        page.read_text(encoding="utf-8") for page in Path(app.outdir).rglob("*.html") if static not in page.parents
    ]
    names = {found[1] or found[2] for page in pages for found in ICON.finditer(page)} - {"lg", "xmark"}
    (static / ICONS).write_text(icons_css(script.read_text(encoding="utf-8"), names), encoding="utf-8")
    for unused in (static / "scripts").glob("fontawesome.js*"):
        unused.unlink()


def theme_folder() -> Path:
    spec = find_spec("pydata_sphinx_theme")
    if spec is None or not spec.submodule_search_locations:
        raise ExtensionError("the package pydata-sphinx-theme is missing: run `make book`")
    return Path(spec.submodule_search_locations[0], "theme", "pydata_sphinx_theme")


# --- pages of no chapter ------------------------------------------------------------------------------------------


def page(title: str, head: str, body: str) -> str:
    """A small page that needs no other file."""
    style = "body{font:1.1rem/1.6 system-ui,sans-serif;max-width:36rem;margin:15vh auto;padding:0 1rem}"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n{head}"
        f"<style>:root{{color-scheme:light dark}}{style}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def write_other_pages(app: Sphinx, exception: Exception | None) -> None:
    """index.html, which leads to the book's first page; 404.html, for the server; sitemap.xml, for those who search."""
    if exception is not None or app.builder.format != "html" or app.env is None:
        return
    out, base, title = Path(app.outdir), address(app.config), str(app.config.html_title)
    home = f"{app.config.root_doc}.html"
    icon = '<link rel="icon" href="_static/favicon.svg">\n'
    words = summary(app.env.get_doctree(app.config.root_doc))
    head = f'<meta http-equiv="refresh" content="0; url={home}">\n{icon}' + card(app, title, words, home, "")
    head += f'<link rel="canonical" href="{base}{home}">\n' if base else ""
    body = f'<h1>{escape(title)}</h1>\n<p>{escape(words)}</p>\n<p><a href="{home}">To the book</a></p>'
    (out / "index.html").write_text(page(title, head, body), encoding="utf-8")
    head = '<meta name="robots" content="noindex">\n' + (f'<base href="{base}">\n' if base else "") + icon
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
    app.connect("config-inited", set_address, priority=950)  # the theme's options are there
    app.connect("builder-inited", finish_pages)
    app.connect("html-page-context", describe)
    app.connect("build-finished", write_icons, priority=900)
    app.connect("build-finished", write_other_pages, priority=100)  # before others write an index of their own
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
