"""Monitors are frozen values with sensible defaults, and durations read back as they were written."""

from __future__ import annotations

import copy
import dataclasses
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.monitor import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    AlertPolicy,
    Budget,
    FeatureOverride,
    Monitor,
    Task,
    WindowSpec,
    format_duration,
    parse_duration,
    to_document,
)


@pytest.mark.parametrize(
    ("text", "duration_ms"),
    [
        ("500ms", 500),
        ("30s", 30_000),
        ("90s", 90_000),
        ("5m", 300_000),
        ("1h30m", 5_400_000),
        ("1d", 86_400_000),
        ("1d2h3m4s5ms", 93_784_005),
        ("0s", 0),
    ],
)
def test_a_duration_is_a_number_with_a_unit_or_several(text: str, duration_ms: int) -> None:
    assert parse_duration(text) == duration_ms


@pytest.mark.parametrize(
    "text",
    ["", "5", "5 m", "5min", "-5m", "1.5h", "m", "30m1h", "5m5m", "5M", "\u0665m", "5m\n", "9" * 99 + "s"],
)
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="write a duration such as 5m, 1h or 30s"):
        parse_duration(text)


@given(st.integers(min_value=0, max_value=10**17))
def test_a_duration_reads_back_as_it_was_formatted(duration_ms: int) -> None:
    assert parse_duration(format_duration(duration_ms)) == duration_ms


def test_a_duration_is_formatted_from_its_largest_unit_down() -> None:
    assert [format_duration(ms) for ms in (0, 1, 90_000, HOUR_MS, DAY_MS + MINUTE_MS)] == [
        "0s", "1ms", "1m30s", "1h", "1d1m",
    ]  # fmt: skip


def test_a_window_is_named_by_its_length_and_by_its_step_when_it_slides() -> None:
    assert WindowSpec.tumbling(5 * MINUTE_MS).name == "5m"
    assert WindowSpec(HOUR_MS, 5 * MINUTE_MS).name == "1h/5m"


def test_the_defaults_are_those_of_the_design() -> None:
    monitor = Monitor("churn")
    assert [window.name for window in monitor.windows] == ["5m", "1h"]
    assert (monitor.pane_ms, monitor.allowed_lateness_ms) == (60_000, 600_000)
    assert monitor.budget == Budget(false_pages=1.0, per_ms=30 * DAY_MS)
    assert monitor.alerts == AlertPolicy(for_windows=1, clear_windows=2, clear_ratio=0.8)
    assert to_document(monitor) == {}


def test_a_monitor_can_be_neither_changed_nor_changed_from_outside() -> None:
    overrides = {"amount": FeatureOverride(ignore=True)}
    monitor = Monitor("churn", features=overrides)
    overrides["country"] = FeatureOverride()
    assert list(monitor.features) == ["amount"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        monitor.model = "fraud"  # type: ignore[misc]


def test_equal_monitors_hash_alike_and_survive_copies() -> None:
    one = Monitor("churn", features={"a": FeatureOverride(), "b": FeatureOverride(ignore=True)})
    other = Monitor("churn", features={"b": FeatureOverride(ignore=True), "a": FeatureOverride()})
    assert one == other
    assert hash(one) == hash(other)
    assert one == copy.deepcopy(one) == pickle.loads(pickle.dumps(one)) == dataclasses.replace(one)
    assert one != dataclasses.replace(one, features={})


def test_a_document_holds_only_what_differs_from_the_defaults() -> None:
    monitor = Monitor(
        "churn",
        task=Task.BINARY,
        windows=(WindowSpec.tumbling(HOUR_MS), WindowSpec(HOUR_MS, 5 * MINUTE_MS)),
        budget=Budget(false_pages=2.0),
        segments=("country",),
        features={"id": FeatureOverride(ignore=True), "amount": FeatureOverride(methods=("psi",))},
        silence_after_ms=90_000,
    )
    assert to_document(monitor) == {
        "task": "binary",
        "windows": ["1h", {"length": "1h", "every": "5m"}],
        "silence_after": "1m30s",
        "budget": {"false_pages": 2.0},
        "segments": ["country"],
        "features": {"amount": {"methods": ["psi"]}, "id": {"ignore": True}},
    }
