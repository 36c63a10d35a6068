"""The built book in a real browser, read from the disk: what a reader of `make book` sees."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote, urlsplit

import book_accessible
import book_head
import book_icons
import book_launch
import book_links
import book_offline
import book_other_pages
import book_stamp
import nbformat
import pytest
import whole_book
import yaml
from docutils import nodes
from docutils.utils import new_document
from sphinx.errors import ExtensionError

from gan_lessons import plain_copies
from gan_lessons.runner import FOLDED

ROOT = Path(__file__).parent.parent
HTML = ROOT / "_build" / "html"
CONFIG: dict[str, Any] = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
TOC: dict[str, Any] = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
PAGES: list[str] = [TOC["root"], *(chapter["file"] for part in TOC["parts"] for chapter in part["chapters"])]
CHAPTERS: list[str] = [page for page in PAGES if (ROOT / f"{page}.ipynb").exists()]


@pytest.fixture(scope="session", autouse=True)
def built() -> None:
    if not (HTML / "index.html").exists():
        pytest.fail("the book is not built: run `make book` first")


# --- without a browser ------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """The anchors of an HTML page, what it points at, and its images without a description."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.targets: list[str] = []
        self.silent_images: list[str] = []
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.anchors |= {value for key in ("id", "name") if (value := values.get(key))}
        self.targets += [value for key in ("href", "src") if (value := values.get(key))]
        source = values.get("src") or ""
        decorates = "/_static/cards/" in source and values.get("alt") == ""  # its link's words say it all
        if tag == "img" and not decorates and not (values.get("alt") or "").strip():
            self.silent_images.append(source[:80])


@pytest.fixture(scope="module")
def parsed() -> dict[Path, Page]:
    return {file: Page(file) for file in sorted(HTML.rglob("*.html")) if "_static" not in file.parts}


def test_every_page_of_the_toc_is_built() -> None:
    assert [page for page in PAGES if not (HTML / f"{page}.html").exists()] == []


def test_internal_links_and_anchors_lead_somewhere(parsed: dict[Path, Page]) -> None:
    broken = []
    for file, page in parsed.items():
        for target in page.targets:
            link = urlsplit(target)
            if link.scheme or link.netloc:
                continue
            other = (file.parent / unquote(link.path)).resolve() if link.path else file
            anchors = parsed[other].anchors if other in parsed and link.fragment else {unquote(link.fragment)}
            if not other.exists() or unquote(link.fragment) not in anchors:
                broken.append(f"{file.relative_to(HTML)}: {target}")
    assert broken == []


def test_every_image_has_a_description(parsed: dict[Path, Page]) -> None:
    silent = {str(file.relative_to(HTML)): page.silent_images for file, page in parsed.items()}
    assert {file: images for file, images in silent.items() if images} == {}


FOLD = re.compile(
    r'<details class="admonition hide[^>]*>\s*<summary(?P<attributes>[^>]*)>\s*'
    r'<p class="collapsed admonition-title">(?P<closed>.*?)</p>\s*'
    r'<p class="expanded admonition-title">(?P<open>.*?)</p>'
)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_folded_cell_is_called_by_its_own_name_open_and_closed(chapter: str) -> None:
    cells = json.loads((ROOT / f"{chapter}.ipynb").read_text(encoding="utf-8"))["cells"]
    names = [cell["metadata"]["mystnb"]["code_prompt_show"] for cell in cells if is_folded(cell)]
    folds = list(FOLD.finditer((HTML / f"{chapter}.html").read_text(encoding="utf-8")))
    assert [unescape(fold["closed"]) for fold in folds] == names != []
    assert [unescape(fold["open"]) for fold in folds] == names
    assert {fold["attributes"] for fold in folds} == {""}  # no aria-label: a screen reader says what is written


def is_folded(cell: dict[str, Any]) -> bool:
    return bool(FOLDED & set(cell["metadata"].get("tags", [])))


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_colab_and_binder_buttons_lead_to_the_plain_copy(chapter: str, parsed: dict[Path, Page]) -> None:
    repository, buttons = CONFIG["repository"], CONFIG["launch_buttons"]
    slug = repository["url"].removeprefix("https://github.com/")
    targets = parsed[HTML / f"{chapter}.html"].targets
    branch, copy = CONFIG["sphinx"]["config"]["plain_copies_branch"], chapter.removeprefix("book/") + ".ipynb"
    assert f"{buttons['colab_url']}/github/{slug}/blob/{branch}/{copy}" in targets
    assert f"{buttons['binderhub_url']}/v2/gh/{slug}/{branch}?urlpath=lab/tree/{copy}" in targets
    main = repository["branch"]
    assert [target for target in targets if f"/blob/{main}/" in target or f"/{main}?urlpath" in target] == []


def test_only_the_launch_buttons_of_a_page_change_their_address() -> None:
    colab, binder = "https://colab.research.google.com/github/a/b/blob", "https://mybinder.org/v2/gh/a/b"
    for before, after in (
        (f"{colab}/main/book/05_mlp_gan.ipynb", f"{colab}/notebooks/05_mlp_gan.ipynb"),
        (
            f"{binder}/main?urlpath=lab/tree/book/05_mlp_gan.ipynb",
            f"{binder}/notebooks?urlpath=lab/tree/05_mlp_gan.ipynb",
        ),
    ):
        assert book_launch.copy_address(before, "book/05_mlp_gan", "main", "notebooks") == after
    here = "https://example.org/edit/main/book/05_mlp_gan.ipynb"
    assert book_launch.copy_address(here, "book/05_mlp_gan", "main", "notebooks") == here
    other = f"{colab}/main/book/06_how_good.ipynb"
    assert book_launch.copy_address(other, "book/05_mlp_gan", "main", "notebooks") == other


def test_the_build_tells_of_an_address_that_nobody_has_set(capsys: pytest.CaptureFixture[str]) -> None:
    for owner, words in (("some-body", ""), (book_launch.PLACEHOLDER.split("/")[1], "make set-repository URL=")):
        config = SimpleNamespace(html_theme_options={"repository_url": f"https://github.com/{owner}/name"})
        book_launch.tell_of_placeholder(None, config)  # type: ignore[arg-type]
        assert words in capsys.readouterr().err if words else capsys.readouterr().err == ""


