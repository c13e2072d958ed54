"""What one reference says differently from another: for a person who decides between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.reference.regrid import regrid_sketch
from service.scoring.columns import compare, plan_of, window_counts

if TYPE_CHECKING:
    from service.messages import Column
    from service.reference.column_summary import ColumnSummary
    from service.reference.profile import ReferenceProfile


@dataclass(frozen=True, slots=True)
class Difference:
    """One column in both references; None where one does not know it.

    `moved` is the share of its values that would have to change, None where that cannot be told.
    """

    column: Column
    was: ColumnSummary | None
    now: ColumnSummary | None
    moved: float | None = None

    @property
    def size(self) -> float:
        """How far it differs at worst, in values or in what is missing; 1 for a column that one does not know."""
        if self.was is None or self.now is None:
            return 1.0
        return max(self.moved or 0.0, abs(self.was.missing_ratio - self.now.missing_ratio))


def differences(before: ReferenceProfile, after: ReferenceProfile) -> tuple[Difference, ...]:
    """Every column of either, those that differ most first."""
    was, now = ({one.column: one for one in profile.columns} for profile in (before, after))
    moved = _moved(before, after)
    made = [
        Difference(column, was.get(column), now.get(column), moved.get(column)) for column in {**was, **now}
    ]
    return tuple(sorted(made, key=lambda one: (-one.size, one.column)))


def _moved(before: ReferenceProfile, after: ReferenceProfile) -> Mapping[Column, float]:
    """Total variation of the columns that both know, over groups large enough not to differ by chance alone."""
    on_its_grid = regrid_sketch(after.sketch, before.grid)
    scores = plan_of(before.sketch).score(window_counts(before.sketch, on_its_grid), 0.5, ["tv"])["tv"]
    compared = compare(before.sketch, on_its_grid)
    return {
        one.column: float(scores.value[place])
        for place, one in enumerate(compared)
        if one.has_values and scores.is_enough[place]
    }
