"""What two versions are compared by: losses of labelled predictions, by the hour and slice of the predictions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from detectors.performance.binary_counts import LOSS_UNIT, BinaryOutcomes
from detectors.performance.multiclass_counts import MulticlassOutcomes
from detectors.performance.regression_counts import RegressionOutcomes
from detectors.performance.score_grid import fine_grid
from detectors.sequential.difference_strata import Losses
from service.monitor import HOUR_MS
from service.performance.counting import BinaryCounting, MulticlassCounting, RegressionCounting
from service.performance.slices import slices_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from service.performance.changes import Place
    from service.performance.counting import Arrays, Counting, Names

    FloatArray = NDArray[np.float64]

STRATUM_MS = HOUR_MS
"""Versions are compared within an hour: what changes in a day, and the share of a rollout, does not count as theirs."""


class Loss(StrEnum):
    """What is compared, the first of these that both versions have."""

    ERROR_RATE = "error_rate"
    BRIER = "brier"
    MAE = "mae"


Sums = Mapping[Loss, "FloatArray"]
"""Labelled rows, their losses added up, and their squares: three numbers for each kind of loss."""
Course = Mapping[int, Sums]
"""One version's sums by the start of each hour, in milliseconds."""
Courses = Mapping[tuple[str, str], Course]
"""By version and segment; '' is all of its traffic."""


def sums_of(counting: Counting, outcomes: Arrays) -> Sums:
    """What these outcomes add to a version's losses."""
    match counting:
        case BinaryCounting():
            return _of_binary(BinaryOutcomes.from_arrays(outcomes))
        case MulticlassCounting():
            counted = MulticlassOutcomes.from_arrays(outcomes)
            right = int(np.trace(counted.confusion[:-1, :-1])) + counted.tail_right
            return {Loss.ERROR_RATE: _errors(int(counted.confusion.sum()), right)}
        case RegressionCounting(scales):
            numbers = RegressionOutcomes.from_arrays(scales, outcomes)
            unit = scales.error_unit
            absolute, squared = numbers.sums.absolute * unit, numbers.sums.squared * unit * unit
            return {Loss.MAE: np.array([numbers.rows, absolute, squared], np.float64)}
    return {}


def _of_binary(outcomes: BinaryOutcomes) -> Sums:
    confusion, scores, points = outcomes.confusion, outcomes.scores, fine_grid().points
    fourth = float(scores[0] @ points**4 + scores[1] @ (1 - points) ** 4)
    return {
        Loss.ERROR_RATE: _errors(int(confusion.sum()), int(np.trace(confusion))),
        Loss.BRIER: np.array([scores.sum(), outcomes.squared * LOSS_UNIT, fourth], np.float64),
    }


def _errors(rows: int, right: int) -> FloatArray:
    return np.array([rows, rows - right, rows - right], np.float64)


def courses_of(outcomes: Mapping[Place, Arrays], names: Names, counting: Counting) -> Courses:
    """The losses of each version and of each segment of it; `outcomes` as the store reads them."""
    return courses_from(
        (start_ms, slices_of(names[number]) or ("",), sums_of(counting, arrays))
        for (start_ms, number), arrays in outcomes.items()
    )


def courses_from(panes: Iterable[tuple[int, Sequence[str], Sums]]) -> Courses:
    """The same of sums by the start of a pane and its slices: a version, and then its segments."""
    found: dict[tuple[str, str], dict[int, Sums]] = {}
    for start_ms, (version, *segments), sums in panes:
        for segment in ("", *segments):
            _add(found.setdefault((version, segment), {}), start_ms - start_ms % STRATUM_MS, sums)
    return found


def joined(parts: Iterable[Courses]) -> Courses:
    """All of them together."""
    found: dict[tuple[str, str], dict[int, Sums]] = {}
    for part in parts:
        for key, course in part.items():
            into = found.setdefault(key, {})
            for hour_ms, sums in course.items():
                _add(into, hour_ms, sums)
    return found


def _add(course: dict[int, Sums], hour_ms: int, sums: Sums) -> None:
    before = course.get(hour_ms, {})
    course[hour_ms] = {
        **before,
        **{loss: before[loss] + one if loss in before else one for loss, one in sums.items()},
    }


def shared_loss(version: Course, against: Course) -> Loss | None:
    """What both can be compared by in some hour: decisions, else scores, or numbers; None without labels."""
    hours = [(version[hour], against[hour]) for hour in version.keys() & against.keys()]
    return next((loss for loss in Loss if any(all(_has(one, loss) for one in both) for both in hours)), None)


def _has(sums: Sums, loss: Loss) -> bool:
    return loss in sums and bool(sums[loss][0] > 0)


def side_by_side(version: Course, against: Course, loss: Loss) -> tuple[Losses, Losses]:
    """The losses of the hours that both have seen, in order."""
    hours = sorted(version.keys() & against.keys())
    mine, theirs = (
        np.array([one[hour].get(loss, np.zeros(3)) for hour in hours]).reshape(-1, 3).T
        for one in (version, against)
    )
    return Losses(*mine), Losses(*theirs)
