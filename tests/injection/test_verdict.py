"""Judging a drill: found, named, and what is false."""

from __future__ import annotations

from typing import Any

from service.injection.fault import NOTHING, of
from service.injection.verdict import Clean, Outcome, Verdict, judge, ringing
from service.messages import Alert, Cause, Column, Role, Severity, State

HOUR = 3_600_000
BEGIN = 100 * HOUR
MISSING = of(Cause.MISSING, on=["amount"])
QUIET = Clean(())


def alert(
    hours: float = 1, feature: str | None = "amount", cause: Cause = Cause.MISSING, **more: Any
) -> Alert:
    """An alert that is known so many hours after the fault's begin, of a window of one hour."""
    at_ms = BEGIN + int(hours * HOUR)
    said = {
        "id": f"a-{hours}-{feature}-{cause}", "incident": f"i-{hours}", "model": "churn", "version": "1", "segment": "",
        "window": "1h", "column": Column(Role.FEATURE, feature) if feature else None, "rule": "missing",
        "cause": cause, "severity": Severity.PAGE, "state": State.FIRING, "since_ms": at_ms - HOUR, "at_ms": at_ms,
        "summary": "",
    }  # fmt: skip
    return Alert(**(said | more))


def verdict(*faulted: Alert, clean: Clean = QUIET, expected: Any = MISSING) -> Verdict:
    """What is said of them."""
    return judge(clean, faulted, expected, BEGIN, HOUR)


def test_the_first_right_alert_finds_the_fault_and_says_the_delay() -> None:
    said = verdict(alert(3), alert(2))
    assert (said.outcome, said.named, said.delay_windows, said.false_pages) == (Outcome.FOUND, True, 2.0, 0)
    assert said.alert == alert(2)


def test_another_cause_finds_it_without_naming_it() -> None:
    said = verdict(alert(cause=Cause.DATA_DRIFT))
    assert (said.outcome, said.named) == (Outcome.FOUND, False)
    assert verdict(alert(cause=Cause.DATA_DRIFT), alert(2)).named


def test_info_wakes_nobody_and_finds_nothing() -> None:
    assert verdict(alert(severity=Severity.INFO)).outcome is Outcome.MISSED
    assert ringing([alert(severity=Severity.INFO)]) == []


def test_another_column_is_a_false_page_outside_the_faults_incident_only() -> None:
    other = alert(2, "country", incident="i-1")
    assert verdict(alert(1), other).false_pages == 0
    assert verdict(alert(1), alert(2, "country")).false_pages == 1
    assert verdict(alert(1), alert(2, "country", severity=Severity.TICKET)).false_tickets == 1
    assert verdict(alert(2, "country")).outcome is Outcome.MISSED


def test_many_alerts_of_one_incident_are_one_false_page() -> None:
    assert verdict(alert(2, "a", incident="i"), alert(2, "b", incident="i")).false_pages == 1


def test_what_follows_for_the_prediction_is_no_false_page_once_the_fault_is_found() -> None:
    after = alert(2, "prediction")
    assert verdict(alert(1), after).false_pages == 0
    assert verdict(after).false_pages == 1


def test_an_alert_before_the_fault_is_false_even_on_its_column() -> None:
    said = verdict(alert(-3))
    assert (said.outcome, said.false_pages) == (Outcome.MISSED, 1)


def test_the_clean_logs_own_alerts_are_neither_found_nor_false() -> None:
    clean = Clean((alert(1, "country"), alert(2)))
    said = verdict(alert(1, "country"), alert(2), clean=clean)
    assert (said.outcome, said.false_pages, said.masked) == (Outcome.MISSED, 0, True)
    assert verdict(alert(3, "country"), clean=clean).false_pages == 0
    assert verdict(alert(1), clean=clean).outcome is Outcome.FOUND


def test_a_harmless_fault_should_ring_nothing() -> None:
    assert verdict(expected=NOTHING).outcome is Outcome.QUIET
    said = verdict(alert(), expected=NOTHING)
    assert (said.outcome, said.named, said.false_pages, said.is_good) == (Outcome.RANG, False, 1, False)


def test_of_the_model_as_a_whole_only_the_right_cause_counts() -> None:
    silence = of(Cause.SILENCE, on=[None])
    assert verdict(alert(feature=None, cause=Cause.SILENCE), expected=silence).outcome is Outcome.FOUND
    assert verdict(alert(feature=None, cause=Cause.PIPELINE), expected=silence).outcome is Outcome.MISSED
    assert verdict(alert(feature="amount", cause=Cause.SILENCE), expected=silence).outcome is Outcome.MISSED


def test_where_any_column_will_do_the_cause_decides() -> None:
    broken = of(Cause.CORRELATION_BREAK)
    assert (
        verdict(alert(feature="b", cause=Cause.CORRELATION_BREAK), expected=broken).outcome is Outcome.FOUND
    )
    assert verdict(alert(feature="b"), expected=broken).outcome is Outcome.MISSED


def test_the_clean_logs_incidents_are_counted_once_each() -> None:
    assert len(Clean((alert(1), alert(1, "b"), alert(2))).incidents) == 2
