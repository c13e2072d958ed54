"""Every good event is counted, every bad one is a dead letter with its reason, and nothing is ever raised."""

from __future__ import annotations

import json
import random
from typing import Any

import numpy as np
import pytest

from service.configuration import Configuration, ModelVersion
from service.intake.decoder import Decoded, Decoder
from service.intake.learning import MOST_LEARNED_MODELS
from service.intake.limits import KEPT_VALUE_BYTES, Limits
from service.messages import LABEL, LATENCY, PREDICTION, SCORE, Missing, Reason, Stream, UnknownModels
from service.monitor import Monitor
from service.sketches.codec import pane_to_bytes
from service.sketches.grids import Grid
from tests.intake.events import (
    CONFIGURATION,
    LABELS_GRID,
    MODELS,
    NOW_MS,
    chosen,
    event,
    feature,
    records,
    rows,
    sketches,
)

GOOD = json.dumps(event()).encode()
DAY_MS = 86_400_000


def with_(old: bytes, new: bytes) -> bytes:
    """The good event with some of its bytes replaced."""
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


def feature_of(raw: bytes) -> bytes:
    """The good event with this JSON as its first feature."""
    return with_(b'"amount": 1.5', b'"amount": ' + raw)


def wide(features: int) -> bytes:
    """An event of so many features."""
    return json.dumps(event(features={f"f{i}": i for i in range(features)})).encode()


