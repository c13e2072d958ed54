"""One column out of a sketch's bytes, without making anything of the others: what charts over time read of panes."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

import msgspec

from service.errors import FormatError
from service.messages import Column, Role
from service.sketches.cells import KINDS
from service.sketches.codec import PANE, PANE_VERSION, Extra, Numbers, Texts, extra_in, texts_in
from service.sketches.format import Packed, floats_from_bytes, unpack_part, unseal_any
from service.sketches.grids import Grid
from service.sketches.numbers import layout_of
from service.sketches.pane import PaneSketch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.sketches.categories import CategorySketch
    from service.sketches.numbers import NumberSketch


class _Pane(msgspec.Struct, array_like=True):
    """The first fields of a pane; what is `Raw` is not read before it is asked for, and what follows not at all."""

    grid_id: str
    inferences: int
    labels: int
    first_ms: int
    last_ms: int
    numbers: Numbers
    category_counts: Packed
    category_missing: Packed
    unseen: list[msgspec.Raw]
    sample_priorities: msgspec.Raw
    sample_values: msgspec.Raw
    extras: list[msgspec.Raw]


class _ExtraName(msgspec.Struct, array_like=True):
    role: Role
    name: str


_PANES: Mapping[int, type[_Pane]] = dict.fromkeys(range(1, PANE_VERSION + 1), _Pane)


class ColumnReader:
    """Reads one column of the sketches that were counted on a grid."""

    def __init__(self, grid: Grid, column: Column) -> None:
        self._grid, self._column = grid, column
        self._mine = grid_of_column(grid, column)
        self._number, self._text = grid.number_at.get(column), grid.text_at.get(column)
        self._starts = list(accumulate((len(one.categories) for one in grid.texts), initial=0))

    def read(self, data: bytes) -> PaneSketch:
        """The sketch of this one column of all the rows. Raises FormatError as `pane_from_bytes` does.

        It is what merging and regridding take; its samples and moments are empty.
        """
        body = unseal_any(data, PANE, _PANES)
        if body.grid_id != self._grid.id:
            msg = f"counted on grid {body.grid_id}, read with grid {self._grid.id}"
            raise FormatError(msg)
        made = PaneSketch(self._mine)
        made.inferences, made.labels = body.inferences, body.labels
        made.first_ms, made.last_ms = body.first_ms, body.last_ms
        try:
            self._fill(made, body)
        except (msgspec.DecodeError, OverflowError, IndexError) as error:
            msg = f"the column does not fit: {error}"
            raise FormatError(msg) from error
        return made

    def _fill(self, made: PaneSketch, body: _Pane) -> None:
        if self._number is not None:
            self._fill_numbers(made.numbers, body.numbers, self._number)
        if self._text is not None:
            self._fill_texts(made.categories, body, self._text)
        for extra in body.extras:
            if msgspec.msgpack.decode(extra, type=_ExtraName) == _ExtraName(*self._column):
                made.extras[self._column] = extra_in(msgspec.msgpack.decode(extra, type=Extra))

    def _fill_numbers(self, into: NumberSketch, body: Numbers, at: int) -> None:
        layout, columns = layout_of(self._grid.numbers), len(self._grid.numbers)
        into.counts = unpack_part(body.counts, layout.size, layout.slice(at))
        into.missing[0] = unpack_part(body.missing, columns * KINDS, _kinds(at))
        into.sums[:, 0] = body.sums[0][at], body.sums[1][at]
        into.low[0], into.high[0] = (floats_from_bytes(one, columns)[at] for one in (body.low, body.high))

    def _fill_texts(self, into: CategorySketch, body: _Pane, at: int) -> None:
        mine = slice(self._starts[at], self._starts[at + 1])
        into.counts = unpack_part(body.category_counts, self._starts[-1], mine)
        into.missing[0] = unpack_part(body.category_missing, len(self._grid.texts) * KINDS, _kinds(at))
        into.unseen[0] = texts_in(msgspec.msgpack.decode(body.unseen[at], type=Texts))


def grid_of_column(grid: Grid, column: Column) -> Grid:
    """The grid of this one column; one of no column where the grid does not know it."""
    numbers = tuple(one for one in grid.numbers if one.column == column)
    return Grid(numbers, tuple(one for one in grid.texts if one.column == column))


def _kinds(at: int) -> slice:
    return slice(at * KINDS, (at + 1) * KINDS)
