"""Counts the texts of a column that break a promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from detectors.allowed_share import repeats_p_value
from service.contract.clauses import Code, Count, exactly
from service.contract.grids import categories_of
from service.sketches.bottom_k import SIZE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from service.promises import Promise
    from service.sketches.bottom_k import BottomK


def text_counts(texts: BottomK, counted: Collection[str], promise: Promise) -> Iterator[Count]:
    """Every clause about values, for a column that is counted as categories; those of the grid are `counted`.

    The categories of a contract in force are counted one by one (`grid_for`). Of rows counted on another grid, texts
    that were not kept might be promised ones: only those that are known are certain.
    """
    n, promised = texts.total, set(categories_of(promise))
    if promised:
        known = sum(count for text, count in texts.counts.items() if text not in promised)
        is_exact = promised <= set(counted) or not texts.other
        code = Code.NOT_CONSTANT if promise.categories is None else Code.UNEXPECTED_TEXT
        certain = known + texts.other if is_exact else known
        resolution = 0.0 if is_exact or not n else texts.other / n
        yield Count(code, known + texts.other, n, promise.other, certain, resolution)
    if promise.unique is not None:
        yield _repeated(texts, promise.unique)


def _repeated(texts: BottomK, unique: float) -> Count:
    """Rows whose text another row has had; beyond the kept texts their number is estimated."""
    n, allowed = texts.total, 1 - unique
    if not texts.other:
        return exactly(Code.LOW_UNIQUE, n - len(texts.counts), n, allowed)
    distinct, known = texts.copy().distinct, sum(count - 1 for count in texts.counts.values())
    p_value = repeats_p_value(distinct, SIZE, unique * n) if unique * n > 0 else 1.0
    hits = max(float(known), n - distinct)
    return Count(Code.LOW_UNIQUE, hits, n, allowed, known, 2 * distinct / n / SIZE**0.5, p_value)


def unexpected_texts(texts: BottomK, promise: Promise, most: int = 3) -> tuple[str, ...]:
    """The most frequent texts that are not promised, of those that were kept."""
    promised = set(categories_of(promise))
    others = sorted((-count, text) for text, count in texts.counts.items() if text not in promised)
    return tuple(text for _, text in others[:most])
