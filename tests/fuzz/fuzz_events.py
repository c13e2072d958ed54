"""Any bytes as a record's value: counted or a dead letter, as the judge says, alone or among others, never raised."""

from __future__ import annotations

from functools import cache

from service.configuration import Configuration, ModelVersion
from service.intake.decoder import Decoded, Decoder
from service.intake.limits import KEPT_VALUE_BYTES
from service.messages import Reason, TextColumn, UnknownModels
from service.monitor import Monitor
from service.names import clean_name
from service.sketches.codec import pane_from_bytes, pane_to_bytes
from service.sketches.pane import PaneSketch
from tests.fuzz.judge import judge
from tests.intake.events import CONFIGURATION, LABELS_GRID, MODELS, NOW_MS, event, records

LENIENT = Configuration({"labels": (ModelVersion(Monitor("labels", nonfinite="missing"), LABELS_GRID),)}, 2)
CONFIGURATIONS = {one.revision: one for one in (CONFIGURATION, LENIENT)}
COPIES = 24
"""So many equal events are learned from, and then take the fast way."""


def one_input(data: bytes) -> None:
    """Decode it in every way there is."""
    allowed = judge(data, NOW_MS, MODELS)
    alone = fresh(CONFIGURATION)
    reason = check(alone, alone.decode(records([data])), 1)
    assert reason in allowed if allowed else reason is None, (reason, allowed)
    many = fresh(CONFIGURATION)
    for _ in range(1 if reason else 2):
        copies = many.decode(records([data] * COPIES))
        assert check(many, copies, COPIES) == reason
    assert_same_sketch(alone, data, many, copies)
    lenient = fresh(LENIENT)
    check(lenient, lenient.decode(records([data, event(), data])), 3)
    learning = Decoder(Configuration(), unknown_models=UnknownModels.LEARN)
    learned = check(learning, learning.decode(records([data])), 1)
    assert learned == (None if reason is Reason.UNKNOWN_MODEL else reason) or reason is Reason.UNKNOWN_MODEL


@cache
def _warm(revision: int) -> Decoder:
    """A decoder that has made the schemas of its configuration, which takes longer than an input does."""
    configuration = CONFIGURATIONS[revision]
    made = Decoder(configuration)
    for model in configuration.models:
        made.decode(records([event(model=model)]))
    return made


def fresh(configuration: Configuration) -> Decoder:
    """A decoder that has learned nothing."""
    made = Decoder(configuration)
    made._schemas = dict(_warm(configuration.revision)._schemas)
    return made


def check(decoder: Decoder, decoded: Decoded, count: int) -> Reason | None:
    """Each record has one outcome that can be stored; returns the reason of the first that is dead."""
    assert len(decoded.dead) + sum(map(len, decoded.batches)) == count
    assert decoded.ignored == decoded.tombstones == 0
    for letter in decoded.dead:
        assert_storable(letter.detail)
        assert 0 < len(letter.detail) <= 200
        assert len(letter.value) <= KEPT_VALUE_BYTES
    for batch in decoded.batches:
        assert clean_name(batch.model) == batch.model
        for column in (batch.versions, *batch.texts, *batch.segments.values()):
            assert_column(column)
        for name, extra in batch.extras.items():
            assert_storable(name.name)
            if extra.texts is not None:
                assert_column(extra.texts)
        assert 0 <= batch.ts_ms.min() <= batch.ts_ms.max() <= NOW_MS + 300_000
    counted(decoder, decoded)
    return decoded.dead[0].reason if decoded.dead else None


def assert_column(column: TextColumn) -> None:
    for value in column.values:
        if isinstance(value, str):
            assert_storable(value)
            assert len(value) <= 200


def assert_storable(text: str) -> None:
    """Postgres and UTF-8 take it."""
    assert "\0" not in text
    text.encode()


def counted(decoder: Decoder, decoded: Decoded) -> bytes:
    """The bytes of the sketch of all rows, which come back the same."""
    made = b""
    for batch in decoded.batches:
        sketch = PaneSketch(decoder.version_of(batch).grid)
        sketch.add(batch, slice(None))
        made = pane_to_bytes(sketch)
        assert pane_to_bytes(pane_from_bytes(made, sketch.grid)) == made
    return made


def assert_same_sketch(alone: Decoder, data: bytes, many: Decoder, copies: Decoded) -> None:
    """The copies in two parts are the same bytes as all at once, whatever was learned in between."""
    if len(copies.batches) != 1:
        return
    [batch] = copies.batches
    merged = PaneSketch(many.version_of(batch).grid)
    for first, count in ((0, 1), (1, COPIES - 1)):
        for part in alone.decode(records([data] * count, first=first)).batches:
            merged.add(part, slice(None))
    assert pane_to_bytes(merged) == counted(many, copies)
