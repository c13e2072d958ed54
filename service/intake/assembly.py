"""Decoded events of one model version and kind, lifted into a `Batch`."""

from __future__ import annotations

from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import xxhash
from msgspec import UNSET
from numpy.typing import NDArray

from service.intake.cells import extra_column, number_cell, number_column, odd_texts, plain_numbers, text_column
from service.intake.outputs import lift_outputs
from service.messages import (
    LABEL, LATENCY, NOT_APPLICABLE, PREDICTION, SCORE, Batch, Column, ExtraColumn, Missing, Role, Stream, TextColumn,
)  # fmt: skip
from service.names import clean_name
from service.sketches.cells import ABSENT, NOTHING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from service.configuration import ModelVersion
    from service.intake.loose import LooseEvent
    from service.intake.schema import Schema

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
_LABEL_SALT = np.uint64(0x9E37_79B9_7F4A_7C15)
UNREADABLE_VERSION = "(unreadable)"
UNNAMED = "(unreadable name)"


class Assembly:
    """The columns of one batch while they are put together."""

    def __init__(self, version: ModelVersion, stream: Stream, n: int) -> None:
        labels = stream is Stream.LABEL
        of_labels, all_columns = version.grid.count_of(labels=True), (len(version.grid.numbers), len(version.grid.texts))
        self._first = tuple(a - b for a, b in zip(all_columns, of_labels, strict=True)) if labels else (0, 0)
        counts = of_labels if labels else version.grid.count_of(labels=False)
        self.version, self.stream, self.n = version, stream, n
        self.numbers: FloatArray = np.full((counts[0], n), NOTHING)
        nothing = TextColumn(np.zeros(n, np.int32), (NOT_APPLICABLE,))
        self.texts: list[TextColumn] = [nothing] * counts[1]
        self.extras: dict[Column, ExtraColumn] = {}
        self.segments: dict[str, TextColumn] = {}

    def put(self, column: Column, values: list[Any], absent: int = Missing.ABSENT) -> None:
        """Place one column of decoded values where the grid has it, or among the extras; UNSET is `absent`."""
        grid = self.version.grid
        if (at := grid.number_at.get(column)) is not None:
            plain = plain_numbers(values)
            self.numbers[at - self._first[0]] = _numbers(values, absent) if plain is None else plain
            if plain is None and (odd := odd_texts(values)) is not None:
                self.extras[column] = odd
        elif (at := grid.text_at.get(column)) is not None:
            self.texts[at - self._first[1]] = text_column(values, absent)
        elif values.count(UNSET) < len(values):
            self.extras[column] = extra_column(values)

    def batch(self, offsets: IntArray, ts_ms: IntArray, ids: Sequence[Any], versions: Sequence[Any]) -> Batch:
        """The finished batch."""
        return Batch(
            self.version.model, self.version.number, self.stream, offsets, ts_ms, hash_ids(ids, self.stream),
            version_column(versions), self.numbers, self.texts, self.extras, self.segments,
        )  # fmt: skip


def _numbers(values: Sequence[Any], absent: int) -> FloatArray:
    if absent == NOT_APPLICABLE:
        return np.fromiter((NOTHING if v is UNSET else number_cell(v) for v in values), np.float64, len(values))
    return number_column(values, len(values))


def hash_ids(ids: Sequence[str | int | None], stream: Stream) -> NDArray[np.uint64]:
    """64-bit hashes (XXH3) of inference ids; 0 where there is none."""
    texts = ids if set(map(type, ids)) == {str} else ["" if i is None else str(i) for i in ids]
    hashes = np.fromiter(map(xxhash.xxh3_64_intdigest, map(str.encode, texts)), np.uint64, len(ids))  # type: ignore[arg-type]
    if "" in texts:
        hashes[[i for i, text in enumerate(texts) if not text]] = 0
    return hashes ^ _LABEL_SALT * (hashes != 0) if stream is Stream.LABEL else hashes


def version_column(versions: Sequence[str | int | None]) -> TextColumn:
    """The versions, cleaned; '' where an event has none."""
    column = text_column(versions)
    names = (clean_name(v) or UNREADABLE_VERSION if isinstance(v, str) else "" for v in column.values)
    return TextColumn(column.codes, tuple(names))


def from_structs(schema: Schema, events: Sequence[Any], *, kind: str) -> Assembly:
    """The columns of events that the generated decoder took."""
    if kind == "label":
        return _labels(schema.version, [e.label for e in events])
    made = Assembly(schema.version, Stream.INFERENCE, len(events))
    features = list(map(attrgetter("features"), events))
    if None in features:
        features = [schema.no_features if f is None else f for f in features]
    _put_features(made, schema, features)
    _put_outputs(made, events, kind)
    tags = [e.tags or {} for e in events] if schema.wants_tags else []
    _put_segments(made, schema, tags)
    return made


