"""Answers of a reference come back from their bytes, counted as a monitor asks, and broken bytes are said to be so."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.performance.estimated_regression import ErrorsByCell
from service.errors import FormatError
from service.performance.answers import Answers, Cells, answers_from_bytes, answers_to_bytes
from service.performance.counting import BinaryCounting, RegressionCounting
from service.performance.outcome_codec import outcomes_to_bytes
from tests.detectors.performance import draws

YES, NO = BinaryCounting("yes"), BinaryCounting("no")


def outcomes(seed: int) -> dict[str, np.ndarray]:
    return draws.binary(np.random.default_rng(seed), 500).to_arrays()


def test_each_way_of_counting_finds_its_own() -> None:
    each = (outcomes_to_bytes(YES, outcomes(1)), outcomes_to_bytes(NO, outcomes(2)))
    found = answers_from_bytes(
        answers_to_bytes(Answers({"": each, "country=DE": (outcomes_to_bytes(YES, outcomes(3)),)}))
    )
    for counting, segment, seed in ((YES, "", 1), (NO, "", 2), (YES, "country=DE", 3)):
        arrays = found.of(counting, segment)
        assert arrays is not None
        assert all((arrays[name] == one).all() for name, one in outcomes(seed).items())
    assert found.of(NO, "country=DE") is None
    assert found.of(YES, "country=FR") is None
    assert found.of(RegressionCounting(draws.SCALES)) is None
    assert found.cells is None


def test_errors_by_value_come_back_too() -> None:
    random, edges = np.random.default_rng(4), np.linspace(0, 100, 40)
    bins = random.integers(0, 41, 5_000)
    errors = ErrorsByCell.zeros(41, 1, 2.5).add(bins, np.zeros_like(bins), random.normal(0, 300, 5_000))
    found = answers_from_bytes(answers_to_bytes(Answers({}, Cells(edges, {"": errors})))).cells
    assert found is not None
    assert (found.edges == edges).all()
    again = found.errors[""].to_arrays()
    assert found.errors[""].scale == 2.5
    assert all((again[name] == one).all() for name, one in errors.to_arrays().items())


def test_equal_answers_are_equal_bytes_in_whatever_order_they_were_counted() -> None:
    one = outcomes_to_bytes(YES, outcomes(1))
    assert answers_to_bytes(Answers({"a=1": (one,), "": (one,)})) == answers_to_bytes(
        Answers({"": (one,), "a=1": (one,)})
    )


@pytest.mark.parametrize("edges", [np.array([1.0, 1.0]), np.array([0.0, np.inf]), np.array([0.0, 1.0, 2.0])])
def test_edges_that_do_not_ascend_or_do_not_fit_are_refused(edges: np.ndarray) -> None:
    cells = Cells(edges, {"": ErrorsByCell.zeros(3, 1, 1.0)})
    with pytest.raises(FormatError):
        answers_from_bytes(answers_to_bytes(Answers({}, cells)))


def test_cut_or_changed_bytes_are_noticed() -> None:
    data = answers_to_bytes(Answers({"": (outcomes_to_bytes(YES, outcomes(1)),)}))
    for broken in (data[:-1], data[:10], b"", data[:50] + b"\0" + data[51:]):
        with pytest.raises(FormatError):
            answers_from_bytes(broken)
