"""What is in force for a model at an event time: its monitor and the grid that its columns are counted on.

A change is a new version that takes effect at a pane's border, so that a replay decides every row as the live run did.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service.sketches.grids import Grid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from service.monitor import Monitor

ALWAYS_MS = -(2**62)
"""The start of a model's first version: it holds for all earlier event times too."""


@dataclass(frozen=True)
class ModelVersion:
    """One version of a model's configuration, in force from `since_ms` until the next one."""

    monitor: Monitor
    grid: Grid
    number: int = 1
    since_ms: int = ALWAYS_MS
    reference_name: str | None = None

    @property
    def model(self) -> str:
        """The model's name."""
        return self.monitor.model


@dataclass(frozen=True)
class Configuration:
    """All models' versions, oldest first, as of one revision of the store; `learned` of them nobody has asked for."""

    models: Mapping[str, Sequence[ModelVersion]] = field(default_factory=dict)
    revision: int = 0
    learned: int = 0

    def latest(self, model: str) -> ModelVersion | None:
        """The newest version of a model; None for an unknown model."""
        versions = self.models.get(model)
        return versions[-1] if versions else None

    def at(self, model: str, ts_ms: int) -> ModelVersion | None:
        """The version in force at an event time."""
        return next((v for v in reversed(self.models.get(model, ())) if v.since_ms <= ts_ms), None)

    def numbered(self, model: str, number: int) -> ModelVersion:
        """A version by its number; it must exist."""
        return next(v for v in self.models[model] if v.number == number)
