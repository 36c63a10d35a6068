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
    with pytest.raises(OSError, match=r"could not write .*file.*choose a folder that you may write"):
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


def test_the_commit_is_of_the_package_and_says_when_it_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "package"
    package.mkdir()
    monkeypatch.setattr(paths, "PACKAGE", package)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert paths.commit() == "unknown"
    (package / "a.py").write_text("1")
    git = ["git", "-C", str(tmp_path), "-c", "user.name=me", "-c", "user.email=me@example.org"]
    for words in (["init", "-q"], ["add", "package"], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *words], check=True)
    (tmp_path / "elsewhere.txt").write_text("does not count")
    clean = paths.commit()
    assert re.fullmatch(r"[0-9a-f]{12}", clean)
    (package / "a.py").write_text("2")
    assert paths.commit() == f"{clean}*"
