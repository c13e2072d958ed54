"""What is drawn of one column of a model: its distribution beside another one, and its course over time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from sqlalchemy import func, select

from service.distributions.course import Course, Seen, course
from service.distributions.distribution import Distribution, Origin, Rows, distribution
from service.distributions.stretches import Stretch, chosen_panes, stretches_of
from service.messages import Role
from service.reference.one_column import reference_column
from service.reference.regrid import parts_of, regrid_sketch
from service.sketches.pane import PaneSketch
from service.store.column_panes import (
    ColumnFilter,
    PanesOfTime,
    columns_at,
    newest_pane_end_ms,
    panes_of_time,
)
from service.store.configuration import reference_bytes
from service.store.engine import transaction
from service.store.latest_version import reference_name_at
from service.store.tables import window_result

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ColumnElement, Connection, Engine

    from service.monitor import WindowSpec

MOST_PANES, MOST_BYTES = 480, 24_000_000
"""So many panes are read for one chart at most, and of wide models so few that they have no more bytes than that."""


class Time(NamedTuple):
    """[since_ms, until_ms) of event time."""

    since_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class Compared:
    """A column in windows of a kind; `time` is that of its last complete window where None, `against` the reference."""

    wanted: ColumnFilter
    spec: WindowSpec
    time: Time | None = None
    against: Time | None = None


def compare(engine: Engine, asked: Compared) -> tuple[Time, Distribution]:
    """What is compared, and the comparison. Raises FormatError for bytes that are not what was written."""
    with transaction(engine) as connection:
        time = asked.time or last_window(connection, asked.wanted, asked.spec)
        current = _rows_of_time(connection, asked, time)
        if asked.against is not None:
            against = _rows_of_time(connection, asked, asked.against)
        else:
            against = reference_of(connection, asked.wanted, time.since_ms)
    return time, distribution(asked.wanted.column, current, against)


def follow(
    engine: Engine, wanted: ColumnFilter, spec: WindowSpec, since_ms: int, until_ms: int, points: int
) -> Course:
    """The course of a column in the windows that end in (since_ms, until_ms]. Raises FormatError."""
    stretches = stretches_of(spec, since_ms, until_ms, points)
    if not stretches:
        return course(wanted.column, (), Rows(None, Origin(reason="no window ends in this time")))
    from_ms, end_ms = stretches[0].start_ms, stretches[-1].end_ms
    with transaction(engine) as connection:
        there = panes_of_time(connection, wanted, from_ms, end_ms)
        chosen = chosen_panes(there.starts, stretches, _most_starts(there))
        read = _merged(wanted, columns_at(connection, wanted, chosen), stretches)
        flagged = _incomplete_ends(connection, wanted, spec, from_ms, end_ms)
        level = reference_of(connection, wanted, end_ms - 1)
    seen = [
        Seen(one, *mine, *there.within(one.start_ms, one.end_ms), _is_flagged(one, flagged))
        for one, mine in zip(stretches, read, strict=True)
    ]
    return course(wanted.column, seen, level)


def last_window(connection: Connection, wanted: ColumnFilter, spec: WindowSpec) -> Time:
    """The newest window of this kind that was scored and has rows; where there is none, that of the newest pane."""
    c = window_result.c
    mine = (*_windows_of(wanted, spec), c.inferences + c.labels > 0)
    end_ms = connection.execute(select(func.max(c.end_ms)).where(*mine)).scalar()
    if end_ms is None:
        newest = newest_pane_end_ms(connection, wanted)
        end_ms = 0 if newest is None else -(-newest // spec.every_ms) * spec.every_ms
    return Time(end_ms - spec.length_ms, end_ms)


def reference_of(connection: Connection, wanted: ColumnFilter, ts_ms: int) -> Rows:
    """The column in the reference that was in force then, or why it is not there."""
    name = reference_name_at(connection, wanted.model, ts_ms)
    data = None if name is None else reference_bytes(connection, name)
    if data is None:
        return Rows(None, Origin(name, reason="the model has no reference yet"))
    found = reference_column(data, wanted.column, wanted.segment)
    origin = Origin(name, found.first_ms, found.last_ms)
    if found.sketch is None:
        return Rows(None, Origin(name, reason=f"the reference has no rows of {wanted.segment} of its own"))
    if wanted.column not in parts_of(found.sketch):
        return Rows(None, replace(origin, reason="the reference does not know this column"))
    return Rows(found.sketch, origin)


# ---------------------------------------------------------------- panes
def _most_starts(there: PanesOfTime) -> int:
    """How many times are looked into, if as many panes begin at each as in the mean, and are as large."""
    starts = max(1, len(there.starts))
    by_panes = MOST_PANES * starts // max(1, int(there.panes.sum()))
    return max(1, min(by_panes, MOST_BYTES * starts // max(1, there.sketch_bytes)))


def _rows_of_time(connection: Connection, asked: Compared, time: Time) -> Rows:
    wanted = asked.wanted
    there = panes_of_time(connection, wanted, *time)
    whole = (Stretch(*time, 1),)
    chosen = chosen_panes(there.starts, whole, _most_starts(there))
    sketch, panes, _ = _merged(wanted, columns_at(connection, wanted, chosen), whole)[0]
    flagged = _incomplete_ends(connection, wanted, asked.spec, *time)
    of_panes = int(there.panes.sum())
    reason = None if of_panes else "no row of this time is stored"
    return Rows(
        sketch, Origin(None, *time, panes, of_panes, incomplete=_is_flagged(whole[0], flagged), reason=reason)
    )


def _merged(
    wanted: ColumnFilter, columns: Iterable[tuple[int, PaneSketch]], stretches: Sequence[Stretch]
) -> list[tuple[PaneSketch | None, int, int]]:
    """Of each stretch one sketch, the panes that are in it, and their rows. Windows that slide share panes."""
    merged: list[tuple[PaneSketch | None, int, int]] = [(None, 0, 0)] * len(stretches)
    starts, ends = (np.array(one) for one in zip(*((s.start_ms, s.end_ms) for s in stretches), strict=True))
    for start_ms, sketch in columns:
        for place in np.flatnonzero((starts <= start_ms) & (start_ms < ends)).tolist():
            whole, panes, rows = merged[place]
            merged[place] = _added(whole, sketch), panes + 1, rows + _counted(sketch, wanted)
    return merged


def _counted(sketch: PaneSketch, wanted: ColumnFilter) -> int:
    return sketch.labels if wanted.column.role is Role.LABEL else sketch.inferences


def _added(whole: PaneSketch | None, sketch: PaneSketch) -> PaneSketch:
    """On the grid of the first one."""
    made = PaneSketch(sketch.grid) if whole is None else whole
    made.merge(regrid_sketch(sketch, made.grid))
    return made


# ---------------------------------------------------------------- windows
def _windows_of(wanted: ColumnFilter, spec: WindowSpec) -> tuple[ColumnElement[bool], ...]:
    c = window_result.c
    of_version = (c.version == wanted.version,) if wanted.version else ()
    return (c.model == wanted.model, c.segment == wanted.segment, c.window == spec.name, *of_version)


def _incomplete_ends(
    connection: Connection, wanted: ColumnFilter, spec: WindowSpec, from_ms: int, until_ms: int
) -> list[Time]:
    """The windows of the slice that miss records, among those that lie in a time."""
    c = window_result.c
    mine = (
        *_windows_of(wanted, spec),
        c.incomplete,
        c.end_ms > from_ms,
        c.end_ms < until_ms + spec.length_ms,
    )
    query = select(c.start_ms, c.end_ms).where(*mine).distinct()
    return [Time(*row) for row in connection.execute(query)]


def _is_flagged(one: Stretch, flagged: Sequence[Time]) -> bool:
    return any(each.since_ms < one.end_ms and each.until_ms > one.start_ms for each in flagged)
