import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gan_lessons import losses

real = torch.tensor([[2.0], [-0.5], [7.0]], dtype=torch.float64)
fake = torch.tensor([[-1.0], [0.3], [4.0]], dtype=torch.float64)


@pytest.mark.parametrize("target", [0.0, 0.1, 0.9, 1.0])
def test_bce_agrees_with_the_library(target: float) -> None:
    expected = F.binary_cross_entropy_with_logits(real, torch.full_like(real, target))
    assert float(losses.bce(real, target)) == pytest.approx(float(expected), rel=1e-12)


def test_gradient_of_bce_is_sigma_minus_y_over_n() -> None:
    logits = real.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(losses.bce(logits, 0.9), logits)
    assert torch.allclose(gradient, (real.sigmoid() - 0.9) / 3, rtol=1e-12)


@pytest.mark.parametrize("logit", [-200.0, 200.0])
def test_losses_are_finite_and_linear_far_out(logit: float) -> None:
    a = torch.full((1, 1), logit)
    assert float(losses.bce(a, 1.0)) == pytest.approx(max(0.0, -logit), abs=1e-6)
    assert float(losses.bce(a, 0.0)) == pytest.approx(max(0.0, logit), abs=1e-6)


@pytest.mark.parametrize("target", [0.0, 1.0])
def test_a_small_loss_keeps_its_digits_in_float32(target: float) -> None:
    a = torch.full((1, 1), 20.0 if target else -20.0, requires_grad=True)
    loss = losses.bce(a, target)
    (gradient,) = torch.autograd.grad(loss, a)
    assert float(loss.detach()) == pytest.approx(math.exp(-20), rel=1e-5)
    assert abs(float(gradient)) == pytest.approx(math.exp(-20), rel=1e-5)


def test_discriminator_pays_two_log_two_when_it_cannot_tell() -> None:
    zero = torch.zeros(5, 1)
    assert float(losses.non_saturating.d_loss(zero, zero)) == pytest.approx(2 * math.log(2))
    assert float(losses.non_saturating_mean.d_loss(zero, zero)) == pytest.approx(math.log(2))


def test_minimax_players_share_one_value() -> None:
    value = -losses.minimax.d_loss(real, fake)  # V = E log D(x) + E log(1 - D(G(z)))
    expected = F.logsigmoid(real).mean() + F.logsigmoid(-fake).mean()
    assert float(value) == pytest.approx(float(expected), rel=1e-12)
    assert float(losses.minimax.g_loss(None, fake)) == pytest.approx(float(F.logsigmoid(-fake).mean()), rel=1e-12)


def test_gradient_weights_are_sigma_for_minimax_and_sigma_of_minus_for_non_saturating() -> None:
    for objective, weight in ((losses.minimax, fake.sigmoid()), (losses.non_saturating, (-fake).sigmoid())):
        logits = fake.clone().requires_grad_(True)
        (gradient,) = torch.autograd.grad(objective.g_loss(None, logits), logits)
        assert torch.allclose(gradient, -weight / 3, rtol=1e-12), objective.name


def test_both_generator_losses_fall_as_the_logit_rises() -> None:
    for objective in (losses.minimax, losses.non_saturating):
        assert float(objective.g_loss(None, fake + 1)) < float(objective.g_loss(None, fake))


def test_one_sided_smoothing_has_its_floor_at_the_optimal_discriminator() -> None:
    """Equal densities: D* = .45, loss .778 + .598 = 1.3763, not 2 log 2 (Goodfellow 2016)."""
    d_loss = losses.smoothed(0.9).d_loss
    best = torch.full((4, 1), math.log(0.45 / 0.55), dtype=torch.float64)
    assert float(d_loss(best, best)) == pytest.approx(1.3763, abs=5e-5)
    assert all(float(d_loss(best + e, best + e)) > float(d_loss(best, best)) for e in (-0.01, 0.01))


@pytest.mark.parametrize("targets", [(0.5, 0.5), (0.2, 0.9), (1.1, 0.0), (0.9, -0.1)])
def test_smoothing_targets_out_of_order_are_refused(targets: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="0 <= fake_target < real_target <= 1"):
        losses.smoothed(*targets)


