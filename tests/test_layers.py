"""Batch deviation: its closed form, its gradient, and which images see which."""

import pytest
import torch
from torch import Tensor, nn

from gan_lessons.losses import non_saturating
from gan_lessons.models.layers import BatchDeviation, deviation, mixes_the_batch
from gan_lessons.training import discriminator_step

A = torch.tensor([[0.0, 1.0], [4.0, 1.0]])  # deviations 2 and 0


def test_the_deviation_divides_by_n_and_is_averaged_over_features_and_places() -> None:
    assert float(deviation(A)) == pytest.approx(1.0, abs=1e-4)
    assert float(deviation(torch.tensor([[0.0], [0.0], [3.0]]))) == pytest.approx(2**0.5, rel=1e-6)
    maps = torch.randn(5, 3, 4, 2, dtype=torch.float64)
    expected = sum(maps[:, c, y, x].std(unbiased=False) for c in range(3) for y in range(4) for x in range(2)) / 24
    assert float(deviation(maps, 0.0)) == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize("shape", [(6, 3), (6, 3, 4, 4), (6, 2, 5)])
def test_the_layer_appends_one_feature_and_leaves_the_others_alone(shape: tuple[int, ...]) -> None:
    x = torch.randn(shape)
    y = BatchDeviation()(x)
    assert y.shape == (shape[0], shape[1] + 1, *shape[2:])
    assert torch.equal(y[:, :-1], x)
    assert torch.equal(y[:, -1], torch.full_like(y[:, -1], float(deviation(x))))


def test_it_grows_with_the_scale_and_does_not_see_a_shift() -> None:
    x = torch.randn(8, 3, 4, 4, dtype=torch.float64)
    assert float(deviation(3 * x, 0.0)) == pytest.approx(3 * float(deviation(x, 0.0)), rel=1e-12)
    assert float(deviation(x + 5.0)) == pytest.approx(float(deviation(x)), rel=1e-9)
    assert float(deviation(x[torch.randperm(8)])) == pytest.approx(float(deviation(x)), rel=1e-12)


def test_the_gradient_is_autograds_and_each_image_gets_its_share() -> None:
    x = torch.randn(5, 2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(deviation, (x,))
    assert torch.autograd.gradgradcheck(deviation, (x,))
    (gradient,) = torch.autograd.grad(deviation(x, 0.0), x)
    expected = (x - x.mean(0)) / (5 * x.std(0, unbiased=False)) / 6  # d sd / d x_i = (x_i - mean) / (n sd)
    assert torch.allclose(gradient, expected.detach())


def test_a_batch_of_one_image_repeated_has_no_deviation_and_a_finite_gradient() -> None:
    x = torch.ones(4, 2, 3, 3).requires_grad_()
    (gradient,) = torch.autograd.grad(deviation(x), x)
    assert float(deviation(x.detach())) == pytest.approx(0.0, abs=2e-4)
    assert torch.equal(gradient, torch.zeros_like(x))


def test_short_numbers_are_not_used_for_the_variance() -> None:
    x = (100 + torch.randn(64, 4)).bfloat16()
    assert deviation(x).dtype == torch.float32
    assert float(deviation(x)) == pytest.approx(float(deviation(x.double())), rel=1e-4)
    assert BatchDeviation()(x).dtype == torch.bfloat16


def test_in_evaluation_an_image_does_not_see_its_company_and_in_training_it_does() -> None:
    layer, image = BatchDeviation(), torch.randn(1, 2, 4, 4)
    near, far = (torch.cat([image, scale * torch.randn(7, 2, 4, 4)]) for scale in (0.1, 10.0))
    assert not torch.equal(layer(near)[0], layer(far)[0])
    layer.eval()
    assert torch.equal(layer(near)[0], layer(far)[0])


def test_the_running_average_follows_what_was_seen_in_training_alone() -> None:
    layer = BatchDeviation(momentum=0.5)
    weight = torch.ones((), requires_grad=True)
    layer(A * weight)  # (1 + 1) / 2
    layer(3 * A * weight)  # (1 + 3) / 2
    assert not layer.running.requires_grad
    assert float(layer.running) == pytest.approx(2.0, abs=1e-3)
    before = layer.running.clone()
    y = layer.eval()(100 * A)
    assert torch.equal(layer.running, before)
    assert torch.equal(y[:, -1], before.expand(2))


def test_without_a_running_average_the_batch_at_hand_counts_in_both_modes() -> None:
    layer = BatchDeviation(momentum=None)
    assert torch.equal(layer.eval()(A), layer.train()(A))
    assert float(layer(A)[0, -1]) == pytest.approx(1.0, abs=1e-4)


def test_real_and_fake_batches_stay_apart_in_the_discriminators_step() -> None:
    seen: list[Tensor] = []

    class Watched(BatchDeviation):
        def forward(self, features: Tensor) -> Tensor:
            seen.append(features)
            return super().forward(features)

    torch.manual_seed(0)
    D = nn.Sequential(Watched(), nn.Linear(3, 1))
    assert mixes_the_batch(D)
    real, fake = torch.randn(4, 2), torch.zeros(4, 2)
    discriminator_step(D, torch.optim.SGD(D.parameters(), 0.1), non_saturating, real, fake)
    assert [torch.equal(a, b) for a, b in zip(seen, (real, fake), strict=True)] == [True, True]


def test_a_batch_that_lies_channels_last_stays_so() -> None:
    x = torch.randn(4, 3, 6, 6)
    last = x.contiguous(memory_format=torch.channels_last)
    layer = BatchDeviation()
    assert layer(last).is_contiguous(memory_format=torch.channels_last)
    assert layer(x).is_contiguous()
    assert torch.allclose(layer(last), layer(x), atol=1e-6)


def test_the_deviation_of_doubles_is_told_to_running_averages_of_floats() -> None:
    layer = BatchDeviation()
    x = torch.randn(6, 3, dtype=torch.float64)
    assert layer(x).dtype == torch.float64
    assert float(layer(x)[0, 3]) == pytest.approx(float(deviation(x)), rel=1e-12)
    assert 0 < float(layer.running) < 1.2
