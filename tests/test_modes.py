"""modes: closed forms, the floor of the perfect sampler, and nulls that must not pass."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from gan_lessons.metrics import modes
from gan_lessons.toys import Mixture, grid, mixture, ring

N = 2_500


def source(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def box(half: float, n: int, seed: int = 0) -> Tensor:
    return half * (2 * torch.rand(n, 2, generator=source(seed)) - 1)


def tally(samples: Tensor, toy: Mixture) -> modes.Tally:
    return modes.tally(samples, toy.means, toy.stds)


def test_samples_are_assigned_to_the_nearest_mode_and_measured_in_its_stds() -> None:
    toy = mixture([[0.0, 0.0], [10.0, 0.0]], [1.0, 2.0])
    which, distance = modes.assign(torch.tensor([[3.0, 0.0], [10.0, 7.0], [4.9, 0.0], [5.1, 0.0]]), *toy[1:3])
    assert which.tolist() == [0, 1, 0, 1]
    torch.testing.assert_close(distance, torch.tensor([3.0, 3.5, 4.9, 2.45]))


def test_a_tally_counts_all_samples_and_the_good_ones() -> None:
    toy = mixture([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]], 1.0)
    found = tally(torch.tensor([[0.0, 2.9], [0.0, -3.1], [10.0, 0.0], [12.0, 0.0]]), toy)
    assert found.nearest.tolist() == [2, 2, 0]
    assert found.good.tolist() == [1, 2, 0]
    assert (found.n, found.quality) == (4, 0.75)


def test_the_limit_of_quality_is_three_stds_even_on_a_narrow_ring() -> None:
    toy = ring()
    directions = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    for factor, good in ((2.99, 3), (3.01, 0)):
        around = toy.means[3] + factor * toy.stds[3] * directions
        assert int(tally(around, toy).good[3]) == good


def test_distances_from_a_narrow_mode_keep_their_digits_among_many_samples() -> None:
    toy = ring()
    angles = torch.arange(1_000)
    around = toy.means[3] + 0.1 * toy.stds[3] * torch.stack([angles.cos(), angles.sin()], 1)
    which, distance = modes.assign(around, toy.means, toy.stds)
    assert (which == 3).all()
    torch.testing.assert_close(distance, torch.full((1_000,), 0.1), rtol=1e-3, atol=0)


@pytest.mark.parametrize("dim", [1, 2, 3, 10])
@pytest.mark.parametrize("within", [1.0, 3.0])
def test_true_quality_is_the_chi_square_mass(dim: int, within: float) -> None:
    assert modes.true_quality(dim, within) == pytest.approx(stats.chi2.cdf(within**2, dim), abs=1e-12)


def test_true_quality_in_the_plane_is_98_889_per_cent() -> None:
    assert modes.true_quality(2) == pytest.approx(1 - math.exp(-4.5), abs=1e-12)
    assert 100 * modes.true_quality(2) == pytest.approx(98.889, abs=5e-4)


@pytest.mark.parametrize("toy", [ring(), grid()], ids=lambda toy: toy.name)
def test_the_perfect_sampler_has_the_true_quality(toy: Mixture) -> None:
    n, p = 100_000, modes.true_quality(2)
    found = tally(toy.sample(n, generator=source()), toy)
    assert abs(found.quality - p) < 4 * math.sqrt(p * (1 - p) / n)


@pytest.mark.parametrize("toy", [ring(), grid()], ids=lambda toy: toy.name)
def test_the_perfect_sampler_passes_every_rule(toy: Mixture) -> None:
    for seed in range(20):
        good = tally(toy.sample(N, generator=source(seed)), toy).good
        assert int(modes.at_least_one(good).sum()) == toy.modes
        assert int(modes.least_share(good, N).sum()) == toy.modes
        assert int(modes.expected_share(good, N, toy.weights).sum()) == toy.modes


def test_a_uniform_box_fools_one_rule_and_not_the_others() -> None:
    toy = grid()
    good = tally(box(5, 10_000), toy).good
    assert int(modes.at_least_one(good).sum()) >= 24
    assert int(modes.least_share(good, 10_000).sum()) == 0
    assert int(modes.expected_share(good, 10_000, toy.weights).sum()) == 0


def test_one_mode_and_one_blob_do_not_pass_the_strict_rule() -> None:
    toy = ring()
    one = toy.means[0] + toy.stds[0] * torch.randn(N, 2, generator=source())
    blob = toy.means.square().mean().sqrt() * torch.randn(N, 2, generator=source())  # the data's mean and variance
    assert int(modes.expected_share(tally(one, toy).good, N, toy.weights).sum()) == 1
    assert int(modes.expected_share(tally(blob, toy).good, N, toy.weights).sum()) == 0


@pytest.mark.parametrize(("count", "passed"), [(49, False), (50, True)])
def test_the_rules_pass_exactly_at_their_limits(count: int, passed: bool) -> None:
    good = torch.tensor([count, 0])
    assert modes.least_share(good, N).tolist() == [passed, False]
    assert modes.expected_share(good, N, torch.tensor([0.04, 0.96])).tolist() == [passed, False]
    assert modes.at_least_one(torch.tensor([1, 0])).tolist() == [True, False]


def test_a_mode_of_weight_zero_is_never_captured() -> None:
    weights = torch.tensor([1.0, 0.0])
    assert modes.expected_share(torch.tensor([10, 0]), 10, weights).tolist() == [True, False]


def test_reverse_kl_of_shares_by_hand_and_of_one_mode_is_log_k() -> None:
    even = torch.full((4,), 0.25)
    assert modes.reverse_kl(torch.tensor([2, 2, 0, 0]), even) == pytest.approx(math.log(2))
    assert modes.reverse_kl(torch.tensor([7, 0, 0, 0]), even) == pytest.approx(math.log(4))
    assert modes.reverse_kl(torch.tensor([5, 5, 5, 5]), even) == pytest.approx(0, abs=1e-12)
    # the mean is over q, the samples, not over p: the other way round this would be 0.51 and not 0.37
    uneven = modes.reverse_kl(torch.tensor([9, 1]), torch.tensor([0.5, 0.5]))
    assert uneven == pytest.approx(0.9 * math.log(1.8) + 0.1 * math.log(0.2), abs=1e-6)
    assert modes.reverse_kl(torch.tensor([4, 0]), torch.tensor([1.0, 0.0])) == 0
    assert modes.reverse_kl(torch.tensor([4, 1]), torch.tensor([1.0, 0.0])) == math.inf


@pytest.mark.parametrize("toy", [ring(), grid()], ids=lambda toy: toy.name)
def test_the_floor_is_what_the_perfect_sampler_scores(toy: Mixture) -> None:
    draws = np.random.default_rng(0).multinomial(N, np.full(toy.modes, 1 / toy.modes), size=2_000)
    scores = torch.tensor([modes.reverse_kl(torch.tensor(counts), toy.weights) for counts in draws])
    error = float(scores.std()) / math.sqrt(len(scores))
    assert abs(float(scores.mean()) - modes.kl_floor(toy.modes, N)) < 4 * error
    assert error < 1 / (2 * N) / 5  # so that k for k - 1 would not pass
    by_samples = [tally(toy.sample(N, generator=source(seed)), toy).nearest for seed in range(20)]
    mean = float(np.mean([modes.reverse_kl(counts, toy.weights) for counts in by_samples]))
    assert modes.kl_floor(toy.modes, N) / 2 < mean < 2 * modes.kl_floor(toy.modes, N)


def test_reverse_kl_alone_lets_the_uniform_box_pass_on_the_grid() -> None:
    toy = grid()  # its cells are squares of side 2, which tile the box from -5 to 5
    found = tally(box(5, N), toy)
    assert modes.reverse_kl(found.nearest, toy.weights) < 2 * modes.kl_floor(25, N)
    assert found.quality < 0.03


@pytest.mark.parametrize("n", [100, N])
def test_chance_is_the_mean_of_what_the_box_captures(n: int) -> None:
    toy = grid()
    hits = math.pi * (3 * toy.stds.double()) ** 2 / 10**2
    found = [int(modes.at_least_one(tally(box(5, n, seed), toy).good).sum()) for seed in range(100)]
    spread = torch.tensor(found).double()
    assert abs(float(spread.mean()) - modes.chance(hits, n)) < 4 * float(spread.std()) / math.sqrt(len(found))


def test_chance_of_sure_and_impossible_modes() -> None:
    assert modes.chance(torch.tensor([1.0, 0.0, 0.5]), 1) == pytest.approx(1.5)
    assert modes.chance(torch.tensor([1e-9]), 1) == pytest.approx(1e-9, rel=1e-6)


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (torch.zeros(5, 3), "samples"),
        (torch.zeros(0, 2), "samples"),
        (torch.tensor([[math.nan, 0.0]]), "NaN or infinite"),
        (torch.tensor([[0.0, 0.0], [0.0, math.inf]]), "1 of 2"),
    ],
)
def test_what_has_no_nearest_mode_is_refused(samples: Tensor, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        tally(samples, ring())
    with pytest.raises(ValueError, match="nothing was counted"):
        modes.reverse_kl(torch.zeros(3, dtype=torch.int64), torch.ones(3) / 3)


@pytest.mark.parametrize(("mean", "std"), [(math.nan, 1.0), (0.0, 0.0), (0.0, -1.0), (0.0, math.nan), (0.0, math.inf)])
def test_modes_without_a_place_or_a_width_are_refused(mean: float, std: float) -> None:
    with pytest.raises(ValueError, match="finite means, and finite stds above 0"):
        modes.tally(torch.zeros(5, 2), torch.full((2, 2), mean), torch.full((2,), std))


def test_the_perfect_sampler_fills_an_order_and_one_heap_its_own_part_of_it() -> None:
    toy = mixture([[0.0, 0.0], [10.0, 0.0], [20.0, 0.0], [30.0, 0.0]], 1.0, [0.4, 0.3, 0.2, 0.1])
    assert 0.96 < modes.usable(tally(toy.sample(5_000, generator=source()), toy).good, 5_000, toy.weights) < 0.9889
    for points, filled in ((toy.means[:1].repeat(9, 1), 0.4), (100 + toy.means, 0), (toy.means[[0, 0, 0, 3]], 0.5)):
        assert modes.usable(tally(points, toy).good, len(points), toy.weights) == pytest.approx(filled)
