"""The runner on small notebooks made here, then on the real chapters."""

import ast
import base64
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from gan_lessons import paths, runner, runs, studies
from tests import LIGHT
from tests.signals import hear_ctrl_c

ROOT = Path(__file__).parent.parent
BOOK = sorted((ROOT / "book").glob("*.ipynb"))
by_stem = pytest.mark.parametrize("chapter", BOOK, ids=[path.stem for path in BOOK])

Notebook = Any
Change = Callable[[Notebook], object]


def a_notebook(*sources: str, parameters: str = 'PROFILE = "auto"\nSEED = 0') -> Notebook:
    """A title, a cell of parameters and these code cells, with metadata of the kinds that must survive."""
    cells = [new_markdown_cell("# A chapter"), new_code_cell(parameters, metadata={"tags": ["parameters"]})]
    cells += [new_code_cell(source) for source in sources]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return new_notebook(cells=cells, metadata=kernel | {"our own": {"key": [1, "µ"]}})


def stored(folder: Path, notebook: Notebook, name: str = "01_small.ipynb") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    return path


def read(path: Path) -> Notebook:
    return nbformat.read(path, as_version=4)


def png(pixels: np.ndarray, **options: Any) -> str:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", **options)
    return base64.b64encode(stream.getvalue()).decode()


# --- the hash of the code ---------------------------------------------------------------------------------------

INSTALL = '%pip install -q "gan-lessons @ git+https://github.com/OWNER/gan-lessons"'


def hashed(change: Change | None = None) -> str:
    notebook = a_notebook(INSTALL, "x = 1\ny = 2")
    if change:
        change(notebook)
    return runner.code_sha256(notebook)


def set_source(index: int, source: str) -> Change:
    return lambda notebook: notebook.cells[index].update(source=source)


@pytest.mark.parametrize(
    "change",
    [
        set_source(0, "# Another title"),
        set_source(3, "x = 1   \ny = 2\n\n"),
        set_source(2, INSTALL.replace("github.com/OWNER/gan-lessons", "gitlab.com/someone/course@main")),
        lambda notebook: notebook.cells[3].outputs.append(new_output("stream", name="stdout", text="1")),
        lambda notebook: notebook.cells[3].update(execution_count=7),
        lambda notebook: notebook.cells[3].metadata.update(tags=["by-hand"]),
        lambda notebook: notebook.metadata.update(gan_lessons={"profile": "full"}),
        lambda notebook: notebook.cells.insert(1, new_markdown_cell("prose")),
    ],
    ids=["prose", "trailing space", "repository", "output", "count", "tags", "stamp", "new prose"],
)
def test_code_sha256_stays_when_no_code_changes(change: Change) -> None:
    assert hashed(change) == hashed()


@pytest.mark.parametrize(
    "change",
    [
        set_source(3, "x = 1\ny = 3"),
        set_source(3, "  x = 1\ny = 2"),
        set_source(3, "x = 1\n\ny = 2"),
        set_source(1, 'PROFILE = "auto"\nSEED = 1'),
        set_source(2, INSTALL.replace("-q", "-qq")),
        lambda notebook: notebook.cells.pop(3),
        lambda notebook: notebook.cells.reverse(),
        lambda notebook: notebook.cells.append(new_code_cell("...")),
        lambda notebook: (notebook.cells.pop(3), notebook.cells.extend(map(new_code_cell, ("x = 1", "y = 2")))),
    ],
    ids=["value", "indent", "blank line", "parameter", "install", "gone", "order", "stub", "split"],
)
def test_code_sha256_changes_with_the_code(change: Change) -> None:
    assert hashed(change) != hashed()


# --- names of chapters ------------------------------------------------------------------------------------------


@pytest.fixture
def small_book(tmp_path: Path) -> Path:
    for name in ("02_b", "05_a", "10_c"):
        stored(tmp_path / "book", a_notebook(), f"{name}.ipynb")
    (tmp_path / "book" / "intro.md").write_text("# Hello")
    parts = [{"chapters": [{"file": "book/05_a"}]}, {"chapters": [{"file": "book/02_b"}, {"file": "book/10_c.ipynb"}]}]
    (tmp_path / "_toc.yml").write_text(yaml.safe_dump({"format": "jb-book", "root": "book/intro", "parts": parts}))
    return tmp_path