@pytest.mark.parametrize(("before", "after"), list(pairwise(PAGES)))
def test_previous_and_next_follow_the_toc(before: str, after: str, parsed: dict[Path, Page]) -> None:
    name = {page: page.rpartition("/")[2] + ".html" for page in (before, after)}
    assert parsed[HTML / f"{before}.html"].targets.count(name[after]) >= 2  # in the sidebar and below the text
    html = (HTML / f"{after}.html").read_text(encoding="utf-8")
    assert f'class="left-prev"\n       href="{name[before]}"' in html


def test_stamp_tells_each_fact_in_words_and_cannot_break_the_page() -> None:
    facts = {
        "profile": "full",
        "dataset": "<b>",
        "seed": 0,
        "seconds": 754.2,
        "processor": 301.0,
        "games": 7500.0,
        "kept": 1080.0,
        "peak_memory": 734_003_200,
        "device": None,
    }
    html = book_stamp.stamp_html(facts | {"versions": {"torch": "2.15", "numpy": "2.4"}, "code_sha256": "ab" * 32})
    words = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", html)
    assert words == [
        ("Profile", "full"),
        ("Data set", "&lt;b&gt;"),
        ("Seed", "0"),
        ("Time", "12 min 34 s"),
        ("Processor", "5 min 1 s"),
        ("Games in its tables", "2 h 5 min"),
        ("Long games kept from before", "18 min 0 s"),
        ("Peak memory", "734 MB"),
        ("Versions", "torch 2.15, numpy 2.4"),
        ("Code (sha256)", "abababababab"),
    ]
    assert "kept" not in book_stamp.stamp_html(facts | {"kept": 0.0})
    assert "no stamp" in book_stamp.stamp_html(None)


def test_a_stamp_adds_up_the_games_of_its_own_tables(tmp_path: Path) -> None:
    (tmp_path / "05-a.csv").write_text("variant,seed,settings,seconds,x\na,0,{},60.5,1\na,1,{},0.5,1\n")
    (tmp_path / "05-b.csv").write_text("variant,seed,settings,seconds,x\nb,0,{},9,1\n")
    (tmp_path / "06-a.csv").write_text("variant,seed,settings,seconds,x\na,0,{},1000,1\n")
    assert book_stamp.games("05", tmp_path) == 70
    assert book_stamp.games("06", tmp_path) == 1000
    assert book_stamp.games("04", tmp_path) is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (3599.6, "1 h 0 min"), (7500, "2 h 5 min")],
)
def test_duration_is_rounded_once(seconds: float, words: str) -> None:
    assert book_stamp.duration(seconds) == words


def test_a_missing_or_other_mathjax_stops_the_build_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(book_offline, "MATHJAX_SHA256", "0" * 64)
    with pytest.raises(ExtensionError, match=r"not MathJax 3\.2\.2 .*make book"):
        book_offline.mathjax_folder()
    monkeypatch.setattr(book_offline, "find_spec", lambda name: None)
    with pytest.raises(ExtensionError, match=r"sphinx-mathjax-offline is missing: .*make book"):
        book_offline.mathjax_folder()


TEXTLESS = re.compile(r"<(pre|code|script|style|summary|template|h[1-6]|th|title|a)\b.*?</\1>", re.DOTALL)
NUMBERED = {int(page.removeprefix("book/")[:2]) for page in CHAPTERS}


@pytest.mark.parametrize("page", PAGES)
def test_a_chapter_that_the_text_names_is_a_link_and_so_is_a_section(page: str) -> None:
    html = (HTML / f"{page}.html").read_text(encoding="utf-8")
    article = html[html.index('<article class="bd-article">') : html.index("</article>")]
    text = unescape(re.sub(r"<[^>]+>", "", TEXTLESS.sub("", article)))
    own = int(page[5:7]) if page in CHAPTERS else None
    named = {int(number) for number in re.findall(r"[Cc]hapters?\s+(\d+)", text)}
    assert named & NUMBERED <= {own}
    sections = set(re.findall(r"<h2>(\d+) · ", article))
    assert set(re.findall(r"\bSections?\s+(\d+)(?!\.\d)", text)) & sections == set()


def test_names_of_chapters_and_sections_are_found_in_each_form() -> None:
    known = book_links.Places({3: "c", 5: "e"}, {"c": {1: ("#one", "1 · One")}, "e": {2: ("#two", "2 · Two")}})

    def link(text: str, page: str, anchor: str = "", title: str = "") -> nodes.Node:
        return nodes.Text(f"[{text}]({page}{anchor})")

    for text, expected in {
        "As chapter 05 says.": "As [chapter 5](e) says.",
        "chapters 03, 05 and 07": "chapters [3](c), [5](e) and 7",
        "chapters 03 to 05": "chapters [3](c) to [5](e)",
        "(chapter 03, Section 1).": "([chapter 3](c), [Section 1](c#one)).",
        "Section 2": "[Section 2](e#two)",
        "Sections 1 and 2": "Sections 1 and [2](e#two)",
        "Section 2.1 of a paper": "Section 2.1 of a paper",
        "section 2 of a paper": "section 2 of a paper",
        "Chapter 14's question": "Chapter 14's question",
    }.items():
        assert "".join(map(str, book_links.linked(text, "e", known, link))) == expected


def test_a_chapter_has_its_number_in_its_title_and_in_what_it_numbers() -> None:
    for number, page in enumerate(CHAPTERS, 1):
        html = (HTML / f"{page}.html").read_text(encoding="utf-8")
        assert f"<title>{number}. " in html
        assert f'<h1><span class="section-number">{number}. </span>' in html
        things = re.findall(r'class="(?:caption-number|eqno)">\(?(?:Figure |Film )?([\d.]+)', html)
        assert {thing.partition(".")[0] for thing in things} == {str(number)}
        figures = re.findall(r'class="caption-number">Figure ([\d.]+)', html)
        assert figures == [f"{number}.{k}" for k in range(1, len(figures) + 1)] != []


def test_plain_copies_give_figures_and_equations_the_numbers_of_the_pages() -> None:
    paths = [ROOT / f"{page}.ipynb" for page in CHAPTERS]
    stored = {path: nbformat.v4.reads(path.read_text(encoding="utf-8")) for path in paths}  # unchecked: that takes long
    known = plain_copies.references(stored, (ROOT / "book" / "references.bib").read_text(encoding="utf-8"))
    html = "".join((HTML / f"{page}.html").read_text(encoding="utf-8") for page in CHAPTERS)
    blocks = [block.partition("</figure>")[0] for block in html.split('id="fig-')[1:]]
    numbers = [(block, re.search(r'caption-number">Figure ([\d.]+)', block)) for block in blocks]
    figures = {f"fig-{block[: block.index(chr(34))]}": number[1] for block, number in numbers if number}
    equations = dict(re.findall(r'id="equation-([\w-]+)">\n?<span class="eqno">\(([\d.]+)\)', html))
    assert {label: figures.get(label) for label in known.figures} == known.figures
    assert {label: equations.get(label.lower()) for label in known.equations} == known.equations


