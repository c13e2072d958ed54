"""An id filter knows exactly the ids that it was given, however they came."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from service.panes.identity import IdFilter

BATCHES = st.lists(st.lists(st.integers(0, 30), max_size=20), max_size=8)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(BATCHES)
def test_every_id_but_zero_repeats_from_its_second_time_on(batches: list[list[int]]) -> None:
    ids, seen = IdFilter(), set[int]()
    for batch in batches:
        hashes = np.array(batch, np.uint64)
        repeated = ids.repeated(hashes)
        for value, again in zip(batch, repeated.tolist(), strict=True):
            assert again == (value in seen)
            seen |= {value} - {0}
        ids.add(hashes[~repeated])
    assert len(ids) == len(seen)
    fresh = np.concatenate([np.empty(0, np.uint64), *ids.fresh])
    assert sorted(fresh.tolist()) == sorted(seen)
    assert IdFilter([fresh]).repeated(np.array(sorted(seen), np.uint64)).all()


def test_ids_above_63_bits_are_kept_apart() -> None:
    ids = IdFilter()
    ids.add(np.array([2**64 - 1, 2**63], np.uint64))
    assert ids.repeated(np.array([2**64 - 1, 2**64 - 2, 2**63, 2**63 - 1], np.uint64)).tolist() == [
        True,
        False,
        True,
        False,
    ]


def test_many_small_additions_stay_few_arrays() -> None:
    ids = IdFilter()
    for i in range(1, 5_000):
        ids.add(np.array([i], np.uint64))
    assert len(ids._levels) < 16
    assert len(ids) == 4_999
