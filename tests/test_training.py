import copy
import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gan_lessons import GAN, Step, discriminator_step, generator_step, losses, models, noise, train
from gan_lessons.models.layers import Flat, mixes_the_batch
from gan_lessons.training import train_falling


def small_gan(dtype: torch.dtype = torch.float64) -> GAN:
    torch.manual_seed(0)
    G = models.mlp_generator((16,), z_dim=5, outputs=9).to(dtype)
    D = models.mlp_discriminator((16,), inputs=9, slope=0.2).to(dtype)
    return GAN(G, D, noise.Prior("gaussian", 5, lambda *size, **where: torch.randn(*size, dtype=dtype, **where)))


def endless(n: int = 8, dtype: torch.dtype = torch.float64) -> Iterator[tuple[Tensor]]:
    generator = torch.Generator().manual_seed(1)
    while True:
        yield (torch.rand(n, 9, generator=generator, dtype=dtype),)


def optimizers(gan: GAN, lr: float = 1e-2) -> dict[str, Any]:
    return {
        "g_optimizer": torch.optim.Adam(gan.G.parameters(), lr=lr),
        "d_optimizer": torch.optim.Adam(gan.D.parameters(), lr=lr),
    }


def weights(network: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in network.parameters()])


@pytest.mark.parametrize(("d_steps", "g_steps"), [(1, 1), (3, 1), (1, 2)])
def test_train_equals_a_loop_written_by_hand(d_steps: int, g_steps: int) -> None:
    """Plain PyTorch, the textbook way: two passes of D, BCE against labels, D frozen while G moves."""
    ours, hand = small_gan(), small_gan()
    torch.manual_seed(5)
    for _ in train(
        ours, endless(), 6, objective=losses.non_saturating, **optimizers(ours), d_steps=d_steps, g_steps=g_steps
    ):
        pass

    G, D, prior = hand
    opt = optimizers(hand)
    bce, batches = nn.BCEWithLogitsLoss(), endless()
    torch.manual_seed(5)
    for _ in range(6):
        for _ in range(d_steps):
            (x,) = next(batches)
            fake = G(prior.sample(len(x)))
            loss = bce(D(x), torch.ones(len(x), 1).double()) + bce(D(fake.detach()), torch.zeros(len(x), 1).double())
            opt["d_optimizer"].zero_grad()
            loss.backward()
            opt["d_optimizer"].step()
        for k in range(g_steps):
            if k > 0:
                fake = G(prior.sample(len(x)))
            D.requires_grad_(False)
            loss = bce(D(fake), torch.ones(len(x), 1).double())
            opt["g_optimizer"].zero_grad()
            loss.backward()
            opt["g_optimizer"].step()
            D.requires_grad_(True)

    assert torch.allclose(weights(ours.G), weights(hand.G), rtol=0, atol=1e-9)
    assert torch.allclose(weights(ours.D), weights(hand.D), rtol=0, atol=1e-9)
    assert not torch.allclose(weights(ours.G), weights(small_gan().G), atol=1e-3)


def test_nothing_runs_until_train_is_iterated_and_steps_are_numbered_from_one() -> None:
    gan = small_gan()
    before = weights(gan.D)
    rounds = train(gan, endless(), 3, objective=losses.non_saturating, **optimizers(gan))
    assert torch.equal(weights(gan.D), before)
    seen = list(rounds)
    assert [step.number for step in seen] == [1, 2, 3]
    assert not torch.equal(weights(gan.D), before)
    assert all(isinstance(s, Step) and s.d_loss.ndim == 0 and not s.g_loss.requires_grad for s in seen)


def test_a_run_cut_in_two_equals_a_whole_one() -> None:
    whole, cut = small_gan(), small_gan()
    torch.manual_seed(2)
    for _ in train(whole, endless(), 6, objective=losses.non_saturating, **optimizers(whole)):
        pass
    torch.manual_seed(2)
    batches, opt, numbers = endless(), optimizers(cut), []
    for start, end in ((0, 4), (4, 6)):
        for step in train(cut, batches, end, objective=losses.non_saturating, **opt, start=start):
            numbers.append(step.number)
    assert numbers == [1, 2, 3, 4, 5, 6]
    assert torch.equal(weights(whole.G), weights(cut.G))


def test_each_step_moves_its_own_player_only_and_leaves_the_other_no_gradient() -> None:
    gan = small_gan()
    opt = optimizers(gan)
    G, D, prior = gan
    fake = G(prior.sample(8))
    before_g, before_d = weights(G), weights(D)
    discriminator_step(D, opt["d_optimizer"], losses.non_saturating, next(endless())[0], fake.detach())
    assert torch.equal(weights(G), before_g)
    assert not torch.equal(weights(D), before_d)
    before_d, gradient_d = weights(D), [p.grad.clone() for p in D.parameters() if p.grad is not None]
    generator_step(G, D, opt["g_optimizer"], losses.non_saturating, fake)
    assert torch.equal(weights(D), before_d)
    assert not torch.equal(weights(G), before_g)
    assert all(torch.equal(p.grad, g) for p, g in zip(D.parameters(), gradient_d, strict=True) if p.grad is not None)