BAD: dict[str, tuple[bytes, Reason]] = {
    "empty": (b"", Reason.EMPTY_VALUE),
    "blank": (b" \n\t ", Reason.EMPTY_VALUE),
    "only a byte order mark": (b"\xef\xbb\xbf", Reason.EMPTY_VALUE),
    "null": (b"null", Reason.NOT_AN_OBJECT),
    "an array": (b"[]", Reason.NOT_AN_OBJECT),
    "a text": (b'"x"', Reason.NOT_AN_OBJECT),
    "a number": (b"5", Reason.NOT_AN_OBJECT),
    "an array of events": (b"[" + GOOD + b"]", Reason.NOT_AN_OBJECT),
    "random bytes": (b"\x00\x01\x02", Reason.BAD_JSON),
    "a truncated event": (GOOD[:-1], Reason.BAD_JSON),
    "bytes after the end": (GOOD + b"x", Reason.BAD_JSON),
    "two events": (GOOD + b"\n" + GOOD, Reason.BAD_JSON),
    "a trailing comma": (GOOD[:-1] + b",}", Reason.BAD_JSON),
    "a control character in a text": (with_(b'"DE"', b'"D\nE"'), Reason.BAD_JSON),
    "single quotes": (GOOD.replace(b'"', b"'"), Reason.BAD_JSON),
    "NaN in a broken text": (b'{"type": "is NaN here"', Reason.BAD_JSON),
    "UTF-16": (GOOD.decode().encode("utf-16-le"), Reason.BAD_JSON),
    "a second byte order mark": (b"\xef\xbb\xbf\xef\xbb\xbf" + GOOD, Reason.BAD_JSON),
    "not UTF-8": (with_(b'"DE"', b'"\xff"'), Reason.BAD_UTF8),
    "not UTF-8 in a number's place": (feature_of(b'"\xff"'), Reason.BAD_UTF8),
    "not UTF-8 in an unknown name": (with_(b'"amount": 1.5', b'"\xff": 1.5'), Reason.BAD_UTF8),
    "overlong UTF-8": (with_(b'"DE"', b'"\xc0\xaf"'), Reason.BAD_UTF8),
    "a raw surrogate": (with_(b'"DE"', b'"\xed\xa0\x80"'), Reason.BAD_UTF8),
    "a lone surrogate": (with_(b'"DE"', b'"\\ud800"'), Reason.LONE_SURROGATE),
    "a lone low surrogate in a name": (with_(b'"country"', b'"\\udc00"'), Reason.LONE_SURROGATE),
    "a lone surrogate in an ignored field": (with_(b'"ts"', b'"zz": "\\ud800", "ts"'), Reason.LONE_SURROGATE),
    "NaN": (feature_of(b"NaN"), Reason.NONFINITE_NUMBER),
    "-Infinity": (feature_of(b"-Infinity"), Reason.NONFINITE_NUMBER),
    "Infinity in an ignored field": (with_(b'"ts"', b'"zz": Infinity, "ts"'), Reason.NONFINITE_NUMBER),
    "1e999": (feature_of(b"1e999"), Reason.NUMBER_OUT_OF_RANGE),
    "5,000 digits": (feature_of(b"1" * 5_000), Reason.NUMBER_OUT_OF_RANGE),
    "5,000 digits of a timestamp": (with_(str(NOW_MS).encode(), b"1" * 5_000), Reason.NUMBER_OUT_OF_RANGE),
    "nested 33 deep": (feature_of(b"[" * 31 + b"]" * 31), Reason.TOO_DEEP),
    "nested 1,000 deep": (feature_of(b"[" * 1_000 + b"]" * 1_000), Reason.TOO_DEEP),
    "nested 100,000 deep": (feature_of(b"[" * 100_000 + b"]" * 100_000), Reason.TOO_DEEP),
    "nested and never closed": (b'{"a":' * 100_000, Reason.TOO_DEEP),
    "2 MiB": (with_(b'"DE"', b'"' + b"x" * 2**21 + b'"'), Reason.TOO_LARGE),
    "10,000 features": (wide(10_000), Reason.TOO_WIDE),
    "no type": (with_(b'"type": "prediction", ', b""), Reason.MISSING_FIELD),
    "another type": (with_(b'"type": "prediction"', b'"type": "training"'), Reason.UNKNOWN_TYPE),
    "a type that is no text": (with_(b'"type": "prediction"', b'"type": ["label"]'), Reason.UNKNOWN_TYPE),
    "no model": (with_(b'"model": "labels", ', b""), Reason.MISSING_FIELD),
    "a model that is no text": (with_(b'"model": "labels"', b'"model": 5'), Reason.BAD_FIELD),
    "an empty model": (with_(b'"model": "labels"', b'"model": ""'), Reason.BAD_NAME),
    "an invisible model": (with_(b'"model": "labels"', b'"model": "\\u202e\\u0000\\u200b"'), Reason.BAD_NAME),
    "a model of 10,000 characters": (with_(b'"labels"', b'"' + b"m" * 10_000 + b'"'), Reason.BAD_NAME),
    "an unknown model": (with_(b'"model": "labels"', b'"model": "nobody"'), Reason.UNKNOWN_MODEL),
    "a fractional id": (with_(b'"p-1"', b"1.5"), Reason.BAD_FIELD),
    "a whole id with a point": (with_(b'"p-1"', b"1.0"), Reason.BAD_FIELD),
    "a true id": (with_(b'"p-1"', b"true"), Reason.BAD_FIELD),
    "a version that is an object": (with_(b'"version": "7"', b'"version": {}'), Reason.BAD_FIELD),
    "features that are an array": (json.dumps(event(features=[1])).encode(), Reason.BAD_FIELD),
    "tags that are a text": (json.dumps(event(tags="web")).encode(), Reason.BAD_FIELD),
    "a true timestamp": (json.dumps(event(ts=True)).encode(), Reason.BAD_TIMESTAMP),
    "a timestamp that is an object": (json.dumps(event(ts={})).encode(), Reason.BAD_TIMESTAMP),
    "a leap second": (json.dumps(event(ts="2026-06-30T23:59:60Z")).encode(), Reason.BAD_TIMESTAMP),
    "the year 0": (json.dumps(event(ts="0000-01-01T00:00:00Z")).encode(), Reason.BAD_TIMESTAMP),
    "the year 10000": (json.dumps(event(ts="10000-01-01T00:00:00Z")).encode(), Reason.BAD_TIMESTAMP),
    "before 1970": (json.dumps(event(ts=-1)).encode(), Reason.BAD_TIMESTAMP),
    "a time in digits in quotes": (json.dumps(event(ts="1795305072")).encode(), Reason.BAD_TIMESTAMP),
    "no time at all": (json.dumps(event(ts="soon")).encode(), Reason.BAD_TIMESTAMP),
    "a day ahead": (json.dumps(event(ts=NOW_MS + DAY_MS)).encode(), Reason.FUTURE_TIMESTAMP),
}  # fmt: skip

