"""A reference profile: what a model was trained or accepted on, in counts without raw rows, and its bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from service.errors import FormatError
from service.messages import Column, Role
from service.monitor import Task
from service.performance.answers import answers_from_bytes, answers_to_bytes
from service.reference.column_summary import ColumnSummary
from service.sketches.codec import grid_from_bytes, grid_to_bytes, pane_from_bytes, pane_to_bytes
from service.sketches.format import seal, unseal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.performance.answers import Answers
    from service.sketches.grids import Grid
    from service.sketches.pane import PaneSketch

MAGIC, VERSION = b"DBrf", 1


@dataclass(frozen=True, eq=False)
class ReferenceProfile:
    """`sketch` counts all rows on `grid`; `blocks` count consecutive parts of equal row count on it.

    `segments` counts the rows of each segment by its name ('country=DE'); `errors` has the wrong and all labelled
    rows of each, and of all (''); `answers` has the outcomes of rows that have a prediction or score and a label.

    `ordered` says that the blocks follow time; otherwise they follow the file, whatever its order means.
    A row without a label is in no label's count, but one without a prediction is counted as missing.
    """

    name: str
    model: str
    task: Task
    grid: Grid
    sketch: PaneSketch
    blocks: tuple[PaneSketch, ...]
    ordered: bool
    rows: int
    first_ms: int | None
    last_ms: int | None
    columns: tuple[ColumnSummary, ...]
    warnings: tuple[str, ...] = ()
    segments: Mapping[str, PaneSketch] = field(default_factory=dict)
    errors: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    answers: Answers | None = None

    def segment(self, name: str) -> PaneSketch | None:
        """The rows of one segment; None when they are not known."""
        return self.segments.get(name)


class _Summary(msgspec.Struct, array_like=True):
    role: Role
    name: str
    numeric: bool
    rows: int
    missing: tuple[int, ...]
    distinct: int
    distinct_exact: bool
    integer: bool
    low: float | None
    high: float | None
    mean: float | None
    std: float | None
    quantiles: tuple[float, ...]
    top: tuple[tuple[str, int], ...]


class _Profile(msgspec.Struct, array_like=True):
    name: str
    model: str
    task: Task
    grid: bytes
    sketch: bytes
    blocks: list[bytes]
    ordered: bool
    rows: int
    first_ms: int | None
    last_ms: int | None
    columns: list[_Summary]
    warnings: tuple[str, ...]
    segments: dict[str, bytes] = {}
    errors: dict[str, tuple[int, int]] = {}
    answers: bytes = b""


def profile_to_bytes(profile: ReferenceProfile) -> bytes:
    """The canonical bytes: equal profiles give equal bytes."""
    body = _Profile(
        profile.name, profile.model, profile.task, grid_to_bytes(profile.grid), pane_to_bytes(profile.sketch),
        [pane_to_bytes(block) for block in profile.blocks], profile.ordered, profile.rows,
        profile.first_ms, profile.last_ms, [_summary_out(one) for one in profile.columns], profile.warnings,
        {name: pane_to_bytes(rows) for name, rows in sorted(profile.segments.items())},
        dict(sorted(profile.errors.items())), answers_bytes(profile) or b"",
    )  # fmt: skip
    return seal(MAGIC, VERSION, body)


def profile_from_bytes(data: bytes) -> ReferenceProfile:
    """The profile again. Raises FormatError."""
    body = unseal(data, MAGIC, VERSION, _Profile)
    grid = grid_from_bytes(body.grid)
    columns = tuple(_summary_in(one) for one in body.columns)
    if {one.column for one in columns} != grid.number_at.keys() | grid.text_at.keys():
        raise FormatError("the summaries are not those of the grid's columns")
    return ReferenceProfile(
        body.name, body.model, body.task, grid, pane_from_bytes(body.sketch, grid),
        tuple(pane_from_bytes(block, grid) for block in body.blocks), body.ordered, body.rows,
        body.first_ms, body.last_ms, columns, body.warnings,
        {name: pane_from_bytes(rows, grid) for name, rows in body.segments.items()}, body.errors,
        answers_from_bytes(body.answers) if body.answers else None,
    )  # fmt: skip


def answers_bytes(profile: ReferenceProfile) -> bytes | None:
    """The profile's answers on their own; None where it has none."""
    return None if profile.answers is None else answers_to_bytes(profile.answers)


def without_rows(sketch: PaneSketch) -> PaneSketch:
    """The sketch itself, its samples of raw rows and labels emptied; moments stay."""
    sketch.forget_rows()
    return sketch


def _summary_out(one: ColumnSummary) -> _Summary:
    return _Summary(
        one.column.role, one.column.name, one.numeric, one.rows, one.missing, one.distinct,
        one.distinct_exact, one.integer, one.low, one.high, one.mean, one.std, one.quantiles, one.top,
    )  # fmt: skip


def _summary_in(body: _Summary) -> ColumnSummary:
    return ColumnSummary(
        Column(body.role, body.name), body.numeric, body.rows, body.missing, body.distinct,
        body.distinct_exact, body.integer, body.low, body.high, body.mean, body.std, body.quantiles, body.top,
    )  # fmt: skip
