"""Whether a row is counted, a duplicate, late, or too far ahead: a pure function of its partition up to it.

highest   = the highest event time so far of a row that was not too far ahead
watermark = highest - allowed disorder; it never goes back
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
    """Rows of one partition in offset order: event time, end of their pane, their model's tolerances, in ms.

    `future` rows are too far ahead (`far_ahead`), `repeated` ones have an id that a row before them has
    counted.
    """

    ts_ms: IntArray
    pane_end_ms: IntArray
    disorder_ms: IntArray
    lateness_ms: IntArray
    future: BoolArray
    repeated: BoolArray


@dataclass(frozen=True, slots=True)
class Admitted:
    """What was decided for each row; all False means accepted."""

    late: BoolArray
    duplicate: BoolArray
    future: BoolArray
    highest_ms: int

    @property
    def accepted(self) -> BoolArray:
        """Rows to count."""
        return ~(self.late | self.duplicate | self.future)


def admit(rows: Rows, highest_ms: int) -> Admitted:
    """Decide every row."""
    moving = np.where(rows.future, NEVER_MS, rows.ts_ms)
    highest = np.maximum.accumulate(np.concatenate([[highest_ms], moving]))
    late = (rows.pane_end_ms + rows.lateness_ms <= highest[:-1] - rows.disorder_ms) & ~rows.future
    return Admitted(late, rows.repeated & ~late, rows.future, int(highest[-1]))


def far_ahead(ts_ms: IntArray, highest_ms: int, jumps: int) -> tuple[BoolArray, int]:
    """The rows to quarantine in a log that has no timestamps of its own, which could tell a clock gone wrong.

    `jumps` is how many rows right before these were quarantined; returned is how many are after them.
    """
    if highest_ms == NEVER_MS and len(ts_ms):
        highest_ms = int(ts_ms[0])
    before = np.maximum.accumulate(np.concatenate([[highest_ms], ts_ms]))[:-1]
    if not jumps and not (ts_ms > before + JUMP_MS).any():
        return np.zeros(len(ts_ms), np.bool_), 0
    return _one_by_one(ts_ms.tolist(), highest_ms, jumps)


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
