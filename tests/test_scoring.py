"""The nine measures on images: each sees its own fault, real images pass, and what a measure cannot see passes too."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from gan_lessons import data, metrics
from gan_lessons.metrics.classifier import DigitClassifier, NormedClassifier, fit_classifier
from gan_lessons.metrics.distances import frechet_distance, kernel_distances, moments
from gan_lessons.metrics.neighbours import precision_recall
from gan_lessons.metrics.report_card import BY_JUDGE, MEASURES

N = 250


class Case:
    """A judge of the embedded digits, a reference, and five draws of real images that it has not seen."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        train, labels, _ = data.load("digits")
        rest, rest_labels, _ = data.load("digits", "test")
        assert labels is not None
        assert rest_labels is not None
        images, labels = torch.cat([train, rest]), torch.cat([labels, rest_labels])
        order = torch.randperm(len(images))
        images, labels = images[order], labels[order]
        self.train, self.test, self.fresh = images[:1000], images[1000:1300], images[1300:]
        self.labels, self.labels_of_train = labels[1300:], labels[:1000]
        self.judge = fit_classifier(self.train, labels[:1000], 150, batch=64)
        self.reference = metrics.reference(self.judge, self.test, self.train, N, floors=4)

    def draws(self, seeds: int = 3) -> list[Tensor]:
        found = []
        for seed in range(seeds):
            source = torch.Generator().manual_seed(seed)
            found.append(self.fresh[torch.randperm(len(self.fresh), generator=source)[:N]])
        return found

    def verdicts(self, draws: list[Tensor]) -> dict[str, str]:
        record = metrics.report(draws, self.reference).record()
        return {key: facts["verdict"] for key, facts in record.items()}


@pytest.fixture(scope="module")
def case() -> Case:
    return Case()


def test_real_images_that_nobody_saw_differ_in_nothing_but_the_judges_confidence(case: Case) -> None:
    found = case.verdicts(case.draws())
    worse = {key for key, word in found.items() if word == "worse"}
    assert worse <= {"confidence"}  # the judge knows its training images, of which the floor is made


def test_noise_is_seen_by_the_distances_and_the_neighbours(case: Case) -> None:
    torch.manual_seed(0)
    found = case.verdicts([torch.randint(256, (N, 1, 28, 28), dtype=torch.uint8) for _ in range(3)])
    for key in ("frechet", "kernel", "precision", "recall", "coverage", "entropy"):
        assert found[key] == "worse", key
    assert found["copies"] != "worse"
    assert found["repeats"] != "worse"


def test_memorised_training_images_are_seen_by_the_share_of_copies_alone(case: Case) -> None:
    draws = [case.train[torch.randperm(1000, generator=torch.Generator().manual_seed(k))[:N]] for k in range(3)]
    found = case.verdicts(draws)
    assert found.pop("copies") == "worse"
    assert "worse" not in found.values()
    assert metrics.score(draws[0], case.reference).copies == 1.0


def test_one_image_repeated_is_seen_by_the_share_of_repeats_and_not_by_confidence(case: Case) -> None:
    sure = case.fresh[case.judge.probabilities(case.fresh.float() / 255).max(1).values.argmax()]
    scores = metrics.score(sure.expand(N, -1, -1, -1), case.reference)
    assert scores.repeats == 1.0
    assert (scores.coverage, scores.entropy) == (1.0, 0.0)
    assert scores.confidence > 0.99
    assert scores.frechet > 10 * max(floor.frechet for floor in case.reference.floor)


def test_a_dropped_class_is_one_class_less(case: Case) -> None:
    torch.manual_seed(0)
    kept = case.fresh[case.labels != 4]
    scores = metrics.score(kept[torch.randint(len(kept), (N,))], case.reference)
    assert scores.coverage == 9.0
    assert scores.entropy < min(floor.entropy for floor in case.reference.floor)


def test_the_scores_are_what_the_single_measures_say(case: Case) -> None:
    images, real, judge = case.draws(1)[0], case.test, case.judge
    scores = metrics.score(images, case.reference)
    ours, theirs = judge.features(images.float() / 255), judge.features(real.float() / 255)
    assert scores.frechet == pytest.approx(frechet_distance(moments(ours), moments(theirs)), rel=1e-5)
    assert scores.kernel == pytest.approx(float(kernel_distances(ours, case.reference.features).mean()), rel=1e-4)
    some = case.reference.features[:N]
    assert (scores.precision, scores.recall) == pytest.approx(precision_recall(some, ours), abs=0.009)
    assert scores.confidence == pytest.approx(float(judge.probabilities(images.float() / 255).max(1).values.mean()))
    shares = metrics.class_shares(judge.probabilities(images.float() / 255))
    assert scores.entropy == pytest.approx(-sum(float(s) * math.log(s) for s in shares))
    assert scores.coverage == 10.0


