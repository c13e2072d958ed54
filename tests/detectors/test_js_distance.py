from __future__ import annotations

from math import log, sqrt

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from detectors.js_distance import JsDistance
from detectors.pair import CategoricalPair


def test_equals_scipys_distance_to_base_2():
    pair = CategoricalPair(np.array([700, 200, 100]), np.array([50, 30, 20]))
    truth = jensenshannon(pair.reference, pair.current, base=2)
    assert JsDistance().score(pair, 0.01).value == pytest.approx(truth)


def test_equals_the_published_value_to_base_2_and_e(published_pair):
    value = JsDistance().score(published_pair, 0.01).value
    assert value == pytest.approx(0.0817342, abs=1e-7)
    assert value * sqrt(log(2)) == pytest.approx(0.0680482, abs=1e-7)


def test_is_one_half_when_a_quarter_of_the_mass_moves_to_an_unseen_category():
    """NannyML: a, b, c, d against a, b, c, e."""
    pair = CategoricalPair(np.array([250, 250, 250, 250, 0]), np.array([250, 250, 250, 0, 250]))
    assert JsDistance().score(pair, 0.01).value == pytest.approx(0.5)


def test_is_one_between_samples_that_share_nothing():
    pair = CategoricalPair(np.array([1000, 0]), np.array([0, 1000]))
    assert JsDistance().score(pair, 0.01).value == pytest.approx(1.0)


def test_is_symmetric():
    a, b = np.array([500, 300, 200]), np.array([450, 250, 300])
    there, back = (JsDistance().score(CategoricalPair(*sides), 0.01) for sides in ((a, b), (b, a)))
    assert there.value == pytest.approx(back.value)
