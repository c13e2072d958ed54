"""A game day: every drill injected into the middle of a copy of a log, replayed, and judged against the clean log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from service.injection.injector import Injector, Scope, Written
from service.injection.log import NO_TIME_MS, Log, Record
from service.injection.output import write_file
from service.injection.verdict import Clean, Outcome, Verdict, judge, ringing
from service.monitor import Monitor

if TYPE_CHECKING:
    from service.injection.drills import Drill
    from service.injection.survey import Survey
    from service.messages import Alert

FOREVER_MS = 2**62
Rings = Callable[[Path], "Sequence[Alert]"]
"""Replays a file log and returns the alerts that fired."""


@dataclass(frozen=True)
class ModelLog:
    """The records of a log that are a model's (or nobody's), up to an event time: what is replayed for it."""

    log: Log
    model: str
    until_ms: int = FOREVER_MS

    def __call__(self) -> Iterator[Record]:
        own = (r for r in self.log() if r.head.model in {self.model, ""})
        return takewhile(lambda r: r.ts_ms == NO_TIME_MS or r.ts_ms < self.until_ms, own)


@dataclass(frozen=True)
class Played:
    """One drill that was played."""

    drill: Drill
    verdict: Verdict
    hit: int
    seconds: float

    def document(self) -> dict[str, Any]:
        """For programs."""
        verdict, alert = self.verdict, self.verdict.alert
        return {
            "kind": self.drill.fault.name, "drill": str(self.drill), "outcome": verdict.outcome.value,
            "named": verdict.named, "expected_causes": sorted(self.drill.fault.expects().causes),
            "delay_windows": verdict.delay_windows, "false_pages": verdict.false_pages,
            "false_tickets": verdict.false_tickets, "masked": verdict.masked, "events_hit": self.hit,
            "seconds": round(self.seconds, 2), "alert": alert.document() if alert is not None else None,
        }  # fmt: skip


@dataclass(frozen=True)
class GameDay:
    """A model's log and monitor, and where the copies go. Each copy takes the place of the one before."""

    survey: Survey
    log: Log
    monitor: Monitor
    rings: Rings
    folder: Path
    seed: int = 0

    @property
    def window_ms(self) -> int:
        """The shortest window."""
        return min(spec.length_ms for spec in self.monitor.windows)

    @property
    def from_ms(self) -> int:
        """The fault's begin: a window's border in the middle of the log."""
        return self.survey.at(0.5) // self.window_ms * self.window_ms

    def scope(self, drill: Drill) -> Scope:
        """The events that a drill hits."""
        to_ms = FOREVER_MS if drill.lasts >= 1.0 else self.from_ms + self._span_ms(drill.lasts)
        return Scope(self.from_ms, to_ms, drill.share, drill.where)

    def _span_ms(self, share: float) -> int:
        left = int(share * (self.survey.last_ms - self.from_ms))
        return max(1, left // self.window_ms) * self.window_ms

    @cached_property
    def clean(self) -> Clean:
        """What the log rings as it is."""
        return Clean(ringing(self._replayed(as_it_is(self.log))))

    def play(self, drill: Drill) -> Played:
        """Inject, replay, judge."""
        _, began = self.clean, perf_counter()
        injector = Injector(drill.fault, self.scope(drill), self.survey, self.seed)
        fired = self._replayed(injector.run(self.log()))
        verdict = judge(self.clean, fired, drill.fault.expects(), self.from_ms, self.window_ms)
        return Played(drill, verdict, injector.hit, perf_counter() - began)

    def _replayed(self, records: Iterable[Written]) -> Sequence[Alert]:
        path = self.folder / "events.jsonl"
        write_file(path, records)
        return self.rings(path)


def as_it_is(log: Log) -> Iterator[Written]:
    """A log's records without a fault."""
    return (Written(record.value, record.key, record.stamp_ms) for record in log())


def found_share(played: Sequence[Played]) -> float:
    """Of the faults that should ring, how many did; 1 when there was none."""
    ringing_ones = [p for p in played if p.verdict.outcome in {Outcome.FOUND, Outcome.MISSED}]
    if not ringing_ones:
        return 1.0
    return sum(p.verdict.outcome is Outcome.FOUND for p in ringing_ones) / len(ringing_ones)
