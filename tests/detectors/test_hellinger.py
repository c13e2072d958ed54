from __future__ import annotations

import numpy as np
import pytest

from detectors.hellinger import Hellinger
from detectors.pair import CategoricalPair


def test_equals_the_published_value(published_pair):
    assert Hellinger().score(published_pair, 0.01).value == pytest.approx(0.068128, abs=1e-6)


def test_equals_one_minus_the_bhattacharyya_coefficient_under_the_root():
    pair = CategoricalPair(np.array([700, 200, 100]), np.array([50, 30, 20]))
    coefficient = np.sqrt(pair.reference / 1000 * pair.current / 100).sum()
    assert Hellinger().score(pair, 0.01).value == pytest.approx(np.sqrt(1 - coefficient))


def test_is_one_half_when_a_quarter_of_the_mass_moves_to_an_unseen_category():
    """NannyML: a, b, c, d against a, b, c, e."""
    pair = CategoricalPair(np.array([250, 250, 250, 250, 0]), np.array([250, 250, 250, 0, 250]))
    assert Hellinger().score(pair, 0.01).value == pytest.approx(0.5)


def test_is_symmetric():
    a, b = np.array([500, 300, 200]), np.array([450, 250, 300])
    there, back = (Hellinger().score(CategoricalPair(*sides), 0.01) for sides in ((a, b), (b, a)))
    assert there.value == pytest.approx(back.value)
