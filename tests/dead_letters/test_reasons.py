"""Every reason has words, and says what helps."""

from __future__ import annotations

import pytest

from service.dead_letters.reasons import MEANINGS, meaning_of
from service.messages import Reason


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_told_in_words_with_what_helps(reason: Reason) -> None:
    meaning = meaning_of(reason.value)
    assert meaning is MEANINGS[reason]
    assert len(meaning.words) > 10
    assert len(meaning.helps) > 10


def test_no_two_reasons_have_the_same_words() -> None:
    assert len({one.words for one in MEANINGS.values()}) == len(Reason)


def test_a_reason_that_a_newer_version_stored_is_said_to_be_unknown() -> None:
    assert "does not know" in meaning_of("spoilt_milk").words
