"""A column that lost its relations is told from its partner, and from columns that moved."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from service.diagnosis.correlation import diagnose_correlation
from service.diagnosis.diagnosis import Diagnosis
from service.messages import Cause
from tests.diagnosis.slices import column

NAMES = [column(name) for name in ("temp", "atemp", "hum", "wind")]
Matrix = NDArray[np.float64]


def rows_of(n: int, seed: int) -> Matrix:
    """Four columns: the felt temperature follows the real one, humidity a little, the wind nothing."""
    rng = np.random.default_rng(seed)
    temp = rng.normal(size=n)
    felt = temp + 0.1 * rng.normal(size=n)
    return np.array([temp, felt, 0.5 * temp + rng.normal(size=n), rng.normal(size=n)])


def said(usual: Matrix, now: Matrix, rung: tuple[int, ...] = ()) -> Diagnosis | None:
    shapes = usual.shape[1], now.shape[1]
    names = NAMES[: len(usual)]
    return diagnose_correlation(
        np.corrcoef(usual), np.corrcoef(now), names, *shapes, [NAMES[i] for i in rung]
    )


@pytest.mark.parametrize(("broken", "partner"), [(0, 1), (1, 0)])
def test_a_permuted_column_is_named_with_its_closest_partner(broken: int, partner: int):
    now = rows_of(500, 2)
    now[broken] = np.random.default_rng(3).permutation(now[broken])
    found = said(rows_of(5_000, 1), now)
    assert found is not None
    assert found.cause is Cause.CORRELATION_BREAK
    assert found.columns == (NAMES[broken], NAMES[partner])
    assert found.confidence > 0.9
    assert "from 1.00 to" in found.sentence or "from 0.99 to" in found.sentence


def test_half_permuted_rows_are_found_too():
    now = rows_of(800, 2)
    now[1, :400] = np.random.default_rng(3).permutation(now[1, :400])
    found = said(rows_of(5_000, 1), now)
    assert found is not None
    assert found.columns[0] == NAMES[1]
    assert found.confidence < 0.9


def test_of_two_columns_alone_neither_is_blamed_for_sure():
    now = rows_of(500, 2)[:2]
    now[0] = np.random.default_rng(3).permutation(now[0])
    found = said(rows_of(5_000, 1)[:2], now)
    assert found is not None
    assert found.alternatives


def test_the_interval_holds_the_correlation():
    now = rows_of(500, 2)
    now[0] = np.random.default_rng(3).permutation(now[0])
    found = said(rows_of(5_000, 1), now)
    assert found is not None
    low, high = float(found.evidence["correlation_low"]), float(found.evidence["correlation_high"])
    assert low < float(found.evidence["correlation"]) < high
    assert high - low == pytest.approx(2 * 1.96 / np.sqrt(500), rel=0.1)


def test_correlations_as_usual_say_nothing():
    assert all(said(rows_of(5_000, 1), rows_of(60, seed)) is None for seed in range(50))


def test_a_column_whose_own_values_changed_is_left_out():
    now = rows_of(500, 2)
    now[1] = np.random.default_rng(3).permutation(now[1])
    assert said(rows_of(5_000, 1), now, rung=(1,)) is None


def test_heavy_tails_do_not_break_a_relation():
    rng = np.random.default_rng(4)
    both = rng.standard_cauchy((2, 50_000)).clip(-30, 30)
    both[1] += both[0]
    names = NAMES[:2]
    usual = np.corrcoef(both)
    for start in range(0, 50_000, 1_000):
        now = np.corrcoef(both[:, start : start + 1_000])
        assert diagnose_correlation(usual, now, names, 50_000, 1_000, []) is None


def test_unknown_correlations_and_few_rows_say_nothing():
    empty = np.full((4, 4), np.nan)
    assert diagnose_correlation(empty, empty, NAMES, 5_000, 500, []) is None
    assert diagnose_correlation(np.eye(4), np.eye(4), NAMES, 5_000, 5, []) is None
