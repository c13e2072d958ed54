"""KSWIN: the newest values have another distribution than a sample of those before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.pair import FloatArray, IntArray
from detectors.sequential.parameters import require_at_least, require_inside
from detectors.sequential.recursions import running_sum
from detectors.sequential.same_size_ks import ks_distances, largest_usual
from detectors.sequential.sequential import Sequential, Trace

_ROWS: Final = 1024
_MIX: Final = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_STEPS: Final = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1B54A32D192ED03))
_SHIFTS: Final = (np.uint64(30), np.uint64(27), np.uint64(31))


class KswinState(NamedTuple):
    """Observations, values, and the newest values, all but one of a window."""

    n: float
    values: float
    window: FloatArray


@dataclass(frozen=True)
class Kswin(Sequential[KswinState]):
    """Kolmogorov-Smirnov test of the newest values against a random sample of a window before them.

    Parameters
    ----------
    alpha : float
        Probability of one test, in (0, 1).
    window_size : int
        Values that are kept, at least twice stat_size.
    stat_size : int
        Newest values, and sampled older ones, that are compared, at least 1.
    seed : int
        Of the samples, at least 0; equal streams give equal samples.

    Raises
    ------
    ValueError
        When a parameter is out of its range.

    Notes
    -----
    Null hypothesis: the newest values and those before are draws of one distribution.
    The statistic is the Kolmogorov-Smirnov distance, in [0, 1]; the limit is the largest distance with an exact
    p-value above alpha (Gnedenko and Korolyuk), or 0.1 if that is more. Ties are judged as if there were none.
    The sample at value k since the begin is a function of seed and k alone, where the paper's continues a
    generator: so the state is the window and nothing else. River rings at distances equal to the critical one, as here.
    A pane's mean is one value, whatever its rows: means of panes are compared with means, which should have about as
    many rows each. An error rate in single values says little: hits have two values only.
    False alarms: alpha a test, and each value is one; neighbouring tests share their values, so runs of them ring
    together.
    Cost: O(window_size + stat_size log stat_size), about 5 us a value in arrays; 8 window_size bytes of state.

    References
    ----------
    C. Raab, M. Heusinger and F.-M. Schleif, "Reactive soft prototype computing for concept drift streams",
    Neurocomputing 416, 2020, doi:10.1016/j.neucom.2019.11.111.

    Examples
    --------
    >>> random = np.random.default_rng(1)
    >>> state, steps = Kswin(alpha=1e-4).run(np.r_[random.normal(size=500), random.normal(3, 1, 50)])
    >>> steps.drifts.tolist()
    [517]
    """

    name: ClassVar[str] = "kswin"

    alpha: float = 0.005
    window_size: int = 100
    stat_size: int = 30
    seed: int = 0

    def __post_init__(self) -> None:
        require_inside("alpha", self.alpha, 0, 1)
        require_at_least("stat_size", self.stat_size, 1)
        require_at_least("window_size", self.window_size, 2 * self.stat_size)
        require_at_least("seed", self.seed, 0)

    def begin(self) -> KswinState:
        return KswinState(0.0, 0.0, np.zeros(0))

    def trace(self, state: KswinState, values: FloatArray, weights: FloatArray) -> tuple[KswinState, Trace]:
        held = np.concatenate([state.window, values])
        statistic = np.full(len(values), np.nan)
        full = len(held) - self.window_size + 1
        if full > 0:
            windows = np.lib.stride_tricks.sliding_window_view(held, self.window_size)
            ends = int(state.values) + np.arange(len(values) - full + 1, len(values) + 1)
            parts = [slice(start, start + _ROWS) for start in range(0, full, _ROWS)]
            statistic[-full:] = np.concatenate([self._distances(windows[p], ends[p]) for p in parts])
        n = running_sum(state.n, weights)
        after = KswinState(float(n[-1]), state.values + len(values), held[1 - self.window_size :].copy())
        return after, Trace(statistic, largest_usual(self.stat_size, self.alpha), np.inf, n)

    def _distances(self, windows: FloatArray, ends: IntArray) -> FloatArray:
        older, newest = windows[:, : -self.stat_size], windows[:, -self.stat_size :]
        sample = np.take_along_axis(older, sampled(self, ends.astype(np.uint64)), axis=1)
        return ks_distances(sample, newest)


def sampled(kswin: Kswin, ends: NDArray[np.uint64]) -> IntArray:
    """Return which of the older values are sampled.

    Parameters
    ----------
    kswin : Kswin
        For its sizes and its seed.
    ends : (n,) uint64 array
        How many values there were since the begin, at each test.

    Returns
    -------
    (n, stat_size) int array
        Indices into the ``window_size - stat_size`` older values, without repetition, ascending.

    Notes
    -----
    Those with the smallest hash (splitmix64) of seed, test and index.

    Examples
    --------
    >>> sampled(Kswin(window_size=6, stat_size=3), np.array([6], dtype=np.uint64)).tolist()
    [[0, 1, 2]]
    """
    size = kswin.window_size - kswin.stat_size
    if size == kswin.stat_size:
        return np.broadcast_to(np.arange(size), (len(ends), size))
    places = np.arange(1, size + 1, dtype=np.uint64) * _STEPS[1]
    hashes = _mixed(_mixed(ends * _STEPS[0] + np.uint64(kswin.seed))[:, None] + places)
    return np.sort(np.argpartition(hashes, kswin.stat_size - 1, axis=1)[:, : kswin.stat_size], axis=1)


def _mixed(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    z = (z ^ (z >> _SHIFTS[0])) * _MIX[0]
    z = (z ^ (z >> _SHIFTS[1])) * _MIX[1]
    return np.asarray(z ^ (z >> _SHIFTS[2]))
