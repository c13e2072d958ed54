"""One battery over every detector: what a row of the catalogue promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.catalogue import CATEGORICAL, NUMERIC, score_all
from detectors.pair import CategoricalPair, NumericPair

RANGES = {"js_distance": 1, "hellinger": 1, "tv": 1, "l_infinity": 1, "ks": 1}
ALPHAS = (1e-2, 1e-8)

numeric = pytest.mark.parametrize("method", list(NUMERIC))
categorical = pytest.mark.parametrize("method", list(CATEGORICAL))


def _assert_sound(score, alpha):
    numbers = [score.value, score.p_value, score.limit, score.resolution]
    assert np.isfinite(numbers).all()
    assert score.value >= 0
    assert score.limit >= 0
    assert 0 <= score.p_value <= 1
    assert score.value <= RANGES.get(score.method, np.inf) + 1e-12
    if score.value > score.limit:
        assert score.p_value <= alpha * 1.01


def test_the_catalogue_names_each_detector_as_it_names_itself():
    assert [detector.name for detector in NUMERIC.values()] == list(NUMERIC)
    assert set(NUMERIC) == set(CATEGORICAL) | {"ks", "wasserstein"}


@numeric
def test_identical_shares_score_nothing(null_pair, method):
    pair = null_pair("normal", np.random.default_rng(40), 1000, 1000)
    same = NumericPair(pair.edges, pair.reference, pair.reference, pair.low, pair.high, pair.reference_std)
    score = NUMERIC[method].score(same, 0.01)
    assert score.value == pytest.approx(0, abs=1e-6)
    assert score.p_value > 0.99


@numeric
@pytest.mark.parametrize("alpha", ALPHAS)
def test_a_constant_column_that_stays_constant_scores_nothing(numeric_pair, method, alpha):
    score = NUMERIC[method].score(numeric_pair(np.full(1000, 5.0), np.full(200, 5.0)), alpha)
    _assert_sound(score, alpha)
    assert score.value < 0.01
    assert score.value <= score.limit


@numeric
def test_a_constant_column_that_moves_is_found(numeric_pair, method):
    score = NUMERIC[method].score(numeric_pair(np.full(1000, 5.0), np.full(200, 6.0)), 1e-8)
    _assert_sound(score, 1e-8)
    assert score.value > score.limit


@numeric
def test_a_grid_without_edges_scores_nothing(method):
    one_bin = NumericPair(np.array([]), np.array([100]), np.array([50]), 1.0, 2.0, 0.3)
    score = NUMERIC[method].score(one_bin, 1e-3)
    _assert_sound(score, 1e-3)
    assert score.value == pytest.approx(0)
    assert score.p_value == pytest.approx(1)


@numeric
@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 1000), (9, 1000), (100, 29)])
def test_too_few_values_are_a_reason_and_no_exception(method, n, m):
    score = NUMERIC[method].score(
        NumericPair(np.array([0.0]), np.array([0, m]), np.array([n, 0]), 0.0, 1.0, 1.0), 0.01
    )
    assert (score.value, score.p_value, score.limit, score.reason) == (None, None, None, "too_little_data")
    assert (score.n, score.m) == (n, m)


@numeric
def test_an_alpha_outside_its_range_is_refused(null_pair, method):
    pair = null_pair("normal", np.random.default_rng(41), 100, 1000)
    with pytest.raises(ValueError, match="alpha"):
        NUMERIC[method].score(pair, 1.0)


@numeric
def test_half_a_standard_deviation_is_found_at_one_in_a_million(numeric_pair, method):
    random = np.random.default_rng(42)
    pair = numeric_pair(random.normal(size=20_000), random.normal(0.5, 1, size=1000))
    score = NUMERIC[method].score(pair, 1e-6)
    assert score.value > score.limit


def test_a_quarter_of_a_standard_deviation_is_found_at_one_in_a_million_by_most(numeric_pair):
    random = np.random.default_rng(43)
    found = 0
    for _ in range(20):
        pair = numeric_pair(random.normal(size=20_000), random.normal(0.25, 1, size=1000))
        found += sum(score.value > score.limit for score in score_all(pair, 1e-6))
    assert found / 20 > 4


@categorical
def test_two_percent_of_an_unseen_category_is_found(method):
    random = np.random.default_rng(44)
    shares = np.array([0.4, 0.3, 0.2, 0.1, 0.0])
    reference = random.multinomial(10_000, shares)
    current = random.multinomial(2000, shares * 0.98 + np.array([0, 0, 0, 0, 0.02]))
    score = CATEGORICAL[method].score(CategoricalPair(reference, current), 1e-3)
    if method not in {"l_infinity", "tv"}:  # 2 points of a share are within the noise of the common ones
        assert score.value > score.limit


@categorical
def test_the_order_of_categories_does_not_matter(method):
    random = np.random.default_rng(45)
    reference, current = random.integers(1, 2000, 30), random.integers(1, 200, 30)
    order = random.permutation(30)
    plain = CATEGORICAL[method].score(CategoricalPair(reference, current), 0.01)
    shuffled = CATEGORICAL[method].score(CategoricalPair(reference[order], current[order]), 0.01)
    assert shuffled.value == pytest.approx(plain.value, rel=1e-9)
    assert shuffled.p_value == pytest.approx(plain.p_value, rel=1e-3)
    assert shuffled.limit == pytest.approx(plain.limit, rel=1e-3)


@numeric
def test_a_shift_and_its_mirror_image_score_alike(numeric_pair, method):
    random = np.random.default_rng(46)
    reference, current = random.normal(size=5000), random.normal(0.2, 1, size=700)
    plain, mirrored = (NUMERIC[method].score(numeric_pair(s * reference, s * current), 0.01) for s in (1, -1))
    assert mirrored.value == pytest.approx(plain.value, rel=0.25)


@numeric
def test_a_larger_shift_scores_more(numeric_pair, method):
    random = np.random.default_rng(47)
    reference, noise = random.normal(size=5000), random.normal(size=1000)
    pairs = [numeric_pair(reference, noise + shift) for shift in (0, 0.3, 0.6, 1.2)]
    values = [NUMERIC[method].score(pair, 0.01).value for pair in pairs]
    assert values == sorted(values)


@numeric
def test_a_smaller_alpha_gives_a_higher_limit(null_pair, method):
    pair = null_pair("normal", np.random.default_rng(48), 300, 3000)
    limits = [NUMERIC[method].score(pair, alpha).limit for alpha in (1e-2, 1e-4, 1e-6, 1e-8)]
    assert limits == sorted(limits)
    assert limits[0] < limits[-1]


def test_scoring_all_at_once_equals_scoring_one_by_one(null_pair):
    for law in ("normal", "sparse categories"):
        pair = null_pair(law, np.random.default_rng(49), 500, 5000)
        table = NUMERIC if law == "normal" else CATEGORICAL
        assert score_all(pair, 1e-3) == tuple(detector.score(pair, 1e-3) for detector in table.values())


def test_methods_are_scored_in_the_order_asked_for(null_pair):
    pair = null_pair("normal", np.random.default_rng(50), 500, 5000)
    assert [s.method for s in score_all(pair, 1e-3, ["ks", "psi"])] == ["ks", "psi"]


def test_a_method_that_does_not_fit_is_refused_by_name(null_pair):
    pair = null_pair("sparse categories", np.random.default_rng(51), 500, 5000)
    with pytest.raises(ValueError, match=r"unknown methods \['ks'\]"):
        score_all(pair, 1e-3, ["psi", "ks"])


sides_of_counts = st.lists(
    st.tuples(st.integers(0, 10**6) | st.just(0), st.integers(0, 10**6) | st.just(0)), min_size=1, max_size=30
)
finite = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(sides_of_counts, st.sampled_from(ALPHAS))
def test_no_categorical_counts_let_nan_or_infinity_out(sides, alpha):
    reference, current = np.array(sides, dtype=np.int64).T
    for score in score_all(CategoricalPair(reference.copy(), current.copy()), alpha):
        if score.reason is None:
            _assert_sound(score, alpha)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(sides_of_counts, st.data(), st.floats(0, 1e308), st.sampled_from(ALPHAS))
def test_no_numeric_counts_let_nan_or_infinity_out(sides, data, deviation, alpha):
    reference, current = np.array(sides, dtype=np.int64).T
    size = len(sides) - 1
    edges = np.sort(data.draw(st.lists(finite, min_size=size, max_size=size, unique=True)))
    if size and not (edges[1:] > edges[:-1]).all():
        return
    low, high = sorted([data.draw(finite), data.draw(finite)])
    pair = NumericPair(edges.astype(float), reference.copy(), current.copy(), low, high, deviation)
    for score in score_all(pair, alpha):
        if score.reason is None:
            _assert_sound(score, alpha)
