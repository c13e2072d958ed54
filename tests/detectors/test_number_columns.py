from __future__ import annotations

import numpy as np

from detectors.number_columns import NumberColumns, number_reference

SHORT, LONG = np.array([5, 0, 10]), np.array([1, 0, 2, 3, 4])
REFERENCE = number_reference([np.arange(2.0), np.arange(4.0)], [SHORT, LONG], [1.0, 2.0])


def _columns(*current):
    flat = REFERENCE.padded(np.concatenate(current))
    return NumberColumns.beside(REFERENCE, flat, np.array([-1.0, -1]), np.array([9.0, 9]))


def test_the_shorter_column_is_padded_with_empty_bins_that_end_nowhere():
    assert REFERENCE.counts.tolist() == [[5, 0, 10, 0, 0], [1, 0, 2, 3, 4]]
    assert REFERENCE.edges[0].tolist() == [0, 1, np.inf, np.inf]
    assert REFERENCE.padded(np.arange(8)).tolist() == [[0, 1, 2, 0, 0], [3, 4, 5, 6, 7]]


def test_bins_are_found_by_the_events_up_to_them():
    assert REFERENCE.find(np.array([5, 2])).tolist() == [0, 2]
    assert REFERENCE.find(np.array([5, 3]), beyond=True).tolist() == [2, 3]
    assert REFERENCE.find(np.array([6]), np.array([1])).tolist() == [3]


def test_too_many_events_are_found_beyond_the_last_bin_and_too_few_in_the_first():
    assert REFERENCE.find(np.array([16, 11])).tolist() == [5, 5]
    assert REFERENCE.find(np.array([-3, -3]), beyond=True).tolist() == [0, 0]


def test_events_before_a_bin_are_those_of_the_bins_before():
    assert REFERENCE.before(np.array([2, 3])).tolist() == [5, 3]
    assert REFERENCE.before(np.array([0]), np.array([1])).tolist() == [0]


def test_the_rise_is_the_difference_of_both_distribution_functions():
    columns = _columns(np.array([2, 2, 0]), np.array([0, 0, 0, 0, 10]))
    assert columns.n.tolist() == [4, 10]
    assert columns.rise[0].round(9).tolist() == [round(0.5 - 5 / 15, 9), round(1 - 5 / 15, 9), 0, 0, 0]
    assert columns.rise[1].round(9).tolist() == [-0.1, -0.1, -0.3, -0.6, 0]


def test_blocks_hold_every_column_once_and_in_order():
    many = number_reference([np.zeros(1)] * 60, [np.array([i, 1]) for i in range(60)], [1.0] * 60)
    columns = NumberColumns.beside(many, many.counts, np.zeros(60), np.ones(60))
    assert np.concatenate([block.n for block in columns.blocks()]).tolist() == list(range(1, 61))


def test_some_columns_can_still_be_searched():
    second = REFERENCE.of(np.array([False, True]))
    assert second.find(np.array([2])).tolist() == [2]
    assert second.before(np.array([3])).tolist() == [3]
