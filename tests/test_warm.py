"""Processes forked from one that has imported the heavy libraries: they are as those that `python -m` starts."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import warm

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forked on Linux alone")


def started(socket: str, code: str, *arguments: str, folder: Path, **more: str) -> subprocess.Popen[str]:
    """A warm process in `folder` that runs `code`, a module of its PYTHONPATH, folder/site."""
    (folder / "site").mkdir(exist_ok=True)
    (folder / "site" / "given.py").write_text(code, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(folder / "site")} | more
    del environment["PATH"]  # which the server has
    command = [*warm.python(socket), "given", *arguments]
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_it_has_its_own_folder_environment_arguments_output_and_status(warm_socket: str, tmp_path: Path) -> None:
    code = """
import atexit, os, sys
atexit.register(print, "bye")
print(os.getcwd(), os.environ["GIVEN"], "PATH" in os.environ, sys.argv[1:], "torch" in sys.modules)
print("trouble", file=sys.stderr)
raise SystemExit(3)"""
    with started(warm_socket, code, "a b", "ü", folder=tmp_path, GIVEN="1") as process:
        out, trouble = process.communicate(timeout=60)
    assert out == f"{tmp_path} 1 False ['a b', 'ü'] True\nbye\n"
    assert (trouble, process.returncode) == ("trouble\n", 3)


def test_an_error_is_told_and_gives_another_status_than_an_end(warm_socket: str, tmp_path: Path) -> None:
    for code, status, words in (
        ("1 / 0", 1, "ZeroDivisionError"),
        ("import sys; sys.exit('no')", 1, "no"),
        ("", 0, ""),
    ):
        with started(warm_socket, code, folder=tmp_path) as process:
            trouble = process.communicate(timeout=60)[1]
        assert process.returncode == status
        assert words in trouble


def test_nothing_of_ours_is_imported_before_it_begins_and_its_path_comes_first(
    warm_socket: str, tmp_path: Path
) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "gan_lessons.py").write_text("word = 'given'")
    code = """
import sys
print([name for name in sys.modules if "gan_lessons" in name])
import gan_lessons
print(gan_lessons.word)"""
    with started(warm_socket, code, folder=tmp_path) as process:
        assert process.communicate(timeout=60)[0] == "[]\ngiven\n"


def test_figures_are_drawn_as_its_environment_says(warm_socket: str, tmp_path: Path) -> None:
    code = "import matplotlib.pyplot as plt; plt.figure(); print(plt.get_backend().lower())"
    for backend in ("svg", "agg"):
        with started(warm_socket, code, folder=tmp_path, MPLBACKEND=backend) as process:
            assert process.communicate(timeout=60)[0] == f"{backend}\n"


def test_ctrl_c_reaches_it(warm_socket: str, tmp_path: Path) -> None:
    code = """
import time
try:
    print("on", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    print("stopped")"""
    with started(warm_socket, code, folder=tmp_path) as process:
        assert process.stdout
        assert process.stdout.readline() == "on\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=30)[0] == "stopped\n"
    assert process.returncode == 0


def test_it_ends_when_the_one_that_stands_for_it_is_killed(warm_socket: str, tmp_path: Path) -> None:
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    with started(warm_socket, code, folder=tmp_path) as process:
        assert process.stdout
        process.stdout.readline()
        process.kill()
        assert process.communicate(timeout=30)[0] == ""  # its end of the pipe is closed: it is gone


def test_a_server_ends_with_its_last_holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAN_LESSONS_HEAVY", "json")  # not once more all that is heavy
    with warm.server(tmp_path) as path, warm.server(tmp_path) as other:
        assert path == other
        assert Path(path).is_socket()
    assert not Path(path).exists()
