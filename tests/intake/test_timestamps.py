"""Event times of every unit and form, alone or among others, come to the same millisecond."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.intake.timestamps import BAD, parse_timestamps

exhaustively = settings(max_examples=150, deadline=None, derandomize=True)
AT = datetime(2026, 11, 22, 3, 4, 32, 123_456, tzinfo=UTC)
AT_MS = 1_795_316_672_123
LAST_MS = 253_402_300_799_999
RECORD_MS = 1_795_000_000_000
UNITS = {"s": 10**-3, "ms": 1, "us": 10**3, "ns": 10**6}


def parse(*values: Any, unit: str = "auto", record_ms: int = RECORD_MS) -> list[int]:
    """The milliseconds of these values, all of records of one time."""
    return [int(ms) for ms in parse_timestamps(values, unit, np.full(len(values), record_ms))]


def test_the_example_is_right() -> None:
    assert (AT - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1) == AT_MS


@pytest.mark.parametrize("unit", ["auto", "own"])
@pytest.mark.parametrize(
    ("value", "own", "expected"),
    [
        (1_795_316_672, "s", AT_MS - 123), (AT_MS, "ms", AT_MS), (AT_MS * 1_000 + 456, "us", AT_MS),
        (AT_MS * 10**6 + 456_789, "ns", AT_MS),
        (1_795_316_672.0, "s", AT_MS - 123), (1_795_316_672.123, "s", AT_MS),
        (1_795_316_672.123999, "s", AT_MS), (float(AT_MS), "ms", AT_MS),
        (AT_MS + 0.9, "ms", AT_MS), (AT_MS * 1e3, "us", AT_MS), (10**11 - 1, "s", 10**14 - 1_000),
        (10**11, "ms", 10**11), (10**14, "us", 10**11), (10**17, "ns", 10**11),
        (0, "s", 0), (0.0, "s", 0), (10**10, "s", 10**13),
    ],
)  # fmt: skip
def test_numbers_are_epochs_in_the_declared_unit_or_by_their_magnitude(
    value: float, own: str, unit: str, expected: int
) -> None:
    assert parse(value, unit=own if unit == "own" else "auto") == [expected]


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (5, "ms", 5), (5_999, "us", 5), (5_999_999, "ns", 5), (253_402_300_799, "s", LAST_MS - 999),
        (LAST_MS, "ms", LAST_MS), (1.5, "ms", 1),
    ],
)  # fmt: skip
def test_a_declared_unit_is_believed_whatever_the_magnitude(value: float, unit: str, expected: int) -> None:
    assert parse(value, unit=unit) == [expected]


@pytest.mark.parametrize("unit", ["auto", *UNITS])
@pytest.mark.parametrize(
    "value",
    [
        -1, -1.0, -5e9, -(2**63), -(2**63) + 7, -(2**62), 2**63, 2**64, -(2**64), 10**400, float("nan"),
        float("inf"), -float("inf"), 1e300, -1e300,
        True, False, [], {}, "", "soon", "NaN", "1795316672", "1795316672123", "17011231", "1701123101234",
        "20261121110", "2026-11-22T03:04:60Z",
        "0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999Z", "10000-01-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "9999-12-31T23:59:59.999999-00:01", "2026-11-22T03:04:32 Europe/Berlin", "2026-11-22T25:00:00Z",
        "2026-11-22T03:04:32\0Z", "T" * 20, "Z" * 24,
    ],
)  # fmt: skip
def test_what_is_no_time_between_1970_and_9999_is_bad(value: Any, unit: str) -> None:
    for values in ([value], [value, value], [value, AT_MS], ["2026-11-22T03:04:32Z", value, None]):
        assert parse_timestamps(values, unit, np.full(len(values), RECORD_MS))[values.index(value)] == BAD


@pytest.mark.parametrize("value", [LAST_MS + 1, 253_402_300_800.0])
def test_the_year_10000_is_bad(value: float) -> None:
    assert parse(value, unit="ms" if isinstance(value, int) else "s") == [BAD]


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-22T03:04:32.123456Z", "2026-11-22T03:04:32.123Z", "2026-11-22T03:04:32,123Z",
        "2026-11-22 03:04:32.123", "2026-11-22T03:04:32.123456",
        "2026-11-22T08:34:32.123+05:30", "2026-11-21T22:04:32.123456-05:00", "20261122T030432.123Z",
        "2026-11-22T03:04:32.123999999Z"[:-4] + "Z",
        "2026-W47-7T03:04:32.123Z",
    ],
)  # fmt: skip
def test_texts_are_iso_8601_and_utc_without_a_zone(value: str) -> None:
    assert parse(value) == [AT_MS]


def test_a_date_is_its_first_millisecond() -> None:
    assert parse("2026-11-22", "20261122") == [1_795_305_600_000] * 2


def test_without_a_time_the_record_s_own_counts() -> None:
    assert parse(None) == [RECORD_MS]
    assert parse(None, record_ms=-1) == [BAD]
    assert parse(None, AT_MS, "2026-11-22T03:04:32.123Z", record_ms=-1) == [BAD, AT_MS, AT_MS]


def test_no_values_are_no_times() -> None:
    assert parse() == []


MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31, 23, 59, 59))  # noqa: DTZ001
TEXTS = MOMENTS.flatmap(
    lambda at: st.sampled_from(
        [at.isoformat(), f"{at.isoformat(' ')}+02:00"]
        + [f"{at.isoformat(timespec=spec)}Z" for spec in ("auto", "seconds", "milliseconds")]
    )
)  # fmt: skip
ANYTHING = st.one_of(
    st.none(), st.integers(), st.integers(0, 2**63), st.floats(), st.floats(0, 3e18), TEXTS,
    st.text(max_size=24), st.booleans(),
)  # fmt: skip


@exhaustively
@given(st.lists(ANYTHING, max_size=20), st.sampled_from(["auto", *UNITS]), st.randoms(use_true_random=False))
def test_a_time_does_not_depend_on_its_neighbours(
    values: list[Any], unit: str, chance: random.Random
) -> None:
    record_ms = np.array([chance.choice([-1, RECORD_MS]) for _ in values], np.int64)
    alone = [int(parse_timestamps([v], unit, record_ms[i : i + 1])[0]) for i, v in enumerate(values)]
    assert parse_timestamps(values, unit, record_ms).tolist() == alone
    assert all(ms == BAD or 0 <= ms <= LAST_MS for ms in alone)


@exhaustively
@given(
    st.lists(MOMENTS, min_size=1, max_size=20), st.sampled_from(["seconds", "milliseconds", "microseconds"])
)
def test_uniform_texts_are_exactly_the_milliseconds_of_their_time(
    moments: list[datetime], timespec: str
) -> None:
    exact = [
        (at.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
        for at in moments
    ]
    whole = [ms - ms % 1_000 for ms in exact]
    texts = [f"{at.isoformat(timespec=timespec)}Z" for at in moments]
    assert parse(*texts) == (whole if timespec == "seconds" else exact)


@exhaustively
@given(st.lists(st.integers(10**12, 4 * 10**12), min_size=1, max_size=20))
def test_every_millisecond_of_this_century_survives_in_seconds_with_a_fraction(millis: list[int]) -> None:
    assert parse(*[ms / 1_000 for ms in millis]) == millis
    assert parse(*[ms / 1_000 for ms in millis], unit="s") == millis


@exhaustively
@given(st.lists(st.integers(0, LAST_MS), min_size=1, max_size=20), st.sampled_from(["ms", "us"]))
def test_whole_epochs_are_exact(millis: list[int], unit: str) -> None:
    assert parse(*[ms * round(UNITS[unit]) for ms in millis], unit=unit) == millis
