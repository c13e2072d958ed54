"""Joins predictions with their labels, by inference id: in batches, each in one transaction, by sets and not by rows.

A collector leaves rows in `join_inbox` with its checkpoint; whoever holds the model's lease joins them:

    join_inbox -- predictions --> waiting_prediction --.
               '- labels ------- (newest of an id) ----+-- changes of outcomes
                                   no prediction yet? -'-- waiting_label

Each prediction counts once, with the newest label that came for it (of equally new ones, the last by name), whatever
the order in which they come: a label that is newer than the one counted takes its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from sqlalchemy import delete, func, insert, select, text, tuple_

from service.messages import JoinRows, Stream
from service.performance.changes import Changes
from service.performance.delays import BINS_AN_OCTAVE, MOST_DELAYS
from service.performance.slices import said, slices_of
from service.sketches.inbox_codec import rows_from_bytes
from service.store.copying import copy_in, read_columns
from service.store.tables import join_inbox, join_name

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sqlalchemy import Connection

    from service.store.join_share import Share

OTHER = "__other__"
MOST_NAMES = 10_000
"""Classes and lists of slices that come after the first so many of a model are `OTHER`."""
ROWS_AT_ONCE = 50_000
"""So many rows of the inbox are joined in one transaction, and what a single checkpoint left on top."""

_NEW_PREDICTION = """
CREATE TEMP TABLE new_prediction
    (id BIGINT, start_ms BIGINT, slices INTEGER, class INTEGER, score DOUBLE PRECISION, value DOUBLE PRECISION)
    ON COMMIT DROP"""
_NEW_LABEL = """
CREATE TEMP TABLE new_label
    (id BIGINT, label_ms BIGINT, label INTEGER, label_value DOUBLE PRECISION) ON COMMIT DROP"""
_EXPECT = """
INSERT INTO waiting_prediction (model, id, start_ms, slices, class, score, value)
SELECT :model, * FROM new_prediction ON CONFLICT DO NOTHING"""
_WAITED_FOR = """
WITH found AS (
    DELETE FROM waiting_label w USING new_prediction p WHERE w.model = :model AND w.id = p.id
    RETURNING w.id, w.label_ms, w.label, w.label_value)
INSERT INTO new_label SELECT * FROM found"""
_MATCH = """
CREATE TEMP TABLE matched ON COMMIT DROP AS
SELECT l.*, p.ctid AS place, p.start_ms, p.slices, p.class, p.score, p.value,
    p.label IS NOT NULL AS is_counted, coalesce(p.label, 0) AS label_before,
    coalesce(p.label_value, 'NaN') AS value_before,
    p.label_ms IS NULL OR (l.label_ms, l.label, l.label_value) > (p.label_ms, p.label, p.label_value) AS is_news
FROM (SELECT DISTINCT ON (id) * FROM new_label ORDER BY id, label_ms DESC, label DESC, label_value DESC) l
LEFT JOIN waiting_prediction p ON p.model = :model AND p.id = l.id"""
_MARK = """
UPDATE waiting_prediction p SET label_ms = m.label_ms, label = m.label, label_value = m.label_value
FROM matched m WHERE p.ctid = m.place AND m.is_news"""
_WAIT = """
INSERT INTO waiting_label (model, id, label_ms, label, label_value)
SELECT :model, id, label_ms, label, label_value FROM matched WHERE place IS NULL"""
_CHANGES = """
SELECT start_ms, slices, class, score, value, label, label_value, is_counted::int AS is_counted, label_before,
    value_before
FROM matched WHERE place IS NOT NULL AND is_news"""
_KINDS = {
    "start_ms": "i8", "slices": "i4", "class": "i4", "score": "f8", "value": "f8", "label": "i4",
    "label_value": "f8", "is_counted": "i4", "label_before": "i4", "value_before": "f8",
}  # fmt: skip
_DELAYS = f"""
INSERT INTO label_delay (model, bin, n)
SELECT :model, floor({BINS_AN_OCTAVE} / ln(2::float8)
    * ln(1 + greatest(label_ms - start_ms, 0)::float8 / 1000))::int AS bin, count(*)
