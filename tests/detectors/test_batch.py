from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.batch import BatchPlan, WindowCounts
from detectors.catalogue import CATEGORICAL, DIVERGENCES, NUMERIC, score_all
from detectors.pair import CategoricalPair, NumericPair
from tests.detectors.batches import batch_of, window_of

LAWS = ("normal", "lognormal", "cauchy", "few integers", "mostly zero", "sparse categories")
NOTHING = np.zeros(0)


def _mixture(null_pair, n, m):
    """Columns of all laws and sizes, number columns first."""
    random = np.random.default_rng(90)
    pairs = [null_pair(law, random, int(n * part), m) for law in LAWS for part in (1, 0.5, 1)]
    constant = np.array([0, m, 0])
    pairs.insert(0, NumericPair(np.array([4.0, 5]), constant, np.array([0, n - 2, 2]), 4.0, 7.0, 0.0))
    pairs.insert(0, NumericPair(NOTHING, np.array([m]), np.array([n]), 4.0, 5.0, 0.1))
    two = random.multinomial(m, [0.8, 0.2]), random.multinomial(n, [0.7, 0.3])
    return [*pairs, CategoricalPair(*two), CategoricalPair(np.array([m]), np.array([n]))]


def _assert_like(batch, alone):
    """Equal, but for the limit and the p-value of a divergence, whose null is interpolated."""
    assert (batch.method, batch.n, batch.m, batch.reason) == (alone.method, alone.n, alone.m, alone.reason)
    assert batch.value == pytest.approx(alone.value, rel=1e-12, abs=1e-12)
    assert batch.resolution == pytest.approx(alone.resolution, rel=1e-9, abs=1e-12)
    near, far = (0.01, 0.1) if alone.method in DIVERGENCES else (1e-9, 1e-9)
    assert batch.limit == pytest.approx(alone.limit, rel=near, abs=1e-12)
    if alone.p_value > 1e-8:
        assert batch.p_value == pytest.approx(alone.p_value, rel=far)


@pytest.mark.parametrize("alpha", [1e-2, 1e-6])
@pytest.mark.parametrize(("n", "m"), [(22, 100), (90, 1000), (700, 10_000), (30_000, 10_000), (90_000, 1000)])
def test_scoring_all_columns_at_once_is_like_scoring_one_by_one(null_pair, n, m, alpha):
    pairs = _mixture(null_pair, n, m)
    plan, window = batch_of(pairs)
    scores = plan.score(window, alpha)
    for column, pair in enumerate(pairs):
        for alone in score_all(pair, alpha):
            _assert_like(scores[alone.method].score(column), alone)


def test_columns_drift_apart_from_each_other(numeric_pair):
    """A change in one column is seen in that one only."""
    random = np.random.default_rng(91)
    reference = random.normal(size=5000)
    shifts = (0, 0, 0.5, 0)
    plan, window = batch_of([numeric_pair(reference, random.normal(s, 1, 1000)) for s in shifts])
    for scores in plan.score(window, 1e-4).values():
        assert (scores.value > scores.limit).tolist() == [False, False, True, False]


def test_columns_with_too_little_data_change_nothing_for_the_others(null_pair):
    random = np.random.default_rng(92)
    few = NumericPair(np.array([0.0]), np.array([500, 500]), np.array([3, 4]), -1.0, 1.0, 1.0)
    empty = CategoricalPair(np.array([500, 500]), np.array([0, 0]))
    young = CategoricalPair(np.array([5, 5]), np.array([500, 500]))
    numbers = [few, null_pair("normal", random, 800, 9000), few, null_pair("cauchy", random, 800, 9000)]
    texts = [young, null_pair("sparse categories", random, 800, 9000), empty]
    plan, window = batch_of([*numbers, *texts])
    scores = plan.score(window, 1e-3)
    for column, pair in enumerate([*numbers, *texts]):
        for alone in score_all(pair, 1e-3):
            batch = scores[alone.method].score(column)
            assert batch.reason == alone.reason
            if alone.reason is None:
                _assert_like(batch, alone)


