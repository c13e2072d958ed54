from __future__ import annotations

import numpy as np
import pytest

from detectors.performance.binary_counts import BinaryOutcomes, BinaryPredictions
from detectors.performance.calibration import calibrate
from detectors.performance.estimate import SAME_CHANCES
from detectors.performance.estimated_binary import estimated_binary, expected_confusion
from detectors.performance.realized_binary import realized_binary
from detectors.performance.score_grid import fine_grid
from tests.detectors.performance.draws import binary, binary_rows

NAMES = {
    "precision", "recall", "f1", "prevalence", "accuracy", "balanced_accuracy", "macro_precision", "macro_recall",
    "macro_f1", "roc_auc", "average_precision", "brier", "log_loss",
}  # fmt: skip


def learned(power=1.0, n=20_000, law=(1.0, 1.0), seed=1):
    return calibrate(binary(np.random.default_rng(seed), n, law, power).scores, fine_grid())


def estimated(calibration, outcomes):
    return estimated_binary(calibration, outcomes.predictions())


def test_everything_is_estimated_and_says_what_it_assumes():
    found = estimated(learned(), binary(np.random.default_rng(2), 1000))

    assert set(found) == NAMES
    for name, one in found.items():
        assert one.metric.low <= one.metric.value <= one.metric.high, name
        assert one.assumption == SAME_CHANCES
        assert one.metric.error == pytest.approx(np.hypot(one.window_error, one.calibration_error))


def test_expected_confusion_and_area_are_the_sums_over_rows():
    """The definition, row by row, with scores that need no calibration."""
    _, scores, decisions = binary_rows(np.random.default_rng(3), 400, decimals=3)
    found = estimated_binary(learned(), BinaryPredictions.zeros().add(scores, decisions))

    hits, misses = scores[decisions == 1].sum(), (1 - scores)[decisions == 1].sum()
    lost = scores[decisions == 0].sum()
    kept = (1 - scores)[decisions == 0].sum()
    confusion = expected_confusion(learned(), BinaryPredictions.zeros().add(scores, decisions))
    assert confusion == pytest.approx(np.array([[kept, misses], [lost, hits]]))
    assert found["precision"].metric.value == pytest.approx(hits / (hits + misses))
    assert found["f1"].metric.value == pytest.approx(2 * hits / (2 * hits + misses + lost))
    wins = (scores[:, None] > scores) + 0.5 * (scores[:, None] == scores)
    weights = scores[:, None] * (1 - scores)
    assert found["roc_auc"].metric.value == pytest.approx((weights * wins).sum() / weights.sum())
    assert found["brier"].metric.value == pytest.approx((scores * (1 - scores)).mean())


@pytest.mark.parametrize("power", [1.0, 1.7])
def test_shifted_traffic_is_estimated_within_its_errors(power):
    """Calibrated or not: 30,000 rows with far more high scores than the reference has."""
    window = binary(np.random.default_rng(4), 30_000, (3, 1), power)
    found, truth = estimated(learned(power), window), realized_binary(window)
    usual = realized_binary(binary(np.random.default_rng(5), 30_000, (1, 1), power))

    for name in NAMES:
        assert abs(found[name].metric.value - truth[name].value) < 3.5 * found[name].metric.error, name
    assert abs(usual["f1"].value - truth["f1"].value) > 10 * found["f1"].metric.error


def test_more_labels_in_the_reference_shrink_its_part_of_the_error_only():
    window = binary(np.random.default_rng(6), 2000)
    few, many = (estimated(learned(n=n), window)["f1"] for n in (2000, 50_000))

    assert few.calibration_error / many.calibration_error == pytest.approx(5, rel=0.15)
    assert few.window_error == pytest.approx(many.window_error, rel=0.02)


def test_a_larger_window_shrinks_its_part_of_the_error_only():
    small, large = (
        estimated(learned(), binary(np.random.default_rng(7), n))["accuracy"] for n in (500, 12_500)
    )
    assert small.window_error / large.window_error == pytest.approx(5, rel=0.1)
    assert small.calibration_error == pytest.approx(large.calibration_error, rel=0.15)


@pytest.mark.parametrize(
    ("reference", "rows", "law", "reason"),
    [
        (20_000, 99, (1, 1), "effective_size_below_100"),
        (90, 5000, (1, 1), "effective_size_below_100"),
        (20_000, 0, (1, 1), "effective_size_below_100"),
    ],
)
def test_too_few_rows_on_either_side_are_a_reason(reference, rows, law, reason):
    found = estimated(learned(n=reference), binary(np.random.default_rng(8), rows, law))
    assert {one.metric.reason for one in found.values()} == {reason}
    assert {one.metric.value for one in found.values()} == {None}


def test_a_reference_that_hardly_has_the_windows_scores_is_refused():
    """10,000 labels, of which few lie where the window is."""
    found = estimated(learned(n=10_000, law=(1, 12)), binary(np.random.default_rng(9), 3000, (12, 2)))
    assert found["f1"].metric.value is None
    assert found["f1"].metric.reason in {"effective_size_below_100", "outside_reference"}


def test_scores_that_the_reference_never_had_are_refused():
    labels, scores, decisions = binary_rows(np.random.default_rng(10), 20_000)
    low = scores < 0.6
    reference = BinaryOutcomes.zeros().add(labels[low], scores[low], decisions[low])
    found = estimated(
        calibrate(reference.scores, fine_grid()), binary(np.random.default_rng(11), 2000, (2, 2))
    )
    assert found["roc_auc"].metric.reason == "outside_reference"


def test_a_window_decided_one_way_has_reasons_where_a_metric_is_not_defined():
    _, scores, _ = binary_rows(np.random.default_rng(12), 500)
    found = estimated_binary(learned(), BinaryPredictions.zeros().add(scores, np.zeros(500, int)))

    assert found["precision"].metric.reason == "no_positive_decisions"
    assert found["roc_auc"].metric.value is not None


def test_rows_without_a_decision_count_for_scores_only():
    _, scores, _ = binary_rows(np.random.default_rng(13), 500)
    found = estimated_binary(learned(), BinaryPredictions.zeros().add(scores, np.full(500, -1)))

    assert found["roc_auc"].metric.n == 500
    assert found["accuracy"].metric.reason == "effective_size_below_100"


def test_scores_off_the_grid_have_a_resolution_and_others_none():
    on, off = (binary_rows(np.random.default_rng(14), 1000, decimals=decimals) for decimals in (3, None))
    coarse, fine = (
        estimated_binary(learned(), BinaryPredictions.zeros().add(*rows[1:])) for rows in (off, on)
    )

    assert {one.metric.resolution for one in fine.values()} == {0.0}
    assert all(0 < one.metric.resolution < 0.01 for one in coarse.values())