FROM matched WHERE place IS NOT NULL AND NOT is_counted
GROUP BY bin
ON CONFLICT (model, bin) DO UPDATE SET n = label_delay.n + excluded.n"""  # noqa: S608 - only a constant
_FADE = f"""
UPDATE label_delay SET n = n / 2 WHERE model = :model
    AND (SELECT sum(n) FROM label_delay WHERE model = :model) > {MOST_DELAYS}"""  # noqa: S608 - only a constant
_TELL = """
INSERT INTO outcome_news (model, start_ms)
SELECT DISTINCT :model, start_ms FROM matched WHERE place IS NOT NULL AND is_news
ON CONFLICT (model, start_ms) DO UPDATE SET told_ms = NULL"""
_BY_INDEX = """
SELECT set_config(name, 'off', true) FROM unnest(
    ARRAY['enable_hashjoin', 'enable_mergejoin', 'enable_material', 'enable_bitmapscan', 'enable_memoize']) AS name"""
"""A batch looks its ids up; the planner, which knows nothing of new tables, would read all that waits, once an id."""


class Joined(NamedTuple):
    """How many rows of the inbox were taken, what has changed by them, and how many more wait."""

    rows: int
    changes: Changes | None
    waiting: int


def join_labels(connection: Connection, model: str, share: Share) -> Joined:
    """Join some of what the inbox holds, in this transaction."""
    taken = _take(connection, model)
    if not taken:
        return Joined(0, None, 0)
    numbers = _numbers(connection, model, taken)
    for statement in (_NEW_PREDICTION, _NEW_LABEL):
        connection.execute(text(statement))
    for table, stream, columns in (
        ("new_prediction", Stream.INFERENCE, _prediction),
        ("new_label", Stream.LABEL, _label),
    ):
        parts = [columns(rows, numbers, share.has(rows.ids)) for rows in taken if rows.stream is stream]
        if parts:
            copy_in(connection, table, _by_id(parts))
    done = {
        statement: connection.execute(text(statement), {"model": model}).rowcount
        for statement in (_BY_INDEX, _EXPECT, _WAITED_FOR, _MATCH, _MARK, _WAIT, _DELAYS, _FADE, _TELL)
    }
    changes = Changes(*read_columns(connection, _CHANGES, _KINDS))
    waiting = done[_EXPECT] + done[_WAIT] - done[_WAITED_FOR]
    return Joined(sum(map(len, taken)), changes if len(changes.start_ms) else None, waiting)


def names_of(connection: Connection, model: str) -> dict[int, str]:
    """Classes and lists of slices by the numbers that stand for them."""
    known = select(join_name.c.number, join_name.c.name).where(join_name.c.model == model)
    return {row.number: row.name for row in connection.execute(known)}


def _numbers(connection: Connection, model: str, taken: Sequence[JoinRows]) -> dict[str, int]:
    """What stands for names in rows; those that are new are written down."""
    numbers = {name: number for number, name in names_of(connection, model).items()}
    names = {OTHER, *(name for rows in taken for name in (*rows.classes, *map(said, rows.slices)))}
    following = max(numbers.values(), default=0) + 1
    unknown = sorted(names - numbers.keys(), key=lambda name: (name != OTHER, slices_of(name) is None, name))
    fresh = {name: following + i for i, name in enumerate(unknown[: max(0, MOST_NAMES - len(numbers))])}
    if fresh:
        rows = [{"model": model, "number": number, "name": name} for name, number in fresh.items()]
        connection.execute(insert(join_name), rows)
    return numbers | fresh


Columns = tuple["NDArray[np.generic]", ...]


def _prediction(rows: JoinRows, numbers: Mapping[str, int], chosen: NDArray[np.bool_]) -> Columns:
    other = numbers[OTHER]
    slices = np.array([numbers.get(said(one), other) for one in rows.slices], np.int32)[rows.slice_codes]
    columns = (
        rows.ids.view(np.int64),
        rows.times_ms,
        slices,
        _classes(rows, numbers),
        rows.scores,
        rows.values,
    )
    return tuple(column[chosen] for column in columns)


def _label(rows: JoinRows, numbers: Mapping[str, int], chosen: NDArray[np.bool_]) -> Columns:
    columns = (rows.ids.view(np.int64), rows.times_ms, _classes(rows, numbers), rows.values)
    return tuple(column[chosen] for column in columns)


def _classes(rows: JoinRows, numbers: Mapping[str, int]) -> NDArray[np.int32]:
    """0 is none, as the code -1 is."""
    other = numbers[OTHER]
    return np.array([*(numbers.get(name, other) for name in rows.classes), 0], np.int32)[rows.class_codes]


def _take(connection: Connection, model: str) -> list[JoinRows]:
    """Rows of the inbox, which are taken out of it."""
    c = join_inbox.c
    place = (c.topic, c.partition, c.next_offset, c.place)
    before = func.sum(c.rows).over(order_by=place) - c.rows
    some = select(*place, before.label("before")).where(c.model == model).subquery()
    wanted = select(*(some.c[column.name] for column in place)).where(some.c.before < ROWS_AT_ONCE)
    taken = delete(join_inbox).where(c.model == model, tuple_(*place).in_(wanted)).returning(c.columns)
    return [rows_from_bytes(bytes(row.columns)) for row in connection.execute(taken)]


def _by_id(parts: Sequence[Columns]) -> list[NDArray[np.generic]]:
    """Rows in the order in which the index holds them."""
    columns = [np.concatenate(some) for some in zip(*parts, strict=True)]
    order = np.argsort(columns[0], kind="stable")
    return [column[order] for column in columns]
