"""What people say of incidents holds for what they spoke of, and no more."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from service.alerting.words import (
    MOST_COVERS,
    Cover,
    Said,
    Word,
    covers_of,
    end_of_silence,
    is_silent_by,
    who_has_it,
)
from service.errors import ConfigurationError
from service.monitor import DAY_MS, HOUR_MS

AT = datetime(2026, 11, 22, tzinfo=UTC)
WEIGHT = Cover("unit_change", "feature", "weight", "")
IN_DE = WEIGHT._replace(segment="country=DE")
PRICE = Cover("data_drift", "feature", "price", "")


def said(word: Word, **changes: Any) -> Said:
    return Said(**{"id": 1, "incident": "i-1", "model": "churn", "who": "anna", "why": "so", "said_at": AT,
                   "word": word} | changes)  # fmt: skip


def test_the_last_word_says_who_has_it() -> None:
    acknowledged, released = said(Word.ACKNOWLEDGED), said(Word.RELEASED)
    silenced = said(Word.SILENCED)
    assert who_has_it([]) is None
    assert who_has_it([silenced, acknowledged]) is acknowledged
    assert who_has_it([released, acknowledged]) is None
    assert who_has_it([acknowledged, released]) is acknowledged


def test_a_silence_of_an_incident_holds_for_it_whatever_joins() -> None:
    whole = said(Word.SILENCED)
    assert is_silent_by(whole, "i-1", "churn", {WEIGHT, PRICE})
    assert not is_silent_by(whole, "i-2", "churn", {WEIGHT})


@pytest.mark.parametrize(
    ("wrong", "silent"),
    [
        ({WEIGHT}, True),
        ({IN_DE}, True),
        ({WEIGHT, IN_DE}, True),
        ({WEIGHT, PRICE}, False),
        ({WEIGHT._replace(cause="missing")}, False),
        ({WEIGHT._replace(feature="height")}, False),
        (set(), False),
    ],
)
def test_what_is_new_rings_although_the_rest_is_silent(wrong: set[Cover], silent: bool) -> None:
    widely = said(Word.EXPECTED, covers=(WEIGHT,))
    assert is_silent_by(widely, "i-2", "churn", wrong) is silent
    assert not is_silent_by(widely, "i-2", "fraud", wrong)


def test_what_is_silent_in_one_segment_rings_in_others() -> None:
    widely = said(Word.SILENCED, covers=(IN_DE,))
    assert is_silent_by(widely, "i-2", "churn", {IN_DE})
    assert not is_silent_by(widely, "i-2", "churn", {WEIGHT})


def test_what_a_cover_of_the_whole_model_includes_takes_no_room() -> None:
    only_there = PRICE._replace(segment="country=DE")
    assert covers_of({WEIGHT, IN_DE, only_there}) == (only_there, WEIGHT)


def test_its_own_incident_is_silent_by_a_silence_however_much_is_wrong_in_it() -> None:
    wrong = {WEIGHT._replace(feature=f"f{number:04}") for number in range(MOST_COVERS + 1)}
    for word in (Word.SILENCED, Word.EXPECTED):
        widely = said(word, covers=covers_of(wrong))
        assert len(widely.covers) == MOST_COVERS
        assert is_silent_by(widely, "i-1", "churn", wrong)
        assert not is_silent_by(widely, "i-2", "churn", wrong)


def test_what_is_expected_hides_nothing_else_in_its_own_incident() -> None:
    assert is_silent_by(said(Word.SILENCED, covers=(WEIGHT,)), "i-1", "churn", {WEIGHT, PRICE})
    assert not is_silent_by(said(Word.EXPECTED, covers=(WEIGHT,)), "i-1", "churn", {WEIGHT, PRICE})


def test_a_silence_ends_ahead_within_a_year_or_when_somebody_ends_it() -> None:
    now_ms = round(AT.timestamp() * 1000)
    assert end_of_silence(now_ms, None, None) is None
    assert end_of_silence(now_ms, HOUR_MS, None) == end_of_silence(now_ms, None, now_ms + HOUR_MS)
    for lasts_ms, until_ms in ((0, None), (367 * DAY_MS, None), (10**20, None), (None, now_ms)):
        with pytest.raises(ConfigurationError, match="must lie ahead, by 366 days at most"):
            end_of_silence(now_ms, lasts_ms, until_ms)
