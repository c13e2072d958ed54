"""Panes that should be stored against those that are, to the byte."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.messages import PaneKey, PaneRow, Partition, iso
from service.verification.discrepancies import Discrepancy, Kind

NEVER_MS = -(2**62)
ALWAYS_MS = 2**62


@dataclass(frozen=True, slots=True)
class Doubt:
    """Which panes of a partition cannot be verified, and why that is no fault.

    Panes that start before `whole_from_ms` may have rows that the log no longer holds, or none of them may be readable;
    those that touch a span of `taken_back` hold rows that the log took back; retention may have deleted those that
    ended before `kept_from_ms`.
    """

    whole_from_ms: int = NEVER_MS
    taken_back: tuple[tuple[int, int], ...] = ()
    kept_from_ms: int = NEVER_MS

    def covers(self, row: PaneRow) -> bool:
        """Whether nothing can be said of this pane."""
        touched = any(row.end_ms > start and row.key.start_ms <= end for start, end in self.taken_back)
        return touched or row.key.start_ms < self.whole_from_ms

    def excuses(self, row: PaneRow) -> bool:
        """Whether it is no fault that this pane is not stored any more."""
        return row.end_ms < self.kept_from_ms


@dataclass(frozen=True, slots=True)
class PanesCompared:
    """Rows of all traffic that panes lack or have too many of, and how many panes were held against each other."""

    compared: int = 0
    unverifiable: int = 0
    lost: int = 0
    duplicated: int = 0

    def __add__(self, other: PanesCompared) -> PanesCompared:
        return PanesCompared(
            self.compared + other.compared,
            self.unverifiable + other.unverifiable,
            self.lost + other.lost,
            self.duplicated + other.duplicated,
        )


Panes = Mapping[PaneKey, PaneRow]


def compare_panes(
    partition: Partition, expected: Panes, stored: Panes, doubt: Doubt
) -> tuple[PanesCompared, Sequence[Discrepancy]]:
    """What is wrong with these panes of a partition."""
    total, wrong = PanesCompared(), []
    for key in sorted(expected.keys() | stored.keys()):
        ours, theirs = expected.get(key), stored.get(key)
        row = ours or theirs
        if row is None or doubt.covers(row) or (theirs is None and doubt.excuses(row)):
            total += PanesCompared(unverifiable=1)
            continue
        total += _rows(ours, theirs)
        if (found := _compare(name_of(partition, row), ours, theirs)) is not None:
            wrong.append(found)
    return total, wrong


def _rows(expected: PaneRow | None, stored: PaneRow | None) -> PanesCompared:
    lost = duplicated = 0
    for name in ("inferences", "labels"):
        more = (getattr(expected, name) if expected else 0) - (getattr(stored, name) if stored else 0)
        lost, duplicated = lost + max(0, more), duplicated + max(0, -more)
    row = expected or stored
    if row is not None and row.key.segment:  # its rows are in the pane of all traffic, too
        lost = duplicated = 0
    return PanesCompared(1, 0, lost, duplicated)


def _compare(name: str, expected: PaneRow | None, stored: PaneRow | None) -> Discrepancy | None:
    if expected == stored:
        return None
    if stored is None:
        return Discrepancy(Kind.PANE_MISSING, name, _counted(expected), "no such pane")
    if expected is None:
        return Discrepancy(Kind.PANE_UNEXPECTED, name, "no such pane", _counted(stored))
    if (expected.inferences, expected.labels) != (stored.inferences, stored.labels):
        return Discrepancy(Kind.PANE_ROWS, name, _counted(expected), _counted(stored))
    for what in ("end_ms", "grid_id", "last_ms"):
        if getattr(expected, what) != getattr(stored, what):
            ours, theirs = str(getattr(expected, what)), str(getattr(stored, what))
            return Discrepancy(Kind.PANE_SKETCH, f"{name}, {what}", ours, theirs)
    at = next(
        (i for i, (a, b) in enumerate(zip(expected.sketch, stored.sketch, strict=False)) if a != b),
        min(len(expected.sketch), len(stored.sketch)),
    )
    return Discrepancy(
        Kind.PANE_SKETCH, f"{name}, sketch", f"{len(expected.sketch)} bytes",
        f"{len(stored.sketch)} bytes that differ from byte {at} on",
    )  # fmt: skip


def _counted(row: PaneRow | None) -> str:
    return "nothing" if row is None else f"{row.inferences} inferences and {row.labels} labels"


def name_of(partition: Partition, row: PaneRow) -> str:
    """A pane in words."""
    key = row.key
    version = f" version {key.version}" if key.version else ""
    segment = f" of {key.segment}" if key.segment else ""
    where = f"{key.model}{version}{segment} from {iso(key.start_ms)} to {iso(row.end_ms)}"
    return f"{say_partition(partition)}, pane {where}"


def say_partition(partition: Partition) -> str:
    """A partition in words."""
    return f"partition {partition.number} of {partition.topic}"
