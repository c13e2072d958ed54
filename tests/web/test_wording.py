from __future__ import annotations

import pytest

from service.monitor import DAY_MS, HOUR_MS, MINUTE_MS
from service.web.wording import age, iso


@pytest.mark.parametrize(
    ("duration_ms", "words"),
    [
        (0, "less than a second"),
        (999, "less than a second"),
        (1_000, "1 second"),
        (119_999, "119 seconds"),
        (2 * MINUTE_MS, "2 minutes"),
        (2 * HOUR_MS - 1, "119 minutes"),
        (2 * HOUR_MS, "2 hours"),
        (2 * DAY_MS - 1, "47 hours"),
        (400 * DAY_MS, "400 days"),
    ],
)
def test_an_age_is_told_in_the_largest_unit_that_it_holds_twice(duration_ms: int, words: str) -> None:
    assert age(duration_ms) == words


def test_times_are_written_for_machines() -> None:
    assert iso(-1) == "1969-12-31T23:59:59Z"