def test_gradients_of_an_earlier_step_do_not_leak_into_the_next() -> None:
    """SGD moves by exactly lr times the gradient of this step's loss."""
    gan = small_gan()
    real, fake = next(endless())[0], gan.sample(8)
    for _ in range(2):
        D = copy.deepcopy(gan.D)
        loss = losses.non_saturating.d_loss(D(real), D(fake))
        gradient = torch.autograd.grad(loss, list(D.parameters()))
        sgd = torch.optim.SGD(gan.D.parameters(), lr=0.5)
        before = weights(gan.D)
        discriminator_step(gan.D, sgd, losses.non_saturating, real, fake)
        moved = before - 0.5 * torch.cat([g.flatten() for g in gradient])
        assert torch.allclose(weights(gan.D), moved, atol=1e-12)


def test_a_fused_optimizer_moves_each_weight_by_its_own_gradient_whatever_the_layout() -> None:
    """A penalty's gradients come in another memory layout than channels-last weights, and fused Adam reads memory."""
    real, fake = torch.rand(4, 2, 8, 8), torch.rand(4, 2, 8, 8)
    moved = {}
    for fused in (False, True):
        torch.manual_seed(0)
        D = nn.Sequential(nn.Conv2d(2, 6, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(6, 4, 4), Flat(), nn.Linear(4, 1))
        D = D.to(memory_format=torch.channels_last)
        before, adam = weights(D), torch.optim.Adam(D.parameters(), 1e-3, fused=fused)
        discriminator_step(D, adam, losses.non_saturating, real, fake, losses.r1)
        moved[fused] = weights(D) - before
    assert torch.allclose(moved[True], moved[False], atol=1e-6)
    assert moved[True].abs().max() > 9e-4


def test_both_batches_keep_their_own_statistics_where_d_has_batch_norm() -> None:
    torch.manual_seed(0)
    D = nn.Sequential(nn.Linear(9, 4), nn.BatchNorm1d(4), nn.Linear(4, 1)).double()
    twin = copy.deepcopy(D)
    real, fake = torch.rand(8, 9).double() + 3, torch.rand(6, 9).double()
    loss = discriminator_step(D, torch.optim.SGD(D.parameters(), lr=0.0), losses.non_saturating, real, fake)
    expected = losses.non_saturating.d_loss(twin(real), twin(fake))
    joint = losses.non_saturating.d_loss(*twin(torch.cat([real, fake])).split([8, 6]))
    assert mixes_the_batch(D)
    assert float(loss) == pytest.approx(float(expected.detach()), rel=1e-10)
    assert abs(float(loss) - float(joint.detach())) > 1e-3


def test_a_penalty_is_added_to_the_discriminators_loss() -> None:
    gan = small_gan()
    real, fake = next(endless())[0], gan.sample(8)
    losses_of = []
    for penalty in (None, losses.r1):
        D = copy.deepcopy(gan.D)
        still = torch.optim.SGD(D.parameters(), lr=0.0)
        losses_of.append(discriminator_step(D, still, losses.non_saturating, real, fake, penalty))
    plain, punished = losses_of
    assert float(punished - plain) == pytest.approx(float(losses.r1(gan.D, real, fake).detach()), rel=1e-9)


def test_train_passes_the_penalty_on_to_the_discriminators_step() -> None:
    ended = []
    for penalty in (None, losses.r1):
        gan = small_gan()
        torch.manual_seed(1)
        for _ in train(gan, endless(), 3, objective=losses.non_saturating, **optimizers(gan), penalty=penalty):
            pass
        ended.append(weights(gan.D))
    assert not torch.allclose(ended[0], ended[1], atol=1e-4)


@pytest.mark.parametrize("counts", [{"steps": 0}, {"steps": -5}, {"steps": 2.5}, {"d_steps": 0}, {"g_steps": -1}])
def test_counts_that_make_no_game_are_refused_before_anything_runs(counts: dict[str, int]) -> None:
    gan = small_gan()
    arguments: dict[str, Any] = {"steps": 3, **counts}
    steps = arguments.pop("steps")
    with pytest.raises(ValueError, match="must be a whole number of at least 1"):
        train(gan, endless(), steps, objective=losses.non_saturating, **optimizers(gan), **arguments)


def test_a_loss_that_is_nan_stops_the_run_with_its_step_and_the_usual_causes() -> None:
    gan = small_gan()

    def poisoned() -> Iterator[tuple[Tensor]]:
        source = endless()
        for _ in range(2):
            yield next(source)
        while True:
            yield (next(source)[0] * float("nan"),)

    seen: list[int] = []
    rounds = train(gan, poisoned(), 10, objective=losses.non_saturating, **optimizers(gan))
    with pytest.raises(FloatingPointError, match=r"at step 3 .*learning rate"):
        seen.extend(step.number for step in rounds)
    assert seen == [1, 2]


def test_sampling_uses_eval_mode_and_puts_the_mode_back() -> None:
    torch.manual_seed(0)
    G = nn.Sequential(nn.Linear(5, 9), nn.Dropout(0.5))
    gan = GAN(G, nn.Linear(9, 1), noise.gaussian(5))
    torch.manual_seed(3)
    first = gan.sample(4)
    torch.manual_seed(3)
    assert torch.equal(first, G[0](noise.gaussian(5).sample(4)).detach())
    assert G.training
    assert not first.requires_grad
    with pytest.raises(ValueError, match="at least 1"):
        gan.sample(0)


@pytest.mark.parametrize(("end", "black", "white"), [(nn.Sigmoid(), 0.0, 1.0), (nn.Tanh(), -1.0, 1.0)])
def test_images_are_samples_from_black_0_to_white_1(end: nn.Module, black: float, white: float) -> None:
    torch.manual_seed(0)
    gan = GAN(nn.Sequential(nn.Linear(5, 9), nn.Dropout(0.5), end), nn.Linear(9, 1), noise.gaussian(5))
    torch.manual_seed(3)
    samples = gan.sample(4)
    torch.manual_seed(3)
    images = gan.images(4)
    assert images.shape == (4, 1, 3, 3)
    assert torch.allclose(images.flatten(1) * (white - black) + black, samples, atol=1e-6)
    z = torch.randn(2, 5)
    assert torch.equal(gan.images(z), gan.images(z))
    assert gan.G.training


def test_many_images_are_made_in_chunks_and_keep_maps_as_they_are() -> None:
    maps = nn.Sequential(nn.Linear(2, 12), nn.Unflatten(1, (3, 2, 2)), nn.Sigmoid())
    gan = GAN(maps, nn.Linear(9, 1), noise.gaussian(2))
    sizes: list[int] = []
    maps.register_forward_pre_hook(lambda module, inputs: sizes.append(len(inputs[0])))
    assert gan.images(2_300).shape == (2_300, 3, 2, 2)
    assert sizes == [1000, 1000, 300]


def test_samples_that_are_no_images_are_refused_with_the_remedy() -> None:
    open_end = GAN(nn.Linear(5, 9), nn.Linear(9, 1), noise.gaussian(5))
    with pytest.raises(ValueError, match=r"ends in Linear.* limits=\(black, white\)"):
        open_end.images(2)
    with pytest.raises(ValueError, match=r"not in \[0, 1\]"):
        open_end.images(200, limits=(0, 1))
    assert open_end.images(200, limits=(-9, 9)).shape == (200, 1, 3, 3)
    points = GAN(nn.Sequential(nn.Linear(5, 2), nn.Tanh()), nn.Linear(2, 1), noise.gaussian(5))
    with pytest.raises(ValueError, match=r"shape \(2,\), which are no images"):
        points.images(2)
    with pytest.raises(ValueError, match="number of images must be a whole number of at least 1, not 0"):
        points.images(0)


@pytest.mark.parametrize("limits", [(0, 0), (1, -1), (0, math.nan), (0, math.inf)])
def test_limits_that_are_none_are_refused_in_their_own_words(limits: tuple[float, float]) -> None:
    gan = GAN(nn.Sequential(nn.Linear(2, 9), nn.Tanh()), nn.Linear(9, 1), noise.gaussian(2))
    with pytest.raises(ValueError, match="G's value for black and a larger one for white"):
        gan.images(2, limits)


@pytest.mark.parametrize("shape", [(0, 2), (2,), ()])
def test_noise_without_a_row_is_refused_with_its_shape(shape: tuple[int, ...]) -> None:
    gan = GAN(nn.Sequential(nn.Linear(2, 9), nn.Tanh()), nn.Linear(9, 1), noise.gaussian(2))
    with pytest.raises(ValueError, match=r"noise is z \(n, 2\) with n of at least 1"):
        gan.images(torch.zeros(shape))


def test_falling_rates_are_whole_for_half_of_the_rounds_and_end_next_to_nothing_also_when_resumed() -> None:
    def rates(start: int, opt: dict[str, torch.optim.Optimizer]) -> list[float]:
        rounds = train_falling(gan, endless(), 8, objective=losses.non_saturating, start=start, **opt)
        return [opt["g_optimizer"].param_groups[0]["lr"] for step in rounds]

    gan = small_gan()
    opt = optimizers(gan)
    first = opt["g_optimizer"].param_groups[0]["lr"]
    whole = rates(0, opt)
    assert whole == pytest.approx([first * share for share in (1, 1, 1, 1, 1, 0.75, 0.5, 0.25)])
    assert opt["d_optimizer"].param_groups[0]["lr"] == 0  # nothing is left after the last round
    again = optimizers(gan)
    for name, optimizer in again.items():
        optimizer.load_state_dict(opt[name].state_dict())
    assert rates(6, again) == pytest.approx(whole[6:])


def test_games_of_falling_rates_are_those_of_train_while_the_rates_stand() -> None:
    ended = []
    for play in (train, train_falling):
        gan = small_gan()
        torch.manual_seed(1)
        rounds = play(gan, endless(), 100, objective=losses.non_saturating, **optimizers(gan))
        for step in rounds:
            if step.number == 5:
                break
        ended.append(weights(gan.D))
    assert torch.equal(ended[0], ended[1])
