import matplotlib as mpl
import numpy as np
import pytest
import torch

mpl.use("Agg")
import matplotlib.pyplot as plt

from gan_lessons import History, plotting


def test_a_tile_keeps_each_pixel_where_it_belongs_and_its_grey() -> None:
    images = torch.rand(5, 1, 4, 4)
    sheet = plotting.tile(images, columns=3, gap=1)
    assert sheet.shape == (2 * 4 + 1, 3 * 4 + 2)
    assert np.allclose(sheet[5:9, 5:9], images[4, 0].numpy())
    assert np.all(sheet[4] == 1)
    assert np.all(sheet[5:, 10:] == 1)  # an empty place stays white


def test_contrast_is_not_stretched() -> None:
    faint = torch.full((2, 784), 0.1)
    assert plotting.as_tiles(faint).max() == pytest.approx(0.1)
    ax = plotting.show_images(faint)
    assert ax.images[0].get_clim() == (0, 1)
    plt.close("all")


def test_uint8_colour_and_flat_images_are_understood() -> None:
    assert plotting.as_tiles(torch.full((2, 784), 255, dtype=torch.uint8)).shape == (2, 28, 28)
    assert plotting.as_tiles(torch.zeros(2, 3, 8, 8)).shape == (2, 8, 8, 3)
    assert plotting.as_tiles(torch.zeros(2, 8, 8)).shape == (2, 8, 8)


def test_values_outside_zero_to_one_are_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match=r"\(images \+ 1\) / 2"):
        plotting.as_tiles(torch.linspace(-1, 1, 784)[None])
    with pytest.raises(ValueError, match="not square"):
        plotting.as_tiles(torch.zeros(1, 783))


def test_losses_draw_both_players_in_their_colours_with_labelled_ends() -> None:
    history = History()
    for step in range(1, 50):
        history.log(step, d_loss=1.0, g_loss=2.0)
    ax = plotting.losses(history, smooth=5)
    assert {line.get_color() for line in ax.lines} == {plotting.DISC, plotting.FAKE}
    assert [t.get_text().strip() for t in ax.texts] == ["D", "G"]
    assert all(np.allclose(line.get_ydata(), (1.0, 2.0)[i // 2]) for i, line in enumerate(ax.lines))
    plt.close("all")


def test_a_film_of_grids_has_all_frames_at_twice_their_size() -> None:
    frames = [torch.full((4, 784), k / 5) for k in range(5)]
    film = plotting.film(frames, columns=2, labels=[f"round {k}" for k in range(5)], alt="four grey squares")
    assert film.length == 5
    assert 'alt="four grey squares"' in film.html
    assert f'width="{2 * (2 * 28 + 2)}"' in film.html
    assert "round 4" in film.html
