"""Plain copies of the chapters: no MyST left, nothing lost; and the set-up cell that asks for a version."""

import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml
from nbformat.v4 import new_markdown_cell, new_notebook

from gan_lessons import __version__, plain_copies, runner
from tests import LIGHT
from tests.chapters import leftovers

ROOT = Path(__file__).parent.parent
BOOK = sorted((ROOT / "book").glob("*.ipynb"))
by_stem = pytest.mark.parametrize("chapter", BOOK, ids=[path.stem for path in BOOK])
CONFIG: dict[str, Any] = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copies")
    written = plain_copies.write(folder, root=ROOT)
    assert written == [folder / path.name for path in runner.chapters(ROOT)]
    return folder


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def texts(notebook: Any) -> list[str]:
    """All that a reader of a notebook reads as Markdown, now or after a run."""
    shown = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    for cell in notebook.cells:
        shown += [output.get("data", {}).get("text/markdown", "") for output in cell.get("outputs", [])]
    return shown


@by_stem
def test_no_myst_is_left_in_a_copy(chapter: Path, copies: Path) -> None:
    copy = read(copies / chapter.name)
    nbformat.validate(copy)
    assert [piece for text in texts(copy) for piece in leftovers(text)] == []
    code = "\n".join(cell.source for cell in copy.cells if cell.cell_type == "code")
    assert re.findall(r"\{+(?:cite:[tp]|eq|numref|ref|doc|prf:ref)\}+`", code) == []
    assert [cell.id for cell in copy.cells if "mystnb" in cell.metadata] == []


def test_the_chapters_have_myst_to_lose() -> None:
    assert sum(len(leftovers(text)) for chapter in BOOK for text in texts(read(chapter))) > 300


@by_stem
def test_a_copy_has_every_cell_of_its_chapter_with_its_outputs_in_their_order(chapter: Path, copies: Path) -> None:
    source, copy = read(chapter), read(copies / chapter.name)
    kept = {cell.id: cell for cell in copy.cells}
    assert [cell.id for cell in copy.cells if cell.id in {c.id for c in source.cells}] == [c.id for c in source.cells]
    for cell in source.cells:
        assert kept[cell.id].metadata.get("tags") == cell.metadata.get("tags")
        if cell.cell_type == "code":
            code = kept[cell.id].source.split("\n")
            name = runner.fold_name(cell)
            assert not name or code.pop(0) == f'# @title {name} {{ display-mode: "form" }}'
            changed = [line for line in cell.source.split("\n") if line not in code]
            assert [line for line in changed if not leftovers(line)] == []
            kinds = [[sorted(output.get("data", {})) for output in c.outputs] for c in (cell, kept[cell.id])]
            assert kinds[0] == kinds[1]


@by_stem
def test_each_figure_of_a_copy_has_its_caption_below_it(chapter: Path, copies: Path) -> None:
    captions = [cell for cell in read(chapter).cells if "figure" in cell.metadata.get("mystnb", {})]
    cells = read(copies / chapter.name).cells
    for number, cell in enumerate(captions, start=1):
        (k,) = (k for k, other in enumerate(cells) if other.id == cell.id)
        assert cells[k + 1].source.startswith(f"**Figure {int(chapter.stem[:2])}.{number}.** ")
        first = re.split(r"[{(]", cell.metadata.mystnb.figure.caption)[0]
        assert first in cells[k + 1].source


@by_stem
def test_a_copy_links_to_files_that_lie_beside_it(chapter: Path, copies: Path) -> None:
    prose = "\n".join(cell.source for cell in read(copies / chapter.name).cells if cell.cell_type == "markdown")
    links = re.findall(
        r"\]\((?!https?:)([^)\s]+)\)", re.sub(r"(?s)```.*?```|\$\$.*?\$\$|\$[^$\n]*\$|`[^`]*`", "", prose)
    )
    assert [link for link in links if not (copies / link).is_file()] == []


@pytest.fixture
def small_book(tmp_path: Path) -> Path:
    """A checkout with two chapters of one cell."""
    for folder in ("book/figures", "data"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "book" / "references.bib").touch()
    for name in ("01_one", "02_two"):
        nbformat.write(new_notebook(cells=[new_markdown_cell("# A title")]), tmp_path / "book" / f"{name}.ipynb")
    return tmp_path


