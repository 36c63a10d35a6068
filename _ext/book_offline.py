"""Sphinx extension: pages that read from a disk, with no request to any other host.

MathJax comes from the PyPI package `sphinx-mathjax-offline` (one file, no fonts) and is copied into the finished book.
The scripts of sphinx-thebe, which no page uses, are left out: they name a foreign host and declare a constant twice.
"""

import hashlib
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError

MATHJAX = "mathjax/tex-svg-full.js"  # below _static of the finished book
MATHJAX_SHA256 = "a4354ff94fd868aea0cc6eaaa79a57fda0588646fc46ee3700a349ee0a11cbe6"  # of mathjax 3.2.2
REMEDY = "run `make book`, or `pip install --group book -c constraints.txt`"


def mathjax_file() -> Path:
    """The installed tex-svg-full.js of MathJax 3.2.2; ExtensionError if it is missing or another."""
    spec = find_spec("sphinx-mathjax-offline")
    if spec is None or not spec.submodule_search_locations:
        raise ExtensionError(f"the package sphinx-mathjax-offline is missing: {REMEDY}")
    file = Path(spec.submodule_search_locations[0], "static", MATHJAX)
    if not file.is_file():
        raise ExtensionError(f"{file} is missing: {REMEDY}")
    if hashlib.sha256(file.read_bytes()).hexdigest() != MATHJAX_SHA256:
        raise ExtensionError(f"{file} is not MathJax 3.2.2 (its sha256 differs): {REMEDY}")
    return file


def use_local_mathjax(app: Sphinx, config: Config) -> None:
    """Point the pages at our copy, before anything is read: a missing package stops the build at once."""
    mathjax_file()
    config.mathjax_path = MATHJAX


def copy_mathjax(app: Sphinx, exception: Exception | None) -> None:
    """Put the one file of MathJax into the finished book, unless it is there."""
    if exception is not None or app.builder.format != "html":
        return
    target = Path(app.outdir, "_static", MATHJAX)
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(mathjax_file(), target)


def drop_thebe(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Take sphinx-thebe's scripts off every page."""
    for kind in ("script_files", "css_files"):
        context[kind] = [asset for asset in context[kind] if not _of_thebe(asset)]


def _of_thebe(asset: Any) -> bool:
    body = getattr(asset, "attributes", {}).get("body") or ""
    return "THEBE_JS_URL" in body or "sphinx-thebe" in str(getattr(asset, "filename", asset))


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("config-inited", use_local_mathjax, priority=900)
    app.connect("html-page-context", drop_thebe, priority=900)
    app.connect("build-finished", copy_mathjax)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
