"""Readers of places: what was written below a key, as the attributes of a frozen description."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from service.monitor import key_of
from service.monitor_yaml import Place
from service.parsers import shown

T = TypeVar("T")
Reader = Callable[[Place], T | None]  # None: what is wrong has been noted at the place


def values_of(keys: Mapping[str, Place], readers: Mapping[str, Reader[Any]]) -> dict[str, Any]:
    """What was written and can be read, by attribute."""
    written = {attribute: keys[key_of(attribute)] for attribute in readers if key_of(attribute) in keys}
    values = {attribute: readers[attribute](place) for attribute, place in written.items()}
    return {attribute: value for attribute, value in values.items() if value is not None}


def one(parse: Callable[[str], T]) -> Reader[T]:
    """A single value."""
    return lambda place: place.read(parse)


def several(read: Reader[str], least: int, most: int, example: str) -> Reader[tuple[str, ...]]:
    """A list of different texts."""

    def read_all(place: Place) -> tuple[str, ...]:
        texts: list[str] = []
        for item in place.items(least, most, example):
            text = read(item)
            if text in texts:
                item.wrong(f"repeats {shown(text)}; write each name once")
            elif text is not None:
                texts.append(text)
        return tuple(texts)

    return read_all


def names(least: int, most: int) -> Reader[tuple[str, ...]]:
    """A list of different names."""
    return several(Place.name, least, most, "[first, second]")


def part(make: Callable[..., T], readers: Mapping[str, Reader[Any]]) -> Callable[[Place], T]:
    """A description of its own below a key."""
    return lambda place: make(**values_of(place.fields([*map(key_of, readers)]), readers))
