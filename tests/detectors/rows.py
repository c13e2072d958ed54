"""Rows of several columns drawn from known laws, and what detectors are given of them."""

from __future__ import annotations

import numpy as np

from detectors.joint import MomentsPair, SecondMoments
from detectors.pair import FloatArray

LAWS = (
    "normal",
    "two factors",
    "near-collinear",
    "collinear but for strays",
    "discrete",
    "rare",
    "mostly zero",
    "lognormal",
    "common heavy tail",
    "cauchy",
)
_BLOCK = 32


def draw_rows(law: str, random: np.random.Generator, rows: int, columns: int) -> FloatArray:
    """Draw independent rows, (rows, columns)."""
    shape = (rows, columns)
    match law:
        case "normal":
            drawn = random.normal(size=shape)
        case "two factors":
            loadings = np.random.default_rng(5).normal(size=(2, columns))
            drawn = random.normal(size=(rows, 2)) @ loadings + random.normal(size=shape)
        case "near-collinear":
            drawn = _twins(random, shape) + 0.05 * random.normal(size=shape)
        case "collinear but for strays":
            drawn = np.where(random.random(shape) < 0.003, 0.0, _twins(random, shape))
        case "discrete":
            drawn = random.binomial(4, 0.3, shape) + random.binomial(2, 0.5, (rows, 1)).astype(float)
        case "rare":
            drawn = (random.random(shape) < np.geomspace(0.3, 0.002, columns)).astype(float)
        case "mostly zero":
            drawn = np.where(random.random(shape) < 0.95, 0, random.lognormal(size=shape))
        case "lognormal":
            drawn = random.lognormal(size=shape)
        case "common heavy tail":
            spread = np.sqrt(3 / random.chisquare(3, (rows, 1)))
            drawn = (random.normal(size=shape) + random.normal(size=(rows, 1))) * spread
        case _:
            drawn = random.standard_cauchy(shape)
    return np.asarray(drawn, dtype=np.float64)


def _twins(random: np.random.Generator, shape: tuple[int, int]) -> FloatArray:
    """Normal columns, of which each second one repeats the one before."""
    drawn = random.normal(size=shape)
    drawn[:, 1::2] = drawn[:, : shape[1] // 2 * 2 : 2]
    return drawn


def moments_of(values: FloatArray) -> SecondMoments:
    """Count complete rows, (rows, columns)."""
    rows, columns = values.shape
    mean = values.mean(axis=0) if rows else np.zeros(columns)
    away = values - mean
    return SecondMoments(rows, np.full(columns, rows), mean, away.T @ away / max(rows, 1))


def moments_pair(reference: FloatArray, current: FloatArray, *, blocks: bool = True) -> MomentsPair:
    """Standardise by the reference, clip at 8 deviations, and count both sides and at most 64 blocks."""
    centre, scale = moments_of(reference).mean, np.sqrt(moments_of(reference).covariance.diagonal())
    scale[scale == 0] = 1
    reference, current = (np.clip((values - centre) / scale, -8, 8) for values in (reference, current))
    length = _BLOCK
    while len(reference) // length > 64:
        length *= 2
    starts = range(0, len(reference) - length + 1, length) if blocks else ()
    parts = tuple(moments_of(reference[start : start + length]) for start in starts)
    return MomentsPair(moments_of(reference), parts, moments_of(current))
