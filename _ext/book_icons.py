"""Sphinx extension: the icons of the pages as a style of a few kB, instead of the theme's script of 1.5 MB."""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

FILE = "icons.css"  # below _static of the finished book
CLASSES = ":is(.fas, .fab, .fa-solid)"
OF_ADMONITIONS = {"": "circle-info", ".tip": "lightbulb", ".hint": "lightbulb", ".warning": "triangle-exclamation"}
ICON = re.compile(r"(?<![\w-])fa[bs]? fa-([\w-]+)|fa-solid fa-([\w-]+)")


def icons_css(script: str, names: set[str]) -> str:
    """Styles for icons, cut out of the theme's script: each a mask, so that it has the colour of the words around it.

    Raises ExtensionError for an icon that the script does not have.
    """
    rules = [
        "/* Font Awesome Free 6, https://fontawesome.com, CC BY 4.0. */",
        f"{CLASSES}, {CLASSES}::before {{ font-family: inherit !important; }}",
        f"{CLASSES}::before {{ content: '' !important; display: inline-block; width: 1.25em; height: 1em; "
        "vertical-align: -0.125em; background: currentColor; mask: var(--icon) center / contain no-repeat; }",
        f"@media (forced-colors: active) {{ {CLASSES}::before {{ background: ButtonText; }} }}",
    ]
    rules += [f'.fa-{name} {{ --icon: url("{picture(script, name)}"); }}' for name in sorted(names)]
    title = "> .admonition-title::after"
    rules += [
        f".admonition:not(.proof) {title} {{ content: '' !important; font: inherit; width: 1em; height: 1em; "
        "background: currentColor; mask: var(--icon) center / contain no-repeat; }",
        f".proof {title} {{ content: none !important; }}",
    ]
    for kind, name in OF_ADMONITIONS.items():
        rules.append(f'.admonition{kind} {title} {{ --icon: url("{picture(script, name)}"); }}')
    return "\n".join(rules) + "\n"


def picture(script: str, name: str) -> str:
    """The address of an icon's picture, which is the picture itself, cut out of the theme's script."""
    found = re.search(rf'[{{,]"?{name}"?:\[(\d+),(\d+),\[[^\]]*\],"\w+","([^"]+)"\]', script)
    if found is None:
        raise ExtensionError(f"the theme's script has no icon {name!r}: mend book_icons.py")
    width, height, path = found.groups()
    svg = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}'><path d='{path}'/></svg>"
    return "data:image/svg+xml," + quote(svg, safe=" ='/:,")


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
    (static / FILE).write_text(icons_css(script.read_text(encoding="utf-8"), names), encoding="utf-8")
    for unused in (static / "scripts").glob("fontawesome.js*"):
        unused.unlink()


def theme_folder() -> Path:
    spec = find_spec("pydata_sphinx_theme")
    if spec is None or not spec.submodule_search_locations:
        raise ExtensionError("the package pydata-sphinx-theme is missing: run `make book`")
    return Path(spec.submodule_search_locations[0], "theme", "pydata_sphinx_theme")


def use_style(app: Sphinx) -> None:
    app.add_css_file(FILE)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", use_style)
    app.connect("build-finished", write_icons, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
