from __future__ import annotations

import numpy as np
import pytest

from detectors.sequential.adwin import Adwin, bucket_ends
from tests.detectors.sequential.streams import errors


def _plain_ends(values, most):
    """Buckets by Bifet and Gavalda's rule, one value after the other."""
    levels: list[list[int]] = []
    for _ in range(values):
        arrived, level = 1, 0
        while arrived:
            if level == len(levels):
                levels.append([])
            levels[level].append(arrived)
            arrived = 0
            if len(levels[level]) > most:
                arrived = levels[level].pop(0) + levels[level].pop(0)
            level += 1
    return np.cumsum([size for level in reversed(levels) for size in level]).tolist()


@pytest.mark.parametrize("most", [1, 2, 5])
def test_buckets_end_where_the_rule_of_merging_the_two_oldest_puts_them(most):
    lengths = np.array([1, 2, 5, 6, 7, 40, 41, 1_000])
    ends, starts = bucket_ends(lengths, most)
    parts = np.split(ends, starts[1:])
    assert [part.tolist() for part in parts] == [_plain_ends(length, most) for length in lengths.tolist()]


def test_the_statistic_is_the_largest_difference_over_the_papers_bound():
    values = errors(81, 0.2, 0.3, size=300)[:448]
    _, steps = Adwin(delta=0.05, min_window_length=1).run(values)
    ends = np.array(_plain_ends(448, 5)[:-1])
    ratios = []
    for n_0 in ends:
        n_1 = 448 - n_0
        d, m = np.log(2 * np.log(448) / 0.05), 1 / n_0 + 1 / n_1
        bound = np.sqrt(2 * m * values.var() * d) + 2 / 3 * d * m
        ratios.append(abs(values[:n_0].mean() - values[n_0:].mean()) / bound)
    assert steps.statistic[447] == pytest.approx(max(ratios), rel=1e-9)


def test_between_looks_the_statistic_is_that_of_the_last_one():
    _, steps = Adwin(clock=50).run(errors(82, 0.3, size=200))
    assert len(set(steps.statistic[49:99].tolist())) == 1
    assert steps.statistic[99] != steps.statistic[98]


def test_few_false_alarms_in_a_hundred_thousand_errors():
    assert len(Adwin().run(errors(83, 0.1, size=100_000))[1].drifts) <= 1
