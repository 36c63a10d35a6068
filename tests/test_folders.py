"""pictures: folders and zips of images, of all the shapes that people have."""

import errno
import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gan_lessons.data import folders
from gan_lessons.data.folders import read_pictures, remarks

Tree = dict[str, Image.Image | bytes]


def plain(value: int, side: int = 8) -> Image.Image:
    return Image.new("L", (side, side), value)


def colour(rgb: tuple[int, int, int], side: int = 8) -> Image.Image:
    return Image.new("RGB", (side, side), rgb)


def encoded(picture: Image.Image | bytes, name: str) -> bytes:
    if isinstance(picture, bytes):
        return picture
    stream = io.BytesIO()
    picture.save(stream, "JPEG" if name.endswith("jpg") else "PNG")
    return stream.getvalue()


def as_folder(path: Path, tree: Tree) -> Path:
    for name, picture in tree.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(encoded(picture, name))
    return path


def as_zip(path: Path, tree: Tree) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, picture in tree.items():
            archive.writestr(name, encoded(picture, name))
    return path


def values(path: Path, split: str = "train") -> tuple[list[int], list[int] | None]:
    """The grey value of each picture, and the labels."""
    images, labels = read_pictures(path, split)
    assert images.dtype == torch.uint8
    return images[:, 0, 3, 3].tolist(), None if labels is None else labels.tolist()


ANIMALS: Tree = {"dog/b.png": plain(30), "cat/a.png": plain(10), "cat/z.png": plain(20), "fox/c.png": plain(40)}


@pytest.fixture(params=[as_folder, as_zip], ids=["folder", "zip"])
def made(request: pytest.FixtureRequest, tmp_path: Path):  # type: ignore[no-untyped-def]
    return lambda tree: request.param(tmp_path / "set.zip", tree)


def test_class_folders_become_labels_in_alphabetical_order(made) -> None:  # type: ignore[no-untyped-def]
    assert values(made(ANIMALS)) == ([10, 20, 30, 40], [0, 0, 1, 2])


def test_flat_images_have_no_labels(made) -> None:  # type: ignore[no-untyped-def]
    assert values(made({"b.png": plain(2), "a.png": plain(1), "C.PNG": plain(3)})) == ([3, 1, 2], None)


def test_wrapping_folders_hidden_files_and_system_folders_do_not_count(made) -> None:  # type: ignore[no-untyped-def]
    tree: Tree = {f"animals/set/{name}": picture for name, picture in ANIMALS.items()}
    tree |= {
        "__MACOSX/animals/set/cat/._a.png": b"resource fork",
        "__MACOSX/icon.png": plain(98),
        "animals/set/cat/._a.png": b"resource fork",
        ".thumbs/x.png": plain(99),
        "animals/readme.txt": b"hello",
    }
    assert values(made(tree)) == ([10, 20, 30, 40], [0, 0, 1, 2])


def test_one_folder_of_images_is_flat(made) -> None:  # type: ignore[no-untyped-def]
    assert values(made({"photos/a.png": plain(1), "photos/b.png": plain(2)})) == ([1, 2], None)


@pytest.mark.parametrize("held_out", ["test", "val", "Test"])
def test_folders_train_and_test_are_the_splits(made, held_out: str) -> None:  # type: ignore[no-untyped-def]
    tree: Tree = {f"train/{name}": picture for name, picture in ANIMALS.items()}
    tree |= {f"{held_out}/fox/x.png": plain(50), f"{held_out}/dog/y.png": plain(60)}
    path = made({f"wrap/{name}": picture for name, picture in tree.items()})
    assert values(path) == ([10, 20, 30, 40], [0, 0, 1, 2])
    assert values(path, "test") == ([60, 50], [1, 2])  # numbered as in train, though there is no cat


def test_test_is_preferred_to_val(made) -> None:  # type: ignore[no-untyped-def]
    path = made({"train/a.png": plain(1), "val/a.png": plain(2), "test/a.png": plain(3)})
    assert values(path, "test") == ([3], None)


def test_a_split_that_is_not_there_is_an_error_and_never_the_other_one(made) -> None:  # type: ignore[no-untyped-def]
    path = made({"train/cat/a.png": plain(1), "train/dog/a.png": plain(2)})
    with pytest.raises(ValueError, match=r"no 'test' split, only \['train'\]"):
        read_pictures(path, "test")


