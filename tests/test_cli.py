"""The command line as a user meets it: exit codes, words, and files that are there or are not."""

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image
from torch import Tensor

from gan_lessons import __main__ as cli
from gan_lessons import data, judges, metrics, models, noise, runner, zoo
from gan_lessons.__main__ import main
from gan_lessons.metrics.classifier import DigitClassifier
from tests import LIGHT
from tests.signals import hear_ctrl_c

ROOT = Path(__file__).parent.parent


def chapter(folder: Path, *sources: str, name: str = "01_small.ipynb") -> Path:
    parameters = new_code_cell('PROFILE = "auto"\nSEED = 0', metadata={"tags": ["parameters"]})
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = new_notebook(cells=[parameters, *map(new_code_cell, sources)], metadata=kernel)
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of scratch notebooks; the working folder is an empty one."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("GAN_LESSONS_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one stored generator, `small`, which the zoo takes for the shipped one."""
    folder = tmp_path / "weights"
    arguments: dict[str, Any] = {"hidden": [16], "z_dim": 8}
    facts: dict[str, Any] = {"chapter": "05_mlp_gan", "data": "digits", "steps": 1, "seconds": 1.0, "scores": {}}
    G = models.mlp_generator(**arguments)
    zoo.save("small", G, noise.uniform(8), builder=models.mlp_generator, arguments=arguments, folder=folder, **facts)
    monkeypatch.setattr(zoo, "shipped", lambda name: tmp_path / name)
    return folder


@pytest.fixture
def writer(weights: Path) -> Path:
    """Beside it a generator of digits by label, `writer`."""
    arguments: dict[str, Any] = {"hidden": [16], "z_dim": 18}
    facts: dict[str, Any] = {"chapter": "14", "data": "digits", "steps": 1, "seconds": 1.0, "scores": {}}
    G, prior = models.mlp_generator(**arguments), noise.labelled(noise.gaussian(8), 10)
    zoo.save("writer", G, prior, builder=models.mlp_generator, arguments=arguments, folder=weights, **facts)
    return weights


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "gan_lessons", *map(str, arguments)]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), LIGHT])}


# --- wrong usage ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "arguments are required"),
        (["dance"], "invalid choice: 'dance'"),
        (["run", "--seed", "1.5"], "must be a whole number from 0 to 2^32 - 1, not '1.5'"),
        (["run", "--seed", "-1"], "--seed"),
        (["run", "--seed", "4294967296"], "must be a whole number from 0"),
        (["run", "--jobs", "0"], "must be a whole number of at least 1, not '0'"),
        (["sample", "small", "--n", "0"], "must be a whole number of at least 1, not '0'"),
        (["sample", "small", "--n", "six"], "must be a whole number of at least 1, not 'six'"),
        (["sample", "small", "--n", "100001"], "at most 100000"),
        (["sample", "small", "--out", "grid.jpg"], "must end in .png or .npz, not 'grid.jpg'"),
    ],
)
def test_wrong_usage_ends_with_2_and_one_line(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert words in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--profile", "fast", "05"], "unknown profile 'fast'; have ['full', 'quick', 'smoke']"),
        (["run", "--profile", "smoke", "--in-place", "05"], "a smoke run never writes into the book"),
        (["run", "99"], "no chapter '99'; have "),
        (["check", "nothing.ipynb"], "no chapter 'nothing.ipynb'; have "),
        (["clean", "05", "99"], "no chapter '99'; have "),
        (["sample", "nobody"], "no stored generator 'nobody'; have small"),
        (["score", "nobody"], "no stored generator 'nobody'; have small"),
        (["score", "nowhere.npz"], "nowhere.npz"),
    ],
)
def test_a_request_that_cannot_be_met_ends_with_2_and_the_remedy(
    weights: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str], runs: Path
) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("gan_lessons: ")
    assert words in error
    assert not runs.exists()
    assert list(Path.cwd().iterdir()) == []


def test_an_unknown_profile_in_the_environment_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("GAN_LESSONS_PROFILE", "turbo")
    assert main(["run", str(chapter(tmp_path / "book"))]) == 2
    assert "unknown profile 'turbo'" in capsys.readouterr().err


def test_help_names_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert [name for name in ("run", "check", "clean", "sample", "score") if f"\n    {name} " not in text] == []


WITHOUT_TORCH = "import sys; sys.modules['torch'] = None; from gan_lessons.__main__ import main; sys.exit(main())"


def test_check_needs_no_torch(tmp_path: Path) -> None:
    """As in the hook before a commit, and where only `make book` was installed."""
    path = chapter(tmp_path / "book")
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, "check", str(path)], env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("01_small: 1 fault\n  no stamp")


def test_a_run_by_the_name_of_its_profile_needs_torch_in_its_kernel_alone(tmp_path: Path, runs: Path) -> None:
    path = chapter(tmp_path / "book", "import torch")
    command = [sys.executable, "-c", WITHOUT_TORCH, "run", "--profile", "quick", str(path)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (runs / "quick" / path.name).exists()


# --- check and clean --------------------------------------------------------------------------------------------


def test_check_lists_faults_with_1_and_ends_with_0_without(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = chapter(tmp_path / "book", "1 + 1")
    assert main(["check", str(path)]) == 1
    assert capsys.readouterr().out.startswith("01_small: 1 fault\n  no stamp: run it again with")
    notebook = nbformat.read(path, as_version=4)
    for count, cell in enumerate(notebook.cells, start=1):
        cell.execution_count = count
    notebook.metadata["gan_lessons"] = {"profile": "full", "code_sha256": runner.code_sha256(notebook)}
    nbformat.write(notebook, path)
    assert main(["check", str(path)]) == 0
    assert capsys.readouterr().out == "01_small: no faults\n"
    assert main(["clean", str(path)]) == 0
    assert capsys.readouterr().out == "01_small: outputs and stamp taken out\n"
    assert main(["check", str(path)]) == 1


def test_a_broken_notebook_is_an_error_and_no_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "01_broken.ipynb"
    path.write_text("{")
    assert main(["check", str(path)]) == 2
    assert "01_broken.ipynb is no readable notebook" in capsys.readouterr().err


# --- run --------------------------------------------------------------------------------------------------------


def test_run_says_where_the_outputs_are_and_goes_on_after_a_failure(
    tmp_path: Path, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = chapter(tmp_path / "book", "print(PROFILE, SEED)", name="02_good.ipynb")
    bad = chapter(tmp_path / "book", "1 / 0", name="01_bad.ipynb")
    before = [good.read_bytes(), bad.read_bytes()]
    arguments = ["run", "--profile", "quick", "--seed", "5", str(bad), str(good), str(good)]
    assert main(arguments) == 1
    told = capsys.readouterr()
    written = runs / "quick" / "02_good.ipynb"
    assert told.out.splitlines()[-1].startswith("02_good: quick run, ")
    assert told.out.count("02_good: quick run") == 1  # named twice, run once
    assert told.out.splitlines()[-1].endswith(str(written))
    assert "01_bad stopped at cell [2] (1 / 0): ZeroDivisionError: division by zero" in told.err
    assert nbformat.read(written, as_version=4).cells[1].outputs[0].text == "quick 5\n"
    assert [good.read_bytes(), bad.read_bytes()] == before


def test_jobs_run_chapters_at_the_same_time_and_report_the_failed_one(tmp_path: Path, runs: Path) -> None:
    meet = (
        "import pathlib, time\n"
        f"pathlib.Path({str(tmp_path)!r}, str(mine)).touch()\n"
        f"while not pathlib.Path({str(tmp_path)!r}, str(1 - mine)).exists(): time.sleep(0.05)"
    )  # each waits for the other
    first = chapter(tmp_path / "book", "mine = 0", meet, name="01_first.ipynb")
    second = chapter(tmp_path / "book", "mine = 1", meet, "1 / 0", name="02_second.ipynb")
    done = subprocess.run(
        command("run", "--profile", "quick", "--jobs", 2, "--seed", 9, first, second),
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    assert "01_first: quick run, " in done.stdout
    assert "02_second stopped at cell [4] (1 / 0): ZeroDivisionError" in done.stderr
    assert nbformat.read(runs / "quick" / first.name, as_version=4).metadata["gan_lessons"]["seed"] == 9


def test_ctrl_c_stops_all_jobs_and_keeps_what_each_had(tmp_path: Path, runs: Path) -> None:
    wait = "import pathlib, time\nprint('so far')\npathlib.Path(NAME).touch()\ntime.sleep(60)"
    paths = []
    for name in ("01_a", "02_b"):
        sign = f"NAME = {str(tmp_path / name)!r}"
        paths.append(chapter(tmp_path / "book", "print('so far')", sign, wait, name=f"{name}.ipynb"))
    before = [path.read_bytes() for path in paths]
    process = subprocess.Popen(
        command("run", "--profile", "quick", "--in-place", "--jobs", 2, *paths),
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_ctrl_c,
    )
    end = time.monotonic() + 60
    while not all((tmp_path / name).exists() for name in ("01_a", "02_b")):
        assert time.monotonic() < end
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "0 of 2 chapters had ended" in errors
    for path in paths:
        assert f"{path.stem} was interrupted; the book is untouched" in errors
        kept = nbformat.read(runs / "quick" / path.name, as_version=4)
        assert kept.cells[1].outputs[0].text == "so far\n"
    assert "Traceback" not in errors
    assert [path.read_bytes() for path in paths] == before


def test_no_write_permission_is_said_before_the_run(
    tmp_path: Path, runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = chapter(tmp_path / "book")
    path.parent.chmod(0o555)
    if os.access(path.parent, os.W_OK):  # root may write anywhere
        monkeypatch.setattr(os, "access", lambda place, mode: not (place == path.parent and mode & os.W_OK))
    assert main(["run", "--profile", "quick", "--in-place", str(path)]) == 2
    assert f"{path} may not be written; change its permissions" in capsys.readouterr().err
    assert not runs.exists()
    path.parent.chmod(0o755)


@pytest.mark.parametrize("profile", ["smoke", "quick"])
def test_a_scratch_folder_that_cannot_be_made_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], profile: str
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("GAN_LESSONS_RUNS", str(tmp_path / "file"))
    assert main(["run", "--profile", profile, str(chapter(tmp_path / "book"))]) == 2
    assert "a file lies where a folder is needed: choose another folder" in capsys.readouterr().err


# --- sample -----------------------------------------------------------------------------------------------------


def test_sample_draws_a_grid(weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", "small", "--n", "10", "--seed", "2", "--out", "new/grid.PNG"]) == 0
    assert capsys.readouterr().out == f"10 images of small, seed 2: {Path('new/grid.PNG')}\n"
    with Image.open("new/grid.PNG") as picture:
        grid = np.asarray(picture)
    images = zoo.load("small").sample(10, seed=2).numpy()
    assert grid.dtype == np.uint8
    assert grid.shape == (3 * 30 - 2, 4 * 30 - 2)  # 4 columns, 2 white pixels between
    assert np.array_equal(grid[:28, :28], images[0, 0])
    assert np.array_equal(grid[60:88, 30:58], images[9, 0])
    assert main(["sample", "small", "--n", "10", "--seed", "2", "--columns", "5", "--out", "wide.png"]) == 0
    with Image.open("wide.png") as picture:
        assert picture.size == (5 * 30 - 2, 2 * 30 - 2)


def test_sample_writes_arrays(weights: Path) -> None:
    assert main(["sample", "small", "--n", "7", "--out", "images.npz"]) == 0
    with np.load("images.npz") as arrays:
        assert arrays.files == ["images"]
        assert np.array_equal(arrays["images"], zoo.load("small").sample(7, seed=0).numpy()[:, 0])
        assert arrays["images"].dtype == np.uint8


def test_sample_has_a_name_for_the_file(weights: Path) -> None:
    assert main(["sample", "small", "--n", "1"]) == 0
    with Image.open("small.png") as picture:
        assert picture.size == (28, 28)
    assert [path.name for path in Path.cwd().iterdir()] == ["small.png"]


def test_sample_into_a_place_that_cannot_be_written_keeps_what_is_there(
    weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("file").write_text("mine")
    assert main(["sample", "small", "--out", "file/grid.png"]) == 2
    assert "a file lies where a folder is needed: choose another folder" in capsys.readouterr().err
    assert Path("file").read_text() == "mine"


def test_sample_refuses_damaged_weights(weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = weights / "small.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    assert main(["sample", "small"]) == 2
    assert "damaged" in capsys.readouterr().err
    assert list(Path.cwd().iterdir()) == []


# --- score ------------------------------------------------------------------------------------------------------

ON_DIGITS = ["--dataset", "digits", "--n", "300"]


@pytest.fixture(scope="module", autouse=True)
def known_references() -> Iterator[None]:
    """What samples are held against takes seconds: the same judges, images and n are asked but once."""
    compute = metrics.reference
    known: dict[tuple[int, bytes], metrics.Reference] = {}

    def remembered(
        judge: DigitClassifier, real: Tensor, train: Tensor, n: int, *, second: DigitClassifier
    ) -> metrics.Reference:
        told = [*judge.state_dict().values(), *second.state_dict().values(), real, train]
        key = n, hashlib.sha256(b"".join(part.numpy().tobytes() for part in told)).digest()
        if key not in known:
            known[key] = compute(judge, real, train, n, second=second)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metrics, "reference", remembered)
        yield


def test_score_prints_the_report_card_that_metrics_makes(weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", "small", "--draws", "2", *ON_DIGITS]) == 0
    printed = capsys.readouterr().out
    train, test = (data.load("digits", split).images for split in ("train", "test"))
    against = metrics.reference(judges.load("mnist"), test, train, 300, second=judges.load(judges.SECOND))
    draws = [zoo.load("small").sample(300, seed) for seed in (0, 1)]
    assert printed.startswith(f"{metrics.report(draws, against, 'small')}\n\nRarest digit: ")
    assert "Fréchet distance by the second judge" in printed
    first, second = (judges.card(name).sha256[:12] for name in ("mnist", judges.SECOND))
    assert f"Judges {first} and {second}, test images of digits.\nDraws: 2 of 300.\n" in printed


def test_score_keeps_the_report_in_the_card_when_asked(weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", "small", "--draws", "2", *ON_DIGITS]) == 0
    assert zoo.card("small").report is None
    printed = capsys.readouterr().out
    assert main(["score", "small", "--draws", "2", "--keep", *ON_DIGITS]) == 0
    assert capsys.readouterr().out == f"{printed}Kept in the card of small.\n"
    report = zoo.card("small").report
    assert report is not None
    assert (report["n"], report["draws"], report["judge"]) == (300, 2, judges.card().sha256)
    assert report["second_judge"] == judges.card(judges.SECOND).sha256
    assert report["second"]["frechet"]["verdict"] == "worse"
    assert report["against"] == "digits, test"
    assert f", {report['rarest_class']:.2f} times its share" in printed
    assert f", {report['commonest_class']:.2f} times.\n" in printed
    assert f"{report['measures']['frechet']['mean']:,.1f} ± " in printed


# --- by label ---------------------------------------------------------------------------------------------------


def test_sample_draws_one_class_and_a_text_and_stores_the_labels(writer: Path) -> None:
    assert main(["sample", "writer", "--label", "7", "--n", "12", "--seed", "2", "--out", "sevens.npz"]) == 0
    with np.load("sevens.npz") as arrays:
        assert arrays["labels"].tolist() == [7] * 12
        expected = zoo.load("writer").sample(12, seed=2, labels=7)
        assert np.array_equal(arrays["images"], expected.squeeze(1).numpy())
    assert main(["sample", "writer", "--text", "2026", "--n", "3", "--out", "years.npz"]) == 0
    with np.load("years.npz") as arrays:
        assert arrays["labels"].tolist() == [2, 0, 2, 6] * 3
        assert len(arrays["images"]) == 12
    assert main(["sample", "writer", "--n", "9", "--seed", "4", "--out", "any.npz"]) == 0
    with np.load("any.npz") as arrays:
        assert arrays["labels"].tolist() == zoo.load("writer").labels(9, 4).tolist()
    assert main(["sample", "writer", "--text", "007", "--out", "line.png"]) == 0
    with Image.open("line.png") as picture:
        assert picture.size == (3 * 30 - 2, 28)
        assert np.array_equal(
            np.asarray(picture)[:, 60:88], zoo.load("writer").sample(3, labels=[0, 0, 7])[2, 0].numpy()
        )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["writer", "--label", "10"], "labels lie from 0 to 9, and here is 10"),
        (["writer", "--label", "-1"], "labels lie from 0 to 9, and here is -1"),
        (["writer", "--text", "20a6"], "--text takes digits from 0 to 9, such as 2026, not '20a6'"),
        (["writer", "--text", "²"], "--text takes digits from 0 to 9"),
        (["writer", "--text", ""], "--text takes digits from 0 to 9"),
        (["writer", "--text", "12", "--n", "60000"], "120000 images are over 100000"),
        (["small", "--label", "7"], "labels are given, but this generator was trained without any"),
        (["small", "--text", "7"], "labels are given, but this generator was trained without any"),
    ],
)
def test_what_cannot_be_ordered_ends_with_2_and_writes_nothing(
    writer: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sample", *arguments]) == 2
    assert words in capsys.readouterr().err
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize("more", [["--label", "seven"], ["--label", "7", "--text", "7"]])
def test_a_label_that_is_no_number_and_two_orders_at_once_are_wrong_usage(writer: Path, more: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["sample", "writer", *more])
    assert list(Path.cwd().iterdir()) == []


def test_score_tells_the_alignment_and_every_class_and_keeps_them(
    writer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["score", "writer", "--draws", "2", "--keep", *ON_DIGITS]) == 0
    printed = capsys.readouterr().out
    report = zoo.card("writer").report
    assert report is not None
    assert f"asked for: {report['alignment']:.2%}, {report['second_alignment']:.2%}." in printed
    assert report["alignment"] < 0.5  # it never learned
    for key in ("class_distances", "second_class_distances"):
        assert len(report[key]) == 10
        assert "  " + "  ".join(f"{value:.1f}" for value in report[key]) in printed
    assert main(["score", "small", "--draws", "1", *ON_DIGITS]) == 0
    assert "asked for" not in capsys.readouterr().out


def test_score_of_a_file_with_labels_holds_each_image_against_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    digits = data.load("digits")
    assert digits.labels is not None
    some = (digits.labels < 9).nonzero()[:300, 0]
    right = digits.labels[some].numpy()
    for name, asked in {"right": right, "wrong": (right + 1) % 9}.items():
        np.savez(tmp_path / f"{name}.npz", images=digits.images[some, 0].numpy(), labels=asked)
        assert main(["score", str(tmp_path / f"{name}.npz"), *ON_DIGITS]) == 0
    shares = [float(text.split("%")[0]) for text in capsys.readouterr().out.split("asked for: ")[1:]]
    assert shares[0] > 80 > 10 > shares[1]
    np.savez(tmp_path / "few.npz", images=digits.images[:300, 0].numpy(), labels=right[:5])
    assert main(["score", str(tmp_path / "few.npz"), *ON_DIGITS]) == 2
    assert "300 images take 300 labels" in capsys.readouterr().err


def test_score_keeps_nothing_for_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez(tmp_path / "mine.npz", images=data.load("digits").images.numpy()[:300, 0])
    assert main(["score", str(tmp_path / "mine.npz"), "--keep", *ON_DIGITS]) == 2
    assert "is a file and has no card: leave --keep out" in capsys.readouterr().err


def test_score_takes_a_file_and_finds_real_digits_real(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = data.load("digits").images.numpy()
    images = images[np.random.default_rng(0).permutation(len(images))]  # they come writer by writer
    for name, array in (("flat", images[:300, 0]), ("mapped", images[:310])):
        np.savez(tmp_path / f"{name}.npz", images=array)
        assert main(["score", str(tmp_path / f"{name}.npz"), *ON_DIGITS]) == 0
    flat, mapped = capsys.readouterr().out.split("measure")[1:]
    assert flat.split()[5:] == mapped.split()[5:]  # but for the name
    rows = {line.split("  ")[0]: line for line in flat.splitlines()[1:10]}
    assert all("no difference seen" in rows[measure] for measure in ("Fréchet distance", "precision"))
    assert "100.0%" in next(line for line in flat.splitlines() if line.startswith("copies"))  # they are training images


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"images": np.zeros((300, 32, 32), np.uint8)}, "shape (300, 32, 32); the stored judge reads digits"),
        ({"images": np.zeros((300, 28, 28), np.float32)}, "holds float32 images"),
        ({"images": np.zeros((20, 28, 28), np.uint8)}, "holds 20 images; draw more, or ask for --n 20"),
        ({"images": np.zeros((0, 28, 28), np.uint8)}, "holds 0 images; draw more\n"),
        ({"images": np.uint8(3)}, "holds uint8 images of shape ()"),
        ({"images": np.array([None])}, "no sound .npz file with an array called images"),
        ({"pictures": np.zeros((300, 28, 28), np.uint8)}, "no sound .npz file with an array called images"),
        ({}, "no sound .npz file with an array called images"),
        (None, "no sound .npz file with an array called images"),
    ],
)
def test_score_refuses_what_the_judge_cannot_read(
    tmp_path: Path, arrays: dict[str, Any] | None, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.npz"
    file.write_bytes(b"no zip")
    if arrays == {}:
        with file.open("wb") as stream:
            np.save(stream, np.zeros((300, 28, 28), np.uint8))  # what np.load gives back is no archive
    elif arrays is not None:
        np.savez(file, **arrays)
    assert main(["score", str(file), *ON_DIGITS]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("start", range(0, 1000, 40))
def test_score_of_a_damaged_file_is_no_traceback(
    tmp_path: Path, start: int, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.npz"
    np.savez_compressed(file, images=np.random.default_rng(0).integers(0, 9, (8, 28, 28), np.uint8))
    content = bytearray(file.read_bytes())
    content[start : start + 40] = b"\xff" * 40
    file.write_bytes(content)
    assert main(["score", str(file), *ON_DIGITS]) == 2
    error = capsys.readouterr().err
    assert "no sound .npz file with an array called images" in error or "holds 8 images" in error


def test_score_of_other_things_called_npz_is_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder.npz").mkdir()
    with zipfile.ZipFile("raw.npz", "w") as archive:
        archive.writestr("images", b"no array")
    for name, words in {"folder.npz": "no file", "raw.npz": "images of shape ()", "~no-one/a.npz": "home"}.items():
        assert main(["score", name, *ON_DIGITS]) == 2
        assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    "error", [data.DatasetUnavailable("no source; use digits"), data.DamagedFile("bad judge; git checkout")]
)
def test_what_score_needs_and_cannot_have_is_said_with_its_remedy(
    weights: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(data if isinstance(error, data.DatasetUnavailable) else judges, "load", fails)
    assert main(["score", "small", *ON_DIGITS]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"gan_lessons: {error}"


def test_a_package_that_is_not_installed_is_no_traceback(
    weights: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert main(["sample", "small"]) == 2
    assert "PIL" in capsys.readouterr().err


def a_file_to_score(folder: Path) -> Path:
    np.savez(folder / "mine.npz", images=data.load("digits").images.numpy()[:60, 0])
    return folder / "mine.npz"


def only_ascii(monkeypatch: pytest.MonkeyPatch) -> dict[str, io.BytesIO]:
    """Let the streams be those of a place that understands only ASCII (not in a fixture: pytest sets its own later)."""
    said = {name: io.BytesIO() for name in ("stdout", "stderr")}
    for name, stream in said.items():
        monkeypatch.setattr(sys, name, io.TextIOWrapper(stream, "ascii", write_through=True))
    return said


def test_a_place_without_our_signs_still_gets_its_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = a_file_to_score(tmp_path)
    said = only_ascii(monkeypatch)
    assert main(["score", str(file), "--n", "60", "--dataset", "digits"]) == 0
    assert b"Fr?chet distance" in said["stdout"].getvalue()


@pytest.mark.parametrize("arguments", [["sample", "nobody"], ["check"], ["run", "99"]])
def test_every_command_speaks_where_only_ascii_is_understood(
    arguments: list[str], weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = only_ascii(monkeypatch)
    assert main(arguments) in (0, 1, 2)  # and nothing is raised
    assert any(stream.getvalue() for stream in said.values())


def test_a_new_process_speaks_where_only_ascii_is_understood() -> None:
    done = subprocess.run(
        command("--help"), env=environment() | {"PYTHONIOENCODING": "ascii:strict"}, capture_output=True, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_reader_that_went_away_and_a_full_disk_end_it_without_a_traceback(tmp_path: Path) -> None:
    path = chapter(tmp_path / "book", "1 + 1")
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as nobody:
        done = subprocess.run(command("check", path), env=environment(), stdout=nobody, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (141, b"")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command("check", path), env=environment(), stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 2
    assert done.stderr.startswith(b"gan_lessons: [Errno 28]")
    assert done.stderr.count(b"\n") == 1
    closed = f'"{sys.executable}" -m gan_lessons check "{path}" >&-'
    assert subprocess.run(["sh", "-c", closed], env=environment(), capture_output=True).stderr == b""


def test_the_report_is_kept_before_it_is_printed(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody_reads(*_: object, file: object = None, **__: object) -> None:
        if file is None:
            raise BrokenPipeError

    monkeypatch.setattr("builtins.print", nobody_reads)
    assert main(["score", "small", "--draws", "1", "--keep", *ON_DIGITS]) == 141
    assert zoo.card("small").report is not None


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"nbformat": 4}', '{"nbformat": 4, "cells": [{}]}', "\0"])
@pytest.mark.parametrize("what", ["check", "clean", "run"])
def test_what_is_no_notebook_is_no_traceback(
    tmp_path: Path, what: str, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "01_a.ipynb").write_text(content)
    assert main([what, str(tmp_path / "01_a.ipynb")]) == 2
    assert "01_a.ipynb is no readable notebook" in capsys.readouterr().err
    assert (tmp_path / "01_a.ipynb").read_text() == content


def test_a_folder_chosen_relatively_is_meant_from_where_the_command_was_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAN_LESSONS_DATA", "mydata")
    monkeypatch.setenv("GAN_LESSONS_RUNS", "myruns")
    ask = "from gan_lessons import paths\nprint(paths.data_root(), paths.runs_root())"
    assert main(["run", "--profile", "quick", str(chapter(tmp_path / "book", ask))]) == 0
    written = nbformat.read(Path("myruns") / "quick" / "01_small.ipynb", as_version=4)
    assert written.cells[1].outputs[0].text == f"{Path.cwd() / 'mydata'} {Path.cwd() / 'myruns'}\n"


def test_a_broken_table_of_contents_is_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "_toc.yml").write_text("a: [")
    monkeypatch.setattr(runner, "repository_root", lambda: tmp_path)
    assert main(["check"]) == 2
    assert "_toc.yml cannot be read" in capsys.readouterr().err


def test_score_refuses_a_generator_of_other_pictures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", "dcgan-cifar16", *ON_DIGITS]) == 2
    assert "draws images of shape [3, 16, 16]; the stored judge reads digits" in capsys.readouterr().err


def test_there_are_no_more_jobs_than_chapters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def note(*arguments: Any) -> int:
        asked.append(arguments[-1])
        return 0

    monkeypatch.setattr(cli, "_run_at_once", note)
    paths = [str(chapter(tmp_path / "book", "1", name=f"0{k}_x.ipynb")) for k in (1, 2)]
    assert main(["run", "--profile", "smoke", "--jobs", "1000000000000", *paths]) == 0
    assert asked == [2]


def test_more_draws_than_memory_can_hold_are_refused(weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", "small", "--n", "1000", "--draws", "1001", "--dataset", "digits"]) == 2
    assert "1001 draws of 1000 are over 1,000,000 images" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("where", "key", "value"),
    [("notebook", "gan_lessons", "x"), ("cell", "tags", "x"), ("cell", "mystnb", [1]), ("cell", "jupyter", 3)],
)
@pytest.mark.parametrize("command", ["check", "clean"])
def test_metadata_of_a_wrong_kind_ends_in_words(
    command: str, where: str, key: str, value: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = chapter(tmp_path / "book", "1")
    notebook = nbformat.read(path, as_version=4)
    (notebook if where == "notebook" else notebook.cells[1]).metadata[key] = value
    path.write_text(json.dumps(notebook), encoding="utf-8")
    assert main([command, str(path)]) == 2
    assert f"is no readable notebook (its metadata '{key}' is {value!r}" in capsys.readouterr().err


def test_a_file_in_the_place_of_the_folder_of_copies_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert main(["notebooks", "--out", str(tmp_path / "file")]) == 2
    assert "cannot be made" in capsys.readouterr().err
