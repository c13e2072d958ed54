"""Which alerts are one incident: by shared columns, consequences, a common beginning, or drift with drift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from service.alerting.incidents import REOPENED_WITHIN, Newcomer, age, incident_for
from service.alerting.state import FoldState, Tracked
from service.messages import PREDICTION, Cause, Column, Role, Severity, State
from service.monitor import AlertPolicy
from tests.alerting.findings import AMOUNT, HOUR, Course, finding, slice_of

AGE, CITY = Column(Role.FEATURE, "age"), Column(Role.FEATURE, "city")
SCORE = Column(Role.SCORE, "score")


@dataclass(frozen=True)
class Begins:
    """An alert that begins in this hour, as it was known to since that hour (itself if None)."""

    cause: Cause
    columns: Sequence[Column] = (AMOUNT,)
    severity: Severity = Severity.PAGE
    hour: int = 0
    since: int | None = None

    def newcomer(self) -> Newcomer:
        """As the fold says it."""
        since = self.hour if self.since is None else self.since
        return Newcomer(
            self.columns, self.cause, self.severity, since * HOUR, self.hour * HOUR, (self.hour + 1) * HOUR
        )


def joined(first: Begins, then: Begins, *, open_until: int | None = None) -> tuple[bool, bool]:
    """Whether the second is of the first's incident, and only follows from it."""
    state = FoldState()
    opened = incident_for(state, "churn", first.newcomer())
    assert not opened.consequence
    keep_open(state, opened.incident.id)
    for hour in range(first.hour, then.hour):
        if open_until is not None and hour >= open_until:
            state.tracked.clear()
        age(state, (hour + 1) * HOUR)
    second = incident_for(state, "churn", then.newcomer())
    assert len(state.incidents) == 1 + (second.incident.id != opened.incident.id)
    return second.incident.id == opened.incident.id, second.consequence


def keep_open(state: FoldState, incident: str) -> None:
    """An alert of this incident that fires."""
    state.tracked[incident] = Tracked(
        "a", incident, State.FIRING, 1, 0, 0, 0, Cause.MISSING, Severity.PAGE, ""
    )


MISSING, UNIT = Begins(Cause.MISSING), Begins(Cause.UNIT_CHANGE)
DRIFT = Begins(Cause.DATA_DRIFT, severity=Severity.TICKET)
TABLE = [
    # the first                         the second, five hours later          joins, is a consequence
    (MISSING, Begins(Cause.DATA_DRIFT, (AMOUNT,), Severity.TICKET, 5), True, False),
    (MISSING, Begins(Cause.MISSING, (AGE,), hour=5), False, False),
    (Begins(Cause.SWAP, (AMOUNT, AGE)), Begins(Cause.UNIT_CHANGE, (AGE,), hour=5), True, False),
    (Begins(Cause.UNIT_CHANGE, (AGE,)), Begins(Cause.SWAP, (AMOUNT, AGE), hour=5), True, False),
    (MISSING, Begins(Cause.PREDICTION_DRIFT, (PREDICTION,), Severity.TICKET, 5), True, True),
    (MISSING, Begins(Cause.MISSING, (SCORE,), hour=5), True, True),
    (MISSING, Begins(Cause.CONCEPT_DRIFT, (), hour=5), True, True),
    (Begins(Cause.STUCK_PREDICTION, (PREDICTION,)), Begins(Cause.MISSING, (AGE,), hour=5), False, False),
    (MISSING, Begins(Cause.MISSING, (AGE,), hour=5, since=0), True, False),
    (MISSING, Begins(Cause.MISSING, (AGE,), hour=5, since=1), True, False),
    (MISSING, Begins(Cause.MISSING, (AGE,), hour=5, since=2), False, False),
    (MISSING, Begins(Cause.SILENCE, (), hour=5, since=0), False, False),
    (Begins(Cause.SILENCE, ()), Begins(Cause.MISSING, (AGE,), hour=5, since=0), False, False),
    (Begins(Cause.SILENCE, ()), Begins(Cause.SILENCE, (), hour=5), True, False),
    (DRIFT, Begins(Cause.DATA_DRIFT, (AGE,), Severity.TICKET, 5), True, False),
    (DRIFT, Begins(Cause.MISSING, (AGE,), hour=5), False, False),
    (MISSING, Begins(Cause.DATA_DRIFT, (AGE,), Severity.TICKET, 5), False, False),
    (MISSING, Begins(Cause.DATA_DRIFT, (AGE,), Severity.TICKET, 5, since=0), False, False),
    (DRIFT, Begins(Cause.UNIT_CHANGE, (AGE,), hour=5), False, False),
]


