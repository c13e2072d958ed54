"""What changes from one monitor to the next is said in sentences and shown as lines."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from service.monitor import (
    DAY_MS,
    AlertPolicy,
    Budget,
    FeatureOverride,
    FeedbackPolicy,
    LabelPolicy,
    Monitor,
    Task,
    WindowSpec,
)
from service.monitor_changes import changes_between, lines_between, taken_by_default
from service.promises import Contract, Promise

USUAL = Monitor("churn", reference="spring")
SOONER = "it rings sooner and is wrong more often"
LATER = "it rings later and is wrong less often"
WITHOUT = "only silence and volume ring"
ONE_A_MONTH = "at most 1 false page in 30d"
CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"task": Task.BINARY}, "task: none becomes binary"),
    ({"reference": None}, f"nothing is compared with a reference any more (it was spring): {WITHOUT}"),
    ({"reference": "autumn"}, "the reference autumn replaces spring"),
    ({"pane_ms": 30_000}, "events are counted in panes of 30s instead of 1m"),
    ({"windows": (WindowSpec.tumbling(300_000),)}, "windows of 1h are not scored any more"),
    ({"windows": (*USUAL.windows, WindowSpec.tumbling(DAY_MS))}, "windows of 1d are scored, too"),
    ({"allowed_lateness_ms": 0}, "allowed_lateness: 10m becomes 0s"),
    ({"disorder_ms": 0}, "disorder: 5s becomes 0s"),
    ({"max_future_skew_ms": 60_000}, "max_future_skew: 5m becomes 1m"),
    ({"idle_after_ms": 60_000}, "idle_after: 30s becomes 1m"),
    ({"ts_unit": "ms"}, "ts_unit: auto becomes ms"),
    ({"nonfinite": "missing"}, "nonfinite: reject becomes missing"),
    ({"silence_after_ms": 60_000}, "silence_after: learned becomes 1m"),
    ({"budget": Budget(4.0)}, f"at most 4 false pages in 30d instead of {ONE_A_MONTH}: {SOONER}"),
    ({"budget": Budget(1.0, 90 * DAY_MS)}, f"at most 1 false page in 90d instead of {ONE_A_MONTH}: {LATER}"),
    ({"segments": ("country",)}, "each value of country is watched by itself, too"),
    ({"methods": ("psi", "ks")}, "methods: none becomes psi, ks"),
    ({"features": {"age": FeatureOverride(ignore=True)}}, "feature age is not watched any more"),
    ({"features": {"age": FeatureOverride(tolerance=0.5)}}, "feature age: tolerance becomes 0.5"),
    ({"alerts": AlertPolicy(for_windows=3)}, "alerts.for_windows: 1 becomes 3"),
    ({"labels": LabelPolicy(wait_ms=7 * DAY_MS)}, "labels.wait: 30d becomes 7d"),
    ({"feedback": FeedbackPolicy(per_day=5)}, "feedback.per_day: 0 becomes 5"),
    ({"contract": Contract({"age": Promise(low=0.0)})}, "the contract is held against 1 promise and rules"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "sentence"), CHANGES)
def test_each_change_is_one_sentence_and_has_lines(change: dict[str, Any], sentence: str) -> None:
    after = replace(USUAL, **change)
    assert changes_between(USUAL, after) == (sentence,)
    assert lines_between(USUAL, after).startswith("--- stored\n+++ new\n")


def test_the_way_back_is_said_too() -> None:
    after = replace(USUAL, segments=("country",), features={"age": FeatureOverride(ignore=True)})
    assert changes_between(after, USUAL) == (
        "country is not watched by segment any more",
        "feature age is watched",
    )
    assert changes_between(replace(USUAL, reference=None), USUAL) == (
        "traffic is compared with the reference spring from then on",
    )


def test_nothing_is_said_where_nothing_changes() -> None:
    assert changes_between(USUAL, replace(USUAL)) == ()
    assert lines_between(USUAL, replace(USUAL)) == ""


def test_a_new_model_is_said_to_be_watched() -> None:
    (sentence,) = changes_between(None, USUAL)
    assert sentence == (
        "model churn is watched from now on: windows of 5m and 1h, against the reference spring, "
        "at most 1 false page in 30d"
    )
    assert "+  churn:" in lines_between(None, USUAL)


def test_every_attribute_of_a_monitor_can_be_said() -> None:
    """A new one that no sentence can be made of would fail here, or above."""
    assert {name for change, _ in CHANGES for name in change} == {one.name for one in fields(Monitor)} - {
        "model"
    }


def test_what_was_not_written_and_holds_all_the_same() -> None:
    usual = taken_by_default(Monitor("churn", pane_ms=30_000, labels=LabelPolicy(sample=0.5)))
    assert usual["windows"] == ["5m", "1h"]
    assert usual["budget"] == {"false_pages": 1.0, "per": "30d"}
    assert usual["task"] == "none"
    assert (
        not {"pane", "labels", "reference", "silence_after", "features", "contract", "model"} & usual.keys()
    )
