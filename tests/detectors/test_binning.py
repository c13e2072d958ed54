from __future__ import annotations

import numpy as np
import pytest

from detectors.binning import group_labels
from detectors.pair import CategoricalPair


@pytest.mark.parametrize("n", [50, 200, 1000, 10_000, 100_000])
@pytest.mark.parametrize("law", ["normal", "cauchy", "few integers"])
def test_every_group_expects_five_current_and_holds_eight_reference_events(null_pair, law, n):
    pair = null_pair(law, np.random.default_rng(20), n, 1000)
    masses = np.bincount(group_labels(pair, n), weights=pair.reference)
    assert masses.min() >= max(5 * 1000 / n, 8)
    assert masses.size <= 20


def test_a_large_window_of_a_continuous_column_gets_sixteen_groups_and_two_narrow_ends(null_pair):
    pair = null_pair("normal", np.random.default_rng(21), 1000, 10_000)
    masses = np.bincount(group_labels(pair, 1000), weights=pair.reference)
    assert 17 <= masses.size <= 18
    assert max(masses[0], masses[-1]) < 100


def test_neighbouring_bins_share_groups_in_order(null_pair):
    pair = null_pair("lognormal", np.random.default_rng(22), 1000, 10_000)
    assert set(np.diff(group_labels(pair, 1000)).tolist()) == {0, 1}


def test_a_heavy_bin_stays_alone_and_the_rest_keeps_its_own_groups(null_pair):
    pair = null_pair("mostly zero", np.random.default_rng(23), 10_000, 10_000)
    labels = group_labels(pair, 10_000)
    zero = labels[int(np.argmax(pair.reference))]
    assert pair.reference[labels == zero].max() > 0.99 * pair.reference[labels == zero].sum()
    assert labels.max() >= 10


def test_the_current_counts_do_not_change_the_groups(null_pair):
    random = np.random.default_rng(24)
    pair = null_pair("sparse categories", random, 1000, 10_000)
    other = CategoricalPair(pair.reference, random.permutation(pair.current))
    assert (group_labels(pair, 1000) == group_labels(other, 1000)).all()


def test_rare_and_unseen_categories_share_a_group():
    counts = np.array([500, 0, 300, 4, 180, 16])
    labels = group_labels(CategoricalPair(counts, counts), 1000)
    assert labels.tolist() == [1, 0, 2, 0, 3, 4]


def test_no_more_than_48_categories_keep_their_own_group():
    counts = np.arange(1000, 1200)
    assert group_labels(CategoricalPair(counts, counts), 10**6).max() == 48


def test_a_constant_reference_is_split_into_the_constant_and_the_rest():
    counts = np.array([0, 0, 1000, 0])
    assert group_labels(CategoricalPair(counts, counts), 100).tolist() == [0, 0, 1, 0]


def test_one_bin_is_one_group():
    counts = np.array([1000])
    assert group_labels(CategoricalPair(counts, counts), 100).tolist() == [0]
