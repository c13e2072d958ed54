"""How labels come in, by counts of delays on a log-spaced grid."""

from __future__ import annotations

import pytest

from service.performance.delays import (
    FEWEST_LABELS,
    delay_seconds,
    maturity,
    ripe_after_ms,
    share_by,
)

# bins end at 2**((bin + 1) / 8) - 1 seconds: 7 at 1 s, 15 at 3 s, 23 at 7 s
COUNTS = {7: 500, 15: 400, 23: 100}


def test_the_curve_rises_from_the_first_labels_to_the_last() -> None:
    assert maturity(COUNTS) == [(1.0, 0.5), (3.0, 0.9), (7.0, 1.0)]
    assert maturity({}) == []


def test_the_share_that_has_usually_come_by_an_age() -> None:
    assert [share_by(COUNTS, age) for age in (0, 1, 2.9, 3, 100)] == [0.0, 0.5, 0.5, 0.9, 1.0]
    assert share_by({}, 10) is None


def test_a_window_is_ripe_when_nine_in_ten_labels_would_have_come() -> None:
    assert ripe_after_ms(COUNTS) == 3_000
    assert delay_seconds(COUNTS, 0.99) == pytest.approx(7.0)
    assert ripe_after_ms({7: FEWEST_LABELS - 1}) is None
    assert ripe_after_ms({7: FEWEST_LABELS}) == 1_000
