"""Performance of a binary model without labels, from its scores and decisions alone."""

from __future__ import annotations

from math import sqrt
from typing import Final, NamedTuple

import numpy as np

from detectors.pair import FloatArray
from detectors.performance.binary_counts import UNDECIDED, BinaryPredictions
from detectors.performance.calibration import Calibration
from detectors.performance.catalogue import OF_A_CLASS, OF_ALL_CLASSES, OF_SCORES
from detectors.performance.estimate import SAME_CHANCES, Errors, Estimate, refusal, refused
from detectors.performance.expansion import Expansion
from detectors.performance.intervals import LEVEL, normal_within
from detectors.performance.metric import Metric
from detectors.performance.score_grid import ScoreGrid, fine_grid

FROM_SCORES: Final = ("roc_auc", "average_precision", "brier", "log_loss")
"""What can be estimated of the metrics by score: not the calibration error, which is what is assumed."""


class Expected(NamedTuple):
    """Rows of a window and the labels that they are expected to have.

    Parameters
    ----------
    rows : (D, B) float array
        Rows by decision (or 1 x B where it does not matter) and point.
    chances : (B,) float array
        P(positive label) at each point.

    Examples
    --------
    >>> Expected(np.array([[10.0]]), np.array([0.25])).labels.tolist()
    [[[7.5]], [[2.5]]]
    """

    rows: FloatArray
    chances: FloatArray

    @property
    def labels(self) -> FloatArray:
        """(2, D, B) expected rows by label, decision and point."""
        return np.stack([self.rows * (1 - self.chances), self.rows * self.chances])

    def errors(self, differences: FloatArray, calibration: Calibration) -> Errors:
        """Return the errors of a metric that changes by `differences`, (D, B), when a row's label turns positive.

        Notes
        -----
        Labels are independent given scores: ``sum rows p (1 - p) differences**2``; the chances' own error moves all
        rows of a group of points together.
        """
        noise = self.chances * (1 - self.chances)
        window = sqrt(float((self.rows * noise * differences**2).sum()))
        weights = (self.rows * differences).sum(axis=0)
        return Errors(window, sqrt(calibration.variance_of(weights)))


def estimated_binary(
    calibration: Calibration, predictions: BinaryPredictions, level: float = LEVEL
) -> dict[str, Estimate]:
    """Estimate the metrics of a binary model without labels.

    Parameters
    ----------
    calibration : Calibration
        Of the reference's scores on the fine grid.
    predictions : BinaryPredictions
        Of a window: its panes, merged.
    level : float
        Coverage of the intervals, in (0, 1).

    Returns
    -------
    dict of str to Estimate
        By name, in the order of the catalogue. Without value where fewer than 100 rows, or reference's labels, speak
        for the window, or over 5 % of its scores lie beyond all that the reference has labels at.

    Notes
    -----
    Assumption: P(label | score) as in the reference. Concept drift is what breaks it, and cannot be seen here.
    Each row counts as a positive to the chance p of its score: the expected confusion has ``sum p`` of the rows
    decided positive as true positives, and so on; metrics are those of the expected counts.
    Errors are the delta method's, from the metric's slope by each count.
    Coverage: of the metric that the labels then show, in docs/performance-metrics.md.
    Cost: about 1 ms.

    References
    ----------
    NannyML, "Confidence-based performance estimation", nannyml.readthedocs.io; J. Kivimaki, J. Bialek, W. Kuberski,
    J. K. Nurminen, "Performance estimation in binary classification using calibrated confidence", 2025,
    doi:10.48550/arXiv.2505.05295.

    Examples
    --------
    >>> from detectors.performance.calibration import calibrate
    >>> scores = np.repeat([0.1, 0.9], 500)
    >>> labels = np.zeros((2, fine_grid().size), int)
    >>> labels[:, fine_grid().place(np.array([0.1, 0.9]))[0]] = [[900, 100], [100, 900]]
    >>> window = BinaryPredictions.zeros().add(scores, (scores > 0.5).astype(int))
    >>> found = estimated_binary(calibrate(labels, fine_grid()), window)["accuracy"]
    >>> round(found.metric.value, 6), round(found.window_error, 4), round(found.calibration_error, 4)
    (0.9, 0.0095, 0.0067)
    """
    rows = predictions.counts[:, :-1].astype(np.float64)
    decided = Expected(rows[:UNDECIDED], calibration.chances)
    scored = Expected(rows.sum(axis=0, keepdims=True), calibration.chances)
    found = [
        *_of_confusion(decided, calibration, predictions.off_grid, level),
        *(
            estimated_score(name, scored, calibration, fine_grid(), predictions.off_grid, level)
            for name in FROM_SCORES
        ),
    ]
    return {one.metric.name: one for one in found}


