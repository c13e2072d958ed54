"""What was found in a topic: plain values for tables, pages and programs; every text of it is safe to show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from service.monitor import Task, WindowSpec


class FieldKind(StrEnum):
    """What the values of a feature or tag look like. An `id` tells rows apart and is no feature of them."""

    NUMBER = "number"
    CATEGORY = "category"
    ID = "id"
    OTHER = "other"


class PredictionForm(StrEnum):
    """How predictions are written."""

    NONE = "none"
    NUMBER = "number"
    TEXT = "text"
    LABEL = "label"
    SCORE = "score"
    SCORES = "scores"
    VALUE = "value"


@dataclass(frozen=True, slots=True)
class FieldFound:
    """One feature or tag. `missing_ratio` is the share of rows without it, in any of the six ways.

    `distinct` is None beyond what is counted. `is_segment`: it has few values, each with enough rows to compare.
    """

    name: str
    kind: FieldKind
    missing_ratio: float
    distinct: int | None
    examples: tuple[str, ...]
    low: float | None = None
    high: float | None = None
    is_segment: bool = False


@dataclass(frozen=True, slots=True)
class LabelsFound:
    """The labels, how many of them belong to predictions that were read, and how much later those came."""

    labels: int = 0
    joined: int = 0
    median_delay_ms: int | None = None
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How fast events come, and the panes and windows that fit; `why` is a sentence."""

    events_per_second: float | None
    pane_ms: int
    windows: tuple[WindowSpec, ...]
    why: str


@dataclass(frozen=True, slots=True)
class ModelFound:
    """One model of the topic. `has_more_features`: it has more than were looked at."""

    model: str
    events: int
    types: Mapping[str, int]
    versions: tuple[str, ...]
    first_ms: int | None
    last_ms: int | None
    task: Task
    task_why: str
    predictions: Mapping[PredictionForm, int]
    labels: LabelsFound
    rhythm: Rhythm
    features: tuple[FieldFound, ...] = ()
    has_more_features: bool = False
    tags: tuple[FieldFound, ...] = ()


@dataclass(frozen=True, slots=True)
class RejectedFound:
    """Records that are no events: why, how many, what the first says, and how it begins."""

    reason: str
    records: int
    detail: str
    example: str


@dataclass(frozen=True, slots=True)
class TopicFound:
    """All that was found. `format` is a sentence; `more_models` were met and not looked at.

    `looked_at`: so many of the partitions; there may be more than are looked at, or time for.
    """

    topic: str
    partitions: int
    records: int
    tombstones: int
    format: str
    models: tuple[ModelFound, ...] = ()
    more_models: int = 0
    rejected: tuple[RejectedFound, ...] = field(default=())
    looked_at: int = 0

    @property
    def events(self) -> int:
        """Records that are events."""
        return self.records - self.tombstones - sum(one.records for one in self.rejected)

    def model(self, name: str) -> ModelFound | None:
        """One of the models."""
        return next((one for one in self.models if one.model == name), None)
