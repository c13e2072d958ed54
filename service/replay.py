"""Runs the same pipeline and evaluation over a file log, in memory: for back-tests and benchmarks.

The same input gives the same bytes: nothing here looks at a clock, and records are read in one fixed order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from service.evaluation import NEVER_MS, Evaluation
from service.messages import (
    Alert, Counts, Evaluated, Finding, PaneKey, PaneRow, Partition, SliceResult, State, iso,
)  # fmt: skip
from service.panes.partition import PartitionPanes
from service.pipeline import PartitionPipeline

if TYPE_CHECKING:
    from service.configuration import Configuration
    from service.intake.decoder import Decoder
    from service.intake.source import Source

_POLL_RECORDS = 10_000


class MemoryResults:
    """`service.evaluation.Results` of one model, in memory, with what late rows can no longer reach dropped."""

    def __init__(self) -> None:
        self._position: int | None = None
        self._panes: dict[tuple[Partition, PaneKey], PaneRow] = {}
        self._results: dict[tuple[int, str], list[SliceResult]] = {}
        self._states: dict[int, bytes] = {}
        self._told: set[tuple[str, State]] = set()

    def put(self, partition: Partition, row: PaneRow) -> None:
        """Take a pane's cumulative sketch, in place of the one before."""
        self._panes[partition, row.key] = row

    def position_ms(self) -> int | None:
        return self._position

    def pane_totals(self, since_ms: int) -> Mapping[int, int]:
        totals: dict[int, int] = {}
        for (_, key), row in self._panes.items():
            if key.segment == "" and key.start_ms >= since_ms:
                totals[key.start_ms] = totals.get(key.start_ms, 0) + row.inferences + row.labels
        return totals

    def panes(self, start_ms: int, end_ms: int) -> Iterable[PaneRow]:
        chosen = [(partition, key) for partition, key in self._panes if start_ms <= key.start_ms < end_ms]
        return [self._panes[k] for k in sorted(chosen, key=lambda k: (k[1].start_ms, k[0], k[1]))]

    def window_totals(self, since_ms: int) -> Mapping[tuple[int, str], tuple[int, int]]:
        totals: dict[tuple[int, str], tuple[int, int]] = {}
        for key, results in self._results.items():
            rows = sum(r.inferences + r.labels for r in results if r.key.segment == "" and not r.aggregate)
            if key[0] > since_ms and rows:
                totals[key] = rows, max(r.revision for r in results)
        return totals

    def stored(self, since_ms: int) -> Mapping[tuple[int, str], Sequence[SliceResult]]:
        return {key: results for key, results in self._results.items() if key[0] >= since_ms}

    def state_before(self, end_ms: int) -> bytes | None:
        before = [end for end in self._states if end < end_ms]
        return self._states[max(before)] if before else None

    def save(self, evaluated: Evaluated) -> None:
        self._position = evaluated.position_ms
        restated = {(r.key.end_ms, r.key.window) for r in evaluated.results}
        self._results = {key: kept for key, kept in self._results.items() if key not in restated}
        for result in evaluated.results:
            self._results.setdefault((result.key.end_ms, result.key.window), []).append(result)
        if evaluated.states:
            self._states = {end: s for end, s in self._states.items() if end < evaluated.states[0][0]} | dict(evaluated.states)
        self._forget(evaluated.keep_states_after_ms)

    def _forget(self, before_ms: int) -> None:
        self._panes = {key: row for key, row in self._panes.items() if row.end_ms > before_ms}
        self._results = {key: kept for key, kept in self._results.items() if key[0] > before_ms}
        old = sorted(end for end in self._states if end < before_ms)
        for end in old[:-1]:
            del self._states[end]

    def untold(self, alerts: Iterable[Alert]) -> list[Alert]:
        """The alerts whose state was not told before (a restated window folds again what is known)."""
        fresh = [a for a in alerts if (a.id, a.state) not in self._told]
        self._told |= {(a.id, a.state) for a in fresh}
        return fresh


class Sink(Protocol):
    """Takes the lines of a replay."""

    def __call__(self, line: Mapping[str, Any]) -> None:
        """One JSON object."""


@dataclass
class Tally:
    """What a replay has counted."""

    records: Counts = field(default_factory=Counts)
    windows: int = 0
    findings: int = 0
    alerts: int = 0
    fired: list[Alert] = field(default_factory=list)


