import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gan_lessons import GAN, Step, data, losses, noise, runs, train
from gan_lessons.models import mlp_discriminator


def game(seed: int = 0, lr: float = 1e-2) -> tuple[GAN, data.Batches, dict[str, Any]]:
    torch.manual_seed(seed)
    G = nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 9), nn.Sigmoid())
    gan = GAN(G, mlp_discriminator((8,), 9, 0.2), noise.gaussian(5))
    batches = data.batches(torch.rand(40, 9), 8)
    adams = {
        "g_optimizer": torch.optim.Adam(gan.G.parameters(), lr),
        "d_optimizer": torch.optim.Adam(gan.D.parameters(), lr),
    }
    return gan, batches, {"objective": losses.non_saturating, **adams}


def mean(gan: GAN) -> dict[str, float]:
    return {"mean": float(gan.images(50).mean())}


def weights(gan: GAN) -> Tensor:
    return torch.cat([p.detach().flatten() for net in gan[:2] for p in net.parameters()])


class Stopped(Exception):
    """What stands for a machine that was switched off."""


def stopping(at: int, *arguments: Any, **options: Any) -> Iterator[Step]:
    for step in train(*arguments, **options):
        if step.number > at:
            raise Stopped
        yield step


def test_watching_changes_nothing_in_the_game(tmp_path: Path) -> None:
    gan, batches, rest = game()
    for _ in train(gan, batches, 30, **rest):
        pass
    watched, batches, rest = game()
    z = torch.randn(4, 5, generator=torch.Generator().manual_seed(3))
    run = runs.watched(watched, batches, 30, path=tmp_path / "a.pt", score=mean, z=z, every=7, **rest)
    assert torch.equal(weights(run.gan), weights(gan))
    assert torch.equal(torch.rand(3), torch.rand(3)) is False
    assert run.scores["step"] == [3, 9, 30] == run.frames.steps
    assert set(run.scores.columns) == {"step", "mean", "averaged_mean"}
    assert run.frames.images[0].shape == (4, 1, 3, 3)
    assert run.history["step"] == list(range(1, 31))
    assert run.history["seconds"] == sorted(run.history["seconds"])
    assert run.seconds >= run.history["seconds"][-1]


def test_the_random_state_after_a_watched_game_is_that_of_the_plain_one(tmp_path: Path) -> None:
    states = []
    for watch in (False, True):
        gan, batches, rest = game()
        if watch:
            runs.watched(gan, batches, 10, path=tmp_path / "a.pt", score=mean, **rest)
        else:
            for _ in train(gan, batches, 10, **rest):
                pass
        states.append(torch.get_rng_state())
    assert torch.equal(*states)


@pytest.mark.parametrize(("way", "readings"), [("watched", 2), ("read along", 1)])
@pytest.mark.parametrize(
    ("rounds", "asked", "batches_drawn"),
    [
        (4, 700, [350, 350]),  # at most 500 at a time
        (4, None, [400]),  # a hundred for each round
        (101, None, [500] * 20),  # and at most 10,000
    ],
)
def test_as_many_noise_vectors_measure_the_statistics_as_are_asked_for_and_no_more_than_a_short_game_needs(
    way: str, readings: int, rounds: int, asked: int | None, batches_drawn: list[int], tmp_path: Path
) -> None:
    gan, batches, rest = game()
    drawn: list[int] = []

    def draw(n: int, dim: int, **where: Any) -> Tensor:
        drawn.append(n)
        return torch.randn(n, dim, **{key: value for key, value in where.items() if key != "generator"})

    gan = gan._replace(prior=noise.Prior("gaussian", 5, draw))
    if way == "watched":  # measured once more for the run that is given back
        rest |= {"path": tmp_path / "a.pt", "shares": (100,), "score": mean}
        runs.watched(gan, batches, rounds, statistics=asked, **rest)
    else:
        runs.read_along(gan, batches, rounds, mean, at={rounds: 100}, statistics=asked, **rest)
    assert [n for n in drawn if n > 50] == batches_drawn * readings