def test_chapters_follow_the_toc_and_leave_pages_of_text_out(small_book: Path) -> None:
    assert [path.stem for path in runner.chapters(small_book)] == ["05_a", "02_b", "10_c"]


def test_chapters_without_a_toc_follow_their_numbers(small_book: Path) -> None:
    (small_book / "_toc.yml").unlink()
    assert [path.stem for path in runner.chapters(small_book)] == ["02_b", "05_a", "10_c"]


def test_a_chapter_that_the_toc_only_promises_hides_no_other(small_book: Path) -> None:
    (small_book / "book" / "02_b.ipynb").unlink()
    assert runner.find("10", small_book).stem == "10_c"


@pytest.mark.parametrize("name", ["5", "05", "05_a", "05_a.ipynb", "book/05_a.ipynb"])
def test_find_takes_a_number_a_stem_or_a_path(small_book: Path, name: str) -> None:
    assert runner.find(name, small_book) == small_book / "book" / "05_a.ipynb"


def test_find_takes_any_notebook_by_its_path(small_book: Path, tmp_path: Path) -> None:
    other = stored(tmp_path / "elsewhere", a_notebook())
    assert runner.find(other, small_book) == other


@pytest.mark.parametrize("name", ["1", "50", "5_a", "a", "", "nowhere/99_x.ipynb"])
def test_find_names_what_there_is(small_book: Path, name: str) -> None:
    with pytest.raises(ValueError, match=re.escape("have 05_a, 02_b, 10_c")):
        runner.find(name, small_book)


# --- check and clean --------------------------------------------------------------------------------------------


def folded(name: str) -> dict[str, Any]:
    """The metadata of a cell that is folded under this name on the page, in JupyterLab and in Colab."""
    return {"mystnb": {"code_prompt_show": name}, "jupyter": {"source_hidden": True}, "cellView": "form"}


def sound() -> Notebook:
    """A notebook as a full run leaves it, without a fault."""
    notebook = a_notebook("1 + 1", "plot()")
    result = new_output("execute_result", data={"text/plain": "2"}, execution_count=2)
    picture = new_output("display_data", data={"image/png": png(np.zeros((2, 2), np.uint8)), "text/plain": "<Figure>"})
    for count, (cell, outputs) in enumerate(zip(notebook.cells[1:], ([], [result], [picture]), strict=True), start=1):
        cell.update(execution_count=count, outputs=outputs)
    notebook.cells[3].metadata.update(folded("The square"), tags=["hide-input"])
    notebook.cells[3].metadata["mystnb"]["image"] = {"alt": "a black square"}
    notebook.metadata["gan_lessons"] = {"profile": "full", "code_sha256": runner.code_sha256(notebook)}
    return notebook


def stream(name: str, text: str) -> Change:
    return lambda notebook: notebook.cells[2].outputs.append(new_output("stream", name=name, text=text))


def restamp(notebook: Notebook) -> None:
    notebook.metadata["gan_lessons"]["code_sha256"] = runner.code_sha256(notebook)


FAULTS: dict[str, tuple[Change, str]] = {
    "no stamp": (lambda notebook: notebook.metadata.pop("gan_lessons"), "no stamp"),
    "other code": (set_source(2, "1 + 2"), "no longer the code"),
    "quick": (lambda notebook: notebook.metadata["gan_lessons"].update(profile="quick"), "of a quick run"),
    "error": (
        lambda notebook: notebook.cells[2].outputs.append(new_output("error", ename="KeyError", evalue="x")),
        r"cell \[2\] \(1 \+ 1\): its output is an error, KeyError: x",
    ),
    "not run": (lambda notebook: notebook.cells[3].update(execution_count=None), r"cell \[3\].*: not run"),
    "run again": (lambda notebook: notebook.cells[2].update(execution_count=9), r"cell \[2\].*: run as number 9"),
    "no alt": (lambda notebook: notebook.cells[3].metadata.mystnb.pop("image"), "without alt text"),
    "empty alt": (lambda notebook: notebook.cells[3].metadata.mystnb.image.update(alt=" "), "without alt text"),
    "no name": (lambda notebook: notebook.cells[3].metadata.mystnb.pop("code_prompt_show"), "without a name"),
    "long name": (
        lambda notebook: notebook.cells[3].metadata.mystnb.update(code_prompt_show="x" * 51),
        "without a name",
    ),
    "same name": (
        lambda notebook: notebook.cells[2].metadata.update(folded("The square"), tags=["hide-cell"]),
        "'The square' is the name of 2 folded cells",
    ),
    "open in JupyterLab": (lambda notebook: notebook.cells[3].metadata.pop("jupyter"), "not in JupyterLab"),
    "open in Colab": (lambda notebook: notebook.cells[3].metadata.pop("cellView"), "not in Colab"),
    "warning": (stream("stderr", "x.py:1: UserWarning: no\n"), "is a warning"),
    "folder": (stream("stdout", "saved to /home/me/x.png"), "path or address of the machine"),
    "address": (stream("stdout", "<Line2D at 0x7f12ab>"), "path or address of the machine"),
    "size": (stream("stdout", "x" * 600_000), r"60\d kB, over 600"),
    "no parameters": (lambda notebook: notebook.cells[1].metadata.pop("tags"), "no cell is tagged"),
    "long": (
        lambda notebook: restamp(notebook.cells[2].update(source="\n".join(["x = 1"] * 41)) or notebook),
        "41 lines",
    ),
}


