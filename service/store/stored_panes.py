"""A model's stored panes, for a back-test: how they were counted, and their rows by stretches of event time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from service.store.checkpoint import loss_of, pane_row
from service.store.partition_rows import has_position
from service.store.tables import evaluation, gap, pane, source_partition

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection

    from service.messages import Loss, PaneRow

_pane = pane.c
_LENGTH = _pane.end_ms - _pane.start_ms
_BEFORE_ALL_MS = -(2**62)


@dataclass(frozen=True, slots=True)
class Counted:
    """The panes of all traffic that were counted on one grid and are of one length."""

    grid_id: str
    length_ms: int
    first_ms: int
    end_ms: int
    panes: int


class StoredPanes:
    """One model's panes, read through a transaction that the caller keeps open."""

    def __init__(self, connection: Connection, model: str) -> None:
        self._connection = connection
        self._model = model

    def counted(self) -> Sequence[Counted]:
        """How they were counted, the oldest first; nothing when there are none."""
        found = select(
            _pane.grid_id, _LENGTH, func.min(_pane.start_ms), func.max(_pane.end_ms), func.count()
        ).where(*self._of_all())
        rows = self._connection.execute(found.group_by(_pane.grid_id, _LENGTH))
        return sorted(
            (Counted(*row) for row in rows), key=lambda one: (one.first_ms, one.end_ms, one.grid_id)
        )

    def first_inferences_ms(self) -> int | None:
        """Where the first pane begins that counts inferences; None when there is none."""
        return self._first(*self._of_all(), _pane.inferences > 0)

    def first_of_segment_ms(self, name: str) -> int | None:
        """Where the first pane begins that counts the slices of this feature or tag; None when none ever did."""
        return self._first(_pane.model == self._model, _is_of(name))

    def _of_all(self) -> tuple[ColumnElement[bool], ...]:
        return _pane.model == self._model, _pane.segment == ""

    def _first(self, *wanted: ColumnElement[bool]) -> int | None:
        query = select(_pane.start_ms).where(*wanted).order_by(_pane.start_ms).limit(1)
        return self._connection.execute(query).scalar()

    def totals(self, start_ms: int, end_ms: int) -> Mapping[int, int]:
        """Rows counted in the panes of all traffic that start in [start, end), by start, over all partitions."""
        rows = func.sum(_pane.inferences + _pane.labels)
        query = select(_pane.start_ms, rows).where(*self._of_all(), *_within(start_ms, end_ms))
        found = self._connection.execute(query.group_by(_pane.start_ms).order_by(_pane.start_ms))
        return {start: int(total) for start, total in found}

    def between(self, start_ms: int, end_ms: int, segments: Sequence[str]) -> Sequence[PaneRow]:
        """The panes that start in [start, end), oldest first: those of all traffic, and of these segments."""
        chosen = or_(_pane.segment == "", *map(_is_of, segments))
        order = (_pane.start_ms, _pane.topic, _pane.partition, _pane.version, _pane.segment)
        query = select(pane).where(_pane.model == self._model, chosen, *_within(start_ms, end_ms))
        return [pane_row(row) for row in self._connection.execute(query.order_by(*order)).mappings()]

    def losses(self) -> Sequence[Loss]:
        """What is missing of the partitions that these panes come from."""
        mine = select(_pane.model).where(
            _pane.topic == gap.c.topic, _pane.partition == gap.c.partition, _pane.model == self._model
        )
        query = select(gap).where(mine.exists()).order_by(gap.c.topic, gap.c.partition, gap.c.offset)
        return [loss_of(row) for row in self._connection.execute(query).mappings()]

    def reached_ms(self, disorder_ms: int) -> int:
        """Up to which event time all is there: where an evaluator stands, or every partition, whatever the clock."""
        mine = select(evaluation.c.position_ms).where(evaluation.c.model == self._model)
        position = self._connection.execute(mine).scalar()
        read = select(func.min(func.coalesce(source_partition.c.highest_ms, _BEFORE_ALL_MS)))
        lowest = self._connection.execute(
            read.where(source_partition.c.halted.is_(None), has_position)
        ).scalar()
        ends = [
            _BEFORE_ALL_MS if position is None else position,
            _BEFORE_ALL_MS if lowest is None else lowest - disorder_ms,
        ]
        return max(ends)


def _is_of(segment: str) -> ColumnElement[bool]:
    return _pane.segment.startswith(f"{segment}=", autoescape=True)


def _within(start_ms: int, end_ms: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return _pane.start_ms >= start_ms, _pane.start_ms < end_ms
