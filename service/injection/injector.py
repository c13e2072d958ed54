"""Puts one fault into a log: the records again, those that it hits changed, all others byte for byte the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from typing import NamedTuple

import numpy as np

from service.injection.event import Event, value_text
from service.injection.fault import Fault, Ground, Target
from service.injection.log import NO_TIME_MS, Record
from service.injection.remembered import Remembered
from service.injection.survey import Survey


@dataclass(frozen=True)
class Scope:
    """Which events are hit: those of a time and a segment (name and value of a feature or tag), or a share of these."""

    from_ms: int
    to_ms: int
    share: float = 1.0
    where: tuple[str, str] | None = None

    def contains(self, event: Event) -> bool:
        """Whether its time and segment are meant."""
        return self.from_ms <= event.ts_ms < self.to_ms and self.is_of_segment(event)

    def is_of_segment(self, event: Event) -> bool:
        """Whether its segment is meant."""
        return self.where is None or value_text(event.slice_value(self.where[0])) == self.where[1]


class Written(NamedTuple):
    """A record as it leaves. `stamp_ms` is the log's own time, -1 where it has none."""

    value: bytes
    key: bytes | None
    stamp_ms: int


class Injector:
    """One pass. `hit` counts the events that were hit, `unreadable` the records that are no events or have no time.

    What comes late is held until the log's event times have got there; all else is handed on at once.
    Raises ConfigurationError when made, if the fault does not fit the log.
    """

    def __init__(self, fault: Fault, scope: Scope, survey: Survey, seed: int = 0) -> None:
        if scope.where is not None:
            survey.segment(*scope.where)
        ground = Ground(
            survey, np.random.default_rng([seed, 1]), scope.from_ms, min(scope.to_ms, survey.last_ms)
        )
        self._change = fault.begin(ground)
        self._target = fault.target
        self._scope = scope
        self._model = survey.model
        self._random = np.random.default_rng([seed, 0])
        self._ids: Remembered[None] = Remembered()
        self._held: list[tuple[int, int, Written]] = []
        self._numbers = count()
        self.hit = 0
        self.unreadable = 0

    def run(self, records: Iterable[Record]) -> Iterator[Written]:
        """The faulted log."""
        for record in records:
            if record.ts_ms != NO_TIME_MS:
                yield from self._due(record.ts_ms)
            yield from self._pass(record)
        yield from self._due(2**62)

    def _pass(self, record: Record) -> Iterator[Written]:
        if record.head.model != self._model or record.ts_ms == NO_TIME_MS:
            self.unreadable += record.ts_ms == NO_TIME_MS
            yield Written(record.value, record.key, record.stamp_ms)
            return
        for event in self._changed(record.event()):
            made = Written(event.written(), event.key, event.stamp_ms)
            if event.late_ms > 0:
                heappush(self._held, (record.ts_ms + event.late_ms, next(self._numbers), made))
            else:
                yield made

    def _changed(self, event: Event) -> Sequence[Event]:
        if event.is_inference:
            return self._inference(event)
        if self._target is Target.BOTH:
            return self._change(event, False)  # noqa: FBT003 - as `Change` has it
        if self._target is Target.INFERENCES:
            return (event,)
        return self._count(event, hit=self._hits_label(event))

    def _inference(self, event: Event) -> Sequence[Event]:
        match self._target:
            case Target.INFERENCES | Target.BOTH:
                return self._count(event, hit=self._scope.contains(event) and self._is_drawn())
            case Target.OUTCOMES:
                if event.id and self._scope.contains(event) and self._is_drawn():
                    self._ids.put(event.id, None)
            case Target.LABELS:
                if event.id and self._scope.where is not None and self._scope.is_of_segment(event):
                    self._ids.put(event.id, None)
        return (event,)

    def _hits_label(self, event: Event) -> bool:
        if self._target is Target.OUTCOMES:
            return event.id in self._ids
        of_segment = self._scope.where is None or event.id in self._ids
        return self._scope.from_ms <= event.ts_ms < self._scope.to_ms and of_segment and self._is_drawn()

    def _count(self, event: Event, *, hit: bool) -> Sequence[Event]:
        self.hit += hit
        return self._change(event, hit)

    def _is_drawn(self) -> bool:
        return self._scope.share >= 1.0 or float(self._random.random()) < self._scope.share

    def _due(self, ts_ms: int) -> Iterator[Written]:
        while self._held and self._held[0][0] <= ts_ms:
            yield heappop(self._held)[2]
