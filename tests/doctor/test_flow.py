"""Each partition is told in a sentence, the worst of what is wrong with it; and all partitions in one."""

from __future__ import annotations

from typing import Any

import pytest

from service.doctor.check import Check, Condition, warning
from service.doctor.flow import (
    BEHIND_MS,
    BEHIND_RECORDS,
    MOST_NAMED,
    NOT_READ,
    SILENT_MS,
    PartitionStanding,
    Reading,
    flow_of,
    headline,
    partition_troubles,
    reading_of,
    told_of,
)
from tests.doctor.standing import NOW_MS, standing

FAR_BEHIND = {"lag": BEHIND_RECORDS + 1, "highest_ms": NOW_MS - BEHIND_MS - 1}


@pytest.mark.parametrize(
    ("changes", "reading", "sentence"),
    [
        (
            {"halted": "its topic was made anew", "owner": None},
            Reading.HALTED,
            "is halted: its topic was made anew",
        ),
        (
            {"owner": None, "lag": 12_000, "silent_ms": 240_000},
            Reading.ABANDONED,
            "is 12,000 records behind, and nobody has owned it for 4 min",
        ),
        (
            {"silent_ms": SILENT_MS + 60_000, "lag": 1},
            Reading.ABANDONED,
            "is 1 record behind, and its owner host-1 has said nothing for 2 min",
        ),
        (
            {"deaths": 2} | FAR_BEHIND,
            Reading.DYING,
            "is 1,001 records behind and has changed hands 2 times without progress, each time uncleanly",
        ),
        (FAR_BEHIND, Reading.BEHIND, "is 1,001 records behind, and 15 min in event time"),
        ({"highest_ms": None}, Reading.WAITING, "is read by host-1 and has not brought a single event"),
        ({"idle_ms": 5_000}, Reading.IDLE, "is read by host-1, 0 records behind"),
        ({"lag": None}, Reading.READ, "is read by host-1, 0 records behind"),
    ],
)
def test_the_worst_that_holds_is_told(changes: dict[str, Any], reading: Reading, sentence: str) -> None:
    one = standing(**changes)
    assert reading_of(one, NOW_MS) is reading
    assert told_of(one, reading, NOW_MS) == f"partition 3 of events {sentence}"


@pytest.mark.parametrize(
    "changes",
    [
        {"silent_ms": SILENT_MS},
        {**FAR_BEHIND, "lag": BEHIND_RECORDS},
        {**FAR_BEHIND, "highest_ms": NOW_MS - BEHIND_MS},
        {"lag": 10**9, "highest_ms": None},
    ],
)
def test_at_a_limit_nothing_is_wrong_yet(changes: dict[str, Any]) -> None:
    assert reading_of(standing(**changes), NOW_MS) in {Reading.READ, Reading.WAITING}


def judged(*partitions: PartitionStanding, others: tuple[Check, ...] = ()) -> tuple[str, list[Check]]:
    """The headline, and the troubles of the partitions."""
    readings = [reading_of(one, NOW_MS) for one in partitions]
    troubles = partition_troubles(partitions, readings, NOW_MS)
    return headline(flow_of(partitions, readings), [*troubles, *others]), troubles


def test_when_all_is_well_the_headline_says_what_is_read() -> None:
    said, troubles = judged(standing(0, lag=30), standing(1, lag=7, owner="host-2", topic="other"))
    assert troubles == []
    assert said == (
        "All is read: 2 partitions of 2 topics by 2 collectors, 37 records behind, and nothing waits that should not."
    )


def test_when_partitions_are_not_read_the_headline_counts_them_by_what_is_wrong() -> None:
    said, troubles = judged(
        standing(0),
        standing(1, owner=None, lag=5),
        standing(2, halted="poison"),
        standing(3, halted="poison"),
    )
    assert (
        said == "2 of 4 partitions are halted, 1 of 4 partitions is read by nobody; 5 records behind in all."
    )
    assert [one.name for one in troubles] == [
        "partition events 2",
        "partition events 3",
        "partition events 1",
    ]
    assert {one.condition for one in troubles} == {Condition.FAILURE}
    assert all(one.advice for one in troubles)


def test_what_else_is_wrong_stands_in_the_headline_with_the_number_of_the_rest() -> None:
    outbox = Check("outbox", Condition.FAILURE, "3 alerts not delivered", "look")
    said, _ = judged(standing(), others=(warning("dead letters", "many", "look"), outbox))
    assert said.endswith("; outbox: 3 alerts not delivered (and 1 more).")
    assert said.startswith("All is read: 1 partition of 1 topic by 1 collector")


def test_without_partitions_the_headline_says_how_they_come() -> None:
    assert judged()[0] == "No partition has ever been read: start a collector with `driftbell collect`."


def test_of_very_many_in_trouble_the_worst_are_named_and_the_rest_counted() -> None:
    many = [standing(n, owner=None, lag=n) for n in range(1_000)]
    said, troubles = judged(*many)
    assert [one.name for one in troubles[:2]] == ["partition events 999", "partition events 998"]
    assert troubles[-1].sentence == f"{1_000 - MOST_NAMED} more partitions are read by nobody"
    assert "`driftbell partitions reset events`" in troubles[0].advice
    assert "`driftbell partitions reset TOPIC`" in troubles[-1].advice
    assert len(troubles) == MOST_NAMED + 1
    assert said.startswith("1,000 of 1,000 partitions are read by nobody")


def test_a_dead_collector_is_not_counted_among_those_that_read() -> None:
    partitions = [standing(0), standing(1, owner="host-2", silent_ms=SILENT_MS + 1), standing(2, halted="x")]
    readings = [reading_of(one, NOW_MS) for one in partitions]
    flow = flow_of(partitions, readings)
    assert (flow.collectors, flow.partitions, sum(flow.readings[r] for r in NOT_READ)) == (1, 3, 2)
