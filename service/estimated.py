"""Estimated performance of one model: what its answers are expected to come to, before any label has come.

windows that are evaluated -> slices of their panes -> rows by score or value -> metrics, by what the reference's own
answers showed. All of it is done by whoever holds the model's lease, and written in one transaction with the lease.
Where the reference leads to expect nothing, the newest window of each version says why, and no pane is read.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from service.errors import FormatError
from service.evaluation.plan import in_force, reach_ms
from service.judging.answered import predictions_of
from service.monitor import DAY_MS, MINUTE_MS, Task
from service.performance.answers import answers_from_bytes, answers_to_bytes
from service.performance.counting import Counting, counting_of
from service.performance.estimating import (
    NO_ANSWERS,
    NO_PANES,
    NO_READABLE_PANES,
    NO_READABLE_REFERENCE,
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
from service.store.estimates import (
    MOST_SKETCHES,
    Due,
    affordable,
    estimated_until,
    forget_estimates,
    forget_reason,
    have_estimated,
    newest_windows,
    panes_of,
    windows_to_estimate,
)
from service.store.outcomes import tell_performance
from service.store.results import hold

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from service.configuration import Configuration, ModelVersion
    from service.messages import PaneRow
    from service.performance.windows import Performance
    from service.reference.profile import ReferenceProfile
    from service.sketches.grids import Grid
    from service.sketches.pane import PaneSketch
    from service.store.estimates import Readable
    from service.store.results import Lease

log = logging.getLogger(__name__)

MOST_WINDOWS = 20
"""So many windows are estimated in one transaction."""
FIRST_MS = DAY_MS
"""Windows that ended so long before the first estimate are the first to be estimated."""
FURTHEST_MS = 7 * DAY_MS
"""What ended longer ago is not estimated any more."""
_ASK_AGAIN_MS = 10 * MINUTE_MS
"""Live labels that were too few to learn from are counted again after so much event time."""
_MOST_REFERENCES = 64


class _InVain(NamedTuple):
    """Live labels were looked for, and could not be learned from."""

    position_ms: int
    why: str


@dataclass
class Learner:
    """What the answers of references lead to expect, kept from turn to turn: learning takes 30 ms a slice."""

    _known: dict[str, tuple[bytes, dict[Counting, Expectations | str]]] = field(default_factory=dict)
    _in_vain: dict[tuple[str, str], _InVain] = field(default_factory=dict)
    _said: dict[str, str] = field(default_factory=dict)

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
            _shrink(self._known)
        known = self._known[name][1]
        if counting not in known:
            known[counting] = self._learned(version.model, name, data, counting)
        return known[counting]

    def _learned(self, model: str, name: str, data: bytes, counting: Counting) -> Expectations | str:
        try:
            answers = answers_from_bytes(data)
            for segment in answers.outcomes:
                answers.of(counting, segment)
        except FormatError as why:
            self.say(model, f"the answers of reference {name}", why)
            return NO_READABLE_REFERENCE
        return Expectations(answers, counting)

    def in_vain(self, version: ModelVersion, position_ms: int) -> str | None:
        """Why there is nothing to learn from live labels, if that was found out not long ago in event time."""
        last = self._in_vain.get((version.model, version.reference_name or ""))
        is_new = last is not None and last.position_ms <= position_ms < last.position_ms + _ASK_AGAIN_MS
        return last.why if last is not None and is_new else None

    def was_in_vain(self, version: ModelVersion, position_ms: int, why: str) -> str:
        """Remember why there is nothing to learn from, and give it back."""
        self._in_vain[version.model, version.reference_name or ""] = _InVain(position_ms, why)
        _shrink(self._in_vain)
        return why

    def say(self, model: str, what: str, why: FormatError) -> None:
        """Log what cannot be read, once for as long as nothing else is the matter with that model."""
        if self._said.get(model) != str(why):
            self._said[model] = str(why)
            log.warning("model %s is not estimated by %s, which cannot be read: %s", model, what, why)


def _shrink(known: dict[Any, Any]) -> None:
    while len(known) > _MOST_REFERENCES:
        del known[next(iter(known))]


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
            until_ms = estimated_until(connection, held.model)
        begin_ms = _begin_ms(until_ms, position_ms)
        version = in_force(self.configuration, held.model, position_ms)
        due = Due(begin_ms - reach_ms(latest.monitor), position_ms, version.since_ms)
        expected = self._expected(held, version, position_ms)
        is_news = until_ms is None or position_ms > until_ms
        if not isinstance(expected, str):
            return self._tell(held, due, is_news=is_news)
        if is_news:
            self._tell_why(held, version, begin_ms, due, expected)
        return False

    def _tell(self, held: Lease, due: Due, *, is_news: bool) -> bool:
        """Estimate the newest windows; whether there are more."""
        with transaction(self.engine) as connection:
            found = windows_to_estimate(connection, held.model, due, MOST_WINDOWS)
            taken = affordable(connection, found)
        versions = [in_force(self.configuration, held.model, one.window.key.end_ms) for one in taken]
        expected = {one.number: self._expected(held, one, due.position_ms) for one in dict.fromkeys(versions)}
        told = [
            one
            for window, version in zip(taken, versions, strict=True)
            for one in self._told(held, window, version, expected[version.number])
        ]
        is_all = len(taken) == len(found) < MOST_WINDOWS
        if taken or is_news:
            with transaction(self.engine) as connection:
                hold(connection, held)
                forget_estimates(connection, held.model, [one.window for one in taken])
                tell_performance(connection, told)
                if is_all:
                    have_estimated(connection, held.model, due.position_ms)
        return not is_all

    def _tell_why(self, held: Lease, version: ModelVersion, begin_ms: int, due: Due, why: str) -> None:
        """Why nothing is estimated, told of each version's newest window alone."""
        with transaction(self.engine) as connection:
            hold(connection, held)
            newest = newest_windows(connection, held.model, begin_ms, due.position_ms)
            forget_reason(connection, [key for key, _ in newest], due.since_ms, why)
            tell_performance(
                connection, [no_estimate(key, version.monitor.task, n, why) for key, n in newest]
            )
            have_estimated(connection, held.model, due.position_ms)

    def _expected(self, held: Lease, version: ModelVersion, position_ms: int) -> Expectations | str:
        """The expectations; where the reference has no labels of its own, by the first that came live."""
        with transaction(self.engine) as connection:
            found = self.learner.expectations(connection, version)
        if found == NO_ANSWERS and version.reference_name is not None:
            found = self._learned_live(held, version, version.reference_name, position_ms)
        if isinstance(found, str):
            return found
        of_all_rows = found.of("")
        return of_all_rows if isinstance(of_all_rows, str) else found

    def _learned_live(
        self, held: Lease, version: ModelVersion, name: str, position_ms: int
    ) -> Expectations | str:
        known = self.learner.in_vain(version, position_ms)
        if known is not None:
            return known
        try:
            with transaction(self.engine) as connection:
                answers = live_answers(connection, version, self._began_ms(version), position_ms)
        except FormatError as why:
            self.learner.say(version.model, f"reference {name} or live outcomes", why)
            return self.learner.was_in_vain(version, position_ms, NO_READABLE_REFERENCE)
        if answers is None:
            return self.learner.was_in_vain(version, position_ms, TOO_FEW_ANSWERS)
        with transaction(self.engine) as connection:
            hold(connection, held)
            keep_answers(connection, name, answers_to_bytes(answers))
            return self.learner.expectations(connection, version)

    def _began_ms(self, version: ModelVersion) -> int:
        """From when on live outcomes are those that a reference without labels stands for."""
        profile, counting = self.profile(version.reference_name or ""), counting_of(version)
        alike = [one for one in self.configuration.models[version.model] if counting_of(one) == counting]
        if profile is not None and profile.first_ms is not None:
            first_ms = profile.first_ms - profile.first_ms % version.monitor.pane_ms
            return max(first_ms, min(one.since_ms for one in alike))
        return min(one.since_ms for one in alike if one.reference_name == version.reference_name)

    def _told(
        self, held: Lease, one: Readable, version: ModelVersion, expected: Expectations | str
    ) -> Iterator[Performance]:
        """At least one line of each version of a window, so that none is due for ever."""
        key, task = one.window.key, version.monitor.task
        why = expected if isinstance(expected, str) else one.why_not
        slices, why = ({}, why) if why is not None else self._slices(held, one, version)
        for name, n in one.window.rows.items():
            if (name, "") not in slices:
                yield no_estimate(key._replace(version=name), task, n, why or NO_PANES)
        if not isinstance(expected, str):
            for (name, segment), sketch in sorted(slices.items()):
                rows = predictions_of(sketch, expected.counting)
                of = key._replace(version=name, segment=segment)
                yield estimate_of(of, task, sketch.inferences, rows, expected.of(segment))

    def _slices(
        self, held: Lease, one: Readable, version: ModelVersion
    ) -> tuple[Mapping[SliceKey, PaneSketch], str | None]:
        """Those with predictions, each on the version's grid; none and the reason where panes cannot be read."""
        try:
            with (
                transaction(self.engine) as connection,
                panes_of(connection, one.window.key, segments=one.segments) as panes,
            ):
                slices = merge_slices(
                    (SliceKey(row.key.version, row.key.segment), self._read(row, version.grid))
                    for row in self._kept(held, panes)
                )
        except FormatError as why:
            what = f"a pane of the {one.window.key.window} that end at {one.window.key.end_ms}"
            self.learner.say(version.model, what, why)
            return {}, NO_READABLE_PANES
        return {key: sketch for key, sketch in slices.items() if sketch.inferences}, None

    def _kept(self, held: Lease, panes: Iterator[PaneRow]) -> Iterator[PaneRow]:
        """Panes as they are read; the lease is kept meanwhile, however many there are."""
        for n, row in enumerate(panes, start=1):
            yield row
            if n % MOST_SKETCHES == 0:
                with transaction(self.engine) as connection:
                    hold(connection, held)

    def _read(self, row: PaneRow, grid: Grid) -> PaneSketch:
        own = grid if row.grid_id == grid.id else self.grid(row.grid_id)
        return regrid_sketch(pane_from_bytes(row.sketch, own), grid)


def _begin_ms(until_ms: int | None, position_ms: int) -> int:
    """Windows that end after this are to be estimated; those that late rows reach before it, if they are outdated."""
    return position_ms - FIRST_MS if until_ms is None else max(until_ms, position_ms - FURTHEST_MS)