def test_check_finds_no_fault_in_a_sound_notebook(tmp_path: Path) -> None:
    assert runner.check(stored(tmp_path, sound())) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_check_finds_each_fault_and_no_other(tmp_path: Path, fault: str) -> None:
    change, words = FAULTS[fault]
    notebook = sound()
    change(notebook)
    (found,) = runner.check(stored(tmp_path, notebook))
    assert re.search(words, found)


def test_check_says_of_a_clean_notebook_only_that_it_was_not_run(tmp_path: Path) -> None:
    path = stored(tmp_path, sound())
    runner.clean(path)
    (found,) = runner.check(path)
    assert "no stamp" in found


def test_check_finds_an_output_check_that_would_compare_nothing(tmp_path: Path) -> None:
    notebook = sound()
    notebook.cells[2].metadata["tags"] = ["nbval-check-output"]
    assert runner.check(stored(tmp_path, notebook)) == []
    notebook.cells[2].execution_count = None
    assert "compare nothing" in runner.check(stored(tmp_path, notebook))[0]
    assert len(runner.check(stored(tmp_path, notebook))) == 2


def test_check_takes_a_name_of_fifty_letters(tmp_path: Path) -> None:
    notebook = sound()
    notebook.cells[3].metadata.mystnb.code_prompt_show = "x" * 50
    assert runner.check(stored(tmp_path, notebook)) == []


def test_check_lets_forty_lines_and_progress_bars_pass(tmp_path: Path) -> None:
    notebook = sound()
    notebook.cells[2].source = "\n".join(["x = 1"] * 40)
    stream("stderr", "100%|██████| 30/30")(notebook)
    restamp(notebook)
    assert runner.check(stored(tmp_path, notebook)) == []


@pytest.mark.parametrize("content", ["", "{}", '{"cells": [', "no json"])
def test_a_file_that_is_no_notebook_is_refused_and_kept(tmp_path: Path, content: str) -> None:
    path = tmp_path / "01_broken.ipynb"
    path.write_text(content)
    for command in (runner.check, runner.clean):
        with pytest.raises(ValueError, match=r"01_broken.ipynb is no readable notebook"):
            command(path)
    assert path.read_text() == content


def test_clean_leaves_exactly_what_an_author_wrote(tmp_path: Path) -> None:
    notebook = sound()
    path = stored(tmp_path, notebook)
    before = json.loads(path.read_text())
    notebook.cells[2].metadata.update(execution={"iopub.execute_input": "2020-01-01"}, papermill={"duration": 1})
    runner.clean(stored(tmp_path, notebook))
    del before["metadata"]["gan_lessons"]
    for cell in before["cells"][1:]:
        cell.update(outputs=[], execution_count=None)
    assert json.loads(path.read_text()) == before
    once = path.read_bytes()
    runner.clean(path)
    assert path.read_bytes() == once


# --- pictures ---------------------------------------------------------------------------------------------------

NOISE = np.random.default_rng(0).integers(0, 256, (60, 60, 3), dtype=np.uint8)


def through_the_writer(picture: str) -> str:
    notebook = a_notebook("plot()")
    notebook.cells[2].outputs = [new_output("display_data", data={"image/png": picture})]
    return str(runner._with_smaller_pngs(notebook).cells[2].outputs[0].data["image/png"])


