"""Drawn horses and zebras: each cue changes alone, and a seed gives the same pictures."""

import numpy as np
import pytest
import torch

from gan_lessons.data import animals


def one(build: float, place: str, seed: int = 3, **how: object) -> torch.Tensor:
    return animals.album(seed, [build], [place], **how)[0, 0]  # type: ignore[arg-type]


def test_an_album_has_one_picture_for_each_build_in_the_range_of_images() -> None:
    pictures = animals.album([0, 1], [0, 1, 0.5], ["nothing", "body", "wall"])
    assert pictures.shape == (3, 1, animals.SIDE, animals.SIDE)
    assert pictures.dtype == torch.float32
    assert 0 <= float(pictures.min()) < 0.25 < 0.75 < float(pictures.max()) <= 1
    assert torch.equal(pictures, animals.album([0, 1], [0, 1, 0.5], ["nothing", "body", "wall"]))
    assert not torch.equal(pictures, animals.album([0, 2], [0, 1, 0.5], ["nothing", "body", "wall"]))


def test_stripes_change_only_the_place_that_they_lie_on() -> None:
    animal = torch.tensor(animals.silhouette(np.random.default_rng(3), 0))
    for place, there in (("body", animal == 1), ("wall", animal == 0)):
        change = (one(0, place) - one(0, "nothing")).abs()
        assert float(change[there].mean()) == pytest.approx(0.2, abs=0.01)
        assert float(change[animal == (0 if place == "body" else 1)].max()) < 1e-6


def test_a_zebras_build_is_rounder_and_legs_swing_in_animals_that_stand_still() -> None:
    still = [[animals.silhouette(np.random.default_rng(k), build, 0.0) for k in range(40)] for build in (0, 1)]
    horses, zebras = (np.stack(side) for side in still)
    belly, legs = 26, slice(30, 36)  # rows; a horse's belly ends above the first
    assert zebras[:, belly].sum(1).min() > horses[:, belly].sum(1).max()
    for build in (horses, zebras):
        assert len(np.unique(build[:, legs].reshape(40, -1), axis=0)) > 30  # without swing, left and right: two
        assert len(np.unique(build[:, :10].reshape(40, -1), axis=0)) == 2  # heads stand still


@pytest.mark.parametrize("upright", [True, False])
def test_upright_stripes_change_along_a_row_and_level_ones_along_a_column(upright: bool) -> None:
    pattern = animals.stripes(np.random.default_rng(0), upright=upright)
    along_a_row, along_a_column = (np.abs(np.diff(pattern, axis=axis)).mean() for axis in (1, 0))
    assert (along_a_row > 2 * along_a_column) == upright
    assert (along_a_column > 2 * along_a_row) == (not upright)


def test_a_coat_has_the_grey_that_was_asked_for() -> None:
    animal = torch.tensor(animals.silhouette(np.random.default_rng(3), 1)) == 1
    assert 0.05 < float(one(1, "nothing", coat=(0.05, 0.1))[animal].mean()) < 0.1
    assert 0.25 < float(one(1, "nothing")[animal].mean()) < 0.45


def test_stripes_on_something_else_are_refused_with_what_there_is() -> None:
    with pytest.raises(ValueError, match=r"one of \('nothing', 'body', 'wall'\), not on 'tail'"):
        one(0, "tail")
