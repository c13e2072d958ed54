"""What a replay would have told: incidents with their alerts, and how many pages that is beside what was promised."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from service.alerting.would_have import incidents_of, pages_in, severity_of, tickets_in
from service.monitor import DAY_MS, format_duration
from service.plurals import counted

if TYPE_CHECKING:
    from service.messages import Alert
    from service.monitor import Monitor
    from service.replay import Tally


def summary_of(tally: Tally, monitors: Sequence[Monitor]) -> Iterator[str]:
    """Lines for a terminal: the incidents of each model in their order, then the count of pages."""
    for monitor in monitors:
        incidents = incidents_of([a for a in tally.fired if a.model == monitor.model])
        for alerts in incidents:
            yield from _lines(alerts)
        if tally.start_ms is not None:
            yield _verdict(monitor, incidents, tally.end_ms - tally.start_ms)


def _lines(alerts: Sequence[Alert]) -> Iterator[str]:
    root, *others = alerts
    yield f"{severity_of(alerts).value:6s} {root.cause.value}: {root.summary}"
    for alert in others:
        follows = "follows from it" if alert.consequence else alert.severity.value
        yield f"         {follows}: {alert.summary}"


def _verdict(monitor: Monitor, incidents: Sequence[Sequence[Alert]], span_ms: int) -> str:
    paged = pages_in(incidents)
    tickets = tickets_in(incidents)
    days = span_ms / DAY_MS
    promised = f"at most {monitor.budget.false_pages:g} false in {format_duration(monitor.budget.per_ms)}"
    return (
        f"{monitor.model}: {counted(paged, 'page')} and {counted(tickets, 'ticket')} "
        f"in {days:.3g} days; promised are {promised}"
    )
