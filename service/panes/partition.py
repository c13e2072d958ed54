"""The open panes of one partition: rows in, a checkpoint out.

Everything here is a function of the partition's log prefix and the configuration: not of batch sizes, clocks or
other partitions. That is what lets a restart, a second worker or a replay come to the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.messages import Batch, Column, Counts, FilterKey, IdRows, PaneKey, PaneRow, Role, TextColumn
from service.names import clean_name
from service.panes.admission import NEVER_MS, Admitted, Rows, admit
from service.panes.identity import HashArray, IdFilter
from service.sketches.codec import pane_to_bytes
from service.sketches.pane import PaneSketch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from service.configuration import ModelVersion

MOST_SEGMENTS = 100
OTHER_SEGMENT = "__other__"
MISSING_SEGMENT = "(missing)"

IntArray = NDArray[np.int64]


class DecodedBatch(NamedTuple):
    """A batch with the configuration it was decoded for."""

    batch: Batch
    version: ModelVersion


@dataclass(slots=True)
class _Pane:
    sketch: PaneSketch
    end_ms: int
    expires_ms: int
    dirty: bool = True


@dataclass(frozen=True, slots=True)
class Absorbed:
    """What became of some decoded rows; `future` are the offsets to quarantine."""

    counts: Counts
    future: Sequence[int] = ()


@dataclass
class PartitionPanes:
    """The state of one partition between checkpoints."""

    highest_ms: int = NEVER_MS
    panes: dict[PaneKey, _Pane] = field(default_factory=dict)
    filters: dict[FilterKey, IdFilter] = field(default_factory=dict)
    segments: dict[tuple[str, int, str], set[str]] = field(default_factory=dict)
    _jumps: int = 0

    def restore(self, panes: Iterable[tuple[PaneKey, PaneSketch, ModelVersion]], ids: Mapping[FilterKey, list[HashArray]]) -> None:
        """Take over what the last checkpoint left open."""
        for key, sketch, version in panes:
            end = key.start_ms + version.monitor.pane_ms
            self.panes[key] = _Pane(sketch, end, end + _patience(version), dirty=False)
            name, _, value = key.segment.partition("=")
            if name:
                self.segments.setdefault((key.model, key.start_ms, name), set()).add(value)
        for filter_key, hashes in ids.items():
            self.filters[filter_key] = IdFilter(hashes)

    def absorb(self, decoded: Sequence[DecodedBatch], *, untimed: bool) -> Absorbed:
        """Count the rows of some batches that follow each other in the log."""
        if not decoded:
            return Absorbed(Counts())
        offsets = np.concatenate([d.batch.offsets for d in decoded])
        starts = [_pane_starts(d) for d in decoded]
        order = np.argsort(offsets, kind="stable") if len(decoded) > 1 else np.arange(len(offsets))
        rows = self._rows(decoded, starts, order)
        decided = admit(rows, self.highest_ms, self._jumps, untimed=untimed)
        self.highest_ms, self._jumps = decided.highest_ms, decided.jumps
        accepted = np.empty(len(offsets), np.bool_)
        accepted[order] = decided.accepted
        at = 0
        for one, start in zip(decoded, starts, strict=True):
            self._count(one, start, accepted[at : at + len(one.batch)])
            at += len(one.batch)
        return _outcome(decided, offsets[order])

    def _rows(self, decoded: Sequence[DecodedBatch], starts: Sequence[IntArray], order: IntArray) -> Rows:
        def spread(values: Iterable[int]) -> IntArray:
            return np.repeat(np.fromiter(values, np.int64), lengths)[order]

        lengths = [len(d.batch) for d in decoded]
        monitors = [d.version.monitor for d in decoded]
        ts_ms = np.concatenate([d.batch.ts_ms for d in decoded])[order]
        ends = np.concatenate([s + m.pane_ms for s, m in zip(starts, monitors, strict=True)])[order]
        repeated = self._repeated(decoded, starts, order)
        return Rows(ts_ms, ends, spread(m.disorder_ms for m in monitors), spread(m.allowed_lateness_ms for m in monitors), repeated)

    def _repeated(self, decoded: Sequence[DecodedBatch], starts: Sequence[IntArray], order: IntArray) -> NDArray[np.bool_]:
        """Rows whose id an earlier row of the same pane has, whichever batch that row is in."""
        ids = np.concatenate([d.batch.ids for d in decoded])
        start = np.concatenate(starts)
        owner = np.repeat(np.arange(len(decoded)), [len(d.batch) for d in decoded])
        names = [(d.batch.model, d.batch.stream) for d in decoded]
        repeated = np.zeros(len(ids), np.bool_)
        for name in set(names):
            of_name = np.isin(owner, [i for i, n in enumerate(names) if n == name])[order]
            for pane in np.unique(start[order][of_name]).tolist():
                at = order[of_name & (start[order] == pane)]
                repeated[at] = self._filter(FilterKey(*name, pane)).repeated(ids[at])
        return repeated[order]

    def _filter(self, key: FilterKey) -> IdFilter:
        return self.filters.setdefault(key, IdFilter())

    def _count(self, one: DecodedBatch, starts: IntArray, accepted: NDArray[np.bool_]) -> None:
        batch = one.batch
        for start in np.unique(starts[accepted]).tolist():
            mask = accepted & (starts == start)
            rows = np.flatnonzero(mask)
            everything = len(rows) == len(batch)
            self._filter(FilterKey(batch.model, batch.stream, start)).add(batch.ids if everything else batch.ids[rows])
            for version, at in _groups(batch.versions, rows):
                self._add(one, PaneKey(batch.model, version, "", start), slice(None) if len(at) == len(batch) else at)
                for name, column in batch.segments.items():
                    for segment, of_segment in self._segments(one, name, column, start, at):
                        self._add(one, PaneKey(batch.model, version, segment, start), of_segment)

    def _segments(
        self, one: DecodedBatch, name: str, column: TextColumn, start: int, rows: NDArray[np.intp]
    ) -> Iterable[tuple[str, NDArray[np.intp]]]:
        known = self.segments.setdefault((one.batch.model, start, name), set())
        grid = one.version.grid
        at = grid.text_at.get(Column(Role.FEATURE, name))
        listed = grid.texts[at].index if at is not None and len(grid.texts[at].categories) <= MOST_SEGMENTS else None
        found: dict[str, list[NDArray[np.intp]]] = {}
        for raw, of_value in _groups(column, rows):
            value = clean_name(raw) or MISSING_SEGMENT
            if listed is not None:
                name_of = value if value in listed or value == MISSING_SEGMENT else OTHER_SEGMENT
            else:
                name_of = value if value in known or len(known) < MOST_SEGMENTS else OTHER_SEGMENT
            known.add(name_of)
            found.setdefault(name_of, []).append(of_value)
        return [(f"{name}={value}", np.sort(np.concatenate(parts))) for value, parts in found.items()]

    def _add(self, one: DecodedBatch, key: PaneKey, rows: NDArray[np.intp] | slice) -> None:
        pane = self.panes.get(key)
        if pane is None:
            end = key.start_ms + one.version.monitor.pane_ms
            pane = self.panes[key] = _Pane(PaneSketch(one.version.grid), end, end + _patience(one.version))
        pane.sketch.add(one.batch, rows)
        pane.dirty = True

    def oldest_open_ms(self) -> int | None:
        """The start of the oldest pane that a late row may still reach; None when there is none."""
        return min((key.start_ms for key in self.panes), default=None)

    # Checkpoints

    def changed(self) -> list[PaneRow]:
        """The cumulative sketches that changed since `committed` was called."""
        return [_row(key, pane) for key, pane in self.panes.items() if pane.dirty]

    def fresh_ids(self) -> list[IdRows]:
        """The ids that were counted since `committed` was called."""
        return [IdRows(key, np.concatenate(f.fresh)) for key, f in self.filters.items() if f.fresh]

    def committed(self) -> None:
        """All of it is stored: forget what no row can reach any more."""
        for pane in self.panes.values():
            pane.dirty = False
        for ids in self.filters.values():
            ids.fresh.clear()
        self.panes = {key: pane for key, pane in self.panes.items() if pane.expires_ms > self.highest_ms}
        alive = {(key.model, key.start_ms) for key in self.panes}
        self.filters = {key: ids for key, ids in self.filters.items() if (key.model, key.start_ms) in alive}
        self.segments = {key: seen for key, seen in self.segments.items() if (key[0], key[1]) in alive}


def _patience(version: ModelVersion) -> int:
    return version.monitor.allowed_lateness_ms + version.monitor.disorder_ms


def _pane_starts(decoded: DecodedBatch) -> IntArray:
    ts_ms, pane_ms = decoded.batch.ts_ms, decoded.version.monitor.pane_ms
    return ts_ms - ts_ms % pane_ms


def _groups(column: TextColumn, rows: NDArray[np.intp]) -> list[tuple[str, NDArray[np.intp]]]:
    """The rows of each value; missing values of any kind share one."""
    if len(column.values) == 1:
        return [(_named(column.values[0]), rows)]
    codes = column.codes[rows]
    return [(_named(column.values[code]), rows[codes == code]) for code in np.unique(codes).tolist()]


def _named(value: str | int) -> str:
    return value if isinstance(value, str) else MISSING_SEGMENT


def _row(key: PaneKey, pane: _Pane) -> PaneRow:
    sketch = pane.sketch
    return PaneRow(key, pane.end_ms, sketch.grid.id, sketch.inferences, sketch.labels, sketch.last_ms, pane_to_bytes(sketch))


def _outcome(decided: Admitted, offsets: IntArray) -> Absorbed:
    late, duplicate, future = (int(mask.sum()) for mask in (decided.late, decided.duplicate, decided.future))
    counts = Counts(len(offsets) - late - duplicate - future, duplicate, late, future)
    return Absorbed(counts, offsets[decided.future].tolist())
