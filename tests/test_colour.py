"""The pair in colour: shapes, sizes, and what its layers see."""

import pytest
import torch
from torch import nn

from gan_lessons.models.colour import FEATURES, colour_discriminator, colour_generator
from gan_lessons.models.convolutions import dcgan_init, keep_init
from gan_lessons.models.layers import BatchDeviation, mixes_the_batch


@pytest.mark.parametrize(("size", "channels"), [(16, 3), (32, 3), (16, 1), (12, 3)])
def test_images_have_the_size_and_the_colours_that_were_asked_for(size: int, channels: int) -> None:
    G = colour_generator(size, channels=channels, z_dim=5)
    images = G(torch.randn(4, 5))
    assert images.shape == (4, channels, size, size)
    assert float(images.detach().abs().max()) <= 1
    assert colour_discriminator(size, channels=channels)(images).shape == (4, 1)


def test_the_maps_have_16_64_and_128_features_and_deviation_adds_one_to_each() -> None:
    inputs = {True: [4, 17, 65], False: [3, 16, 64]}
    for deviation, expected in inputs.items():
        D = colour_discriminator(deviation=deviation)
        convolutions = [layer for layer in D if isinstance(layer, nn.Conv2d)]
        assert [layer.in_channels for layer in convolutions] == expected
        assert [layer.out_channels for layer in convolutions] == list(FEATURES) == [16, 64, 128]
        assert sum(isinstance(layer, BatchDeviation) for layer in D) == (4 if deviation else 0)
        assert isinstance(D[-1], nn.Linear)
        assert D[-1].in_features == (129 if deviation else 128) * 16


def test_a_batch_of_one_image_repeated_looks_other_to_it_than_the_image_among_others() -> None:
    torch.manual_seed(0)
    D = colour_discriminator(features=(4, 8))
    for layer in D:
        if isinstance(layer, nn.BatchNorm2d):
            layer.eval()  # what is left to see the batch is its deviation
    images = torch.rand(8, 3, 16, 16) * 2 - 1
    with torch.no_grad():
        among, alone = D(images)[0], D(images[:1].expand(8, -1, -1, -1))[0]
    assert not torch.allclose(among, alone, atol=1e-6)


def test_the_body_without_deviation_and_norm_sees_one_image_at_a_time() -> None:
    assert mixes_the_batch(colour_discriminator())
    assert mixes_the_batch(colour_discriminator(deviation=False))  # by batch normalisation
    D = colour_discriminator().eval()
    images = torch.rand(6, 3, 16, 16)
    with torch.no_grad():
        assert torch.allclose(D(images)[:2], D(images[:2]), atol=1e-6)


def test_without_norm_only_deviation_leads_from_one_image_to_another() -> None:
    x = (torch.rand(4, 3, 16, 16) * 2 - 1).requires_grad_()
    for deviation in (True, False):
        D = colour_discriminator(deviation=deviation, norm=False)
        assert not any(isinstance(layer, nn.BatchNorm2d) for layer in D)
        assert all(layer.bias is not None for layer in D if isinstance(layer, nn.Conv2d))
        assert mixes_the_batch(D) is deviation
        (slope,) = torch.autograd.grad(D(x)[0].sum(), x)
        assert bool(slope[1:].any()) is deviation


def test_other_initial_weights_can_be_asked_for() -> None:
    torch.manual_seed(0)
    for build in (colour_generator, colour_discriminator):
        spreads = {
            init: float(next(layer.weight.detach().std() for layer in build(init=init) if isinstance(layer, nn.Conv2d)))
            for init in (dcgan_init, keep_init)
        }
        assert 0.017 < spreads[dcgan_init] < 0.023
        assert spreads[keep_init] > 0.04


def test_the_same_body_makes_a_classifier() -> None:
    assert colour_discriminator(deviation=False, outputs=10)(torch.rand(3, 3, 16, 16)).shape == (3, 10)


def test_a_side_that_cannot_be_halved_is_refused() -> None:
    for build in (colour_generator, colour_discriminator):
        with pytest.raises(ValueError, match="multiple of 4, not 18"):
            build(18)


def test_the_generator_fits_into_two_megabytes_of_float16() -> None:
    assert 2 * sum(p.numel() for p in colour_generator().parameters()) < 1_000_000
