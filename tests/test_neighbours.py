"""Neighbours against closed forms on a line, scikit-learn and torch-fidelity."""

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from gan_lessons.metrics import neighbours
from gan_lessons.metrics.neighbours import (
    copy_limit,
    inside,
    nearest,
    precision_recall,
    share_of_copies,
    share_of_repeats,
    spacing,
)


def cloud(n: int, d: int, seed: int, shift: float = 0.0) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed)) + shift


def on_a_line(*places: float) -> Tensor:
    return torch.tensor(places, dtype=torch.float32)[:, None]


@pytest.mark.parametrize("chunks", [(2_000, 10_000), (7, 11), (11, 7)])
@pytest.mark.parametrize("k", [1, 3])
def test_neighbours_are_those_of_scikit_learn(k: int, chunks: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "CHUNK", chunks[0])
    monkeypatch.setattr(neighbours, "LARGE", chunks[1])
    a, b = cloud(30, 4, 0), cloud(25, 4, 1)
    expected = NearestNeighbors(n_neighbors=k).fit(b.numpy()).kneighbors(a.numpy())[0][:, -1]
    assert np.allclose(nearest(a, b, k).numpy(), expected, atol=1e-5)
    others = NearestNeighbors(n_neighbors=k).fit(a.numpy()).kneighbors()[0][:, -1]  # without the point itself
    assert np.allclose(spacing(a, k).numpy(), others, atol=1e-5)


def test_bytes_are_compared_as_numbers() -> None:
    a, b = torch.tensor([[0, 255]], dtype=torch.uint8), torch.tensor([[3, 251]], dtype=torch.uint8)
    assert float(nearest(a, b)) == pytest.approx(5.0)


def test_a_neighbour_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="no 3-th nearest of 2 rows"):
        nearest(cloud(5, 2, 0), cloud(2, 2, 1), 3)
    with pytest.raises(ValueError, match="no 2-th nearest of 1 rows"):
        spacing(cloud(2, 2, 0), 2)


def test_the_ball_of_a_point_reaches_to_its_kth_nearest_other() -> None:
    line = on_a_line(0, 1, 3, 7)
    assert spacing(line).tolist() == [1, 1, 2, 4]
    assert spacing(line, 3).tolist() == [7, 6, 4, 7]
    assert inside(on_a_line(-1, -1.01, 5, 11, 11.01), line, spacing(line)).tolist() == [True, False, True, True, False]


def test_precision_and_recall_on_a_line() -> None:
    real = on_a_line(0, 1, 2, 3, 10, 11, 12, 13)  # two clusters
    fake = on_a_line(0.5, 1.5, 2.5, 50.0)  # three within the first cluster, one nowhere
    precision, recall = precision_recall(real, fake, k=1)
    assert precision == 3 / 4
    # the fake balls: radius 1 round .5, 1.5, 2.5 and radius 47.5 round 50: they reach 0..3 and the second cluster
    assert recall == 1.0
    assert precision_recall(real, fake[:3], k=1) == (1.0, 0.5)
    assert precision_recall(real, real, k=1) == (1.0, 1.0)
    assert precision_recall(fake[:3], real, k=1) == (0.5, 1.0)  # swapped sides swap the two


def test_precision_and_recall_agree_with_torch_fidelity() -> None:
    pytest.importorskip("torch_fidelity")
    from torch_fidelity import metric_prc

    real, fake = cloud(80, 3, 0), cloud(70, 3, 1, 0.8) * 0.7
    settings = {"prc_neighborhood": 3, "prc_batch_size": 100, "save_cpu_ram": False, "verbose": False}
    theirs = metric_prc.prc_features_to_metric(fake, real, **settings)
    ours = precision_recall(real, fake)
    assert ours == pytest.approx((theirs["precision"], theirs["recall"]))
    assert 0.2 < ours[1] < ours[0]  # a case that tells the two apart


def test_copies_are_what_lies_nearer_than_test_images_do() -> None:
    train, test = on_a_line(*range(0, 1000, 10)), on_a_line(*(10 * k + k / 25 for k in range(100)))
    limit = copy_limit(test, train, 0.05)
    assert limit == pytest.approx(0.198, abs=1e-3)  # the k-th lies k/25 away; 5 % of them nearer than 4.95/25
    assert share_of_copies(train, train, limit) == 1.0
    assert share_of_copies(test, train, limit) == pytest.approx(0.05, abs=0.011)
    assert share_of_copies(on_a_line(0.1, 5, 5, 5), train, limit) == 0.25


def test_repeats_are_what_lies_nearer_together_than_real_images_do() -> None:
    real = on_a_line(*(k + (k % 100) / 1000 for k in range(100)))
    assert share_of_repeats(real, real) < 0.06
    assert share_of_repeats(torch.zeros(100, 1), real) == 1.0
    pairs = real.clone()
    pairs[1] = pairs[0]  # two of a hundred are the same
    assert share_of_repeats(pairs, real) == pytest.approx(share_of_repeats(real, real) + 0.02, abs=0.021)
    assert share_of_repeats(pairs, real) > share_of_repeats(real, real)
    with pytest.raises(ValueError, match="as many real images as samples: 50 and 100"):
        share_of_repeats(real, real[:50])
