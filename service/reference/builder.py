"""Makes a reference profile of a table in one streaming pass.

What the columns are, and their grid, is decided from the first rows (a million, or half a gigabyte of them);
the rest is only counted. A later text in a column of numbers is `wrong_type`, and a warning says how many.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from service.errors import ConfigurationError
from service.intake.timestamps import BAD
from service.messages import Missing
from service.reference.cells import times_of
from service.reference.column_summary import summarize
from service.reference.counting import Counting
from service.reference.plan import plan_columns
from service.reference.profile import ReferenceProfile, without_rows
from service.reference.specification import choose_columns
from service.reference.table_reader import open_table, split_head

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

    from service.reference.plan import Plan
    from service.reference.specification import ReferenceSpec
    from service.reference.table_reader import TableFile

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Head:
    """How much of a table is held in memory to decide what its columns are: so many rows or bytes."""

    rows: int = 1_000_000
    size: int = 2**29


def build_reference(
    path: Path, spec: ReferenceSpec, progress: Progress | None = None, head: Head | None = None
) -> ReferenceProfile:
    """The profile of a CSV or Parquet file. `progress` is told how many bytes or rows of how many are done.

    Raises ConfigurationError with sentences that say what to mend.
    """
    head = head or Head()
    with closing(open_table(path)) as file:
        choice = choose_columns(spec, file.names)
        places = sorted({*choice.columns.values(), *(() if choice.time is None else (choice.time,))})
        first, rest = split_head(_told(file, file.batches(places), progress), head.rows, head.size)
        if first is None:
            raise ConfigurationError(f"{path} has a header but no rows")
        plan = plan_columns(spec, choice, first, texts_only=file.texts_only)
        counting = Counting(plan)
        for batch in _by_time(first, plan.time).to_batches():
            counting.add(batch)
        rows_looked_at = counting.rows
        for batch in rest:
            counting.add(batch)
    return _profile(spec, plan, counting, rows_looked_at)


def _told(
    file: TableFile, batches: Iterator[pa.RecordBatch], progress: Progress | None
) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield batch
        if progress is not None:
            progress(min(file.done, file.total), file.total)
    if progress is not None:
        progress(file.total, file.total)


def _by_time(table: pa.Table, time: int | None) -> pa.Table:
    if time is None:
        return table
    stamps = np.concatenate([times_of(chunk) for chunk in table.column(f"c{time}").chunks])
    if (stamps == BAD).all():
        raise ConfigurationError(
            "no time can be read in the time column: ISO 8601 or seconds to nanoseconds since 1970"
        )
    return table if (np.diff(stamps) >= 0).all() else table.take(np.argsort(stamps, kind="stable"))


def _profile(spec: ReferenceSpec, plan: Plan, counting: Counting, rows_looked_at: int) -> ReferenceProfile:
    sketch, blocks = counting.finish()
    timed = plan.time is not None
    return ReferenceProfile(
        name=spec.name,
        model=spec.model,
        task=plan.task,
        grid=plan.grid,
        sketch=without_rows(sketch),
        blocks=tuple(without_rows(block) for block in blocks),
        ordered=counting.times_ascend if timed else spec.ordered,
        rows=counting.rows,
        first_ms=sketch.first_ms if timed else None,
        last_ms=sketch.last_ms if timed else None,
        columns=summarize(sketch, counting.facts()),
        warnings=(*plan.warnings, *_later_warnings(plan, counting, rows_looked_at)),
        segments={name: without_rows(rows) for name, rows in counting.segments().items()},
        errors=counting.errors(),
        answers=counting.answers(),
    )


def _later_warnings(plan: Plan, counting: Counting, rows_looked_at: int) -> list[str]:
    wrong = counting.wrong_types()
    warnings = [
        f"{n} of {counting.rows} rows hold no number in {column.name!r}, "
        f"though the first {rows_looked_at} rows do: they count as {Missing.WRONG_TYPE.name.lower()}"
        for column, n in wrong.items()
    ]
    if counting.bad_times:
        warnings.append(f"the time of {counting.bad_times} rows cannot be read")
    if plan.time is not None and not counting.times_ascend:
        warnings.append(
            f"after the first {rows_looked_at} rows the times go back: sort the file, its blocks mix times"
        )
    return warnings
