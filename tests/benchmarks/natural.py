"""Natural order, nothing injected: how often driftbell and the plain rules ring, and on what.

The rows come as they came: bicycles from September 2011 to the end of 2012 after a reference of the 250 days before,
electricity from March 1997 on. A run of ringing windows is one page of a rival; driftbell's pages are incidents.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from service.messages import Alert, Severity
from service.monitor import DAY_MS
from tests.benchmarks.cases import Built, Case, build
from tests.benchmarks.rivals import RULES, runs_of
from tests.benchmarks.single_faults import DRIFTBELL

MONTH_MS = 30 * DAY_MS


@dataclass(frozen=True)
class Told:
    """An incident: the row of the table with which its window ended, how loud it is, and its first sentence."""

    case: str
    row: int
    severity: str
    cause: str
    feature: str
    said: str


@dataclass(frozen=True)
class Months:
    """What one rule made of one stream."""

    case: str
    rule: str
    windows: int
    ringing: int
    pages: int
    tickets: int
    months: float

    @property
    def a_month(self) -> float:
        """Pages and tickets a month."""
        return (self.pages + self.tickets) / self.months


def months(cases: Sequence[Case], folder: Path) -> Iterator[tuple[Months, Sequence[Told]]]:
    """Every stream, by driftbell and by each rival."""
    for case in cases:
        built = build(case, folder)
        yield _of_driftbell(built)
        yield from ((one, ()) for one in _of_rivals(built))


def _of_driftbell(built: Built) -> tuple[Months, Sequence[Told]]:
    case, rings = built.case, built.rings()
    incidents: dict[str, list[Alert]] = {}
    for ring in rings:
        incidents.setdefault(ring.alert.incident, []).append(ring.alert)
    first = built.model.table.later
    told = [
        Told(
            case.name, first + round((alerts[0].at_ms - case.start_ms) / case.window_ms * case.rows),
            _loudest(alerts), alerts[0].cause.value, alerts[0].feature or "", alerts[0].summary,
        )
        for alerts in incidents.values()
    ]  # fmt: skip
    pages = sum(one.severity == Severity.PAGE for one in told)
    length = case.windows * case.window_ms / MONTH_MS
    ringing = len({ring.at for ring in rings})
    return Months(case.name, DRIFTBELL, case.windows, ringing, pages, len(told) - pages, length), told


def _loudest(alerts: Sequence[Alert]) -> str:
    return str(Severity.PAGE if any(a.severity is Severity.PAGE for a in alerts) else alerts[0].severity)


def _of_rivals(built: Built) -> Iterator[Months]:
    case, windows = built.case, list(built.windows())
    for name, made in RULES.items():
        rule = made(built.reference, case.rows)
        rings = [bool(rule(window)) for window in windows]
        length = case.windows * case.window_ms / MONTH_MS
        yield Months(case.name, name, case.windows, sum(rings), runs_of(rings), 0, length)
