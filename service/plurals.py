"""Counts with their nouns, as sentences say them."""

from __future__ import annotations


def counted(n: int, one: str, many: str = "") -> str:
    """The number and its noun.

    >>> counted(1, "partition"), counted(2_000, "partition"), counted(0, "page of it", "pages of it")
    ('1 partition', '2,000 partitions', '0 pages of it')
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"
