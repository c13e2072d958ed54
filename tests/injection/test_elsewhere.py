"""Values that come from another row."""

from __future__ import annotations

import pytest

from service.errors import ConfigurationError
from service.injection.elsewhere import SHUFFLED, Permute, Stale, Stuck
from tests.injection.logs import faulted, feature, rows

SIX = rows(6)


def test_a_stuck_feature_keeps_the_value_of_the_faults_first_event() -> None:
    assert feature(faulted(Stuck("amount"), SIX, minute=3), "amount") == [0.0, 1.0, 2.0, 3.0, 3.0, 3.0]
    assert feature(faulted(Stuck("amount", "7"), SIX, minute=3), "amount") == [0.0, 1.0, 2.0, 7, 7, 7]


def test_it_does_not_stick_to_a_missing_value() -> None:
    events = [rows(1)[0], {**rows(2)[1], "features": {"amount": None}}, *rows(4)[2:]]
    assert feature(faulted(Stuck("amount"), events, minute=1), "amount") == [0.0, None, 2.0, 2.0]


def test_a_stale_feature_is_behind_by_so_many_rows_and_knows_those_before_the_fault() -> None:
    assert feature(faulted(Stale("amount", 2), SIX, minute=3), "amount") == [0.0, 1.0, 2.0, 1.0, 2.0, 3.0]


def test_rows_that_have_nothing_before_them_keep_their_own() -> None:
    assert feature(faulted(Stale("amount", 4), SIX), "amount") == [0.0, 1.0, 2.0, 3.0, 0.0, 1.0]


@pytest.mark.parametrize("count", [0, -1, 1_000_001])
def test_a_lag_that_is_none_or_unbounded_is_said(count: int) -> None:
    with pytest.raises(ConfigurationError, match="is no number of rows; write 1 to 1,000,000"):
        faulted(Stale("amount", count), SIX)


def test_a_permuted_feature_keeps_its_values_and_loses_its_rows() -> None:
    events = rows(3_000)
    made = feature(faulted(Permute("amount"), events), "amount")
    assert sum(a == b for a, b in enumerate(made)) < 20
    passed_on = set(made) & set(map(float, range(3_000)))
    assert len(passed_on) > 3_000 - 2 * SHUFFLED
    assert made == feature(faulted(Permute("amount"), events), "amount")
    assert made != feature(faulted(Permute("amount"), events, seed=1), "amount")
    assert feature(faulted(Permute("amount"), events), "country") == feature(
        faulted(Permute("amount"), events, minute=9_999), "country"
    )
