"""Groups are cut where rows are, their counts are exact, and shares of explanations are compared on them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.diagnosis.number_views import setting, skewed


def test_group_counts_are_those_of_the_rows():
    rows = skewed(700, 2)
    made = setting(skewed(5000), skewed(500, 1), rows).partition
    inner = made.edges[made.starts[1:] - 1]
    counted = np.diff(np.searchsorted(np.sort(rows), inner), prepend=0, append=len(rows))
    assert made.counts.tolist() == counted.tolist()


def test_shares_sum_to_one_for_rising_and_falling_conversions():
    made = setting(skewed(5000), None, skewed(700, 2))
    curve, edges = made.usual[0].curve, made.partition.edges
    for undone in (edges, edges / 3, -edges, (edges - 32) / 1.8):
        assert made.partition.shares(curve, undone).sum() == pytest.approx(1.0)


def test_rows_far_beyond_the_reference_are_cut_by_their_exact_values():
    made = setting(skewed(5000) + 300.0, None, (skewed(700, 2) + 300.0) * 1000).partition
    assert len(made.edges) + 1 > len(made.starts) + 5
    assert made.sampled.sum() > 0


def test_the_right_shares_fit_within_noise_and_wrong_ones_do_not():
    made = setting(skewed(5000), skewed(500, 1), skewed(700, 2) * 1.8)
    usual, partition = made.usual[0], made.partition
    right, wrong = (partition.shares(usual.curve, partition.edges / ratio) for ratio in (1.8, 1.0))
    assert made.misfit(usual, right) < 3
    assert made.misfit(usual, wrong) > 10
    assert made.evidence(usual, right) > made.evidence(usual, wrong) + 50
    assert partition.psi(right) < 0.05
    assert partition.psi(wrong) > 0.3


def test_the_row_farthest_beyond_the_reference_is_cut_off_by_itself():
    rows = np.append(skewed(700, 2), 9000.0)
    made = setting(skewed(5000), None, rows).partition
    at = int(np.searchsorted(made.edges, 9000.0)) - 1
    assert made.edges[at] == pytest.approx(9000.0)
    assert made.counts[made.starts == at + 1].tolist() == [1.0]
