"""Plain copies of the chapters, for Colab and JupyterLab, which show MyST as raw text: `make notebooks`.

A copy begins with a cell that asks for this version of the package, folds what the page folds, shows captions and cited
works as text, and keeps the outputs: who opens it sees what a full run gave before spending an hour on one.
"""

import re
import shutil
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

from gan_lessons import __version__, runner
from gan_lessons.paths import repository_root
from gan_lessons.plain_markdown import References, Work, labelled_equations, labelled_titles, plain, plain_code

# The first lines of a chapter's set-up cell, with the version that the chapter needs. CONTRIBUTING shows the same.
SETUP = """\
try:
    import gan_lessons
except ModuleNotFoundError:  # a fresh Colab
    %pip install -q "gan-lessons @ git+https://github.com/OWNER/gan-lessons"
    import gan_lessons

place = getattr(gan_lessons, "__file__", None) or gan_lessons.__path__[0]
installed = getattr(gan_lessons, "__version__", None)
if installed is None:
    raise ImportError(f"{place} hides the package: rename it, and restart the kernel")
if tuple(map(int, installed.split("."))) < (0, 2, 0):
    raise ImportError(
        f"{place} is of gan_lessons {installed}, too old for this chapter. In Colab: "
        "%pip uninstall -y gan-lessons. In a checkout: git pull. Then restart."
    )
"""
_VERSION = re.compile(r"< \(([\d, ]+)\):")
NOTE = """\
*A copy of a chapter of GAN Lessons that reads in Colab and JupyterLab. Run the cells from the top: the first sees to
the package. The outputs are those of the book, from a {profile} run on {device}; running a cell replaces them.*"""


def write(folder: str | Path, *, keep: bool = False, published: bool = False, root: Path | None = None) -> list[Path]:
    """Write a plain copy of every chapter, and the pictures of their texts, to `folder`; return those written.

    keep: leave a notebook that is there as it is, with what a reader did in it.
    published: for the branch of the repository that launch buttons lead to. Links between chapters then lead to Colab,
    pictures to GitHub (Colab sees no file beside a notebook), and Binder finds what to install. Raises ValueError
    outside a checkout, and for MyST that nobody has taught `plain_markdown`.
    """
    root = root or repository_root()
    if root is None:
        raise ValueError("plain copies are made from book/: run this in a checkout of GAN Lessons")
    paths = runner.chapters(root)
    stored = {path: runner.read(path) for path in paths}
    known = references(stored, (root / "book" / "references.bib").read_text(encoding="utf-8"))
    address = published_address(*_repository(root)) if published else str
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(f"the folder {folder} cannot be made ({error}): choose one that you may write") from error
    shutil.copytree(root / "book" / "figures", folder / "figures", dirs_exist_ok=True)
    chosen = {path: folder / path.name for path in paths if not (keep and (folder / path.name).exists())}
    for path, target in chosen.items():
        try:
            runner.write(target, plain_copy(stored[path], known, address))
        except (ValueError, KeyError) as error:
            raise ValueError(f"{path.name} has no plain copy: {error}") from error
    if published:
        _write_binder(folder / ".binder", root)
    return list(chosen.values())


def plain_copy(notebook: Any, known: References, address: Callable[[str], str] = str) -> Any:
    """Return a chapter without MyST, its package cell first, each caption as a text below its figure."""
    stamp = notebook.metadata.get("gan_lessons", {})
    note = NOTE.format(profile=stamp.get("profile", "full"), device=stamp.get("device", "an unknown machine"))
    copy = deepcopy(notebook)
    copy.metadata.pop("gan_lessons", None)  # the stamp is of the chapter's own code
    own = any(version_asked(cell.source) for cell in notebook.cells)
    copy.cells = [_cell("markdown", note, "plain-note"), *([] if own else [_package_cell()])]
    for cell in deepcopy(notebook.cells):
        if cell.cell_type == "markdown":
            cell.source = plain(cell.source, known, address)
        elif cell.cell_type == "code":
            _make_plain(cell, known, address)
        figure = cell.metadata.pop("mystnb", {}).get("figure")
        copy.cells.append(cell)
        if figure:
            caption = plain(figure["caption"], known, address)
            text = f"**Figure {known.figures[figure['name']]}.** {caption}"
            copy.cells.append(_cell("markdown", text, f"{cell.id}-caption"))
    return copy


def _make_plain(cell: Any, known: References, address: Callable[[str], str]) -> None:
    name = runner.fold_name(cell)
    cell.source = plain_code(cell.source, known)
    if name:
        cell.source = f'# @title {name} {{ display-mode: "form" }}\n{cell.source}'
    for output in cell.outputs:
        if "text/markdown" in output.get("data", {}):
            output.data["text/markdown"] = plain(output.data["text/markdown"], known, address)


