import math
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gan_lessons import GAN, Step, ablation, base, data, losses, noise, studies, toys
from gan_lessons.models import mlp, mlp_generator

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


def test_batch_norm_is_measured_by_as_many_images_as_are_judged(lab: ablation.Lab) -> None:
    drawn: list[int] = []

    def draw(n: int, dim: int, **where: Any) -> Tensor:
        drawn.append(n)
        return torch.randn(n, dim)

    game = base.DCGAN._replace(rounds=1, batch=8, prior=noise.Prior("gaussian", 64, draw), penalty=None)
    lab.play(game, 0, shares=(100,))
    assert drawn == [8, 6, 6, 6]  # the round; the statistics; samples of the average and of the last weights


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
COLUMNS = ("usable", "modes", "one", "quality", "kl", "variety")
SLOW = {"slow": TOY._replace(lr=1e-6)}


def test_toy_games_are_held_against_unchanged_ones_that_chapters_share_and_their_null(tmp_path: Path) -> None:
    first = ablation.study_together(BENCH, TOY, SLOW, [0, 3], folder=tmp_path, name="11-a")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["11-a.csv", "base-toy.csv"]
    assert [(row.variant, row.seed) for row in first.rows] == [
        (name, seed) for name in (ablation.UNCHANGED, ablation.AGAIN, "slow") for seed in (0, 3)
    ]
    assert set(first.rows[0].values) == {f"{n}@{s}" for n in COLUMNS for s in (10, 30, 100)} | {"d_loss", "g_loss"}
    kept = (tmp_path / "base-toy.csv").read_bytes()
    wide = {"wide": TOY._replace(generator=partial(mlp, [8, 32, 2]))}
    second = ablation.study_together(BENCH, TOY, wide, [0, 3], folder=tmp_path, name="12-b")
    assert (tmp_path / "base-toy.csv").read_bytes() == kept
    assert second.rows[:4] == first.rows[:4]
    null = BENCH.play(TOY, [ablation.OTHER_DICE, ablation.OTHER_DICE + 3])
    assert first.column("kl@100")[ablation.AGAIN] == null["kl@100"] != first.column("kl@100")[ablation.UNCHANGED]
    effects = studies.differences(first, "kl@100", baseline=ablation.UNCHANGED, nulls=[ablation.AGAIN])
    assert [effect.variant for effect in effects.effects] == ["slow"]
    assert effects.luck is not None


def test_a_stopped_study_of_toy_games_keeps_what_was_played_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played, play = [], ablation.Bench.play

    def stopped(bench: ablation.Bench, game: base.Game, seeds: Sequence[int]) -> dict[str, list[float]]:
        played.append((game.lr, *seeds))
        if len(played) == 3:
            raise KeyboardInterrupt
        return play(bench, game, seeds)

    monkeypatch.setattr(ablation.Bench, "play", stopped)
    with pytest.raises(KeyboardInterrupt):
        ablation.study_together(BENCH, TOY, SLOW, [0, 1], folder=tmp_path, name="11-a")
    assert [path.name for path in tmp_path.iterdir()] == ["base-toy.csv"]
    ablation.study_together(BENCH, TOY, SLOW, [0, 1], folder=tmp_path, name="11-a")
    assert played == [(1e-3, 0, 1), (1e-3, 1_000, 1_001), (1e-6, 0, 1), (1e-6, 0, 1)]


@pytest.mark.parametrize(
    ("bench", "game", "setting"),
    [
        (BENCH._replace(samples=60), TOY, "samples"),
        (BENCH._replace(toy=toys.ring(std=0.05)), TOY, "std"),
        (BENCH, TOY._replace(rounds=12), "rounds"),
    ],
)
def test_unchanged_toy_games_of_other_settings_are_refused(
    tmp_path: Path, bench: ablation.Bench, game: base.Game, setting: str
) -> None:
    ablation.study_together(BENCH, TOY, SLOW, [0, 1], folder=tmp_path, name="11-a")
    with pytest.raises(ValueError, match=f"other settings.*setting {setting}"):
        ablation.study_together(bench, game, SLOW, [0, 1], folder=tmp_path, name="12-b")


