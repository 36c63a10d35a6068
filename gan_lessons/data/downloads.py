"""Files from the network, believed only where their checksum is right."""

import gzip
import hashlib
import shutil
import socket
import tarfile
import tempfile
import zlib
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path

SILENCE = 20.0  # seconds without an answer after which the next mirror is tried


class DatasetUnavailable(OSError):
    """A dataset is not on this machine and could not be fetched; the message says what to do instead."""


class DamagedFile(ValueError):
    """A file is not what it should be, or missing from its place. It was neither used nor deleted."""


FETCH_AGAIN = "Move it away and load the dataset again to fetch a sound copy, or put one there by hand."


def verify(file: Path, expected: str, algorithm: str = "sha256", remedy: str = FETCH_AGAIN) -> None:
    """Raise DamagedFile, which ends in `remedy`, unless `file` is there with the checksum `expected` (hexadecimal)."""
    if not file.is_file():
        raise DamagedFile(f"{file} is {'no file' if file.exists() else 'missing'}.\n{remedy}")
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, algorithm).hexdigest()
    if found != expected:
        raise DamagedFile(
            f"{file} is damaged or not the file it should be; it was left as it is.\n"
            f"  {algorithm} expected {expected}\n  {algorithm} found    {found}\n{remedy}"
        )


def fetch(file: Path, expected: str, urls: Sequence[str]) -> None:
    """Bring `file` from the first of `urls` that delivers the bytes with the sha256 `expected`.

    A url that ends in .gz is unpacked where `file` does not. The file takes its name only once it is whole and
    verified. Raises DatasetUnavailable with the reason of each url, or where the folder cannot be written.
    """
    reasons = []
    for url in urls:
        with _scratch_folder(file.parent) as scratch:
            try:
                _download(url, Path(scratch), file.name, expected).replace(file)
                return
            # an HTTP error, a broken connection, a full disk, not a gzip file, half a gzip file, wrong bytes
            except (OSError, HTTPException, EOFError, zlib.error, RuntimeError, DamagedFile) as error:
                reasons.append(f"  {url}: {str(error) or type(error).__name__}")
    raise DatasetUnavailable(f"no source delivered {file.name}:\n" + "\n".join(reasons))


def unpack_beside(file: Path, expected: str) -> bool:
    """Unpack `file`.gz, which lies beside it, if that has the sha256 `expected`; say whether it did."""
    packed = file.with_name(f"{file.name}.gz")
    if file.exists() or not packed.is_file():
        return False
    with _scratch_folder(file.parent) as scratch:
        unpacked = Path(scratch) / file.name
        try:
            _gunzip(packed, unpacked)
            verify(unpacked, expected)
        except (OSError, EOFError, zlib.error, DamagedFile):  # no gzip file, half of one, other bytes
            return False
        unpacked.replace(file)
    return True


def unpack(archive: Path, member: str) -> None:
    """Unpack the folder `member` of a tar archive beside the archive; it appears whole or not at all."""
    with _scratch_folder(archive.parent) as scratch, tarfile.open(archive) as tar:
        tar.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11.4 and later
        tar.extractall(scratch)
        (Path(scratch) / member).replace(archive.parent / member)


def _download(url: str, scratch: Path, name: str, expected: str) -> Path:
    from torchvision.datasets.utils import download_url  # shows its progress

    unpacked, packed = scratch / name, scratch / Path(url).name
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SILENCE)  # torchvision sets none, and would wait for a silent host for ever
    try:
        download_url(url, scratch, packed.name)
    finally:
        socket.setdefaulttimeout(before)
    if packed != unpacked:
        _gunzip(packed, unpacked)
    verify(unpacked, expected)
    return unpacked


def _gunzip(packed: Path, unpacked: Path) -> None:
    with gzip.open(packed) as source, unpacked.open("wb") as target:
        shutil.copyfileobj(source, target)


def _scratch_folder(parent: Path) -> "tempfile.TemporaryDirectory[str]":
    """Make a folder for half-finished files beside the final ones; it is gone after its `with` block."""
    try:
        parent.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryDirectory(dir=parent, prefix=".download-")
    except OSError as error:
        raise DatasetUnavailable(
            f"the folder {parent} cannot be written ({error.strerror}); "
            "set GAN_LESSONS_DATA to a folder that you may write"
        ) from error