@pytest.mark.parametrize(("first", "then", "joins", "follows"), TABLE)
def test_an_alert_joins_an_open_incident_by_what_it_is_about(
    first: Begins, then: Begins, joins: bool, follows: bool
) -> None:
    assert joined(first, then) == (joins, follows)


@pytest.mark.parametrize(("first", "joins"), [(MISSING, False), (None, True)])
def test_a_relation_that_breaks_brings_its_columns_only_to_its_own_incident(
    first: Begins | None, joins: bool
) -> None:
    """What happens to age later is no return of missing amounts, though both parted meanwhile."""
    state = FoldState()
    begun = [
        one for one in (first, Begins(Cause.CORRELATION_BREAK, (AMOUNT, AGE), Severity.TICKET, 1)) if one
    ]
    opened = [incident_for(state, "churn", one.newcomer()).incident.id for one in begun]
    assert len(set(opened)) == 1
    keep_open(state, opened[0])
    later = incident_for(state, "churn", Begins(Cause.UNIT_CHANGE, (AGE,), hour=5).newcomer())
    assert (later.incident.id == opened[0]) is joins


@pytest.mark.parametrize(
    ("then", "joins"),
    [
        # hour   0       1 ... quiet ...            5
        (Begins(Cause.UNIT_CHANGE, (AMOUNT,), hour=5), True),  # the same column: it is back
        (Begins(Cause.CONCEPT_DRIFT, (), hour=5), False),
        (Begins(Cause.PREDICTION_DRIFT, (PREDICTION,), Severity.TICKET, 5), False),
        (Begins(Cause.MISSING, (AGE,), hour=5, since=0), False),
    ],
)
def test_what_is_over_is_joined_only_by_what_returns(then: Begins, joins: bool) -> None:
    assert joined(MISSING, then, open_until=1) == (joins, False)


def test_drift_joins_a_drift_that_was_open_until_a_moment_ago_but_none_of_long_ago() -> None:
    other = Begins(Cause.DATA_DRIFT, (AGE,), Severity.TICKET, 2)
    assert joined(DRIFT, other, open_until=0) == (True, False)
    assert joined(DRIFT, Begins(Cause.DATA_DRIFT, (AGE,), Severity.TICKET, 8), open_until=0) == (False, False)


@pytest.mark.parametrize(
    ("hours", "is_the_same"), [(1, True), (REOPENED_WITHIN, True), (REOPENED_WITHIN + 1, False)]
)
def test_what_returns_within_a_day_of_windows_reopens_its_incident(hours: int, is_the_same: bool) -> None:
    back = Begins(Cause.MISSING, (AMOUNT,), hour=hours)
    assert joined(MISSING, back, open_until=0) == (is_the_same, False)


def test_an_incident_that_is_open_for_long_is_not_forgotten() -> None:
    assert joined(MISSING, Begins(Cause.MISSING, hour=3 * REOPENED_WITHIN)) == (True, False)


def test_incidents_that_open_in_one_window_have_names_of_their_own_that_no_other_incident_changes() -> None:
    def names(*before: Begins) -> list[str]:
        state = FoldState()
        for one in before:
            incident_for(state, "churn", one.newcomer())
        new = [Begins(Cause.MISSING, (AGE,), hour=9), Begins(Cause.SILENCE, (), hour=9)]
        return [incident_for(state, "churn", one.newcomer()).incident.id for one in new]

    assert len(set(names())) == 2
    assert names() == names(Begins(Cause.MISSING, (CITY,), hour=2))


# In the fold


def test_two_faults_at_different_times_are_two_incidents() -> None:
    # hour     0 .. 4   5 .. 9            10
    # amount   fine     null
    # age      fine                       null
    course = Course()
    for _ in range(5):
        course.window(slice_of(0, finding(0.5, "evidence_null"), finding(0.5, "evidence_null", AGE)))
    [amount] = course.window(slice_of(0, finding(9.0, "evidence_null")))
    for _ in range(4):
        assert course.window(slice_of(0, finding(9.0, "evidence_null"))) == []
    [age_alert] = course.window(
        slice_of(0, finding(9.0, "evidence_null"), finding(9.0, "evidence_null", AGE))
    )
    assert (amount.feature, age_alert.feature) == ("amount", "age")
    assert amount.incident != age_alert.incident
    assert (amount.severity, age_alert.severity) == (Severity.PAGE, Severity.PAGE)


