"""A partition's counts, position and gaps as they should be stored against those that are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.messages import Counts, Loss, LossKind, iso
from service.verification.discrepancies import Discrepancy, Kind
from service.verification.panes import say_partition

if TYPE_CHECKING:
    from service.store.snapshot import StoredPartition


@dataclass(frozen=True, slots=True)
class Counted:
    """What follows from the log: `reached` is the offset after the last one that the run came to."""

    counts: Counts
    reached: int
    lost: int
    holes: int
    highest_ms: int | None
    jumps: int
    losses: tuple[Loss, ...] = ()


def check_equation(row: StoredPartition) -> Iterator[Discrepancy]:
    """What the database says alone: every offset has one end."""
    ends = row.counts.total + row.lost + row.holes - row.truncated
    if ends != row.next_offset - row.first_offset:
        expected = f"{row.next_offset - row.first_offset} offsets in accepted, duplicate, late, dead, tombstone, lost "
        yield Discrepancy(Kind.EQUATION, _offsets(row), f"{expected}and holes less truncated", str(ends))


def compare_counts(counted: Counted, row: StoredPartition) -> Iterator[Discrepancy]:
    """Where each record ended, where the run stands, and what was lost before it."""
    name = say_partition(row.partition)
    if counted.reached != row.next_offset:
        said = f"a stored position of {row.next_offset}"
        yield Discrepancy(Kind.POSITION, name, f"{counted.reached}, where the log's records end", said)
    if counted.highest_ms != row.highest_ms:
        subject = f"{name}, highest event time"
        yield Discrepancy(Kind.POSITION, subject, _say_time(counted.highest_ms), _say_time(row.highest_ms))
    if counted.jumps != row.jumps:
        subject = f"{name}, rows too far ahead at its end"
        yield Discrepancy(Kind.POSITION, subject, str(counted.jumps), str(row.jumps))
    ours = _named(counted.counts) | {"lost": counted.lost, "holes": counted.holes}
    theirs = _named(row.counts) | {"lost": row.lost, "holes": row.holes}
    for what, expected in ours.items():
        if expected != theirs[what]:
            yield Discrepancy(Kind.COUNT, f"{_offsets(row)}, {what}", str(expected), str(theirs[what]))
    yield from _compare_gaps(counted, row)


def _compare_gaps(counted: Counted, row: StoredPartition) -> Iterator[Discrepancy]:
    ours = {loss.offset: loss for loss in counted.losses}
    theirs = {loss.offset: loss for loss in row.losses if loss.kind is LossKind.LOST}
    for offset in sorted(ours.keys() | theirs.keys()):
        if ours.get(offset) != theirs.get(offset):
            subject = f"{say_partition(row.partition)}, gap at offset {offset}"
            yield Discrepancy(Kind.GAP, subject, _say_gap(ours.get(offset)), _say_gap(theirs.get(offset)))


def _say_gap(loss: Loss | None) -> str:
    if loss is None:
        return "none"
    return (
        f"{loss.records} records from {_say_time(loss.from_ms)} to {_say_time(loss.until_ms)} of event time"
    )


def _say_time(ms: int | None) -> str:
    return "none" if ms is None else iso(ms)


def _offsets(row: StoredPartition) -> str:
    return f"{say_partition(row.partition)}, offsets {row.first_offset} to {row.next_offset - 1}"


def _named(counts: Counts) -> dict[str, int]:
    return {name: getattr(counts, name) for name in ("accepted", "duplicate", "late", "dead", "tombstone")}
