"""Everything is looked at within its time, and trouble with one part stops no other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from service.doctor.check import Check, Condition
from service.errors import ConfigurationError, Unavailable
from service.examination import Examination, NoAnswer, Ways, within
from service.intake.topic_survey import BrokerSeen, TopicSeen
from service.monitor import Monitor
from service.settings import read_settings
from service.store.configuration import apply_monitors
from service.store.engine import connect
from service.store.migrate import migrate

BROKER = {"DRIFTBELL_KAFKA_BOOTSTRAP_SERVERS": "localhost:9092", "DRIFTBELL_KAFKA_TOPICS": "log"}
LOG = BrokerSeen((TopicSeen("log", "", {0: 0}, {0: 5}),))


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def raising(error: Exception) -> Callable[..., Any]:
    def call(*_: object) -> Any:
        raise error

    return call


def examined(
    open_database: Callable[[], Engine],
    ask_broker: Callable[[Any], BrokerSeen] = lambda _: LOG,
    patience_seconds: float = 5.0,
    **environ: str,
) -> dict[str, Check]:
    ways = Ways(open_database, ask_broker, now_ms, patience_seconds)
    return {one.name: one for one in Examination(read_settings(BROKER | environ), ways).run()}


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    made = connect(database)
    yield made
    made.dispose()


def test_what_is_found_in_time_is_handed_on_and_so_is_trouble() -> None:
    assert within(5, lambda: 7) == 7
    with pytest.raises(Unavailable, match="gone"):
        within(5, raising(Unavailable("gone")))
    with pytest.raises(NoAnswer, match=r"not understood \(KeyError: 'x'\)"):
        within(5, raising(KeyError("x")))


def test_what_takes_too_long_is_left_behind() -> None:
    ended = threading.Event()
    with pytest.raises(NoAnswer, match=r"no answer within 0\.05 s"):
        within(0.05, ended.wait)
    ended.set()


def test_a_database_that_is_away_stops_only_what_asks_it() -> None:
    found = examined(raising(Unavailable("the database bell at db-1 does not answer: refused")))
    assert found["database"].condition is Condition.FAILURE
    assert found["database"].sentence == "the database bell at db-1 does not answer: refused"
    unknown = [
        "schema",
        "permissions",
        "connections",
        "clocks",
        "monitors",
        "collectors",
        "evaluators",
        "outbox",
    ]
    assert {found[name].condition for name in unknown} == {Condition.NOT_CHECKED}
    assert found["broker"].condition is found["topic log"].condition is Condition.OK


def test_the_advice_of_an_error_is_what_to_do() -> None:
    found = examined(raising(ConfigurationError("no database is configured; set DRIFTBELL_DATABASE_URL")))
    assert (found["database"].sentence, found["database"].advice) == (
        "no database is configured",
        "set DRIFTBELL_DATABASE_URL",
    )


@pytest.mark.postgres
@pytest.mark.parametrize("error", [Unavailable("Kafka is away"), AssertionError("of the client")])
def test_a_broker_that_is_away_or_a_client_that_breaks_stops_nothing(
    engine: Engine, error: Exception
) -> None:
    migrate(engine)
    apply_monitors(engine, [Monitor("churn")], [], now_ms())
    found = examined(lambda: engine, raising(error))
    assert found["broker"].condition is Condition.FAILURE
    assert found["monitor churn"].condition is Condition.OK
    assert found["collectors of log"].sentence == "nobody has ever read it"


@pytest.mark.postgres
def test_a_broker_that_never_answers_costs_its_time_only(engine: Engine) -> None:
    migrate(engine)
    ended = threading.Event()

    def never(_: Any) -> BrokerSeen:
        ended.wait(30)
        return LOG

    found = examined(lambda: engine, never, patience_seconds=1.0)
    ended.set()
    assert found["broker"].sentence == "no answer within 1 s"
    assert found["outbox"].condition is Condition.OK


@pytest.mark.postgres
def test_tables_of_another_version_are_not_asked(engine: Engine) -> None:
    found = examined(lambda: engine)
    assert found["schema"].condition is Condition.FAILURE
    assert found["monitors"].condition is Condition.NOT_CHECKED


def test_nothing_is_sent_in_the_clear_that_must_not_be() -> None:
    found = examined(
        raising(AssertionError("it was connected to")),
        raising(AssertionError("it was asked")),
        DRIFTBELL_DATABASE_URL="postgresql://me@db-1/bell?sslmode=disable",
        DRIFTBELL_KAFKA_BOOTSTRAP_SERVERS="kafka-1:9092",
    )
    assert found["database"].condition is found["broker"].condition is Condition.NOT_CHECKED
    assert found["settings"].condition is Condition.FAILURE


def test_the_topics_that_are_asked_for_are_those_read_and_those_written_to() -> None:
    asked: list[str] = []

    def ask(topics: Any) -> BrokerSeen:
        asked.extend(topics)
        return LOG

    examined(
        raising(Unavailable("gone")), ask, DRIFTBELL_DEAD_LETTER_TOPIC="dead", DRIFTBELL_FEEDBACK_TOPIC="back"
    )
    assert asked == ["log", "dead", "back"]
