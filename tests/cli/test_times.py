"""Times as people write them: what cannot be read is said with the forms that can."""

from __future__ import annotations

import pytest

from service.cli.times import ago_or_time, span_of, time_of
from service.errors import ConfigurationError
from service.reports.phrases import minute

NOW_MS = 1_795_305_600_000  # 2026-11-22T00:00:00Z


def test_a_duration_is_so_long_ago() -> None:
    assert ago_or_time("2h", "--since", NOW_MS) == NOW_MS - 7_200_000
    assert ago_or_time("2026-11-22T00:00:00Z", "--since", 0) == NOW_MS


def test_where_both_forms_can_be_written_both_are_named() -> None:
    with pytest.raises(
        ConfigurationError, match=r"--since '5x' is no time; write 2h for two hours ago, or ISO 8601 such"
    ):
        ago_or_time("5x", "--since", NOW_MS)


def test_where_only_a_time_can_be_written_only_that_is_named() -> None:
    with pytest.raises(
        ConfigurationError, match=r"--from '5x' is no time; write ISO 8601 such as 2026-11-21T10:00:00Z$"
    ):
        time_of("5x", "--from")


def test_no_time_at_all_is_said() -> None:
    with pytest.raises(ConfigurationError, match="no time at all"):
        span_of("0s", "--last")


def test_a_time_has_seconds_where_it_is_no_whole_minute() -> None:
    assert minute(NOW_MS) == "2026-11-22 00:00"
    assert minute(NOW_MS + 5_000) == "2026-11-22 00:00:05"
    assert minute(NOW_MS + 60_999) == "2026-11-22 00:01"
