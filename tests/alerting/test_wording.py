"""What an alert says: one sentence with where, what, how much and when."""

# ruff: noqa: E501 - the sentences stand as they are said

from __future__ import annotations

from dataclasses import replace

import pytest

from service.alerting.rules import COUNTED, RULES, SCHEMA, Signal, cause_of
from service.alerting.wording import sentence, told_sentence
from service.messages import (
    LABEL,
    LATENCY,
    PREDICTION,
    SCORE,
    Cause,
    Column,
    Finding,
    Role,
    SliceResult,
    Verdict,
    WindowKey,
)

DAY = 86_400_000
HUMIDITY = Column(Role.FEATURE, "hum")
KEY = WindowKey("bikes", "3", "", "1h", 20_000 * DAY, 20_000 * DAY + 3_600_000)
RESULT = SliceResult(KEY, 1_200, 40, ())
_RINGS = {method: rule.name for rule in RULES for method in rule.methods}
RULE_OF = _RINGS | {counted: _RINGS[evidence] for evidence, counted in COUNTED.items()}
"""The rule by which each method is told: rates are told where the evidence about them rings."""


def said(  # noqa: PLR0917
    method: str,
    value: float,
    limit: float,
    column: Column | None = HUMIDITY,
    result: SliceResult = RESULT,
    n: int = 500,
    m: int = 900,
) -> str:
    """The sentence of one finding."""
    finding = Finding(column, method, value, limit, 1e-9, n, m, 0.0, Verdict.DRIFT)
    signal = Signal(column, RULE_OF[method])
    return sentence(signal, finding, result, cause_of(signal, finding))


WHEN = "(2024-10-04 00:00 to 01:00 UTC, 1,200 events)"
SENTENCES = [
    ("missing_null", 0.25, 0.042, "feature hum is null in 25 % of the events, usual is at most 4.2 %"),
    ("missing_absent", 1.0, 0.002, "feature hum is absent in 100 % of the events, usual is at most 0.2 %"),
    ("missing_empty", 0.00212, 0.0021, "feature hum is empty in 0.212 % of the events, usual is at most 0.21 %"),
    ("missing_wrong_type", 0.5, 0.002, "feature hum has the wrong type in 50 % of the events, usual is at most 0.2 %"),
    ("unseen", 0.031, 0.002, "feature hum has values that the reference never saw in 3.1 % of the events, usual is at most 0.2 %"),
    ("out_of_range", 0.024, 1e-7, "feature hum is outside the reference's range in 2.4 % of the events, usual is at most 0.001 %"),
    ("wasserstein", 0.4906, 0.271, "the distribution of feature hum has changed: its values moved by 0.491 of the reference's standard deviations, the limit is 0.271"),
    ("wasserstein", 123_456.7, 0.2, "the distribution of feature hum has changed: its values moved by 123,457 of the reference's standard deviations, the limit is 0.2"),
    ("tv", 0.411018, 0.411013, "the distribution of feature hum has changed: 41.102 % of its values have moved, the limit is 41.101 %"),
    ("tv", 0.144, 0.213, "the distribution of feature hum has changed: 14.4 % of its values have moved, which is within the limit of one window, 21.3 %, but lasts"),
    ("l_infinity", 0.12, 0.05, "the distribution of feature hum has changed: the share of one value or group moved by 12 %, the limit is 5 %"),
    ("psi", 0.31, 0.1, "the distribution of feature hum has changed: its PSI is 0.31, the limit is 0.1"),
    ("evidence", 31.2, 18.4, "the distribution of feature hum has changed: the evidence against the reference, in nats, is 31.2, the limit is 18.4"),
    ("correlation", 0.62, 0.11, "feature hum no longer goes with the others as before: a correlation moved by 0.62, the limit is 0.11"),
    ("pca", 3.1, 1.05, "feature hum no longer goes with the others as before: the variance outside their main subspace is 3.1 times the usual, the limit is 1.05"),
    ("error_rate", 0.4, 0.071, "the model is wrong in 40 % of the labelled events, usual is at most 7.1 %"),
    ("chi_square", 67.5, 61.9, "the distribution of feature hum has changed: its chi-square is 67.5, the limit is 61.9"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "value", "limit", "expected"), SENTENCES)