def test_a_set_with_a_test_folder_alone_has_no_train_split(made) -> None:  # type: ignore[no-untyped-def]
    path = made({"test/cat/a.png": plain(1), "test/dog/a.png": plain(2)})
    assert values(path, "test") == ([1, 2], [0, 1])
    with pytest.raises(ValueError, match=r"no 'train' split, only \['test'\]"):
        read_pictures(path)


def test_a_single_class_in_each_split_is_no_label(made) -> None:  # type: ignore[no-untyped-def]
    path = made({"train/faces/a.png": plain(1), "train/faces/b.png": plain(2), "test/faces/c.png": plain(3)})
    assert values(path) == ([1, 2], None)
    assert values(path, "test") == ([3], None)


def test_a_set_without_splits_is_all_train(made) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="put its images into a folder test/"):
        read_pictures(made(ANIMALS), "test")


def test_split_folders_beside_others_are_refused(made) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=r"\['train'\] beside \['bus'\]"):
        read_pictures(made({"train/a.png": plain(1), "bus/a.png": plain(2)}))


def test_images_beside_class_folders_are_refused_by_name(made) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=r"1 images beside its class folders, e.g. cover.png"):
        read_pictures(made({**ANIMALS, "cover.png": plain(1)}))


def test_size_scales_the_shorter_side_and_keeps_the_centre(made) -> None:  # type: ignore[no-untyped-def]
    stripes = np.zeros((20, 60, 3), np.uint8)
    stripes[:, :20, 0], stripes[:, 20:40, 1], stripes[:, 40:, 2] = 200, 100, 50
    wide, tall = Image.fromarray(stripes), Image.fromarray(stripes.transpose(1, 0, 2))
    images, _ = read_pictures(made({"wide.png": wide, "tall.png": tall, "small.png": colour((0, 100, 0), 6)}), size=10)
    assert images.shape == (3, 3, 10, 10)
    centre = images[:, :, 2:8, 2:8]  # the filter mixes a little at the edge
    assert torch.equal(centre, torch.tensor([0, 100, 0], dtype=torch.uint8)[:, None, None].expand_as(centre))


def test_size_averages_rather_than_skips_pixels(made) -> None:  # type: ignore[no-untyped-def]
    chequered = Image.fromarray((np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8))
    images, _ = read_pictures(made({"a.png": chequered}), size=8)
    assert ((images.int() - 128).abs() < 12).all()


def test_rows_stay_rows(made) -> None:  # type: ignore[no-untyped-def]
    gradient = Image.fromarray(np.arange(48, dtype=np.uint8).reshape(6, 8))
    images, _ = read_pictures(made({"a.png": gradient}))
    assert torch.equal(images[0, 0], torch.arange(48, dtype=torch.uint8).reshape(6, 8))


def test_channels_follow_the_pictures_or_the_argument(made) -> None:  # type: ignore[no-untyped-def]
    path = made({"a.png": plain(7), "b.png": plain(9), "c.png": colour((255, 0, 0)), "d.png": plain(11)})
    images, _ = read_pictures(path)  # grey ones first: the set turns to colour on the way
    assert images[:, :, 0, 0].tolist() == [[7, 7, 7], [9, 9, 9], [255, 0, 0], [11, 11, 11]]
    images, _ = read_pictures(path, channels=1)
    assert images[:, :, 0, 0].tolist() == [[7], [9], [76], [11]]  # .299 * 255: the eye's weight of red


def test_grey_pictures_stay_grey_unless_asked(made) -> None:  # type: ignore[no-untyped-def]
    path = made({"a.png": plain(7), "b.jpg": plain(9)})
    assert read_pictures(path)[0].shape == (2, 1, 8, 8)
    assert read_pictures(path, channels=3)[0].shape == (2, 3, 8, 8)


def test_transparent_parts_become_white(made) -> None:  # type: ignore[no-untyped-def]
    sprite = Image.new("RGBA", (8, 8), (10, 20, 30, 0))
    sprite.paste((10, 20, 30, 255), (0, 0, 4, 8))
    images, _ = read_pictures(made({"a.png": sprite}))
    assert images[0, :, 0, [0, 7]].T.tolist() == [[10, 20, 30], [255, 255, 255]]


def test_photographs_are_turned_upright(made) -> None:  # type: ignore[no-untyped-def]
    photo = Image.new("RGB", (16, 8))
    photo.paste((255, 255, 255), (0, 0, 8, 8))  # left half white
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned by 90 degrees clockwise: the left half is the upper one
    stream = io.BytesIO()
    photo.save(stream, "PNG", exif=exif)
    images, _ = read_pictures(made({"a.png": stream.getvalue()}))
    assert images.shape == (1, 3, 16, 8)
    assert images[0, 0, :, 4].tolist() == [255] * 8 + [0] * 8


