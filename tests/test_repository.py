"""The repository as a stranger clones it: one address, no trace of the machine that it was written on, small files."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml

from gan_lessons import runner, studies

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))
SCRIPT = Path("tools", "set_repository.py")


def tracked() -> list[Path]:
    """The files that git has, or would take in; without git, all but what .gitignore names."""
    try:
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no git checkout, so its files cannot be told from yours")
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def texts() -> dict[str, str]:
    """The text of every tracked text file, by its path from the root."""
    found = {}
    for file in tracked():
        try:
            found[file.relative_to(ROOT).as_posix()] = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return found


def config(root: Path = ROOT) -> dict[str, Any]:
    return dict(yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8")))


def setup_code(notebook: Path) -> str:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


# --- one address ------------------------------------------------------------------------------------------------


def test_every_mention_of_the_repository_is_the_configured_address() -> None:
    slug = config()["repository"]["url"].removeprefix("https://github.com/")
    name = re.escape(slug.partition("/")[2])
    mention = re.compile(rf"(?:github\.com/|/github/|/gh/)([\w.-]+/(?:{name}|gan-lessons))(?![\w-])")
    mentions = {(file, found) for file, text in texts().items() for found in mention.findall(text)}
    assert {file for file, found in mentions if found != slug} == set()
    assert {"README.md", "CITATION.cff", "_config.yml"} <= {file for file, _ in mentions}


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_setup_cell_installs_from_the_configured_address(notebook: Path) -> None:
    assert re.findall(r"git\+([^\s\"']+)", setup_code(notebook)) == [config()["repository"]["url"]]


def set_repository(root: Path, url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SCRIPT, url], cwd=root, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the files that git would take in."""
    for file in tracked():
        target = tmp_path / file.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    return tmp_path


def test_a_new_address_reaches_every_file_and_the_way_back_restores_every_byte(copy: Path) -> None:
    before = {file: file.read_bytes() for file in copy.rglob("*") if file.is_file()}
    old = config(copy)["repository"]["url"]
    new = "https://github.com/{}/{}".format("some-body", "other.name")  # in parts, or the way back would find this line

    assert set_repository(copy, new).returncode == 0
    assert config(copy)["repository"]["url"] == new
    slug = old.removeprefix("https://github.com/").encode()
    assert [file.name for file in before if slug in file.read_bytes()] == []
    for notebook in sorted((copy / "book").glob("*.ipynb")):
        assert new in setup_code(notebook)
        here, there = (nbformat.read(root / "book" / notebook.name, as_version=4) for root in (ROOT, copy))
        assert runner.code_sha256(here) == runner.code_sha256(there)

    assert set_repository(copy, old + ".git/").returncode == 0
    assert [file.name for file, content in before.items() if file.read_bytes() != content] == []


@pytest.mark.parametrize("url", ["", "gan-lessons", "https://example.org/you/name", "https://github.com/you"])
def test_what_is_no_github_address_changes_nothing_and_says_what_to_write(url: str, copy: Path) -> None:
    before = (copy / "README.md").read_bytes()
    answer = set_repository(copy, url)
    assert answer.returncode == 2
    assert "URL=https://github.com/YOU/NAME" in answer.stderr
    assert (copy / "README.md").read_bytes() == before