def test_a_second_time_gives_the_same_bytes_and_keeps_what_a_reader_did_when_asked(small_book: Path) -> None:
    folder = small_book / "copies"
    mine, gone = plain_copies.write(folder, root=small_book)
    first = {path: path.read_bytes() for path in (mine, gone)}
    assert {path: path.read_bytes() for path in plain_copies.write(folder, root=small_book)} == first
    mine.write_text("my answers")
    gone.unlink()
    assert plain_copies.write(folder, keep=True, root=small_book) == [gone]
    assert mine.read_text() == "my answers"
    plain_copies.write(folder, root=small_book)
    assert mine.read_bytes() == first[mine]


def test_published_copies_lead_to_colab_and_github_and_tell_binder_what_to_install(tmp_path: Path) -> None:
    plain_copies.write(tmp_path, published=True, root=ROOT)
    slug = CONFIG["repository"]["url"].removeprefix("https://github.com/")
    branch = CONFIG["sphinx"]["config"]["plain_copies_branch"]
    text = (tmp_path / "05_mlp_gan.ipynb").read_text(encoding="utf-8")
    assert f"](https://colab.research.google.com/github/{slug}/blob/{branch}/06_how_good.ipynb)" in text
    assert f"](https://raw.githubusercontent.com/{slug}/{branch}/figures/05_samples.png)" in text
    assert (tmp_path / "figures" / "05_samples.png").is_file()
    script = tmp_path / ".binder" / "postBuild"
    assert f"-c constraints.txt 'gan-lessons @ git+https://github.com/{slug}'" in script.read_text()
    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
    assert (tmp_path / "constraints.txt").read_bytes() == (ROOT / "constraints.txt").read_bytes()
    assert (tmp_path / ".binder" / "runtime.txt").is_file()


def test_what_has_no_plain_form_is_named_with_its_chapter(small_book: Path) -> None:
    nbformat.write(new_notebook(cells=[new_markdown_cell("{doc}`x`")]), small_book / "book" / "02_two.ipynb")
    with pytest.raises(ValueError, match=r"02_two\.ipynb has no plain copy: .*no role \{doc\}`x`"):
        plain_copies.write(small_book / "copies", root=small_book)


def test_names_and_addresses_of_cited_works() -> None:
    entries = """
    @article{a, author={M{\\"u}ller, Rafael and von Berg, Ann}, year={2019}, doi={10.1/a_b}}
    @misc{b, author={One, A. and Two, B. and Three, C.}, year={2020}, eprint={2001.00001}, archiveprefix={arXiv}}
    @misc{c, author={One, A.}, year={2021}}"""
    assert plain_copies.works(entries) == {
        "a": ("Müller and von Berg", "2019", "https://doi.org/10.1/a_b"),
        "b": ("One et al.", "2020", "https://arxiv.org/abs/2001.00001"),
        "c": ("One", "2021", ""),
    }


def test_the_command_writes_copies_without_torch(tmp_path: Path) -> None:
    code = (
        "import sys\nsys.modules['torch'] = None\nfrom gan_lessons.__main__ import main\n"
        f"sys.exit(main(['notebooks', '--keep', '--out', {str(tmp_path / 'out')!r}]))"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), LIGHT])}
    (tmp_path / "out").mkdir()
    for chapter in BOOK[1:]:
        (tmp_path / "out" / chapter.name).touch()
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == f"1 plain copy: {tmp_path / 'out'}; {len(BOOK) - 1} were there and are kept as they are\n"
    assert (tmp_path / "out" / BOOK[0].name).stat().st_size > 1000


# --- the set-up cell ---------------------------------------------------------------------------------------------

VERSION = tuple(int(part) for part in __version__.split("."))


def test_contributing_shows_the_set_up_cell() -> None:
    blocks = re.findall(
        r"^ *```python\n(.*?)^ *```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.M | re.S
    )
    assert plain_copies.SETUP in ["\n".join(line.removeprefix("   ") for line in b.split("\n")) for b in blocks]


def test_the_set_up_cell_fits_a_notebook_and_its_version_can_be_compared() -> None:
    assert max(map(len, plain_copies.SETUP.split("\n"))) <= 88
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)
    assert plain_copies.version_asked(plain_copies.setup_cell()) == VERSION


