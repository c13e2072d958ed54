"""What a replay would have told: incidents with their alerts, and how many pages that is beside what was promised."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from service.messages import Severity
from service.monitor import DAY_MS, format_duration

if TYPE_CHECKING:
    from service.backtest.backtest import Backtested
    from service.messages import Alert
    from service.monitor import Monitor
    from service.replay import Tally

_ORDER = tuple(Severity)


def summary_of(tally: Tally, monitors: Sequence[Monitor]) -> Iterator[str]:
    """Lines for a terminal: the incidents of each model in their order, then the count of pages."""
    for monitor in monitors:
        incidents = _incidents([a for a in tally.fired if a.model == monitor.model])
        for alerts in incidents:
            yield from _lines(alerts)
        if tally.start_ms is not None:
            yield _verdict(monitor, incidents, tally.end_ms - tally.start_ms)


def _incidents(fired: Sequence[Alert]) -> list[list[Alert]]:
    """The alerts of each incident, what woke somebody first and consequences last; each alert as it was told last."""
    by_incident: dict[str, dict[str, Alert]] = {}
    for alert in fired:
        by_incident.setdefault(alert.incident, {})[alert.id] = alert
    return [
        sorted(alerts.values(), key=lambda a: (a.consequence, _ORDER.index(a.severity), a.at_ms))
        for alerts in by_incident.values()
    ]


def _lines(alerts: Sequence[Alert]) -> Iterator[str]:
    root, *others = alerts
    yield f"{root.severity.value:6s} {root.cause.value}: {root.summary}"
    for alert in others:
        follows = "follows from it" if alert.consequence else alert.severity.value
        yield f"         {follows}: {alert.summary}"


def _verdict(monitor: Monitor, incidents: Sequence[Sequence[Alert]], span_ms: int) -> str:
    paged = _pages(incidents)
    tickets = sum(alerts[0].severity is Severity.TICKET for alerts in incidents)
    days = span_ms / DAY_MS
    promised = f"at most {monitor.budget.false_pages:g} false in {format_duration(monitor.budget.per_ms)}"
    return (
        f"{monitor.model}: {paged} {'page' if paged == 1 else 'pages'} and {tickets} "
        f"{'ticket' if tickets == 1 else 'tickets'} in {days:.3g} days; promised are {promised}"
    )


def _pages(incidents: Sequence[Sequence[Alert]]) -> int:
    return sum(any(a.severity is Severity.PAGE for a in alerts) for alerts in incidents)


def hindsight_line(one: Backtested) -> str:
    """How often it would have paged, beside what did page, and what people said of that."""
    seen, model = one.hindsight, one.monitor.model
    paged = _pages(_incidents(one.tally.fired))
    would = f"would have paged {_times(paged)}" if paged else "would not have paged"
    did = f"paged {_times(seen.paged_then)}" if seen.paged_then else "did not page"
    said = [f"{model}: {would}; the monitors of then {did}"]
    if seen.true_alarms:
        said.append(f"caught {seen.caught} of {seen.true_alarms} incidents marked as true alarms")
    if seen.false_alarms:
        said.append(f"would ring again for {seen.again} of {seen.false_alarms} marked as false alarms")
    if not (seen.true_alarms or seen.false_alarms):
        said.append("none of its incidents of that time are marked (`driftbell incidents mark`)")
    if seen.outside:
        said.append(f"{seen.outside} marked {'one is' if seen.outside == 1 else 'ones are'} of other times")
    return "; ".join(said)


def _times(n: int) -> str:
    return "once" if n == 1 else f"{n} times"
