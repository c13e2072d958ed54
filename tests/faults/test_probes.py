"""What Kubernetes asks is answered truly: an outage is no reason to restart, a loop that stands still is."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer
from prometheus_client import CollectorRegistry

from service.collector import Collector
from service.intake.kafka_settings import KafkaSettings
from service.intake.source import Polled
from service.metrics import PipelineMetrics
from service.runner import Watch
from service.store.checkpoint import PostgresCheckpoints
from service.web.process_app import create_process_app
from service.web.server import WebServer
from service.wiring import READY_SECONDS, why_not_alive, why_not_ready
from tests.fakes.collecting import options
from tests.fakes.source import FakeLog, FakeSource
from tests.faults.fragile_postgres import FragilePostgres
from tests.faults.outages import MONITOR, probe, record
from tests.faults.sizes import PATIENCE_SECONDS
from tests.flow.stack import Stack, free_port, running
from tests.servers.logs import CLIENTS, Reader, wait_until
from tests.waiting import until

MARGIN_SECONDS = 5.0
"""What a slow machine may add."""
STAND_STILL_SECONDS = 0.5


@pytest.mark.postgres
@pytest.mark.kafka
@pytest.mark.slow
def test_without_the_database_every_role_is_alive_and_none_is_ready(
    embedded_broker: Any, tmp_path: Path
) -> None:
    with FragilePostgres() as server:
        stack = Stack(server.url, embedded_broker.bootstrap_servers, embedded_broker.new_topic(2), tmp_path)
        stack.prepare([MONITOR])
        with running(stack):
            ports = start_all_roles(stack)
            stack.wait_until(lambda: answers(ports, "readyz") == {200}, "all are ready")
            server.stop()
            away_at = time.monotonic()
            stack.wait_until(
                lambda: answers(ports, "readyz") == {503}, "none is ready", READY_SECONDS + MARGIN_SECONDS
            )
            while time.monotonic() < away_at + READY_SECONDS:
                assert answers(ports, "healthz") == {200}
                time.sleep(0.5)
            server.start()
            stack.wait_until(lambda: answers(ports, "readyz") == {200}, "all are ready again")
            assert answers(ports, "healthz") == {200}


def start_all_roles(stack: Stack) -> list[int]:
    """A process for each role; gives the ports of their probes."""
    ports = [stack.port]
    stack.start("serve")
    for role in ("collect", "evaluate"):
        ports.append(free_port())
        stack.settings["METRICS_PORT"] = str(ports[-1])
        stack.start(role)
    return ports


def answers(ports: list[int], name: str) -> set[int]:
    return {probe(port, name) for port in ports}


class StuckSource(FakeSource):
    """Stands still in `poll` until it is told to go on."""

    def __init__(self, log: FakeLog) -> None:
        super().__init__(log)
        self.go_on = threading.Event()

    def poll(self, timeout_seconds: float, max_records: int) -> Polled:
        self.go_on.wait(PATIENCE_SECONDS)
        return super().poll(timeout_seconds, max_records)


@pytest.mark.postgres
def test_a_loop_that_stands_still_is_not_alive_and_says_where_it_stands(
    engine: Any, caplog: pytest.LogCaptureFixture
) -> None:
    source = StuckSource(FakeLog())
    collector = Collector(
        source, PostgresCheckpoints(engine), options(), PipelineMetrics(CollectorRegistry()), time.monotonic
    )
    watch = Watch(lambda: why_not_alive(collector, None, STAND_STILL_SECONDS))
    app = create_process_app(
        collector.metrics.registry, alive=watch.complaint, ready=lambda: why_not_ready(collector, None)
    )
    port = free_port()
    with at_work(WebServer(app, "127.0.0.1", port).run, "web"), at_work(collector.run, "the stuck one"):
        until(lambda: collector.ticked_at > 0, PATIENCE_SECONDS)
        watch.look()
        until(lambda: probe(port, "healthz") == 503, PATIENCE_SECONDS)
        watch.look()
        watch.look()
        source.go_on.set()
        until(lambda: probe(port, "healthz") == 200, PATIENCE_SECONDS)
    watch.end()
    (said,) = [entry.getMessage() for entry in caplog.records if entry.name == "service.runner"]
    assert "the collector's loop has not turned for" in said
    assert "thread the stuck one:" in said
    assert "self.go_on.wait(PATIENCE_SECONDS)" in said
    assert "thread MainThread:" in said


@contextmanager
def at_work(work: Callable[[threading.Event], None], name: str) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=work, args=(stop,), name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(PATIENCE_SECONDS)


HOLDS_THE_INTERPRETER = """
import re
from service.runner import Watch
def lets_nobody_run():
    re.match("(a+)+$", "a" * 23 + "b")
watch = Watch(lambda: None, patience_seconds=0.2)
watch.look()
lets_nobody_run()
watch.end()
"""


def test_a_thread_that_lets_no_other_run_is_named_too() -> None:
    """Then nobody is left to answer the probe, which Kubernetes takes for a no."""
    done = subprocess.run(
        [sys.executable, "-c", HOLDS_THE_INTERPRETER], check=True, capture_output=True, text=True,
        timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    assert "lets_nobody_run" in done.stderr


@pytest.mark.kafka
@pytest.mark.parametrize("client", ["kafka-python", "confluent"])
def test_a_client_that_has_gone_silent_is_made_anew(embedded_broker: Any, client: str) -> None:
    """It fetches nothing, so it hears of no new records either: only the log itself knows of them."""
    topic = embedded_broker.new_topic()
    settings = KafkaSettings(
        embedded_broker.bootstrap_servers,
        (topic,),
        f"group-{topic}",
        session_timeout_ms=1_500,
        stall_seconds=1.0,
    )
    source: Any = CLIENTS[client](settings)
    reader = Reader(source)
    try:
        reader.join(1)
        (partition,) = reader.owned
        embedded_broker.topics.produce(topic, [record(0, n, 0) or b"x" for n in range(1, 11)])
        source.begin(partition, 0)
        reader.read(10)
        silence(source)
        embedded_broker.topics.produce(topic, [b"unheard"] * 5)
        wait_until(lambda: source.bounds(partition) and source.restarts == 1, reader)
        wait_until(lambda: partition in reader.owned, reader)
        source.begin(partition, 10)
        reader.read(15)
        assert reader.values[partition][10:] == [b"unheard"] * 5
    finally:
        source.close()


def silence(source: Any) -> None:
    """From now on the consumer of this moment brings nothing."""
    consumer = source._consumer
    if isinstance(consumer, KafkaConsumer):
        consumer.pause(*consumer.assignment())
    else:
        consumer.pause(consumer.assignment())
