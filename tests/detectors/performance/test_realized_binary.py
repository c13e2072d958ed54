from __future__ import annotations

import warnings
from math import isfinite

import numpy as np
import pytest
from sklearn import metrics

from detectors.performance.binary_counts import BinaryOutcomes
from detectors.performance.realized_binary import realized_binary
from tests.detectors.performance.draws import binary_rows

OF_DECISIONS = {
    "accuracy": metrics.accuracy_score,
    "balanced_accuracy": metrics.balanced_accuracy_score,
    "precision": metrics.precision_score,
    "recall": metrics.recall_score,
    "f1": metrics.f1_score,
    "macro_precision": lambda y, d: metrics.precision_score(y, d, average="macro", zero_division=0),
    "macro_recall": lambda y, d: metrics.recall_score(y, d, average="macro", zero_division=0),
    "macro_f1": lambda y, d: metrics.f1_score(y, d, average="macro", zero_division=0),
}
OF_SCORES = {
    "roc_auc": metrics.roc_auc_score,
    "average_precision": metrics.average_precision_score,
    "brier": metrics.brier_score_loss,
    "log_loss": lambda y, s: metrics.log_loss(y, s, labels=[0, 1]),
}
NAMES = [*OF_DECISIONS, *OF_SCORES, "prevalence", "calibration_error"]


def measured(labels, scores, decisions):
    return realized_binary(BinaryOutcomes.zeros().add(labels, scores, decisions))


def truths(labels, scores, decisions):
    """What scikit-learn says; None where it says that there is nothing to say."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, function in {**OF_DECISIONS, **OF_SCORES}.items():
            try:
                yield name, float(function(labels, decisions if name in OF_DECISIONS else scores))
            except (Warning, ValueError):
                yield name, None


def rows(kind, random, n=500):
    labels, scores, decisions = binary_rows(random, n, decimals=3)
    match kind:
        case "ties":
            scores = np.round(scores, 1)
        case "one score":
            scores = np.full(n, 0.3)
        case "all right":
            scores, decisions = labels.astype(float), labels
        case "all wrong":
            scores, decisions = 1.0 - labels, 1 - labels
        case "rare":
            labels, scores = (random.random(n) < 0.01).astype(int), np.round(scores**4, 3)
        case "all positive":
            labels = np.ones(n, int)
        case "all negative":
            labels = np.zeros(n, int)
        case "nothing decided positive":
            decisions = np.zeros(n, int)
        case "tiny":
            scores = 10.0 ** -random.integers(2, 11, n)
    return labels, scores, decisions


KINDS = (
    "random", "ties", "one score", "all right", "all wrong", "rare", "all positive", "all negative",
    "nothing decided positive", "tiny",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_scores_on_the_grid_give_what_scikit_learn_gives(kind, seed):
    given = rows(kind, np.random.default_rng(seed))
    found = measured(*given)

    for name, truth in truths(*given):
        if truth is not None and found[name].value is not None:
            assert found[name].value == pytest.approx(truth, abs=1e-9), name
    assert all(one.resolution <= 5e-10 for one in found.values())


@pytest.mark.parametrize("law", [(0.3, 0.3), (2, 2), (0.5, 60)])
def test_any_scores_give_it_within_the_stated_resolution(law):
    given = binary_rows(np.random.default_rng(5), 3000, law)
    found = measured(*given)

    told = {name: truth for name, truth in truths(*given) if truth is not None}
    for name, truth in told.items():
        assert abs(found[name].value - truth) <= found[name].resolution + 1e-12, name
    assert set(OF_SCORES) <= set(told)
    assert found["roc_auc"].resolution < 0.01
    assert found["log_loss"].resolution < 1e-9


def test_the_resolution_of_rankings_is_reached_when_a_point_holds_all_pairs_in_one_order():
    labels = np.repeat([0, 1], 50)
    scores = np.where(labels == 1, 0.5002, 0.4998)
    found = measured(labels, scores, labels)

    assert found["roc_auc"].value + found["roc_auc"].resolution == pytest.approx(1.0)
    assert found["average_precision"].value + found["average_precision"].resolution == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("kind", "name", "reason"),
    [
        ("all positive", "roc_auc", "single_class"),
        ("all negative", "roc_auc", "single_class"),
        ("all negative", "average_precision", "no_positive_labels"),
        ("all negative", "recall", "no_positive_labels"),
        ("nothing decided positive", "precision", "no_positive_decisions"),
    ],
)
def test_what_is_not_defined_has_a_reason(kind, name, reason):
    found = measured(*rows(kind, np.random.default_rng(1)))[name]
    assert (found.value, found.low, found.high, found.error, found.reason) == (None, None, None, None, reason)


def test_f1_without_any_positive_has_a_reason():
    zeros = np.zeros(20, int)
    assert measured(zeros, np.full(20, 0.1), zeros)["f1"].reason == "no_positive_labels_or_decisions"


def test_without_rows_everything_has_a_reason():
    found = realized_binary(BinaryOutcomes.zeros())

    assert sorted(found) == sorted(NAMES)
    assert all(one.value is None and one.reason and one.n == 0 for one in found.values())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [1, 2, 3, 500])
def test_no_number_is_ever_nan_and_every_value_lies_in_its_interval(kind, n):
    for one in measured(*rows(kind, np.random.default_rng(2), n)).values():
        if one.value is None:
            assert one.reason
            continue
        assert all(isfinite(x) for x in (one.value, one.low, one.high, one.error, one.resolution)), one
        assert one.low - 1e-9 <= one.value <= one.high + 1e-9, one
        assert one.reason is None


def test_a_row_without_score_counts_for_decisions_and_one_without_decision_for_scores():
    labels, scores = np.array([0, 1, 1, 0]), np.array([0.2, np.nan, 0.9, 0.4])
    found = measured(labels, scores, np.array([0, 1, -1, 1]))

    assert found["accuracy"].n == 3
    assert found["accuracy"].value == pytest.approx(2 / 3)
    assert (found["roc_auc"].n, found["roc_auc"].value) == (3, 1.0)
    assert found["brier"].value == pytest.approx((0.04 + 0.01 + 0.16) / 3)


def test_a_label_that_is_neither_is_refused():
    with pytest.raises(ValueError, match="0 or 1"):
        BinaryOutcomes.zeros().add(np.array([2]), np.array([0.5]), np.array([1]))


def test_a_certain_score_that_was_wrong_costs_what_scikit_learn_charges():
    found = measured(np.array([1, 0]), np.array([0.0, 1.0]), np.array([0, 1]))
    assert found["log_loss"].value == pytest.approx(36.04365, abs=1e-5)
