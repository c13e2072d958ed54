"""All that is carried from window to window of one model, and its bytes."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from service.messages import Alert, Cause, Column, Role, Severity, State, WindowKey


class Tracked(msgspec.Struct, array_like=True):
    """One alert while it is not quiet. `columns` are those that its cause explains, its own first."""

    id: str
    incident: str
    state: State
    over: int
    under: int
    since_ms: int
    at_ms: int
    cause: Cause
    severity: Severity
    summary: str
    consequence: bool = False
    confidence: float | None = None
    evidence: dict[str, float | str] = {}
    columns: list[tuple[Role, str]] = []


class Place(NamedTuple):
    """What an alert is about: one rule on one column of one slice in one kind of window."""

    version: str
    segment: str
    window: str
    role: str
    feature: str
    rule: str

    @property
    def column(self) -> Column | None:
        """The column; None for the whole slice."""
        return Column(Role(self.role), self.feature) if self.role else None

    @property
    def name(self) -> str:
        """As a key of the state."""
        return join(*self)


class Incident(msgspec.Struct, array_like=True):
    """Alerts that share a cause, open or lately closed: `last_ms` is the last end of a window at which one was open.

    `length_ms` is the longest of its windows. `columns` are those of its alerts and of what their causes explain;
    `paged`: one of them was a page.
    """

    id: str
    since_ms: int
    last_ms: int
    length_ms: int = 1
    columns: list[tuple[Role, str]] = []
    causes: list[Cause] = []
    paged: bool = False

    def quiet_at(self, at_ms: int) -> float:
        """For how many of its windows it has been quiet."""
        return (at_ms - self.last_ms) / self.length_ms


class FoldState(msgspec.Struct, array_like=True):
    """The state of a model after a window: alerts, volumes seen, incidents, and the evidence of each slice as bytes.

    `schemas` are the fields of each version, `glanced` the rows of panes when they were looked at, by their end.
    """

    tracked: dict[str, Tracked] = {}
    volumes: dict[str, list[int]] = {}
    incidents: list[Incident] = []
    evidence: dict[str, tuple[int, bytes]] = {}
    errors: dict[str, tuple[list[float], float, float]] = {}
    started_ms: int | None = None
    schemas: dict[str, tuple[str, ...]] = {}
    glanced: dict[int, int] = {}


def state_to_bytes(state: FoldState) -> bytes:
    """The state as it is stored."""
    return msgspec.msgpack.encode(state)


def state_from_bytes(data: bytes | None) -> FoldState:
    """The state again; an empty one from nothing, or from the bytes of an earlier form."""
    if data is None:
        return FoldState()
    try:
        return msgspec.msgpack.decode(data, type=FoldState)
    except msgspec.ValidationError:
        return _from_first_form(data)


class _FirstForm(msgspec.Struct, array_like=True):
    tracked: dict[str, Tracked] = {}
    volumes: dict[str, list[int]] = {}
    incident: str = ""
    incident_quiet: int = 0


def _from_first_form(data: bytes) -> FoldState:
    """Before there were several incidents a model: whatever was open belonged to the one."""
    old = msgspec.msgpack.decode(data, type=_FirstForm)
    state = FoldState(old.tracked, old.volumes)
    if old.incident:
        since = min((t.since_ms for t in old.tracked.values()), default=0)
        last = max((t.at_ms for t in old.tracked.values()), default=since)
        state.incidents = [Incident(old.incident, since, last)]
    return state


def join(*parts: str) -> str:
    """One text of several that hold no separator."""
    return "\x1f".join(parts)


def place_of(name: str) -> Place:
    """What a tracked alert is about."""
    return Place(*name.split("\x1f"))


def alert_of(tracked: Tracked, place: Place, key: WindowKey) -> Alert:
    """The alert as it is told."""
    return Alert(
        tracked.id, tracked.incident, key.model, key.version, key.segment, key.window, place.column, place.rule,
        tracked.cause, tracked.severity, tracked.state, tracked.since_ms, tracked.at_ms, tracked.summary,
        tracked.consequence, tracked.confidence, dict(tracked.evidence),
    )  # fmt: skip


def open_alerts(state: FoldState, model: str) -> dict[str, Alert]:
    """The alerts that are pending or firing in this state, by id."""
    found = {}
    for name, tracked in state.tracked.items():
        place = place_of(name)
        key = WindowKey(model, place.version, place.segment, place.window, 0, 0)
        found[tracked.id] = alert_of(tracked, place, key)
    return found
