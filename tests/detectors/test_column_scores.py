from __future__ import annotations

import numpy as np

from detectors.column_scores import ColumnScores
from detectors.score import Score, too_little_data


def _scores(*values: float) -> ColumnScores:
    each = np.array(values)
    sizes = np.full(each.size, 50.0), np.full(each.size, 900.0)
    return ColumnScores("tv", each, each / 2, each / 4, each / 8, *sizes, np.ones(each.size, np.bool_))


def test_a_columns_score_is_a_plain_one():
    assert _scores(0.5, 0.8).score(1) == Score("tv", 0.8, 0.4, 0.2, 50, 900, 0.1)


def test_joined_scores_keep_their_order():
    joined = ColumnScores.joined([_scores(0.1), _scores(0.2, 0.3)])
    assert [joined.score(i).value for i in range(3)] == [0.1, 0.2, 0.3]


def test_columns_with_too_little_data_stand_between_the_others_without_a_value():
    n, m = np.array([50.0, 3, 50]), np.array([900.0, 900, 900])
    spread = _scores(0.1, 0.2).spread(np.array([True, False, True]), n, m)
    assert [spread.score(i).value for i in range(3)] == [0.1, None, 0.2]
    assert spread.score(1) == too_little_data("tv", 3, 900)
    assert not spread.value[1] > spread.limit[1]


def test_columns_that_all_have_too_little_data_ring_nothing():
    scores = ColumnScores.too_little("ks", np.array([3.0]), np.array([900.0]))
    assert scores.score(0) == too_little_data("ks", 3, 900)
    assert not (scores.value > scores.limit).any()


def test_all_scores_at_once_are_those_of_one_after_the_other():
    some = _scores(0.1, 0.2).spread(
        np.array([False, True, True]), np.array([3.0, 500, 500]), np.full(3, 1000.0)
    )
    assert some.scores() == [some.score(column) for column in range(3)]
    assert [one.value is None for one in some.scores()] == [True, False, False]
