"""Whether a row is counted, a duplicate, late, or too far ahead: a pure function of the rows before it in its partition.

    watermark = highest accepted event time - allowed disorder; it never goes back
    late      : the row's pane ended longer than the allowed lateness before the watermark
    duplicate : its inference id was counted before in the same pane

           |--pane--|<---- lateness ---->|
    -------o--------|--------------------|---x----> event time
         a row here is late once the watermark has passed x
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

NEVER_MS = -(2**62)
JUMP_MS = 30 * 86_400_000
"""A log without its own timestamps: a row this far ahead of all rows before it is quarantined..."""
JUMP_ROWS = 20
"""...until so many in a row agree that time has moved on."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one partition in offset order: event time, end of their pane, and their model's tolerances, all in ms."""

    ts_ms: IntArray
    pane_end_ms: IntArray
    disorder_ms: IntArray
    lateness_ms: IntArray
    repeated: BoolArray


@dataclass(frozen=True, slots=True)
class Admitted:
    """What was decided for each row; all False means accepted."""

    late: BoolArray
    duplicate: BoolArray
    future: BoolArray
    highest_ms: int
    jumps: int

    @property
    def accepted(self) -> BoolArray:
        """Rows to count."""
        return ~(self.late | self.duplicate | self.future)


def admit(rows: Rows, highest_ms: int, jumps: int, *, untimed: bool) -> Admitted:
    """Decide every row. `untimed`: the log has no timestamps of its own that could tell a clock gone wrong."""
    future, jumps = _far_ahead(rows.ts_ms, highest_ms, jumps) if untimed else (np.zeros(len(rows.ts_ms), np.bool_), 0)
    moving = np.where(future | rows.repeated, NEVER_MS, rows.ts_ms)
    highest = np.maximum.accumulate(np.concatenate([[highest_ms], moving]))
    before = highest[:-1]
    late = (rows.pane_end_ms + rows.lateness_ms <= before - rows.disorder_ms) & ~future
    return Admitted(late, rows.repeated & ~late & ~future, future, int(highest[-1]), jumps)


def _far_ahead(ts_ms: IntArray, highest_ms: int, jumps: int) -> tuple[BoolArray, int]:
    highest = np.maximum.accumulate(np.concatenate([[highest_ms], ts_ms]))
    if highest_ms == NEVER_MS:
        highest[0] = ts_ms[0] if len(ts_ms) else NEVER_MS
    if not jumps and not (ts_ms > highest[:-1] + JUMP_MS).any():
        return np.zeros(len(ts_ms), np.bool_), 0
    return _one_by_one(ts_ms.tolist(), int(highest[0]), jumps)


def _one_by_one(ts_ms: Sequence[int], highest_ms: int, jumps: int) -> tuple[BoolArray, int]:
    future = np.zeros(len(ts_ms), np.bool_)
    for i, ts in enumerate(ts_ms):
        ahead = ts > highest_ms + JUMP_MS
        jumps = jumps + 1 if ahead else 0
        if ahead and jumps <= JUMP_ROWS:
            future[i] = True
        else:
            highest_ms, jumps = max(highest_ms, ts), 0
    return future, jumps
