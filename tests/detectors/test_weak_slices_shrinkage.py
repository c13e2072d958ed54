"""Losses are pulled towards the whole as a prior says that is fitted over slices; figures are those of scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta, fisher_exact, ttest_ind

from detectors.weak_slices_confirmation import confirm_slices
from detectors.weak_slices_shrinkage import Prior, Totals, fit_prior


def totals(rows: float, hits: float) -> Totals:
    return Totals(np.array([rows]), np.array([hits]), np.array([hits]))


def test_the_bound_of_a_share_is_the_quantile_of_its_beta_law() -> None:
    bound = Prior(0.1, 0.09, 40.0, is_binary=True).bound(totals(100, 30))
    assert bound[0] == pytest.approx(beta(4 + 30, 36 + 70).ppf(0.05))


def test_a_slice_of_as_many_rows_as_the_prior_weighs_is_moved_half_the_way() -> None:
    (mean,), _ = Prior(0.1, 0.09, 100.0, is_binary=True).shrink(totals(100, 50))
    assert mean == pytest.approx(0.3)


def test_the_weight_is_that_of_the_beta_law_that_slices_were_drawn_from() -> None:
    random = np.random.default_rng(1)
    rates = random.beta(6, 24, 400)
    hits = random.binomial(300, rates)
    losses = np.concatenate([np.ones(hits.sum()), np.zeros(300 * 400 - hits.sum())])
    atoms = Totals(np.full(400, 300.0), hits.astype(float), hits.astype(float))
    assert fit_prior(losses, [atoms], most=1e9).weight == pytest.approx(30, rel=0.2)


def test_slices_that_do_not_differ_weigh_the_most() -> None:
    losses = np.tile([0.0, 1.0], 500)
    alike = Totals(np.full(10, 100.0), np.full(10, 50.0), np.full(10, 50.0))
    assert fit_prior(losses, [alike], most=50.0).weight == 50.0


def test_the_p_values_are_fishers_and_holms() -> None:
    random = np.random.default_rng(2)
    first, second = np.arange(1_000) < 100, (np.arange(1_000) >= 100) & (np.arange(1_000) < 200)
    losses = (random.random(1_000) < np.where(first, 0.25, 0.1)).astype(float)
    one, other = confirm_slices([first, second], losses)

    def fisher(rows: np.ndarray, among: np.ndarray) -> float:
        inside, outside = losses[rows & among], losses[~rows & among]
        table = [[inside.sum(), (1 - inside).sum()], [outside.sum(), (1 - outside).sum()]]
        return float(fisher_exact(table, alternative="greater").pvalue)

    everywhere = np.ones(1_000, np.bool_)
    smaller, larger = sorted([fisher(first, everywhere), fisher(second, ~first)])
    assert min(one.p_value, other.p_value) == pytest.approx(2 * smaller)
    assert max(one.p_value, other.p_value) == pytest.approx(max(larger, 2 * smaller))
    assert one.elsewhere == pytest.approx(losses[~first].mean())


def test_the_p_value_of_errors_is_welchs() -> None:
    random = np.random.default_rng(3)
    inside = np.arange(500) < 60
    losses = random.beta(2, 5, 500) + np.where(inside, 0.05, 0.0)
    (one,) = confirm_slices([inside], losses)
    welch = ttest_ind(losses[inside], losses[~inside], equal_var=False, alternative="greater")
    assert one.p_value == pytest.approx(welch.pvalue)


def test_a_slice_without_rows_or_with_all_of_them_is_no_news() -> None:
    losses = np.random.default_rng(4).random(50)
    nobody, everybody = confirm_slices([np.zeros(50, np.bool_), np.ones(50, np.bool_)], losses)
    assert (nobody.p_value, everybody.p_value) == (1.0, 1.0)
    assert everybody.elsewhere == pytest.approx(losses.mean())
