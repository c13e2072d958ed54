"""Which windows of a model are to be estimated: evaluated ones without an estimate, or with an outdated one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import delete, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert

from service.messages import WindowKey
from service.performance.estimating import ESTIMATED
from service.store.tables import performance, performance_course

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

_ALWAYS_MS = -(2**62)

# A window is estimated anew when its rows were written after its estimate.
_DUE = text("""
    WITH due AS (
        SELECT w."window", w.start_ms, w.end_ms
        FROM window_result w
        WHERE w.model = :model AND w.segment = '' AND w.end_ms > :since_ms AND w.end_ms <= :position_ms
            AND w.inferences > 0 AND w.computed_at > coalesce((
                SELECT max(p.computed_at) FROM performance p
                WHERE p.model = w.model AND p.version = w.version AND p.segment = '' AND p."window" = w."window"
                    AND p.end_ms = w.end_ms AND p.basis = 'estimated'
            ), '-infinity')
        GROUP BY w."window", w.start_ms, w.end_ms
        ORDER BY w.end_ms, w."window"
        LIMIT :most
    )
    SELECT r.version, r."window", r.start_ms, r.end_ms, r.inferences
    FROM due JOIN window_result r USING ("window", start_ms, end_ms)
    WHERE r.model = :model AND r.segment = '' AND r.inferences > 0
    ORDER BY r.end_ms, r."window", r.version
""")


class DueWindow(NamedTuple):
    """A window that is to be estimated, and the rows of each of its versions."""

    key: WindowKey
    rows: dict[str, int]


def estimated_until(connection: Connection, model: str) -> int:
    """Up to which end of a window nothing is left to be estimated but what late rows change."""
    query = select(performance_course.c.estimated_ms).where(performance_course.c.model == model)
    found = connection.execute(query).scalar()
    return _ALWAYS_MS if found is None else int(found)


def have_estimated(connection: Connection, model: str, until_ms: int) -> None:
    """All windows that end by then are estimated."""
    statement = upsert(performance_course).values(model=model, estimated_ms=until_ms)
    furthest = func.greatest(performance_course.c.estimated_ms, statement.excluded["estimated_ms"])
    connection.execute(
        statement.on_conflict_do_update(index_elements=["model"], set_={"estimated_ms": furthest})
    )


def windows_to_estimate(
    connection: Connection, model: str, since_ms: int, position_ms: int, most: int
) -> Sequence[DueWindow]:
    """The first so many that end after `since_ms`, by `position_ms`; `key` names no version and no segment."""
    values = {"model": model, "since_ms": since_ms, "position_ms": position_ms, "most": most}
    found: dict[WindowKey, dict[str, int]] = {}
    for row in connection.execute(_DUE, values):
        key = WindowKey(model, "", "", row.window, row.start_ms, row.end_ms)
        found.setdefault(key, {})[row.version] = row.inferences
    return [DueWindow(key, rows) for key, rows in found.items()]


def forget_estimates(connection: Connection, model: str, windows: Sequence[DueWindow]) -> None:
    """What was told of these windows before: another estimate may tell less."""
    if not windows:
        return
    c = performance.c
    keys = [(one.key.window, one.key.end_ms) for one in windows]
    mine = (c.model == model, c.basis == ESTIMATED, c.end_ms.in_([end for _, end in keys]))
    connection.execute(delete(performance).where(*mine, tuple_(c.window, c.end_ms).in_(keys)))