def test_the_workflow_publishes_the_copies_as_the_one_commit_of_the_configured_branch(tmp_path: Path) -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "notebooks.yml").read_text(encoding="utf-8"))
    steps = workflow["jobs"]["publish"]["steps"]
    assert workflow["permissions"] == {"contents": "write"}
    commands = [step.get("run", "") for step in steps]
    assert [step for step in commands if step.startswith("make notebooks")] == ["make notebooks PUBLISHED=1"]
    push = next(step for step in steps if "git push" in step.get("run", ""))
    assert push["working-directory"] == "_build/notebooks"

    bare, folder = tmp_path / "origin.git", tmp_path / "copies"
    subprocess.run(["git", "init", "-q", "--bare", bare], check=True)
    (folder / ".binder").mkdir(parents=True)
    (folder / ".binder" / "postBuild").touch()
    environment = os.environ | {
        "TOKEN": "secret",
        "GITHUB_REPOSITORY": "some-body/name",
        "GITHUB_SHA": "abc",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{bare}.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://x-access-token:secret@github.com/some-body/name",
    }
    branch = config()["sphinx"]["config"]["plain_copies_branch"]
    for round_ in ("first", "second"):
        (folder / "05.ipynb").write_text(round_)
        shutil.rmtree(folder / ".git", ignore_errors=True)
        subprocess.run(["bash", "-e", "-c", push["run"]], cwd=folder, env=environment, check=True, capture_output=True)

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=bare, check=True, capture_output=True, text=True).stdout

    assert git("show", f"{branch}:05.ipynb") == "second"
    assert git("ls-tree", "-r", "--name-only", branch).split() == [".binder/postBuild", "05.ipynb"]
    assert git("log", "--format=%s", branch) == "Plain copies of the chapters at abc\n"


# --- what a clone holds -----------------------------------------------------------------------------------------


PLACES = re.compile(r"(?<![\w.~:/-])/(?:root|work|home|Users|tmp)/\w")  # tests may name one on purpose
REGISTRIES = [("pypi", "org"), ("files.pythonhosted", "org"), ("registry.npmjs", "org"), ("deb.debian", "org")]


def test_no_file_names_a_folder_of_somebodys_machine_or_a_package_registry() -> None:
    unwanted = [str(ROOT), *map(".".join, REGISTRIES)]
    found = [(file, word) for file, text in texts().items() for word in unwanted if word in text]
    found += [(file, hit) for file, text in texts().items() if "tests/" not in file for hit in PLACES.findall(text)]
    assert found == []


def test_notebooks_stay_under_600_kB_and_every_file_under_2_MB() -> None:
    large = {
        file.name: file.stat().st_size
        for file in tracked()
        if file.stat().st_size > (600_000 if file.suffix == ".ipynb" else 2_000_000)
    }
    assert large == {}


def test_static_folder_stays_small_because_every_page_loads_it() -> None:
    static = ROOT / "_static"
    files = [file for file in static.rglob("*") if file.is_file()]
    of_pieces = [file for file in files if file.is_relative_to(static / "live")]  # only pages with a live piece load it
    of_pages = [file for file in files if file not in of_pieces and file.name != "card.png"]  # no page loads its card
    assert sum(file.stat().st_size for file in of_pages) < 34_000
    assert sum(file.stat().st_size for file in of_pieces) < 80_000


# --- README -----------------------------------------------------------------------------------------------------


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("file", ["README.md", "CONTRIBUTING.md"])
def test_every_make_command_in_the_text_exists(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    spans = re.findall(r"`(make [^`]*)`", text) + re.findall(r"^(make .*?)(?:#.*)?$", text, re.MULTILINE)
    words = [word for span in spans for word in span.split()[1:] if re.fullmatch(r"[a-z-]+", word)]
    assert words
    assert set(words) - targets() == set()


def test_make_without_a_target_lists_the_commands_and_makes_nothing(copy: Path) -> None:
    answer = subprocess.run(["make"], cwd=copy, capture_output=True, text=True, check=True)
    assert {f"make {name}" for name in ("book", "test", "run", "lab", "bench")} <= set(
        re.findall(r"make [a-z-]+", answer.stdout)
    )
    assert not (copy / ".venv").exists()


def test_make_lab_copies_the_chapters_first_and_keeps_what_is_there() -> None:
    printed = ["make", "--no-print-directory", "-n", "-o", ".venv/.dev", "lab"]
    answer = subprocess.run(printed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert re.search(r"gan_lessons notebooks --keep --out lab\n(?:.*\n)*.* -m jupyterlab .*lab$", answer.strip())


def test_make_lab_starts_for_whoever_calls_it_and_passes_arguments_on(tmp_path: Path) -> None:
    pytest.importorskip("jupyterlab", reason="jupyterlab is not installed")
    options = f"--no-browser --port 0 --ip 127.0.0.1 --ServerApp.base_url /{tmp_path.name}/"
    command = ["make", "--no-print-directory", "-o", ".venv/.dev", "lab", "LAB=book", f"ARGS={options}"]
    folders = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    environment = os.environ | {name: str(tmp_path / name) for name in folders}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, process_group=0
    )
    assert process.stdout is not None
    said = []
    try:
        for line in process.stdout:
            said.append(line)
            if f"/{tmp_path.name}/lab?token=" in line:
                break
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert f"/{tmp_path.name}/lab?token=" in said[-1], "".join(said)
    assert ("You are root" in said[0]) == (os.getuid() == 0)


def test_ci_runs_what_the_readme_tells_to_run() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert re.findall(r"^make ([a-z]+)$", script, re.MULTILINE) == ["lint", "book", "test"]


def test_the_map_shows_exactly_the_chapters_of_the_toc_and_promises_no_others() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d\d) \| \[.+?\]\((.+?)\) \| [^|]+ \|$", text, re.MULTILINE)
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    pages = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    chapters = [page for page in pages if re.match(r"book/\d\d_", page)]
    assert rows == [(page.removeprefix("book/")[:2], f"{page}.ipynb") for page in chapters]
    assert "planned" not in text + (ROOT / "book" / "intro.md").read_text(encoding="utf-8")


