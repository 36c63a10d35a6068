"""Sphinx extension: pages that read from a disk, with no request to any other host.

MathJax comes from the PyPI package `sphinx-mathjax-offline`, in parts: without its menu, which makes a Tab stop of
every formula, and without the shapes of alphabets that the book never writes. That is half its weight. The scripts of
sphinx-thebe, which no page uses, are left out: they name a foreign host and declare a constant twice.
"""

import hashlib
import re
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError

MATHJAX = "mathjax/startup.js"  # below _static of the finished book; it loads the others
FONT = "output/svg/fonts/tex.js"
PARTS = ("startup.js", "core.js", "input/tex.js", "output/svg.js", FONT, "a11y/assistive-mml.js")
MATHJAX_SHA256 = "bf985ddb46416de78aa170c2ed2b7f75bbe1ba1e7ade3d04126aeb6f45a6894a"  # PARTS of mathjax 3.2.2 in a row
REMEDY = "run `make book`, or `pip install --group book -c constraints.txt`"

MATHJAX_CONFIG: dict[str, Any] = {
    "loader": {"load": ["input/tex", "output/svg", "a11y/assistive-mml"]},
    # an unknown command is an error, which a test finds, and no red word; nothing is fetched for it
    "tex": {"packages": {"[-]": ["noundefined", "require", "autoload"]}},
}

# Alphabets whose shapes pages do without. A formula that needs one shows a gap: tests/test_book.py finds it, then
# strike the alphabet out here.
UNUSED_FONTS = {
    *("fraktur", "frakturBold", "monospace", "sansSerif", "sansSerifBold", "sansSerifItalic", "sansSerifBoldItalic"),
    *("texCalligraphicBold", "texOldstyle", "texOldstyleBold"),
}
UNUSED_LETTERS = (  # of the font "normal"
    range(0x1D49C, 0x1D538),  # script, fraktur
    range(0x1D56C, 0x1D6A8),  # bold fraktur, sans serif, monospace
    range(0x1D756, 0x1D7CE),  # Greek without serifs
    range(0x1D7D8, 0x1D800),  # digits of these alphabets
)
_FONT = re.compile(r'AddPaths\)\(\w\.(?P<name>\w+),\{(?P<shapes>(?:\d+:"[^"]*",?)*)\}')
_SHAPE = re.compile(r'(\d+):"[^"]*",?')


def mathjax_folder() -> Path:
    """Where the installed MathJax 3.2.2 lies; ExtensionError if it is missing or another."""
    spec = find_spec("sphinx-mathjax-offline")
    if spec is None or not spec.submodule_search_locations:
        raise ExtensionError(f"the package sphinx-mathjax-offline is missing: {REMEDY}")
    folder = Path(spec.submodule_search_locations[0], "static", "mathjax")
    digest = hashlib.sha256()
    for part in PARTS:
        if not (folder / part).is_file():
            raise ExtensionError(f"{folder / part} is missing: {REMEDY}")
        digest.update((folder / part).read_bytes())
    if digest.hexdigest() != MATHJAX_SHA256:
        raise ExtensionError(f"{folder} is not MathJax 3.2.2 (its sha256 differs): {REMEDY}")
    return folder


def without_unused_shapes(font: str) -> str:
    """MathJax's font as a script, without the outlines of UNUSED_FONTS and UNUSED_LETTERS; their widths stay."""

    def lean(found: re.Match[str]) -> str:
        if found["name"] in UNUSED_FONTS:
            return found[0].replace(found["shapes"], "")
        if found["name"] != "normal":
            return found[0]
        kept = _SHAPE.sub(lambda shape: "" if _unused(int(shape[1])) else shape[0], found["shapes"])
        return found[0].replace(found["shapes"], kept.rstrip(","))

    return _FONT.sub(lean, font)


def _unused(letter: int) -> bool:
    return any(letter in letters for letters in UNUSED_LETTERS)


def use_local_mathjax(app: Sphinx, config: Config) -> None:
    """Point the pages at our copy, before anything is read: a missing package stops the build at once."""
    mathjax_folder()
    config.mathjax_path = MATHJAX
    config.mathjax_options = {"priority": 900}  # after page/formulas.js (800), which tells it what to set first
    config.mathjax3_config = {**(config.mathjax3_config or {}), **MATHJAX_CONFIG}


def copy_mathjax(app: Sphinx, exception: Exception | None) -> None:
    """Put MathJax into the finished book, unless it is there."""
    if exception is not None or app.builder.format != "html":
        return
    target = Path(app.outdir, "_static", "mathjax")
    if (target / FONT).is_file():
        return
    for part in PARTS:
        (target / part).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(mathjax_folder() / part, target / part)
    font = (target / FONT).read_text(encoding="utf-8")
    (target / FONT).write_text(without_unused_shapes(font), encoding="utf-8")


def drop_unused(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Take sphinx-thebe's scripts off every page, and MathJax off those without a formula."""
    unused = [_of_thebe] if 'class="math' in context.get("body", "") else [_of_thebe, _of_mathjax]
    for kind in ("script_files", "css_files"):
        context[kind] = [asset for asset in context[kind] if not any(is_of(asset) for is_of in unused)]


def _of_thebe(asset: Any) -> bool:
    body = getattr(asset, "attributes", {}).get("body") or ""
    return "THEBE_JS_URL" in body or "sphinx-thebe" in str(getattr(asset, "filename", asset))


def _of_mathjax(asset: Any) -> bool:
    body = getattr(asset, "attributes", {}).get("body") or ""
    file = str(getattr(asset, "filename", asset))
    return body.startswith("window.MathJax") or MATHJAX in file or file.endswith("page/formulas.js")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("config-inited", use_local_mathjax, priority=900)
    app.connect("html-page-context", drop_unused, priority=900)
    app.connect("build-finished", copy_mathjax)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
