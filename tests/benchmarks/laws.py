"""Distributions that benchmarks draw from, known exactly: how rows are drawn, and P(X < x) for any x."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Law:
    """`draw` makes rows of a shape, `below` is P(X < x)."""

    draw: Callable[[np.random.Generator, tuple[int, int]], FloatArray]
    below: Callable[[FloatArray], FloatArray]
    mean: float
    deviation: float


def _of(frozen: stats.rv_continuous, deviation: float | None = None) -> Law:
    return Law(
        lambda random, shape: np.asarray(frozen.rvs(size=shape, random_state=random)),
        lambda x: np.asarray(frozen.cdf(x)),
        float(frozen.mean()),
        float(frozen.std()) if deviation is None else deviation,
    )


def _atoms(points: ArrayLike, masses: ArrayLike) -> Law:
    where, mass = np.asarray(points, float), np.asarray(masses, float)
    mass = mass / mass.sum()
    cumulated = np.concatenate([[0.0], np.cumsum(mass)])
    mean = float(mass @ where)
    return Law(
        lambda random, shape: random.choice(where, size=shape, p=mass),
        lambda x: cumulated[np.searchsorted(where, x, "left")],
        mean,
        float(np.sqrt(mass @ (where - mean) ** 2)),
    )


def _mostly_zero() -> Law:
    rest = stats.expon()
    return Law(
        lambda random, shape: np.where(random.random(shape) < 0.95, 0.0, random.exponential(size=shape)),
        lambda x: np.where(x > 0, 0.95, 0.0) + 0.05 * rest.cdf(x),
        0.05,
        float(np.sqrt(0.1 - 0.0025)),
    )


def _whole_numbers() -> Law:
    points, cdf = np.arange(90.0), stats.gamma(2.0, scale=5.0).cdf
    return _atoms(points, cdf(points + 0.5) - cdf(np.maximum(points - 0.5, 0.0)))


NORMAL = _of(stats.norm())
HEAVY = _of(stats.t(3))
DISCRETE = _atoms(np.arange(40), stats.poisson(3.0).pmf(np.arange(40)))
MOSTLY_ZERO = _mostly_zero()
SKEWED = _of(stats.gamma(2.0, scale=3.0))
NARROW = _of(stats.norm(5.0, 1.0))
LATTICE = _whole_numbers()


def shifted(law: Law, sigma: float) -> Law:
    """The mean moved by so many standard deviations."""
    by = sigma * law.deviation
    return Law(lambda r, s: law.draw(r, s) + by, lambda x: law.below(x - by), law.mean + by, law.deviation)


def spread(law: Law, factor: float) -> Law:
    """The standard deviation so many times as large about the same mean."""
    return Law(
        lambda r, s: law.mean + factor * (law.draw(r, s) - law.mean),
        lambda x: law.below(law.mean + (x - law.mean) / factor),
        law.mean,
        factor * law.deviation,
    )


def rescaled(law: Law, factor: float, share: float) -> Law:
    """A share of the rows multiplied."""
    return Law(
        lambda r, s: law.draw(r, s) * np.where(r.random(s) < share, factor, 1.0),
        lambda x: (1 - share) * law.below(x) + share * law.below(x / factor),
        law.mean * (1 + share * (factor - 1)),
        law.deviation,
    )


def filled(law: Law, share: float) -> Law:
    """A share of the rows is 0."""
    return Law(
        lambda r, s: np.where(r.random(s) < share, 0.0, law.draw(r, s)),
        lambda x: (1 - share) * law.below(x) + share * (x > 0),
        (1 - share) * law.mean,
        law.deviation,
    )


def divergence(changed: Law, law: Law, cells: int = 200_000) -> float:
    """KL(changed || law) in nats an event, for laws with a density: by fine cells of the law."""
    at = law.mean + law.deviation * np.linspace(-12, 25, cells)
    p, q = np.diff(law.below(at)), np.diff(changed.below(at))
    used = (q > 0) & (p > 0)
    return float((q[used] * np.log(q[used] / p[used])).sum())
