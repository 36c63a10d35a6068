"""Batches from a set of images that lies in memory: shuffled epoch by epoch, endless, resumable to the bit."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gan_lessons.checks import whole

Transform = Callable[[Tensor], Tensor]


class Images(NamedTuple):
    """A whole set in memory. Unpack it, `images, labels, name = load("mnist")`; its len() is 3, not n."""

    images: Tensor  # (n, c, h, w), uint8
    labels: Tensor | None  # (n,), int64
    name: str


def unit(images: Tensor) -> Tensor:
    """Bytes 0..255 to floats in [0, 1], of the same shape: for a generator that ends in a sigmoid."""
    return _bytes(images) / 255


def symmetric(images: Tensor) -> Tensor:
    """Bytes 0..255 to floats in [-1, 1], of the same shape: for a generator that ends in tanh."""
    return _bytes(images) / 127.5 - 1


def to_bytes(values: Tensor, white: float = 1.0) -> Tensor:
    """Floats from 0 (black) to `white`, of any shape, to bytes 0..255, rounded; what lies outside is clipped."""
    return values.mul(255 / white).round().clamp(0, 255).to(torch.uint8)


def flat(transform: Transform) -> Transform:
    """Return `transform` followed by flattening, (n, c, h, w) -> (n, c*h*w): `flat(unit)` for networks of layers."""
    return lambda images: transform(images).flatten(start_dim=1)


def centre(images: Tensor, side: int) -> Tensor:
    """The central side x side pixels of images (n, c, h, w)."""
    top, left = ((size - side) // 2 for size in images.shape[-2:])
    return images[..., top : top + side, left : left + side].contiguous()


def parted(n: int, share: float, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Part n rows by chance in two: a share of them, rounded, and the others; the same parts for the same seed.

    The stored judge "cifar16" learned from the first part of parted(50_000, 0.4).
    """
    rows = torch.randperm(n, generator=torch.Generator("cpu").manual_seed(seed), device="cpu")
    first = round(share * n)
    return rows[:first], rows[first:]


class Batches(Iterator[tuple[Tensor, ...]]):
    """Endless iterator of tuples of tensors, each of `batch_size` rows. Build it with `batches`."""

    def __init__(self, tensors: tuple[Tensor, ...], batch_size: int, transform: Transform, seed: int) -> None:
        self.tensors = tensors
        self.batch_size = batch_size
        self.transform = transform
        self.per_epoch = len(tensors[0]) // batch_size
        # on the CPU: the order of the data is the same whatever the device
        self._generator = torch.Generator("cpu").manual_seed(seed)
        self._shuffle()

    def __iter__(self) -> "Batches":
        """Return itself: a second `for` over it goes on where the first stopped."""
        return self

    def __next__(self) -> tuple[Tensor, ...]:
        """Return the next batch; a new shuffle begins when fewer than `batch_size` rows of this one are left."""
        if self._taken == self.per_epoch:
            self._shuffle()
        rows = self._order[self._taken * self.batch_size : (self._taken + 1) * self.batch_size]
        self._taken += 1
        return tuple(self._prepare(tensor.index_select(0, rows)) for tensor in self.tensors)

    def state_dict(self) -> dict[str, Any]:
        """Return where the iterator stands: a few kB, since the shuffle is stored as the state that it came from."""
        return {
            "generator": self._before_shuffle,
            "taken": self._taken,
            "items": len(self.tensors[0]),
            "batch_size": self.batch_size,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from `state`, bit for bit. Raises ValueError if it comes from other data or another batch size."""
        here = {"items": len(self.tensors[0]), "batch_size": self.batch_size}
        there = {key: state[key] for key in here}
        if here != there:
            raise ValueError(f"these batches have {here}, the stored ones {there}: build them as in the stored run")
        self._generator.set_state(state["generator"])
        self._shuffle()
        self._taken = state["taken"]

    def _shuffle(self) -> None:
        self._before_shuffle = self._generator.get_state()
        order = torch.randperm(len(self.tensors[0]), generator=self._generator, device="cpu")
        self._order = order.to(self.tensors[0].device)
        self._taken = 0

    def _prepare(self, rows: Tensor) -> Tensor:
        return self.transform(rows) if rows.dtype == torch.uint8 else rows


def batches(
    images: Images | Tensor | Sequence[Tensor],
    batch_size: int,
    *,
    device: str | torch.device = "cpu",
    transform: Transform = symmetric,
    seed: int | None = None,
) -> Batches:
    """Return an endless iterator of shuffled batches that already lie on `device`.

    `images` is what `load` returns (its labels stay behind), one tensor, or several of equal length that travel
    together: `batches((mnist.images, mnist.labels), 64)`. Bytes go through `transform` batch by batch, all other
    tensors (labels, points) come as they are. Each epoch visits every item at most once and leaves out
    n % batch_size of them, others each time; no batch is short.
    The order comes from `seed`, or where that is None from the global generator, which `setup` has seeded.
    Raises ValueError for a batch size that is no whole number from 1 to n, or for tensors of unequal length.
    """
    if isinstance(images, Images):
        chosen: tuple[Tensor, ...] = (images.images,)
    else:
        chosen = (images,) if isinstance(images, Tensor) else tuple(images)
    if not all(isinstance(tensor, Tensor) for tensor in chosen):
        raise TypeError("batches takes tensors; a set without labels has labels = None: pass its images alone")
    lengths = [len(tensor) for tensor in chosen]
    if len(set(lengths)) != 1:
        raise ValueError(f"the tensors must be equally long to travel together, not {lengths}")
    batch_size = whole("batch_size", batch_size, 1, lengths[0], f"the {lengths[0]} items")
    if seed is None:
        seed = int(torch.randint(2**62, (), device="cpu"))
    return Batches(tuple(tensor.to(device) for tensor in chosen), batch_size, transform, seed)


def _bytes(images: Tensor) -> Tensor:
    if images.dtype != torch.uint8:
        raise TypeError(f"expected bytes 0..255 (uint8), not {images.dtype}: were the images transformed already?")
    return images
