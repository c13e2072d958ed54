"""EDDM: errors follow each other at shorter distances than they did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from detectors.pair import FloatArray
from detectors.sequential.parameters import require_at_least, require_inside
from detectors.sequential.recursions import at_record, before, running_sum
from detectors.sequential.sequential import SHARES, Sequential, Trace


class EddmState(NamedTuple):
    """Rows, errors, the last error's row, squared distances and their spread within panes; their reach, the longest."""

    n: float
    errors: float
    last: float
    squares: float
    within: float
    reach: float
    longest: float


@dataclass(frozen=True)
class Eddm(Sequential[EddmState]):
    """Early drift detection method: the distance between errors against its own longest.

    Parameters
    ----------
    warm_start : int
        Rows, and also errors, before anything is judged, at least 1.
    alpha, beta : float
        Shares of the longest below which there is a warning and drift, in (0, 1], beta not above alpha.

    Raises
    ------
    ValueError
        When a parameter is out of its range.

    Notes
    -----
    Null hypothesis: the distances between errors do not become shorter.
    With mean p' and standard deviation s' of the distances, in rows, the statistic is one less the share that
    ``p' + 2 s'`` is of its maximum, in [0, 1); the limit is ``1 - beta``.
    A pane has no distances, only h errors in w rows: it counts as h errors at the mean distance d, the rows since the
    error before it shared out, with the variance ``d (d - 1)`` of a geometric law among them; a pane without an error
    only adds its rows. Hits (value x weight) are rounded to whole ones, a pane's last error is put at its end.
    False alarms: many, no guarantee: distances of errors at a steady rate have a standard deviation as large as their
    mean, so that 0.9 of the maximum is within chance.
    Cost: O(1), about 0.2 us a value in arrays; 98 bytes of state.

    References
    ----------
    M. Baena-Garcia, J. del Campo-Avila, R. Fidalgo, A. Bifet, R. Gavalda and R. Morales-Bueno, "Early drift detection
    method", 4th International Workshop on Knowledge Discovery from Data Streams, 2006 (without a DOI).

    Examples
    --------
    >>> random = np.random.default_rng(8)
    >>> state, steps = Eddm(beta=0.6).run(random.random(2000) < np.repeat([0.1, 0.5], 1000))
    >>> steps.drifts.tolist()
    [1120]
    """

    name: ClassVar[str] = "eddm"

    warm_start: int = 30
    alpha: float = 0.95
    beta: float = 0.9

    def __post_init__(self) -> None:
        require_at_least("warm_start", self.warm_start, 1)
        require_inside("alpha", self.alpha, 0, 1 + 1e-12)
        require_inside("beta", self.beta, 0, self.alpha + 1e-12)

    @property
    def bounds(self) -> tuple[float, float]:
        return SHARES

    def begin(self) -> EddmState:
        return EddmState(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)

    def trace(self, state: EddmState, values: FloatArray, weights: FloatArray) -> tuple[EddmState, Trace]:
        hits = np.rint(values * weights)
        wrong = hits > 0
        n, errors = running_sum(state.n, weights), running_sum(state.errors, hits)
        last = at_record(wrong, state.last, n)
        gaps = np.where(wrong, n - before(state.last, last), 0.0)
        h = np.where(wrong, hits, 1.0)
        d = gaps / h
        squares = running_sum(state.squares, gaps * d)
        within = running_sum(state.within, (h - 1.0) * d * np.maximum(d - 1.0, 0.0))
        known = wrong & (n > self.warm_start)
        reach = at_record(known, state.reach, _reach(last, errors, squares, within))
        longest = np.maximum.accumulate(np.concatenate([[state.longest], np.where(known, reach, 0.0)]))[1:]
        judged = (errors > self.warm_start) & (longest > 0)
        share = reach / np.where(longest > 0, longest, 1.0)
        trace = Trace(np.where(judged, 1.0 - share, np.nan), 1.0 - self.beta, 1.0 - self.alpha, n)
        columns = (n, errors, last, squares, within, reach, longest)
        return EddmState(*(float(column[-1]) for column in columns)), trace


def _reach(last: FloatArray, errors: FloatArray, squares: FloatArray, within: FloatArray) -> FloatArray:
    """Mean and twice the standard deviation; distances add up to the row of the last error."""
    count = np.maximum(errors, 1.0)
    mean = last / count
    between = np.maximum(squares - last * mean, 0.0) / np.maximum(count - 1.0, 1.0)
    return np.asarray(mean + 2.0 * np.sqrt(between + within / count))
