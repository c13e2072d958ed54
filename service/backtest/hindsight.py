"""Whether a back-test rings for the incidents that people have marked: the right ones, and the false alarms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service.messages import Alert, Severity, State
from service.store.marks import AlarmVerdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from service.store.marked import MarkedIncident, Remembered

_LOUDEST_FIRST = [severity.value for severity in Severity]


@dataclass(frozen=True, slots=True)
class Hindsight:
    """`caught` of `true_alarms`, and `again` of `false_alarms`, rang in the back-test at least as loud as they did.

    `paged_then` are the pages of the same time under the monitors of then; `outside` are marked incidents of other
    times.
    """

    paged_then: int = 0
    caught: int = 0
    true_alarms: int = 0
    again: int = 0
    false_alarms: int = 0
    outside: int = 0


@dataclass
class Heard:
    """The alerts that fired in a back-test, by id: as they were told last, and when they were resolved."""

    fired: dict[str, Alert] = field(default_factory=dict)
    over_ms: dict[str, int] = field(default_factory=dict)

    def hear(self, alerts: Iterable[Alert]) -> None:
        """Take changes of alerts in their order."""
        for alert in alerts:
            if alert.state is State.FIRING:
                self.fired[alert.id] = alert
                self.over_ms.pop(alert.id, None)
            elif alert.state is State.RESOLVED and alert.id in self.fired:
                self.over_ms[alert.id] = alert.at_ms

    def rings_for(self, marked: MarkedIncident) -> bool:
        """Whether something as loud was wrong at the same time, with one of its features or of the same cause."""
        return any(self._is_about(alert, marked) for alert in self.fired.values())

    def _is_about(self, alert: Alert, marked: MarkedIncident) -> bool:
        over_ms = self.over_ms.get(alert.id)
        return (
            _LOUDEST_FIRST.index(alert.severity.value) <= _LOUDEST_FIRST.index(marked.severity)
            and (marked.until_ms is None or alert.since_ms <= marked.until_ms)
            and (over_ms is None or over_ms >= marked.since_ms)
            and (alert.feature in marked.features or alert.cause.value in marked.causes)
        )


def hindsight_of(heard: Heard, remembered: Remembered, start_ms: int, end_ms: int) -> Hindsight:
    """Hold a back-test of (start, end] against what people said."""
    inside = [one for one in remembered.marked if start_ms < one.fired_ms <= end_ms]
    right = [one for one in inside if one.verdict is AlarmVerdict.TRUE_ALARM]
    wrong = [one for one in inside if one.verdict is AlarmVerdict.FALSE_ALARM]
    return Hindsight(
        remembered.paged, sum(map(heard.rings_for, right)), len(right), sum(map(heard.rings_for, wrong)),
        len(wrong), len(remembered.marked) - len(inside),
    )  # fmt: skip
