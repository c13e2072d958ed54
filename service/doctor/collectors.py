"""The collectors, judged: every partition owned and fresh, none halted, none far behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.doctor.check import Check, Condition, failure, not_checked, warning, well
from service.doctor.phrasing import lasting
from service.monitor import MINUTE_MS
from service.plurals import counted

if TYPE_CHECKING:
    from service.intake.topic_survey import BrokerSeen, TopicSeen

SILENT_MS = 90_000
"""Twice the time after which a group gives the partitions of a dead member to another."""
BEHIND_RECORDS = 1_000
BEHIND_MS = 15 * MINUTE_MS
_START = "start a collector for it (`driftbell collect`), or forget it with `driftbell partitions reset`"


@dataclass(frozen=True, slots=True)
class PartitionSeen:
    """One claimed partition: where it stands, who reads it, and when the database heard of it last."""

    topic: str
    number: int
    next_offset: int
    silent_ms: int
    owner: str | None = None
    lag: int | None = None
    halted: str | None = None
    deaths: int = 0
    highest_ms: int | None = None
    lost: int = 0


def collector_checks(
    partitions: Sequence[PartitionSeen], topics: Sequence[str], broker: BrokerSeen | None, now_ms: int
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
    topic: str, partitions: Sequence[PartitionSeen], seen: TopicSeen | None, now_ms: int
) -> list[Check]:
    if not partitions:
        advice = "start `driftbell collect`, and see its log when it runs"
        return [failure(f"collectors of {topic}", "nobody has ever read it", advice)]
    looked = [_partition(one, seen, now_ms) for one in partitions] + _unclaimed(topic, partitions, seen)
    wrong = [check for check in looked if check.condition is not Condition.OK]
    lag = sum(_lag(one, seen) for one in partitions)
    said = f"{counted(len(partitions), 'partition')} read by {_owners(partitions)}, {counted(lag, 'record')} behind"
    return wrong or [well(f"collectors of {topic}", said)]


def _owners(partitions: Sequence[PartitionSeen]) -> str:
    return counted(len({one.owner for one in partitions}), "collector")


def _lag(one: PartitionSeen, seen: TopicSeen | None) -> int:
    """By the log where it is known: who is dead tells no lag."""
    end = seen.ends.get(one.number) if seen is not None else None
    return max(one.lag or 0, (end or 0) - one.next_offset, 0)


def _partition(one: PartitionSeen, seen: TopicSeen | None, now_ms: int) -> Check:
    name, lag = f"partition {one.topic} {one.number}", _lag(one, seen)
    if one.halted is not None:
        advice = (
            f"find out why, then `driftbell partitions resume {one.topic}` (runbook DriftbellPartitionHalted)"
        )
        return failure(name, f"halted: {one.halted}", advice)
    if one.owner is None or one.silent_ms > SILENT_MS:
        held = f"last by {one.owner}" if one.owner else "by nobody now"
        said = f"not read for {lasting(one.silent_ms)} (held {held}), {counted(lag, 'record')} behind; models wait"
        return failure(name, said, _START)
    start = seen.starts.get(one.number, 0) if seen is not None else 0
    if start > one.next_offset:
        said = f"the log begins {counted(start - one.next_offset, 'record')} after where it is read: those are lost"
        return failure(name, said, "raise the topic's retention, and add collectors")
    if one.deaths:
        said = f"it has changed hands {counted(one.deaths, 'time')} without progress, each time uncleanly"
        return warning(name, said, "look into the collectors' logs for a record or a limit that kills them")
    behind_ms = now_ms - one.highest_ms if one.highest_ms is not None else 0
    if lag > BEHIND_RECORDS and behind_ms > BEHIND_MS:
        said = f"{counted(lag, 'record')} and {lasting(behind_ms)} behind"
        return warning(name, said, "add collectors, or give them more CPU (runbook DriftbellConsumerLag)")
    return well(name, f"read by {one.owner}")


def _unclaimed(topic: str, partitions: Sequence[PartitionSeen], seen: TopicSeen | None) -> list[Check]:
    claimed = {one.number for one in partitions}
    missing = sorted(set(seen.ends) - claimed) if seen is not None else []
    return [failure(f"partition {topic} {n}", "no collector has claimed it yet", _START) for n in missing]
