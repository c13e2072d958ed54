"""From an empty database and a topic that nobody has looked into to a first finding, on the command line alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.flow.newcomers import MODEL, newcomer, training_table

if TYPE_CHECKING:
    from tests.flow.stack import Stack
    from tests.servers.fixtures import Broker

pytestmark = [pytest.mark.postgres, pytest.mark.kafka, pytest.mark.slow]


def driftbell(stack: Stack, *words: str) -> str:
    """What a command says; it must succeed."""
    done = ask(stack, *words)
    assert done.returncode == 0, f"{words}: {done.stderr}"
    return done.stdout


def ask(stack: Stack, *words: str) -> subprocess.CompletedProcess[str]:
    """What becomes of a command, run as a newcomer would."""
    command = [sys.executable, "-m", "service", *words]
    return subprocess.run(
        command, env=stack.environment(), capture_output=True, text=True, timeout=60, check=False
    )


def test_a_newcomer_comes_from_an_unknown_topic_to_a_first_finding(
    database: str, embedded_broker: Broker, tmp_path: Path
) -> None:
    with newcomer(database, embedded_broker, tmp_path) as stack:
        driftbell(stack, "migrate")
        looked = stack.wait_until(lambda: holds_events(stack), "the topic has events")
        assert "binary: predictions have a score" in looked
        assert "session" in looked

        table, monitors = training_table(tmp_path / "training.csv"), tmp_path / "monitors.yaml"
        driftbell(stack, "reference", "build", "--model", MODEL, "--data", str(table), "--name", "training")
        lengths = ("--pane", "1s", "--window", "2s")
        drafted = driftbell(stack, "sniff", stack.topic, "--draft", "--reference", "training", *lengths)
        monitors.write_text(
            drafted.replace("allowed_lateness: 10m", "allowed_lateness: 2s"), encoding="utf-8"
        )
        driftbell(stack, "check", "-f", str(monitors))
        assert driftbell(stack, "apply", "-f", str(monitors)).startswith(f"{MODEL}: created")

        stack.start("run")
        first = stack.wait_until(lambda: first_finding(stack), "a first finding")
        assert "amount" in first
    assert "Traceback" not in stack.logs()


def holds_events(stack: Stack) -> str:
    """What is said of the topic, once it has some hundred events."""
    found = json.loads(driftbell(stack, "sniff", stack.topic, "--json"))
    return driftbell(stack, "sniff", stack.topic) if found["records"] > 300 else ""


def first_finding(stack: Stack) -> str:
    """The report of the newest window, once one was scored against the reference."""
    done = ask(stack, "report", "window", MODEL)
    return done.stdout if done.returncode == 0 and "amount" in done.stdout else ""
