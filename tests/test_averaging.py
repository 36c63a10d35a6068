import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from gan_lessons import GAN, averaging, noise
from gan_lessons.models import mlp_discriminator
from gan_lessons.models.convolutions import dcgan_discriminator, dcgan_generator


def dcgan() -> GAN:
    torch.manual_seed(0)
    return GAN(dcgan_generator(28, 4, 1, 5), dcgan_discriminator(28, 4), noise.gaussian(5))


def weight_of(average: AveragedModel) -> Tensor:
    return average.module.get_parameter("weight").detach()


def source(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_average_of_a_game_with_frozen_weights_is_the_network() -> None:
    gan = dcgan()
    average = averaging.average_of(gan.G, 0.99)
    for _ in range(200):  # until its own running statistics have forgotten where they began
        average.update_parameters(gan.G)
        gan.G.train()(gan.prior.sample(64))  # its statistics go on moving
    pairs = zip(average.module.parameters(), gan.G.parameters(), strict=True)
    assert all(torch.equal(ours, theirs) for ours, theirs in pairs)
    same = averaging.averaged(GAN(gan.G, gan.D, gan.prior), average, 2_000, source()).G
    twin = averaging.average_of(gan.G)
    direct = averaging.averaged(gan, twin, 2_000, source()).G
    z = gan.prior.sample(16, generator=source(2))
    with torch.no_grad():
        assert torch.equal(same(z), direct(z))
        own = gan.G.eval()(z)
        assert float((same(z) - own).abs().mean()) < 0.1 * float(own.abs().mean())


def test_the_decay_is_warmed_up_to_its_last_value() -> None:
    """Weights 0 before the first update and then 1, 2, 3, …: the average by hand."""
    network = nn.Linear(1, 1, bias=False)
    average = averaging.average_of(network, 0.4)
    expected = None
    for t in range(6):
        nn.init.constant_(network.weight, t + 1.0)
        average.update_parameters(network)
        decay = min(0.4, (1 + t) / (10 + t))
        expected = t + 1.0 if expected is None else decay * expected + (1 - decay) * (t + 1.0)
        assert float(weight_of(average)) == pytest.approx(expected, rel=1e-6)
    assert (1 + 5) / (10 + 5) == 0.4  # the last updates are at the full decay


def test_after_three_hundred_rounds_nothing_is_left_of_the_untrained_weights() -> None:
    kept = []
    for start in (0.0, 1.0):
        network = nn.Linear(1, 1, bias=False)
        nn.init.constant_(network.weight, start)
        average = averaging.average_of(network, 0.999)
        average.update_parameters(network)
        nn.init.constant_(network.weight, 5.0)
        for _ in range(300):
            average.update_parameters(network)
        kept.append(float(weight_of(average)))
    assert abs(kept[1] - kept[0]) < 1e-6


def test_statistics_are_those_of_the_averaged_weights() -> None:
    gan = dcgan()
    average = averaging.average_of(gan.G)
    average.update_parameters(gan.G)
    with torch.no_grad():
        for parameter in gan.G.parameters():
            parameter.mul_(1.5)
    average.update_parameters(gan.G)
    found = averaging.averaged(gan, average, 1_000, source())
    assert found.G is average.module
    assert found.D is gan.D
    assert not found.G.training
    norm = next(layer for layer in found.G.modules() if isinstance(layer, nn.BatchNorm2d))
    seen = list[Tensor]()
    norm.register_forward_pre_hook(lambda layer, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        found.G(torch.cat([gan.prior.sample(500, generator=g) for g in [source()] for _ in range(2)]))
    assert norm.running_mean is not None
    assert torch.allclose(norm.running_mean, seen[0].mean((0, 2, 3)), atol=1e-5)
    assert norm.momentum == 0.1


def test_an_average_goes_through_a_checkpoint() -> None:
    networks = [nn.Linear(2, 2) for _ in range(5)]
    whole, cut = (averaging.average_of(networks[0]) for _ in range(2))
    for network in networks:
        whole.update_parameters(network)
    for network in networks[:3]:
        cut.update_parameters(network)
    again = averaging.average_of(networks[4])
    again.load_state_dict(copy.deepcopy(cut.state_dict()))
    for network in networks[3:]:
        again.update_parameters(network)
    assert torch.equal(weight_of(again), weight_of(whole))


def test_without_batch_norm_no_noise_is_drawn() -> None:
    gan = GAN(mlp_discriminator((4,), 5), mlp_discriminator((4,), 5), noise.gaussian(5))
    state = torch.get_rng_state()
    averaging.averaged(gan, averaging.average_of(gan.G))
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("decay", [1.0, -0.1, 1.5, float("nan")])
def test_a_decay_that_makes_no_average_is_refused(decay: float) -> None:
    with pytest.raises(ValueError, match=r"lies in \[0, 1\), not"):
        averaging.average_of(nn.Linear(1, 1), decay)


@pytest.mark.parametrize("n", [0, -1, 1, 1.5])
def test_statistics_of_fewer_than_two_images_are_refused_and_none_is_lost(n: int) -> None:
    gan = dcgan()
    average = averaging.average_of(gan.G)
    before = copy.deepcopy(average.module.state_dict())
    with pytest.raises(ValueError, match="n must be a whole number of at least 2"):
        averaging.averaged(gan, average, n)
    assert all(torch.equal(value, before[name]) for name, value in average.module.state_dict().items())


@pytest.mark.parametrize("n", [2, 501, 1001])
def test_no_batch_of_the_statistics_has_one_image(n: int) -> None:
    gan = dcgan()
    seen: list[int] = []

    def draw(size: int, *rest: Any, **where: Any) -> Tensor:
        seen.append(size)
        return torch.randn(size, *rest, **where)

    counted = gan._replace(prior=gan.prior._replace(draw=draw))
    averaging.averaged(counted, averaging.average_of(gan.G), n)
    assert sum(seen) == n
    assert 2 <= min(seen) <= max(seen) <= 500
