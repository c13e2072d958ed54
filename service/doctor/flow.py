"""How records flow from the log to alerts, as a person is told it: each partition in a sentence, and all in one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from service.doctor.check import Check, failure, problems_of, warning
from service.doctor.phrasing import lasting
from service.monitor import MINUTE_MS
from service.plurals import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

SILENT_MS = 90_000
"""Twice the time after which a group gives the partitions of a dead member to another."""
BEHIND_RECORDS = 1_000
BEHIND_MS = 15 * MINUTE_MS
MOST_NAMED = 20
"""So many partitions in trouble have a sentence of their own; the others are counted."""


class Reading(StrEnum):
    """How a partition is read, from the worst to the best; the first that holds is the partition's."""

    HALTED = "halted"
    ABANDONED = "abandoned"
    DYING = "dying"
    BEHIND = "behind"
    WAITING = "waiting"
    IDLE = "idle"
    READ = "read"


NOT_READ = (Reading.HALTED, Reading.ABANDONED)
TROUBLES = (*NOT_READ, Reading.DYING, Reading.BEHIND)
_ADVICE = {
    Reading.HALTED: "find out why, then `driftbell partitions resume {topic}` (runbook DriftbellPartitionHalted)",
    Reading.ABANDONED: (
        "start a collector (`driftbell collect`); "
        "if the topic is gone, `driftbell partitions reset {topic}` forgets it"
    ),
    Reading.DYING: "look into the collectors' logs for a record or a limit that kills them",
    Reading.BEHIND: "add collectors, or give them more CPU (runbook DriftbellConsumerLag)",
}


@dataclass(frozen=True, slots=True)
class PartitionStanding:
    """One claimed partition as it stands, and where its records ended.

    `silent_ms` is how long the database has heard nothing of it, `idle_ms` how long its owner has found nothing new.
    """

    topic: str
    partition: int
    first_offset: int
    next_offset: int
    lag: int | None
    highest_ms: int | None
    owner: str | None
    silent_ms: int
    idle_ms: int | None
    deaths: int
    halted: str | None
    accepted: int
    duplicate: int
    late: int
    dead: int
    tombstone: int
    lost: int
    truncated: int
    holes: int


def reading_of(one: PartitionStanding, now_ms: int) -> Reading:
    """How it is read at this time."""
    if one.halted is not None:
        return Reading.HALTED
    if one.owner is None or one.silent_ms > SILENT_MS:
        return Reading.ABANDONED
    if one.deaths:
        return Reading.DYING
    if (one.lag or 0) > BEHIND_RECORDS and now_ms - (one.highest_ms or now_ms) > BEHIND_MS:
        return Reading.BEHIND
    if one.highest_ms is None:
        return Reading.WAITING
    return Reading.IDLE if one.idle_ms is not None else Reading.READ


def told_of(one: PartitionStanding, reading: Reading, now_ms: int) -> str:
    """The partition in one sentence."""
    return f"partition {one.partition} of {one.topic} {state_of(one, reading, now_ms)}"


def state_of(one: PartitionStanding, reading: Reading, now_ms: int) -> str:
    """What is so with the partition, which is the sentence's subject."""
    behind = f"{counted(one.lag or 0, 'record')} behind"
    said = f"is read by {one.owner}, {behind}"
    match reading:
        case Reading.HALTED:
            said = f"is halted: {one.halted}"
        case Reading.ABANDONED:
            said = f"is {behind}, and {_abandoned_by(one)}"
        case Reading.DYING:
            hands = counted(one.deaths, "time")
            said = f"is {behind} and has changed hands {hands} without progress, each time uncleanly"
        case Reading.BEHIND:
            said = f"is {behind}, and {lasting(now_ms - (one.highest_ms or now_ms))} in event time"
        case Reading.WAITING:
            said = f"is read by {one.owner} and has not brought a single event"
    return said


