"""The simulated log as one more log of the sources' contract suite."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from tests.simulation.cluster import Cluster, Record
from tests.simulation.group import Group
from tests.simulation.source import SimulatedSource


class SimulatedLog:
    """A topic in memory; time stands still."""

    topic = "events"
    membership_seconds = 0.1

    def __init__(self, partitions: int) -> None:
        self.cluster = Cluster()
        self.cluster.create(self.topic, partitions)
        self._group = Group(self.cluster.partitions, Random(1))
        self._sources = 0

    def fill(self, values: Sequence[bytes], partition: int = 0) -> None:
        self.cluster.topics[self.topic].logs[partition].append(*(Record(0, value) for value in values))

    def source(self) -> SimulatedSource:
        return self._of(self.topic)

    def missing_source(self) -> SimulatedSource:
        return self._of("missing")

    def _of(self, topic: str) -> SimulatedSource:
        self._sources += 1
        return SimulatedSource(
            self.cluster, self._group, f"reader-{self._sources}", Random(self._sources), lambda: 0, (topic,)
        )