def test_a_study_of_toy_games_that_cannot_be_is_refused_before_a_game(tmp_path: Path) -> None:
    for changed, seeds, name, words in (
        ({"slow": TOY}, [0, 1], "11-a", "changes nothing"),
        ({ablation.AGAIN: SLOW["slow"]}, [0, 1], "11-a", "unchanged toy"),
        ({}, [0, 1], "11-a", "changed game"),
        (SLOW, [0, 1], "base-toy", "name"),
        (SLOW, [0, ablation.OTHER_DICE], "11-a", "smaller"),
    ):
        with pytest.raises(ValueError, match=words):
            ablation.study_together(BENCH, TOY, changed, seeds, folder=tmp_path, name=name)
    assert not list(tmp_path.iterdir())


def test_a_seed_of_a_toy_game_measures_the_same_alone_and_however_often_it_is_read() -> None:
    often = BENCH.play(TOY, [3, 5], shares=(10, 20, 50, 100))
    once = BENCH.play(TOY, [5], shares=(100,))
    for name, values in once.items():
        assert often[name][1] == pytest.approx(values[0], rel=1e-4, abs=1e-4), name


def normed() -> nn.Sequential:
    return nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1))


@pytest.mark.parametrize("game", [TOY, TOY._replace(discriminator=normed)], ids=["plain", "with batch norm"])
def test_readings_and_looks_at_the_losses_leave_a_toy_game_as_it_would_be(game: base.Game) -> None:
    plain, batches, rest = base.start_together(game, [0, 1])
    for _ in game.play(plain, batches, game.rounds, **rest):
        pass
    seen: list[GAN] = []

    def watched(gan: GAN, *arguments: Any, **rules: Any) -> Iterator[Step]:
        seen.append(gan)
        yield from game.play(gan, *arguments, **rules)

    BENCH.play(game._replace(play=watched), [0, 1])
    for read, unread in ((seen[0].G, plain.G), (seen[0].D, plain.D)):
        for name, tensor in unread.state_dict().items():
            assert torch.equal(tensor, read.state_dict()[name]), name


def test_the_losses_of_a_blind_officer_are_those_of_one_half() -> None:
    gan, _, _ = base.start_together(TOY, [0, 1])
    for weight in gan.D.parameters():
        weight.data.zero_()
    dice = [torch.Generator().manual_seed(k) for k in (0, 1)]
    assert torch.allclose(BENCH.losses(gan, TOY, dice), torch.tensor([[2 * math.log(2)] * 2, [math.log(2)] * 2]))
    soft = TOY._replace(objective=losses.smoothed(0.9))
    assert float(BENCH.losses(gan, soft, dice)[0, 0]) == pytest.approx(2 * math.log(2), rel=1e-6)


def test_what_a_bench_counts_of_points_that_are_known() -> None:
    means = base.RING.means
    one, all_eight = BENCH.measure(means[:1].repeat(80, 1)), means.repeat(10, 1)
    assert one["usable"] == pytest.approx(100 / 8)
    assert (one["modes"], one["one"], one["quality"], one["variety"]) == (1, 1, 100, 0)
    assert one["kl"] == pytest.approx(math.log(8))
    half = all_eight.clone()
    half[::2] += 0.1  # half of the modes lie empty now, their points near them
    counted = BENCH.measure(half)
    assert (counted["usable"], counted["modes"], counted["quality"]) == (50, 4, 50)
    assert counted["kl"] == pytest.approx(0, abs=1e-6)
    real = BENCH.measure(base.RING.sample(40_000, generator=torch.Generator().manual_seed(0)))
    assert 97 < real["usable"] < 98.9
    assert real["variety"] == pytest.approx(1, abs=0.01)
    assert BENCH.measure(all_eight * math.nan) == {
        **dict.fromkeys(("usable", "modes", "one", "quality", "variety"), 0.0),
        "kl": pytest.approx(math.log(8)),
    }
