"""The stored side of a partition, read in step with its log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from service.messages import FilterKey, PaneRow
    from service.store.snapshot import StoredLetter, StoredPartition

Row = TypeVar("Row")


class Ordered(Generic[Row]):
    """Rows in the order of a number, taken up to that number; each is seen once."""

    def __init__(self, rows: Iterable[Row], number: Callable[[Row], int]) -> None:
        self._rows: Iterator[Row] = iter(rows)
        self._number = number
        self._next: Row | None = next(self._rows, None)

    def take_until(self, last: int) -> list[Row]:
        """The next rows whose number is `last` at most."""
        taken = []
        while self._next is not None and self._number(self._next) <= last:
            taken.append(self._next)
            self._next = next(self._rows, None)
        return taken


@dataclass(frozen=True)
class Stored:
    """What the database holds of a partition: its row, panes by their ends and dead letters by their offsets."""

    row: StoredPartition
    panes: Ordered[PaneRow]
    letters: Ordered[StoredLetter]
    ids: Callable[[int], dict[FilterKey, NDArray[np.uint64]]]
