"""The next step of a model's evaluation: which windows are due, and which late rows have touched since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from service.alerting.state import FoldState, state_from_bytes
from service.evaluation.results import ALWAYS_MS, NEVER_MS, WindowId
from service.messages import WindowKey, WindowTotal
from service.monitor import WindowSpec
from service.scoring.windows import Due, PaneRows, due_windows

if TYPE_CHECKING:
    from service.configuration import Configuration, ModelVersion
    from service.evaluation.results import Results
    from service.messages import Loss, SliceResult
    from service.monitor import Monitor

GRACE_MS = 3_600_000
"""Panes this much older than the allowed lateness are still looked at for late rows (of a partition that was idle)."""
_UNKNOWN = WindowTotal()


@dataclass(frozen=True, slots=True)
class Plan:
    """One step: the windows to score (new or restated), the panes' rows, and what is known of evaluated windows.

    `newest` is the fold's state after the last window that is evaluated, `before` the one to begin with.
    """

    windows: Mapping[WindowId, Due]
    panes: PaneRows
    position_ms: int
    before: FoldState
    newest: FoldState
    log_end_ms: int | None = None
    losses: Sequence[Loss] = ()
    known: Mapping[WindowId, WindowTotal] = field(default_factory=dict)
    stored: Mapping[WindowId, Sequence[SliceResult]] = field(default_factory=dict)

    @property
    def restates(self) -> bool:
        """Whether windows that were evaluated before are folded again."""
        return bool(self.stored)

    def rows_of(self, key: WindowKey) -> int:
        """Rows to score in this window; 0 of one without any, and of one that stays as it is stored."""
        window = self.windows.get((key.end_ms, key.window))
        return self.panes.within(window) if window is not None else 0

    def revision_after(self, window: WindowId) -> int:
        """The number of a window's next revision; the first is 0."""
        last = max((s.revision for s in self.stored.get(window, ())), default=-1)
        return 1 + max(last, self.known.get(window, _UNKNOWN).revision)

    def is_whole(self, end_ms: int) -> bool:
        """Whether the log goes on to this end of a window."""
        return self.log_end_ms is None or end_ms <= self.log_end_ms


