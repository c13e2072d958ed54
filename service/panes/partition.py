"""The open panes of one partition: rows in, a checkpoint out.

Everything here is a function of the partition's log prefix and the configuration: not of batch sizes, clocks
or other partitions. That is what lets a restart, a second worker or a replay come to the same bytes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.messages import (
    Batch,
    Candidate,
    Column,
    Counts,
    FilterKey,
    IdRows,
    JoinRows,
    PaneKey,
    PaneRow,
    Role,
    Stream,
    TextColumn,
)
from service.names import clean_name
from service.panes.admission import NEVER_MS, Admitted, BoolArray, IntArray, Rows, admit, far_ahead
from service.panes.candidates import Candidates
from service.panes.identity import HashArray, IdFilter
from service.panes.joinable import SliceNames, joined_labels, joined_predictions
from service.panes.open_panes import OpenPanes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from service.configuration import ModelVersion
    from service.sketches.pane import PaneSketch

MOST_SEGMENTS = 100
MOST_VERSIONS = 20
OTHER = "__other__"
"""Stands for the versions or the segments of a pane that came after the first so many."""
MISSING_SEGMENT = "(missing)"
_VERSION = ""
"""Stands for the model's version where segments have their names."""

Places = NDArray[np.intp]


class DecodedBatch(NamedTuple):
    """A batch with the configuration it was decoded for."""

    batch: Batch
    version: ModelVersion


class _Part(NamedTuple):
    """The accepted rows of one batch that fall into one pane."""

    one: DecodedBatch
    start_ms: int
    rows: Places


@dataclass(frozen=True, slots=True)
class Absorbed:
    """What became of some decoded rows; `future` are the offsets to quarantine.

    `first_ms` is the event time of the first row that was accepted.
    """

    counts: Counts
    future: Sequence[int] = ()
    first_ms: int | None = None


