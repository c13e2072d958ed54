"""How the run went through a partition's log: what it read, what was lost before it, what it must not touch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from service.messages import Loss, LossKind

if TYPE_CHECKING:
    from service.store.snapshot import StoredPartition


class Way(Enum):
    """What a stretch of offsets is to the run."""

    READ = auto()
    LOST = auto()
    KILLER = auto()


@dataclass(frozen=True, slots=True)
class Stretch:
    """Offsets [start, end) that the run went through in one way."""

    way: Way
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Route:
    """The stretches in order. Unless it `is_whole`, retention has taken records that the run had read."""

    start: int
    is_whole: bool
    stretches: tuple[Stretch, ...]


def route_of(stored: StoredPartition, log_start: int, killers: Sequence[int]) -> Route:
    """From the first offset, or from where the log starts now, to the stored position."""
    lost = [loss for loss in stored.losses if loss.kind is LossKind.LOST]
    start = _first_read(stored.first_offset, lost)
    whole = start >= log_start or stored.first_offset == stored.next_offset
    begin = stored.first_offset if whole else log_start
    return Route(begin, whole, tuple(_stretches(begin, stored.next_offset, lost, killers)))


def _first_read(offset: int, lost: Sequence[Loss]) -> int:
    """The first offset that the run read: its log may have begun with a gap."""
    for loss in lost:
        if loss.offset <= offset < loss.offset + loss.records:
            offset = loss.offset + loss.records
    return offset


def _stretches(start: int, end: int, lost: Sequence[Loss], killers: Sequence[int]) -> list[Stretch]:
    special = [Stretch(Way.LOST, loss.offset, loss.offset + loss.records) for loss in lost]
    special += [Stretch(Way.KILLER, offset, offset + 1) for offset in killers]
    made = []
    at = start
    for one in sorted(special, key=lambda s: s.start):
        if one.end <= at or one.start >= end:
            continue
        if one.start > at:
            made.append(Stretch(Way.READ, at, one.start))
        made.append(Stretch(one.way, max(at, one.start), min(one.end, end)))
        at = one.end
    if at < end:
        made.append(Stretch(Way.READ, at, end))
    return made
