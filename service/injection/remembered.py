"""A memory of the latest so many names, for faults that must know an event's id again."""

from __future__ import annotations

from typing import Generic, TypeVar

Kept = TypeVar("Kept")

MOST = 1_000_000


class Remembered(Generic[Kept]):
    """What was put under a name; of more than `most` names the oldest are forgotten."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: dict[str, Kept] = {}

    def put(self, name: str, kept: Kept) -> None:
        """Remember it."""
        self._kept[name] = kept
        if len(self._kept) > self._most:
            del self._kept[next(iter(self._kept))]

    def pop(self, name: str) -> Kept | None:
        """What was put there, which is then forgotten."""
        return self._kept.pop(name, None)

    def __contains__(self, name: str) -> bool:
        return name in self._kept
