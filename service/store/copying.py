"""Numpy columns into a table and out of a query, in PostgreSQL's binary form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from sqlalchemy import Connection

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_KINDS = {"i4": ">i4", "i8": ">i8", "f8": ">f8"}
_SENT = {"i4": "int4send", "i8": "int8send", "f8": "float8send"}


def copy_in(connection: Connection, table: str, columns: Sequence[NDArray[Any]]) -> None:
    """Write rows into all columns of a table: arrays of equal length, of 4- or 8-byte integers or 8-byte floats."""
    cursor = connection.connection.cursor()
    with cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as stream:
        stream.write(_HEADER + _rows(columns) + _END)


def read_columns(connection: Connection, query: str, kinds: Mapping[str, str]) -> list[NDArray[Any]]:
    """These columns of a query that yields no NULL, of kinds i4, i8 or f8, in no order.

    They come as one value: a COPY out would be a message a row.
    """
    sent = " || ".join(f"{_SENT[kind]}({name})" for name, kind in kinds.items())
    one = f"SELECT coalesce(string_agg({sent}, ''::bytea), ''::bytea) FROM ({query}) wanted"  # noqa: S608 - no data
    found = connection.execute(text(one)).scalar_one()
    rows = np.frombuffer(bytes(found), [(name, _KINDS[kind]) for name, kind in kinds.items()])
    return [rows[name].astype(kind) for name, kind in kinds.items()]


def _layout(kinds: Sequence[str]) -> np.dtype[Any]:
    """Of each row the number of its fields, and each field with its length before it."""
    layout: list[tuple[str, str]] = [("fields", ">i2")]
    for i, kind in enumerate(kinds):
        layout += [(f"size{i}", ">i4"), (f"field{i}", _KINDS[kind])]
    return np.dtype(layout)


def _rows(columns: Sequence[NDArray[Any]]) -> bytes:
    rows = np.empty(len(columns[0]), _layout([column.dtype.str[1:] for column in columns]))
    rows["fields"] = len(columns)
    for i, column in enumerate(columns):
        rows[f"size{i}"] = column.dtype.itemsize
        rows[f"field{i}"] = column
    return rows.tobytes()
