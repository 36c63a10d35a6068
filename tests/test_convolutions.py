"""The convolutional networks: shapes, the rules of DCGAN and what takes each away, memory order, short numbers."""

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import nn

from gan_lessons import GAN, losses, noise, train
from gan_lessons.models import classic, convolutions, layers

CPU = torch.device("cpu")


def kinds(network: nn.Module) -> list[type]:
    return [type(layer) for layer in network.children()]


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(("size", "channels", "strides"), [(28, 1, True), (28, 1, False), (32, 3, True), (16, 3, True)])
def test_a_pair_maps_z_to_images_and_images_to_logits(size: int, channels: int, strides: bool) -> None:
    G = convolutions.dcgan_generator(size, 8, channels, 5, strides=strides)
    D = convolutions.dcgan_discriminator(size, 8, channels, strides=strides)
    images = G(torch.randn(6, 5))
    assert images.shape == (6, channels, size, size)
    assert D(images).shape == (6, 1)


def test_the_pair_of_chapter_07_has_its_features_and_parameters() -> None:
    G, D = convolutions.dcgan_generator(), convolutions.dcgan_discriminator()
    assert kinds(G) == [
        *(nn.Linear, layers.Maps, nn.BatchNorm2d, nn.ReLU, nn.ConvTranspose2d),
        *(nn.BatchNorm2d, nn.ReLU, nn.ConvTranspose2d, nn.Tanh),
    ]
    assert kinds(D) == [*(nn.Conv2d, nn.LeakyReLU, nn.Conv2d, nn.BatchNorm2d, nn.LeakyReLU, layers.Flat, nn.Linear)]
    assert parameters(G) == 32 * 48 * 49 + 2 * 48 + 48 * 24 * 16 + 2 * 24 + 24 * 16 + 1
    assert parameters(D) == 24 * 16 + 24 + 24 * 48 * 16 + 2 * 48 + 48 * 49 + 1
    assert {layer.negative_slope for layer in D.modules() if isinstance(layer, nn.LeakyReLU)} == {0.2}
    assert 2 * parameters(G) < 2_000_000  # bytes in float16


def test_each_rule_can_be_taken_away() -> None:
    def has(network: nn.Module, kind: Any) -> bool:
        return any(isinstance(layer, kind) for layer in network.modules())

    pair = (convolutions.dcgan_generator, convolutions.dcgan_discriminator)
    for build in pair:
        assert not has(build(norm=False), nn.BatchNorm2d)
        assert has(build(), nn.BatchNorm2d)
    assert not has(convolutions.dcgan_generator(strides=False), nn.ConvTranspose2d)
    assert has(convolutions.dcgan_discriminator(strides=False), nn.AvgPool2d)
    assert not has(convolutions.dcgan_discriminator(), nn.AvgPool2d)
    assert type(convolutions.dcgan_generator(output=nn.Sigmoid)[-1]) is nn.Sigmoid
    plain = convolutions.dcgan_discriminator(slope=0.0)
    assert {layer.negative_slope for layer in plain.modules() if isinstance(layer, nn.LeakyReLU)} == {0.0}


def test_a_hidden_layer_lies_between_the_maps_and_the_ends() -> None:
    G, D = convolutions.dcgan_generator(hidden=40), convolutions.dcgan_discriminator(hidden=40, slope=0.1)
    assert kinds(G)[:4] == [nn.Linear, nn.ReLU, nn.Linear, layers.Maps]
    assert kinds(D)[-4:] == [layers.Flat, nn.Linear, nn.LeakyReLU, nn.Linear]
    assert {layer.negative_slope for layer in D.modules() if isinstance(layer, nn.LeakyReLU)} == {0.1}
    assert D(G(torch.randn(3, 32))).shape == (3, 1)
    without = parameters(convolutions.dcgan_generator()), parameters(convolutions.dcgan_discriminator())
    assert parameters(G) - without[0] == (32 * 40 + 40) + (40 - 32) * 48 * 49
    assert parameters(D) - without[1] == (48 * 49 + 1) * 40 + 41 - (48 * 49 + 1)


