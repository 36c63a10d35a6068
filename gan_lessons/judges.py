"""The stored judge: the classifier that chapter 06 trained and froze, checked before it is used.

    judge = judges.load("mnist")

`NAME.safetensors` (float32) and `NAME.json` lie side by side in data/weights/judges, and travel with the package.
Scores of two judges cannot be compared, so all chapters use this one, and a card names its sha256.
"""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import torch

from gan_lessons.checkpoints import load_weights, save_weights
from gan_lessons.downloads import DamagedFile, verify
from gan_lessons.judge import DigitClassifier
from gan_lessons.notebooks import commit
from gan_lessons.paths import atomic_write, shipped


class JudgeCard(NamedTuple):
    """What a stored judge is and where it comes from."""

    name: str
    chapter: str  # the notebook that trained it
    data: str  # the dataset it was trained on
    width: int
    features: int
    steps: int
    seconds: float
    accuracy: float  # on the test set
    sha256: str
    date: str
    commit: str


def names(folder: Path | None = None) -> list[str]:
    """Return the names of the stored judges, sorted."""
    return sorted(path.stem for path in _home(folder).glob("*.json"))


def card(name: str = "mnist", folder: Path | None = None) -> JudgeCard:
    """Return the card of a stored judge. Raises ValueError for an unknown name or a damaged card."""
    have = names(folder)
    if name not in have:
        raise ValueError(f"no stored judge {name!r}; have {', '.join(have) or 'none'}; chapter 06 trains one")
    path = _home(folder) / f"{name}.json"
    try:
        return JudgeCard(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ValueError(f"the card {path} is damaged ({error}); {_remedy(path)}") from error


def load(name: str = "mnist", folder: Path | None = None) -> DigitClassifier:
    """Return a stored judge on the CPU, frozen, in evaluation mode.

    Raises ValueError for an unknown name, a damaged card or weights of another network, FileNotFoundError where the
    weights are missing, and DamagedFile where their sha256 is not that of the card.
    """
    facts = card(name, folder)
    path = _home(folder) / f"{name}.safetensors"
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing though its card is there; {_remedy(path)}")
    try:
        verify(path, facts.sha256)
    except DamagedFile as error:
        found = str(error).partition("\nMove it away")[0]
        raise DamagedFile(f"{found}\nThe course's scores need this very judge: {_remedy(path)}") from None
    with torch.random.fork_rng(devices=[]):  # initial weights are drawn, and overwritten at once
        network = DigitClassifier(facts.width, facts.features)
    load_weights(path, network)
    return network.eval().requires_grad_(False)


def save(
    name: str,
    network: DigitClassifier,
    *,
    chapter: str,
    data: str,
    steps: int,
    seconds: float,
    accuracy: float,
    folder: Path | None = None,
) -> JudgeCard:
    """Store a judge with its card, and return the card. Raises ValueError, and writes nothing, for NaN or infinity."""
    if not all(bool(p.isfinite().all()) for p in network.parameters()):
        raise ValueError("the judge holds NaN or infinity; train it again with a smaller learning rate")
    path = save_weights(_home(folder) / f"{name}.safetensors", network)
    head = network.head
    facts = JudgeCard(
        name=name,
        chapter=chapter,
        data=data,
        width=int(network.body.get_submodule("0").get_parameter("weight").shape[0]),
        features=head.in_features,
        steps=steps,
        seconds=round(seconds, 1),
        accuracy=round(accuracy, 4),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        date=datetime.now(UTC).date().isoformat(),
        commit=commit(),
    )
    text = json.dumps(facts._asdict(), indent=2) + "\n"
    atomic_write(path.with_suffix(".json"), lambda stream: stream.write(text.encode()))
    return facts


def _home(folder: Path | None) -> Path:
    return folder or shipped("weights") / "judges"


def _remedy(path: Path) -> str:
    return f"restore it with `git checkout -- data/weights/judges/{path.name}`, or install the package again"
