"""Train the second judge of digits, mnist-normed, and store it in data/weights/judges: ten minutes of one core.

.venv/bin/python tools/train_judge.py            # or with a number of steps, for a trial: then nothing is stored
"""

import sys
import time
from functools import partial

import torch

from gan_lessons import data, judges
from gan_lessons.metrics.classifier import NormedClassifier, fit_classifier, jittered, scaled

STEPS = 7_000


def main(steps: int) -> None:
    """Train on MNIST's training images, moved, turned and scaled by chance; print the accuracy on its test images."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    train, test = data.load("mnist"), data.load("mnist", "test")
    network, started = NormedClassifier().to(memory_format=torch.channels_last), time.process_time()
    fit_classifier(train.images, train.labels, steps, network=network, augment=jittered)
    scaled(network, test.images)
    seconds, (images, labels, _) = time.process_time() - started, test
    assert labels is not None
    accuracy = float((network.probabilities(data.unit(images)).argmax(1) == labels).double().mean())
    print(f"{accuracy:.2%} of the test images read rightly, after {steps:,} steps, {seconds:.0f} s of the processor")
    if steps == STEPS:
        kept = partial(judges.save, judges.SECOND, network, chapter="tools/train_judge.py", data="mnist")
        print(kept(steps=steps, seconds=seconds, accuracy=accuracy))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else STEPS)