def test_each_row_of_a_table_has_a_header() -> None:
    for page in PAGES:
        html = (HTML / f"{page}.html").read_text(encoding="utf-8")
        rows = [row for body in re.findall(r"<tbody>(.*?)</tbody>", html, re.DOTALL) for row in body.split("<tr")[1:]]
        without = [row for row in rows if not re.match(r"[^>]*>\s*(<th|<td[^>]*>(<p></p>)?</td>)", row)]
        assert [row for row in without if row.count("<td") > 1] == []


def test_films_are_numbered_and_have_a_caption() -> None:
    bare = '<figure class="film" data-x="1"><img alt="Film: two dots"><input aria-label="Frame of the film">'
    bare += "<script>1</script>"
    named = bare.replace("<script>", "<figcaption>Film: a game.</figcaption><script>")
    first, second = book_accessible.numbered(f"{named}</figure>{bare}</figure>", "4.").split("</figure>")[:2]
    assert '<figcaption><span class="caption-number">Film 4.1 </span>A game.</figcaption><script>' in first
    assert '<figcaption><span class="caption-number">Film 4.2 </span>Two dots</figcaption><script>' in second
    assert 'id="film-4-2" data-x="1"' in second
    assert 'aria-label="Frame of film 4.2"' in second


def test_every_page_describes_itself_and_has_a_picture_for_those_who_share_it(parsed: dict[Path, Page]) -> None:
    descriptions = set()
    for page in PAGES:
        html = (HTML / f"{page}.html").read_text(encoding="utf-8")
        (words,) = re.findall(r'<meta name="description" content="([^"]+)"', html)
        assert 40 <= len(unescape(words)) <= book_head.LENGTH + 2
        assert f'<meta property="og:description" content="{words}"' in html
        assert html.count('<meta name="viewport"') == 1
        (icon,) = re.findall(r'<link rel="icon" href="([^"]+)"', html)
        assert ((HTML / page).parent / icon).is_file()
        descriptions.add(words)
    assert len(descriptions) == len(PAGES)
    assert (HTML / book_head.CARD).read_bytes()[16:24] == (1200).to_bytes(4, "big") + (630).to_bytes(4, "big")


def test_a_description_is_cut_at_a_word() -> None:
    tree = new_document("page")
    tree += nodes.paragraph(text="What is it?")
    tree += nodes.paragraph(text="word " * 100)
    assert book_head.summary(tree) == "What is it? " + "word " * 37 + "…"


def test_index_leads_home_and_the_page_for_wrong_addresses_too(parsed: dict[Path, Page]) -> None:
    for name in ("index.html", "404.html"):
        html = (HTML / name).read_text(encoding="utf-8")
        assert re.search(r'<html lang="en">.*<title>[^<]*GAN Lessons</title>', html, re.DOTALL)
        assert f"{TOC['root']}.html" in parsed[HTML / name].targets


@pytest.mark.parametrize(
    ("owner", "own", "expected"),
    [
        ("OWNER", "", ""),
        ("Some-Body", "", "https://some-body.github.io/name/"),
        ("Some-Body", "https://example.org/book", "https://example.org/book/"),
    ],
)
def test_the_address_of_the_book_follows_that_of_the_repository(owner: str, own: str, expected: str) -> None:
    options = {"repository_url": f"https://github.com/{owner}/name"}
    config = SimpleNamespace(html_baseurl=own, html_theme_options=options)
    assert book_head.address(config) == expected  # type: ignore[arg-type]


def test_a_published_book_has_a_map_for_those_who_search_and_full_addresses(tmp_path: Path) -> None:
    base = "https://some-body.github.io/name/"
    tree = new_document("page")
    tree += nodes.paragraph(text="A book.")
    env = SimpleNamespace(found_docs={"book/intro", "book/01"}, get_doctree=lambda name: tree)
    config = SimpleNamespace(html_baseurl=base, html_theme_options={}, html_title="T", root_doc="book/intro")
    app = SimpleNamespace(outdir=tmp_path, config=config, env=env, builder=SimpleNamespace(format="html"))
    book_other_pages.write_other_pages(app, None)  # type: ignore[arg-type]
    places = re.findall(r"<loc>(.*?)</loc>", (tmp_path / "sitemap.xml").read_text())
    assert places == [f"{base}book/01.html", f"{base}book/intro.html"]
    assert f'<base href="{base}">' in (tmp_path / "404.html").read_text()
    assert f'<meta property="og:image" content="{base}_static/card.png">' in (tmp_path / "index.html").read_text()
    config.html_baseurl = ""
    book_other_pages.write_other_pages(app, None)  # type: ignore[arg-type]
    assert not (tmp_path / "sitemap.xml").exists()


def test_every_icon_of_a_page_has_its_shape_and_pages_leave_the_script_of_all_icons_out() -> None:
    style = (HTML / "_static" / book_icons.FILE).read_text(encoding="utf-8")
    for page in PAGES:
        html = (HTML / f"{page}.html").read_text(encoding="utf-8")
        assert "fontawesome.js" not in html
        names = {found[1] or found[2] for found in book_icons.ICON.finditer(html)}
        assert "bars" in names
        assert {name for name in names if f".fa-{name} {{" not in style} == set()


def test_a_theme_that_writes_something_else_stops_the_build() -> None:
    with pytest.raises(ExtensionError, match=r"the theme no longer writes .*book_head\.py"):
        book_head.finished("<html></html>", "page")


def test_only_pages_with_maths_load_mathjax() -> None:
    for page in PAGES:
        html = (HTML / f"{page}.html").read_text(encoding="utf-8")
        assert (book_offline.MATHJAX in html) == ('class="math' in html)


def test_the_bibliography_is_labelled_as_the_text_cites() -> None:
    html = (HTML / "book" / "bibliography.html").read_text(encoding="utf-8")
    labels = re.findall(r'<span class="label"><span[^>]*>\[</span>(.*?)<span', html)
    assert len(labels) > 20
    assert [label for label in labels if not re.fullmatch(r"[^\W\d_][^{}\\]* \d{4}[a-z]?", unescape(label))] == []
    assert len(set(labels)) == len(labels)


