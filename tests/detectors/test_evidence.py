"""Evidence: e-values keep their promise under the null, and are what the docstring's formula says."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from scipy.special import ndtri

from detectors.evidence import (
    DISTANCES,
    RATES,
    direction_skewness,
    distribution_gains,
    log_mean_exp,
    rate_gains,
)

FloatArray = NDArray[np.float64]
UNIFORM = np.full(8, 1 / 8)
SKEWED = np.array([0.4, 0.3, 0.15, 0.08, 0.04, 0.02, 0.0095, 0.0005])
SHAPES = ("location up", "location down", "spread up", "spread down")


def gains(counts: FloatArray, p: FloatArray, tolerance: float, *, ordered: bool = True) -> FloatArray:
    """(N, A) gains of N windows of one column."""
    n = len(counts)
    return distribution_gains(
        counts.astype(float), np.tile(p, (n, 1)), np.full(n, tolerance), np.full(n, ordered)
    )


def e_values(
    truth: FloatArray, p: FloatArray, tolerance: float, rows: int = 40, windows: int = 20_000
) -> FloatArray:
    """(N, A) e-values of windows drawn from the truth; columns that hold -inf are 0."""
    drawn = np.random.default_rng(5).multinomial(rows, truth, size=windows)
    return np.exp(gains(drawn, p, tolerance))


def at_distance(p: FloatArray, u: FloatArray, distance: float) -> FloatArray:
    """Proportions at this chi distance of p in direction u."""
    u = u - (p * u).sum()
    u = u / math.sqrt((p * u * u).sum())
    q = p * (1 + distance * u)
    assert (q >= 0).all()
    assert math.isclose(math.sqrt(((q - p) ** 2 / p).sum()), distance)
    return np.asarray(q)


@pytest.mark.parametrize("p", [UNIFORM, SKEWED], ids=["uniform", "skewed"])
def test_under_the_null_each_alternative_has_a_mean_of_one_event_by_event(p: FloatArray) -> None:
    found = np.exp(gains(np.eye(8), p, 0.0))
    assert p @ found == pytest.approx(np.ones(found.shape[1]))


@pytest.mark.parametrize("p", [UNIFORM, SKEWED], ids=["uniform", "skewed"])
def test_under_the_null_no_alternative_has_a_mean_above_one_in_windows(p: FloatArray) -> None:
    found = e_values(p, p, 0.0)
    assert (found.mean(axis=0) <= 1 + 4 * found.std(axis=0) / math.sqrt(len(found))).all()


@pytest.mark.parametrize("p", [UNIFORM, SKEWED], ids=["uniform", "skewed"])
@pytest.mark.parametrize("direction", ["first", "location", "spread", "any"])
def test_at_the_edge_of_the_tolerance_no_alternative_has_a_mean_above_one(
    p: FloatArray, direction: str
) -> None:
    z = ndtri(np.cumsum(p) - p / 2)
    random = np.random.default_rng(1).normal(size=len(p)) * np.sqrt(p)
    u = {"first": np.eye(len(p))[0], "location": z, "spread": z * z, "any": random}[direction]
    truth = at_distance(p, u, 0.1)
    assert (truth @ np.exp(gains(np.eye(8), p, 0.1)) <= 1 + 1e-12).all()
    assert (truth @ np.exp(gains(np.eye(8), p, 0.09)) > 1).any() == (direction != "any")
    found = e_values(truth, p, 0.1)
    assert (found.mean(axis=0) <= 1 + 4 * found.std(axis=0) / math.sqrt(len(found))).all()


def test_beyond_the_tolerance_evidence_grows_and_without_a_tolerance_it_would_within() -> None:
    z = ndtri(np.cumsum(UNIFORM) - UNIFORM / 2)
    rows = 10_000 * at_distance(UNIFORM, z, 0.1)
    assert log_mean_exp(gains(rows[None], UNIFORM, 0.03))[0] > 10
    assert log_mean_exp(gains(rows[None], UNIFORM, 0.1))[0] < 0
    assert log_mean_exp(gains(rows[None], UNIFORM, 0.0))[0] > 10


def test_the_mean_over_alternatives_is_an_e_value_too() -> None:
    drawn = np.random.default_rng(6).multinomial(60, SKEWED, size=20_000)
    together = np.exp(log_mean_exp(gains(drawn, SKEWED, 0.03)))
    assert together.mean() <= 1 + 4 * together.std() / math.sqrt(len(together))
    assert (together > 20).mean() < 1 / 20


def by_the_formula(counts: FloatArray, p: FloatArray, q: FloatArray, tolerance: float) -> float:
    """The logarithm of `prod_k (q / p / (1 + tolerance chi(q, p)))**n_k`, event by event."""
    chi = math.sqrt(sum((b - a) ** 2 / a for a, b in zip(p, q, strict=True)))
    return sum(
        n * (math.log(b / a) - math.log1p(tolerance * chi)) for n, a, b in zip(counts, p, q, strict=True)
    )


def by_way(found: FloatArray) -> FloatArray:
    """One column's gains as (ways, distances): each group up, each group down, four shapes."""
    return found.reshape(-1, len(DISTANCES))


