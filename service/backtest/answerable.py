"""What stored panes can answer of other monitors: their length, bins, segments and rules are as they were counted.

Whether other bins will do is measured, not guessed: the reference itself is counted down to the bins of the panes and
back, and what that moves is held against the distance within which no detector says anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from service.contract.grids import edges_of, rule_column
from service.messages import Column, Role, iso
from service.monitor import format_duration
from service.reference.regrid import regrid_sketch
from service.scoring.usual import TOLERANCE, usual_of
from service.sketches.grids import Grid

if TYPE_CHECKING:
    from service.configuration import ModelVersion
    from service.monitor import Monitor
    from service.promises import Promise
    from service.scoring.usual import Reference
    from service.store.stored_panes import Counted

LOG = "replay a log instead, with --events"
_MOST_NAMED = 3
_TAKEN_BY = ("allowed_lateness_ms", "disorder_ms", "max_future_skew_ms", "nonfinite", "ts_unit")
"""What decides which events are counted at all."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a back-test asks of one model: its new version and reference, and from which event time on."""

    version: ModelVersion
    reference: Reference | None
    from_ms: int | None = None

    @property
    def monitor(self) -> Monitor:
        """The new monitor."""
        return self.version.monitor


@dataclass(frozen=True, slots=True)
class Answerable:
    """Why the panes cannot answer (nothing, if they can), what to know of the answer, and from where on they can."""

    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    since_ms: int | None = None


def answerable(
    asked: Asked, counted: Sequence[Counted], then: Sequence[ModelVersion], grid_of: Callable[[str], Grid]
) -> Answerable:
    """Look at how the panes were counted, oldest first; `then` are the versions that were in force."""
    doubts = [(one, _why_not(asked, one, then, grid_of(one.grid_id))) for one in counted]
    bad = [(one, why) for one, why in doubts if why]
    notes = _other_bins(asked, [grid_of(one.grid_id) for one, why in doubts if not why])
    notes += _other_rows(asked.monitor, then)
    if not bad:
        return Answerable((), tuple(notes))
    until, why = max(((one.end_ms, why) for one, why in bad), key=lambda found: found[0])
    if asked.from_ms is not None and asked.from_ms >= until:
        return Answerable((), tuple(notes), until)
    later = any(one.end_ms > until for one in counted)
    advice = f"panes from {iso(until)} on will do: say --from {iso(until)}" if later else LOG
    return Answerable((f"{asked.monitor.model}: {why}; {advice}",))


def _why_not(asked: Asked, counted: Counted, then: Sequence[ModelVersion], grid: Grid) -> str | None:
    return (
        _other_length(asked.monitor, counted)
        or _other_columns(asked, grid)
        or _unknown_rules(asked.monitor, then, grid)
        or _bounds_between(asked.monitor, grid)
    )


def _other_length(monitor: Monitor, counted: Counted) -> str | None:
    if monitor.pane_ms % counted.length_ms == 0:
        return None
    wanted, stored = format_duration(monitor.pane_ms), format_duration(counted.length_ms)
    return f"panes of {wanted} cannot be made of stored ones of {stored}"


# ---------------------------------------------------------------- bins
def moved_by(reference: Reference, grid: Grid) -> Mapping[Column, float]:
    """How far (chi distance) each column of a reference is from itself, once counted on another grid."""
    usual = usual_of(reference)
    if usual is None or grid.id == reference.sketch.grid.id:
        return {}
    back = regrid_sketch(regrid_sketch(reference.sketch, grid), reference.sketch.grid)
    counts = usual.groups.counts(back)
    there = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
    here = usual.counts / np.maximum(usual.rows[:, None], 1.0)
    used = usual.proportions > 0
    apart = np.where(used, (there - here) ** 2 / np.where(used, usual.proportions, 1.0), 0.0).sum(axis=1)
    lost = counts.sum(axis=1) < 0.5 * usual.rows
    return dict(zip(usual.groups.columns, np.where(lost, np.inf, np.sqrt(apart)).tolist(), strict=True))


def _other_columns(asked: Asked, grid: Grid) -> str | None:
    if asked.reference is None:
        return None
    far = [column.name for column, far in moved_by(asked.reference, grid).items() if far > TOLERANCE]
    return f"the stored panes count {_named(far)} too coarsely for this reference" if far else None


def _other_bins(asked: Asked, grids: Iterable[Grid]) -> list[str]:
    if asked.reference is None:
        return []
    farthest = max(
        (max(moved_by(asked.reference, grid).values(), default=0.0) for grid in grids), default=0.0
    )
    if farthest < 5e-4:
        return []
    said = "some panes were counted on other bins than the reference's; interpolating them moves a column by up to"
    return [
        f"{asked.monitor.model}: {said} {farthest:.3f} (chi distance; {TOLERANCE:g} and less rings nothing)"
    ]


# ---------------------------------------------------------------- contracts
def _unknown_rules(monitor: Monitor, then: Sequence[ModelVersion], grid: Grid) -> str | None:
    checks = {r.name: r.check for r in monitor.contract.rules} if monitor.contract else {}
    counted: dict[str, set[str]] = {}
    for version in then:
        for rule in version.monitor.contract.rules if version.monitor.contract else ():
            counted.setdefault(rule.name, set()).add(rule.check)
    unknown = [
        name
        for name, check in checks.items()
        if rule_column(name) not in grid.number_at or counted.get(name, {check}) != {check}
    ]
    return f"the stored panes do not count the rule {_named(unknown)} as it is written" if unknown else None


def _bounds_between(monitor: Monitor, grid: Grid) -> str | None:
    promises = monitor.contract.features if monitor.contract else {}
    between = [name for name, promise in promises.items() if not _is_exact(name, promise, grid)]
    return (
        f"what the contract promises of {_named(between)} lies between the stored bins" if between else None
    )


def _is_exact(name: str, promise: Promise, grid: Grid) -> bool:
    at = grid.number_at.get(Column(Role.FEATURE, name))
    wanted = edges_of(promise)
    return len(wanted) == 0 or (at is not None and bool(np.isin(wanted, grid.numbers[at].edges).all()))


# ---------------------------------------------------------------- rows and segments
def _other_rows(monitor: Monitor, then: Sequence[ModelVersion]) -> list[str]:
    """What decides which rows are counted cannot be undone."""
    changed = [
        name.removesuffix("_ms")
        for name in _TAKEN_BY
        if any(getattr(version.monitor, name) != getattr(monitor, name) for version in then)
    ]
    if not changed:
        return []
    return [f"{monitor.model}: the panes hold the events that another {_named(changed)} let in"]


def segments_in(
    monitor: Monitor, first_of: Callable[[str], int | None], first_ms: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Problems and notes about the segments, given where the first pane of each begins, and the first of all."""
    problems, notes = [], []
    for name in monitor.segments:
        since = first_of(name)
        if since is None:
            problems.append(f"{monitor.model}: the stored panes do not count the segment {name!r}; {LOG}")
        elif since > first_ms:
            notes.append(f"{monitor.model}: the segment {name!r} is counted only from {iso(since)} on")
    return tuple(problems), tuple(notes)


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:_MOST_NAMED])
    return shown if len(names) <= _MOST_NAMED else f"{shown} and {len(names) - _MOST_NAMED} more"
