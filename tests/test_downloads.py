"""downloads: only whole files with the right checksum ever get their name."""

import gzip
import hashlib
import io
import os
import socket
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gan_lessons.data import downloads
from gan_lessons.data.downloads import DamagedFile, DatasetUnavailable, fetch, unpack, verify
from tests.web import SILENT, Site, serving

CONTENT = b"sixty thousand digits" * 100
SUM = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as running:
        yield running


def test_verify_passes_the_right_bytes_only(tmp_path: Path) -> None:
    file = tmp_path / "digits"
    file.write_bytes(CONTENT)
    verify(file, SUM)
    verify(file, hashlib.md5(CONTENT).hexdigest(), "md5")
    file.write_bytes(CONTENT[:-1] + b"?")
    with pytest.raises(DamagedFile) as caught:
        verify(file, SUM)
    for part in (str(file), SUM, hashlib.sha256(CONTENT[:-1] + b"?").hexdigest(), "Move it away"):
        assert part in str(caught.value)
    assert file.read_bytes() == CONTENT[:-1] + b"?"


def test_a_missing_file_is_called_missing(tmp_path: Path) -> None:
    with pytest.raises(DamagedFile, match=r"digits is missing\.\nMove it away"):
        verify(tmp_path / "digits", SUM)
    with pytest.raises(DamagedFile, match=r"is no file\.\nUnpack the archive again\.$"):
        verify(tmp_path, SUM, remedy="Unpack the archive again.")


@pytest.mark.parametrize("packed", [False, True])
def test_fetch_brings_a_file_unpacked(site: Site, tmp_path: Path, packed: bool) -> None:
    site.pages = {"/digits": CONTENT, "/digits.gz": gzip.compress(CONTENT)}
    fetch(tmp_path / "new" / "folder" / "digits", SUM, [site.address + ("/digits.gz" if packed else "/digits")])
    assert (tmp_path / "new" / "folder" / "digits").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "new" / "folder").iterdir()] == ["digits"]


def test_fetch_keeps_an_archive_packed(site: Site, tmp_path: Path) -> None:
    site.pages = {"/digits.tar.gz": CONTENT}
    fetch(tmp_path / "digits.tar.gz", SUM, [site.address + "/digits.tar.gz"])
    assert (tmp_path / "digits.tar.gz").read_bytes() == CONTENT


def test_fetch_tries_one_source_after_another_and_stops_at_the_first_sound_one(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "SILENCE", 0.2)
    whole = gzip.compress(CONTENT)
    site.pages = {
        "/wrong/digits.gz": gzip.compress(b"other bytes"),
        "/half/digits.gz": whole[: len(whole) // 2],
        "/cut/digits.gz": whole[: len(whole) // 2],
        "/page/digits.gz": b"<html>moved</html>",
        "/silent/digits.gz": SILENT,
        "/sound/digits.gz": whole,
        "/never/digits.gz": whole,
    }
    site.cut = {"/cut/digits.gz"}
    mirrors = ["gone", "wrong", "half", "cut", "page", "silent", "sound", "never"]
    file = tmp_path / "digits"
    started = time.monotonic()
    fetch(file, SUM, [f"{site.address}/{mirror}/digits.gz" for mirror in mirrors])
    assert time.monotonic() - started < 8  # the silent one would have taken ten seconds
    assert socket.getdefaulttimeout() is None
    assert file.read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["digits"]
    asked = [path.split("/")[1] for path in site.asked]
    assert list(dict.fromkeys(asked)) == mirrors[:-1]


def test_when_no_source_is_sound_each_reason_is_told_and_no_file_is_left(site: Site, tmp_path: Path) -> None:
    site.pages = {"/wrong/digits.gz": gzip.compress(b"other bytes"), "/half/digits.gz": gzip.compress(CONTENT)[:30]}
    urls = [f"{site.address}/{mirror}/digits.gz" for mirror in ("gone", "wrong", "half")]
    with pytest.raises(DatasetUnavailable) as caught:
        fetch(tmp_path / "digits", SUM, urls)
    for part in (*urls, "404", hashlib.sha256(b"other bytes").hexdigest(), "end-of-stream"):
        assert part in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_download_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(url: str, folder: Path, name: str) -> None:
        (folder / name).write_bytes(CONTENT[:10])
        raise KeyboardInterrupt

    monkeypatch.setattr("torchvision.datasets.utils.download_url", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch(tmp_path / "digits", SUM, ["http://127.0.0.1/digits"])
    assert list(tmp_path.iterdir()) == []


def refuses_to_be_written(file: Path, site: Site) -> None:
    site.pages = {"/digits": CONTENT}
    with pytest.raises(DatasetUnavailable, match=r"cannot be written .* set GAN_LESSONS_DATA to a folder"):
        fetch(file, SUM, [site.address + "/digits"])
    assert site.asked == []  # found out before anything is downloaded


def test_a_file_in_place_of_the_folder_is_told_with_the_remedy(site: Site, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    refuses_to_be_written(tmp_path / "cache" / "raw" / "digits", site)


def test_a_folder_without_write_permission_is_told_with_the_remedy(site: Site, tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    if os.access(tmp_path, os.W_OK):
        pytest.skip("this user (root) may write everywhere")
    try:
        refuses_to_be_written(tmp_path / "raw" / "digits", site)
    finally:
        tmp_path.chmod(0o755)


def archive_of(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def test_unpack_puts_the_folder_beside_its_archive_and_nothing_else(tmp_path: Path) -> None:
    unpack(archive_of(tmp_path / "a.tar.gz", {"batches/one": b"1", "batches/two": b"2", "other/x": b"3"}), "batches")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar.gz", "batches"]
    assert (tmp_path / "batches" / "two").read_bytes() == b"2"


def test_unpack_of_half_an_archive_leaves_no_folder(tmp_path: Path) -> None:
    archive = archive_of(tmp_path / "a.tar.gz", {"batches/one": b"1", "batches/two": os.urandom(50_000)})
    archive.write_bytes(archive.read_bytes()[:20_000])
    with pytest.raises(EOFError):
        unpack(archive, "batches")
    assert [path.name for path in tmp_path.iterdir()] == ["a.tar.gz"]
