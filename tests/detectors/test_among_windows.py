from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm, t

from detectors.among_windows import FEWEST_WINDOWS, TOO_FEW_WINDOWS, among_windows
from detectors.score import Score

ERROR = 0.03


def _area(deviation):
    """So many standard errors above chance, as the classifier tells it at alpha 0.05."""
    return Score(
        "domain_classifier", 0.5 + ERROR * deviation, 0.5, 0.5 + ERROR * norm.isf(0.025), 500, 500, 0.0
    )


def _rings(deviation, past, alpha, overlap=1):
    told = among_windows(_area(deviation), past, alpha, overlap).score
    return told.value > told.limit


@pytest.mark.parametrize("spread", [0.7, 1.0, 4.0])
@pytest.mark.parametrize("windows", [13, 65])
def test_windows_that_vary_alike_ring_no_oftener_than_alpha_allows(spread, windows):
    random = np.random.default_rng(1)
    rows = spread * random.normal(size=(4000, windows + 1))
    rung = sum(_rings(row[-1], row[:-1], 0.1) for row in rows)
    assert rung <= 0.05 * 4000 + 3 * np.sqrt(0.05 * 4000)
    assert spread < 4.0 or rung > 0.03 * 4000


def test_deviations_that_share_rows_ring_no_oftener_either():
    random = np.random.default_rng(2)
    rows = random.normal(size=(4000, 60))
    shared = 3.0 * (rows[:, 1:] + rows[:, :-1]) / np.sqrt(2)
    rung = sum(_rings(row[-1], row[:-1], 0.1, overlap=2) for row in shared)
    assert rung <= 0.05 * 4000 + 3 * np.sqrt(0.05 * 4000)


def test_the_limit_and_p_value_are_students():
    past = np.full(41, 2.0)
    told = among_windows(_area(9.0), past, 1e-4).score
    assert told.limit == pytest.approx(0.5 + ERROR * 2.0 * t.isf(5e-5, 40))
    assert told.p_value == pytest.approx(2 * t.sf(4.5, 40))


def test_what_may_be_part_of_the_same_change_is_not_held_against_it():
    past = np.zeros(40)
    past[-2:] = 9.0
    assert _rings(9.0, past, 1e-6, overlap=2)
    past[-3:] = 30.0
    assert not _rings(9.0, past, 1e-6, overlap=2)


def test_too_few_windows_say_nothing_but_are_remembered():
    told = among_windows(_area(3.0), np.zeros(FEWEST_WINDOWS), 1e-3)
    assert (told.score.limit, told.score.p_value, told.score.reason) == (None, None, TOO_FEW_WINDOWS)
    assert told.deviation == pytest.approx(3.0)


def test_the_limit_is_at_most_one_and_nothing_stays_nothing():
    assert among_windows(_area(1.0), np.full(20, 50.0), 1e-9).score.limit == 1.0
    nothing = Score("domain_classifier", None, None, None, 5, 5, 0.0, "too_little_data")
    assert among_windows(nothing, np.zeros(20), 0.1).score is nothing
    with pytest.raises(ValueError, match="alpha"):
        among_windows(_area(1.0), np.zeros(20), 0.0)
