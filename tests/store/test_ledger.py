"""The budget's ledger: what is spent for certain, and what may be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

from service.monitor import DAY_MS, Budget
from service.store.engine import transaction
from service.store.gauge_queries import IncidentCount, Period, incident_counts
from service.store.ledger import Ledger, ledger_of
from service.store.marks import AlarmVerdict, add_mark
from service.store.statements import Statement
from tests.web.seeding import NOW_MS, add_alert

pytestmark = pytest.mark.postgres

BUDGET = Budget(false_pages=2.0, per_ms=30 * DAY_MS)
Page = Callable[..., None]


@pytest.fixture
def page(engine: Engine) -> Page:
    """An incident with one alert that pages, fired so long ago, and what people say of it."""

    def call(incident: str, *, days_ago: float = 1.0, verdict: str | None = None, **changes: Any) -> None:
        at_ms = NOW_MS - int(days_ago * DAY_MS)
        usual = {
            "incident": incident,
            "state": "resolved",
            "since_ms": at_ms,
            "at_ms": at_ms,
            "fired_ms": at_ms,
        }
        with transaction(engine) as connection:
            add_alert(connection, f"a of {incident}", changes.pop("model", "churn"), **usual | changes)
        if verdict is not None:
            add_mark(engine, incident, AlarmVerdict(verdict), Statement("anna", "looked"))

    return call


def ledger(engine: Engine) -> Ledger:
    with transaction(engine) as connection:
        return ledger_of(connection, "churn", BUDGET, NOW_MS)


def test_a_model_without_pages_has_spent_nothing(engine: Engine) -> None:
    found = ledger(engine)
    assert (found.promised, found.paged, found.spent, found.expected) == (2.0, 0, 0.0, 0.0)
    assert (found.since_ms, found.until_ms) == (NOW_MS - 30 * DAY_MS, NOW_MS)


def test_what_is_marked_false_is_spent_and_what_is_not_marked_may_be(engine: Engine, page: Page) -> None:
    page("false", verdict="false_alarm")
    page("right", verdict="true_alarm", days_ago=2)
    page("unknown", days_ago=3)
    found = ledger(engine)
    assert [one.id for one in found.pages] == ["false", "right", "unknown"]
    assert (found.paged, found.marked_false, found.marked_true, found.unmarked) == (3, 1, 1, 1)
    assert (found.spent, found.expected) == (0.5, 1.0)


def test_the_last_word_on_a_page_counts(engine: Engine, page: Page) -> None:
    page("one", verdict="false_alarm")
    add_mark(engine, "one", AlarmVerdict.TRUE_ALARM, Statement("bert", "no, it was real"))
    assert (ledger(engine).spent, ledger(engine).marked_true) == (0.0, 1)


def test_many_alerts_of_an_incident_are_one_page(engine: Engine, page: Page) -> None:
    page("one", verdict="false_alarm")
    with transaction(engine) as connection:
        for name in ("b", "c"):
            add_alert(connection, name, "churn", incident="one", fired_ms=NOW_MS)
    assert ledger(engine).paged == 1


def test_only_pages_of_this_model_that_fired_in_the_period_count(engine: Engine, page: Page) -> None:
    #   |--------- 30 days --------|
    # x                          x now     the first one is of the period before, though it still fires
    page("before", days_ago=31, verdict="false_alarm", state="firing")
    page("another's", model="fraud", verdict="false_alarm")
    page("ticket", severity="ticket", verdict="false_alarm")
    page("never fired", fired_ms=None, verdict="false_alarm")
    page("within", days_ago=29.9, verdict="false_alarm")
    assert [one.id for one in ledger(engine).pages] == ["within"]


# ---------------------------------------------------------------- for /metrics
def counts(engine: Engine, *models: str) -> list[tuple[Any, ...]]:
    with transaction(engine) as connection:
        found = incident_counts(connection, [Period(m, NOW_MS - 30 * DAY_MS) for m in models])
    assert all(isinstance(one, IncidentCount) for one in found)
    return [(o.model, o.severity, o.state, o.verdict, o.incidents, o.paged) for o in found]


def test_incidents_are_counted_by_kind_and_mark(engine: Engine, page: Page) -> None:
    page("a", verdict="false_alarm")
    page("b", verdict="false_alarm", days_ago=31)
    page("c", verdict="false_alarm", days_ago=32, state="firing")
    page("d", severity="ticket", state="firing")
    page("e", model="fraud")
    page("f", fired_ms=None)
    add_mark(engine, "e", AlarmVerdict.FALSE_ALARM, Statement("anna", "at first"))
    add_mark(engine, "e", AlarmVerdict.TRUE_ALARM, Statement("anna", "on reflection"))
    assert counts(engine, "churn", "fraud", "none") == [
        ("churn", "page", "firing", "false_alarm", 1, 0),
        ("churn", "page", "resolved", "false_alarm", 1, 1),
        ("churn", "ticket", "firing", "unmarked", 1, 0),
        ("fraud", "page", "resolved", "true_alarm", 1, 1),
    ]
    assert counts(engine) == []


def test_the_counts_agree_with_the_ledger(engine: Engine, page: Page) -> None:
    for number, verdict in enumerate(["false_alarm", "true_alarm", None, "false_alarm"]):
        page(str(number), verdict=verdict, days_ago=10 * number)
    with transaction(engine) as connection:
        add_alert(connection, "late", "churn", incident="1", severity="ticket", state="pending")
    found = ledger(engine)
    paged = {(row[3], row[5]) for row in counts(engine, "churn")}
    assert paged == {("false_alarm", 1), ("true_alarm", 1), ("unmarked", 1)}
    assert (found.marked_false, found.marked_true, found.unmarked) == (1, 1, 1)
