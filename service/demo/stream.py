"""The demo's traffic: rows of real tables as prediction and label events, changed by the script. Pure.

Rows are drawn at random from those that the models were fitted on: the stream is stationary until the script
breaks it. In their own order the seasons of a year would ring within minutes, and rightly so.
The same seed, start and speed give the same bytes, in whatever steps they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from math import isnan
from typing import NamedTuple

import msgspec
import numpy as np

from service.demo.faults import LATER_ROWS, SILENT_MARKET, Fault, spoil
from service.demo.models import Answers, DemoModel
from service.demo.script import SCRIPT, Script
from service.demo.tables import Features
from service.messages import iso

TICK_SECONDS = 0.05
EVENTS_A_TICK = 8
"""Of each model: 320 predictions of both in a second of the script, and as many labels some seconds later."""

_LABEL_DELAY_SECONDS = (1.0, 5.0)
_BAD_EVENTS_A_TICK = 0.04
BAD_EVENTS = (
    b'{"type":"prediction","model":"bike-rentals","features":{"hr":',  # cut off
    b'{"type":"prediction","model":"bike-rentals","ts":"TIME","features":{"hum":NaN}}',  # no JSON
    b'{"type":"prediction","model":"bike-rentals-test","ts":"TIME","features":{"hr":8}}',  # unknown
)
_encode = msgspec.json.Encoder().encode


class Record(NamedTuple):
    """One record for Kafka; the key is the inference id, so that a label follows its prediction."""

    ts_ms: int
    key: bytes
    value: bytes


@dataclass(frozen=True)
class _Inferences:
    """One tick's rows of one model."""

    seconds: Sequence[float]
    features: Sequence[Mapping[str, object]]
    predictions: Sequence[object]
    labels: Sequence[object]
    latencies: Sequence[float]
    tags: Sequence[Mapping[str, str]]


class Traffic:
    """Makes the events of the models. `start_ms` is the event time of the script's second 0."""

    def __init__(
        self,
        models: Sequence[DemoModel],
        start_ms: int,
        *,
        speed: float = 1.0,
        seed: int = 7,
        script: Script = SCRIPT,
    ) -> None:
        self._models = models
        self._start_ms = start_ms
        self._speed = speed
        self._script = script
        self._random = np.random.default_rng(seed)
        self._ticks = 0
        self._numbers = count()
        self._labels: list[Record] = []

    def until(self, second: float) -> list[Record]:
        """All records from where the last call ended to this second of the script, in order of time."""
        records: list[Record] = []
        while (self._ticks + 1) * TICK_SECONDS <= second:
            records += self._tick(self._ticks * TICK_SECONDS)
            self._ticks += 1
        return records

    def ts_ms(self, second: float) -> int:
        """The event time of a second of the script."""
        return self._start_ms + int(1000 * second / self._speed)

    def _tick(self, second: float) -> list[Record]:
        records = [record for model in self._models for record in self._predictions(model, second)]
        if self._random.random() < _BAD_EVENTS_A_TICK:
            records.append(self._bad_event(second))
        while self._labels and self._labels[0].ts_ms < self.ts_ms(second + TICK_SECONDS):
            records.append(heappop(self._labels))
        return sorted(records)

    def _predictions(self, model: DemoModel, second: float) -> Iterator[Record]:
        faults = self._script.faults_at(second, model.name)
        drawn = self._draw(model, second, faults)
        delays = self._random.uniform(*_LABEL_DELAY_SECONDS, EVENTS_A_TICK).tolist()
        for row, at in enumerate(drawn.seconds):
            if Fault.SILENT_MARKET in faults and drawn.tags[row]["market"] == SILENT_MARKET:
                continue
            key = f"{model.name}-{self._start_ms:x}-{next(self._numbers)}"
            event = {
                "type": "prediction",
                "model": model.name,
                "version": model.version,
                "id": key,
                "ts": iso(self.ts_ms(at)),
            }
            yield Record(self.ts_ms(at), key.encode(), _encode(event | _said(drawn, row)))
            self._label_later(model, key, self.ts_ms(at + delays[row]), drawn.labels[row])

    def _draw(self, model: DemoModel, second: float, faults: frozenset[Fault]) -> _Inferences:
        random, table = self._random, model.table
        low, high = (table.later, len(table.label)) if faults & LATER_ROWS else (0, table.later)
        rows = random.integers(low, high, EVENTS_A_TICK)
        features = spoil(table.features.rows(rows), faults, random)
        tags = {name: random.choice(values, EVENTS_A_TICK).tolist() for name, values in model.tags.items()}
        return _Inferences(
            (second + np.sort(random.random(EVENTS_A_TICK)) * TICK_SECONDS).tolist(),
            [_features(features, row) for row in range(EVENTS_A_TICK)],
            _predicted(model.answer(features)),
            [_plain(label) for label in table.label[rows].tolist()],
            np.round(random.lognormal(2.0, 0.4, EVENTS_A_TICK), 1).tolist(),
            [{name: values[row] for name, values in tags.items()} for row in range(EVENTS_A_TICK)],
        )

    def _label_later(self, model: DemoModel, key: str, ts_ms: int, label: object) -> None:
        event = {"type": "label", "model": model.name, "id": key, "ts": iso(ts_ms), "label": label}
        heappush(self._labels, Record(ts_ms, key.encode(), _encode(event)))

    def _bad_event(self, second: float) -> Record:
        """What every real topic holds here and there; it ends as a dead letter with its reason."""
        bad = BAD_EVENTS[int(self._random.integers(len(BAD_EVENTS)))]
        return Record(self.ts_ms(second), b"", bad.replace(b"TIME", iso(self.ts_ms(second)).encode()))


def _said(drawn: _Inferences, row: int) -> dict[str, object]:
    said: dict[str, object] = {
        "features": drawn.features[row],
        "prediction": drawn.predictions[row],
        "latency_ms": drawn.latencies[row],
    }
    return said | ({"tags": drawn.tags[row]} if drawn.tags[row] else {})


def _features(features: Features, row: int) -> dict[str, object]:
    numbers = {name: _plain(float(column[row])) for name, column in features.numbers.items()}
    return numbers | {name: str(column[row]) for name, column in features.texts.items()}


def _predicted(answers: Answers) -> list[dict[str, object]]:
    if answers.scores is None:
        return [{"value": value} for value in answers.predictions.tolist()]
    pairs = zip(answers.predictions.tolist(), answers.scores.tolist(), strict=True)
    return [{"label": label, "score": score} for label, score in pairs]


def _plain(value: object) -> object:
    """A number as a person would write it, null where it is missing; a text as it is."""
    if not isinstance(value, float):
        return value
    if isnan(value):
        return None
    return int(value) if value.is_integer() else value
