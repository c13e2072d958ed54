"""Pairs made from raw values, on a grid like the one that the service makes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from detectors.pair import CategoricalPair, FloatArray, NumericPair, Pair

SPARSE = np.arange(1, 41) ** -1.5 / (np.arange(1, 41) ** -1.5).sum()
DECADES = np.logspace(-6, 12, 150)


def _edges(reference: FloatArray) -> FloatArray:
    quantiles = np.quantile(reference, np.linspace(0, 1, 257))
    return np.unique(np.concatenate([quantiles, -DECADES, [0.0], DECADES]))


def _counts(edges: FloatArray, values: FloatArray) -> np.ndarray:
    inside = np.searchsorted(np.sort(values), edges)
    return np.diff(np.concatenate([[0], inside, [values.size]]))


def _numeric_pair(reference: FloatArray, current: FloatArray) -> NumericPair:
    edges = _edges(reference)
    both = np.concatenate([reference, current])
    return NumericPair(
        edges,
        _counts(edges, reference),
        _counts(edges, current),
        float(both.min()),
        float(both.max()),
        float(reference.std()),
    )


def _draw(law: str, random: np.random.Generator, size: int) -> FloatArray:
    match law:
        case "normal":
            return random.normal(size=size)
        case "lognormal":
            return random.lognormal(size=size)
        case "cauchy":
            return random.standard_cauchy(size)
        case "few integers":
            return random.binomial(5, 0.3, size).astype(np.float64)
        case _:
            return np.where(random.random(size) < 0.95, 0, random.lognormal(size=size))


def _null_pair(law: str, random: np.random.Generator, n: int, m: int) -> Pair:
    if law == "sparse categories":
        return CategoricalPair(random.multinomial(m, SPARSE), random.multinomial(n, SPARSE))
    return _numeric_pair(_draw(law, random, m), _draw(law, random, n))


@pytest.fixture
def numeric_pair() -> Callable[[FloatArray, FloatArray], NumericPair]:
    """Count raw values on 256 quantiles of the reference and 301 log-spaced edges."""
    return _numeric_pair


@pytest.fixture
def null_pair() -> Callable[[str, np.random.Generator, int, int], Pair]:
    """Draw both sides of a pair from one law."""
    return _null_pair


@pytest.fixture
def published_pair() -> CategoricalPair:
    """Multiply the categorical pair of detection.md by 10, so that each of its 6 categories keeps a group."""
    reference = np.array([16, 18, 16, 14, 12, 12]) * 10
    return CategoricalPair(reference, np.array([16, 16, 16, 16, 16, 8]) * 10)
