"""One simulated installation: a log, a group, a database, an evaluator, and workers that come and go."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from traceback import extract_tb

from prometheus_client import CollectorRegistry

from service.collector import Collector, CollectorOptions
from service.errors import Unavailable
from service.intake.limits import Limits
from service.messages import Partition, UnknownModels
from service.metrics import PipelineMetrics
from tests.fakes.source import Clock
from tests.fakes.tables import Tables
from tests.simulation.cluster import Cluster
from tests.simulation.faulty import FaultyCheckpoints, Weather
from tests.simulation.group import Group
from tests.simulation.ledger import Histories, Ledger, WitnessedCheckpoints
from tests.simulation.source import Killed, SimulatedSource
from tests.simulation.traffic import START_MS, Traffic
from tests.simulation.windows import Evaluating, Windows

LOOK_SECONDS = 5.0


@dataclass
class Trace:
    """Every step in order, as one hash; the lines too when somebody wants to read them."""

    keep: bool = False
    lines: list[str] = field(default_factory=list)
    _hash: hashlib._Hash = field(default_factory=hashlib.sha256)

    def __call__(self, line: str) -> None:
        self._hash.update(line.encode() + b"\n")
        if self.keep:
            self.lines.append(line)

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


@dataclass
class Worker:
    """A process: a real collector between a simulated source and a database that may fail."""

    name: str
    collector: Collector
    source: SimulatedSource
    ready: bool = False

    def turn(self) -> None:
        """One turn of its loop; the first ones join the group."""
        try:
            if not self.ready:
                self.collector.prepare()
                self.ready = True
            self.collector.step()
        except Unavailable:
            if self.ready:
                raise  # the loop itself must live through this


@dataclass(frozen=True)
class Backup:
    """A copy of the database, and of what was known of it."""

    tables: Tables
    histories: Histories
    windows: Windows


@dataclass
class World:
    """Everything there is; `random` decides all that is not commanded."""

    random: Random
    topics: tuple[str, ...] = ("events",)
    unknown: UnknownModels = UnknownModels.QUARANTINE
    eager: bool = False
    trace: Trace = field(default_factory=Trace)

    def __post_init__(self) -> None:
        self.clock = Clock()
        self.cluster = Cluster()
        self.ledger = Ledger(self.cluster)
        self.store = WitnessedCheckpoints(self.now_ms, ledger=self.ledger)
        self.weather = Weather(self.random)
        self.group = Group(self.cluster.partitions, self.random, self.eager)
        self.traffic = Traffic(self.random)
        self.evaluating = Evaluating(self.store, self.cluster)
        self.workers: dict[str, Worker] = {}
        self.backups: list[Backup] = []
        self.kills = 0
        self.crashes: list[str] = []
        self.meanwhile: Callable[[], None] = lambda: None
        self._started = 0
        self._busy: set[str] = set()

    def now_ms(self) -> int:
        """Wall clock time."""
        return START_MS + self.clock.ms()

    # Workers

    def start(self) -> Worker:
        """A new process."""
        self._started += 1
        name = f"w{self._started}"
        source = SimulatedSource(
            self.cluster,
            self.group,
            name,
            self.random,
            self.now_ms,
            self.topics,
            self.random.choice((3, 12, 10**6)),
        )
        checkpoints = FaultyCheckpoints(self.store, self.weather, self._meanwhile, self.trace)
        options = CollectorOptions(
            owner=name, unknown_models=self.unknown, limits=Limits(),
            commit_interval_seconds=self.random.choice((0.0, 1.0, 4.0)), commit_records=self.random.choice((5, 50_000)),
            look_seconds=LOOK_SECONDS,
        )  # fmt: skip
        metrics = PipelineMetrics(CollectorRegistry())
        collector = Collector(source, checkpoints, options, metrics, self.clock, jitter=self.random.uniform)
        self.ledger.sources[name] = source
        made = self.workers[name] = Worker(name, collector, source)
        self.trace(f"{name} starts")
        return made

    def turn(self, worker: Worker) -> None:
        """One turn of a worker, in which it may die."""
        if worker.name in self._busy or worker.name not in self.workers:
            return
        self._busy.add(worker.name)
        try:
            worker.turn()
        except Killed:
            self.kill(worker)
        except Exception as why:  # noqa: BLE001 - whatever it is, it ends the process
            self.crashes.append(f"{worker.name} ends by {type(why).__name__}: {why} ({_place(why)})")
            self.kill(worker)
        finally:
            self._busy.discard(worker.name)

    def kill(self, worker: Worker) -> None:
        """The process is gone; the group has not noticed yet."""
        self.trace(f"{worker.name} is dead")
        self.kills += 1
        self.workers.pop(worker.name, None)

    def stop(self, worker: Worker) -> None:
        """The process ends in order, as far as database and log let it."""
        self.trace(f"{worker.name} stops")
        if worker.name in self._busy:
            return
        self.workers.pop(worker.name, None)
        try:
            worker.collector.drain()
        except Killed:
            self.kills += 1
        worker.source.close()

    def bury(self) -> None:
        """The sessions of the dead end."""
        for name, member in sorted(self.group.members.items()):
            if name not in self.workers:
                self.trace(f"{name}'s session ends")
                self.group.leave(member)

    def _meanwhile(self) -> None:
        """Between a worker's decision and its call: what others do, but not in the midst of that again."""
        chance, self.weather.interruption = self.weather.interruption, 0.0
        self.meanwhile()
        self.weather.interruption = chance

    # The database

    def back_up(self) -> None:
        """Keep a copy of the database."""
        self.backups.append(
            Backup(self.store.snapshot(), dict(self.ledger.histories), self.evaluating.snapshot())
        )

    def restore(self, backup: Backup) -> None:
        """The database goes back to a copy."""
        self.store.restore(backup.tables)
        self.ledger.histories = dict(backup.histories)
        self.evaluating.restore(backup.windows)

    # What is known of partitions

    def is_noticed(self, partition: Partition) -> bool:
        """Whether nobody stands beyond the end of the log any more, in the database or in memory."""
        log, row = self.cluster.log(partition), self.store.tables.rows.get(partition)
        positions = [
            member.ownership.next_offset(partition) or 0
            for member in (worker.source.member for worker in self.workers.values())
            if member is not None
        ]
        stored = 0 if row is None else row.next_offset
        return max([stored, *positions]) <= log.end


def _place(why: Exception) -> str:
    """The innermost line of the service in a traceback."""
    frames = [frame for frame in extract_tb(why.__traceback__) if "/service/" in frame.filename]
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "not in the service"
