"""Windows as parallel lists, since they are drawn: a series for each version and method or basis, its rows as CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from service.web.api.csv_rows import CsvTable

Names = Mapping[str, str]
"""What is a list in columns, by what one of them is called."""
Kind = tuple[str, str]


class OfWindow(Protocol):
    """What is known of one window, by its end."""

    @property
    def end_ms(self) -> int:
        """Where the window ends."""


T = TypeVar("T", bound=OfWindow)


def by_kind(found: Iterable[T], kind_of: Callable[[T], Kind]) -> dict[Kind, dict[int, T]]:
    """What there is of each series, by the ends of the windows."""
    series: dict[Kind, dict[int, T]] = {}
    for one in found:
        series.setdefault(kind_of(one), {})[one.end_ms] = one
    return series


def aligned(of: Mapping[int, T], ends: Sequence[int], names: Names) -> dict[str, list[Any]]:
    """Lists with a place for each window; None where nothing is known of it."""
    there = [of.get(end) for end in ends]
    return {
        plural: [None if one is None else getattr(one, name) for one in there]
        for plural, name in names.items()
    }


def series_table(told: Any, by: str, windows: Names, values: Names, known: str) -> CsvTable:
    """A row for each window of each series in which this list has something."""
    header = ["version", by, *windows.values(), *values.values()]
    rows = (
        [one["version"], one[by], *(told["windows"][p][at] for p in windows), *(one[p][at] for p in values)]
        for one in told["series"]
        for at, there in enumerate(one[known])
        if there is not None
    )
    return CsvTable(header, rows)
