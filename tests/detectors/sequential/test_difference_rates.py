from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from detectors.sequential.difference_rates import rates_apart


@pytest.mark.parametrize("apart", [-0.3, -0.01, 0.0, 0.02, 0.4])
@pytest.mark.parametrize(
    ("rates", "rows"), [((0.2, 0.1), (100, 100)), ((0.5, 0.1), (20, 900)), ((0.02, 0.07), (50, 8_000))]
)
def test_no_other_pair_so_far_apart_is_likelier(rates, rows, apart):
    def unlikely(first: float) -> float:
        pairs = zip(rates, rows, (first, first - apart), strict=True)
        return -sum(n * (seen * np.log(p) + (1 - seen) * np.log(1 - p)) for seen, n, p in pairs)

    ends = max(0.0, apart), min(1.0, 1 + apart)
    best = minimize_scalar(unlikely, bounds=ends, method="bounded", options={"xatol": 1e-10})
    found = rates_apart(rates, rows, apart)
    assert found[0] == pytest.approx(best.x, abs=1e-6)
    assert found[0] - found[1] == pytest.approx(apart)


@pytest.mark.parametrize("rates", [(0.0, 0.0), (1.0, 1.0), (0.0, 1.0), (1.0, 0.0)])
@pytest.mark.parametrize("apart", [-1.0, -0.5, 0.0, 0.5, 1.0])
def test_rates_at_their_ends_stay_rates(rates, apart):
    assert all(0 <= rate <= 1 for rate in rates_apart(rates, (40, 4_000), apart))
