from __future__ import annotations

import numpy as np
import pytest

from detectors.performance.estimate import SAME_CHANCES
from detectors.performance.estimated_multiclass import (
    calibrate_classes,
    estimated_class,
    estimated_multiclass,
    expected_confusion,
)
from detectors.performance.gap import gap
from detectors.performance.multiclass_counts import MulticlassOutcomes, MulticlassPredictions
from detectors.performance.realized_multiclass import realized_class, realized_multiclass
from tests.detectors.performance.draws import multiclass, multiclass_rows

SHIFTED = (0.9, 0.3, 0.2)


def learned(power=1.0, n=20_000, seed=1):
    return calibrate_classes(multiclass(np.random.default_rng(seed), n, power=power))


@pytest.mark.parametrize("power", [1.0, 1.7])
def test_shifted_traffic_is_estimated_within_its_errors(power):
    window = multiclass(np.random.default_rng(2), 20_000, SHIFTED, power)
    found, truth = estimated_multiclass(learned(power), window.predictions), realized_multiclass(window)

    assert set(found) == set(truth) - {"log_loss", "brier", "calibration_error"}
    for name, one in found.items():
        assert abs(one.metric.value - truth[name].value) < 3.5 * one.metric.error, name
        assert one.assumption == SAME_CHANCES


@pytest.mark.parametrize("of", range(3))
def test_one_class_is_estimated_within_its_errors(of):
    window = multiclass(np.random.default_rng(3), 20_000, SHIFTED, 1.7)
    found, truth = estimated_class(learned(1.7), window.predictions, of), realized_class(window, of)

    assert set(found) == set(truth)
    for name, one in found.items():
        assert abs(one.metric.value - truth[name].value) < 3.5 * one.metric.error, name


def test_scores_that_are_chances_give_sums_over_rows():
    _, decisions, scores = multiclass_rows(np.random.default_rng(4), 2000)
    found = estimated_multiclass(learned(), MulticlassPredictions.zeros(3).add(decisions, scores))

    assert found["accuracy"].metric.value == pytest.approx(scores.max(axis=1).mean(), abs=0.005)
    for of in range(3):
        precision = estimated_class(learned(), MulticlassPredictions.zeros(3).add(decisions, scores), of)
        truth = scores[decisions == of, of].mean()
        assert precision["precision"].metric.value == pytest.approx(truth, abs=0.005)


def test_labels_of_the_tail_are_expected_where_the_reference_has_them():
    labels, decisions, scores = multiclass_rows(np.random.default_rng(5), 20_000, (0.4, 0.4, 0.4))
    named = MulticlassOutcomes.zeros(2).add(labels, decisions, scores[:, :2])
    found = estimated_multiclass(calibrate_classes(named), named.predictions)

    assert calibrate_classes(named).has_tail
    truth = realized_multiclass(named)
    for name in ("accuracy", "macro_precision", "macro_recall", "roc_auc"):
        assert found[name].metric.value == pytest.approx(truth[name].value, abs=0.01), name


def test_the_expected_confusion_has_the_rows_of_each_decision_and_the_labels_to_come():
    labels, decisions, scores = multiclass_rows(np.random.default_rng(10), 20_000, (0.4, 0.4, 0.4))
    named = MulticlassOutcomes.zeros(2).add(labels, decisions, scores[:, :2])
    found = expected_confusion(calibrate_classes(named), named.predictions)

    assert found.sum(axis=0) == pytest.approx(named.confusion.sum(axis=0))
    assert np.abs(found - named.confusion).max() < 0.01 * 20_000


def test_too_few_rows_are_a_reason():
    window = multiclass(np.random.default_rng(6), 99)
    found = estimated_multiclass(learned(), window.predictions)
    assert {one.metric.reason for one in found.values()} == {"effective_size_below_100"}


def test_scores_that_the_reference_never_had_are_refused():
    labels, decisions, scores = multiclass_rows(np.random.default_rng(7), 20_000, (2.0, 2.0, 2.0))
    low = scores.max(axis=1) < 0.6
    reference = MulticlassOutcomes.zeros(3).add(labels[low], decisions[low], scores[low])
    window = multiclass(np.random.default_rng(8), 2000, (0.2, 0.2, 0.2))
    found = estimated_multiclass(calibrate_classes(reference), window.predictions)
    assert found["accuracy"].metric.reason == "outside_reference"


@pytest.mark.slow
def test_concept_drift_is_a_gap_and_its_absence_seldom_is():
    random, calm, broken = np.random.default_rng(9), 0, 0
    for _ in range(80):
        reference = learned(n=4000, seed=int(random.integers(1 << 30)))
        for power, window in ((1.0, multiclass(random, 500)), (0.4, multiclass(random, 500, power=0.4))):
            found = estimated_multiclass(reference, window.predictions)["accuracy"]
            rings = gap(found, realized_multiclass(window)["accuracy"], alpha=0.05).is_beyond
            calm, broken = calm + (rings and power == 1.0), broken + (rings and power != 1.0)

    assert calm <= 0.1 * 80
    assert broken >= 0.9 * 80
