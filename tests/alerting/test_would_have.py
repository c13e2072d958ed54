"""What would have rung is counted once an incident, by the worst of its alerts."""

from __future__ import annotations

from service.alerting.would_have import incidents_of, pages_in, rung_by, tickets_in
from service.messages import Alert, Cause, Severity, State


def fired(alert_id: str, severity: Severity, *, consequence: bool = False) -> Alert:
    """An alert of the incident "i-1" that fires."""
    return Alert(
        alert_id, "i-1", "churn", "1", "", "5m", None, "drift", Cause.DATA_DRIFT, severity, State.FIRING, 0, 1,
        alert_id, consequence,
    )  # fmt: skip


def test_a_ticket_with_a_consequence_that_pages_is_one_page_told_by_its_root() -> None:
    incidents = incidents_of(
        [fired("root", Severity.TICKET), fired("follows", Severity.PAGE, consequence=True)]
    )
    assert (pages_in(incidents), tickets_in(incidents)) == (1, 0)
    told = rung_by(incidents[0])
    assert (told.severity, told.summary, told.others) == (Severity.PAGE, "root", ("follows",))
