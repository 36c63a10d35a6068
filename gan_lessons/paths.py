"""Where files of the course lie, and how they are written without ever leaving half a file."""

import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

PACKAGE = Path(__file__).resolve().parent


def repository_root() -> Path | None:
    """Return the checkout that holds this package, or None where the package was installed from a wheel."""
    root = PACKAGE.parent
    return root if (root / "_toc.yml").exists() and (root / "data").is_dir() else None


def shipped(name: str) -> Path:
    """Return the path of a file or folder of `data/` that travels with the package (weights, checksums)."""
    root = repository_root()
    return root / "data" / name if root else PACKAGE / "_shipped" / name


def data_root() -> Path:
    """Return the one folder of datasets and runs: $GAN_LESSONS_DATA, else `data/cache` of the checkout or of ./"""
    chosen = os.environ.get("GAN_LESSONS_DATA")
    return Path(chosen).expanduser() if chosen else (repository_root() or Path.cwd()) / "data" / "cache"


def runs_root() -> Path:
    """Return the folder of checkpoints and scratch notebooks: $GAN_LESSONS_RUNS, else `data/cache/runs`."""
    chosen = os.environ.get("GAN_LESSONS_RUNS")
    if chosen:
        return Path(chosen).expanduser()
    return (repository_root() or Path.cwd()) / "data" / "cache" / "runs"


def commit() -> str:
    """Return the commit of this package, with * where it has changed since; "unknown" outside a checkout."""
    try:
        head = _git("rev-parse", "--short=12", "HEAD")
        return head + "*" * bool(_git("status", "--porcelain", "--", "."))
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=PACKAGE, check=True, capture_output=True, text=True).stdout.strip()


def atomic_write(path: str | Path, write: Callable[[BinaryIO], object]) -> Path:
    """Write a file through `write(stream)` so that `path` is at all times the old file or the whole new one.

    The bytes go to a temporary file in the same folder, are flushed to the disk, and take the name in one step.
    Raises OSError, with the remedy, where the folder cannot be written or the disk is full; the old file survives.
    """
    path = Path(path)
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o666 & ~_umask())  # mkstemp makes private files; a result is an ordinary one
        temporary.replace(path)
    except BaseException as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            kept = "the earlier file there is unharmed; " if path.exists() else ""
            raise OSError(
                f"could not write {path}: {error}; {kept}free some disk space or choose a folder that you may write"
            ) from error
        raise
    return path


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
