from __future__ import annotations

import pytest

from detectors.score import is_too_little, require_alpha, too_little_data


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, 2.0, float("nan")])
def test_an_alpha_that_is_no_probability_is_refused(alpha):
    with pytest.raises(ValueError, match="alpha must be between"):
        require_alpha(alpha)


def test_ten_values_against_thirty_are_enough():
    assert is_too_little(9, 30)
    assert is_too_little(10, 29)
    assert not is_too_little(10, 30)


def test_too_little_data_has_a_reason_in_place_of_numbers():
    score = too_little_data("psi", 3, 20)
    assert (score.value, score.p_value, score.limit, score.reason) == (None, None, None, "too_little_data")
