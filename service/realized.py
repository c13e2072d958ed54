"""Realized performance of one model: its labels joined, and the windows told anew that they belong to.

All of it is done by whoever holds the model's lease, each batch in one transaction with the lease.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from service.messages import WindowKey
from service.monitor import Task
from service.performance.counting import counting_of, difference
from service.performance.slices import slices_of
from service.performance.windows import outcomes_by_slice, performance_of, windows_with
from service.store.engine import transaction
from service.store.join_share import forget, keep_share, share_of
from service.store.judged import have_changed
from service.store.label_join import join_labels, names_of
from service.store.outcomes import add_outcomes, have_told, news, outcomes_between, tell_performance
from service.store.results import hold

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from service.configuration import Configuration, ModelVersion
    from service.performance.changes import Changes, Place
    from service.performance.counting import Arrays, Counting
    from service.store.join_share import Share
    from service.store.results import Lease

log = logging.getLogger(__name__)

MOST_PANES = 100
"""Of so many panes the windows are told anew in one transaction."""


def realize(engine: Engine, held: Lease, configuration: Configuration, position_ms: int | None) -> bool:
    """Join what labels have come, and tell the windows that ended by `position_ms`; whether there may be more.

    Raises LeaseLost when another evaluator has taken the model.
    """
    latest = configuration.latest(held.model)
    if latest is None or latest.monitor.task is Task.NONE:
        return False
    with transaction(engine) as connection:
        hold(connection, held)
        before, policy = share_of(connection, held.model), latest.monitor.labels
        joined = join_labels(connection, held.model, before)
        course = _Course(connection, configuration, latest)
        if joined.changes is not None:
            course.count(joined.changes)
        share = replace(before, waiting=before.waiting + joined.waiting)
        told = False
        if position_ms is not None:
            told = course.tell(position_ms)
            share = forget(connection, held.model, share, position_ms - policy.wait_ms, policy.wait_ms)
        if share != before:
            kept = keep_share(connection, held.model, share, policy.most_waiting)
            _say_halved(held.model, before, kept)
    return bool(joined.rows) or told


def _say_halved(model: str, before: Share, share: Share) -> None:
    if share.halvings > before.halvings:
        log.warning(
            "model %s: more rows than labels.most_waiting wait to be joined; from now on one in %d inference ids is, "
            "and rates stay what they are",
            model, 2**share.halvings,
        )  # fmt: skip


@dataclass
class _Course:
    """One transaction's work: each pane by the version of the monitor that was in force then."""

    connection: Connection
    configuration: Configuration
    latest: ModelVersion

    @cached_property
    def _names(self) -> dict[int, str]:
        return names_of(self.connection, self.latest.model)

    def count(self, changes: Changes) -> None:
        """Add what has changed to the outcomes of its panes."""
        classes = {number: name for number, name in self._names.items() if slices_of(name) is None}
        by_counting: dict[Counting, dict[Place, Arrays]] = {}
        for place, rows in changes.by_place():
            counting = self._counting(place[0])
            if counting is not None:
                by_counting.setdefault(counting, {})[place] = difference(counting, rows, classes)
        for counting, outcomes in by_counting.items():
            add_outcomes(self.connection, self.latest.model, counting, outcomes)

    def tell(self, position_ms: int) -> bool:
        """Tell the windows of the first panes with news; whether there were any."""
        model, specs = self.latest.model, self.latest.monitor.windows
        found = news(self.connection, model, position_ms, MOST_PANES)
        if not found:
            return False
        lengths = {spec.name: spec.length_ms for spec in specs}
        told = []
        for end, kind in sorted(windows_with(found, specs, position_ms)):
            counting, start = self._counting(end - 1), end - lengths[kind]
            if counting is not None:
                outcomes = outcomes_between(self.connection, model, counting, start, end)
                slices = outcomes_by_slice(outcomes, self._names)
                told += performance_of(WindowKey(model, "", "", kind, start, end), slices, counting)
        tell_performance(self.connection, told)
        have_told(self.connection, model, found, position_ms, max(lengths.values()))
        changed = [start for start, told_ms in found.items() if told_ms <= start]
        if changed:
            have_changed(self.connection, model, min(changed))
        return True

    def _counting(self, ts_ms: int) -> Counting | None:
        return counting_of(self.configuration.at(self.latest.model, ts_ms) or self.latest)
