"""Which findings ring together, what cause they name and whom they wake."""

from __future__ import annotations

import pytest

from service.alerting.rules import Signal, cause_of, read, severity_of, signals_of
from service.messages import LATENCY, PREDICTION, SCORE, Cause, Column, Severity
from service.monitor import FeatureOverride, Monitor
from tests.alerting.findings import AMOUNT, finding

MONITOR = Monitor("churn")


def test_the_worst_of_a_rules_findings_decides_and_the_most_telling_that_rings_is_told() -> None:
    [(signal, reading)] = read(
        [finding(2.0, "chi_square"), finding(1.1, "ks"), finding(0.5, "wasserstein")]
    ).items()
    assert signal == Signal(AMOUNT, "drift")
    assert reading.ratio == 2.0
    assert reading.told.method == "ks"


def test_too_little_data_is_heard_of_but_says_nothing() -> None:
    assert read([finding(None)]) == {}
    assert signals_of([finding(None)]) == {Signal(AMOUNT, "drift")}


@pytest.mark.parametrize("ratio", [0.0, 0.999999, 1.0, 1.0 + 1e-15, 1.5])
def test_a_reading_is_above_one_exactly_when_the_verdict_is_drift(ratio: float) -> None:
    [reading] = read([finding(ratio)]).values()
    assert (reading.ratio > 1.0) == (ratio > 1.0)


@pytest.mark.parametrize(
    ("method", "column", "cause", "severity"),
    [
        ("missing_null", AMOUNT, Cause.MISSING, Severity.PAGE),
        ("missing_wrong_type", AMOUNT, Cause.TYPE_CHANGE, Severity.PAGE),
        ("unseen", AMOUNT, Cause.NEW_CATEGORY, Severity.TICKET),
        ("out_of_range", AMOUNT, Cause.OUT_OF_RANGE, Severity.PAGE),
        ("out_of_range", SCORE, Cause.OUT_OF_RANGE, Severity.TICKET),
        ("psi", AMOUNT, Cause.DATA_DRIFT, Severity.TICKET),
        ("psi", PREDICTION, Cause.PREDICTION_DRIFT, Severity.TICKET),
        ("ks", LATENCY, Cause.LATENCY, Severity.TICKET),
    ],
)
def test_broken_data_wakes_and_a_changed_distribution_waits(
    method: str, column: Column, cause: Cause, severity: Severity
) -> None:
    [signal] = signals_of([finding(2.0, method, column)])
    told = finding(2.0, method, column)
    assert (cause_of(signal, told), severity_of(signal, told, MONITOR)) == (cause, severity)


def test_the_monitor_decides_whom_a_feature_wakes() -> None:
    monitor = Monitor("churn", features={"amount": FeatureOverride(severity="info")})
    told = finding(2.0, "missing_null")
    assert severity_of(Signal(AMOUNT, "missing"), told, monitor) is Severity.INFO
