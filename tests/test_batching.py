"""batching: what an epoch visits, what travels together, and resuming to the bit."""

import io
from collections import Counter
from itertools import islice

import pytest
import torch
from torch import Tensor

from gan_lessons.data.batching import Batches, Images, batches, centre, flat, parted, symmetric, unit


def numbered(n: int) -> Tensor:
    return torch.arange(n)


def take(iterator: Batches, count: int) -> list[tuple[Tensor, ...]]:
    return list(islice(iterator, count))


def drawn(iterator: Batches, count: int) -> list[int]:
    return [number for (rows,) in take(iterator, count) for number in rows.tolist()]


def images(n: int = 20, c: int = 1, side: int = 4) -> Tensor:
    return torch.randint(0, 256, (n, c, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_each_epoch_visits_all_but_the_remainder_once_and_leaves_out_others_each_time() -> None:
    feed = batches(numbered(11), 3, seed=0)
    assert feed.per_epoch == 3
    left_out = set()
    for _ in range(100):
        epoch = drawn(feed, 3)
        assert len(set(epoch)) == len(epoch) == 9
        left_out |= set(range(11)) - set(epoch)
    assert left_out == set(range(11))


def test_an_epoch_that_divides_evenly_visits_every_item() -> None:
    feed = batches(numbered(12), 4, seed=0)
    for _ in range(5):
        assert sorted(drawn(feed, 3)) == list(range(12))


def test_batches_are_never_short_and_never_end() -> None:
    assert {len(rows) for (rows,) in take(batches(numbered(7), 5, seed=0), 50)} == {5}
    assert {len(rows) for (rows,) in take(batches(numbered(5), 5, seed=0), 50)} == {5}


def test_every_order_is_equally_likely() -> None:
    feed = batches(numbered(3), 3, seed=0)
    orders = Counter(tuple(drawn(feed, 1)) for _ in range(6_000))
    assert len(orders) == 6
    assert all(abs(count - 1_000) < 4.5 * (1_000 * 5 / 6) ** 0.5 for count in orders.values())


def test_iterating_twice_goes_on_instead_of_starting_again() -> None:
    feed, same = batches(numbered(12), 4, seed=0), batches(numbered(12), 4, seed=0)
    assert drawn(feed, 1) + drawn(feed, 2) == drawn(same, 3)


def test_several_tensors_travel_together() -> None:
    pictures, labels = images(20), numbered(20)
    for x, y in take(batches((pictures, labels), 6, seed=0), 10):
        assert y.dtype == torch.int64
        assert torch.equal(x, symmetric(pictures[y]))


def test_a_loaded_set_comes_without_its_labels_and_in_minus_one_to_one() -> None:
    ((x,),) = take(batches(Images(images(), numbered(20), "some"), 20, seed=0), 1)
    assert x.shape == (20, 1, 4, 4)
    assert x.dtype == torch.float32
    assert sorted(x.flatten().tolist()) == sorted(symmetric(images()).flatten().tolist())


def test_floats_travel_untouched() -> None:
    points = torch.randn(10, 2)
    ((x,),) = take(batches(points, 10, seed=0), 1)
    assert torch.equal(x.sort(0).values, points.sort(0).values)


def test_transforms_map_bytes_to_the_ends_of_their_ranges() -> None:
    ends = torch.tensor([[[[0, 51, 255]]]], dtype=torch.uint8)
    assert unit(ends).flatten().tolist() == pytest.approx([0, 0.2, 1])
    assert symmetric(ends).flatten().tolist() == pytest.approx([-1, -0.6, 1])
    assert float(unit(ends).max()) == float(symmetric(ends).max()) == 1.0  # exactly
    assert ends.flatten().tolist() == [0, 51, 255]


def test_flat_keeps_the_order_of_pixels() -> None:
    pictures = images(5, c=3)
    assert torch.equal(flat(unit)(pictures), unit(pictures).reshape(5, 48))
    ((x,),) = take(batches(pictures, 5, transform=flat(unit), seed=0), 1)
    assert x.shape == (5, 48)


@pytest.mark.parametrize("transform", [unit, symmetric])
def test_transforming_twice_is_refused(transform) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(TypeError, match="already"):
        transform(transform(images()))


@pytest.mark.parametrize("before", [0, 1, 4, 5, 13])  # of 5 a epoch: fresh, inside, at the end, and in a later one
def test_resuming_is_bit_exact(before: int) -> None:
    feed = batches((images(23), numbered(23)), 4, seed=1)
    take(feed, before)
    file = io.BytesIO()
    torch.save(feed.state_dict(), file)
    file.seek(0)
    expected = take(feed, 30)

    torch.manual_seed(99)
    other = batches((images(23), numbered(23)), 4, seed=2)
    take(other, 7)
    other.load_state_dict(torch.load(file, weights_only=True))
    for ours, theirs in zip(take(other, 30), expected, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_a_state_is_a_snapshot_and_small() -> None:
    feed = batches(numbered(50_000), 100, seed=0)
    take(feed, 3)
    state = feed.state_dict()
    expected = drawn(feed, 600)  # into the next epoch
    feed.load_state_dict(state)
    assert drawn(feed, 600) == expected
    file = io.BytesIO()
    torch.save(state, file)
    assert file.tell() < 20_000


def test_a_state_of_other_data_or_batch_size_is_refused() -> None:
    state = batches(numbered(20), 4, seed=0).state_dict()
    for feed in (batches(numbered(21), 4), batches(numbered(20), 5)):
        with pytest.raises(ValueError, match="build them as in the stored run"):
            feed.load_state_dict(state)


def test_the_seed_alone_decides_the_order() -> None:
    first = drawn(batches(numbered(40), 8, seed=5), 12)
    torch.manual_seed(1)
    feed = batches(numbered(40), 8, seed=5)
    second = []
    for _ in range(12):
        torch.rand(3)  # others draw from the global generator meanwhile
        second += drawn(feed, 1)
    assert first == second
    assert first != drawn(batches(numbered(40), 8, seed=6), 12)


def test_without_a_seed_the_order_follows_the_global_one_and_two_feeds_differ() -> None:
    torch.manual_seed(1)
    first, second = (drawn(batches(numbered(40), 8), 5) for _ in range(2))
    torch.manual_seed(1)
    assert first == drawn(batches(numbered(40), 8), 5)
    assert first != second


@pytest.mark.parametrize("batch_size", [0, -1, 21, 4.0, True])
def test_a_batch_size_that_makes_no_sense_is_refused_with_the_range(batch_size: int) -> None:
    with pytest.raises(ValueError, match="whole number from 1 to the 20 items"):
        batches(images(20), batch_size)


def test_unequal_lengths_and_missing_labels_are_refused() -> None:
    with pytest.raises(ValueError, match=r"equally long to travel together, not \[20, 19\]"):
        batches((images(20), numbered(19)), 4)
    with pytest.raises(TypeError, match="pass its images alone"):
        batches((images(20), None), 4)  # type: ignore[arg-type]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_order_is_the_same_on_every_device() -> None:
    here = take(batches(images(23), 4, seed=1), 12)
    there = take(batches(images(23), 4, seed=1, device="cuda"), 12)
    assert all(x.device.type == "cuda" for (x,) in there)
    assert all(torch.equal(a, b.cpu()) for (a,), (b,) in zip(here, there, strict=True))


def test_torchs_defaults_change_no_batch(defaults: None) -> None:
    images = torch.arange(20, dtype=torch.uint8, device="cpu")[:, None]
    order = torch.cat([next(it)[0] for it in [batches(images, 5, seed=3, transform=lambda x: x)] * 4])
    expected = torch.randperm(20, generator=torch.Generator("cpu").manual_seed(3), device="cpu")
    assert order[:, 0].tolist() == expected.tolist()


def test_the_centre_is_as_far_from_each_edge() -> None:
    images = torch.arange(36).reshape(1, 1, 6, 6)
    assert torch.equal(centre(images, 2)[0, 0], torch.tensor([[14, 15], [20, 21]]))
    assert centre(images, 6).shape == (1, 1, 6, 6)


def test_two_parts_hold_each_row_once_and_are_the_same_for_the_same_seed() -> None:
    first, others = parted(50, 0.4)
    assert (len(first), len(others)) == (20, 30)
    assert sorted([*first.tolist(), *others.tolist()]) == list(range(50))
    assert torch.equal(first, parted(50, 0.4)[0])
    assert not torch.equal(first, parted(50, 0.4, seed=1)[0])
