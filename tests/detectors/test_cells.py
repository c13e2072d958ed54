from __future__ import annotations

import numpy as np

from detectors.cells import cells_of, group
from detectors.pair import CategoricalPair

TWO = cells_of(np.array([70.0, 30, 5, 4, 3]), np.array([7.0, 3, 2, 1, 1]), np.array([0, 2]))


def test_every_group_knows_the_sizes_of_its_column():
    assert TWO.sizes.n.tolist() == [10, 10, 4, 4, 4]
    assert TWO.sizes.m.tolist() == [100, 100, 12, 12, 12]
    assert TWO.sizes.groups.tolist() == [2, 2, 3, 3, 3]
    assert TWO.columns.m.tolist() == [100, 12]


def test_sums_and_maxima_are_by_column():
    assert TWO.total(TWO.current).tolist() == [10, 4]
    assert TWO.largest(TWO.reference).tolist() == [70, 5]
    assert TWO.total(np.stack([TWO.current, TWO.reference])).tolist() == [[10, 4], [100, 12]]


def test_some_of_the_columns_are_as_if_the_others_had_never_been():
    second = TWO.of(np.array([False, True]))
    alone = cells_of(np.array([5.0, 4, 3]), np.array([2.0, 1, 1]), np.array([0]))
    for name in ("reference", "current", "starts"):
        assert getattr(second, name).tolist() == getattr(alone, name).tolist()
    assert second.sizes.m.tolist() == alone.sizes.m.tolist()


def test_another_size_changes_the_size_alone():
    later = TWO.at_size(np.array([50.0, 60.0]))
    assert later.sizes.n.tolist() == [50, 50, 60, 60, 60]
    assert later.reference.tolist() == TWO.reference.tolist()
    assert later.sizes.m.tolist() == TWO.sizes.m.tolist()


def test_a_pair_is_grouped_by_its_reference_alone():
    cells = group(CategoricalPair(np.array([700, 290, 4, 6]), np.array([60, 35, 5, 0])))
    assert cells.reference.tolist() == [10, 700, 290]
    assert cells.current.tolist() == [5, 60, 35]