@dataclass
class PartitionPanes:
    """The state of one partition between checkpoints.

    `jumps` is how many rows right before now were quarantined for being too far ahead.
    `known` holds, for each model, pane and segment name, the values that have a slice of their own.
    `folded` counts the rows whose version or segment has none, since the last commit; `joinable` are the predictions
    and labels since then that are joined by their inference id; `asked` are those that a person may be asked to label.
    """

    highest_ms: int = NEVER_MS
    jumps: int = 0
    panes: OpenPanes = field(default_factory=OpenPanes)
    filters: dict[FilterKey, IdFilter] = field(default_factory=dict)
    known: dict[tuple[str, int, str], set[str]] = field(default_factory=dict)
    folded: Counter[str] = field(default_factory=Counter)
    joinable: list[JoinRows] = field(default_factory=list)
    asked: Candidates = field(default_factory=Candidates)

    def restore(
        self,
        panes: Iterable[tuple[PaneKey, PaneSketch, ModelVersion]],
        ids: Mapping[FilterKey, list[HashArray]],
    ) -> None:
        """Take over what the last checkpoint left open."""
        for key, sketch, version in panes:
            self.panes.put(key, sketch, version)
            self._know(key.model, key.start_ms, _VERSION, key.version)
            for name in version.monitor.segments:
                if key.segment.startswith(f"{name}="):
                    self._know(key.model, key.start_ms, name, key.segment.removeprefix(f"{name}="))
        for filter_key, hashes in ids.items():
            self.filters[filter_key] = IdFilter(hashes)

    def absorb(self, decoded: Sequence[DecodedBatch], *, untimed: bool) -> Absorbed:
        """Count the rows of some batches that follow each other in the log."""
        if not decoded:
            return Absorbed(Counts())
        offsets = np.concatenate([d.batch.offsets for d in decoded])
        starts = [_pane_starts(d) for d in decoded]
        order = np.argsort(offsets, kind="stable") if len(decoded) > 1 else np.arange(len(offsets))
        decided = self._decide(decoded, starts, order, untimed=untimed)
        accepted = np.empty(len(offsets), np.bool_)
        accepted[order] = decided.accepted
        parts = list(_parts(decoded, starts, accepted))
        self._meet(parts)
        for part in parts:
            self._count(part)
        self._keep_labels(decoded, order, decided.future)
        ts_ms = np.concatenate([d.batch.ts_ms for d in decoded])[order]
        return _outcome(decided, offsets[order], ts_ms)

    def _decide(
        self, decoded: Sequence[DecodedBatch], starts: Sequence[IntArray], order: Places, *, untimed: bool
    ) -> Admitted:
        def spread(values: Iterable[int]) -> IntArray:
            return np.repeat(np.fromiter(values, np.int64), lengths)[order]

        lengths = [len(d.batch) for d in decoded]
        monitors = [d.version.monitor for d in decoded]
        ts_ms = np.concatenate([d.batch.ts_ms for d in decoded])[order]
        ends = np.concatenate([s + m.pane_ms for s, m in zip(starts, monitors, strict=True)])[order]
        disorder, lateness = (
            spread(m.disorder_ms for m in monitors),
            spread(m.allowed_lateness_ms for m in monitors),
        )
        future, self.jumps = (
            far_ahead(ts_ms, self.highest_ms, self.jumps) if untimed else (np.zeros(len(order), np.bool_), 0)
        )
        repeated = self._repeated(decoded, starts, order, future)
        decided = admit(Rows(ts_ms, ends, disorder, lateness, future, repeated), self.highest_ms)
        self.highest_ms = decided.highest_ms
        return decided

    def _repeated(
        self, decoded: Sequence[DecodedBatch], starts: Sequence[IntArray], order: Places, future: BoolArray
    ) -> BoolArray:
        """Rows whose id an earlier row of the same pane has, whichever batch that row is in."""
        lengths = [len(d.batch) for d in decoded]
        names = [(d.batch.model, d.batch.stream) for d in decoded]
        distinct = sorted(set(names))
        ids = np.where(future, np.uint64(0), np.concatenate([d.batch.ids for d in decoded])[order])
        start = np.concatenate(starts)[order]
        name = np.repeat([distinct.index(n) for n in names], lengths)[order]
        repeated = np.zeros(len(ids), np.bool_)
        for at in _groups(start, name):
            model, stream = distinct[name[at[0]]]
            repeated[at] = self._filter(model, stream, int(start[at[0]])).repeated(ids[at])
        return repeated

    def _filter(self, model: str, stream: Stream, start_ms: int) -> IdFilter:
        return self.filters.setdefault(FilterKey(model, stream, start_ms), IdFilter())

    def _meet(self, parts: Sequence[_Part]) -> None:
        """Give new versions and segments slices of their own while there are few, first come first served."""
        new: list[tuple[int, tuple[str, int, str, str]]] = []
        for part in parts:
            batch = part.one.batch
            columns = {_VERSION: batch.versions} | {
                n: c for n, c in batch.segments.items() if _listed(part.one, n) is None
            }
            for name, column in columns.items():
                known = self.known.setdefault((batch.model, part.start_ms, name), set())
                if known.issuperset(_value(name, raw) for raw in column.values):
                    continue
                codes, first = np.unique(column.codes[part.rows], return_index=True)
                new += [
                    (
                        int(batch.offsets[part.rows[at]]),
                        (batch.model, part.start_ms, name, _value(name, column.values[code])),
                    )
                    for code, at in zip(codes.tolist(), first.tolist(), strict=True)
                ]
        for _, value in sorted(new):
            self._know(*value)

    def _know(self, model: str, start_ms: int, name: str, value: str) -> None:
        known = self.known.setdefault((model, start_ms, name), set())
        if value not in {OTHER, MISSING_SEGMENT} and len(known) < (
            MOST_VERSIONS if name == _VERSION else MOST_SEGMENTS
        ):
            known.add(value)

    def _count(self, part: _Part) -> None:
        one, start, rows = part
        batch = one.batch
        self._filter(batch.model, batch.stream, start).add(
            batch.ids if len(rows) == len(batch) else batch.ids[rows]
        )
        named = SliceNames(len(batch))
        for version, at in self._slices(part, _VERSION, batch.versions, rows):
            named.put(_VERSION, version, at)
            self._add(
                one, PaneKey(batch.model, version, "", start), slice(None) if len(at) == len(batch) else at
            )
            for name, column in batch.segments.items():
                for value, of_segment in self._slices(part, name, column, at):
                    segment = f"{name}={value}"
                    named.put(name, segment, of_segment)
                    self._add(one, PaneKey(batch.model, version, segment, start), of_segment)
        if batch.stream is Stream.INFERENCE:
            kept = joined_predictions(batch, one.version.grid, one.version.monitor, start, rows, named)
            self.joinable += [kept] if kept is not None else []
            self.asked.offer(batch, one.version.grid, start, rows)

    def _slices(
        self, part: _Part, name: str, column: TextColumn, rows: Places
    ) -> Iterable[tuple[str, Places]]:
        """The rows of each value that has a slice of its own, and of all others together."""
        listed = _listed(part.one, name)
        own = self.known[part.one.batch.model, part.start_ms, name] if listed is None else listed
        found: dict[str, list[Places]] = {}
        for at in _groups(column.codes[rows]):
            value = _value(name, column.values[column.codes[rows[at[0]]]])
            slice_of = value if value in own or value == MISSING_SEGMENT else OTHER
            if slice_of == OTHER:
                self.folded["segment" if name else "version"] += len(at)
            found.setdefault(slice_of, []).append(rows[at])
        return [
            (value, np.sort(np.concatenate(groups)) if len(groups) > 1 else groups[0])
            for value, groups in found.items()
        ]

    def _keep_labels(self, decoded: Sequence[DecodedBatch], order: Places, future: BoolArray) -> None:
        """Labels are joined whenever they come, and again when they repeat: the join is the same then."""
        ahead = np.empty(len(order), np.bool_)
        ahead[order] = future
        at = 0
        for one in decoded:
            rows = np.flatnonzero(~ahead[at : at + len(one.batch)])
            at += len(one.batch)
            if one.batch.stream is Stream.LABEL:
                kept = joined_labels(one.batch, one.version.grid, one.version.monitor, rows)
                self.joinable += [kept] if kept is not None else []

    def _add(self, one: DecodedBatch, key: PaneKey, rows: Places | slice) -> None:
        self.panes.sketch_of(key, one.version).add(one.batch, rows)
        self.panes.wrote(key)

    def oldest_open_ms(self) -> int | None:
        """The start of the oldest pane that a late row may still reach; None when there is none."""
        return min((key.start_ms for key in self.panes), default=None)

    # What a checkpoint holds

    def changed(self) -> list[PaneRow]:
        """The cumulative sketches that changed since `committed` was called."""
        return self.panes.changed()

    @property
    def changed_count(self) -> int:
        """How many these are."""
        return self.panes.dirty_count()

    def capped(self) -> dict[str, int]:
        """Cells and rows that were folded into `__other__` since `committed` was called, by what was too many."""
        return {what: n for what, n in {**self.panes.capped(), **self.folded}.items() if n}

    def candidates(self) -> list[Candidate]:
        """Those put aside since `committed` was called."""
        return self.asked.fresh()

    def fresh_ids(self) -> list[IdRows]:
        """The ids that were counted since `committed` was called."""
        return [IdRows(key, np.concatenate(f.fresh)) for key, f in self.filters.items() if f.fresh]

    def committed(self) -> None:
        """All of it is stored: forget what no row can reach any more."""
        self.panes.committed(self.highest_ms)
        self.folded.clear()
        self.joinable.clear()
        for ids in self.filters.values():
            ids.fresh.clear()
        alive = {(key.model, key.start_ms) for key in self.panes}
        self.asked.committed(alive)
        self.filters = {key: ids for key, ids in self.filters.items() if (key.model, key.start_ms) in alive}
        self.known = {key: values for key, values in self.known.items() if (key[0], key[1]) in alive}


