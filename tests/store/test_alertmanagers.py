"""What each Alertmanager was told is kept, whoever else tells it, and holds only what is ours."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event
from time import sleep

import pytest
from sqlalchemy import Engine, event, text

from service.alerting.pushing import Sent, Told
from service.alerting.shared_silences import Link
from service.alerting.words import Word
from service.store import alertmanagers
from service.store.alertmanagers import Alertmanagers, all_silences, silenced_there
from service.store.engine import connect, transaction
from service.store.incident_words import Order, say
from service.store.statements import Statement
from tests.web.seeding import NOW_MS, add_alert

pytestmark = pytest.mark.postgres

NOW = datetime.fromtimestamp(NOW_MS / 1000, UTC)
SENT = Sent("i-1", "f", {"incident": "i-1"}, NOW_MS)


@pytest.fixture(autouse=True)
def incident(engine: Engine) -> None:
    with transaction(engine) as connection:
        add_alert(connection, "a", "churn", incident="i-1", fired_ms=NOW_MS)


def theirs(incident: str, number: str) -> Link:
    return Link(number, incident, None, "bert", "mine", NOW + timedelta(hours=1))


def row(engine: Engine) -> tuple[object, ...]:
    with transaction(engine) as connection:
        found = connection.execute(text("SELECT reached_at, failing_since, trouble FROM alertmanager")).one()
        return tuple(found)


def test_two_that_tell_the_same_one_at_once_wait_for_each_other(engine: Engine) -> None:
    other = connect(engine.url.render_as_string(hide_password=False))
    written, go_on = Event(), Event()

    def pause(_: object) -> None:
        written.set()
        go_on.wait(10)

    told = Told([SENT], [theirs("i-1", "s-1")], frozenset())
    event.listen(other, "commit", pause)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(Alertmanagers(other).told, "am", told, NOW)
        assert written.wait(10)
        second = pool.submit(Alertmanagers(engine).told, "am", told, NOW)
        await_lock(engine)
        go_on.set()
        assert (first.result(10), second.result(10)) == (None, None)
    other.dispose()
    assert Alertmanagers(engine).before("am")[0] == [SENT]


def await_lock(engine: Engine) -> None:
    waits = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    for _ in range(500):
        with transaction(engine) as connection:
            if connection.execute(waits).scalar_one():
                return
        sleep(0.01)
    raise AssertionError("nobody waits")


def test_only_silences_over_incidents_of_ours_are_kept_and_shown(engine: Engine) -> None:
    told = Told([], [theirs("i-1", "s-1"), theirs("i-not-ours", "s-2")], frozenset())
    Alertmanagers(engine).told("am", told, NOW)
    with transaction(engine) as connection:
        assert connection.execute(text("SELECT incident FROM alertmanager_silence")).scalars().all() == [
            "i-1"
        ]
        connection.execute(text("UPDATE alertmanager_silence SET incident = 'i-gone', id = 's-3'"))
        assert silenced_there(connection, NOW) == ()


def test_what_is_silent_there_is_listed_by_its_model(engine: Engine) -> None:
    Alertmanagers(engine).told("am", Told([], [theirs("i-1", "s-1")], frozenset()), NOW)
    with transaction(engine) as connection:
        for model, expected in ((None, ["s-1"]), ("churn", ["s-1"]), ("fraud", [])):
            ours, there = all_silences(connection, NOW, model)
            assert (ours, [one.id for one in there]) == ((), expected)


def test_what_stands_there_for_a_silence_of_ours_is_listed_once(engine: Engine) -> None:
    later = NOW + timedelta(hours=1)
    said = say(engine, Order("i-1", Word.SILENCED, Statement("anna", "deploying"), later))
    assert said is not None
    ours = Link("s-2", "i-1", said.id, "anna", "deploying", later)
    Alertmanagers(engine).told("am", Told([], [theirs("i-1", "s-1"), ours], frozenset()), NOW)
    with transaction(engine) as connection:
        assert [one.id for one in silenced_there(connection, NOW)] == ["s-1"]


def test_an_incident_whose_alerts_have_joined_another_one_is_left_out(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction(engine) as connection:
        add_alert(connection, "b", "churn", incident="i-2", fired_ms=NOW_MS)
    found = alertmanagers.alerts_of_all
    monkeypatch.setattr(alertmanagers, "alerts_of_all", lambda at, ids: found(at, [*{*ids} - {"i-2"}]))
    assert [one.id for one in Alertmanagers(engine).situation(NOW).incidents] == ["i-1"]


def test_what_rings_is_told_however_much_is_open_that_began_later(engine: Engine) -> None:
    pending = {"severity": "info", "state": "pending", "since_ms": NOW_MS}
    with transaction(engine) as connection:
        for number in range(1_001):
            add_alert(connection, f"p-{number}", "churn", incident=f"p-{number}", **pending)
    assert [one.id for one in Alertmanagers(engine).situation(NOW).incidents] == ["i-1"]


def test_a_trouble_with_its_silences_keeps_what_was_told_and_known(engine: Engine) -> None:
    register = Alertmanagers(engine)
    register.told("am", Told([], [theirs("i-1", "s-1")], frozenset()), NOW)
    register.told("am", Told([SENT], None, frozenset(), "its silences: 500"), NOW)
    reached_at, failing_since, trouble = row(engine)
    assert (reached_at is None, failing_since is None, trouble) == (False, False, "its silences: 500")
    register.told("am", Told([SENT], None, frozenset(), "its silences: 500"), NOW)
    assert row(engine)[1] == failing_since
    assert register.before("am")[0] == [SENT]
    with transaction(engine) as connection:
        assert [one.id for one in silenced_there(connection, NOW)] == ["s-1"]


def test_what_is_asked_at_each_turn_is_found_by_an_index(engine: Engine) -> None:
    with transaction(engine) as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        for query, index in (
            ("SELECT max(updated_at) FROM alert", "alert_by_update"),
            ("SELECT 1 FROM outbox WHERE alert_id = 'a'", "outbox_by_alert"),
        ):
            plan = "\n".join(connection.execute(text(f"EXPLAIN {query}")).scalars())
            assert index in plan
