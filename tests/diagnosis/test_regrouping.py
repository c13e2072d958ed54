"""Known texts in other shares: who grew, at whose cost, and whether codes changed places."""

from __future__ import annotations

import numpy as np
import pytest

from service.diagnosis.regrouping import (
    Shift,
    diagnose_exchange,
    diagnose_fill,
    diagnose_mix,
    exchanged,
    grown_alone,
    shift_of,
)
from service.diagnosis.shares import usual_texts
from tests.diagnosis.slices import drawn, pair_of

USUAL = np.array([0.5, 0.3, 0.15, 0.05])
TEXTS = ("a", "b", "other", "d")
VIEW = pair_of(drawn({"a": 1.0}, 10, 1), drawn({"a": 1.0}, 10, 1))[1]


def shift(*now: int, rows: float = 10_000.0) -> Shift:
    return Shift(TEXTS, np.array(now, np.float64), USUAL, rows)


def test_counts_and_shares_stand_side_by_side():
    reference, current = pair_of(drawn({"a": 0.7, "b": 0.3}, 5_000, 1), ["b"] * 6 + ["a"] * 2 + ["new"] * 2)
    found = shift_of(usual_texts(reference, None, current), current)
    assert found.texts == ("a", "b")
    assert found.now.tolist() == [2, 6]
    assert found.moved == pytest.approx([0.25 - 0.7, 0.75 - 0.3], abs=0.02)


def test_one_that_took_from_all_others_alike_grew_alone():
    assert grown_alone(shift(400, 240, 320, 40)) == 2
    assert grown_alone(shift(400, 100, 460, 40)) is None
    assert grown_alone(shift(500, 300, 150, 50)) is None


def test_a_default_that_grew_alone_is_a_fill_and_another_category_is_not():
    assert diagnose_fill(shift(400, 240, 320, 40), VIEW, stable=True) is not None
    assert diagnose_fill(shift(600, 240, 120, 40), VIEW, stable=True) is None


def test_where_seasons_move_the_shares_a_fill_is_less_sure():
    sure, unsure = (diagnose_fill(shift(400, 240, 320, 40), VIEW, stable=stable) for stable in (True, False))
    assert sure is not None
    assert unsure is not None
    assert unsure.confidence < 0.6 < sure.confidence


def test_a_permutation_of_the_shares_is_found():
    assert dict(exchanged(shift(300, 500, 50, 150))) == {"a": "b", "b": "a", "other": "d", "d": "other"}
    assert not exchanged(shift(500, 300, 150, 50))
    assert not exchanged(shift(100, 100, 700, 100))


def test_codes_of_a_column_that_seasons_move_did_not_change_places():
    assert diagnose_exchange(shift(300, 500, 50, 150), VIEW, stable=True) is not None
    assert diagnose_exchange(shift(300, 500, 50, 150), VIEW, stable=False) is None


def test_the_mix_says_who_grew_and_who_shrank():
    found = diagnose_mix(shift(300, 500, 150, 50), VIEW)
    assert found is not None
    assert "'b' went from 30 % to 50 % and 'a' went from 50 % to 30 %" in found.sentence
    assert found.evidence["moved_share"] == pytest.approx(0.2)
    assert diagnose_mix(shift(510, 290, 150, 50), VIEW) is None


def test_one_category_that_grew_past_many_others_is_no_exchange_of_codes():
    usual = np.array([0.2, 0.18, 0.16, 0.14, 0.12, 0.1, 0.07, 0.03])
    grown = usual * 0.85 + np.array([0, 0, 0, 0, 0, 0, 0, 0.15])
    now = np.random.default_rng(1).multinomial(1_000, grown)
    assert not exchanged(Shift(tuple("abcdefgh"), now.astype(float), usual, 10_000.0))