def test_the_search_knows_words_without_their_accents_and_the_numbers_of_chapters() -> None:
    index = (HTML / "searchindex.js").read_text(encoding="utf-8")
    data = json.loads(index[index.index("(") + 1 : index.rindex(")")])
    found = [data[kind].get("frechet", []) for kind in ("terms", "titleterms")]
    where = {k for one in found for k in (one if isinstance(one, list) else [one])}
    assert "book/06_how_good" in {data["docnames"][k] for k in where}
    titles = dict(zip(data["docnames"], data["titles"], strict=True))
    assert [titles[page].partition(".")[0] for page in CHAPTERS] == [str(k) for k in range(1, len(CHAPTERS) + 1)]
    assert not any("<" in title for title in data["titles"])


def test_the_whole_book_in_one_page_keeps_its_links_to_itself(tmp_path: Path) -> None:
    assert whole_book.pages(ROOT) == PAGES
    names = [PAGES[0], *CHAPTERS[3:5], "book/bibliography"]  # all of them take seconds
    (tmp_path / "whole.html").write_text(whole_book.whole(HTML, names), encoding="utf-8")
    page = Page(tmp_path / "whole.html")
    text = (tmp_path / "whole.html").read_text(encoding="utf-8")
    ids = [name for tag in whole_book.TAG.findall(text) for name in re.findall(r'\sid="([^"]+)"', tag)]
    assert len(ids) == len(set(ids)) > 100
    inside = {target[1:] for target in page.targets if target.startswith("#")}
    assert inside - page.anchors == set()
    assert book_offline.MATHJAX in text
    assert "05_mlp_gan" in inside
    assert any(target.startswith("bibliography--") for target in inside)
    pages = {page.rpartition("/")[2] for page in names}
    assert {target for target in page.targets if target.partition(".html")[0] in pages and ".html" in target} == set()


def test_the_pdf_is_offered_on_the_home_page_once(tmp_path: Path) -> None:
    home, file = tmp_path / "home.html", tmp_path / "book.pdf"
    home.write_text(f"<p>Hello</p>{book_head.PDF_PLACE}<p>Bye</p>")
    file.write_bytes(bytes(2_000_000))
    for _ in range(2):
        whole_book.offer(home, file)
        assert home.read_text().count('<a href="../book.pdf">The whole book as one PDF (2 MB)</a>') == 1
    home.write_text("<p>Hello</p>")
    with pytest.raises(ValueError, match="no place"):
        whole_book.offer(home, file)


# --- in a browser -----------------------------------------------------------------------------------------------


# Let MathJax set nothing: its configuration stands in the page before its script, which is deferred, runs.
WITHOUT_MATHS = """document.addEventListener('readystatechange', () => {
    if (document.readyState === 'interactive' && window.MathJax) MathJax.startup = {typeset: false}
})"""


class Visit:
    """One open page and what went wrong while it loaded; without its `maths`, which take seconds, on request.

    `script` runs before the page's own. In a `tab`, which others have used before, a page loads in two thirds of the
    time: the scripts of all pages are known there.
    """

    def __init__(
        self,
        browser: Any,
        file: str,
        *,
        width: int = 1280,
        theme: str = "light",
        motion: str = "no-preference",
        maths: bool = True,
        lands: str | None = None,
        script: str = "",
        tab: Any = None,
    ) -> None:
        size, self.tab = {"width": width, "height": 900}, tab
        self.context = (
            tab.context if tab else browser.new_context(viewport=size, color_scheme=theme, reduced_motion=motion)
        )
        self.page = tab or self.context.new_page()
        if tab:
            tab.set_viewport_size(size)
            tab.emulate_media(media="screen", color_scheme=theme, reduced_motion=motion)
        for early in filter(None, (script, "" if maths else WITHOUT_MATHS)):
            self.page.add_init_script(early)
        self.faults: list[str] = []
        self.asked: set[str] = set()
        self.heard = {
            "request": self._request,
            "requestfailed": lambda request: self.faults.append(f"failed: {request.url[:100]}"),
            "pageerror": lambda error: self.faults.append(f"script error: {error}"),
            "console": self._console,
        }
        for event, hear in self.heard.items():
            self.page.on(event, hear)
        self.page.goto((HTML / file).as_uri(), wait_until="load")
        if lands:  # elsewhere: the start page sends its reader on
            self.page.wait_for_url((HTML / lands).as_uri())
        if maths:
            self.page.evaluate("() => window.MathJax?.startup?.promise.then(() => formulas.whole())")

    def close(self) -> None:
        """Close the page; a tab is left to the next, which hears and finds nothing of this one."""
        if self.tab:
            for event, hear in self.heard.items():
                self.page.remove_listener(event, hear)
            self.page.evaluate("localStorage.clear(), sessionStorage.clear()")
        else:
            self.context.close()

    def _request(self, request: Any) -> None:
        self.asked.add(request.url)
        if not request.url.startswith(("file:", "data:", "blob:")):
            self.faults.append(f"foreign request: {request.url[:100]}")

    def _console(self, line: Any) -> None:
        if line.type == "error":
            self.faults.append(f"console: {line.text}")

    def open_all(self) -> "Visit":
        """Unfold every hint, solution, hidden cell and deeper section, and let them have faded in."""
        self.page.evaluate(
            "document.querySelectorAll('.deeper-button[aria-expanded=false]').forEach(one => one.click())"
        )
        self.page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true })")
        self.page.evaluate("document.getAnimations().forEach(animation => animation.finish())")  # none goes on for ever
        return self


@contextmanager
def visits(browser: Any, **always: Any) -> Iterator[Callable[..., Visit]]:
    """Open pages, and close them all at the end."""
    opened: list[Visit] = []

    def open_page(file: str, **how: Any) -> Visit:
        opened.append(Visit(browser, file, **always | how))
        return opened[-1]

    yield open_page
    for each in opened:
        each.close()


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Visit]]:
    """visit("book/intro.html", width=390, theme="dark") opens a page, and closes it after the test."""
    with visits(browser) as open_page:
        yield open_page


def test_start_page_leads_home(visit: Callable[..., Visit]) -> None:
    seen = visit("index.html", lands=f"{TOC['root']}.html")
    assert seen.faults == []
    assert seen.page.locator("h1").first.inner_text().startswith(CONFIG["title"])


