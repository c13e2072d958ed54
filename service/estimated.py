"""Estimated performance of one model: what its answers are expected to come to, before any label has come.

windows that are evaluated -> slices of their panes -> rows by score or value -> metrics, by what the reference's own
answers showed. All of it is done by whoever holds the model's lease, and written in one transaction with the lease.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING

from service.evaluation.plan import in_force, reach_ms
from service.judging.answered import predictions_of
from service.monitor import Task
from service.performance.answers import answers_from_bytes, answers_to_bytes
from service.performance.counting import Counting, counting_of
from service.performance.estimating import (
    NO_ANSWERS,
    NO_PANES,
    NO_REFERENCE,
    NO_TASK,
    TOO_FEW_ANSWERS,
    Expectations,
    estimate_of,
    no_estimate,
)
from service.reference.regrid import regrid_sketch
from service.scoring.windows import SliceKey, merge_slices
from service.sketches.codec import pane_from_bytes
from service.store.answers import keep_answers, live_answers, stored_answers
from service.store.engine import transaction
from service.store.estimates import estimated_until, forget_estimates, have_estimated, windows_to_estimate
from service.store.outcomes import tell_performance
from service.store.results import PostgresResults, hold

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from service.configuration import Configuration, ModelVersion
    from service.messages import PaneRow
    from service.performance.windows import Performance
    from service.reference.profile import ReferenceProfile
    from service.sketches.grids import Grid
    from service.sketches.pane import PaneSketch
    from service.store.estimates import DueWindow
    from service.store.results import Lease

MOST_WINDOWS = 20
"""So many windows are estimated in one transaction."""
MOST_PANES = 300
"""Of windows so long that they have more, each is a transaction of its own."""
_MOST_REFERENCES = 64


@dataclass
class Learner:
    """What the answers of references lead to expect, kept from turn to turn: learning takes 30 ms a slice."""

    _known: dict[str, tuple[bytes, dict[Counting, Expectations]]] = field(default_factory=dict)

    def expectations(self, connection: Connection, version: ModelVersion) -> Expectations | str:
        """By what the reference of a version showed; the reason why nothing is expected."""
        counting, name = counting_of(version), version.reference_name
        if counting is None:
            return NO_TASK
        if name is None:
            return NO_REFERENCE
        data = stored_answers(connection, name)
        if data is None:
            return NO_ANSWERS
        if name not in self._known or self._known[name][0] != data:
            self._known[name] = data, {}
            while len(self._known) > _MOST_REFERENCES:
                del self._known[next(iter(self._known))]
        known = self._known[name][1]
        if counting not in known:
            known[counting] = Expectations(answers_from_bytes(data), counting)
        return known[counting]


@dataclass(frozen=True)
class Estimator:
    """Estimates windows as of one revision of the configuration.

    `profile` gives a reference by its name, `grid` a grid by its id.
    """

    engine: Engine
    configuration: Configuration
    profile: Callable[[str], ReferenceProfile | None]
    grid: Callable[[str], Grid]
    learner: Learner

    def estimate(self, held: Lease, position_ms: int | None) -> bool:
        """Tell what is expected of windows that ended by `position_ms` and are new or restated; whether there is more.

        Raises LeaseLost when another evaluator has taken the model.
        """
        latest = self.configuration.latest(held.model)
        if latest is None or latest.monitor.task is Task.NONE or position_ms is None:
            return False
        with transaction(self.engine) as connection:
            hold(connection, held)
            until_ms = estimated_until(connection, held.model)
            since_ms = until_ms - reach_ms(latest.monitor)
            found = windows_to_estimate(connection, held.model, since_ms, position_ms, MOST_WINDOWS)
            due = _affordable(found, latest.monitor.pane_ms)
            versions = [in_force(self.configuration, held.model, one.key.end_ms) for one in due]
            expected = {
                one.number: self._expected(connection, one, position_ms) for one in dict.fromkeys(versions)
            }
        told = [
            one
            for window, version in zip(due, versions, strict=True)
            for one in self._told(held, window, version, expected[version.number])
        ]
        is_all = len(due) == len(found) < MOST_WINDOWS
        if due or position_ms > until_ms:
            with transaction(self.engine) as connection:
                hold(connection, held)
                forget_estimates(connection, held.model, due)
                tell_performance(connection, told)
                have_estimated(connection, held.model, position_ms if is_all else due[-1].key.end_ms - 1)
        return not is_all

    def _expected(
        self, connection: Connection, version: ModelVersion, position_ms: int
    ) -> Expectations | str:
        """The expectations; where the reference has no labels of its own, by the first that came live."""
        found, name = self.learner.expectations(connection, version), version.reference_name
        if found != NO_ANSWERS or name is None:
            return found
        answers = live_answers(connection, version, self._began_ms(version), position_ms)
        if answers is None:
            return TOO_FEW_ANSWERS
        keep_answers(connection, name, answers_to_bytes(answers))
        return self.learner.expectations(connection, version)

    def _began_ms(self, version: ModelVersion) -> int:
        """From when on live outcomes are those that a reference without labels stands for."""
        profile = self.profile(version.reference_name or "")
        if profile is not None and profile.first_ms is not None:
            return profile.first_ms - profile.first_ms % version.monitor.pane_ms
        versions = self.configuration.models[version.model]
        return min(one.since_ms for one in versions if one.reference_name == version.reference_name)

    def _told(
        self, held: Lease, window: DueWindow, version: ModelVersion, expected: Expectations | str
    ) -> Iterator[Performance]:
        """At least one line of each version of a window, so that none is due for ever."""
        key, task = window.key, version.monitor.task
        slices = {} if isinstance(expected, str) else self._slices(held, window, version)
        why = expected if isinstance(expected, str) else NO_PANES
        for name, n in window.rows.items():
            if (name, "") not in slices:
                yield no_estimate(key._replace(version=name), task, n, why)
        if not isinstance(expected, str):
            for (name, segment), sketch in sorted(slices.items()):
                rows = predictions_of(sketch, expected.counting)
                of = key._replace(version=name, segment=segment)
                yield estimate_of(of, task, sketch.inferences, rows, expected.of(segment))

    def _slices(self, held: Lease, window: DueWindow, version: ModelVersion) -> dict[SliceKey, PaneSketch]:
        """Those with predictions, each on the version's grid."""
        panes = PostgresResults(self.engine, held).panes(window.key.start_ms, window.key.end_ms)
        slices = merge_slices(
            (SliceKey(row.key.version, row.key.segment), self._read(row, version.grid)) for row in panes
        )
        return {key: sketch for key, sketch in slices.items() if sketch.inferences}

    def _read(self, row: PaneRow, grid: Grid) -> PaneSketch:
        own = grid if row.grid_id == grid.id else self.grid(row.grid_id)
        return regrid_sketch(pane_from_bytes(row.sketch, own), grid)


def _affordable(windows: Sequence[DueWindow], pane_ms: int) -> Sequence[DueWindow]:
    """The first windows whose panes can be read together, and one at least."""
    panes = accumulate((one.key.end_ms - one.key.start_ms) // pane_ms for one in windows)
    return [one for one, so_far in zip(windows, panes, strict=True) if so_far <= MOST_PANES] or windows[:1]
