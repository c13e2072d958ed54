"""The verifier: reads the log and one snapshot of the database, writes nothing, and needs no other part to run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from service.errors import ConfigurationError, Unavailable
from service.intake.decoder import Decoder
from service.intake.limits import Limits
from service.messages import Partition, Reason, UnknownModels
from service.panes.partition import PartitionPanes
from service.pipeline import PartitionPipeline
from service.store.configuration import load_configuration
from service.store.snapshot import Snapshot, StoredPartition, open_snapshot
from service.verification.bounds import kept_from_ms, monitors_of, patience_ms, taken_back
from service.verification.models import Recounted, load_evaluation, verify_models
from service.verification.panes import ALWAYS_MS, NEVER_MS, Doubt, say_partition
from service.verification.partition import PartitionCheck
from service.verification.report import Report
from service.verification.route import Route, Way, route_of
from service.verification.spool import PaneSpool
from service.verification.stored import Ordered, Stored
from service.verification.verdict import Terms
from service.verification.windows import Scope

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from service.configuration import Configuration
    from service.intake.log_reader import LogReader
    from service.intake.source import Records

Progress = Callable[[int, int], None]
"""Is told how many offsets were read since the last time, and how many there are to read in all."""


@dataclass(frozen=True, slots=True)
class RunTerms:
    """What collectors and evaluators were told that the database does not hold. Times in milliseconds."""

    now_ms: int
    unknown_models: UnknownModels
    limits: Limits
    panes_kept_ms: int
    letters_kept_ms: int
    letters_kept: int
    results_kept_ms: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What to verify: these topics, or all that were read when there are none.

    `revisions`: how often late rows restated a window counts, too. That depends on when evaluators looked, so two
    faultless runs may differ in it.
    """

    topics: tuple[str, ...] = ()
    windows: bool = True
    revisions: bool = False


@dataclass(frozen=True)
class Verifier:
    """Compares once. Raises ConfigurationError and Unavailable when it cannot."""

    engine: Engine
    reader: LogReader
    terms: RunTerms
    asked: Asked = Asked()
    progress: Progress = lambda _, __: None

    def run(self) -> Report:
        """Verify every partition, then the windows of every model."""
        with open_snapshot(self.engine) as snapshot, closing(PaneSpool()) as spool:
            configuration = load_configuration(self.engine)
            if configuration.revision != snapshot.revision():
                raise Unavailable("the monitors were changed while we began; verify again")
            rows = self._chosen(snapshot)
            verdicts, verified = [], {}
            total = sum(row.next_offset - row.first_offset for row in rows)
            for row in rows:
                check = self._check(snapshot, configuration, row, spool)
                self._walk(check, total)
                verdicts.append(check.finish())
                verified[row.partition] = Recounted(check.terms.doubt, row.losses)
            if not self.asked.windows:
                return Report(tuple(verdicts))
            scope = Scope(
                NEVER_MS, self.terms.now_ms - self.terms.results_kept_ms, revisions=self.asked.revisions
            )
            evaluation = load_evaluation(self.engine, configuration)
            models = verify_models(evaluation, snapshot, spool, verified, scope)
            return Report(tuple(verdicts), tuple(models))

    def _chosen(self, snapshot: Snapshot) -> Sequence[StoredPartition]:
        rows = snapshot.partitions()
        known = {row.partition.topic for row in rows}
        unknown = [t for t in self.asked.topics if t not in known]
        if unknown or not rows:
            read = ", ".join(sorted(known)) or "none"
            raise ConfigurationError(
                f"the database knows no partition of {', '.join(unknown) or 'any topic'} (read so far: {read})"
            )
        rows = [row for row in rows if not self.asked.topics or row.partition.topic in self.asked.topics]
        for topic in sorted({row.partition.topic for row in rows}):
            self._require_partitions(
                topic, [row.partition.number for row in rows if row.partition.topic == topic]
            )
        return rows

    def _require_partitions(self, topic: str, stored: Sequence[int]) -> None:
        missing = sorted(set(stored) - set(self.reader.partitions(topic)))
        if missing:
            numbers = ", ".join(map(str, missing))
            raise ConfigurationError(
                f"the log of {topic} has no partition {numbers}, which the database has read"
            )

    def _check(
        self, snapshot: Snapshot, configuration: Configuration, row: StoredPartition, spool: PaneSpool
    ) -> PartitionCheck:
        partition = row.partition
        killers = [x.offset for x in snapshot.letters(partition, [Reason.KILLS_PROCESS.value])]
        route = route_of(row, self.reader.bounds(partition).start, killers)
        patience = patience_ms(configuration)
        whole_from = NEVER_MS if route.is_whole else self._first_whole_ms(row, route, configuration)
        doubt = Doubt(
            whole_from,
            taken_back(row, patience),
            kept_from_ms(row, self.terms.now_ms, self.terms.panes_kept_ms),
        )
        terms = Terms(patience, doubt, self._letters_kept_from(snapshot, partition.topic))
        decoder = Decoder(configuration, unknown_models=self.terms.unknown_models, limits=self.terms.limits)
        stored = Stored(
            row,
            Ordered(snapshot.panes(partition), lambda pane: pane.end_ms),
            Ordered(snapshot.letters(partition), lambda letter: letter.offset),
            lambda since_ms: dict(snapshot.ids(partition, since_ms)),
        )
        pipeline = PartitionPipeline(partition, decoder, PartitionPanes(), route.start)
        check = PartitionCheck(stored, route, pipeline, terms)
        if self.asked.windows:
            check.keep = partial(spool.add, partition)
        unknown = snapshot.letters(partition, [Reason.UNKNOWN_MODEL.value])
        check.refuse(letter for letter in unknown if letter.early)
        return check

    def _letters_kept_from(self, snapshot: Snapshot, topic: str) -> int:
        """Dead letters of records before may be deleted; of a topic that has very many any may be."""
        crowded = snapshot.letter_count(topic) >= self.terms.letters_kept
        return ALWAYS_MS if crowded else self.terms.now_ms - self.terms.letters_kept_ms

    def _first_whole_ms(self, row: StoredPartition, route: Route, configuration: Configuration) -> int:
        """Event time from which no record that the log no longer holds can have been.

        Event times run ahead of their records' times by the allowed skew at most, and those rise with the offsets.
        """
        first = next(self.reader.read(row.partition, route.start, row.next_offset), None)
        if first is None or int(first.timestamps_ms.max()) < 0:
            return ALWAYS_MS
        return int(first.timestamps_ms.max()) + max(m.max_future_skew_ms for m in monitors_of(configuration))

    def _walk(self, check: PartitionCheck, total: int) -> None:
        partition = check.stored.row.partition
        for stretch in check.route.stretches:
            if stretch.way is not Way.READ:
                check.pass_over(stretch.way, stretch.end)
                continue
            for records in self._read(partition, stretch.start, stretch.end):
                check.take(records)
                self.progress(len(records), total)

    def _read(self, partition: Partition, start: int, end: int) -> Iterator[Records]:
        """Records; that retention takes them while we read must not look like a fault."""
        at = start
        for records in self.reader.read(partition, start, end):
            first = int(records.offsets[0])
            if first > at and (begins := self.reader.bounds(partition).start) > at:
                taken = f"{say_partition(partition)}: retention took offsets {at} to {begins - 1}"
                raise Unavailable(f"{taken} while we read; verify again")
            at = int(records.offsets[-1]) + 1
            yield records
