"""What regressions and their labels leave behind: whole numbers that merge by adding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor, isfinite, log2
from typing import Final, NamedTuple, Self

import numpy as np

from detectors.pair import FloatArray, IntArray
from detectors.performance.exact_sums import LARGEST, exact_dot, exact_sum, from_limbs, in_units, to_limbs

FINE_BITS: Final = 20
"""A scale has so many halvings down to its unit: sums are of values to a millionth of the scale, up to a million."""
COARSE_SHIFT: Final = 7
"""Fourth moments are of values to 2**-13 of the scale, clipped at 128 scales."""
RATIO_UNIT: Final = 2.0**-30
"""Of sums of |error / label|, clipped at 1,024."""
PER_OCTAVE: Final = 8
OCTAVES: Final = 20


@dataclass(frozen=True, slots=True)
class RegressionScales:
    """Configuration: about which label, and in what units, a regression is summed.

    Parameters
    ----------
    centre : float
        A usual label, as the reference's mean.
    label : float
        The labels' standard deviation, say; taken down to a power of two.
    error : float
        A usual error, as the reference's root mean square; taken down to a power of two.

    Raises
    ------
    ValueError
        When a number is not finite or a scale not above 0.

    Notes
    -----
    All that is merged has one configuration. What is stored of a sum holds 2**142 units, and a square at the clip has
    2**80: 4e18 rows.

    Examples
    --------
    >>> RegressionScales(centre=100.0, label=12.0, error=3.0).error_unit == 2.0 * 2**-20
    True
    """

    centre: float
    label: float
    error: float

    def __post_init__(self) -> None:
        if not (isfinite(self.centre) and isfinite(self.label) and isfinite(self.error)):
            message = "centre and scales must be finite"
            raise ValueError(message)
        if not (self.label > 0 and self.error > 0):
            message = f"scales must be above 0, got {self.label} and {self.error}"
            raise ValueError(message)

    @property
    def label_unit(self) -> float:
        """The unit that labels are summed in."""
        return 2.0 ** (floor(log2(self.label)) - FINE_BITS)

    @property
    def error_unit(self) -> float:
        """The unit that errors are summed in."""
        return 2.0 ** (floor(log2(self.error)) - FINE_BITS)

    @property
    def error_edges(self) -> FloatArray:
        """(642,) inner edges of the bins of errors: 8 an octave over 20 octaves either way of the scale, and signs."""
        powers = np.arange(-OCTAVES * PER_OCTAVE, OCTAVES * PER_OCTAVE + 1) / PER_OCTAVE
        sizes = self.error_unit * 2.0**FINE_BITS * 2.0**powers
        return np.concatenate([-sizes[::-1], sizes])


class RegressionSums(NamedTuple):
    """Sums over rows; e is prediction less label and z label less centre, in their units.

    Parameters
    ----------
    error, absolute, squared, signed_squared : int
        Of e, abs(e), e**2 and e abs(e).
    label, label_squared : int
        Of z and z**2.
    ratio, ratio_squared, zero_labels : int
        Of abs(e / label) in `RATIO_UNIT` and its square over labels that are not 0, and how many labels are 0.
    e2, e4, z1, z2, z3, z4, e2z1, e2z2 : int
        Of e**2, e**4, z, z**2, z**3, z**4, e**2 z and e**2 z**2, in coarse units, for intervals.

    Examples
    --------
    >>> RegressionSums(error=1).plus(RegressionSums(error=2)).error
    3
    """

    error: int = 0
    absolute: int = 0
    squared: int = 0
    signed_squared: int = 0
    label: int = 0
    label_squared: int = 0
    ratio: int = 0
    ratio_squared: int = 0
    zero_labels: int = 0
    e2: int = 0
    e4: int = 0
    z1: int = 0
    z2: int = 0
    z3: int = 0
    z4: int = 0
    e2z1: int = 0
    e2z2: int = 0

    def plus(self, other: RegressionSums) -> RegressionSums:
        """Return both, added."""
        return RegressionSums(*(a + b for a, b in zip(self, other, strict=True)))


@dataclass(frozen=True, slots=True, eq=False)
class RegressionOutcomes:
    """Predicted numbers with their labels.

    Parameters
    ----------
    scales : RegressionScales
        Configuration.
    errors : (643,) int64 array
        Rows by signed error, in the bins of `scales.error_edges`.
    sums : RegressionSums
        Whole numbers without bound.

    Examples
    --------
    >>> scales = RegressionScales(centre=0.0, label=1.0, error=1.0)
    >>> some = RegressionOutcomes.zeros(scales).add(np.array([1.0, 2.0]), np.array([1.5, 1.75]))
    >>> some.rows, some.sums.error * scales.error_unit
    (2, 0.25)
    """

    scales: RegressionScales
    errors: IntArray
    sums: RegressionSums

    @classmethod
    def zeros(cls, scales: RegressionScales) -> Self:
        """Return no rows."""
        return cls(scales, np.zeros(scales.error_edges.size + 1, np.int64), RegressionSums())

    @classmethod
    def from_arrays(cls, scales: RegressionScales, arrays: Mapping[str, IntArray]) -> Self:
        """Return what `to_arrays` told, also after such arrays were added."""
        return cls(scales, arrays["errors"], RegressionSums(*from_limbs(arrays["sums"])))

    @property
    def rows(self) -> int:
        """How many labelled predictions there are."""
        return int(self.errors.sum())

    def add(self, labels: FloatArray, predictions: FloatArray) -> Self:
        """Return these and n more.

        Parameters
        ----------
        labels, predictions : (n,) float array
            In the label's unit, fewer than 2**22; rows where one of both is not finite are left out.

        Returns
        -------
        RegressionOutcomes
            New; in O(n log B + B).
        """
        usable = np.isfinite(labels) & np.isfinite(predictions)
        labels, predictions = labels[usable], predictions[usable]
        with np.errstate(over="ignore"):
            errors = predictions - labels
        bins = np.searchsorted(self.scales.error_edges, errors, side="right")
        counted = self.errors + np.bincount(bins, minlength=self.errors.size)
        return type(self)(self.scales, counted, self.sums.plus(_summed(self.scales, labels, errors)))

    def merge(self, other: Self) -> Self:
        """Return the rows of both.

        Raises
        ------
        ValueError
            When they are in different units.
        """
        if self.scales != other.scales:
            message = "only sums of the same scales can be merged"
            raise ValueError(message)
        return type(self)(self.scales, self.errors + other.errors, self.sums.plus(other.sums))

    def to_arrays(self) -> dict[str, IntArray]:
        """Return plain arrays, which merge by adding."""
        return {"errors": self.errors, "sums": to_limbs(self.sums)}


def _summed(scales: RegressionScales, labels: FloatArray, errors: FloatArray) -> RegressionSums:
    e = in_units(errors, scales.error_unit)
    with np.errstate(over="ignore"):
        z = in_units(labels - scales.centre, scales.label_unit)
        has_ratio = labels != 0
        ratios = in_units(np.abs(errors[has_ratio] / labels[has_ratio]), RATIO_UNIT)
    c, w = _coarse(e), _coarse(z)
    return RegressionSums(
        error=exact_sum(e),
        absolute=exact_sum(np.abs(e)),
        squared=exact_dot(e, e),
        signed_squared=exact_dot(e, np.abs(e)),
        label=exact_sum(z),
        label_squared=exact_dot(z, z),
        ratio=exact_sum(ratios),
        ratio_squared=exact_dot(ratios, ratios),
        zero_labels=int(labels.size - np.count_nonzero(has_ratio)),
        e2=exact_sum(c * c),
        e4=exact_dot(c * c, c * c),
        z1=exact_sum(w),
        z2=exact_sum(w * w),
        z3=exact_dot(w * w, w),
        z4=exact_dot(w * w, w * w),
        e2z1=exact_dot(c * c, w),
        e2z2=exact_dot(c * c, w * w),
    )


def _coarse(units: IntArray) -> IntArray:
    largest = LARGEST >> FINE_BITS
    return np.asarray(np.clip((units + (1 << (COARSE_SHIFT - 1))) >> COARSE_SHIFT, -largest, largest))
