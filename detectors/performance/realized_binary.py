"""Realized performance of a binary model, from its predictions with labels."""

from __future__ import annotations

from detectors.performance.binary_counts import LOSS_UNIT, BinaryOutcomes
from detectors.performance.catalogue import OF_SCORES
from detectors.performance.intervals import LEVEL
from detectors.performance.metric import Metric
from detectors.performance.realized import Exact, of_a_class, of_all_classes, of_score
from detectors.performance.score_grid import fine_grid


def realized_binary(outcomes: BinaryOutcomes, level: float = LEVEL) -> dict[str, Metric]:
    """Measure all metrics of a binary model.

    Parameters
    ----------
    outcomes : BinaryOutcomes
        Predictions with their labels, of a window: its panes, merged.
    level : float
        Coverage of the intervals, in (0, 1).

    Returns
    -------
    dict of str to Metric
        By name, in the order of the catalogue: those of the positive class, of both classes, and of the scores.
        Rows without a decision count for the last only, rows without a score for the others only.

    Notes
    -----
    Brier score and log loss are exact to half a `LOSS_UNIT`. The others are exact where all scores are on the grid's
    points; where not, the resolution bounds what that can cost.
    Coverage: docs/performance-metrics.md has it measured.
    Cost: about 1 ms.

    Examples
    --------
    >>> import numpy as np
    >>> labels, scores = np.array([0, 0, 1, 1]), np.array([0.1, 0.6, 0.7, 0.9])
    >>> outcomes = BinaryOutcomes.zeros().add(labels, scores, (scores > 0.5).astype(int))
    >>> found = realized_binary(outcomes)
    >>> found["accuracy"].value, found["roc_auc"].value, round(found["brier"].value, 4)
    (0.75, 1.0, 0.1175)
    """
    table, scores, grid = outcomes.confusion, outcomes.scores, fine_grid()
    exact: dict[str, Exact] = {}
    if rows := int(scores.sum()):
        sums = {"brier": outcomes.squared, "log_loss": outcomes.logs}
        exact = {name: Exact(total * LOSS_UNIT / rows, LOSS_UNIT / 2) for name, total in sums.items()}
    found = (
        *of_a_class(table, level=level),
        *of_all_classes(table, level=level),
        *(of_score(name, scores, grid, outcomes.off_grid, exact.get(name), level) for name in OF_SCORES),
    )
    return {metric.name: metric for metric in found}