def test_group_gains_are_those_of_a_plain_loop() -> None:
    p, tolerance = np.array([0.5, 0.3, 0.2]), 0.05
    counts = np.array([40.0, 45.0, 15.0])
    found = by_way(gains(counts[None], p, tolerance, ordered=False)[0])
    for way, (sign, k) in enumerate(product((1, -1), range(3))):
        u = np.eye(3)[k] - p[k]
        u = sign * u / math.sqrt((p * u * u).sum())
        most = 0.95 * min(1 / -x for x in u if x < 0)
        for distance, value in zip(DISTANCES, found[way], strict=True):
            q = p * (1 + min(distance, most) * u)
            expected = -math.inf if distance < tolerance / 1.5 else by_the_formula(counts, p, q, tolerance)
            assert value == pytest.approx(expected)
    assert np.isneginf(found[6:]).all()  # a column without order has no shapes


def test_ways_nearer_than_the_tolerance_are_left_out_but_for_the_farthest() -> None:
    found = by_way(gains(np.full((1, 8), 10.0), UNIFORM, 0.1)[0])
    assert np.isneginf(found[:, DISTANCES < 0.1 / 1.5]).all()
    assert np.isfinite(found[:, DISTANCES >= 0.1 / 1.5]).all()
    assert np.isfinite(by_way(gains(np.full((1, 8), 10.0), UNIFORM, 5.0)[0])[:, -1]).all()


def test_what_is_off_by_no_more_than_one_and_a_half_tolerances_gains_nothing() -> None:
    z = ndtri(np.cumsum(UNIFORM) - UNIFORM / 2)
    for distance, grows in ((0.028, False), (0.036, True)):
        rows = 1e6 * at_distance(UNIFORM, z, distance)
        assert (log_mean_exp(gains(rows[None], UNIFORM, 0.02))[0] > 0) == grows


def test_a_group_that_is_rarer_than_its_bound_has_not_changed_and_one_that_is_more_frequent_has() -> None:
    p = np.array([[0.5, 0.4995, 0.0005]])
    terms = np.array([0.02]), np.array([False]), np.array([[False, False, True]])
    never, often = np.array([[5e5, 5e5, 0.0]]), np.array([[5e5, 4.98e5, 2e3]])
    assert (
        log_mean_exp(distribution_gains(never, p, *terms))[0]
        < 0
        < log_mean_exp(distribution_gains(never, p, *terms[:2]))
    )
    assert log_mean_exp(distribution_gains(often, p, *terms))[0] > 10


def test_what_is_reserved_for_surprises_biases_no_other_way() -> None:
    # rows   as the reference in all groups, none in the three that have a bound only
    p = np.array([[5e-4, 0.2, 0.3, 0.3, 0.1985, 5e-4, 5e-4]])
    bounds = p == 5e-4
    found = distribution_gains(np.where(bounds, 0.0, p) * 1e7, p, np.array([0.0]), np.array([True]), bounds)
    assert found.max() < 0


def test_a_tolerance_of_one_way_is_that_way_s_alone() -> None:
    p, ways = np.full((1, 4), 0.25), 2 * 4 + 4
    counts, ordered = np.array([[20.0, 35.0, 25.0, 20.0]]), np.array([True])
    one = np.full((1, ways), 0.03)
    one[0, 2] = 0.1
    mixed = by_way(distribution_gains(counts, p, one, ordered)[0])
    small, large = (by_way(distribution_gains(counts, p, np.array([t]), ordered)[0]) for t in (0.03, 0.1))
    assert (mixed[2] == large[2]).all()
    assert (np.delete(mixed, 2, axis=0) == np.delete(small, 2, axis=0)).all()


def test_skewness_of_ways_is_that_of_what_is_estimated_from_rows() -> None:
    p, m = np.array([[0.02, 0.38, 0.4, 0.2]]), 50
    drawn = np.random.default_rng(4).multinomial(m, p[0], size=200_000) / m
    z = ndtri(np.cumsum(p[0]) - p[0] / 2)
    found = direction_skewness(p, np.zeros((1, 4), np.bool_))[0]
    for way, u in ((0, np.eye(4)[0]), (4, -np.eye(4)[0]), (8, z), (11, -z * z)):
        assert stats.skew(drawn @ u) == pytest.approx(found[way] / math.sqrt(m), abs=0.03)


