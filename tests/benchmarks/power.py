"""How many windows a fault takes to be found, beside Kolmogorov and Smirnov with Bonferroni, and beside the floor.

One of 20 features is faulty. The rival rings at the rate that driftbell has promised for this one column and test, and
again at the whole promise (one false window in 720, over 20 features), some fifty times as often. The floor is
Lorden's: no rule whose mean time between false alarms is 720 windows finds a change sooner, on average, than in
log(720) / (n KL) windows, or one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, log

import numpy as np
from scipy import stats

from tests.benchmarks.drawn import (
    PROMISED_WINDOWS,
    REFERENCE_ROWS,
    Columns,
    DrawnWindow,
    Stream,
    limits_for,
    make_columns,
)
from tests.benchmarks.laws import (
    LATTICE,
    NARROW,
    NORMAL,
    SKEWED,
    FloatArray,
    Law,
    divergence,
    filled,
    rescaled,
    shifted,
    spread,
)

ROWS = (50, 200, 1_000, 10_000, 100_000)
FEATURES = 20
ALPHA = 1 / PROMISED_WINDOWS / FEATURES
REPEATS = 40
_QUIET_WINDOWS = 30
UNIT = 1.609344


@dataclass(frozen=True)
class Fault:
    """A law, what becomes of it, and the share of missing values before and after."""

    name: str
    law: Law
    changed: Law
    usual_missing: float = 0.0
    missing: float = 0.0

    @property
    def is_missing(self) -> bool:
        """Whether values go, and the others stay as they are."""
        return self.missing > self.usual_missing

    @property
    def nats(self) -> float:
        """The divergence from before to after, by event; infinite if something is seen that never was."""
        if self.is_missing:
            p, q = self.usual_missing, self.missing
            return q * log(q / p) + (1 - q) * log((1 - q) / (1 - p)) if p else inf
        return inf if self.law is LATTICE else divergence(self.changed, self.law)


def _shift(sigma: float) -> Fault:
    return Fault(f"mean + {sigma:g} sd", NORMAL, shifted(NORMAL, sigma))


FAULTS = (
    *(_shift(sigma) for sigma in (0.02, 0.05, 0.1, 0.2, 0.5)),
    Fault("spread x 1.1", NORMAL, spread(NORMAL, 1.1)),
    Fault("spread x 1.5", NORMAL, spread(NORMAL, 1.5)),
    Fault("1 % missing", NORMAL, NORMAL, 0.0, 0.01),
    Fault("5 % missing", NORMAL, NORMAL, 0.0, 0.05),
    Fault("20 % missing", NORMAL, NORMAL, 0.0, 0.2),
    Fault("missing 0.5 to 2 %", NORMAL, NORMAL, 0.005, 0.02),
    Fault("1 % of rows x 1.609, skewed", SKEWED, rescaled(SKEWED, UNIT, 0.01)),
    Fault("5 % of rows x 1.609, skewed", SKEWED, rescaled(SKEWED, UNIT, 0.05)),
    Fault("1 % of rows x 1.609, narrow", NARROW, rescaled(NARROW, UNIT, 0.01)),
    Fault("5 % of rows x 1.609, narrow", NARROW, rescaled(NARROW, UNIT, 0.05)),
    Fault("1 % of rows x 1.609, whole numbers", LATTICE, rescaled(LATTICE, UNIT, 0.01)),
    Fault("5 % of rows x 1.609, whole numbers", LATTICE, rescaled(LATTICE, UNIT, 0.05)),
    Fault("1 % filled with 0, in the middle", NORMAL, filled(NORMAL, 0.01)),
    Fault("1 % filled with 0, below all", shifted(SKEWED, 1.0), filled(shifted(SKEWED, 1.0), 0.01)),
)


@dataclass(frozen=True)
class Delay:
    """Mean delays in windows, at most `longest` each; how many of the repeats were found by then."""

    fault: str
    rows: int
    driftbell: float
    found: float
    rival: float
    rival_found: float
    generous: float
    generous_found: float
    floor: float
    longest: int


def delays(rows: tuple[int, ...] = ROWS, repeats: int = REPEATS, longest: int = 200) -> Iterator[Delay]:
    """All faults at all sizes. Rivals of values are KS, of missing values an exact test of their share."""
    made: dict[tuple[int, float], Columns] = {}
    for number, fault in enumerate(FAULTS):
        random = np.random.default_rng([7, number])
        key = (id(fault.law), fault.usual_missing)
        if key not in made:
            made[key] = make_columns(fault.law, repeats, random, fault.usual_missing)
        for size in rows:
            ours, rival, generous = _first(fault, made[key], size, longest, random)
            floor = max(1.0, log(PROMISED_WINDOWS) / (size * fault.nats))
            told = [
                (float(np.minimum(found, longest).mean()), float((found <= longest).mean()))
                for found in (ours, rival, generous)
            ]
            yield Delay(fault.name, size, *told[0], *told[1], *told[2], floor, longest)


def _first(
    fault: Fault, columns: Columns, rows: int, longest: int, random: np.random.Generator
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The faulty window in which each column is found, infinite if none: by driftbell, the rival, the generous one."""
    count = len(columns.bins)
    quiet, faulty = columns.shares(fault.law), columns.shares(fault.changed)
    watch = limits_for(count, FEATURES)
    nats = watch.rate_limits[0, 0] if fault.is_missing else watch.distribution_limits[0]
    alphas = (float(np.exp(-nats)), ALPHA)
    stream = Stream(columns.usual, watch)
    for _ in range(_QUIET_WINDOWS):
        stream.take(_draw(columns, random, rows, quiet, fault.usual_missing)[0])
    ours, rivals = np.full(count, inf), [np.full(count, inf) for _ in alphas]
    for window in range(1, longest + 1):
        drawn, bins = _draw(columns, random, rows, faulty, fault.missing)
        ours[(stream.take(drawn) > 0) & np.isinf(ours)] = window
        p_values = _share_p_values(columns, drawn) if fault.is_missing else _ks_p_values(columns, bins)
        for rival, alpha in zip(rivals, alphas, strict=True):
            rival[(p_values < alpha) & np.isinf(rival)] = window
        if np.isfinite([ours, *rivals]).all():
            break
    return ours, rivals[0], rivals[1]


def _draw(
    columns: Columns, random: np.random.Generator, rows: int, shares: FloatArray, missing: float
) -> tuple[DrawnWindow, FloatArray]:
    gone = np.zeros((len(shares), 6))
    gone[:, 0] = random.binomial(rows, missing, len(shares))
    bins = random.multinomial((rows - gone[:, 0]).astype(np.int64), shares).astype(float)
    return DrawnWindow(columns.grouped(bins), gone), bins


def _ks_p_values(columns: Columns, bins: FloatArray) -> FloatArray:
    """Two samples on the reference's bins, by the asymptotic distribution."""
    n, m = bins.sum(axis=1), columns.bins.sum(axis=1)
    apart = np.abs(np.cumsum(bins, axis=1) / n[:, None] - np.cumsum(columns.bins, axis=1) / m[:, None])
    return np.asarray(stats.kstwobign.sf(apart.max(axis=1) * np.sqrt(n * m / (n + m))))


def _share_p_values(columns: Columns, drawn: DrawnWindow) -> FloatArray:
    """Fisher's exact test of more missing values than in the reference."""
    hits, n = drawn.missing[:, 0], drawn.counts.sum(axis=1) + drawn.missing[:, 0]
    before = REFERENCE_ROWS - columns.bins.sum(axis=1)
    return np.asarray(stats.hypergeom.sf(hits - 1, REFERENCE_ROWS + n, before + hits, n))