def pixels(picture: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGB")).astype(int)


def test_a_picture_is_stored_with_a_palette_close_to_its_colours() -> None:
    ramp = np.linspace(10, 245, 200)
    colours = np.stack(np.broadcast_arrays(ramp[:, None], ramp[None, :], 128.0), axis=2)
    colours += np.random.default_rng(0).normal(size=colours.shape)
    colours[:20] = 255
    before = png(colours.astype(np.uint8))
    after = through_the_writer(before)
    assert len(after) < len(before)
    assert len(np.unique(pixels(after).reshape(-1, 3), axis=0)) <= 256
    assert abs(pixels(after) - pixels(before)).max() < 24
    assert pixels(after)[:20].min() == 255  # paper stays white


def test_a_grey_picture_loses_nothing() -> None:
    grey = np.repeat(NOISE[:, :, :1], 3, axis=2)
    after = through_the_writer(png(grey))
    assert len(after) < len(png(grey))
    assert np.array_equal(pixels(after), grey)


def drawn(width: int, shown: int | None) -> Any:
    """A figure of noise with `width` pixels that the page shows `shown` wide."""
    noise = np.random.default_rng(0).integers(0, 256, (10, width, 3), dtype=np.uint8)
    metadata = {"image/png": {"width": shown}} if shown else {}
    return new_output("display_data", data={"image/png": png(noise)}, metadata=metadata)


def test_figures_get_fewer_pixels_only_where_the_notebook_would_be_too_large_and_as_many_as_fit() -> None:
    def widths(most: int) -> list[int]:
        notebook = a_notebook("plot()", "plot()", "plot()")
        for cell, output in zip(notebook.cells[2:], (drawn(200, 100), drawn(110, 100), drawn(200, None)), strict=True):
            cell.outputs = [output]
        stored = runner._with_smaller_pngs(notebook, most)
        figures = [cell.outputs[0].data["image/png"] for cell in stored.cells[2:]]
        return [pixels(figure).shape[1] for figure in figures]

    assert widths(600_000) == widths(8_000) == [200, 110, 200]  # 256 colours, 64 colours
    assert [widths(most) for most in (7_500, 7_000)] == [[150, 110, 200], [120, 110, 200]]
    assert widths(0) == [100, 100, 200]  # one that nobody gave a width is not touched


@pytest.mark.parametrize("kind", ["film", "see-through", "small already"])
def test_a_picture_that_a_palette_would_harm_stays_as_it_is(kind: str) -> None:
    picture = {
        "film": png(NOISE, save_all=True, append_images=[Image.fromarray(NOISE[::-1])]),
        "see-through": png(np.dstack([NOISE, NOISE[:, :, 0]])),
        "small already": png(np.zeros((3, 3), np.uint8), optimize=True),
    }[kind]
    assert through_the_writer(picture) == picture


# --- a run ------------------------------------------------------------------------------------------------------

PICTURE = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    notebook = a_notebook(
        'dataset_name = "digits"\nprint(PROFILE, SEED)',
        "held = b'x' * 1_000_000_000\ndel held",
        "import os, sys\nfor text in ('10%\\r', '20%', '\\n'): print(text, end='', flush=True, file=sys.stderr)\n"
        "os.environ.get('OMP_NUM_THREADS'), sorted(os.listdir())",
        PICTURE,
    )
    notebook.cells[5].metadata.update(folded("A line"), tags=["hide-input"])
    notebook.cells[5].metadata["mystnb"]["image"] = {"alt": "a line"}
    notebook.cells[5].metadata["execution"] = {"iopub.execute_input": "2020-01-01"}
    path = stored(tmp_path_factory.mktemp("book"), notebook)
    (path.parent / "beside.txt").touch()
    return path


@pytest.fixture(scope="module")
def finished(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Notebook:
    before = source.read_bytes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "3")
        path = runner.run(source, "smoke", scratch=tmp_path_factory.mktemp("scratch"), seed=7)
        assert os.environ["OMP_NUM_THREADS"] == "3"
    assert source.read_bytes() == before
    assert path.name == source.name
    return read(path)


def test_a_run_passes_profile_and_seed(finished: Notebook) -> None:
    assert finished.cells[2].outputs[0].text == "smoke 7\n"


def test_a_run_gives_every_output_and_counts_from_one(finished: Notebook) -> None:
    code = [cell for cell in finished.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [1, 2, 3, 4, 5]
    kinds = [[output.output_type for output in cell.outputs] for cell in code]
    assert kinds == [[], ["stream"], [], ["stream", "execute_result"], ["display_data"]]
    assert code[3].outputs[0].text == "20%\n"  # of a progress bar, its last state
    assert code[3].outputs[1].execution_count == 4
    assert "image/png" in code[4].outputs[0].data


def test_a_run_changes_nothing_but_outputs_counts_and_stamp(source: Path, finished: Notebook) -> None:
    written, expected = (json.loads(nbformat.writes(notebook)) for notebook in (finished, read(source)))
    del written["metadata"]["gan_lessons"], expected["cells"][5]["metadata"]["execution"]
    for cell in written["cells"][1:]:
        cell.update(outputs=[], execution_count=None)
    assert written == expected


def test_a_smoke_run_takes_one_thread_and_the_notebooks_own_folder(source: Path, finished: Notebook) -> None:
    assert finished.cells[4].outputs[1].data["text/plain"] == str(("1", [source.name, "beside.txt"]))
    assert "PYTHONPATH" not in os.environ or str(ROOT) not in os.environ["PYTHONPATH"].split(os.pathsep)


def test_the_stamp_tells_how_the_outputs_were_made(source: Path, finished: Notebook) -> None:
    stamp = finished.metadata["gan_lessons"]
    keys = "code_sha256 commit dataset date device kept peak_memory processor profile seconds seed versions"
    assert " ".join(sorted(stamp)) == keys
    assert (stamp["profile"], stamp["dataset"], stamp["seed"]) == ("smoke", "digits", 7)
    assert stamp["code_sha256"] == runner.code_sha256(read(source))
    assert stamp["commit"] == paths.commit()
    assert re.fullmatch(r"cpu \(\d+ threads?, .+\)", stamp["device"])
    assert list(stamp["versions"]) == ["gan_lessons", "matplotlib", "numpy", "python", "torch", "torchvision"]
    assert stamp["versions"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert stamp["versions"]["numpy"] == np.__version__
    assert 1e9 < stamp["peak_memory"] < 3e9  # bytes: the second cell holds 1 GB for a moment
    assert 0.1 < stamp["seconds"] < 100
    assert 0.5 < stamp["processor"] < 100  # the kernel imports torch
    assert abs(time.time() - time.mktime(time.strptime(stamp["date"], "%Y-%m-%d"))) < 2 * 86400


def test_the_stamp_tells_what_an_earlier_run_had_played_of_its_long_games_each_once() -> None:
    def run(kept: float) -> runs.Run:
        return runs.Run._make([None] * 5 + [2 * kept, kept])

    one, two = run(60.0), run(30.0)
    names = {"run": one, "again": one, "by_name": {"two": two, "one": one}, "pair": [two, run(5.0)], "rows": [1, 2]}
    assert json.loads(runner.facts(names))["kept"] == 95.0
    assert json.loads(runner.facts({"run": run(0.0)}))["kept"] == 0.0


def test_a_sound_run_has_one_fault_that_it_was_a_smoke_run(finished: Notebook, tmp_path: Path) -> None:
    (fault,) = runner.check(stored(tmp_path, finished))
    assert "of a smoke run" in fault


def test_a_run_in_place_replaces_the_notebook_and_clean_brings_it_back(tmp_path: Path) -> None:
    path = stored(tmp_path / "book", a_notebook("print(PROFILE)"))
    before = path.read_bytes()
    assert runner.run(path, "quick", in_place=True, scratch=tmp_path / "scratch") == path
    assert read(path).cells[2].outputs[0].text == "quick\n"
    assert read(path).metadata["gan_lessons"]["seed"] == 0
    assert list((tmp_path / "scratch").iterdir()) == []
    assert list(path.parent.iterdir()) == [path]
    runner.clean(path)
    assert path.read_bytes() == before


def test_a_full_run_in_place_records_its_tables_and_no_other_run_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAN_LESSONS_RUNS", str(tmp_path / "runs"))
    path, results = stored(tmp_path / "book", a_notebook()), tmp_path / "data" / "results"
    for profile in ("quick", "full"):
        (tmp_path / "runs" / profile).mkdir(parents=True)
        for name in ("01-study.csv", "02-study.csv", "01-other.pt"):
            (tmp_path / "runs" / profile / name).write_text(f"{profile} {name}")
    runner.run(path, "quick", in_place=True)
    runner.run(path, "full")
    assert not results.exists()
    runner.run(path, "full", in_place=True)
    assert {file.name: file.read_text() for file in results.iterdir()} == {"01-study.csv": "full 01-study.csv"}


def test_a_full_run_records_the_shared_unchanged_games_that_its_studies_changed_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAN_LESSONS_RUNS", str(tmp_path / "runs"))
    path, results, full = stored(tmp_path / "book", a_notebook()), tmp_path / "data" / "results", tmp_path / "runs/full"
    for name, game in (("base-toy", "toy"), ("base-MLP", "MLP"), ("01-rates", "toy"), ("02-rates", "MLP")):
        studies.run({"a": 1}, [0], lambda _, seed: {"x": seed}, path=full / f"{name}.csv", settings={"game": game})
    studies.run({"a": 1}, [0], lambda _, seed: {"x": seed}, path=full / "01-own.csv", settings={"game": "its own"})
    studies.run({"a": 1}, [0], lambda _, seed: {"x": seed}, path=full / "01-else.csv")
    runner.run(path, "full", in_place=True)
    assert sorted(file.name for file in results.iterdir()) == [
        "01-else.csv",
        "01-own.csv",
        "01-rates.csv",
        "base-toy.csv",
    ]
    assert (results / "base-toy.csv").read_bytes() == (full / "base-toy.csv").read_bytes()


def test_by_default_a_run_goes_to_the_folder_of_its_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAN_LESSONS_RUNS", str(tmp_path / "runs {x}"))  # braces mean something to papermill
    path = stored(tmp_path / "book", a_notebook())
    assert runner.run(path, "smoke") == tmp_path / "runs {x}" / "smoke" / path.name


def test_a_failing_cell_is_named_and_the_book_is_untouched(tmp_path: Path) -> None:
    path = stored(tmp_path / "book", a_notebook("print('so far')", "# comment\n1 / 0", "print('never')"))
    before = path.read_bytes()
    with pytest.raises(runner.RunError) as caught:
        runner.run(path, "quick", in_place=True, scratch=tmp_path / "scratch")
    kept = tmp_path / "scratch" / path.name
    assert re.search(r"01_small stopped at cell \[3\] \(# comment\): ZeroDivisionError: division", str(caught.value))
    assert str(kept) in str(caught.value)
    assert path.read_bytes() == before
    partial = read(kept)
    assert [cell.get("execution_count") for cell in partial.cells] == [None, 1, 2, 3, None]
    assert partial.cells[2].outputs[0].text == "so far\n"
    assert partial.cells[3].outputs[0].ename == "ZeroDivisionError"
    assert "gan_lessons" not in partial.metadata
    assert "papermill" not in partial.metadata


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import time\ntime.sleep(60)", r"\[3\] \(import time\): CellTimeout"),
        ("import os\nos._exit(1)", r"\[3\].*memory ran out"),
    ],
    ids=["too slow", "kernel died"],
)
def test_a_kernel_that_hangs_or_dies_ends_the_run_with_words(tmp_path: Path, code: str, words: str) -> None:
    path = stored(tmp_path / "book", a_notebook("print('so far')", code))
    before = path.read_bytes()
    with pytest.raises(runner.RunError, match=words):
        runner.run(path, "quick", in_place=True, scratch=tmp_path / "scratch", timeout=2)
    assert path.read_bytes() == before
    assert read(tmp_path / "scratch" / path.name).cells[2].outputs[0].text == "so far\n"


def test_a_kernel_that_dies_as_it_is_born_gets_a_second_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where another process takes one of its ports between their choice and their use."""
    spec, born = tmp_path / "jupyter" / "kernels" / "python3", tmp_path / "born"
    spec.mkdir(parents=True)
    script = f"test -e {born} || {{ touch {born}; exit 1; }}; exec {sys.executable} -m ipykernel_launcher -f $0"
    kernel = {"argv": ["sh", "-c", script, "{connection_file}"], "display_name": "Python 3", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(kernel))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    path = stored(tmp_path / "book", a_notebook("print('alive')"))
    written = read(runner.run(path, "smoke", scratch=tmp_path / "scratch"))
    assert born.exists()
    assert written.cells[2].outputs[0].text == "alive\n"


def test_a_notebook_too_large_for_the_book_is_kept_in_the_scratch_folder(tmp_path: Path) -> None:
    path = stored(tmp_path / "book", a_notebook("print(('x' * 99 + '\\n') * 6000)"))
    before = path.read_bytes()
    with pytest.raises(runner.RunError, match=r"6\d\d kB, over 600"):
        runner.run(path, "quick", in_place=True, scratch=tmp_path / "scratch")
    assert path.read_bytes() == before
    assert read(tmp_path / "scratch" / path.name).metadata["gan_lessons"]["profile"] == "quick"


def test_a_notebook_that_sets_up_another_profile_gets_no_stamp(tmp_path: Path) -> None:
    lie = "from types import SimpleNamespace\nprofile = SimpleNamespace(name='full')"
    path = stored(tmp_path / "book", a_notebook(lie))
    with pytest.raises(runner.RunError, match="told PROFILE = 'quick' but set up 'full'"):
        runner.run(path, "quick", in_place=True, scratch=tmp_path / "scratch")
    assert "gan_lessons" not in read(path).metadata


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"profile": "fast"}, "unknown profile 'fast'; have"),
        ({"profile": "smoke", "in_place": True}, "smoke run never writes"),
        ({"profile": "quick", "seed": 1.5}, "seed must be a whole number"),
        ({"profile": "quick", "seed": True}, "seed must be a whole number"),
        ({"profile": "quick", "seed": -1}, "seed must be a whole number"),
        ({"profile": "quick", "scratch": "book"}, "scratch folder is the notebook's own"),
    ],
)
def test_a_bad_request_is_refused_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request_: dict[str, Any], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = stored(tmp_path / "book", a_notebook("open('ran', 'w')"))
    before = path.read_bytes()
    with pytest.raises(ValueError, match=words):
        runner.run(path, **{"scratch": "scratch", **request_})
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.rglob("*")] == ["book", path.name]


def test_a_compiler_for_cuda_without_a_gpu_leaves_no_word_in_the_outputs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_HOME", str(tmp_path))
    path = stored(tmp_path / "book", a_notebook("import torch.utils.cpp_extension"))
    assert read(runner.run(path, "smoke", scratch=tmp_path / "scratch")).cells[2].outputs == []


def test_a_notebook_without_parameters_is_refused(tmp_path: Path) -> None:
    notebook = a_notebook("1")
    del notebook.cells[1]
    with pytest.raises(ValueError, match="no cell tagged `parameters`"):
        runner.run(stored(tmp_path / "book", notebook), "smoke", scratch=tmp_path / "scratch")


def test_ctrl_c_keeps_the_outputs_so_far_and_leaves_the_book_alone(tmp_path: Path) -> None:
    sign = tmp_path / "kernel"
    wait = f"import os, pathlib, time\npathlib.Path({str(sign)!r}).write_text(str(os.getpid()))\ntime.sleep(60)"
    path = stored(tmp_path / "book", a_notebook("print('so far')", wait))
    before = path.read_bytes()
    command = [sys.executable, "-m", "gan_lessons", "run", "--profile", "quick", "--in-place", str(path)]
    places = {"GAN_LESSONS_RUNS": str(tmp_path / "runs"), "PYTHONPATH": os.pathsep.join([str(ROOT), LIGHT])}
    process = subprocess.Popen(
        command, env=os.environ | places, stderr=subprocess.PIPE, text=True, preexec_fn=hear_ctrl_c
    )
    until(sign.exists, seconds=60)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    kept = tmp_path / "runs" / "quick" / path.name
    assert process.returncode == 130, errors
    assert f"01_small was interrupted; the book is untouched. The outputs so far lie in {kept}" in errors
    assert "Traceback" not in errors
    assert path.read_bytes() == before
    assert read(kept).cells[2].outputs[0].text == "so far\n"
    assert list(path.parent.iterdir()) == [path]
    until(lambda: not alive(int(sign.read_text())), seconds=10)


def until(happened: Callable[[], bool], seconds: float) -> None:
    """Wait for another process."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, f"nothing happened within {seconds} s"
        time.sleep(0.05)


def alive(process: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(process, 0)
        return True
    return False


# --- the real chapters ------------------------------------------------------------------------------------------


def test_the_book_holds_the_chapters_of_its_toc() -> None:
    toc = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    assert [path.stem for path in runner.chapters(ROOT)] == re.findall(r"file: book/(\d\d_\w+)", toc)
    assert sorted(runner.chapters(ROOT)) == BOOK
    assert {"02_cross_entropy", "05_mlp_gan"} <= {path.stem for path in BOOK}


@by_stem
def test_the_stored_outputs_are_those_of_the_code(chapter: Path) -> None:
    assert runner.check(chapter) == []


@pytest.mark.usefixtures("warm_kernel")
def test_a_chapter_of_the_book_runs_through_the_runner_as_the_small_ones_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As far as its first picture: all cells of all chapters are run by nbval (tests/outside.py)."""
    monkeypatch.setenv("GAN_LESSONS_RUNS", str(tmp_path / "runs"))
    notebook = read(ROOT / "book" / "02_cross_entropy.ipynb")
    last = next(k for k, cell in enumerate(notebook.cells) if "image" in cell.metadata.get("mystnb", {}))
    del notebook.cells[last + 1 :]
    chapter = stored(tmp_path / "book", notebook, "02_cross_entropy.ipynb")
    written = runner.run(chapter, "smoke", scratch=tmp_path / "scratch", timeout=300, seed=3)
    assert [fault for fault in runner.check(written) if "of a smoke run" not in fault] == []
    assert "image/png" in read(written).cells[-1].outputs[-1].data
    stamp = read(written).metadata["gan_lessons"]
    assert (stamp["profile"], stamp["seed"], stamp["dataset"]) == ("smoke", 3, "none")


def tagged(notebook: Notebook, tag: str) -> Iterator[Any]:
    return (cell for cell in notebook.cells if tag in cell.metadata.get("tags", []))


def prose(notebook: Notebook) -> str:
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def assignments(code: str) -> list[ast.Assign]:
    return [node for node in ast.parse(code).body if isinstance(node, ast.Assign)]


@by_stem
def test_chapter_opens_with_a_title_its_question_its_parameters_and_its_setup(chapter: Path) -> None:
    notebook = read(chapter)
    assert notebook.cells[0].cell_type == "markdown"
    assert notebook.cells[0].source.startswith("# ")
    before_code = next(k for k, cell in enumerate(notebook.cells) if cell.cell_type == "code")
    assert "?" in "".join(cell.source for cell in notebook.cells[:before_code])
    (parameters,) = tagged(notebook, "parameters")
    names = {ast.unparse(node.targets[0]): node.value for node in assignments(parameters.source)}
    assert parameters is notebook.cells[before_code]
    assert ast.literal_eval(names["PROFILE"]) == "auto"
    assert type(ast.literal_eval(names["SEED"])) is int
    setup, rest = [cell for cell in notebook.cells[before_code + 1 :] if cell.cell_type == "code"][:2]
    assert "setup(PROFILE, seed=SEED)" in setup.source + rest.source  # a long one is two cells
    address = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]
    assert f"git+{address}" in setup.source
    assert notebook.metadata["kernelspec"]["name"] == "python3"


@by_stem
def test_chapter_ends_with_summary_mistakes_and_reading(chapter: Path) -> None:
    text = prose(read(chapter))
    headings = " ".join(re.findall(r"^#+ (.+)$", text, re.MULTILINE)).lower()
    assert "We have" in text
    assert "mistakes" in headings
    assert "reading" in headings


@by_stem
def test_labels_of_figures_carry_the_chapters_number(chapter: Path) -> None:
    figures = [cell.metadata.get("mystnb", {}).get("figure", {}) for cell in read(chapter).cells]
    names = [figure["name"] for figure in figures if figure]
    assert [name for name in names if not name.startswith(f"fig-{chapter.stem[:2]}-")] == []
    assert len(names) == len(set(names))
    assert [figure["name"] for figure in figures if figure and not figure.get("caption", "").strip()] == []


def test_the_training_loop_is_written_by_hand_in_chapter_05() -> None:
    notebook = read(ROOT / "book" / "05_mlp_gan.ipynb")
    source = "\n".join(cell.source for cell in tagged(notebook, "by-hand"))
    assert "backward()" in source
    assert ".step()" in source