@pytest.fixture(scope="module")
def loaded(request: pytest.FixtureRequest, browser: Any, tab: Any) -> Iterator[Visit]:
    """One page, loaded once for all the tests that look at it: a page full of maths takes seconds."""
    seen = Visit(browser, f"{request.param}.html", tab=tab)
    yield seen
    seen.close()


@pytest.fixture
def wide(loaded: Visit) -> Visit:
    """The page on a desk."""
    loaded.page.set_viewport_size({"width": 1280, "height": 900})
    return loaded


@pytest.fixture
def phone(loaded: Visit) -> Visit:
    """The page in a window as narrow as a phone, with all its folds open."""
    loaded.page.set_viewport_size({"width": 390, "height": 900})
    loaded.open_all().page.wait_for_function(RIGHT_TAB_STOPS)
    return loaded


# Code that scrolls is a tab stop, and no other: the theme asks again 300 ms after the window has another width.
RIGHT_TAB_STOPS = """() => [...document.querySelectorAll('.bd-article pre')].every(one => !one.checkVisibility() ||
    (one.tabIndex === 0) === (one.scrollWidth > one.clientWidth || one.scrollHeight > one.clientHeight))"""
each_page = pytest.mark.parametrize("loaded", PAGES, indirect=True)
each_chapter = pytest.mark.parametrize("loaded", CHAPTERS, indirect=True)


# Press a fold where a mouse would, unless something else lies there; say which did not open.
PRESSED = """folds => folds.filter(fold => {
    const summary = fold.querySelector("summary")
    summary.scrollIntoView({block: "center", behavior: "instant"})
    const place = summary.getBoundingClientRect()
    const hit = document.elementFromPoint(place.x + place.width / 2, place.y + place.height / 2)
    if (summary.contains(hit)) hit.click()
    return !fold.open
}).map(fold => fold.textContent.slice(0, 80))"""


@each_chapter
def test_hints_and_solutions_are_folded_and_open_on_click(wide: Visit) -> None:
    folds = wide.page.locator("details.hint, details.solution")
    assert folds.count() >= 2
    assert wide.page.locator("details.hint[open], details.solution[open]").count() == 0
    wide.page.evaluate(  # an exercise may stand in a deeper section
        "document.querySelectorAll('.deeper-button[aria-expanded=false]').forEach(one => one.click())"
    )
    for kind in ("hint", "solution"):  # one by the mouse itself, which waits until nothing moves
        first = wide.page.locator(f"details.{kind}").first
        first.locator("summary").click()
        assert first.get_attribute("open") is not None
        first.evaluate("fold => { fold.open = false }")
    assert folds.evaluate_all(PRESSED) == []
    wide.page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = false })")


def test_the_ring_around_a_folded_cell_in_focus_is_not_clipped(visit: Callable[..., Visit]) -> None:
    page = visit(f"{CHAPTERS[0]}.html").page
    page.keyboard.press("Tab")  # so that the focus is one of the keyboard
    fold = page.locator("details.hide > summary").first
    fold.focus()
    ring = fold.evaluate(
        """fold => { const style = getComputedStyle(fold)
        return [style.outlineStyle, parseFloat(style.outlineWidth), parseFloat(style.outlineOffset)] }"""
    )
    assert fold.evaluate("fold => fold.matches(':focus-visible')")
    assert ring[0] == "solid"
    assert ring[1] >= 2
    assert (
        ring[1] + ring[2] <= 0 or fold.evaluate("fold => getComputedStyle(fold.parentElement).overflowY") == "visible"
    )


@each_page
def test_page_loads_without_fault_or_foreign_request_and_with_all_its_maths(wide: Visit) -> None:
    wide.open_all()
    maths = wide.page.evaluate(
        """() => [...document.querySelectorAll('.math, .math-wrapper')].filter(
            element => !element.querySelector('mjx-container svg > *')
        ).map(element => element.textContent.slice(0, 80))"""
    )
    broken = wide.page.evaluate("() => document.querySelectorAll('[data-mml-node=merror], mjx-container text').length")
    assert (wide.faults, maths, broken) == ([], [], 0)
    gaps = wide.page.evaluate(
        """() => [...document.querySelectorAll('mjx-container use')].filter(
            glyph => !document.querySelector(glyph.getAttribute('xlink:href')).getAttribute('d')
        ).map(glyph => parseInt(glyph.dataset.c, 16))"""
    )
    assert {hex(letter) for letter in gaps if not invisible(letter)} == set(), "see UNUSED_FONTS in book_offline.py"
    assert wide.page.evaluate("document.querySelectorAll('mjx-container[tabindex]').length") == 0


def invisible(letter: int) -> bool:
    return letter in (0x20, 0xA0) or 0x2000 <= letter <= 0x200B or 0x2061 <= letter <= 0x2064


@each_page
def test_page_is_light_to_load(wide: Visit) -> None:
    of_pieces = HTML / "_static" / "live"
    files = {Path(unquote(urlsplit(url).path)) for url in wide.asked if url.startswith("file:")}
    assert any(file.suffix == ".css" for file in files)
    most = 2_000_000 if wide.page.url.endswith(f"{TOC['root']}.html") else 3_500_000
    assert sum(file.stat().st_size for file in files if not file.is_relative_to(of_pieces)) <= most
    assert {file.name for file in files} & {"fa-solid-900.woff2", "fa-brands-400.woff2"} == set()


@each_chapter
def test_chapter_ends_with_its_stamp(wide: Visit) -> None:
    chapter = ROOT / "book" / unquote(urlsplit(wide.page.url).path).rpartition("/")[2].replace(".html", ".ipynb")
    stamp = json.loads(chapter.read_text(encoding="utf-8"))["metadata"].get("gan_lessons")
    assert stamp, "no stamp: run the chapter with `make run PROFILE=full IN_PLACE=1`"
    box = wide.page.locator(".stamp")
    assert box.is_visible()
    words = box.inner_text()
    for fact in (stamp["profile"], stamp["device"], stamp["dataset"], stamp["seed"], stamp["code_sha256"][:12]):
        assert fact is None or str(fact) in words


