"""Outcomes of two versions by the hour, added up as they come in the order of their panes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from service.comparison.losses import STRATUM_MS
from service.performance.counting import added

if TYPE_CHECKING:
    from detectors.performance.metric import Metric
    from service.performance.counting import Arrays, Counting


class SliceOutcomes(NamedTuple):
    """Outcomes of a pane, or an hour, of a version and some of its segments; and how they were counted."""

    start_ms: int
    slices: tuple[str, ...]
    counting: Counting
    arrays: Arrays


def hourly(panes: Iterable[SliceOutcomes]) -> Iterator[SliceOutcomes]:
    """The same by the hour; one hour is kept in memory."""
    hour_ms, together = None, dict[tuple[tuple[str, ...], str], SliceOutcomes]()
    for one in panes:
        start_ms = one.start_ms - one.start_ms % STRATUM_MS
        if start_ms != hour_ms:
            yield from together.values()
            hour_ms, together = start_ms, {}
        key = one.slices, one.counting.identity
        before = together.get(key)
        arrays = one.arrays if before is None else added(before.arrays, one.arrays)
        together[key] = one._replace(start_ms=start_ms, arrays=arrays)
    yield from together.values()


@dataclass
class SharedHours:
    """Keeps one hour of each version, and the sums of the hours that both had; those counted otherwise are left out."""

    versions: tuple[str, str]
    segment: str
    counting: Counting
    hours: int = 0
    _totals: dict[str, Arrays] = field(default_factory=dict)
    _hour_ms: int | None = None
    _open: dict[str, Arrays] = field(default_factory=dict)

    def add(self, start_ms: int, slices: Sequence[str], counting: Counting, outcomes: Arrays) -> None:
        """Count a pane's outcomes of one list of slices; panes come in the order of their starts."""
        hour_ms = start_ms - start_ms % STRATUM_MS
        if hour_ms != self._hour_ms:
            self._close()
            self._hour_ms = hour_ms
        version, *segments = slices
        if counting.identity == self.counting.identity and self.segment in ("", *segments):
            _put(self._open, version, outcomes)

    def metrics(self) -> tuple[tuple[Metric, ...], tuple[Metric, ...]]:
        """What the outcomes of either version come to; no more is added then."""
        self._close()
        mine, theirs = (
            self.counting.metrics(self._totals.get(version, self.counting.zeros()))
            for version in self.versions
        )
        return mine, theirs

    def _close(self) -> None:
        if all(version in self._open for version in self.versions):
            self.hours += 1
            for version in self.versions:
                _put(self._totals, version, self._open[version])
        self._open = {}


def _put(into: dict[str, Arrays], version: str, outcomes: Arrays) -> None:
    into[version] = added(into[version], outcomes) if version in into else outcomes