def test_bytes_and_floats_and_flat_images_score_alike(case: Case) -> None:
    images = case.draws(1)[0]
    first = metrics.score(images, case.reference)
    for same in (images.float() / 255, images.flatten(1), images.flatten(1).float() / 255):
        assert metrics.score(same, case.reference) == pytest.approx(first)


def test_a_reference_has_its_floor_of_disjoint_draws_and_its_nulls(case: Case) -> None:
    reference = case.reference
    assert len(reference.floor) == 4
    assert len({scores.frechet for scores in reference.floor}) == 4
    assert all(scores.copies < 0.2 for scores in reference.floor)  # no image is its own copy
    assert set(reference.nulls) == {"64 images by heart", "uniform noise"}
    by_heart = reference.nulls["64 images by heart"]
    assert (by_heart.copies, by_heart.repeats) == (1.0, 1.0)
    assert by_heart.frechet > 3 * max(floor.frechet for floor in reference.floor)
    again = metrics.reference(case.judge, case.test, case.train, N, floors=4)
    assert again.floor == reference.floor
    assert again.nulls == reference.nulls


def test_a_floor_takes_as_many_draws_as_there_are_images(case: Case) -> None:
    assert len(metrics.reference(case.judge, case.test, case.train, 400, floors=5).floor) == 5
    with pytest.raises(ValueError, match="two draws of n = 600"):
        metrics.reference(case.judge, case.test, case.train, 600)


def test_another_number_of_images_is_refused_with_the_reason(case: Case) -> None:
    with pytest.raises(ValueError, match="depends on n, so draw 250"):
        metrics.score(case.fresh[:100], case.reference)


def test_values_outside_the_range_are_refused(case: Case) -> None:
    tanh = torch.rand(N, 784) * 2 - 1
    with pytest.raises(ValueError, match=r"with tanh give \(images \+ 1\) / 2"):
        metrics.score(tanh, case.reference)
    with pytest.raises(ValueError, match="NaN"):
        metrics.score(torch.full((N, 784), math.nan), case.reference)


def test_no_entry_takes_images_of_another_range(case: Case) -> None:
    fine = case.draws(1)[0].float() / 255
    for wrong, words in (
        (2 * fine - 1, "tanh"),
        (255 * fine, "images / 255"),
        (fine.where(fine < 0.9, math.nan), "NaN"),
    ):
        for entry in (
            lambda: metrics.score(wrong, case.reference),  # noqa: B023  called at once
            lambda: metrics.report([fine, wrong], case.reference),  # noqa: B023
            lambda: metrics.reference(case.judge, wrong, case.train, 20, floors=2),  # noqa: B023
            lambda: metrics.reference(case.judge, case.test, wrong, 20, floors=2),  # noqa: B023
            lambda: case.judge.features(wrong),  # noqa: B023
            lambda: case.judge.probabilities(wrong),  # noqa: B023
        ):
            with pytest.raises(ValueError, match=words):
                entry()
    with pytest.raises(ValueError, match="uint8"):
        fit_classifier(fine, torch.zeros(len(fine), dtype=torch.long), 1)


def test_a_reference_of_floats_or_flat_images_is_that_of_bytes(case: Case) -> None:
    def made(change: Callable[[Tensor], Tensor]) -> metrics.Reference:
        return metrics.reference(case.judge, change(case.test), change(case.train), 60, floors=2)

    expected = made(lambda x: x)
    for change in (data.unit, lambda x: x.flatten(1)):
        found = made(change)
        assert (found.floor, found.nulls, found.limit) == (expected.floor, expected.nulls, expected.limit)


def test_torchs_defaults_change_no_reference(case: Case, defaults: None) -> None:
    found = metrics.reference(case.judge, case.test, case.train, N, floors=4)
    assert (found.floor, found.nulls) == (case.reference.floor, case.reference.nulls)


def test_one_draw_gives_a_report_without_interval(case: Case) -> None:
    images = case.draws(1)[0]
    report = metrics.report(images, case.reference, "real")
    assert report.draws == metrics.report([images], case.reference).draws
    assert report.name == "real"
    assert (report.floor, report.nulls, report.n) == (case.reference.floor, case.reference.nulls, N)