def _pane_starts(decoded: DecodedBatch) -> IntArray:
    """The start of each row's pane; the first pane of a configuration starts no earlier than that does."""
    ts_ms, since_ms = decoded.batch.ts_ms, decoded.version.since_ms
    starts = ts_ms - ts_ms % decoded.version.monitor.pane_ms
    return np.where(ts_ms < since_ms, starts, np.maximum(starts, since_ms))


def _parts(
    decoded: Sequence[DecodedBatch], starts: Sequence[IntArray], accepted: BoolArray
) -> Iterable[_Part]:
    at = 0
    for one, start in zip(decoded, starts, strict=True):
        rows = np.flatnonzero(accepted[at : at + len(start)])
        at += len(start)
        for group in _groups(start[rows]):
            yield _Part(one, int(start[rows[group[0]]]), rows[group])


def _groups(*keys: IntArray | NDArray[np.int32]) -> Sequence[Places]:
    """The places of each combination of keys, each group in ascending order."""
    n = len(keys[0])
    if n == 0:
        return []
    if all((key == key[0]).all() for key in keys):
        return [np.arange(n)]
    order = np.lexsort(keys)
    changes = np.logical_or.reduce([np.diff(key[order]) != 0 for key in keys])
    return np.split(order, np.flatnonzero(changes) + 1)


def _listed(one: DecodedBatch, name: str) -> Mapping[str, int] | None:
    """The segments that the grid lists, if it does and they are few: no others have slices then."""
    grid = one.version.grid
    at = grid.text_at.get(Column(Role.FEATURE, name))
    return (
        grid.texts[at].index if at is not None and len(grid.texts[at].categories) <= MOST_SEGMENTS else None
    )


def _value(name: str, raw: str | int) -> str:
    """What a version or a segment's value is called; versions were cleaned when they were decoded."""
    if name == _VERSION:
        return str(raw)
    return (clean_name(raw) if isinstance(raw, str) else None) or MISSING_SEGMENT


def _outcome(decided: Admitted, offsets: IntArray, ts_ms: IntArray) -> Absorbed:
    late, duplicate, future = (int(mask.sum()) for mask in (decided.late, decided.duplicate, decided.future))
    accepted = len(offsets) - late - duplicate - future
    first = int(ts_ms[np.argmax(decided.accepted)]) if accepted else None
    return Absorbed(Counts(accepted, duplicate, late, future), offsets[decided.future].tolist(), first)
