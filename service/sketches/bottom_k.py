"""Counts of arbitrary texts in bounded memory that still merge exactly.

Of all distinct texts the `size` with the smallest hash are kept, each with its exact count; the rest is one
number. A text among the smallest of a union is among the smallest of every part it occurs in, so
merging is associative and commutative, and no order of arrival changes the outcome (KMV, Bar-Yossef et al.
2002).
"""

from __future__ import annotations

from typing import Self

import xxhash

SIZE = 256


def _rank(text: str) -> int:
    return xxhash.xxh3_64_intdigest(text.encode("utf-8", "surrogatepass"))


class BottomK:
    """Exact counts of the texts with the smallest hashes, and the total of the others."""

    __slots__ = ("_limit", "counts", "other")

    def __init__(self, counts: dict[str, int] | None = None, other: int = 0) -> None:
        self.counts = counts if counts is not None else {}
        self.other = other
        self._limit = max(map(_rank, self.counts)) if other and self.counts else 2**64

    @property
    def total(self) -> int:
        """Rows counted, kept or not."""
        return sum(self.counts.values()) + self.other

    @property
    def distinct(self) -> float:
        """The number of distinct texts: exact up to `SIZE`, else estimated with error about 1/sqrt(SIZE)."""
        self.shrink()
        if not self.other:
            return float(len(self.counts))
        return (SIZE - 1) * 2.0**64 / max(map(_rank, self.counts))

    def add(self, text: str, count: int) -> None:
        """Count `text` so many times."""
        if text in self.counts:
            self.counts[text] += count
        elif self._limit < 2**64 and _rank(text) > self._limit:
            self.other += count
        else:
            self.counts[text] = count
            if len(self.counts) >= 2 * SIZE:
                self.shrink()

    def shrink(self) -> None:
        """Drop all but the `SIZE` smallest; call before comparing or saving."""
        if len(self.counts) <= SIZE:
            return
        ranked = sorted(self.counts, key=_rank)
        for text in ranked[SIZE:]:
            self.other += self.counts.pop(text)
        self._limit = _rank(ranked[SIZE - 1])

    def merge(self, other: Self) -> None:
        """Count all that `other` has counted."""
        self._limit = min(self._limit, other._limit)
        self.other += other.other
        for text, count in other.counts.items():
            self.add(text, count)
        self._prune()
        self.shrink()

    def _prune(self) -> None:
        for text in [t for t in self.counts if _rank(t) > self._limit]:
            self.other += self.counts.pop(text)

    def copy(self) -> BottomK:
        """An independent copy."""
        made = BottomK(dict(self.counts), self.other)
        made._limit = self._limit
        return made