@pytest.mark.parametrize("shape", range(4), ids=SHAPES)
def test_shape_gains_are_those_of_a_plain_loop(shape: int) -> None:
    p, tolerance = np.array([0.3, 0.4, 0.2, 0.1]), 0.05
    counts = np.array([20.0, 35.0, 25.0, 20.0])
    found = by_way(gains(counts[None], p, tolerance)[0])[2 * 4 + shape]
    z, below = [], 0.0
    for share in p:
        z.append(float(ndtri(below + share / 2)))
        below += share
    u = np.array([[x, -x, x * x - 1, 1 - x * x][shape] for x in z])
    u = u - (p * u).sum()
    u = u / math.sqrt((p * u * u).sum())
    whole = [d for d in DISTANCES if (1 + d * u >= 0.02).all()]  # q stays positive: nothing to cut off
    assert len(whole) >= 5
    for distance, value in zip(whole, found, strict=False):
        expected = by_the_formula(counts, p, p * (1 + distance * u), tolerance)
        assert value == pytest.approx(-math.inf if distance < tolerance / 1.5 else expected)


def test_a_shape_that_is_cut_off_to_stay_positive_is_still_an_e_value() -> None:
    p = np.array([0.9, 0.05, 0.05])
    found = np.exp(gains(np.eye(3), p, 0.0))  # one event: its expectation is a plain sum
    assert ((p[:, None] * found).sum(axis=0) <= 1 + 1e-9).all()


def test_padding_changes_nothing() -> None:
    counts, p = np.array([[30.0, 50.0, 20.0]]), np.array([[0.3, 0.4, 0.3]])
    wide = [np.pad(x, ((0, 0), (0, 4))) for x in (counts, p)]
    plain = log_mean_exp(distribution_gains(counts, p, np.array([0.03]), np.array([True])))
    padded = log_mean_exp(distribution_gains(*wide, np.array([0.03]), np.array([True])))
    assert padded == pytest.approx(plain)


def test_columns_do_not_touch_each_other() -> None:
    rng = np.random.default_rng(3)
    counts = rng.multinomial(300, SKEWED, size=5).astype(float)
    p = np.array([UNIFORM, SKEWED, UNIFORM, SKEWED, SKEWED])
    tolerance, ordered = np.array([0.03, 0.1, 0.0, 0.03, 0.2]), np.array([True, False, True, True, False])
    together = distribution_gains(counts, p, tolerance, ordered)
    for i in range(5):
        one = slice(i, i + 1)
        assert together[one] == pytest.approx(
            distribution_gains(counts[one], p[one], tolerance[one], ordered[one])
        )


def test_an_empty_window_is_no_evidence_at_all() -> None:
    found = gains(np.zeros((1, 8)), UNIFORM, 0.03)
    assert np.isin(found, (0.0, -np.inf)).all()
    assert log_mean_exp(found)[0] == 0.0


# Rates


@pytest.mark.parametrize(
    ("usual", "truth"), [(0.001, 0.001), (0.02, 0.02), (0.3, 0.3), (0.02, 0.005), (0.3, 0.1)]
)
def test_no_raised_rate_has_a_mean_above_one_at_the_usual_rate_or_below(usual: float, truth: float) -> None:
    hits = np.random.default_rng(7).binomial(200, truth, size=60_000).astype(float)
    found = np.exp(rate_gains(hits, np.full(60_000, 200.0), np.full(60_000, usual)))
    error = found.std(axis=0) / math.sqrt(len(found))
    assert (found.mean(axis=0) <= 1 + 4 * error).all()


def test_rate_gains_are_those_of_a_plain_loop() -> None:
    found = rate_gains(np.array([7.0]), np.array([200.0]), np.array([0.01]))[0]
    for raise_by, value in zip(RATES, found, strict=True):
        q = 0.01 + raise_by * 0.99
        assert value == pytest.approx(7 * math.log(q / 0.01) + 193 * math.log((1 - q) / 0.99))


def test_a_rate_that_was_never_above_nothing_is_believed_to_the_first_hit() -> None:
    one, none = (rate_gains(np.array(h), np.array(1_000.0), np.array(0.0)) for h in (1.0, 0.0))
    assert np.isfinite(one).all()
    assert log_mean_exp(one) > 10
    assert log_mean_exp(none) < 0


def test_the_log_of_the_mean_leaves_out_what_is_not_there_and_does_not_overflow() -> None:
    values = np.array([[math.log(3.0), -math.inf, math.log(5.0)], [1_000.0, 1_000.0, -math.inf]])
    assert log_mean_exp(values) == pytest.approx([math.log(4.0), 1_000.0])
