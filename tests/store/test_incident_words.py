"""Words on incidents are kept, and what holds of them is found: for this incident, and for later ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from service.alerting.words import MOST_COVERS, Cover, Said, Word
from service.store.engine import transaction
from service.store.incident_words import (
    Order,
    end,
    say,
    silences_in_force,
    silences_over,
    words_of,
    wrong_in,
)
from service.store.incidents import find_incident
from service.store.outbox import Outbox
from service.store.statements import Statement
from service.store.tables import outbox
from tests.web.seeding import NOW_MS, add_alert, add_grid, add_model, add_reference

pytestmark = pytest.mark.postgres

ANNA, BERT = Statement("anna", "so"), Statement("bert", "no")
NOW = datetime.fromtimestamp(NOW_MS / 1000, UTC)
HOUR = timedelta(hours=1)
Put = Callable[..., None]


@pytest.fixture
def put(engine: Engine) -> Put:
    """An alert of the incident "i-1" of model churn."""

    def call(alert_id: str, model: str = "churn", **changes: Any) -> None:
        with transaction(engine) as connection:
            add_alert(connection, alert_id, model, **{"incident": "i-1", "fired_ms": NOW_MS} | changes)

    return call


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with transaction(engine) as connection:
        yield connection


def silenced(engine: Engine, *, widely: bool = False, until: datetime = NOW + HOUR) -> Said:
    made = say(engine, Order("i-1", Word.SILENCED, ANNA, until, widely))
    assert made is not None
    return made


def silent(engine: Engine, incident: str, now: datetime = NOW, model: str = "churn") -> list[int]:
    with transaction(engine) as connection:
        return [one.id for one in silences_over(connection, {incident: model}, now).get(incident, ())]


def test_who_has_it_stands_beside_the_incident(engine: Engine, put: Put) -> None:
    put("a")
    say(engine, Order("i-1", Word.ACKNOWLEDGED, ANNA))
    say(engine, Order("i-1", Word.ACKNOWLEDGED, BERT))
    with transaction(engine) as connection:
        one = find_incident(connection, "i-1")
    assert one is not None
    assert one.acknowledged_by == "bert"
    say(engine, Order("i-1", Word.RELEASED, BERT))
    with transaction(engine) as connection:
        one = find_incident(connection, "i-1")
        assert [word.who for word in words_of(connection, "i-1")] == ["bert", "bert", "anna"]
    assert one is not None
    assert (one.acknowledged_by, one.acknowledged_at) == (None, None)


def test_nothing_is_said_of_what_is_not_there(engine: Engine) -> None:
    assert say(engine, Order("none", Word.ACKNOWLEDGED, ANNA)) is None
    assert end(engine, 1, ANNA, NOW) is None


def test_a_silence_holds_until_its_time_or_until_it_is_ended(engine: Engine, put: Put) -> None:
    put("a")
    first, second = silenced(engine), silenced(engine, until=NOW + 2 * HOUR)
    assert silent(engine, "i-1") == [first.id, second.id]
    assert silent(engine, "i-1", NOW + HOUR) == [second.id]
    assert silent(engine, "i-1", NOW + 2 * HOUR) == []
    assert silent(engine, "i-2") == []
    ended = end(engine, second.id, BERT, NOW)
    assert ended is not None
    assert (ended.ends, ended.incident) == (second.id, "i-1")
    assert silent(engine, "i-1") == [first.id]
    assert end(engine, second.id, BERT, NOW) is None


def test_said_widely_it_holds_for_the_same_trouble_later(engine: Engine, put: Put) -> None:
    put("a", cause="unit_change", feature="weight")
    put("b", cause="prediction_drift", role="prediction", feature="prediction", consequence=True)
    made = silenced(engine, widely=True)
    assert made.covers == (Cover("unit_change", "feature", "weight", ""),)
    put("c", incident="i-2", cause="unit_change", feature="weight", segment="country=DE")
    put("d", incident="i-3", cause="unit_change", feature="height")
    assert silent(engine, "i-2") == [made.id]
    assert silent(engine, "i-3") == []
    put("e", incident="i-2", cause="missing", feature="age")
    assert silent(engine, "i-2") == []
    with transaction(engine) as connection:
        connection.execute(text("UPDATE alert SET state = 'resolved' WHERE id = 'e'"))
        assert wrong_in(connection, ["i-2"]) == {
            "i-2": {Cover("unit_change", "feature", "weight", "country=DE")}
        }
    assert silent(engine, "i-2") == [made.id]


def test_what_is_expected_is_marked_so_and_ends_with_another_reference(engine: Engine, put: Put) -> None:
    with transaction(engine) as connection:
        connection.execute(text("DELETE FROM grid"))
        add_grid(connection)
        add_model(connection, "churn")
    put("a", cause="data_drift", feature="price")
    made = say(engine, Order("i-1", Word.EXPECTED, ANNA, widely=True))
    assert made is not None
    assert (made.reference_name, made.until_at) == ("churn-ref", None)
    with transaction(engine) as connection:
        one = find_incident(connection, "i-1")
        assert one is not None
        assert (one.verdict, one.who) == ("expected", "anna")
    assert silent(engine, "i-1", NOW + 1_000 * HOUR) == [made.id]
    with transaction(engine) as connection:
        add_reference(connection, "newer")
        add_model(connection, "churn", number=2, reference_name="newer")
    assert silent(engine, "i-1") == []


def test_silences_are_listed_by_their_model(engine: Engine, put: Put) -> None:
    put("a")
    put("b", "fraud", incident="i-9")
    made = silenced(engine)
    with transaction(engine) as connection:
        assert [one.id for one in silences_in_force(connection, NOW)] == [made.id]
        assert silences_in_force(connection, NOW, model="fraud") == ()


# ---------------------------------------------------------------- the outbox
def message(engine: Engine, alert: str, state: str, incident: str = "i-1") -> None:
    document = {"incident": incident, "model": "churn", "state": state, "summary": alert}
    with transaction(engine) as connection:
        connection.execute(outbox.insert().values(alert_id=alert, state=state, message=document))


def test_messages_of_what_is_silent_wait_aside_and_hold_no_other_up(engine: Engine, put: Put) -> None:
    put("a")
    put("b", incident="i-2")
    made = silenced(engine, until=datetime.now(UTC) + HOUR)
    message(engine, "a", "firing")
    message(engine, "b", "firing", "i-2")
    box = Outbox(engine)
    assert [one.message["summary"] for one in box.hold_what_is_silent()] == ["a"]
    assert box.hold_what_is_silent() == []
    assert [one.message["summary"] for one in box.waiting()] == ["b"]
    end(engine, made.id, ANNA, datetime.now(UTC))
    assert box.hold_what_is_silent() == []
    assert [one.message["summary"] for one in box.waiting()] == ["a", "b"]


def test_what_came_and_went_in_a_silence_is_told_to_nobody(engine: Engine, put: Put) -> None:
    put("a")
    made = silenced(engine, until=datetime.now(UTC) + HOUR)
    message(engine, "a", "firing")
    message(engine, "a", "resolved")
    box = Outbox(engine)
    assert len(box.hold_what_is_silent()) == 2
    end(engine, made.id, ANNA, datetime.now(UTC))
    box.hold_what_is_silent()
    assert box.waiting() == []


def test_the_end_of_what_was_told_is_told_in_a_silence_too(engine: Engine, put: Put) -> None:
    put("a")
    message(engine, "a", "firing")
    box = Outbox(engine)
    box.delivered(box.waiting()[0])
    silenced(engine, until=datetime.now(UTC) + HOUR)
    message(engine, "a", "resolved")
    assert box.hold_what_is_silent() == []
    assert [one.message["state"] for one in box.waiting()] == ["resolved"]


def held_states(engine: Engine) -> list[tuple[str, str]]:
    with transaction(engine) as connection:
        held = text("SELECT alert_id, state FROM outbox WHERE delivered_at IS NULL AND held_at IS NOT NULL")
        return [(row.alert_id, row.state) for row in connection.execute(held)]


def test_what_was_reworded_in_a_silence_is_never_sent_after_its_end(engine: Engine, put: Put) -> None:
    put("a")
    message(engine, "a", "firing")
    box = Outbox(engine)
    box.delivered(box.waiting()[0])
    made = silenced(engine, until=datetime.now(UTC) + HOUR)
    message(engine, "a", "firing")
    box.hold_what_is_silent()
    assert held_states(engine) == [("a", "firing")]
    message(engine, "a", "resolved")
    (relief,) = box.waiting()  # before the next look at what is held
    box.delivered(relief)
    box.hold_what_is_silent()
    end(engine, made.id, ANNA, datetime.now(UTC))
    box.hold_what_is_silent()
    assert box.waiting() == []
    assert held_states(engine) == []


def test_what_ends_in_the_turn_in_which_the_silence_does_is_told_to_nobody(engine: Engine, put: Put) -> None:
    put("a")
    made = silenced(engine, until=datetime.now(UTC) + HOUR)
    message(engine, "a", "firing")
    box = Outbox(engine)
    box.hold_what_is_silent()
    end(engine, made.id, ANNA, datetime.now(UTC))
    message(engine, "a", "resolved")
    box.hold_what_is_silent()
    assert box.waiting() == []


def test_however_much_is_held_what_is_new_is_held_too(
    engine: Engine, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.store.outbox._MOST_NEW", 3)
    put("a")
    silenced(engine, until=datetime.now(UTC) + HOUR)
    box = Outbox(engine)
    for number in range(5):
        message(engine, f"a-{number}", "firing")
        message(engine, "a", "firing")
        assert len(box.hold_what_is_silent()) == 2
    assert box.waiting() == []
    assert sorted(held_states(engine)) == [("a", "firing"), *((f"a-{n}", "firing") for n in range(5))]


def test_a_wide_silence_of_very_much_holds_for_its_own_incident(engine: Engine, put: Put) -> None:
    for number in range(MOST_COVERS + 1):
        put(f"a{number}", feature=f"f{number:04}")
        put(f"s{number}", feature=f"f{number:04}", segment="country=DE")
    made = silenced(engine, widely=True)
    assert {one.segment for one in made.covers} == {""}
    assert silent(engine, "i-1") == [made.id]
