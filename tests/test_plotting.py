import warnings
from base64 import b64decode
from io import BytesIO
from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pytest
import torch
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image

mpl.use("Agg")
import matplotlib.pyplot as plt

from gan_lessons import History, plotting
from gan_lessons.studies import comparisons
from gan_lessons.studies.tables import Row, Table


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


def effects(values: dict[str, list[float]]) -> comparisons.Effects:
    rows = [Row(v, s, 0.0, {"d": x}) for v, xs in values.items() for s, x in enumerate(xs)]
    return comparisons.factors(Table(tuple(rows)), "d", baseline="plain")


def test_a_forest_of_ratios_draws_each_factor_and_says_it_in_numbers_and_colour() -> None:
    found = effects({"plain": [1, 1, 1], "good": [0.5, 0.52, 0.48], "bad": [2, 2.1, 2.2], "so so": [0.8, 1, 1.25]})
    ax = plt.figure().add_subplot()
    plotting.ratio_forest(ax, found.effects, luck=(0.9, 1.1))
    drawn = {
        (tuple(np.asarray(line.get_xdata()).tolist()), tuple(np.asarray(line.get_ydata()).tolist())): line.get_color()
        for line in ax.lines
    }
    for row, (effect, colour) in enumerate(
        zip(found.effects, (plotting.DISC, plotting.FAKE, plotting.THEORY), strict=True)
    ):
        assert drawn[(effect.low, effect.high), (row, row)] == colour
        assert drawn[effect.each, (row + 0.27,) * 3] == colour
    assert [text.get_text().strip() for text in ax.texts] == ["luck", *(effect.size() for effect in found.effects)]
    (shade,) = ax.patches
    assert shade.get_extents().transformed(ax.transData.inverted()).intervalx == pytest.approx([0.9, 1.1])
    assert (ax.get_xscale(), [label.get_text() for label in ax.get_yticklabels()]) == ("log", ["good", "bad", "so so"])
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first row on top
    plt.close("all")


@pytest.mark.parametrize("spread", [1.03, 1.1, 1.3, 2, 5, 30, 1_000])
def test_an_axis_of_factors_has_a_handful_of_labels_and_one_at_no_change(spread: float) -> None:
    ax = plt.figure().add_subplot()
    plotting.ratio_forest(
        ax, effects({"plain": [1, 1], "a": [spread, spread * 1.01], "b": [1 / spread, 1 / spread]}).effects
    )
    low, high = ax.get_xlim()
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert 2 <= len(labels) <= 10
    assert "×1" in labels
    assert all(low <= float(label[1:]) <= high for label in labels)
    plt.close("all")


@pytest.mark.parametrize("low", [0.97, 0.8, 0.58, 0.3, 0.05, 0.001])
@pytest.mark.parametrize("high", [1.03, 1.4, 3, 20, 1_000])
def test_labels_of_factors_do_not_touch_on_a_narrow_figure(low: float, high: float) -> None:
    with plt.rc_context():
        plotting.style()
        fig, ax = plt.subplots(figsize=(5.6, 4))
        values = {"plain": [1.0, 1.0], "pooling and resizing for strides": [low, low], "b": [high, high]}
        plotting.ratio_forest(ax, effects(values).effects)
        fig.tight_layout()
        fig.canvas.draw()
        boxes = [label.get_window_extent() for label in ax.get_xticklabels()]
    assert boxes
    assert all(one.x1 < two.x0 for one, two in pairwise(boxes))
    plt.close("all")


def test_differences_have_no_forest_of_ratios() -> None:
    found = effects({"plain": [1, 1], "a": [2, 2.1]}).effects[0]._replace(neutral=0.0)
    with pytest.raises(ValueError, match=r"for differences take plotting\.forest"):
        plotting.ratio_forest(plt.figure().add_subplot(), [found])
    plt.close("all")


@pytest.mark.usefixtures("warm_kernel")
def test_figures_of_a_notebook_have_twice_the_pixels_of_their_width_on_the_page() -> None:
    code = "from matplotlib import pyplot as plt\nfrom gan_lessons import plotting\n"
    code += "plotting.style({})\nplt.plot([1, 2])\nplt.show()"
    cells = [new_code_cell(code.format(pixels)) for pixels in (1, "", 3)]
    notebook = new_notebook(cells=cells)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MPLBACKEND", raising=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            NotebookClient(notebook, kernel_name="python3", timeout=120).execute()
    outputs = [cell.outputs[-1] for cell in cells]
    with_pixels = [Image.open(BytesIO(b64decode(output.data["image/png"]))).width for output in outputs]
    shown = [output.metadata["image/png"] for output in outputs]
    assert [list(size) for size in shown] == [["width"]] * 3
    assert with_pixels == pytest.approx([n * size["width"] for n, size in zip((1, 2, 3), shown, strict=True)], abs=2)
    assert shown[0]["width"] == pytest.approx(shown[1]["width"], abs=3) == pytest.approx(shown[2]["width"], abs=3)


@pytest.mark.parametrize("shape", [(4, 28, 28, 1), (4, 2, 8, 8), (9,), (1, 2, 3, 8, 8)])
def test_tiles_of_another_shape_are_refused_with_it(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"images are \(n, 784\).* not \("):
        plotting.as_tiles(torch.zeros(shape))
