"""Datasets by name, or from your own folder or zip of images: whole sets of bytes in memory, checked by checksum."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from gan_lessons.checks import whole
from gan_lessons.data.batching import Images, to_bytes
from gan_lessons.data.downloads import DatasetUnavailable, fetch, unpack, unpack_beside, verify
from gan_lessons.data.folders import MIN_SIDE, SPLITS, read_pictures
from gan_lessons.paths import at_home, data_root, shipped

# tried after torchvision's own list
MNIST_MIRRORS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://azureopendatastorage.blob.core.windows.net/mnist/",
)
CIFAR10_ARCHIVE = "cifar-10-python.tar.gz"
DIGITS_FOR_TRAINING = 1_415  # of 1,797, which come form by form, some 130 digits each: this is where a form ends
MAX_SIDE = 1_024


def load(name: str | Path, split: str = "train", *, size: int | None = None, channels: int | None = None) -> Images:
    """Load a whole set as uint8 images (n, c, h, w) and int64 labels (n,), or None where there are none.

    `name` is "mnist", "digits" or "cifar10", or the path of a folder or zip of images (see
    `folders.read_pictures`). `size` brings the images to size x size; `channels` makes them grey (1) or colour (3).
    Files lie under $GAN_LESSONS_DATA, else data/cache; what is missing is fetched, and its sha256 checked at every
    load. "digits" needs no file and no network.
    Raises DatasetUnavailable where a set cannot be fetched, DamagedFile for a wrong checksum, and ValueError for an
    unknown name or split, a size or number of channels that makes no sense, or images that cannot be used.
    """
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}; have {sorted(SPLITS)}")
    if size is not None:
        size = whole("size", size, MIN_SIDE, MAX_SIDE)
    if channels is not None and (type(channels) is not int or channels not in (1, 3)):
        raise ValueError(f"channels is 1 (grey) or 3 (colour), not {channels!r}")
    if str(name) in DATASETS:
        images, labels = DATASETS[str(name)](split)
        return Images(_conform(images, size, channels), labels, str(name))
    path = at_home(name)
    if not str(name) or not path.exists():
        raise ValueError(
            f"unknown dataset {str(name)!r}; have {sorted(DATASETS)}, "
            "or give the path of a folder or a zip of images (there is none of that name)"
        )
    own_name = path.resolve().name if path.is_dir() else path.stem
    return Images(*read_pictures(path, split, size=size, channels=channels), own_name)


def checksums() -> dict[str, str]:
    """Return the sha256 of each dataset file by its path below the data folder, from data/checksums.sha256."""
    lines = shipped("checksums.sha256").read_text(encoding="utf-8").splitlines()
    return {file: checksum for checksum, file in (line.split(maxsplit=1) for line in lines)}


def read_idx(file: str | Path) -> Tensor:
    """Read an IDX file of bytes, MNIST's format, as a uint8 tensor.

    Two zero bytes, the kind of number (8: bytes), the number of dimensions, each dimension as a big-endian 32-bit
    number, then the bytes themselves. Raises ValueError for another kind of file, or one of the wrong length.
    """
    content = np.fromfile(file, np.uint8)
    if len(content) < 4 or content[:3].tolist() != [0, 0, 8]:
        raise ValueError(f"{file} is not an IDX file of bytes: fetch it anew, and unpack it if it ends in .gz")
    header = 4 + 4 * int(content[3])
    shape = [int.from_bytes(content[at : at + 4].tobytes(), "big") for at in range(4, header, 4)]
    expected = header + int(np.prod(shape, dtype=np.int64))
    if len(content) != expected:
        raise ValueError(f"{file} has {len(content)} bytes where its header asks for {expected}: fetch it anew")
    return torch.from_numpy(content[header:]).reshape(shape)


def _mnist(split: str) -> tuple[Tensor, Tensor]:
    files = {file: checksum for file, checksum in checksums().items() if file.startswith("MNIST/")}
    stem = "MNIST/raw/" + {"train": "train", "test": "t10k"}[split]
    needed = [f"{stem}-images-idx3-ubyte", f"{stem}-labels-idx1-ubyte"]
    for file in needed:
        unpack_beside(data_root() / file, files[file])
    if not all((data_root() / file).exists() for file in needed):
        from torchvision.datasets import MNIST

        mirrors = (*MNIST.mirrors, *MNIST_MIRRORS)
        _obtain("mnist", files, lambda file: [mirror + Path(file).name + ".gz" for mirror in mirrors])
    for file in needed:
        verify(data_root() / file, files[file])
    images, labels = (read_idx(data_root() / file) for file in needed)
    return images[:, None], labels.long()


def _digits(split: str) -> tuple[Tensor, Tensor]:
    """8x8 digits as MNIST draws them: 20x20 with crisp strokes, in the middle of 28x28, white (255) on black (0)."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    part = slice(None, DIGITS_FOR_TRAINING) if split == "train" else slice(DIGITS_FOR_TRAINING, None)
    ink = torch.from_numpy(digits.images[part]).float()[:, None] / 16  # (n, 1, 8, 8) in [0, 1]
    ink = F.interpolate(ink, size=20, mode="bicubic")
    ink = 1.5 * (ink - 0.5) + 0.5  # interpolation blurs; this brings the spread of grey values to MNIST's
    return F.pad(to_bytes(ink), (4, 4, 4, 4)), torch.from_numpy(digits.target[part]).long()


