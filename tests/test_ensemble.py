from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gan_lessons import GAN, ensemble, losses, models, noise, train

SEEDS = 4


def pair(seed: int) -> tuple[nn.Sequential, nn.Sequential]:
    torch.manual_seed(seed)
    return models.mlp([3, 8, 8, 2], slope=0.2).double(), models.mlp([2, 8, 1], slope=0.2).double()


def generators(offset: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(offset + seed) for seed in range(SEEDS)]


prior64 = noise.Prior("gaussian", 3, lambda *size, **where: torch.randn(*size, dtype=torch.float64, **where))


def cloud(n: int, generator: torch.Generator) -> Tensor:
    return 2 + torch.randn(n, 2, generator=generator, dtype=torch.float64)


def play(gan: GAN, batches: Iterator[tuple[Tensor, ...]], objective: losses.Objective) -> None:
    adam: dict[str, Any] = {
        "g_optimizer": torch.optim.Adam(gan.G.parameters(), 1e-2, betas=(0.5, 0.9)),
        "d_optimizer": torch.optim.Adam(gan.D.parameters(), 1e-2, betas=(0.5, 0.9)),
    }
    for _ in train(gan, batches, 15, objective=objective, **adam, d_steps=2):
        pass


def test_each_seed_of_an_ensemble_ends_where_its_single_run_ends() -> None:
    pairs = [pair(seed) for seed in range(SEEDS)]
    G, D = (ensemble.stack(networks) for networks in zip(*pairs, strict=True))
    together = GAN(G, D, ensemble.stack_prior(prior64, generators(100)))
    batches = ensemble.points(cloud, 16, generators(200))
    play(together, batches, ensemble.over_seeds(losses.non_saturating, SEEDS))

    for seed in range(SEEDS):
        z, x = generators(100)[seed], generators(200)[seed]

        def alone(source: torch.Generator = x) -> Iterator[tuple[Tensor]]:
            while True:
                yield (cloud(16, source),)

        own = noise.Prior("own", 3, lambda *size, z=z, **where: prior64.draw(*size, generator=z, **where))
        single = GAN(*pair(seed), own)
        play(single, alone(), losses.non_saturating)
        for stacked, network, start in ((G, single.G, pair(seed)[0]), (D, single.D, pair(seed)[1])):
            for p, q, first in zip(member(stacked, seed), network.parameters(), start.parameters(), strict=True):
                assert torch.allclose(p, q, rtol=0, atol=1e-9)
                assert not torch.allclose(p, first, atol=1e-3)


def member(stacked: ensemble.Stacked, seed: int) -> Iterator[Tensor]:
    """One seed's weights and biases, of the shapes that its single network has."""
    for layer in stacked:
        if isinstance(layer, ensemble.StackedLinear):
            yield from (layer.weight[seed].T, layer.bias[seed, 0])


def test_stacked_networks_compute_what_each_computes_alone() -> None:
    networks = [pair(seed)[0] for seed in range(SEEDS)]
    z = torch.randn(5, SEEDS, 3, dtype=torch.float64)
    out = ensemble.stack(networks)(z)
    assert out.shape == (5, SEEDS, 2)
    for seed, network in enumerate(networks):
        assert torch.allclose(out[:, seed], network(z[:, seed]), atol=1e-12)


def test_no_seed_feels_another() -> None:
    G = ensemble.stack([pair(seed)[0] for seed in range(SEEDS)])
    z = torch.randn(5, SEEDS, 3, dtype=torch.float64, requires_grad=True)
    G(z)[:, 1].sum().backward()
    assert z.grad is not None
    assert float(z.grad[:, 1].abs().sum()) > 0
    assert float(z.grad[:, [0, 2, 3]].abs().sum()) == 0


def test_batches_of_iterators_are_stacked_in_the_order_of_seeds() -> None:
    sources = [iter([(torch.full((3, 2), float(seed)),)] * 2) for seed in range(SEEDS)]
    (batch,) = next(ensemble.stack_batches(sources))
    assert batch.shape == (3, SEEDS, 2)
    assert batch[0, :, 0].tolist() == [0, 1, 2, 3]


