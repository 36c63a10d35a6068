from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor

from gan_lessons import ablation, base, data, noise, studies
from gan_lessons.models import mlp_generator

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