def assert_fits(page: Any, width: int) -> None:
    page.evaluate("() => new Promise(end => requestAnimationFrame(() => requestAnimationFrame(end)))")
    wide = page.evaluate("() => [document.documentElement.scrollWidth, document.body.scrollWidth]")
    assert max(wide) <= width
    cut = page.evaluate(
        """() => [...document.querySelectorAll('mjx-container')].filter(formula => {
            const room = formula.closest('div.math, p, li, dd, figcaption, h1, h2, h3, h4')?.getBoundingClientRect()
            return room?.width && formula.querySelector('svg').getBoundingClientRect().width > room.width + 1
        }).map(formula => formula.textContent.slice(0, 80))"""
    )
    assert cut == []


# A page is laid out anew for each width, so those that share one stand together.
@each_chapter
def test_all_but_folded_code_is_on_paper_whole_and_in_light_colours(wide: Visit) -> None:
    is_theme = "theme => document.documentElement.dataset.theme === theme"
    wide.page.set_viewport_size({"width": 660, "height": 900})  # A4, without its margins
    wide.page.emulate_media(media="print", color_scheme="dark")
    wide.page.wait_for_function(is_theme, arg="dark")
    wide.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    hidden, folded, cut, theme = wide.page.evaluate(
        """() => [
            [...document.querySelectorAll(':is(details.hint, details.solution, .deeper-body) > p')].filter(
                text => !text.checkVisibility({contentVisibilityAuto: true})).map(text => text.textContent),
            [...document.querySelectorAll('details.hide')].filter(fold => fold.checkVisibility()).length,
            [...document.querySelectorAll('.bd-article pre')].filter(code => code.scrollWidth > code.clientWidth + 1 &&
                code.clientWidth).map(code => code.textContent.slice(0, 60)),
            document.documentElement.dataset.theme,
        ]"""
    )
    wide.page.evaluate("dispatchEvent(new Event('afterprint'))")
    after = wide.page.evaluate("document.documentElement.dataset.theme")
    wide.page.emulate_media(media="screen", color_scheme="light")
    wide.page.wait_for_function(is_theme, arg="light")
    assert (hidden, folded, cut, theme, after) == ([], 0, [], "light", "dark")


@each_page
def test_each_film_works_from_the_disk_and_is_four_pictures_on_paper(phone: Visit) -> None:
    from_the_start = phone.page.locator(".tag_from-the-start .film input")  # a film after a forecast
    assert all(slider.input_value() == "0" for slider in from_the_start.all())
    for film in phone.page.locator(".film").all():
        number = film.locator("figcaption .caption-number").inner_text().strip().removeprefix("Film ")
        assert re.fullmatch(r"(\d+\.)?\d+", number)
        assert film.locator("input").get_attribute("aria-label") == f"Frame of film {number}"
        slider = film.locator("input")
        slider.press("Home")
        slider.press("ArrowRight")
        label = film.locator("output").inner_text()
        assert (slider.input_value(), slider.get_attribute("aria-valuetext")) == ("1", label)
        assert film.locator("img").get_attribute("alt").endswith(f"Shown: {label}")
        phone.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        strip = film.locator(".film-strip")
        assert len(set(strip.locator("img").evaluate_all("all => all.map(one => one.src)"))) == 4
        assert len(set(strip.locator("p").all_inner_texts())) == 4
        assert (slider.input_value(), film.locator("output").inner_text()) == ("1", label)
        phone.page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert strip.count() == 0
    assert phone.faults == []


@each_page
def test_page_never_scrolls_sideways_on_a_phone(phone: Visit) -> None:
    for width in (390, 360):
        phone.page.set_viewport_size({"width": width, "height": 900})
        assert_fits(phone.page, width)


@pytest.mark.parametrize("page", [PAGES[0], "book/03_minimax_game", "book/07_dcgan", "book/ring"])
def test_what_is_loaded_on_a_phone_fits_as_what_is_narrowed_to_one(page: str, visit: Callable[..., Visit]) -> None:
    """Pages full of pieces, of maths, of films; the others' own loads are those of the desk, made narrow."""
    seen = visit(f"{page}.html", width=390).open_all()
    assert_fits(seen.page, 390)
    assert seen.faults == []


def test_twice_the_size_of_text_leaves_all_buttons_on_a_phone(visit: Callable[..., Visit]) -> None:
    page = visit("book/intro.html", width=390).page
    page.add_style_tag(content="html { font-size: 200% }")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    boxes = [one.bounding_box() for one in page.locator(".bd-header-article button").all() if one.is_visible()]
    assert len(boxes) >= 5
    for box in boxes:
        assert min(box["x"], box["y"]) >= 0
        assert box["x"] + box["width"] <= 390


def test_printed_lines_are_whole_on_a_phone(visit: Callable[..., Visit]) -> None:
    page = visit("book/02_cross_entropy.html", width=390).open_all().page
    cut = "[...document.querySelectorAll('.cell_output pre')].filter(one => one.scrollWidth > one.clientWidth).length"
    assert page.evaluate(cut) == 0


# Ten thousand coloured words of code have thirty colours. Axe looks at each word for long, and at each line between two
# words, so leave it one word of each kind, and three lines of a stretch of one colour; of the maths its words, without
# the strokes, which icons lose, too, and without the tree in which the words lie.
THIN_OUT = """() => {
    const seen = new Set()
    for (const token of document.querySelectorAll('.highlight span[class]')) {
        const kind = `${token.className} ${token.closest('details')?.className}`
        seen.has(kind) ? token.replaceWith(...token.childNodes) : seen.add(kind)
    }
    for (const block of document.querySelectorAll('pre')) {
        block.normalize()
        const texts = document.createTreeWalker(block, NodeFilter.SHOW_TEXT)
        while (texts.nextNode()) {
            const [first, ...others] = texts.currentNode.data.split('\\n'), last = others.pop()
            const kept = [first, others.find(line => line.trim()), last].filter(line => line !== undefined)
            texts.currentNode.data = kept.join('\\n')  // no line grows longer
        }
    }
    document.querySelectorAll('mjx-container svg > *, svg.icon > :not(title)').forEach(stroke => stroke.remove())
    document.querySelectorAll('mjx-assistive-mml > math').forEach(tree => { tree.replaceWith(tree.textContent) })
}"""


