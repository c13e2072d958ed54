"""What producers write: mostly good predictions, and whatever else is found in a topic.

Event time follows the simulation's clock; each partition's producers lag behind it by a time of their own, so that the
order between partitions is never that of their clocks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from service.messages import Partition
from service.monitor import Monitor, WindowSpec
from tests.simulation.cluster import Record

START_MS = 1_795_305_600_000
LATENESS_MS = 45_000
MONITORS = (
    Monitor(
        "churn", pane_ms=20_000, windows=(WindowSpec.tumbling(40_000),), allowed_lateness_ms=LATENESS_MS,
        disorder_ms=2_000, idle_after_ms=20_000,
    ),
    Monitor(
        "fraud", pane_ms=30_000, windows=(WindowSpec(60_000, 30_000),), allowed_lateness_ms=LATENESS_MS,
        disorder_ms=5_000, idle_after_ms=30_000, segments=("country",),
    ),
)  # fmt: skip
BROKEN = (b"", b"{", b"\xff\xfe", b'{"type":"prediction"}', b"[]", b'{"a":"\\ud800"}')
YEAR_2099_MS = 4_070_908_800_000
TEN_MINUTES_MS = 600_000
DELAYS_MS = (2_500, 20_000, 50_000, 200_000)


@dataclass
class Traffic:
    """Writes records by the seed's choice. `oddity` is the share that is not simply good, those of
    the partitions in `untimed` carry no time of their own.
    """

    random: Random
    oddity: float = 0.2
    models: tuple[str, ...] = ("churn", "churn", "fraud")
    untimed: frozenset[int] = frozenset()
    _written: dict[Partition, list[bytes]] = field(default_factory=dict)
    _behind_ms: dict[Partition, int] = field(default_factory=dict)
    _count: int = 0

    def records(self, partition: Partition, now_ms: int, count: int) -> list[Record]:
        """So many records that are written now, 300 ms apart."""
        return [self._record(partition, now_ms - 300 * (count - n)) for n in range(count)]

    def _record(self, partition: Partition, now_ms: int) -> Record:
        if partition not in self._behind_ms:
            self._behind_ms[partition] = self.random.choice((0, 500, 4_000, 15_000))
        ts_ms = -1 if partition.number in self.untimed else now_ms
        value = self._value(partition, now_ms - self._behind_ms[partition])
        if value:
            self._written.setdefault(partition, []).append(value)
        return Record(ts_ms, value, written_ms=now_ms)

    def _value(self, partition: Partition, at_ms: int) -> bytes | None:
        if self.random.random() >= self.oddity:
            return self.prediction(at_ms)
        return self.random.choice(ODDITIES)(self, partition, at_ms)

    def prediction(self, ts_ms: int, model: str | None = None) -> bytes:
        """A good record, with an id of its own."""
        self._count += 1
        named = (model or self.random.choice(self.models)).encode()
        feature = b'"country":"%s"' % self.random.choice((b"DE", b"DE", b"FR"))
        if named == b"churn":
            feature = b'"amount":%d' % self.random.randrange(50)
        return b'{"type":"prediction","model":"%s","version":"1","id":"p%d","ts":%d,"features":{%s},"prediction":1}' % (
            named, self._count, ts_ms, feature,
        )  # fmt: skip

    def repeated(self, partition: Partition) -> bytes | None:
        """One of the last records, produced once more."""
        before = self._written.get(partition)
        return self.random.choice(before[-12:]) if before else None

    def label(self, at_ms: int) -> bytes:
        """What the last prediction came to."""
        return b'{"type":"label","model":"churn","id":"p%d","ts":%d,"label":"yes"}' % (self._count, at_ms)


Oddity = Callable[[Traffic, Partition, int], bytes | None]
ODDITIES: tuple[Oddity, ...] = (
    lambda *_: None,
    lambda traffic, *_: traffic.random.choice(BROKEN),
    lambda traffic, partition, _: traffic.repeated(partition),
    lambda traffic, partition, _: traffic.repeated(partition),
    lambda traffic, _, at_ms: traffic.label(at_ms),
    lambda traffic, _, at_ms: traffic.prediction(
        traffic.random.choice((YEAR_2099_MS, at_ms + TEN_MINUTES_MS, 0))
    ),
    lambda traffic, _, at_ms: traffic.prediction(at_ms, model="nobody"),
    lambda traffic, _, at_ms: traffic.prediction(at_ms - traffic.random.choice(DELAYS_MS)),
    lambda traffic, _, at_ms: traffic.prediction(at_ms - traffic.random.choice(DELAYS_MS)),
)
"""Deletions, garbage, repetitions, labels, clocks gone wrong, models that nobody knows, and what is late."""
