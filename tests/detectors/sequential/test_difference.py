from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from detectors.pair import FloatArray
from detectors.sequential.difference import (
    Difference,
    difference_of_means,
    difference_of_rates,
    labels_needed,
)
from detectors.sequential.difference_strata import Losses, errors_of

ALPHA = 0.05
ONE = np.ones(1)


def rates(n: float, wrong: float, m: float, other_wrong: float, **given: float) -> Difference:
    return difference_of_rates(
        errors_of(n * ONE, wrong * ONE), errors_of(m * ONE, other_wrong * ONE), **{"alpha": ALPHA, **given}
    )


def looked_at(values: FloatArray, ends: FloatArray) -> Iterator[Losses]:
    """The sums of these losses after each so many."""
    total, squares = np.cumsum(values), np.cumsum(values**2)
    for end in ends.tolist():
        yield Losses(float(end) * ONE, total[end - 1] * ONE, squares[end - 1] * ONE)


def error_streams(
    rates: tuple[float, float], share: float, runs: int, seed: int
) -> Iterator[list[tuple[Losses, Losses]]]:
    """Each run's sums after each of 12 panes of 100 rows, and 20 more looks up to 1,000 panes."""
    random = np.random.default_rng(seed)
    looks = np.unique(np.concatenate([np.arange(12), np.geomspace(13, 1_000, 20) - 1]).astype(int))
    for _ in range(runs):
        n = random.binomial(100, share, 1_000)
        rows = np.stack([n, 100 - n])
        wrong = random.binomial(rows, np.array(rates)[:, None])
        counts = np.cumsum(np.stack([rows, wrong]), axis=2).astype(float)[:, :, looks]
        yield [
            (errors_of(one[0, :1], one[1, :1]), errors_of(one[0, 1:], one[1, 1:]))
            for one in np.moveaxis(counts, 2, 0)
        ]


def is_significant_once(version: Losses, against: Losses) -> bool:
    """The z test of two proportions at 5 %, as if it were the only look."""
    n, m = float(version.rows[0]), float(against.rows[0])
    wrong, other = float(version.total[0]), float(against.total[0])
    rate = (wrong + other) / (n + m)
    error = np.sqrt(rate * (1 - rate) * (1 / n + 1 / m))
    return bool(error > 0 and abs(wrong / n - other / m) > 1.96 * error)


@pytest.mark.parametrize(
    ("rates", "share"),
    [((0.05, 0.05), 0.5), ((0.05, 0.05), 0.05), ((0.01, 0.01), 0.1), ((0.1, 0.05), 0.1), ((0.05, 0.1), 0.1)],
)
def test_over_all_looks_the_interval_of_rates_misses_the_truth_in_at_most_alpha_of_the_streams(rates, share):
    truth, missed, runs = rates[0] - rates[1], 0, 200
    for looks in error_streams(rates, share, runs, seed=7):
        found = [difference_of_rates(*one, alpha=ALPHA) for one in looks]
        missed += any(f.low is not None and not f.low <= truth <= f.high for f in found)
    assert missed <= ALPHA * runs


def test_a_z_test_at_every_look_is_wrong_about_equal_versions_many_times_more_often_than_it_says():
    wrong, runs = 0, 200
    for looks in error_streams((0.05, 0.05), 0.5, runs, seed=8):
        wrong += any(is_significant_once(*one) for one in looks)
    assert wrong > 5 * ALPHA * runs


LAWS: dict[str, Callable[[np.random.Generator, int], FloatArray]] = {
    "exponential": lambda random, n: random.standard_exponential(n),
    "log-normal": lambda random, n: random.lognormal(0.0, 1.0, n),
}


@pytest.mark.parametrize("share", [0.5, 0.05])
@pytest.mark.parametrize("law", LAWS)
def test_over_all_looks_the_interval_of_means_misses_the_truth_in_at_most_alpha_of_the_streams(law, share):
    random, missed, runs = np.random.default_rng(9), 0, 300
    for _ in range(runs):
        n = np.maximum(1, np.cumsum(random.binomial(50, share, 400)))
        ends = np.stack([n, 50 * np.arange(1, 401) - n + 1])
        at = np.unique(np.geomspace(1, 400, 50).astype(int)) - 1
        sums = [looked_at(LAWS[law](random, int(side[-1])), side[at]) for side in ends]
        found = [difference_of_means(*one, alpha=ALPHA) for one in zip(*sums, strict=True)]
        missed += any(f.low is not None and not f.low <= 0 <= f.high for f in found)
    assert missed <= ALPHA * runs


def test_it_finds_what_is_there_with_two_or_three_times_the_rows_of_a_test_that_is_looked_at_once():
    """A z test has power 0.8 for 5 % against 7 % with 2,212 rows of each."""
    found, runs = 0, 100
    for looks in error_streams((0.07, 0.05), 0.5, runs, seed=10):
        seen = [one for one in looks if one[0].rows[0] <= 5_100]
        found += any((difference_of_rates(*one, alpha=ALPHA).low or 0) > 0 for one in seen)
    assert found >= 0.8 * runs


