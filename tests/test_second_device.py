"""What readers with a GPU call, on a device that refuses the CPU's tensors: all of it in one process of its own."""

import json
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
import torch

from gan_lessons import GAN, base, data, judges, losses, metrics, runs, zoo
from gan_lessons.models import convolutions
from tests import second_device, warm

SIZES: dict[str, Any] = {"size": 28, "width": 4, "channels": 1, "z_dim": 64, "deep": True}
SMALL: Any = base.DCGAN  # whose networks take sizes
GAME = base.DCGAN._replace(
    generator=partial(SMALL.generator, width=4),
    discriminator=partial(SMALL.discriminator, width=4),
    penalty=partial(losses.r1_r2, gamma=0.5, share=0.25),
    rounds=3,
    batch=8,
)
DEVICE = second_device.NAME


@cache
def digits() -> data.Images:
    return data.load("digits", size=28)


@cache
def pair() -> GAN:
    """A pair on the device, played for three rounds."""
    gan, batches, rest = base.start(GAME, digits(), 0, device=DEVICE)
    for _ in GAME.play(gan, batches, GAME.rounds, **rest):
        pass
    return gan


def a_game_is_read_along() -> None:
    gan, batches, rest = base.start(GAME, digits(), 0, device=DEVICE)
    opinions = judges.opinions(digits().images[:64], DEVICE)
    rest |= {"at": {GAME.rounds: 100}, "statistics": 20}
    row = runs.read_along(gan, batches, GAME.rounds, lambda gan: opinions(gan.images(32)), **rest)
    assert row["second_distance@100"] > 0


def a_game_with_labels_is_read_along() -> None:
    game = base.CDCGAN._replace(rounds=2, batch=8)
    gan, batches, rest = base.start(game, digits(), 0, device=DEVICE)
    opinions, labels = judges.opinions(digits().images[:64], DEVICE), digits().labels
    assert labels is not None
    asked = labels[:32]

    def score(gan: GAN) -> dict[str, float]:
        return opinions(gan.images(32, labels=asked), asked)

    row = runs.read_along(gan, batches, 2, score, at={2: 100}, play=game.play, statistics=20, **rest)
    assert 0 <= row["alignment@100"] <= 1


def judges_take_images_from_either_device() -> None:
    images = digits().images[:64]
    here, there = (judges.opinions(images, device) for device in ("cpu", DEVICE))
    values = [ask(images[:32].to(place)) for ask in (here, there) for place in ("cpu", DEVICE)]
    assert all(value == pytest.approx(values[0], rel=1e-3) for value in values)


def a_report_card_takes_images_from_either_device() -> None:
    judge, second = judges.load("mnist").to(DEVICE), judges.load(judges.SECOND)
    images = digits().images
    against = metrics.reference(judge, images[:40], images[40:140], 20, second=second)
    cards = [metrics.report([images[200:220].to(place)] * 2, against) for place in ("cpu", DEVICE)]
    assert cards[0].draws == cards[1].draws


def a_generator_is_stored() -> None:
    with tempfile.TemporaryDirectory() as folder:
        zoo.save(
            *("tiny", pair().G, GAME.prior),
            builder=convolutions.dcgan_generator,
            arguments=SIZES,
            chapter="07_dcgan",
            data="digits",
            steps=GAME.rounds,
            seconds=1.0,
            scores={"distance": 1.0},
            range=(-1.0, 1.0),
            folder=Path(folder),
        )
        assert zoo.load("tiny", Path(folder)).sample(2).shape == (2, 1, 28, 28)


def devices_that_meet_are_noticed() -> None:
    with pytest.raises(RuntimeError, match="same device"):
        pair().D(torch.zeros(2, 1, 28, 28))
    with pytest.raises(RuntimeError, match="generator"):
        torch.randn(2, device=DEVICE, generator=torch.Generator())


PARTS: tuple[Callable[[], None], ...] = (
    a_game_is_read_along,
    a_game_with_labels_is_read_along,
    judges_take_images_from_either_device,
    a_report_card_takes_images_from_either_device,
    a_generator_is_stored,
    devices_that_meet_are_noticed,
)


@pytest.mark.skipif(not second_device.AVAILABLE, reason="this PyTorch knows no Python backends")
def test_what_readers_call_works_on_a_device_that_refuses_the_cpus_tensors(warm_socket: str) -> None:
    command = [*warm.python(warm_socket), "tests.test_second_device"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    assert json.loads(done.stdout) == {}


if __name__ == "__main__":
    second_device.register()
    faults: dict[str, str] = {}
    for part in PARTS:
        try:
            part()
        except Exception as error:
            faults[part.__name__] = f"{type(error).__name__}: {error}"
    print(json.dumps(faults))
