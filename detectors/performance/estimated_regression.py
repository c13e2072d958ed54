"""Performance of a regression without labels: the size of errors at each prediction, learned from a reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, sqrt
from typing import Final, NamedTuple, Self

import numpy as np

from detectors.pair import FloatArray, IntArray
from detectors.performance.estimate import SAME_ERRORS, Errors, Estimate, refusal, refused
from detectors.performance.exact_sums import in_units
from detectors.performance.intervals import LEVEL, normal_within
from detectors.performance.metric import Metric
from detectors.performance.pooling import joined

_FINE: Final = 2.0**-10
_CLIP: Final = 1 << 17
_COARSE: Final = 2.0**-3
_COARSE_CLIP: Final = 1 << 10
LEAST_ROWS: Final = 25
"""Cells next to each other are joined until they have so many labels."""
ESTIMATED: Final = ("mae", "rmse")
"""What is estimated; it also is the catalogue of `estimated_regression`."""


@dataclass(frozen=True, slots=True, eq=False)
class ErrorsByCell:
    """Errors of a reference by where its predictions lie.

    Parameters
    ----------
    scale : float
        A usual error, as the root mean square; above 0. Errors are summed in 1/1024 of it, clipped at 128 scales.
    counts : (P, Q) int64 array
        Rows by bin of the prediction and by bin of one more column; Q is 1 without one.
    absolute, squared, fourth : (P, Q) int64 array
        Sums of abs(e) in units of 1/1024 scale, of e**2 in units of its square, and of e**4 in units of (scale/8)**4;
        64-bit integers hold 2**29 rows of the largest.

    Examples
    --------
    >>> cells = ErrorsByCell.zeros(bins=2, others=1, scale=1.0)
    >>> cells.add(np.array([0, 1]), np.array([0, 0]), np.array([0.5, -1.0])).absolute.tolist()
    [[512], [1024]]
    """

    scale: float
    counts: IntArray
    absolute: IntArray
    squared: IntArray
    fourth: IntArray

    @classmethod
    def zeros(cls, bins: int, others: int, scale: float) -> Self:
        """Return no rows, of so many bins of the prediction and of the other column."""
        return cls(scale, *(np.zeros((bins, others), np.int64) for _ in range(4)))

    @classmethod
    def from_arrays(cls, scale: float, arrays: Mapping[str, IntArray]) -> Self:
        """Return what `to_arrays` told, also after such arrays were added."""
        return cls(scale, *(arrays[name] for name in ("counts", "absolute", "squared", "fourth")))

    def add(self, bins: IntArray, others: IntArray, errors: FloatArray) -> Self:
        """Return these and n more.

        Parameters
        ----------
        bins, others : (n,) int array
            Bin of the prediction, and of the other column (0 without one).
        errors : (n,) float array
            Prediction less label; what is not finite is left out.

        Returns
        -------
        ErrorsByCell
            New; in O(n + P Q).
        """
        usable = np.isfinite(errors)
        bins, others, errors = bins[usable], others[usable], np.abs(errors[usable])
        fine = in_units(errors, self.scale * _FINE, _CLIP)
        coarse = in_units(errors, self.scale * _COARSE, _COARSE_CLIP)
        added = [np.zeros_like(self.counts) for _ in range(4)]
        for into, values in zip(added, (np.ones_like(fine), fine, fine**2, coarse**4), strict=True):
            np.add.at(into, (bins, others), values)
        counts, absolute, squared, fourth = added
        return type(self)(
            self.scale,
            self.counts + counts,
            self.absolute + absolute,
            self.squared + squared,
            self.fourth + fourth,
        )

    def merge(self, other: Self) -> Self:
        """Return the rows of both.

        Raises
        ------
        ValueError
            When they are of different scales.
        """
        if self.scale != other.scale:
            message = "only errors of the same scale can be merged"
            raise ValueError(message)
        mine, others = self.to_arrays(), other.to_arrays()
        return self.from_arrays(self.scale, {name: mine[name] + others[name] for name in mine})

    def to_arrays(self) -> dict[str, IntArray]:
        """Return plain arrays, which merge by adding."""
        return {
            "counts": self.counts,
            "absolute": self.absolute,
            "squared": self.squared,
            "fourth": self.fourth,
        }


def estimated_regression(
    reference: ErrorsByCell, window: IntArray, level: float = LEVEL
) -> dict[str, Estimate]:
    """Estimate the errors of a regression without labels.

    Parameters
    ----------
    reference : ErrorsByCell
        Errors of the reference on (P, Q) cells.
    window : (P, Q) int array
        The window's predictions by the same cells.
    level : float
        Coverage of the intervals, in (0, 1).

    Returns
    -------
    dict of str to Estimate
        "mae" and "rmse", in the label's unit. Without value where fewer than 100 rows, or reference's labels, speak
        for the window, or over 5 % of it lies outside all bins of the prediction that the reference has labels in.

    Notes
    -----
    Assumption: in each cell errors are as large as in the reference; concept drift breaks it.
    Cells next to each other along the prediction are joined until the reference has 25 labels in them, each bin of
    the other column on its own; such a bin with fewer labels in all is estimated by the prediction alone.
    ``mae = sum w_c mean_c abs(e)``, and likewise for squares; window error ``sum w_c variance_c / n``, calibration
    error ``sum w_c**2 variance_c / labels_c``.
    Resolution: 1/2048 of the scale.
    Cost: O(P Q), about 1 ms for 256 cells.

    References
    ----------
    NannyML, "Direct loss estimation", nannyml.readthedocs.io: there a boosted model of the error, here cells.

    Examples
    --------
    >>> reference = ErrorsByCell.zeros(2, 1, scale=1.0)
    >>> bins = np.repeat([0, 1], 500)
    >>> reference = reference.add(bins, np.zeros(1000, int), np.where(bins == 0, 1.0, 3.0))
    >>> found = estimated_regression(reference, np.array([[100], [300]]))["mae"].metric
    >>> found.value
    2.5
    """
    cells = _gathered(reference, window)
    n, unit = float(cells.rows.sum()), reference.scale * _FINE
    weight = float((cells.rows**2 / np.maximum(cells.labels, 1e-9)).sum())
    labels = float(reference.counts.sum())
    effective = min(n, labels, n * n / weight) if weight > 0 else 0.0
    reason = refusal(effective, _share_outside(reference.counts, window))
    found = {}
    for name in ESTIMATED:
        if reason is not None:
            found[name] = refused(
                name, int(n), effective, higher_is_better=False, reason=reason, assumption=SAME_ERRORS
            )
            continue
        value, errors = _mae(cells, unit) if name == "mae" else _rmse(cells, unit, reference.scale * _COARSE)
        ends = normal_within(value, errors.total, inf, level)
        metric = Metric(name, value, *ends, int(n), unit / 2, higher_is_better=False, error=errors.total)
        found[name] = Estimate(metric, *errors, effective, SAME_ERRORS)
    return found


class _Cells(NamedTuple):
    """Joined cells: the window's rows, the reference's labels, and sums of the powers of its errors; each (G,)."""

    rows: FloatArray
    labels: FloatArray
    absolute: FloatArray
    squared: FloatArray
    fourth: FloatArray


def _gathered(reference: ErrorsByCell, window: IntArray) -> _Cells:
    """Join cells; rows of columns with too few labels go to one more column, which has those of all columns."""
    thin = reference.counts.sum(axis=0) < LEAST_ROWS
    rows = np.column_stack([np.where(thin, 0, window), window[:, thin].sum(axis=1)])
    learned = [
        np.column_stack([values, values.sum(axis=1)])
        for values in (reference.counts, reference.absolute, reference.squared, reference.fourth)
    ]
    group, first = np.zeros(rows.shape, np.int64), 0
    for place in range(rows.shape[1]):
        group[:, place] = first + joined(learned[0][:, place], LEAST_ROWS)
        first = int(group[-1, place]) + 1

    def together(values: IntArray) -> FloatArray:
        return np.asarray(np.bincount(group.ravel(), weights=values.ravel(), minlength=first), np.float64)

    return _Cells(together(rows), *(together(values) for values in learned))


def _mae(cells: _Cells, unit: float) -> tuple[float, Errors]:
    known = np.maximum(cells.labels, 1.0)
    mean, square = cells.absolute / known * unit, cells.squared / known * unit * unit
    return float(cells.rows @ mean / cells.rows.sum()), _errors(cells.rows, known, square - mean**2)


def _rmse(cells: _Cells, unit: float, coarse_unit: float) -> tuple[float, Errors]:
    known = np.maximum(cells.labels, 1.0)
    square, fourth = cells.squared / known * unit * unit, cells.fourth / known * coarse_unit**4
    value = sqrt(float(cells.rows @ square / cells.rows.sum()))
    slope = 1 / (2 * value) if value > 0 else 0.0
    window, calibration = _errors(cells.rows, known, fourth - square**2)
    return value, Errors(window * slope, calibration * slope)


def _errors(rows: FloatArray, labels: FloatArray, variance: FloatArray) -> Errors:
    n, spread = float(rows.sum()), np.maximum(variance, 0.0)
    return Errors(sqrt(float(rows @ spread)) / n, sqrt(float((rows**2 * spread / labels).sum())) / n)


def _share_outside(reference: IntArray, window: IntArray) -> float:
    by_bin, rows = reference.sum(axis=1), window.sum(axis=1)
    there = np.flatnonzero(by_bin)
    total = int(rows.sum())
    if not there.size or not total:
        return 0.0
    return 1 - int(rows[there[0] : there[-1] + 1].sum()) / total
