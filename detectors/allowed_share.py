"""Shares that a person allows, or a reference shows, against what was counted: exact binomial tails."""

from __future__ import annotations

from math import ceil

from scipy.special import bdtrc, betainc, betaincinv

from detectors.score import require_alpha


def breach_p_value(hits: int, n: int, allowed: float) -> float:
    """Return how likely so many violations are when each row violates with the allowed probability.

    Parameters
    ----------
    hits, n : int
        Violating rows, and all rows that were judged.
    allowed : float
        Share of rows that may violate, in [0, 1].

    Returns
    -------
    float
        P(X >= hits) for X binomial(n, allowed), in [0, 1]; 1 without a hit, 0 for a hit where none is allowed.

    Raises
    ------
    ValueError
        When hits are not between 0 and n, or allowed is outside [0, 1].

    Notes
    -----
    Null hypothesis: rows violate independently, each with a probability of at most `allowed`.
    ``P(X >= k) = I_p(k, n - k + 1)``, the regularised incomplete beta function (Clopper and Pearson 1934).
    False alarms: a verdict at p <= alpha errs in at most alpha of the windows under that null, fewer by the
    steps of the lattice; violations that come in bursts are more often together than binomial ones.
    Cost: O(1), about 2 us.

    References
    ----------
    C. J. Clopper, E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
    Biometrika 26(4), 1934, doi:10.1093/biomet/26.4.404.

    Examples
    --------
    >>> round(breach_p_value(hits=3, n=100, allowed=0.01), 4)
    0.0794
    >>> breach_p_value(hits=1, n=100, allowed=0.0)
    0.0
    """
    _require_counts(hits, n)
    if not 0 <= allowed <= 1:
        message = f"the allowed share must be between 0 and 1, got {allowed}"
        raise ValueError(message)
    return 1.0 if hits == 0 else float(bdtrc(hits - 1, n, allowed))


def repeats_p_value(distinct: float, kept: int, least: float) -> float:
    """Return how likely so few distinct values are when there are at least so many.

    Parameters
    ----------
    distinct : float
        Number of distinct values, as estimated from the smallest hashes: ``(kept - 1) / (the largest kept hash)``.
    kept : int
        How many smallest hashes the estimate was made from, at least 2.
    least : float
        Number of distinct values that there should be, above 0.

    Returns
    -------
    float
        P(estimate <= distinct), in [0, 1].

    Raises
    ------
    ValueError
        When an argument is outside its range.

    Notes
    -----
    Null hypothesis: D >= least distinct values, whose hashes are independent and uniform on (0, 1).
    With u the kept-th smallest of them, fewer than `kept` hashes are below u: ``P(Bin(D, u) <= kept - 1)``.
    False alarms: exactly alpha at D = least, fewer above.
    Cost: O(1), about 2 us.

    References
    ----------
    K. Beyer, P. J. Haas, B. Reinwald, Y. Sismanis, R. Gemulla, "On synopses for distinct-value estimation
    under multiset operations", SIGMOD 2007, doi:10.1145/1247480.1247504.

    Examples
    --------
    >>> round(repeats_p_value(distinct=1000.0, kept=256, least=1000.0), 2)
    0.52
    >>> repeats_p_value(distinct=500.0, kept=256, least=1000.0) < 1e-20
    True
    """
    if kept < 2 or distinct < kept - 1 or least <= 0:
        message = f"{distinct} distinct values from {kept} hashes, at least {least}: no such estimate"
        raise ValueError(message)
    whole = ceil(least)
    return 1.0 if whole < kept else float(betainc(whole - kept + 1, kept, 1 - (kept - 1) / distinct))


def highest_likely_share(hits: int, n: int, alpha: float) -> float:
    """Return the largest share that still makes so few violations as likely as alpha.

    Parameters
    ----------
    hits, n : int
        Violating rows, and all rows of a reference.
    alpha : float
        Probability that the true share is above the returned one, in (0, 1).

    Returns
    -------
    float
        The upper limit of Clopper and Pearson, in (0, 1]: 1 without rows.

    Raises
    ------
    ValueError
        When hits are not between 0 and n, or alpha is outside (0, 1).

    Notes
    -----
    Null hypothesis: none is tested; this is the p with ``P(X <= hits) = alpha`` for X binomial(n, p).
    Without a hit it is ``1 - alpha ** (1 / n)``, about ``-ln(alpha) / n``.
    False alarms: it covers the true share of independent rows in at least 1 - alpha of the references.
    Cost: O(1), about 3 us.

    References
    ----------
    C. J. Clopper, E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
    Biometrika 26(4), 1934, doi:10.1093/biomet/26.4.404.

    Examples
    --------
    >>> round(highest_likely_share(hits=0, n=1000, alpha=0.05), 5)
    0.00299
    """
    require_alpha(alpha)
    _require_counts(hits, n)
    return 1.0 if hits == n else float(betaincinv(hits + 1, n - hits, 1 - alpha))


def _require_counts(hits: int, n: int) -> None:
    if not 0 <= hits <= n:
        message = f"hits must be between 0 and their sample's size, got {hits} of {n}"
        raise ValueError(message)