def test_class_shares_and_coverage() -> None:
    probabilities = torch.eye(4)[[0, 0, 0, 1, 1, 2, 0, 1]]
    shares = metrics.class_shares(probabilities)
    assert shares.tolist() == [0.5, 0.375, 0.125, 0.0]
    assert metrics.coverage(shares, torch.full((4,), 0.25).double()) == 3  # half of its share is enough
    assert metrics.coverage(shares, torch.tensor([0.25, 0.5, 0.25, 0.0])) == 3  # a class that no real image has
    assert metrics.coverage(shares, torch.tensor([0.2, 0.2, 0.3, 0.3])) == 2


def test_the_floor_has_as_many_draws_as_asked_for_and_says_what_they_share(case: Case) -> None:
    apart = case.reference  # four draws of 250 of 1,000 images
    assert (len(apart.floor), apart.overlap) == (4, 0.0)
    shared = metrics.reference(case.judge, case.test, case.train, N, floors=6)
    assert shared.floor[:4] == apart.floor
    # 8 of the 15 pairs are of different orders and share a quarter of their images, but for chance
    assert shared.overlap == pytest.approx(8 / 15 / 4, abs=0.03)
    assert metrics.report(case.draws(), shared).overlap == shared.overlap
    with pytest.raises(ValueError, match="a floor needs two draws"):
        metrics.reference(case.judge, case.test, case.train, N, floors=1)


def test_chapter_05_finds_its_judge_here() -> None:
    assert metrics.fit_classifier is fit_classifier
    assert metrics.DigitClassifier is DigitClassifier


def test_a_second_judge_gives_its_own_opinion_on_the_same_images_and_copies_are_of_pixels(case: Case) -> None:
    torch.manual_seed(1)
    other = fit_classifier(case.train, case.labels_of_train, 60, batch=64, network=NormedClassifier(4, 16))
    alone = metrics.reference(other, case.test, case.train, N, floors=4)
    both = metrics.reference(case.judge, case.test, case.train, N, floors=4, second=other)
    draws = case.draws()
    report, expected = metrics.report(draws, both, "ours"), metrics.report(draws, alone)
    assert report.draws == metrics.report(draws, case.reference).draws
    assert report.second is not None
    for key in BY_JUDGE:
        ours, theirs = (r.record()[key] for r in (report.second, expected))
        assert ours.pop("verdict") == theirs.pop("verdict")
        assert ours == pytest.approx(theirs, rel=1e-4, abs=1e-6), key
    assert report.second.nulls["uniform noise"].frechet == pytest.approx(expected.nulls["uniform noise"].frechet)
    assert {row[0] for row in report.rows()} >= {"Fréchet distance", "Fréchet distance by the second judge"}
    assert len(report.rows()) == 1 + len(MEASURES) + len(BY_JUDGE)
    facts = report.facts(judge="a", second_judge="b")
    assert set(facts["second"]) == set(BY_JUDGE)
    assert facts["second"]["frechet"]["mean"] != facts["measures"]["frechet"]["mean"]
    assert "second" not in metrics.report(draws, case.reference).facts()


def test_a_judge_of_ones_own_is_given_floats_in_the_unit_range(case: Case) -> None:
    seen: list[Tensor] = []

    class Own(NormedClassifier):
        def features(self, images: Tensor, chunk: int = 1000) -> Tensor:
            seen.append(images)
            return images[:, :16]

    metrics.report(case.draws(1), metrics.reference(Own(4, 16), case.test, case.train, N, floors=2))
    assert all(images.dtype == torch.float32 and images.min() >= 0 and images.max() == 1 for images in seen)


def test_probabilities_that_are_nan_are_of_no_class() -> None:
    with pytest.raises(ValueError, match="the probabilities hold NaN"):
        metrics.class_shares(torch.full((5, 10), torch.nan))


def test_alignment_and_the_distance_within_classes_in_closed_form() -> None:
    probabilities = torch.tensor([[0.7, 0.3], [0.1, 0.9], [0.6, 0.4]])
    assert metrics.alignment(probabilities, torch.tensor([0, 1, 1])) == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match="3 images take 3 labels"):
        metrics.alignment(probabilities, torch.tensor([0, 1]))
    torch.manual_seed(0)
    real, labels = torch.randn(300, 4), torch.arange(300) % 3
    ours = real + torch.tensor([0.0, 2.0, 0.0])[labels][:, None]  # the second class is 2 off in each feature
    found = metrics.class_distances(ours, labels, real, labels, 4)
    assert found[:3] == pytest.approx([0, 16, 0], abs=1e-3)
    assert math.isnan(found[3])  # a class that nobody has
    swapped = metrics.class_distances(real, (labels + 1) % 3, real, labels, 3)
    assert min(swapped) > 0
