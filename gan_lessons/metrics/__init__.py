"""How good are the samples? Take `judges.ruler` for three numbers a study asks of many generators, and here:

    against = metrics.reference(judge, test_images, train_images)
    metrics.report(samples, against)         # chapter 06's report card: nine measures, floor, nulls, verdicts

scoring: `reference`, `score`, `report`, and by label `alignment`, `class_distances` · report_card: how the card is laid
out · classifier: the judge's network · distances: Fréchet and kernel distance · neighbours: precision, recall, copies,
repeats · modes: captured modes.
"""

from gan_lessons.metrics.classifier import DigitClassifier, fit_classifier
from gan_lessons.metrics.distances import Moments, frechet_distance, kernel_distance, moments
from gan_lessons.metrics.scoring import (
    Reference,
    alignment,
    class_distances,
    class_shares,
    coverage,
    reference,
    report,
    score,
)

__all__ = [
    "DigitClassifier",
    "Moments",
    "Reference",
    "alignment",
    "class_distances",
    "class_shares",
    "coverage",
    "fit_classifier",
    "frechet_distance",
    "kernel_distance",
    "moments",
    "reference",
    "report",
    "score",
]
