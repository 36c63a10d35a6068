"""Where files of the course lie, and how they are written without ever leaving half a file."""

import errno
import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
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
    """Return the one folder of datasets and runs: $GAN_LESSONS_DATA, else `data/cache` of the checkout or of ./

    Raises ValueError as `chosen_folder`.
    """
    return chosen_folder("GAN_LESSONS_DATA") or (repository_root() or Path.cwd()) / "data" / "cache"


def runs_root() -> Path:
    """Return the folder of checkpoints and scratch notebooks: $GAN_LESSONS_RUNS, else `data/cache/runs`."""
    return chosen_folder("GAN_LESSONS_RUNS") or (repository_root() or Path.cwd()) / "data" / "cache" / "runs"


def chosen_folder(variable: str) -> Path | None:
    """Return the folder that an environment variable names, absolute, with ~ for the home folder; None without one.

    A relative one is meant from where the command was typed, which the runner tells its kernels. Raises ValueError
    for a relative one in another notebook, which works in a folder of its own, and for the home of an unknown user.
    """
    chosen = os.environ.get(variable)
    if not chosen:
        return None
    folder = at_home(chosen)
    if not folder.is_absolute() and in_notebook():
        raise ValueError(
            f"{variable}={chosen} is relative, and a notebook works in its own folder, {Path.cwd()}, not where you "
            f'typed it: give the whole path, e.g. import os; os.environ["{variable}"] = "{Path.home() / "gan-data"}"'
        )
    return folder.absolute()


def at_home(path: str | Path) -> Path:
    """Return the path with ~ replaced by the home folder. Raises ValueError for the home of an unknown user."""
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise ValueError(f"{path}: there is no such home folder ({error}); write the path out") from error


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


def commit() -> str:
    """Return the commit of this package, with * where it has changed since; "unknown" outside a checkout of the course.

    A checkout is a repository whose top folder is this package's own, not any repository that the package lies in.
    """
    root = repository_root()
    try:
        if root is None or Path(_git("rev-parse", "--show-toplevel")).resolve() != root.resolve():
            return "unknown"
        head = _git("rev-parse", "--short=12", "HEAD")
        return head + "*" * bool(_git("status", "--porcelain", "--", "."))
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    # within a hook of another repository git would ask that one
    foreign = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX")
    environment = {name: value for name, value in os.environ.items() if name not in foreign}
    done = subprocess.run(["git", *arguments], cwd=PACKAGE, env=environment, check=True, capture_output=True)
    return os.fsdecode(done.stdout).strip()


def atomic_write(path: str | Path, write: Callable[[BinaryIO], object]) -> Path:
    """Write a file through `write(stream)` so that `path` is at all times the old file or the whole new one.

    The bytes go to a temporary file in the same folder, are flushed to the disk, and take the name in one step.
    Raises OSError, with the remedy, where the folder cannot be written or the disk is full; the old file survives.
    """
    path = Path(path)
    temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}.part"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # not mkstemp, which makes private files: a result is an ordinary one, as the umask says
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        with os.fdopen(handle, "wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            raise OSError(f"could not write {path}: {error}; {_remedy(path, error)}") from error
        raise
    return path


def _remedy(path: Path, error: OSError) -> str:
    if error.errno == errno.ENAMETOOLONG:
        return "choose a shorter name"
    if path.is_dir():
        return "that is a folder: choose another name for the file"
    if error.errno in (errno.EEXIST, errno.ENOTDIR):
        return "a file lies where a folder is needed: choose another folder"
    kept = "the earlier file there is unharmed; " if path.exists() else ""
    return f"{kept}free some disk space or choose a folder that you may write"
