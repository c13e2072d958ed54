"""Runs the same pipeline and evaluation over a file log, in memory: for back-tests and benchmarks.

The same input gives the same bytes: nothing here looks at a clock, and records are read in one fixed order.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from service.alerting.news import Told, untold
from service.evaluation.evaluation import Evaluation
from service.evaluation.results import NEVER_MS
from service.messages import (
    Alert,
    Counts,
    DeadLetter,
    Evaluated,
    Finding,
    Loss,
    PaneKey,
    PaneRow,
    Partition,
    Reason,
    SliceResult,
    State,
    WindowTotal,
    iso,
)  # fmt: skip
from service.monitor import DAY_MS
from service.panes.partition import PartitionPanes
from service.pipeline import PartitionPipeline

if TYPE_CHECKING:
    from service.configuration import Configuration
    from service.intake.decoder import Decoder
    from service.intake.source import Source


KEPT_MS = 372 * DAY_MS
"""Panes are kept for the same hours of earlier weeks and of the year before, but only so many or a week of them:"""
MOST_PANES = 20_000
MOST_PANE_MS = 7 * DAY_MS


class MemoryResults:
    """`Results` of one model, in memory, with what late rows can no longer reach dropped."""

    def __init__(self, lost: Sequence[Loss] = ()) -> None:
        self.lost = lost
        self._position: int | None = None
        self._panes: dict[tuple[Partition, PaneKey], PaneRow] = {}
        self._starts: list[int] = []
        self._by_start: dict[int, list[tuple[Partition, PaneKey]]] = {}
        self._results: dict[tuple[int, str], list[SliceResult]] = {}
        self._states: dict[int, bytes] = {}
        self._told: dict[str, Told] = {}

    def put(self, partition: Partition, row: PaneRow) -> None:
        """Take a pane's cumulative sketch, in place of the one before."""
        if (partition, row.key) not in self._panes:
            start = row.key.start_ms
            if start not in self._by_start:
                insort(self._starts, start)
            self._by_start.setdefault(start, []).append((partition, row.key))
        self._panes[partition, row.key] = replace(row, partition=partition)

    def position_ms(self) -> int | None:
        return self._position

    def pane_totals(self, since_ms: int) -> Mapping[int, int]:
        totals: dict[int, int] = {}
        for start in self._starts[bisect_left(self._starts, since_ms) :]:
            rows = [self._panes[place] for place in self._by_start[start] if place[1].segment == ""]
            if rows:
                totals[start] = sum(row.inferences + row.labels for row in rows)
        return totals

    def panes(self, start_ms: int, end_ms: int, segment: str | None = None) -> Iterable[PaneRow]:
        starts = self._starts
        within = starts[bisect_left(starts, start_ms) : bisect_left(starts, end_ms)]
        chosen = [
            place
            for start in within
            for place in self._by_start[start]
            if segment is None or place[1].segment == segment
        ]
        return [self._panes[k] for k in sorted(chosen, key=lambda k: (k[1].start_ms, k[0], k[1]))]

    def window_totals(self, since_ms: int) -> Mapping[tuple[int, str], WindowTotal]:
        totals: dict[tuple[int, str], WindowTotal] = {}
        for key, results in self._results.items():
            rows = sum(r.inferences + r.labels for r in results if r.key.segment == "" and not r.aggregate)
            if key[0] > since_ms and rows:
                flagged = any(r.incomplete for r in results if not r.aggregate)
                totals[key] = WindowTotal(rows, max(r.revision for r in results), flagged)
        return totals

    def stored(self, since_ms: int) -> Mapping[tuple[int, str], Sequence[SliceResult]]:
        return {key: results for key, results in self._results.items() if key[0] >= since_ms}

    def state_before(self, end_ms: int) -> bytes | None:
        before = [end for end in self._states if end < end_ms]
        return self._states[max(before)] if before else None

    def losses(self, since_ms: int) -> Sequence[Loss]:
        return [one for one in self.lost if one.until_ms is None or one.until_ms >= since_ms]

    def save(self, evaluated: Evaluated) -> None:
        self._position = evaluated.position_ms
        restated = {(r.key.end_ms, r.key.window) for r in evaluated.results}
        self._results = {key: kept for key, kept in self._results.items() if key not in restated}
        for result in evaluated.results:
            self._results.setdefault((result.key.end_ms, result.key.window), []).append(result)
        if evaluated.states:
            self._states = {end: s for end, s in self._states.items() if end < evaluated.states[0][0]} | dict(
                evaluated.states
            )
        self._forget(evaluated.keep_states_after_ms)

    def _forget(self, before_ms: int) -> None:
        while self._starts and (
            self._starts[0] < before_ms - KEPT_MS
            or (len(self._panes) > MOST_PANES and self._starts[0] < before_ms - MOST_PANE_MS)
        ):
            for place in self._by_start.pop(self._starts.pop(0)):
                del self._panes[place]
        self._results = {key: kept for key, kept in self._results.items() if key[0] > before_ms}
        old = sorted(end for end in self._states if end < before_ms)
        for end in old[:-1]:
            del self._states[end]

    def untold(self, alerts: Sequence[Alert]) -> list[Alert]:
        """What is news of these changes, and remember it as told."""
        fresh = untold(self._told, alerts)
        self._told |= {a.id: Told.of(a) for a in fresh}
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
    dead: Counter[Reason] = field(default_factory=Counter)
    first_dead: DeadLetter | None = None
    start_ms: int | None = None
    end_ms: int = NEVER_MS


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
    poll_records: int = 10_000
    _pipelines: dict[Partition, PartitionPipeline] = field(default_factory=dict)
    _results: dict[str, MemoryResults] = field(default_factory=dict)
    _inferences_end_ms: int = NEVER_MS

    def run(self) -> Tally:
        """Read to the end. Raises ConfigurationError for files that cannot be read."""
        self.source.start()
        try:
            self._assign()
            while self._turn():
                pass
            self._evaluate(at_end=True)
        finally:
            self.source.close()
        return self.tally

    def _assign(self) -> None:
        for partition in sorted(self.source.changes().assigned):
            self._pipelines[partition] = PartitionPipeline(partition, self.decoder(), PartitionPanes(), 0)
            self.source.begin(partition, 0)

    def _turn(self) -> bool:
        polled = self.source.poll(0.0, self.poll_records)
        for records in polled.records:
            pipeline = self._pipelines[records.partition]
            pipeline.take(records)
            self._store(pipeline)
            self.progress(len(records))
        self._evaluate()
        return bool(polled.records) or any(
            self.source.bounds(p).end > pl.next_offset for p, pl in self._pipelines.items()
        )

    def _store(self, pipeline: PartitionPipeline) -> None:
        checkpoint = pipeline.checkpoint()
        for row in checkpoint.panes:
            if row.inferences:
                self._inferences_end_ms = max(self._inferences_end_ms, row.end_ms)
            self._results.setdefault(row.key.model, MemoryResults()).put(pipeline.partition, row)
        self.tally.records += checkpoint.counts
        self.tally.dead.update(letter.reason for letter in checkpoint.dead)
        self.tally.first_dead = self.tally.first_dead or next(iter(checkpoint.dead), None)
        pipeline.committed()

    def _evaluate(self, *, at_end: bool = False) -> None:
        """Evaluate all models up to one time, so that neither polls nor other models change the order of the lines.

        Nothing after the last inference is evaluated before the log's end: labels may follow it for long, and whether
        inferences have stopped or the log has is not known. At the end it is taken that the log has.
        """
        highest = min((p.panes.highest_ms for p in self._pipelines.values()), default=NEVER_MS)
        versions = {model: self.configuration.latest(model) for model in sorted(self._results)}
        disorder = max((v.monitor.disorder_ms for v in versions.values() if v is not None), default=0)
        watermark = min(highest - disorder, self._inferences_end_ms)
        made: list[tuple[MemoryResults, Evaluated]] = []
        for model, results in sorted(self._results.items()):
            end = self._inferences_end_ms if at_end else None
            while (step := self.evaluation.advance(model, results, watermark, log_end_ms=end)) is not None:
                results.save(step)
                made.append((results, step))
        self._tell(made)

    def _tell(self, made: Sequence[tuple[MemoryResults, Evaluated]]) -> None:
        results = [result for _, step in made for result in step.results]
        alerts = [alert for held, step in made for alert in held.untold(step.alerts)]
        tell(self.sink, self.tally, results, alerts)


