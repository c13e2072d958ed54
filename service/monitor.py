"""What to watch for one model: the frozen values that every stage reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Literal

from service.promises import ByFeature, Contract, Promise, RowRule

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

FeatureKind = Literal["numeric", "categorical"]
Nonfinite = Literal["reject", "missing"]
Severity = Literal["page", "ticket", "info"]
TimestampUnit = Literal["auto", "s", "ms", "us", "ns"]

_UNITS_MS = {"d": DAY_MS, "h": HOUR_MS, "m": MINUTE_MS, "s": SECOND_MS, "ms": 1}
# At most 15 digits a unit, so that hostile text cannot make a huge number.
_DURATION = re.compile("".join(rf"(?:([0-9]{{1,15}}){unit})?" for unit in _UNITS_MS))


def parse_duration(text: str) -> int:
    """The milliseconds of a text such as "5m" or "1h30m"; a ValueError says what to write instead."""
    parts = _DURATION.fullmatch(text)
    if not text or parts is None:
        raise ValueError("write a duration such as 5m, 1h or 30s")
    counts = (int(count or 0) for count in parts.groups())
    return sum(count * unit_ms for count, unit_ms in zip(counts, _UNITS_MS.values(), strict=True))


def format_duration(duration_ms: int) -> str:
    """The shortest text that `parse_duration` reads back, largest unit first."""
    parts, rest_ms = [], duration_ms
    for unit, unit_ms in _UNITS_MS.items():
        count, rest_ms = divmod(rest_ms, unit_ms)
        parts.append(f"{count}{unit}" if count else "")
    return "".join(parts) or "0s"


class Task(StrEnum):
    """What the model predicts; NONE watches its inputs only."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class WindowSpec:
    """Consecutive panes scored together: `length_ms` of them, anew every `every_ms`; tumbling when equal."""

    length_ms: int
    every_ms: int

    @classmethod
    def tumbling(cls, length_ms: int) -> WindowSpec:
        """A window that starts where the one before it ended."""
        return cls(length_ms, length_ms)

    @property
    def name(self) -> str:
        """How tables and metrics call it: "5m", or "1h/5m" when it slides."""
        length = format_duration(self.length_ms)
        return length if self.length_ms == self.every_ms else f"{length}/{format_duration(self.every_ms)}"


@dataclass(frozen=True, slots=True)
class Budget:
    """How many false pages a model may cause in `per_ms`; every limit follows from it."""

    false_pages: float = 1.0
    per_ms: int = 30 * DAY_MS


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """Hysteresis: windows over the limit to fire, and windows under `clear_ratio` of it to clear."""

    for_windows: int = 1
    clear_windows: int = 2
    clear_ratio: float = 0.8


@dataclass(frozen=True, slots=True)
class LabelPolicy:
    """How long a prediction waits for its label, and which share of the inference ids is joined at all.

    The same ids on both sides, chosen by their hash, so that rates stay what they are; of a model of which more than
    `most_waiting` rows wait, the sample is halved. `positive` is the class of a
    binary model that its score is the probability of. `detectors` look at the error rates of windows besides what
    always does; they keep no budget.
    """

    wait_ms: int = 30 * DAY_MS
    sample: float = 1.0
    most_waiting: int = 1_000_000
    positive: str | None = None
    detectors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FeedbackPolicy:
    """How many predictions a day a person is asked to label, and which share of them for which reason; 0: none.

    Only then are inference ids, features and answers of single predictions kept at all.
    """

    per_day: int = 0
    uncertain: float = 0.5
    surprising: float = 0.3
    random: float = 0.2

    @property
    def shares(self) -> Mapping[str, float]:
        """By reason; they sum to 1."""
        return {"uncertain": self.uncertain, "surprising": self.surprising, "random": self.random}


@dataclass(frozen=True, slots=True)
class FeatureOverride:
    """What a person decided about one feature; None leaves it to the reference and the budget.

    `importance` is how much the model leans on it beside the others, which count 1: more of the budget goes there.
    """

    kind: FeatureKind | None = None
    methods: tuple[str, ...] | None = None
    tolerance: float | None = None
    ignore: bool = False
    severity: Severity | None = None
    importance: float | None = None


@dataclass(frozen=True, slots=True)
class Monitor:
    """What to watch for one model. A `silence_after_ms` of None is learned from the traffic."""

    model: str
    task: Task = Task.NONE
    reference: str | None = None
    pane_ms: int = MINUTE_MS
    windows: tuple[WindowSpec, ...] = (WindowSpec.tumbling(5 * MINUTE_MS), WindowSpec.tumbling(HOUR_MS))
    allowed_lateness_ms: int = 10 * MINUTE_MS
    disorder_ms: int = 5 * SECOND_MS
    max_future_skew_ms: int = 5 * MINUTE_MS
    idle_after_ms: int = 30 * SECOND_MS
    silence_after_ms: int | None = None
    budget: Budget = Budget()
    segments: tuple[str, ...] = ()
    ts_unit: TimestampUnit = "auto"
    nonfinite: Nonfinite = "reject"
    methods: tuple[str, ...] | None = None
    features: Mapping[str, FeatureOverride] = field(default_factory=lambda: ByFeature({}))
    alerts: AlertPolicy = AlertPolicy()
    contract: Contract | None = None
    labels: LabelPolicy = LabelPolicy()
    feedback: FeedbackPolicy = FeedbackPolicy()

    def __post_init__(self) -> None:
        object.__setattr__(self, "features", ByFeature(self.features))


def key_of(attribute: str) -> str:
    """What a monitor's attribute is called in a document: durations there carry their unit in the value."""
    return attribute.removesuffix("_ms")


def to_document(monitor: Monitor) -> dict[str, object]:
    """Plain values, as YAML or JSON holds them below the model's name: what differs from the defaults."""
    return _differences(monitor, Monitor(monitor.model))


_Described = (
    Monitor
    | Budget
    | AlertPolicy
    | LabelPolicy
    | FeedbackPolicy
    | FeatureOverride
    | Contract
    | Promise
    | RowRule
)


def _differences(described: _Described, usual: _Described) -> dict[str, object]:
    values = {one.name: getattr(described, one.name) for one in fields(described)}
    return {
        key_of(attribute): format_duration(value) if attribute.endswith("_ms") else _plain(value)
        for attribute, value in values.items()
        if value != getattr(usual, attribute)
    }


def _plain(value: object) -> object:
    match value:
        case StrEnum():
            return value.value
        case WindowSpec(length_ms, every_ms) if length_ms != every_ms:
            return {"length": format_duration(length_ms), "every": format_duration(every_ms)}
        case WindowSpec():
            return value.name
        case (
            Budget()
            | AlertPolicy()
            | LabelPolicy()
            | FeedbackPolicy()
            | FeatureOverride()
            | Contract()
            | Promise()
            | RowRule()
        ):
            return _differences(value, type(value)())
        case Mapping():
            return {name: _plain(value[name]) for name in sorted(value)}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
