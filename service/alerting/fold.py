"""The alert state machine, as a fold over windows in order.

    quiet --over--> pending --over for `for_windows`--> firing --under for `clear_windows`--> resolved (quiet)
      ^------not over-----|                               `----over: the count of quiet windows starts anew

"Over" is a worst finding above its limit, "under" one at or below `clear_ratio` of it; between the two what fires
stays as it is (hysteresis). Too little data moves nothing. A window without any such finding (no events, a feature
that nobody wants watched any more) is "under", so that nothing fires for ever.
Late rows restate a window: the fold is then taken up again from the state before it, so that replays agree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import xxhash

from service.alerting.effect import EFFECT, is_about_inputs, with_effect
from service.alerting.incidents import Newcomer, age, incident_for
from service.alerting.rules import (
    CONTRACT,
    EVIDENCE,
    LEARNED,
    VOLUME,
    Reading,
    Signal,
    cause_of,
    read,
    severity_of,
    signals_of,
)
from service.alerting.state import FoldState, Place, Tracked, alert_of, join, place_of
from service.alerting.volumes import VolumeTerms, is_watched, volumes_of
from service.alerting.wording import sentence, told_sentence
from service.contract.wording import sentence as clause_sentence
from service.messages import Alert, Cause, Column, Finding, Role, Severity, SliceResult, State, WindowKey

if TYPE_CHECKING:
    from service.diagnosis.diagnosis import Diagnosis
    from service.monitor import AlertPolicy, Monitor

_MOST_TRACKED = 20_000
_SURE = 0.9
"""A diagnosis of this confidence is not asked for again."""
_ASKED_AGAIN = 3
"""For so many windows a doubtful diagnosis may become a better one: with more rows more is known."""
_BETTER = 0.1
_MOST_ASKED, _MOST_ASKED_OF_SEGMENT = 12, 3
"""So many of the worst signals of a slice are diagnosed in one window. One costs some 20 ms, and where a hundred
columns ring at once the first ones tell what happened. The others are asked for in the windows after, while doubtful.
"""
_DISTRIBUTIONS = {Cause.DATA_DRIFT, Cause.PREDICTION_DRIFT}
_LEARNING = "its reference knows no hours, and live windows not yet a day: this may be usual at this hour"
_LEARNING_ERRORS = (
    "no reference tells how often it is wrong, live labels not yet a day: this may be usual at this hour"
)
_LAST = {Role.PREDICTION: 1, Role.SCORE: 1, Role.LABEL: 2}


class Folded(NamedTuple):
    """What one window changed: alerts whose state moved, and the findings that need the windows before it."""

    changes: Sequence[Alert]
    volumes: Sequence[tuple[WindowKey, Finding]]


Diagnose = Callable[[SliceResult, Sequence[Signal]], Mapping[Signal, "Diagnosis"]]
"""Why these signals of a slice ring; asked for what begins to ring, and again while the answer is doubtful."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How a window is folded: its monitor, the volumes' false-alarm probability (None: a window that was cut short, its
    volume says nothing), whether the model is still being learned, when trouble began, and who diagnoses.
    `only_silence`: whatever else is said of its volume. `jumped`: what happened in this very window.
    """

    monitor: Monitor
    alpha: float | None = None
    diagnose: Diagnose = lambda _result, _signals: {}
    since_ms: Callable[[SliceResult, Signal], int | None] = lambda _result, _signal: None
    learning: bool = False
    only_silence: bool = False
    jumped: Callable[[SliceResult, Signal], bool] = lambda _result, _signal: False


def fold(state: FoldState, window: WindowKey, results: Sequence[SliceResult], terms: Terms) -> Folded:
    """Take one window of one kind, all its slices with rows, into the state (which is changed).

    `window` names it with version and segment ''. No results means that no event of the model fell into it.
    """
    volumes: dict[WindowKey, Finding] = {}
    if terms.alpha is not None:
        how = VolumeTerms(terms.monitor, terms.alpha, terms.only_silence)
        volumes = volumes_of(state, window, results, how)
    changes: list[Alert] = []
    heard: set[Place] = set()
    for result in [*results, *_without_events(results, volumes)]:
        findings = [f for f in result.findings if f.method != VOLUME]
        if result.key in volumes:
            findings.append(volumes[result.key])
        heard.update(_place(result.key, signal) for signal in signals_of(findings))
        changes += _slice(state, result, read(findings, terms.monitor), terms)
    changes += _abandoned(state, window, heard, terms.monitor)
    age(state, window.end_ms)
    return Folded(changes, list(volumes.items()))


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
        place = place_of(name)
        silent = place.rule == "silence" and is_watched(place.segment, monitor)
        if place.window != window.window or place in heard or silent:
            continue
        tracked.under += 1
        if tracked.state is State.PENDING or tracked.under >= monitor.alerts.clear_windows:
            del state.tracked[name]
            tracked.state, tracked.at_ms = State.RESOLVED, window.end_ms
            changes.append(
                alert_of(tracked, place, window._replace(version=place.version, segment=place.segment))
            )
    return changes


def _slice(
    state: FoldState, result: SliceResult, readings: Mapping[Signal, Reading], terms: Terms
) -> list[Alert]:
    """Inputs first, then what the model says of them: consequences find the incident that they follow from."""
    order = sorted(
        readings, key=lambda s: (_LAST.get(s.column.role, 0) if s.column else 0, -readings[s].ratio)
    )
    asked = [s for s in order if readings[s].ratio > 1.0 and _wants_diagnosis(state, result, s, terms)]
    asked = asked[: _MOST_ASKED_OF_SEGMENT if result.key.segment else _MOST_ASKED]
    diagnoses = terms.diagnose(result, asked) if asked else {}
    order.sort(key=lambda s: -diagnoses[s].confidence if s in diagnoses else 0.0)
    order.sort(key=lambda s: _LAST.get(s.column.role, 0) if s.column else 0)
    changes = []
    for signal in order:
        name = _place(result.key, signal).name
        tracked = state.tracked.get(name)
        if tracked is None and (readings[signal].ratio <= 1.0 or len(state.tracked) >= _MOST_TRACKED):
            continue
        seen = _Seen(result, signal, readings[signal], diagnoses.get(signal))
        change = _step(state, name, seen, terms)
        if change is not None:
            changes.append(change)
    return changes


class _Seen(NamedTuple):
    """What one window says of one signal."""

    result: SliceResult
    signal: Signal
    reading: Reading
    diagnosis: Diagnosis | None


def _wants_diagnosis(state: FoldState, result: SliceResult, signal: Signal, terms: Terms) -> bool:
    """Whatever begins, what is doubtful still, and a drift in which something else happens now."""
    tracked = state.tracked.get(_place(result.key, signal).name)
    if tracked is None:
        return True
    doubtful = (tracked.confidence or 0.0) < _SURE and signal.rule != "silence"
    return doubtful and (tracked.over <= _ASKED_AGAIN or terms.jumped(result, signal))


def _step(state: FoldState, name: str, seen: _Seen, terms: Terms) -> Alert | None:
    """One transition of the machine above."""
    tracked = state.tracked.get(name)
    if tracked is None:
        tracked = state.tracked[name] = _begin(seen, name, terms)
    before, policy = tracked.state, terms.monitor.alerts
    said, words = (tracked.cause, tracked.severity), _words(tracked)
    if seen.reading.ratio > 1.0:
        tracked.over, tracked.under = tracked.over + 1, 0
        if before is State.PENDING or _is_better(seen.diagnosis, tracked):
            _describe(state, tracked, seen, terms)
        if tracked.over >= policy.for_windows:
            tracked.state = State.FIRING
    elif before is State.PENDING:
        del state.tracked[name]
        tracked.state = State.RESOLVED
    else:
        _cool(state, name, tracked, seen.reading, policy)
    if seen.reading.ratio > 1.0 and is_about_inputs(seen.signal):
        tracked.evidence = with_effect(tracked.evidence, seen.result.findings)
    renamed = tracked.state is State.FIRING and (tracked.cause, tracked.severity) != said
    begun = before is State.PENDING and tracked.over == 1
    reworded = tracked.state is State.FIRING and _words(tracked) != words
    if tracked.state is before and not (renamed or begun or reworded):
        return None
    if tracked.state is not before or renamed or begun:
        tracked.at_ms = seen.result.key.end_ms
    return alert_of(tracked, place_of(name), seen.result.key)


def _words(tracked: Tracked) -> tuple[str, float | str | None]:
    return tracked.summary, tracked.evidence.get(EFFECT)


def _is_better(diagnosis: Diagnosis | None, tracked: Tracked) -> bool:
    return diagnosis is not None and diagnosis.confidence > (tracked.confidence or 0.0) + _BETTER


def _cool(state: FoldState, name: str, tracked: Tracked, reading: Reading, policy: AlertPolicy) -> None:
    if reading.ratio <= policy.clear_ratio:
        tracked.under += 1
        if tracked.under >= policy.clear_windows:
            tracked.state = State.RESOLVED
            del state.tracked[name]


def _begin(seen: _Seen, name: str, terms: Terms) -> Tracked:
    key = seen.result.key
    since = terms.since_ms(seen.result, seen.signal)
    start = key.start_ms if since is None else min(since, key.start_ms)
    made = _identity("a", key.model, name, str(key.start_ms))
    return Tracked(
        made,
        "",
        State.PENDING,
        0,
        0,
        start,
        key.end_ms,
        cause_of(seen.signal, seen.reading.told),
        Severity.INFO,
        "",
    )


def _identity(kind: str, *parts: str) -> str:
    return f"{kind}-{xxhash.xxh3_64_hexdigest(join(*parts).encode())}"


def _describe(state: FoldState, tracked: Tracked, seen: _Seen, terms: Terms) -> None:
    """Say what happened: by its diagnosis if there is one, else by what was counted."""
    signal, told, found = seen.signal, seen.reading.told, seen.diagnosis
    has_paged = tracked.severity is Severity.PAGE
    tracked.cause = cause_of(signal, told) if found is None else found.cause
    tracked.severity = severity_of(signal, tracked.cause, terms.monitor)
    columns = [c for c in (signal.column, *(found.columns if found else ())) if c is not None]
    tracked.columns = [(c.role, c.name) for c in dict.fromkeys(columns)]
    if found is None:
        said = broken_clause(terms.monitor, told) if signal.rule == CONTRACT else None
        tracked.summary = (
            told_sentence(said, signal, seen.result)
            if said
            else sentence(signal, told, seen.result, tracked.cause)
        )
        tracked.confidence, tracked.evidence = None, {}
    else:
        tracked.summary = told_sentence(found.sentence, signal, _examined(seen.result, found))
        tracked.confidence = round(found.confidence, 3)
        tracked.evidence = {**found.evidence, **_alternatives(found)}
    tracked.evidence |= _references(seen)
    _settle(state, tracked, seen, terms, has_paged=has_paged)


def _examined(result: SliceResult, found: Diagnosis) -> SliceResult:
    """The slice over all rows that the diagnosis is of: its shares are shares of these."""
    if found.examined is None:
        return result
    start_ms, inferences, labels = found.examined
    return replace(result, key=result.key._replace(start_ms=start_ms), inferences=inferences, labels=labels)


def broken_clause(monitor: Monitor, finding: Finding) -> str | None:
    """What a contract says of a finding about one of its clauses."""
    return None if monitor.contract is None else clause_sentence(monitor.contract, finding)


def _alternatives(found: Diagnosis) -> dict[str, float | str]:
    return {"could also be": "; ".join(found.alternatives)} if found.alternatives else {}


def _references(seen: _Seen) -> dict[str, float | str]:
    """What a changed distribution is unlike: training, the recent past; and what it is likest."""
    said = [
        finding.reason
        for finding in seen.result.findings
        if (finding.column, finding.method) == (seen.signal.column, EVIDENCE) and finding.reason
    ]
    return {"references": said[0]} if said and seen.signal.rule == "drift" else {}


def _settle(state: FoldState, tracked: Tracked, seen: _Seen, terms: Terms, *, has_paged: bool) -> None:
    """Find the incident. What follows from another page wakes nobody again; nor does what is still being learned."""
    key = seen.result.key
    if terms.learning and (tracked.cause in _DISTRIBUTIONS or seen.signal.rule in LEARNED):
        tracked.evidence |= {"learning": _LEARNING if tracked.cause in _DISTRIBUTIONS else _LEARNING_ERRORS}
        tracked.severity = Severity.TICKET if tracked.severity is Severity.PAGE else tracked.severity
    new = Newcomer(
        [Column(*c) for c in tracked.columns], tracked.cause, tracked.severity, tracked.since_ms, key.start_ms,
        key.end_ms, tracked.incident,
    )  # fmt: skip
    joined = incident_for(state, key.model, new)
    tracked.incident = joined.incident.id
    tracked.consequence = joined.consequence or _is_told(state, tracked, seen)
    if tracked.consequence and not has_paged and (joined.had_paged or tracked.severity is not Severity.PAGE):
        tracked.severity = Severity.INFO


def _is_told(state: FoldState, tracked: Tracked, seen: _Seen) -> bool:
    """Whether the same is said already of a shorter or longer window."""
    mine = _place(seen.result.key, seen.signal)
    return any(
        other is not tracked and other.state is State.FIRING and other.cause is tracked.cause
        and place_of(name)._replace(window=mine.window) == mine
        for name, other in state.tracked.items()
    )  # fmt: skip


def _place(key: WindowKey, signal: Signal) -> Place:
    role, feature = signal.column or ("", "")
    return Place(key.version, key.segment, key.window, str(role), feature, signal.rule)