def expected_confusion(calibration: Calibration, predictions: BinaryPredictions) -> FloatArray:
    """Return how many rows of each label and decision are expected.

    Parameters
    ----------
    calibration : Calibration
        Of the reference's scores on the fine grid.
    predictions : BinaryPredictions
        Of a window.

    Returns
    -------
    (2, 2) float array
        Expected rows by label and decision, of those with a score; columns sum to the rows decided so.

    Examples
    --------
    >>> from detectors.performance.calibration import calibrate
    >>> rows = np.full(fine_grid().size, 1000)
    >>> right = np.round(rows * fine_grid().points).astype(int)
    >>> window = BinaryPredictions.zeros().add(np.array([0.25, 0.75]), np.array([0, 1]))
    >>> expected_confusion(calibrate(np.stack([rows - right, right]), fine_grid()), window).tolist()
    [[0.75, 0.25], [0.25, 0.75]]
    """
    rows = predictions.counts[:UNDECIDED, :-1].astype(np.float64)
    return np.asarray(Expected(rows, calibration.chances).labels.sum(axis=2))


def estimated_score(
    name: str,
    expected: Expected,
    calibration: Calibration,
    grid: ScoreGrid,
    off_grid: int,
    level: float = LEVEL,
) -> Estimate:
    """Estimate one metric of labels by score.

    Parameters
    ----------
    name : str
        Of `catalogue.OF_SCORES`.
    expected : Expected
        With one row of decisions.
    calibration : Calibration
        That the chances are of.
    grid : ScoreGrid
        Of the points.
    off_grid : int
        Scores that differ from their point.
    level : float
        Coverage of the interval, in (0, 1).

    Returns
    -------
    Estimate
        Or its refusal.

    Raises
    ------
    KeyError
        When no metric has that name.

    Examples
    --------
    >>> from detectors.performance.calibration import calibrate
    >>> learned = calibrate(np.ones((2, fine_grid().size), int), fine_grid())
    >>> none = Expected(np.zeros((1, fine_grid().size)), learned.chances)
    >>> estimated_score("roc_auc", none, learned, fine_grid(), 0).metric.reason
    'effective_size_below_100'
    """
    metric, counts = OF_SCORES[name], expected.labels.sum(axis=1)
    n, size, reason = _judged(expected, calibration)
    at = reason or metric.expand(counts, grid.points)
    if isinstance(at, str):
        return refused(
            name, n, size, higher_is_better=metric.higher_is_better, reason=at, assumption=SAME_CHANCES
        )
    errors = expected.errors((at.slope[1] - at.slope[0])[None], calibration)
    resolution = metric.resolution(counts, grid.points, grid.reaches) if off_grid else 0.0
    ends = normal_within(at.value, errors.total, metric.most, level)
    made = Metric(name, at.value, *ends, n, resolution, metric.higher_is_better, None, errors.total)
    return Estimate(made, *errors, size, SAME_CHANCES)


def _of_confusion(
    expected: Expected, calibration: Calibration, off_grid: int, level: float
) -> list[Estimate]:
    confusion = expected.labels.sum(axis=2)
    n, size, reason = _judged(expected, calibration)
    at: dict[str, tuple[Expansion | str, bool | None]] = {
        name: (reason or metric.expand(confusion, 1), metric.higher_is_better)
        for name, metric in OF_A_CLASS.items()
    }
    at |= {name: (reason or metric.expand(confusion, None), True) for name, metric in OF_ALL_CLASSES.items()}
    found = []
    for name, (one, better) in at.items():
        if isinstance(one, str):
            found.append(refused(name, n, size, higher_is_better=better, reason=one, assumption=SAME_CHANCES))
            continue
        differences = (one.slope[1] - one.slope[0])[:, None]
        errors = expected.errors(differences, calibration)
        moved = expected.rows * fine_grid().reaches * np.abs(differences)
        resolution = float(moved.sum()) if off_grid and not calibration.is_calibrated else 0.0
        ends = normal_within(one.value, errors.total, 1.0, level)
        made = Metric(name, one.value, *ends, n, resolution, better, None, errors.total)
        found.append(Estimate(made, *errors, size, SAME_CHANCES))
    return found


def _judged(expected: Expected, calibration: Calibration) -> tuple[int, float, str | None]:
    rows = expected.rows.sum(axis=0)
    n = round(float(rows.sum()))
    size = min(float(n), calibration.effective_size(rows))
    return n, size, refusal(size, calibration.share_outside(rows))