def _abandoned_by(one: PartitionStanding) -> str:
    silent = lasting(one.silent_ms)
    if one.owner is None:
        return f"nobody has owned it for {silent}"
    return f"its owner {one.owner} has said nothing for {silent}"


# ---------------------------------------------------------------- all of them
@dataclass(frozen=True, slots=True)
class Flow:
    """What all partitions come to: how many are read how, and by whom, and how many records wait."""

    partitions: int
    topics: int
    readings: Mapping[Reading, int]
    collectors: int
    lag: int


def flow_of(partitions: Sequence[PartitionStanding], readings: Sequence[Reading]) -> Flow:
    """The partitions, each with its reading, in sum."""
    living = {one.owner for one, reading in zip(partitions, readings, strict=True) if reading not in NOT_READ}
    return Flow(
        len(partitions), len({one.topic for one in partitions}), Counter(readings), len(living - {None}),
        sum(one.lag or 0 for one in partitions),
    )  # fmt: skip


def partition_troubles(
    partitions: Sequence[PartitionStanding], readings: Sequence[Reading], now_ms: int
) -> list[Check]:
    """A check for each partition that needs a person, the worst first; of very many the rest in one."""
    pairs = [(r, one) for r, one in zip(readings, partitions, strict=True) if r in TROUBLES]
    pairs.sort(
        key=lambda pair: (TROUBLES.index(pair[0]), -(pair[1].lag or 0), pair[1].topic, pair[1].partition)
    )
    named = [
        graded(r, f"partition {one.topic} {one.partition}", told_of(one, r, now_ms), one.topic)
        for r, one in pairs[:MOST_NAMED]
    ]
    left = Counter(r for r, _ in pairs[MOST_NAMED:])
    return named + [
        graded(r, "more partitions", f"{counted(left[r], 'more partition')} {_verb(left[r], r)}")
        for r in TROUBLES
        if left[r]
    ]


def graded(reading: Reading, name: str, sentence: str, topic: str = "TOPIC") -> Check:
    """A trouble as bad as it is, and what to do about it."""
    advice = _ADVICE[reading].replace("{topic}", topic)
    return (failure if reading in NOT_READ else warning)(name, sentence, advice)


_STATES = {
    Reading.HALTED: ("is halted", "are halted"),
    Reading.ABANDONED: ("is read by nobody", "are read by nobody"),
    Reading.DYING: ("kills its collectors", "kill their collectors"),
    Reading.BEHIND: ("is far behind", "are far behind"),
}


def _verb(count: int, reading: Reading) -> str:
    return _STATES[reading][count != 1]


def headline(flow: Flow, checks: Sequence[Check]) -> str:
    """All of it in one sentence: what is wrong with the reading, then the worst of the rest; else that all is read."""
    if not flow.partitions:
        return "No partition has ever been read: start a collector with `driftbell collect`."
    wrong = [_counted(flow, reading) for reading in TROUBLES if flow.readings.get(reading)]
    others = [
        one for one in problems_of(checks) if not one.name.startswith(("partition ", "more partitions"))
    ]
    read = f"{', '.join(wrong)}; {counted(flow.lag, 'record')} behind in all" if wrong else _all_read(flow)
    if not others:
        return f"{read}." if wrong else f"{read}, and nothing waits that should not."
    more = f" (and {len(others) - 1:,} more)" if len(others) > 1 else ""
    return f"{read}; {others[-1].name}: {others[-1].sentence}{more}."


def _counted(flow: Flow, reading: Reading) -> str:
    count = flow.readings[reading]
    return f"{count:,} of {counted(flow.partitions, 'partition')} {_verb(count, reading)}"


def _all_read(flow: Flow) -> str:
    read = f"{counted(flow.partitions, 'partition')} of {counted(flow.topics, 'topic')}"
    return f"All is read: {read} by {counted(flow.collectors, 'collector')}, {counted(flow.lag, 'record')} behind"
