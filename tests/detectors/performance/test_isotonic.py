from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from detectors.performance.isotonic import isotonic

BINS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=40)


@given(BINS)
@settings(deadline=None, max_examples=200)
def test_it_is_the_isotonic_regression_of_scikit_learn(bins):
    misses, hits = (np.array(side, float) for side in zip(*bins, strict=True))
    rows = hits + misses
    there = rows > 0
    found = isotonic(hits, rows)
    if not there.any():
        assert found.tolist() == [0.5] * rows.size
        return
    model = IsotonicRegression(out_of_bounds="clip")
    model.fit(np.flatnonzero(there), (hits / np.maximum(rows, 1))[there], sample_weight=rows[there])
    assert found == pytest.approx(model.predict(np.arange(rows.size)), abs=1e-9)


def test_rates_that_never_fall_are_left_as_they_are():
    assert isotonic(np.array([1.0, 2.0, 9.0]), np.full(3, 10.0)) == pytest.approx([0.1, 0.2, 0.9])
