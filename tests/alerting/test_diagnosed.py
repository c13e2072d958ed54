"""Alerts with a diagnosis, a diagnosis that becomes better, and what is only recorded while a model is learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from service.alerting.news import Told, untold
from service.alerting.rules import Signal
from service.diagnosis.diagnosis import Diagnosis
from service.messages import Alert, Cause, Column, Role, Severity, SliceResult, State
from service.monitor import AlertPolicy, FeatureOverride
from tests.alerting.findings import AMOUNT, HOUR, Course, finding, slice_of

AGE = Column(Role.FEATURE, "age")
SCORE = Column(Role.SCORE, "score")
UNIT = Diagnosis(
    Cause.UNIT_CHANGE,
    (AMOUNT,),
    "feature amount is x2.205: kilograms became pounds",
    0.95,
    {"factor": 2.2046},
)
SWAP = Diagnosis(Cause.SWAP, (AMOUNT, AGE), "amount and age stand in each other's place", 0.97)


class Doctor:
    """Says what it is told to, one answer a window (the last one for ever), and keeps what it was asked."""

    def __init__(self, *answers: Mapping[Column, Diagnosis]) -> None:
        self._answers = list(answers)
        self.asked: list[list[Signal]] = []

    def __call__(self, _: SliceResult, signals: Sequence[Signal]) -> Mapping[Signal, Diagnosis]:
        self.asked.append(list(signals))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return {s: answer[s.column] for s in signals if s.column in answer}


def said(confidence: float, cause: Cause = Cause.OUT_OF_RANGE) -> Mapping[Column, Diagnosis]:
    """One answer about the amount."""
    return {AMOUNT: Diagnosis(cause, (AMOUNT,), f"it is {cause}", confidence)}


def test_an_alert_tells_its_diagnosis_with_confidence_and_evidence() -> None:
    course = Course(diagnose=Doctor({AMOUNT: UNIT}))
    [alert] = course.window(slice_of(0, finding(2.0)))
    assert (alert.cause, alert.severity) == (Cause.UNIT_CHANGE, Severity.PAGE)
    assert (alert.confidence, alert.evidence) == (0.95, {"factor": 2.2046})
    assert alert.summary == (
        "churn version 7: feature amount is x2.205: kilograms became pounds "
        "(1970-01-01 00:00 to 01:00 UTC, 500 events)"
    )


def test_without_a_diagnosis_an_alert_tells_what_was_counted() -> None:
    [alert] = Course(diagnose=Doctor({})).window(slice_of(0, finding(2.0)))
    assert (alert.cause, alert.confidence, alert.evidence) == (Cause.DATA_DRIFT, None, {})
    assert "the distribution of feature amount has changed" in alert.summary


def test_what_else_it_could_be_is_among_the_evidence() -> None:
    doubtful = Diagnosis(
        Cause.UNIT_CHANGE, (AMOUNT,), "x2", 0.6, {"factor": 2.0}, ("a doubling", "a new tariff")
    )
    [alert] = Course(diagnose=Doctor({AMOUNT: doubtful})).window(slice_of(0, finding(2.0)))
    assert alert.evidence == {"factor": 2.0, "could also be": "a doubling; a new tariff"}


def test_columns_that_one_cause_explains_are_one_incident_even_when_the_second_rings_later() -> None:
    # hour     0      1 .. 9   10
    # amount   over   over     over
    # age      -      -        over
    course = Course(diagnose=Doctor({AMOUNT: SWAP, AGE: SWAP}))
    [first] = course.window(slice_of(0, finding(2.0)))
    for _ in range(9):
        course.window(slice_of(0, finding(2.0)))
    [later] = course.window(slice_of(0, finding(2.0), finding(2.0, column=AGE)))
    assert (first.cause, later.cause) == (Cause.SWAP, Cause.SWAP)
    assert first.incident == later.incident


def test_only_what_rings_is_asked_about() -> None:
    doctor = Doctor({AMOUNT: UNIT})
    course = Course(diagnose=doctor)
    course.window(slice_of(0, finding(0.9)))
    course.window(slice_of(0, finding(1.5), finding(0.9, column=AGE)))
    assert doctor.asked == [[Signal(AMOUNT, "drift")]]


def test_a_sure_diagnosis_is_not_asked_for_again_and_a_doubtful_one_for_three_windows_more() -> None:
    for confidence, times in ((0.95, 1), (0.6, 4)):
        doctor = Doctor(said(confidence))
        course = Course(diagnose=doctor)
        for _ in range(10):
            course.window(slice_of(0, finding(2.0)))
        assert len(doctor.asked) == times


def test_a_diagnosis_that_becomes_better_is_told_once_and_keeps_the_alerts_name_and_incident() -> None:
    # hour    0        1          2 ...
    # said    shift    unit 0.95
    doctor = Doctor(said(0.5, Cause.DATA_DRIFT), {AMOUNT: UNIT})
    course = Course(diagnose=doctor)
    changes = [list(course.window(slice_of(0, finding(2.0)))) for _ in range(6)]
    assert [len(one) for one in changes] == [1, 1, 0, 0, 0, 0]
    [first], [better] = changes[:2]
    assert (first.cause, first.severity) == (Cause.DATA_DRIFT, Severity.TICKET)
    assert (better.cause, better.severity) == (Cause.UNIT_CHANGE, Severity.PAGE)
    assert (better.id, better.incident, better.state) == (first.id, first.incident, State.FIRING)
    assert (better.since_ms, better.at_ms) == (first.since_ms, 2 * HOUR)
    assert course.state.incidents[0].causes == [Cause.DATA_DRIFT, Cause.UNIT_CHANGE]


@pytest.mark.parametrize("second", [0.5, 0.59, 0.3])
def test_a_diagnosis_that_is_hardly_surer_changes_nothing(second: float) -> None:
    doctor = Doctor(said(0.5), said(second, Cause.UNIT_CHANGE))
    course = Course(diagnose=doctor)
    course.window(slice_of(0, finding(2.0)))
    assert course.window(slice_of(0, finding(2.0))) == []
    assert [t.cause for t in course.state.tracked.values()] == [Cause.OUT_OF_RANGE]


def test_trouble_is_dated_from_when_its_evidence_began_but_never_after_the_window_that_told() -> None:
    for known, since in ((3 * HOUR, 3 * HOUR), (None, 7 * HOUR), (99 * HOUR, 7 * HOUR)):
        course = Course(hour=7, since_ms=lambda _result, _signal, known=known: known)
        [alert] = course.window(slice_of(0, finding(2.0)))
        assert (alert.since_ms, alert.at_ms) == (since, 8 * HOUR)


# Learning


LOUD = {"amount": FeatureOverride(severity="page")}


def test_while_a_model_is_learned_a_distribution_alone_wakes_nobody_and_says_why() -> None:
    course = Course(learning=True, features=LOUD)
    told = course.window(slice_of(0, finding(2.0), finding(2.0, "evidence_null", AGE)))
    assert {(a.feature, a.severity) for a in told} == {("amount", Severity.TICKET), ("age", Severity.PAGE)}
    assert {a.feature for a in told if "learning" in a.evidence} == {"amount"}


def test_what_began_while_a_model_was_learned_wakes_somebody_when_it_begins_anew_afterwards() -> None:
    course = Course(AlertPolicy(1, 1), learning=True, features=LOUD)
    [learned] = course.window(slice_of(0, finding(2.0)))
    course.window(slice_of(0, finding(0.1)))
    course.learning = False
    [page] = course.window(slice_of(0, finding(2.0)))
    assert (learned.severity, page.severity) == (Severity.TICKET, Severity.PAGE)
    assert "learning" not in page.evidence


# News


def alert(state: State, cause: Cause = Cause.DATA_DRIFT, severity: Severity = Severity.TICKET) -> Alert:
    """One change of one alert."""
    return Alert(
        "a-1", "i-1", "churn", "7", "", "1h", AMOUNT, "drift", cause, severity, state, 0, HOUR, "it changed"
    )


PENDING, FIRING, RESOLVED = alert(State.PENDING), alert(State.FIRING), alert(State.RESOLVED)
NAMED = alert(State.FIRING, Cause.UNIT_CHANGE, Severity.PAGE)


@pytest.mark.parametrize(
    ("known", "changes", "news"),
    [
        (None, [PENDING, FIRING], [PENDING, FIRING]),
        (FIRING, [PENDING, FIRING], []),  # folded again after a restatement
        (PENDING, [PENDING, FIRING], [FIRING]),
        (FIRING, [FIRING, NAMED], [NAMED]),  # its cause is better known
        (NAMED, [FIRING, NAMED], []),
        (FIRING, [NAMED], [NAMED]),
        (
            FIRING,
            [alert(State.FIRING, severity=Severity.PAGE)],
            [alert(State.FIRING, severity=Severity.PAGE)],
        ),
        (RESOLVED, [FIRING, RESOLVED], []),
        (RESOLVED, [FIRING, RESOLVED, FIRING], [FIRING]),
        (NAMED, [RESOLVED], [RESOLVED]),
    ],
)
def test_news_is_what_changed_since_it_was_told(
    known: Alert | None, changes: list[Alert], news: list[Alert]
) -> None:
    told = {} if known is None else {known.id: Told.of(known)}
    assert untold(told, changes) == news
