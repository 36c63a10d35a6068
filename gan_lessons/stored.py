"""Weights and the card that names their checksum, side by side: NAME.safetensors and NAME.json, replaced together.

The card is what counts. New weights first lie beside the old ones, as NAME.safetensors.new; then the card that names
them takes its place, and only then do they take theirs. Wherever a process dies in between, `card` and `weights` give
the old pair or the new one.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from gan_lessons.data.downloads import DamagedFile, verify
from gan_lessons.paths import PACKAGE, atomic_write, repository_root


def names(folder: Path) -> list[str]:
    """Return the names of the pairs in a folder, sorted."""
    return sorted(path.stem for path in folder.glob("*.json"))


def checksum(weights: bytes) -> str:
    """The sha256 of a file's content, hexadecimal, for its card."""
    return hashlib.sha256(weights).hexdigest()


def save(folder: Path, name: str, weights: bytes, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Store weights and their card, both or none, and return the card as it is read again.

    `facts` are the card, with the checksum as "sha256". Raises ValueError, and writes nothing, for a name that is no
    file's or a folder's, or facts that JSON cannot hold (NaN and infinity included); OSError as `paths.atomic_write`.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        raise ValueError(f"a name holds only a-z, 0-9, - and _, not {name!r}; try mnist-mlp")
    text = _json(name, facts)
    for path in (folder / f"{name}.json", folder / f"{name}.safetensors", _pending(folder, name)):
        if path.is_dir():
            raise ValueError(f"{path} is a folder where a file belongs: move it away, or take another name")
    _settle(folder, name)
    try:
        atomic_write(_pending(folder, name), lambda stream: stream.write(weights))
        _write(folder, name, text)
    finally:
        _settle(folder, name)
    kept: dict[str, Any] = json.loads(text)
    return kept


def save_card(folder: Path, name: str, facts: Mapping[str, Any]) -> None:
    """Replace the card of weights that stay as they are. Raises ValueError as `save`."""
    _write(folder, name, _json(name, facts))


def card(folder: Path, name: str) -> dict[str, Any]:
    """Return a card. Raises DamagedFile where it is no JSON object."""
    path = folder / f"{name}.json"
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        return dict(facts)
    except (ValueError, TypeError) as error:
        raise damaged_card(path, error) from error


def damaged_card(path: Path, reason: object) -> DamagedFile:
    """The error for a card that cannot be used."""
    return DamagedFile(f"the card {path} is damaged ({reason}); {remedy(path)}")


def weights(folder: Path, name: str, sha256: str) -> Path:
    """Return the file of the weights with this checksum.

    Raises FileNotFoundError where the weights are missing, and DamagedFile where their checksum is another one.
    """
    path, pending = folder / f"{name}.safetensors", _pending(folder, name)
    if pending.is_file() and checksum(pending.read_bytes()) == sha256:  # a process died before its last step
        return pending
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing though its card is there; {remedy(path)}")
    verify(path, sha256, remedy=f"These very weights are needed: {remedy(path)}")
    return path


def remedy(path: Path) -> str:
    """Say how a file of a pair comes back: from git, with the package, or, where it is the reader's own, by hand."""
    root = repository_root()
    if root is not None and path.resolve().is_relative_to(root.resolve()):
        return f"restore it with `git checkout -- {path.resolve().relative_to(root.resolve()).as_posix()}`"
    if path.resolve().is_relative_to(PACKAGE):
        return "install the package again"
    return f"store it again, or copy {path.stem}.safetensors and {path.stem}.json, both, from a sound place"


def _settle(folder: Path, name: str) -> None:
    """End a save: weights that the card names take their place, others go."""
    pending = _pending(folder, name)
    if not pending.exists():
        return
    try:
        named = card(folder, name).get("sha256")
    except (OSError, DamagedFile):
        named = None
    if named == checksum(pending.read_bytes()):
        pending.replace(folder / f"{name}.safetensors")
    else:
        pending.unlink()


def _pending(folder: Path, name: str) -> Path:
    return folder / f"{name}.safetensors.new"


def _write(folder: Path, name: str, text: str) -> None:
    atomic_write(folder / f"{name}.json", lambda stream: stream.write(text.encode()))


def _json(name: str, facts: Mapping[str, Any]) -> str:
    try:
        return json.dumps(dict(facts), indent=2, allow_nan=False, default=_number) + "\n"
    except (TypeError, ValueError) as error:
        raise ValueError(f"the card of {name} cannot be kept as JSON ({error}); give finite numbers") from error


def _number(value: Any) -> Any:
    """NumPy's and torch's numbers, and arrays of them, as JSON's."""
    if isinstance(value, np.generic | np.ndarray | Tensor):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is no number, no text and no list of such")
