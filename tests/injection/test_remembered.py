"""A memory that does not grow for ever."""

from __future__ import annotations

from service.injection.remembered import Remembered


def test_the_oldest_are_forgotten() -> None:
    memory: Remembered[int] = Remembered(most=2)
    for number, name in enumerate("abc"):
        memory.put(name, number)
    assert [name in memory for name in "abc"] == [False, True, True]


def test_what_was_taken_out_is_gone() -> None:
    memory: Remembered[int] = Remembered()
    memory.put("a", 7)
    assert (memory.pop("a"), memory.pop("a")) == (7, None)
