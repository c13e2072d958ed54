"""Every metric of classifications by its name; those of regressions are `realized_regression.OF_ERRORS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import log
from typing import Final, NamedTuple, TypeAlias

from detectors.pair import FloatArray
from detectors.performance import confusion, confusion_intervals, probability_losses, ranking, score_intervals
from detectors.performance.confusion_intervals import ConfusionInterval
from detectors.performance.expansion import Expansion
from detectors.performance.score_intervals import ScoreInterval

ClassExpand: TypeAlias = Callable[[FloatArray, int], Expansion | str]
MeanExpand: TypeAlias = Callable[[FloatArray, int | None], Expansion | str]
ScoreExpand: TypeAlias = Callable[[FloatArray, FloatArray], Expansion | str]
ScoreResolution: TypeAlias = Callable[[FloatArray, FloatArray, FloatArray], float]


class ClassMetric(NamedTuple):
    """A metric of one class in a confusion matrix.

    Parameters
    ----------
    expand : callable
        (K, K) confusion and class to value and slope.
    interval : callable
        (K, K) confusion and class to interval.
    higher_is_better : bool or None
        None where neither direction is.

    Examples
    --------
    >>> OF_A_CLASS["f1"].higher_is_better
    True
    """

    expand: ClassExpand
    interval: ConfusionInterval
    higher_is_better: bool | None


class MeanMetric(NamedTuple):
    """A metric of a whole confusion matrix; higher is better.

    Parameters
    ----------
    expand : callable
        (K, K) confusion and how many classes are averaged over to value and slope.
    interval : callable
        (K, K) confusion and how many classes are averaged over to interval.

    Examples
    --------
    >>> list(OF_ALL_CLASSES)[0]
    'accuracy'
    """

    expand: MeanExpand
    interval: ConfusionInterval


class ScoreMetric(NamedTuple):
    """A metric of labels by score.

    Parameters
    ----------
    expand : callable
        (2, B) counts and (B,) points to value and slope.
    resolution : callable
        (2, B) counts, (B,) points and (B,) reaches of the points to the bound of the error by counting at points.
    interval : callable
        (2, B) counts, (B,) points, value, standard error and level to interval.
    higher_is_better : bool
        Which direction is better.
    most : float
        The largest that it can be; the least is 0.

    Examples
    --------
    >>> OF_SCORES["log_loss"].higher_is_better
    False
    """

    expand: ScoreExpand
    resolution: ScoreResolution
    interval: ScoreInterval
    higher_is_better: bool
    most: float = 1.0


OF_A_CLASS: Final[Mapping[str, ClassMetric]] = {
    "precision": ClassMetric(confusion.precision, confusion_intervals.of_precision, higher_is_better=True),
    "recall": ClassMetric(confusion.recall, confusion_intervals.of_recall, higher_is_better=True),
    "f1": ClassMetric(confusion.f1, confusion_intervals.of_f1, higher_is_better=True),
    "prevalence": ClassMetric(confusion.prevalence, confusion_intervals.of_prevalence, higher_is_better=None),
}
OF_ALL_CLASSES: Final[Mapping[str, MeanMetric]] = {
    "accuracy": MeanMetric(lambda table, _: confusion.accuracy(table), confusion_intervals.of_accuracy),
    "balanced_accuracy": MeanMetric(confusion.balanced_accuracy, confusion_intervals.of_balanced_accuracy),
    "macro_precision": MeanMetric(confusion.macro_precision, confusion_intervals.of_macro_precision),
    "macro_recall": MeanMetric(confusion.macro_recall, confusion_intervals.of_macro_recall),
    "macro_f1": MeanMetric(confusion.macro_f1, confusion_intervals.of_macro_f1),
}
OF_SCORES: Final[Mapping[str, ScoreMetric]] = {
    "roc_auc": ScoreMetric(
        lambda scores, _: ranking.roc_auc(scores),
        lambda scores, *_: ranking.roc_auc_resolution(scores),
        score_intervals.of_share,
        higher_is_better=True,
    ),
    "average_precision": ScoreMetric(
        lambda scores, _: ranking.average_precision(scores),
        lambda scores, *_: ranking.average_precision_resolution(scores),
        score_intervals.of_share,
        higher_is_better=True,
    ),
    "brier": ScoreMetric(
        probability_losses.brier,
        probability_losses.brier_resolution,
        score_intervals.of_share,
        higher_is_better=False,
    ),
    "log_loss": ScoreMetric(
        probability_losses.log_loss,
        probability_losses.log_loss_resolution,
        score_intervals.of_loss,
        higher_is_better=False,
        most=-log(probability_losses.LEAST_PROBABILITY),
    ),
    "calibration_error": ScoreMetric(
        probability_losses.calibration_error,
        probability_losses.calibration_error_resolution,
        score_intervals.of_calibration_error,
        higher_is_better=False,
    ),
}
