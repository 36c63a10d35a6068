import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor

from gan_lessons import ablation, base, data, noise, studies
from gan_lessons.models import mlp_generator
from gan_lessons.training import GAN

SMALL = base.MLP._replace(rounds=4, batch=8)


def mean_of(samples: Tensor) -> dict[str, float]:
    assert samples.shape == (6, 1, 28, 28)
    return {"ink": float(samples.mean())}


@pytest.fixture
def lab() -> ablation.Lab:
    digits = data.load("digits")
    return ablation.Lab(digits._replace(images=digits.images[:60]), mean_of, 6)


def test_a_study_holds_changed_games_against_the_unchanged_one_seed_by_seed(lab: ablation.Lab, tmp_path: Path) -> None:
    changed = {"slow": SMALL._replace(lr=1e-6), "other noise": SMALL._replace(prior=noise.uniform(100))}
    table = ablation.study(lab, SMALL, changed, [0, 1], folder=tmp_path, name="09-test")
    assert [(row.variant, row.seed) for row in table.rows] == [
        (name, seed) for name in (ablation.UNCHANGED, *changed) for seed in (0, 1)
    ]
    assert {"ink@10", "ink@30", "ink@100", "seconds@100", "last_ink"} == {
        name for name in table.rows[0].values if name != "seconds@10" and name != "seconds@30"
    }
    effects = studies.factors(table, "ink@100", baseline=ablation.UNCHANGED)
    assert [effect.variant for effect in effects.effects] == list(changed)
    alone = lab.play(SMALL._replace(lr=1e-6), 1)
    assert alone["ink@100"] == table.column("ink@100")["slow"][1]


def test_chapters_share_the_unchanged_games_and_each_keeps_its_own(lab: ablation.Lab, tmp_path: Path) -> None:
    first = ablation.study(lab, SMALL, {"slow": SMALL._replace(lr=1e-6)}, [0, 1], folder=tmp_path, name="09-a")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert sorted(before) == ["09-a.csv", "base-MLP.csv"]
    second = ablation.study(lab, SMALL, {"fast": SMALL._replace(lr=1e-2)}, [0, 1], folder=tmp_path, name="10-b")
    assert (tmp_path / "base-MLP.csv").read_bytes() == before["base-MLP.csv"]
    assert second.rows[:2] == first.rows[:2]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["09-a.csv", "10-b.csv", "base-MLP.csv"]


@pytest.mark.parametrize(
    ("other", "setting"),
    [
        (SMALL._replace(rounds=5), "rounds"),
        (SMALL._replace(lr=2e-3), "lr"),
        (SMALL._replace(prior=noise.uniform(100)), "z"),
        (SMALL._replace(generator=partial(mlp_generator, (32,), signed=True)), "weights"),
    ],
)
def test_a_table_of_another_base_game_is_refused(
    lab: ablation.Lab, tmp_path: Path, other: base.Game, setting: str
) -> None:
    ablation.study(lab, SMALL, {"slow": SMALL._replace(lr=1e-6)}, [0, 1], folder=tmp_path, name="09-a")
    with pytest.raises(ValueError, match=f"other settings.*setting {setting}"):
        ablation.study(lab, other, {"slow": other._replace(lr=1e-6)}, [0, 1], folder=tmp_path, name="10-b")
    with pytest.raises(ValueError, match="setting samples was 6, is 7"):
        ablation.study(
            lab._replace(samples=7), SMALL, {"slow": SMALL._replace(lr=1e-6)}, [0, 1], folder=tmp_path, name="10-b"
        )


def test_a_change_that_is_none_or_takes_the_baselines_name_is_refused_before_a_game(
    lab: ablation.Lab, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="changes nothing"):
        ablation.study(lab, SMALL, {"slow": SMALL}, [0, 1], folder=tmp_path, name="09-a")
    with pytest.raises(ValueError, match="unchanged MLP"):
        ablation.study(lab, SMALL, {ablation.UNCHANGED: SMALL._replace(lr=1e-6)}, [0, 1], folder=tmp_path, name="09-a")
    with pytest.raises(ValueError, match="changed game"):
        ablation.study(lab, SMALL, {}, [0, 1], folder=tmp_path, name="09-a")
    with pytest.raises(ValueError, match="name"):
        ablation.study(lab, SMALL, {"slow": SMALL._replace(lr=1e-6)}, [0, 1], folder=tmp_path, name="base-MLP")
    assert not list(tmp_path.iterdir())


