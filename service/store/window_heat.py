"""What heat maps and charts read: windows of one kind and segment, with the ratios or the scores of their columns."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import select, text

from service.store.tables import model_version, score_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sqlalchemy import Connection

    from service.store.window_scores import Named

MOST_SLICE_WINDOWS = 20_000
"""So many rows of window scores one answer may read: each is a kilobyte or so."""

_ARRAY_HEADER = 20
_ELEMENT = np.dtype([("size", ">i4"), ("value", ">f4")])


class TooManyWindowsError(ValueError):
    """More windows than one answer may read; the message says what to do."""


@dataclass(frozen=True, slots=True)
class WindowSpan:
    """Windows of one kind and segment that end in (since_ms, until_ms]; of all versions, or of one."""

    model: str
    window: str
    segment: str
    version: str | None
    since_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class SliceWindow:
    """One window of one version, or what is said of all of them together; which columns, and how they stood.

    `ratios` are by the limit; NaN where there is no score.
    """

    version: str
    start_ms: int
    end_ms: int
    inferences: int
    labels: int
    revision: int
    incomplete: bool
    columns_id: bytes
    ratios: NDArray[np.float32]


# In the binary form numbers have a fixed size, and are not read one by one.
_WINDOWS = text(f"""
    SELECT version, start_ms, end_ms, inferences, labels, revision, incomplete, columns_id,
        array_send(array_replace(ratios, NULL, 'NaN')) AS ratios
    FROM window_score
    WHERE model = :model AND "window" = :window AND segment = :segment
        AND end_ms > :since_ms AND end_ms <= :until_ms
        AND (CAST(:version AS text) IS NULL OR version = :version)
    ORDER BY end_ms, version LIMIT {MOST_SLICE_WINDOWS + 1}
""")  # noqa: S608 - only a constant


def slice_windows(connection: Connection, span: WindowSpan) -> Sequence[SliceWindow]:
    """By their ends. Raises TooManyWindowsError."""
    found = connection.execute(_WINDOWS, asdict(span)).all()
    if len(found) > MOST_SLICE_WINDOWS:
        raise TooManyWindowsError(
            f"there are more than {MOST_SLICE_WINDOWS:,} windows of {span.window} in this time; "
            "ask for a shorter time, or for a longer kind of window"
        )
    return [_slice_window(*row) for row in found]


def _slice_window(*row: Any) -> SliceWindow:
    version, start_ms, end_ms, inferences, labels, revision, incomplete, columns_id, ratios = row
    return SliceWindow(
        version,
        start_ms,
        end_ms,
        inferences,
        labels,
        revision,
        incomplete,
        bytes(columns_id),
        _numbers(bytes(ratios)),
    )


def _numbers(sent: bytes) -> NDArray[np.float32]:
    """The numbers of an array in PostgreSQL's binary form: a header, then each with its size before it."""
    if len(sent) <= _ARRAY_HEADER:
        return np.empty(0, np.float32)
    return np.frombuffer(sent, _ELEMENT, offset=_ARRAY_HEADER)["value"].astype(np.float32)


def columns_named(
    connection: Connection, model: str, ids: Sequence[bytes]
) -> Mapping[bytes, Sequence[Named]]:
    """The columns that these ids stand for."""
    c = score_columns.c
    query = select(c.id, c.roles, c.names).where(c.model == model, c.id.in_(ids))
    return {bytes(row.id): list(zip(row.roles, row.names, strict=True)) for row in connection.execute(query)}


# ---------------------------------------------------------------- what windows were compared with
@dataclass(frozen=True, slots=True)
class References:
    """The references of a model by the time from which each was in force."""

    since_ms: tuple[int, ...]
    names: tuple[str | None, ...]

    def at(self, start_ms: int) -> str | None:
        """What a window that started then was compared with; None: without a reference, or before the first monitor."""
        place = bisect_right(self.since_ms, start_ms)
        return self.names[place - 1] if place else None


def references_of(connection: Connection, model: str) -> References:
    """What the windows of the model were, and are, compared with."""
    c = model_version.c
    query = select(c.since_ms, c.reference_name).where(c.model == model).order_by(c.number.desc())
    since: list[int] = []
    names: list[str | None] = []
    # The latest version that is in force counts: one that begins before an earlier one hides it.
    for row in connection.execute(query):
        if not since or row.since_ms < since[-1]:
            since.append(row.since_ms)
            names.append(row.reference_name)
    return References(tuple(reversed(since)), tuple(reversed(names)))


# ---------------------------------------------------------------- one column
@dataclass(frozen=True, slots=True)
class ColumnScore:
    """What one method said of one column in one window of one version."""

    version: str
    start_ms: int
    end_ms: int
    incomplete: bool
    method: str
    value: float | None
    limit: float | None
    p_value: float | None
    n: int
    m: int
    verdict: str


# A step for each window: the columns of all windows of the time are hundreds of times as many.
_SCORES = text("""
    SELECT s.version, s.start_ms, s.end_ms, s.incomplete, f.method, f.value, f."limit", f.p_value, f.n, f.m, f.verdict
    FROM (
        SELECT * FROM window_score
        WHERE model = :model AND "window" = :window AND segment = :segment
            AND end_ms > :since_ms AND end_ms <= :until_ms
            AND (CAST(:version AS text) IS NULL OR version = :version)
        ORDER BY end_ms DESC, version LIMIT :most
    ) s
    LEFT JOIN LATERAL (
        SELECT * FROM finding f
        WHERE f.model = s.model AND f.version = s.version AND f.segment = s.segment AND f."window" = s."window"
            AND f.end_ms = s.end_ms AND f.role = :role AND f.feature = :name
        OFFSET 0
    ) f ON true
    ORDER BY s.end_ms, s.version, f.method
""")


def column_scores(
    connection: Connection, span: WindowSpan, column: Named, most: int
) -> tuple[Sequence[ColumnScore], Sequence[tuple[str, int, int, bool]]]:
    """All scores of a column in the newest windows, and these windows: version, start, end, and whether incomplete."""
    role, name = column
    values = asdict(span) | {"role": role, "name": name, "most": most}
    scores: list[ColumnScore] = []
    windows: dict[tuple[str, int, int, bool], None] = {}
    for row in connection.execute(_SCORES, values):
        windows.setdefault((row.version, row.start_ms, row.end_ms, row.incomplete))
        if row.method is not None:
            scores.append(_finite(ColumnScore(*row)))
    return scores, list(windows)


def _finite(score: ColumnScore) -> ColumnScore:
    """JSON holds no other number."""
    numbers = {"value": score.value, "limit": score.limit, "p_value": score.p_value}
    finite = {name: one if one is None or isfinite(one) else None for name, one in numbers.items()}
    return replace(score, value=finite["value"], limit=finite["limit"], p_value=finite["p_value"])
