"""One column of stored panes: how many there are of a time, and the column in those that are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ARRAY, BigInteger, any_, func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from service.messages import Column, Role
from service.sketches.column_codec import ColumnReader
from service.store.profiles import grids_of_panes
from service.store.tables import pane

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import ColumnElement, Connection

    from service.sketches.pane import PaneSketch

IntArray = NDArray[np.int64]

_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class ColumnFilter:
    """A column of a slice of a model; of all versions together where `version` is empty."""

    model: str
    column: Column
    version: str = ""
    segment: str = ""


class PanesOfTime(NamedTuple):
    """By ascending starts: how many panes begin then, the rows that they count, and the bytes of all of them."""

    starts: IntArray
    panes: IntArray
    rows: IntArray
    sketch_bytes: int

    def within(self, start_ms: int, end_ms: int) -> tuple[int, int]:
        """Panes that begin in [start_ms, end_ms), and their rows."""
        mine = slice(*np.searchsorted(self.starts, [start_ms, end_ms]).tolist())
        return int(self.panes[mine].sum()), int(self.rows[mine].sum())


def panes_of_time(connection: Connection, wanted: ColumnFilter, from_ms: int, until_ms: int) -> PanesOfTime:
    """Those that begin in [from_ms, until_ms) and count rows of the column's stream; no sketch is read."""
    by_start = (
        select(
            pane.c.start_ms,
            func.count().label("panes"),
            func.sum(_rows_of(wanted)).label("rows"),
            func.sum(func.octet_length(pane.c.sketch)).label("bytes"),
        )
        .where(*_of(wanted), pane.c.start_ms >= from_ms, pane.c.start_ms < until_ms)
        .group_by(pane.c.start_ms)
        .subquery()
    )
    c = by_start.c
    lists = [_list(one, c.start_ms) for one in (c.start_ms, c.panes, c.rows)]
    found = connection.execute(select(*lists, func.sum(c.bytes))).one()
    starts, panes, rows = (np.array(one or (), np.int64) for one in found[:3])
    return PanesOfTime(starts, panes, rows, int(cast("int | None", found[3]) or 0))


def newest_pane_end_ms(connection: Connection, wanted: ColumnFilter) -> int | None:
    """Where the newest pane ends that counts rows of the column's stream; None when there is none."""
    c = pane.c
    query = select(c.end_ms).where(*_of(wanted)).order_by(c.start_ms.desc()).limit(1)
    return connection.execute(query).scalar()


def columns_at(
    connection: Connection, wanted: ColumnFilter, starts: IntArray
) -> Iterator[tuple[int, PaneSketch]]:
    """The starts of the panes that begin then, and sketches of this one column. Raises FormatError."""
    c = pane.c
    mine = (*_of(wanted), c.start_ms == any_(literal(starts.tolist(), ARRAY(BigInteger))))
    grid_of = grids_of_panes(connection, *mine)
    readers: dict[str, ColumnReader] = {}
    query = select(c.start_ms, c.grid_id, c.sketch).where(*mine).execution_options(yield_per=_AT_ONCE)
    with connection.execute(query) as rows:
        for row in rows:
            if row.grid_id not in readers:
                readers[row.grid_id] = ColumnReader(grid_of(row.grid_id), wanted.column)
            yield row.start_ms, readers[row.grid_id].read(bytes(row.sketch))


def _of(wanted: ColumnFilter) -> tuple[ColumnElement[bool], ...]:
    c = pane.c
    of_version = (c.version == wanted.version,) if wanted.version else ()
    return (c.model == wanted.model, c.segment == wanted.segment, _rows_of(wanted) > 0, *of_version)


def _rows_of(wanted: ColumnFilter) -> ColumnElement[int]:
    """Rows of labels, or of inferences."""
    return pane.c.labels if wanted.column.role is Role.LABEL else pane.c.inferences


def _list(values: ColumnElement[int], order: ColumnElement[int]) -> ColumnElement[Sequence[int]]:
    return func.array_agg(aggregate_order_by(values.cast(BigInteger), order))
