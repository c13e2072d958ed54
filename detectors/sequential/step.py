"""What a sequential detector says of one value, and of many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from detectors.evidence import BoolArray
from detectors.pair import FloatArray, IntArray


class Step(NamedTuple):
    """A sequential detector's view of one value.

    Parameters
    ----------
    drift : bool
        Whether the statistic exceeds its limit; the detector has begun anew after it.
    warning : bool
        Whether it exceeds the lower limit of methods that have one, and not the limit.
    statistic : float or None
        Larger is always more drift, in the method's own unit; None while there is too little data, and for a value
        that was skipped.
    limit : float or None
        The value that the statistic must exceed, in its unit; None where that is None.
    n : float
        Observations since the detector began: the sum of the weights.

    Examples
    --------
    >>> Step(drift=False, warning=False, statistic=None, limit=None, n=3.0).statistic is None
    True
    """

    drift: bool
    warning: bool
    statistic: float | None
    limit: float | None
    n: float


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """A sequential detector's view of n values, one array a column.

    Parameters
    ----------
    drift, warning : (n,) bool array
        As in `Step`.
    statistic, limit : (n,) float array
        As in `Step`, 0 where not judged; never NaN.
    judged : (n,) bool array
        Where there is a statistic.
    n : (n,) float array
        Observations since the detector began.

    Examples
    --------
    >>> blank_steps(2).at(1)
    Step(drift=False, warning=False, statistic=None, limit=None, n=0.0)
    """

    drift: BoolArray
    warning: BoolArray
    statistic: FloatArray
    limit: FloatArray
    judged: BoolArray
    n: FloatArray

    @property
    def drifts(self) -> IntArray:
        """Indices of the values at which drift was found, ascending."""
        return np.flatnonzero(self.drift)

    def at(self, index: int) -> Step:
        """Return one value's step.

        Parameters
        ----------
        index : int
            Which value.

        Returns
        -------
        Step
            With None where it was not judged.
        """
        judged = bool(self.judged[index])
        return Step(
            bool(self.drift[index]),
            bool(self.warning[index]),
            float(self.statistic[index]) if judged else None,
            float(self.limit[index]) if judged else None,
            float(self.n[index]),
        )


def blank_steps(size: int) -> Steps:
    """Return the steps of values that were not judged.

    Parameters
    ----------
    size : int
        How many.

    Returns
    -------
    Steps
        All zero.

    Examples
    --------
    >>> blank_steps(3).drifts.size
    0
    """
    no, zero = np.zeros(size, np.bool_), np.zeros(size)
    return Steps(no, no.copy(), zero, zero.copy(), no.copy(), zero.copy())
