"""Nine numbers for "how close are the samples to the data", and the report card that puts them beside what is normal.

Features of a frozen classifier (classifier.py), then a distance (distances.py) or neighbours (neighbours.py). A number
means something only beside a floor (the score of real images at the same n) and nulls (baselines that learned nothing).
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gan_lessons.checks import finite, unit_range
from gan_lessons.data.batching import to_bytes
from gan_lessons.labels import checked
from gan_lessons.metrics.classifier import DigitClassifier
from gan_lessons.metrics.distances import Moments, frechet_distance, kernel_distances, moments
from gan_lessons.metrics.neighbours import copy_limit, inside, nearest, share_of_repeats, spacing
from gan_lessons.metrics.report_card import Report, Scores
from gan_lessons.theory import entropy

NEIGHBOURS = 2_000  # how many images the measures of neighbours look at; their values depend on it
BY_HEART = 64  # size of the memorising baseline


class Reference(NamedTuple):
    """What samples are held against, computed once by `reference`."""

    judge: DigitClassifier
    n: int  # images in each set that is scored
    moments: Moments  # of the real images' features
    features: Tensor  # (m, d), in random order
    radii: Tensor  # of the first NEIGHBOURS of them
    shares: Tensor  # of the classes
    pixels: Tensor  # (NEIGHBOURS, h*w) of real images, bytes
    train: Tensor  # (t, h*w), bytes
    limit: float  # nearer to a training image than this is a copy
    floor: list[Scores]  # of real images, one for each draw
    nulls: dict[str, Scores]
    second: "Reference | None" = None  # the same images by another judge
    overlap: float = 0.0  # the share of images that two draws of the floor have in common, in the mean


def class_shares(probabilities: Tensor) -> Tensor:
    """Share of images that each class gets by its largest probability: (n, c) -> (c,), float64. ValueError for NaN."""
    finite("the probabilities", probabilities)
    classes = probabilities.shape[1]
    return torch.bincount(probabilities.argmax(1), minlength=classes).double() / len(probabilities)


def coverage(shares: Tensor, real: Tensor) -> int:
    """How many classes have at least half of the share that they have among real images; both (c,)."""
    return int(((shares >= real / 2) & (real > 0)).sum())


def alignment(probabilities: Tensor, labels: Tensor) -> float:
    """Share of images whose most probable class is the label that was asked for: (n, c) and (n,) to a number in [0, 1].

    It says nothing of how good or how varied the images of a class are. Raises ValueError for NaN, and for labels that
    `labels.checked` refuses.
    """
    finite("the probabilities", probabilities)
    asked = checked(labels, len(probabilities), probabilities.shape[1]).to(probabilities.device)
    return _share(probabilities.argmax(1) == asked)


def class_distances(
    features: Tensor, labels: Tensor, real: Tensor, real_labels: Tensor, classes: int = 10
) -> list[float]:
    """The Fréchet distance within each class: (n, d), (n,), (m, d), (m,) to `classes` numbers.

    Both clouds are divided by their labels, whatever a judge reads. Each number is biased upward as one of n / classes
    images is: hold it against that of as many real ones. NaN for a class of fewer than two images.
    """
    ours, theirs = checked(labels, len(features), classes), checked(real_labels, len(real), classes)
    pairs = [(features[ours == k], real[theirs == k]) for k in range(classes)]
    return [
        frechet_distance(moments(mine), moments(other)) if min(len(mine), len(other)) > 1 else float("nan")
        for mine, other in pairs
    ]


def reference(
    judge: DigitClassifier,
    real: Tensor,
    train: Tensor,
    n: int = 10_000,
    *,
    floors: int = 10,
    seed: int = 0,
    second: DigitClassifier | None = None,
) -> Reference:
    """Prepare what samples are held against: real images that no generator saw, and those that it was trained on.

    Both are bytes, or floats in [0, 1], of any shape that holds h*w numbers an image. The floor is what `floors` draws
    of n training images score, at least two: disjoint ones while the images last, then those of another order, and
    verdicts allow for what the draws share. Training images are not compared with themselves. The nulls are 64 training
    images over and over, and uniform noise. Random choices come from the seed alone. With a `second` judge, of another
    make, reports give its opinion, too: a verdict about generators holds where both agree.
    Raises ValueError for fewer than two draws, fewer than 2n training images, fewer than 5 real ones, or values outside
    [0, 1].
    """
    if len(train) < 2 * n or len(real) < 5 or n < 5:
        raise ValueError(
            f"a floor needs two draws of n = {n} from the training images, and there are {len(train)} (and "
            f"{len(real)} real ones, of which 5 are needed); ask for a smaller n, at least 5"
        )
    if floors < 2:
        raise ValueError(f"a floor needs two draws of real images, or there is no spread, not floors = {floors}")
    source = torch.Generator("cpu").manual_seed(seed)
    real, train = _as_bytes(real), _as_bytes(train)
    real = real[torch.randperm(len(real), generator=source, device="cpu").to(real.device)]
    pixels = real[: min(n, NEIGHBOURS)]
    ready = Reference(
        **_view(judge, real, len(pixels)),
        n=n,
        pixels=pixels,
        train=train,
        limit=copy_limit(pixels, train),
        floor=[],
        nulls={},
    )
    chosen = _floor_rows(len(train), n, floors, source)
    draws = [train[rows.to(train.device)] for rows in chosen]
    by_heart = draws[0][:BY_HEART].repeat(-(-n // BY_HEART), 1)[:n]
    noise = torch.randint(256, draws[0].shape, dtype=torch.uint8, generator=source, device="cpu").to(train.device)
    frauds = {f"{BY_HEART} images by heart": by_heart, "uniform noise": noise}
    ready = ready._replace(
        floor=[score(draw, ready, own=True) for draw in draws],
        nulls={name: score(images, ready) for name, images in frauds.items()},
        overlap=_overlap(chosen),
    )
    if second is None:
        return ready
    other = ready._replace(**_view(second, real, len(pixels)))
    floor = [_by_another(draw, other, scores) for draw, scores in zip(draws, ready.floor, strict=True)]
    nulls = {name: _by_another(images, other, ready.nulls[name]) for name, images in frauds.items()}
    return ready._replace(second=other._replace(floor=floor, nulls=nulls))


def _floor_rows(size: int, n: int, floors: int, source: torch.Generator) -> list[Tensor]:
    """`floors` draws of n of `size` rows: disjoint ones while the rows last, then those of another order."""
    found: list[Tensor] = []
    while len(found) < floors:
        order = torch.randperm(size, generator=source, device="cpu")
        found += [rows for rows in order.split(n) if len(rows) == n]
    return found[:floors]


def _overlap(draws: Sequence[Tensor]) -> float:
    """The mean share of rows that two draws of equal size have in common."""
    shared = [float(torch.isin(a, b).double().mean()) for a, b in combinations(draws, 2)]
    return sum(shared) / len(shared)


def _view(judge: DigitClassifier, real: Tensor, near: int) -> dict[str, Any]:
    """What a judge sees in real images (m, h*w), bytes, by the names of a Reference's fields."""
    features, probabilities = _judged(judge, real)
    return {
        "judge": judge,
        "moments": moments(features),
        "features": features,
        "radii": spacing(features[:near], 3),
        "shares": class_shares(probabilities),
    }


