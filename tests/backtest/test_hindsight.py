"""Whether a back-test rings for a marked incident: at the same time, about the same, and at least as loud."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.backtest.hindsight import Heard, Hindsight, hindsight_of
from service.messages import Alert, Cause, Column, Role, Severity, State
from service.store.marked import MarkedIncident, Remembered
from service.store.marks import AlarmVerdict

# minute    0    10    20    30    40
# marked         |-----------|
MARKED = MarkedIncident(
    "i-1", AlarmVerdict.TRUE_ALARM, "page", 10, 12, 30, frozenset({"unit_change"}), frozenset({"weight"})
)
WEIGHT = Column(Role.FEATURE, "weight")
OTHER = Column(Role.FEATURE, "height")


def alert(**changes: object) -> Alert:
    """An alert that rings for it from minute 15 on."""
    made = Alert(
        "a-1", "i-9", "churn", "1", "", "5m", WEIGHT, "drift", Cause.UNIT_CHANGE, Severity.PAGE, State.FIRING, 15,
        20, "pounds",
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def heard(*alerts: Alert) -> Heard:
    made = Heard()
    made.hear(alerts)
    return made


@pytest.mark.parametrize(
    ("changes", "rings"),
    [
        ({}, True),
        ({"cause": Cause.DATA_DRIFT}, True),
        ({"column": OTHER}, True),
        ({"column": None}, True),
        ({"cause": Cause.DATA_DRIFT, "column": OTHER}, False),
        ({"cause": Cause.SILENCE, "column": None}, False),
        ({"severity": Severity.TICKET}, False),
        ({"since_ms": 30}, True),
        ({"since_ms": 31}, False),
        ({"state": State.PENDING}, False),
    ],
)
def test_it_rings_for_an_incident_if_it_speaks_of_the_same_and_as_loud(
    changes: dict[str, object], rings: bool
) -> None:
    assert heard(alert(**changes)).rings_for(MARKED) is rings


@pytest.mark.parametrize(("over", "rings"), [(9, False), (10, True)])
def test_what_was_over_before_is_another_trouble(over: int, rings: bool) -> None:
    early = alert(since_ms=1, at_ms=2)
    assert heard(early, replace(early, state=State.RESOLVED, at_ms=over)).rings_for(MARKED) is rings
    again = replace(early, at_ms=over + 1)
    assert heard(early, replace(early, state=State.RESOLVED, at_ms=over), again).rings_for(MARKED)


def test_a_ticket_is_caught_by_a_ticket_and_by_a_page() -> None:
    ticket = replace(MARKED, severity="ticket")
    assert [heard(alert(severity=s)).rings_for(ticket) for s in Severity] == [True, True, False]


def test_what_is_open_still_has_no_end() -> None:
    assert heard(alert(since_ms=10_000)).rings_for(replace(MARKED, until_ms=None))


def test_true_and_false_alarms_are_counted_apart_and_other_times_left_out() -> None:
    false = replace(MARKED, id="i-2", verdict=AlarmVerdict.FALSE_ALARM)
    calm = replace(false, id="i-3", causes=frozenset({"missing"}), features=frozenset({"age"}))
    early, last = replace(MARKED, id="i-4", fired_ms=5), replace(MARKED, id="i-5", fired_ms=40)
    remembered = Remembered(7, (MARKED, false, calm, early, last))
    assert hindsight_of(heard(alert()), remembered, 5, 40) == Hindsight(7, 2, 2, 1, 2, 1)
    assert hindsight_of(heard(), remembered, 5, 40) == Hindsight(7, 0, 2, 0, 2, 1)