@dataclass
class Replay:
    """One pass over a source that ends. `decoder` makes a decoder for each partition."""

    source: Source
    configuration: Configuration
    evaluation: Evaluation
    decoder: Callable[[], Decoder]
    sink: Sink
    progress: Callable[[int], None] = lambda _: None
    tally: Tally = field(default_factory=Tally)
    _pipelines: dict[Partition, PartitionPipeline] = field(default_factory=dict)
    _results: dict[str, MemoryResults] = field(default_factory=dict)

    def run(self) -> Tally:
        """Read to the end. Raises ConfigurationError for files that cannot be read."""
        self.source.start()
        try:
            self._assign()
            while self._turn():
                pass
            self._evaluate(flush=True)
        finally:
            self.source.close()
        return self.tally

    def _assign(self) -> None:
        for partition in sorted(self.source.changes().assigned):
            self._pipelines[partition] = PartitionPipeline(partition, self.decoder(), PartitionPanes(), 0)
            self.source.begin(partition, 0)

    def _turn(self) -> bool:
        polled = self.source.poll(0.0, _POLL_RECORDS)
        for records in polled.records:
            pipeline = self._pipelines[records.partition]
            pipeline.take(records)
            self._store(pipeline)
            self.progress(len(records))
        self._evaluate()
        return bool(polled.records) or any(self.source.bounds(p).end > pl.next_offset for p, pl in self._pipelines.items())

    def _store(self, pipeline: PartitionPipeline) -> None:
        checkpoint = pipeline.checkpoint()
        for row in checkpoint.panes:
            self._results.setdefault(row.key.model, MemoryResults()).put(pipeline.partition, row)
        self.tally.records += checkpoint.counts
        pipeline.committed()

    def _evaluate(self, *, flush: bool = False) -> None:
        highest = min((p.panes.highest_ms for p in self._pipelines.values()), default=NEVER_MS)
        if flush:
            highest = max((p.panes.highest_ms for p in self._pipelines.values()), default=NEVER_MS)
        for model, results in sorted(self._results.items()):
            version = self.configuration.latest(model)
            if version is None or highest == NEVER_MS:
                continue
            watermark = highest - version.monitor.disorder_ms
            while (made := self.evaluation.advance(model, results, watermark, flush=flush)) is not None:
                results.save(made)
                self._tell(made, results)

    def _tell(self, made: Evaluated, results: MemoryResults) -> None:
        alerts = results.untold(made.alerts)
        for line in lines_of(made.results, alerts):
            self.sink(line)
        self.tally.windows += sum(not r.aggregate for r in made.results)
        self.tally.findings += sum(len(r.findings) for r in made.results)
        self.tally.alerts += len(alerts)
        self.tally.fired += [a for a in alerts if a.state is State.FIRING]


def lines_of(results: Sequence[SliceResult], alerts: Sequence[Alert]) -> Iterator[Mapping[str, Any]]:
    """Windows with their findings, each end's alerts after them."""
    ends = sorted({r.key.end_ms for r in results} | {a.at_ms for a in alerts})
    for end in ends:
        for result in (r for r in results if r.key.end_ms == end):
            if not result.aggregate:
                yield window_document(result)
            for finding in result.findings:
                yield finding_document(result, finding)
        for alert in (a for a in alerts if a.at_ms == end):
            yield alert.document()


def _slice(result: SliceResult) -> dict[str, Any]:
    key = result.key
    name, _, value = key.segment.partition("=")
    return {
        "model": key.model, "version": key.version, "segment": {name: value} if name else None, "window": key.window,
        "start": iso(key.start_ms), "end": iso(key.end_ms),
    }  # fmt: skip


def window_document(result: SliceResult) -> Mapping[str, Any]:
    """One window as a line."""
    return {
        "kind": "window", **_slice(result), "events": result.inferences, "labels": result.labels,
        "revision": result.revision, "incomplete": result.incomplete,
    }  # fmt: skip


def finding_document(result: SliceResult, finding: Finding) -> Mapping[str, Any]:
    """One finding as a line."""
    return {
        "kind": "finding", **_slice(result), "feature": finding.column.name if finding.column else None,
        "role": finding.column.role.value if finding.column else None, "method": finding.method, "score": finding.value,
        "limit": finding.limit, "p_value": finding.p_value, "n": finding.n, "m": finding.m,
        "resolution": finding.resolution, "verdict": finding.verdict.value, "reason": finding.reason,
    }  # fmt: skip
