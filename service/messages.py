"""The values that cross the borders between stages, and the closed sets of words in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray


class Outcome(StrEnum):
    """Where a record ended; each record has exactly one, and they sum to the records consumed."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    LATE = "late"
    DEAD = "dead"
    TOMBSTONE = "tombstone"


class Reason(StrEnum):
    """Why a record became a dead letter."""

    EMPTY_VALUE = "empty_value"
    TOO_LARGE = "too_large"
    BAD_UTF8 = "bad_utf8"
    LONE_SURROGATE = "lone_surrogate"
    TOO_DEEP = "too_deep"
    NONFINITE_NUMBER = "nonfinite_number"
    NUMBER_OUT_OF_RANGE = "number_out_of_range"
    BAD_JSON = "bad_json"
    NOT_AN_OBJECT = "not_an_object"
    UNKNOWN_TYPE = "unknown_type"
    MISSING_FIELD = "missing_field"
    BAD_FIELD = "bad_field"
    BAD_NAME = "bad_name"
    TOO_WIDE = "too_wide"
    UNKNOWN_MODEL = "unknown_model"
    BAD_TIMESTAMP = "bad_timestamp"
    FUTURE_TIMESTAMP = "future_timestamp"
    KILLS_PROCESS = "kills_process"


class UnknownModels(StrEnum):
    """What to do with events of a model that no monitor names."""

    LEARN = "learn"
    QUARANTINE = "quarantine"
    IGNORE = "ignore"


class Missing(IntEnum):
    """The six kinds of missing; a number column holds them as NaN with this payload."""

    NULL = 0
    ABSENT = 1
    NAN = 2
    INFINITE = 3
    EMPTY = 4
    WRONG_TYPE = 5


NOT_APPLICABLE = 6
"""The payload of a cell that this row does not speak of (a prediction column in a `features` event)."""


class Role(StrEnum):
    """What a column holds."""

    FEATURE = "feature"
    PREDICTION = "prediction"
    SCORE = "score"
    LATENCY = "latency_ms"
    RULE = "rule"
    LABEL = "label"


class Column(NamedTuple):
    """Names a column of a model. The name of a column that is no feature is its role."""

    role: Role
    name: str


PREDICTION = Column(Role.PREDICTION, Role.PREDICTION.value)
SCORE = Column(Role.SCORE, Role.SCORE.value)
LATENCY = Column(Role.LATENCY, Role.LATENCY.value)
LABEL = Column(Role.LABEL, Role.LABEL.value)


class Stream(StrEnum):
    """Inferences (prediction and features events) and labels are two streams of one model."""

    INFERENCE = "inference"
    LABEL = "label"


@dataclass(frozen=True, slots=True)
class TextColumn:
    """A dictionary-encoded column: row i holds `values[codes[i]]`, a text, a `Missing`, or NOT_APPLICABLE."""

    codes: NDArray[np.int32]
    values: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class ExtraColumn:
    """A column that the model's grid does not name. A row has its number or its text, the other is NOT_APPLICABLE."""

    numbers: NDArray[np.float64] | None
    texts: TextColumn | None


@dataclass(frozen=True, slots=True)
class Batch:
    """n accepted-or-not-yet-decided rows of one model and stream, as columns in the order of the model's grid.

    `numbers` is (number columns, n), missing cells are NaN with a `Missing` payload. `ids` are 64-bit hashes of the
    inference ids, 0 where there is none. `configuration` is the number of the model's version whose grid it is.
    `extras` holds the columns that the grid does not know, and the texts that stood where the grid expects numbers.
    `sent_ids` are the inference ids as they were sent, only of models whose predictions may be asked to be labelled.
    """

    model: str
    configuration: int
    stream: Stream
    offsets: NDArray[np.int64]
    ts_ms: NDArray[np.int64]
    ids: NDArray[np.uint64]
    versions: TextColumn
    numbers: NDArray[np.float64]
    texts: Sequence[TextColumn]
    extras: Mapping[Column, ExtraColumn] = field(default_factory=dict)
    segments: Mapping[str, TextColumn] = field(default_factory=dict)
    sent_ids: Sequence[str | int | None] | None = None

    def __len__(self) -> int:
        return len(self.offsets)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that cannot be used, with the start of its bytes and a reason that echoes no payload."""

    offset: int
    timestamp_ms: int
    key: bytes
    value: bytes
    size: int
    reason: Reason
    detail: str


class PaneKey(NamedTuple):
    """Names the sketch of one slice of a model's traffic in one pane. `segment` is '' for all, else 'name=value'."""

    model: str
    version: str
    segment: str
    start_ms: int


