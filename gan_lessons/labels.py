"""Labels beside what a network sees: ten numbers beside a row, ten constant maps beside an image.

A conditional game needs no networks of its own. G's input is z and the label's one-hot, D's input the image and the
label's maps, so that any network will do which takes that many more numbers or channels.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Labels = int | Sequence[int] | Tensor


def checked(labels: Labels, n: int, classes: int) -> Tensor:
    """Return the labels of n images, (n,) int64; one whole number stands for all of them.

    Raises ValueError for another count, for what is no whole number, and for labels outside 0 to classes - 1.
    """
    given = labels if isinstance(labels, Tensor) else torch.as_tensor(labels, device="cpu")  # whatever the default is
    if given.dtype.is_floating_point or given.dtype.is_complex or given.dtype == torch.bool:
        raise ValueError(f"labels are whole numbers from 0 to {classes - 1}, not {given.dtype}")
    if given.ndim == 0:
        given = given.expand(n)
    if given.shape != (n,):
        raise ValueError(f"{n} images take {n} labels, or one for all, not labels of shape {tuple(given.shape)}")
    low, high = int(given.min()), int(given.max())
    if low < 0 or high >= classes:
        raise ValueError(f"labels lie from 0 to {classes - 1}, and here is {low if low < 0 else high}")
    return given.long()


def beside(inputs: Tensor, labels: Labels, classes: int) -> Tensor:
    """Put each label's one-hot beside its input: rows (n, d) to (n, d + classes), images to (n, c + classes, h, w).

    Beside an image each of the `classes` numbers fills a map (Mirza and Osindero 2014, with maps for convolutions).
    Raises ValueError as `checked`.
    """
    hot = F.one_hot(checked(labels, len(inputs), classes).to(inputs.device), classes).to(inputs.dtype)
    if inputs.ndim == 2:
        return torch.cat([inputs, hot], 1)
    maps = hot[:, :, None, None].expand(-1, -1, *inputs.shape[2:])
    return torch.cat([inputs, maps], 1).contiguous(memory_format=torch.channels_last)


class Told(nn.Module):
    """D, told the labels (n,) of the batch at hand: a function of the images alone, for steps and penalties.

    Row i of what it is given has label i, and row n + i again: a real batch, a fake one of the same labels, both one
    after the other, or the first few of one. Its parameters are D's.
    """

    def __init__(self, D: nn.Module, labels: Tensor, classes: int) -> None:
        super().__init__()
        self.D, self.labels, self.classes = D, labels, classes

    def forward(self, images: Tensor) -> Tensor:
        times = -(-len(images) // len(self.labels))
        return self.D(beside(images, self.labels.repeat(times)[: len(images)], self.classes))
