"""A run to verify: real collectors and evaluators on a file log and a real database, turn by turn."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from prometheus_client import CollectorRegistry
from sqlalchemy import Engine, text

from service.alerting.delivery import Delivery
from service.collector import Collector, CollectorOptions
from service.evaluator import Evaluator
from service.intake.file_log import FileLogSource
from service.intake.file_log_reader import FileLogReader
from service.intake.limits import Limits
from service.intake.log_reader import LogReader
from service.messages import UnknownModels
from service.metrics import PipelineMetrics
from service.monitor import DAY_MS, Monitor
from service.reference.profile import ReferenceProfile, profile_to_bytes
from service.store.checkpoint import PostgresCheckpoints
from service.store.configuration import StoredReference, apply_monitors
from service.store.engine import transaction
from service.store.outbox import Outbox
from service.store.retention import Retention
from service.verification.report import Report
from service.verification.verifier import Asked, Progress, RunTerms, Verifier
from tests.replaying import MINUTE, START_MS, event, label

KEPT_MS = 3_000 * DAY_MS
LONG = Retention(KEPT_MS, KEPT_MS, KEPT_MS)


@dataclass
class Run:
    """One database and one file log; `now_ms` moves with each turn."""

    engine: Engine
    log: Path
    unknown_models: UnknownModels = UnknownModels.LEARN
    now_ms: int = START_MS + 400 * MINUTE
    _seconds: float = 0.0
    _evaluator: Evaluator | None = field(default=None)

    def apply(self, monitors: Sequence[Monitor], profiles: Sequence[ReferenceProfile] = ()) -> None:
        """Store monitors and references."""
        references = [StoredReference(p.name, p.model, p.grid, p.rows, profile_to_bytes(p)) for p in profiles]
        apply_monitors(self.engine, monitors, references, 0)

    def collect(self, *, batch: int = 10_000, turns: int = 1_000) -> None:
        """One collector's life: so many turns or to the log's end, then it leaves as on SIGTERM."""
        options = CollectorOptions("one", self.unknown_models, Limits(), poll_records=batch)
        source = FileLogSource(self.log, sleep=lambda _: None)
        made = Collector(
            source,
            PostgresCheckpoints(self.engine),
            options,
            PipelineMetrics(CollectorRegistry()),
            self._clock,
        )
        made.prepare()
        before, idle = -1, 0
        for _ in range(turns):
            made.step()
            position = self.value("SELECT coalesce(sum(next_offset), 0)::bigint FROM source_partition")
            idle = idle + 1 if position == before else 0
            before = position
            if idle > 3:
                break
        made.drain()
        source.close()

    def _clock(self) -> float:
        self._seconds += 1.0
        return self._seconds

    def evaluate(self) -> None:
        """An evaluator's turns until it has no more to do."""
        metrics = PipelineMetrics(CollectorRegistry())
        delivery = Delivery(Outbox(self.engine), None, lambda _: None)
        evaluator = Evaluator(self.engine, "one", metrics, lambda: self.now_ms, delivery, LONG)
        for _ in range(6):
            evaluator.step()
            self.now_ms += 20_000

    def verify(self, *, windows: bool = True, revisions: bool = False, **terms: Any) -> Report:
        """The verifier's word on it."""
        asked = Asked(windows=windows, revisions=revisions)
        usual: dict[str, Any] = {"now_ms": self.now_ms, "unknown_models": self.unknown_models}
        with closing(FileLogReader(self.log)) as reader:
            return verified(self.engine, reader, asked, **usual | terms)

    def value(self, query: str) -> Any:
        """One value of the database."""
        with transaction(self.engine) as connection:
            return connection.execute(text(query)).scalar()

    def spoil(self, statement: str, **values: Any) -> None:
        """Change exactly one row behind everybody's back."""
        with transaction(self.engine) as connection:
            assert connection.execute(text(statement), values).rowcount == 1


def verified(
    engine: Engine,
    reader: LogReader,
    asked: Asked | None = None,
    progress: Progress = lambda _, __: None,
    **terms: Any,
) -> Report:
    """What a verifier says that takes everything to be kept for ever, unless told otherwise."""
    usual: dict[str, Any] = {
        "now_ms": START_MS, "unknown_models": UnknownModels.QUARANTINE, "limits": Limits(), "panes_kept_ms": KEPT_MS,
        "letters_kept_ms": KEPT_MS, "letters_kept": 100_000, "results_kept_ms": KEPT_MS,
    }  # fmt: skip
    return Verifier(engine, reader, RunTerms(**usual | terms), asked or Asked(), progress).run()


def log_in(folder: Path, partitions: Sequence[Sequence[bytes]]) -> Path:
    """A folder with a file for each partition."""
    log = folder / "events"
    log.mkdir()
    for number, lines in enumerate(partitions):
        (log / f"part-{number}.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    return log


def traffic(partition: int, minutes: int, seed: int = 3) -> Iterator[bytes]:
    """Events of one partition: good, repeated, a little or very late, broken, labels, and of a model without a monitor.

    After two thirds of the time the amounts shift, so that something rings.
    """
    random = Random(seed + partition)
    for minute in range(minutes):
        for i in range(12):
            number = 100_000 * partition + 100 * minute + i
            at = minute + i / 12
            kind = random.random()
            if kind < 0.03:
                yield random.choice([b"{", b'{"type":"prediction"}', b"[]"])
            if kind < 0.15:
                number = max(0, number - 1)
            if 0.15 < kind < 0.25:
                at = max(0.0, at - random.choice([2.0, 7.0, 25.0]))
            if kind > 0.9:
                yield json.dumps(label(number, at)).encode()
                continue
            model = "stranger" if 0.8 < kind < 0.9 else "churn"
            shift = 4.0 if minute > minutes * 2 / 3 else 0.0
            one = event(number, at, shift, model=model, version=random.choice(["1", "2"]))
            yield json.dumps(one).encode()
