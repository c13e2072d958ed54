"""Sends events to Kafka at the pace of their times: a log as if it were live, and the demo's traffic."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from heapq import merge
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec
import numpy as np

from service.intake.file_log import FileLogSource, KeyOf
from service.intake.kafka_writer import KafkaWriter
from service.intake.timestamps import BAD, parse_timestamps

if TYPE_CHECKING:
    from pathlib import Path
    from threading import Event

    from service.demo.stream import Record
    from service.intake.kafka_settings import KafkaSettings
    from service.messages import Partition

_POLL_RECORDS = 1_000
_FLUSH_SECONDS = 1.0
_PULSE_SECONDS = 0.05


class Writer(Protocol):
    """What pacing needs of a Kafka writer."""

    def send(
        self, topic: str, value: bytes | None, *, key: bytes | None = None, timestamp_ms: int | None = None
    ) -> None:
        """Queue one record."""

    def flush(self) -> None:
        """Wait until everything queued is stored."""


class Due(NamedTuple):
    """An event and when it is due: its own time, or that of the event before it."""

    ts_ms: int
    value: bytes


# ---------------------------------------------------------------- a log
def replay_live(
    kafka: KafkaSettings, events: Path, topic: str, speed: float, *, tell: Callable[[int, int], None]
) -> int:
    """Send a log's events so many times faster than life; returns how many. Raises DriftbellError.

    `tell` hears now and then how many were sent, and the event time of the last.
    """
    writer = KafkaWriter(kafka)
    try:
        return send_paced(due_events(events), writer, topic, speed, tell=tell)
    finally:
        writer.close()


def due_events(events: Path) -> Iterator[Due]:
    """A log's events in the order of their times; each partition of the log keeps its own order."""
    source = FileLogSource(events)
    source.start()
    partitions = sorted(source.changes().assigned)
    source.close()
    return merge(*(_of_partition(events, partition) for partition in partitions), key=itemgetter(0))


def _of_partition(events: Path, partition: Partition) -> Iterator[Due]:
    source = FileLogSource(events)
    source.start()
    source.begin(partition, 0)
    highest = 0
    try:
        while found := source.poll(0.0, _POLL_RECORDS).records:
            for records in found:
                for ts_ms, value in zip(_times(records.values), records.values, strict=True):
                    highest = max(highest, ts_ms)
                    if value:
                        yield Due(highest, value)
    finally:
        source.close()


class _Timed(msgspec.Struct):
    ts: str | int | float | None = None


_TIMED = msgspec.json.Decoder(_Timed)


def _times(values: Iterable[bytes | None]) -> list[int]:
    """The milliseconds of each event's `ts`; 0 for those without, which go at once."""
    stamps = [_stamp(value) for value in values]
    parsed = parse_timestamps(stamps, "auto", np.full(len(stamps), BAD))
    return [max(0, int(ts_ms)) for ts_ms in parsed]


def _stamp(value: bytes | None) -> object:
    try:
        return _TIMED.decode(value or b"{}").ts
    except (msgspec.MsgspecError, ValueError):
        return None


def send_paced(  # noqa: PLR0913 - two clocks, which tests move by hand
    events: Iterable[Due], writer: Writer, topic: str, speed: float, *,
    tell: Callable[[int, int], None] = lambda *_: None,
    clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep,
) -> int:  # fmt: skip
    """Send events in their order; each waits for its time after the first one's, divided by `speed`."""
    key_of, sent, first_ms, began, told = KeyOf("id"), 0, 0, clock(), clock()
    for ts_ms, value in events:
        first_ms = first_ms or ts_ms
        if (ahead := (ts_ms - first_ms) / 1000 / speed - (clock() - began)) > 0:
            sleep(ahead)
        writer.send(topic, value, key=key_of(value) or None)
        sent += 1
        if clock() - told > _FLUSH_SECONDS:
            writer.flush()
            told = clock()
            tell(sent, ts_ms)
    writer.flush()
    return sent


# ---------------------------------------------------------------- the demo's traffic
class Source(Protocol):
    """Makes records up to a second of the script."""

    def until(self, second: float) -> list[Record]:
        """The records that are due and were not given before."""


class Feed:
    """Keeps a topic fed until told to stop; `sent` counts the records."""

    def __init__(self, source: Source, writer: Writer, topic: str) -> None:
        self._source = source
        self._writer = writer
        self._topic = topic
        self.sent = 0

    def run(self, stop: Event, second: Callable[[], float]) -> None:
        """Send what is due, some twenty times a second. `second` tells the script's time."""
        while not stop.wait(_PULSE_SECONDS):
            for ts_ms, key, value in self._source.until(second()):
                self._writer.send(self._topic, value, key=key or None, timestamp_ms=ts_ms)
                self.sent += 1
        self._writer.flush()
