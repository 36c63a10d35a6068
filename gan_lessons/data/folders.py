"""A folder or a zip of images, whatever their sizes and formats, as one tensor of bytes."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path, PurePath, PurePosixPath
from typing import TYPE_CHECKING, NoReturn
from zipfile import BadZipFile, ZipFile

import numpy as np
import torch
from torch import Tensor

from gan_lessons.paths import at_home

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
# Pictures too, which Pillow may not be able to read: then they are named, not left out without a word.
RARE_SUFFIXES = (".jpe", ".jfif", ".jp2", ".avif", ".heic", ".heif", ".jxl", ".tga", ".pbm", ".pnm", ".apng")
SPLITS = {"train": ("train", "training"), "test": ("test", "testing", "val", "valid", "validation")}
SPLIT_FOLDERS = frozenset(folder for folders in SPLITS.values() for folder in folders)
GREY = frozenset(["1", "L", "LA"])
COLOUR = frozenset(["P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"])
MIN_SIDE = 4  # pixels; anything smaller is a tracking pixel or a mistake
MAX_BYTES = 8 * 2**30  # a set must fit in memory
FEW = 200  # images: D soon knows fewer than these by heart
FLAT = 3  # of 255: a picture whose values all lie so near to each other shows nothing

Entries = list[tuple[tuple[str, ...], str]]  # (folders and file name, the name by which it is read)


def read_pictures(
    path: Path, split: str = "train", *, size: int | None = None, channels: int | None = None
) -> tuple[Tensor, Tensor | None]:
    """Read a folder or zip as uint8 images (n, c, h, w) and int64 labels (n,), or None without class folders.

    Folders on the top level are classes, numbered in alphabetical order. Folders train/ and test/ (or val/) above
    them select the split; without them all is "train". A single folder around everything, hidden files and
    __MACOSX do not count; links are followed. With `size` the shorter side is brought to it and the centre kept.
    `channels` is 1 or 3; None means 3 if any picture has colour. Transparent parts become white.
    Raises ValueError, naming the files, for no images, unreadable or tiny ones, mixed sizes without `size`, and links
    that lead nowhere or into a circle.
    """
    with _opened(path) as (names, read):
        chosen, labels = _select(path, names, split)
        images = _decode_all(path, chosen, read, size, channels)
    return torch.from_numpy(images), None if labels is None else torch.tensor(labels, device="cpu")


def remarks(path: str | Path, split: str = "train", *, size: int, channels: int | None = None) -> list[str]:
    """What to know of a folder or zip of images before a training begins, in words; nothing where all is well.

    Said are: fewer than 200 images; pictures of several sizes, and how much of the longest one is left after the crop;
    pictures smaller than `size`, whose missing pixels would be made up; pictures of one colour. The arguments are those
    of `read_pictures`, and what that refuses is refused here too.
    """
    path = at_home(path)
    images, _ = read_pictures(path, split, size=size, channels=channels)
    with _opened(path) as (names, read):
        chosen, _ = _select(path, names, split)
        extents = [_upright(read(name)) for name in chosen]
    spread = images.flatten(2)  # (n, c, size * size)
    blank = ((spread.amax(2).int() - spread.amin(2).int()) <= FLAT).all(1).tolist()
    said = [_few(len(chosen)), _sizes(extents), _small(chosen, extents, size)]
    return [words for words in (*said, _blank([n for n, flat in zip(chosen, blank, strict=True) if flat])) if words]


def _few(n: int) -> str:
    if n >= FEW:
        return ""
    return f"{_images(n)}: under {FEW} D soon knows them by heart, and G learns to copy them; find more of them"


def _sizes(extents: list[tuple[int, int]]) -> str:
    if len(set(extents)) == 1:
        return ""
    longest = min(extents, key=lambda extent: min(extent) / max(extent))
    return (
        f"pictures of {len(set(extents))} sizes: all are scaled and cut to the square in their middle, which is "
        f"{min(longest) / max(longest):.0%} of the longest one, {_extent(longest)}; look whether your subject is in it"
    )


def _small(names: list[str], extents: list[tuple[int, int]], size: int) -> str:
    small = [name for name, extent in zip(names, extents, strict=True) if min(extent) < size]
    if not small:
        return ""
    return (
        f"{_images(len(small))} smaller than {size} pixels, e.g. {small[0]}: blown up, and blurred; take a smaller size"
    )


def _blank(names: list[str]) -> str:
    if not names:
        return ""
    return f"{_images(len(names))} of one colour, e.g. {names[0]}: G would learn to draw nothing; take them out"


def _images(n: int) -> str:
    return f"{n} image{'s' * (n != 1)}"


def _upright(data: bytes) -> tuple[int, int]:
    """The width and height of a picture as it is shown."""
    from PIL import Image

    with Image.open(BytesIO(data)) as opened:
        turned = opened.getexif().get(0x0112, 1) in (5, 6, 7, 8)
        width, height = opened.size
    return (height, width) if turned else (width, height)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[dict[str, str], Callable[[str], bytes]]]:
    """Yield all files inside, {name with / between folders: the name by which it is read}, and how one is read."""
    if path.is_dir():
        yield {name: name for name in _files(path)}, lambda name: (path / name).read_bytes()
        return
    try:
        archive = ZipFile(path)
    except BadZipFile as error:
        raise ValueError(
            f"{path} is neither a folder nor a whole zip file ({error}): unpack it, or zip it anew"
        ) from error
    with archive:
        yield _members(path, archive), archive.read


def _files(path: Path) -> Iterator[str]:
    """All files below a folder, through links too. ValueError for a link to nowhere or into a circle."""

    def refuse(error: OSError) -> NoReturn:
        raise ValueError(f"{error.filename} cannot be read ({error.strerror}): change its permissions, or move it away")

    for name, folders, files in os.walk(path, onerror=refuse, followlinks=True):
        here = Path(name)
        for entry in [*folders, *files]:
            child = here / entry
            if _is_hidden(child.relative_to(path)) or not child.is_symlink():
                continue
            if not child.exists():  # a circle of links alone, too
                raise ValueError(f"{child} is a link that leads nowhere: mend it or remove it")
            above = (folder.resolve() for folder in [here, *here.parents, *here.resolve().parents])
            if child.is_dir() and child.resolve() in above:
                raise ValueError(f"{child} is a link to a folder that holds it: remove it")
        yield from ((here / file).relative_to(path).as_posix() for file in files if (here / file).is_file())


def _members(path: Path, archive: ZipFile) -> dict[str, str]:
    """The files of a zip. Where all names are Windows', their backslashes part folders. ValueError for links."""
    for member in archive.infolist():
        if stat.S_ISLNK(member.external_attr >> 16) and not _is_hidden(PurePosixPath(member.filename)):
            raise ValueError(f"{path} holds a link, {member.filename}: zip the files themselves (zip without -y)")
    names = archive.namelist()
    windows = not any("/" in name for name in names)
    found = {name.replace("\\", "/") if windows else name: name for name in names}
    return {name: entry for name, entry in found.items() if not name.endswith("/")}


