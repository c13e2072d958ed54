"""An incident, or a stretch of a model's time, with all that is stored about it: what a report is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from service.errors import FormatError
from service.monitor import MINUTE_MS, parse_duration
from service.sketches.codec import pane_from_bytes
from service.store.engine import transaction
from service.store.incidents import IncidentRow, alerts_of, find_incident
from service.store.marks import Mark, marks_of
from service.store.open_in_time import incidents_in
from service.store.profiles import stored_grids
from service.store.report_seen import Seen, Stretch, seen_in
from service.store.result_queries import AlertRow
from service.store.tables import pane, window_result

if TYPE_CHECKING:
    from sqlalchemy import Engine

_WINDOWS_BEFORE, _MOST_WINDOWS = 24, 288
_UNKNOWN_LENGTH_MS = 5 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class IncidentCase:
    """An incident; `first_event_ms` is that of the first event at or after its beginning, None: not stored any more."""

    incident: IncidentRow
    alerts: tuple[AlertRow, ...]
    marks: tuple[Mark, ...]
    first_event_ms: int | None
    seen: Seen


@dataclass(frozen=True, slots=True)
class SpanCase:
    """A stretch, and the incidents that were open in it, the first begun first."""

    incidents: Sequence[IncidentRow]
    seen: Seen


def incident_case(engine: Engine, incident_id: str, now_ms: int) -> IncidentCase | None:
    """Everything about an incident; None when there is none of that id."""
    with transaction(engine) as connection:
        incident = find_incident(connection, incident_id)
        if incident is None:
            return None
        alerts, marks = alerts_of(connection, incident_id), marks_of(connection, incident_id)
    stretch = _stretch_of(incident, alerts, now_ms)
    first = _first_event_ms(engine, stretch)
    return IncidentCase(incident, alerts, marks, first, seen_in(engine, stretch, now_ms))


def span_case(engine: Engine, stretch: Stretch, now_ms: int) -> SpanCase:
    """Everything about a stretch."""
    with transaction(engine) as connection:
        incidents = incidents_in(connection, stretch.model, stretch.start_ms, stretch.end_ms)[::-1]
    return SpanCase(incidents, seen_in(engine, stretch, now_ms))


def newest_end_ms(engine: Engine, model: str, window: str, until_ms: int, *, busy: bool) -> int | None:
    """Where the newest window of this kind ends, at or before then; None: there is none. `busy`: with predictions."""
    c = window_result.c
    wanted = [
        c.model == model,
        c.window == window,
        c.end_ms <= until_ms,
        *([c.inferences > 0] if busy else []),
    ]
    with transaction(engine) as connection:
        return connection.execute(select(func.max(c.end_ms)).where(*wanted)).scalar()


def _lengths_of(window: str) -> tuple[int, int]:
    """Milliseconds that a kind of window is long, and after which the next one ends; of no window the usual."""
    length, _, every = window.partition("/")
    try:
        return parse_duration(length), parse_duration(every or length)
    except ValueError:
        return _UNKNOWN_LENGTH_MS, _UNKNOWN_LENGTH_MS


def _stretch_of(incident: IncidentRow, alerts: Sequence[AlertRow], now_ms: int) -> Stretch:
    """The root's slice, beside as much time just before, if that is no more than a picture holds."""
    root, (length_ms, every_ms) = alerts[0], _lengths_of(alerts[0].window)
    end_ms = max(incident.until_ms or now_ms, *(one.at_ms for one in alerts))
    end_ms = max(min(end_ms, incident.since_ms + _MOST_WINDOWS * length_ms), incident.since_ms + length_ms)
    before_ms = incident.since_ms - _WINDOWS_BEFORE * length_ms
    places = tuple(sorted({(one.version, one.segment, one.window) for one in alerts}))
    return Stretch(
        incident.model, root.version, root.segment, root.window, before_ms, incident.since_ms, end_ms, every_ms, places
    )  # fmt: skip


def _first_event_ms(engine: Engine, of: Stretch) -> int | None:
    """Of the first pane that begins at or after the stretch does."""
    c, mine = pane.c, [pane.c.model == of.model, pane.c.segment == of.segment, pane.c.inferences > 0]
    mine += [c.version == of.version] if of.version else []
    mine += [c.start_ms >= of.start_ms, c.start_ms < of.end_ms]
    first = select(func.min(c.start_ms)).where(*mine).scalar_subquery()
    with transaction(engine) as connection:
        rows = connection.execute(select(c.grid_id, c.sketch).where(*mine, c.start_ms == first)).all()
    try:
        grid_of = stored_grids(engine)
        times = [pane_from_bytes(bytes(row.sketch), grid_of(row.grid_id)).first_ms for row in rows]
    except FormatError:
        return None
    return min(times, default=None)
