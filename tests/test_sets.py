"""data: what `load` gives, what it refuses, and what it says where a set cannot be had."""

import gzip
import hashlib
import io
import pickle
import re
import struct
import subprocess
import sys
import tarfile
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F
from torchvision.datasets import CIFAR10, MNIST

from gan_lessons import paths
from gan_lessons.data import DamagedFile, DatasetUnavailable, load, sets
from gan_lessons.data.sets import read_idx
from tests.web import serving

USERS_OWN = paths.data_root()
REAL_MNIST = pytest.mark.skipif(
    not all((USERS_OWN / file).exists() for file in sets.checksums() if file.startswith("MNIST/")),
    reason=f"MNIST is not under {USERS_OWN}",
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of the test's own, not there yet: no test here may ever write into the user's."""
    own = tmp_path / "cache"
    monkeypatch.setenv("GAN_LESSONS_DATA", str(own))
    return own


@pytest.fixture
def real_mnist(folder: Path) -> None:
    """The real files, by way of a link in the test's own folder."""
    folder.mkdir()
    (folder / "MNIST").symlink_to(USERS_OWN.resolve() / "MNIST")


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise URLError("no network in this test")

    monkeypatch.setattr(urllib.request, "urlopen", unreachable)


def idx(content: np.ndarray) -> bytes:
    return struct.pack(f">HBB{content.ndim}I", 0, 8, content.ndim, *content.shape) + content.tobytes()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def small_mnist(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The four files with 6 and 3 images, and the checksums to match."""
    random = np.random.default_rng(0)
    files = {}
    for part, n in (("train", 6), ("t10k", 3)):
        files[f"MNIST/raw/{part}-images-idx3-ubyte"] = idx(random.integers(0, 256, (n, 28, 28), np.uint8))
        files[f"MNIST/raw/{part}-labels-idx1-ubyte"] = idx(np.arange(n, dtype=np.uint8))
    monkeypatch.setattr(sets, "checksums", lambda: {file: sha256(content) for file, content in files.items()})
    return files


def put(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


# digits: the embedded set


@pytest.mark.usefixtures("offline")
def test_digits_are_in_mnists_form_and_need_no_network_and_no_file(folder: Path) -> None:
    (train, train_labels, name), (test, test_labels, _) = load("digits"), load("digits", split="test")
    assert name == "digits"
    assert train_labels is not None
    assert test_labels is not None
    assert len(train) + len(test) == 1_797
    assert len(train_labels) == len(train) == 1_415
    assert train.shape[1:] == test.shape[1:] == (1, 28, 28)
    assert train.dtype == torch.uint8
    assert train_labels.dtype == torch.int64
    assert set(train_labels.tolist()) == set(test_labels.tolist()) == set(range(10))
    assert (int(train.min()), int(train.max())) == (0, 255)
    border = torch.ones(28, 28, dtype=torch.bool)
    border[4:24, 4:24] = False
    assert not train[:, 0, border].any()  # black around, white in the middle
    assert (train.float() / 255).mean() == pytest.approx(0.1307, abs=0.04)  # MNIST's mean and spread
    assert (train.float() / 255).std() == pytest.approx(0.3081, abs=0.03)
    assert not folder.exists()


def test_digits_are_scikit_learns_in_order() -> None:
    from sklearn.datasets import load_digits

    original = load_digits()
    both = [load("digits", split=split) for split in ("train", "test")]
    images = torch.cat([part.images for part in both])
    labels = torch.cat([part.labels for part in both if part.labels is not None])
    assert labels.tolist() == original.target.tolist()
    shrunk = F.interpolate(images[:, :, 4:24, 4:24].float(), size=8, mode="bilinear", antialias=True).flatten(1)
    ink = torch.from_numpy(original.images).float().flatten(1)
    similarity = F.cosine_similarity(shrunk - shrunk.mean(1, True), ink - ink.mean(1, True))
    assert similarity.min() > 0.9
    mirrored = ink.reshape(-1, 8, 8).mT.flatten(1)
    assert F.cosine_similarity(shrunk - shrunk.mean(1, True), mirrored - mirrored.mean(1, True)).mean() < 0.6


def test_importing_data_is_light() -> None:
    code = "import sys, gan_lessons.data; print('sklearn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]  # a second saved by all who do not ask for its digits


# mnist


@REAL_MNIST
@pytest.mark.usefixtures("real_mnist", "offline")
def test_mnist_is_mnist() -> None:
    images, labels, name = load("mnist")
    assert labels is not None
    assert name == "mnist"
    assert images.shape == (60_000, 1, 28, 28)
    assert images.dtype == torch.uint8
    assert labels[:8].tolist() == [5, 0, 4, 1, 9, 2, 1, 3]
    assert labels.bincount().tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert images.double().mean() / 255 == pytest.approx(0.1307, abs=5e-5)
    assert images.double().std() / 255 == pytest.approx(0.3081, abs=5e-5)


@REAL_MNIST
@pytest.mark.usefixtures("real_mnist", "offline")
def test_mnists_test_split_is_another_set() -> None:
    images, labels, _ = load("mnist", split="test")
    assert labels is not None
    assert images.shape == (10_000, 1, 28, 28)
    assert labels[:5].tolist() == [7, 2, 1, 0, 4]


@pytest.mark.usefixtures("offline")
def test_mnist_files_put_there_by_hand_are_enough(folder: Path, small_mnist: dict[str, bytes]) -> None:
    put(folder, {file: content for file, content in small_mnist.items() if "train" in file})
    images, labels, _ = load("mnist")
    assert labels is not None
    assert labels.tolist() == [0, 1, 2, 3, 4, 5]
    assert images.numpy().tobytes() == small_mnist["MNIST/raw/train-images-idx3-ubyte"][16:]
    with pytest.raises(DatasetUnavailable):  # and never the other split instead
        load("mnist", split="test")


@pytest.mark.usefixtures("offline")
def test_without_a_network_the_error_says_all_that_helps(folder: Path) -> None:
    with pytest.raises(DatasetUnavailable) as caught:
        load("mnist")
    message = str(caught.value)
    for file, checksum in sets.checksums().items():
        if file.startswith("MNIST"):
            assert str(folder / file) in message
            assert checksum in message
    for part in ("mnist is not on this machine", 'DATASET = "digits"', "folder or zip", "no network in this test"):
        assert part in message
    for mirror in (*MNIST.mirrors, *sets.MNIST_MIRRORS):
        assert mirror in message
    assert [path for path in folder.rglob("*") if not path.is_dir()] == []
    assert isinstance(caught.value, OSError)


def test_mnist_comes_from_the_first_sound_mirror_and_only_once(
    folder: Path, small_mnist: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving() as site:
        for file, content in small_mnist.items():
            name = Path(file).name + ".gz"
            site.pages[f"/broken/{name}"] = gzip.compress(content[:-1])
            site.pages[f"/sound/{name}"] = gzip.compress(content)
        monkeypatch.setattr(MNIST, "mirrors", [f"{site.address}/gone/", f"{site.address}/broken/"])
        monkeypatch.setattr(sets, "MNIST_MIRRORS", (f"{site.address}/sound/",))
        images, _, _ = load("mnist", split="test")
        assert images.shape == (3, 1, 28, 28)
        requests = len(site.asked)
        load("mnist"), load("mnist", split="test")
        assert len(site.asked) == requests
    written = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert written == small_mnist


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("damage", ["flipped", "truncated", "empty"])
def test_a_damaged_file_is_named_and_refused_but_not_deleted(
    folder: Path, small_mnist: dict[str, bytes], damage: str
) -> None:
    put(folder, small_mnist)
    name = "MNIST/raw/train-images-idx3-ubyte"
    good = small_mnist[name]
    bad = {"flipped": good[:-1] + bytes([good[-1] ^ 1]), "truncated": good[:-1], "empty": b""}[damage]
    (folder / name).write_bytes(bad)
    for _ in range(2):
        with pytest.raises(DamagedFile) as caught:
            load("mnist")
        for part in (str(folder / name), sha256(good), sha256(bad), "Move it away"):
            assert part in str(caught.value)
    assert (folder / name).read_bytes() == bad
    assert len(load("mnist", split="test").images) == 3  # the other files are as good as before


@pytest.mark.usefixtures("offline")
def test_packed_mnist_files_put_there_by_hand_are_unpacked(folder: Path, small_mnist: dict[str, bytes]) -> None:
    packed = {f"{file}.gz": gzip.compress(content) for file, content in small_mnist.items() if "t10k" in file}
    put(folder, packed)
    assert load("mnist", split="test").images.shape == (3, 1, 28, 28)
    with pytest.raises(DatasetUnavailable):
        load("mnist")
    put(folder, {f"{file}.gz": gzip.compress(content) for file, content in small_mnist.items()})
    assert load("mnist").images.shape == (6, 1, 28, 28)
    assert all((folder / file).read_bytes() == content for file, content in small_mnist.items())
    assert all((folder / file).exists() for file in packed)  # the reader's own: left as they are


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("damage", [b"", b"no gzip", gzip.compress(b"other bytes"), "half"])
def test_damaged_packed_files_are_named_beside_what_helps(
    folder: Path, small_mnist: dict[str, bytes], damage: bytes | str
) -> None:
    name = "MNIST/raw/train-images-idx3-ubyte"
    whole = gzip.compress(small_mnist[name])
    put(folder, {f"{name}.gz": damage if isinstance(damage, bytes) else whole[: len(whole) // 2]})
    with pytest.raises(DatasetUnavailable, match=re.escape(f"(There is {folder / name}.gz, but it is damaged")):
        load("mnist")
    assert [path.name for path in folder.rglob("*") if path.is_file()] == [f"{Path(name).name}.gz"]


def test_a_data_folder_that_cannot_be_written_is_told_with_the_remedy(folder: Path, offline: None) -> None:
    folder.write_text("a file where the folder should be")
    with pytest.raises(DatasetUnavailable, match=r"cannot be written (.|\n)*GAN_LESSONS_DATA"):
        load("mnist")
    assert folder.read_text() == "a file where the folder should be"


@pytest.mark.parametrize("shape", [(7,), (3, 5), (2, 3, 4), (300, 1, 1)])
def test_read_idx_reads_what_the_format_says(tmp_path: Path, shape: tuple[int, ...]) -> None:
    content = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    (tmp_path / "a").write_bytes(idx(content))
    read = read_idx(tmp_path / "a")
    assert read.dtype == torch.uint8
    assert np.array_equal(read.numpy(), content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (idx(np.zeros((3, 4, 4), np.uint8))[:-1], "has 63 bytes where its header asks for 64"),
        (idx(np.zeros((3, 4, 4), np.uint8)) + b"?", "has 65 bytes where its header asks for 64"),
        (idx(np.zeros((3, 4, 4), np.uint8))[:9], "has 9 bytes where its header"),
        (gzip.compress(idx(np.zeros(9, np.uint8)), mtime=0), "not an IDX file of bytes: .* unpack it"),
        (struct.pack(">HBBI", 0, 13, 1, 1) + b"\0\0\0\0", "not an IDX file of bytes"),  # floats
        (b"", "not an IDX file"),
    ],
)
def test_read_idx_refuses_what_is_cut_packed_or_of_another_kind(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(ValueError, match=words):
        read_idx(tmp_path / "a")


# cifar10


def archive(batches: dict[str, Any]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, batch in batches.items():
            content = pickle.dumps(batch, protocol=2)
            member = tarfile.TarInfo(f"{CIFAR10.base_folder}/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return stream.getvalue()


@pytest.fixture
def small_cifar(monkeypatch: pytest.MonkeyPatch) -> tuple[bytes, np.ndarray]:
    """An archive like CIFAR-10's with two images a batch, its checksums, and its training images (n, 3, 32, 32)."""
    random = np.random.default_rng(0)
    batches: dict[str, Any] = {
        name: {"data": random.integers(0, 256, (2, 3072), np.uint8), "labels": [number, 9 - number]}
        for number, name in enumerate([*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"])
    }
    pixels = np.concatenate([batches[f"data_batch_{k}"]["data"] for k in range(1, 6)]).reshape(-1, 3, 32, 32)
    batches["batches.meta"] = {"label_names": list("abcdefghij")}
    md5 = {name: hashlib.md5(pickle.dumps(batch, protocol=2)).hexdigest() for name, batch in batches.items()}
    monkeypatch.setattr(CIFAR10, "train_list", [[f"data_batch_{k}", md5[f"data_batch_{k}"]] for k in range(1, 6)])
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", md5["test_batch"]]])
    monkeypatch.setattr(CIFAR10, "meta", {**CIFAR10.meta, "md5": md5["batches.meta"]})
    packed = archive(batches)
    monkeypatch.setattr(sets, "checksums", lambda: {sets.CIFAR10_ARCHIVE: sha256(packed)})
    return packed, pixels


@pytest.mark.usefixtures("offline")
def test_cifar10_is_read_from_an_archive_put_there_by_hand(folder: Path, small_cifar: tuple[bytes, np.ndarray]) -> None:
    packed, pixels = small_cifar
    put(folder, {sets.CIFAR10_ARCHIVE: packed})
    for _ in range(2):  # unpacks, then reads what is unpacked
        images, labels, name = load("cifar10")
        assert name == "cifar10"
        assert labels is not None
        assert np.array_equal(images.numpy(), pixels)
        assert labels.tolist() == [0, 9, 1, 8, 2, 7, 3, 6, 4, 5]
    assert load("cifar10", split="test").images.shape == (2, 3, 32, 32)


def test_cifar10_is_fetched_with_its_checksum(
    folder: Path, small_cifar: tuple[bytes, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving() as site:
        site.pages["/cifar-10-python.tar.gz"] = small_cifar[0]
        monkeypatch.setattr(CIFAR10, "url", f"{site.address}/cifar-10-python.tar.gz")
        assert np.array_equal(load("cifar10").images.numpy(), small_cifar[1])
    assert sorted(path.name for path in folder.iterdir()) == ["cifar-10-batches-py", sets.CIFAR10_ARCHIVE]


@pytest.mark.usefixtures("offline")
def test_a_damaged_cifar10_is_named(folder: Path, small_cifar: tuple[bytes, np.ndarray]) -> None:
    put(folder, {sets.CIFAR10_ARCHIVE: small_cifar[0][:-1]})
    with pytest.raises(DamagedFile, match=re.escape(str(folder / sets.CIFAR10_ARCHIVE))):
        load("cifar10")
    put(folder, {sets.CIFAR10_ARCHIVE: small_cifar[0]})
    load("cifar10")
    batch = folder / CIFAR10.base_folder / "data_batch_3"
    batch.write_bytes(b"?")
    with pytest.raises(DamagedFile, match=re.escape(str(batch)) + r"(.|\n)*md5 expected"):
        load("cifar10")
    batch.unlink()
    with pytest.raises(DamagedFile, match=re.escape(str(batch)) + " is missing"):
        load("cifar10")


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-10])


def make_a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


HARMS: dict[str, Callable[[Path], object]] = {
    "short": cut,
    "missing": Path.unlink,
    "foreign": lambda file: file.write_bytes(b"of another set"),
    "empty": lambda file: file.write_bytes(b""),
    "a folder": make_a_folder,
}


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize("name", ["data_batch_1", "data_batch_5", "test_batch", "batches.meta"])
def test_the_remedy_for_a_harmed_cifar10_works(
    folder: Path, small_cifar: tuple[bytes, np.ndarray], name: str, harm: str
) -> None:
    put(folder, {sets.CIFAR10_ARCHIVE: small_cifar[0]})
    load("cifar10")
    unpacked = folder / CIFAR10.base_folder
    HARMS[harm](unpacked / name)
    with pytest.raises(DamagedFile, match=re.escape(f"{unpacked / name} is")) as caught:
        load("cifar10")
    assert f"Move the whole folder {unpacked} away" in str(caught.value)
    assert ("is missing" in str(caught.value)) == (harm == "missing")
    assert ("is damaged" in str(caught.value)) == (harm in ("short", "foreign", "empty"))
    unpacked.rename(folder / "away")  # as told
    assert np.array_equal(load("cifar10").images.numpy(), small_cifar[1])


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("harm", ["short", "missing", "foreign", "empty"])
@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"])
def test_the_remedy_for_a_harmed_mnist_works(folder: Path, small_mnist: dict[str, bytes], name: str, harm: str) -> None:
    put(folder, small_mnist)
    file = folder / "MNIST" / "raw" / name
    HARMS[harm](file)
    with pytest.raises((DamagedFile, DatasetUnavailable), match=re.escape(str(file))):
        load("mnist")
    if file.exists():
        file.rename(folder / "away")
    put(folder, {f"MNIST/raw/{name}.gz": gzip.compress(small_mnist[f"MNIST/raw/{name}"])})  # or a network
    assert len(load("mnist").images) == 6


def test_the_home_of_an_unknown_user_is_no_traceback() -> None:
    with pytest.raises(ValueError, match="no such home folder"):
        load("~no-such-user/photos")


@pytest.mark.usefixtures("offline")
def test_cifar10_without_a_network_says_what_to_do(folder: Path) -> None:
    with pytest.raises(DatasetUnavailable, match="cifar10 is not on this machine") as caught:
        load("cifar10")
    for part in (str(folder / sets.CIFAR10_ARCHIVE), sets.checksums()[sets.CIFAR10_ARCHIVE], CIFAR10.url):
        assert part in str(caught.value)


# a folder or a zip, sizes, channels, names


@pytest.mark.parametrize("given", [str, Path])
def test_a_folder_goes_by_its_own_name(tmp_path: Path, given: type) -> None:
    for kind, value in (("cat", 10), ("dog", 20)):
        (tmp_path / "animals v1.2" / kind).mkdir(parents=True)
        Image.new("RGB", (9, 12), (value, 0, 0)).save(tmp_path / "animals v1.2" / kind / "a.png")
    images, labels, name = load(given(tmp_path / "animals v1.2"), size=6, channels=3)
    assert labels is not None
    assert name == "animals v1.2"
    assert images.shape == (2, 3, 6, 6)
    assert images[:, 0, 0, 0].tolist() == [10, 20]
    assert labels.tolist() == [0, 1]


def test_size_and_channels_apply_to_named_sets_too() -> None:
    plain, large = load("digits").images, load("digits", size=56, channels=3).images
    assert large.shape == (1_415, 3, 56, 56)
    assert large.is_contiguous()
    assert torch.equal(large[:, 0], large[:, 2])
    back = F.avg_pool2d(large[:, :1].float(), 2)
    assert (back - plain.float()).abs().mean() < 3
    small = load("digits", size=14).images
    assert (small.float() - F.avg_pool2d(plain.float(), 2)).abs().mean() < 4  # averages; does not skip pixels


def test_colour_turns_grey_by_the_eyes_weights(folder: Path, small_cifar: tuple[bytes, np.ndarray]) -> None:
    put(folder, {sets.CIFAR10_ARCHIVE: small_cifar[0]})
    grey = load("cifar10", channels=1).images
    pillow = [np.asarray(Image.fromarray(image.transpose(1, 2, 0)).convert("L")) for image in small_cifar[1]]
    assert grey.shape == (10, 1, 32, 32)
    assert (grey[:, 0].int() - torch.tensor(np.stack(pillow)).int()).abs().max() <= 1


@pytest.mark.parametrize("name", ["mnits", "no/such/folder", ""])
def test_an_unknown_name_lists_what_there_is(name: str) -> None:
    with pytest.raises(ValueError, match=r"\['cifar10', 'digits', 'mnist'\], or give the path of a folder or a zip"):
        load(name)


@pytest.mark.parametrize("split", ["Train", "validation", "", None])
def test_an_unknown_split_lists_what_there_is(split: str) -> None:
    with pytest.raises(ValueError, match=r"unknown split .*; have \['test', 'train'\]"):
        load("digits", split=split)


@pytest.mark.parametrize("size", [0, -28, 3, 1_025, 28.0, "28", True])
def test_a_size_that_makes_no_sense_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=r"size must be a whole number from 4 to 1024, not"):
        load("digits", size=size)


@pytest.mark.parametrize("channels", [0, 2, 4, 3.0, "RGB", True])
def test_channels_other_than_one_and_three_are_refused(channels: int) -> None:
    with pytest.raises(ValueError, match=r"channels is 1 \(grey\) or 3 \(colour\), not"):
        load("digits", channels=channels)


def test_the_data_card_states_each_checksum() -> None:
    sums = sets.checksums()
    assert len(sums) == 5
    assert all(re.fullmatch("[0-9a-f]{64}", checksum) for checksum in sums.values())
    repository = paths.repository_root()
    if repository is None:
        pytest.skip("the data card lies in the checkout only")
    card = (repository / "data" / "README.md").read_text(encoding="utf-8")
    for file, checksum in sums.items():
        assert file in card
        assert checksum in card