def test_fields_that_one_change_of_the_producer_broke_are_one_incident_and_one_page() -> None:
    course = Course()
    broken = [finding(9.0, "evidence_null", column) for column in (AMOUNT, AGE, CITY)]
    changes = course.window(slice_of(0, *broken))
    assert len(changes) == 3
    assert len({a.incident for a in changes}) == 1


def test_what_follows_from_broken_inputs_is_recorded_in_their_incident_and_wakes_nobody_again() -> None:
    # hour         0       1
    # amount       null    null
    # prediction   fine    null
    course = Course()
    [cause] = course.window(slice_of(0, finding(9.0, "evidence_null")))
    [follows] = course.window(
        slice_of(0, finding(9.0, "evidence_null"), finding(9.0, "evidence_null", PREDICTION))
    )
    assert (cause.severity, cause.consequence) == (Severity.PAGE, False)
    assert (follows.severity, follows.consequence) == (Severity.INFO, True)
    assert follows.incident == cause.incident


def test_inputs_and_answers_that_break_in_one_window_are_told_inputs_first() -> None:
    course = Course()
    changes = course.window(
        slice_of(0, finding(99.0, "evidence_null", PREDICTION), finding(2.0, "evidence_null"))
    )
    assert [(a.feature, a.severity) for a in changes] == [
        ("amount", Severity.PAGE),
        ("prediction", Severity.INFO),
    ]


def test_a_prediction_that_breaks_alone_is_no_consequence() -> None:
    [alone] = Course().window(slice_of(0, finding(9.0, "evidence_null", PREDICTION)))
    assert (alone.severity, alone.consequence) == (Severity.PAGE, False)


@pytest.mark.parametrize("for_windows", [1, 2, 3])
def test_proven_harm_wakes_somebody_when_only_a_ticket_was_open(for_windows: int) -> None:
    """A consequence wakes nobody *again*: of a drift nobody was woken."""
    course = Course(AlertPolicy(for_windows))
    drift, harm = finding(2.0), finding(2.0, "evidence_error", None)
    ticket = [a for _ in range(for_windows) for a in course.window(slice_of(0, drift))][-1]
    page = [a for _ in range(for_windows) for a in course.window(slice_of(0, drift, harm))][-1]
    assert (ticket.state, page.state) == (State.FIRING, State.FIRING)
    assert (ticket.severity, page.severity) == (Severity.TICKET, Severity.PAGE)
    assert (page.cause, page.incident) == (Cause.CONCEPT_DRIFT, ticket.incident)


def test_an_alert_that_fires_again_while_another_keeps_the_incident_open_stays_in_it() -> None:
    course = Course(AlertPolicy(1, 1))
    both = [finding(9.0, "evidence_null"), finding(9.0, "evidence_null", AGE)]
    first = course.window(slice_of(0, *both))
    for _ in range(REOPENED_WITHIN + 5):
        course.window(slice_of(0, both[0], finding(0.1, "evidence_null", AGE)))
    [again] = course.window(slice_of(0, *both))
    assert {a.incident for a in first} == {again.incident}
    assert again.state is State.FIRING


def test_an_alert_that_is_better_understood_stays_in_its_incident_and_opens_no_other() -> None:
    state = FoldState()
    opened = incident_for(state, "churn", Begins(Cause.SILENCE, ()).newcomer()).incident
    known = replace(Begins(Cause.RENAME, hour=2).newcomer(), incident=opened.id)
    assert incident_for(state, "churn", known).incident is opened
    assert len(state.incidents) == 1


def test_a_shared_column_goes_before_having_begun_together() -> None:
    state = FoldState()
    older = incident_for(state, "churn", MISSING.newcomer()).incident
    younger = incident_for(state, "churn", Begins(Cause.MISSING, (AGE,), hour=5).newcomer()).incident
    assert younger is not older
    again = Begins(Cause.UNIT_CHANGE, (AMOUNT,), hour=5)
    assert incident_for(state, "churn", again.newcomer()).incident is older
