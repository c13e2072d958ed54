from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import dirichlet_multinomial

from detectors.dirichlet import dirichlet_evidence


@pytest.mark.parametrize("counts", [[3, 0, 7], [0, 0, 0], [120, 5, 1]])
def test_differences_equal_those_of_the_dirichlet_multinomial_law_in_scipy(counts):
    one, other = np.array([2.0, 3.0, 5.0]), np.array([0.5, 40.0, 0.01])
    counts = np.array(counts)
    expected = dirichlet_multinomial.logpmf(counts, one, counts.sum()) - dirichlet_multinomial.logpmf(
        counts, other, counts.sum()
    )
    got = dirichlet_evidence(counts.astype(float), np.stack([one, other]))
    assert got[0] - got[1] == pytest.approx(expected)


def test_with_well_known_shares_it_is_the_multinomial_likelihood():
    counts, shares = np.array([30.0, 70.0]), np.array([[0.3, 0.7], [0.5, 0.5]])
    got = dirichlet_evidence(counts, 1e9 * shares)
    expected = (counts * np.log(shares)).sum(axis=1)
    assert got[0] - got[1] == pytest.approx(expected[0] - expected[1], rel=1e-4)
