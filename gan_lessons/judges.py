"""The stored judges: classifiers that were trained once and frozen, checked before they are used.

    judge, second = judges.load("mnist"), judges.load("mnist-normed")
    opinions = judges.opinions(test_images)          # both at once, three numbers each

`NAME.safetensors` (float32) and `NAME.json` lie side by side in data/weights/judges, and travel with the package.
Scores of two judges cannot be compared, so all chapters use these, and a card names their sha256: "mnist", which
chapter 06 trains, and "mnist-normed", of another make; "cifar16" judges the pictures of chapter 08 (both are trained
by `tools/train_judge.py`).
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from gan_lessons import stored
from gan_lessons.checkpoints import load_weights, matched, packed_weights
from gan_lessons.checks import unit_range
from gan_lessons.metrics import alignment, class_shares, coverage
from gan_lessons.metrics.classifier import ColourClassifier, DigitClassifier, NormedClassifier
from gan_lessons.metrics.distances import Moments, frechet_distance, moments
from gan_lessons.paths import commit, shipped


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
    network: str = "DigitClassifier"  # a key of NETWORKS


# The networks that a card may name.
NETWORKS: dict[str, type[DigitClassifier]] = {
    "DigitClassifier": DigitClassifier,
    "NormedClassifier": NormedClassifier,
    "ColourClassifier": ColourClassifier,
}
SECOND = "mnist-normed"


class Ruler(NamedTuple):
    """A judge beside a test set: the few numbers that a study asks of each of its many generators.

    `ruler = judges.ruler(test_images)`, then `ruler(samples)["distance"]`. A report card (`metrics.report`) says more.
    """

    judge: DigitClassifier
    reference: Moments
    shares: Tensor  # of the classes among the real images, (10,)

    def __call__(self, samples: Tensor, labels: Tensor | None = None) -> dict[str, float]:
        """Judge images of the judge's shape, bytes or floats in [0, 1], on any device.

        distance: Fréchet distance of their features to those of the test set, lower is better, biased upward for small
        n; classes: how many have at least half the share that they have among real images; confidence: mean of the
        largest probability; with the `labels` (n,) that were asked for, alignment: the share of images that are read as
        such. Raises ValueError for images of another size or range, or with NaN, and for labels that do not fit.
        """
        features = self.judge.features(samples)
        probabilities = self.judge.head(features).softmax(1)
        numbers = {
            "distance": frechet_distance(moments(features), self.reference),
            "classes": float(coverage(class_shares(probabilities), self.shares)),
            "confidence": float(probabilities.max(1).values.mean()),
        }
        return numbers if labels is None else numbers | {"alignment": alignment(probabilities, labels)}


def ruler(images: Tensor, device: torch.device | str = "cpu", name: str = "mnist") -> Ruler:
    """Make the ruler of a stored judge and real images of its shape, uint8: a test set, never the training images."""
    if images.dtype != torch.uint8:
        raise ValueError(f"a ruler is made of uint8 images, as data.load gives them, not {images.dtype}")
    unit_range(images)
    judge = load(name).to(device)
    features = judge.features(images)
    return Ruler(judge, moments(features), class_shares(judge.head(features).softmax(1)))


def opinions(images: Tensor, device: torch.device | str = "cpu") -> Callable[..., dict[str, float]]:
    """Both judges as one function of samples, (n, 1, 28, 28) in [0, 1]: each number of a Ruler, and as second_….

    `images` are real ones, as for `ruler`. A verdict about generators holds where both judges agree. With the labels
    (n,) that samples were asked for, opinions(samples, labels), there are alignment and second_alignment, too.
    """
    first, second = ruler(images, device), ruler(images, device, SECOND)

    def judged(samples: Tensor, labels: Tensor | None = None) -> dict[str, float]:
        others = {f"second_{name}": value for name, value in second(samples, labels).items()}
        return first(samples, labels) | others

    return judged


def names(folder: Path | None = None) -> list[str]:
    """Return the names of the stored judges, sorted."""
    return stored.names(_home(folder))


def card(name: str = "mnist", folder: Path | None = None) -> JudgeCard:
    """Return the card of a stored judge. Raises ValueError for an unknown name, DamagedFile for a damaged card."""
    have = names(folder)
    if name not in have:
        raise ValueError(f"no stored judge {name!r}; have {', '.join(have) or 'none'}; chapter 06 trains one")
    try:
        return JudgeCard(**stored.card(_home(folder), name))
    except TypeError as error:
        raise stored.damaged_card(_home(folder) / f"{name}.json", error) from error


def load(name: str = "mnist", folder: Path | None = None) -> DigitClassifier:
    """Return a stored judge on the CPU in float32, frozen, in evaluation mode, whatever torch's defaults are.

    Raises ValueError for an unknown name or weights of another network, DamagedFile for damaged weights or a damaged
    card, FileNotFoundError for no weights.
    """
    facts = card(name, folder)
    path = stored.weights(_home(folder), name, facts.sha256)
    if facts.network not in NETWORKS:
        raise ValueError(
            f"the card of {path.name} names {facts.network!r}, but we know {sorted(NETWORKS)}; update the package"
        )
    try:
        with torch.random.fork_rng(devices=[]), torch.device("cpu"):  # initial weights are drawn, and overwritten
            network = NETWORKS[facts.network](facts.width, facts.features).float()
    except (TypeError, RuntimeError) as error:
        raise stored.damaged_card(_home(folder) / f"{name}.json", error) from error
    load_weights(path, network)
    network = network.eval().requires_grad_(False)
    return network.to(memory_format=torch.channels_last)  # faster on a CPU


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
    """Store a judge with its card, and return the card.

    Raises ValueError, and writes nothing, for NaN or infinity in the judge or on its card.
    """
    if type(network) not in NETWORKS.values():
        raise ValueError(
            f"a judge is a {' or '.join(NETWORKS)}, not a {type(network).__name__}: give it without what wraps it "
            "(a compiled one as judge._orig_mod, an averaged one as judge.module)"
        )
    if not all(bool(value.isfinite().all()) for value in network.state_dict().values()):
        raise ValueError("the judge holds NaN or infinity; train it again with a smaller learning rate")
    width = int(network.body.get_submodule("0").get_parameter("weight").shape[0])
    with torch.device("meta"):
        plain = type(network)(width, network.head.in_features).state_dict()
    weights = packed_weights(matched(plain, network.state_dict()))
    facts = JudgeCard(
        name=name,
        chapter=chapter,
        data=data,
        width=width,
        features=network.head.in_features,
        steps=steps,
        seconds=round(float(seconds), 1),
        accuracy=round(float(accuracy), 4),
        sha256=stored.checksum(weights),
        date=datetime.now(UTC).date().isoformat(),
        commit=commit(),
        network=type(network).__name__,
    )
    return JudgeCard(**stored.save(_home(folder), name, weights, facts._asdict()))


def _home(folder: Path | None) -> Path:
    return folder or shipped("weights") / "judges"
