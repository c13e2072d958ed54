"""A `Source` over the simulated log and group, with the seed's choice of how much each poll brings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from uuid import UUID

import numpy as np

from service.errors import ConfigurationError, Unavailable
from service.intake.source import Assignment, Bounds, Gap, Polled, Records
from service.messages import Partition
from tests.simulation.cluster import Cluster, PartitionLog, Record
from tests.simulation.group import Group, Member


class Killed(BaseException):
    """The process dies here, whatever it was at."""


@dataclass
class SimulatedSource:
    """`Source`. `handed` holds what was handed over of each partition since its last checkpoint, for the ledger.

    `met` are the gaps that were told. `most_at_once` bounds what a poll brings of one partition (a slow fetch).
    """

    cluster: Cluster
    group: Group
    name: str
    random: Random
    clock_ms: Callable[[], int]
    topics: tuple[str, ...]
    most_at_once: int = 10**6
    handed: dict[Partition, dict[int, Record]] = field(default_factory=dict)
    met: list[Gap] = field(default_factory=list)
    member: Member | None = None
    paused: bool = False
    restarts: int = 0
    _epochs: dict[Partition, int | None] = field(default_factory=dict)

    def start(self) -> None:
        self._must_be_there()
        missing = [name for name in self.topics if name not in self.cluster.topics]
        if missing:
            raise ConfigurationError(f"the topic {missing[0]!r} is missing: create it")
        if self.member is None:
            self.member = self.group.join(self.name)

    def poll(self, timeout_seconds: float, max_records: int) -> Polled:  # noqa: ARG002
        self._must_be_there()
        assert self.member is not None
        self.group.hear(self.member)
        records: list[Records] = []
        gaps: list[Gap] = []
        if self.paused:
            return Polled()
        begun = sorted(self.member.ownership.begun().items())
        self.random.shuffle(begun)
        for partition, at in begun:
            gap = self._gap(partition, at)
            if gap is not None:
                self.member.ownership.end(partition)
                gaps.append(gap)
                self.met.append(gap)
            elif (most := min(max_records, self._most())) > 0:
                found = self._fetch(partition, at, most)
                records += found
                max_records -= sum(map(len, found))
        return Polled(records, gaps)

    def _most(self) -> int:
        return self.random.randint(0, self.most_at_once) if self.most_at_once < 10**6 else self.most_at_once

    def _gap(self, partition: Partition, at: int) -> Gap | None:
        if not self.cluster.has(partition):
            return Gap(partition, at, 0, 0)
        log = self.cluster.log(partition)
        epoch = self._epochs.get(partition)
        end = log.end if epoch is None else min(log.end, log.parting(epoch))
        return Gap(partition, at, log.start, end) if at < log.start or at > end else None

    def _fetch(self, partition: Partition, at: int, most: int) -> list[Records]:
        assert self.member is not None
        log = self.cluster.log(partition)
        if self.clock_ms() < log.stalled_until_ms:
            return []
        found = _from(log, at, most)
        if not found:
            return []
        if any(record.kills for record in found.values()):
            raise Killed
        self._epochs[partition] = log.epoch
        self.handed.setdefault(partition, {}).update(found)
        self.member.ownership.advance(partition, at, max(found) + 1)
        rows = list(found.values())
        return [
            Records(
                partition, np.fromiter(found, np.int64), np.array([r.ts_ms for r in rows], np.int64),
                [r.value for r in rows], [r.key for r in rows],
            )
        ]  # fmt: skip

    def changes(self) -> Assignment:
        assert self.member is not None
        return self.member.ownership.take()

    def begin(self, partition: Partition, offset: int) -> None:
        assert self.member is not None
        if self.member.ownership.begin(partition, offset):
            kept = self.handed.get(partition, {})
            self.handed[partition] = {at: record for at, record in kept.items() if at < offset}
            self._epochs[partition] = None

    def end(self, partition: Partition) -> None:
        assert self.member is not None
        self.member.ownership.end(partition)

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    def bounds(self, partition: Partition) -> Bounds:
        self._must_answer()
        return self.cluster.bounds(partition) if self.cluster.has(partition) else Bounds(0, 0)

    def topic_id(self, topic: str) -> UUID | None:
        self._must_answer()
        return self.cluster.topics[topic].id

    def acknowledge(self, offsets: Mapping[Partition, int]) -> None:
        pass

    def close(self) -> None:
        if self.member is not None:
            self.group.leave(self.member)

    def _must_be_there(self) -> None:
        if self.cluster.away:
            raise Unavailable("the log is away")

    def _must_answer(self) -> None:
        self._must_be_there()
        if self.cluster.shy:
            raise Unavailable("the log describes nothing at the moment")


def _from(log: PartitionLog, at: int, most: int) -> dict[int, Record]:
    found: dict[int, Record] = {}
    for offset in range(at, log.end):
        if len(found) == most:
            break
        if offset in log.records:
            found[offset] = log.records[offset]
    return found
