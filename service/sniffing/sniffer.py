"""Records of a topic, looked at one by one: models, their fields and answers, and what is no event and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median

import numpy as np
from msgspec import UNSET

from service.intake.limits import Limits
from service.intake.loose import LooseEvent, read_event
from service.intake.rejection import Rejected
from service.intake.source import Cut, Records
from service.intake.timestamps import BAD, parse_timestamps
from service.messages import Reason
from service.monitor import Monitor
from service.names import clean_name
from service.sniffing.column import Column, shown_text
from service.sniffing.found import (
    FieldFound,
    LabelsFound,
    ModelFound,
    RejectedFound,
    TopicFound,
)
from service.sniffing.rhythm import rhythm_of
from service.sniffing.task import Answers

MOST_MODELS = 50
MOST_FIELDS = 300
MOST_TAGS = 50
MOST_VERSIONS = 50
_LONGEST_DETAIL = 300
_LABEL = "label"
_SKEW_MS = Monitor("").max_future_skew_ms
_CONFLUENT = b"\x00\x00\x00"
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


@dataclass
class _Times:
    """The event times of one model in one partition."""

    events: int = 0
    first_ms: int = BAD
    last_ms: int = BAD

    def add(self, ts_ms: int) -> None:
        self.first_ms = ts_ms if not self.events else min(self.first_ms, ts_ms)
        self.last_ms = max(self.last_ms, ts_ms)
        self.events += 1

    @property
    def per_second(self) -> float | None:
        span_ms = self.last_ms - self.first_ms
        return None if span_ms <= 0 else (self.events - 1) * 1_000 / span_ms


@dataclass
class _Model:
    """One model so far."""

    types: Counter[str] = field(default_factory=Counter)
    versions: dict[str, None] = field(default_factory=dict)
    answers: Answers = field(default_factory=Answers)
    features: dict[str, Column] = field(default_factory=dict)
    has_more_features: bool = False
    tags: dict[str, Column] = field(default_factory=dict)
    times: dict[int, _Times] = field(default_factory=dict)
    predicted_ms: dict[str, int] = field(default_factory=dict)
    labelled_ms: dict[str, int] = field(default_factory=dict)

    def add(self, event: LooseEvent, ts_ms: int, partition: int) -> None:
        self.types[event.kind] += 1
        if event.version is not None and len(self.versions) < MOST_VERSIONS:
            self.versions[shown_text(str(event.version))] = None
        if event.kind == _LABEL:
            self.answers.true.add(None if event.label is UNSET else event.label)
            if event.id is not None:
                self.labelled_ms[str(event.id)] = ts_ms
            return
        self.times.setdefault(partition, _Times()).add(ts_ms)
        if event.id is not None:
            self.predicted_ms[str(event.id)] = ts_ms
        if event.prediction is not UNSET:
            self.answers.add_prediction(event.prediction)
        self.has_more_features |= _gather(self.features, event.features, MOST_FIELDS)
        _gather(self.tags, event.tags, MOST_TAGS)

    def found(self, name: str, share: float) -> ModelFound:
        """What was seen of it in this share of the partitions."""
        task, why = self.answers.task()
        rows = self.types.total() - self.types[_LABEL]
        times = [one for one in self.times.values() if one.events]
        rates = [rate for one in times if (rate := one.per_second) is not None]
        return ModelFound(
            name, self.types.total(), dict(self.types.most_common()), tuple(self.versions),
            min((one.first_ms for one in times), default=None), max((one.last_ms for one in times), default=None),
            task, why, dict(self.answers.forms.most_common()), self._labels(),
            rhythm_of(sum(rates) / share if rates else None), _fields(self.features, rows), self.has_more_features,
            _fields(self.tags, rows),
        )  # fmt: skip

    def _labels(self) -> LabelsFound:
        delays = [at - self.predicted_ms[i] for i, at in self.labelled_ms.items() if i in self.predicted_ms]
        late = max(0, round(median(delays))) if delays else None
        classes = tuple(map(shown_text, self.answers.classes()))
        return LabelsFound(self.types[_LABEL], len(delays), late, classes)


@dataclass
class Sniffer:
    """Takes records in any order and says what they hold; memory grows with names, not with records' values."""

    topic: str
    partitions: int
    limits: Limits = field(default_factory=Limits)
    _models: dict[str, _Model] = field(default_factory=dict)
    _more_models: set[str] = field(default_factory=set)
    _rejected: dict[Reason, tuple[int, str, str]] = field(default_factory=dict)
    _records: int = 0
    _tombstones: int = 0
    _first_bad: bytes = b""

    def add(self, records: Records) -> None:
        """Look at these, too."""
        for value, record_ms in zip(records.values, records.timestamps_ms.tolist(), strict=True):
            self._records += 1
            if value is None:
                self._tombstones += 1
                continue
            try:
                self._take(value, record_ms, records.partition.number)
            except Rejected as why:
                self._refuse(why, value)

    def _take(self, value: bytes, record_ms: int, partition: int) -> None:
        if isinstance(value, Cut) or len(value) > self.limits.event_bytes:
            raise Rejected(Reason.TOO_LARGE, f"at most {self.limits.event_bytes} bytes are read")
        event = read_event(value, self.limits, nonfinite_as_missing=True)
        ts_ms = int(parse_timestamps([event.ts], "auto", np.array([record_ms], np.int64))[0])
        if ts_ms == BAD:
            raise Rejected(Reason.BAD_TIMESTAMP, "`ts` cannot be read, and the record has no time of its own")
        if 0 <= record_ms < ts_ms - _SKEW_MS:
            ahead = (ts_ms - record_ms) // 1000
            raise Rejected(Reason.FUTURE_TIMESTAMP, f"event time is {ahead} s after the record's own time")
        if event.model in self._models or len(self._models) < MOST_MODELS:
            self._models.setdefault(event.model, _Model()).add(event, ts_ms, partition)
        elif len(self._more_models) < 10 * MOST_MODELS:
            self._more_models.add(event.model)

    def _refuse(self, why: Rejected, value: bytes) -> None:
        self._first_bad = self._first_bad or bytes(value[:64])
        count, detail, example = self._rejected.get(why.reason, (0, "", ""))
        if not count:
            detail, example = shown_text(why.detail, _LONGEST_DETAIL), shown_text(value)
        self._rejected[why.reason] = count + 1, detail, example

    def found(self, looked_at: int) -> TopicFound:
        """All that was seen in so many partitions, the busiest model and the most frequent reason first."""
        share = looked_at / self.partitions
        models = [one.found(name, share) for name, one in self._models.items()]
        models.sort(key=lambda one: (-one.events, one.model))
        rejected = [RejectedFound(reason.value, *rest) for reason, rest in self._rejected.items()]
        rejected.sort(key=lambda one: -one.records)
        return TopicFound(
            self.topic, self.partitions, self._records, self._tombstones,
            self._format(sum(one.records for one in rejected)), tuple(models), len(self._more_models),
            tuple(rejected), looked_at,
        )  # fmt: skip

    def _format(self, bad: int) -> str:
        if not self._records:
            return "the topic has no records yet"
        if self._models:
            share = bad / self._records
            return "driftbell events, as JSON" + (
                f"; {_share_said(share)} of the records are none" if bad else ", all of them readable"
            )
        return _foreign(self._first_bad, set(self._rejected))


