"""What a back-test came to, in one sentence and as values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.alerting.would_have import WouldHavePaged, incidents_of, pages_in, rung_by, tickets_in
from service.monitor import DAY_MS

if TYPE_CHECKING:
    from service.backtest.backtest import Backtested

MOST_INCIDENTS = 200


def hindsight_said(one: Backtested) -> str:
    """How often it would have paged, beside what did page, and what people said of that."""
    seen, model = one.hindsight, one.monitor.model
    paged = pages_in(incidents_of(one.tally.fired))
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


def would_have_paged(one: Backtested) -> WouldHavePaged:
    """What one monitor would have rung for."""
    seen, tally = one.hindsight, one.tally
    incidents = incidents_of(tally.fired)
    days = 0.0 if tally.start_ms is None else (tally.end_ms - tally.start_ms) / DAY_MS
    return WouldHavePaged(
        one.monitor.model, hindsight_said(one), days, pages_in(incidents), tickets_in(incidents),
        seen.paged_then, seen.caught, seen.true_alarms, seen.again, seen.false_alarms, seen.outside, one.panes,
        tally.windows, one.notes, tuple(map(rung_by, incidents[:MOST_INCIDENTS])),
        max(0, len(incidents) - MOST_INCIDENTS),
    )  # fmt: skip
