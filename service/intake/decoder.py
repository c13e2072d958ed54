"""Records become batches of typed columns, dead letters and tombstones; none is dropped.

The usual event goes through the decoder generated from its model's schema. What that refuses goes through
`loose`, which finds the model, the kind and what is wrong. Which way an event took changes no result, only
the time it takes.
"""

from __future__ import annotations

import logging
from bisect import bisect_right
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from service.configuration import Configuration, ModelVersion
from service.intake.assembly import by_kind, from_loose, from_structs, grid_features, narrow_runs, pick
from service.intake.learning import MOST_LEARNED_FIELDS, MOST_LEARNED_MODELS, learn_fields
from service.intake.limits import KEPT_KEY_BYTES, KEPT_VALUE_BYTES, Limits
from service.intake.loose import LooseEvent, read_event
from service.intake.rejection import Rejected
from service.intake.schema import Envelope, Schema, fields_of
from service.intake.source import Cut
from service.intake.timestamps import BAD, parse_timestamps
from service.messages import Batch, DeadLetter, Reason, UnknownModels
from service.monitor import Monitor
from service.sketches.grids import Grid
from service.sketches.pane import MAX_EXTRAS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from service.intake.source import Records

log = logging.getLogger(__name__)

IntArray = NDArray[np.int64]

_LEARN_AT_LEAST = 20
_GROUPING_PAYS = 16
_TRY_AGAIN_AFTER = 8


@dataclass
class Decoded:
    """What became of some records. `ignored` are dead letters that nobody asked to keep."""

    batches: list[Batch] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    ignored: int = 0
    tombstones: int = 0


