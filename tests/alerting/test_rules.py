"""Which findings ring together, what cause they name and whom they wake."""

from __future__ import annotations

import pytest

from service.alerting.rules import (
    COUNTED,
    DISTRIBUTION,
    RULES,
    Signal,
    cause_of,
    read,
    severity_of,
    signals_of,
)
from service.messages import LATENCY, PREDICTION, SCORE, Cause, Column, Role, Severity
from service.monitor import FeatureOverride, Monitor
from service.scoring.answers import EVIDENCE_ERROR
from service.scoring.evidence import EVIDENCE, RATE_METHODS
from tests.alerting.findings import AMOUNT, finding

MONITOR = Monitor("churn")
CLASSIC = ("chi_square", "ks", "wasserstein")


def test_the_worst_of_a_rules_findings_decides_and_the_most_telling_that_rings_is_told() -> None:
    monitor = Monitor("churn", methods=CLASSIC)
    [(signal, reading)] = read(
        [finding(2.0, "chi_square"), finding(1.1, "ks"), finding(0.5, "wasserstein")], monitor
    ).items()
    assert signal == Signal(AMOUNT, "drift")
    assert reading.ratio == 2.0
    assert reading.told.method == "ks"


def test_evidence_decides_and_the_most_telling_score_beside_it_is_told() -> None:
    scores = [finding(1.7, "psi"), finding(1.1, "ks"), finding(0.5, "wasserstein")]
    [(signal, reading)] = read([finding(1.2), *scores], MONITOR).items()
    assert signal == Signal(AMOUNT, "drift")
    assert reading.ratio == pytest.approx(1.2)
    assert reading.told.method == "ks"


def test_scores_describe_and_do_not_ring_unless_a_person_names_them() -> None:
    far_over = [finding(9.0, method) for method in sorted(DISTRIBUTION)]
    assert read(far_over, MONITOR) == {}
    assert read([finding(0.5), *far_over], MONITOR)[Signal(AMOUNT, "drift")].ratio == 0.5
    for_all = Monitor("churn", methods=("ks",))
    for_one = Monitor("churn", features={"amount": FeatureOverride(methods=("ks",))})
    for monitor in (for_all, for_one):
        assert read(far_over, monitor)[Signal(AMOUNT, "drift")].ratio == 9.0
        assert read([finding(9.0, "psi")], monitor) == {}
    other = finding(9.0, "ks", Column(Role.FEATURE, "age"))
    assert read([other], for_one) == {}


def test_a_features_methods_are_not_those_of_the_score_of_the_same_name() -> None:
    monitor = Monitor("churn", features={"score": FeatureOverride(methods=("ks",))})
    assert read([finding(9.0, "ks", SCORE)], monitor) == {}


@pytest.mark.parametrize(
    ("evidence", "counted"),
    [
        ("evidence_null", "missing_null"), ("evidence_absent", "missing_absent"), ("evidence_nan", "missing_nan"),
        ("evidence_infinite", "missing_infinite"), ("evidence_empty", "missing_empty"),
        ("evidence_wrong_type", "missing_wrong_type"), ("evidence_range", "out_of_range"),
        ("evidence_unseen", "unseen"),
    ],
)  # fmt: skip
def test_evidence_about_a_rate_is_told_by_the_rate(evidence: str, counted: str) -> None:
    elsewhere = finding(9.0, counted, Column(Role.FEATURE, "age"))
    [reading] = read([finding(1.5, evidence), elsewhere, finding(0.3, counted)], MONITOR).values()
    assert (reading.ratio, reading.told.method, reading.told.column) == (1.5, counted, AMOUNT)
    [alone] = read([finding(1.5, evidence)], MONITOR).values()
    assert alone.told.method == evidence


def test_every_evidence_that_is_made_belongs_to_a_rule() -> None:
    known = {method for rule in RULES for method in rule.methods}
    assert {EVIDENCE, *RATE_METHODS, EVIDENCE_ERROR} <= known
    assert not known & set(COUNTED.values())


def test_a_rate_alone_does_not_ring() -> None:
    assert read([finding(9.0, told) for told in sorted(set(COUNTED.values()))], MONITOR) == {}


def test_too_little_data_is_heard_of_but_says_nothing() -> None:
    assert read([finding(None)], MONITOR) == {}
    assert signals_of([finding(None)]) == {Signal(AMOUNT, "drift")}


@pytest.mark.parametrize("ratio", [0.0, 0.999999, 1.0, 1.0 + 1e-15, 1.5])
def test_a_reading_is_above_one_exactly_when_the_verdict_is_drift(ratio: float) -> None:
    [reading] = read([finding(ratio)], MONITOR).values()
    assert (reading.ratio > 1.0) == (ratio > 1.0)


@pytest.mark.parametrize(
    ("method", "column", "cause", "severity"),
    [
        ("evidence_null", AMOUNT, Cause.MISSING, Severity.PAGE),
        ("evidence_wrong_type", AMOUNT, Cause.TYPE_CHANGE, Severity.PAGE),
        ("evidence_unseen", AMOUNT, Cause.NEW_CATEGORY, Severity.TICKET),
        ("evidence_range", AMOUNT, Cause.OUT_OF_RANGE, Severity.PAGE),
        ("evidence_range", SCORE, Cause.OUT_OF_RANGE, Severity.TICKET),
        ("psi", AMOUNT, Cause.DATA_DRIFT, Severity.TICKET),
        ("psi", PREDICTION, Cause.PREDICTION_DRIFT, Severity.TICKET),
        ("ks", LATENCY, Cause.LATENCY, Severity.TICKET),
        ("evidence", AMOUNT, Cause.DATA_DRIFT, Severity.TICKET),
        ("evidence", SCORE, Cause.PREDICTION_DRIFT, Severity.TICKET),
        ("evidence_unseen", PREDICTION, Cause.NEW_CATEGORY, Severity.TICKET),
        ("evidence_absent", PREDICTION, Cause.MISSING, Severity.PAGE),
        ("correlation", AMOUNT, Cause.CORRELATION_BREAK, Severity.TICKET),
        ("evidence_error", None, Cause.CONCEPT_DRIFT, Severity.PAGE),
    ],
)
def test_broken_data_wakes_and_a_changed_distribution_waits(
    method: str, column: Column | None, cause: Cause, severity: Severity
) -> None:
    [signal] = signals_of([finding(2.0, method, column)])
    told = finding(2.0, method, column)
    assert cause_of(signal, told) is cause
    assert severity_of(signal, cause, MONITOR) is severity


def test_the_monitor_decides_whom_a_feature_wakes() -> None:
    monitor = Monitor("churn", features={"amount": FeatureOverride(severity="info")})
    assert severity_of(Signal(AMOUNT, "missing"), Cause.MISSING, monitor) is Severity.INFO
    assert severity_of(Signal(SCORE, "missing"), Cause.MISSING, monitor) is Severity.PAGE
    eager = Monitor("churn", features={"amount": FeatureOverride(severity="page")})
    assert severity_of(Signal(AMOUNT, "drift"), Cause.DATA_DRIFT, eager) is Severity.PAGE


def test_a_stuck_prediction_wakes_however_it_was_noticed() -> None:
    assert severity_of(Signal(SCORE, "range"), Cause.STUCK_PREDICTION, MONITOR) is Severity.PAGE
    assert severity_of(Signal(SCORE, "drift"), Cause.STUCK_PREDICTION, MONITOR) is Severity.PAGE
