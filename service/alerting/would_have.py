"""What other monitors would have rung for: alerts that were never sent, put together as the incidents they had been."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.messages import Cause, Severity

if TYPE_CHECKING:
    from service.messages import Alert

_ORDER = tuple(Severity)


@dataclass(frozen=True, slots=True)
class WouldHaveRung:
    """One incident that a back-test would have opened, told by its root; `others` are its further alerts."""

    severity: Severity
    cause: str
    summary: str
    since_ms: int
    at_ms: int
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WouldHavePaged:
    """What one monitor would have rung for in `days`, beside what paged then and what people said of that.

    `caught` of `true_alarms` marked incidents, and `again` of `false_alarms`; `outside` are marked ones of other
    times. `notes` say what to know of the answer, `more_incidents` how many are not in the list.
    """

    model: str
    sentence: str
    days: float
    pages: int
    tickets: int
    paged_then: int
    caught: int
    true_alarms: int
    again: int
    false_alarms: int
    outside: int
    panes: int
    windows: int
    notes: tuple[str, ...] = ()
    incidents: tuple[WouldHaveRung, ...] = ()
    more_incidents: int = 0


def incidents_of(fired: Sequence[Alert]) -> list[list[Alert]]:
    """The alerts of each incident, its root first, as `service.store.incidents.alerts_of` has those that were stored.

    `fired` are firing alerts in the order of time; each is taken as it was told last.
    """
    by_incident: dict[str, dict[str, Alert]] = {}
    fired_ms: dict[str, int] = {}
    for alert in fired:
        by_incident.setdefault(alert.incident, {})[alert.id] = alert
        fired_ms.setdefault(alert.id, alert.at_ms)
    return [
        sorted(alerts.values(), key=lambda one: _rootness(one, fired_ms[one.id]))
        for alerts in by_incident.values()
    ]


def _rootness(alert: Alert, fired_ms: int) -> tuple[bool, int, bool, float, int, int]:
    confidence = -1.0 if alert.confidence is None else alert.confidence
    parted = alert.cause is Cause.CORRELATION_BREAK
    return alert.consequence, _ORDER.index(alert.severity), parted, -confidence, fired_ms, alert.since_ms


def severity_of(alerts: Sequence[Alert]) -> Severity:
    """Of an incident: the worst of its alerts."""
    return min((alert.severity for alert in alerts), key=_ORDER.index)


def pages_in(incidents: Sequence[Sequence[Alert]]) -> int:
    """How many of them wake somebody."""
    return sum(severity_of(alerts) is Severity.PAGE for alerts in incidents)


def tickets_in(incidents: Sequence[Sequence[Alert]]) -> int:
    """How many of them are for working hours."""
    return sum(severity_of(alerts) is Severity.TICKET for alerts in incidents)


def rung_by(alerts: Sequence[Alert]) -> WouldHaveRung:
    """One incident, given its alerts in their order."""
    root, *others = alerts
    return WouldHaveRung(
        severity_of(alerts), root.cause.value, root.summary, root.since_ms, root.at_ms,
        tuple(one.summary for one in others),
    )  # fmt: skip
