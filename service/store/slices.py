"""The slices of a model side by side: how much traffic each version and segment has, and how it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, select

from service.store.tables import window_score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from service.store.window_heat import WindowSpan


class SliceTotal(NamedTuple):
    """One version and segment over some windows; `rang` of them were over their limits, `worst` by their limits."""

    version: str
    segment: str
    windows: int
    inferences: int
    labels: int
    rang: int
    worst: float | None
    incomplete: int
    first_start_ms: int
    last_end_ms: int


def slice_totals(connection: Connection, span: WindowSpan) -> Sequence[SliceTotal]:
    """Of every version and segment that had a window of this kind in this time, the whole model first."""
    c = window_score.c
    rows = (
        select(
            c.version, c.segment, func.count(), func.sum(c.inferences), func.sum(c.labels),
            func.count().filter(c.worst > 1), func.max(c.worst), func.count().filter(c.incomplete),
            func.min(c.start_ms), func.max(c.end_ms),
        )
        .where(c.model == span.model, c.window == span.window)
        .where(c.end_ms > span.since_ms, c.end_ms <= span.until_ms)
        .group_by(c.version, c.segment)
        .order_by(c.segment, c.version)
    )  # fmt: skip
    return [
        SliceTotal(v, s, n, int(inferences), int(labels), rang, worst, lost, start, end)
        for v, s, n, inferences, labels, rang, worst, lost, start, end in connection.execute(rows)
        if inferences
    ]
