"""Records of events for the tests of decoding, and what a decoder makes of them as plain values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from service.configuration import Configuration, ModelVersion
from service.intake.source import Records
from service.messages import LABEL, LATENCY, PREDICTION, SCORE, Column, Partition, Role, TextColumn
from service.monitor import Monitor
from service.sketches.grids import Grid, category_grid, number_grid
from service.sketches.pane import PaneSketch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from service.intake.decoder import Decoded, Decoder

NOW_MS = 1_795_305_072_000
SPREAD = np.linspace(-5.0, 5.0, 50)


def feature(name: str) -> Column:
    """A feature's column."""
    return Column(Role.FEATURE, name)


LABELS_GRID = Grid(
    (
        number_grid(feature("amount"), SPREAD),
        number_grid(feature("weight"), SPREAD),
        number_grid(SCORE, SPREAD),
    ),
    tuple(category_grid(c, {"DE": 1, "yes": 1, "7": 1}) for c in (feature("country"), PREDICTION, LABEL)),
)
VALUES_GRID = Grid(
    tuple(number_grid(c, SPREAD) for c in (feature("amount"), PREDICTION, LATENCY, LABEL)),
    (category_grid(feature('odd "name"'), {"DE": 1}),),
)
SEGMENTS = ("country", "amount", "channel")
MODELS = {
    "labels": ModelVersion(Monitor("labels", segments=SEGMENTS), LABELS_GRID),
    "values": ModelVersion(Monitor("values", segments=SEGMENTS), VALUES_GRID),
    "bare": ModelVersion(Monitor("bare", segments=SEGMENTS), Grid()),
}
CONFIGURATION = Configuration({name: (version,) for name, version in MODELS.items()}, 1)


def event(**fields: Any) -> dict[str, Any]:
    """A good event, with these fields put in; None of them is left out."""
    body = {
        "type": "prediction", "model": "labels", "version": "7", "id": "p-1", "ts": NOW_MS,
        "features": {"amount": 1.5, "weight": 2, "country": "DE"},
        "prediction": {"label": "yes", "score": 0.5},
    }  # fmt: skip
    return body | fields


def records(values: Sequence[Any], *, first: int = 0, timestamp_ms: int = NOW_MS) -> Records:
    """Consecutive records; what is not bytes is written as JSON."""
    data = [v if v is None or isinstance(v, bytes) else json.dumps(v).encode() for v in values]
    n = len(data)
    return Records(Partition("t", 0), np.arange(first, first + n), np.full(n, timestamp_ms), data, [None] * n)


def chosen(whole: Records, places: Sequence[int]) -> Records:
    """Some of the records, in the order of their offsets."""
    at = sorted(places)
    return Records(
        whole.partition,
        whole.offsets[at],
        whole.timestamps_ms[at],
        [whole.values[i] for i in at],
        [whole.keys[i] for i in at],
    )


def sketches(decoder: Decoder, decoded: Iterable[Decoded]) -> dict[str, PaneSketch]:
    """One sketch a model of all rows that were decoded."""
    made: dict[str, PaneSketch] = {}
    for one in decoded:
        for batch in one.batches:
            grid = decoder.version_of(batch).grid
            made.setdefault(batch.model, PaneSketch(grid)).add(batch, slice(None))
    return made


def rows(decoded: Iterable[Decoded]) -> dict[int, tuple[Any, ...]]:
    """By offset what is no column: model, stream, time, id, version and segments."""
    return {
        int(batch.offsets[i]): (
            batch.model, batch.stream, int(batch.ts_ms[i]), int(batch.ids[i]), _text(batch.versions, i),
            {name: _text(column, i) for name, column in batch.segments.items()},
        )
        for one in decoded for batch in one.batches for i in range(len(batch))
    }  # fmt: skip


def _text(column: TextColumn, row: int) -> str | int:
    value: str | int = column.values[column.codes[row]]
    return value
