"""Codes that replaced categories are found by letters and by how frequent they are; what merely came or went is not."""

from __future__ import annotations

import pytest

from service.diagnosis.diagnosis import Diagnosis
from service.diagnosis.texts import diagnose_text
from service.messages import Cause
from tests.diagnosis.slices import drawn, grid_of, one_of

COUNTRIES = {"US": 0.5, "GB": 0.25, "DE": 0.13, "FR": 0.08, "PL": 0.04}
COLOURS = {"red": 0.4, "green": 0.3, "blue": 0.2, "grey": 0.1}


def said(
    shares: dict[str, float], change: dict[str, str], share: float = 1.0, n: int = 1_000
) -> list[Diagnosis]:
    """What is said of rows whose texts were changed so, in a share of them; the rows before were as the reference."""
    usual, rows = drawn(shares, 8_000, 1), drawn(shares, n, 3)
    now = [change.get(t, t) if i % 100 < 100 * share else t for i, t in enumerate(rows)]
    grid = grid_of({"value": usual})
    before = one_of(drawn(shares, 2_000, 2), grid)
    return list(diagnose_text(one_of(usual, grid), before, one_of(now, grid)))


@pytest.mark.parametrize(
    "change",
    [
        {"US": "USA"},
        {"US": "usa", "GB": "gbr", "DE": "deu", "FR": "fra", "PL": "pol"},
        {text: text.lower() for text in COUNTRIES},
        {text: f" {text}" for text in COUNTRIES},
        {"US": "0", "GB": "1", "DE": "2", "FR": "3", "PL": "4"},
    ],
)
def test_new_codes_for_the_same_categories_are_an_encoding(change: dict[str, str]):
    found = said(COUNTRIES, change)[0]
    assert found.cause is Cause.CATEGORY_ENCODING
    assert found.confidence >= 0.85
    assert all(f"'{old}' -> '{new}'" in str(found.evidence["mapping"]) for old, new in change.items())


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_codes_in_a_share_of_the_rows_are_an_encoding(share: float):
    change = {"red": "C1", "green": "C2", "blue": "C3", "grey": "C4"}
    found = said(COLOURS, change, share, n=3_000)[0]
    assert found.cause is Cause.CATEGORY_ENCODING
    assert float(found.evidence["rows_share"]) == pytest.approx(share, abs=0.03)


def test_one_letter_more_for_one_country_in_a_share_of_the_rows_is_an_encoding():
    found = said(COUNTRIES, {"US": "USA"}, 0.3)[0]
    assert found.cause is Cause.CATEGORY_ENCODING
    assert "'US' -> 'USA'" in found.sentence


def test_truth_values_in_other_words_are_an_encoding():
    found = said({"1": 0.3, "0": 0.7}, {"1": "true", "0": "false"})[0]
    assert found.cause is Cause.CATEGORY_ENCODING
    assert "as another word for the same" in found.sentence


def test_codes_that_changed_places_are_an_encoding():
    found = said(COLOURS, {"red": "grey", "green": "red", "blue": "green", "grey": "blue"})[0]
    assert found.cause is Cause.CATEGORY_ENCODING
    assert "'red' -> 'grey'" in found.sentence
    assert "put back, the shares are as usual" in found.sentence


def test_two_codes_that_changed_places_may_be_drift_and_both_are_said():
    found = said({"yes": 0.8, "no": 0.2}, {"yes": "no", "no": "yes"})[0]
    assert found.cause is Cause.DATA_DRIFT
    assert found.alternatives == ("the codes 'yes' and 'no' changed places",)


def test_a_category_whose_rows_went_to_a_new_one_is_an_encoding_if_all_others_stay():
    found = said(COLOURS, {"blue": "navy"})[0]
    assert found.cause is Cause.CATEGORY_ENCODING
    assert 0.5 <= found.confidence < 0.9
    assert found.alternatives


def test_equally_frequent_codes_are_a_guess_and_said_to_be():
    found = said({"a1": 0.35, "b2": 0.35, "c3": 0.3}, {"a1": "north", "b2": "south", "c3": "west"})[0]
    assert found.cause is Cause.CATEGORY_ENCODING
    assert "a guess" in found.alternatives[0]


def test_a_new_category_from_all_others_is_no_encoding():
    rows = drawn(COLOURS, 1_000, 5)
    usual = drawn(COLOURS, 8_000, 1)
    grid = grid_of({"value": usual})
    for share in (2, 5, 20, 30):
        now = ["violet" if i % 100 < share else t for i, t in enumerate(rows)]
        found = diagnose_text(one_of(usual, grid), one_of(drawn(COLOURS, 2_000, 2), grid), one_of(now, grid))
        assert Cause.CATEGORY_ENCODING not in {one.cause for one in found}
        assert found[0].cause is Cause.NEW_CATEGORY


def test_the_next_month_is_no_code_for_the_last_one():
    year = drawn({"may": 0.4, "jun": 0.3, "apr": 0.3}, 5_000, 1)
    grid = grid_of({"value": year})
    before, now = one_of(["jun"] * 500, grid), one_of(["jul"] * 500, grid)
    found = diagnose_text(one_of(year, grid), before, now)
    assert Cause.CATEGORY_ENCODING not in {one.cause for one in found}


def test_a_wholly_new_vocabulary_of_as_many_words_is_an_encoding_whatever_moved_before():
    usual = drawn(COUNTRIES, 5_000, 1)
    grid = grid_of({"value": usual})
    before = one_of(drawn({"US": 0.1, "GB": 0.2, "DE": 0.3, "FR": 0.4}, 1_000, 2), grid)
    now = one_of(drawn({"k1": 0.1, "k2": 0.2, "k3": 0.3, "k4": 0.4}, 200, 3), grid)
    found = diagnose_text(one_of(usual, grid), before, now)[0]
    assert found.cause is Cause.CATEGORY_ENCODING
    assert "'FR' -> 'k4'" in str(found.evidence["mapping"])
