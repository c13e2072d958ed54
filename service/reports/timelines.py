"""Scores against their limits, and the volume, window by window: at most so many columns as a narrow page holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from service.plurals import counted
from service.reports.document import Section, Strip, Timeline
from service.reports.phrases import column, minute, times_over

if TYPE_CHECKING:
    from service.store.report_scores import Standing
    from service.store.report_seen import Stretch
    from service.store.result_queries import WindowRow

MOST_STRIPS, MOST_PLACES = 10, 60

Named = tuple[str, str]


def worst_over_time(standings: Sequence[Standing], of: Stretch) -> Section | None:
    """The columns that stood worst in the stretch itself; None: nothing is stored."""
    by_name: dict[Named, dict[int, float]] = defaultdict(dict)
    for one in standings:
        by_name[one.role, one.feature][one.end_ms] = one.ratio
    if not by_name:
        return None
    names = sorted(by_name, key=lambda name: (-_worst(by_name[name], of), name))[:MOST_STRIPS]
    axis = _axis({one.end_ms for one in standings}, of)
    strips = tuple(_strip(column(*name), by_name[name], axis) for name in names)
    begins = f"the stretch told of begins {minute(of.start_ms)} UTC, before it is shown for comparison"
    said = f"The worst score of each column in every window of {of.window}, by its limit; {begins}."
    return Section("Scores over time", (said,), timeline=Timeline(axis[0] - of.every_ms, axis[-1], strips))


def _axis(ends: Collection[int], of: Stretch) -> range:
    """Where windows end, from the first one known to the end of the stretch, whether they are known or not."""
    return range(min(ends), max(*ends, of.end_ms // of.every_ms * of.every_ms) + 1, of.every_ms)


def _worst(ratios: Mapping[int, float], of: Stretch) -> float:
    return max((ratio for end, ratio in ratios.items() if end > of.start_ms), default=-1.0)


def _strip(name: str, ratios: Mapping[int, float], ends: range) -> Strip:
    over, worst_ms = sum(ratio > 1 for ratio in ratios.values()), max(ratios, key=lambda end: ratios[end])
    worst = f"worst {times_over(ratios[worst_ms])} of its limit, until {minute(worst_ms)}"
    said = f"over its limit in {over:,} of {len(ratios):,} windows; {worst}"
    return Strip(name, said, tuple(_narrowed([ratios.get(end) for end in ends])))


def _narrowed(values: Sequence[float | None]) -> Iterable[float | None]:
    """Neighbours together, the worst of them told."""
    step = -(-len(values) // MOST_PLACES)
    for at in range(0, len(values), max(1, step)):
        yield max((value for value in values[at : at + step] if value is not None), default=None)


def volume(windows: Sequence[WindowRow], of: Stretch) -> Section:
    """How many events each window had, and what is known to be missing of them."""
    mine = [row for row in windows if row.end_ms > of.start_ms]
    if not mine:
        return Section("Volume", ("No window of that time is stored.",))
    by_end: dict[int, int] = defaultdict(int)
    for row in windows:
        by_end[row.end_ms] += row.inferences
    most = max(1, *by_end.values())
    axis, total = _axis(by_end, of), sum(row.inferences for row in mine)
    count = len({row.end_ms for row in mine})
    strip = Strip(
        "events", f"{min(by_end.values()):,} to {most:,} a window",
        tuple(_narrowed([by_end[end] / most if end in by_end else None for end in axis])),
    )  # fmt: skip
    labels = sum(row.labels for row in mine)
    said = f"{total:,} predictions and {labels:,} labels arrived in {counted(count, 'window')} of {of.window}"
    told = (f"{said}, {total / count:,.0f} predictions a window.", _incomplete(mine))
    return Section(
        "Volume", told, timeline=Timeline(axis[0] - of.every_ms, axis[-1], (strip,), is_limited=False)
    )


def _incomplete(rows: Sequence[WindowRow]) -> str:
    flagged = {row.end_ms for row in rows if row.incomplete}
    restated = {row.end_ms for row in rows if row.revision > 0}
    lost = f"{len(flagged):,} of them are incomplete: records of their time were lost"
    again = f"{len(restated):,} were restated by late events"
    return f"{lost if flagged else 'None of them is known to be incomplete'}; {again}."
