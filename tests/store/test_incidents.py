"""Alerts that belong together are told by their root, and by what people say of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, Engine, select, text

from service.alerting.would_have import incidents_of
from service.errors import ConfigurationError
from service.messages import Alert, Cause, Severity, State
from service.monitor import HOUR_MS, MINUTE_MS
from service.store import engine as store_engine
from service.store import marks
from service.store.engine import transaction
from service.store.incidents import (
    IncidentFilter,
    IncidentRow,
    alerts_of,
    alerts_of_all,
    find_incident,
    list_incidents,
)
from service.store.marks import AlarmVerdict, add_mark, marks_of
from service.store.paging import Paging
from service.store.statements import LONGEST_WHY, Statement, one_line, statement_of
from service.store.tables import incident_mark
from tests.web.seeding import NOW_MS, add_alert

pytestmark = pytest.mark.postgres

SAID = Statement("anna", "planned price change")
Put = Callable[..., None]


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with transaction(engine) as connection:
        yield connection


@pytest.fixture
def put(connection: Connection) -> Put:
    """An alert of the incident "i-1" of model churn."""

    def call(alert_id: str, **changes: Any) -> None:
        usual = {"incident": "i-1", "fired_ms": NOW_MS}
        add_alert(connection, alert_id, changes.pop("model", "churn"), **usual | changes)

    return call


def listed(connection: Connection, **wanted: Any) -> list[str]:
    return [one.id for one in list_incidents(connection, IncidentFilter(**wanted), Paging()).rows]


def the_one(connection: Connection) -> IncidentRow:
    found = find_incident(connection, "i-1")
    assert found is not None
    return found


def test_an_incident_is_told_by_its_root(connection: Connection, put: Put) -> None:
    put("a", cause="prediction_drift", severity="page", consequence=True, summary="scores rose")
    put("b", cause="unit_change", severity="ticket", confidence=0.9, feature="weight", summary="pounds")
    put("c", cause="data_drift", severity="ticket", confidence=0.4)
    one = the_one(connection)
    assert (one.cause, one.summary, one.feature) == ("unit_change", "pounds", "weight")
    assert (one.severity, one.alerts, one.model) == ("page", 3, "churn")
    assert [a.id for a in alerts_of(connection, "i-1")] == ["b", "c", "a"]


def test_what_fired_is_the_root_before_what_was_only_pending(connection: Connection, put: Put) -> None:
    put("a", severity="page", state="pending", fired_ms=None)
    put("b", severity="ticket", cause="rename")
    one = the_one(connection)
    assert (one.cause, one.severity, one.paged_ms) == ("rename", "ticket", None)


def test_without_a_diagnosis_the_worst_and_then_the_oldest_is_the_root(
    connection: Connection, put: Put
) -> None:
    put("a", severity="ticket", since_ms=NOW_MS - HOUR_MS)
    put("b", severity="page", since_ms=NOW_MS)
    put("c", severity="page", since_ms=NOW_MS - MINUTE_MS)
    assert [a.id for a in alerts_of(connection, "i-1")] == ["c", "b", "a"]


def test_of_equals_what_fired_first_is_the_root(connection: Connection, put: Put) -> None:
    """Though a longer window, which fired later, may begin before it."""
    for alert_id, fired_ms, since_ms in (
        ("a", NOW_MS, NOW_MS - HOUR_MS), ("b", NOW_MS - MINUTE_MS, NOW_MS - 2 * MINUTE_MS), ("c", None, NOW_MS),
    ):  # fmt: skip
        put(
            alert_id,
            state="resolved",
            fired_ms=fired_ms,
            since_ms=since_ms,
            severity="ticket",
            confidence=0.5,
        )
    assert [a.id for a in alerts_of(connection, "i-1")] == ["b", "a", "c"]


def test_what_was_never_stored_has_the_same_root_and_order(connection: Connection, put: Put) -> None:
    rng = np.random.default_rng(1)
    fired = []
    for place in range(200):
        fields = {
            "cause": str(rng.choice(["data_drift", "correlation_break", "missing"])),
            "severity": str(rng.choice(["page", "ticket", "info"])),
            "consequence": bool(rng.integers(2)),
            "confidence": [None, 0.5, 0.9][int(rng.integers(3))],
            "since_ms": NOW_MS - MINUTE_MS * int(rng.integers(3)),
        }
        at_ms = NOW_MS + place
        put(f"a{rng.integers(10**9)}-{place}", **fields, at_ms=at_ms, fired_ms=at_ms)
        fired.append(
            Alert(
                str(place), "i-1", "churn", "1", "", "5m", None, "drift", Cause(fields["cause"]),
                Severity(fields["severity"]), State.FIRING, int(str(fields["since_ms"])), at_ms, "",
                bool(fields["consequence"]), fields["confidence"],
            )
        )  # fmt: skip
    [alerts] = incidents_of(fired)
    assert [a.at_ms for a in alerts] == [a.at_ms for a in alerts_of(connection, "i-1")]


def test_alerts_of_several_incidents_are_read_at_once_each_from_its_root_on(
    connection: Connection, put: Put
) -> None:
    put("a", incident="one", consequence=True)
    put("b", incident="other")
    put("c", incident="one")
    put("d", incident="not asked for")
    found = alerts_of_all(connection, ["one", "other", "none"])
    assert {name: [a.id for a in alerts] for name, alerts in found.items()} == {
        "one": ["c", "a"],
        "other": ["b"],
    }


def test_an_incident_is_open_until_its_last_alert_is_resolved(connection: Connection, put: Put) -> None:
    put("a", state="resolved", at_ms=NOW_MS, since_ms=NOW_MS - HOUR_MS)
    put("b", state="pending", fired_ms=None)
    assert (the_one(connection).state, the_one(connection).until_ms) == ("pending", None)
    put("c", state="firing")
    assert the_one(connection).state == "firing"
    connection.execute(text("UPDATE alert SET state = 'resolved', at_ms = at_ms + 5 WHERE id <> 'a'"))
    one = the_one(connection)
    assert (one.state, one.since_ms, one.until_ms) == ("resolved", NOW_MS - HOUR_MS, NOW_MS + 5)


def test_when_a_page_fired_first_is_kept_after_it_was_resolved(connection: Connection, put: Put) -> None:
    put("a", severity="ticket", state="resolved", fired_ms=NOW_MS - 3)
    put("b", severity="page", state="resolved", fired_ms=NOW_MS - 2)
    put("c", severity="page", state="firing", fired_ms=NOW_MS - 1)
    one = the_one(connection)
    assert (one.fired_ms, one.paged_ms) == (NOW_MS - 3, NOW_MS - 2)


def test_what_an_older_evaluator_says_fires_has_fired(connection: Connection, put: Put) -> None:
    put("a", fired_ms=None, at_ms=NOW_MS - 7)
    assert the_one(connection).paged_ms == NOW_MS - 7


def test_incidents_are_filtered(connection: Connection, put: Put) -> None:
    put("a", incident="old", state="resolved", since_ms=NOW_MS - HOUR_MS, fired_ms=NOW_MS - HOUR_MS)
    put("b", incident="new")
    put("c", incident="another's", model="fraud", state="pending", severity="ticket", fired_ms=None)
    assert listed(connection) == ["new", "another's", "old"]
    assert listed(connection, model="churn") == ["new", "old"]
    assert listed(connection, open=True) == ["new", "another's"]
    assert listed(connection, open=False) == ["old"]
    assert listed(connection, since_ms=NOW_MS - HOUR_MS) == ["new", "another's"]
    assert listed(connection, until_ms=NOW_MS - HOUR_MS) == ["old"]
    assert listed(connection, paged_since_ms=NOW_MS - HOUR_MS) == ["new"]
    assert find_incident(connection, "none") is None
    assert alerts_of(connection, "none") == ()


def test_a_filter_on_time_leaves_no_alert_of_an_incident_out(connection: Connection, put: Put) -> None:
    put("a", since_ms=NOW_MS - HOUR_MS, cause="rename", confidence=1.0)
    put("b", since_ms=NOW_MS)
    (one,) = list_incidents(connection, IncidentFilter(until_ms=NOW_MS - HOUR_MS), Paging()).rows
    assert (one.alerts, one.cause) == (2, "rename")


# ---------------------------------------------------------------- what diagnosis says
def test_alerts_of_before_have_no_diagnosis(connection: Connection, put: Put) -> None:
    put("a")
    put("b", evidence={"factor": 2.2046, "unit": "lb"}, confidence=0.97, consequence=True)
    first, second = alerts_of(connection, "i-1")
    assert (first.evidence, first.confidence, first.consequence) == ({}, None, False)
    assert (second.evidence, second.confidence) == ({"factor": 2.2046, "unit": "lb"}, 0.97)


# ---------------------------------------------------------------- marks
@pytest.fixture
def incident(engine: Engine) -> str:
    with transaction(engine) as connection:
        add_alert(connection, "a", "churn", incident="i-1")
    return "i-1"


def test_the_last_mark_holds_and_the_others_are_kept(engine: Engine, incident: str) -> None:
    add_mark(engine, incident, AlarmVerdict.FALSE_ALARM, SAID)
    made = add_mark(engine, incident, AlarmVerdict.TRUE_ALARM, Statement("bert", "it was real"))
    with transaction(engine) as connection:
        assert marks_of(connection, incident)[0] == made
        assert [m.who for m in marks_of(connection, incident)] == ["bert", "anna"]
        one = the_one(connection)
    assert made is not None
    assert made.model == "churn"
    assert (one.verdict, one.who, one.why, one.marked_at) == (
        "true_alarm", "bert", "it was real", made.marked_at,
    )  # fmt: skip


def test_what_is_no_incident_is_not_marked(engine: Engine) -> None:
    assert add_mark(engine, "none", AlarmVerdict.FALSE_ALARM, SAID) is None
    with transaction(engine) as connection:
        assert connection.execute(select(incident_mark)).all() == []


def test_a_mark_survives_a_crash_of_the_server(
    engine: Engine, incident: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = []

    def look(connection: Connection) -> None:
        store_engine.make_durable(connection)
        shown.append(connection.execute(text("SHOW synchronous_commit")).scalar_one())

    monkeypatch.setattr(marks, "make_durable", look)
    add_mark(engine, incident, AlarmVerdict.FALSE_ALARM, SAID)
    assert shown == ["on"]


def test_words_are_one_line_that_can_be_shown() -> None:
    assert statement_of(" anna ", "planned\n\tprice   change ") == SAID
    for wrong in ("", " \n", "x" * (LONGEST_WHY + 1), "red \x1b[31m", "\u202eevil", "zero \x00", "\ud800"):
        with pytest.raises(ValueError):
            one_line(wrong, LONGEST_WHY)
    with pytest.raises(ConfigurationError) as raised:
        statement_of("", "")
    assert raised.value.problems == ("who says nothing", "why says nothing")
