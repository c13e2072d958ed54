"""A verdict on two versions follows from their losses in the same hours, and says what it rests on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from detectors.performance.binary_counts import BinaryOutcomes
from detectors.performance.multiclass_counts import MulticlassOutcomes
from detectors.performance.regression_counts import RegressionOutcomes, RegressionScales
from service.comparison.hours import SharedHours, SliceOutcomes, hourly
from service.comparison.losses import (
    Course,
    Loss,
    courses_from,
    courses_of,
    joined,
    shared_loss,
    sums_of,
)
from service.comparison.verdict import MOST_SEGMENTS, Comparison, Standing, compare, compare_segments
from service.comparison.wording import sentence_of
from service.monitor import HOUR_MS
from service.performance.counting import (
    Arrays,
    BinaryCounting,
    MulticlassCounting,
    RegressionCounting,
    subtracted,
)
from service.performance.slices import said

BINARY = BinaryCounting("yes")


def errors(rows: float, wrong: float) -> Course:
    return {0: {Loss.ERROR_RATE: np.array([rows, wrong, wrong])}}


def losses(rows: float, mean: float) -> Course:
    """Exponential losses."""
    return {0: {Loss.MAE: np.array([rows, rows * mean, rows * 2 * mean**2])}}


def outcomes(wrong: int, rows: int, score: float = 0.75, *, decided: bool = True) -> Arrays:
    labels = (np.arange(rows) >= wrong).astype(np.int64)
    counted = BinaryOutcomes.zeros().add(labels, np.full(rows, score), np.full(rows, 1 if decided else 2))
    return counted.to_arrays()


# ---------------------------------------------------------------- verdicts
@pytest.mark.parametrize(
    ("wrong", "rows", "standing"),
    [
        (900, 10_000, Standing.WORSE),
        (200, 10_000, Standing.BETTER),
        (550, 10_000, Standing.UNKNOWN),
        (5_000, 100_000, Standing.ALIKE),
        (5_450, 100_000, Standing.ALIKE),
        (10, 29, Standing.UNKNOWN),
    ],
)
def test_the_verdict_is_what_the_whole_interval_says(wrong: int, rows: int, standing: Standing) -> None:
    """5 % against 5 % is alike within a hundredth; so is 5.45 %, though it is higher beyond doubt."""
    assert compare(errors(rows, wrong), errors(rows, rows * 0.05)).standing is standing


def test_a_regression_is_a_difference_of_more_than_the_margin_and_not_of_more_than_nothing() -> None:
    worse = compare(errors(20_000, 1_250), errors(20_000, 1_000), margin=0.01)
    assert (worse.standing, worse.has_regressed) == (Standing.WORSE, False)
    much = compare(errors(20_000, 2_000), errors(20_000, 1_000), margin=0.01)
    assert (much.standing, much.has_regressed) == (Standing.WORSE, True)
    assert not compare(errors(20_000, 1_000), errors(20_000, 2_000), margin=0.01).has_regressed
    assert not compare(errors(20, 20), errors(20_000, 0), margin=0.01).has_regressed


def test_an_unknown_verdict_says_about_how_many_labels_it_takes_and_keeps_its_word() -> None:
    now = compare(errors(2_000, 104), errors(2_000, 100))
    assert now.standing is Standing.UNKNOWN
    assert now.labels_needed is not None
    assert now.labels_at_most is not None
    assert 0 < now.labels_needed < now.labels_at_most
    for share, standing in ((0.9, Standing.UNKNOWN), (1.1, Standing.ALIKE)):
        growth = 1 + share * now.labels_needed / 4_000
        later = compare(errors(2_000 * growth, 104 * growth), errors(2_000 * growth, 100 * growth))
        assert later.standing is standing
    growth = 1 + 1.05 * now.labels_at_most / 4_000
    for rate in (0.05, 0.055, 0.0549, 0.056, 0.06):
        rows = 2_000 * growth
        assert compare(errors(rows, rate * rows), errors(rows, 0.05 * rows)).standing is not Standing.UNKNOWN


def test_the_margin_of_losses_that_are_no_rates_is_two_in_a_hundred_of_the_other_versions() -> None:
    found = compare(losses(400_000, 5.0), losses(400_000, 5.01))
    assert found.margin == pytest.approx(0.1002)
    assert found.standing is Standing.ALIKE
    assert compare(losses(400_000, 5.0), losses(400_000, 5.01), margin=0.001).standing is not Standing.ALIKE
    assert compare(losses(4_000, 6.0), losses(4_000, 5.0)).has_regressed


@pytest.mark.parametrize("huge", [1e140, 1e160, 1e300, np.inf])
def test_errors_that_are_too_large_to_square_say_nothing_and_fail_nothing(huge: float) -> None:
    with np.errstate(over="ignore"):
        sums = np.array([100.0, 100 * huge, 200 * np.float64(huge) ** 2])
    found = compare({0: {Loss.MAE: sums}}, losses(400, 5.0), margin=1.0)
    assert found.rows == 100
    assert (found.difference is None) == (huge > 1e150)
    assert "400 labels" in sentence_of(found, "8", "7")


def test_numbers_of_any_size_have_losses_and_metrics_side_by_side() -> None:
    counting = RegressionCounting(RegressionScales(0.0, 1e160, 1e160))
    rows = RegressionOutcomes.zeros(counting.scales).add(np.zeros(50), np.full(50, 5e160)).to_arrays()
    shared = SharedHours(("8", "7"), "", counting)
    for version in shared.versions:
        shared.add(0, (version,), counting, rows)
    assert {one.reason for one in shared.metrics()[0] if one.name == "mae"} == {"too_large"}
    course = {0: sums_of(counting, rows)}
    assert compare(course, course).standing is Standing.UNKNOWN


@pytest.mark.parametrize("margin", [5e-324, 1e-300, 1e-150, 1e150])
@pytest.mark.parametrize("mean", [0.0, 1e-300, 5.0, 1e140])
def test_margins_of_any_size_are_answered(margin: float, mean: float) -> None:
    found = compare(losses(400, mean), losses(400, 5.0), margin=margin)
    assert "400 labels" in sentence_of(found, "8", "7")
    assert compare(errors(400, 40), errors(400, 40), margin=margin).rows == 400


def test_hours_of_one_version_alone_and_models_without_labels_say_nothing() -> None:
    nothing = compare({0: errors(100, 9)[0]}, {HOUR_MS: errors(100, 9)[0]})
    assert (nothing.standing, nothing.loss, nothing.difference) == (Standing.UNKNOWN, None, None)
    assert compare({}, {}).labels_needed is None
    assert compare({}, losses(100, 1.0)).loss is None


def test_segments_share_alpha_and_only_the_largest_are_told() -> None:
    courses = {
        (version, f"country={i:02}"): errors(1_000 + i, wrong)
        for version, wrong in (("8", 90), ("7", 50))
        for i in range(30)
    }
    courses["8", "country=only"] = errors(90_000, 10)
    courses["8", ""], courses["7", ""] = errors(30_000, 9), errors(30_000, 9)
    found = compare_segments(courses, "8", "7")
    assert [name for name, _ in found] == [f"country={i}" for i in range(29, 9, -1)]
    assert {one.alpha for _, one in found} == {0.05 / MOST_SEGMENTS}
    assert compare_segments({}, "8", "7") == ()


def test_a_segment_keeps_its_interval_when_others_come() -> None:
    courses = {(version, "country=DE"): errors(1_000, wrong) for version, wrong in (("8", 90), ("7", 50))}
    alone = dict(compare_segments(courses, "8", "7"))
    more = {(version, f"country={i}"): errors(500, 20) for version in ("8", "7") for i in range(9)}
    assert dict(compare_segments(courses | more, "8", "7"))["country=DE"] == alone["country=DE"]


# ---------------------------------------------------------------- losses
def test_losses_of_outcomes_are_those_of_their_rows() -> None:
    found = sums_of(BINARY, outcomes(30, 100))
    assert found[Loss.ERROR_RATE].tolist() == [100, 30, 30]
    squared = np.array([0.75**2] * 30 + [0.25**2] * 70)
    assert found[Loss.BRIER] == pytest.approx([100, squared.sum(), (squared**2).sum()], rel=1e-6)

    scales = RegressionScales(0.0, 1.0, 1.0)
    truth, told = np.array([1.0, 2.0, 4.0]), np.array([1.5, 2.0, 2.0])
    counted = RegressionOutcomes.zeros(scales).add(truth, told).to_arrays()
    assert sums_of(RegressionCounting(scales), counted)[Loss.MAE].tolist() == [3, 2.5, 4.25]

    labels, decisions = np.array([0, 1, 5, 6, 0]), np.array([0, 0, 5, 7, -1])
    many = MulticlassOutcomes.zeros(2).add(labels, decisions, np.full((5, 2), np.nan)).to_arrays()
    assert sums_of(MulticlassCounting(("a", "b")), many)[Loss.ERROR_RATE].tolist() == [4, 2, 2]


def test_decisions_are_compared_before_scores_where_both_versions_make_some_in_the_same_hours() -> None:
    decided, scored = (sums_of(BINARY, outcomes(3, 10, decided=one)) for one in (True, False))
    assert shared_loss({0: decided}, {0: decided}) is Loss.ERROR_RATE
    assert shared_loss({0: decided}, {0: scored}) is Loss.BRIER
    assert shared_loss({0: decided, 1: scored}, {0: scored, 1: decided}) is Loss.BRIER
    assert shared_loss({0: decided}, {1: decided}) is None


def test_panes_add_up_by_version_segment_and_hour_whatever_their_order() -> None:
    names = {1: said(("7", "country=DE")), 2: said(("7",)), 3: said(("8", "country=DE", "plan=x"))}
    stored = {(0, 1): outcomes(1, 10), (60_000, 2): outcomes(2, 10), (HOUR_MS, 3): outcomes(3, 10)}
    whole = courses_of(stored, names, BINARY)
    wrong = {
        key: {hour: float(sums[Loss.ERROR_RATE][1]) for hour, sums in course.items()}
        for key, course in whole.items()
    }
    assert wrong == {
        ("7", ""): {0: 3.0}, ("7", "country=DE"): {0: 1.0},
        ("8", ""): {HOUR_MS: 3.0}, ("8", "country=DE"): {HOUR_MS: 3.0}, ("8", "plan=x"): {HOUR_MS: 3.0},
    }  # fmt: skip
    parts = [courses_of({place: one}, names, BINARY) for place, one in reversed(stored.items())]
    again = joined(parts)
    assert again.keys() == whole.keys()
    assert float(again["7", ""][0][Loss.ERROR_RATE][0]) == 20


def test_a_label_that_is_corrected_gives_the_sums_as_if_it_had_come_right() -> None:
    """What was counted is taken back out of the outcomes; nothing in the comparison remembers it."""
    corrected = subtracted(outcomes(40, 100), outcomes(10, 10))
    plain = outcomes(30, 90)
    other = errors(100, 10)
    one, two = (
        compare(courses_from([(0, ("8",), sums_of(BINARY, arrays))])["8", ""], other)
        for arrays in (corrected, plain)
    )
    assert one == two


# ---------------------------------------------------------------- metrics of the same hours
def test_metrics_are_of_the_hours_that_both_versions_have_labels_in() -> None:
    shared = SharedHours(("8", "7"), "", BINARY)
    for start_ms, version, wrong in (
        (0, "7", 9),
        (HOUR_MS, "7", 2),
        (HOUR_MS + 60_000, "8", 4),
        (3 * HOUR_MS, "8", 9),
    ):
        shared.add(start_ms, (version, "country=DE"), BINARY, outcomes(wrong, 10))
    shared.add(HOUR_MS * 3, ("7", "country=DE"), BinaryCounting("no"), outcomes(9, 10))
    mine, theirs = ({metric.name: (metric.value, metric.n) for metric in side} for side in shared.metrics())
    assert shared.hours == 1
    assert (mine["accuracy"], theirs["accuracy"]) == ((pytest.approx(0.6), 10), (pytest.approx(0.8), 10))


def test_panes_of_an_hour_are_added_up_unless_they_were_counted_in_another_way() -> None:
    other = BinaryCounting("no")
    panes = [
        SliceOutcomes(start_ms, ("8",), counting, outcomes(wrong, 10))
        for start_ms, counting, wrong in (
            (60_000, BINARY, 1), (120_000, BINARY, 2), (120_000, other, 3), (HOUR_MS + 60_000, BINARY, 4),
        )
    ]  # fmt: skip
    found = [
        (one.start_ms, one.counting, sums_of(one.counting, one.arrays)[Loss.ERROR_RATE].tolist())
        for one in hourly(panes)
    ]
    assert found == [(0, BINARY, [20, 3, 3]), (0, other, [10, 3, 3]), (HOUR_MS, BINARY, [10, 4, 4])]
    assert list(hourly([])) == []


def test_metrics_of_a_segment_leave_out_what_is_not_in_it() -> None:
    shared = SharedHours(("8", "7"), "country=DE", BINARY)
    for version, segment, wrong in (("8", "country=DE", 1), ("8", "country=FR", 9), ("7", "country=DE", 2)):
        shared.add(0, (version, segment), BINARY, outcomes(wrong, 10))
    mine, _ = shared.metrics()
    assert next(metric.value for metric in mine if metric.name == "accuracy") == pytest.approx(0.9)


# ---------------------------------------------------------------- sentences
UNKNOWN = compare(errors(2_000, 110), errors(2_000, 100))


def sentence(one: Comparison, **changes: Any) -> str:
    return sentence_of(replace(one, **changes), "8", "7")


def test_each_verdict_is_a_sentence_that_says_what_it_rests_on() -> None:
    assert sentence(UNKNOWN, standing=Standing.WORSE, low=0.001, high=0.2).startswith(
        "8 is worse than 7: its error rate is 5.50% against 5.00%, a difference of +0.10 to +20.00 points, "
        "of 2,000 and 2,000 labels"
    )
    assert sentence(UNKNOWN, standing=Standing.ALIKE).startswith(
        "no difference larger than 1 points between 8 and 7: error rate 5.50% against 5.00%"
    )
    assert sentence(UNKNOWN, labels_needed=12_345, labels_at_most=98_765).startswith(
        "not known yet, about 12,000 more labels are needed if the difference stays as it is, 99,000 at the most: "
    )
    assert sentence(UNKNOWN, labels_needed=None).startswith(
        "not known yet: error rate of 8 and 7 5.50% against"
    )
    assert sentence_of(compare(errors(3, 1), errors(9, 1)), "8", "7") == (
        "not known yet: 3 and 9 labels of 8 and 7 are too few"
    )
    assert (
        sentence_of(compare({}, {}), "8", "7")
        == "not known yet: no hour has labels of both versions, 8 and 7"
    )
    assert "mean absolute error is 6 against 5" in sentence_of(
        compare(losses(4_000, 6), losses(4_000, 5)), "8", "7"
    )
