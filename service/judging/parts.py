"""The rows of a slice that rings and those just before, with their parts: by segment and by partition of the log."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from service.diagnosis.places import Part, Places
from service.diagnosis.view import SliceView, view_of
from service.messages import Column, PaneRow, Partition, WindowKey
from service.scoring.windows import SliceKey, merge_slices

if TYPE_CHECKING:
    from service.judging.slices import SliceReader
    from service.judging.terms import Scored, Terms
    from service.scoring.usual import Reference
    from service.sketches.pane import PaneSketch

K = TypeVar("K")

_MOST_PARTITIONS = 64


class _Two(NamedTuple):
    """A part now, and as it usually is."""

    now: SliceView
    usual: SliceView | None

    def of(self, column: Column) -> Part:
        """One column of it."""
        return Part(self.now.columns[column], None if self.usual is None else self.usual.columns.get(column))


@dataclass
class Parts:
    """The rows of the slice `key` since `since_ms`, and their parts.

    Its segments are those of the window, as it was scored, beside the reference's own rows of each. Its partitions
    stand beside their own rows just before: where a producer chooses the partition by a key, each is like itself only.
    """

    reader: SliceReader
    terms: Terms
    reference: Reference
    scored: Sequence[Scored]
    key: WindowKey
    since_ms: int

    @cached_property
    def current(self) -> PaneSketch | None:
        """All its rows."""
        return self._all(0)

    @cached_property
    def before(self) -> PaneSketch | None:
        """All rows of the same slice just before."""
        return self._all(1)

    def places(self, column: Column) -> Places:
        """Where a column's rows are."""
        whole = self._window.columns.get(column) if self._window is not None else None
        return Places(whole, _of(self._segments, column), _of(self._partitions, column))

    @cached_property
    def _window(self) -> SliceView | None:
        return next((view_of(one.sketch) for one in self.scored if one.result.key == self.key), None)

    @cached_property
    def _segments(self) -> Mapping[str, _Two]:
        """The segments of the same version; a segment has none."""
        if self.key.segment:
            return {}
        version = [one for one in self.scored if one.result.key.version == self.key.version]
        named = [(one.result.key.segment, one.sketch) for one in version if one.sketch.inferences]
        return {name: _two(sketch, self.reference.segment(name)) for name, sketch in named if name}

    @cached_property
    def _partitions(self) -> Mapping[Partition, _Two]:
        return {
            partition: _two(now, before)
            for partition, (now, before) in self._read.items()
            if partition is not None and now is not None and now.inferences
        }

    @cached_property
    def _read(self) -> Mapping[Partition | None, tuple[PaneSketch | None, PaneSketch | None]]:
        """By partition, since the trouble began and just before it. Reading panes costs, merging does not: each once.

        None are the rows of all others: those that have none now, and all where they are one or too many.
        """
        rows = _Rows(self.terms)
        found = rows.partitions(self.since_ms, self.key)
        if not 1 < len(found) <= _MOST_PARTITIONS:
            found = ()
        terms: dict[Partition | None, Terms] = {one: rows.of({one}) for one in found}
        terms[None] = rows.others(set(found))
        return {one: (self._now(some), self._before(some)) for one, some in terms.items()}

    def _now(self, terms: Terms) -> PaneSketch | None:
        grid = self.reference.sketch.grid
        return self.reader.slice(terms, self.key, self.since_ms, self.key.end_ms, grid)

    def _before(self, terms: Terms) -> PaneSketch | None:
        return self.reader.before(terms, self.key, self.since_ms, self.reference.sketch.grid)

    def _all(self, at: int) -> PaneSketch | None:
        mine = SliceKey(self.key.version, self.key.segment)
        parts = ((mine, sketch) for both in self._read.values() if (sketch := both[at]) is not None)
        return merge_slices(parts).get(mine)


class _Rows:
    """Panes, read once for all partitions."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._read: dict[tuple[int, int, str | None], Sequence[PaneRow]] = {}

    def _panes(self, start_ms: int, end_ms: int, segment: str | None) -> Sequence[PaneRow]:
        asked = start_ms, end_ms, segment
        if asked not in self._read:
            self._read[asked] = list(self._terms.panes(*asked))
        return self._read[asked]

    def partitions(self, start_ms: int, key: WindowKey) -> Sequence[Partition]:
        """Those that hold rows of a slice."""
        rows = self._panes(start_ms, key.end_ms, key.segment)
        found = {row.partition for row in rows if row.key.version == key.version}
        return sorted(one for one in found if one is not None)

    def of(self, partitions: Collection[Partition]) -> Terms:
        """The same terms, over the panes of some partitions."""
        return self._where(lambda row: row.partition in partitions)

    def others(self, partitions: Collection[Partition]) -> Terms:
        """The same terms, over all other panes."""
        return self._where(lambda row: row.partition not in partitions)

    def _where(self, wanted: Callable[[PaneRow], bool]) -> Terms:
        def panes(start_ms: int, end_ms: int, segment: str | None = None, /) -> Iterable[PaneRow]:
            return filter(wanted, self._panes(start_ms, end_ms, segment))

        return replace(self._terms, panes=panes)


def _two(now: PaneSketch, usual: PaneSketch | None) -> _Two:
    return _Two(view_of(now), None if usual is None else view_of(usual))


def _of(parts: Mapping[K, _Two], column: Column) -> Mapping[K, Part]:
    return {name: two.of(column) for name, two in parts.items() if column in two.now.columns}
