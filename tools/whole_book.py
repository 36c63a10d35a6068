"""The whole book as one PDF: `make pdf`.

Puts the articles of the built pages one after another into a single page, lets an installed Chromium print it, with an
outline and tags for screen readers, and names the file on the home page of the built book. Films are four pictures.
"""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import browsers
import yaml

ROOT = Path(__file__).parent.parent
HTML = ROOT / "_build" / "html"
NAME = "gan-lessons.pdf"
PLACE = "<!-- the PDF: begin -->{}<!-- the PDF: end -->"  # _ext/book_head.py puts it on the home page
ARTICLE = re.compile(r'<article class="bd-article">(.*?)</article>', re.DOTALL)
TAG = re.compile(r"<[a-zA-Z][^<>]*>")
IDS = re.compile(r'(?<=\s)(id|for|aria-(?:labelledby|controls|describedby))="([^"]+)"')
LINK = re.compile(r'href="(?P<page>[\w-]+\.html)?(?:#(?P<anchor>[^"]*))?"')
MATHJAX = "mathjax/startup.js"  # the head of a page that loads it serves for all
RELATED = re.compile(r'<link rel="(next|prev|canonical)"[^>]*>|<meta (name|property)="(description|og:)[^>]*>')
LEFT_OUT = re.compile(r'<template class="preview".*?</template>', re.DOTALL)
STYLE = """<style>
.whole > section + section { break-before: page; }
.whole { max-width: none; padding: 0; }
.whole h1 { display: block !important; }
body { padding: 0 !important; }
</style>"""
FOOT = '<div style="width:100%;font:8px sans-serif;color:#555;text-align:center"><span class="pageNumber"></span></div>'


def pages(root: Path) -> list[str]:
    """The names of the book's pages, in their order."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    return [toc["root"], *(chapter["file"] for part in toc["parts"] for chapter in part["chapters"])]


def own(page: str, known: set[str]) -> Callable[[re.Match[str]], str]:
    """What turns a tag of `page` into one of the whole book: its names bear the page's, its links stay in the book."""

    def link(found: re.Match[str]) -> str:
        target = (found["page"] or f"{page}.html").removesuffix(".html")
        if target not in known or (not found["page"] and not found["anchor"]):
            return found[0]
        return f'href="#{target}{"--" + found["anchor"] if found["anchor"] else ""}"'

    def named(found: re.Match[str]) -> str:
        names = " ".join(f"{page}--{name}" for name in found[2].split())
        return f'{found[1]}="{names}"'

    return lambda tag: LINK.sub(link, IDS.sub(named, tag[0]))


def whole(html: Path, names: list[str]) -> str:
    """All pages as one. Raises ValueError where a page has no article."""
    short = {name.rpartition("/")[2] for name in names}
    sections, head = [], ""
    for name in names:
        text = (html / f"{name}.html").read_text(encoding="utf-8")
        article = ARTICLE.search(text)
        if article is None:
            raise ValueError(f"{name}.html has no article; run `make book`")
        page = name.rpartition("/")[2]
        body = TAG.sub(own(page, short), LEFT_OUT.sub("", article[1]))
        sections.append(f'<section id="{page}">{body}</section>')
        if MATHJAX in text and not head:
            head = RELATED.sub("", text[text.index("<head>") : text.index("</head>")])
    head = re.sub(r"<title>.*?</title>", "<title>GAN Lessons</title>", head, flags=re.DOTALL)
    main = '<main class="bd-main"><div class="bd-content"><article class="bd-article whole">'
    top = f'<!DOCTYPE html>\n<html lang="en" data-content_root="../" data-theme="light">{head}{STYLE}</head>\n'
    return f"{top}<body>{main}{''.join(sections)}</article></div></main></body></html>"


def print_page(browser: Any, html: Path, file: Path) -> None:
    """Print the page `html` to `file`, when all its formulas and pictures are there."""
    page = browser.new_page(color_scheme="light", viewport={"width": 794, "height": 1123})
    page.set_default_timeout(1_800_000)
    page.goto(html.as_uri(), wait_until="load")
    page.evaluate("() => window.MathJax?.startup?.promise.then(() => window.formulas.whole())")
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")  # the strips of films, before their pictures load
    page.evaluate("() => Promise.all([...document.images].map(image => image.decode().catch(() => null)))")
    page.pdf(
        path=file,
        format="A4",
        tagged=True,
        outline=True,
        print_background=True,
        display_header_footer=True,
        header_template="<span></span>",
        footer_template=FOOT,
        margin={"top": "18mm", "bottom": "18mm", "left": "18mm", "right": "18mm"},
    )
    page.close()


def offer(home: Path, file: Path) -> None:
    """Name the file on the home page. Raises ValueError where it has no place for that."""
    size = f"{file.stat().st_size / 1e6:.0f} MB"
    words = f'<p class="pdf"><a href="../{file.name}">The whole book as one PDF ({size})</a></p>'
    text, count = re.subn(PLACE.format(".*?"), PLACE.format(words), home.read_text(encoding="utf-8"), flags=re.DOTALL)
    if not count:
        raise ValueError(f"{home.name} has no place for the PDF: see book_head.py")
    home.write_text(text, encoding="utf-8")


def main() -> int:
    from playwright.sync_api import sync_playwright

    chromium = browsers.chromium()
    names = pages(ROOT)
    home = HTML / f"{names[0]}.html"
    if chromium is None or not home.is_file():
        print(f"this needs the built book (`make book`) and a Chromium ({browsers.REMEDY})", file=sys.stderr)
        return 2
    together = home.with_name("whole.html")
    together.write_text(whole(HTML, names), encoding="utf-8")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=browsers.ARGUMENTS)
        try:
            print_page(browser, together, HTML / NAME)
        finally:
            together.unlink()
        browser.close()
    offer(home, HTML / NAME)
    print(f"The PDF is ready: {HTML / NAME} ({(HTML / NAME).stat().st_size / 1e6:.1f} MB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
