import os
import re
import stat
import subprocess
from functools import partial
from pathlib import Path
from typing import BinaryIO

import pytest

from gan_lessons import paths


def _put(content: bytes, stream: BinaryIO) -> None:
    stream.write(content)


def test_atomic_write_replaces_the_file_and_leaves_no_other(tmp_path: Path) -> None:
    target = tmp_path / "new" / "a.bin"
    for content in (b"one", b"two"):
        assert paths.atomic_write(target, partial(_put, content)) == target
        assert target.read_bytes() == content
    assert [p.name for p in target.parent.iterdir()] == ["a.bin"]


def test_atomic_write_makes_a_file_that_others_may_read_as_the_umask_says(tmp_path: Path) -> None:
    target = paths.atomic_write(tmp_path / "a", lambda stream: stream.write(b"x"))
    ordinary = tmp_path / "b"
    ordinary.write_bytes(b"x")
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE(ordinary.stat().st_mode)


def test_a_failing_write_keeps_the_old_file_and_removes_the_part(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.write_bytes(b"old")

    def full(stream: object) -> None:
        stream.write(b"half")  # type: ignore[attr-defined]
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match=r"No space left.*earlier file there is unharmed.*free some disk space"):
        paths.atomic_write(target, full)
    assert target.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_really_full_device_is_reported_as_such() -> None:
    with Path("/dev/full").open("wb", buffering=0) as stream, pytest.raises(OSError, match="No space left"):
        stream.write(b"x")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"could not write .*file.*a file lies where a folder is needed"):
        paths.atomic_write(tmp_path / "file" / "below" / "a", lambda stream: stream.write(b"x"))


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_without_permission_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OSError, match="may write"):
            paths.atomic_write(tmp_path / "a", lambda stream: stream.write(b"x"))
    finally:
        tmp_path.chmod(0o700)


def test_the_environment_chooses_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAN_LESSONS_DATA", str(tmp_path))
    assert paths.data_root() == tmp_path
    monkeypatch.delenv("GAN_LESSONS_DATA")
    root = paths.repository_root()
    assert root is not None
    assert paths.data_root() == root / "data" / "cache"
    assert paths.shipped("weights") == root / "data" / "weights"


@pytest.mark.parametrize(("variable", "root"), [("GAN_LESSONS_DATA", "data_root"), ("GAN_LESSONS_RUNS", "runs_root")])
def test_a_relative_folder_is_meant_from_where_the_command_was_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, root: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for chosen, expected in {"mine": "mine", "./mine/deep": "mine/deep", "~/mine": "home/mine"}.items():
        monkeypatch.setenv(variable, chosen)
        assert getattr(paths, root)() == tmp_path / expected
    monkeypatch.setenv(variable, "~no-such-user/mine")
    with pytest.raises(ValueError, match="no such home folder"):
        getattr(paths, root)()
    # a kernel that the runner did not start: its folder is the notebook's, and nobody can tell where the command was
    monkeypatch.setattr(paths, "in_notebook", lambda: True)
    monkeypatch.setenv(variable, "mine")
    with pytest.raises(ValueError, match=f"{variable}=mine is relative.*give the whole path"):
        getattr(paths, root)()
    monkeypatch.setenv(variable, str(tmp_path / "mine"))
    assert getattr(paths, root)() == tmp_path / "mine"


def test_a_write_never_touches_the_umask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def touched(mask: int) -> int:
        raise AssertionError("the umask belongs to the whole process, whose other threads make files too")

    before = os.umask(0o027)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(os, "umask", touched)
            target = paths.atomic_write(tmp_path / "a", lambda stream: stream.write(b"x"))
    finally:
        os.umask(before)
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def repository(folder: Path) -> list[str]:
    """Make a repository of all that lies in the folder, and return how git is called there."""
    git = ["git", "-C", str(folder), "-c", "user.name=me", "-c", "user.email=me@example.org"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *words], check=True)
    return git


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small checkout of the course, which is no repository yet."""
    (tmp_path / "course" / "package").mkdir(parents=True)
    (tmp_path / "course" / "data").mkdir()
    (tmp_path / "course" / "_toc.yml").touch()
    (tmp_path / "course" / "package" / "a.py").write_text("1")
    monkeypatch.setattr(paths, "PACKAGE", tmp_path / "course" / "package")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    return tmp_path / "course"


def test_the_commit_is_of_the_package_and_says_when_it_has_changed(
    course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert paths.commit() == "unknown"
    repository(course)
    (course / "elsewhere.txt").write_text("does not count")
    clean = paths.commit()
    assert re.fullmatch(r"[0-9a-f]{12}", clean)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a").touch()
    repository(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))  # as in a hook of another repository
    assert paths.commit() == clean
    (course / "package" / "a.py").write_text("2")
    assert paths.commit() == f"{clean}*"


def test_the_commit_of_a_repository_round_the_package_is_not_the_courses(
    course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository(tmp_path)  # a checkout unpacked from an archive, within a repository of the reader's
    assert paths.commit() == "unknown"
    installed = tmp_path / ".venv" / "lib" / "package"
    installed.mkdir(parents=True)
    monkeypatch.setattr(paths, "PACKAGE", installed)
    assert paths.commit() == "unknown"
    (tmp_path / "package").mkdir()
    monkeypatch.setattr(paths, "PACKAGE", tmp_path / "package")  # copied into the top folder of another project
    assert paths.commit() == "unknown"


def test_the_remedy_of_a_failed_write_fits_what_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    for name, remedy in {
        "folder": "that is a folder: choose another name",
        "file/x.png": "a file lies where a folder is needed",
        "x" * 300: "choose a shorter name",
    }.items():
        with pytest.raises(OSError, match=rf"could not write .*{remedy}"):
            paths.atomic_write(tmp_path / name, lambda stream: stream.write(b"x"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]
