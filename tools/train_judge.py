"""Train a stored judge, and store it in data/weights/judges: ten minutes of one core for digits, three in colour.

.venv/bin/python tools/train_judge.py mnist-normed        # the second judge of digits
.venv/bin/python tools/train_judge.py cifar16             # chapter 08's; with a number of steps after it, for a trial:
                                                          # then nothing is stored
"""

import sys
import time
from functools import partial

import torch
from torch import Tensor

from gan_lessons import data, judges, paths
from gan_lessons.metrics.classifier import (
    ColourClassifier,
    DigitClassifier,
    NormedClassifier,
    fit_classifier,
    jittered,
    mirrored,
    scaled,
)

STEPS = {judges.SECOND: 7_000, "cifar16": 2_500}


def digits(steps: int) -> tuple[DigitClassifier, data.Images]:
    """The second judge of digits, from MNIST's training images, moved, turned and scaled by chance; and the test."""
    train, test = data.load("mnist"), data.load("mnist", "test")
    network = NormedClassifier().to(memory_format=torch.channels_last)
    fit_classifier(train.images, train.labels, steps, network=network, augment=jittered)
    scaled(network, test.images)
    return network, test


def colour(steps: int) -> tuple[DigitClassifier, data.Images]:
    """The judge of CIFAR-10's central 16x16 pixels, from two fifths of the training pictures; and the test."""
    source = paths.data_root() / "cifar10-jpeg.zip"
    name = str(source) if source.exists() else "cifar10"
    train, test = (data.load(name, part, size=32, channels=3) for part in ("train", "test"))
    assert train.labels is not None
    own, _ = data.parted(len(train.images), 0.4)
    network = ColourClassifier().to(memory_format=torch.channels_last)
    fit_classifier(data.centre(train.images[own], 16), train.labels[own], steps, network=network, augment=mirrored)
    return network, test._replace(images=data.centre(test.images, 16))


def accuracy(network: DigitClassifier, images: Tensor, labels: Tensor) -> float:
    """The share of images that the judge reads rightly."""
    return float((network.probabilities(data.unit(images)).argmax(1) == labels).double().mean())


def main(name: str, steps: int) -> None:
    """Train this judge, print its accuracy on the test images, and store it after its own number of steps."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    started = time.process_time()
    network, test = (digits if name == judges.SECOND else colour)(steps)
    seconds = time.process_time() - started
    assert test.labels is not None
    right = accuracy(network, test.images, test.labels)
    print(f"{right:.2%} of the test images read rightly, after {steps:,} steps, {seconds:.0f} s of the processor")
    if steps == STEPS[name]:
        kept = partial(judges.save, name, network, chapter="tools/train_judge.py", data=test.name)
        print(kept(steps=steps, seconds=seconds, accuracy=right))


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in STEPS:
        sys.exit(f"name a judge: {', '.join(STEPS)}")
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else STEPS[sys.argv[1]])