def _share_said(share: float) -> str:
    """In percent; what there is, is never said to be nothing."""
    return f"{100 * share:.1f} %" if share >= 0.001 else "less than 0.1 %"


def _foreign(start: bytes, reasons: set[Reason]) -> str:
    """Records of which none is an event: what they seem to be, and what to do."""
    advice = "events must be JSON objects with `type`, `model` and `features`"
    if reasons and reasons <= {Reason.MISSING_FIELD, Reason.UNKNOWN_TYPE, Reason.BAD_FIELD, Reason.BAD_NAME}:
        return f"JSON objects, but no driftbell events; {advice}"
    if start.startswith((_GZIP, _ZSTD)):
        return f"values that were compressed one by one; let Kafka's producer compress instead: {advice}"
    if start.startswith(_CONFLUENT):
        return f"a schema registry's binary format (Avro or Protobuf); {advice}"
    return f"no driftbell events; {advice}" if reasons else "tombstones only"


def _gather(columns: dict[str, Column], values: Mapping[str, object], most: int) -> bool:
    """Count them in their columns; whether some found no room any more."""
    is_full = False
    for raw, value in values.items():
        name = clean_name(raw)
        if name is None:
            continue
        if name not in columns and len(columns) >= most:
            is_full = True
            continue
        columns.setdefault(name, Column()).add(value)
    return is_full


def _fields(columns: Mapping[str, Column], rows: int) -> tuple[FieldFound, ...]:
    return tuple(columns[name].found(name, rows) for name in sorted(columns))
