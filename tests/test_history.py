import pytest
import torch

from gan_lessons import History
from gan_lessons.history import Frames


def table() -> History:
    history = History()
    history.log(1, d_loss=torch.tensor(0.1), g_loss=1 / 3)
    history.log(10, d_loss=1e-300, g_loss=float("nan"))
    return history


def test_columns_are_floats_by_name() -> None:
    history = table()
    assert len(history) == 2
    assert history["step"] == [1, 10]
    assert history["d_loss"] == pytest.approx([0.1, 1e-300], rel=1e-6)


def test_a_row_with_other_columns_or_an_earlier_step_is_refused_and_nothing_added() -> None:
    history = table()
    for step, row in ((11, {"d_loss": 1.0}), (10, {"d_loss": 1.0, "g_loss": 1.0}), (12, {})):
        with pytest.raises(ValueError, match=r"same columns|does not come after"):
            history.log(step, **row)
    assert len(history) == 2
    assert {len(column) for column in history.columns.values()} == {2}


def test_an_unknown_column_is_named_with_those_there_are() -> None:
    with pytest.raises(KeyError, match=r"no column 'loss'.*d_loss"):
        table()["loss"]


def test_state_round_trip_is_a_copy() -> None:
    history, other = table(), History()
    other.load_state_dict(history.state_dict())
    history.log(11, d_loss=0.0, g_loss=0.0)
    assert len(other) == 2


def test_frames_keep_images_as_bytes_and_go_through_a_state() -> None:
    frames, other = Frames(), Frames()
    frames.log(1, torch.tensor([[0.0, 0.5, 1.0]]))
    frames.log(5, torch.tensor([[1.0, 1.0, 1.0]]))
    assert torch.equal(frames.images[0], torch.tensor([[0, 128, 255]], dtype=torch.uint8))
    assert torch.equal(frames.images[1], torch.tensor([[255, 255, 255]], dtype=torch.uint8))
    other.load_state_dict(frames.state_dict())
    frames.log(6, torch.zeros(1, 3))
    assert other.steps == [1, 5]
    assert len(other.images) == 2
    with pytest.raises(ValueError, match="does not come after"):
        frames.log(6, torch.zeros(1, 3))
    with pytest.raises(ValueError, match=r"\[1.00, 2.00\], not in \[0, 1\]"):
        frames.log(7, torch.tensor([[1.0, 2.0]]))
    assert frames.steps == [1, 5, 6]
