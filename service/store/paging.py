"""Keyset paging: a page of rows in a stable order, and the key after which the next page goes on.

A key names a row, not a position: rows that come or go meanwhile neither repeat nor hide the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Generic, TypeVar

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    Table,
    Text,
    literal,
    tuple_,
)

T = TypeVar("T")
Key = tuple[int | str, ...]

_BIGGEST = 2**63 - 1


class BadCursorError(ValueError):
    """The cursor does not come from this listing."""


@dataclass(frozen=True, slots=True)
class Paging:
    """How many rows, and after which key."""

    limit: int = 100
    after: Key | None = None


@dataclass(frozen=True, slots=True)
class Chunk(Generic[T]):
    """The rows, and the key to go on from; None when these are the last ones."""

    rows: tuple[T, ...]
    next: Key | None = None


def columns_of(table: Table, row_class: type[Any]) -> list[Column[Any]]:
    """The table's columns that a dataclass of the same names holds."""
    return [table.c[one.name] for one in fields(row_class)]


@dataclass(frozen=True)
class Order:
    """Unique columns, all upwards or all downwards."""

    columns: tuple[ColumnElement[Any], ...]
    downwards: bool = True

    def read(
        self, connection: Connection, rows: Select[Any], paging: Paging, make: Callable[[RowMapping], T]
    ) -> Chunk[T]:
        """One page of the selected rows, which must hold the order's columns."""
        if paging.after is not None:
            rows = self._after(rows, paging.after)
        ordered = rows.order_by(*(c.desc() if self.downwards else c.asc() for c in self.columns))
        found = connection.execute(ordered.limit(paging.limit + 1)).mappings().all()
        return chunk_of(found, paging, make, lambda row: tuple(row[c] for c in self.columns))

    def _after(self, rows: Select[Any], key: Key) -> Select[Any]:
        check_key(key, tuple(c.type.python_type for c in self.columns))
        first, here = self.columns[0], tuple_(*self.columns)
        there = [literal(value, Text() if isinstance(value, str) else BigInteger()) for value in key]
        # The first column once more: the planner cannot leave out table partitions by a row comparison.
        if self.downwards:
            return rows.where(here < tuple_(*there), first <= there[0])
        return rows.where(here > tuple_(*there), first >= there[0])


def chunk_of(
    found: Sequence[RowMapping],
    paging: Paging,
    make: Callable[[RowMapping], T],
    key_of: Callable[[RowMapping], Key],
) -> Chunk[T]:
    """The page out of one row more than its limit."""
    kept = found[: paging.limit]
    more = len(found) > paging.limit
    return Chunk(tuple(make(row) for row in kept), key_of(kept[-1]) if more and kept else None)


def check_key(key: Key, kinds: Sequence[type]) -> None:
    """Raise BadCursorError unless the key has these types."""
    fits = len(key) == len(kinds) and all(map(_fits, key, kinds))
    if not fits:
        raise BadCursorError("this cursor does not come from this listing")


def _fits(value: int | str, kind: type) -> bool:
    if type(value) is not kind:
        return False
    return "\x00" not in value if isinstance(value, str) else -_BIGGEST <= value <= _BIGGEST
