"""The built book in a real browser, read from the disk: what a reader of `make book` sees."""

import json
import re
from collections.abc import Callable, Iterator
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote, urlsplit

import book_launch
import book_offline
import book_stamp
import pytest
import yaml
from sphinx.errors import ExtensionError

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
        ("Peak memory", "734 MB"),
        ("Versions", "torch 2.15, numpy 2.4"),
        ("Code (sha256)", "abababababab"),
    ]
    assert "no stamp" in book_stamp.stamp_html(None)


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
        book_offline.mathjax_file()
    monkeypatch.setattr(book_offline, "find_spec", lambda name: None)
    with pytest.raises(ExtensionError, match=r"sphinx-mathjax-offline is missing: .*make book"):
        book_offline.mathjax_file()


# --- in a browser -----------------------------------------------------------------------------------------------


class Visit:
    """One open page and what went wrong while it loaded."""

    def __init__(
        self, browser: Any, file: str, *, width: int = 1280, theme: str = "light", lands: str | None = None
    ) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
        self.page = self.context.new_page()
        self.faults: list[str] = []
        self.page.on("request", self._request)
        self.page.on("requestfailed", lambda request: self.faults.append(f"failed: {request.url[:100]}"))
        self.page.on("pageerror", lambda error: self.faults.append(f"script error: {error}"))
        self.page.on("console", self._console)
        self.page.goto((HTML / file).as_uri(), wait_until="load")
        if lands:  # elsewhere: the start page sends its reader on
            self.page.wait_for_url((HTML / lands).as_uri())
        self.page.evaluate("() => window.MathJax?.startup?.promise")

    def _request(self, request: Any) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            self.faults.append(f"foreign request: {request.url[:100]}")

    def _console(self, line: Any) -> None:
        if line.type == "error":
            self.faults.append(f"console: {line.text}")

    def open_all(self) -> "Visit":
        """Unfold every hint, solution and hidden cell, and wait until they have faded in."""
        self.page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true })")
        # settled, not all: a fade that something else cancels is over too
        self.page.evaluate("() => Promise.allSettled(document.getAnimations().map(animation => animation.finished))")
        return self


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Visit]]:
    """visit("book/intro.html", width=390, theme="dark") opens a page, and closes it after the test."""
    opened: list[Visit] = []

    def open_page(file: str, **how: Any) -> Visit:
        opened.append(Visit(browser, file, **how))
        return opened[-1]

    yield open_page
    for each in opened:
        each.context.close()


def test_start_page_leads_home(visit: Callable[..., Visit]) -> None:
    seen = visit("index.html", lands=f"{TOC['root']}.html")
    assert seen.faults == []
    assert seen.page.locator("h1").first.inner_text().startswith(CONFIG["title"])


@pytest.fixture(scope="module")
def wide(request: pytest.FixtureRequest, browser: Any) -> Iterator[Visit]:
    """One page, loaded once for all the tests that look at it on a desk: a page full of maths takes seconds."""
    seen = Visit(browser, f"{request.param}.html")
    yield seen
    seen.context.close()


@pytest.fixture(scope="module")
def phone(request: pytest.FixtureRequest, browser: Any) -> Iterator[Visit]:
    """The same on a phone."""
    seen = Visit(browser, f"{request.param}.html", width=390).open_all()
    yield seen
    seen.context.close()


on_a_desk = pytest.mark.parametrize("wide", PAGES, indirect=True)
on_a_phone = pytest.mark.parametrize("phone", PAGES, indirect=True)
chapter_on_a_desk = pytest.mark.parametrize("wide", CHAPTERS, indirect=True)


# Where the mouse finds it. A locator's own click waits, before each of hundreds, until nothing moves for two frames.
TO_ITS_SUMMARY = """fold => {
    const summary = fold.querySelector("summary")
    summary.scrollIntoView({block: "center", behavior: "instant"})
    const place = summary.getBoundingClientRect()
    return [place.x + place.width / 2, place.y + place.height / 2]
}"""


@chapter_on_a_desk
def test_hints_and_solutions_are_folded_and_open_on_click(wide: Visit) -> None:
    folds = wide.page.locator("details.hint, details.solution")
    assert folds.count() >= 2
    assert wide.page.locator("details.hint[open], details.solution[open]").count() == 0
    for fold in folds.all():
        wide.page.mouse.click(*fold.evaluate(TO_ITS_SUMMARY))
        assert fold.get_attribute("open") is not None
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


@chapter_on_a_desk
def test_hints_and_solutions_are_on_paper(wide: Visit) -> None:
    wide.page.emulate_media(media="print")
    hidden = wide.page.evaluate(
        """() => [...document.querySelectorAll('details.hint > p, details.solution > p')].filter(
            text => !text.checkVisibility()).map(text => text.textContent)"""
    )
    wide.page.emulate_media(media="screen")
    assert hidden == []


