"""Decoded events of one model version and kind, lifted into a `Batch`."""

from __future__ import annotations

from math import isnan
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import xxhash
from msgspec import UNSET
from numpy.typing import NDArray

from service.intake.cells import (
    extra_column,
    number_cell,
    number_column,
    odd_texts,
    plain_numbers,
    text_column,
)
from service.intake.outputs import lift_outputs
from service.intake.rules import RowFields, put_rules
from service.messages import (
    LABEL,
    LATENCY,
    NOT_APPLICABLE,
    PREDICTION,
    SCORE,
    Batch,
    Column,
    ExtraColumn,
    Missing,
    Role,
    Stream,
    TextColumn,
)  # fmt: skip
from service.names import clean_name
from service.sketches.cells import ABSENT, NOTHING
from service.sketches.label_sample import LABEL_SALT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from service.configuration import ModelVersion
    from service.intake.loose import LooseEvent
    from service.intake.schema import Schema

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
UNREADABLE_VERSION = "(unreadable)"
UNNAMED = "(unreadable name)"


class Assembly:
    """The columns of one batch while they are put together."""

    def __init__(self, version: ModelVersion, stream: Stream, n: int) -> None:
        labels = stream is Stream.LABEL
        of_labels, all_columns = (
            version.grid.count_of(labels=True),
            (len(version.grid.numbers), len(version.grid.texts)),
        )
        self._first = tuple(a - b for a, b in zip(all_columns, of_labels, strict=True)) if labels else (0, 0)
        counts = of_labels if labels else version.grid.count_of(labels=False)
        self.version, self.stream, self.n = version, stream, n
        self.numbers: FloatArray = np.full((counts[0], n), NOTHING)
        nothing = TextColumn(np.zeros(n, np.int32), (NOT_APPLICABLE,))
        self.texts: list[TextColumn] = [nothing] * counts[1]
        self.extras: dict[Column, ExtraColumn] = {}
        self.segments: dict[str, TextColumn] = {}

    def put(self, column: Column, values: Sequence[Any], absent: int = Missing.ABSENT) -> None:
        """Place a column of decoded values where the grid has it, or among the extras; UNSET is `absent`."""
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

    def put_feature(self, name: str, values: Sequence[Any]) -> None:
        """Place a feature: UNSET is absent where the grid has it, and says nothing where not."""
        column, grid = Column(Role.FEATURE, name), self.version.grid
        known = column in grid.number_at or column in grid.text_at
        self.put(column, values, Missing.ABSENT if known else NOT_APPLICABLE)

    def batch(self, offsets: IntArray, ts_ms: IntArray, ids: Sequence[Any], versions: Sequence[Any]) -> Batch:
        """The finished batch."""
        contract = self.version.monitor.contract
        if contract is not None and self.stream is Stream.INFERENCE:
            fields = RowFields(self.version.grid, self.numbers, self.texts, self.extras)
            put_rules(contract.rules, self.version.grid, self.numbers, fields)
        return Batch(
            self.version.model, self.version.number, self.stream, offsets, ts_ms, hash_ids(ids, self.stream),
            version_column(versions), self.numbers, self.texts, self.extras, self.segments,
            ids if self._may_be_asked else None,
        )  # fmt: skip

    @property
    def _may_be_asked(self) -> bool:
        """Whether a person may be asked to label these rows, and needs their ids."""
        return self.stream is Stream.INFERENCE and self.version.monitor.feedback.per_day > 0


def _numbers(values: Sequence[Any], absent: int) -> FloatArray:
    if absent == NOT_APPLICABLE:
        return np.fromiter(
            (NOTHING if v is UNSET else number_cell(v) for v in values), np.float64, len(values)
        )
    return number_column(values, len(values))


def hash_ids(ids: Sequence[str | int | None], stream: Stream) -> NDArray[np.uint64]:
    """64-bit hashes (XXH3) of inference ids; 0 where there is none."""
    texts = ids if set(map(type, ids)) == {str} else ["" if i is None else str(i) for i in ids]
    hashes = np.fromiter(map(xxhash.xxh3_64_intdigest, map(str.encode, texts)), np.uint64, len(ids))  # type: ignore[arg-type]
    if "" in texts:
        hashes[[i for i, text in enumerate(texts) if not text]] = 0
    return hashes ^ LABEL_SALT * (hashes != 0) if stream is Stream.LABEL else hashes


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
    for name in schema.version.monitor.segments:
        if not _put_grid_segment(made, name):
            _put_segment(made, name, _learned_values(schema, features, name), events)
    return made