def _cifar10(split: str) -> tuple[Tensor, Tensor]:
    from torchvision.datasets import CIFAR10

    root = data_root()
    folder = root / CIFAR10.base_folder
    if not folder.exists():
        files = {CIFAR10_ARCHIVE: checksums()[CIFAR10_ARCHIVE]}
        _obtain("cifar10", files, lambda _: [CIFAR10.url])
        verify(root / CIFAR10_ARCHIVE, files[CIFAR10_ARCHIVE])
        unpack(root / CIFAR10_ARCHIVE, CIFAR10.base_folder)
    try:
        data = CIFAR10(root, train=split == "train")
    except RuntimeError:  # it does not say which file is damaged or missing
        remedy = (
            f"Move the whole folder {folder} away and load the dataset again: it is then unpacked anew from "
            f"{root / CIFAR10_ARCHIVE}, which is fetched if it is not there."
        )
        for file, md5 in [*CIFAR10.train_list, *CIFAR10.test_list, (CIFAR10.meta["filename"], CIFAR10.meta["md5"])]:
            verify(folder / file, md5, "md5", remedy)
        raise
    return torch.from_numpy(data.data).permute(0, 3, 1, 2).contiguous(), torch.tensor(data.targets, device="cpu")


DATASETS: dict[str, Callable[[str], tuple[Tensor, Tensor]]] = {
    "mnist": _mnist,
    "digits": _digits,
    "cifar10": _cifar10,
}


def _obtain(dataset: str, files: dict[str, str], urls: Callable[[str], Sequence[str]]) -> None:
    """Fetch those of `files` (path below the data folder: sha256) that are missing, or say all that helps."""
    root = data_root().resolve()
    try:
        for file, checksum in files.items():
            if not (root / file).exists() and not unpack_beside(root / file, checksum):
                fetch(root / file, checksum, urls(file))
    except DatasetUnavailable as error:
        wanted = "\n".join(f"  {root / file}\n    sha256 {checksum}" for file, checksum in files.items())
        packed = [root / f"{file}.gz" for file in files if not (root / file).exists()]
        spoilt = "".join(f"(There is {gz}, but it is damaged: move it away.)\n" for gz in packed if gz.exists())
        raise DatasetUnavailable(
            f"{dataset} is not on this machine and could not be fetched: {error}\n{spoilt}"
            f"Either put these files in place by hand (data/README.md says how):\n{wanted}\n"
            'Or go on without a network: DATASET = "digits", or DATASET = the path of a folder or zip of images.'
        ) from None


def _conform(images: Tensor, size: int | None, channels: int | None) -> Tensor:
    """Bring square images to a size and a number of channels, a few thousand at a time to spare memory."""
    if (size is None or size == images.shape[-1]) and (channels is None or channels == images.shape[1]):
        return images
    return torch.cat([_conform_some(some, size, channels) for some in images.split(4_096)])


def _conform_some(images: Tensor, size: int | None, channels: int | None) -> Tensor:
    if channels == 1 and images.shape[1] == 3:
        luma = torch.tensor([0.299, 0.587, 0.114], device="cpu", dtype=torch.float32)  # ITU-R 601, as Pillow
        images = to_bytes(torch.einsum("nchw,c->nhw", images.float(), luma)[:, None], white=255)
    if size is not None and size != images.shape[-1]:
        images = to_bytes(F.interpolate(images.float(), size=size, mode="bicubic", antialias=True), white=255)
    return images if channels is None else images.expand(-1, channels, -1, -1)