@on_a_desk
def test_page_loads_without_fault_or_foreign_request_and_with_all_its_maths(wide: Visit) -> None:
    wide.open_all()
    maths = wide.page.evaluate(
        """() => [...document.querySelectorAll('.math, .math-wrapper')].filter(
            element => !element.querySelector('mjx-container svg > *')
        ).map(element => element.textContent.slice(0, 80))"""
    )
    broken = wide.page.evaluate("() => document.querySelectorAll('[data-mml-node=merror]').length")
    assert (wide.faults, maths, broken) == ([], [], 0)


@chapter_on_a_desk
def test_chapter_ends_with_its_stamp(wide: Visit) -> None:
    chapter = ROOT / "book" / unquote(urlsplit(wide.page.url).path).rpartition("/")[2].replace(".html", ".ipynb")
    stamp = json.loads(chapter.read_text(encoding="utf-8"))["metadata"].get("gan_lessons")
    assert stamp, "no stamp: run the chapter with `make run PROFILE=full IN_PLACE=1`"
    box = wide.page.locator(".stamp")
    assert box.is_visible()
    words = box.inner_text()
    for fact in (stamp["profile"], stamp["device"], stamp["dataset"], stamp["seed"], stamp["code_sha256"][:12]):
        assert fact is None or str(fact) in words


@on_a_phone
def test_page_never_scrolls_sideways_on_a_phone(phone: Visit) -> None:
    width = phone.page.evaluate("() => [document.documentElement.scrollWidth, document.body.scrollWidth]")
    assert max(width) <= 390


@on_a_phone
def test_each_film_works_from_the_disk(phone: Visit) -> None:
    for film in phone.page.locator(".film").all():
        slider = film.locator("input")
        slider.press("Home")
        slider.press("ArrowRight")
        label = film.locator("output").inner_text()
        assert (slider.input_value(), slider.get_attribute("aria-valuetext")) == ("1", label)
        assert film.locator("img").get_attribute("alt").endswith(f"Shown: {label}")
    assert phone.faults == []


# Ten thousand coloured words of code have thirty colours. Axe looks at each word for long, and at each line between two
# words, so leave it one word of each kind, and three lines of a stretch of one colour; of the maths its words, without
# the strokes and without the tree in which the words lie.
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
    document.querySelectorAll('mjx-container svg > *').forEach(stroke => stroke.remove())
    document.querySelectorAll('mjx-assistive-mml > math').forEach(tree => { tree.textContent = tree.textContent })
}"""


# A theme changes colours alone: where the light one was looked at word by word, three of all words that look the same,
# on the same ground, tell whether the dark one is readable. Marks them.
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


def violations(seen: Visit, colours_alone: bool = False, **rules: bool) -> dict[str, list[str]]:
    """What axe finds wrong with an open page: rule -> the elements that break it.

    `rules` turns some on or off; `colours_alone` leaves those of colours, on three of all words that look the same.
    """
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    seen.page.mouse.move(0, 0)  # or what lies under it shows its link
    seen.open_all().page.evaluate(THIN_OUT)
    options: dict[str, Any] = {
        "resultTypes": ["violations"],
        "rules": {name.replace("_", "-"): {"enabled": on} for name, on in rules.items()},
    }
    context = None
    if colours_alone:
        seen.page.evaluate(THREE_OF_EACH_LOOK)
        options["runOnly"] = {"type": "rule", "values": OF_COLOUR}
        context = {"include": [["[data-looked-at]"]]}
    faults = axe.Axe().run(seen.page, context=context, options=options).response["violations"]
    return {fault["id"]: [node["html"][:200] for node in fault["nodes"]] for fault in faults}


@on_a_desk
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_page_is_accessible(theme: str, wide: Visit) -> None:
    wide.page.emulate_media(color_scheme=theme)
    wide.page.wait_for_function("theme => document.documentElement.dataset.theme === theme", arg=theme)
    assert violations(wide, colours_alone=theme == "dark") == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_one_pale_word_among_thousands_is_found(theme: str, visit: Callable[..., Visit]) -> None:
    seen = visit(f"{TOC['root']}.html", theme=theme)
    seen.page.evaluate(
        """() => { [...document.querySelectorAll('main p')].filter(
            words => words.childElementCount === 0 && words.textContent.length > 30).at(-1).style.color = '#777' }"""
    )
    (words,) = violations(seen, colours_alone=theme == "dark").pop("color-contrast")
    assert "color:" in words


@on_a_phone
def test_page_is_accessible_on_a_phone(phone: Visit) -> None:
    assert violations(phone, color_contrast=False) == {}  # slow, and the colours are those of the wide page


def test_search_finds_a_word_of_a_chapter(visit: Callable[..., Visit]) -> None:
    page = visit(f"{TOC['root']}.html").page
    page.locator("button.search-button__button:visible, button.search-button:visible").first.click()
    page.locator("dialog input[type=search], .search-button__search-container input[type=search]").first.fill("entropy")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=entropy*")
    page.wait_for_selector("#search-results li a")
    hits = page.locator("#search-results li a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert any("02_cross_entropy.html" in hit for hit in hits)
