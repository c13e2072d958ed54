"""Clocks of producers that are wrong, and pauses of our own, close no window early and lose no event."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine, func, select

from service.alerting.delivery import Delivery
from service.collector import Collector
from service.evaluator import Evaluator
from service.metrics import PipelineMetrics
from service.monitor import Monitor, WindowSpec
from service.store.checkpoint import PostgresCheckpoints
from service.store.configuration import apply_monitors
from service.store.engine import connect, transaction
from service.store.migrate import migrate
from service.store.outbox import Outbox
from service.store.retention import Retention
from service.store.tables import dead_letter, source_partition, window_result
from tests.fakes.collecting import counts, empty, options
from tests.fakes.source import FakeLog, FakeSource
from tests.faults.fragile_postgres import FragilePostgres

pytestmark = pytest.mark.postgres

WINDOW_MS, SECOND_MS, HOUR_MS = 20_000, 1_000, 3_600_000
MONITOR = Monitor(
    "churn", pane_ms=10_000, windows=(WindowSpec.tumbling(WINDOW_MS),), allowed_lateness_ms=20_000, disorder_ms=2_000,
    idle_after_ms=HOUR_MS,
)  # fmt: skip
IN_2099_MS, IN_1970_MS = 4_070_908_800_000, 86_400_000
NOW_MS = time.time_ns() // 1_000_000
T0_MS = NOW_MS - NOW_MS % WINDOW_MS - HOUR_MS
FOR_EVER = Retention(10**12, 10**12, 10**12, every_ms=10**12)
MARGIN_SECONDS = 5.0
"""What a slow machine may add."""


class Clockwork:
    """A collector and an evaluator on one database and a log in memory, turned by hand."""

    def __init__(
        self, engine: Engine, monitor: Monitor = MONITOR, partitions: int = 2, **changes: Any
    ) -> None:
        self.engine = engine
        self.log = FakeLog(partitions=partitions)
        apply_monitors(engine, [monitor], [], 0)
        metrics = PipelineMetrics(CollectorRegistry())
        source = FakeSource(self.log)
        checkpoints = PostgresCheckpoints(engine)
        self.collector = Collector(
            source, checkpoints, options(commit_interval_seconds=0.0, **changes), metrics, time.monotonic
        )
        delivery = Delivery(Outbox(engine), None)
        self.evaluator = Evaluator(engine, "one", metrics, lambda: NOW_MS, delivery, FOR_EVER)
        self.collector.prepare()
        source.assign(*range(partitions))
        self.turn()

    def turn(self, times: int = 3) -> None:
        """Read and store what is there, and evaluate what that allows."""
        for _ in range(times):
            self.collector.step()
        self.evaluator._looked.clear()  # whatever the time is
        self.evaluator.step()

    def tell(self, partition: int, *ts_ms: int, record_ms: int | None = None) -> None:
        """Events of these times, in a log that took them when they happened unless it says otherwise."""
        at = len(self.log.records.get(partition, ()))
        values: list[bytes | None] = [event(f"{partition}-{at + n}", ts) for n, ts in enumerate(ts_ms)]
        self.log.append(values, [ts if record_ms is None else record_ms for ts in ts_ms], partition)

    def quiet_partitions(self) -> int:
        """How many have been noted as caught up and without news."""
        with transaction(self.engine) as connection:
            query = select(func.count()).where(source_partition.c.idle_since.is_not(None))
            return connection.execute(query).scalar_one()

    def windows(self) -> dict[int, tuple[int, int]]:
        """Inferences and revision of each window that is closed, by its end."""
        row = window_result.c
        query = select(row.end_ms, row.inferences, row.revision).where(row.segment == "", row.version == "1")
        with transaction(self.engine) as connection:
            return {end: (n, revision) for end, n, revision in connection.execute(query)}


def event(identity: str, ts_ms: int) -> bytes:
    said = {
        "type": "prediction",
        "model": "churn",
        "version": "1",
        "id": identity,
        "ts": ts_ms,
        "features": {"x": 1.5},
    }
    return json.dumps(said).encode()


def history(
    engine: Engine, odd: Sequence[int], odd_partition: int = 1
) -> tuple[list[dict[int, tuple[int, int]]], list[dict[str, int]]]:
    """Three minutes of events a second; after each ten, which windows are closed; in the end, how all ended."""
    empty(engine)
    made = Clockwork(engine)
    seen = []
    for begin in range(0, 180, 10):
        for partition in (0, 1):
            made.tell(partition, *(T0_MS + n * SECOND_MS for n in range(begin, begin + 10)))
        if begin == 50:
            made.tell(odd_partition, *odd, record_ms=T0_MS + 60 * SECOND_MS)
        made.turn()
        seen.append(made.windows())
    return seen, [counts(engine, n) for n in (0, 1)]


def test_an_event_of_2099_and_one_of_1970_close_no_window_early(engine: Engine) -> None:
    usual, _ = history(engine, [])
    found, ended = history(engine, [IN_2099_MS, IN_1970_MS])
    assert found == usual
    assert len(found[-1]) > 5
    assert (ended[1]["dead"], ended[1]["late"], ended[0]["dead"], ended[0]["late"]) == (1, 1, 0, 0)


def test_a_producer_an_hour_ahead_is_quarantined_on_its_partition_only(engine: Engine) -> None:
    skewed = [T0_MS + HOUR_MS + n * 20 * SECOND_MS for n in range(9)]
    usual, _ = history(engine, [])
    found, ended = history(engine, skewed)
    assert found == usual
    assert (ended[0]["dead"], ended[1]["dead"]) == (0, len(skewed))
    with transaction(engine) as connection:
        reasons = set(connection.execute(select(dead_letter.c.partition, dead_letter.c.reason)))
    assert reasons == {(1, "future_timestamp")}


@pytest.mark.slow
def test_a_pause_of_our_own_is_nobodys_silence() -> None:
    """
    Seconds      0        0.3                                    10
    partitions   read     quiet      go on, and nobody can read them
    database     up          |........ away, ten times idle after ...| up, and the evaluator is there first
    """
    idle_after_seconds = 1.0
    monitor = replace(MONITOR, idle_after_ms=round(idle_after_seconds * 1000))
    with FragilePostgres() as server, ExitStack() as closing:
        engine = connect(server.url)
        closing.callback(engine.dispose)
        migrate(engine)
        made = Clockwork(engine, monitor, look_seconds=0.1, idle_after_ms=100)
        for partition in (0, 1):
            made.tell(partition, *(T0_MS + n * SECOND_MS for n in range(30)))
        made.turn()
        time.sleep(0.3)
        made.turn()
        assert made.quiet_partitions() == 2
        server.stop()
        for partition in (1, 0):
            made.tell(partition, *(T0_MS + n * SECOND_MS for n in range(30, 120)))
        until = time.monotonic() + 10 * idle_after_seconds
        while time.monotonic() < until:
            made.collector.step()
            time.sleep(0.05)
        server.start()
        made.evaluator.step()
        deadline = time.monotonic() + 30 + MARGIN_SECONDS
        while counts(engine, 1)["accepted"] < 120 or counts(engine, 0)["accepted"] < 120:
            assert time.monotonic() < deadline, "what was said in the pause is not read"
            made.turn(1)
        ended = [counts(engine, n) for n in (0, 1)]
        assert [(one["accepted"], one["late"]) for one in ended] == [(120, 0), (120, 0)]
        assert {revision for _, revision in made.windows().values()} == {0}, "no window was closed early"


@pytest.mark.slow
def test_a_partition_is_idle_when_its_time_has_come_and_not_before(engine: Engine) -> None:
    """Partition 0 goes on, partition 1 stops after five seconds of the first window."""
    idle_after_seconds, look_seconds = 2.0, 0.5
    monitor = replace(MONITOR, idle_after_ms=round(idle_after_seconds * 1000))
    made = Clockwork(engine, monitor, look_seconds=look_seconds)
    made.tell(0, *(T0_MS + n * SECOND_MS for n in range(60)))
    made.tell(1, *(T0_MS + n * SECOND_MS for n in range(5)))
    made.turn(1)
    silent_at = time.monotonic()
    at = T0_MS + 60 * SECOND_MS
    while not made.windows():
        at += 100
        made.tell(0, at)
        made.turn(1)
        time.sleep(0.05)
        assert time.monotonic() - silent_at < idle_after_seconds + look_seconds + MARGIN_SECONDS
    assert time.monotonic() - silent_at >= idle_after_seconds - 0.1
