"""Which way an event takes through the decoder changes nothing, nor do its batch or what was learned.

Events of all allowed forms are decoded one by one, at once, in shuffled splits, and by decoders that have
learned
fields or given up on the fast way; the sketches must be the same bytes, and hold what a second, slow reading
counts.
"""

from __future__ import annotations

import json
import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from service.intake.decoder import Decoder
from service.intake.source import Records
from service.messages import Column
from service.sketches.codec import pane_to_bytes
from tests.intake.events import CONFIGURATION, MODELS, NOW_MS, chosen, event, records, rows, sketches
from tests.intake.reference import tally, tally_of

exhaustively = settings(max_examples=60, deadline=None, derandomize=True)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
INTEGERS = st.one_of(st.integers(-9, 9), st.integers(-(2**66), 2**66), st.just(10**400))
NUMBERS = st.one_of(st.floats(allow_nan=False, allow_infinity=False), INTEGERS)
SCALARS = st.one_of(
    NUMBERS,
    TEXT,
    st.booleans(),
    st.none(),
    st.sampled_from(["", "DE", "yes", "7", 7, 7.0, "NaN", "null", "1.0", "a\0b"]),
)
VALUES = st.one_of(SCALARS, st.just([1]), st.just({"a": 1}))
MOSTLY_NUMBERS = st.one_of(NUMBERS, NUMBERS, NUMBERS, VALUES)
NAMES = st.sampled_from(
    ["new", "newer", "channel", "amount\u200b", "e\u0301", 'a"b', "a\\b", "", "\u200b", "x" * 201, "na\0me"]
)
PREDICTIONS = st.one_of(
    SCALARS, st.just([1]),
    st.fixed_dictionaries(
        {}, optional={"label": SCALARS, "score": MOSTLY_NUMBERS, "value": MOSTLY_NUMBERS, "more": SCALARS}
    ),
    st.fixed_dictionaries(
        {"scores": st.one_of(SCALARS, st.dictionaries(TEXT, MOSTLY_NUMBERS, max_size=3))},
        optional={"label": SCALARS},
    ),
)  # fmt: skip
FEATURES = st.one_of(
    st.none(),
    st.builds(
        lambda known, unknown: known | unknown,
        st.fixed_dictionaries(
            {},
            optional={"amount": MOSTLY_NUMBERS, "weight": NUMBERS, "country": VALUES, 'odd "name"': VALUES},
        ),
        st.dictionaries(NAMES, VALUES, max_size=3),
    ),
)
TIMES = st.one_of(
    st.none(), st.integers(NOW_MS - 10**9, NOW_MS), st.integers(NOW_MS // 1000 - 10**6, NOW_MS // 1000),
    st.floats(NOW_MS / 1000 - 1e6, NOW_MS / 1000),
    st.sampled_from([f"2026-11-21T10:00:00{rest}" for rest in ("Z", ".123Z", ".123456Z", "+05:30")]),
)  # fmt: skip
SHARED = {
    "version": st.one_of(TEXT, st.integers(), st.none()),
    "id": st.one_of(TEXT, INTEGERS, st.none()),
    "ts": TIMES,
    "odd": VALUES,
}
MODEL = {"model": st.sampled_from([*MODELS, "lab\u200bels"])}
INFERENCE = SHARED | {
    "latency_ms": MOSTLY_NUMBERS, "tags": st.one_of(st.none(), st.dictionaries(st.just("channel"), VALUES)),
}  # fmt: skip
EVENTS = st.one_of(
    st.fixed_dictionaries({"type": st.just("prediction"), **MODEL}, optional=INFERENCE),
    st.fixed_dictionaries(
        {"type": st.just("prediction"), **MODEL, "prediction": PREDICTIONS, "features": FEATURES},
        optional=INFERENCE,
    ),
    st.fixed_dictionaries({"type": st.just("features"), **MODEL, "features": FEATURES}, optional=INFERENCE),
    st.fixed_dictionaries({"type": st.just("label"), **MODEL}, optional=SHARED | {"label": VALUES}),
)


def written(events: list[dict[str, Any]], chance: random.Random) -> Records:
    """The events as bytes, some escaped, some not, some with the type at the end."""
    bodies = []
    for body in events:
        fields = list(body.items())
        chance.shuffle(fields)
        bodies.append(json.dumps(dict(fields), ensure_ascii=chance.random() < 0.5).encode())
    return records(bodies)


def learned_decoder() -> Decoder:
    """A decoder that has learned fields of each kind for every model."""
    decoder = Decoder(CONFIGURATION)
    features = {"amount": 1, "new": 5, "newer": "text", "e\u0301": 1, 'a"b': 1, "": 1}
    for model in MODELS:
        decoder.decode(records([event(model=model, features=features, odd=1, tags={"channel": "web"})] * 30))
        decoder.decode(records([event(model=model, features={"new": True, "weight": "5 kg"})] * 30))
    return decoder


def discouraged_decoder() -> Decoder:
    """A decoder that skips the fast way of every model, since all events were refused."""
    decoder = Decoder(CONFIGURATION)
    for model in MODELS:
        for _ in range(3):
            decoder.decode(
                records([event(model=model, features={"amount": [1]}, prediction={"more": 1})] * 30)
            )
    return decoder


def state(decoder: Decoder, parts: list[Records]) -> tuple[dict[str, bytes], dict[int, Any]]:
    """The bytes of each model's sketch, and each row, when these records are decoded one after the other."""
    decoded = [decoder.decode(part) for part in parts]
    assert not [letter for one in decoded for letter in one.dead]
    return {name: pane_to_bytes(sketch) for name, sketch in sketches(decoder, decoded).items()}, rows(decoded)


@exhaustively
@given(st.lists(EVENTS, min_size=1, max_size=30), st.randoms(use_true_random=False), st.integers(1, 4))
def test_every_way_through_the_decoder_comes_to_the_same_bytes(
    events: list[dict[str, Any]], chance: random.Random, parts: int
) -> None:
    whole = written(events, chance)
    at_once = state(Decoder(CONFIGURATION), [whole])
    alone = [chosen(whole, [i]) for i in range(len(whole))]
    part_of = [chance.randrange(parts) for _ in events]
    split = [chosen(whole, [i for i, of in enumerate(part_of) if of == part]) for part in range(parts)]
    for decoder in (Decoder(CONFIGURATION), learned_decoder(), discouraged_decoder()):
        assert state(decoder, alone) == at_once
    assert state(Decoder(CONFIGURATION), split) == at_once
    assert state(learned_decoder(), split) == at_once
    assert state(learned_decoder(), [whole]) == at_once
    assert state(discouraged_decoder(), [whole]) == at_once


@exhaustively
@given(st.lists(EVENTS, min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_the_sketches_hold_what_a_second_reading_counts(
    events: list[dict[str, Any]], chance: random.Random
) -> None:
    whole = written(events, chance)
    decoder = Decoder(CONFIGURATION)
    made = sketches(decoder, [decoder.decode(whole)])
    for model, version in MODELS.items():
        bodies = [v for v in whole.values if v and json.loads(v)["model"].replace("\u200b", "") == model]
        assert (tally_of(made[model]) if model in made else {}) == tally(bodies, version.grid)


def test_many_copies_of_one_event_take_the_fast_way_in_the_end() -> None:
    nested = event(features={"amount": 1, "new": None, "text": "a"}, tags={"channel": "web"}, odd=5)
    decoder = Decoder(CONFIGURATION)
    for _ in range(20):
        decoded = decoder.decode(records([nested] * 50))
    schema = decoder._schemas["labels", 1]
    assert {"new", "text"} <= schema.fields.names
    assert schema.decoder.decode(json.dumps(nested)).model == "labels"
    assert {c for batch in decoded.batches for c in batch.extras} >= {Column("feature", "text")}  # type: ignore[arg-type]


def test_a_learned_number_that_becomes_a_text_is_learned_anew() -> None:
    decoder = Decoder(CONFIGURATION)
    for value in (1.5, "high"):
        for _ in range(20):
            decoder.decode(records([event(features={"level": value})] * 50))
    fields = decoder._schemas["labels", 1].fields
    assert (fields.learned_numbers, fields.learned_scalars) == ((), ("level",))
