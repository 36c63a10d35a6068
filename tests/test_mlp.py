import pytest
import torch
from torch import nn

from gan_lessons import models
from gan_lessons.models.layers import mixes_the_batch


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def test_the_classic_pair_has_its_shapes_and_parameter_counts() -> None:
    G, D = models.mlp_generator(), models.mlp_discriminator()
    assert G(torch.randn(5, 100)).shape == (5, 784)
    assert D(torch.rand(5, 784)).shape == (5, 1)
    assert parameters(D) == 784 * 128 + 128 + 128 * 1 + 1
    assert parameters(G) == 100 * 128 + 128 + 128 * 784 + 784


def test_an_mlp_is_its_formula() -> None:
    network = models.mlp([3, 4, 2], slope=0.2)
    first, second = (m for m in network if isinstance(m, nn.Linear))
    x = torch.randn(6, 3)
    hidden = x @ first.weight.T + first.bias
    hidden = torch.where(hidden > 0, hidden, 0.2 * hidden)
    assert torch.allclose(network(x), hidden @ second.weight.T + second.bias, atol=1e-6)


def test_slope_zero_is_relu_and_the_last_layer_is_linear() -> None:
    kinds = [type(m) for m in models.mlp([3, 4, 4, 2])]
    assert kinds == [nn.Linear, nn.ReLU, nn.Linear, nn.ReLU, nn.Linear]


def test_the_generator_ends_in_zero_to_one_or_minus_one_to_one() -> None:
    torch.manual_seed(0)
    z = 300 * torch.randn(50, 100)
    with torch.no_grad():
        unsigned, signed = models.mlp_generator()(z), models.mlp_generator(signed=True)(z)
    assert 0 <= float(unsigned.min()) < 0.01
    assert 0.99 < float(unsigned.max()) <= 1
    assert -1 <= float(signed.min()) < -0.99
    assert 0.99 < float(signed.max()) <= 1


def test_initialise_fills_linear_layers() -> None:
    network = models.mlp([50, 80, 1])
    models.initialise(network, nn.init.xavier_uniform_, bias=0.1)
    first = network[0]
    assert isinstance(first, nn.Linear)
    bound = (6 / (50 + 80)) ** 0.5  # Glorot and Bengio 2010, eq. 16
    assert 0.97 * bound < float(first.weight.detach().abs().max()) <= bound
    assert torch.equal(first.bias, torch.full((80,), 0.1))


@pytest.mark.parametrize("sizes", [[], [3], [3, 0, 1]])
def test_sizes_that_make_no_network_are_refused(sizes: list[int]) -> None:
    with pytest.raises(ValueError, match="at least an input and an output"):
        models.mlp(sizes)


def test_only_layers_that_look_at_the_batch_are_said_to() -> None:
    assert not mixes_the_batch(models.mlp_discriminator())
    assert mixes_the_batch(nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)))
    assert not mixes_the_batch(nn.Sequential(nn.LayerNorm(2), nn.GroupNorm(1, 2)))
