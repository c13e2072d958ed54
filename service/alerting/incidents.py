"""Which alerts share a cause: one incident, and so one page.

A new alert joins an incident, in this order, when
1. its cause explains a column that the incident is about, or the other way round (in any slice or window), or both
   are about how predictions turned out,
2. it is about an answer of the model (prediction, score, errors), and the incident about its inputs: a consequence,
3. it began together with the incident: one change of the producer broke several fields,
4. both are tickets about changed distributions: a slow drift of many columns is one ticket.
Else it opens one. An incident is open while any of its alerts is; what returns soon after reopens it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import xxhash

from service.alerting.state import FoldState, Incident, join
from service.messages import Cause, Column, Role, Severity

REOPENED_WITHIN = 24
"""Windows after which what returns is a new incident."""
_JOINED_WITHIN = 2
"""Windows for which an incident that has become quiet still takes in what is no return."""
_MOST = 200
_DRIFTS = {Cause.DATA_DRIFT, Cause.PREDICTION_DRIFT, Cause.NEW_CATEGORY}
_ANSWERS = {Role.PREDICTION, Role.SCORE}
_OUTCOMES = {
    Cause.CONCEPT_DRIFT, Cause.PERFORMANCE, Cause.SUBGROUP_GAP, Cause.BELOW_BASELINE, Cause.VERSION_REGRESSION,
}  # fmt: skip
_OF_ANSWERS = {Cause.PREDICTION_DRIFT, Cause.STUCK_PREDICTION, *_OUTCOMES}
_ALONE = {Cause.SILENCE, Cause.PIPELINE}


@dataclass(frozen=True, slots=True)
class Newcomer:
    """An alert that begins, or is better understood: what it is about, its cause, the window in which it was seen, and
    the incident that it is in already.
    """

    columns: Sequence[Column]
    cause: Cause
    severity: Severity
    since_ms: int
    start_ms: int
    end_ms: int
    incident: str = ""

    @property
    def of_answers(self) -> bool:
        """Whether it speaks of what the model says, not of what it is told."""
        return self.cause in _OF_ANSWERS or any(c.role in _ANSWERS for c in self.columns)


@dataclass(frozen=True, slots=True)
class Joined:
    """The incident of a newcomer, whether the newcomer only follows from it, and whether it had woken somebody."""

    incident: Incident
    consequence: bool
    had_paged: bool = False


def incident_for(state: FoldState, model: str, new: Newcomer) -> Joined:
    """The incident that an alert belongs to: the one that it is in already, else one that it joins, else a new one."""
    found = _of_id(state, new.incident) or _that_it_joins(state, new)
    if found is not None:
        joined = Joined(found, _follows(found, new), found.paged)
        _extend(found, new)
        return joined
    first = "\x1f".join(new.columns[0]) if new.columns else ""
    name = join(model, str(new.end_ms), new.cause, first)
    made = Incident(f"i-{xxhash.xxh3_64_hexdigest(name.encode())}", new.since_ms, new.end_ms)
    _extend(made, new)
    state.incidents.append(made)
    return Joined(made, consequence=False)


def _of_id(state: FoldState, incident_id: str) -> Incident | None:
    return next((one for one in state.incidents if one.id == incident_id), None)


def _that_it_joins(state: FoldState, new: Newcomer) -> Incident | None:
    for joins in (_shares, _follows, _together, _both_drift):
        for incident in reversed(state.incidents):
            if joins(incident, new):
                return incident
    return None


def _follows(incident: Incident, new: Newcomer) -> bool:
    return new.of_answers and _is_of_inputs(incident) and _is_fresh(incident, new)


def _shares(incident: Incident, new: Newcomer) -> bool:
    """The same trouble: within a day of windows after it went quiet it has come back."""
    return incident.quiet_at(new.end_ms) <= REOPENED_WITHIN and (
        any((c.role, c.name) in incident.columns for c in new.columns)
        or (not new.columns and new.cause in incident.causes)
        or (new.cause in _OUTCOMES and bool(_OUTCOMES & set(incident.causes)))
    )


def _together(incident: Incident, new: Newcomer) -> bool:
    return (
        _is_fresh(incident, new)
        and new.cause not in _ALONE
        and not _ALONE & set(incident.causes)
        and not (_is_drift(new) and not _is_drift_only(incident))
        and abs(incident.since_ms - new.since_ms) <= new.end_ms - new.start_ms
    )


def _both_drift(incident: Incident, new: Newcomer) -> bool:
    return incident.quiet_at(new.end_ms) <= _JOINED_WITHIN and _is_drift(new) and _is_drift_only(incident)


def _is_fresh(incident: Incident, new: Newcomer) -> bool:
    """Open now, or until a moment ago."""
    return incident.quiet_at(new.end_ms) <= 1


def _is_drift(new: Newcomer) -> bool:
    return new.cause in _DRIFTS and new.severity is not Severity.PAGE


def _is_drift_only(incident: Incident) -> bool:
    return not incident.paged and bool(_DRIFTS & set(incident.causes))


def _is_of_inputs(incident: Incident) -> bool:
    return any(role is Role.FEATURE for role, _ in incident.columns)


def _extend(incident: Incident, new: Newcomer) -> None:
    if not (incident.columns and new.cause is Cause.CORRELATION_BREAK):  # it speaks of no column by itself
        incident.columns += [
            (c.role, c.name) for c in new.columns if (c.role, c.name) not in incident.columns
        ]
    incident.causes += [new.cause] if new.cause not in incident.causes else []
    incident.paged |= new.severity is Severity.PAGE
    incident.last_ms = max(incident.last_ms, new.end_ms)
    incident.length_ms = max(incident.length_ms, new.end_ms - new.start_ms)


def age(state: FoldState, end_ms: int) -> None:
    """A window has passed: incidents with an open alert last on, those that are quiet for long are forgotten."""
    open_now = {tracked.incident for tracked in state.tracked.values()}
    for incident in state.incidents:
        if incident.id in open_now:
            incident.last_ms = max(incident.last_ms, end_ms)
    kept = [i for i in state.incidents if i.quiet_at(end_ms) <= REOPENED_WITHIN]
    state.incidents = kept[-_MOST:]
