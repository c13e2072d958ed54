from __future__ import annotations

import numpy as np
import pytest

from detectors.catalogue import CATEGORICAL, DIVERGENCES
from detectors.cells import cells_of, group
from detectors.divergence import ExactPairs
from detectors.pair import CategoricalPair
from detectors.tables import tabulate

SHARES = np.array([0.12, 0.19, 0.19, 0.19, 0.19, 0.12])


@pytest.mark.parametrize("method", list(DIVERGENCES))
def test_the_far_tail_at_six_expected_events_is_not_too_light(method):
    """400,000 windows of 50 events, where a chi-square law rings up to 30 times too often far out."""
    random = np.random.default_rng(30)
    detector = DIVERGENCES[method]
    passed = np.zeros(2)
    for _ in range(40):
        reference = random.multinomial(10_000, SHARES)
        cells = group(CategoricalPair(reference, random.multinomial(50, SHARES)))
        windows = random.multinomial(50, SHARES, size=10_000).astype(np.float64)
        values = detector.finish(detector.terms(cells.reference, windows, cells.sizes).sum(axis=1))
        null = detector.cumulants(tabulate(cells))
        limits = [detector.finish(null.limit(alpha)) for alpha in (1e-3, 1e-4)]
        passed += [(values > limit).sum() for limit in limits]
    assert passed[0] / 400_000 <= 1.5e-3
    assert passed[1] / 400_000 <= 2e-4


@pytest.mark.parametrize("method", list(CATEGORICAL))
@pytest.mark.parametrize("counts", [(25, 475), (250, 250), (2500, 47_500), (100, 200, 300)])
def test_the_limit_is_where_the_p_value_is_alpha(method, counts):
    reference = np.array(counts)
    for moved in range(0, reference[0] // 2, max(reference[0] // 25, 1)):
        current = reference // 5
        current[0] += moved
        score = CATEGORICAL[method].score(CategoricalPair(reference, current), 1e-3)
        if not 0.9e-3 < score.p_value < 1.1e-3:
            assert (score.value > score.limit) == (score.p_value < 1e-3)


@pytest.mark.parametrize("method", list(DIVERGENCES))
def test_the_cumulants_are_those_of_simulated_windows(method):
    random = np.random.default_rng(31)
    reference = np.array([300.0, 250, 200, 150, 60, 40])
    cells = cells_of(reference, reference / 10, np.array([0]))
    shares = random.dirichlet(reference + 0.5, size=100_000)
    windows = random.multinomial(100, shares).astype(np.float64)
    detector = DIVERGENCES[method]
    sums = detector.terms(reference, windows, cells.sizes).sum(axis=1)
    null = detector.cumulants(tabulate(cells))
    assert null.mean[0] == pytest.approx(sums.mean(), rel=0.01)
    assert null.sd[0] == pytest.approx(sums.std(), rel=0.03)
    assert null.skew[0] == pytest.approx(((sums - sums.mean()) ** 3).mean() / sums.std() ** 3, rel=0.25)


def test_only_two_groups_with_a_node_for_each_count_are_enumerated():
    reference = np.array([70.0, 30, 50, 30, 20, 5e8, 5e8])
    current = np.array([7.0, 3, 5, 3, 2, 5e7, 5e7])
    assert ExactPairs(cells_of(reference, current, np.array([0, 2, 5]))).columns.tolist() == [
        True,
        False,
        False,
    ]
