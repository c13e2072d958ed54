from __future__ import annotations

import numpy as np
import pytest

from detectors.sequential.recursions import at_record, before, faded, floored_sum, running_sum

VALUES = np.random.default_rng(111).normal(size=501) * 10.0 ** np.random.default_rng(112).integers(-9, 9, 501)
KEEP = np.random.default_rng(113).random(501)


RECURSIONS = {
    "running_sum": lambda start, part: running_sum(start, VALUES[part]),
    "floored_sum": lambda start, part: floored_sum(start, VALUES[part]),
    "faded": lambda start, part: faded(start, KEEP[part], VALUES[part]),
}


@pytest.mark.parametrize("cut", [0, 1, 7, 250, 500, 501])
@pytest.mark.parametrize("name", RECURSIONS)
def test_a_cut_changes_no_bit(name, cut):
    recursion = RECURSIONS[name]
    first = recursion(0.1, slice(cut))
    rest = recursion(float(first[-1]) if cut else 0.1, slice(cut, None))
    assert np.array_equal(np.concatenate([first, rest]), recursion(0.1, slice(None)))


def test_a_record_is_remembered_until_the_next_one():
    record = np.array([False, True, False, False, True])
    assert at_record(record, -1.0, np.arange(5.0)).tolist() == [-1.0, 1.0, 1.0, 1.0, 4.0]


def test_what_stood_before_the_first_value_is_the_start():
    assert before(9.0, np.array([])).tolist() == []
    assert before(9.0, np.array([1.0])).tolist() == [9.0]
