"""The stored judge: what is written is what is read, and a damaged or missing file is refused with the remedy."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.optim.swa_utils import AveragedModel

from gan_lessons import data, judges, zoo
from gan_lessons.data.downloads import DamagedFile
from gan_lessons.metrics import distances
from gan_lessons.metrics.classifier import ColourClassifier, DigitClassifier, NormedClassifier, scaled
from gan_lessons.paths import shipped

FACTS: dict[str, Any] = {"chapter": "06", "data": "digits", "steps": 10, "seconds": 1.234, "accuracy": 0.98765}


def saved(folder: Path, network: DigitClassifier | None = None) -> judges.JudgeCard:
    torch.manual_seed(0)
    return judges.save("small", network or DigitClassifier(width=2, features=8), folder=folder, **FACTS)


def test_a_saved_judge_comes_back_bit_for_bit_and_frozen(tmp_path: Path) -> None:
    network = DigitClassifier(width=3, features=8)
    card = saved(tmp_path, network)
    state = torch.get_rng_state()
    loaded = judges.load("small", tmp_path)
    assert torch.equal(state, torch.get_rng_state())
    for here, there in zip(network.parameters(), loaded.parameters(), strict=True):
        assert torch.equal(here, there)
        assert not there.requires_grad
    assert not loaded.training
    assert card == judges.card("small", tmp_path)
    assert (card.width, card.features, card.seconds, card.accuracy) == (3, 8, 1.2, 0.9877)
    assert card.sha256 == hashlib.sha256((tmp_path / "small.safetensors").read_bytes()).hexdigest()
    assert judges.names(tmp_path) == ["small"]


def test_a_judge_in_colour_comes_back_with_its_batch_norms_and_reads_its_own_shape(tmp_path: Path) -> None:
    network = ColourClassifier(width=2, features=8).eval()
    assert saved(tmp_path, network).network == "ColourClassifier"
    loaded, pictures = judges.load("small", tmp_path), torch.rand(5, 3, 16, 16)
    assert isinstance(loaded, ColourClassifier)
    torch.testing.assert_close(loaded.probabilities(pictures), network.probabilities(pictures))


@pytest.mark.parametrize("name", judges.names())
def test_a_stored_judge_works_channels_last_and_sees_what_it_saw(name: str) -> None:
    judge = judges.load(name)
    images = torch.rand(5, *judge.shape)
    assert judge.body[0](images).is_contiguous(memory_format=torch.channels_last)
    features = judge.features(images)
    torch.testing.assert_close(features, judge.to(memory_format=torch.contiguous_format).features(images))


def spoil(folder: Path) -> None:
    path = folder / "small.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def rewrite(folder: Path, **changes: Any) -> None:
    path = folder / "small.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    ("harm", "error", "words"),
    [
        (spoil, DamagedFile, "sha256 expected.*sha256 found.*store it again, or copy small.safetensors and small.json"),
        (lambda folder: (folder / "small.safetensors").unlink(), FileNotFoundError, "is missing.*store it again"),
        (lambda folder: (folder / "small.json").write_text("{"), DamagedFile, "card .* is damaged.*store it again"),
        (lambda folder: (folder / "small.json").write_text("{}"), DamagedFile, "card .* is damaged.*missing"),
        (lambda folder: (folder / "small.json").write_text("[1]"), DamagedFile, "card .* is damaged"),
        (lambda folder: rewrite(folder, width="wide"), DamagedFile, "card .* is damaged"),
        (lambda folder: rewrite(folder, width=5), ValueError, "weights of another network"),
    ],
    ids=["one bit", "missing", "half a card", "empty card", "a list", "odd card", "another network"],
)
def test_what_was_damaged_is_refused_with_the_remedy(
    tmp_path: Path, harm: Callable[[Path], Any], error: type[Exception], words: str
) -> None:
    saved(tmp_path)
    harm(tmp_path)
    with pytest.raises(error, match=f"(?s){words}"):
        judges.load("small", tmp_path)


@pytest.mark.parametrize("accuracy", [float("nan"), np.float32("inf")])
def test_a_judge_whose_card_json_cannot_hold_leaves_the_earlier_one(tmp_path: Path, accuracy: float) -> None:
    before = saved(tmp_path)
    with pytest.raises(ValueError, match="the card of small cannot be kept as JSON"):
        judges.save("small", DigitClassifier(2, 8), folder=tmp_path, **(FACTS | {"accuracy": accuracy}))
    judges.load("small", tmp_path)
    assert judges.card("small", tmp_path) == before
    numpy = FACTS | {"accuracy": np.float32(0.5), "steps": np.int64(10), "seconds": np.float64(2)}
    assert judges.save("small", DigitClassifier(2, 8), folder=tmp_path, **numpy).accuracy == 0.5
    judges.load("small", tmp_path)


DIGITS = data.load("digits", "test").images[:20]
READ = judges.load().probabilities(DIGITS)  # with torch's own defaults


def test_torchs_defaults_change_nothing_in_a_judge(defaults: None) -> None:
    judge = judges.load()
    assert {(p.dtype, p.device.type) for p in judge.parameters()} == {(torch.float32, "cpu")}
    assert torch.equal(judge.probabilities(data.load("digits", "test").images[:20]), READ)
    assert judges.ruler(DIGITS)(DIGITS)["distance"] == 0


def test_an_unknown_judge_and_an_infinite_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no stored judge 'large'; have none"):
        judges.load("large", tmp_path)
    network = DigitClassifier(width=2, features=8)
    with torch.no_grad():
        network.head.bias[0] = float("inf")
    with pytest.raises(ValueError, match="NaN or infinity"):
        saved(tmp_path, network)
    assert list(tmp_path.iterdir()) == []


# --- what the repository ships ----------------------------------------------------------------------------------


def test_every_stored_judge_loads_and_is_no_generator() -> None:
    assert judges.names() == ["cifar16", "mnist", "mnist-normed"]
    files = {path.name for path in (shipped("weights") / "judges").iterdir()}
    assert files == {f"{name}.{kind}" for name in judges.names() for kind in ("json", "safetensors")}
    assert not set(judges.names()) & set(zoo.names())
    assert all(path.stat().st_size < 2_000_000 for path in (shipped("weights") / "judges").iterdir())


def test_the_stored_judge_reads_digits_that_it_never_saw() -> None:
    card, judge = judges.card(), judges.load()
    assert card.accuracy >= 0.99
    images, labels, _ = data.load("digits", "test")
    assert labels is not None
    read = judge.probabilities(data.unit(images)).argmax(1)
    assert float((read == labels).float().mean()) > 0.8  # other people's digits, at 8x8 pixels


def test_a_ruler_gives_what_the_longer_way_gives() -> None:
    images = data.load("digits", "test", size=28, channels=1).images
    ruler, judge = judges.ruler(images), judges.load()
    samples = (data.unit(images) * 0.8 + 0.1)[:200]
    found = ruler(samples)
    near, far = (distances.moments(judge.features(x)) for x in (samples, data.unit(images)))
    assert found["distance"] == pytest.approx(distances.frechet_distance(near, far))
    probabilities = judge.probabilities(samples)
    assert found["confidence"] == pytest.approx(float(probabilities.max(1).values.mean()), abs=1e-6)
    assert ruler(data.unit(images)) == pytest.approx({**found, "distance": 0, "classes": 10}, abs=0.2)
    ones = data.unit(images)[judge(data.unit(images)).argmax(1) == 1]
    assert ruler(ones)["classes"] == 1
    assert ruler(ones)["distance"] > found["distance"] > 0.1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda u: 2 * u - 1, r"not in \[0, 1\].*with tanh give \(images \+ 1\) / 2"),
        (lambda u: 255 * u, r"not in \[0, 1\].*images / 255"),
        (lambda u: u.where(u < 0.9, torch.nan), "NaN"),
        (lambda u: u[:0], "no images"),
        (lambda u: torch.nn.functional.pad(u, (2, 2, 2, 2)), "28x28"),
        (lambda u: u.long(), "uint8"),
    ],
)
def test_no_way_to_the_judge_takes_images_of_another_range(
    change: Callable[[torch.Tensor], torch.Tensor], words: str
) -> None:
    images = data.load("digits", "test").images[:98]
    judge, wrong = judges.load(), change(data.unit(images))
    for way in (judges.ruler(images), judge.features, judge.probabilities):
        with pytest.raises(ValueError, match=words):
            way(wrong)
    assert torch.equal(judge.features(images), judge.features(data.unit(images)))
    assert judges.ruler(images)(images)["distance"] == pytest.approx(0, abs=1e-3)


def test_a_ruler_is_not_made_of_floats() -> None:
    with pytest.raises(ValueError, match="uint8"):
        judges.ruler(torch.rand(4, 1, 28, 28))


def test_a_judge_of_another_make_comes_back_as_what_it_is_and_an_unknown_make_is_refused(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = NormedClassifier(2, 8)
    network(torch.rand(50, 1, 28, 28))  # its statistics move
    card = saved(tmp_path, network.eval())
    loaded, images = judges.load("small", tmp_path), torch.rand(5, 1, 28, 28)
    assert type(loaded) is NormedClassifier
    assert card.network == "NormedClassifier"
    torch.testing.assert_close(loaded.features(images), network.features(images))
    rewrite(tmp_path, network="Oracle")
    with pytest.raises(
        ValueError, match=r"Oracle.*we know \['ColourClassifier', 'DigitClassifier', 'NormedClassifier'\].*update"
    ):
        judges.load("small", tmp_path)


def test_scaled_features_have_the_variance_that_is_asked_for_and_the_same_probabilities() -> None:
    torch.manual_seed(0)
    network, images = NormedClassifier(4, 16).eval(), data.load("digits").images[:300]
    before = network.probabilities(data.unit(images))
    assert scaled(network, images, 50.0) is network
    assert float(network.features(data.unit(images)).double().var(0).sum()) == pytest.approx(50.0, rel=1e-4)
    assert torch.allclose(network.probabilities(data.unit(images)), before, atol=1e-5)


def test_the_two_stored_judges_are_of_different_make_and_the_second_reads_better() -> None:
    first, second = (judges.card(name) for name in ("mnist", judges.SECOND))
    assert first.network != second.network
    assert second.accuracy >= 0.995 > first.accuracy
    digits = data.load("digits", "test")
    assert digits.labels is not None
    for card in (first, second):  # digits that neither was trained on, from another source
        read = judges.load(card.name).probabilities(data.unit(digits.images)).argmax(1)
        assert float((read == digits.labels).float().mean()) > 0.6, card.name


def test_opinions_are_those_of_both_rulers() -> None:
    digits = data.load("digits", "test").images
    judged = judges.opinions(digits)(data.unit(digits[:100]))
    for name, prefix in (("mnist", ""), (judges.SECOND, "second_")):
        alone = judges.ruler(digits, name=name)(data.unit(digits[:100]))
        assert {key: judged[prefix + key] for key in alone} == alone
    assert len(judged) == 6


def test_a_judge_with_nan_in_its_statistics_leaves_the_earlier_one(tmp_path: Path) -> None:
    card = saved(tmp_path, NormedClassifier(2, 8))
    spoilt = NormedClassifier(2, 8)
    spoilt.get_buffer("body.1.running_var").fill_(float("nan"))
    with pytest.raises(ValueError, match="holds NaN or infinity"):
        saved(tmp_path, spoilt)
    assert judges.card("small", tmp_path) == card


class OfMyOwn(DigitClassifier):
    pass


def test_a_judge_that_no_card_can_name_leaves_the_earlier_one(tmp_path: Path) -> None:
    card = saved(tmp_path)
    for other in (OfMyOwn(2, 8), AveragedModel(DigitClassifier(2, 8))):
        with pytest.raises(ValueError, match=r"not an? (OfMyOwn|AveragedModel): give it without what wraps it"):
            saved(tmp_path, other)  # type: ignore[arg-type]
    assert judges.card("small", tmp_path) == card
    judges.load("small", tmp_path)


def test_numbers_beyond_float32_leave_the_earlier_judge(tmp_path: Path) -> None:
    card = saved(tmp_path)
    wide = DigitClassifier(2, 8).double()
    wide.head.weight.data.fill_(1e300)
    with pytest.raises(ValueError, match=r"head\.weight would be infinite in torch\.float32"):
        saved(tmp_path, wide)
    assert judges.card("small", tmp_path) == card


def test_alignment_is_the_share_of_images_that_each_judge_reads_as_asked() -> None:
    digits = data.load("digits", "test")
    assert digits.labels is not None
    asked = digits.labels.clone()
    opinions = judges.opinions(digits.images)
    right = opinions(data.unit(digits.images), asked)
    assert min(right["alignment"], right["second_alignment"]) > 0.8  # these are not MNIST's
    shifted = opinions(data.unit(digits.images), (asked + 1) % 10)
    assert max(shifted["alignment"], shifted["second_alignment"]) < 0.1
    assert {key for key in right if "alignment" not in key} == set(opinions(data.unit(digits.images)))
    assert right["distance"] == shifted["distance"]