def tell(sink: Sink, tally: Tally, results: Sequence[SliceResult], alerts: Sequence[Alert]) -> None:
    """Hand the lines of some steps on, and count them."""
    for line in lines_of(results, alerts):
        sink(line)
    if results:
        first = min(r.key.start_ms for r in results)
        tally.start_ms = first if tally.start_ms is None else min(first, tally.start_ms)
        tally.end_ms = max(tally.end_ms, *(r.key.end_ms for r in results))
    tally.windows += sum(not r.aggregate for r in results)
    tally.findings += sum(len(r.findings) for r in results)
    tally.alerts += len(alerts)
    tally.fired += [a for a in alerts if a.state is State.FIRING]


def lines_of(results: Sequence[SliceResult], alerts: Sequence[Alert]) -> Iterator[Mapping[str, Any]]:
    """Windows with their findings in the order of their ends, each end's alerts after them."""
    by_end: dict[int, tuple[list[SliceResult], list[Alert]]] = {}
    for result in results:
        by_end.setdefault(result.key.end_ms, ([], []))[0].append(result)
    for alert in alerts:
        by_end.setdefault(alert.at_ms, ([], []))[1].append(alert)
    for _, (ended, changed) in sorted(by_end.items()):
        for result in ended:
            yield from _result_lines(result)
        for alert in changed:
            yield alert.document()


def _result_lines(result: SliceResult) -> Iterator[Mapping[str, Any]]:
    about = _slice(result) | {"revision": result.revision}
    if not result.aggregate:
        yield {
            "kind": "window", **about, "events": result.inferences, "labels": result.labels,
            "incomplete": result.incomplete,
        }  # fmt: skip
    for finding in result.findings:
        yield _finding_line(about, finding)


def _slice(result: SliceResult) -> dict[str, Any]:
    key = result.key
    name, _, value = key.segment.partition("=")
    return {
        "model": key.model, "version": key.version, "segment": {name: value} if name else None, "window": key.window,
        "start": iso(key.start_ms), "end": iso(key.end_ms),
    }  # fmt: skip


def _finding_line(about: Mapping[str, Any], finding: Finding) -> Mapping[str, Any]:
    return {
        "kind": "finding", **about, "feature": finding.column.name if finding.column else None,
        "role": finding.column.role.value if finding.column else None, "method": finding.method, "score": finding.value,
        "limit": finding.limit, "p_value": finding.p_value, "n": finding.n, "m": finding.m,
        "resolution": finding.resolution, "verdict": finding.verdict.value, "reason": finding.reason,
    }  # fmt: skip