def test_networks_that_do_not_match_or_look_at_the_batch_are_refused() -> None:
    with pytest.raises(ValueError, match="all of one shape"):
        ensemble.stack([models.mlp([2, 3, 1]), models.mlp([2, 4, 1])])
    with pytest.raises(ValueError, match="at least one network"):
        ensemble.stack([])
    with pytest.raises(ValueError, match="cannot stack a LayerNorm"):
        ensemble.stack([nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2))] * 2)


@pytest.mark.parametrize("training", [True, False])
def test_batch_normalisation_of_a_seed_sees_its_own_batch_alone(training: bool) -> None:
    torch.manual_seed(1)
    singles = [nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 1)).double() for _ in "abc"]
    for network in singles:
        nn.init.normal_(network[1].get_parameter("weight"))
        network(torch.randn(9, 3, dtype=torch.float64) + 1)  # its running averages
    many = ensemble.stack(singles).train(training)
    x = torch.randn(7, 3, 3, dtype=torch.float64)
    alone = torch.stack([network.train(training)(x[:, k]) for k, network in enumerate(singles)], 1)
    assert torch.allclose(many(x), alone, atol=1e-12)
    running = torch.cat([network[1].get_buffer("running_mean") for network in singles])
    assert torch.allclose(many.get_buffer("1.norm.running_mean"), running, atol=1e-12)


def test_points_of_a_seed_depend_neither_on_the_others_nor_on_their_number() -> None:
    together = ensemble.points(cloud, 16, generators(7), ahead=3)
    alone = ensemble.points(cloud, 16, generators(7)[2:3], ahead=3)
    batches = [(next(together)[0], next(alone)[0]) for _ in range(7)]
    assert all(torch.equal(many[:, 2], one[:, 0]) for many, one in batches)
    assert len({float(many[0, 2, 0]) for many, _ in batches}) == 7


def test_seeded_networks_begin_as_each_does_right_after_its_seed() -> None:
    torch.manual_seed(99)
    stacked = ensemble.seeded(lambda: models.mlp([3, 4, 1]), [5, 2])
    for row, seed in enumerate((5, 2)):
        torch.manual_seed(seed)
        alone = models.mlp([3, 4, 1])
        assert all(torch.equal(p, q) for p, q in zip(member(stacked, row), alone.parameters(), strict=True))


def test_on_a_line_each_network_answers_at_each_place_in_the_dtype_of_the_places() -> None:
    networks = [models.mlp([1, 4, 1]) for _ in range(3)]
    places = torch.linspace(-2, 2, 7, dtype=torch.float64)
    answers = ensemble.on_line(ensemble.stack(networks), places, 3)
    assert answers.shape == (7, 3)
    assert answers.dtype == torch.float64
    assert not answers.requires_grad
    for seed, network in enumerate(networks):
        alone = network(places.float()[:, None]).detach()[:, 0].double()
        assert torch.allclose(answers[:, seed], alone, atol=1e-6)


def test_shared_draws_are_those_of_one_generator_dealt_out_to_the_seeds() -> None:
    z = ensemble.shared_prior(noise.gaussian(2), 3).sample(5, generator=torch.Generator().manual_seed(7))
    assert torch.equal(z.reshape(15, 2), torch.randn(15, 2, generator=torch.Generator().manual_seed(7)))
    batches = ensemble.shared_points(cloud, 5, 3, torch.Generator().manual_seed(7))
    (first,), (second,) = next(batches), next(batches)
    assert first.shape == (5, 3, 2)
    assert torch.equal(first.reshape(15, 2), cloud(15, torch.Generator().manual_seed(7)))
    assert not torch.equal(first, second)


def test_stacking_leaves_the_networks_and_their_inputs_alone() -> None:
    networks = [nn.Sequential(nn.ReLU(), nn.Linear(2, 3), nn.Tanh(), nn.ReLU(), nn.Linear(3, 1)) for _ in range(2)]
    x = torch.randn(4, 2, 2)
    before = x.clone()
    ensemble.stack(networks)(x).sum().backward()
    assert torch.equal(x, before)
    assert not any(layer.inplace for layer in networks[0] if isinstance(layer, nn.ReLU))