def _select(path: Path, names: dict[str, str], split: str) -> tuple[list[str], list[int] | None]:
    """Pick the pictures of a split, in a fixed order, and their labels."""
    found = sorted((PurePosixPath(name).parts, entry) for name, entry in names.items() if _is_picture(name))
    if not found:
        raise ValueError(
            f"no images in {path} ({len(names)} other files): it needs {' '.join(SUFFIXES)} files, "
            "directly or in one folder a class"
        )
    while (top := _common_folder(found)) and top.lower() not in SPLIT_FOLDERS:
        found = [(parts[1:], name) for parts, name in found]
    splits = _splits(path, found)
    chosen = _one_split(path, splits, split)
    loose = [name for parts, name in chosen if len(parts) == 1]
    if 0 < len(loose) < len(chosen):
        raise ValueError(
            f"{path} has {len(loose)} images beside its class folders, e.g. {loose[0]}: move them into one of these"
        )
    # classes of all splits, so that a class that one split lacks does not shift the labels of the others
    classes = sorted({parts[0] for some in splits.values() for parts, _ in some if len(parts) > 1})
    labelled = not loose and len(classes) > 1  # one class for all says nothing
    return [name for _, name in chosen], [classes.index(parts[0]) for parts, _ in chosen] if labelled else None


def _splits(path: Path, found: Entries) -> dict[str, Entries]:
    """Sort what was found by the split folders of the top level, or all into "train" where there are none."""
    tops = {parts[0] if len(parts) > 1 else "images" for parts, _ in found}
    split_tops = {top for top in tops if top.lower() in SPLIT_FOLDERS}
    if not split_tops:
        return {"train": found}
    if split_tops != tops:
        raise ValueError(
            f"{path} has {sorted(split_tops)} beside {sorted(tops - split_tops)[:5]}: keep only train/ and test/ "
            "on the top level, or rename the class that is called like a split"
        )
    for names in [SPLITS["train"], *((name,) for name in SPLIT_FOLDERS)]:
        if len(same := sorted(top for top in split_tops if top.lower() in names)) > 1:
            raise ValueError(f"{path} has {' and '.join(same)}, which mean the same: move all images into one of them")
    return {top.lower(): [(parts[1:], name) for parts, name in found if parts[0] == top] for top in split_tops}


