"""What records hold: models and their fields, how often they are missing, and what is no event, whatever the bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from service.intake.limits import Limits
from service.intake.source import Cut
from service.sniffing.found import FieldFound, FieldKind, TopicFound
from service.sniffing.sniffer import MOST_FIELDS, MOST_MODELS
from tests.sniffing.records import T0_MS, TOPIC, found_in, label, model_in, prediction, records_of, sniffed


def feature_in(*values: Any, name: str = "x") -> FieldFound:
    """The feature of that name in events that hold these values; ... is an event without it."""
    made = [prediction(n, **({} if value is ... else {name: value})) for n, value in enumerate(values)]
    return next(one for one in model_in(*made, prediction(**{name: None})).features if one.name == name)


# ---------------------------------------------------------------- fields
@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("amount", [0.5 * n for n in range(50)], FieldKind.NUMBER),
        ("age", [n % 7 for n in range(50)], FieldKind.NUMBER),
        ("country", ["DE", "FR"] * 25, FieldKind.CATEGORY),
        ("is_new", [True, False] * 25, FieldKind.CATEGORY),
        ("session", [f"s{n}" for n in range(50)], FieldKind.ID),
        ("customer_id", list(range(50)), FieldKind.ID),
        ("paid", list(range(50)), FieldKind.NUMBER),
        ("customer_id", [n % 5 for n in range(50)], FieldKind.NUMBER),
        ("mixed", [*range(30), *(["n/a"] * 20)], FieldKind.NUMBER),
        ("nested", [{"a": 1}] * 50, FieldKind.OTHER),
        ("few", ["a", "b", "c"], FieldKind.CATEGORY),
    ],
)
def test_the_kind_of_a_feature_is_what_most_values_are(name: str, values: list[Any], kind: FieldKind) -> None:
    assert feature_in(*values, name=name).kind is kind


def test_every_way_to_be_missing_counts() -> None:
    # nine rows: two numbers, and seven without one, the last of which `feature_in` adds
    one = feature_in(1.0, 2.0, None, ..., "", [], {}, 10**400)
    assert one.missing_ratio == pytest.approx(7 / 9, abs=1e-4)
    assert (one.low, one.high, one.distinct) == (1.0, 2.0, 2)


def test_nan_counts_as_missing_and_costs_no_event() -> None:
    found = found_in(b'{"type":"features","model":"m","features":{"x":NaN,"y":1}}')
    fields = {one.name: one.missing_ratio for one in found.models[0].features}
    assert (fields, found.rejected) == ({"x": 1.0, "y": 0.0}, ())


def test_a_segment_has_few_values_with_enough_rows_each() -> None:
    assert feature_in(*["DE", "FR"] * 10).is_segment
    assert not feature_in(*["DE"] * 20).is_segment
    assert not feature_in("DE", "FR", "IT").is_segment
    assert not feature_in(*[f"c{n % 30}" for n in range(300)]).is_segment
    assert not feature_in(*[1, 2] * 10).is_segment


def test_tags_are_told_apart_from_features() -> None:
    model = model_in(
        *(prediction(n, x=1) | {"tags": {"channel": "web" if n % 2 else "app"}} for n in range(20))
    )
    assert [(one.name, one.is_segment) for one in model.tags] == [("channel", True)]
    assert [one.name for one in model.features] == ["x"]


@pytest.mark.parametrize("text", ["\x1b[31mred", "\u202eabc", "a\nb", "\x00", "x" * 5_000])
def test_examples_are_one_visible_short_line(text: str) -> None:
    (example,) = feature_in(text, text).examples
    assert example.isprintable()
    assert len(example) <= 60


def test_memory_is_bounded_by_names() -> None:
    wide = [prediction(n, **{f"f{n * 100 + i}": 1 for i in range(100)}) for n in range(8)]
    model = model_in(*wide)
    assert len(model.features) == MOST_FIELDS
    assert model.has_more_features
    many = found_in(*({"type": "features", "model": f"m{n}"} for n in range(MOST_MODELS + 7)))
    assert (len(many.models), many.more_models) == (MOST_MODELS, 7)


# ---------------------------------------------------------------- models
def test_types_versions_times_and_labels_are_told() -> None:
    events = [prediction(n, "yes", x=n) | {"version": str(n % 2)} for n in range(10)]
    model = model_in(
        *events, label(3, "no", 60_000), label(4, "yes", 120_000), label(5, "no", 60_000), label(99, "no")
    )
    assert model.types == {"prediction": 10, "label": 4}
    assert set(model.versions) == {"0", "1"}
    assert (model.first_ms, model.last_ms) == (T0_MS, T0_MS + 9_000)
    assert (model.labels.labels, model.labels.joined, model.labels.median_delay_ms) == (4, 3, 60_000)
    assert model.labels.classes == ("no", "yes")


def test_the_rate_is_the_sum_over_partitions() -> None:
    parts = [records_of([prediction(n) for n in range(11)], number) for number in (0, 1)]
    (model,) = sniffed(parts, 2).models
    assert model.rhythm.events_per_second == pytest.approx(2.0)


def test_without_a_span_of_time_there_is_no_rate() -> None:
    model = model_in(prediction(0), prediction(0))
    assert model.rhythm.events_per_second is None
    assert "these are the usual lengths" in model.rhythm.why


# ---------------------------------------------------------------- what is no event
def test_every_record_is_an_event_a_tombstone_or_rejected_with_its_reason() -> None:
    found = found_in(
        prediction(0), None, b"{", b"", b"[]", b"\xff\xfe", b'{"type":"x","model":"m"}', b'{"type":"features"}',
        prediction(0) | {"ts": "soon"}, prediction(0) | {"ts": T0_MS + 10**9},
    )  # fmt: skip
    reasons = {one.reason: one.records for one in found.rejected}
    assert reasons == {
        "bad_json": 1, "empty_value": 1, "not_an_object": 1, "bad_utf8": 1, "unknown_type": 1, "missing_field": 1,
        "bad_timestamp": 1, "future_timestamp": 1,
    }  # fmt: skip
    assert (found.records, found.tombstones, found.events) == (10, 1, 1)
    assert all(one.example.isprintable() and one.detail for one in found.rejected)


@pytest.mark.parametrize(
    ("good", "said"),
    [(3, "25.0 % of the records are none"), (2_000, "less than 0.1 % of the records are none")],
)
def test_a_share_that_is_not_nothing_is_not_said_to_be(good: int, said: str) -> None:
    assert (
        found_in(b"{", *(prediction(n) for n in range(good))).format == f"driftbell events, as JSON; {said}"
    )


def test_what_is_too_large_is_not_read() -> None:
    small = Limits(event_bytes=100)
    found = sniffed([records_of([b"x" * 101, Cut(b"{", 10**9)])], limits=small)
    assert [(one.reason, one.records) for one in found.rejected] == [("too_large", 2)]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (b'{"amount":1,"country":"DE"}', "JSON objects, but no driftbell events"),
        (b"\x00\x00\x00\x00\x07abc", "a schema registry's binary format"),
        (b"\x1f\x8b\x08abc", "compressed one by one"),
        (b"1,2,3", "no driftbell events"),
        (None, "tombstones only"),
    ],
)
def test_a_foreign_format_is_named_with_what_to_do(value: bytes | None, words: str) -> None:
    found = found_in(value, value)
    assert words in found.format
    assert found.models == ()
    assert value is None or "events must be JSON objects with `type`, `model` and `features`" in found.format


def test_an_empty_topic_is_said_to_be_empty() -> None:
    assert sniffed([], 3) == TopicFound(TOPIC, 3, 0, 0, "the topic has no records yet", looked_at=3)


def test_no_bytes_are_too_hostile() -> None:
    random = np.random.default_rng(5)
    start = b'{"type":"prediction","model":"m","features":{"x":'
    values = [start + random.bytes(int(random.integers(0, 40))) for _ in range(500)]
    values += [random.bytes(int(random.integers(1, 200))) for _ in range(500)]
    found = found_in(*values)
    assert found.events + sum(one.records for one in found.rejected) == 1_000
    assert all(one.example.isprintable() for one in found.rejected)