class FilterKey(NamedTuple):
    """Names the id filter of one model's stream in one pane."""

    model: str
    stream: Stream
    start_ms: int


class Partition(NamedTuple):
    """One ordered log: a topic's partition. `topic` of a file log is its folder's or file's name."""

    topic: str
    number: int


@dataclass(frozen=True, slots=True)
class PaneRow:
    """A pane's cumulative sketch as it is stored; `partition` is where it was read from, None before it is stored."""

    key: PaneKey
    end_ms: int
    grid_id: str
    inferences: int
    labels: int
    last_ms: int
    sketch: bytes
    partition: Partition | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class IdRows:
    """Hashes of inference ids that were counted since the last checkpoint."""

    key: FilterKey
    hashes: NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class JoinRows:
    """n rows of one model and stream that are joined by their inference id: predictions, or labels.

    `ids` are the hashes of inference ids, alike on both sides. `times_ms` are the starts of the predictions' panes,
    or the labels' event times. A row's class is `classes[class_codes]`, none at -1; its number is in `values`, its
    score in `scores`, NaN where there is none. A prediction belongs to `slices[slice_codes]`: its version, and then
    its segments; a label to none.
    """

    model: str
    stream: Stream
    ids: NDArray[np.uint64]
    times_ms: NDArray[np.int64]
    class_codes: NDArray[np.int32]
    classes: tuple[str, ...]
    values: NDArray[np.float64]
    scores: NDArray[np.float64]
    slice_codes: NDArray[np.int32]
    slices: tuple[tuple[str, ...], ...]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A prediction that a person may be asked to label, as it was sent. `priority` is the hash of its inference id.

    A feature that was sent as null, or is no usable number, is None; one that was not sent, or that the grid does not
    know, is not there. Those of a row with too much of them are left out altogether.
    """

    model: str
    version: str
    start_ms: int
    ts_ms: int
    offset: int
    priority: int
    inference_id: str
    features: Mapping[str, float | str | None]
    answer: Mapping[str, float | str]
    features_left_out: bool = False


@dataclass(frozen=True, slots=True)
class Counts:
    """How many records of a partition ended in each outcome; they sum to the records consumed."""

    accepted: int = 0
    duplicate: int = 0
    late: int = 0
    dead: int = 0
    tombstone: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.accepted + other.accepted,
            self.duplicate + other.duplicate,
            self.late + other.late,
            self.dead + other.dead,
            self.tombstone + other.tombstone,
        )

    @property
    def total(self) -> int:
        """Records consumed."""
        return self.accepted + self.duplicate + self.late + self.dead + self.tombstone


class LossKind(StrEnum):
    """Why records are missing: retention took them before us, or the log was cut off behind us."""

    LOST = "lost"
    TRUNCATED = "truncated"


@dataclass(frozen=True, slots=True)
class Loss:
    """`records` offsets from `offset` on that are missing, or that were counted and taken back by the log.

    Windows between `from_ms` (None: since ever) and `until_ms` (None: not known yet) of event time may miss rows.
    """

    offset: int
    records: int
    kind: LossKind
    from_ms: int | None
    until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What one transaction writes for one partition: state and position, together or not at all.

    `expected_offset` is what the last checkpoint left, `next_offset` the first record not yet counted here.
    `counts`, `lost` and `holes` (offsets that held no record) are since the last checkpoint, as are `capped` cells, by
    what was folded into `__other__`. Pane sketches are cumulative. `losses` are new or better known than before.
    `jumps` is how many rows right before `next_offset` were quarantined for their time. `healthy`: since the last
    checkpoint a stretch of records was good again, so that a person's word to read on has done its work.
    """

    partition: Partition
    expected_offset: int
    next_offset: int
    highest_ms: int
    counts: Counts
    panes: Sequence[PaneRow] = ()
    ids: Sequence[IdRows] = ()
    dead: Sequence[DeadLetter] = ()
    learned_models: Sequence[str] = ()
    lost: int = 0
    holes: int = 0
    losses: Sequence[Loss] = ()
    jumps: int = 0
    healthy: bool = False
    capped: Mapping[str, int] = field(default_factory=dict)
    joins: Sequence[JoinRows] = ()
    candidates: Sequence[Candidate] = ()


class WindowKey(NamedTuple):
    """Names one window of one slice: [start_ms, end_ms) of window kind `window` ('5m', '1h/5m')."""

    model: str
    version: str
    segment: str
    window: str
    start_ms: int
    end_ms: int


