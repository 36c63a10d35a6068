"""The classifier: it learns, it is frozen, and a shifted batch is still the same digits."""

import pytest
import torch

from gan_lessons import metrics
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
