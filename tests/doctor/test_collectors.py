"""A partition that nobody reads, that is halted or far behind is found; others are told in one line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from service.doctor.check import Condition
from service.doctor.collectors import collector_checks
from service.doctor.flow import SILENT_MS, PartitionStanding
from service.intake.topic_survey import BrokerSeen, TopicSeen
from service.monitor import MINUTE_MS
from tests.doctor.standing import NOW_MS, standing

FIRST = standing(0, topic="log", owner="host-1:7", lag=3)
MORE = "raise the topic's retention, and add collectors"
BROKER = BrokerSeen((TopicSeen("log", "", {0: 0, 1: 0}, {0: 103, 1: 50}),))


def judged(
    *partitions: PartitionStanding, broker: BrokerSeen | None = None
) -> dict[str, tuple[Condition, str]]:
    found = collector_checks(partitions, ["log"], broker, NOW_MS)
    return {one.name: (one.condition, f"{one.sentence}; {one.advice}") for one in found}


def test_partitions_that_are_read_are_one_line() -> None:
    second = replace(FIRST, partition=1, next_offset=50, lag=0, owner="host-2:9")
    assert judged(FIRST, second, broker=BROKER) == {
        "collectors of log": (Condition.OK, "2 partitions read by 2 collectors, 3 records behind; ")
    }


@pytest.mark.parametrize(
    ("changes", "condition", "said"),
    [
        (
            {"halted": "too many dead letters"},
            Condition.FAILURE,
            "it is halted: too many dead letters; find out why, then `driftbell partitions resume log`",
        ),
        ({"owner": None}, Condition.FAILURE, "it is 3 records behind, and nobody has owned it for 1 s"),
        ({"silent_ms": SILENT_MS + 1}, Condition.FAILURE, "its owner host-1:7 has said nothing for 90 s"),
        (
            {"deaths": 2},
            Condition.WARNING,
            "it is 3 records behind and has changed hands 2 times without progress",
        ),
        (
            {"lag": 1_001, "highest_ms": NOW_MS - 16 * MINUTE_MS},
            Condition.WARNING,
            "it is 1,001 records behind, and 16 min in event time",
        ),
    ],
)
def test_a_partition_in_trouble_is_told_alone(
    changes: dict[str, Any], condition: Condition, said: str
) -> None:
    found = judged(replace(FIRST, **changes), replace(FIRST, partition=1))
    assert list(found) == ["partition log 0"]
    assert found["partition log 0"][0] is condition
    assert said in found["partition log 0"][1]


@pytest.mark.parametrize(
    "changes",
    [{"silent_ms": SILENT_MS}, {"lag": 1_001}, {"lag": 3, "highest_ms": NOW_MS - 16 * MINUTE_MS}],
)
def test_a_partition_that_is_a_little_behind_or_quiet_is_well(changes: dict[str, Any]) -> None:
    assert judged(replace(FIRST, **changes))["collectors of log"][0] is Condition.OK


def test_the_logs_end_tells_the_lag_of_who_is_dead() -> None:
    dead = replace(FIRST, silent_ms=10 * SILENT_MS, lag=0)
    grown = BrokerSeen((TopicSeen("log", "", {0: 0}, {0: 5_100}),))
    assert "5,000 records behind" in judged(dead, broker=grown)["partition log 0"][1]


def test_records_that_retention_took_before_they_were_read_are_a_failure() -> None:
    cut = BrokerSeen((TopicSeen("log", "", {0: 140}, {0: 200}),))
    assert judged(FIRST, broker=cut)["partition log 0"] == (
        Condition.FAILURE,
        f"the log begins 40 records after where it is read: those are lost; {MORE}",
    )


def test_a_partition_that_nobody_has_claimed_is_a_failure() -> None:
    found = judged(FIRST, broker=BROKER)
    assert found["partition log 1"][0] is Condition.FAILURE
    assert "no collector has claimed it yet" in found["partition log 1"][1]


def test_a_topic_that_nobody_has_read_is_a_failure_and_without_any_topic_nothing_is_asked() -> None:
    assert judged()["collectors of log"][0] is Condition.FAILURE
    (check,) = collector_checks([], [], None, NOW_MS)
    assert (check.condition, check.is_problem) == (Condition.NOT_CHECKED, False)


def test_a_topic_that_is_stored_and_not_named_is_looked_at_too() -> None:
    found = judged(FIRST, replace(FIRST, topic="old", owner=None))
    assert found["partition old 0"][0] is Condition.FAILURE