@pytest.mark.parametrize("law", ["normal", "sparse categories"])
def test_one_kind_of_columns_is_enough(null_pair, law):
    pair = null_pair(law, np.random.default_rng(93), 500, 5000)
    plan, window = batch_of([pair])
    scores = plan.score(window, 1e-3)
    assert all(
        scores[alone.method].score(0).value == pytest.approx(alone.value) for alone in score_all(pair, 1e-3)
    )
    assert scores["ks"].value.size == (law == "normal")


def test_no_column_has_no_scores():
    scores = BatchPlan([], [], [], []).score(WindowCounts(*[np.zeros(0, np.int64)] * 4), 1e-3)
    assert set(scores) == set(NUMERIC)
    assert all(each.value.size == 0 for each in scores.values())


def test_an_empty_window_is_too_little_data_everywhere(null_pair):
    pair = null_pair("normal", np.random.default_rng(94), 500, 5000)
    plan, window = batch_of([pair, CategoricalPair(np.array([500, 500]), np.array([1, 1]))])
    quiet = WindowCounts(window.numbers * 0, np.array([np.inf]), np.array([-np.inf]), window.categories * 0)
    for scores in plan.score(quiet, 1e-3).values():
        assert {scores.score(i).reason for i in range(scores.value.size)} == {"too_little_data"}


def test_methods_come_in_the_order_asked_for_and_no_others(null_pair):
    plan, window = batch_of([null_pair("normal", np.random.default_rng(95), 500, 5000)])
    assert list(plan.score(window, 1e-3, ["ks", "l_infinity", "psi"])) == ["ks", "l_infinity", "psi"]
    assert list(plan.score(window, 1e-3)) == list(NUMERIC)


def test_a_window_seen_before_is_scored_the_same_again(null_pair):
    pairs = [null_pair(law, np.random.default_rng(96), 900, 5000) for law in LAWS]
    plan, window = batch_of(pairs)
    first = plan.score(window, 1e-3)
    plan.score(window_of([p for p in pairs if isinstance(p, NumericPair)], [pairs[-1]]), 1e-5)
    again = plan.score(window, 1e-3)
    for method in NUMERIC:
        assert (again[method].p_value == first[method].p_value).all()
        assert (again[method].limit == first[method].limit).all()


def test_a_window_of_another_grid_is_refused(null_pair):
    plan, window = batch_of([null_pair("normal", np.random.default_rng(97), 500, 5000)])
    with pytest.raises(ValueError, match=r"the plan has \d+ bins and 0 categories, the window 2 and 0"):
        plan.score(WindowCounts(np.array([1, 2]), window.low, window.high, window.categories), 1e-3)


def test_unknown_methods_and_impossible_probabilities_are_refused(null_pair):
    plan, window = batch_of([null_pair("normal", np.random.default_rng(98), 500, 5000)])
    with pytest.raises(ValueError, match=r"unknown methods \['entropy'\]"):
        plan.score(window, 1e-3, ["psi", "entropy"])
    with pytest.raises(ValueError, match="alpha"):
        plan.score(window, 0.0)


columns_of_counts = st.lists(
    st.lists(
        st.tuples(st.integers(0, 10**6) | st.just(0), st.integers(0, 10**6) | st.just(0)),
        min_size=1,
        max_size=12,
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(columns_of_counts, columns_of_counts, st.sampled_from([1e-2, 1e-8]))
def test_no_counts_let_nan_or_infinity_out(numbers, texts, alpha):
    sides = [np.array(side, dtype=np.int64).T for side in numbers]
    pairs = [NumericPair(np.arange(r.size - 1.0), r.copy(), c.copy(), -1.0, 99.0, 1.0) for r, c in sides]
    sides = [np.array(side, dtype=np.int64).T for side in texts]
    plan, window = batch_of([*pairs, *(CategoricalPair(r.copy(), c.copy()) for r, c in sides)])
    for method, scores in plan.score(window, alpha).items():
        assert scores.value.size == len(numbers) + len(texts) * (method in CATEGORICAL)
        assert np.isfinite([scores.value, scores.p_value, scores.limit, scores.resolution]).all()
        assert (scores.value >= 0).all()
        assert ((scores.p_value > 0) | (scores.p_value == 0)).all()
        assert (scores.p_value <= 1).all()
        rings = scores.value > scores.limit
        assert (scores.p_value[rings] <= alpha * 1.01).all()