class Verdict(StrEnum):
    """What a finding says."""

    OK = "ok"
    DRIFT = "drift"
    TOO_LITTLE_DATA = "too_little_data"


class Finding(NamedTuple):
    """A score of one column in one window, with its limit and verdict.

    Larger is worse; `value` is in the method's unit.
    """

    column: Column | None
    method: str
    value: float | None
    limit: float | None
    p_value: float | None
    n: int
    m: int
    resolution: float
    verdict: Verdict
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class SliceResult:
    """One window of one slice, scored: what is stored and what alerts are folded from.

    `aggregate`: it only carries what is said of all versions together, beside the slices of each version.
    """

    key: WindowKey
    inferences: int
    labels: int
    findings: Sequence[Finding]
    revision: int = 0
    incomplete: bool = False
    aggregate: bool = False


@dataclass(frozen=True, slots=True)
class WindowTotal:
    """Of an evaluated window: its rows, its revision, and whether it is flagged incomplete."""

    rows: int = 0
    revision: int = -1
    incomplete: bool = False


class State(StrEnum):
    """An alert's state."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


class Severity(StrEnum):
    """A page wakes somebody, a ticket waits for the morning, info is only recorded."""

    PAGE = "page"
    TICKET = "ticket"
    INFO = "info"


class Cause(StrEnum):
    """What is broken, as said in alerts, metrics and routes."""

    MISSING = "missing"
    TYPE_CHANGE = "type_change"
    UNIT_CHANGE = "unit_change"
    RENAME = "rename"
    SWAP = "swap"
    DEFAULT_FILL = "default_fill"
    STUCK_FEATURE = "stuck_feature"
    NEW_CATEGORY = "new_category"
    CATEGORY_ENCODING = "category_encoding"
    OUT_OF_RANGE = "out_of_range"
    SCHEMA_CHANGE = "schema_change"
    DATA_DRIFT = "data_drift"
    PREDICTION_DRIFT = "prediction_drift"
    STUCK_PREDICTION = "stuck_prediction"
    SILENCE = "silence"
    LABEL_SILENCE = "label_silence"
    CONCEPT_DRIFT = "concept_drift"
    PERFORMANCE = "performance"
    CORRELATION_BREAK = "correlation_break"
    CLIPPING = "clipping"
    PRECISION_LOSS = "precision_loss"
    SUBGROUP_GAP = "subgroup_gap"
    VERSION_REGRESSION = "version_regression"
    BELOW_BASELINE = "below_baseline"
    LABEL_BIAS = "label_bias"
    LATENCY = "latency"
    PIPELINE = "pipeline"


@dataclass(frozen=True, slots=True)
class Alert:
    """A finding that lasted. `since_ms` is when the trouble began as far as is known, `at_ms` when it was known.

    `consequence`: it follows from another alert of its incident. `confidence` and `evidence` are the diagnosis' own,
    and what was seen of its effect on the answers.
    """

    id: str
    incident: str
    model: str
    version: str
    segment: str
    window: str
    column: Column | None
    rule: str
    cause: Cause
    severity: Severity
    state: State
    since_ms: int
    at_ms: int
    summary: str
    consequence: bool = False
    confidence: float | None = None
    evidence: Mapping[str, float | str] = field(default_factory=dict)

    @property
    def feature(self) -> str | None:
        """The column's name, None when the alert is about the whole slice."""
        return self.column.name if self.column else None

    def document(self) -> dict[str, object]:
        """The alert as it leaves driftbell: replay lines, webhook bodies, API answers. Times are ISO 8601 UTC."""
        name, _, value = self.segment.partition("=")
        return {
            "kind": "alert", "id": self.id, "incident": self.incident, "state": self.state.value,
            "severity": self.severity.value, "rule": self.rule, "cause": self.cause.value, "feature": self.feature,
            "segment": {name: value} if name else None, "model": self.model, "version": self.version,
            "window": self.window, "since": iso(self.since_ms), "at": iso(self.at_ms), "summary": self.summary,
            "consequence": self.consequence, "confidence": self.confidence, "evidence": dict(self.evidence),
        }  # fmt: skip


@dataclass
class Evaluated:
    """What one step of evaluation found: results, alert changes, and states to resume from, in the order of windows."""

    position_ms: int
    results: list[SliceResult] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    states: list[tuple[int, bytes]] = field(default_factory=list)
    keep_states_after_ms: int = -(2**62)


def iso(ms: int) -> str:
    """Milliseconds since 1970 as ISO 8601 in UTC."""
    at = datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)
    return at.isoformat(timespec="milliseconds" if ms % 1000 else "seconds").replace("+00:00", "Z")
