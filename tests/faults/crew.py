"""Processes that are killed, frozen and stopped while they work on one topic and one database.

A `Worker` is one process of a role; a `Crew` starts them, sees what they have done, and says what has gone by.
They are forked from one that has everything imported: a process that is there at once is killed more often.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

import psutil

from tests.faults.sizes import PATIENCE_SECONDS
from tests.faults.worker import become
from tests.flow.stack import Stack

CONFIGURATION_ERROR = 2
"""The exit code of a command that a person must mend something for."""
ENDED = tuple(
    f"kafka.cluster: Metadata refresh: failed {why}" for why in ("Cancelled", "Transport closed for writes")
)
"""What kafka-python says when it is closed while it asks for metadata, or is about to."""


@dataclass
class Worker:
    """One process, and what can be done to it."""

    name: str
    process: ForkServerProcess
    log: Path

    @property
    def owner(self) -> str:
        """How the database calls it."""
        return f"{socket.gethostname()}:{self.process.pid}"

    def is_running(self) -> bool:
        return self.process.is_alive()

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.process.kill()
        self.await_exit()

    def terminate(self) -> tuple[int, float]:
        """SIGTERM; gives the exit code and the seconds until it was there."""
        began = time.monotonic()
        self.process.terminate()
        return self.await_exit(), time.monotonic() - began

    def await_exit(self) -> int:
        """The exit code, once there is one; less than nought is the signal that it died by."""
        self.process.join(PATIENCE_SECONDS)
        assert self.process.exitcode is not None, f"{self.name} does not end\n{self.said()[-4_000:]}"
        return self.process.exitcode

    def freeze(self) -> None:
        """SIGSTOP."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def is_frozen(self) -> bool:
        return self.is_running() and psutil.Process(self.process.pid).status() == psutil.STATUS_STOPPED

    def was_killed(self) -> bool:
        """Whether it died by SIGKILL."""
        return self.process.exitcode == -signal.SIGKILL

    def said(self) -> str:
        """Its log."""
        return self.log.read_text(errors="replace")

    def _signal(self, number: signal.Signals) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, number)


@dataclass
class Crew:
    """The workers on a stack. `options` go to every worker (see `tests.faults.worker`)."""

    stack: Stack
    options: tuple[str, ...] = ()
    workers: list[Worker] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)

    def start(self, *command: str, options: tuple[str, ...] = (), **settings: str) -> Worker:
        """A process of driftbell's command line, with faults as `options` and settings of its own."""
        name = f"{command[0]}-{next(self._numbers):03}"
        log = self.stack.folder / f"{name}.log"
        own = {f"DRIFTBELL_{key}": value for key, value in settings.items()}
        arguments = [*self.options, *options, "--", *command]
        process = _nursery().Process(
            target=become, args=(arguments, self.stack.environment() | own, log), name=name
        )
        log.touch()
        process.start()
        worker = Worker(name, process, log)
        self.workers.append(worker)
        return worker

    def replace_collectors(self, number: int = 1, **settings: str) -> list[Worker]:
        """Stop those at work and have others, without faults, go on at full speed."""
        for worker in self.workers:
            if worker.name.startswith("collect") and worker.is_running():
                assert worker.terminate()[0] == 0
        return [self.start("collect", **settings) for _ in range(number)]

    def consumed(self) -> int:
        """How many records are in the database, over all outcomes."""
        return sum(self.stack.consumed().values())

    def owned_by(self, worker: Worker) -> int:
        """How many partitions the database says are this worker's."""
        rows = self.stack.rows("SELECT count(*) FROM source_partition WHERE owner = %s", worker.owner)
        return int(rows[0][0])

    def owners(self) -> set[str | None]:
        """Who holds partitions now."""
        return {owner for (owner,) in self.stack.rows("SELECT DISTINCT owner FROM source_partition")}

    def wait_until(
        self, condition: Callable[[], object], what: str, seconds: float = PATIENCE_SECONDS
    ) -> Any:
        """The condition's value once it is true. Fails with the logs when it takes too long, or a worker gives up."""
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            gone = [w.name for w in self.workers if w.process.exitcode not in {None, 0, -signal.SIGKILL}]
            if gone or time.monotonic() > deadline:
                why = f"{gone} gave up" if gone else f"not within {seconds:.0f} s"
                raise AssertionError(f"{what}: {why}\n{self.logs()}")
            time.sleep(0.05)
        return value

    def refused(self, *command: str) -> str:
        """What a process says that will not start, and is none of the crew."""
        worker = self.start(*command)
        self.workers.remove(worker)
        assert worker.await_exit() == CONFIGURATION_ERROR, worker.said()
        return worker.said()

    def logs(self) -> str:
        """The ends of what the last workers said."""
        return "\n".join(
            f"--- {w.name} ({w.process.exitcode})\n{w.said()[-4_000:]}" for w in self.workers[-6:]
        )

    def troubles(self, but: str | None = None) -> list[str]:
        """What no fault of a test may cause: every line of an error or a traceback, `but` those that say this."""
        bad = (" ERROR ", " CRITICAL ", "Traceback")
        lines = [(w.name, line) for w in self.workers for line in w.said().splitlines()]
        return [
            f"{name}: {line}"
            for name, line in lines
            if any(b in line for b in bad)
            and not any(said in line for said in ENDED)
            and (but is None or but not in line)
        ]

    def end(self) -> None:
        """Stop every worker, politely first."""
        alive = [w for w in self.workers if w.is_running()]
        for worker in alive:
            worker.thaw()
            worker.process.terminate()
        for worker in alive:
            worker.process.join(20)
            if worker.is_running():
                worker.kill()


@cache
def _nursery() -> ForkServerContext:
    """Where processes are forked from, with all that a role uses imported."""
    nursery = multiprocessing.get_context("forkserver")
    nursery.set_forkserver_preload(["tests.faults.worker"])
    return nursery


@contextmanager
def at_work(crew: Crew) -> Iterator[Crew]:
    """The crew, ended whatever happens."""
    try:
        yield crew
    finally:
        crew.end()


def progress(sentence: str) -> None:
    """A line for who watches a long run; pytest -s (and `make faults`) shows it."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} [{os.getpid()}] {sentence}\n")
