"""A column of texts is explained by the one thing that happened to it."""

from __future__ import annotations

import pytest

from service.diagnosis.texts import diagnose_text
from service.diagnosis.view import ColumnView
from service.messages import Cause
from tests.diagnosis.slices import drawn, grid_of, one_of, pair_of

MARITAL = {"married": 0.6, "single": 0.28, "divorced": 0.12}
JOBS = {"clerk": 0.4, "nurse": 0.25, "cook": 0.15, "driver": 0.12, "unknown": 0.08}


def first(reference: ColumnView, current: ColumnView, before: ColumnView | None = None):
    return diagnose_text(reference, before, current)[0]


def test_categories_in_capitals_are_an_encoding_and_the_mapping_is_said():
    current = [text.upper() for text in drawn(MARITAL, 500, 2)]
    reference, now = pair_of(drawn(MARITAL, 5_000, 1), current)
    found = first(reference, now)
    assert found.cause is Cause.CATEGORY_ENCODING
    assert found.confidence > 0.95
    assert "upper case in every row" in found.sentence
    assert "'married' -> 'MARRIED', 'single' -> 'SINGLE'" in found.sentence
    assert "3 of 3 categories, shares within noise" in found.sentence


def test_a_rollout_to_a_third_of_the_rows_says_its_share():
    current = [t.upper() if i % 3 == 0 else t for i, t in enumerate(drawn(MARITAL, 900, 2))]
    reference, now = pair_of(drawn(MARITAL, 5_000, 1), current)
    found = first(reference, now)
    assert found.cause is Cause.CATEGORY_ENCODING
    assert "in 33 % of the rows" in found.sentence
    assert found.evidence["rows_share"] == pytest.approx(1 / 3, abs=0.01)


def test_an_unseen_text_is_a_new_category_with_its_share():
    current = drawn(JOBS, 950, 2) + ["influencer"] * 50
    reference, now = pair_of(drawn(JOBS, 5_000, 1), current)
    found = first(reference, now)
    assert found.cause is Cause.NEW_CATEGORY
    assert "'influencer' in 5 % of the rows, never seen" in found.sentence


def test_capitals_and_a_new_category_at_once_are_both_said():
    current = [text.upper() for text in drawn(MARITAL, 900, 2)] + ["poly"] * 100
    reference, now = pair_of(drawn(MARITAL, 5_000, 1), current)
    assert [one.cause for one in diagnose_text(reference, None, now)] == [
        Cause.CATEGORY_ENCODING,
        Cause.NEW_CATEGORY,
    ]


def test_a_known_default_that_takes_rows_from_all_others_alike_is_a_fill():
    current = [t if i % 5 else "unknown" for i, t in enumerate(drawn(JOBS, 2_000, 2))]
    reference, now = pair_of(drawn(JOBS, 5_000, 1), current)
    found = first(reference, now)
    assert found.cause is Cause.DEFAULT_FILL
    assert float(found.evidence["filled_share"]) == pytest.approx(0.2, abs=0.03)


def test_a_known_category_that_grew_is_drift_and_not_a_fill():
    current = [t if i % 5 else "cook" for i, t in enumerate(drawn(JOBS, 2_000, 2))]
    reference, now = pair_of(drawn(JOBS, 5_000, 1), current)
    found = diagnose_text(reference, None, now)
    assert {one.cause for one in found} == {Cause.DATA_DRIFT}
    assert "'cook' went from 15 % to 32 %, the others shrank alike" in found[0].sentence


def test_one_category_in_every_row_is_stuck():
    reference, now = pair_of(drawn(JOBS, 5_000, 1), ["nurse"] * 200)
    (found,) = diagnose_text(reference, None, now)
    assert found.cause is Cause.STUCK_FEATURE
    assert "is 'nurse' in every row, usual is 2" in found.sentence


def test_a_category_that_was_nearly_always_so_is_not_stuck():
    reference, now = pair_of(drawn({"no": 0.98, "yes": 0.02}, 5_000, 1), ["no"] * 200)
    assert not diagnose_text(reference, None, now)


def test_a_month_that_lasts_is_hardly_called_stuck():
    months = drawn({"may": 0.5, "jun": 0.3, "jul": 0.2}, 5_000, 1)
    grid = grid_of({"value": months})
    before, now = one_of(["may"] * 380 + ["jun"] * 20, grid), one_of(["jun"] * 200, grid)
    found = diagnose_text(one_of(months, grid), before, now)
    assert not [one for one in found if one.cause is Cause.STUCK_FEATURE and one.confidence >= 0.6]


def test_a_prediction_of_one_class_only_is_a_stuck_prediction():
    reference, now = pair_of(drawn({"0": 0.7, "1": 0.3}, 5_000, 1), ["0"] * 300, "prediction")
    (found,) = diagnose_text(reference, None, now)
    assert found.cause is Cause.STUCK_PREDICTION


def test_predictions_in_another_mix_are_prediction_drift():
    current = drawn({"0": 0.4, "1": 0.6}, 500, 2)
    reference, now = pair_of(drawn({"0": 0.7, "1": 0.3}, 5_000, 1), current, "prediction")
    found = first(reference, now)
    assert found.cause is Cause.PREDICTION_DRIFT
    assert "'1' went from 3" in found.sentence


def test_of_usual_rows_nothing_is_said():
    for seed in range(2, 32):
        reference, now = pair_of(drawn(JOBS, 5_000, 1), drawn(JOBS, 300, seed))
        assert not diagnose_text(reference, None, now)


def test_a_column_without_texts_is_left_alone():
    reference, now = pair_of(drawn(JOBS, 500, 1), [None] * 50)
    assert not diagnose_text(reference, None, now)


def test_rows_before_the_trouble_are_what_is_usual():
    reference = drawn(MARITAL, 5_000, 1)
    grid = grid_of({"value": reference})
    drifted = {"married": 0.3, "single": 0.5, "divorced": 0.2}
    before, now = one_of(drawn(drifted, 2_000, 2), grid), one_of(drawn(drifted, 500, 3), grid)
    assert diagnose_text(one_of(reference, grid), None, now)
    assert not diagnose_text(one_of(reference, grid), before, now)
