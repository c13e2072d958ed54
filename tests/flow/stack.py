"""A running driftbell: its processes, the database and the topic that they work on, and eyes on what comes out."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from prometheus_client.parser import text_string_to_metric_families

from service.monitor import Monitor
from service.reference.profile import ReferenceProfile, profile_to_bytes
from service.store.configuration import StoredReference, apply_monitors
from service.store.engine import connect
from service.store.migrate import migrate

WAIT_SECONDS = 60.0


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Stack:
    """One database, one topic, and the roles that were started on them."""

    database: str
    bootstrap_servers: str
    topic: str
    folder: Path
    client: str = "kafka-python"
    port: int = field(default_factory=free_port)
    settings: dict[str, str] = field(default_factory=dict)
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def prepare(self, monitors: Sequence[Monitor], profiles: Sequence[ReferenceProfile] = ()) -> None:
        """Migrate the database and apply monitors with their references."""
        engine = connect(self.database)
        migrate(engine)
        references = [StoredReference(p.name, p.model, p.grid, p.rows, profile_to_bytes(p)) for p in profiles]
        apply_monitors(engine, monitors, references, 0)
        engine.dispose()

    def environment(self) -> dict[str, str]:
        """What the processes run with."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("DRIFTBELL_")}
        ours = {
            "DATABASE_URL": self.database, "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap_servers,
            "KAFKA_TOPICS": self.topic,
            "KAFKA_CLIENT": self.client, "KAFKA_GROUP": f"group-{self.topic}", "PORT": str(self.port),
            "KAFKA_SESSION_TIMEOUT": "6s", "EVALUATE_INTERVAL": "200ms", "COMMIT_INTERVAL": "200ms",
        }  # fmt: skip
        return clean | {f"DRIFTBELL_{name}": value for name, value in (ours | self.settings).items()}

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a role as a user would."""
        with (self.folder / f"{command[0]}-{len(self._processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "service", *command], env=self.environment(), stdout=log, stderr=log
            )
        self._processes.append(process)
        return process

    def logs(self) -> str:
        """What all processes have said."""
        return "\n".join(
            f"--- {p.name}\n{p.read_text(errors='replace')}" for p in sorted(self.folder.glob("*.log"))
        )

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Rows of the database."""
        with psycopg.connect(self.database) as connection:
            return connection.execute(query.encode(), parameters).fetchall()

    def consumed(self) -> dict[str, int]:
        """The outcome counts over all partitions."""
        names = ("accepted", "duplicate", "late", "dead", "tombstone", "lost")
        found = self.rows(
            f"SELECT {', '.join(f'coalesce(sum({n}), 0)::bigint' for n in names)} FROM source_partition"
        )[0]
        return dict(zip(names, found, strict=True))

    def metrics(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        """Every sample of the metrics page, by name and sorted labels."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            families = text_string_to_metric_families(answer.read().decode())
            return {
                (s.name, tuple(sorted(s.labels.items()))): s.value
                for family in families
                for s in family.samples
            }

    def series(self, name: str, **labels: str) -> dict[Mapping[str, str] | Any, float]:
        """The samples of one metric that have these labels."""
        with suppress(OSError):
            return {
                k[1]: v
                for k, v in self.metrics().items()
                if k[0] == name and labels.items() <= dict(k[1]).items()
            }
        return {}

    def wait_until(self, condition: Callable[[], object], what: str, seconds: float = WAIT_SECONDS) -> Any:
        """The condition's value once it is true; fails with the processes' logs when it takes too long."""
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            dead = [p.args for p in self._processes if p.poll() not in {None, 0, -signal.SIGKILL}]
            if time.monotonic() > deadline or dead:
                why = f"a process ended: {dead}" if dead else f"not within {seconds} s"
                raise AssertionError(f"{what}: {why}\n{self.logs()[-20_000:]}")
            time.sleep(0.1)
        return value

    def end(self) -> None:
        """Stop every process, politely first."""
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self._processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)


@contextmanager
def running(stack: Stack) -> Iterator[Stack]:
    """The stack, ended whatever happens."""
    try:
        yield stack
    finally:
        stack.end()
