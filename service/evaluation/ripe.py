"""The pure course of judging performance: ripe windows in the order of their ends, and the alerts folded from them.

A window is judged once it is ripe. Labels that come later take the course up again from the state before their window,
so that what is told does not depend on when labels came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import msgspec

from service.alerting.fold import Terms as FoldTerms
from service.alerting.fold import fold
from service.alerting.state import open_alerts
from service.judging.outcomes import Course, OutcomeTerms, Ripe, judge
from service.messages import Alert, SliceResult, State
from service.monitor import WindowSpec

if TYPE_CHECKING:
    from service.alerting.state import Incident
    from service.monitor import Monitor
    from service.performance.windows import Performance

KEPT_STATES = 200
"""Labels that are later than so many judged windows change numbers, and no alerts."""


@dataclass
class Judged:
    """What judging some windows came to: findings, naive models, changes of alerts, and states to go on from."""

    results: list[SliceResult] = field(default_factory=list)
    naive: list[Performance] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    states: list[tuple[int, bytes]] = field(default_factory=list)


def judged_spec(monitor: Monitor) -> WindowSpec:
    """The kind of window that is judged: the shortest that tumbles, so that no row counts twice."""
    tumbling = [spec for spec in monitor.windows if spec.length_ms == spec.every_ms]
    shortest = min(monitor.windows, key=lambda spec: (spec.every_ms, spec.length_ms))
    return min(tumbling, key=lambda spec: spec.length_ms, default=WindowSpec.tumbling(shortest.every_ms))


def judge_ripe(
    before: bytes | None,
    newest: bytes | None,
    windows: Iterable[Ripe],
    terms_at: Callable[[int], OutcomeTerms],
    incidents: Sequence[Incident] = (),
) -> Judged:
    """Judge windows from a state on. `newest` is the one that people were told of before, when it is another.

    `incidents` are those of the model's inputs: what its answers suffer joins them.
    """
    course, made = course_from_bytes(before), Judged()
    open_before, model, last_ms = course_from_bytes(newest).fold, "", 0
    for window in windows:
        key, terms = window.key, terms_at(window.key.end_ms)
        judged = judge(course, window, terms)
        made.results += judged.slices
        made.naive += judged.naive
        _take_in(course, incidents, key.end_ms)
        made.alerts += fold(course.fold, key, judged.slices, FoldTerms(terms.version.monitor)).changes
        made.states.append((key.end_ms, course_to_bytes(course)))
        model, last_ms = key.model, key.end_ms
    if model:
        still_open = open_alerts(course.fold, model)
        told = {alert.id for alert in made.alerts if alert.state is State.RESOLVED}
        made.alerts += [
            _withdrawn(alert, last_ms)
            for name, alert in open_alerts(open_before, model).items()
            if name not in still_open and name not in told
        ]
    return made


def course_to_bytes(course: Course) -> bytes:
    """The course as it is stored."""
    return msgspec.msgpack.encode(course)


def course_from_bytes(data: bytes | None) -> Course:
    """The course again; that of a model of which nothing is judged from nothing."""
    return Course() if data is None else msgspec.msgpack.decode(data, type=Course)


def _take_in(course: Course, incidents: Sequence[Incident], end_ms: int) -> None:
    known = {incident.id for incident in course.fold.incidents}
    course.fold.incidents += [
        msgspec.structs.replace(one, last_ms=min(one.last_ms, end_ms))
        for one in incidents
        if one.id not in known and one.since_ms < end_ms
    ]


def _withdrawn(alert: Alert, at_ms: int) -> Alert:
    summary = f"{alert.summary} (withdrawn: later labels changed what is known)"
    return replace(alert, state=State.RESOLVED, at_ms=at_ms, summary=summary)
