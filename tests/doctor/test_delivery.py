"""An alert that waits is a failure once it has waited, whoever is to blame."""

from __future__ import annotations

import pytest

from service.doctor.check import Condition
from service.doctor.delivery import (
    AlertmanagerSeen,
    OutboxSeen,
    alertmanager_checks,
    outbox_check,
    webhook_check,
)


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


def test_what_silences_keep_back_is_told_and_no_fault() -> None:
    check = outbox_check(OutboxSeen(held=2))
    assert (check.condition, check.sentence) == (
        Condition.OK, "no alert waits; none had to leave yet; silences keep 2 alerts back",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("seen", "condition", "said"),
    [
        (AlertmanagerSeen("am:9093", 940_000), Condition.OK, "took what is open at 1970-01-01T00:15:40Z"),
        (AlertmanagerSeen("am:9093", 500_000), Condition.FAILURE, "nobody has told it anything for 8 min"),
        (AlertmanagerSeen("am:9093", None), Condition.WARNING, "no evaluator has told it anything yet"),
        (
            AlertmanagerSeen("am:9093", 1, 950_000, "refused"),
            Condition.WARNING,
            "takes no incidents for 50 s: refused",
        ),
        (AlertmanagerSeen("am:9093", 1, 100_000, "refused"), Condition.FAILURE, "see that it runs there"),
    ],
)
def test_an_alertmanager_is_told_by_when_it_took_what_is_open(
    seen: AlertmanagerSeen, condition: Condition, said: str
) -> None:
    (check,) = alertmanager_checks((), [seen], 1_000_000)
    assert check.name == "alertmanager am:9093"
    assert check.condition is condition
    assert said in f"{check.sentence}; {check.advice}"


def test_those_that_are_named_here_are_looked_for_and_no_others() -> None:
    seen = [AlertmanagerSeen("old:9093", 1)]
    assert [one.name for one in alertmanager_checks(["new:9093"], seen, 1_000_000)] == [
        "alertmanager new:9093"
    ]
    (none,) = alertmanager_checks((), (), 1_000_000)
    assert (none.condition, none.is_problem) == (Condition.NOT_CHECKED, False)