def score(samples: Tensor, against: Reference, *, own: bool = False) -> Scores:
    """The nine measures of n images: bytes, or floats in [0, 1], any shape that holds h*w numbers an image.

    The measures of neighbours (precision, recall, copies, repeats) look at the first 2,000 images at most, so the
    samples should be in random order. `own` says that the samples are training images, each one once.
    Raises ValueError for another number of images than the reference's n, or values outside [0, 1].
    """
    if len(samples) != against.n:
        raise ValueError(
            f"the floor was measured with n = {against.n:,} images and here are {len(samples):,}: the Fréchet distance "
            f"depends on n, so draw {against.n:,}, or build the reference with n={len(samples)}"
        )
    images = _as_bytes(samples).to(against.pixels.device)
    pixels = images[: len(against.pixels)].flatten(1)
    return Scores(
        **_by_features(images, against),
        copies=_share(nearest(pixels, against.train, 1 + own) < against.limit),
        repeats=share_of_repeats(pixels, against.pixels),
    )


def _by_features(images: Tensor, against: Reference) -> dict[str, float]:
    """The seven measures that a judge has an opinion on, of bytes (n, ...)."""
    features, probabilities = _judged(against.judge, images)
    shares, near = class_shares(probabilities), len(against.pixels)
    some = features[:near]
    return {
        "frechet": frechet_distance(moments(features), against.moments),
        "kernel": float(kernel_distances(features, against.features).mean()),
        "precision": _share(inside(some, against.features[:near], against.radii)),
        "recall": _share(inside(against.features[:near], some, spacing(some, 3))),
        "coverage": float(coverage(shares, against.shares)),
        "entropy": float(entropy(shares)),
        "confidence": float(probabilities.max(1).values.double().mean()),
    }


def _by_another(images: Tensor, other: Reference, scores: Scores) -> Scores:
    """The same images by another judge; copies and repeats are of pixels, and stay."""
    return scores._replace(**_by_features(_as_bytes(images), other))


def report(samples: Tensor | Sequence[Tensor], against: Reference, name: str = "samples") -> Report:
    """The report card of a generator: n samples, or several independent draws of n, which give intervals.

    The intervals are over the draws: they hold what comes from drawing, not what comes from training again. Where the
    reference has a second judge, its opinion is in the report's `second`, and in its table.
    Raises ValueError as `score`.
    """
    draws = [samples] if isinstance(samples, Tensor) else list(samples)
    scores = [score(draw, against) for draw in draws]
    first = Report(name, scores, against.floor, against.nulls, against.n, overlap=against.overlap)
    if (other := against.second) is None:
        return first
    opinions = [_by_another(draw, other, one) for draw, one in zip(draws, scores, strict=True)]
    return first._replace(second=first._replace(draws=opinions, floor=other.floor, nulls=other.nulls))


def _judged(judge: DigitClassifier, images: Tensor, chunk: int = 1000) -> tuple[Tensor, Tensor]:
    """Features and class probabilities of bytes, in one pass through the body; a judge of one's own takes [0, 1]."""
    with torch.no_grad():
        features = torch.cat([judge.features(part.float() / 255) for part in images.split(chunk)])
        return features, judge.head(features).softmax(1)


def _as_bytes(images: Tensor) -> Tensor:
    unit_range(images)
    return (images if images.dtype == torch.uint8 else to_bytes(images.detach())).flatten(1)


def _share(yes: Tensor) -> float:
    return float(yes.double().mean())
