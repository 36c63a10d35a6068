"""Studies on points: each seed's numbers are its own, readings change nothing, and the unchanged games are shared."""

import math
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from gan_lessons import GAN, ablation_toys, base, losses, studies
from gan_lessons.ablation import UNCHANGED
from gan_lessons.ablation_toys import AGAIN, OTHER_DICE
from gan_lessons.models import mlp

SMALL = base.TOY._replace(rounds=6, batch=16)
LAB = ablation_toys.Lab(samples=200)


def test_a_seed_measures_the_same_alone_and_in_company() -> None:
    together, alone = LAB.play(SMALL, [3, 5]), LAB.play(SMALL, [5])
    assert set(together) == {
        *(f"{name}@{share}" for name in ("usable", "modes", "quality", "kl") for share in (10, 30, 100)),
        *(f"last_{name}" for name in ("usable", "modes", "quality", "kl")),
        "d_loss",
        "g_loss",
    }
    for name, values in together.items():
        assert float(values[1]) == pytest.approx(float(alone[name][0]), rel=1e-4, abs=1e-4), name


def test_readings_and_looks_at_the_losses_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    gan, batches, rest = base.start_together(SMALL, [0])
    for _ in SMALL.play(gan, batches, SMALL.rounds, **rest):
        pass
    seen: list[list[torch.Tensor]] = []
    score = ablation_toys.Lab.score

    def watched(lab: ablation_toys.Lab, players: GAN) -> dict[str, list[float]]:
        seen.append([weight.detach().clone() for weight in players.G.parameters()])
        return score(lab, players)

    monkeypatch.setattr(ablation_toys.Lab, "score", watched)
    LAB.play(SMALL, [0])
    assert len(seen) == 4  # three readings of the average, one of the last weights
    assert all(torch.equal(one, other) for one, other in zip(seen[-1], gan.G.parameters(), strict=True))


def test_the_losses_of_a_blind_officer_are_those_of_one_half() -> None:
    gan, _, _ = base.start_together(SMALL, [0, 1])
    for weight in gan.D.parameters():
        weight.data.zero_()
    dice = [torch.Generator().manual_seed(k) for k in (0, 1)]
    assert torch.allclose(LAB.losses(gan, SMALL, dice), torch.tensor([[2 * math.log(2)] * 2, [math.log(2)] * 2]))
    soft = SMALL._replace(objective=losses.smoothed(0.9))
    assert float(LAB.losses(gan, soft, dice)[0, 0]) == pytest.approx(2 * math.log(2), rel=1e-6)


def test_the_ring_itself_fills_an_order_and_one_heap_an_eighth_of_it() -> None:
    toy = base.RING
    assert 0.93 < ablation_toys.usable(toy.sample(5_000, generator=torch.Generator().manual_seed(0)), toy) < 0.99
    assert ablation_toys.usable(toy.means[:1].repeat(100, 1), toy) == pytest.approx(1 / 8)
    assert ablation_toys.usable(100 + toy.means, toy) == 0
    assert ablation_toys.usable(toy.means[[0, 0, 0, 1]], toy) == pytest.approx(2 / 8)


def test_chapters_share_the_unchanged_games_and_their_null(tmp_path: Path) -> None:
    wide = SMALL._replace(generator=partial(mlp, [8, 32, 2]))
    first = ablation_toys.study(LAB, SMALL, {"wide": wide}, [0, 1], folder=tmp_path, name="11-a")
    kept = (tmp_path / "base-toy.csv").read_bytes()
    second = ablation_toys.study(LAB, SMALL, {"fast": SMALL._replace(lr=1e-2)}, [0, 1], folder=tmp_path, name="12-b")
    assert (tmp_path / "base-toy.csv").read_bytes() == kept
    assert first.rows[:4] == second.rows[:4]
    assert [row.variant for row in second.rows] == [UNCHANGED] * 2 + [AGAIN] * 2 + ["fast"] * 2
    null = LAB.play(SMALL, [OTHER_DICE, OTHER_DICE + 1])
    assert second.column("kl@100")[AGAIN] == pytest.approx(np.asarray(null["kl@100"]))
    found = studies.differences(first, "kl@100", baseline=UNCHANGED, nulls=[AGAIN])
    assert [effect.variant for effect in found.effects] == ["wide"]
    assert found.luck is not None


def test_a_change_that_is_none_or_takes_a_name_of_the_unchanged_games_is_refused(tmp_path: Path) -> None:
    for changed, words in (
        ({"slow": SMALL}, "changes nothing"),
        ({AGAIN: SMALL._replace(lr=1e-6)}, "unchanged toy"),
        ({}, "changed game"),
    ):
        with pytest.raises(ValueError, match=words):
            ablation_toys.study(LAB, SMALL, changed, [0, 1], folder=tmp_path, name="11-a")
    with pytest.raises(ValueError, match="name"):
        ablation_toys.study(LAB, SMALL, {"a": SMALL._replace(lr=1e-6)}, [0, 1], folder=tmp_path, name="base-toy")
    assert not list(tmp_path.iterdir())