FORGIVEN: dict[str, bytes] = {
    "a byte order mark": b"\xef\xbb\xbf" + GOOD,
    "blanks around": b" \r\n" + GOOD + b"\n",
    "duplicate keys": with_(b'"amount": 1.5', b'"amount": "x", "amount": 1.5'),
    "duplicate models": with_(b'"model": "labels"', b'"model": 5, "model": "labels"'),
    "escaped names": with_(b'"model"', b'"mod\\u0065l"'),
    "nested 32 deep": feature_of(b"[" * 30 + b"]" * 30),
    "400 digits": feature_of(b"1" * 400),
    "brackets in a text": with_(b'"DE"', json.dumps('["' * 100).encode()),
    "a NUL in a value": with_(b'"DE"', b'"D\\u0000E"'),
    "a NUL in a feature's name": with_(b'"country"', b'"coun\\u0000try"'),
    "NaN in a text": with_(b'"DE"', b'"NaN"'),
    "a surrogate pair": with_(b'"DE"', b'"\\ud83d\\ude00"'),
    "a 100,000 character category": with_(b'"DE"', b'"' + b"x" * 100_000 + b'"'),
    "an array of 10^5": feature_of(json.dumps(list(range(100_000))).encode()),
    "1,900 unknown features": wide(1_900),
    "a huge whole id": with_(b'"p-1"', b"9" * 100),
    "an invisible character in the model": with_(b'"model": "labels"', b'"model": "lab\\u200bels"'),
}  # fmt: skip


def decode(*values: bytes | None, **options: Any) -> Decoded:
    """What a fresh decoder makes of these values."""
    return Decoder(CONFIGURATION, **options).decode(records(values))


@pytest.mark.parametrize(("value", "reason"), BAD.values(), ids=BAD.keys())
def test_a_bad_event_is_one_dead_letter_with_its_reason(value: bytes, reason: Reason) -> None:
    decoded = decode(value)
    [letter] = decoded.dead
    assert (letter.reason, letter.offset, letter.size) == (reason, 0, len(value))
    assert letter.value == value[:KEPT_VALUE_BYTES]
    assert 0 < len(letter.detail) <= 200
    assert not decoded.batches


@pytest.mark.parametrize("value", FORGIVEN.values(), ids=FORGIVEN.keys())
def test_a_strange_event_is_counted_nevertheless(value: bytes) -> None:
    decoded = decode(value)
    assert not decoded.dead
    [batch] = decoded.batches
    assert (batch.model, len(batch)) == ("labels", 1)


def test_no_detail_echoes_the_payload() -> None:
    secret = "hunter2-hunter2"
    for value, _ in BAD.values():
        for letter in decode(value.replace(b"labels", secret.encode()).replace(b"DE", secret.encode())).dead:
            assert secret not in letter.detail


@pytest.mark.parametrize("limit", [1, 50, 1_000])
def test_among_bad_events_every_good_one_is_counted(limit: int) -> None:
    good = [
        json.dumps(event(id=str(i), features={"amount": i, "weight": i / 3, "country": "DE"})).encode()
        for i in range(len(BAD) * 3)
    ]
    mixed: list[tuple[bytes | None, Reason | None]] = (
        [(value, None) for value in good] + list(BAD.values()) * 2 + [(None, None)] * 5
    )
    random.Random(1).shuffle(mixed)
    whole = records([value for value, _ in mixed])
    decoder = Decoder(CONFIGURATION)
    decoded = [
        decoder.decode(chosen(whole, range(at, min(at + limit, len(mixed)))))
        for at in range(0, len(mixed), limit)
    ]
    assert {letter.offset: letter.reason for one in decoded for letter in one.dead} == {
        i: reason for i, (_, reason) in enumerate(mixed) if reason
    }
    assert sum(len(one.dead) for one in decoded) == 2 * len(BAD)
    assert sum(one.tombstones for one in decoded) == 5
    assert rows(decoded).keys() == {
        i for i, (value, reason) in enumerate(mixed) if value is not None and reason is None
    }
    alone = Decoder(CONFIGURATION)
    assert pane_to_bytes(sketches(decoder, decoded)["labels"]) == pane_to_bytes(
        sketches(
            alone,
            [
                alone.decode(chosen(whole, [i]))
                for i, (value, reason) in enumerate(mixed)
                if value and not reason
            ],
        )["labels"]
    )


def mutated(value: bytes, chance: random.Random) -> bytes:
    """Some bytes of an event overwritten, cut out, doubled, or another event's."""
    data = bytearray(value)
    for _ in range(chance.randint(1, 3)):
        at, length = chance.randrange(len(data) + 1), chance.randint(0, 6)
        piece = chance.choice(
            [
                b"",
                bytes([chance.randrange(256)]),
                b"null",
                b"1e308",
                b'"',
                b"\\u0000",
                b"\\ud800",
                b"NaN",
                b"{}",
                b"[",
                b"}",
            ]
        )
        data[at : at + length] = piece * chance.randint(1, 2)
    return bytes(data)


