"""One battery over everything that is counted: batches, order and storage change no bit."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest

from detectors.performance.binary_counts import BinaryOutcomes, BinaryPredictions
from detectors.performance.estimated_regression import ErrorsByCell
from detectors.performance.multiclass_counts import MulticlassOutcomes, MulticlassPredictions
from detectors.performance.regression_counts import RegressionOutcomes
from tests.detectors.performance.draws import SCALES, binary_rows, multiclass_rows, regression_rows


def _hostile(values):
    """The same, with what is missing or not a number among it."""
    values = np.array(values, np.float64)
    values[::17], values[5::29] = np.nan, np.inf
    return values


def _binary(random, n):
    labels, scores, decisions = binary_rows(random, n)
    decisions[::11] = -1
    return labels, _hostile(scores), decisions


def _multiclass(random, n):
    labels, decisions, scores = multiclass_rows(random, n)
    labels[::7], decisions[::5], decisions[::13] = 3, 4, -1
    scores[::17] = np.nan
    return labels, decisions, scores


def _regression(random, n):
    labels, predictions = regression_rows(random, n)
    labels[::19] = 0.0
    return labels, _hostile(predictions)


def _cells(random, n):
    return random.integers(0, 5, n), random.integers(0, 2, n), _hostile(random.normal(0, 3, n))


KINDS = {
    "binary predictions": (
        BinaryPredictions.zeros,
        BinaryPredictions.from_arrays,
        lambda r, n: _binary(r, n)[1:],
    ),
    "binary outcomes": (BinaryOutcomes.zeros, BinaryOutcomes.from_arrays, _binary),
    "multiclass predictions": (
        lambda: MulticlassPredictions.zeros(3),
        MulticlassPredictions.from_arrays,
        lambda r, n: _multiclass(r, n)[1:],
    ),
    "multiclass outcomes": (lambda: MulticlassOutcomes.zeros(3), MulticlassOutcomes.from_arrays, _multiclass),
    "regression outcomes": (
        lambda: RegressionOutcomes.zeros(SCALES),
        lambda arrays: RegressionOutcomes.from_arrays(SCALES, arrays),
        _regression,
    ),
    "errors by cell": (
        lambda: ErrorsByCell.zeros(5, 2, 3.0),
        lambda arrays: ErrorsByCell.from_arrays(3.0, arrays),
        _cells,
    ),
}


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]


def state(counts):
    return {name: array.tolist() for name, array in counts.to_arrays().items()}


def added(zeros, columns, at=slice(None)):
    return zeros().add(*(column[at] for column in columns))


def test_batches_of_any_size_give_the_same_bits(kind):
    zeros, _, draw = kind
    columns = draw(np.random.default_rng(1), 3000)
    parts = [slice(0, 1), slice(1, 18), slice(18, 1800), slice(1800, 3000)]

    one_by_one = zeros()
    for part in parts:
        one_by_one = one_by_one.add(*(column[part] for column in columns))

    assert state(one_by_one) == state(added(zeros, columns))


def test_rows_in_any_order_give_the_same_bits(kind):
    zeros, _, draw = kind
    columns = draw(np.random.default_rng(2), 2000)

    assert state(added(zeros, columns, slice(None, None, -1))) == state(added(zeros, columns))


def test_merging_is_associative_and_commutative_and_equals_adding(kind):
    zeros, _, draw = kind
    columns = draw(np.random.default_rng(3), 3000)
    a, b, c = (added(zeros, columns, slice(start, start + 1000)) for start in (0, 1000, 2000))

    assert state(a.merge(b).merge(c)) == state(a.merge(b.merge(c))) == state(c.merge(a).merge(b))
    assert state(a.merge(b).merge(c)) == state(added(zeros, columns))


def test_nothing_merged_changes_nothing(kind):
    zeros, _, draw = kind
    some = added(zeros, draw(np.random.default_rng(4), 500))

    assert state(some.merge(zeros())) == state(zeros().merge(some)) == state(some)
    assert state(zeros().add(*(column[:0] for column in draw(np.random.default_rng(4), 5)))) == state(zeros())


def test_stored_arrays_come_back_and_merge_by_adding(kind):
    zeros, from_arrays, draw = kind
    columns = draw(np.random.default_rng(5), 4000)
    parts = [added(zeros, columns, slice(start, start + 1000)) for start in range(0, 4000, 1000)]
    arrays = [part.to_arrays() for part in parts]

    assert state(from_arrays(arrays[0])) == state(parts[0])
    together = reduce(lambda left, right: {name: left[name] + right[name] for name in left}, arrays)
    assert state(from_arrays(together)) == state(added(zeros, columns))
    assert all(array.dtype == np.int64 for array in together.values())


def test_adding_leaves_what_it_is_added_to_as_it_was(kind):
    zeros, _, draw = kind
    some = added(zeros, draw(np.random.default_rng(6), 500))
    before = state(some)
    some.add(*draw(np.random.default_rng(7), 500))
    some.merge(some)

    assert state(some) == before
