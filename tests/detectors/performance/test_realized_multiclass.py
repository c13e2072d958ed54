from __future__ import annotations

from math import isfinite

import numpy as np
import pytest
from sklearn import metrics

from detectors.performance.multiclass_counts import MulticlassOutcomes
from detectors.performance.realized_multiclass import realized_class, realized_multiclass
from tests.detectors.performance.draws import multiclass_rows


def measured(labels, decisions, scores):
    return realized_multiclass(MulticlassOutcomes.zeros(scores.shape[1]).add(labels, decisions, scores))


def on_grid(scores):
    """Hundredths that add up to 1."""
    rounded = np.floor(scores * 100).astype(int)
    rounded[np.arange(len(scores)), scores.argmax(axis=1)] += 100 - rounded.sum(axis=1)
    return rounded / 100


@pytest.mark.parametrize("seed", range(3))
def test_scores_on_the_grid_give_what_scikit_learn_gives(seed):
    labels, _, scores = multiclass_rows(np.random.default_rng(seed), 800)
    scores = on_grid(scores)
    decisions = scores.argmax(axis=1)
    found = measured(labels, decisions, scores)

    truths = {
        "accuracy": metrics.accuracy_score(labels, decisions),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, decisions),
        "macro_precision": metrics.precision_score(labels, decisions, average="macro"),
        "macro_recall": metrics.recall_score(labels, decisions, average="macro"),
        "macro_f1": metrics.f1_score(labels, decisions, average="macro"),
        "roc_auc": metrics.roc_auc_score(labels, scores, multi_class="ovr"),
        "average_precision": metrics.average_precision_score(np.eye(3)[labels], scores),
        "log_loss": metrics.log_loss(labels, scores),
        "brier": metrics.brier_score_loss(labels, scores),
    }
    for name, truth in truths.items():
        assert found[name].value == pytest.approx(truth, abs=1e-9), name
        assert found[name].resolution < 1e-9


@pytest.mark.parametrize("of", range(3))
def test_one_class_against_the_rest_is_as_scikit_learn_has_it(of):
    labels, _, scores = multiclass_rows(np.random.default_rng(7), 500)
    scores = on_grid(scores)
    decisions = scores.argmax(axis=1)
    found = realized_class(MulticlassOutcomes.zeros(3).add(labels, decisions, scores), of)

    is_it, said = labels == of, decisions == of
    assert found["precision"].value == pytest.approx(metrics.precision_score(is_it, said))
    assert found["recall"].value == pytest.approx(metrics.recall_score(is_it, said))
    assert found["f1"].value == pytest.approx(metrics.f1_score(is_it, said))
    assert found["prevalence"].value == pytest.approx(is_it.mean())
    assert found["roc_auc"].value == pytest.approx(metrics.roc_auc_score(is_it, scores[:, of]))


def test_any_scores_rank_within_the_stated_resolution():
    labels, decisions, scores = multiclass_rows(np.random.default_rng(8), 2000)
    found = measured(labels, decisions, scores)

    truth = metrics.roc_auc_score(labels, scores, multi_class="ovr")
    assert abs(found["roc_auc"].value - truth) <= found["roc_auc"].resolution < 0.02
    assert found["log_loss"].value == pytest.approx(metrics.log_loss(labels, scores), abs=1e-9)


def test_classes_of_the_tail_are_right_only_when_they_are_the_same():
    labels, decisions = np.array([0, 5, 6, 6, 1]), np.array([0, 5, 5, 6, 7])
    scores = np.tile([0.5, 0.2], (5, 1))
    outcomes = MulticlassOutcomes.zeros(2).add(labels, decisions, scores)

    assert outcomes.confusion.tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 3]]
    assert realized_multiclass(outcomes)["accuracy"].value == pytest.approx(3 / 5)
    assert realized_multiclass(outcomes)["macro_recall"].value == pytest.approx(0.5)


def test_the_tail_has_the_score_that_the_named_classes_leave():
    found = measured(np.array([9]), np.array([0]), np.array([[0.5, 0.2]]))
    assert found["log_loss"].value == pytest.approx(-np.log(0.3))
    assert found["brier"].value == pytest.approx(0.25 + 0.04 + 0.49)


def test_a_row_without_all_scores_counts_for_its_decision_only():
    scores = np.array([[0.7, 0.3], [np.nan, 0.4]])
    found = measured(np.array([0, 1]), np.array([0, 1]), scores)

    assert (found["accuracy"].n, found["brier"].n) == (2, 1)
    assert found["brier"].value == pytest.approx(0.18)


def test_without_rows_everything_has_a_reason():
    found = realized_multiclass(MulticlassOutcomes.zeros(3))
    assert all(one.value is None and one.reason == "no_rows" for one in found.values())


def test_a_class_that_has_no_labels_is_left_out_of_means_of_rankings():
    labels, decisions, scores = multiclass_rows(np.random.default_rng(9), 300)
    labels = np.minimum(labels, 1)
    outcomes = MulticlassOutcomes.zeros(3).add(labels, decisions, scores)

    assert realized_class(outcomes, 2)["roc_auc"].reason == "single_class"
    two = [realized_class(outcomes, of)["roc_auc"].value for of in (0, 1)]
    assert realized_multiclass(outcomes)["roc_auc"].value == pytest.approx(np.mean(two))


@pytest.mark.parametrize("n", [1, 2, 400])
def test_no_number_is_ever_nan_and_every_value_lies_in_its_interval(n):
    outcomes = MulticlassOutcomes.zeros(3).add(*multiclass_rows(np.random.default_rng(10), n))
    found = [*realized_multiclass(outcomes).values()]
    found += [one for of in range(3) for one in realized_class(outcomes, of).values()]
    for one in found:
        if one.value is None:
            assert one.reason
            continue
        assert all(isfinite(x) for x in (one.value, one.low, one.high, one.error, one.resolution)), one
        assert one.low - 1e-9 <= one.value <= one.high + 1e-9, one


def test_a_negative_label_is_refused():
    with pytest.raises(ValueError, match="negative"):
        MulticlassOutcomes.zeros(2).add(np.array([-1]), np.array([0]), np.array([[0.5, 0.5]]))
