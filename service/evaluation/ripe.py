"""The pure course of judging performance: ripe windows in the order of their ends, and the alerts folded from them.

A window is judged once it is ripe. Labels that come later take the course up again from the state before their window,
so that what is told in the end does not depend on when labels came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from service.alerting.fold import Terms as FoldTerms
from service.alerting.fold import fold
from service.alerting.state import Place, alert_of, open_alerts, place_of
from service.judging.outcomes import Course, OutcomeTerms, Ripe, Rung, judge
from service.messages import Alert, SliceResult, State, WindowKey
from service.monitor import DAY_MS

if TYPE_CHECKING:
    from service.alerting.state import Incident
    from service.performance.windows import Performance

KEPT_STATES = 200
"""Labels that are later than so many judged windows change numbers, and no alerts."""
_REMEMBERED = 8
_SAME_WITHIN = 24
"""An alert that begins so many windows earlier or later, now that more labels are there, is the one that was told."""


@dataclass
class Judged:
    """What judging some windows came to: findings, naive models, changes of alerts, and states to go on from."""

    results: list[SliceResult] = field(default_factory=list)
    naive: list[Performance] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    states: list[tuple[int, bytes]] = field(default_factory=list)


def judge_ripe(
    before: bytes | None,
    newest: bytes | None,
    windows: Iterable[Ripe],
    terms_at: Callable[[int], OutcomeTerms],
    incidents: Sequence[Incident] = (),
) -> Judged:
    """Judge windows from a state on. `newest` is the one that people were told of before; windows go beyond it.

    `incidents` are those of the model's inputs: what its answers suffer joins them.
    """
    course, told, made = course_from_bytes(before), _Told(course_from_bytes(newest), incidents), Judged()
    last: WindowKey | None = None
    for window in windows:
        last, terms = window.key, terms_at(window.key.end_ms)
        if before is None and not made.states:
            made.states.append((last.start_ms, course_to_bytes(course)))
        judged = judge(course, window, terms)
        made.results += judged.slices
        made.naive += judged.naive
        _take_in(course, incidents, last)
        made.alerts += _of_other_windows(course, last)
        how = FoldTerms(terms.version.monitor, learning=_is_learning(course, window, terms))
        made.alerts += [told.name(course, one) for one in fold(course.fold, last, judged.slices, how).changes]
        made.states.append((last.end_ms, course_to_bytes(course)))
    if last is not None:
        made.alerts = [replace(one, incident=told.incident(one.incident)) for one in made.alerts]
        made.alerts += _withdrawn(course, told.course, made.alerts, last)
    return made


def course_to_bytes(course: Course) -> bytes:
    """The course as it is stored."""
    return msgspec.msgpack.encode(course)


def course_from_bytes(data: bytes | None) -> Course:
    """The course again; that of a model of which nothing is judged from nothing."""
    return Course() if data is None else msgspec.msgpack.decode(data, type=Course)


def _is_learning(course: Course, window: Ripe, terms: OutcomeTerms) -> bool:
    """Whether what is usual is known of less than a day, and so not at every hour."""
    return not terms.errors and window.key.end_ms <= course.known.started_ms + DAY_MS


def _take_in(course: Course, incidents: Sequence[Incident], window: WindowKey) -> None:
    """Incidents of inputs that were open in this window are so here, too."""
    known = {incident.id: incident for incident in course.fold.incidents}
    for one in incidents:
        if one.since_ms >= window.end_ms or one.last_ms <= window.start_ms:
            continue
        here, last_ms = known.get(one.id), min(one.last_ms, window.end_ms)
        if here is None:
            new = msgspec.structs.replace(one, last_ms=last_ms, columns=[*one.columns], causes=[*one.causes])
            course.fold.incidents.append(new)
            continue
        here.last_ms = max(here.last_ms, last_ms)
        here.columns += [column for column in one.columns if column not in here.columns]
        here.causes += [cause for cause in one.causes if cause not in here.causes]
        here.paged |= one.paged


def _of_other_windows(course: Course, window: WindowKey) -> Iterator[Alert]:
    """Resolve what was said of another kind of window, which is judged no more."""
    for name, tracked in list(course.fold.tracked.items()):
        place = place_of(name)
        if place.window != window.window:
            del course.fold.tracked[name]
            tracked.state, tracked.at_ms = State.RESOLVED, window.end_ms
            own = window._replace(version=place.version, segment=place.segment, window=place.window)
            yield alert_of(tracked, place, own)


@dataclass
class _Told:
    """What people know. An alert of theirs keeps its id and its incident, though it now begins earlier or later."""

    course: Course
    incidents: Sequence[Incident]
    _renamed: dict[str, str] = field(default_factory=dict)

    def incident(self, name: str) -> str:
        """What people know this incident by."""
        return self._renamed.get(name, name)

    def name(self, course: Course, change: Alert) -> Alert:
        """The change of an alert by the name that people know."""
        place = _place(change)
        rung = course.rung.setdefault(place.name, [])
        if any(one.id == change.id for one in rung):
            return change
        known = _same(self.course.rung.get(place.name, ()), change, {one.id for one in rung})
        if known is not None:
            tracked = course.fold.tracked.get(place.name)
            if tracked is not None:
                tracked.id = known.id
            self._rename(course, change.incident, known.incident)
            change = replace(change, id=known.id)
        rung.append(Rung(change.id, self.incident(change.incident), change.since_ms))
        del rung[:-_REMEMBERED]
        return change

    def _rename(self, course: Course, made: str, known: str) -> None:
        if made == known or made in self._names:
            return
        self._renamed[made] = known
        incidents = {one.id: one for one in course.fold.incidents}
        if known in incidents:
            course.fold.incidents = [one for one in course.fold.incidents if one.id != made]
        elif made in incidents:
            incidents[made].id = known
        for tracked in course.fold.tracked.values():
            tracked.incident = self.incident(tracked.incident)

    @cached_property
    def _names(self) -> set[str]:
        told = {one.incident for rungs in self.course.rung.values() for one in rungs}
        return told | {one.id for one in (*self.course.fold.incidents, *self.incidents)}


def _place(alert: Alert) -> Place:
    role, feature = alert.column or ("", "")
    return Place(alert.version, alert.segment, alert.window, str(role), feature, alert.rule)


def _same(told: Sequence[Rung], change: Alert, taken: set[str]) -> Rung | None:
    """The alert of the same place that was told, if it began about when this one does."""
    free = [one for one in told if one.id not in taken]
    nearest = min(free, key=lambda one: abs(one.since_ms - change.since_ms), default=None)
    reach = _SAME_WITHIN * (change.at_ms - change.since_ms) if change.at_ms > change.since_ms else 0
    return nearest if nearest is not None and abs(nearest.since_ms - change.since_ms) <= reach else None


def _withdrawn(course: Course, told: Course, changes: Sequence[Alert], window: WindowKey) -> list[Alert]:
    """What people were told of and is not so, now that more labels are there."""
    still_open = open_alerts(course.fold, window.model)
    over = {alert.id for alert in changes if alert.state is State.RESOLVED}
    return [
        replace(
            alert, state=State.RESOLVED, at_ms=window.end_ms,
            summary=f"{alert.summary} (withdrawn: later labels changed what is known)",
        )
        for name, alert in open_alerts(told.fold, window.model).items()
        if name not in still_open and name not in over
    ]  # fmt: skip
