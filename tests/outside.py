"""Chapters as a reader in Colab has them: the plain copy, outside the repository, with nothing but the wheel installed.

Each is run once, in smoke, by nbval; what else is to be asked of its kernel stands in cells that a test adds before.
"""

import ast
import json
import os
import shutil
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell

from gan_lessons import plain_copies, runner
from gan_lessons.plain_markdown import References
from tests import LIGHT, executed_by_nbval, warm

ROOT = Path(__file__).parent.parent
FACTS = """\
import gan_lessons
from gan_lessons import runner, paths

[runner.facts(globals()), gan_lessons.__file__, str(paths.repository_root())]"""


def installed(folder: Path) -> Path:
    """Build the wheel of this checkout and install it, alone, into `folder`: what Colab gets by pip."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def run_in_smoke(path: Path, scratch: Path, site: Path, warm_socket: str) -> Path:
    """Run the plain copy of a notebook in `scratch`, with the package of `site`; return the notebook with its outputs.

    It has the cells of `path`, with the outputs of their copies, and the stamp that the runner would have written.
    """
    source = runner.read(path)
    copy = plain_copies.plain_copy(source, references())
    copy.cells.append(new_code_cell(FACTS, id="facts"))
    scratch.mkdir()
    shutil.copy(executed_by_nbval.__file__, scratch)
    runner.write(scratch / path.name, copy)
    nbval(scratch / path.name, site, warm_socket)
    executed = {cell.id: cell for cell in runner.read(scratch / path.name).cells}
    told, place, root = ast.literal_eval(executed["facts"].outputs[-1].data["text/plain"])
    assert Path(place).is_relative_to(site), f"{path.name} imported {place} and not the wheel"
    assert root == "None"
    return runner.write(scratch / f"finished-{path.name}", finished(source, executed, json.loads(told)))


def nbval(path: Path, site: Path, warm_socket: str) -> None:
    """Run a notebook by nbval, with nothing of this repository in its way; fail with what nbval says."""
    python = warm.python(warm_socket)
    warm.write_kernel(warm_socket, path.parent, "warm")
    environment = os.environ | {
        "GAN_LESSONS_PROFILE": "smoke",
        "JUPYTER_PATH": str(path.parent),
        "OMP_NUM_THREADS": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": os.pathsep.join([str(site), str(path.parent), LIGHT]),
        "TORCH_LOGS": "-torch.utils.cpp_extension",
    }
    environment.pop("MPLBACKEND", None)
    plugins = ["-p", "nbval.plugin", "-p", "executed_by_nbval", "-p", "no:cacheprovider"]
    options = ["-q", "-c", os.devnull, "--nbval-lax", "--nbval-cell-timeout", "300", "--nbval-kernel-name", "warm"]
    command = [*python, "pytest", *plugins, *options, str(path)]
    done = subprocess.run(command, cwd=path.parent, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def finished(source: Any, executed: dict[str, Any], told: dict[str, Any]) -> Any:
    """The notebook with the outputs of its copy, stamped as by the runner (which would make its pictures smaller)."""
    notebook = runner._restored(source, [executed[cell.id] for cell in source.cells])
    notebook.metadata["gan_lessons"] = told | {"code_sha256": runner.code_sha256(source)}
    return notebook


@cache
def references() -> References:
    """What the labels of the book mean."""
    stored = {path: nbformat.read(path, as_version=4) for path in runner.chapters(ROOT)}
    return plain_copies.references(stored, (ROOT / "book" / "references.bib").read_text(encoding="utf-8"))
