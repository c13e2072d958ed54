"""Where in the traffic a fault is: the slice, or the partitions of the log, that hold nearly all of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from service.diagnosis.distances import fit
from service.diagnosis.phrasing import listed
from service.diagnosis.shares import beyond
from service.messages import Column, Partition

if TYPE_CHECKING:
    from service.diagnosis.view import ColumnView

_NEARLY_ALL = 0.95
_MOST_OF_TRAFFIC = 0.9
_SLICE_SIGMAS, _SIGMAS = 2.0, 4.0
_FEWEST_HITS = 5
"""A partition with fewer bad rows is not named: where there are many, chance leaves some without any."""
_FEWEST_ROWS, _MOST_UNKNOWN = 50, 0.05
_TRIFLE = 0.03

Hits = Callable[["ColumnView"], int]
"""How many rows are bad."""


class Part(NamedTuple):
    """A column's rows in one part of the traffic, and as they usually are there (None: not known)."""

    now: ColumnView
    usual: ColumnView | None = None


class Where(NamedTuple):
    """A place in the traffic, its share of the rows, and the share of its rows that are bad."""

    name: str
    rows_share: float
    bad_share: float
    preposition: str

    @property
    def said(self) -> str:
        """'for country=DE', 'in partition 3 of topic events'."""
        return f"{self.preposition} {self.name}"

    @property
    def kind(self) -> str:
        """What sort of place it is."""
        return "slice" if self.preposition == "for" else "partition"


@dataclass(frozen=True, slots=True)
class Places:
    """One column's rows by slice of `whole`, which may overlap, and by partition of the log, which do not."""

    whole: ColumnView | None = None
    slices: Mapping[str, Part] = field(default_factory=dict)
    partitions: Mapping[Partition, Part] = field(default_factory=dict)


PlacesOf = Callable[[Column], Places]


def nowhere(_: Column) -> Places:
    """No part is known."""
    return Places()


def place_of(hits: Hits, usual: ColumnView, places: Places) -> Where | None:
    """The smallest place that holds nearly all of what is bad more often than usual, if it is not all of the traffic.

    What is usual of the whole is taken for a part of which nothing is known.
    """
    found = [_slice_of(hits, usual, places), _partitions_of(hits, usual, places.partitions)]
    return min((one for one in found if one is not None), key=lambda one: one.rows_share, default=None)


def _excess(hits: Hits, usual: ColumnView, part: Part) -> float:
    known = part.usual if part.usual is not None and part.usual.rows else usual
    return hits(part.now) - (hits(known) / known.rows if known.rows else 0.0) * part.now.rows


def _slice_of(hits: Hits, usual: ColumnView, places: Places) -> Where | None:
    whole = places.whole
    if whole is None or (excess := _excess(hits, usual, Part(whole))) <= 0:
        return None
    holding = [
        (part.now.rows, name)
        for name, part in places.slices.items()
        if 0 < part.now.rows <= _MOST_OF_TRAFFIC * whole.rows
        and _excess(hits, usual, part) >= _NEARLY_ALL * excess
    ]
    if not holding:
        return None
    rows, name = min(holding)
    bad = hits(places.slices[name].now)
    if beyond(bad, rows, hits(whole) / whole.rows, whole.rows) < _SLICE_SIGMAS:
        return None
    return Where(name, rows / whole.rows, bad / rows, "for")


def _partitions_of(hits: Hits, usual: ColumnView, partitions: Mapping[Partition, Part]) -> Where | None:
    """The fewest that hold nearly all of it, if the others together are as usual, and clearly other than these."""
    excess = {name: _excess(hits, usual, part) for name, part in partitions.items() if part.now.rows}
    chosen = _fewest(excess)
    rows, all_rows = _rows(partitions, chosen), _rows(partitions, list(excess))
    if not chosen or rows > _MOST_OF_TRAFFIC * all_rows:
        return None
    left = [name for name in excess if name not in chosen]
    inside, outside, others = sum(excess[n] for n in chosen), sum(excess[n] for n in left), all_rows - rows
    found = sum(hits(partitions[name].now) for name in left)
    is_usual = beyond(found, others, (found - outside) / others, usual.rows) < _SIGMAS
    if not is_usual or beyond(inside, rows, max(0.0, outside) / others, others) < _SIGMAS:
        return None
    return _in(chosen, rows / all_rows, sum(hits(partitions[name].now) for name in chosen) / rows)


def _fewest(excess: Mapping[Partition, float]) -> Sequence[Partition]:
    total, held, chosen = sum(excess.values()), 0.0, list[Partition]()
    for name in sorted(excess, key=lambda one: (-excess[one], one)):
        if held >= _NEARLY_ALL * total:
            break
        held += excess[name]
        chosen.append(name)
    return chosen if all(excess[name] >= _FEWEST_HITS for name in chosen) else ()


def unlike_before(partitions: Mapping[Partition, Part]) -> Where | None:
    """The partitions whose values are far from their own before, if those of the others are as they were."""
    far: list[Partition] = []
    near: list[Partition] = []
    for name, part in sorted(partitions.items()):
        if part.usual is None or min(part.now.present, part.usual.present) < _FEWEST_ROWS:
            continue
        found = fit(part.now, part.usual)
        if found is None or found.distance > 2.0 * found.noise + _TRIFLE:
            far.append(name)
        elif found.agrees:
            near.append(name)
    rows, all_rows = _rows(partitions, far), _rows(partitions, list(partitions))
    unknown = all_rows - rows - _rows(partitions, near)
    if not far or rows > _MOST_OF_TRAFFIC * all_rows or unknown > _MOST_UNKNOWN * all_rows:
        return None
    return _in(far, rows / all_rows, 1.0)


def _rows(partitions: Mapping[Partition, Part], names: Sequence[Partition]) -> int:
    return sum(partitions[name].now.rows for name in names)


def _in(chosen: Sequence[Partition], rows_share: float, bad_share: float) -> Where:
    by_topic: dict[str, list[str]] = {}
    for one in sorted(chosen):
        by_topic.setdefault(one.topic, []).append(str(one.number))
    said = [
        f"{'partition' if len(numbers) == 1 else 'partitions'} {listed(numbers, 5)} of topic {topic}"
        for topic, numbers in by_topic.items()
    ]
    return Where(listed(said), rows_share, bad_share, "in")