def test_readme_counts_chapters_and_exercises_as_they_are() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    cells = [cell for book in NOTEBOOKS for cell in json.loads(book.read_text(encoding="utf-8"))["cells"]]
    tags = [tag for cell in cells for tag in cell["metadata"].get("tags", [])]
    assert f"**{sum(tag.startswith('exercise-') for tag in tags)} exercises" in text
    assert {13: "Thirteen", 14: "Fourteen", 15: "Fifteen"}[len(NOTEBOOKS)] + " chapters" in text


def test_contributing_says_what_lives_in_each_room() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    files = {path.relative_to(ROOT / "gan_lessons") for path in (ROOT / "gan_lessons").rglob("*.py")}
    rooms = {path.with_suffix("").as_posix() for path in files if path.name != "__init__.py"}
    assert {room for room in rooms if "exercises/" not in room and not re.search(rf"`{room}`", text)} == set()


# --- recorded results -------------------------------------------------------------------------------------------


def test_each_study_of_a_chapter_is_recorded_and_each_record_belongs_to_a_study() -> None:
    studied = [code for code in map(setup_code, NOTEBOOKS) if "studies.run" in code or "ablation." in code]
    names = {name for code in studied for name in re.findall(r"[\"'](\d\d-[^\s\"'/]+\.csv)", code)}
    changed = [code for code in studied if "ablation." in code]  # it takes a table's name without its ending
    names |= {f"{name}.csv" for code in changed for name in re.findall(r"\"(\d\d-[a-z][a-z-]*)\"", code)}
    patterns = {re.sub(r"\\\{.*\\\}", r"[\\w-]+", re.escape(name)): name for name in names}  # of an f-string too
    recorded = {path.name for path in (ROOT / "data" / "results").glob("*")}
    matched = {pattern: {name for name in recorded if re.fullmatch(pattern, name)} for pattern in patterns}
    assert {patterns[pattern] for pattern, found in matched.items() if not found} == set()
    shared = {name for name in recorded if name.startswith("base-")}  # the unchanged games of several chapters
    assert recorded - shared == set().union(*matched.values()) != set()
    own = [ROOT / "data" / "results" / name for name in recorded - shared]
    assert shared <= {f"base-{game}.csv" for path in own for game in runner._games(path)}


@pytest.mark.parametrize("path", sorted((ROOT / "data" / "results").glob("*.csv")), ids=lambda path: path.stem)
def test_a_recorded_table_has_all_seeds_of_each_variant_in_the_full_profile(path: Path) -> None:
    table = studies.read(path)
    seeds: dict[str, set[int]] = {row.variant: set() for row in table.rows}
    for row in table.rows:
        seeds[row.variant].add(row.seed)
    assert len(table.rows) == sum(map(len, seeds.values()))
    fewest = 3  # of games that are only watched; a verdict has five or more
    assert all(len(found) >= fewest for found in seeds.values()), {k: sorted(v) for k, v in seeds.items()}