def _put_features(made: Assembly, schema: Schema, features: Sequence[Any]) -> None:
    fields, numbers = schema.fields, schema.lift_numbers(features)
    known = len(fields.numbers)
    made.numbers[:known] = numbers[:, :known].T
    for i, name in enumerate(fields.learned_numbers):
        made.extras[Column(Role.FEATURE, name)] = ExtraColumn(np.ascontiguousarray(numbers[:, known + i]), None)
    for i in range(len(fields.texts)):
        made.texts[i] = text_column(schema.lift_text(features, i))
    for i, name in enumerate(fields.learned_texts, start=len(fields.texts)):
        texts = text_column(schema.lift_text(features, i), NOT_APPLICABLE)
        made.extras[Column(Role.FEATURE, name)] = ExtraColumn(None, texts)


def _put_outputs(made: Assembly, events: Sequence[Any], kind: str) -> None:
    latencies = [e.latency_ms for e in events]
    if latencies.count(ABSENT) < len(events):  # identity: this very NaN stands for a field that is not there
        made.put(LATENCY, [UNSET if v is ABSENT else v for v in latencies], NOT_APPLICABLE)
    if kind == "prediction":
        outputs = lift_outputs([e.prediction for e in events])
        made.put(PREDICTION, outputs.answers)
        made.put(SCORE, outputs.scores)


def _put_segments(made: Assembly, schema: Schema, tags: Sequence[Mapping[str, Any]]) -> None:
    grid = schema.version.grid
    for name in schema.version.monitor.segments:
        column = Column(Role.FEATURE, name)
        if (at := grid.text_at.get(column)) is not None:
            made.segments[name] = made.texts[at]
        elif (at := grid.number_at.get(column)) is not None:
            made.segments[name] = text_column([UNSET if v != v else v for v in made.numbers[at].tolist()])
        elif (extra := made.extras.get(column)) is not None and extra.texts is not None:
            made.segments[name] = extra.texts
        elif tags:
            made.segments[name] = text_column([t.get(name, UNSET) for t in tags])


def _labels(version: ModelVersion, labels: Sequence[Any]) -> Assembly:
    made = Assembly(version, Stream.LABEL, len(labels))
    made.put(LABEL, labels)
    return made


def from_loose(schema: Schema, events: Sequence[LooseEvent], *, kind: str) -> Assembly:
    """The columns of events that were read the slower way."""
    if kind == "label":
        return _labels(schema.version, [e.label for e in events])
    made = Assembly(schema.version, Stream.INFERENCE, len(events))
    rows = [e.features for e in events]
    grid = schema.version.grid
    known = [g.column for grids in (grid.numbers, grid.texts) for g in grids if g.column.role is Role.FEATURE]
    for column in known:
        made.put(column, [row.get(column.name, UNSET) for row in rows])
    for name, raw in _unknown_names(rows, {column.name for column in known}).items():
        made.put(Column(Role.FEATURE, name), [_first_of(row, raw) for row in rows], NOT_APPLICABLE)
    _put_outputs(made, events, kind)
    _put_segments(made, schema, list(map(attrgetter("tags"), events)))
    return made


def _unknown_names(rows: Sequence[Mapping[str, Any]], known: set[str]) -> Mapping[str, list[str]]:
    """The names that the grid does not know, cleaned, each with the names as they were sent."""
    names: dict[str, list[str]] = {}
    for name in sorted({name for row in rows for name in row.keys() - known}):
        names.setdefault(clean_name(name) or UNNAMED, []).append(name)
    return names


def _first_of(row: Mapping[str, Any], names: Sequence[str]) -> Any:  # noqa: ANN401
    if len(names) == 1:
        return row.get(names[0], UNSET)
    return next((row[name] for name in names if name in row), UNSET)


def by_kind(kinds: Sequence[str]) -> Mapping[str, Sequence[int]]:
    """The places of the events of each kind."""
    if len(set(kinds)) == 1:
        return {kinds[0]: range(len(kinds))}
    places: dict[str, list[int]] = {}
    for i, kind in enumerate(kinds):
        places.setdefault(kind, []).append(i)
    return places


def pick(values: Sequence[Any], places: Sequence[int]) -> Sequence[Any]:
    """The values at these places."""
    if len(places) == len(values):
        return values
    if not places:
        return []
    return [values[places[0]]] if len(places) == 1 else itemgetter(*places)(values)