def test_dcgan_init_is_a_normal_of_a_fiftieth_and_keep_init_leaves_pytorchs_own() -> None:
    torch.manual_seed(0)
    G = convolutions.dcgan_generator(width=64)
    for layer in G.modules():
        if isinstance(layer, (nn.Linear, nn.ConvTranspose2d)) and layer.weight.numel() > 5_000:
            assert float(layer.weight.detach().std()) == pytest.approx(0.02, rel=0.03)
            assert abs(float(layer.weight.detach().mean())) < 1e-3
            assert layer.bias is None or float(layer.bias.detach().abs().max()) == 0
        if isinstance(layer, nn.BatchNorm2d):
            assert float(layer.weight.detach().mean()) == pytest.approx(1, abs=0.02)
            assert 0.01 < float(layer.weight.detach().std()) < 0.03
    torch.manual_seed(0)
    first = nn.Linear(32, 128 * 49, bias=False)
    torch.manual_seed(0)
    G = convolutions.dcgan_generator(width=64, init=convolutions.keep_init)
    kept = G[0]
    assert isinstance(kept, nn.Linear)
    assert torch.equal(kept.weight, first.weight)


def test_flat_and_maps_are_each_others_inverse_and_do_not_copy_channels_last() -> None:
    images = torch.randn(3, 5, 4, 4).to(memory_format=torch.channels_last)
    rows = layers.Flat()(images)
    assert rows.shape == (3, 80)
    assert rows.data_ptr() == images.data_ptr()
    again = layers.Maps(4)(rows)
    assert torch.equal(again, images)
    assert again.is_contiguous(memory_format=torch.channels_last)


def test_gradients_stay_channels_last_through_the_flatten() -> None:
    D = layers.prepared(convolutions.dcgan_discriminator(norm=False), CPU)
    orders: list[bool] = []
    x = torch.rand(4, 1, 28, 28)
    for layer in D.children():
        x = layer(x)
        if isinstance(layer, nn.LeakyReLU):
            x.register_hook(lambda gradient: orders.append(gradient.is_contiguous(memory_format=torch.channels_last)))
    x.sum().backward()
    assert orders == [True, True]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("side", [6, 7, 28])
@pytest.mark.parametrize(
    ("make", "inputs", "thin"),
    [
        (partial(nn.Conv2d, 1, 5, 4, 2, 1), 1, layers.ThinConv2d),
        (partial(nn.ConvTranspose2d, 5, 1, 4, 2, 1), 5, layers.ThinConvTranspose2d),
    ],
)
def test_a_thin_layer_is_the_same_layer_to_its_second_derivatives(
    make: Callable[..., nn.Module], inputs: int, thin: type[nn.Module], side: int, bias: bool
) -> None:
    torch.manual_seed(1)
    plain = make(bias=bias).double()
    (quick,) = layers.prepared(nn.Sequential(copy.deepcopy(plain)), CPU).children()
    assert type(quick) is thin
    found = []
    for layer in (plain, quick):
        x = torch.randn(3, inputs, side, side, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
        y = layer(x.requires_grad_())
        first = torch.autograd.grad(y.pow(3).sum(), [x, *layer.parameters()], create_graph=True)
        slope = first[0].pow(2).sum()  # as a gradient penalty takes it
        second = torch.autograd.grad(slope, [x, next(layer.parameters())])
        found.append([y, *first, *second])
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)


def test_a_thin_transposed_layer_still_makes_the_size_that_is_asked_for() -> None:
    layer = nn.ConvTranspose2d(5, 1, 4, 2, 1)
    maps = torch.randn(2, 5, 6, 6)
    expected = layer(maps, [13, 13])
    (thin,) = layers.prepared(nn.Sequential(layer), CPU).children()
    assert type(thin) is layers.ThinConvTranspose2d
    assert torch.equal(thin(maps, [13, 13]), expected)


def test_a_network_that_is_one_thin_layer_is_exchanged_too_and_a_layer_with_hooks_is_kept() -> None:
    layer, hooked = nn.Conv2d(1, 5, 4, 2, 1).eval(), nn.Conv2d(1, 5, 4, 2, 1)
    thin = layers.prepared(layer, CPU)
    assert type(thin) is layers.ThinConv2d
    assert not thin.training
    hooked.register_forward_hook(lambda module, inputs, output: output * 2)
    assert layers.prepared(hooked, CPU) is hooked


