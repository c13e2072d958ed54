"""A steady stream of records, a collector that reads it through bad networks, and what an unfaulted one makes of it."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
import psycopg
from kafka import KafkaProducer
from sqlalchemy import Engine

from service.monitor import Monitor, WindowSpec
from tests.fakes.collecting import Bench, empty
from tests.fakes.source import FakeLog
from tests.faults.comparing import Picture, differences, picture
from tests.faults.sizes import PATIENCE_SECONDS
from tests.flow.stack import Stack

MODEL = "churn"
MONITOR = Monitor(
    MODEL, pane_ms=10_000, windows=(WindowSpec.tumbling(20_000),), allowed_lateness_ms=20_000, disorder_ms=2_000,
    segments=("country",),
)  # fmt: skip
MEGABYTE = 1024 * 1024
IDENTICAL_SECONDS = 30.0
LOOKS = 3


def record(partition: int, n: int, now_ms: int) -> bytes | None:
    """The n-th record of a partition: most are good, some repeat, are late, broken or tombstones."""
    if n % 97 == 0:
        return None
    if n % 89 == 0:
        return b"{"
    event = {
        "type": "prediction", "model": MODEL, "version": "1",
        "id": f"{partition}-{n - 3 if n % 13 == 0 else n}",
        "ts": now_ms - (40_000 if n % 31 == 0 else n % 7 * 100),
        "features": {"amount": n % 50 + 0.5, "country": "DE" if n % 3 else "FR"},
    }  # fmt: skip
    return json.dumps(event).encode()


@dataclass
class Feed:
    """Appends `per_second` records to each partition until it is stopped, and remembers them.

    Their own time runs ten times as fast as the clock, so that panes end while a test looks.
    """

    bootstrap_servers: str
    topic: str
    partitions: int = 4
    per_second: int = 250
    started_ms: int = field(default_factory=lambda: time.time_ns() // 1_000_000 - 3_600_000)
    sent: dict[int, tuple[list[bytes | None], list[int]]] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self.sent |= {number: ([], []) for number in range(self.partitions) if number not in self.sent}
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Send no more; what was sent is in the log when this returns."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(PATIENCE_SECONDS)

    def total(self) -> int:
        return sum(len(values) for values, _ in self.sent.values())

    def _run(self) -> None:
        producer = KafkaProducer(
            bootstrap_servers=self.bootstrap_servers, linger_ms=5, enable_idempotence=False, retries=0
        )
        futures = []
        while not self._stop.wait(0.1):
            for number in list(self.sent):
                futures += self._append(producer, number, self.per_second // 10)
        producer.flush()
        for future in futures:
            future.get(timeout=PATIENCE_SECONDS)
        producer.close()

    def _append(self, producer: KafkaProducer, number: int, count: int) -> list[Any]:
        values, times = self.sent[number]
        futures = []
        for _ in range(count):
            n = len(values)
            now_ms = self.started_ms + n * 10_000 // self.per_second
            value = record(number, n, now_ms)
            key = b"" if value is None else None  # the client refuses to send neither
            futures.append(
                producer.send(self.topic, value=value, key=key, partition=number, timestamp_ms=now_ms)
            )
            values.append(value)
            times.append(now_ms)
        return futures


@dataclass
class Watched:
    """One collector process, the stream that it reads, and eyes on both."""

    stack: Stack
    feed: Feed
    process: subprocess.Popen[bytes]

    def next_offsets(self) -> int:
        """How many records the database stands for, or -1 when it cannot be asked."""
        try:
            with psycopg.connect(self.stack.database, connect_timeout=2) as connection:
                row = connection.execute("SELECT sum(next_offset) FROM source_partition").fetchone()
        except psycopg.Error:
            return -1
        return int(row[0] or 0) if row else 0

    def wait_for_progress(self, records: int = 1, seconds: float = PATIENCE_SECONDS) -> float:
        """Wait until the database stands for so many records more; gives the seconds it took."""
        before, began = self.next_offsets(), time.monotonic()
        self.stack.wait_until(lambda: self.next_offsets() >= before + records, "progress", seconds)
        return time.monotonic() - began

    def wait_for_the_end(self) -> None:
        """Stop the stream and wait until all of it is stored."""
        self.feed.stop()
        self.stack.wait_until(
            lambda: self.next_offsets() >= self.feed.total(), "the log's end", PATIENCE_SECONDS
        )

    def log(self) -> FakeLog:
        """The same log, in memory."""
        (identity,) = self.stack.rows("SELECT DISTINCT topic_id FROM source_partition")[0]
        made = FakeLog(self.feed.topic, len(self.feed.sent), identity and UUID(identity))
        for number, (values, times) in self.feed.sent.items():
            made.append(list(values), list(times), number)
        return made

    def rss_bytes(self) -> int:
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def cpu_share(self, seconds: float) -> float:
        """The part of one core that it takes, measured over so long."""
        process = psutil.Process(self.process.pid)
        before = sum(process.cpu_times()[:2])
        time.sleep(seconds)
        return (sum(process.cpu_times()[:2]) - before) / seconds

    def probe(self, name: str) -> int:
        """The HTTP status of `healthz` or `readyz`."""
        return probe(self.stack.port, name)

    def claims(self) -> int:
        """How often it has claimed a partition."""
        return len(re.findall("claimed at offset", self.stack.logs()))

    def rewinds(self) -> int:
        """How often it has found the database at an earlier state."""
        return len(re.findall(r"it was restored", self.stack.logs()))


def probe(port: int, name: str) -> int:
    """The HTTP status of `healthz` or `readyz`; 0 when nobody answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{name}", timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return 0


@contextmanager
def watched(
    database: str, broker: Any, folder: Path, *, client: str = "kafka-python", **settings: str
) -> Iterator[Watched]:
    """A collector at work on a stream of its own; `settings` may send it through proxies."""
    topic = broker.new_topic(4)
    stack = Stack(database, broker.bootstrap_servers, topic, folder, client)
    stack.settings = {
        "COMMIT_RECORDS": "200", "COMMIT_INTERVAL": "100ms", "METRICS_PORT": str(stack.port),
        **settings,
    }  # fmt: skip
    stack.prepare([MONITOR])
    feed = Feed(broker.bootstrap_servers, topic)
    try:
        feed.start()
        made = Watched(stack, feed, stack.start("collect"))
        stack.wait_until(lambda: made.next_offsets() > 0, "the first checkpoint", PATIENCE_SECONDS)
        yield made
    finally:
        feed.stop()
        stack.end()


def check_identical(made: Watched, engine: Engine) -> None:
    """Read on to the end; the database must be that of a collector nothing befell. `engine` is an empty one."""
    made.wait_for_the_end()
    truth = unfaulted(engine, made)
    assert all(truth[kind] for kind in ("partitions", "panes", "ids", "dead letters"))
    seen: list[str] = ["nothing was compared"]

    def is_identical() -> bool:
        seen[:] = differences(truth, picture(made.stack.database, 0))
        return not seen

    try:
        made.stack.wait_until(is_identical, "identical", IDENTICAL_SECONDS)
    except AssertionError as why:
        raise AssertionError("\n".join(["not identical", *seen, str(why)])) from None


def unfaulted(engine: Engine, made: Watched) -> Picture:
    """What one collector makes of the same log when nothing happens."""
    bench = Bench(engine, made.log())
    bench.apply(MONITOR)
    running = bench.collector(assigned=tuple(made.feed.sent))
    running.read_all()
    running.turn(LOOKS, seconds=10.0)  # ids that nothing can reach any more are forgotten at a look
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    truth = picture(url, 0)
    empty(engine)
    return truth