def test_nothing_is_ever_raised() -> None:
    chance = random.Random(20_000)
    seeds = (
        [value for value, _ in BAD.values() if len(value) < 2_000]
        + [value for value in FORGIVEN.values() if len(value) < 2_000]
        + [GOOD] * 40
    )
    decoders = [
        Decoder(CONFIGURATION),
        Decoder(nonfinite("missing")),
        Decoder(CONFIGURATION, unknown_models=UnknownModels.LEARN),
    ]
    total = 0
    while total < 20_000:
        n = chance.choice([1, 5, 40, 200])
        values = [
            chance.randbytes(chance.randrange(40))
            if chance.random() < 0.1
            else mutated(chance.choice(seeds), chance)
            for _ in range(n)
        ]
        for decoder in decoders:
            decoded = decoder.decode(records(values, first=total))
            assert (
                len(decoded.dead) + sum(map(len, decoded.batches)) + decoded.ignored + decoded.tombstones == n
            )
            for sketch in sketches(decoder, [decoded]).values():
                pane_to_bytes(sketch)
        total += n


# Numbers that JSON does not have


def nonfinite(policy: str) -> Configuration:
    """One model that rejects numbers that are not finite, or counts them as missing."""
    return Configuration({"labels": (ModelVersion(Monitor("labels", nonfinite=policy), LABELS_GRID),)}, 1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("literal", "kind"),
    [
        (b"NaN", Missing.NAN),
        (b"Infinity", Missing.INFINITE),
        (b"-Infinity", Missing.INFINITE),
        (b"1e999", Missing.INFINITE),
    ],
)
def test_numbers_that_are_not_finite_can_be_counted_as_missing(literal: bytes, kind: Missing) -> None:
    decoder = Decoder(nonfinite("missing"))
    values = [GOOD, feature_of(literal), with_(b'"DE"', literal)] * 10
    decoded = decoder.decode(records(values))
    assert not decoded.dead
    sketch = sketches(decoder, [decoded])["labels"]
    assert sketch.inferences == 30
    assert sketch.numbers.missing[0, kind] == 10
    assert sketch.categories.missing[0, kind] == 10


def test_a_lone_surrogate_is_dead_even_where_nan_is_allowed() -> None:
    decoded = Decoder(nonfinite("missing")).decode(records([feature_of(b'NaN, "z": "\\ud800"')]))
    assert [letter.reason for letter in decoded.dead] == [Reason.LONE_SURROGATE]


# What becomes of strange values


def test_hostile_numbers_and_texts_are_counted_as_what_they_are() -> None:
    values = [
        b"1e308",
        b"-0.0",
        b"5e-324",
        b"1" * 400,
        b'"1.0"',
        b'""',
        b"true",
        b"null",
        b"18446744073709551616",
    ]
    decoder = Decoder(CONFIGURATION)
    sketch = sketches(decoder, [decoder.decode(records([feature_of(v) for v in values]))])["labels"]
    kinds = {kind: int(sketch.numbers.missing[0, kind]) for kind in Missing}
    expected = {
        Missing.INFINITE: 1,
        Missing.WRONG_TYPE: 2,
        Missing.EMPTY: 1,
        Missing.NULL: 1,
        Missing.ABSENT: 0,
        Missing.NAN: 0,
    }
    assert kinds == expected
    assert (sketch.numbers.column_counts(0).sum(), sketch.numbers.high[0]) == (4, 1e308)
    assert sketch.extras[feature("amount")].texts.counts == {"1.0": 1, "true": 1}


def test_a_nul_in_a_value_is_replaced() -> None:
    decoder = Decoder(CONFIGURATION)
    sketch = sketches(decoder, [decoder.decode(records([FORGIVEN["a NUL in a value"]]))])["labels"]
    assert sketch.categories.unseen[0].counts == {"D\ufffdE": 1}


def test_a_name_with_invisible_characters_is_the_clean_name_and_disturbs_no_other_row() -> None:
    decoder = Decoder(CONFIGURATION)
    values = [
        event(features={"amount": 1.0}),
        event(features={"amount\u200b": 2.0}),
        event(features={"amount": 3.0, "amount\u200b": 9.0}),
    ]
    sketch = sketches(decoder, [decoder.decode(records(values))])["labels"]
    assert (sketch.numbers.low[0], sketch.numbers.high[0]) == (1.0, 3.0)
    assert sketch.numbers.column_counts(0).sum() == 3
    assert not sketch.extras


