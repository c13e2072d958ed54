"""Incidents in words and lines, for a person at a terminal: the root first, what follows from it below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table

from service.alerting.effect import EFFECT, effect_said
from service.cli import tables
from service.dead_letters.readable import visible
from service.plurals import counted
from service.reports.phrases import minute

if TYPE_CHECKING:
    from service.store.incidents import IncidentRow
    from service.store.ledger import Ledger
    from service.store.marks import Mark
    from service.store.result_queries import AlertRow

_COLUMNS = (
    *tables.whole("incident", "model", "since (UTC)", "until", "severity", "cause"), *tables.numbers("alerts"),
    *tables.whole("who has it", "mark"), tables.line("what"),
)  # fmt: skip
_WORDS = {"false_alarm": "a false alarm", "true_alarm": "a true alarm", "expected": "expected"}


def table_of(incidents: Sequence[IncidentRow]) -> Table:
    """One line an incident."""
    rows = (
        (
            one.id, one.model, minute(one.since_ms), _until(one), one.severity, one.cause, str(one.alerts),
            one.acknowledged_by or "", (one.verdict or "").removesuffix("_alarm"), one.summary,
        )
        for one in incidents
    )  # fmt: skip
    return tables.table_of(_COLUMNS, rows)


def _until(one: IncidentRow) -> str:
    if one.until_ms is not None:
        return minute(one.until_ms)
    return "open" if one.fired_ms is not None else "pending"


def lines_of(
    one: IncidentRow, alerts: Sequence[AlertRow], marks: Sequence[Mark], standing: Sequence[str] = ()
) -> Iterator[str]:
    """Everything about one incident."""
    ended = "still open" if one.until_ms is None else f"ended {minute(one.until_ms)} UTC"
    yield visible(f"incident {one.id} of model {one.model}: {one.severity}, {one.cause}, {one.state}")
    yield f"  began {minute(one.since_ms)} UTC, {ended}"
    if effect := effect_said(alert.evidence for alert in alerts):
        yield visible(f"  {effect}")
    yield from standing
    for mark in marks:
        at = mark.marked_at.strftime("%Y-%m-%d %H:%M")
        yield visible(f"  marked {_WORDS[mark.verdict]} by {mark.who} at {at} UTC: {mark.why}")
    for consequence, title in ((False, "because of"), (True, "from which follow")):
        some = [alert for alert in alerts if alert.consequence is consequence]
        if some:
            yield ""
            yield f"{title}:"
        for alert in some:
            yield from _alert_lines(alert)


def _alert_lines(alert: AlertRow) -> Iterator[str]:
    place = " ".join(
        filter(None, (f"version {alert.version}" if alert.version else "", alert.segment, alert.window))
    )
    said = alert.summary or f"{alert.feature or 'the model'}: {alert.rule}"
    yield visible(f"  {alert.severity:<6} {alert.state:<8} {alert.cause:<18} {said}")
    yield visible(f"    {alert.id}, {place}, since {minute(alert.since_ms)} UTC")
    sure = "" if alert.confidence is None else f"confidence {alert.confidence:.2f}"
    facts = ", ".join(
        f"{name} {_fact(value)}" for name, value in sorted(alert.evidence.items()) if name != EFFECT
    )
    if sure or facts:
        yield visible(f"    {'; '.join(filter(None, (sure, facts)))}")


def _fact(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, int | float) else str(value)


def spent_of(ledger: Ledger) -> str:
    """What the budget has left, in one sentence."""
    days = (ledger.until_ms - ledger.since_ms) / 86_400_000
    period = f"the last {days:g} {'day' if days == 1 else 'days'}"
    unmarked = f", {ledger.unmarked} not marked yet" if ledger.unmarked else ""
    return visible(
        f"model {ledger.model}: {counted(ledger.paged, 'page')} in {period}, "
        f"{ledger.marked_false} of them false{unmarked}; "
        f"{ledger.promised:g} false allowed, {ledger.spent:.0%} of the budget is spent"
    ).replace("%", " %")