def _put_features(made: Assembly, schema: Schema, features: Sequence[Any]) -> None:
    fields, numbers = schema.fields, schema.lift_numbers(features)
    known, places = (
        len(fields.numbers),
        [made.version.grid.number_at[Column(Role.FEATURE, name)] for name in fields.numbers],
    )
    made.numbers[places if places != list(range(known)) else slice(known)] = numbers[:, :known].T
    for i, name in enumerate(fields.learned_numbers):
        made.extras[Column(Role.FEATURE, name)] = ExtraColumn(
            np.ascontiguousarray(numbers[:, known + i]), None
        )
    for i in range(len(fields.texts)):
        made.texts[i] = text_column(schema.lift_scalars(features, i))
    for i, name in enumerate(fields.learned_scalars, start=len(fields.texts)):
        made.put_feature(name, schema.lift_scalars(features, i))


def _put_outputs(made: Assembly, events: Sequence[Any], kind: str) -> None:
    latencies = [e.latency_ms for e in events]
    if latencies.count(ABSENT) < len(events):  # identity: this very NaN stands for a field that is not there
        made.put(LATENCY, [UNSET if v is ABSENT else v for v in latencies], NOT_APPLICABLE)
    if kind == "prediction":
        outputs = lift_outputs([e.prediction for e in events])
        made.put(PREDICTION, outputs.answers)
        made.put(SCORE, outputs.scores)


def _put_grid_segment(made: Assembly, name: str) -> bool:
    """Place a segment that is a feature of the grid; False when it is none."""
    column, grid = Column(Role.FEATURE, name), made.version.grid
    if (at := grid.text_at.get(column)) is not None:
        made.segments[name] = made.texts[at]
    elif (at := grid.number_at.get(column)) is not None:
        made.segments[name] = text_column([UNSET if isnan(v) else v for v in made.numbers[at].tolist()])
    return name in made.segments


def _put_segment(made: Assembly, name: str, features: Sequence[Any], events: Sequence[Any]) -> None:
    """Place any other segment: row by row a feature that the grid does not know, or else a tag."""
    tags = [UNSET if e.tags is None else e.tags.get(name, UNSET) for e in events]
    values = [tag if value is UNSET else value for value, tag in zip(features, tags, strict=True)]
    made.segments[name] = text_column([float(v) if type(v) is int and abs(v) < 2**63 else v for v in values])


def _learned_values(schema: Schema, features: Sequence[Any], name: str) -> Sequence[Any]:
    """A learned feature's values; all UNSET when it was not learned, since no event here has it then."""
    fields = schema.fields
    if name in fields.learned_numbers:
        numbers = map(attrgetter(f"l{fields.learned_numbers.index(name)}"), features)
        return [UNSET if v is NOTHING else v for v in numbers]
    if name in fields.learned_scalars:
        return schema.lift_scalars(features, len(fields.texts) + fields.learned_scalars.index(name))
    return [UNSET] * len(features)


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
    sent = _sent_names(rows, grid_features(schema.version))
    for name, values in zip(sent, _columns(rows, list(sent.values())), strict=True):
        made.put_feature(name, values)
    _put_outputs(made, events, kind)
    for name in schema.version.monitor.segments:
        if not _put_grid_segment(made, name):
            _put_segment(made, name, _first_of(rows, [name]), events)
    return made


def _sent_names(rows: Sequence[Mapping[str, Any]], known: Iterable[str]) -> Mapping[str, list[str]]:
    """All features by their clean names, each with the names as sent; the grid's own name comes first."""
    names = {name: [name] for name in known}
    for name in sorted(set().union(*rows).difference(names)):
        names.setdefault(clean_name(name) or UNNAMED, []).append(name)
    return names


def _columns(rows: Sequence[Mapping[str, Any]], names: Sequence[Sequence[str]]) -> Iterable[Sequence[Any]]:
    """The rows' values under each of these names; three times faster when every row has all of them."""
    if len(names) > 1 and all(len(aliases) == 1 for aliases in names):
        try:
            return zip(*list(map(itemgetter(*(name for (name,) in names)), rows)), strict=True)
        except KeyError:
            pass
    return (_first_of(rows, aliases) for aliases in names)


def _first_of(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[Any]:
    """Each row's value under the first of these names that it has."""
    if len(names) == 1:
        name = names[0]
        return [row.get(name, UNSET) for row in rows]
    return [next((row[name] for name in names if name in row), UNSET) for row in rows]


def grid_features(version: ModelVersion) -> Sequence[str]:
    """The names of the features of a model's grid."""
    columns = (*version.grid.number_at, *version.grid.text_at)
    return [column.name for column in columns if column.role is Role.FEATURE]


def narrow_runs(rows: Sequence[Mapping[str, Any]], known: Sequence[str], most: int) -> Iterator[range]:
    """Cut the rows into runs with at most `most` unknown names each, so that names times rows stays small."""
    start, names = 0, set(known)
    room = len(names) + most
    if len(names.union(*rows)) > room:
        for i, row in enumerate(rows):
            names.update(row)
            if len(names) > room and i > start:
                yield range(start, i)
                start, names = i, {*known, *row}
    yield range(start, len(rows))


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