def test_absent_null_and_unset_parts_of_a_prediction_are_told_apart() -> None:
    predictions: list[dict[str, Any]] = [
        {},
        {"prediction": None},
        {"prediction": {}},
        {"prediction": {"label": None, "score": None}},
    ]
    for extra in ({}, {"unknown": [1]}):
        values = [{k: v for k, v in event(**extra).items() if k != "prediction"} | p for p in predictions]
        decoder = Decoder(CONFIGURATION)
        sketch = sketches(decoder, [decoder.decode(records(values))])["labels"]
        answers, scores = sketch.categories.missing[1], sketch.numbers.missing[2]
        assert (answers[Missing.ABSENT], answers[Missing.NULL]) == (2, 2)
        assert (scores[Missing.ABSENT], scores[Missing.NULL]) == (3, 1)


@pytest.mark.parametrize(
    ("prediction", "answer", "score"),
    [
        ("yes", "yes", None), (7, "7", None), (7.0, "7", None), (0.5, "0.5", None), (True, "true", None),
        ({"label": "yes", "score": 0.25}, "yes", 0.25), ({"value": 3.5}, "3.5", None),
        ({"label": None, "value": 4}, "4", None),
        ({"scores": {"a": 0.2, "b": 0.75}}, "b", 0.75), ({"scores": {"a": 0.5, "b": 0.5}}, "b", 0.5),
        ({"label": "a", "scores": {"a": 0.25, "b": 0.75}}, "a", 0.75),
        ({"scores": {"a": None, "b": "x"}}, None, None),
        (9007199254740993, "9007199254740993", None), ({"value": 9007199254740993}, "9007199254740993", None),
    ],
)  # fmt: skip
def test_every_form_of_a_prediction_is_read(prediction: Any, answer: str | None, score: float | None) -> None:
    decoder = Decoder(CONFIGURATION)
    [batch] = decoder.decode(records([event(prediction=prediction)])).batches
    place = LABELS_GRID.text_at[PREDICTION]
    [value] = batch.texts[place].values
    assert value == (Missing.ABSENT if answer is None else answer)
    assert batch.numbers[LABELS_GRID.number_at[SCORE], 0] == pytest.approx(
        np.nan if score is None else score, nan_ok=True
    )


def test_labels_are_a_stream_of_their_own() -> None:
    label = {"type": "label", "model": "labels", "id": "p-1", "ts": NOW_MS, "label": "yes"}
    decoder = Decoder(CONFIGURATION)
    decoded = decoder.decode(
        records([event(), label, {**label, "label": None}, {k: v for k, v in label.items() if k != "label"}])
    )
    inference, labels = sorted(decoded.batches, key=lambda batch: batch.stream)
    assert (inference.stream, labels.stream, len(labels)) == (Stream.INFERENCE, Stream.LABEL, 3)
    assert inference.ids[0] != labels.ids[0]
    sketch = sketches(decoder, [decoded])["labels"]
    place = LABELS_GRID.text_at[LABEL]
    assert sketch.categories.missing[place, [Missing.NULL, Missing.ABSENT]].tolist() == [1, 1]


def test_a_latency_is_missing_only_where_it_is_named() -> None:
    decoder = Decoder(CONFIGURATION)
    values = [event(model="values", latency_ms=v) for v in (5.0, None)] + [event(model="values")]
    sketch = sketches(decoder, [decoder.decode(records(values))])["values"]
    place = sketch.grid.number_at[LATENCY]
    assert sketch.numbers.column_counts(place).sum() == 1
    assert sketch.numbers.missing[place, [Missing.NULL, Missing.ABSENT]].tolist() == [1, 0]


def test_ever_new_names_are_cut_into_batches_so_that_none_is_wide_and_long() -> None:
    values = [event(features={"amount": 1, **{f"u{i}-{j}": 1 for j in range(5)}}) for i in range(1_500)]
    decoded = Decoder(CONFIGURATION).decode(records(values))
    assert max(len(batch.extras) for batch in decoded.batches) <= 512
    assert sorted(rows([decoded])) == list(range(1_500))


# Models


@pytest.mark.parametrize("sizes", [[400], [1] * 400, [7, 93, 300]])
def test_the_first_so_many_unknown_models_are_learned_whatever_the_batches(sizes: list[int]) -> None:
    values = [json.dumps(event(model=f"m{i // 3:03}")).encode() for i in range(400)]
    values[10] = b"\xef\xbb\xbf" + values[10]
    values[30] = values[30].replace(b"prediction", b"prophecy", 1)
    whole = records(values)
    decoder = Decoder(Configuration(), unknown_models=UnknownModels.LEARN)
    decoded, at = [], 0
    for size in sizes:
        decoded.append(decoder.decode(chosen(whole, range(at, at + size))))
        at += size
    assert sorted(decoder.learned_models) == [f"m{i:03}" for i in range(MOST_LEARNED_MODELS)]
    assert [letter.offset for one in decoded for letter in one.dead] == [30, *range(300, 400)]


