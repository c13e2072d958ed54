from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import pearson3

from detectors.pearson import GUARD, Cumulants

LAW = Cumulants(np.array([10.0, 3.0]), np.array([4.0, 0.5]), np.array([0.9, 0.3]))


def test_the_tail_is_the_guarded_one_of_pearsons_law_in_scipy():
    totals = np.array([20.0, 4.0])
    truth = pearson3.sf(totals, [0.9, 0.3], loc=[10, 3], scale=[4, 0.5]) ** GUARD
    assert LAW.tail(totals) == pytest.approx(truth, rel=1e-9)


@pytest.mark.parametrize("alpha", [0.5, 1e-2, 1e-8])
def test_the_limit_is_where_the_tail_is_alpha(alpha):
    assert LAW.tail(LAW.limit(alpha)) == pytest.approx([alpha, alpha], rel=1e-6)


def test_a_law_without_skew_is_nearly_normal():
    law = Cumulants(np.zeros(1), np.ones(1), np.zeros(1))
    assert law.tail(np.array([1.96])) == pytest.approx([0.025**GUARD], rel=0.03)
