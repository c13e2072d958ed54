"""Incidents at a real Alertmanager: rung once, ended, silent on both sides, and told again after it forgot them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from service.alerting.alertmanager import Alertmanager
from service.alerting.pushing import RESENT_MS, Pushing
from service.alerting.words import Word
from service.embedded import EmbeddedPostgres
from service.opening import now_ms
from service.store.alertmanagers import Alertmanagers, alertmanagers, silenced_there
from service.store.engine import transaction
from service.store.incident_words import Order, end, say, silences_in_force
from service.store.statements import Statement
from tests.servers.alertmanager import RunningAlertmanager, await_true
from tests.web.databases import migrated
from tests.web.seeding import add_alert

pytestmark = [pytest.mark.postgres, pytest.mark.prometheus]

ANNA = Statement("anna", "the supplier repairs it")
Turn = Callable[[], None]


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def engine(postgres_server: EmbeddedPostgres, request: pytest.FixtureRequest) -> Iterator[Engine]:
    with migrated(postgres_server, f"pushing_{abs(hash(request.node.name))}") as engine:
        with transaction(engine) as connection:
            since = now_ms() - 600_000
            add_alert(
                connection, "a", "churn", incident="i-1", cause="unit_change", feature="weight", since_ms=since,
                fired_ms=since, confidence=0.97, evidence={"factor": 2.2046}, summary="weight is in pounds",
                updated_at=now() - timedelta(hours=1),
            )  # fmt: skip
        yield engine


@pytest.fixture
def there(tmp_path: Path) -> Iterator[RunningAlertmanager]:
    made = RunningAlertmanager(tmp_path)
    made.start()
    yield made
    made.end()
    made.pager.server.shutdown()
    made.pager.server.server_close()


class Clock:
    """Ours, which each turn takes to the next time that it tells."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def __call__(self) -> int:
        return now_ms() + self.ahead_ms


@pytest.fixture
def turn(engine: Engine, there: RunningAlertmanager) -> Turn:
    """What an evaluator does at a turn, each time one that was just started."""
    return lambda: sender(engine, there.url).deliver()


def sender(engine: Engine, url: str) -> Pushing:
    return Pushing(Alertmanagers(engine), [Alertmanager(url)], now_ms, "https://bell.example.com/x/")


def resolve(engine: Engine) -> None:
    with transaction(engine) as connection:
        connection.execute(text("UPDATE alert SET state = 'resolved'"))


def test_an_incident_rings_once_and_ends(engine: Engine, there: RunningAlertmanager, turn: Turn) -> None:
    turn()
    await_true(lambda: there.pager.sent("firing"))
    (alert,) = there.incidents()
    assert alert["labels"] == {
        "alertname": "DriftbellIncident", "model": "churn", "cause": "unit_change", "severity": "page",
        "incident": "i-1", "feature": "weight",
    }  # fmt: skip
    assert alert["annotations"]["summary"] == "weight is in pounds"
    assert "factor 2.2046" in alert["annotations"]["description"]
    assert alert["generatorURL"] == "https://bell.example.com/x/incidents/i-1"
    turn()
    resolve(engine)
    turn()
    await_true(lambda: there.pager.sent("resolved"))
    assert len(there.pager.sent("firing")) == 1
    assert there.incidents() == []


def test_two_senders_make_one_alert(engine: Engine, there: RunningAlertmanager) -> None:
    senders = [sender(engine, there.url) for _ in range(2)]
    for one in senders * 2:
        one.deliver()
    assert len(there.incidents()) == 1


def test_an_acknowledgement_is_told_without_another_alert(
    engine: Engine, there: RunningAlertmanager, turn: Turn
) -> None:
    turn()
    say(engine, Order("i-1", Word.ACKNOWLEDGED, ANNA))
    turn()
    (alert,) = there.incidents()
    assert alert["annotations"]["acknowledged_by"] == "anna"


