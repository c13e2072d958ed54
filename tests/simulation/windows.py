"""The real evaluation over what the simulated database holds, and what its windows must be like."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from service.evaluation.evaluation import Evaluation
from service.messages import SliceResult, WindowKey
from service.replay import MemoryResults
from service.store.watermarks import watermark_ms
from tests.fakes.checkpoints import GRID, MemoryCheckpoints
from tests.fakes.tables import Tables
from tests.simulation.cluster import Cluster

STALE_MS = 60_000
"""Longer than the confirmation of idleness and two looks at the log: what waits unread so long is no idleness."""

MOST_STEPS = 50
"""In one look; each step takes some hundred windows."""

Windows = dict[str, MemoryResults]


@dataclass
class Evaluating:
    """Closes and restates windows as far as the stored partitions allow. `objections` say what it should not have."""

    store: MemoryCheckpoints
    cluster: Cluster
    windows: Windows = field(default_factory=dict)
    objections: list[str] = field(default_factory=list)

    def turn(self) -> None:
        """One look at every model."""
        progress, now_ms = self.store.progress(), self.store.clock_ms()
        for model, versions in self.store.configuration().models.items():
            monitor = versions[-1].monitor
            reached = watermark_ms(progress, monitor.disorder_ms, now_ms, monitor.idle_after_ms)
            if reached is not None:
                self._object_to_haste(model, reached, monitor.idle_after_ms)
                self._evaluate(model, reached)

    def up_to(self, reached_ms: int) -> Windows:
        """All models' windows that end by then."""
        for model in self.store.configuration().models:
            self._evaluate(model, reached_ms)
        return self.windows

    def _evaluate(self, model: str, reached_ms: int) -> None:
        evaluation = Evaluation(self.store.configuration(), lambda _: None, lambda _: GRID)
        results = self.windows.setdefault(model, MemoryResults())
        fill(results, model, self.store.tables)
        for _ in range(MOST_STEPS):
            step = evaluation.advance(model, results, reached_ms)
            if step is None:
                return
            self._object_to_retreat(model, results, step.position_ms)
            results.save(step)
        self.objections.append(f"{model}: there is no end to what is evaluated up to {reached_ms}")

    def _object_to_haste(self, model: str, reached_ms: int, idle_after_ms: int) -> None:
        """No window may end after what a partition has come to, unless there was nothing to be read of it for long."""
        now_ms = self.store.clock_ms()
        for one in self.store.progress():
            is_behind = one.highest_ms is None or one.highest_ms < reached_ms
            if one.partition is None or not is_behind or not self.cluster.has(one.partition):
                continue
            if one.idle_ms is None or one.idle_ms < idle_after_ms:
                self.objections.append(f"{model}: the watermark is ahead of {one}, which is not idle")
            log, at = self.cluster.log(one.partition), self.store.tables.rows[one.partition].next_offset
            waiting = [r.written_ms for o, r in log.records.items() if o >= at]
            if waiting and now_ms - min(waiting) > STALE_MS + idle_after_ms:
                self.objections.append(f"{model}: {one} is called idle, with records unread for long")

    def _object_to_retreat(self, model: str, results: MemoryResults, position_ms: int) -> None:
        before = results.position_ms()
        if before is not None and position_ms < before:
            self.objections.append(f"{model}: windows were closed up to {before}, then only to {position_ms}")

    def snapshot(self) -> Windows:
        """The state as it is now, for `restore`."""
        return {model: _copy(results) for model, results in self.windows.items()}

    def restore(self, snapshot: Windows) -> None:
        """The database goes back to an older state."""
        self.windows = {model: _copy(results) for model, results in snapshot.items()}


def fill(results: MemoryResults, model: str, tables: Tables) -> None:
    """Take over the stored panes of a model, and what is missing of the partitions that they come from."""
    places = set()
    for (partition, key), row in tables.panes.items():
        if key.model == model:
            places.add(partition)
            results.put(partition, row)
    results.lost = [loss for (partition, *_), loss in sorted(tables.gaps.items()) if partition in places]


def at_once(store: MemoryCheckpoints, reached_ms: int) -> Windows:
    """The windows of a run that evaluates everything at the end."""
    return Evaluating(store, Cluster()).up_to(reached_ms)


def final(windows: Windows) -> dict[WindowKey, SliceResult]:
    """The last word on each window, without how often it was restated."""
    return {
        result.key: replace(result, revision=0, findings=tuple(result.findings))
        for results in windows.values()
        for slices in results.stored(-(2**62)).values()
        for result in slices
    }


def _copy(results: MemoryResults) -> MemoryResults:
    made = MemoryResults()
    for name, value in vars(results).items():
        setattr(made, name, _unshared(value))
    return made


def _unshared(value: Any) -> Any:
    """A copy that no later window can reach into; what lies in it is not changed by anybody."""
    if isinstance(value, dict):
        return {key: list(one) if isinstance(one, list) else one for key, one in value.items()}
    return list(value) if isinstance(value, list) else value
