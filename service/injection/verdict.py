"""Judges a game day: the alerts of a faulted log against those of the clean one and what the fault should ring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from service.injection.fault import Expected
from service.messages import Alert, Severity

CONSEQUENT = frozenset({"prediction", "score", "performance", "label"})
"""Columns that may move with any fault: what is said of them is no false page."""


class Outcome(StrEnum):
    """How a drill ended. A harmless fault is QUIET when it should be, RANG when something did."""

    FOUND = "found"
    MISSED = "missed"
    QUIET = "quiet"
    RANG = "rang"


@dataclass(frozen=True)
class Verdict:
    """What came of one drill. `delay_windows` is from the fault's begin to the end of the window that rang.

    `named`: an alert on the right column says the right cause. `false_pages` and `false_tickets` are incidents that
    neither the clean log has nor the fault explains. `alert` is the first right one, or the first false one.
    """

    outcome: Outcome
    named: bool
    delay_windows: float | None
    false_pages: int
    false_tickets: int
    alert: Alert | None
    masked: bool = False

    @property
    def is_good(self) -> bool:
        """Whether it was found, or rightly left alone."""
        return self.outcome in {Outcome.FOUND, Outcome.QUIET}


@dataclass(frozen=True)
class Clean:
    """What the clean log rings, without what is only recorded."""

    alerts: Sequence[Alert]

    @property
    def incidents(self) -> Sequence[Alert]:
        """The first alert of each incident."""
        return first_of_incidents(self.alerts)

    def has(self, alert: Alert, expected: Expected) -> bool:
        """Whether an alert of the faulted log is the clean log's own: the same one, or of the same place and cause.

        Of a column that is expected to ring only the same one counts.
        """
        if any(_identity(alert) == _identity(own) for own in self.alerts):
            return True
        return not is_expected(alert, expected) and any(_place(alert) == _place(own) for own in self.alerts)


def ringing(fired: Sequence[Alert]) -> Sequence[Alert]:
    """Pages and tickets in the order in which they are known."""
    return sorted((a for a in fired if a.severity is not Severity.INFO), key=lambda a: (a.at_ms, a.since_ms))


def first_of_incidents(alerts: Sequence[Alert]) -> Sequence[Alert]:
    """The alert that each incident began with."""
    firsts: dict[str, Alert] = {}
    for alert in alerts:
        firsts.setdefault(alert.incident, alert)
    return list(firsts.values())


def is_expected(alert: Alert, expected: Expected) -> bool:
    """Whether it is on a column where the fault should ring. The model as a whole counts only with the right cause."""
    if expected.features is None or alert.feature is None:
        return (expected.features is None or None in expected.features) and alert.cause in expected.causes
    return alert.feature in expected.features


def judge(
    clean: Clean, faulted: Sequence[Alert], expected: Expected, from_ms: int, window_ms: int
) -> Verdict:
    """The verdict on a fault that began at `from_ms`; `window_ms` is the shortest window."""
    fresh = [a for a in ringing(faulted) if not clean.has(a, expected)]
    right = [a for a in fresh if a.at_ms > from_ms and is_expected(a, expected)]
    false = _false(fresh, right, from_ms)
    pages = sum(a.severity is Severity.PAGE for a in false)
    if expected.is_quiet:
        outcome = Outcome.RANG if false else Outcome.QUIET
    else:
        outcome = Outcome.FOUND if right else Outcome.MISSED
    shown = next(iter([*right, *false]), None)
    return Verdict(
        outcome, any(a.cause in expected.causes for a in right),
        (right[0].at_ms - from_ms) / window_ms if right else None, pages, len(false) - pages, shown,
        masked=not right and any(is_expected(a, expected) for a in clean.alerts),
    )  # fmt: skip


def _false(fresh: Sequence[Alert], right: Sequence[Alert], from_ms: int) -> Sequence[Alert]:
    own = {a.incident for a in right}
    return [
        a for a in first_of_incidents(fresh)
        if a.at_ms <= from_ms or (a.incident not in own and not (right and a.feature in CONSEQUENT))
    ]  # fmt: skip


def _place(alert: Alert) -> tuple[object, ...]:
    return alert.version, alert.segment, alert.window, alert.column, alert.cause


def _identity(alert: Alert) -> tuple[object, ...]:
    return *_place(alert), alert.since_ms