@pytest.mark.parametrize("at", [7, 12])
def test_a_run_that_was_stopped_goes_on_where_its_file_ends(tmp_path: Path, at: int) -> None:
    z = torch.randn(4, 5, generator=torch.Generator().manual_seed(3))
    gan, batches, rest = game()
    whole = runs.watched(gan, batches, 20, path=tmp_path / "whole.pt", score=mean, z=z, **rest)
    options: dict[str, Any] = {"path": tmp_path / "cut.pt", "score": mean, "z": z, "every": 5}
    gan, batches, rest = game()
    with pytest.raises(Stopped):
        runs.watched(gan, batches, 20, play=partial(stopping, at), **options, **rest)
    torch.manual_seed(99)
    gan, batches, rest = game()
    cut = runs.watched(gan, batches, 20, **options, **rest)
    assert torch.equal(weights(cut.gan), weights(whole.gan))
    assert torch.equal(weights(cut.averaged), weights(whole.averaged))
    assert cut.scores.columns == whole.scores.columns
    assert cut.history["d_loss"] == whole.history["d_loss"]
    assert all(torch.equal(a, b) for a, b in zip(cut.frames.images, whole.frames.images, strict=True))
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["cut.pt", "whole.pt"]


def test_a_finished_run_is_not_played_again_and_its_time_is_kept(tmp_path: Path) -> None:
    gan, batches, rest = game()
    first = runs.watched(gan, batches, 20, path=tmp_path / "a.pt", score=mean, **rest)
    gan, batches, rest = game()
    again = runs.watched(gan, batches, 20, path=tmp_path / "a.pt", score=mean, play=partial(stopping, 0), **rest)
    assert torch.equal(weights(again.gan), weights(first.gan))
    assert again.scores.columns == first.scores.columns
    assert first.history["seconds"][-1] <= again.seconds < first.seconds + 1
    assert (first.kept, again.kept > 0, again.kept <= again.seconds) == (0.0, True, True)
    for one, other in ((first.gan.G, again.gan.G), (first.averaged.G, again.averaged.G)):
        assert all(
            torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True)
        )


def test_another_length_or_setting_is_refused_with_the_remedy(tmp_path: Path) -> None:
    gan, batches, rest = game()
    runs.watched(gan, batches, 5, path=tmp_path / "a.pt", settings={"width": 8}, **rest)
    for steps, width in ((6, 8), (5, 9)):
        gan, batches, rest = game()
        with pytest.raises(ValueError, match=r"another run: setting (steps|width) was .*Move or delete"):
            runs.watched(gan, batches, steps, path=tmp_path / "a.pt", settings={"width": width}, **rest)


def test_a_run_of_two_rounds_is_read_at_both(tmp_path: Path) -> None:
    gan, batches, rest = game()
    assert runs.watched(gan, batches, 2, path=tmp_path / "a.pt", score=mean, **rest).scores["step"] == [1, 2]


@pytest.mark.parametrize("shares", [(0,), (200,), (-5,), (0.1, 0.3, 1.0), (True,)])
def test_shares_that_nothing_would_be_read_at_are_refused(shares: Any, tmp_path: Path) -> None:
    gan, batches, rest = game()
    with pytest.raises(ValueError, match="a share, in per cent, must be a whole number from 1 to 100"):
        runs.watched(gan, batches, 10, path=tmp_path / "a.pt", score=mean, shares=shares, **rest)


@pytest.mark.parametrize("shape", [(3, 4), (0, 5), (5,)])
def test_noise_of_a_wrong_shape_is_refused_before_the_first_round(shape: tuple[int, ...], tmp_path: Path) -> None:
    gan, batches, rest = game()
    before = weights(gan).clone()
    with pytest.raises((ValueError, RuntimeError), match=r"noise is z|shapes cannot be multiplied"):
        runs.watched(gan, batches, 40, path=tmp_path / "a.pt", z=torch.zeros(shape), **rest)
    assert torch.equal(weights(gan), before)


@pytest.mark.parametrize("values", [None, {}, 3.0, {1: 2.0}])
def test_a_score_without_numbers_by_name_is_refused_in_words(values: Any, tmp_path: Path) -> None:
    gan, batches, rest = game()
    with pytest.raises(ValueError, match=r"score (must return numbers by name|returns must be printable text)"):
        runs.watched(gan, batches, 10, path=tmp_path / "a.pt", score=lambda _: values, **rest)


def fewer(gan: GAN, batches: Any, steps: int, **options: Any) -> Iterator[Step]:
    yield from train(gan, batches, steps - 4, **options)