def test_large_jpegs_come_out_right(made) -> None:  # type: ignore[no-untyped-def]
    ramp = np.repeat(np.linspace(0, 255, 640)[None], 640, axis=0).astype(np.uint8)
    images, _ = read_pictures(made({"a.jpg": Image.fromarray(ramp)}), size=16)
    assert images.shape == (1, 1, 16, 16)
    assert (images[0, 0].float() - torch.linspace(8, 247, 16)).abs().max() < 6


def test_large_jpegs_keep_the_detail_that_fits(made) -> None:  # type: ignore[no-untyped-def]
    stripes = np.tile(np.repeat(np.array([0, 255], np.uint8), 4), (640, 80))  # 8 pixels a period: 2 after scaling
    images, _ = read_pictures(made({"a.jpg": Image.fromarray(stripes)}), size=160)
    middle = images[0, 0, 80, 20:140].float()
    assert (middle[0::2] - middle[1::2]).abs().min() > 150


BROKEN = encoded(plain(5, 32), "x.png")[:-30]  # cut off


@pytest.mark.parametrize("content", [BROKEN, b"not a picture", b""], ids=["cut off", "text", "empty"])
def test_a_corrupt_png_is_named_and_nothing_else_is_touched(made, content: bytes) -> None:  # type: ignore[no-untyped-def]
    path = made({**ANIMALS, "cat/broken.png": content})
    before = path.read_bytes() if path.is_file() else (path / "cat/broken.png").read_bytes()
    with pytest.raises(ValueError, match=r"1 of 5 images(.|\n)*cat/broken\.png: ") as caught:
        read_pictures(path)
    assert "a.png" not in str(caught.value)
    assert (path.read_bytes() if path.is_file() else (path / "cat/broken.png").read_bytes()) == before


def test_a_zip_with_flipped_bits_names_the_member(tmp_path: Path) -> None:
    path = as_zip(tmp_path / "a.zip", ANIMALS)
    content = bytearray(path.read_bytes())
    content[content.index(b"cat/z.png") + 60] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"1 of 4 images(.|\n)*cat/z\.png: "):
        read_pictures(path)


def test_all_broken_images_are_counted_and_five_named(made) -> None:  # type: ignore[no-untyped-def]
    path = made({f"{number}.png": b"broken" for number in range(8)} | {"good.png": plain(1)})
    with pytest.raises(ValueError, match=r"8 of 9 images(.|\n)*4\.png(.|\n)*and 3 more") as caught:
        read_pictures(path)
    assert "5.png" not in str(caught.value)


def test_tiny_images_are_refused_by_name_and_size(made) -> None:  # type: ignore[no-untyped-def]
    path = made({**ANIMALS, "cat/pixel.png": plain(1, 1), "cat/fine.png": plain(1, 4)})
    with pytest.raises(ValueError, match=r"1 of 6 images(.|\n)*cat/pixel\.png: 1x1 pixels, smaller than 4"):
        read_pictures(path, size=8)


def test_pixels_of_more_than_eight_bits_are_refused_by_name(made) -> None:  # type: ignore[no-untyped-def]
    deep = Image.fromarray(np.full((8, 8), 40_000, np.uint16))
    with pytest.raises(ValueError, match=r"deep\.png: pixels of kind I;16: save it with 8 bits"):
        read_pictures(made({"deep.png": deep}))


def test_mixed_sizes_need_a_size(made) -> None:  # type: ignore[no-untyped-def]
    path = made({"a.png": plain(1, 8), "b.png": Image.new("L", (12, 9))})
    with pytest.raises(ValueError, match=r"a\.png is 8x8, b\.png is 12x9 pixels; pass a size"):
        read_pictures(path)
    assert read_pictures(path, size=8)[0].shape == (2, 1, 8, 8)


def test_a_set_without_images_is_refused(made) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=r"no images in .*\(2 other files\): it needs \.png"):
        read_pictures(made({"a.txt": b"", "b/c.csv": b""}))


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no images in .*\(0 other files\)"):
        read_pictures(tmp_path)


def test_a_file_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    whole = as_zip(tmp_path / "whole.zip", ANIMALS).read_bytes()
    for name, content in {"a.tar": b"tar", "cut.zip": whole[:-40]}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match="neither a folder nor a whole zip file"):
            read_pictures(tmp_path / name)