def test_thin_layers_keep_weights_and_names_and_leave_all_other_layers_alone() -> None:
    G, D = convolutions.dcgan_generator(), convolutions.dcgan_discriminator()
    before = [copy.deepcopy(net.state_dict()) for net in (G, D)]
    kept = [p for net in (G, D) for p in net.parameters()]
    state = torch.get_rng_state()
    for net in (G, D):
        layers.prepared(net, CPU)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(a is b for a, b in zip(kept, [p for net in (G, D) for p in net.parameters()], strict=True))
    for net, old in zip((G, D), before, strict=True):
        assert {k: v.tolist() for k, v in net.state_dict().items()} == {k: v.tolist() for k, v in old.items()}
    thin = (layers.ThinConv2d, layers.ThinConvTranspose2d)
    assert [sum(isinstance(layer, kind) for net in (G, D) for layer in net) for kind in thin] == [1, 1]
    others = [
        *(nn.Conv2d(1, 5, 3, padding=1), nn.Conv2d(3, 5, 4, 2, 1), nn.Conv2d(1, 5, 4, 2, 1, padding_mode="circular")),
        *(nn.ConvTranspose2d(5, 3, 4, 2, 1), nn.ConvTranspose2d(5, 1, 4, 2, 1, output_padding=1)),
        *(nn.Conv2d(1, 5, 4, 4, 1), nn.Conv2d(1, 5, 4, 2, 1, dilation=2), nn.ConvTranspose2d(5, 1, 4, 2)),
    ]
    types = [type(layer) for layer in others]
    assert kinds(layers.prepared(nn.Sequential(*others), CPU)) == types
    meta = nn.Sequential(nn.Conv2d(1, 5, 4, 2, 1, device="meta"))
    assert kinds(layers.prepared(meta, torch.device("meta"))) == [nn.Conv2d]  # measured on CPUs only


def test_the_classic_pair_has_the_shapes_that_tutorials_print() -> None:
    G, D = classic.classic_generator(), classic.classic_discriminator()
    x, shapes = torch.randn(4, 100), []  # (n, 100)
    for layer in G:
        x = layer(x)
        shapes.append(tuple(x.shape[1:]))
    assert shapes[0] == (3136,)
    assert [s for s in shapes if len(s) == 3 and s[1] == 28] == [(50, 28, 28)] * 3 + [(25, 28, 28)] * 3 + [
        (1, 28, 28)
    ] * 2
    assert [s for s in shapes if len(s) == 3 and s[1] == 56] == [(1, 56, 56)] * 3 + [(50, 56, 56), (25, 56, 56)]
    assert 0 <= float(x.detach().min()) <= float(x.detach().max()) <= 1
    assert D(x).shape == (4, 1)
    assert parameters(D) == 32 * 26 + 64 * (32 * 25 + 1) + 1024 * 3137 + 1025
    weights = torch.cat([p.detach().flatten() for p in D.parameters() if p.ndim > 1])
    assert float(weights.abs().max()) <= 0.04
    assert float(weights.std()) == pytest.approx(0.02 * 0.880, rel=0.02)  # a normal cut at two deviations
    assert not any(p.detach().any() for name, p in D.named_parameters() if name.endswith("bias"))


def test_the_classic_generator_draws_its_biases_and_resizes_between_its_pixels() -> None:
    G = classic.classic_generator()
    biases = {name.partition(".")[0]: p.detach() for name, p in G.named_parameters() if name.endswith("bias")}
    first = biases["0"]  # of the linear layer, 3,136 of them
    assert float(first.abs().max()) <= 0.04
    assert float(first.std()) == pytest.approx(0.02 * 0.880, rel=0.05)
    for at, bias in biases.items():
        assert bool(bias.any()) != isinstance(G[int(at)], nn.BatchNorm2d)
    larger = [layer for layer in G if isinstance(layer, nn.Upsample)]
    assert len(larger) == 2
    line = torch.tensor([0.0, 4.0]).expand(1, 1, 2, 2)  # two columns: 0 and 4
    assert larger[0](line)[0, 0, 0].tolist() == [0, 1, 3, 4]  # a quarter and three quarters of the way


