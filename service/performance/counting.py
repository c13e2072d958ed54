"""How the outcomes of a model are counted, and measured: by its task, and by what its reference knows of its answers.

Outcomes are arrays of whole numbers that merge by adding, and take back by subtracting. Those of different `identity`
cannot be merged: another class is the positive one, other classes have a name, numbers have another unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from detectors.performance.binary_counts import UNDECIDED, BinaryOutcomes
from detectors.performance.multiclass_counts import MulticlassOutcomes
from detectors.performance.realized_binary import realized_binary
from detectors.performance.realized_multiclass import realized_multiclass
from detectors.performance.realized_regression import realized_regression
from detectors.performance.regression_counts import RegressionOutcomes, RegressionScales
from detectors.performance.score_grid import fine_grid
from detectors.performance.tally import tally
from service.messages import LABEL, PREDICTION
from service.monitor import Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.performance.metric import Metric
    from service.configuration import ModelVersion
    from service.performance.changes import Changes

Arrays = Mapping[str, "NDArray[np.int64]"]
Names = Mapping[int, str]
"""Classes by the numbers that stand for them in rows."""

MOST_CLASSES = 20
"""So many classes have a name of their own in outcomes; the others are the tail."""
_POSITIVE = ("1", "true", "yes", "y", "t", "positive", "pos")
_NEGATIVE = ("0", "false", "no", "n", "f", "negative", "neg", "-1")
_PAIR = 2


class Counting(Protocol):
    """Called by whoever holds the model's lease, for the panes of one version of its monitor."""

    @property
    def identity(self) -> str:
        """What all outcomes that are merged have in common."""

    def zeros(self) -> Arrays:
        """No outcomes."""

    def count(self, changes: Changes, names: Names) -> Arrays:
        """Outcomes of labelled predictions."""

    def metrics(self, outcomes: Arrays) -> tuple[Metric, ...]:
        """What they come to."""


@dataclass(frozen=True)
class BinaryCounting:
    """`positive` is the class that scores are the probability of; None: the classes are called yes and no, or alike."""

    positive: str | None

    @property
    def identity(self) -> str:
        return f"binary {self.positive!r}"

    def zeros(self) -> Arrays:
        return BinaryOutcomes.zeros().to_arrays()

    def count(self, changes: Changes, names: Names) -> Arrays:
        """A label of which nobody can say whether it is the positive class is left out, and no negative one."""
        yes = [number for number, name in names.items() if self.is_positive(name)]
        no = [number for number, name in names.items() if self._is_negative(name)]
        changes = changes.rows(np.isin(changes.labels, [*yes, *no]))
        decisions = np.where(changes.classes == 0, UNDECIDED, np.isin(changes.classes, yes)).astype(np.int64)
        labels = np.isin(changes.labels, yes).astype(np.int64)
        return BinaryOutcomes.zeros().add(labels, changes.scores, decisions).to_arrays()

    def metrics(self, outcomes: Arrays) -> tuple[Metric, ...]:
        return tuple(realized_binary(BinaryOutcomes.from_arrays(outcomes)).values())

    def is_positive(self, name: str) -> bool:
        """Whether scores are the probability of this class."""
        return name.casefold() in _POSITIVE if self.positive is None else name == self.positive

    def _is_negative(self, name: str) -> bool:
        return name.casefold() in _NEGATIVE if self.positive is None else name != self.positive


