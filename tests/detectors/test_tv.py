from __future__ import annotations

import numpy as np
import pytest

from detectors.pair import CategoricalPair
from detectors.tv import Tv


def test_equals_the_published_value(published_pair):
    assert Tv().score(published_pair, 0.01).value == pytest.approx(0.0681818, abs=1e-7)


def test_the_p_value_agrees_with_a_permutation_test(published_pair):
    """detection.md: 0.928 for the pair itself; ten times the counts, so the permutation is done here."""
    random = np.random.default_rng(2)
    everyone = np.repeat(np.arange(6), published_pair.reference + published_pair.current)
    values = []
    for _ in range(1000):
        random.shuffle(everyone)
        halves = np.bincount(everyone[:880], minlength=6) - np.bincount(everyone[880:], minlength=6)
        values.append(np.abs(halves).sum() / 880 / 2)
    score = Tv().score(published_pair, 0.01)
    assert score.p_value == pytest.approx(np.mean(np.array(values) >= score.value - 1e-12), abs=0.03)


def test_is_the_share_of_events_that_moved():
    pair = CategoricalPair(np.array([500, 500]), np.array([700, 300]))
    assert Tv().score(pair, 0.01).value == pytest.approx(0.2)


def test_is_symmetric():
    a, b = np.array([500, 300, 200]), np.array([450, 250, 300])
    there, back = (Tv().score(CategoricalPair(*sides), 0.01) for sides in ((a, b), (b, a)))
    assert there.value == pytest.approx(back.value)
