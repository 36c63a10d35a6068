"""Sphinx extension: live pieces, and their scripts on the pages that have one.

    ```{live} ring
    :preset: circles
    :still: figures/live_ring.png
    :alt: What the still picture shows, for those who cannot see it.

    The caption.
    ```

`ring` is the ring game, `writer` writes numbers with the generator that takes labels; any other name is a generator of
data/weights. Weights are written into the book from there, without PyTorch. The still picture stands on paper, and
where scripts are off.
"""

import json
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))  # the package need not be installed to build the book, nor torch

from gan_lessons import live  # noqa: E402

RING, WRITER = "ring", "writer"
HAND = "cdcgan-mnist"  # the generator that writes
PRESETS = ("settles", "circles", "collapses", "k1", "k5", "rates")  # the last three: one heap, as chapter 04's
FOLDER = "live"  # below _static
DRAWS = ("chance.js", "networks.js", "pieces.js")
SCRIPTS = {RING: ("chance.js", "ring_game.js", "ring.js"), WRITER: (*DRAWS, "writer.js")}
GENERATOR = (*DRAWS, "generator.js")


class Live(SphinxDirective):
    """{live} ring | writer | NAME: a piece, with a still picture and a caption."""

    required_arguments = 1
    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {
        "preset": lambda value: directives.choice(value, PRESETS),
        "still": directives.uri,
        "alt": directives.unchanged_required,
    }

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        missing = [f":{option}:" for option in ("still", "alt") if option not in self.options]
        if missing or not self.content:
            raise self.error(f"a live piece needs {', '.join(missing) or 'a caption'}: see CONTRIBUTING, Live pieces")
        generator = drawn_by(name)
        if generator:
            self.env.note_dependency(str(card(generator)))
            self.env.note_dependency(str(opinion(generator)))
        note(self.env, name)
        data = {"live": name}
        if generator:
            up = "../" * self.env.docname.count("/")
            data |= {"generator": generator, "source": f"{up}_static/{FOLDER}/generators/{generator}.js"}
        else:
            data["preset"] = self.options.get("preset", PRESETS[0])
        attributes = "".join(f' data-{key}="{escape(value)}"' for key, value in data.items())
        inline, messages = self.state.inline_text(" ".join(self.content), self.lineno)
        return [
            html(f'<div class="live"{attributes}><figure>'),  # no node of a figure: it would take a number of its own
            nodes.image(uri=self.options["still"], alt=self.options["alt"]),
            html("<figcaption>"),
            nodes.paragraph("", "", *inline),
            html("</figcaption></figure></div>"),
            *messages,
        ]


def drawn_by(name: str) -> str:
    """The generator that a piece draws with; "" for the ring."""
    return {RING: "", WRITER: HAND}.get(name, name)


def html(text: str) -> nodes.raw:
    return nodes.raw("", text, format="html")


def card(name: str) -> Path:
    """The card of a stored generator. Raises ExtensionError for an unknown name."""
    path = ROOT / "data" / "weights" / f"{name}.json"
    if not path.is_file():
        have = ", ".join(sorted(path.stem for path in path.parent.glob("*.json")))
        raise ExtensionError(f"no live piece {name!r}; have {RING}, {WRITER}, {have}")
    return path


def opinion(name: str) -> Path:
    """The card of the D of a generator's game, which need not be there."""
    return card(name).parent / "discriminators" / f"{name}.json"


def pieces(env: BuildEnvironment) -> dict[str, list[str]]:
    """The pieces of each page that has some, by its name."""
    if not hasattr(env, "live_pieces"):
        env.live_pieces = {}  # type: ignore[attr-defined]
    return env.live_pieces  # type: ignore[attr-defined]


def note(env: BuildEnvironment, name: str) -> None:
    pieces(env).setdefault(env.docname, []).append(name)


def forget(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    pieces(env).pop(docname, None)


def merge(app: Sphinx, env: BuildEnvironment, docnames: set[str], other: BuildEnvironment) -> None:
    pieces(env).update({page: names for page, names in pieces(other).items() if page in docnames})


def not_everywhere(app: Sphinx, config: Config) -> None:
    """Jupyter Book puts every script and style of _static on every page: take ours off again."""
    for kind in ("html_js_files", "html_css_files"):
        entries = {index: entry if isinstance(entry, str) else entry[0] for index, entry in enumerate(config[kind])}
        config[kind] = [config[kind][index] for index, file in entries.items() if not file.startswith(f"{FOLDER}/")]


def load(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Give a page what its pieces need."""
    names = pieces(app.env).get(pagename, []) if app.env else []
    if names:
        app.add_css_file(f"{FOLDER}/live.css")
        for script in dict.fromkeys(script for name in names for script in SCRIPTS.get(name, GENERATOR)):
            app.add_js_file(f"{FOLDER}/{script}", loading_method="defer")


def write_weights(app: Sphinx, exception: Exception | None) -> None:
    """Write the weights of the generators that pages name into the finished book."""
    if exception is not None or app.builder.format != "html" or app.env is None:
        return
    for name, text in scripts(app.env):
        target = Path(app.outdir, "_static", FOLDER, "generators", f"{name}.js")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def scripts(env: BuildEnvironment) -> Iterator[tuple[str, str]]:
    """(name, script) of each generator in the book. Raises ExtensionError with the remedy where a card lacks layers."""
    for name in sorted({drawn_by(name) for names in pieces(env).values() for name in names} - {""}):
        facts = json.loads(card(name).read_text(encoding="utf-8"))
        try:
            D = opinion(name)
            told = json.loads(D.read_text(encoding="utf-8")) if D.is_file() else None
            of_d = None if told is None else (told, D.with_suffix(".safetensors").read_bytes())
            yield name, live.script(name, facts, card(name).with_suffix(".safetensors").read_bytes(), of_d)
        except (ValueError, OSError) as error:
            raise ExtensionError(str(error)) from error


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("live", Live)
    app.connect("config-inited", not_everywhere, priority=900)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
    app.connect("html-page-context", load)
    app.connect("build-finished", write_weights)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