@dataclass(frozen=True)
class MulticlassCounting:
    """`classes` have a name of their own; events carry one score at most, so that nothing is known of the others."""

    classes: tuple[str, ...]

    @property
    def identity(self) -> str:
        return f"multiclass {self.classes!r}"

    def zeros(self) -> Arrays:
        return MulticlassOutcomes.zeros(len(self.classes)).to_arrays()

    def count(self, changes: Changes, names: Names) -> Arrays:
        known = {name: place for place, name in enumerate(self.classes)}
        places = np.full(max(names, default=0) + 1, -1, np.int64)
        for number, name in names.items():
            places[number] = known.get(name, len(self.classes) + number)
        scores = np.full((len(changes.labels), len(self.classes)), np.nan)
        counted = MulticlassOutcomes.zeros(len(self.classes))
        counted = counted.add(places[changes.labels], places[changes.classes], scores)
        return self._with_scores(counted, changes, places).to_arrays()

    def _with_scores(
        self, counted: MulticlassOutcomes, changes: Changes, places: NDArray[np.int64]
    ) -> MulticlassOutcomes:
        """The one score that an event carries is that of the decision."""
        decided = places[changes.classes]
        bins, _ = fine_grid().place(changes.scores)
        there = (decided >= 0) & (decided < len(self.classes)) & (bins < fine_grid().size)
        right = (decided == places[changes.labels])[there].astype(np.int64)
        _, off_grid = fine_grid().place(changes.scores[there])
        top = tally((right, bins[there]), counted.top.shape)
        return replace(counted, top=top, top_off_grid=off_grid)

    def metrics(self, outcomes: Arrays) -> tuple[Metric, ...]:
        return tuple(realized_multiclass(MulticlassOutcomes.from_arrays(outcomes)).values())


@dataclass(frozen=True)
class RegressionCounting:
    """In units that follow from the reference's labels."""

    scales: RegressionScales

    @property
    def identity(self) -> str:
        return f"regression {self.scales!r}"

    def zeros(self) -> Arrays:
        return RegressionOutcomes.zeros(self.scales).to_arrays()

    def count(self, changes: Changes, names: Names) -> Arrays:  # noqa: ARG002 - numbers have no names
        return RegressionOutcomes.zeros(self.scales).add(changes.label_values, changes.values).to_arrays()

    def metrics(self, outcomes: Arrays) -> tuple[Metric, ...]:
        return tuple(realized_regression(RegressionOutcomes.from_arrays(self.scales, outcomes)).values())


def counting_of(version: ModelVersion) -> Counting | None:
    """How the outcomes of this version of a monitor are counted; None when nobody can say."""
    match version.monitor.task:
        case Task.BINARY:
            known = classes_of(version)
            pair = max(known) if len(known) == _PAIR and not _called(known) else None
            return BinaryCounting(version.monitor.labels.positive or pair)
        case Task.MULTICLASS:
            known = classes_of(version)[:MOST_CLASSES]
            return MulticlassCounting(tuple(known)) if known else None
        case Task.REGRESSION:
            return RegressionCounting(_scales(version))
    return None


def _called(names: Sequence[str]) -> bool:
    return any(name.casefold() in _POSITIVE for name in names)


def classes_of(version: ModelVersion) -> list[str]:
    """The classes that the reference has seen, of labels or of predictions, in the order of their names."""
    grid = version.grid
    places = [at for column in (LABEL, PREDICTION) if (at := grid.text_at.get(column)) is not None]
    return sorted({name for at in places for name in grid.texts[at].categories})


def _scales(version: ModelVersion) -> RegressionScales:
    """Of the labels that the reference has seen, else of the predictions, else one."""
    grid = version.grid
    for column in (LABEL, PREDICTION):
        at = grid.number_at.get(column)
        if at is not None and grid.numbers[at].scale > 0:
            return RegressionScales(grid.numbers[at].centre, grid.numbers[at].scale, grid.numbers[at].scale)
    return RegressionScales(0.0, 1.0, 1.0)


def difference(counting: Counting, changes: Changes, names: Names) -> Arrays:
    """What to add to outcomes: the new labels, less those that counted before."""
    now = counting.count(changes, names)
    before = changes.before()
    return now if not len(before.labels) else subtracted(now, counting.count(before, names))


def added(one: Arrays, other: Arrays) -> Arrays:
    """Both together."""
    return {name: one[name] + other[name] for name in one}


def subtracted(one: Arrays, other: Arrays) -> Arrays:
    """The one without the other."""
    return {name: one[name] - other[name] for name in one}
