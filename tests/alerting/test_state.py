"""The state's bytes: what is read back is what was stored, also from bytes of the form before."""

from __future__ import annotations

import msgspec
import pytest

from service.alerting.state import (
    FoldState,
    Incident,
    Place,
    Tracked,
    open_alerts,
    place_of,
    state_from_bytes,
    state_to_bytes,
)
from service.messages import Cause, Column, Role, Severity, State
from service.monitor import AlertPolicy
from tests.alerting.findings import AMOUNT, HOUR, Course, finding, slice_of

FULL = FoldState(
    {
        Place("7", "country=DE", "1h", "feature", "amount", "drift").name: Tracked(
            "a-1", "i-1", State.FIRING, 3, 1, HOUR, 4 * HOUR, Cause.UNIT_CHANGE, Severity.PAGE, "kg became lb",
            True, 0.93, {"factor": 2.2046, "could also be": "a new tariff"}, [(Role.FEATURE, "amount")],
        )
    },
    {"\x1f1h": [500, 490]},
    [Incident("i-1", HOUR, 4 * HOUR, HOUR, [(Role.FEATURE, "amount")], [Cause.UNIT_CHANGE], True)],
    {"7\x1f\x1f1h": (4 * HOUR, b"\x00\xff")},
    {"7\x1f\x1f1h": ([0.0, 1.5], 12.25, 300.0)},
    HOUR,
)  # fmt: skip


def test_everything_comes_back_from_the_bytes() -> None:
    assert state_from_bytes(state_to_bytes(FULL)) == FULL
    [alert] = open_alerts(state_from_bytes(state_to_bytes(FULL)), "churn").values()
    assert (alert.cause, alert.severity, alert.consequence, alert.confidence) == (
        Cause.UNIT_CHANGE,
        Severity.PAGE,
        True,
        0.93,
    )
    assert (alert.segment, alert.window, alert.column, alert.evidence["factor"]) == (
        "country=DE",
        "1h",
        AMOUNT,
        2.2046,
    )


def test_nothing_stored_is_an_empty_state() -> None:
    assert state_from_bytes(None) == FoldState()


@pytest.mark.parametrize(
    "column", [None, AMOUNT, Column(Role.SCORE, "score"), Column(Role.FEATURE, ""), Column(Role.RULE, "a=b")]
)
def test_a_place_is_read_back_from_its_name(column: Column | None) -> None:
    role, name = column or ("", "")
    place = Place("7", "country=DE", "1h/5m", str(role), name, "drift")
    assert place_of(place.name) == place
    assert place_of(place.name).column == column


def first_form(incident: str, quiet: int, **tracked: list[object]) -> bytes:
    """The bytes of a state as they were when a model had one incident."""
    return msgspec.msgpack.encode([tracked, {"\x1f1h": [500, 510, 490]}, incident, quiet])


OLD_ALERT = ["a-1", "i-1", "firing", 2, 0, HOUR, 2 * HOUR, "data_drift", "ticket", "amount has changed"]
OLD_NAME = Place("7", "", "1h", "feature", "amount", "drift").name


def test_bytes_of_the_form_before_are_read_with_their_alerts_volumes_and_incident() -> None:
    state = state_from_bytes(first_form("i-1", 0, **{OLD_NAME: OLD_ALERT}))
    assert state.volumes == {"\x1f1h": [500, 510, 490]}
    assert (state.evidence, state.errors, state.started_ms) == ({}, {}, None)
    [alert] = open_alerts(state, "churn").values()
    assert (alert.id, alert.incident, alert.state, alert.since_ms) == ("a-1", "i-1", State.FIRING, HOUR)
    assert (alert.consequence, alert.confidence, alert.evidence) == (False, None, {})
    assert [(i.id, i.since_ms, i.last_ms) for i in state.incidents] == [("i-1", HOUR, 2 * HOUR)]
    assert state_from_bytes(state_to_bytes(state)) == state


def test_a_quiet_state_of_the_form_before_has_no_incident() -> None:
    state = state_from_bytes(first_form("", 0))
    assert (state.tracked, state.incidents) == ({}, [])
    assert state.volumes == {"\x1f1h": [500, 510, 490]}


def test_an_alert_of_the_form_before_goes_on_and_is_resolved_under_its_own_name() -> None:
    # hour     0    1       2         3       4
    # amount        over    over  |   over    under
    course = Course(AlertPolicy(1, 1), hour=2)
    course.state = state_from_bytes(first_form("i-1", 0, **{OLD_NAME: OLD_ALERT}))
    assert course.ratio(1.5) == []
    [resolved] = course.window(slice_of(0, finding(0.1)))
    assert (resolved.id, resolved.incident, resolved.state) == ("a-1", "i-1", State.RESOLVED)
    assert resolved.since_ms == HOUR


def test_bytes_that_are_no_state_at_all_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        state_from_bytes(msgspec.msgpack.encode([{}, {}, 7]))