def _one_split(path: Path, splits: dict[str, Entries], split: str) -> Entries:
    for folder in SPLITS[split]:
        if folder in splits:
            return splits[folder]
    raise ValueError(
        f"{path} has no {split!r} split, only {sorted(splits)}: "
        f"put its images into a folder {split}/ beside the others, or load one of these"
    )


def _is_picture(name: str) -> bool:
    path = PurePosixPath(name)
    return not _is_hidden(path) and path.suffix.lower() in SUFFIXES + RARE_SUFFIXES


def _is_hidden(path: PurePath) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in path.parts)


def _common_folder(found: Entries) -> str | None:
    tops = {parts[0] if len(parts) > 1 else None for parts, _ in found}
    return tops.pop() if len(tops) == 1 else None


def _decode_all(
    path: Path, names: list[str], read: Callable[[str], bytes], size: int | None, channels: int | None
) -> np.ndarray:
    """Decode each picture once, straight into its place in an array (n, c, h, w)."""
    from tqdm import tqdm

    images: np.ndarray | None = None
    refused: list[str] = []
    for row, name in enumerate(tqdm(names, desc=f"reading {path.name}", unit=" images", delay=2, leave=False)):
        try:
            pixels = _decode(read(name), size, channels)
        except Exception as error:  # decoders raise whatever they like on broken bytes; each is reported below
            refused.append(f"  {name}: {error}")
            continue
        if images is None:
            images, first = _allocate(path, len(names), pixels), name
        if pixels.shape[1:] != images.shape[2:]:
            _mixed_sizes(path, first, images, name, pixels)
        if len(pixels) > images.shape[1]:  # the first picture in colour after grey ones
            images = np.repeat(images, 3, axis=1)
        images[row] = pixels
    if refused or images is None:
        listed = "\n".join(refused[:5] + [f"  and {len(refused) - 5} more"] * (len(refused) > 5))
        raise ValueError(
            f"{len(refused)} of {len(names)} images in {path} cannot be used:\n{listed}\n"
            "Replace them or take them out, then load again; nothing was changed."
        )
    return images


def _decode(data: bytes, size: int | None, channels: int | None) -> np.ndarray:
    """Return one picture as bytes (c, h, w), upright, with c = 1 or 3."""
    from PIL import Image, ImageOps

    with Image.open(BytesIO(data)) as opened:
        if min(opened.size) < MIN_SIDE:
            raise ValueError(f"{_extent(opened.size)} pixels, smaller than {MIN_SIDE} on a side")
        if opened.mode not in GREY | COLOUR:
            raise ValueError(f"pixels of kind {opened.mode}: save it with 8 bits a channel")
        if size is not None:
            opened.draft(None, (2 * size, 2 * size))  # a large JPEG is decoded at a fraction of its size
        picture = _without_transparency(ImageOps.exif_transpose(opened))
        grey = channels == 1 or (channels is None and opened.mode in GREY)
        picture = picture.convert("L" if grey else "RGB")
        if size is not None:
            picture = ImageOps.fit(picture, (size, size), Image.Resampling.BICUBIC)
        pixels = np.asarray(picture)
    return pixels[None] if grey else pixels.transpose(2, 0, 1)


def _without_transparency(picture: "Image") -> "Image":
    if "A" not in picture.mode and "transparency" not in picture.info:
        return picture
    from PIL import Image

    picture = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)


def _allocate(path: Path, n: int, first: np.ndarray) -> np.ndarray:
    if (needed := n * first.size) > MAX_BYTES:
        raise ValueError(
            f"{path} would take {needed / 2**30:.0f} GiB of memory ({n} images of {_extent(first.shape[:0:-1])}): "
            "pass a smaller size, e.g. size=64"
        )
    return np.empty((n, *first.shape), np.uint8)


def _mixed_sizes(path: Path, first: str, images: np.ndarray, name: str, pixels: np.ndarray) -> NoReturn:
    raise ValueError(
        f"the images in {path} differ in size: {first} is {_extent(images.shape[:1:-1])}, "
        f"{name} is {_extent(pixels.shape[:0:-1])} pixels; pass a size to bring them to one, e.g. size=28"
    )


def _extent(width_height: tuple[int, ...]) -> str:
    return "x".join(map(str, width_height))