# Three of all words that look the same, on the same ground, tell whether the others can be read. Marks them.
THREE_OF_EACH_LOOK = """() => {
    const grounds = new Map(), seen = new Map()
    for (const element of document.querySelectorAll('*')) {
        const style = getComputedStyle(element), within = getComputedStyle(element.parentElement ?? element)
        const clear = style.backgroundColor === 'rgba(0, 0, 0, 0)' && style.backgroundImage === 'none'
        const ground = [style.backgroundColor, style.backgroundImage, style.opacity].join()
        const below = grounds.get(element.parentElement) ?? ''
        grounds.set(element, clear && style.opacity === '1' ? below : below + ground)
        const words = [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim())
        const box = element.getBoundingClientRect()
        const visible = Math.min(box.width, box.height) > 1 && element.checkVisibility({visibilityProperty: true})
        if (!words || !visible) continue
        const look = [style.color, style.fontSize, style.fontWeight, grounds.get(element), element.localName === 'a' &&
            [style.textDecorationLine, within.color, within.fontWeight]].join()
        seen.set(look, (seen.get(look) ?? 0) + 1)
        element.toggleAttribute('data-looked-at', seen.get(look) <= 3)
    }
}"""
OF_COLOUR = ("color-contrast", "link-in-text-block")


def violations(seen: Visit, within: str | None = None, **rules: bool) -> dict[str, list[str]]:
    """What axe finds wrong with an open page but for its colours: rule -> the elements that break it.

    Or with a part of it, `within`, and its colours too. `rules` turns some on or off.
    """
    rules = dict.fromkeys(OF_COLOUR, within is not None) | {name.replace("_", "-"): on for name, on in rules.items()}
    return axe(thinned_out(seen), within, rules={name: {"enabled": on} for name, on in rules.items()})


def pale(seen: Visit, within: str | None = None) -> dict[str, list[str]]:
    """What axe finds wrong with colours: of a part of an open page, or on three of all words that look the same."""
    thinned_out(seen)
    if within is None:
        seen.page.evaluate(THREE_OF_EACH_LOOK)
    return axe(seen, within or "[data-looked-at]", runOnly={"type": "rule", "values": OF_COLOUR})


def thinned_out(seen: Visit) -> Visit:
    seen.page.mouse.move(0, 0)  # or what lies under it shows its link
    seen.open_all().page.evaluate(THIN_OUT)
    return seen


def axe(seen: Visit, within: str | None, **options: Any) -> dict[str, list[str]]:
    tool = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    if not seen.page.evaluate("'axe' in window"):
        seen.page.evaluate(tool.Axe().axe_script)
    # The violations alone come back: all that is right would take long to send.
    faults: dict[str, list[str]] = seen.page.evaluate(
        """async ([within, options]) => {
            const found = await axe.run(within ? {include: [[within]]} : document, options)
            return Object.fromEntries(found.violations.map(fault => [fault.id, fault.nodes.map(node => node.html)]))
        }""",
        [within, options | {"resultTypes": ["violations"], "selectors": False}],
    )
    return {fault: [html[:200] for html in nodes] for fault, nodes in faults.items()}


@each_page
def test_page_is_accessible_on_a_phone(phone: Visit) -> None:
    assert violations(phone) == {}


@each_page
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_page_is_accessible(theme: str, wide: Visit) -> None:
    wide.page.emulate_media(color_scheme=theme)
    wide.page.wait_for_function("theme => document.documentElement.dataset.theme === theme", arg=theme)
    assert pale(wide) == {}
    if theme == "light":  # a theme changes colours alone
        assert violations(wide, label_content_name_mismatch=True, td_has_header=True) == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_one_pale_word_among_thousands_is_found(theme: str, visit: Callable[..., Visit]) -> None:
    seen = visit("book/02_cross_entropy.html", theme=theme, maths=False)
    kinds = ["main p", "main strong", "main em"]
    seen.page.evaluate(
        """kinds => kinds.forEach(kind => {
            const seen = [...document.querySelectorAll(kind)].filter(one => one.checkVisibility())
            seen.filter(one => !one.children.length && one.textContent.length > 2).at(-1).style.color = '#777'
        })""",
        kinds,
    )
    found = pale(seen).pop("color-contrast")
    assert len(found) == len(kinds)
    assert all("color:" in words for words in found)


def test_each_word_of_the_home_page_can_be_read(visit: Callable[..., Visit]) -> None:
    """All of them, and not three of each look: what that shortcut leaves out is right here."""
    assert violations(visit(f"{PAGES[0]}.html", maths=False), within="body") == {}


