"""Which windows of a model are to be estimated: evaluated ones without an estimate, or with an outdated one."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import delete, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert

from service.messages import WindowKey
from service.performance.estimating import ESTIMATED, NOTHING_EXPECTED, TOO_MANY_PANES
from service.store.checkpoint import pane_row
from service.store.tables import pane, performance, performance_course

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import ColumnElement, Connection

    from service.messages import PaneRow

MOST_SKETCHES = 1_000
"""Windows whose panes have more together are estimated one by one, and the lease is kept after so many."""
MOST_OF_A_WINDOW = 10_000
"""Of a window whose panes have more sketches only all traffic is estimated; nothing, if that has more, too."""
_AT_ONCE = 100

# A window is estimated anew when its rows were written after its estimate. That nothing could be expected by its
# reference is no estimate of a window that ended since that reference is in force: something can be by now.
_DUE = text("""
    WITH due AS (
        SELECT w."window", w.start_ms, w.end_ms
        FROM window_result w
        WHERE w.model = :model AND w.segment = '' AND w.end_ms > :since_ms AND w.end_ms <= :position_ms
            AND w.inferences > 0 AND w.computed_at > coalesce((
                SELECT max(p.computed_at) FROM performance p
                WHERE p.model = w.model AND p.version = w.version AND p.segment = '' AND p."window" = w."window"
                    AND p.end_ms = w.end_ms AND p.basis = 'estimated'
                    AND NOT (p.end_ms > :changed_ms AND coalesce(p.reason, '') = ANY(:nothing))
            ), '-infinity')
        GROUP BY w."window", w.start_ms, w.end_ms
        ORDER BY w.end_ms DESC, w."window"
        LIMIT :most
    )
    SELECT r.version, r."window", r.start_ms, r.end_ms, r.inferences
    FROM due JOIN window_result r USING ("window", start_ms, end_ms)
    WHERE r.model = :model AND r.segment = '' AND r.inferences > 0
    ORDER BY r.end_ms DESC, r."window", r.version
""")
_NEWEST = text("""
    SELECT DISTINCT ON ("window", version) version, "window", start_ms, end_ms, inferences
    FROM window_result
    WHERE model = :model AND segment = '' AND end_ms > :since_ms AND end_ms <= :position_ms AND inferences > 0
    ORDER BY "window", version, end_ms DESC
""")


class Due(NamedTuple):
    """Windows that end in (since_ms, position_ms]; `changed_ms`: since when their configuration is in force."""

    since_ms: int
    position_ms: int
    changed_ms: int


class DueWindow(NamedTuple):
    """A window that is to be estimated, and the rows of each of its versions."""

    key: WindowKey
    rows: dict[str, int]


class Readable(NamedTuple):
    """A window to read the panes of, those of its segments or of all traffic alone; or why they are not read."""

    window: DueWindow
    sketches: int
    segments: bool = True
    why_not: str | None = None


def estimated_until(connection: Connection, model: str) -> int | None:
    """Up to which end of a window nothing is left to be estimated but what late rows change; None at first."""
    query = select(performance_course.c.estimated_ms).where(performance_course.c.model == model)
    found = connection.execute(query).scalar()
    return None if found is None else int(found)


def have_estimated(connection: Connection, model: str, until_ms: int) -> None:
    """All windows that end by then are estimated."""
    statement = upsert(performance_course).values(model=model, estimated_ms=until_ms)
    furthest = func.greatest(performance_course.c.estimated_ms, statement.excluded["estimated_ms"])
    connection.execute(
        statement.on_conflict_do_update(index_elements=["model"], set_={"estimated_ms": furthest})
    )


def windows_to_estimate(connection: Connection, model: str, due: Due, most: int) -> Sequence[DueWindow]:
    """The newest so many, the newest first; `key` names no version and no segment."""
    values = {"model": model, **due._asdict(), "nothing": list(NOTHING_EXPECTED), "most": most}
    found: dict[WindowKey, dict[str, int]] = {}
    for row in connection.execute(_DUE, values):
        key = WindowKey(model, "", "", row.window, row.start_ms, row.end_ms)
        found.setdefault(key, {})[row.version] = row.inferences
    return [DueWindow(key, rows) for key, rows in found.items()]


def newest_windows(
    connection: Connection, model: str, since_ms: int, position_ms: int
) -> Sequence[tuple[WindowKey, int]]:
    """Of each version and kind of window the last that ended in that time, and its rows."""
    rows = connection.execute(_NEWEST, {"model": model, "since_ms": since_ms, "position_ms": position_ms})
    return [
        (WindowKey(model, row.version, "", row.window, row.start_ms, row.end_ms), row.inferences)
        for row in rows
    ]


def forget_estimates(connection: Connection, model: str, windows: Sequence[DueWindow]) -> None:
    """What was told of these windows before: another estimate may tell less."""
    if not windows:
        return
    c = performance.c
    keys = [(one.key.window, one.key.end_ms) for one in windows]
    mine = (c.model == model, c.basis == ESTIMATED, c.end_ms.in_([end for _, end in keys]))
    connection.execute(delete(performance).where(*mine, tuple_(c.window, c.end_ms).in_(keys)))


def forget_reason(connection: Connection, newer: Sequence[WindowKey], since_ms: int, reason: str) -> None:
    """That nothing was estimated for this reason of windows that these follow, if they ended since then."""
    if not newer:
        return
    c = performance.c
    mine = (c.model == newer[0].model, c.basis == ESTIMATED, c.segment == "", c.end_ms > since_ms)
    kinds = tuple_(c.version, c.window).in_([(key.version, key.window) for key in newer])
    connection.execute(delete(performance).where(*mine, c.reason == reason, kinds))


def affordable(connection: Connection, windows: Sequence[DueWindow]) -> list[Readable]:
    """The first windows whose panes can be read together, and one at least."""
    taken = list[Readable]()
    for window in windows:
        one = _readable(connection, window)
        if taken and one.sketches + sum(before.sketches for before in taken) > MOST_SKETCHES:
            break
        taken.append(one)
    return taken


def _readable(connection: Connection, window: DueWindow) -> Readable:
    of_all_traffic = func.count().filter(pane.c.segment == "")
    query = select(func.count(), of_all_traffic).where(*_in(window.key))
    every, without_segments = connection.execute(query).one()
    if every <= MOST_OF_A_WINDOW:
        return Readable(window, every)
    if without_segments <= MOST_OF_A_WINDOW:
        return Readable(window, without_segments, segments=False)
    return Readable(window, 0, why_not=TOO_MANY_PANES)


@contextmanager
def panes_of(connection: Connection, window: WindowKey, *, segments: bool) -> Iterator[Iterator[PaneRow]]:
    """A window's panes, oldest first, a few at a time; those of its segments, too, or of all traffic alone."""
    wanted = _in(window) if segments else (*_in(window), pane.c.segment == "")
    order = (pane.c.start_ms, pane.c.topic, pane.c.partition, pane.c.version, pane.c.segment)
    query = select(pane).where(*wanted).order_by(*order).execution_options(yield_per=_AT_ONCE)
    with connection.execute(query) as rows:
        yield (pane_row(row) for row in rows.mappings())


def _in(window: WindowKey) -> tuple[ColumnElement[bool], ...]:
    c = pane.c
    return c.model == window.model, c.start_ms >= window.start_ms, c.start_ms < window.end_ms