def test_a_set_beyond_memory_is_refused_before_it_is_read(made, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(folders, "MAX_BYTES", 4 * 64 - 1)
    with pytest.raises(ValueError, match=r"4 images of 8x8\): pass a smaller size"):
        read_pictures(made(ANIMALS))
    assert len(read_pictures(made(ANIMALS), size=7)[0]) == 4


def test_links_to_class_folders_and_to_pictures_are_followed(tmp_path: Path) -> None:
    as_folder(tmp_path / "elsewhere", {"hounds/b.png": plain(30), "z.png": plain(20), "deep/more/y.png": plain(25)})
    path = as_folder(tmp_path / "set", {"cat/a.png": plain(10)})
    (path / "dog").symlink_to(tmp_path / "elsewhere" / "hounds")
    (path / "cat" / "z.png").symlink_to(tmp_path / "elsewhere" / "z.png")
    (path / "fox").symlink_to(tmp_path / "elsewhere" / "deep")
    (path / "gnu").symlink_to("dog", target_is_directory=True)  # a link to a link
    assert values(path) == ([10, 20, 30, 25, 30], [0, 0, 1, 2, 3])
    (tmp_path / "link").symlink_to(path)
    assert values(tmp_path / "link") == values(path)


def test_links_to_split_folders_are_followed(tmp_path: Path) -> None:
    as_folder(tmp_path / "elsewhere", {"a.png": plain(1), "b.png": plain(2)})
    path = as_folder(tmp_path / "set", {"test/c.png": plain(3)})
    (path / "train").symlink_to(tmp_path / "elsewhere")
    assert values(path) == ([1, 2], None)
    assert values(path, "test") == ([3], None)


@pytest.mark.parametrize("name", ["dog", "cat/b.png"])
def test_a_link_that_leads_nowhere_is_named(tmp_path: Path, name: str) -> None:
    path = as_folder(tmp_path / "set", {"cat/a.png": plain(10)})
    (path / name).symlink_to(tmp_path / "gone")
    with pytest.raises(ValueError, match=f"{name} is a link that leads nowhere"):
        read_pictures(path)
    (path / name).unlink()
    (path / ".thumbs").symlink_to(tmp_path / "gone")  # hidden: does not count
    assert values(path) == ([10], None)


@pytest.mark.parametrize("target", [".", "..", "../.."])
def test_a_circle_of_links_is_named_and_ends(tmp_path: Path, target: str) -> None:
    path = as_folder(tmp_path / "set", {"cat/a.png": plain(10)})
    (path / "cat" / "loop").symlink_to(target, target_is_directory=True)
    with pytest.raises(ValueError, match="loop is a link to a folder that holds it: remove it"):
        read_pictures(path)
    (path / "cat" / "loop").unlink()
    (path / "cat" / "loop").symlink_to("loop")
    with pytest.raises(ValueError, match="loop is a link that leads nowhere"):
        read_pictures(path)


def test_two_folders_that_link_to_each_other_end_too(tmp_path: Path) -> None:
    path = as_folder(tmp_path / "set", {"cat/a.png": plain(10), "dog/b.png": plain(20)})
    (path / "cat" / "dogs").symlink_to(path / "dog", target_is_directory=True)
    (path / "dog" / "cats").symlink_to(path / "cat", target_is_directory=True)
    with pytest.raises(ValueError, match="is a link to a folder that holds it"):
        read_pictures(path)


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = as_folder(tmp_path / "set", ANIMALS)
    real = os.scandir

    def guarded(folder: str | Path) -> object:
        if Path(folder).name == "dog":
            raise PermissionError(errno.EACCES, "Permission denied", str(folder))
        return real(folder)

    monkeypatch.setattr(os, "scandir", guarded)  # root may read everything
    with pytest.raises(ValueError, match=r"dog cannot be read \(Permission denied\): change its permissions"):
        read_pictures(path)


@pytest.mark.parametrize("name", ["dog", "cat/b.png"])
def test_links_in_a_zip_are_named(tmp_path: Path, name: str) -> None:
    path = as_zip(tmp_path / "set.zip", {"cat/a.png": plain(10)})
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo(name)
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "../gone")
    with pytest.raises(ValueError, match=f"holds a link, {name}: zip the files themselves"):
        read_pictures(path)


def test_folders_in_a_zip_of_windows_are_parted_by_backslashes(tmp_path: Path) -> None:
    path = as_zip(tmp_path / "set.zip", {name.replace("/", "\\"): picture for name, picture in ANIMALS.items()})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("empty\\", "")
    assert values(path) == ([10, 20, 30, 40], [0, 0, 1, 2])


