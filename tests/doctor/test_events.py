"""Dead letters are a warning when they are many beside what was accepted; clocks when events come from the future."""

from __future__ import annotations

import pytest

from service.doctor.check import Condition
from service.doctor.events import dead_letter_check, producer_clock_check
from service.doctor.flow import PartitionStanding
from tests.doctor.standing import NOW_MS, standing


@pytest.mark.parametrize(
    ("accepted", "condition"), [(1_300, Condition.OK), (1_299, Condition.WARNING), (0, Condition.WARNING)]
)
def test_dead_letters_are_a_warning_above_a_hundredth(accepted: int, condition: Condition) -> None:
    check = dead_letter_check({"bad_json": 3, "unknown_model": 10}, accepted)
    assert check.condition is condition
    assert check.sentence == f"13 in the last hour beside {accepted:,} accepted: 10 unknown_model, 3 bad_json"


def test_no_dead_letters_are_well() -> None:
    assert dead_letter_check({}, 0).condition is Condition.OK


def partition(highest_ms: int | None) -> PartitionStanding:
    return standing(2, topic="log", highest_ms=highest_ms)


@pytest.mark.parametrize(
    ("ahead_ms", "condition"), [(-60_000, Condition.OK), (5_000, Condition.OK), (5_001, Condition.WARNING)]
)
def test_an_event_ahead_of_our_clock_is_a_warning_that_names_its_partition(
    ahead_ms: int, condition: Condition
) -> None:
    check = producer_clock_check([partition(None), partition(NOW_MS + ahead_ms)], {}, NOW_MS)
    assert check.condition is condition
    assert ("partition log 2 is 5 s ahead" in check.sentence) == (condition is Condition.WARNING)


def test_events_that_were_refused_since_they_came_from_the_future_are_a_warning() -> None:
    check = producer_clock_check([partition(NOW_MS)], {"future_timestamp": 7}, NOW_MS)
    assert (check.condition, check.sentence.split(" came")[0]) == (
        Condition.WARNING,
        "7 events of the last hour",
    )


def test_before_the_first_event_nothing_is_known() -> None:
    assert not producer_clock_check([], {}, NOW_MS).is_problem
