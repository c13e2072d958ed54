"""Words for 'no value' are known in any spelling."""

from __future__ import annotations

import pytest

from service.diagnosis.placeholders import may_be_default, says_nothing


@pytest.mark.parametrize(
    "text", ["unknown", "N/A", " NULL ", "Not Available", "not_available", "<null>", "NaN", "-", "?"]
)
def test_texts_that_say_nothing(text: str):
    assert says_nothing(text)


@pytest.mark.parametrize("text", ["married", "1", "no", "a-b", "none of us", "Nana"])
def test_texts_that_say_something(text: str):
    assert not says_nothing(text)
    assert not may_be_default(text)


@pytest.mark.parametrize("text", ["other", "0", "-1", "", "Misc"])
def test_texts_that_may_be_a_default_and_may_be_a_category(text: str):
    assert may_be_default(text)
    assert not says_nothing(text)
