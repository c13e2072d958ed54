"""An alert that waits is a failure once it has waited, whoever is to blame."""

from __future__ import annotations

import pytest

from service.doctor.check import Condition
from service.doctor.delivery import OutboxSeen, outbox_check, webhook_check


@pytest.mark.parametrize(
    ("seen", "condition", "said"),
    [
        (OutboxSeen(), Condition.OK, "no alert waits; none had to leave yet"),
        (OutboxSeen(left_ms=0), Condition.OK, "no alert waits; the last one left at 1970-01-01T00:00:00Z"),
        (OutboxSeen(1, 60_000), Condition.OK, "1 alert not delivered"),
        (OutboxSeen(1, 60_001), Condition.FAILURE, "nobody has tried"),
        (OutboxSeen(2, 60_000, 1), Condition.WARNING, "the webhook does not take them"),
        (OutboxSeen(2, 7_200_000, 1), Condition.FAILURE, "2 alerts not delivered, the oldest for 2 h"),
    ],
)
def test_alerts_that_wait_are_told_by_how_long(seen: OutboxSeen, condition: Condition, said: str) -> None:
    check = outbox_check(seen)
    assert check.condition is condition
    assert said in f"{check.sentence}; {check.advice}"


def test_without_a_webhook_alerts_may_leave_otherwise_which_is_no_fault() -> None:
    assert webhook_check(webhook=True).condition is Condition.OK
    assert not webhook_check(webhook=False).is_problem
