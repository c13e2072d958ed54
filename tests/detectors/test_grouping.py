from __future__ import annotations

import numpy as np
import pytest

from detectors.cells import group
from detectors.grouping import category_reference, group_categories, group_numbers
from detectors.number_columns import NumberColumns, number_reference
from detectors.pair import CategoricalPair, NumericPair

KINDS = ("few", "many", "heavy", "gaps", "constant", "one bin", "unseen")


def _counts(random: np.random.Generator, kind: str) -> np.ndarray:
    size = int(random.integers(2, 70))
    counts = random.integers(0, 3 if kind == "few" else 2000, size)
    if kind == "heavy":
        counts[random.integers(size)] = 500_000
    if kind == "gaps":
        counts[random.random(size) < 0.5] = 0
    if kind == "constant":
        counts[:] = 0
    if kind == "unseen":
        counts[-size // 2 :] = 0
    counts = counts[:1] if kind == "one bin" else counts
    counts[0] += 40
    return counts


def _sides(seed: int, n: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    random = np.random.default_rng(seed)
    reference = [_counts(random, kind) for kind in KINDS for _ in range(6)]
    current = [random.multinomial(n, (c + 0.1) / (c + 0.1).sum()) for c in reference]
    return reference, current


def _assert_same(cells, pairs):
    for column, pair in enumerate(pairs):
        alone, here = group(pair), cells.of(np.arange(len(pairs)) == column)
        assert here.reference.tolist() == alone.reference.tolist()
        assert here.current.tolist() == alone.current.tolist()


@pytest.mark.parametrize("n", [10, 77, 1000, 50_000])
def test_number_columns_are_grouped_as_they_are_one_by_one(n):
    reference, current = _sides(80, n)
    edges = [np.arange(c.size - 1.0) for c in reference]
    far = np.full(len(edges), 99.0)
    static = number_reference(edges, reference, [1.0] * len(edges))
    cells = group_numbers(NumberColumns.beside(static, static.padded(np.concatenate(current)), -far, far))
    _assert_same(
        cells, [NumericPair(e, r, c, -9, 99, 1) for e, r, c in zip(edges, reference, current, strict=True)]
    )


@pytest.mark.parametrize("n", [10, 77, 1000, 50_000])
def test_category_columns_are_grouped_as_they_are_one_by_one(n):
    reference, current = _sides(81, n)
    cells = group_categories(category_reference(reference), np.concatenate(current))
    _assert_same(cells, [CategoricalPair(r, c) for r, c in zip(reference, current, strict=True)])


def test_some_category_columns_are_as_if_the_others_had_never_been():
    reference, current = _sides(82, 1000)
    chosen = np.arange(len(reference)) % 3 == 0
    static = category_reference(reference)
    cells = group_categories(static.of(chosen), np.concatenate(current)[static.places(chosen)])
    pairs = [CategoricalPair(r, c) for r, c in zip(reference, current, strict=True)]
    _assert_same(cells, [pair for pair, wanted in zip(pairs, chosen, strict=True) if wanted])
