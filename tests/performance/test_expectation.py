"""What is expected of a window known by bins is what is expected of its very rows, or refused with a reason."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.performance.binary_counts import BinaryOutcomes
from detectors.performance.estimated_regression import ErrorsByCell
from detectors.performance.multiclass_counts import MulticlassOutcomes
from service.demo.small_model import fit_logistic, logistic
from service.performance.counting import BinaryCounting
from service.performance.expectation import (
    NO_SCORES,
    NOT_BY_SCORE,
    ONE_SCORE,
    OTHER_ROWS,
    BinaryExpectation,
    MulticlassExpectation,
    RegressionExpectation,
)
from service.performance.gaps import gaps_of
from service.performance.rows import BinnedRows
from tests.detectors.performance import draws
from tests.flow.streams import read_electricity
from tests.performance.test_rows import binned, scored

OF_SCORES = {"roc_auc", "average_precision", "brier", "log_loss"}


@pytest.fixture
def learned() -> BinaryExpectation:
    made = BinaryExpectation.learned(draws.binary(np.random.default_rng(1), 20_000, power=2.0).to_arrays())
    assert made is not None
    return made


def test_bins_expect_what_the_scores_themselves_do_within_the_resolution(learned: BinaryExpectation) -> None:
    random = np.random.default_rng(2)
    labels, scores, decisions = draws.binary_rows(random, 5_000, law=(2.0, 1.0), power=2.0)
    rows = scored(scores, random.random(20_000), int(decisions.sum()))
    by_bins = learned.of_window(rows)
    exactly = learned.of_outcomes(BinaryOutcomes.zeros().add(labels, scores, decisions).to_arrays())
    assert by_bins.keys() == exactly.keys()
    for name, one in exactly.items():
        found = by_bins[name].metric
        assert found.value == pytest.approx(one.metric.value, abs=found.resolution), name
        assert found.error == pytest.approx(one.metric.error, rel=0.05), name
        assert 0 < found.resolution < 0.02


def test_decisions_that_do_not_follow_the_score_leave_the_metrics_of_scores(
    learned: BinaryExpectation,
) -> None:
    found = learned.of_window(scored(np.linspace(0, 1, 500), np.linspace(0, 1, 999), NOT_BY_SCORE))
    assert {name for name, one in found.items() if one.metric.value is not None} == OF_SCORES
    assert {one.metric.reason for name, one in found.items() if name not in OF_SCORES} == {NOT_BY_SCORE}


def test_rows_without_scores_or_of_another_task_are_refused(learned: BinaryExpectation) -> None:
    none = scored(np.array([0.5]), np.array([0.5]))
    empty = type(none)(none.counts * 0, none.lowest, none.highest, 0, 700)
    numbers = binned(np.array([0.5]), np.array([0.5]))
    for rows, reason in ((empty, NO_SCORES), (numbers, OTHER_ROWS)):
        assert {one.metric.reason for one in learned.of_window(rows).values()} == {reason}
    assert {one.metric.n for one in learned.of_window(empty).values()} == {700}
    nothing = BinaryOutcomes.zeros().add(np.array([1]), np.array([np.nan]), np.array([1]))
    assert BinaryExpectation.learned(nothing.to_arrays()) is None


def test_of_several_classes_one_score_tells_the_accuracy_and_nothing_else() -> None:
    random = np.random.default_rng(3)
    decisions, scores = random.integers(0, 3, 20_000), random.random(20_000)
    labels = np.where(random.random(20_000) < scores, decisions, (decisions + 1) % 3)
    columns = np.full((20_000, 3), np.nan)
    columns[np.arange(20_000), decisions] = scores
    outcomes = MulticlassOutcomes.zeros(3).add(labels, decisions, columns).to_arrays()
    learned = MulticlassExpectation.learned(outcomes)
    assert learned is not None
    assert learned.of_outcomes(outcomes)["accuracy"].metric.value == pytest.approx(0.5, abs=0.02)
    found = learned.of_window(scored(random.beta(3, 1, 2_000), random.random(20_000), "unknown"))
    assert found["accuracy"].metric.value == pytest.approx(0.75, abs=0.03)
    assert {one.metric.reason for name, one in found.items() if name != "accuracy"} == {ONE_SCORE}
    none = MulticlassOutcomes.zeros(3)
    assert MulticlassExpectation.learned(none.to_arrays()) is None
    assert learned.of_outcomes(none.to_arrays()) == {}


def test_numbers_are_expected_to_be_off_as_they_were_at_such_values() -> None:
    random = np.random.default_rng(4)
    edges = np.linspace(0, 100, 201)
    values = random.uniform(0, 100, 20_000)
    errors = random.normal(0, 1 + values / 10)
    bins = edges.searchsorted(values, side="right")
    cells = ErrorsByCell.zeros(len(edges) + 1, 1, 5.0).add(bins, np.zeros_like(bins), errors)
    learned = RegressionExpectation(edges, cells)
    for low, high in ((0, 20), (80, 100)):
        now = random.uniform(low, high, 2_000)
        rows = BinnedRows(edges, np.bincount(edges.searchsorted(now, side="right"), minlength=202), low, high)
        expected = np.sqrt(2 / np.pi) * np.mean(1 + now / 10)
        assert learned.of_window(rows)["mae"].metric.value == pytest.approx(expected, rel=0.05)
    assert learned.of_outcomes({}) == {}
    refused = learned.of_window(scored(np.array([0.5]), np.array([0.5])))
    assert {one.metric.reason for one in refused.values()} == {OTHER_ROWS}


def electricity() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """30,000 half hours after those that a model was fitted on: whether the price rose, its score, its decision."""
    table = read_electricity().part(0, 45_000)
    columns = np.column_stack([table.columns[name] for name in ("period", "nswprice", "nswdemand")])
    columns = (columns - columns[:15_000].mean(axis=0)) / columns[:15_000].std(axis=0)
    matrix = np.column_stack([np.ones(len(columns)), columns, columns**2])
    rose = (table.columns["class"] == 1).astype(np.int64)
    scores = np.round(logistic(matrix @ fit_logistic(matrix[:15_000], rose[:15_000].astype(np.float64))), 4)
    return rose[15_000:], scores[15_000:], (scores[15_000:] >= 0.5).astype(np.int64)


def apart(order: np.ndarray) -> tuple[float, int, int]:
    """Of accuracy in 25 windows of 1,000 rows, after 5,000 that are the reference: mean distance of estimate and truth,
    how many intervals hold it, and how many gaps are beyond four standard errors.
    """
    labels, scores, decisions = (column[order] for column in electricity())
    made = BinaryOutcomes.zeros().add(labels[:5_000], scores[:5_000], decisions[:5_000])
    learned, counting = BinaryExpectation.learned(made.to_arrays()), BinaryCounting("yes")
    assert learned is not None
    distances, held, beyond = [], 0, 0
    for at in range(5_000, 30_000, 1_000):
        rows = slice(at, at + 1_000)
        counted = BinaryOutcomes.zeros().add(labels[rows], scores[rows], decisions[rows]).to_arrays()
        window = scored(scores[rows], scores[:5_000], int(decisions[rows].sum()))
        told = learned.of_window(window)["accuracy"].metric
        true = float(np.mean(labels[rows] == decisions[rows]))
        assert told.low is not None
        assert told.high is not None
        distances.append(abs(true - (told.value or 0.0)))
        held += told.low <= true <= told.high
        beyond += gaps_of(counting, counted, learned)["accuracy"].z > 4
    return float(np.mean(distances)), held, beyond


def test_on_electricity_estimates_hold_while_nothing_changes_and_the_gap_tells_when_they_do_not() -> None:
    """docs/labels.md has these figures."""
    distance, held, beyond = apart(np.random.default_rng(1).permutation(30_000))
    assert (round(distance, 2), beyond) == (0.01, 0)
    assert held >= 23
    distance, held, beyond = apart(np.arange(30_000))
    assert (round(distance, 1), held, beyond) == (0.2, 5, 18)
