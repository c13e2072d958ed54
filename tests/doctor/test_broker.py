"""Topics are judged by what the broker says of them, and what it does not say is no fault."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from service.doctor.broker import Wanted, broker_checks
from service.doctor.check import Condition
from service.intake.topic_survey import FOR_EVER, BrokerSeen, TopicSeen
from service.monitor import DAY_MS, HOUR_MS, MINUTE_MS

WANTED = Wanted("SASL_SSL", "driftbell", ["log"], lateness_ms=10 * MINUTE_MS, labels_wait_ms=30 * DAY_MS)
LOG = TopicSeen("log", "", {0: 0, 1: 0}, {0: 9, 1: 4}, (), frozenset({"READ", "DESCRIBE"}), 40 * DAY_MS)


def judged(seen: BrokerSeen, wanted: Wanted = WANTED) -> dict[str, tuple[Condition, str]]:
    return {one.name: (one.condition, f"{one.sentence}; {one.advice}") for one in broker_checks(seen, wanted)}


def test_a_topic_that_may_be_read_and_keeps_records_is_well() -> None:
    assert judged(BrokerSeen((LOG,))) == {
        "broker": (Condition.OK, "it answers over SASL_SSL; "),
        "consumer group": (Condition.OK, "driftbell may be used; "),
        "topic log": (Condition.OK, "2 partitions, which may be read; "),
        "retention of log": (Condition.OK, "records are kept for 40 d; "),
    }


@pytest.mark.parametrize(
    ("changes", "condition", "said"),
    [
        (
            {"trouble": "Kafka has no topic 'log': create it"},
            Condition.FAILURE,
            "Kafka has no topic 'log'; create it",
        ),
        ({"leaderless": (1,)}, Condition.FAILURE, "no broker leads 1 partition of it: 1"),
        (
            {"rights": frozenset({"DESCRIBE"})},
            Condition.FAILURE,
            "may not be read by this user; grant this user READ",
        ),
        ({"rights": frozenset({"ALL"})}, Condition.OK, "2 partitions, which may be read"),
        ({"rights": None}, Condition.OK, "2 partitions; "),
    ],
)
def test_a_topic_that_cannot_be_read_is_a_failure(
    changes: dict[str, Any], condition: Condition, said: str
) -> None:
    found, sentence = judged(BrokerSeen((replace(LOG, **changes),)))["topic log"]
    assert found is condition
    assert said in sentence


@pytest.mark.parametrize(
    ("changes", "condition", "said"),
    [
        ({"retention_ms": FOR_EVER}, Condition.OK, "for ever"),
        (
            {"retention_ms": 5 * MINUTE_MS},
            Condition.WARNING,
            "5 min, which is less than the allowed lateness of",
        ),
        (
            {"retention_ms": 5 * HOUR_MS},
            Condition.OK,
            "labels are waited for 30 d: older ones could not be joined",
        ),
        ({"retention_ms": None}, Condition.NOT_CHECKED, "does not tell"),
        ({"compacted": True}, Condition.WARNING, "it is compacted"),
    ],
)
def test_retention_is_held_against_what_monitors_wait_for(
    changes: dict[str, Any], condition: Condition, said: str
) -> None:
    found, sentence = judged(BrokerSeen((replace(LOG, **changes),)))["retention of log"]
    assert found is condition
    assert said in sentence


def test_without_monitors_retention_is_only_told() -> None:
    unknown = replace(WANTED, lateness_ms=None, labels_wait_ms=None)
    seen = BrokerSeen((replace(LOG, retention_ms=1_000),))
    assert judged(seen, unknown)["retention of log"] == (Condition.OK, "records are kept for 1 s; ")


def test_a_group_that_is_not_ours_and_a_topic_that_is_not_answered_are_failures() -> None:
    found = judged(BrokerSeen((), "GroupAuthorizationFailedError"))
    assert found["consumer group"][0] is Condition.FAILURE
    assert found["topic log"] == (
        Condition.FAILURE,
        "the broker says nothing of it; create it, or correct the name",
    )


@pytest.mark.parametrize(
    ("seen", "condition"),
    [
        (TopicSeen("dead", rights=frozenset({"READ"})), Condition.FAILURE),
        (TopicSeen("dead", rights=frozenset({"WRITE"})), Condition.OK),
        (TopicSeen("dead"), Condition.OK),
        (TopicSeen("dead", "Kafka has no topic 'dead': create it"), Condition.FAILURE),
    ],
)
def test_a_topic_that_is_written_to_must_be_there_and_take_records(
    seen: TopicSeen, condition: Condition
) -> None:
    assert judged(BrokerSeen((LOG, seen)), replace(WANTED, written=["dead"]))["topic dead"][0] is condition