def _package_cell() -> Any:
    cell = _cell("code", f'# @title The package {{ display-mode: "form" }}\n{setup_cell()}', "plain-package")
    cell.metadata.update(cellView="form", jupyter={"source_hidden": True})
    return cell


def setup_cell() -> str:
    """Return SETUP with this package's own version."""
    needed = ", ".join(str(int(part)) for part in __version__.split("."))
    return _VERSION.sub(f"< ({needed}):", SETUP).rstrip()


def version_asked(source: str) -> tuple[int, ...] | None:
    """Return the version of the package for which a set-up cell asks; None for a cell that does not begin as SETUP."""
    found = _VERSION.search(source)
    if not found or not source.startswith(SETUP.rstrip().replace(_VERSION.search(SETUP)[0], found[0])):  # type: ignore[index]
        return None
    return tuple(map(int, found[1].split(",")))


def _cell(kind: str, source: str, name: str) -> Any:
    from nbformat import v4

    return (v4.new_markdown_cell if kind == "markdown" else v4.new_code_cell)(source, id=name)


def references(stored: dict[Path, Any], bibliography: str) -> References:
    """Return what the labels of these chapters mean; equations and figures are counted by chapter."""
    equations: dict[str, str] = {}
    figures: dict[str, str] = {}
    titles: dict[str, str] = {}
    for path, notebook in stored.items():
        number = int(path.stem.split("_")[0])
        text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
        named = [cell.metadata.get("mystnb", {}).get("figure", {}).get("name") for cell in notebook.cells]
        equations |= {label: f"{number}.{k}" for k, label in enumerate(labelled_equations(text), start=1)}
        figures |= {label: f"{number}.{k}" for k, label in enumerate(filter(None, named), start=1)}
        titles |= labelled_titles(text)
    return References(equations, figures, titles, works(bibliography))


def works(bibliography: str) -> dict[str, Work]:
    """Return the works of a BibTeX text by their keys: "Goodfellow et al.", "2014", its DOI, arXiv page or address."""
    try:
        from pybtex.backends.plaintext import Backend  # by its name pybtex asks all that is installed, for each author
        from pybtex.database import parse_string
        from pybtex.richtext import Text
    except ImportError as error:
        raise ValueError(f"plain copies need pybtex ({error}); `make notebooks` installs it") from error

    found, plain = {}, Backend()
    for key, entry in parse_string(bibliography, "bibtex").entries.items():
        people = entry.persons.get("author") or entry.persons.get("editor") or []
        names = [Text.from_latex(" ".join(person.prelast_names + person.last_names)) for person in people]
        found[key] = Work(_authors([name.render(plain) for name in names]), entry.fields["year"], _address(entry))
    return found


def _authors(names: list[str]) -> str:
    return f"{names[0]} et al." if len(names) > 2 else " and ".join(names)


def _address(entry: Any) -> str:
    for field, site in (("doi", "https://doi.org/"), ("eprint", "https://arxiv.org/abs/"), ("url", "")):
        if field in entry.fields:
            return site + entry.fields[field].replace("\\", "")
    return ""


def _repository(root: Path) -> tuple[str, str]:
    """The address of the repository, and the branch on which the copies are published."""
    import yaml

    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    return config["repository"]["url"], config["sphinx"]["config"]["plain_copies_branch"]


def published_address(repository: str, branch: str) -> Callable[[str], str]:
    """Return what turns the name of a file beside a copy into its address on that branch of a GitHub repository."""
    slug = repository.removeprefix("https://github.com/")

    def address(name: str) -> str:
        if name.endswith(".ipynb"):
            return f"https://colab.research.google.com/github/{slug}/blob/{branch}/{name}"
        return f"https://raw.githubusercontent.com/{slug}/{branch}/{name}"

    return address


def _write_binder(folder: Path, root: Path) -> None:
    """What Binder installs for the published branch: as for the repository, but the package from there."""
    folder.mkdir(exist_ok=True)
    shutil.copy(root / "constraints.txt", folder.parent)
    shutil.copy(root / ".binder" / "runtime.txt", folder)
    script = folder / "postBuild"
    shutil.copy(root / ".binder" / "postBuild", script)  # with its right to be run
    checkout, package = "-e .", f"'gan-lessons @ git+{_repository(root)[0]}'"
    script.write_text(script.read_text(encoding="utf-8").replace(checkout, package), encoding="utf-8")
