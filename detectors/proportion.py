"""A rate of a window against the reference's rate: missing, unseen, out of range."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.special import gammaln

from detectors.pair import FloatArray
from detectors.score import Score, is_too_little, require_alpha, too_little_data

NODES: Final = 2048
REACH, EXTRA = 12.0, 64.0  # reach of the table, in standard deviations and events


def score_proportion(reference_hits: int, reference_n: int, hits: int, n: int, alpha: float) -> Score:
    """Score whether a rate has risen above the reference's.

    Parameters
    ----------
    reference_hits, reference_n : int
        Hits and size of the reference sample.
    hits, n : int
        Hits and size of the current sample.
    alpha : float
        Probability of a false alarm, in (0, 1).

    Returns
    -------
    Score
        Method "rate"; the value is ``hits / n - reference_hits / reference_n``, in [-1, 1].
        Without value below 10 current or 30 reference events.

    Raises
    ------
    ValueError
        When hits are negative or exceed their sample, or alpha is outside (0, 1).

    Notes
    -----
    Null hypothesis: both rates are equal; only a rise counts.
    The p-value is P(hits or more) under the beta-binomial law (n, R + 1, M - R), the exact law of how many
    of n new values pass the (R+1)-th largest of M old ones: it needs no rate, holds at zero hits on either
    side, and is a little conservative for rates that are not such exceedances.
    No reference rate is trusted to be exactly 0: one hit against none of M is a p-value of n / (n + M).
    Where the law spans over 2048 counts it is summed on every s-th count.
    False alarms: at or below alpha, by lattice steps.
    Cost: O(min(n, 2048)), about 0.1 ms.

    References
    ----------
    P. M. E. Altham, "Exact Bayesian analysis of a 2 x 2 contingency table, and Fisher's exact significance
    test", Journal of the Royal Statistical Society B 31(2), 1969, doi:10.1111/j.2517-6161.1969.tb00786.x.

    Examples
    --------
    >>> score = score_proportion(reference_hits=0, reference_n=10_000, hits=10, n=1000, alpha=1e-6)
    >>> score.value, score.value > score.limit
    (0.01, True)
    """
    require_alpha(alpha)
    for part, whole in ((reference_hits, reference_n), (hits, n)):
        if not 0 <= part <= whole:
            message = f"hits must be between 0 and their sample's size, got {part} of {whole}"
            raise ValueError(message)
    if is_too_little(n, reference_n):
        return too_little_data("rate", n, reference_n)
    reference_rate = reference_hits / reference_n
    value = hits / n - reference_rate
    if reference_hits == reference_n:
        return Score("rate", value, 1.0, 0.0, n, reference_n, 0.0)
    counts, at_least = exceedance_tail(reference_hits, reference_n, n)
    p_value = float(np.exp(np.interp(hits, counts, np.log(at_least))))
    limit = float(counts[np.flatnonzero(at_least > alpha)[-1]]) / n - reference_rate
    return Score("rate", value, min(p_value, 1.0), limit, n, reference_n, 0.0)


def exceedance_tail(reference_hits: int, reference_n: int, n: int) -> tuple[FloatArray, FloatArray]:
    """Tabulate P(at least so many hits) under an unchanged rate.

    Parameters
    ----------
    reference_hits, reference_n : int
        Hits and size of the reference sample; not all may be hits.
    n : int
        Size of the current sample.

    Returns
    -------
    counts : (J,) float array
        Ascending counts of hits, J at most 2048.
    at_least : (J,) float array
        P(hits >= counts), in (0, 1].

    Examples
    --------
    >>> counts, at_least = exceedance_tail(reference_hits=0, reference_n=300, n=100)
    >>> counts[1].item(), round(at_least[1].item(), 3)
    (1.0, 0.25)
    """
    a, b = reference_hits + 1.0, float(reference_n - reference_hits)
    mean = n * a / (a + b)
    sd = np.sqrt(mean * b / (a + b) * (a + b + n) / (a + b + 1))
    low = int(max(mean - REACH * sd, 0))
    high = int(min(mean + (REACH + 2) * sd + EXTRA, n))
    step = (high - low) // NODES + 1
    counts = np.arange(low, high + 1, step, dtype=np.float64)
    rest = n - counts
    log_mass = gammaln(counts + a) - gammaln(counts + 1) + gammaln(rest + b) - gammaln(rest + 1)
    mass = np.exp(log_mass - log_mass.max())
    # where only every s-th count is tabulated, P(count or more) holds but (1 + 1/s) / 2 of its mass
    at_least = (np.cumsum(mass[::-1])[::-1] - mass * (1 - 1 / step) / 2) / mass.sum()
    return counts, np.maximum(at_least, 1e-300)