class Decoder:
    """Decodes one partition's records. Remembers only what makes it faster, and the models it learned."""

    def __init__(
        self, configuration: Configuration, *, unknown_models: UnknownModels = UnknownModels.QUARANTINE,
        limits: Limits | None = None,
    ) -> None:  # fmt: skip
        self._limits = limits or Limits()
        self._unknown = unknown_models
        self._configuration = configuration
        self._nonfinite_as_missing = _wants_nonfinite(configuration)
        self._schemas: dict[tuple[str, int], Schema] = {}
        self._vain: dict[tuple[str, int], int] = {}
        self._learned: dict[str, ModelVersion] = {}
        self._has_refused = False
        self._guess: str | None = next(iter(configuration.models), None)

    def reconfigure(self, configuration: Configuration) -> None:
        """Use another revision of the monitors from the next records on."""
        self._configuration = configuration
        self._nonfinite_as_missing = _wants_nonfinite(configuration)
        self._schemas = {}
        self._vain = {}
        self._learned = {
            name: version for name, version in self._learned.items() if name not in configuration.models
        }

    @property
    def learned_models(self) -> Mapping[str, ModelVersion]:
        """Models met under `unknown_models: learn` that no monitor names yet: a default one and no grid."""
        return self._learned

    def version_of(self, batch: Batch) -> ModelVersion:
        """The configuration that a batch was decoded with."""
        return self._learned.get(batch.model) or self._configuration.numbered(
            batch.model, batch.configuration
        )

    def decode(self, records: Records) -> Decoded:
        """Decode all records of one poll of one partition."""
        made = Decoded()
        work = _Work(records, made)
        places = self._set_aside(work)
        rest: Sequence[int] = places
        guess = self._known_schema(self._guess) if self._guess is not None else None
        skips = guess is not None and self._skips(guess)
        if guess is not None and not skips:
            rest = self._decode_fast(work, guess, rest)
            self._guess = self._guess if 2 * len(rest) <= len(places) else None
        if len(rest) >= _GROUPING_PAYS and not skips:
            rest = self._decode_by_model(work, rest, tried=guess)
        if rest:
            self._decode_loose(work, rest)
        made.dead.sort(key=attrgetter("offset"))
        return made

    def _set_aside(self, work: _Work) -> Sequence[int]:
        """Count tombstones and bury what is too large; returns the places of all others."""
        values, most = work.records.values, self._limits.event_bytes
        if set(map(type, values)) <= {bytes} and max(map(len, values), default=0) <= most:  # type: ignore[arg-type]
            return range(len(values))
        places = []
        for i, value in enumerate(values):
            if value is None:
                work.made.tombstones += 1
            elif isinstance(value, Cut):
                work.bury(
                    i, Reason.TOO_LARGE, f"{value.size} bytes once inflated, too large to be read whole"
                )
            elif len(value) > most:
                work.bury(i, Reason.TOO_LARGE, f"{len(value)} bytes; at most {most} are read")
            else:
                places.append(i)
        return places

    # The fast way

    def _decode_fast(self, work: _Work, schema: Schema, places: Sequence[int]) -> list[int]:
        """Decode what fits the schema; returns the places of what does not."""
        values = pick(work.records.values, places) if places else []
        events, refused = _decode_each(schema.decoder, values)
        self._remember(schema, len(refused), len(values))
        model = schema.version.model
        if not refused and [e.model for e in events].count(model) == len(events):
            if events:
                self._lift_structs(work, schema, places, events)
            return []
        taken = [i for i, e in enumerate(events) if e is not None and e.model == model]
        if taken:
            self._lift_structs(work, schema, pick(places, taken), pick(events, taken))
        return [p for p, e in zip(places, events, strict=True) if e is None or e.model != model]

    def _skips(self, schema: Schema) -> bool:
        """Whether trying this schema is in vain, since it refused almost all of the last events."""
        key = (schema.version.model, schema.version.number)
        self._vain[key] = left = max(0, self._vain.get(key, 0) - 1)
        return left > 0

    def _remember(self, schema: Schema, refused: int, tried: int) -> None:
        if tried >= _GROUPING_PAYS and refused >= 0.8 * tried:
            self._vain[schema.version.model, schema.version.number] = _TRY_AGAIN_AFTER

    def _decode_by_model(self, work: _Work, places: Sequence[int], tried: Schema | None) -> list[int]:
        """Decode the events of each model with its own schema; returns the places of what does not fit."""
        envelopes, rest = _decode_each(_ENVELOPE, pick(work.records.values, places))
        rest = [places[i] for i in rest]
        groups: dict[str, list[int]] = {}
        for place, envelope in zip(places, envelopes, strict=True):
            if envelope is not None:
                groups.setdefault(envelope.model, []).append(place)
        for model, at in groups.items():
            schema = self._known_schema(model)
            in_vain = schema is None or schema is tried or self._skips(schema)
            rest += at if in_vain or schema is None else self._decode_fast(work, schema, at)
            if 10 * len(at) >= 9 * len(places) and schema is not None:
                self._guess = model
        return sorted(rest)

    def _lift_structs(
        self, work: _Work, schema: Schema, places: Sequence[int], events: Sequence[Any]
    ) -> None:
        ts = parse_timestamps([e.ts for e in events], schema.version.monitor.ts_unit, work.timestamps(places))
        places, events, ts = self._readable(work, places, events, ts, schema.version)
        for kind, at in by_kind([type(e).__name__ for e in events]).items():
            chosen = pick(events, at)
            made = from_structs(schema, chosen, kind=kind)
            ids, versions = list(map(attrgetter("id"), chosen)), list(map(attrgetter("version"), chosen))
            work.made.batches.append(made.batch(work.offsets(pick(places, at)), ts[at], ids, versions))

    def _readable(
        self, work: _Work, places: Sequence[int], events: Sequence[Any], ts: IntArray, version: ModelVersion,
    ) -> tuple[Sequence[int], Sequence[Any], IntArray]:  # fmt: skip
        """What has a usable time; the rest is buried. Rows of an older version's time go to that version."""
        record_ms = work.timestamps(places)
        bad = ts == BAD
        future = (record_ms >= 0) & (ts > record_ms + version.monitor.max_future_skew_ms)
        older = (ts < version.since_ms) & bool(self._before(version))
        if not (bad | future | older).any():
            return places, events, ts
        for i in np.flatnonzero(bad).tolist():
            work.bury(places[i], Reason.BAD_TIMESTAMP, _bad_timestamp(events[i].ts))
        for i in np.flatnonzero(future & ~bad).tolist():
            ahead = (int(ts[i]) - int(record_ms[i])) // 1000
            work.bury(
                places[i], Reason.FUTURE_TIMESTAMP, f"event time is {ahead} s after the record's own time"
            )
        again = np.flatnonzero(older & ~bad & ~future).tolist()
        self._decode_older(work, [(places[i], int(ts[i])) for i in again], version)
        keep = np.flatnonzero(~(bad | future | older)).tolist()
        return [places[i] for i in keep], [events[i] for i in keep], ts[keep]

    def _before(self, version: ModelVersion) -> Sequence[ModelVersion]:
        """The versions of the same model that came before this one, oldest first."""
        return [v for v in self._configuration.models.get(version.model, ()) if v.since_ms < version.since_ms]

    def _decode_older(self, work: _Work, rows: Sequence[tuple[int, int]], version: ModelVersion) -> None:
        """Decode rows (place and time) for the earlier versions that were in force at their times."""
        before = self._before(version)
        groups: dict[int, list[int]] = {}
        for place, ts_ms in rows:
            at = max(0, bisect_right(before, ts_ms, key=attrgetter("since_ms")) - 1)
            groups.setdefault(at, []).append(place)
        for at, places in groups.items():
            schema = self._schema_for(before[at])
            refused = self._decode_fast(work, schema, places)
            if refused:
                self._lift_loose(work, schema, refused, [self._read(work, p) for p in refused])

    # The slower way

    def _decode_loose(self, work: _Work, places: Sequence[int]) -> None:
        groups: dict[str, tuple[list[int], list[LooseEvent]]] = {}
        for place in places:
            event = self._read(work, place)
            if event is not None:
                at, events = groups.setdefault(event.model, ([], []))
                at.append(place)
                events.append(event)
        for model, (at, events) in groups.items():
            schema = self._schema(model)
            if schema is None:
                self._refuse_model(work, model, at)
            else:
                self._lift_loose(work, schema, at, events)

    def _read(self, work: _Work, place: int) -> LooseEvent | None:
        value = work.records.values[place] or b""
        try:
            return read_event(value, self._limits, nonfinite_as_missing=self._nonfinite_as_missing)
        except Rejected as why:
            work.bury(place, why.reason, why.detail)
            return None

    def _refuse_model(self, work: _Work, model: str, places: Sequence[int]) -> None:
        if self._unknown is UnknownModels.IGNORE:
            work.made.ignored += len(places)
            return
        why = "no monitor names this model; apply one, or set unknown models to learn"
        if self._unknown is UnknownModels.LEARN:
            why = f"{MOST_LEARNED_MODELS} models are learned already; apply a monitor for this one"
            if not self._has_refused:
                self._has_refused = True
                log.warning("model %r and further ones are not learned: %s", model, why)
        for place in places:
            work.bury(place, Reason.UNKNOWN_MODEL, why)

    def _lift_loose(
        self, work: _Work, schema: Schema, places: Sequence[int], events: Sequence[LooseEvent | None]
    ) -> None:
        pairs = [(p, e) for p, e in zip(places, events, strict=True) if e is not None]
        if not pairs:
            return
        at, chosen = [p for p, _ in pairs], [e for _, e in pairs]
        self._learn(schema, chosen)
        ts = parse_timestamps([e.ts for e in chosen], schema.version.monitor.ts_unit, work.timestamps(at))
        readable_at, readable, ts = self._readable(work, at, chosen, ts, schema.version)
        known = grid_features(schema.version)
        for kind, rows in by_kind([e.kind for e in readable]).items():
            group, group_at, group_ts = pick(readable, rows), pick(readable_at, rows), ts[rows]
            for run in narrow_runs([e.features for e in group], known, MAX_EXTRAS):
                part = pick(group, run)
                made = from_loose(schema, part, kind=kind)
                ids, versions = list(map(attrgetter("id"), part)), list(map(attrgetter("version"), part))
                work.made.batches.append(
                    made.batch(work.offsets(pick(group_at, run)), group_ts[run], ids, versions)
                )

    # Schemas

    def _known_schema(self, model: str) -> Schema | None:
        version = self._configuration.latest(model) or self._learned.get(model)
        return self._schema_for(version) if version is not None else None

    def _schema(self, model: str) -> Schema | None:
        """The schema of a model, learned when it is new: ask in the log's order, since only the first are."""
        learned = self._configuration.learned + len(self._learned)
        wanted = self._unknown is UnknownModels.LEARN and learned < MOST_LEARNED_MODELS
        if wanted and self._configuration.latest(model) is None and model not in self._learned:
            self._learned[model] = ModelVersion(Monitor(model=model), Grid())
        return self._known_schema(model)

    def _schema_for(self, version: ModelVersion) -> Schema:
        key = (version.model, version.number)
        if key not in self._schemas:
            self._schemas[key] = Schema(version, fields_of(version))
        return self._schemas[key]

    def _learn(self, schema: Schema, events: Sequence[LooseEvent]) -> None:
        """Add the unknown fields that most of these events have, so that the next ones go the fast way."""
        if len(events) >= _LEARN_AT_LEAST:
            room = self._limits.features - len(schema.fields.numbers) - len(schema.fields.texts)
            fields = learn_fields(schema.fields, events, min(MOST_LEARNED_FIELDS, room))
            if fields != schema.fields:
                self._vain.pop((schema.version.model, schema.version.number), None)
                self._schemas[schema.version.model, schema.version.number] = Schema(schema.version, fields)