@pytest.mark.parametrize("other", ["Train", "training"])
def test_two_folders_of_one_split_are_named_and_neither_is_left_out(made, other: str) -> None:  # type: ignore[no-untyped-def]
    path = made({"train/a.png": plain(1), f"{other}/b.png": plain(2), "test/a.png": plain(3)})
    with pytest.raises(ValueError, match=r"has (Train and train|train and training), which mean the same"):
        read_pictures(path)


@pytest.mark.parametrize("name", ["cat/b.jfif", "cat/b.HEIC", "cat/b.jpe"])
def test_pictures_of_rare_kinds_are_read_or_named_and_never_left_out(made, name: str) -> None:  # type: ignore[no-untyped-def]
    assert values(made({**ANIMALS, name: plain(15)}))[0] == [10, 15, 20, 30, 40]


def test_a_picture_of_a_rare_kind_that_nobody_can_read_is_named(made) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=r"1 of 5 images(.|\n)*cat/b\.heic"):
        read_pictures(made({**ANIMALS, "cat/b.heic": b"\0\0\0\x18ftypheic"}))


def drawn(width: int, height: int, values: int = 2) -> Image.Image:
    """A picture of so many grey values, 0, 1, …, as columns."""
    return Image.fromarray(np.tile(np.arange(width, dtype=np.uint8) % values, (height, 1)))


def many(n: int, picture: Image.Image) -> Tree:
    return {f"{k:03d}.png": picture for k in range(n)}


def test_nothing_is_said_of_enough_pictures_of_one_size(made) -> None:  # type: ignore[no-untyped-def]
    assert remarks(made(many(200, drawn(12, 8, 9))), size=8) == []


def test_too_few_pictures_are_said_before_a_training(made) -> None:  # type: ignore[no-untyped-def]
    (words,) = remarks(made(many(199, drawn(8, 8, 8))), size=8)
    assert words.startswith("199 images: under 200 D soon knows them by heart")


def test_only_the_pictures_of_the_split_are_counted(made) -> None:  # type: ignore[no-untyped-def]
    path = made({f"{split}/{k}.png": drawn(8, 8, 8) for split in ("train", "test") for k in range(100)})
    assert remarks(path, size=8)[0].startswith("100 images:")
    assert remarks(path, "test", size=8)[0].startswith("100 images:")


def test_mixed_sizes_are_said_with_what_the_crop_leaves(made) -> None:  # type: ignore[no-untyped-def]
    tree = many(200, drawn(8, 8, 8)) | {"wide.png": drawn(40, 10, 8), "tall.png": drawn(10, 20, 8)}
    (words,) = remarks(made(tree), size=8)
    assert words.startswith("pictures of 3 sizes: ")
    assert "25% of the longest one, 40x10;" in words


def test_a_photograph_on_its_side_has_the_size_that_is_shown(made) -> None:  # type: ignore[no-untyped-def]
    stream, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6  # shown turned by 90 degrees
    drawn(16, 8, 8).save(stream, "PNG", exif=exif)
    assert remarks(made(many(199, drawn(8, 16, 8)) | {"turned.png": stream.getvalue()}), size=8) == []


def test_pictures_that_would_be_blown_up_are_said(made) -> None:  # type: ignore[no-untyped-def]
    path = made({**many(199, drawn(8, 8, 8)), "small.png": drawn(8, 7, 8)})
    assert next(words for words in remarks(path, size=8) if "smaller" in words).startswith(
        "1 image smaller than 8 pixels, e.g. small.png: blown up"
    )
    assert not any("smaller" in words for words in remarks(path, size=7))


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        (plain(7), True),
        (drawn(8, 8, folders.FLAT + 1), True),
        (drawn(8, 8, folders.FLAT + 2), False),
        (colour((9, 9, 200)), True),  # of one colour, though its channels differ
    ],
)
def test_pictures_of_one_colour_are_said(made, picture: Image.Image, said: bool) -> None:  # type: ignore[no-untyped-def]
    found = remarks(made({**many(200, drawn(8, 8, 8)), "x.png": picture}), size=8)
    assert [words.split(":")[0] for words in found] == ["1 image of one colour, e.g. x.png"] * said


def test_a_picture_with_one_living_channel_is_of_more_than_one_colour(made) -> None:  # type: ignore[no-untyped-def]
    red = Image.merge("RGB", (drawn(8, 8, 8), plain(0), plain(0)))
    assert remarks(made(many(200, red)), size=8) == []


def test_what_cannot_be_read_is_refused_as_it_is_when_it_is_loaded(made) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="cannot be used"):
        remarks(made({"a.png": b"not a picture"}), size=8)
