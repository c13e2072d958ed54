"""One battery over every multivariate detector: what a row of the catalogue promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.catalogue import BY_MOMENTS, BY_SAMPLE, MULTIVARIATE
from detectors.joint import MomentsPair, SamplePair, SecondMoments
from tests.detectors.rows import draw_rows, moments_pair

ALPHAS = (1e-2, 1e-8)

every = pytest.mark.parametrize("method", list(MULTIVARIATE))


def _score(method, reference, current, alpha=1e-6):
    """Score rows, (rows, columns), by moments or as samples."""
    if method in BY_MOMENTS:
        return BY_MOMENTS[method].score(moments_pair(reference, current), alpha)
    return BY_SAMPLE[method].score(SamplePair(reference.T, current.T), alpha)


def _assert_sound(found, alpha):
    score = found.score
    shares = np.array(found.shares)
    assert (shares >= 0).all()
    assert shares.sum() == pytest.approx(1) or not shares.any()
    if score.reason is not None:
        assert (score.value, score.p_value, score.limit) == (None, None, None)
        return
    assert np.isfinite([score.value, score.p_value, score.limit]).all()
    assert score.value >= 0
    assert score.limit >= 0
    assert 0 <= score.p_value <= 1
    if score.value > score.limit:
        assert score.p_value <= alpha * 1.01


def test_the_catalogue_names_each_detector_as_it_names_itself():
    assert [detector.name for detector in MULTIVARIATE.values()] == list(MULTIVARIATE)
    assert set(MULTIVARIATE) == set(BY_MOMENTS) | set(BY_SAMPLE)


@every
def test_permuted_columns_are_found_at_one_in_a_million_and_named(method):
    random = np.random.default_rng(1)
    reference, current = (draw_rows("two factors", random, rows, 6) for rows in (8000, 1000))
    current[:, 2] = random.permutation(current[:, 2])
    current[:, 4] = random.permutation(current[:, 4])
    found = _score(method, reference, current)
    assert found.score.value > found.score.limit
    assert set(np.argsort(found.shares)[-2:]) == {2, 4}


@every
@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 500), (9, 500), (100, 29)])
def test_too_few_rows_are_a_reason_and_no_exception(method, n, m):
    found = _score(method, np.ones((m, 3)), np.ones((n, 3)))
    assert found.score.reason == "too_little_data"
    assert (found.score.n, found.score.m, found.shares) == (n, m, (0.0, 0.0, 0.0))


@every
@pytest.mark.parametrize("columns", [0, 1])
def test_without_columns_to_compare_there_is_a_reason_or_a_score(method, columns):
    random = np.random.default_rng(2)
    found = _score(method, random.normal(size=(400, columns)), random.normal(size=(50, columns)))
    _assert_sound(found, 1e-6)
    assert found.score.reason == "too_few_columns" or (method in BY_SAMPLE and columns == 1)


@every
def test_constant_columns_score_nothing(method):
    found = _score(method, np.full((400, 3), 5.0), np.full((50, 3), 5.0))
    _assert_sound(found, 1e-6)
    assert found.score.reason == "too_few_columns" or found.score.p_value == 1.0


@every
def test_columns_of_nothing_but_missing_values_do_not_disturb_the_others(method):
    random = np.random.default_rng(3)
    reference, current = (draw_rows("two factors", random, rows, 5) for rows in (4000, 500))
    current[:, 1] = random.permutation(current[:, 1])
    if method in BY_SAMPLE:
        reference[:, 4] = current[:, 4] = np.nan
        found = _score(method, reference, current, alpha=1e-3)
    else:
        pair = moments_pair(reference, current)
        broken = [_without(part, 4) for part in (pair.reference, *pair.blocks, pair.current)]
        pair = MomentsPair(broken[0], tuple(broken[1:-1]), broken[-1])
        found = BY_MOMENTS[method].score(pair, 1e-3)
    _assert_sound(found, 1e-3)
    assert np.argmax(found.shares) == 1
    assert found.shares[4] == 0


def _without(part, column):
    present, mean, covariance = part.present.copy(), part.mean.copy(), part.covariance.copy()
    present[column], mean[column] = 0, np.nan
    covariance[column] = covariance[:, column] = np.nan
    return SecondMoments(part.rows, present, mean, covariance)


@every
def test_an_alpha_outside_its_range_is_refused(method):
    with pytest.raises(ValueError, match="alpha"):
        _score(method, np.ones((100, 2)), np.ones((100, 2)), alpha=1.0)


@every
def test_a_smaller_alpha_gives_a_higher_limit(method):
    random = np.random.default_rng(4)
    reference, current = (draw_rows("two factors", random, rows, 5) for rows in (4000, 300))
    limits = [_score(method, reference, current, alpha).score.limit for alpha in (1e-2, 1e-4, 1e-6, 1e-8)]
    assert limits == sorted(limits)
    assert limits[0] < limits[-1]


@every
def test_the_order_of_columns_does_not_matter(method):
    random = np.random.default_rng(5)
    reference, current = (draw_rows("two factors", random, rows, 5) for rows in (4000, 300))
    current[:, 2] = random.permutation(current[:, 2])
    order = np.array([4, 2, 0, 1, 3])
    plain = _score(method, reference, current)
    shuffled = _score(method, reference[:, order], current[:, order])
    assert shuffled.score.value == pytest.approx(plain.score.value)
    assert shuffled.score.limit == pytest.approx(plain.score.limit)
    assert np.array(shuffled.shares) == pytest.approx(np.array(plain.shares)[order])


@every
def test_equal_arguments_give_equal_scores(method):
    random = np.random.default_rng(6)
    reference, current = (draw_rows("two factors", random, rows, 5) for rows in (4000, 300))
    assert _score(method, reference, current) == _score(method, reference.copy(), current.copy())


cells = st.floats(-1e300, 1e300) | st.sampled_from([0.0, 1.0, float("nan"), float("inf"), -float("inf")])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(1, 4), st.integers(10, 40), st.data(), st.sampled_from(ALPHAS))
def test_no_rows_let_nan_or_infinity_out(columns, rows, data, alpha):
    few = data.draw(st.lists(cells, min_size=1, max_size=12))
    random = np.random.default_rng(data.draw(st.integers(0, 99)))
    pair = SamplePair(random.choice(few, (columns, 30)), random.choice(few, (columns, rows)))
    for detector in BY_SAMPLE.values():
        _assert_sound(detector.score(pair, alpha), alpha)


@st.composite
def _moments(draw, columns, least):
    rows = draw(st.integers(least, 10**6))
    present = np.array([draw(st.integers(0, rows) | st.just(rows)) for _ in range(columns)])
    numbers = st.floats(-64, 64) | cells
    mean = np.array([draw(numbers) for _ in range(columns)])
    covariance = np.array([[draw(numbers) for _ in range(columns)] for _ in range(columns)])
    if draw(st.booleans()):
        covariance = np.eye(columns)
    return SecondMoments(rows, present, mean, covariance)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.integers(1, 4), st.integers(0, 10), st.data(), st.sampled_from(ALPHAS))
def test_no_moments_let_nan_or_infinity_out(columns, blocks, data, alpha):
    draw = lambda least: data.draw(_moments(columns, least))  # noqa: E731
    pair = MomentsPair(draw(30), tuple(draw(0) for _ in range(blocks)), draw(10))
    for detector in BY_MOMENTS.values():
        _assert_sound(detector.score(pair, alpha), alpha)
