from __future__ import annotations

import numpy as np
import pytest

from detectors.catalogue import CATEGORICAL
from detectors.cells import tabulate
from detectors.pair import CategoricalPair

SHARES = np.array([0.12, 0.19, 0.19, 0.19, 0.19, 0.12])


@pytest.mark.parametrize("method", ["psi", "js_distance", "hellinger", "tv", "chi_square"])
def test_the_far_tail_at_six_expected_events_is_not_too_light(method):
    """400,000 windows of 50 events, where a chi-square law rings up to 30 times too often far out."""
    random = np.random.default_rng(30)
    detector = CATEGORICAL[method]
    passed = np.zeros(2)
    for _ in range(40):
        reference = random.multinomial(10_000, SHARES)
        cells = tabulate(CategoricalPair(reference, random.multinomial(50, SHARES)))
        windows = random.multinomial(50, SHARES, size=10_000).astype(np.float64)
        sums = detector.terms(cells.reference, windows, cells).sum(axis=1)
        values = np.array([detector.finish(total) for total in sums])
        limits = [detector.score_cells(cells, alpha).limit for alpha in (1e-3, 1e-4)]
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
