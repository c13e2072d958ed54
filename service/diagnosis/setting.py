"""What every explanation of a number column is judged by: the usual rows, the current ones, and their groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from detectors.dirichlet import dirichlet_evidence
from service.diagnosis.curve import Curve, around, curve_of, on_steps
from service.diagnosis.lattice import Exact, Lattice, exact_of, lattice_of
from service.diagnosis.partition import Partition, partition_of

if TYPE_CHECKING:
    from service.diagnosis.view import ColumnView
    from service.messages import Column
    from service.reference.bins import BinnedColumn

FloatArray = NDArray[np.float64]

_AS_KNOWN_AS = np.array([3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 10_000.0])
_AS_KNOWN_WITHOUT_BEFORE = 1500.0
"""Shares are taken to be known from so many rows at the most: windows vary more than rows drawn at random do."""
_LEVELS = 16
_FEWEST_BEFORE = 20
_LARGEST = 1e100
_FEWEST_REPEATS, _MOST_REPEATED = 3, 8
_NAMES = ("reference", "rows before")


@dataclass(frozen=True, slots=True)
class Usual:
    """Rows that show what is usual; `known` is how many rows their shares are known from."""

    name: str
    curve: Curve
    known: float


@dataclass(frozen=True, slots=True)
class Setting:
    """One column's question: what turned `usual` into `current`?

    `sample` are exact values of current rows, `kept` of the rows before; `repeated` became more frequent.
    """

    column: Column
    usual: tuple[Usual, ...]
    current: Curve
    partition: Partition
    lattice: Lattice | None
    exact: Exact
    sample: FloatArray
    kept: FloatArray
    repeated: FloatArray

    def evidence(self, usual: Usual, shares: FloatArray) -> FloatArray:
        """The log-probability of the current rows by cell, (...), if the usual rows came to have these shares."""
        return self.partition.evidence(shares, usual.known)

    def misfit(self, usual: Usual, shares: FloatArray) -> float:
        """By how many standard deviations these shares miss the current rows."""
        return self.partition.misfit(shares, usual.known)


def setting_of(reference: ColumnView, before: ColumnView | None, current: ColumnView) -> Setting | None:
    """None when there are no numbers to compare."""
    if reference.numbers is None or current.numbers is None:
        return None
    if not (is_tractable(reference.numbers) and is_tractable(current.numbers)):
        return None
    curves, kept = [curve_of(reference.numbers)], np.empty(0)
    if before is not None and before.numbers is not None and _is_usable(before.numbers):
        curves.append(curve_of(before.numbers))
        kept = before.sample
    lattice, now = lattice_of(curves[0], kept), curve_of(current.numbers)
    if lattice is not None and lattice.step:
        curves = [on_steps(curve, lattice.step) for curve in curves]
    known = _steadiness(curves)
    usual = tuple(
        Usual(name, curve, min(curve.rows, known)) for name, curve in zip(_NAMES, curves, strict=False)
    )
    repeated = repeated_values(curves[0], now, current.sample)
    ends = np.array([one for curve in curves for one in (curve.low, curve.high)])
    partition = partition_of(curves, current.numbers, current.sample, np.concatenate([repeated, ends]))
    return Setting(
        current.column,
        usual,
        now,
        partition,
        lattice,
        exact_of(current.sample),
        current.sample,
        kept,
        repeated,
    )


def is_tractable(column: BinnedColumn) -> bool:
    """Whether a column's values can be squared and divided without leaving the range of doubles."""
    largest = max(abs(column.low), abs(column.high))
    return bool(column.counts.any()) and (largest == 0 or 1 / _LARGEST < largest < _LARGEST)


def _is_usable(before: BinnedColumn) -> bool:
    return is_tractable(before) and int(before.counts.sum()) >= _FEWEST_BEFORE


def _steadiness(curves: list[Curve]) -> float:
    """From how many rows the shares of a window are known: by how far the rows before are from the reference."""
    if len(curves) == 1:
        return _AS_KNOWN_WITHOUT_BEFORE
    edges = np.unique(curves[0].quantiles(np.arange(1, _LEVELS) / _LEVELS))
    was, now = (np.diff(one.share_below(around(edges)[1]), prepend=0.0, append=1.0) for one in curves)
    alpha = np.minimum(_AS_KNOWN_AS, curves[0].rows)[:, None] * was + 1.0 / len(was)
    evidence = dirichlet_evidence(now * curves[1].rows, alpha)
    weights = np.exp(evidence - evidence.max())
    return float(np.exp(np.average(np.log(_AS_KNOWN_AS), weights=weights)))


def repeated_values(usual: Curve, current: Curve, sample: FloatArray) -> FloatArray:
    """The exact values that became more frequent the most: by their own bins, or among the sampled rows."""
    atoms, shares = current.atoms()
    values, times = np.unique(sample, return_counts=True)
    often = times >= _FEWEST_REPEATS
    found = np.concatenate([atoms, values[often]])
    now = np.concatenate([shares, times[often] / max(1, len(sample))])
    was = usual.share_of(found)
    rise = (now - was) / np.sqrt(was + 1.0 / current.rows)
    best = np.argsort(rise, kind="stable")[::-1]
    return np.unique(found[best][rise[best] > 0][: 2 * _MOST_REPEATED])[:_MOST_REPEATED]
