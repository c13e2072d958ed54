"""Which fields a producer's version sends: a change of them is an event, whatever the values do.

The fingerprint of a window is the list of fields that most of its rows have, each with its kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from service.messages import Finding, Role, Verdict

if TYPE_CHECKING:
    from service.sketches.pane import PaneSketch

SCHEMA = "schema"
FEWEST_ROWS = 30
_MOST = 0.5
_MOST_TOLD = 5


def fingerprint(sketch: PaneSketch) -> tuple[str, ...]:
    """The features that at least half of the rows have, as "name:number" or "name:text", sorted."""
    least = _MOST * sketch.inferences
    found = {
        f"{grid.column.name}:number"
        for i, grid in enumerate(sketch.grid.numbers)
        if grid.column.role is Role.FEATURE and sketch.numbers.column_counts(i).sum() >= least
    }
    for i, text in enumerate(sketch.grid.texts):
        present = sketch.categories.column_counts(i).sum() + sketch.categories.unseen[i].total
        if text.column.role is Role.FEATURE and present >= least:
            found.add(f"{text.column.name}:text")
    for column, extra in sketch.extras.items():
        numbers, texts = int(extra.numbers.counts.sum()), extra.texts.total
        if column.role is Role.FEATURE and numbers + texts >= least:
            found.add(f"{column.name}:{'number' if numbers >= texts else 'text'}")
    return tuple(sorted(found))


def schema_finding(before: Sequence[str], now: Sequence[str], rows: int) -> Finding | None:
    """What came and went since the last window of this version (or of the version before it); None if nothing did."""
    came, went = sorted(set(now) - set(before)), sorted(set(before) - set(now))
    if not came and not went:
        return None
    told = [f"+{field}" for field in came[:_MOST_TOLD]] + [f"-{field}" for field in went[:_MOST_TOLD]]
    more = len(came) + len(went) - len(told)
    said = ", ".join(told) + (f" and {more} more" if more else "")
    return Finding(None, SCHEMA, float(len(came) + len(went)), 0.5, None, rows, 0, 0.0, Verdict.DRIFT, said)
