"""One record, opened without loss."""

from __future__ import annotations

import json

import pytest
from msgspec import UNSET, Raw

from service.injection.event import Event, as_value, head_of, value_text

LINE = (
    b'{"type": "prediction",  "model":"m", "id":7, "ts": 1767225600, "extra": [1, 2.50],\t'
    b'"features": {"a": 1.10, "b": "x\\u00e9", "c": 1e2, "d": null}, "tags": {"market": "spot"}}'
)


def event(line: bytes = LINE) -> Event:
    """The event of a line."""
    return Event(line, "prediction", "7", 1_767_225_600_000)


def test_an_event_that_was_only_read_keeps_its_line() -> None:
    one = event()
    assert one.feature("a") == 1.1
    assert one.slice_value("market") == "spot"
    assert one.written() is LINE


def test_what_a_change_does_not_touch_keeps_its_bytes() -> None:
    one = event()
    one.set_feature("b", "y")
    made = one.written()
    for kept in (b'"a":1.10', b'"c":1e2', b'"extra":[1, 2.50]', b'"ts":1767225600', b'{"market": "spot"}'):
        assert kept in made
    assert json.loads(made)["features"] == {"a": 1.1, "b": "y", "c": 100.0, "d": None}


def test_a_feature_that_was_renamed_stands_in_its_place() -> None:
    one = event()
    one.rename_feature("b", "z")
    assert [*json.loads(one.written())["features"]] == ["a", "z", "c", "d"]


def test_renaming_or_dropping_what_is_not_there_changes_nothing() -> None:
    one = event()
    one.rename_feature("none", "z")
    one.drop_feature("none")
    assert one.written() is LINE


def test_null_and_absent_are_different() -> None:
    assert event().feature("d") is None
    assert event().feature("e") is UNSET


def test_a_raw_value_is_written_as_it_is() -> None:
    one = event()
    one.set_feature("a", Raw(b"NaN"))
    assert b'"a":NaN' in one.written()
    assert one.feature("a") == "NaN"


@pytest.mark.parametrize(
    ("ts", "written"),
    [
        ("1767225600", "1767229200"),
        ("1767225600.5", "1767229200.0"),
        ("1767225600000", "1767229200000"),
        ("1767225600000000", "1767229200000000"),
        ("1767225600000000000", "1767229200000000000"),
        ('"2026-01-01T00:00:00Z"', '"2026-01-01T01:00:00Z"'),
    ],
)
def test_a_moved_event_says_its_time_in_its_own_unit(ts: str, written: str) -> None:
    one = event(b'{"type":"prediction","model":"m","ts":%b}' % ts.encode())
    one.move(1_767_229_200_000)
    assert one.written() == b'{"type":"prediction","model":"m","ts":%b}' % written.encode()
    assert one.ts_ms == 1_767_229_200_000


def test_a_copy_has_what_was_changed_and_goes_its_own_way() -> None:
    one = event()
    one.set_feature("a", 2)
    other = one.copy()
    other.set_feature("a", 3)
    assert (one.feature("a"), other.feature("a")) == (2, 3)
    assert json.loads(other.written())["features"]["b"] == "xé"


def test_an_event_without_features_can_be_given_some() -> None:
    one = event(b'{"type":"features","model":"m","features":null}')
    assert one.features() == {}
    one.set_feature("a", 1)
    assert json.loads(one.written())["features"] == {"a": 1}


@pytest.mark.parametrize(
    "line", [b"", b"{", b"[]", b"7", b'{"type":"prediction"}', b'{"type":1,"model":"m"}', b"\xff"]
)
def test_what_is_no_event_has_no_head(line: bytes) -> None:
    assert head_of(line) is None


def test_a_value_is_named_as_segments_name_it() -> None:
    assert [value_text(v) for v in ("DE", 1, 1.0, 1.5, True, None, [1])] == [
        "DE",
        "1",
        "1",
        "1.5",
        "true",
        None,
        None,
    ]


def test_an_options_text_is_a_number_where_it_can_be() -> None:
    texts = ("0", "-1.5", "true", "null", "unknown", '"7"', "[1]")
    assert [as_value(t) for t in texts] == [0, -1.5, True, None, "unknown", "7", "[1]"]