def more(gan: GAN, batches: Any, steps: int, **options: Any) -> Iterator[Step]:
    yield from train(gan, batches, steps + 4, **options)


def test_a_play_of_fewer_rounds_is_no_finished_run_and_loses_nothing(tmp_path: Path) -> None:
    gan, batches, rest = game()
    with pytest.raises(ValueError, match="play ended after 6 of 10 rounds"):
        runs.watched(gan, batches, 10, path=tmp_path / "a.pt", every=3, play=fewer, **rest)
    assert [path.name for path in tmp_path.iterdir()] == ["a.pt.part"]
    gan, batches, rest = game()
    run = runs.watched(gan, batches, 10, path=tmp_path / "a.pt", every=3, **rest)  # goes on after round 6
    assert run.history["step"] == list(range(1, 11))


def test_a_play_of_more_rounds_is_stopped_and_the_finished_run_is_kept(tmp_path: Path) -> None:
    gan, batches, rest = game()
    with pytest.raises(ValueError, match="play gave round 11 where 10 of 10 was due"):
        runs.watched(gan, batches, 10, path=tmp_path / "a.pt", play=more, **rest)
    gan, batches, rest = game()
    assert runs.watched(gan, batches, 10, path=tmp_path / "a.pt", **rest).history["step"][-1] == 10


@pytest.mark.parametrize(
    "change",
    [{"decay": 0.9}, {"shares": (50, 100)}, {"d_steps": 2}, {"objective": losses.smoothed()}],
    ids=["decay", "shares", "d_steps", "objective"],
)
def test_a_finished_run_of_other_rules_is_not_given_back_as_this_one(change: dict[str, Any], tmp_path: Path) -> None:
    gan, batches, rest = game()
    runs.watched(gan, batches, 5, path=tmp_path / "a.pt", **rest)
    gan, batches, rest = game()
    with pytest.raises(ValueError, match=rf"checkpoint of another run: setting {next(iter(change))} was"):
        runs.watched(gan, batches, 5, path=tmp_path / "a.pt", **{**rest, **change})


def test_ctrl_c_in_the_last_round_leaves_no_second_file_once_the_run_is_fetched(tmp_path: Path) -> None:
    gan, batches, rest = game()
    readings: list[int] = []

    def score(_: GAN) -> dict[str, float]:
        readings.append(1)
        if len(readings) == 5:  # of the last weights, after the last round
            signal.raise_signal(signal.SIGINT)
        return {"a": 1.0}

    with pytest.raises(KeyboardInterrupt):
        runs.watched(gan, batches, 10, path=tmp_path / "a.pt", score=score, **rest)
    gan, batches, rest = game()
    runs.watched(gan, batches, 10, path=tmp_path / "a.pt", score=score, **rest)
    assert [path.name for path in tmp_path.iterdir()] == ["a.pt"]


def test_a_row_read_along_is_that_of_a_watched_run_and_reading_changes_nothing(tmp_path: Path) -> None:
    z = torch.randn(50, 5, generator=torch.Generator().manual_seed(3))

    def bright(gan: GAN) -> dict[str, float]:
        torch.rand(5)
        return {"mean": float(gan.images(z).mean())}

    watched, batches, rest = game()
    run = runs.watched(watched, batches, 30, path=tmp_path / "a.pt", score=bright, **rest)
    read, batches, rest = game()
    row = runs.read_along(read, batches, 30, bright, at={3: 10, 9: 30, 30: 100}, **rest)
    assert torch.equal(weights(read), weights(run.gan))
    assert list(row) == [f"{name}@{share}" for share in (10, 30, 100) for name in ("mean", "seconds")] + ["last_mean"]
    assert [row[f"mean@{share}"] for share in (10, 30, 100)] == run.scores["averaged_mean"]
    assert row["last_mean"] == run.scores["mean"][-1] != row["mean@100"]
    assert 0 < row["seconds@10"] <= row["seconds@30"] <= row["seconds@100"]


@pytest.mark.parametrize("number", [0, 31])
def test_readings_outside_a_game_are_refused_before_it_is_played(number: int) -> None:
    gan, batches, rest = game()
    before = weights(gan)
    with pytest.raises(ValueError, match="after rounds 1 to 30"):
        runs.read_along(gan, batches, 30, mean, at={number: "late"}, **rest)
    assert torch.equal(weights(gan), before)
