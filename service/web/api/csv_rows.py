"""Answers as CSV (RFC 4180) with a header, safe to open in a spreadsheet: no text cell begins a formula."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

MEDIA_TYPE = "text/csv; charset=utf-8"
_FORMULA_BEGINS = tuple("=+-@\t\r")

Cells = Sequence[object]


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A header, and rows of as many cells."""

    header: Sequence[str]
    rows: Iterable[Cells]


TableOf = Callable[[Any], CsvTable]
"""Makes a table of what an endpoint answers, as JSON holds it."""


def csv_of(table: CsvTable) -> bytes:
    """The file. Nothing stands for null, `true` and `false` for what they are; what has parts is JSON."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([cell_of(name) for name in table.header])
    writer.writerows([cell_of(value) for value in row] for row in table.rows)
    return text.getvalue().encode()


def cell_of(value: object) -> str | int | float:
    """The value as a cell; a text that a spreadsheet would take for a formula has an apostrophe before it."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return value
        case str():
            return f"'{value}" if value.startswith(_FORMULA_BEGINS) else value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# ---------------------------------------------------------------- which answers have rows
def table_of_answer(endpoint: Callable[..., Any]) -> TableOf | None:
    """How this endpoint's answers become a table: those that say it, and those that are rows; None for the others."""
    answer = get_type_hints(endpoint).get("return")
    told: TableOf | None = getattr(answer, "csv_table", None)
    if told is not None:
        return told
    if get_origin(answer) is list:
        return _rows_of(get_args(answer)[0], lambda document: document)
    if isinstance(answer, type) and issubclass(answer, BaseModel) and "items" in answer.model_fields:
        (row,) = get_args(answer.model_fields["items"].annotation)
        return _rows_of(row, lambda document: document["items"])
    return None


def _rows_of(row: type[Any], items: Callable[[Any], list[dict[str, Any]]]) -> TableOf:
    paths = list(_paths(row))
    header = [".".join(path) for path in paths]

    def table(document: Any) -> CsvTable:
        return CsvTable(header, ([_at(item, path) for path in paths] for item in items(document)))

    return table


def _paths(row: type[Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The way to each cell: parts of a part have its name before theirs, as in `budget.spent`."""
    hints = get_type_hints(row)
    for name in row.model_fields if issubclass(row, BaseModel) else (one.name for one in fields(row)):
        part = _part(hints[name])
        if part is None:
            yield (*above, name)
        else:
            yield from _paths(part, (*above, name))


def _part(kind: Any) -> type[Any] | None:
    if get_origin(kind) in {Union, UnionType}:
        kinds = [one for one in get_args(kind) if one is not NoneType]
        return _part(kinds[0]) if len(kinds) == 1 else None
    has_parts = isinstance(kind, type) and (issubclass(kind, BaseModel) or is_dataclass(kind))
    return kind if has_parts else None


def _at(item: Mapping[str, Any], path: Sequence[str]) -> object:
    found: Any = item
    for name in path:
        found = None if found is None else found.get(name)
    return found
