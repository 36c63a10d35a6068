"""The floors of the package: a file imports only from lower ones, and importing it costs and leaves nothing."""

import ast
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import gan_lessons

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "gan_lessons"

# Module of the package -> floor. Every file stands here, but the chapters' checkers, which are all on floor 4.
FLOORS = {
    "paths": -1,  # the cellar
    "labels": -1,
    "strokes": 0,
    "intervals": -1,
    "checks": -1,
    "settings": -1,
    "noise": 0,
    "losses": 0,
    "theory": 0,
    "film_codec": -1,
    "films": 0,
    "profiles": 0,
    "toys": 0,
    "exercises.forecasts": 1,
    "exercises.forms": -1,
    "exercises.rounding": -1,
    "exercises.traces": -1,
    "exercises.trials": 0,
    "exercises": 0,  # the verdict and its guard, not the checkers
    "models.mlp": 0,
    "models.layers": 0,
    "data.animals": 0,
    "data.batching": 0,
    "data.downloads": 0,
    "data.folders": 0,
    "metrics.classifier": 0,
    "metrics.distances": 0,
    "metrics.neighbours": 0,
    "metrics.modes": 0,
    "metrics.report_card": 0,
    "models.convolutions": 1,
    "models.classic": 1,
    "models": 1,
    "data.sets": 1,
    "metrics.scoring": 1,
    "history": 1,
    "training": 1,
    "plain_markdown": 1,
    "runner": 1,
    "studies.tables": 0,
    "studies.error_rates": 0,
    "studies.jobs": 1,
    "studies.pairs": 1,
    "studies.comparisons": 1,
    "studies.running": 2,
    "studies.readings": 2,
    "studies": 3,
    "run_parts": 1,
    "stored": 1,
    "models.colour": 2,
    "data": 2,
    "metrics": 2,
    "plotting": 4,
    "cuda_graphs": 2,
    "page_table": 0,
    "live": -1,
    "ensemble": 2,
    "checkpoints": 2,
    "averaging": 2,
    "base": 3,
    "runs": 3,
    "zoo": 3,
    "judges": 3,
    "ablation": 4,
    "": 4,  # __init__
    "plain_copies": 5,  # it asks for this version of the package
    "__main__": 6,
}
FILES = {
    path: ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").removesuffix(".")
    for path in sorted(PACKAGE.rglob("*.py"))
}
FLOORS |= {name: 4 for name in FILES.values() if re.fullmatch(r"exercises\.ch\d\d", name)}
by_name = pytest.mark.parametrize("path", FILES, ids=[name or "__init__" for name in FILES.values()])


def imported(tree: ast.AST, names: set[str]) -> Iterator[str]:
    """The modules of the package that a file imports anywhere in it, also within functions or for types only.

    `from gan_lessons import setup` is an import of the package itself, `from gan_lessons import data` one of data.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import; write it out"
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            found = [name if name.removeprefix("gan_lessons.") in names else str(node.module) for name in inside]
        else:
            continue
        for name in found:
            if name.partition(".")[0] == "gan_lessons":
                yield name.removeprefix("gan_lessons").removeprefix(".")


def test_every_module_has_its_floor_and_every_floor_its_module() -> None:
    assert sorted(FILES.values()) == sorted(FLOORS)


@pytest.mark.parametrize(
    "room", ["batching", "cards", "convolutions", "downloads", "graphs", "judge", "modes", "notebooks", "pictures"]
)
def test_a_room_that_moved_has_no_second_address(room: str) -> None:
    assert importlib.util.find_spec(f"gan_lessons.{room}") is None
    with pytest.raises(AttributeError, match=room):
        getattr(gan_lessons, room)


@by_name
def test_a_module_imports_only_from_lower_floors(path: Path) -> None:
    floor = FLOORS[FILES[path]]
    found = set(imported(ast.parse(path.read_text(encoding="utf-8")), set(FLOORS)))
    assert {name: FLOORS[name] for name in found if FLOORS[name] >= floor} == {}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import gan_lessons.data", {"data"}),
        ("from gan_lessons.data import load", {"data"}),
        ("from gan_lessons import data, setup", {"data", ""}),
        ("def f():\n    from gan_lessons import zoo", {"zoo"}),
        ("if TYPE_CHECKING:\n    from gan_lessons.exercises import ch05", {"exercises.ch05"}),
        ("import torch.data\nfrom gan_lessons_too import data", set()),
    ],
)
def test_imports_of_every_form_are_seen(code: str, expected: set[str]) -> None:
    assert set(imported(ast.parse(code), set(FLOORS))) == expected


@by_name
def test_a_module_hides_no_names_and_runs_no_text(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        assert not (isinstance(node, ast.ImportFrom) and node.names[0].name == "*"), f"line {node.lineno}: import *"
        call = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        assert call not in ("exec", "eval", "__import__"), f"{call} in {path.name}"


def in_a_new_process(code: str, home: Path) -> str:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=True).stdout


HEAVY = ["matplotlib", "sklearn", "scipy", "papermill", "nbformat", "IPython", "torchvision", "yaml", "PIL"]


@pytest.fixture(scope="module")
def imports(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Path]:
    """What a new process prints that imports the package, and then every module; and the folder that it had as home."""
    home = tmp_path_factory.mktemp("home")
    code = (
        "import os, sys\nfrom gan_lessons import *\n"
        f"print([name for name in {HEAVY} if name in sys.modules], os.listdir(), setup, GAN)\n"
        f"import importlib, tempfile\nfor name in {[f'gan_lessons.{name}'.removesuffix('.') for name in FLOORS]}:\n"
        "    importlib.import_module(name)"
    )
    return in_a_new_process(code, home).splitlines(), home


def test_importing_the_package_loads_no_plots_no_tools_and_leaves_no_files(imports: tuple[list[str], Path]) -> None:
    assert imports[0][0].startswith("[] [] <function setup")


def test_importing_every_module_prints_nothing_and_leaves_no_files(imports: tuple[list[str], Path]) -> None:
    lines, home = imports
    assert lines[1:] == []
    assert [path for path in home.rglob("*") if "matplotlib" not in str(path) and path.is_file()] == []