@pytest.mark.parametrize("size", [7, 9, 22, 36])
def test_a_size_that_does_not_halve_is_refused_with_those_that_do(size: int) -> None:
    with pytest.raises(ValueError, match="16, 28, 32 or 64"):
        convolutions.dcgan_generator(size)


def test_short_numbers_stay_inside_and_cost_three_digits_at_most() -> None:
    torch.manual_seed(0)
    D = convolutions.dcgan_discriminator(init=convolutions.keep_init)
    images = torch.rand(32, 1, 28, 28)
    exact = D(images).detach()
    short = layers.prepared(D, CPU, torch.bfloat16)
    found = short(images).detach()
    assert found.dtype == torch.float32
    assert {p.dtype for p in short.parameters()} == {torch.float32}
    error = float((found - exact).norm() / exact.norm())
    assert 1e-5 < error < 0.03
    assert layers.mixes_the_batch(short)  # and discriminator_step still sees its batch norm
    assert layers.prepared(D, CPU) is D


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_prepared_pair_plays_the_game(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    G, D = (
        layers.prepared(net, CPU, dtype)
        for net in (convolutions.dcgan_generator(width=4), convolutions.dcgan_discriminator(width=4))
    )
    real = iter(lambda: (torch.ones(8, 1, 28, 28),), None)
    optimizers: dict[str, Any] = {
        f"{name}_optimizer": torch.optim.Adam(net.parameters(), 1e-2, fused=True) for name, net in (("g", G), ("d", D))
    }
    before = float(GAN(G, D, noise.gaussian(32)).sample(8).mean())
    rounds = list(train(GAN(G, D, noise.gaussian(32)), real, 12, objective=losses.non_saturating, **optimizers))
    assert len(rounds) == 12
    assert float(GAN(G, D, noise.gaussian(32)).sample(8).mean()) > before + 0.05  # towards the white images


def interact(D: nn.Module, a: int, b: int) -> bool:
    """Whether columns a and b of a row act together on D's logit: the second mixed difference is not 0."""
    logits = []
    for moved in ([], [a], [b], [a, b]):
        images = 9 * torch.randn(8, 1, 28, 28, generator=torch.Generator().manual_seed(1))  # many activations near 0
        images[..., 14, moved] += 20.0
        logits.append(D(images.double()))
    return bool((logits[0] - logits[1] - logits[2] + logits[3]).abs().max() > 1e-9)


@pytest.mark.parametrize(("deep", "pixels"), [(False, 10), (True, 18)])
def test_a_discriminator_relates_the_pixels_of_one_patch_and_a_deep_one_those_of_a_larger_one(
    deep: bool, pixels: int
) -> None:
    torch.manual_seed(0)
    D = convolutions.dcgan_discriminator(width=4, deep=deep, norm=False, init=convolutions.keep_init).double()
    with torch.no_grad():
        related = {apart: [interact(D, a, a + apart) for a in range(28 - apart)] for apart in (pixels - 1, pixels)}
    assert any(related[pixels - 1])
    assert not any(related[pixels])


def test_deep_networks_have_one_convolution_more_and_pass_over_it_where_maps_are_small() -> None:
    def kinds(network: nn.Module) -> list[str]:
        return [type(layer).__name__ for layer in network.modules()]

    for size in (28, 32, 64):
        G, D = (make(size, 4, deep=True) for make in (convolutions.dcgan_generator, convolutions.dcgan_discriminator))
        assert kinds(G).count("Conv2d") == 1
        plain = convolutions.dcgan_discriminator(size, 4)
        assert kinds(D).count("Conv2d") - kinds(plain).count("Conv2d") == (size == 28)
        assert D(G(torch.randn(3, 32))).shape == (3, 1)
        last = [layer for layer in D.modules() if isinstance(layer, nn.Linear)][-1]
        assert last.in_features == 16 * [m.out_channels for m in D.modules() if isinstance(m, nn.Conv2d)][-1]