def test_r1_of_a_linear_discriminator_is_half_gamma_times_its_squared_weight() -> None:
    D = torch.nn.Linear(5, 1)
    penalty = losses.r1(D, torch.randn(7, 5), torch.zeros(7, 5), gamma=3.0)
    assert float(penalty.detach()) == pytest.approx(1.5 * float(D.weight.detach().square().sum()), rel=1e-5)
    penalty.backward()
    assert D.weight.grad is not None
    assert torch.allclose(D.weight.grad, 3.0 * D.weight, rtol=1e-4)


def test_relativistic_players_share_one_comparison_with_opposite_signs() -> None:
    objective = losses.relativistic
    assert objective.relativistic
    assert float(objective.d_loss(real, fake)) == pytest.approx(float(-F.logsigmoid(real - fake).mean()), rel=1e-12)
    assert float(objective.g_loss(real, fake)) == pytest.approx(float(-F.logsigmoid(fake - real).mean()), rel=1e-12)
    moved = objective.d_loss(real + 3, fake + 3)  # only differences count
    assert float(moved) == pytest.approx(float(objective.d_loss(real, fake)), rel=1e-12)
    with pytest.raises(ValueError, match="real ones"):
        objective.g_loss(None, fake)


def test_the_best_relativistic_discriminator_reaches_the_distance_of_pairs_and_turned_pairs() -> None:
    p = torch.tensor([0.4, 0.3, 0.15, 0.1, 0.05], dtype=torch.float64)
    q = torch.tensor([0.05, 0.1, 0.15, 0.3, 0.4], dtype=torch.float64)

    def js(a: torch.Tensor, b: torch.Tensor) -> float:
        m = (a + b) / 2
        return float(((a * (a / m).log()).sum() + (b * (b / m).log()).sum()) / 2)

    def value(logits: torch.Tensor) -> torch.Tensor:  # of D on five atoms, in expectation over independent pairs
        return math.log(2) + (p[:, None] * q[None, :] * F.logsigmoid(logits[:, None] - logits[None, :])).sum()

    pairs, turned = torch.outer(p, q).flatten(), torch.outer(q, p).flatten()
    assert float(value((p / q).log())) == pytest.approx(js(pairs, turned), rel=1e-12)
    logits = torch.zeros(5, dtype=torch.float64, requires_grad=True)  # and no D reaches more: found by ascent
    optimizer = torch.optim.LBFGS([logits], max_iter=200, tolerance_grad=1e-12, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = -value(logits)
        loss.backward()
        return loss

    optimizer.step(closure)
    assert float(value(logits).detach()) == pytest.approx(js(pairs, turned), rel=1e-9)
    assert js(pairs, turned) > js(p, q)


def test_r2_is_r1_on_the_generated_images_and_both_together_are_their_sum() -> None:
    torch.manual_seed(0)
    D = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1)).double()
    ours, theirs = torch.randn(8, 3).double(), torch.randn(8, 3).double()
    one, two = (float(f(D, ours, theirs, gamma=3.0).detach()) for f in (losses.r1, losses.r2))
    assert two == pytest.approx(float(losses.r1(D, theirs, ours, gamma=3.0).detach()), rel=1e-12)
    assert one != pytest.approx(two, rel=1e-3)
    assert float(losses.r1_r2(D, ours, theirs, gamma=3.0).detach()) == pytest.approx(one + two, rel=1e-12)
    linear = nn.Linear(3, 1).double()
    squared = float(linear.weight.detach().square().sum())
    assert float(losses.r1_r2(linear, ours, theirs, gamma=1.0).detach()) == pytest.approx(squared, rel=1e-9)


def test_r1_on_a_share_of_the_batch_is_r1_of_its_first_images_and_has_the_same_mean() -> None:
    torch.manual_seed(0)
    D, real = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1)).double(), torch.randn(8, 3).double()
    parts = [float(losses.r1(D, rows, rows, gamma=2.0, share=0.25).detach()) for rows in real.roll(-2, 0).split(8)]
    assert parts[0] == pytest.approx(float(losses.r1(D, real[2:4], real, gamma=2.0).detach()), rel=1e-9)
    quarters = [float(losses.r1(D, real.roll(-2 * k, 0), real, share=0.25).detach()) for k in range(4)]
    assert sum(quarters) / 4 == pytest.approx(float(losses.r1(D, real, real).detach()), rel=1e-9)
    for share in (0.0, 1.5, float("nan")):
        with pytest.raises(ValueError, match="share"):
            losses.r1(D, real, real, share=share)