def _wants_nonfinite(configuration: Configuration) -> bool:
    """NaN is told from broken bytes before the model is known, so one model's wish counts for all."""
    return any(versions[-1].monitor.nonfinite == "missing" for versions in configuration.models.values())


_ENVELOPE = msgspec.json.Decoder(Envelope)


def _decode_each(decoder: msgspec.json.Decoder[Any], values: Sequence[Any]) -> tuple[list[Any], list[int]]:
    """Each value's event, None where the decoder refused it, and the places of those."""
    events: list[Any] = []
    refused: list[int] = []
    rest = map(decoder.decode, values)
    while True:
        try:
            events.extend(rest)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            refused.append(len(events))
            events.append(None)
        else:
            return events, refused


def _bad_timestamp(ts: object) -> str:
    if ts is None:
        return "no `ts`, and the record has no time of its own"
    return (
        "`ts` is no ISO 8601 time between the years 1970 and 10000"
        if isinstance(ts, str)
        else "`ts` is out of range"
    )


@dataclass
class _Work:
    """The records at hand, and what has become of them so far."""

    records: Records
    made: Decoded

    def offsets(self, places: Sequence[int]) -> IntArray:
        if len(places) == len(self.records):
            return self.records.offsets
        return self.records.offsets[list(places)]

    def timestamps(self, places: Sequence[int]) -> IntArray:
        if len(places) == len(self.records):
            return self.records.timestamps_ms
        return self.records.timestamps_ms[list(places)]

    def bury(self, place: int, reason: Reason, detail: str) -> None:
        value, key = self.records.values[place] or b"", self.records.keys[place] or b""
        letter = DeadLetter(
            int(self.records.offsets[place]), int(self.records.timestamps_ms[place]), key[:KEPT_KEY_BYTES],
            value[:KEPT_VALUE_BYTES], value.size if isinstance(value, Cut) else len(value), reason, detail[:200],
        )  # fmt: skip
        self.made.dead.append(letter)
