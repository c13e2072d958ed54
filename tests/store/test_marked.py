"""What a back-test is held against: the pages of then, and the incidents that people have marked."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from service.monitor import MINUTE_MS
from service.store.engine import transaction
from service.store.marked import MarkedIncident, remembered_of
from service.store.marks import AlarmVerdict, add_mark
from service.store.statements import Statement
from tests.web.seeding import NOW_MS, add_alert

pytestmark = pytest.mark.postgres

SAID = Statement("anna", "because")


def test_marked_incidents_come_with_all_that_their_alerts_speak_of(engine: Engine) -> None:
    usual = {
        "incident": "i-1",
        "since_ms": NOW_MS,
        "at_ms": NOW_MS + 5,
        "fired_ms": NOW_MS + 1,
        "state": "resolved",
    }
    with transaction(engine) as connection:
        add_alert(connection, "a", "churn", **usual | {"feature": "weight", "cause": "unit_change"})
        add_alert(
            connection, "b", "churn", **usual | {"feature": "", "cause": "missing", "severity": "ticket"}
        )
        add_alert(connection, "c", "churn", **usual | {"incident": "i-2"})
        add_alert(connection, "d", "fraud", **usual | {"incident": "i-3"})
    for incident in ("i-1", "i-3"):
        add_mark(engine, incident, AlarmVerdict.FALSE_ALARM, SAID)
    add_mark(engine, "i-1", AlarmVerdict.TRUE_ALARM, SAID)
    with transaction(engine) as connection:
        found = remembered_of(connection, "churn", NOW_MS, NOW_MS + MINUTE_MS)
    assert found.marked == (
        MarkedIncident(
            "i-1", AlarmVerdict.TRUE_ALARM, "page", NOW_MS, NOW_MS + 1, NOW_MS + 5,
            frozenset({"unit_change", "missing"}), frozenset({"weight"}),
        ),
    )  # fmt: skip


def test_pages_count_in_the_time_in_which_they_first_fired(engine: Engine) -> None:
    # time      (0         10]
    # pages     |1    5    |10  |11
    # ticket              9
    with transaction(engine) as connection:
        for number, fired in enumerate((0, 5, 10, 11)):
            add_alert(connection, f"a{number}", "churn", incident=f"i-{number}", fired_ms=NOW_MS + fired)
        add_alert(connection, "t", "churn", incident="i-t", fired_ms=NOW_MS + 9, severity="ticket")
        assert remembered_of(connection, "churn", NOW_MS, NOW_MS + 10).paged == 2
