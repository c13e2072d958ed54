"""What monitors, their versions and references mean, in plain dictionaries: the model that the store is held to."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field

from service.configuration import ALWAYS_MS
from service.monitor import Monitor
from service.sketches.grids import EMPTY_GRID_ID
from service.store.configuration import StoredReference

SETTLE_MS = 30_000


@dataclass
class Entry:
    """One version of a model."""

    monitor: Monitor
    grid_id: str
    since_ms: int
    is_learned: bool = False


@dataclass
class Ledger:
    """All versions by model, all references by name, and how far event time has come."""

    models: dict[str, list[Entry]] = field(default_factory=dict)
    references: dict[str, StoredReference] = field(default_factory=dict)
    revision: int = 0
    highest_ms: int = 0

    def copy(self) -> Ledger:
        """One that goes its own way."""
        return Ledger(deepcopy(self.models), dict(self.references), self.revision, self.highest_ms)

    def apply(
        self, monitors: Sequence[Monitor], references: Sequence[StoredReference], now_ms: int
    ) -> list[tuple[str, str, int]] | None:
        """What is answered for each monitor; None when one names a reference that there is not."""
        known = self.references.keys() | {one.name for one in references}
        if any(m.reference is not None and m.reference not in known for m in monitors):
            return None
        replaced = [self._put(one) for one in references]
        border_ms = max(now_ms, self.highest_ms) + SETTLE_MS
        answers = [self._apply(monitor, border_ms) for monitor in monitors]
        self.revision += any(replaced) or any(action != "unchanged" for _, action, _ in answers)
        return answers

    def store(self, one: StoredReference) -> None:
        """Put a reference; who replaces one tells all readers."""
        self.revision += self._put(one)

    def learn(self, names: Sequence[str]) -> None:
        """Models that were met in the log."""
        new = [name for name in names if name not in self.models]
        for name in new:
            self.models[name] = [Entry(Monitor(name), EMPTY_GRID_ID, ALWAYS_MS, is_learned=True)]
        self.revision += bool(new)

    def _put(self, one: StoredReference) -> bool:
        before = self.references.get(one.name)
        if before is not None and (before.profile, before.grid.id) == (one.profile, one.grid.id):
            return False
        self.references[one.name] = one
        return before is not None

    def _apply(self, monitor: Monitor, border_ms: int) -> tuple[str, str, int]:
        versions = self.models.setdefault(monitor.model, [])
        grid_id = self.references[monitor.reference].grid.id if monitor.reference else EMPTY_GRID_ID
        if not versions:
            versions.append(Entry(monitor, grid_id, ALWAYS_MS))
            return monitor.model, "created", ALWAYS_MS
        last = versions[-1]
        if (last.monitor, last.grid_id) == (monitor, grid_id):
            action, last.is_learned = "changed" if last.is_learned else "unchanged", False
            return monitor.model, action, last.since_ms
        since_ms = max(border_ms, last.since_ms)
        since_ms += -since_ms % monitor.pane_ms
        versions.append(Entry(monitor, grid_id, since_ms))
        return monitor.model, "changed", since_ms
