"""The classifier: it learns, it is frozen, and a shifted batch is still the same digits."""

import pytest
import torch

from gan_lessons import data, metrics
from gan_lessons.metrics import classifier
from gan_lessons.metrics.classifier import fit_classifier


def squares(n: int = 200) -> tuple[torch.Tensor, torch.Tensor]:
    images, labels = torch.zeros(n, 1, 28, 28, dtype=torch.uint8), torch.arange(n) % 2
    images[labels == 1, :, 10:18, 10:18] = 255
    return images, labels


def test_a_classifier_learns_two_easy_classes_and_is_frozen() -> None:
    torch.manual_seed(0)
    images, labels = squares()
    network = fit_classifier(images, labels, steps=30)
    probabilities = network.probabilities(images.float() / 255)
    assert torch.equal(probabilities.argmax(1), labels)
    assert torch.allclose(probabilities.sum(1), torch.ones(200), atol=1e-5)
    assert network.features(images.float().flatten(1) / 255).shape == (200, 128)
    assert not network.training
    assert not any(p.requires_grad for p in network.parameters())


def test_features_are_what_the_head_reads() -> None:
    torch.manual_seed(0)
    network, images = classifier.DigitClassifier().eval(), torch.rand(7, 1, 28, 28)
    features = network.features(images, chunk=3)
    torch.testing.assert_close(network.head(features).softmax(1), network.probabilities(images, chunk=2))


@pytest.mark.parametrize("labels", [None, torch.tensor([0, 10]), torch.tensor([-1, 0])])
def test_a_classifier_without_usable_labels_is_refused(labels: torch.Tensor | None) -> None:
    with pytest.raises(ValueError, match="put the images into class folders"):
        fit_classifier(torch.zeros(2, 1, 28, 28, dtype=torch.uint8), labels, steps=2)


def test_a_shift_moves_all_images_of_a_batch_alike_and_each_way() -> None:
    torch.manual_seed(0)
    images = torch.zeros(3, 1, 28, 28)
    images[:, :, 14, 9] = 1
    places = set()
    for _ in range(200):
        moved = classifier._moved(images, 2)
        assert moved.shape == images.shape
        found = moved.nonzero()
        assert found[:, 0].tolist() == [0, 1, 2]
        assert len({(y, x) for _, _, y, x in found.tolist()}) == 1
        places.add((int(found[0, 2]) - 14, int(found[0, 3]) - 9))
    assert places == {(y, x) for y in range(-2, 3) for x in range(-2, 3)}


def test_without_a_shift_training_draws_the_same_random_numbers_as_ever() -> None:
    images, labels = squares(20)
    torch.manual_seed(0)
    first = fit_classifier(images, labels, steps=3)
    state = torch.get_rng_state()
    torch.manual_seed(0)
    classifier.DigitClassifier()
    for _ in range(3):
        torch.randint(20, (128,))
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(0)
    second = metrics.fit_classifier(images, labels, 3, shift=0)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_jitter_moves_turns_and_scales_each_image_by_its_own_chance_and_keeps_the_ink_inside() -> None:
    torch.manual_seed(0)
    images = torch.zeros(64, 1, 28, 28)
    images[:, :, 10:18, 12:16] = 1.0
    assert torch.allclose(classifier.jittered(images, 0, 0, 0), images, atol=1e-5)
    moved = classifier.jittered(images, shift=3, turn=0, scale=0)
    y, x = torch.meshgrid(torch.arange(28.0), torch.arange(28.0), indexing="ij")
    ink = moved.sum((1, 2, 3))
    assert torch.allclose(ink, torch.full_like(ink, 32.0), rtol=1e-3)
    centres = torch.stack([(moved[:, 0] * y).sum((1, 2)), (moved[:, 0] * x).sum((1, 2))], 1) / ink[:, None]
    away = centres - torch.tensor([13.5, 13.5])
    assert 2.5 < float(away.abs().max()) <= 3.001
    assert len(away.round(decimals=3).unique(dim=0)) == 64
    ink = classifier.jittered(images, 0, 0, 0.2).sum((1, 2, 3)) / 32  # area goes with the square of the factor
    assert 0.8**2 - 0.02 <= float(ink.min()) < 0.75
    assert 1.35 < float(ink.max()) <= 1.2**2 + 0.02
    turned = classifier.jittered(images, 0, 90, 0)
    wide = (turned[:, 0].sum(1) > 0.5).sum(1)  # columns with ink: 4 upright, 8 lying
    assert int(wide.min()) <= 5
    assert int(wide.max()) >= 8


def test_a_classifier_of_another_make_is_fitted_with_jitter_and_frozen() -> None:
    digits = data.load("digits")
    torch.manual_seed(0)
    network = classifier.NormedClassifier(4, 16)
    seen = []

    def watch(images: torch.Tensor) -> torch.Tensor:
        seen.append(images.shape)
        return classifier.jittered(images)

    fitted = classifier.fit_classifier(digits.images, digits.labels, 120, network=network, augment=watch)
    assert fitted is network
    assert len(seen) == 120
    assert not fitted.training
    assert not any(p.requires_grad for p in fitted.parameters())
    test = data.load("digits", "test")
    assert test.labels is not None
    right = fitted.probabilities(data.unit(test.images)).argmax(1) == test.labels
    assert float(right.float().mean()) > 0.8
    assert fitted.features(data.unit(test.images)).shape == (len(test.images), 16)
    one, alone = fitted.features(data.unit(test.images[:9])), fitted.features(data.unit(test.images[:1]))
    assert torch.allclose(one[:1], alone, atol=1e-5)  # its statistics are fixed


def test_a_judge_in_colour_learns_two_colours_and_asks_for_its_own_shape() -> None:
    torch.manual_seed(0)
    images, labels = torch.zeros(40, 3, 16, 16, dtype=torch.uint8), torch.arange(40) % 2
    images[labels == 1, 2] = 200
    network = classifier.ColourClassifier(width=4, features=8, classes=2)
    fit_classifier(images, labels, steps=100, batch=20, network=network, augment=classifier.mirrored)
    assert torch.equal(network.probabilities(images).argmax(1), labels)
    assert network.features(images.flatten(1)).shape == (40, 8)
    with pytest.raises(ValueError, match=r"3 colours of 16x16 = 768 numbers, not of shape \(784,\)"):
        network.features(torch.zeros(2, 784))


def test_mirrored_turns_about_half_of_the_images_and_leaves_the_others() -> None:
    torch.manual_seed(0)
    images = torch.arange(4.0).expand(400, 1, 2, 4)
    turned = classifier.mirrored(images)
    same, other = ((turned == kind).flatten(1).all(1) for kind in (images, images.flip(-1)))
    assert bool((same ^ other).all())
    assert 150 < int(other.sum()) < 250