@dataclass(frozen=True)
class Planning:
    """What a step may take: of a model in its latest version, to a watermark, about so many windows.

    With `log_end_ms` the log has ended there, and windows beyond the watermark are due, too.
    """

    configuration: Configuration
    version: ModelVersion
    results: Results
    watermark_ms: int
    log_end_ms: int | None
    most_windows: int

    @cached_property
    def horizon_ms(self) -> int:
        """The earliest event time that late rows can still touch."""
        position = self.results.position_ms()
        return NEVER_MS if position is None else position - reach_ms(self.version.monitor)

    @cached_property
    def _kinds(self) -> Sequence[WindowSpec]:
        return (*self.version.monitor.windows, *fast_windows(self.version.monitor))

    @cached_property
    def _panes(self) -> PaneRows:
        return PaneRows(self.results.pane_totals(self.horizon_ms))

    def plan(self) -> Plan | None:
        """The next step; None when there is nothing to do."""
        position, starts = self.results.position_ms(), self._panes.starts
        after = position if position is not None else starts[0] if starts else self.watermark_ms
        due = self._due(after)
        reached = max((w.end_ms for w in due), default=after)
        losses = self.results.losses(self.horizon_ms)
        if position is None:
            windows = {_id(w): w for w in due}
            nothing = FoldState()
            made = Plan(windows, self._panes, reached, nothing, nothing, self.log_end_ms, losses)
            return made if windows else None
        newest = state_from_bytes(self.results.state_before(ALWAYS_MS))
        known = self.results.window_totals(self.horizon_ms)
        restated = self._restated(position, known, newest, losses)
        windows = {_id(w): w for w in [*restated, *due]}
        if not windows:
            return None
        stored = self.results.stored(restated[0].end_ms) if restated else {}
        first = min(w.end_ms for w in windows.values())
        before = state_from_bytes(self.results.state_before(first))
        return Plan(windows, self._panes, reached, before, newest, self.log_end_ms, losses, known, stored)

    def _due(self, after: int) -> list[Due]:
        starts, until = self._panes.starts, self.watermark_ms
        if self.log_end_ms is not None and starts:
            until = max(self.log_end_ms, starts[-1] + max(s.length_ms for s in self._kinds))
        due = due_windows(self._kinds, starts, after, until)
        if self.log_end_ms is not None:
            reaches = max(self.log_end_ms, self.watermark_ms)
            due = [w for w in due if w.end_ms <= reaches or self._panes.within(w)]
        return _first_ends(due, self.most_windows)

    def _restated(
        self, position_ms: int, known: Mapping[WindowId, WindowTotal], newest: FoldState, losses: Sequence[Loss]
    ) -> list[Due]:  # fmt: skip
        """The windows that late rows have touched, and all that were folded after the first of them."""
        horizon = self.horizon_ms
        before = [
            w
            for w in due_windows(self._kinds, self._panes.starts, horizon, position_ms)
            if w.start_ms >= horizon
        ]
        touched = [w.start_ms for w in before if self._is_touched(w, known, newest, losses)]
        if not touched:
            return []
        first = min(touched)  # kinds of short windows end within long ones
        return [w for w in before if w.end_ms > first]

    def _is_touched(
        self, window: Due, known: Mapping[WindowId, WindowTotal], newest: FoldState, losses: Sequence[Loss]
    ) -> bool:
        rows = self._panes.within(window)
        if window.spec not in self.version.monitor.windows:
            return rows != newest.glanced.get(window.end_ms, rows)
        now = WindowTotal(rows, incomplete=self._is_incomplete(window, losses))
        return bool(rows) and now != replace(known.get(_id(window), _UNKNOWN), revision=_UNKNOWN.revision)

    def _is_incomplete(self, window: Due, losses: Sequence[Loss]) -> bool:
        """Whether the log lost some of its rows, or ends within it."""
        if self.log_end_ms is not None and window.end_ms > self.log_end_ms:
            return True
        monitor = in_force(self.configuration, self.version.model, window.end_ms).monitor
        return bool(losses and losses_in(window, losses, monitor.disorder_ms))


def in_force(configuration: Configuration, model: str, end_ms: int) -> ModelVersion:
    """The version of a window's last event."""
    return configuration.at(model, end_ms - 1) or configuration.models[model][0]


def reach_ms(monitor: Monitor) -> int:
    """How far back late rows can reach."""
    longest = max(spec.length_ms for spec in monitor.windows)
    return longest + monitor.allowed_lateness_ms + monitor.disorder_ms + GRACE_MS


def fast_windows(monitor: Monitor) -> tuple[WindowSpec, ...]:
    """The pane as a window of its own, for what need not wait for a window's end; none where a window is a pane."""
    pane = WindowSpec.tumbling(monitor.pane_ms)
    return () if any(spec.length_ms == monitor.pane_ms for spec in monitor.windows) else (pane,)


def losses_in(window: WindowKey | Due, losses: Sequence[Loss], disorder_ms: int) -> Sequence[Loss]:
    """What is missing of this window. Rows that came out of order may be missing a little before the gap, too."""
    return [
        one
        for one in losses
        if (one.from_ms is None or one.from_ms - disorder_ms < window.end_ms)
        and (one.until_ms is None or one.until_ms >= window.start_ms)
    ]


def _id(window: Due) -> WindowId:
    return window.end_ms, window.spec.name


def _first_ends(due: list[Due], most: int) -> list[Due]:
    """The first so many windows, and those that end with the last of them: an end is evaluated as a whole."""
    return due if len(due) <= most else [w for w in due if w.end_ms <= due[most - 1].end_ms]
