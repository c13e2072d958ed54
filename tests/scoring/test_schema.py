"""Which fields a version sends, and what is said when they change."""

from __future__ import annotations

from service.alerting.rules import Signal, severity_of
from service.messages import Cause, Severity
from service.monitor import Monitor
from service.scoring.schema import fingerprint, schema_finding
from tests.scoring.sketches import amounts, countries, sketch_of


def test_fields_that_most_rows_have_are_the_fingerprint_with_their_kinds() -> None:
    assert fingerprint(sketch_of(amounts(100, 1), countries(100, 2))) == ("amount:number", "country:text")


def test_a_field_that_most_rows_lack_is_not_in_it() -> None:
    assert fingerprint(sketch_of([None] * 60 + amounts(40, 1), countries(100, 2))) == ("country:text",)
    assert "amount:number" in fingerprint(sketch_of([None] * 50 + amounts(50, 1), countries(100, 2)))


def test_what_came_and_went_is_said_and_nothing_when_nothing_did() -> None:
    before, now = ("amount:number", "email:text"), ("amount:number", "user_email:text")
    found = schema_finding(before, now, 500)
    assert found is not None
    assert (found.value, found.n, found.reason) == (2.0, 500, "+user_email:text, -email:text")
    assert schema_finding(before, before, 500) is None


def test_many_changes_are_counted_and_the_first_told() -> None:
    found = schema_finding((), tuple(f"f{i}:number" for i in range(9)), 500)
    assert found is not None
    assert found.reason is not None
    assert found.reason.endswith("and 4 more")


def test_a_change_of_fields_is_an_event_and_wakes_nobody() -> None:
    assert severity_of(Signal(None, "schema"), Cause.SCHEMA_CHANGE, Monitor("churn")) is Severity.INFO