def test_the_pdf_has_an_outline_and_tags(browser: Any, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<html lang='en'><title>T</title><h1>One</h1><h2>Two</h2><p>Words.</p></html>")
    whole_book.print_page(browser, tmp_path / "page.html", tmp_path / "page.pdf")
    printed = (tmp_path / "page.pdf").read_bytes()
    assert printed.startswith(b"%PDF")
    assert b"/StructTreeRoot" in printed
    assert b"/Outlines" in printed


def test_in_the_dark_tables_that_a_cell_made_stand_on_the_pages_own_ground(visit: Callable[..., Visit]) -> None:
    seen = visit("book/09_noise.html", theme="dark").open_all()
    ground = "(table) => getComputedStyle(table.parentElement).backgroundColor"
    grounds = seen.page.evaluate(f"[...document.querySelectorAll('.cell_output table')].map({ground})")
    assert set(grounds) == {"rgba(0, 0, 0, 0)"}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_colours_are_right_before_any_of_the_themes_scripts_has_run(theme: str, browser: Any) -> None:
    context = browser.new_context(color_scheme=theme)
    context.route(re.compile(r"_static/.*\.js"), lambda route: route.abort())
    page = context.new_page()
    page.goto((HTML / f"{PAGES[-1]}.html").as_uri(), wait_until="load")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    colour = re.fullmatch(r"rgb\((\d+), (\d+), (\d+)\)", ground)
    assert colour, "no colour yet"
    red, green, blue = map(int, colour.groups())
    assert red + green + blue < 150 if theme == "dark" else (red, green, blue) == (255, 255, 255)
    page.evaluate("localStorage.setItem('mode', 'light')")
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    context.close()


@pytest.fixture(scope="module")
def first(browser: Any) -> Iterator[Visit]:
    """The first chapter, which has a bit of everything."""
    seen = Visit(browser, f"{CHAPTERS[0]}.html")
    yield seen
    seen.close()


def test_deeper_sections_are_closed_and_a_press_or_a_link_opens_them(first: Visit) -> None:
    page = first.page
    deeper = page.locator("section:has(> .deeper-body)")
    assert deeper.count() >= 2
    seen = "all => all.map(one => one.checkVisibility({contentVisibilityAuto: true}))"
    assert not any(page.locator(".deeper-body > p").evaluate_all(seen))
    button = deeper.first.locator("> h2 > button")
    assert button.get_attribute("aria-expanded") == "false"
    button.press("Enter")
    assert deeper.first.locator("> .deeper-body > p").first.evaluate(
        "one => one.checkVisibility({contentVisibilityAuto: true})"
    )
    button.press("Enter")
    assert button.get_attribute("aria-expanded") == "false"
    last = deeper.last.locator("> h2 > button")
    for _ in range(2):  # the second time the address stays the same
        page.locator(f'.page-toc a[href="#{deeper.last.get_attribute("id")}"]').first.evaluate("link => link.click()")
        page.wait_for_function("button => button.ariaExpanded === 'true'", arg=last.element_handle())
        last.press("Enter")
    assert first.faults == []


def test_formulas_that_stand_open_are_set_first_and_folded_ones_when_they_open(browser: Any) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.add_init_script("window.requestIdleCallback = () => 0")  # a reader's machine that is never idle
    page.goto((HTML / f"{CHAPTERS[0]}.html").as_uri(), wait_until="load")
    page.evaluate("() => MathJax.startup.promise")
    raw = """part => [...part.querySelectorAll('.math')].filter(one => !one.querySelector('mjx-container')).map(
        one => one.closest('.deeper-body, details:not(.deeper-body *) > :not(summary)')?.tagName ?? 'open')"""
    article = page.locator("article").first
    waiting = article.evaluate(raw)
    assert waiting
    assert "open" not in waiting
    assert article.locator("mjx-container").count() > len(waiting)
    deeper = page.locator(".deeper-body:has(.math):not(:has(details .math))").first
    deeper.locator("xpath=preceding-sibling::h2/button").press("Enter")
    page.wait_for_function(f"part => !({raw})(part).length", arg=deeper.element_handle())
    fold = page.locator("details.solution:has(.math)").first
    fold.evaluate("fold => { fold.open = true }")
    page.wait_for_function(f"part => !({raw})(part).length", arg=fold.element_handle())
    assert article.evaluate(raw)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert not page.locator("body").evaluate(raw)
    context.close()


def test_the_rest_of_the_formulas_is_set_when_there_is_nothing_else_to_do(browser: Any) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto((HTML / f"{CHAPTERS[0]}.html").as_uri(), wait_until="load")
    page.wait_for_function(
        "() => [...document.querySelectorAll('.math')].every(one => one.querySelector('mjx-container'))"
    )
    context.close()


def test_code_in_a_fold_is_a_tab_stop_only_if_it_scrolls_once_the_fold_is_open(browser: Any) -> None:
    seen = Visit(browser, f"{CHAPTERS[0]}.html")
    count = seen.page.locator(".bd-article pre").count()
    shown = "() => [...document.querySelectorAll('.bd-article pre')].filter(one => one.checkVisibility()).length"
    assert seen.page.evaluate(shown) < count
    seen.page.wait_for_function(RIGHT_TAB_STOPS)
    seen.page.wait_for_timeout(600)  # the theme asks again 300 ms after the last formula: before the folds open
    seen.open_all()
    assert seen.page.evaluate(shown) == count
    seen.page.wait_for_function(RIGHT_TAB_STOPS)
    assert seen.faults == []
    seen.close()


def test_another_script_of_the_theme_stops_the_build(tmp_path: Path) -> None:
    script = tmp_path / "_static" / book_head.THEME_SCRIPT
    script.parent.mkdir(parents=True)
    app = SimpleNamespace(outdir=tmp_path, builder=SimpleNamespace(format="html"))
    for _ in range(2):  # a second build finds the script mended
        script.write_text(f"all.forEach(e=>{{{book_head.ASKED}}})", encoding="utf-8")
        book_head.quicken(app, None)  # type: ignore[arg-type]
        book_head.quicken(app, None)  # type: ignore[arg-type]
        assert script.read_text(encoding="utf-8").count("checkVisibility") == 1
    script.write_text("all.forEach(other)", encoding="utf-8")
    with pytest.raises(ExtensionError, match=r"no longer says .*book_head\.py"):
        book_head.quicken(app, None)  # type: ignore[arg-type]


def test_the_contents_follow_the_reader(first: Visit) -> None:
    first.page.keyboard.press("End")
    first.page.wait_for_function(
        """() => { const lit = [...document.querySelectorAll('#pst-secondary-sidebar a[aria-current]')].pop()
        const place = lit?.getBoundingClientRect()
        const last = [...document.querySelectorAll('.bd-article section > h2')].filter(
            title => title.getBoundingClientRect().top < innerHeight * 0.3).pop()
        return place && place.top >= 0 && place.bottom <= innerHeight && last?.parentElement.contains(
            document.getElementById(decodeURIComponent(lit.hash.slice(1)))) }"""
    )


def test_a_link_in_focus_shows_what_it_leads_to_until_escape(first: Visit) -> None:
    page, box = first.page, first.page.locator("#preview")
    page.keyboard.press("Tab")  # so that the focus is one of the keyboard
    for link, words in {
        '.bd-article a.reference[href="06_how_good.html"]': "How do we know it is good?",
        '.bd-article a.reference[href^="bibliography.html#"]': "20",
        '.bd-article p a.named[href^="#"]': " · ",
    }.items():
        page.locator(link).first.focus()
        assert words in box.inner_text()
        assert page.locator(link).first.get_attribute("aria-describedby") == "preview"
        page.keyboard.press("Escape")
        assert not box.is_visible()
    assert first.faults == []


def test_a_figure_is_enlarged_by_a_press(first: Visit) -> None:
    page = first.page
    page.locator(".bd-article figure a.image-reference").first.press("Enter")
    large = page.locator("dialog.enlarged")
    assert large.is_visible()
    source = large.locator("img").evaluate("image => [image.src, image.naturalWidth > 0]")
    assert source == [page.locator(".bd-article figure img").first.evaluate("image => image.src"), True]
    page.keyboard.press("Escape")
    assert not large.is_visible()


def test_search_finds_a_word_of_a_chapter(visit: Callable[..., Visit]) -> None:
    page = visit(f"{TOC['root']}.html").page
    page.locator("button.search-button__button:visible, button.search-button:visible").first.click()
    page.locator("dialog input[type=search], .search-button__search-container input[type=search]").first.fill("entropy")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=entropy*")
    page.wait_for_selector("#search-results li a")
    hits = page.locator("#search-results li a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert any("02_cross_entropy.html" in hit for hit in hits)