def test_a_rollout_that_grows_while_the_world_changes_is_no_difference():
    """Both versions are wrong in 2 % at night and in 20 % by day, and the new one answers more by day."""
    rates = np.tile([0.02, 0.2], 12)
    new_rows, old_rows = np.tile([100.0, 900.0], 12), np.tile([900.0, 100.0], 12)
    new, old = (errors_of(rows, rows * rates) for rows in (new_rows, old_rows))
    found = difference_of_rates(new, old, alpha=ALPHA)
    assert found.value == pytest.approx(0, abs=1e-12)
    assert found.means == pytest.approx((0.11, 0.11))
    pooled = difference_of_rates(
        *(Losses(*(sums.sum() * ONE for sums in one)) for one in (new, old)), alpha=ALPHA
    )
    assert pooled.low > 0.1


def test_hours_that_one_version_has_not_seen_count_for_nothing():
    new = errors_of(np.array([500.0, 0.0]), np.array([50.0, 0.0]))
    old = errors_of(np.array([500.0, 9_000.0]), np.array([40.0, 9_000.0]))
    assert difference_of_rates(new, old, alpha=ALPHA) == rates(500, 50, 500, 40)


@pytest.mark.parametrize(("wrong", "other"), [(350, 250), (300, 250), (262, 250), (40, 250)])
def test_its_p_value_is_below_alpha_just_when_nothing_is_outside_the_interval(wrong, other):
    found = rates(5_000, wrong, 5_000, other)
    assert (found.p_value <= ALPHA) == (not found.low <= 0 <= found.high)
    edge = rates(5_000, wrong, 5_000, other, than=found.low)
    assert edge.p_above == pytest.approx(ALPHA, rel=1e-6)
    assert rates(5_000, wrong, 5_000, other, than=found.value + 0.01).p_above == 1.0


def test_no_rate_is_above_another_by_more_than_one_nor_below():
    above = [rates(5_000, 350, 5_000, 250, than=than).p_above for than in (-5.0, -1.0, 1.0, 5.0)]
    assert above == [0.0, 0.0, 1.0, 1.0]


def test_versions_change_places_with_the_sign():
    one, other = rates(800, 70, 5_000, 300), rates(5_000, 300, 800, 70)
    assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low))


def test_means_and_rates_agree_where_rows_are_many():
    counts = (200_000.0, 20_000.0, 200_000.0, 19_000.0)
    new, old = errors_of(counts[0] * ONE, counts[1] * ONE), errors_of(counts[2] * ONE, counts[3] * ONE)
    one, other = rates(*counts), difference_of_means(new, old, alpha=ALPHA)
    assert (one.low, one.high) == pytest.approx((other.low, other.high), rel=0.01)


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        ((0, 0, 0, 0), False),
        ((29, 9, 9_000, 900), False),
        ((30, 9, 9_000, 900), True),
        ((5_000, 0, 5_000, 0), False),
        ((5_000, 5_000, 5_000, 5_000), False),
        ((5_000, 0, 5_000, 10), True),
        ((5_000, 5_000, 5_000, 0), True),
    ],
)
def test_too_little_data_is_a_value(counts, says):
    found = rates(*map(float, counts))
    assert (found.value is not None, found.reason is None) == (says, says)
    assert all(np.isfinite(number) for number in found[:5] if number is not None)


def test_losses_that_never_vary_are_no_doubt():
    flat = Losses(100 * ONE, 200 * ONE, 400 * ONE)
    same = difference_of_means(flat, flat, alpha=ALPHA)
    assert (same.value, same.low, same.high, same.p_value) == (0, 0, 0, 1)
    more = difference_of_means(Losses(100 * ONE, 300 * ONE, 900 * ONE), flat, alpha=ALPHA)
    assert (more.low, more.high, more.p_value) == (1, 1, 0)


def test_with_so_many_labels_more_the_interval_is_as_narrow_as_was_said():
    now = rates(1_000, 100, 3_000, 300)
    more = labels_needed(now, 0.01, ALPHA)
    growth = 1 + more / 4_000
    then = rates(1_000 * growth, 100 * growth, 3_000 * growth, 300 * growth)
    assert (then.high - then.low) / 2 == pytest.approx(0.01, rel=0.02)
    assert labels_needed(then, 0.02, ALPHA) == 0
    assert labels_needed(rates(3, 1, 3, 1), 0.01, ALPHA) is None


@pytest.mark.parametrize(
    "given", [{"alpha": 0.0}, {"alpha": 1.0}, {"tuned_rows": 0.0}, {"than": float("nan")}], ids=str
)
def test_parameters_that_mean_nothing_are_refused(given):
    with pytest.raises(ValueError, match=r"alpha|tuned_rows|than"):
        rates(100, 10, 100, 10, **given)
    with pytest.raises(ValueError, match=r"stratum|finite"):
        difference_of_rates(errors_of(ONE, ONE), errors_of(np.ones(2), np.ones(2)), alpha=ALPHA)
    with pytest.raises(ValueError, match="finite"):
        difference_of_rates(errors_of(ONE, -ONE), errors_of(ONE, ONE), alpha=ALPHA)
