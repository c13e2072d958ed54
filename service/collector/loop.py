"""The collector's loop: poll, count, write panes and offsets together, tell the log system.

One thread. The database decides where to start and whether a write counts; the group only says who should try.
When the database is away the batch is kept, the source paused and polled on, and the commit tried again.

What goes wrong with one partition stops no other: what we know of is handled by its kind, and what we do not know of is
logged with its traceback, what was counted since the last checkpoint forgotten, and the partition claimed anew. When
that fails three times without progress, the partition is halted. An error outside any partition ends the process.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

from service.checkpoints import Claimant
from service.collector.backoff import Backoff
from service.collector.halts import Halts
from service.collector.held import Held, open_held, patience_ms
from service.collector.suspects import Suspects
from service.collector.topics import TopicWatch, is_another
from service.errors import (
    ConfigurationChanged,
    ConfigurationError,
    PartitionError,
    PartitionHalted,
    PartitionLost,
    Rewound,
    Unavailable,
)
from service.messages import Loss, LossKind

if TYPE_CHECKING:
    from service.checkpoints import Checkpoints
    from service.collector.options import CollectorOptions
    from service.configuration import Configuration
    from service.intake.dead_letter_topic import DeadLetterTopic
    from service.intake.source import Corrupt, Gap, Records, Source
    from service.messages import Checkpoint, Partition
    from service.metrics import PipelineMetrics

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.2
_FENCED_SECONDS = 60.0
"""A fenced partition that the group still says is ours is claimed again: its taker was a late one, and is gone."""
_HALTED_SECONDS = 15.0
"""A halted partition that is ours is looked at again so often: a person may have let it go on."""
_TRIES = 3
"""So often in a row a partition may fail for a reason that we do not know before it is halted."""
_TRY_AGAIN_SECONDS = 5.0
_STOPPED_SECONDS = 5.0
"""A turn that comes so late was not held up by its own work: the process or the machine was stopped."""


@dataclass
class Collector:
    """Moves records from a source into panes in the database until it is told to stop.

    `_waiting` are the partitions that are ours by the group, with the time from which on they are to be claimed,
    `_failures` how often one has failed without progress; `_gaps` and `_corrupt` are told by the source once, and kept
    until they were met.
    """

    source: Source
    checkpoints: Checkpoints
    options: CollectorOptions
    metrics: PipelineMetrics
    clock: Callable[[], float]
    dead_letters: DeadLetterTopic | None = None
    jitter: Callable[[float, float], float] = random.uniform
    ticked_at: float = 0.0
    stored_at: float = 0.0
    _configuration: Configuration = field(init=False)
    _suspects: Suspects = field(init=False)
    _topics: TopicWatch = field(init=False)
    _halts: Halts = field(init=False)
    _backoff: Backoff = field(init=False)
    _held: dict[Partition, Held] = field(default_factory=dict)
    _waiting: dict[Partition, float] = field(default_factory=dict)
    _failures: dict[Partition, int] = field(default_factory=dict)
    _gaps: list[Gap] = field(default_factory=list)
    _corrupt: list[Corrupt] = field(default_factory=list)
    _looked_at: float = 0.0

    def __post_init__(self) -> None:
        self._suspects = Suspects(self.source, self.checkpoints)
        self._topics = TopicWatch(self.source)
        self._halts = Halts(self.metrics)
        self._backoff = Backoff(self.jitter)

    def run(self, stop: Event) -> None:
        """Work until `stop` is set, then write what was counted and leave. Raises ConfigurationError."""
        self.prepare()
        try:
            while not stop.is_set():
                self.step()
                if self._backoff.is_on:
                    stop.wait(_POLL_SECONDS)  # a log system that is away may answer each poll at once
            self.drain()
        finally:
            self.source.close()

    def prepare(self) -> None:
        """Read the monitors and join the group."""
        self._configuration = self.checkpoints.configuration()
        self.source.start()

    def step(self) -> None:
        """One turn of the loop."""
        now, before = self.clock(), self.ticked_at
        self.ticked_at = now
        if now - before > _STOPPED_SECONDS:
            self._listen_anew(now)
        away = self._backoff.is_waiting(now)
        try:
            polled = self.source.poll(_POLL_SECONDS, self._suspects.most_records(self.options.poll_records))
            # Before all that may fail: the source will not hand these over again.
            for records in polled.records:
                self._guard(records.partition, partial(self._count, records))
            self._take_changes(away=away)
            self._gaps += polled.gaps
            self._cross_gaps()
            self._corrupt += polled.corrupt
            while self._corrupt:
                self._break_off(self._corrupt.pop(0))
            if not away:
                if self._backoff.is_on:
                    self._listen_anew(now)
                self._begin_waiting()
                self._suspects.go_on(self._held, now, self._commit)
                self._commit_due()
                self._look_around()
                if self._backoff.is_on:
                    self._recovered()
        except Unavailable as why:
            self._hold_on(str(why))

    # Assignment

    def _take_changes(self, *, away: bool) -> None:
        changes = self.source.changes()
        for partition in sorted(changes.lost | changes.revoked):
            held = self._held.get(partition)
            if held is not None and partition in changes.revoked:
                away = not self._give_back(held, away=away)
            self._forget(partition)
        self._waiting |= dict.fromkeys(changes.assigned, self.clock())

    def _give_back(self, held: Held, *, away: bool) -> bool:
        """Commit or discard: the next owner reads again what is not written. Returns whether the database answers."""
        partition = held.claim.partition
        try:
            if not away:
                self._guard(partition, partial(self._commit, held))
                self.checkpoints.release(held.claim)
                return True
        except Unavailable:
            pass
        log.warning(
            "partition %s %d goes while the database is away; its next owner reads the rest again", *partition
        )
        return False

    def _forget(self, partition: Partition) -> None:
        """It is not ours any more."""
        self._let_go(partition)
        self._waiting.pop(partition, None)
        self._failures.pop(partition, None)
        self._halts.forget(partition)

    def _let_go(self, partition: Partition) -> None:
        """Drop what we hold of it in memory; a lag that nobody measures any more is not shown."""
        self._suspects.forget(partition)
        self._gaps = [gap for gap in self._gaps if gap.partition != partition]
        if self._held.pop(partition, None) is not None:
            self.metrics.lag.remove(partition.topic, str(partition.number))
        self.source.end(partition)

    def _begin_waiting(self) -> None:
        now = self.clock()
        for partition in sorted(p for p, begins_at in self._waiting.items() if begins_at <= now):
            self._guard(partition, partial(self._claim, partition))
            if self._waiting.get(partition, now) <= now:
                self._waiting.pop(partition, None)

    def _claim(self, partition: Partition) -> None:
        try:
            bounds, identity = self.source.bounds(partition), self.source.topic_id(partition.topic)
        except ConfigurationError as why:  # the topic went since it was assigned
            self._fail(partition, why)
            return
        claimant = Claimant(self.options.owner, patience_ms(self._configuration))
        try:
            claim = self.checkpoints.claim(
                partition, claimant, str(identity) if identity else None, bounds.start
            )
        except PartitionHalted as why:
            self._halt(partition, str(why))
            return
        self._halts.forget(partition)
        held = self._held[partition] = open_held(claim, self._configuration, self.options, self.clock())
        self.metrics.lag.labels(partition.topic, str(partition.number)).set(
            max(0, bounds.end - claim.next_offset)
        )
        self._suspects.meet(held, self._held, bounds.end)
        log.info(
            "partition %s %d: claimed at offset %d, epoch %d",
            *partition,
            claim.next_offset,
            claim.owner_epoch,
        )

    # Records

    def _count(self, records: Records) -> None:
        held = self._held.get(records.partition)
        if held is None:
            return
        if self._suspects.is_trying(held.partition):
            self._try(held, records)
        else:
            held.pipeline.take(records)
        held.notice_news(self.clock())

    def _try(self, held: Held, records: Records) -> None:
        """A suspect's records are stored as they are counted: without the database they are read again."""
        try:
            self._suspects.take(held, records, self.clock(), self._commit)
        except Unavailable as why:
            self._again(held.partition, "retried", str(why))
            self._hold_on(str(why))

    def _cross_gaps(self) -> None:
        """The source says each gap once; one that cannot be crossed now waits for the next turn."""
        while self._gaps:
            gap = self._gaps[0]
            self._guard(gap.partition, partial(self._cross, gap))
            self._gaps = [one for one in self._gaps if one is not gap]

    def _cross(self, gap: Gap) -> None:
        """The log lost what we wanted: count exactly that, and go on where it starts."""
        held = self._held.get(gap.partition)
        if held is None:
            return
        if gap.log_start <= held.pipeline.next_offset:
            self._take_back(held, gap)
            return
        lost = gap.log_start - held.pipeline.next_offset
        why = "retention took them before they were read"
        log.critical("partition %s %d: %d records are lost: %s", *gap.partition, lost, why)
        held.pipeline.skip_lost(gap.log_start)
        self.source.begin(gap.partition, gap.log_start)

    def _break_off(self, corrupt: Corrupt) -> None:
        """Store what was read before the damage, so that three tries are three tries to read past it."""
        held = self._held.get(corrupt.partition)
        if held is None:
            return
        try:
            self._guard(corrupt.partition, partial(self._commit, held))
        except Unavailable as why:
            log.warning("%s; what was counted before the damage is read again", why)
        if self._held.get(corrupt.partition) is held:
            self._fail(corrupt.partition, PartitionError(corrupt.why))

    def _take_back(self, held: Held, gap: Gap) -> None:
        """The log ends before our offset. Under the same identity it was cut off: go on at its end, and say so."""
        partition, offset = held.partition, held.stored_offset
        identity = self.source.topic_id(partition.topic)
        if identity is None or is_another(identity, held.claim.topic_id):
            why = f"the log ends at {gap.log_end}, before our offset {gap.wanted}: it was made anew or truncated"
            self._halt(partition, why)
            return
        from_ms = held.pipeline.panes.oldest_open_ms()
        until_ms = None if from_ms is None else held.pipeline.panes.highest_ms
        self._again(
            partition,
            "truncated",
            f"partition {partition.topic} {partition.number} was truncated to {gap.log_end}",
        )
        if gap.log_end < offset:
            loss = Loss(gap.log_end, offset - gap.log_end, LossKind.TRUNCATED, from_ms, until_ms)
            log.critical(
                "partition %s %d: the log took back %d records that were counted", *partition, loss.records
            )
            try:
                self.checkpoints.take_back(held.claim, offset, loss)
            except (PartitionLost, PartitionHalted, Rewound) as why:
                log.warning("%s; the next claim decides", why)
            else:
                self.metrics.truncated.inc(loss.records)

    # Checkpoints

    def _commit_due(self) -> None:
        now = self.clock()
        # Whose records these are must be known before they are stored: a new topic goes on under the old one's offsets.
        self._watch_topics({
            p.topic for p, held in self._held.items()
            if held.pipeline.dirty and now - held.committed_at >= self.options.commit_interval_seconds
        })  # fmt: skip
        for partition, held in list(self._held.items()):
            pipeline = held.pipeline
            due = now - held.committed_at >= self.options.commit_interval_seconds
            much = pipeline.is_heavy or pipeline.pending_records >= self.options.commit_records
            if pipeline.dirty and (due or much or pipeline.poison):
                self._guard(partition, partial(self._commit, held))
            if pipeline.poison and not held.dead_accepted and self._held.get(partition) is held:
                self._halt(
                    partition, f"{pipeline.poison}; mend what writes them, then `driftbell partitions resume`"
                )

    def _commit(self, held: Held) -> None:
        if not held.pipeline.dirty or self._held.get(held.claim.partition) is not held:
            return
        checkpoint = held.pipeline.checkpoint()
        partition = checkpoint.partition
        try:
            with self.metrics.commit_seconds.time():
                self.checkpoints.commit(held.claim, checkpoint, self._configuration.revision)
        except (PartitionLost, PartitionHalted, Rewound) as why:
            self._refused(partition, why)
        except ConfigurationChanged as why:
            self._reload(str(why))
        else:
            self._stored(held, checkpoint)

    def _refused(self, partition: Partition, why: PartitionLost | PartitionHalted | Rewound) -> None:
        """The database says that what we hold does not count."""
        if isinstance(why, PartitionHalted):
            self._halt(partition, str(why))
        elif isinstance(why, PartitionLost):
            self._drop(partition, "fenced", str(why))
            self._waiting[partition] = self.clock() + _FENCED_SECONDS
        else:
            self._again(partition, "rewound", str(why))
            self._reload(str(why))  # the monitors went back, too

    def _stored(self, held: Held, checkpoint: Checkpoint) -> None:
        held.pipeline.committed()
        held.committed_at = self.stored_at = self.clock()
        held.stored_offset = checkpoint.next_offset
        held.dead_accepted = held.dead_accepted and not checkpoint.healthy
        self._failures.pop(checkpoint.partition, None)
        self.metrics.committed(checkpoint)
        if self.dead_letters is not None:
            self.dead_letters.send(checkpoint)
        self.source.acknowledge({checkpoint.partition: checkpoint.next_offset})

    def _drop(self, partition: Partition, outcome: str, why: str) -> None:
        log.warning("%s; dropping what we counted since", why)
        self.metrics.commits.labels(outcome).inc()
        self._let_go(partition)

    def _again(self, partition: Partition, outcome: str, why: str) -> None:
        """Forget the state in memory and claim the partition anew: the database says where to go on."""
        self._drop(partition, outcome, why)
        self._waiting[partition] = self.clock()

    def _halt(self, partition: Partition, why: str) -> None:
        """Read it no further, and look from time to time whether a person has let it go on."""
        held = self._held.get(partition)
        self._halts.add(partition, why, held.claim if held else None)
        self._let_go(partition)
        self._failures.pop(partition, None)
        self._waiting[partition] = self.clock() + _HALTED_SECONDS
        self._halts.write(self.checkpoints)

    # Looking around

    def _look_around(self) -> None:
        """Every few seconds: lag and idleness for the watermark, the topics' identity, the monitors' revision."""
        now = self.clock()
        if now - self._looked_at < self.options.look_seconds:
            return
        self._halts.write(self.checkpoints)
        self.metrics.restarted(self.source.restarts)
        revision = self.checkpoints.revision()
        if revision != self._configuration.revision:
            # First of all: under older monitors we do not know which ids are still needed.
            self._reload(f"the monitors are at revision {revision} now")
        else:
            self._watch_topics({p.topic for p in self._held})
            for partition, held in list(self._held.items()):
                self._guard(partition, partial(self._note, held, now))
        self._looked_at, self.stored_at = now, self.clock()

    def _watch_topics(self, topics: Iterable[str]) -> None:
        claimed = {partition: held.claim.topic_id for partition, held in self._held.items()}
        for partition, why in self._topics.look(topics, claimed, self.clock()):
            self._halt(partition, why)

    def _note(self, held: Held, now: float) -> None:
        """How far behind it is, for the watermark and for people; and the ids that no row can reach any more go."""
        if self._held.get(held.partition) is not held:
            return
        progress = held.progress(self.source.bounds(held.partition), now, self.options.idle_after_ms)
        self.metrics.lag.labels(held.partition.topic, str(held.partition.number)).set(progress.lag)
        try:
            self.checkpoints.note_progress(
                held.claim, stored_offset=held.stored_offset,
                lag=progress.lag, idle=progress.idle, quiet_ms=progress.quiet_ms,
            )  # fmt: skip
        except (PartitionLost, PartitionHalted, Rewound) as why:
            self._refused(held.partition, why)
            return
        horizon = held.pipeline.panes.oldest_open_ms()
        if horizon is not None and horizon > held.forgotten_ms:
            self.checkpoints.forget_ids(held.claim, horizon)
            held.forgotten_ms = horizon

    def _reload(self, why: str) -> None:
        """Take the new monitors for all partitions; what was counted under the old ones cannot be written any more."""
        configuration, held = self.checkpoints.configuration(), list(self._held.values())
        for one in (
            held
        ):  # all of them before anything may fail: a batch of the old ones must not pass for a new one
            partition = one.partition
            self._again(partition, "reconfigured", f"partition {partition.topic} {partition.number}: {why}")
        self._configuration = configuration
        for one in held:
            self.checkpoints.release(one.claim)

    # Trouble

    def _guard(self, partition: Partition, act: Callable[[], None]) -> None:
        """Do it; what goes wrong for a reason that nobody foresaw costs this partition only."""
        try:
            act()
        except (ConfigurationError, Unavailable, MemoryError):
            raise
        except Exception as why:  # noqa: BLE001 - whatever it is, the other partitions go on
            self._fail(partition, why)

    def _fail(self, partition: Partition, why: Exception) -> None:
        held = self._held.get(partition)
        where = f"at or after offset {held.stored_offset}" if held else "while it was claimed"
        failures = self._failures[partition] = self._failures.get(partition, 0) + 1
        log.error("partition %s %d failed %s (%d in a row)", *partition, where, failures, exc_info=why)
        if failures >= _TRIES:
            self._halt(partition, f"it failed {failures} times in a row {where}: {type(why).__name__}: {why}")
        else:
            again = (
                f"partition {partition.topic} {partition.number} is tried again in {_TRY_AGAIN_SECONDS:.0f} s"
            )
            self._drop(partition, "failed", again)
            self._waiting[partition] = self.clock() + _TRY_AGAIN_SECONDS

    def _hold_on(self, why: str) -> None:
        """Keep the batch, pause, and poll on until the database is back."""
        if not self._backoff.is_on:
            log.warning("%s; holding on, nothing is lost", why)
            self.source.pause()
        self._backoff.wait(self.clock())
        self.metrics.commits.labels("retried").inc()

    def _recovered(self) -> None:
        log.warning("all is reached again; going on")
        self._backoff.end()
        self.source.resume()

    def _listen_anew(self, now: float) -> None:
        """While we paused, or were stopped, nothing could be heard: that was no idleness."""
        for held in self._held.values():
            held.news_at = now

    def drain(self) -> None:
        """Write what was counted and give every partition back."""
        away = False
        for held in list(self._held.values()):
            away = not self._give_back(held, away=away)
        log.info(
            "stopped; %s", "what was not stored is read again" if away else "everything counted is stored"
        )