def test_only_games_with_convolutions_take_the_short_numbers(
    lab: ablation.Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = []
    start = base.start

    def watched(*arguments: object, dtype: torch.dtype, **rest: object) -> object:
        taken.append(dtype)
        return start(*arguments, dtype=torch.float32, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(base, "start", watched)
    lab = lab._replace(dtype=torch.bfloat16)
    lab.play(SMALL, 0)
    lab.play(base.DCGAN._replace(rounds=4, batch=4), 0)
    assert taken == [torch.float32, torch.bfloat16]


TOY = base.TOY._replace(rounds=10, batch=8)
BENCH = ablation.Bench(samples=50)


def test_toy_games_are_held_against_shared_unchanged_ones_and_nulls_with_other_seeds(tmp_path: Path) -> None:
    changed = {"slow": TOY._replace(lr=1e-6)}
    table = ablation.study_together(
        BENCH, TOY, changed, [0, 1], nulls={"again": 100}, folder=tmp_path, name="13-test", also=spoil
    )
    assert [(row.variant, row.seed) for row in table.rows] == [
        (name, seed) for name in (ablation.UNCHANGED, "slow", "again") for seed in (0, 1)
    ]
    assert set(table.rows[0].values) == {
        f"{n}@{s}" for n in ("one", "due", "near", "quality", "kl") for s in (10, 30, 100)
    }
    assert set(table.rows[2].values) - set(table.rows[0].values) == {"spoiled"}
    again = BENCH.play(TOY, [100, 101])
    assert table.column("kl@100")["again"] == again["kl@100"]
    assert table.column("kl@100")["again"] != table.column("kl@100")[ablation.UNCHANGED]
    kept = (tmp_path / "base-toy.csv").read_bytes()
    ablation.study_together(BENCH, TOY, {"fast": TOY._replace(lr=1e-2)}, [0, 1], folder=tmp_path, name="12-test")
    assert (tmp_path / "base-toy.csv").read_bytes() == kept


def spoil(gan: GAN, game: base.Game, seeds: Sequence[int]) -> dict[str, list[float]]:
    torch.nn.init.zeros_(next(gan.G.parameters()))
    return {"spoiled": [1.0 for _ in seeds]}


def test_a_reading_of_a_toy_game_changes_nothing_and_a_seed_does_not_depend_on_its_company() -> None:
    often = BENCH.play(TOY, [3, 4], shares=(10, 20, 50, 100))
    once = BENCH.play(TOY, [4], shares=(100,))
    assert [often["kl@100"][1], often["quality@100"][1]] == pytest.approx(  # type: ignore[index]
        [once["kl@100"][0], once["quality@100"][0]]  # type: ignore[index]
    )


def test_the_scores_of_a_bench_are_those_of_a_generator_whose_points_are_known() -> None:
    class Known(torch.nn.Module):
        def forward(self, z: Tensor) -> Tensor:  # (n, S, 8): the first seed knows one mode, the second all of them
            which = torch.arange(len(z)) % 8
            points = torch.stack([base.RING.means[0].expand(len(z), 2), base.RING.means[which]], 1)
            points[::2, 1] += 1e-1  # every other point of the second is waste, near its mode
            return points

    scores = ablation.Bench(samples=80).score(GAN(Known(), Known(), TOY.prior), TOY, [0, 1])
    assert scores["one"] == [1, 4]
    assert scores["due"] == [1, 4]
    assert scores["near"] == [1, 8]
    assert scores["quality"] == [100, 50]
    assert scores["kl"] == pytest.approx([math.log(8), 0.0], abs=1e-6)


@pytest.mark.parametrize("nulls", [{"again": 1}, {"slow": 100}])
def test_a_null_has_a_name_and_seeds_of_its_own(tmp_path: Path, nulls: dict[str, int]) -> None:
    changed = {"slow": TOY._replace(lr=1e-6)}
    with pytest.raises(ValueError, match="seeds of its own"):
        ablation.study_together(BENCH, TOY, changed, [0, 1], nulls=nulls, folder=tmp_path, name="13-test")
    assert not list(tmp_path.iterdir())


RING = base.TOY._replace(rounds=4)


def test_a_ring_study_plays_all_seeds_at_once_and_each_as_it_would_play_alone(tmp_path: Path) -> None:
    changed = {"slow": RING._replace(lr=1e-6)}
    table = ablation.ring_study(RING, changed, [0, 3], folder=tmp_path, name="10-test", samples=50)
    assert [(row.variant, row.seed) for row in table.rows] == [
        (name, seed) for name in (ablation.UNCHANGED, *changed) for seed in (0, 3)
    ]
    assert {f"{name}@{share}" for name in ablation.on_ring(torch.rand(5, 2)) for share in (10, 30, 100)} == set(
        table.rows[0].values
    )
    alone = ablation.play_on_ring(RING, [3], samples=50)
    assert alone["variety@100"][0] == pytest.approx(table.rows[1].values["variety@100"], abs=1e-5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["10-test.csv", "base-toy.csv"]
    with pytest.raises(ValueError, match="changes nothing"):
        ablation.ring_study(RING, {"same": RING}, [0, 1], folder=tmp_path, name="10-b")


def test_a_reading_on_the_way_changes_no_game_on_the_ring() -> None:
    rare, often = (ablation.play_on_ring(RING, [0], 50, shares) for shares in ((100,), (25, 50, 75, 100)))
    assert rare["variety@100"] == often["variety@100"] != often["variety@25"]


def test_misplaced_is_the_share_of_points_that_would_have_to_move() -> None:
    real = base.RING.sample(40_000, generator=torch.Generator().manual_seed(0))
    assert ablation.on_ring(real)["misplaced"] == pytest.approx(0, abs=0.01)
    assert ablation.on_ring(real)["captured"] == 8
    assert ablation.on_ring(real)["variety"] == pytest.approx(1, abs=0.01)
    half = ablation.on_ring(real[base.RING.log_density(real).isfinite() & (real[:, 0] > 0.3)])
    assert half["misplaced"] == pytest.approx(5 / 8, abs=0.01)  # three of eight modes
    far = ablation.on_ring(real + 5)
    assert far["misplaced"] == pytest.approx(0.9889, abs=1e-3)  # 1.1 % belong outside, and stand there
    assert ablation.on_ring(torch.full((9, 2), torch.nan))["captured"] == 0
