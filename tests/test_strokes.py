"""Slant and thickness of bars whose slant and thickness are known, and directions that were built in."""

import math

import pytest
import torch
from torch import Tensor

from gan_lessons import strokes


def bars(lean: float, width: float) -> Tensor:
    """A bar of this width across its rows, that leans so many columns to the right a row upwards: (1, 1, 56, 56)."""
    row, column = torch.meshgrid(torch.arange(56.0), torch.arange(56.0), indexing="ij")
    middle = 28 - lean * (row - 28)
    bar = (width / 2 + 0.5 - (column - middle).abs()).clamp(0, 1)
    return (bar * ((row > 8) & (row < 48)))[None, None]


@pytest.mark.parametrize("lean", [-0.5, 0.0, 0.3])
def test_slant_is_columns_to_the_right_a_row_upwards(lean: float) -> None:
    assert float(strokes.slant(bars(lean, 5))) == pytest.approx(lean, abs=0.02)


@pytest.mark.parametrize("width", [3, 5, 8])
def test_thickness_is_the_width_of_a_stroke_whatever_its_slant(width: float) -> None:
    for lean in (0.0, 0.4):
        across = width / math.sqrt(1 + lean**2)
        ends = 39 / (39 + across)  # the outline has two ends, too
        assert float(strokes.thickness(bars(lean, width))) == pytest.approx(across * ends, rel=0.12)


def test_an_empty_image_has_neither() -> None:
    blank = torch.zeros(2, 1, 28, 28)
    assert strokes.slant(blank).tolist() == strokes.thickness(blank).tolist() == [0, 0]


def test_directions_are_those_along_which_images_were_made_whatever_the_classes_differ_in() -> None:
    torch.manual_seed(0)
    z, labels = torch.randn(400, 6), torch.randint(3, (400,))
    z[:, 2] += labels  # the classes differ in z and in slant, which is no direction within a class
    rows = zip(z[:, 0].tolist(), z[:, 1].tolist(), labels.tolist(), strict=True)
    images = torch.cat([bars(0.15 * a + 0.1 * k, 5 + 0.8 * b) for a, b, k in rows])
    ways = strokes.directions(images, z, labels)
    assert list(ways) == ["slant", "thickness"]
    assert ways["slant"].tolist() == pytest.approx([1, 0, 0, 0, 0, 0], abs=0.06)
    assert ways["thickness"].tolist() == pytest.approx([0, 1, 0, 0, 0, 0], abs=0.12)
    assert float(ways["slant"] @ ways["thickness"]) == pytest.approx(0, abs=1e-9)


def test_too_few_images_or_all_alike_give_no_direction() -> None:
    z, labels = torch.randn(12, 4), torch.zeros(12, dtype=torch.long)
    with pytest.raises(ValueError, match="a direction in 4 numbers needs at least 8 images, not 7"):
        strokes.directions(torch.rand(7, 1, 8, 8), z[:7], labels[:7])
    with pytest.raises(ValueError, match="the slant of these images does not change with z"):
        strokes.directions(bars(0.2, 5).expand(12, -1, -1, -1), z, labels)
