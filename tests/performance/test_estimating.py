"""Segments are expected to turn out by their own answers where these are enough; all reasons stand in the docs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from detectors.performance.estimate import OUTSIDE_REFERENCE, TOO_FEW_EFFECTIVE
from service.messages import WindowKey
from service.monitor import Task
from service.performance import estimating, expectation
from service.performance.answers import Answers
from service.performance.counting import (
    Arrays,
    BinaryCounting,
    Counting,
    MulticlassCounting,
    RegressionCounting,
)
from service.performance.estimating import Expectations, assumed, estimate_of, labelled, no_estimate
from service.performance.expectation import BinaryExpectation
from service.performance.outcome_codec import outcomes_to_bytes
from tests.detectors.performance import draws
from tests.performance.test_rows import scored

YES = BinaryCounting("yes")
KEY = WindowKey("churn", "7", "", "5m", 0, 300_000)


def answers(counting: Counting = YES, **of_segments: Arrays) -> Answers:
    """Of all rows (`all`) and of countries."""
    named = {"" if name == "all" else f"country={name}": one for name, one in of_segments.items()}
    return Answers({name: (outcomes_to_bytes(counting, one),) for name, one in named.items()})


def test_a_segment_with_enough_labels_has_its_own_chances_and_others_those_of_all() -> None:
    random = np.random.default_rng(1)
    drawn = {
        "all": draws.binary(random, 20_000), "DE": draws.binary(random, 2_000, power=4.0),
        "FR": draws.binary(random, 500, power=4.0),
    }  # fmt: skip
    known = Expectations(answers(**{name: one.to_arrays() for name, one in drawn.items()}), YES)
    rows = drawn["all"].to_arrays()
    of_all, germany, france, italy = (
        known.of(name) for name in ("", "country=DE", "country=FR", "country=IT")
    )
    assert isinstance(of_all, BinaryExpectation)
    assert isinstance(germany, BinaryExpectation)
    assert france is of_all
    assert italy is of_all
    assert known.of("country=DE") is germany
    accuracies = [one.of_outcomes(rows)["accuracy"].metric.value for one in (of_all, germany)]
    assert accuracies == [pytest.approx(0.75, abs=0.02), pytest.approx(0.69, abs=0.03)]


REASONS = [
    (YES, answers(BinaryCounting("no"), all=YES.zeros()), "reference_counted_in_another_way"),
    (YES, answers(all=YES.zeros()), "reference_without_scores"),
    (MulticlassCounting(("a", "b")), None, "reference_without_scores"),
    (RegressionCounting(draws.SCALES), None, "reference_without_errors_by_value"),
]


@pytest.mark.parametrize(("counting", "found", "reason"), REASONS)
def test_where_nothing_can_be_learned_it_says_why(
    counting: Counting, found: Answers | None, reason: str
) -> None:
    assert Expectations(found or answers(counting, all=counting.zeros()), counting).of("country=DE") == reason


def test_metrics_without_any_value_are_one_line_with_its_reason() -> None:
    learned = BinaryExpectation.learned(draws.binary(np.random.default_rng(2), 5_000).to_arrays())
    assert learned is not None
    scores = np.linspace(0, 1, 500)
    whole = estimate_of(KEY, Task.BINARY, 500, scored(scores, scores, 250), learned)
    assert (whole.basis, len(whole.metrics), whole.key) == ("estimated", 13, KEY)
    for rows, expected, reason in (
        (scored(scores[:50], scores, 0), learned, "effective_size_below_100"),
        ("no_scores", learned, "no_scores"),
        (scored(scores, scores, 250), "no_reference", "no_reference"),
    ):
        (told,) = estimate_of(KEY, Task.BINARY, 500, rows, expected).metrics
        assert (told.name, told.value, told.reason) == ("accuracy", None, reason)
    (told,) = no_estimate(KEY, Task.REGRESSION, 7, "no_reference").metrics
    assert (told.name, told.n) == ("mae", 7)


def test_labelled_rows_are_counted_for_each_task() -> None:
    random = np.random.default_rng(3)
    for drawn in (draws.binary(random, 70), draws.multiclass(random, 70), draws.regression(random, 70)):
        assert labelled(drawn.to_arrays()) == 70


def test_each_metric_has_its_assumption() -> None:
    assert assumed("rmse") == "no concept drift: the size of errors at each prediction as in the reference"
    assert assumed("f1") == "no concept drift: P(label | score) as in the reference"


def test_every_reason_stands_in_the_documents() -> None:
    document = (Path(__file__).parents[2] / "docs" / "labels.md").read_text(encoding="utf-8")
    constants = {**vars(estimating), **vars(expectation)}
    reasons = {
        value
        for name, value in constants.items()
        if name.startswith(("NO_", "NOT_", "TOO_", "COUNTED_", "ONE_")) and isinstance(value, str)
    }
    assert len(reasons) > 10
    for reason in (reasons | {TOO_FEW_EFFECTIVE, OUTSIDE_REFERENCE}) - {""}:
        assert f"`{reason}`" in document, reason