@pytest.mark.parametrize("change", [("try:", "if True:"), ("uninstall", "install"), ("< (", "<= ("), ("0, 2, 0", "x")])
def test_another_cell_is_not_the_set_up_cell(change: tuple[str, str]) -> None:
    assert plain_copies.version_asked(f"{plain_copies.SETUP}\nimport torch") is not None
    assert plain_copies.version_asked(plain_copies.SETUP.replace(*change)) is None


@by_stem
def test_a_chapter_asks_for_a_version_that_there_is(chapter: Path, copies: Path) -> None:
    asked = [v for cell in read(chapter).cells if (v := plain_copies.version_asked(cell.source))]
    assert len(asked) == 1
    assert all(version <= VERSION for version in asked)
    code = [cell for cell in read(copies / chapter.name).cells if cell.cell_type == "code"]
    (first,) = (k for k, cell in enumerate(code) if "import gan_lessons\nexcept ModuleNotFoundError" in cell.source)
    assert first <= 1  # at most the parameters come before
    imports = next(k for k, cell in enumerate(code) if "from gan_lessons" in cell.source)
    assert first <= imports


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all installed packages but ours."""
    folder = tmp_path_factory.mktemp("others")
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if "gan_lessons" not in path.name:
            (folder / path.name).symlink_to(path)
    return folder


@pytest.fixture
def set_up(tmp_path: Path, others: Path) -> Callable[..., str]:
    """Run the set-up cell as a notebook in the folder `here` does, where pip installs to `site`; what it says."""
    for name in ("here", "site"):
        (tmp_path / name).mkdir()

    def run(wheel: Path | None = None) -> str:
        cell = re.sub(r"git\+[^\"]+", wheel.as_uri(), plain_copies.setup_cell()) if wheel else plain_copies.setup_cell()
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PIP_"))} | {
            "PYTHONPATH": os.pathsep.join(map(str, ["", tmp_path / "site", others])),
            "IPYTHONDIR": str(tmp_path / "ipython"),
            "PIP_NO_INDEX": "1",
            "PIP_NO_DEPS": "1",
            "PIP_TARGET": str(tmp_path / "site"),
        }
        code = f"get_ipython().run_cell({cell!r}).raise_error()\nprint('rea' + 'dy', installed, place)"
        command = [sys.executable, "-S", "-m", "IPython", "--no-banner", "--colors=NoColor", "-c", code]
        done = subprocess.run(
            command, cwd=tmp_path / "here", env=environment, capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr

    return run


def test_a_missing_package_is_installed(set_up: Callable[..., str], site: Path, tmp_path: Path) -> None:
    (wheel,) = (site.parent / "dist").glob("*.whl")
    assert f"ready {__version__} {tmp_path / 'site' / 'gan_lessons'}" in set_up(wheel)


def test_a_package_of_this_version_or_a_later_one_will_do(set_up: Callable[..., str], tmp_path: Path) -> None:
    package = tmp_path / "site" / "gan_lessons"
    package.mkdir()
    for version in (__version__, "100.0.0"):
        (package / "__init__.py").write_text(f"__version__ = {version!r}")
        assert f"ready {version} {package}" in set_up()


def test_an_older_package_is_told_in_words(set_up: Callable[..., str], tmp_path: Path) -> None:
    package = tmp_path / "site" / "gan_lessons"
    package.mkdir()
    (package / "__init__.py").write_text("__version__ = '0.0.9'")
    words = set_up()
    assert f"ImportError: {package / '__init__.py'} is of gan_lessons 0.0.9, too old for this chapter" in words
    assert "%pip uninstall -y gan-lessons" in words
    assert "ready" not in words


@pytest.mark.parametrize("name", ["gan_lessons/notes.txt", "gan_lessons/__init__.py", "gan_lessons.py"])
def test_what_hides_the_package_is_told_in_words(set_up: Callable[..., str], name: str, tmp_path: Path) -> None:
    file = tmp_path / "here" / name
    file.parent.mkdir(exist_ok=True)
    file.touch()
    place = file if file.suffix == ".py" else file.parent
    words = set_up()
    assert f"ImportError: {place} hides the package: rename it, and restart the kernel" in words
    assert "ready" not in words
