"""A gap is near zero while nothing changes and far in the bad direction once the concept drifts."""

from __future__ import annotations

import numpy as np
import pytest

from service.performance.counting import BinaryCounting
from service.performance.expectation import BinaryExpectation
from service.performance.gaps import gap_from, gaps_of
from tests.detectors.performance import draws

COUNTING = BinaryCounting("yes")


@pytest.fixture(scope="module")
def learned() -> BinaryExpectation:
    made = BinaryExpectation.learned(draws.binary(np.random.default_rng(1), 50_000, power=2.0).to_arrays())
    assert made is not None
    return made


def test_while_nothing_changes_gaps_are_chance(learned: BinaryExpectation) -> None:
    random = np.random.default_rng(2)
    found = [
        gaps_of(COUNTING, draws.binary(random, 1_000, law=(2.0, 1.0), power=2.0).to_arrays(), learned)
        for _ in range(100)
    ]
    for name in ("accuracy", "f1", "roc_auc", "brier"):
        z, p = (np.array([getattr(one[name], part) for one in found]) for part in ("z", "p_value"))
        assert abs(z.mean()) < 0.4, name
        assert 0.7 < z.std() < 1.3, name
        assert 0.2 < np.mean(p < 0.5) < 0.8, name
    assert {one["accuracy"].n for one in found} == {1_000}
    assert "calibration_error" not in found[0]


@pytest.mark.parametrize(("power", "sign"), [(4.0, 1), (1.0, -1)], ids=["worse", "better"])
def test_worse_is_positive_whichever_direction_the_metric_has(
    learned: BinaryExpectation, power: float, sign: int
) -> None:
    """High scores come true more seldom, or more often: recall apart, all of it is worse, or better."""
    outcomes = draws.binary(np.random.default_rng(3), 5_000, law=(4.0, 1.0), power=power).to_arrays()
    found = gaps_of(COUNTING, outcomes, learned)
    for name in ("accuracy", "precision", "log_loss"):
        one = found[name]
        assert one.z * sign > 5, name
        assert (one.p_value < 1e-6) == (sign > 0), name
        assert one.value == pytest.approx(one.realized - one.expected)


def test_against_the_estimate_of_a_whole_window_the_errors_of_both_count(learned: BinaryExpectation) -> None:
    random = np.random.default_rng(4)
    outcomes = draws.binary(random, 2_000, law=(4.0, 1.0), power=4.0).to_arrays()
    estimated = learned.of_outcomes(outcomes)["accuracy"].metric
    same, whole = gaps_of(COUNTING, outcomes, learned)["accuracy"], gap_from(COUNTING, outcomes, estimated)
    assert whole is not None
    assert whole.value == same.value
    assert 3 < whole.z < same.z


def test_without_a_value_on_both_sides_there_is_no_gap(learned: BinaryExpectation) -> None:
    nothing = BinaryCounting("yes").zeros()
    assert gaps_of(COUNTING, nothing, learned) == {}
    estimated = learned.of_outcomes(nothing)["accuracy"].metric
    assert gap_from(COUNTING, nothing, estimated) is None
    assert gap_from(COUNTING, nothing, estimated._replace(name="mae")) is None
