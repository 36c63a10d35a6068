import re
from typing import Any

import pytest
import torch
from torch import nn

from gan_lessons import base, data, train
from gan_lessons.profiles import PROFILES, Profile
from gan_lessons.training import GAN


def images(n: int = 200) -> data.Images:
    digits = data.load("digits")
    return digits._replace(images=digits.images[:n])


def losses_of(played: tuple[GAN, Any, dict[str, Any]], rounds: int = 3) -> list[float]:
    gan, batches, rest = played
    return [float(loss) for step in train(gan, batches, rounds, **rest) for loss in step[1:]]


@pytest.mark.parametrize("game", [base.MLP, base.DCGAN, base.DCGAN_LONG])
def test_a_base_game_is_the_same_for_the_same_seed_and_another_for_another(game: base.Game) -> None:
    first, again, other = (losses_of(base.start(game, images(), seed)) for seed in (0, 0, 1))
    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("game", "parameters"),
    [
        (base.MLP, (579_728, 533_505)),
        (base.DCGAN, (271_169, 109_281)),
        (base.DCGAN_LONG, (271_169, 369_825)),
    ],
)
def test_base_games_draw_images_and_have_the_size_that_their_chapters_say(
    game: base.Game, parameters: tuple[int, int]
) -> None:
    gan, batches, _ = base.start(game, images(), 0)
    counts = tuple(sum(p.numel() for p in net.parameters()) for net in (gan.G, gan.D))
    assert counts == parameters
    assert gan.images(2).shape == (2, 1, 28, 28)
    assert next(batches)[0].shape[0] == game.batch
    assert -1 <= float(next(batches)[0].min()) < 0


def test_the_long_dcgan_is_the_dcgan_but_for_its_length_its_rates_and_three_changes_in_d() -> None:
    D = base.DCGAN_LONG.discriminator()
    kinds = [type(layer).__name__ for layer in D]
    assert kinds.count("BatchNorm2d") == kinds.count("Linear") == 2
    assert {layer.negative_slope for layer in D if isinstance(layer, nn.LeakyReLU)} == {0.0}
    same = base.DCGAN_LONG._replace(
        name="DCGAN", discriminator=base.DCGAN.discriminator, rounds=base.DCGAN.rounds, play=base.DCGAN.play
    )
    assert same == base.DCGAN


def test_one_thing_can_be_changed() -> None:
    slow = base.MLP._replace(name="slow", lr=1e-5)
    _, _, rest = base.start(slow, images(), 0)
    assert rest["g_optimizer"].param_groups[0]["lr"] == 1e-5
    assert base.MLP.epochs(60_000) == pytest.approx(8_000 * 128 / 60_000)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_a_game_at_a_profile_is_the_game_but_for_what_the_profile_spends(profile: Profile) -> None:
    game = base.DCGAN_LONG.at(profile)
    assert (game.rounds, game.batch) == {"smoke": (4, 16), "quick": (3_600, 64), "full": (12_000, 64)}[profile.name]
    assert game._replace(rounds=12_000, batch=64) == base.DCGAN_LONG


def test_fewer_images_than_a_batch_are_told_with_the_remedy_which_works() -> None:
    with pytest.raises(
        ValueError, match="MLP takes 128 images at a time, and here are 100: bring more, or play"
    ) as told:
        base.start(base.MLP, images(100), 0)
    (remedy,) = re.findall(r"batch=(\d+)", str(told.value))
    losses_of(base.start(base.MLP._replace(batch=int(remedy)), images(100), 0), 1)
    with pytest.raises(ValueError, match=r"here are 1: bring more$"):
        base.start(base.MLP, images(1).images, 0)
    base.start(base.MLP, images(128), 0)
    pair: Any = images(128).images, torch.arange(128)  # as `data.batches` takes it
    base.start(base.MLP, pair, 0)


def test_what_a_toy_game_draws_does_not_depend_on_the_other_seeds() -> None:
    def ended(seeds: list[int], seed: int) -> torch.Tensor:
        gan, batches, rest = base.start_together(base.TOY, seeds)
        for _ in train(gan, batches, 5, **rest):
            pass
        z = torch.randn(7, 1, 8, generator=torch.Generator().manual_seed(1)).expand(-1, len(seeds), -1)
        with torch.no_grad():
            return gan.G(z)[:, seeds.index(seed)]

    assert torch.allclose(ended([3, 4, 9], 4), ended([4], 4), atol=1e-5)
    assert not torch.allclose(ended([3, 4], 3), ended([3, 4], 4), atol=1e-2)


def test_toy_networks_start_as_single_networks_of_their_seed() -> None:
    gan, _, _ = base.start_together(base.TOY, [5])
    torch.manual_seed(50)
    single = base.TOY.generator()
    z = torch.randn(3, 8)
    assert isinstance(single, nn.Sequential)
    assert torch.allclose(gan.G(z[:, None])[:, 0], single(z), atol=1e-6)
