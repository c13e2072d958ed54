from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from detectors.sequential.difference_boundary import deviations_allowed, log_evidence, narrowest


@pytest.mark.parametrize("alpha", [0.5, 0.05, 1e-4])
def test_evidence_at_the_boundary_is_just_what_alpha_asks_for(alpha):
    for age in (0.01, 1.0, 8.0, 1e6):
        assert log_evidence(deviations_allowed(age, alpha) ** 2 / 2, age) == pytest.approx(np.log(1 / alpha))


def test_evidence_is_the_likelihood_ratio_mixed_over_normal_alternatives():
    from scipy.integrate import quad
    from scipy.stats import norm

    age, z = 5.0, 2.3
    mixed, _ = quad(lambda d: norm.pdf(z, d) * norm.pdf(d, scale=np.sqrt(age)), -40, 40)
    assert log_evidence(z**2 / 2, age) == pytest.approx(np.log(mixed / norm.pdf(z)))


@pytest.mark.parametrize("alpha", [0.2, 0.05, 1e-4])
def test_no_other_age_is_tighter_by_more_than_a_percent(alpha):
    best = minimize_scalar(lambda log_age: deviations_allowed(np.exp(log_age), alpha), bounds=(-5, 9))
    assert deviations_allowed(narrowest(alpha), alpha) <= 1.01 * best.fun
