"""How many events a window holds, against windows like it; and how long silence may last."""

from __future__ import annotations

from math import asinh, exp, log, log1p, sqrt
from typing import Final

import numpy as np
from scipy.special import stdtr

from detectors.pair import FloatArray, IntArray
from detectors.score import TOO_LITTLE_DATA, Score, require_alpha

MIN_HISTORY: Final = 5
MIN_DISPERSION: Final = 1e-9
ROUNDING: Final = 1e-9


def score_volume(history: IntArray, events: int, alpha: float) -> Score:
    """Score a window's number of events.

    Parameters
    ----------
    history : (H,) int64 array
        Events of earlier windows of the same length (and season), at least 0.
    events : int
        Events of the window, at least 0.
    alpha : float
        Probability of a false alarm, in (0, 1).

    Returns
    -------
    Score
        Method "volume"; the value is ``|ln(events + 1/2) - ln(median(history) + 1/2)|``, 0 and up: 0.69 is
        twice or half the usual number. `n` is `events`, `m` is H.
        Without value below 5 windows of history.

    Raises
    ------
    ValueError
        When a count is negative, `history` has not one dimension or alpha is outside (0, 1).

    Notes
    -----
    Null hypothesis: events and history are drawn from one negative binomial law.
    Its dispersion phi is that of the moments, ``(var - mean) / mean**2``, at least 0 (Poisson).
    ``y = 2 asinh(sqrt(phi (x + 3/8))) / sqrt(phi)`` gives such counts a variance of about 1 (Anscombe; a root
    near Poisson, a logarithm where bursts rule), so that ``(y - mean) / (s sqrt(1 + 1/H))`` is near Student's
    t with H - 1 degrees of freedom; s is not taken below 1, Poisson's share.
    Short histories so yield wide limits by themselves: far out a t law is far wider than a normal one.
    False alarms: at or below alpha for Poisson, 0.5 to 1.5 alpha for bursts.
    Cost: O(H), about 0.1 ms.

    References
    ----------
    F. J. Anscombe, "The transformation of Poisson, binomial and negative-binomial data", Biometrika 35, 1948,
    doi:10.1093/biomet/35.3-4.246.

    Examples
    --------
    >>> usual = np.array([980, 1010, 1005, 990, 1020, 1000, 995, 1003, 970, 1030] * 3)
    >>> score = score_volume(usual, events=400, alpha=1e-6)
    >>> round(score.value, 2), score.value > score.limit
    (0.92, True)
    """
    require_alpha(alpha)
    if history.ndim != 1 or events < 0 or (history.size and history.min() < 0):
        message = f"counts must be at least 0 and history a list, got {events} and shape {history.shape}"
        raise ValueError(message)
    if history.size < MIN_HISTORY:
        return Score("volume", None, None, None, events, history.size, 0.0, TOO_LITTLE_DATA)
    middle = float(np.median(history)) + 0.5
    value = abs(log(events + 0.5) - log(middle))
    law = _Law(history.astype(np.float64))
    p_value = law.outside(middle, value)
    return Score("volume", value, p_value, _invert(law, middle, alpha), events, history.size, 0.0)


def silence_limit_seconds(low_rate_per_second: float, alpha: float) -> float:
    """Return how long a stream may be silent before silence is certain.

    Parameters
    ----------
    low_rate_per_second : float
        A rate that the stream rarely falls below, in events a second, above 0.
    alpha : float
        Probability that a living stream is silent for that long, in (0, 1).

    Returns
    -------
    float
        Seconds, ``ln(1 / alpha) / rate``.

    Raises
    ------
    ValueError
        When the rate is not above 0 or alpha is outside (0, 1).

    Notes
    -----
    Null hypothesis: events come as a Poisson process of at least that rate; then the wait for the next one
    is exponential and the false-alarm rate at most alpha a wait.
    Cost: O(1).

    Examples
    --------
    >>> round(silence_limit_seconds(low_rate_per_second=2.0, alpha=1e-6), 1)
    6.9
    """
    require_alpha(alpha)
    if not 0 < low_rate_per_second < float("inf"):
        message = f"the rate must be above 0 and finite, got {low_rate_per_second}"
        raise ValueError(message)
    return -log(alpha) / low_rate_per_second


class _Law:
    """Predictive law of a window's events: Student's t on the variance-stabilised scale."""

    def __init__(self, history: FloatArray) -> None:
        mean, variance = float(history.mean()), float(history.var(ddof=1))
        self._root = sqrt(max((variance - mean) / max(mean * mean, 1e-12), MIN_DISPERSION))
        scaled = np.array([self._stabilise(count) for count in history])
        self._freedom = history.size - 1
        self._middle = float(scaled.mean())
        self._spread = max(float(scaled.std(ddof=1)), 1.0) * sqrt(1 + 1 / history.size)

    def _stabilise(self, count: float) -> float:
        return 2 * asinh(self._root * sqrt(count + 0.375)) / self._root

    def outside(self, middle: float, value: float) -> float:
        """Return P(|ln(events + 1/2) - ln(middle)| >= value)."""
        high = middle * exp(min(value, 700 - log1p(middle))) - 0.5
        low = middle * exp(-value) - 0.5
        above = float(stdtr(self._freedom, (self._middle - self._stabilise(max(high, 0.0))) / self._spread))
        if low < -ROUNDING:
            return above
        below = (self._stabilise(max(low, 0.0)) - self._middle) / self._spread
        return min(above + float(stdtr(self._freedom, below)), 1.0)


def _invert(law: _Law, middle: float, alpha: float) -> float:
    """Return the smallest value with a probability of at most alpha, by bisection."""
    low, high = 0.0, 600.0
    for _ in range(60):
        value = (low + high) / 2
        if law.outside(middle, value) > alpha:
            low = value
        else:
            high = value
    return high
