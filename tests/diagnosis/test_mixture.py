"""The likeliest share of changed rows is that of a fine search."""

from __future__ import annotations

import numpy as np
import pytest

from service.diagnosis.mixture import likeliest_share, mixed, share_error

USUAL, CHANGED = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.2, 0.7])


@pytest.mark.parametrize("share", [0.0, 0.05, 0.4, 1.0])
def test_the_share_that_made_the_counts_is_found(share):
    counts = 10_000 * mixed(np.array(share), USUAL, CHANGED)
    assert likeliest_share(counts, USUAL, CHANGED) == pytest.approx(share, abs=1e-3)


def test_it_is_the_best_of_a_fine_search():
    counts = np.array([41.0, 29.0, 35.0])
    tried = np.linspace(0, 1, 2001)
    likelihood = (counts * np.log(mixed(tried, USUAL, CHANGED))).sum(axis=-1)
    assert likeliest_share(counts, USUAL, CHANGED) == pytest.approx(tried[likelihood.argmax()], abs=1e-3)


def test_its_error_is_that_of_repeated_draws():
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(2000, mixed(np.array(0.3), USUAL, CHANGED), size=400).astype(float)
    shares = [float(likeliest_share(counts, USUAL, CHANGED)) for counts in drawn]
    error = share_error(drawn[0], USUAL, CHANGED, np.array(shares[0]))
    assert float(error) == pytest.approx(np.std(shares), rel=0.15)