def test_a_silence_made_here_is_there_until_it_is_ended_here(
    engine: Engine, there: RunningAlertmanager, turn: Turn
) -> None:
    made = say(engine, Order("i-1", Word.SILENCED, ANNA, now() + timedelta(hours=4)))
    assert made is not None
    turn()
    turn()
    (silence,) = there.silences()
    assert (silence["createdBy"], silence["comment"]) == (
        "anna", f"the supplier repairs it (driftbell silence {made.id})",
    )  # fmt: skip
    assert there.incidents()[0]["status"]["state"] == "suppressed"
    assert there.pager.sent("firing") == []
    end(engine, made.id, ANNA, now())
    turn()
    assert there.silences() == []
    await_true(lambda: there.pager.sent("firing"))


def test_a_silence_that_is_ended_there_is_ended_here(
    engine: Engine, there: RunningAlertmanager, turn: Turn
) -> None:
    say(engine, Order("i-1", Word.SILENCED, ANNA, now() + timedelta(hours=4)))
    turn()
    (silence,) = there.silences()
    there.ask(f"silence/{silence['id']}", method="DELETE")
    turn()
    with transaction(engine) as connection:
        assert silences_in_force(connection, now()) == ()
        said = connection.execute(text("SELECT who FROM incident_word WHERE word = 'ended'")).scalar_one()
    assert said == f"Alertmanager 127.0.0.1:{there.port}"


def test_a_silence_made_there_is_known_here(engine: Engine, there: RunningAlertmanager, turn: Turn) -> None:
    turn()
    there.ask("silences", silence_of_bert())
    turn()
    with transaction(engine) as connection:
        (seen,) = silenced_there(connection, now(), ["i-1"])
        assert silences_in_force(connection, now()) == ()
    assert (seen.who, seen.why) == ("bert", "known")


def silence_of_bert() -> dict[str, Any]:
    return {
        "matchers": [{"name": "model", "value": "chu.*", "isRegex": True}], "startsAt": now().isoformat(),
        "endsAt": (now() + timedelta(hours=1)).isoformat(), "createdBy": "bert", "comment": "known",
    }  # fmt: skip


def test_what_is_expected_ends_there_and_is_not_told_again(
    engine: Engine, there: RunningAlertmanager, turn: Turn
) -> None:
    turn()
    await_true(lambda: there.pager.sent("firing"))
    say(engine, Order("i-1", Word.EXPECTED, ANNA, widely=True))
    turn()
    await_true(lambda: there.pager.sent("resolved"))
    assert there.incidents() == []


def test_one_that_has_forgotten_everything_is_told_again(
    engine: Engine, there: RunningAlertmanager, turn: Turn
) -> None:
    say(engine, Order("i-1", Word.SILENCED, ANNA, now() + timedelta(hours=4)))
    turn()
    there.end(forget=True)
    turn()
    with transaction(engine) as connection:
        (away,) = alertmanagers(connection)
    assert away.failing_since is not None
    assert "refused" in (away.trouble or "")
    there.start()
    turn()
    assert len(there.incidents()) == 1
    assert len(there.silences()) == 1
    with transaction(engine) as connection:
        (back,) = alertmanagers(connection)
        assert len(silences_in_force(connection, now())) == 1
    assert (back.failing_since, back.trouble) == (None, None)


def test_one_sender_tells_again_every_minute_and_at_once_what_is_new(
    engine: Engine, there: RunningAlertmanager
) -> None:
    clock = Clock()
    pushing = Pushing(Alertmanagers(engine), [Alertmanager(there.url)], clock)
    pushing.deliver()
    first = there.incidents()[0]["updatedAt"]
    pushing.deliver()
    assert there.incidents()[0]["updatedAt"] == first
    clock.ahead_ms = RESENT_MS
    pushing.deliver()
    second = there.incidents()[0]["updatedAt"]
    assert second > first
    say(engine, Order("i-1", Word.ACKNOWLEDGED, ANNA))
    pushing.deliver()
    assert there.incidents()[0]["annotations"]["acknowledged_by"] == "anna"


def test_a_guard_says_that_incidents_of_the_model_are_pushed(there: RunningAlertmanager, turn: Turn) -> None:
    turn()
    (guard,) = [a for a in there.ask("alerts") if a["labels"]["alertname"] == "DriftbellIncidentsPushed"]
    assert guard["labels"] == {"alertname": "DriftbellIncidentsPushed", "model": "churn", "severity": "none"}
