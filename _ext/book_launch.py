"""Sphinx extension: the buttons for Colab and Binder lead to the plain copies of the chapters.

Both show MyST as raw text, so `make notebooks` writes copies without it, and a workflow publishes them to the branch
that _config.yml names.
"""

import sys
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

PLACEHOLDER = "github.com/OWNER/"


def copy_address(url: str, page: str, main: str, branch: str) -> str:
    """The address of a page's plain copy, from that of its notebook on the branch `main`; other addresses stay."""
    colab, binder = f"/blob/{main}/{page}.ipynb", f"/{main}?urlpath=lab/tree/{page}.ipynb"
    name = page.rpartition("/")[2]
    if url.endswith(colab):
        return url.removesuffix(colab) + f"/blob/{branch}/{name}.ipynb"
    if url.endswith(binder):
        return url.removesuffix(binder) + f"/{branch}?urlpath=lab/tree/{name}.ipynb"
    return url


def lead_to_copies(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Turn the launch buttons of a page, which the theme has made before."""
    main = app.config.html_theme_options["repository_branch"]
    for group in context.get("header_buttons", []):
        for button in group.get("buttons", []) if group.get("label") == "launch-buttons" else []:
            button["url"] = copy_address(button["url"], pagename, main, app.config.plain_copies_branch)


def tell_of_placeholder(app: Sphinx, config: Config) -> None:
    """Say, without failing the build, that no address has been set."""
    if PLACEHOLDER in config.html_theme_options.get("repository_url", "") + "/":
        print(
            "The book still names github.com/OWNER: its buttons for Colab, Binder and GitHub lead nowhere. "
            "Set your address with `make set-repository URL=https://github.com/YOU/NAME`.",
            file=sys.stderr,
        )


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_config_value("plain_copies_branch", "notebooks", "html", str)
    app.connect("config-inited", tell_of_placeholder, priority=900)
    app.connect("html-page-context", lead_to_copies, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
