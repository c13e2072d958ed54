"""Tables for people at a terminal: names are text and no markup, numbers stand right, ids and numbers are never cut."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from service.dead_letters.readable import visible

_WIDEST = 100_000
_READABLE = 16
_BETWEEN = 2


class Shape(Enum):
    """What a column may do where the terminal is narrow."""

    TEXT = auto()
    """Goes on below."""

    LINE = auto()
    """Ends with dots."""

    WHOLE = auto()
    """Nothing: an id or a time that is cut off is worse than a line that wraps."""

    NUMBER = auto()
    """Nothing, and it stands right."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column's name and shape."""

    name: str
    shape: Shape = Shape.TEXT


_UNCUT = frozenset({Shape.WHOLE, Shape.NUMBER})


def whole(*names: str) -> tuple[Column, ...]:
    """Columns of ids, times and short words."""
    return tuple(Column(name, Shape.WHOLE) for name in names)


def numbers(*names: str) -> tuple[Column, ...]:
    """Columns of numbers."""
    return tuple(Column(name, Shape.NUMBER) for name in names)


def texts(*names: str) -> tuple[Column, ...]:
    """Columns of names and sentences."""
    return tuple(Column(name) for name in names)


def line(name: str) -> Column:
    """A column of sentences of which the begin is enough."""
    return Column(name, Shape.LINE)


def table_of(
    columns: Sequence[Column],
    rows: Iterable[Sequence[str | Text]],
    title: str = "",
    *,
    width: int | None = None,
) -> Table:
    """A table of cells that may hold anything; one that is `Text` keeps its colour. `width` is the terminal's."""
    made = Table(
        box=None, pad_edge=False, title=Text(visible(title)) if title else None, title_justify="left",
        title_style="bold",
    )  # fmt: skip
    cells = [[cell if isinstance(cell, Text) else Text(visible(cell)) for cell in row] for row in rows]
    longest = [
        max(cell_len(visible(column.name)), *(cell_len(row[place].plain) for row in cells), 0)
        for place, column in enumerate(columns)
    ]
    for column, least, most in zip(columns, *_bounds(columns, longest, width or _terminal()), strict=True):
        made.add_column(
            Text(visible(column.name)),
            justify="right" if column.shape is Shape.NUMBER else "left",
            no_wrap=column.shape is not Shape.TEXT,
            min_width=least,
            max_width=most,
            overflow="fold" if column.shape is Shape.TEXT else "ellipsis",
        )
    for row in cells:
        made.add_row(*row)
    return made


def _bounds(
    columns: Sequence[Column], longest: Sequence[int], width: int | None
) -> tuple[list[int], list[int | None]]:
    """The least and the most signs of each column: sentences give way first, then names, down to a readable rest."""
    least = [
        longest[place] if column.shape in _UNCUT else min(longest[place], _READABLE)
        for place, column in enumerate(columns)
    ]
    if width is None:
        return list(longest), [None] * len(columns)
    others = sum(n for n, column in zip(longest, columns, strict=True) if column.shape is not Shape.LINE)
    room = width - others - _BETWEEN * (len(columns) - 1)
    return least, [max(_READABLE, room) if column.shape is Shape.LINE else None for column in columns]


def show(*tables: Table, console: Console | None = None) -> None:
    """Print them, an empty line between: as wide as the terminal, or as they are where nobody looks."""
    shown = console or Console(highlight=False)
    width = shown.width if console else _terminal()
    for place, table in enumerate(tables):
        if place:
            shown.print()
        needed = shown.measure(table, options=shown.options.update(width=_WIDEST))
        shown.width = max(1, needed.maximum if width is None else max(width, needed.minimum))
        shown.print(table, crop=False)


def _terminal() -> int | None:
    """Its width; None in a pipe or a file."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
