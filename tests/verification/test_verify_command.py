"""`driftbell verify` as a user runs it, on logs of each kind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from service.messages import iso
from service.monitor import Monitor, WindowSpec
from service.store.engine import connect
from tests.flow.stack import Stack, running
from tests.servers.fixtures import Broker
from tests.verification.runs import Run
from tests.verification.spoiling import PANE

pytestmark = pytest.mark.postgres

PARTITIONS, EVENTS, STEP_MS = 2, 4_000, 50
START_MS = 1_795_305_600_000
MONITOR = Monitor("m", pane_ms=10_000, windows=(WindowSpec.tumbling(20_000),), disorder_ms=1_000)


def verify(environment: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    """The command's exit code and what it said."""
    command = [sys.executable, "-m", "service", "verify", *options]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_it_verifies_while_the_service_runs_on_a_broker(
    database: str, any_broker: Broker, tmp_path: Path
) -> None:
    topic = any_broker.new_topic(PARTITIONS)
    stack = Stack(database, any_broker.bootstrap_servers, topic, tmp_path)
    stack.prepare([MONITOR])
    for partition in range(PARTITIONS):
        fill(any_broker, topic, partition)
    with running(stack):
        stack.start("collect")
        stack.start("evaluate")
        stack.wait_until(lambda: sum(stack.consumed().values()) == PARTITIONS * (EVENTS + 3), "all is read")
        end = START_MS + EVENTS * STEP_MS - 20_000
        stack.wait_until(lambda: evaluated_until(stack) >= end, "windows are evaluated")
        said = verify(stack.environment(), "--strict-revisions")
        assert said.returncode == 0, said.stdout + said.stderr
        assert "The database says what the log says." in said.stdout
        assert said.stdout.count("identical") == PARTITIONS
        found = json.loads(verify(stack.environment(), "--json", "--topic", topic).stdout)
        assert found["identical"] is True
        assert found["partitions"][1]["stored"] == {
            "accepted": EVENTS, "duplicate": 1, "late": 0, "dead": 1, "tombstone": 1,
        }  # fmt: skip
        assert found["models"][0]["windows"] >= EVENTS * STEP_MS // 20_000 - 1

    spoil(database, "UPDATE pane SET inferences = inferences + 1 WHERE partition = 1 AND start_ms = :start")
    said = verify(stack.environment(), "--no-windows")
    assert said.returncode == 1
    assert f"partition 1 of {topic}, pane m from {iso(START_MS)} to {iso(START_MS + 10_000)}" in said.stdout


def evaluated_until(stack: Stack) -> int:
    return int(stack.rows("SELECT coalesce(max(position_ms), 0)::bigint FROM evaluation")[0][0])


def fill(broker: Broker, topic: str, partition: int) -> None:
    """Good records, and one each that is repeated, broken and empty."""
    good = [
        {
            "type": "features",
            "model": "m",
            "id": f"{partition}-{i}",
            "ts": START_MS + STEP_MS * i,
            "features": {"x": i},
        }
        for i in range(EVENTS)
    ]
    values: list[bytes | None] = [json.dumps(one).encode() for one in good]
    values[5:5] = [values[3], b"{", None]
    broker.topics.produce(topic, values, partition=partition, timestamps_ms=[START_MS + 10**6] * len(values))


def spoil(database: str, statement: str) -> None:
    engine = connect(database)
    assert Run(engine, Path()).spoil(statement, start=START_MS) is None
    engine.dispose()


@pytest.fixture
def environment(copied: Run) -> dict[str, str]:
    """How a user would name that database."""
    url = copied.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    kept = {"RETENTION_PANES": "3000d", "RETENTION_RESULTS": "3000d", "RETENTION_DEAD_LETTERS": "3000d"}
    ours: dict[str, Any] = {"DATABASE_URL": url, "UNKNOWN_MODELS": "learn"} | kept
    return {"PATH": "/usr/bin:/bin"} | {f"DRIFTBELL_{name}": value for name, value in ours.items()}


def test_a_file_log_is_verified_in_kafkas_place(copied: Run, environment: dict[str, str]) -> None:
    said = verify(environment, "--events", str(copied.log))
    assert said.returncode == 0, said.stdout + said.stderr
    assert "model churn: " in said.stdout

    copied.spoil(f"DELETE FROM pane WHERE {PANE}")
    said = verify(environment, "--events", str(copied.log))
    assert said.returncode == 1
    assert "partition 1 of events, pane churn version 1" in said.stdout
    assert "The database says" not in said.stdout


def test_what_stands_in_the_way_is_a_sentence_and_exit_code_2(
    copied: Run, environment: dict[str, str]
) -> None:
    for change, options, words in (
        ({}, ("--events", "/nowhere.jsonl"), "there is no file"),
        ({}, ("--events", str(copied.log), "--topic", "t"), "no partition of t"),
        (
            {"DRIFTBELL_DATABASE_URL": "postgresql:///x?host=/nowhere"},
            ("--events", str(copied.log)),
            "database",
        ),
        ({"DRIFTBELL_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9", "DRIFTBELL_KAFKA_TOPICS": "t"}, (), "kafka"),
    ):
        said = verify(environment | change, *options)
        assert said.returncode == 2, said
        assert words in said.stderr.lower()
        assert "Traceback" not in said.stderr
