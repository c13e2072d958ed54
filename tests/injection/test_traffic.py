"""Faults of the traffic itself."""

from __future__ import annotations

from itertools import pairwise

import pytest

from service.errors import ConfigurationError
from service.injection.traffic import Duplicates, FarFuture, Late, OutOfOrder, Silence
from tests.injection.logs import faulted, label, lines, of_all, parsed, row, rows

TEN = rows(10)


def numbers(made: list[bytes]) -> list[int]:
    """The inferences' numbers, in the order in which they arrive."""
    return [int(e["id"].removeprefix("p-")) for e in parsed(made) if e["type"] != "label"]


def test_nothing_comes_while_there_is_silence() -> None:
    made = faulted(Silence(), TEN, minute=3, until=6)
    assert numbers(made) == [0, 1, 2, 6, 7, 8, 9]
    assert numbers(faulted(Silence(), TEN, where=("country", "FR"))) == [1, 2, 4, 5, 7, 8]


def test_labels_still_come() -> None:
    made = faulted(Silence(), [*TEN, label(1, "yes")], minute=0)
    assert of_all(made, "label") == ["yes"]


def test_duplicates_are_byte_for_byte() -> None:
    made = faulted(Duplicates(2), TEN, minute=8)
    assert made == [*lines(TEN[:8]), *lines([TEN[8]] * 3), *lines([TEN[9]] * 3)]


def test_without_ids_there_are_no_duplicates() -> None:
    events = [{name: value for name, value in e.items() if name != "id"} for e in TEN]
    with pytest.raises(ConfigurationError, match="duplicates needs events with an `id`"):
        faulted(Duplicates(), events)
    with pytest.raises(ConfigurationError, match="--times 0 is no number of copies"):
        faulted(Duplicates(0), TEN)


# minute   0 1 2 3 4 5 6 7 8 9
# arrives  0 1 - - - 2,5 3,6 4,7 8 9   (those of minutes 2 to 4 are three minutes late)
def test_late_events_arrive_when_the_log_has_got_there_and_keep_their_times() -> None:
    made = faulted(Late("3m"), TEN, minute=2, until=5)
    assert numbers(made) == [0, 1, 2, 5, 3, 6, 4, 7, 8, 9]
    assert sorted(made) == sorted(lines(TEN))


def test_what_is_later_than_the_logs_end_comes_last() -> None:
    assert numbers(faulted(Late("2h"), TEN, minute=8)) == list(range(10))
    assert numbers(faulted(Late("2h"), TEN, minute=2, until=4)) == [0, 1, 4, 5, 6, 7, 8, 9, 2, 3]


def test_events_overtake_each_other_by_no_more_than_was_said() -> None:
    made = numbers(faulted(OutOfOrder("4m"), rows(400)))
    assert made != list(range(400))
    assert sorted(made) == list(range(400))
    assert max(before - after for before, after in pairwise(made)) <= 4
    assert made == numbers(faulted(OutOfOrder("4m"), rows(400)))


def test_one_event_says_that_it_is_of_the_year_2099() -> None:
    made = faulted(FarFuture(), TEN, minute=4)
    assert of_all(made, "ts")[4] == 4_070_908_800_000
    assert [*made[:4], *made[5:]] == lines([*TEN[:4], *TEN[5:]])
    assert sum(ts > row(10)["ts"] for ts in of_all(faulted(FarFuture(count=3), TEN), "ts")) == 3


@pytest.mark.parametrize("fault", [Late("soon"), OutOfOrder("5 minutes")])
def test_a_time_span_that_is_none_is_said(fault: Late) -> None:
    with pytest.raises(ConfigurationError, match="is no time span; write a duration such as 5m"):
        faulted(fault, TEN)


def test_a_time_that_is_none_is_said() -> None:
    with pytest.raises(ConfigurationError, match=r"--time 'tomorrow' is no time; write ISO 8601"):
        faulted(FarFuture("tomorrow"), TEN)
