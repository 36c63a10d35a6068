"""Checkers of chapter 14, Conditional GAN."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import torch
from torch import Tensor

from gan_lessons import strokes, zoo
from gan_lessons.exercises import Verdict, checker, not_yet, right
from gan_lessons.exercises.forms import several, tensor
from gan_lessons.exercises.rounding import fault
from gan_lessons.exercises.traces import changes
from gan_lessons.exercises.trials import agrees, misses, told

ASKED = 2_000  # images of the stored generator that a measure is tried on
CLASSES = 10


@checker(several(float, 2))
def check_1(counts: tuple[float, float]) -> Verdict:
    """Weights that ten labels add to G (linear, 64 -> 64x7x7) and to D (4x4 convolution, 1 -> 32)."""
    numbers = 64 * 7 * 7
    more_g, more_d = 10 * numbers, 10 * 32 * 16
    if (counts[0], counts[1]) == (more_d, more_g):
        return not_yet("Both numbers are right, the other way round: (G, D).")
    each = "each of the ten new inputs has a weight for each of the 3,136 numbers behind the first layer."
    turns = [
        (10.0, each),
        (10 * 64, "64 maps of 7 x 7 are 3,136 numbers, and a linear layer joins each input to all of them."),
        (numbers, "that is one label's share. There are ten."),
        (74 * numbers, "that counts all weights of the first layer; the question is how many there are more."),
    ]
    biased = [(10.0 * (numbers + 1), "a new input brings no bias: those belong to outputs, and this layer has none.")]
    if pointer := fault(counts[0], more_g, turns, each, exactly=biased):
        return not_yet(f"G: {pointer}")
    kernel = "each of the ten new maps has a kernel of 4 x 4 weights for each of the 32 features."
    turns = [
        (10 * 32, kernel),
        (10 * 16, kernel),
        (10.0, kernel),
        (32 * 16, "that is one label's share. There are ten maps."),
        (11 * 32 * 16, "that counts all weights of the first convolution; the question is how many there are more."),
        (10 * 28 * 28, "that counts the numbers in the maps. A convolution has its weights only once for all places."),
        (10 * 28 * 28 * 32, "a convolution has its weights only once for all places."),
    ]
    if pointer := fault(counts[1], more_d, turns, kernel):
        return not_yet(f"D: {pointer}")
    return right("All other layers stay as they were: only the first of each grows.")


@checker(several(float, 2))
def check_2(best: tuple[float, float]) -> Verdict:
    """D* where p(x|y) = .3 and q(x|y) = .1: with shared labels, and with y in a fifth and a tenth of the batches."""
    shared, apart = 0.3 / 0.4, 0.06 / 0.07
    turns = [
        (apart, "that is the answer to the second question."),
        (0.1 / 0.4, "that is the probability that the image is forged."),
        (3.0, "that is the ratio p/q. D* is p/(p + q)."),
    ]
    if pointer := fault(best[0], shared, turns, "with shared labels the frequency of the label drops out: p/(p + q)."):
        return not_yet(f"Shared: {pointer}")
    turns = [
        (shared, "now the label itself says something: it comes with a real image twice as often."),
        (0.03 / 0.05, "the frequencies are the wrong way round: the label is the more frequent one on real images."),
        (6.0, "that is the ratio. D* is a share: the real part over both."),
        (0.01 / 0.07, "that is the probability that the image is forged."),
        (2 / 3, "that is what the label alone says. The image speaks as well: 0.2 times 0.3 against 0.1 times 0.1."),
    ]
    if pointer := fault(best[1], apart, turns, "weigh each density by how often its batch has this label."):
        return not_yet(f"Not shared: {pointer}")
    return right("The slip alone is worth log 2 of logit there, and G can do nothing about it.")


@checker(callable)
def check_3(projection: Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Any]) -> Verdict:
    """h (n, d), y (n,), V (classes, d), w (d,), b () -> w·h + b + V[y]·h, (n,) or (n, 1)."""

    def truth(h: Tensor, y: Tensor, V: Tensor, w: Tensor, b: Tensor) -> Tensor:
        return h @ w + b + (V[y] * h).sum(1)

    for case, given, wanted in misses(projection, truth, _slips()):
        h, y, V, w, b = (part.double() if part.is_floating_point() else part for part in case)
        n = len(h)
        if given.squeeze().shape != wanted.squeeze().shape:
            square = " An image needs the row of its own label only: V[y], and not the product with all." * (
                given.numel() in (n * n, n * len(V))
            )
            return not_yet(f"{n} images should get {n} logits, and yours has the shape {tuple(given.shape)}.{square}")
        wrong = [
            (h @ w + b, "That is what an officer says who does not read the slip: V is missing."),
            ((V[y] * h).sum(1), "That is the slip's part alone. The officer's plain opinion, w·h + b, is missing."),
            ((V[y] * h).sum(1) + h @ w, "The bias b is missing."),
            (h @ w + b + (V[y] * h).mean(1), "Take the sum over the features, not their mean: it is an inner product."),
            (h @ w + b + V[y].sum(1), "The row of V is added, but it never meets the image: multiply it with h first."),
        ]
        for other, pointer in wrong:
            if agrees(given.flatten(), other.flatten(), torch.float32):
                return not_yet(pointer)
        return not_yet(f"Look at the three terms one by one. {told('the case tried', given, wanted)}")
    return right("One inner product more, and D reads the slip at her last layer.")


def _slips() -> Iterator[tuple[Tensor, ...]]:
    """(h, y, V, w, b) of several sizes, in both precisions; a batch as long as there are classes, and one image."""
    source = torch.Generator().manual_seed(0)
    for dtype in (torch.float64, torch.float32):
        for n, d, classes in ((7, 5, 10), (10, 4, 10), (1, 3, 2), (32, 64, 5)):
            sizes = (n, d), (classes, d), (d,), ()
            h, V, w, b = (torch.randn(size, generator=source, dtype=dtype) for size in sizes)
            yield h, torch.randint(classes, (n,), generator=source), V, w, b


@checker(several(float, 2))
def check_4(alignments: tuple[float, float]) -> Verdict:
    """A generator that is right in half of all cases under a judge of 70 %, and one constant image a class."""
    half = 0.5 * 0.7 + 0.5 * 0.3 / 9
    turns = [
        (0.35, "a wrong digit is sometimes misread as the right one: add that chance."),
        (0.5, "the judge is wrong in three of ten cases, whatever is drawn."),
        (0.5 * 0.7 + 0.5 * 0.3, "a misread digit is one of nine others, and only one of them is the one asked for."),
        (0.7, "that is the alignment of a generator that is always right."),
    ]
    if pointer := fault(alignments[0], half, turns, "two ways lead to the digit asked for: drawn right, or misread."):
        return not_yet(f"The first: {pointer}")
    turns = [
        (0.7, "0.7 is the judge's mean over all images. These ten she reads rightly, every time."),
        (0.1, "there are ten images, one for each order, and each is the one that was asked for."),
    ]
    if pointer := fault(alignments[1], 1.0, turns, "what does the judge say to the same image, the hundredth time?"):
        return not_yet(f"The second: {pointer}")
    return right("Real images would get 0.7. So alignment can be higher than that of the real images, by a fraud.")


@checker(callable)
def check_5(variety: Callable[[Tensor, Tensor], Any]) -> Verdict:
    """features (n, d), labels (n,) -> the mean over labels of the sum over features of the variance (n - 1)."""

    def truth(features: Tensor, labels: Tensor) -> Tensor:
        return torch.stack([features[labels == k].var(0).sum() for k in labels.unique()]).mean()

    for case, given, wanted in misses(variety, truth, _classes()):
        features, labels = case[0].double(), case[1]
        parts = [features[labels == k] for k in labels.unique()]
        spread = [part.var(0).sum() for part in parts]
        pooled = torch.cat([part - part.mean(0) for part in parts]).square().sum() / (len(features) - len(parts))
        wrong = [
            (features.var(0).sum(), "That is the variance of all together. A machine with ten images has one, too."),
            (torch.stack([p.var(0, correction=0).sum() for p in parts]).mean(), "Divide by n - 1, not by n."),
            (torch.stack(spread).sum(), "Take the mean over the labels, not the sum."),
            (torch.stack([p.var(0).mean() for p in parts]).mean(), "Take the sum over the features, not the mean."),
            (torch.stack([p.std(0).sum() for p in parts]).mean(), "Take variances, not standard deviations."),
            (pooled, "Each label counts once, however many images it has."),
            (
                sum(len(part) * own for part, own in zip(parts, spread, strict=True)) / len(features),
                "Each label counts once, however many images it has.",
            ),
            (torch.stack(spread).sum() / CLASSES, "Divide by how many labels occur, which need not be ten."),
            (
                torch.stack([p.mean(0) for p in parts]).var(0).sum(),
                "That is how far the classes lie from one another. How far do images of one class lie apart?",
            ),
        ]
        for other, pointer in wrong:
            if agrees(given.flatten(), other.flatten(), torch.float32) and not agrees(wanted, other, torch.float32):
                return not_yet(pointer)
        tried = told("the case tried", given, wanted)
        return not_yet(f"Label by label: its rows, their variance, summed over features. {tried}")
    return right("One constant image a class has none, and its alignment is perfect.")


def _classes() -> Iterator[tuple[Tensor, Tensor]]:
    """(features, labels): labels of unequal counts, some of which never occur; classes far apart, both precisions."""
    source = torch.Generator().manual_seed(0)
    for dtype in (torch.float64, torch.float32):
        for counts in ((5, 9, 3), (2, 0, 30), (4,)):
            labels = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
            labels = labels[torch.randperm(len(labels), generator=source)]
            noise = torch.randn(len(labels), 6, generator=source, dtype=dtype)
            yield noise * (1 + labels[:, None]) + 3 * labels[:, None], labels


@checker(callable)
def check_6(measure: Callable[[Tensor], Any]) -> Verdict:
    """images (n, 1, 28, 28) in [0, 1] -> (n,): something that a direction in z changes, and that is new."""
    writer, z, labels, hot, drawn = _asked()
    images = drawn.clone()  # yours to spoil
    with changes(images=images) as changed:
        values = tensor(measure(images)).float().flatten()
    if changed:
        return not_yet(f"Your measure may be good, but {changed[0]}")
    if values.shape != (ASKED,):
        return not_yet(f"{ASKED:,} images should get as many numbers, and yours gives {values.numel():,}.")
    if not bool(values.isfinite().all()):
        return not_yet("Some numbers are nan or infinite: is there a division by the ink of an empty row?")
    fewer = tensor(measure(images[:CLASSES].clone())).float().flatten()
    if fewer.shape != (CLASSES,) or not torch.allclose(fewer, values[:CLASSES], rtol=1e-3, atol=1e-5):
        return not_yet("An image's number should be the same whatever other images come with it, and yours changes.")
    spread = _within(values, labels)
    if float(spread.mean()) <= 1e-6 * max(1.0, float(values.abs().mean())):
        return not_yet("All images of a class get the same number: measure the drawing, not the digit.")
    way = strokes.directions(images, z, labels, {"yours": lambda _: values})["yours"].float()
    for name, known in (writer.card.directions or {}).items():
        if abs(float(way @ torch.tensor(known))) > 0.8:
            return not_yet(f"That is {name} once more: your direction is nearly the one we have. Find another thing.")
    less, more = (
        tensor(measure(writer.images(torch.cat([z + (side - z @ way)[:, None] * way, hot], 1)))).float().flatten()
        for side in (-2.0, 2.0)
    )
    grown = torch.stack([(more - less)[labels == k].mean() for k in range(CLASSES)]) / spread.clamp(min=1e-9)
    least, most = float(grown.min()), float(grown.max())
    if least < 1:
        return not_yet(
            f"From -2 to 2 along its direction your measure grows by {least:.1f} of its own spread for the digit "
            f"{int(grown.argmin())}; at least 1 is wanted, for each digit. A straight line in z says too little of it."
        )
    return right(f"From -2 to 2 it grows by {least:.1f} to {most:.1f} of its own spread, digit by digit.")


@cache
def _asked() -> tuple[zoo.Generator, Tensor, Tensor, Tensor, Tensor]:
    """The stored generator of digits; and noise, labels, one-hots and images about which exercise 6 asks a measure."""
    writer, labels = zoo.load("cdcgan-mnist"), torch.arange(ASKED) % CLASSES
    z = writer.prior.draw(ASKED, writer.prior.dim, generator=torch.Generator().manual_seed(0)).float()
    hot = torch.eye(CLASSES, dtype=z.dtype)[labels]
    return writer, z, labels, hot, writer.images(torch.cat([z, hot], 1))


def _within(values: Tensor, labels: Tensor) -> Tensor:
    return torch.stack([values[labels == k].std() for k in range(CLASSES)])