def test_each_method_is_said_in_one_sentence_with_its_limit(
    method: str, value: float, limit: float, expected: str
) -> None:
    assert said(method, value, limit) == f"bikes version 3: {expected} {WHEN}"


def test_every_method_of_every_rule_has_a_sentence_in_which_value_and_limit_differ() -> None:
    for method in RULE_OF:
        text = said(method, 0.300001, 0.3, None if method == "volume" else HUMIDITY)
        assert "\n" not in text
        # volumes, fields and versions have words of their own; evidence of a rate is told by the rate, if that is known
        if method not in {"volume", SCHEMA, "version_difference"} and method not in COUNTED:
            assert "30.0001 %" in text or "0.300001" in text


def test_other_fields_are_named() -> None:
    fields = "'weight' is gone, 'weight_kg' is new"
    found = Finding(None, SCHEMA, 1.0, 0.0, None, 500, 500, 0.0, Verdict.DRIFT, fields)
    text = sentence(Signal(None, SCHEMA), found, RESULT, Cause.SCHEMA_CHANGE)
    assert text == f"bikes version 3: its events have other fields than before: {fields} {WHEN}"


def test_when_no_feature_is_to_blame_all_of_them_are_named() -> None:
    text = said("correlation", 0.62, 0.11, None)
    assert text.startswith(
        "bikes version 3: the features no longer go together as before: a correlation moved by"
    )


def test_a_diagnosis_is_said_with_its_place_time_and_rows() -> None:
    german = replace(RESULT, key=KEY._replace(segment="country=DE"))
    words = "feature hum is x2.205: kilograms became pounds"
    assert told_sentence(words, Signal(HUMIDITY, "drift"), german) == (
        f"bikes version 3 for country=DE: {words} {WHEN}"
    )
    assert told_sentence(words, Signal(LABEL, "drift"), german).endswith("UTC, 40 labels)")


def test_silence_says_what_is_usual_and_where_it_is_silent() -> None:
    silent = replace(RESULT, key=KEY._replace(version="", segment="country=DE"), inferences=0)
    text = said("volume", 6.0, 1.0, None, silent, n=0, m=500)
    assert (
        text
        == "bikes for country=DE: no events arrive, usual are about 500 a window (2024-10-04 00:00 to 01:00 UTC, 0 events)"
    )


@pytest.mark.parametrize(
    ("column", "name"),
    [(PREDICTION, "the prediction"), (SCORE, "the score"), (LABEL, "the label"), (LATENCY, "the latency")],
)
def test_what_is_no_feature_is_called_by_its_name(column: Column, name: str) -> None:
    assert f"the distribution of {name} has changed" in said("ks", 0.3, 0.1, column)


def test_of_labels_the_labels_are_counted() -> None:
    assert said("missing_null", 0.5, 0.1, LABEL).endswith(
        "in 50 % of the labels, usual is at most 10 % (2024-10-04 00:00 to 01:00 UTC, 40 labels)"
    )


def test_a_window_of_days_says_both_dates_and_one_of_seconds_says_seconds() -> None:
    days = replace(RESULT, key=KEY._replace(end_ms=KEY.start_ms + 7 * DAY))
    seconds = replace(RESULT, key=KEY._replace(start_ms=KEY.start_ms + 30_000, end_ms=KEY.start_ms + 60_000))
    assert "(2024-10-04 00:00 to 2024-10-11 00:00 UTC," in said("ks", 0.3, 0.1, result=days)
    assert "(2024-10-04 00:00:30 to 00:01:00 UTC," in said("ks", 0.3, 0.1, result=seconds)
