"""Weights and their card: replaced together, at every moment the old pair or the new one."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from gan_lessons import paths, stored
from gan_lessons.data import DamagedFile

OLD, NEW = b"the old weights", b"the new weights"


def put(folder: Path, weights: bytes, **facts: Any) -> dict[str, Any]:
    return stored.save(folder, "pair", weights, {"of": weights.decode(), "sha256": stored.checksum(weights), **facts})


def read(folder: Path) -> tuple[str, bytes]:
    """What a reader gets: whose card, and the weights that it names."""
    card = stored.card(folder, "pair")
    return card["of"], stored.weights(folder, "pair", card["sha256"]).read_bytes()


class Killed(BaseException):
    """The process ends here."""


def die_at(patch: pytest.MonkeyPatch, fatal: int) -> list[str]:
    """Let the process die at its change number `fatal` of names on the disk; after it, nothing more is done."""
    done: list[str] = []

    def guarded(name: str) -> Any:
        real = getattr(os, name)

        def call(*arguments: Any, **options: Any) -> Any:
            done.append(name)
            if len(done) >= fatal:
                raise Killed
            return real(*arguments, **options)

        return call

    for name in ("replace", "rename", "unlink"):
        patch.setattr(os, name, guarded(name))
    return done


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("fatal", range(1, 5))
def test_a_process_that_dies_at_any_step_leaves_the_old_pair_or_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fatal: int, first: bool
) -> None:
    if not first:
        put(tmp_path, OLD)
    with monkeypatch.context() as patch:
        done = die_at(patch, fatal)
        try:
            put(tmp_path, NEW)
        except Killed:
            assert fatal <= 3
        else:
            assert (fatal, done) == (4, ["replace"] * 3)
    if first and fatal <= 2:
        assert stored.names(tmp_path) == []
    else:
        assert read(tmp_path) in ((OLD.decode(), OLD), (NEW.decode(), NEW))
        assert (read(tmp_path)[1] == NEW) == (fatal > 2)
    before = read(tmp_path) if stored.names(tmp_path) else None
    with monkeypatch.context() as patch:  # the next process dies too, where it would put its own weights down
        die_at(patch, 2)
        with pytest.raises(Killed):
            put(tmp_path, b"others")
    assert before is None or read(tmp_path) == before
    put(tmp_path, b"others")
    assert read(tmp_path) == ("others", b"others")
    kept = [path.name for path in tmp_path.iterdir() if not path.name.endswith(".part")]
    assert sorted(kept) == ["pair.json", "pair.safetensors"]


def test_a_disk_that_is_full_for_the_card_leaves_the_old_pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, OLD)
    real, calls = os.fsync, []

    def full(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"pair\.json.*No space left"):
        put(tmp_path, NEW)
    assert read(tmp_path) == (OLD.decode(), OLD)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pair.json", "pair.safetensors"]


@pytest.mark.parametrize("value", [float("nan"), object(), {1, 2}, {(1, 2): 3}])
def test_a_card_that_json_cannot_hold_stores_nothing(tmp_path: Path, value: object) -> None:
    put(tmp_path, OLD)
    with pytest.raises(ValueError, match="the card of pair cannot be kept as JSON"):
        put(tmp_path, NEW, value=value)
    assert read(tmp_path) == (OLD.decode(), OLD)


@pytest.mark.parametrize("name", ["", "../out", "Upper", "a b", "a.json"])
def test_a_name_that_is_no_files_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="a name holds only"):
        stored.save(tmp_path, name, NEW, {"sha256": stored.checksum(NEW)})
    assert list(tmp_path.iterdir()) == []


def test_other_weights_under_a_card_are_damaged_and_none_are_missing(tmp_path: Path) -> None:
    put(tmp_path, NEW)
    (tmp_path / "pair.safetensors").write_bytes(OLD)
    with pytest.raises(DamagedFile, match=r"(?s)sha256 expected.*store it again, or copy"):
        read(tmp_path)
    (tmp_path / "pair.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match="missing though its card is there"):
        read(tmp_path)


def test_the_remedy_is_one_that_works_where_the_file_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = paths.repository_root()
    if root is not None:
        file = root / "data" / "weights" / "judges" / "mnist.json"
        assert stored.remedy(file) == "restore it with `git checkout -- data/weights/judges/mnist.json`"
    monkeypatch.setattr(stored, "repository_root", lambda: None)
    assert stored.remedy(paths.PACKAGE / "_shipped" / "weights" / "a.json") == "install the package again"
    put(tmp_path / "mine", NEW)
    shutil.copytree(tmp_path / "mine", tmp_path / "sound")
    (tmp_path / "mine" / "pair.safetensors").write_bytes(OLD)
    with pytest.raises(DamagedFile, match=r"copy pair\.safetensors and pair\.json, both, from a sound place"):
        read(tmp_path / "mine")
    shutil.copytree(tmp_path / "sound", tmp_path / "mine", dirs_exist_ok=True)
    assert read(tmp_path / "mine")[1] == NEW
