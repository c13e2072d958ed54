from __future__ import annotations

import numpy as np
import pytest
from scipy.special import polygamma

from detectors.moderation import _inverse_trigamma, moderated


@pytest.mark.parametrize(("prior", "scale"), [(4.0, 1.0), (12.0, 2.5)])
def test_recovers_the_law_that_variances_were_drawn_from(prior, scale):
    random = np.random.default_rng(1)
    true = scale * prior / random.chisquare(prior, 40_000)
    seen = true * random.chisquare(8, true.size) / 8
    _, freedom = moderated(seen, np.full(seen.size, 8.0))
    assert freedom[0] - 8 == pytest.approx(prior, rel=0.05)
    at_nothing, _ = moderated(np.append(seen, 0.0), np.full(seen.size + 1, 8.0))
    assert at_nothing[-1] == pytest.approx(prior * scale / (prior + 8), rel=0.05)


def test_a_moderated_ratio_has_the_tail_of_students_law():
    random = np.random.default_rng(2)
    true = 5.0 / random.chisquare(5, 200_000)
    variances, freedom = moderated(true * random.chisquare(8, true.size) / 8, np.full(true.size, 8.0))
    ratios = random.normal(size=true.size) * np.sqrt(true / variances)
    beyond = (np.abs(ratios) > 5.0).mean()
    # Student's t with 13 degrees of freedom: P(|t| > 5) = 2.43e-4
    assert freedom[0] == pytest.approx(13, rel=0.03)
    assert beyond == pytest.approx(2.43e-4, rel=0.5)


def test_one_variance_is_left_to_itself():
    variances, freedom = moderated(np.array([3.0]), np.array([8.0]))
    assert (variances.tolist(), freedom.tolist()) == ([3.0], [8.0])


def test_an_estimate_without_freedom_takes_the_common_level():
    random = np.random.default_rng(3)
    many = random.chisquare(8, 300) / 8
    variances, _ = moderated(np.append(many, 99.0), np.append(np.full(300, 8.0), 0.0))
    assert variances[-1] == pytest.approx(1.0, rel=0.1)


def test_no_estimates_give_the_usual_variance():
    variances, freedom = moderated(np.zeros(2), np.zeros(2))
    assert (variances.tolist(), freedom.tolist()) == ([1.0, 1.0], [1.0, 1.0])


@pytest.mark.parametrize("value", [0.01, 0.3, 2.0, 50.0])
def test_the_inverse_of_trigamma_is_its_inverse(value):
    assert polygamma(1, _inverse_trigamma(value)) == pytest.approx(value, rel=1e-9)
