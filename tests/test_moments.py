from __future__ import annotations

import pytest

from service.moments import ms_of, time_at, utc


@pytest.mark.parametrize("ms", [0, -1, 1_795_305_601_999, 253_402_300_799_999])
def test_a_time_is_the_same_on_its_way_there_and_back(ms: int) -> None:
    assert ms_of(time_at(ms)) == ms


def test_a_time_is_written_for_people_to_the_second() -> None:
    assert utc(1_795_305_601_999) == "2026-11-22 00:00:01 UTC"
