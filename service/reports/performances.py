"""What it did to the model's performance: each metric before and during, with intervals, rows, and how ripe it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from math import sqrt
from typing import TYPE_CHECKING, NamedTuple

from service.performance.estimating import ESTIMATED
from service.performance.windows import REALIZED
from service.plurals import counted
from service.reports.document import Cells, Section, Table
from service.reports.phrases import lasted, number, place

if TYPE_CHECKING:
    from service.store.report_seen import Seen
    from service.store.result_queries import PerformanceRow

MOST_ROWS = 16
_BASES = (REALIZED, ESTIMATED)
_COLUMNS = ("basis", "metric", "where", "before", "n before", "during", "n during", "ripe")
_METHOD = (
    "Means of the windows' values, weighted by their rows, with 95 % intervals from those of the windows as if these "
    "were independent; realized: of predictions whose labels came; estimated: before labels come, and only right "
    "without concept drift."
)


class Summary(NamedTuple):
    """A metric over some windows."""

    value: float
    low: float | None
    high: float | None
    n: int
    windows: int

    @property
    def half(self) -> float:
        """Half the interval's width; 0 where there is none."""
        return 0.0 if self.low is None or self.high is None else (self.high - self.low) / 2


class Beside(NamedTuple):
    """One metric of one slice before and during; `apart` says how far they differ, in half-widths of the intervals."""

    key: Cells
    before: Summary | None
    during: Summary | None
    ripe: str

    @property
    def apart(self) -> float:
        """1 and more: the intervals do not touch."""
        if self.before is None or self.during is None:
            return 0.0
        width = self.before.half + self.during.half
        return abs(self.during.value - self.before.value) / width if width else 0.0


def performance(seen: Seen) -> Section:
    """Realized and estimated metrics, those first that differ most; without a table where nothing is known."""
    title, usable = "Performance", [r for r in seen.performance if r.value is not None and r.basis in _BASES]
    if not usable:
        return Section(title, (f"No metric of these windows is known. {_ripeness(seen)}",))
    by_metric: dict[Cells, list[PerformanceRow]] = defaultdict(list)
    for row in usable:
        where = place(row.version, row.segment or "the whole model")
        by_metric[row.basis, row.metric, where].append(row)
    found = [_beside(key, rows, seen) for key, rows in sorted(by_metric.items())]
    ranked = sorted(found, key=lambda one: (-one.apart, one.key[0] != REALIZED))
    apart = sum(one.apart > 1 for one in found)
    said = (
        f"Of {counted(len(found), 'metric')} {apart:,} differ by more than their intervals; those come first."
    )
    table = Table(_COLUMNS, tuple(map(_row, ranked[:MOST_ROWS])), frozenset({"n before", "n during"}))
    return Section(title, (said, _ripeness(seen), _METHOD), table)


def _beside(key: Cells, rows: Sequence[PerformanceRow], seen: Seen) -> Beside:
    """A window that holds some of the stretch is told with it."""
    since_ms, apart = seen.of.start_ms, without_overlap(rows)
    during = [row for row in apart if row.end_ms > since_ms]
    ripe = sum(_has_come(row.end_ms, seen) for row in during)
    told = f"{ripe:,} of {counted(len(during), 'window')}" if key[0] == REALIZED else "\N{EN DASH}"
    return Beside(key, summary_of([row for row in apart if row.end_ms <= since_ms]), summary_of(during), told)


def _row(one: Beside) -> Cells:
    return (*one.key, _said(one.before), _rows(one.before), _said(one.during), _rows(one.during), one.ripe)


def without_overlap(rows: Sequence[PerformanceRow]) -> list[PerformanceRow]:
    """Of windows that slide those that share no pane, from the latest back; no row is counted twice."""
    chosen: list[PerformanceRow] = []
    for row in sorted(rows, key=lambda one: -one.end_ms):
        if not chosen or row.end_ms <= chosen[-1].start_ms:
            chosen.append(row)
    return chosen


def summary_of(rows: Sequence[PerformanceRow]) -> Summary | None:
    """The weighted mean; without an interval where a window has none. None: there is no row."""
    total = sum(row.n for row in rows)
    if not total:
        return None
    value = sum((row.value or 0.0) * row.n for row in rows) / total
    below, above = (
        _half([abs((row.value or 0.0) - end) * row.n / total for row, end in _ends(rows, side)], len(rows))
        for side in ("low", "high")
    )
    if below is None or above is None:
        return Summary(value, None, None, total, len(rows))
    return Summary(value, value - below, value + above, total, len(rows))


def _ends(rows: Sequence[PerformanceRow], side: str) -> list[tuple[PerformanceRow, float]]:
    return [(row, end) for row in rows if (end := getattr(row, side)) is not None]


def _half(parts: Sequence[float], wanted: int) -> float | None:
    return sqrt(sum(part * part for part in parts)) if len(parts) == wanted else None


def _said(summary: Summary | None) -> str:
    if summary is None:
        return "\N{EN DASH}"
    interval = "" if summary.low is None else f" ({number(summary.low)} to {number(summary.high)})"
    return f"{number(summary.value)}{interval}"


def _rows(summary: Summary | None) -> str:
    return "0" if summary is None else f"{summary.n:,} in {counted(summary.windows, 'window')}"


def _ripeness(seen: Seen) -> str:
    if seen.ripe_after_ms is None:
        return "Too few labels came to say how long they take, so no window is ripe."
    ends = {row.end_ms for row in seen.windows if row.end_ms > seen.of.start_ms}
    unripe = sum(not _has_come(end, seen) for end in ends)
    lost = len({row.end_ms for row in seen.windows if row.incomplete} & ends)
    after = f"A window is ripe {lasted(seen.ripe_after_ms)} after its end, when nine in ten labels have come"
    ripe = f"{unripe:,} of the stretch are not yet" if unripe else "all are"
    return f"{after}; {ripe}." + (f" {counted(lost, 'window')} lost records." if lost else "")


def _has_come(end_ms: int, seen: Seen) -> bool:
    return seen.ripe_after_ms is not None and seen.now_ms - end_ms >= seen.ripe_after_ms