def test_models_that_were_learned_before_leave_room_for_fewer(caplog: pytest.LogCaptureFixture) -> None:
    configuration = Configuration(learned=MOST_LEARNED_MODELS - 2)
    decoder = Decoder(configuration, unknown_models=UnknownModels.LEARN)
    decoded = decoder.decode(records([event(model=f"m{i}") for i in range(5)]))
    assert sorted(decoder.learned_models) == ["m0", "m1"]
    assert {letter.detail for letter in decoded.dead} == {
        "100 models are learned already; apply a monitor for this one"
    }
    [warning] = caplog.records
    assert warning.getMessage().startswith("model 'm2' and further ones are not learned")


def test_a_learned_model_is_decoded_with_its_monitor_once_there_is_one() -> None:
    decoder = Decoder(Configuration(), unknown_models=UnknownModels.LEARN)
    [before] = decoder.decode(records([event(model="labels")])).batches
    assert decoder.version_of(before).grid.id == Grid().id
    decoder.reconfigure(CONFIGURATION)
    [after] = decoder.decode(records([event(model="labels")])).batches
    assert decoder.version_of(after) is MODELS["labels"]
    assert not decoder.learned_models


def test_events_of_models_that_nobody_watches_can_be_ignored() -> None:
    decoded = decode(
        *[json.dumps(event(model="nobody")).encode()] * 20, GOOD, unknown_models=UnknownModels.IGNORE
    )
    assert (decoded.ignored, len(decoded.dead), len(decoded.batches)) == (20, 0, 1)


@pytest.mark.parametrize("first_since_ms", [-(2**62), NOW_MS - 50])
@pytest.mark.parametrize("shape", [{}, {"unknown": [1]}])
def test_each_row_is_decoded_with_the_version_in_force_at_its_time(
    first_since_ms: int, shape: dict[str, Any]
) -> None:
    # event time:  -100   -50        0         100        200
    #              |-----first------|--second--|--third-----
    #              (before the first version the first one holds)
    starts = [first_since_ms, NOW_MS, NOW_MS + 100]
    versions = tuple(
        ModelVersion(Monitor("labels"), LABELS_GRID, number, since) for number, since in enumerate(starts, 1)
    )
    decoder = Decoder(Configuration({"labels": versions}, 1))
    times = [NOW_MS + at for at in (-100, -1, 0, 99, 100, 200, 50, -70)]
    decoded = decoder.decode(records([event(ts=ts, **shape) for ts in times]))
    found = {int(b.offsets[i]): b.configuration for b in decoded.batches for i in range(len(b))}
    assert [found[i] for i in range(len(times))] == [1, 1, 2, 2, 3, 3, 2, 1]


def test_hundreds_of_versions_do_not_exhaust_the_stack() -> None:
    versions = tuple(ModelVersion(Monitor("labels"), LABELS_GRID, n, NOW_MS + n) for n in range(1, 800))
    decoded = Decoder(Configuration({"labels": versions}, 1)).decode(records([event(ts=NOW_MS + 3)]))
    assert [batch.configuration for batch in decoded.batches] == [3]


def test_narrower_limits_are_kept() -> None:
    limits = Limits(event_bytes=len(GOOD), features=3, depth=2)
    assert not decode(GOOD, limits=limits).dead
    assert [letter.reason for letter in decode(GOOD + b" ", limits=limits).dead] == [Reason.TOO_LARGE]


@pytest.mark.parametrize("features", [6, 8])
def test_an_event_is_too_wide_whatever_was_learned(features: int) -> None:
    limits = Limits(features=7)
    wide = event(
        features={"amount": 1, "weight": 1, "country": "DE", **{f"f{i}": 1 for i in range(features - 3)}}
    )
    slim = [event(features={"amount": 1, **{f"f{i}": 1 for i in range(k, k + 3)}}) for k in (0, 3)]
    decoder = Decoder(CONFIGURATION, limits=limits)
    for one in slim:
        decoder.decode(records([one] * 40))
    assert len(decoder.decode(records([wide])).dead) == (features > 7)
