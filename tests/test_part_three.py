"""Part III in one table: what tools/part_three.py takes from the stored studies, and what it leaves out."""

import importlib.util
import json
import re
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest

from gan_lessons import ablation, studies

ROOT = Path(__file__).parent.parent
BASE = {"game": "MLP", "rounds": 8_000, "batch": 128, "d_steps": 1, "images": "mnist"}
TOY = {"game": "toy", "rounds": 12_000, "batch": 128, "d_steps": 1}


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("part_three", ROOT / "tools" / "part_three.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def keep(
    folder: Path, name: str, means: Mapping[str, tuple[float, ...]], settings: object, columns: tuple[str, ...]
) -> None:
    """Store a study of five seeds, whose columns have these means and wobble a little from seed to seed."""

    def measure(values: tuple[float, ...], seed: int) -> dict[str, float]:
        return {column: value * (1 + 0.01 * (seed % 3)) for column, value in zip(columns, values, strict=True)}

    studies.run(means, range(5), measure, path=folder / f"{name}.csv", settings=settings)  # type: ignore[arg-type]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    judged = ("distance@100", "second_distance@100", "seconds@100")
    keep(tmp_path, "base-MLP", {ablation.UNCHANGED: (20, 30, 100)}, BASE, judged)
    changed = {"twice as far": (40, 60, 150), "as far": (20.01, 29.99, 100), "for one judge": (10, 30, 100)}
    keep(tmp_path, "09-test", changed, BASE, judged)
    keep(tmp_path, "10-other-length", {"short": (1, 1, 1)}, BASE | {"rounds": 4}, judged)
    keep(tmp_path, "14-later", {"of Part IV": (1, 1, 1)}, BASE, judged)
    keep(tmp_path, "11-other-kind", {"odd": (1,)}, {"steps": 3}, ("loss",))
    return tmp_path


@pytest.fixture
def book(tool: ModuleType, tmp_path: Path) -> Path:
    """Five chapters, each with an earlier table, its label, and a table below that."""
    folder = tmp_path / "book"
    folder.mkdir()
    for number in tool.PART:
        tables = [{"source": "", "outputs": [said(f"| {number} {word} |\n| --- |\n")]} for word in ("sooner", "fell")]
        label = {"source": [f"(sec-{number}-before)=\n", "## Deeper: then and now"]}
        (folder / f"{tool.CHAPTERS[number]}.ipynb").write_text(json.dumps({"cells": [tables[0], label, tables[1]]}))
    return folder


def said(text: str) -> dict[str, object]:
    return {"output_type": "display_data", "data": {"text/html": "<table>", "text/markdown": text}}


def test_each_change_of_a_base_game_has_a_row_with_its_verdict_by_both_judges(
    tool: ModuleType, results: Path, book: Path
) -> None:
    page = tool.page(results, book)
    assert "| twice as far ([9](09_noise.ipynb), 5 seeds) | **worse** | ×2.00 " in page
    assert "×1.5 |" in page
    assert "| for one judge ([9](09_noise.ipynb), 5 seeds) | the judges differ: better, " in page
    assert "8,000 rounds of 128 (17 epochs); it ends at distances of 20.2 and 30.2 on average (5 games)" in page


def test_tables_of_another_length_part_or_kind_are_left_out(tool: ModuleType, results: Path, book: Path) -> None:
    page = tool.page(results, book)
    assert not any(f"| {word} (" in page for word in ("short", "of Part IV", "odd"))
    assert re.findall(r"^## (.*)", page, re.M) == ["Digits, the MLP", "Which verdicts survive training"]


def test_old_verdicts_stand_beside_the_new_ones_as_the_chapters_print_them(
    tool: ModuleType, results: Path, book: Path
) -> None:
    below = tool.page(results, book).partition("## Which verdicts survive training")[2]
    told = re.findall(r"^\*\*\[Chapter (\d+)\]\(sec-(\d+)-before\)\*\*\n\n\| (\d+) fell \|$", below, re.M)
    assert told == [(str(int(number)), number, number) for number in tool.PART]
    assert "sooner" not in below


def test_a_chapter_that_was_not_run_has_no_old_verdicts_to_show(tool: ModuleType, results: Path, book: Path) -> None:
    chapter = book / f"{tool.CHAPTERS['11']}.ipynb"
    cells = json.loads(chapter.read_text())["cells"]
    chapter.write_text(json.dumps({"cells": [*cells[:2], {"source": "", "outputs": []}]}))
    with pytest.raises(ValueError, match=r"11_balance\.ipynb has no table .* run it in full"):
        tool.page(results, book)


def test_nulls_join_the_baseline_and_points_are_compared_by_differences(
    tool: ModuleType, tmp_path: Path, book: Path
) -> None:
    keep(tmp_path, "base-toy", {ablation.UNCHANGED: (70,), ablation.AGAIN: (80,)}, TOY, ("usable@100",))
    keep(tmp_path, "13-test", {"hasty": (30,)}, TOY, ("usable@100",))
    page = tool.page(tmp_path, book)
    assert "| hasty ([13](13_mode_collapse.ipynb), 5 seeds) | **worse** | −45.36 " in page
    assert f"{ablation.AGAIN} (" not in page
    assert "a usable share, in per cent, of 75.6 on average (10 games)" in page


def test_without_tables_the_page_says_so_and_the_stored_page_is_that_of_the_stored_tables(
    tool: ModuleType, tmp_path: Path, book: Path
) -> None:
    assert "No study of whole games is stored yet." in tool.page(tmp_path, book)
    remedy = "run `.venv/bin/python tools/part_three.py`"
    assert tool.PAGE.read_text(encoding="utf-8") == tool.page(), remedy
