"""Naive models know the windows before, and say what was usual there."""

from __future__ import annotations

from service.messages import WindowKey
from service.monitor import DAY_MS, HOUR_MS
from service.performance.baselines import LAST, SEASONAL, USUAL, Memory, guesses, remembered
from service.performance.standing import Labels


def hour(day: int, of_day: int) -> WindowKey:
    start = day * DAY_MS + of_day * HOUR_MS
    return WindowKey("churn", "", "", "1h", start, start + HOUR_MS)


def test_the_usual_the_last_and_the_same_hour_of_yesterday() -> None:
    # day 1   09:00 class 0 | 10:00 class 2, twice as often |  day 2   09:00 ?
    memory = remembered(Memory(), hour(1, 9), Labels((10.0, 0.0, 0.0)))
    memory = remembered(memory, hour(1, 10), Labels((0.0, 1.0, 20.0)))
    assert guesses(memory, hour(1, 11)) == {USUAL: 2.0, LAST: 2.0}
    memory = remembered(memory, hour(2, 8), Labels((0.0, 5.0, 0.0)))
    assert guesses(memory, hour(2, 9)) == {USUAL: 2.0, LAST: 1.0, SEASONAL: 0.0}
    assert SEASONAL not in guesses(memory, hour(3, 9))


def test_of_numbers_the_mean_is_said() -> None:
    memory = remembered(Memory(), hour(1, 9), Labels((2.0, 30.0), are_numbers=True))
    memory = remembered(memory, hour(1, 10), Labels((3.0, 20.0), are_numbers=True))
    assert guesses(memory, hour(1, 11)) == {USUAL: 10.0, LAST: 20.0 / 3.0}


def test_a_window_without_labels_is_not_remembered_and_other_classes_begin_anew() -> None:
    memory = remembered(Memory(), hour(1, 9), Labels((1.0, 3.0)))
    assert remembered(memory, hour(1, 10), Labels((0.0, 0.0))) == memory
    assert remembered(memory, hour(1, 10), Labels((9.0, 0.0, 1.0))).all.counts == (9.0, 0.0, 1.0)
    assert guesses(Memory(), hour(1, 9)) == {}
