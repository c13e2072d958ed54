"""The alert state machine, as a fold over windows in order.

    quiet --over--> pending --over for `for_windows`--> firing --under for `clear_windows`--> resolved (quiet)
      ^------not over-----|                               `----over: the count of quiet windows starts anew

"Over" is a worst finding above its limit, "under" one at or below `clear_ratio` of it; between the two what fires
stays as it is (hysteresis). Too little data moves nothing. A window without any such finding (no events, a feature
that nobody wants watched any more) is "under", so that nothing fires for ever.
Late rows restate a window: the fold is then taken up again from the state before it, so that replays agree.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np
import xxhash

from detectors.volume import score_volume
from service.alerting.rules import VOLUME, Reading, Signal, cause_of, read, severity_of, signals_of
from service.alerting.wording import sentence
from service.messages import (
    Alert,
    Cause,
    Column,
    Finding,
    Role,
    Severity,
    SliceResult,
    State,
    Verdict,
    WindowKey,
)  # fmt: skip

if TYPE_CHECKING:
    from service.monitor import AlertPolicy, Monitor

_HISTORY = 60
_QUIET_BEFORE_NEW_INCIDENT = 2
_MOST_TRACKED = 20_000
_FEWEST_WINDOWS = 3
_FACTOR = 2
"""Half or twice of what was ever seen of late: less is the daily round, whatever its significance."""


class Tracked(msgspec.Struct, array_like=True):
    """One alert while it is not quiet."""

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


class Place(NamedTuple):
    """What an alert is about: one rule on one column of one slice in one kind of window."""

    version: str
    segment: str
    window: str
    role: str
    feature: str
    rule: str


class FoldState(msgspec.Struct, array_like=True):
    """All that is carried from window to window of one model."""

    tracked: dict[str, Tracked] = {}
    volumes: dict[str, list[int]] = {}
    incident: str = ""
    incident_quiet: int = 0


def state_to_bytes(state: FoldState) -> bytes:
    """The state as it is stored."""
    return msgspec.msgpack.encode(state)


def state_from_bytes(data: bytes | None) -> FoldState:
    """The state again; an empty one from nothing."""
    return FoldState() if data is None else msgspec.msgpack.decode(data, type=FoldState)


class Folded(NamedTuple):
    """What one window changed: alerts whose state moved, and the findings that need the windows before it."""

    changes: Sequence[Alert]
    volumes: Sequence[tuple[WindowKey, Finding]]


def fold(
    state: FoldState, window: WindowKey, results: Sequence[SliceResult], monitor: Monitor, alpha: float | None
) -> Folded:
    """Take one window of one kind, all its slices with rows, into the state (which is changed).

    `window` names it with version and segment ''. No results means that no event of the model fell into it.
    `alpha` is the volumes' false-alarm probability, None for a window that was cut short: its volume says nothing.
    """
    totals = _totals(state, window, results, monitor) if alpha is not None else []
    volumes = {total.key: finding for total in totals if (finding := _volume(state, total, alpha or 0.0))}
    changes: list[Alert] = []
    heard: set[Place] = set()
    for result in [*results, *_without_events(results, volumes)]:
        findings = [f for f in result.findings if f.method != VOLUME]
        if result.key in volumes:
            findings.append(volumes[result.key])
        heard.update(_place(result.key, signal) for signal in signals_of(findings))
        changes += _slice(state, result, findings, monitor)
    changes += _abandoned(state, window, heard, monitor)
    _close_incident(state)
    return Folded(changes, list(volumes.items()))


def _totals(
    state: FoldState, window: WindowKey, results: Sequence[SliceResult], monitor: Monitor
) -> list[SliceResult]:
    """Events by segment, whatever the version: a new version that takes over is no silence.

    A segment that has gone quiet counts zero, unless the whole model has: then that is said once.
    """
    totals = {window: 0}
    for result in results:
        key = result.key._replace(version="")
        totals[key] = totals.get(key, 0) + result.inferences
    if totals[window]:
        for segment, kind in (name.split("\x1f") for name in state.volumes):
            if kind == window.window and _is_watched(segment, monitor):
                totals.setdefault(window._replace(segment=segment), 0)
    return [SliceResult(key, inferences, 0, ()) for key, inferences in totals.items()]


def _is_watched(segment: str, monitor: Monitor) -> bool:
    return not segment or segment.partition("=")[0] in monitor.segments


def _without_events(results: Sequence[SliceResult], volumes: dict[WindowKey, Finding]) -> list[SliceResult]:
    """The slices that carry nothing but a volume."""
    known = {r.key for r in results}
    return [SliceResult(key, volume.n, 0, ()) for key, volume in volumes.items() if key not in known]


def _abandoned(state: FoldState, window: WindowKey, heard: set[Place], monitor: Monitor) -> list[Alert]:
    """Resolve what nothing was heard of for as many windows as clear an alert (an old version, say).

    Silence is not over because nothing is heard.
    """
    changes = []
    for name, tracked in list(state.tracked.items()):
        place = Place(*name.split("\x1f"))
        silent = place.rule == "silence" and _is_watched(place.segment, monitor)
        if place.window != window.window or place in heard or silent:
            continue
        tracked.under += 1
        if tracked.state is State.PENDING or tracked.under >= monitor.alerts.clear_windows:
            del state.tracked[name]
            tracked.state, tracked.at_ms = State.RESOLVED, window.end_ms
            changes.append(
                _alert(tracked, _signal(place), window._replace(version=place.version, segment=place.segment))
            )
    return changes


def _signal(place: Place) -> Signal:
    return Signal(Column(Role(place.role), place.feature) if place.role else None, place.rule)


def _volume(state: FoldState, total: SliceResult, alpha: float) -> Finding | None:
    """How unusual the number of events is; the history is the windows before that had any."""
    name = _join(total.key.segment, total.key.window)
    history = state.volumes.setdefault(name, [])
    if len(state.volumes) > _MOST_TRACKED:
        del state.volumes[name]
        return None
    finding = (
        _silence(history, alpha) if total.inferences == 0 else _unusual(history, total.inferences, alpha)
    )
    if total.inferences:
        history.append(total.inferences)
        del history[:-_HISTORY]
    return finding


def _silence(history: Sequence[int], alpha: float) -> Finding:
    """No event at all. With at least `low` a window that has probability exp(-low): it rings above log(1/alpha)."""
    if len(history) < _FEWEST_WINDOWS:
        return Finding(None, VOLUME, None, None, None, 0, 0, 0.0, Verdict.TOO_LITTLE_DATA, "too_little_data")
    low, limit = float(min(history)), -math.log(alpha)
    verdict = Verdict.DRIFT if low > limit else Verdict.OK
    return Finding(
        None, VOLUME, low, limit, math.exp(-min(low, 700.0)), 0, int(np.median(history)), 0.0, verdict
    )


def _unusual(history: Sequence[int], events: int, alpha: float) -> Finding:
    score = score_volume(np.array(history, np.int64), events, alpha)
    usual = int(np.median(history)) if history else 0
    if score.value is None or score.limit is None:
        return Finding(
            None, VOLUME, None, None, None, events, usual, 0.0, Verdict.TOO_LITTLE_DATA, score.reason
        )
    far = events * _FACTOR < min(history) or events > _FACTOR * max(history)
    verdict = Verdict.DRIFT if score.value > score.limit and far else Verdict.OK
    return Finding(None, VOLUME, score.value, score.limit, score.p_value, events, usual, 0.0, verdict)


def _slice(
    state: FoldState, result: SliceResult, findings: Sequence[Finding], monitor: Monitor
) -> list[Alert]:
    readings = read(findings)
    changes = []
    for signal, reading in readings.items():
        name = _join(*_place(result.key, signal))
        tracked = state.tracked.get(name)
        if tracked is None and (reading.ratio <= 1.0 or len(state.tracked) >= _MOST_TRACKED):
            continue
        change = _step(state, name, tracked, signal, reading, result, monitor)
        if change is not None:
            changes.append(change)
    return changes


def _step(  # noqa: PLR0913, PLR0917 - one transition of the machine above
    state: FoldState, name: str, tracked: Tracked | None, signal: Signal, reading: Reading, result: SliceResult,
    monitor: Monitor,
) -> Alert | None:  # fmt: skip
    if tracked is None:
        tracked = state.tracked[name] = _begin(state, name, result)
    before, policy = tracked.state, monitor.alerts
    if reading.ratio > 1.0:
        tracked.over, tracked.under = tracked.over + 1, 0
        if before is State.PENDING:
            _describe(tracked, signal, reading, result, monitor)
        if tracked.over >= policy.for_windows:
            tracked.state = State.FIRING
    elif before is State.PENDING:
        del state.tracked[name]
        tracked.state = State.RESOLVED
    else:
        _cool(state, name, tracked, reading, policy)
    if tracked.state is before and not (before is State.PENDING and tracked.over == 1):
        return None
    tracked.at_ms = result.key.end_ms
    return _alert(tracked, signal, result.key)


def _cool(state: FoldState, name: str, tracked: Tracked, reading: Reading, policy: AlertPolicy) -> None:
    if reading.ratio <= policy.clear_ratio:
        tracked.under += 1
        if tracked.under >= policy.clear_windows:
            tracked.state = State.RESOLVED
            del state.tracked[name]


def _begin(state: FoldState, name: str, result: SliceResult) -> Tracked:
    start, end = result.key.start_ms, result.key.end_ms
    if not state.incident:
        state.incident = _identity("i", result.key.model, str(end))
    state.incident_quiet = 0
    made = _identity("a", result.key.model, name, str(start))
    return Tracked(made, state.incident, State.PENDING, 0, 0, start, end, Cause.DATA_DRIFT, Severity.INFO, "")


def _identity(kind: str, *parts: str) -> str:
    return f"{kind}-{xxhash.xxh3_64_hexdigest(_join(*parts).encode())}"


def _describe(
    tracked: Tracked, signal: Signal, reading: Reading, result: SliceResult, monitor: Monitor
) -> None:
    tracked.cause = cause_of(signal, reading.told)
    tracked.severity = severity_of(signal, reading.told, monitor)
    tracked.summary = sentence(signal, reading.told, result, tracked.cause)


def _close_incident(state: FoldState) -> None:
    """An incident is open while any of its alerts is, and some windows longer, so that what flickers stays one page."""
    if state.tracked:
        state.incident_quiet = 0
    elif state.incident:
        state.incident_quiet += 1
        if state.incident_quiet > _QUIET_BEFORE_NEW_INCIDENT:
            state.incident, state.incident_quiet = "", 0


def _place(key: WindowKey, signal: Signal) -> Place:
    role, feature = signal.column or ("", "")
    return Place(key.version, key.segment, key.window, str(role), feature, signal.rule)


def _join(*parts: str) -> str:
    return "\x1f".join(parts)


def _alert(tracked: Tracked, signal: Signal, key: WindowKey) -> Alert:
    return Alert(
        tracked.id, tracked.incident, key.model, key.version, key.segment, key.window, signal.column, signal.rule,
        tracked.cause, tracked.severity, tracked.state, tracked.since_ms, tracked.at_ms, tracked.summary,
    )  # fmt: skip


def open_alerts(state: FoldState, model: str) -> dict[str, Alert]:
    """The alerts that are pending or firing in this state, by id."""
    found = {}
    for name, tracked in state.tracked.items():
        place = Place(*name.split("\x1f"))
        key = WindowKey(model, place.version, place.segment, place.window, 0, 0)
        found[tracked.id] = _alert(tracked, _signal(place), key)
    return found
