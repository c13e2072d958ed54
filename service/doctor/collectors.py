"""The collectors, judged: every partition owned and fresh, none halted, none far behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from service.doctor.check import Check, Condition, failure, not_checked, well
from service.doctor.flow import NOT_READ, TROUBLES, graded, reading_of, state_of
from service.plurals import counted

if TYPE_CHECKING:
    from service.doctor.flow import PartitionStanding
    from service.intake.topic_survey import BrokerSeen, TopicSeen

_START = "start a collector for it (`driftbell collect`), or forget it with `driftbell partitions reset`"


def collector_checks(
    partitions: Sequence[PartitionStanding], topics: Sequence[str], broker: BrokerSeen | None, now_ms: int
) -> list[Check]:
    """One for each topic that all is well with, else one for each partition that is not; `topics` are to be read."""
    named = list(dict.fromkeys([*topics, *(one.topic for one in partitions)]))
    if not named:
        return [not_checked("collectors", "no partition has ever been read, and no topic is named here")]
    return [
        check
        for topic in named
        for check in _of_topic(
            topic,
            [p for p in partitions if p.topic == topic],
            broker.topic(topic) if broker else None,
            now_ms,
        )
    ]


def _of_topic(
    topic: str, partitions: Sequence[PartitionStanding], seen: TopicSeen | None, now_ms: int
) -> list[Check]:
    if not partitions:
        advice = "start `driftbell collect`, and see its log when it runs"
        return [failure(f"collectors of {topic}", "nobody has ever read it", advice)]
    looked = [_partition(one, seen, now_ms) for one in partitions] + _unclaimed(topic, partitions, seen)
    wrong = [check for check in looked if check.condition is not Condition.OK]
    lag = sum(_lag(one, seen) for one in partitions)
    said = f"{counted(len(partitions), 'partition')} read by {_owners(partitions)}, {counted(lag, 'record')} behind"
    return wrong or [well(f"collectors of {topic}", said)]


def _owners(partitions: Sequence[PartitionStanding]) -> str:
    return counted(len({one.owner for one in partitions}), "collector")


def _lag(one: PartitionStanding, seen: TopicSeen | None) -> int:
    """By the log where it is known: who is dead tells no lag."""
    end = seen.ends.get(one.partition) if seen is not None else None
    return max(one.lag or 0, (end or 0) - one.next_offset, 0)


def _partition(one: PartitionStanding, seen: TopicSeen | None, now_ms: int) -> Check:
    name, lagging = f"partition {one.topic} {one.partition}", replace(one, lag=_lag(one, seen))
    reading = reading_of(lagging, now_ms)
    start = seen.starts.get(one.partition, 0) if seen is not None else 0
    if start > one.next_offset and reading not in NOT_READ:
        said = f"the log begins {counted(start - one.next_offset, 'record')} after where it is read: those are lost"
        return failure(name, said, "raise the topic's retention, and add collectors")
    if reading in TROUBLES:
        return graded(reading, name, f"it {state_of(lagging, reading, now_ms)}", one.topic)
    return well(name, f"read by {one.owner}")


def _unclaimed(topic: str, partitions: Sequence[PartitionStanding], seen: TopicSeen | None) -> list[Check]:
    claimed = {one.partition for one in partitions}
    missing = sorted(set(seen.ends) - claimed) if seen is not None else []
    return [failure(f"partition {topic} {n}", "no collector has claimed it yet", _START) for n in missing]
