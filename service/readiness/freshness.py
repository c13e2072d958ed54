"""What a rule of a model did last, and whether that is recent enough to be evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.messages import iso
from service.monitor import DAY_MS
from service.readiness.readiness import Ran

if TYPE_CHECKING:
    from collections.abc import Iterable

    from service.monitor import Monitor, WindowSpec
    from service.readiness.readiness import Known, Trace

WINDOWS_UNTIL_STALE = 3
LABELLED_EVERY_MS = DAY_MS
"""Labels come in batches: a rule of theirs that ran within a day has not stopped."""

TOLD_MS = 7 * DAY_MS
"""What stopped is told with its time for so long after it is no evidence any more; then it counts as never done."""


def stale_ms(window: WindowSpec, monitor: Monitor) -> int:
    """Windows of this kind that ended longer ago are no evidence."""
    return WINDOWS_UNTIL_STALE * window.length_ms + monitor.allowed_lateness_ms


def told_ms(monitor: Monitor, labelled_ms: int = 0) -> int:
    """What ended longer ago is not asked for; `labelled_ms` is how long labels take."""
    longest = max((stale_ms(window, monitor) for window in monitor.windows), default=0)
    return max(longest, LABELLED_EVERY_MS) + labelled_ms + TOLD_MS


def ran(
    known: Known,
    rule: str,
    traces: Iterable[Trace],
    methods: frozenset[str] = frozenset(),
    *,
    labelled_ms: int | None = None,
) -> Ran | None:
    """What these findings say of a rule; with `labelled_ms` they wait for labels, so long after their windows."""
    found = [trace for trace in traces if trace.method in methods or not methods]
    if not found:
        return None
    last = max(found, key=lambda trace: (_is_fresh(known, trace, labelled_ms), trace.end_ms, trace.n))
    same = [trace for trace in found if (trace.window, trace.end_ms) == (last.window, last.end_ms)]
    return Ran(
        rule, tuple(sorted({trace.method for trace in same})), last.window, last.end_ms,
        max(trace.n for trace in same), max(trace.columns for trace in same), _is_fresh(known, last, labelled_ms),
    )  # fmt: skip


def _is_fresh(known: Known, trace: Trace, labelled_ms: int | None) -> bool:
    spec = next((one for one in known.monitor.windows if one.name == trace.window), None)
    if spec is None:
        return False
    allowed = stale_ms(spec, known.monitor)
    if labelled_ms is not None:
        allowed = max(allowed, LABELLED_EVERY_MS) + labelled_ms
    return known.now_ms - trace.end_ms <= allowed


def of_roles(known: Known, roles: frozenset[str]) -> list[Trace]:
    """The findings about columns of these roles."""
    return [trace for trace in known.findings if trace.role in roles]


def is_on(*rules: Ran | None) -> bool:
    """Whether all of them ran lately."""
    return all(one is not None and one.fresh for one in rules)


def late(*rules: Ran | None) -> list[str]:
    """A sentence for each that ran once and has stopped."""
    return [
        f"rule {one.rule} has not run since {iso(one.end_ms)}, more than {WINDOWS_UNTIL_STALE} windows ago: "
        "see whether events come, and whether `driftbell evaluate` runs"
        for one in rules
        if one is not None and not one.fresh
    ]
