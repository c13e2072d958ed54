"""Two rates of which only the difference is known: the likeliest pair, and how unlikely it makes what was seen."""

from __future__ import annotations

from math import acos, cos, inf, log, pi, sqrt


def rates_apart(rates: tuple[float, float], rows: tuple[float, float], apart: float) -> tuple[float, float]:
    """Return the likeliest two rates that are so far apart.

    Parameters
    ----------
    rates : (2,) tuple of float
        Seen, in [0, 1].
    rows : (2,) tuple of float
        What they are of, above 0.
    apart : float
        The first less the second, in [-1, 1].

    Returns
    -------
    (2,) tuple of float
        In [0, 1], `apart` from each other.

    Notes
    -----
    The root of a cubic, in closed form. Standard errors at these rates instead of those that were seen make a test of
    a few rows of a rare error keep its level; the usual ones are too small when a small sample has seen too few.

    References
    ----------
    O. Miettinen, M. Nurminen, "Comparative analysis of two rates", Statistics in Medicine 4(2), 1985,
    doi:10.1002/sim.4780040211.
    C. P. Farrington, G. Manning, "Test statistics and sample size formulae for comparative binomial trials",
    Statistics in Medicine 9(12), 1990, doi:10.1002/sim.4780091208.

    Examples
    --------
    >>> [round(rate, 4) for rate in rates_apart((0.2, 0.1), (100, 100), apart=0.0)]
    [0.15, 0.15]
    """
    first, second = rates
    ratio = rows[1] / rows[0]
    a = 1 + ratio
    b = -(1 + ratio + first + ratio * second + apart * (ratio + 2))
    c = apart * apart + apart * (2 * first + ratio + 1) + first + ratio * second
    d = -first * apart * (1 + apart)
    centre = b / (3 * a)
    v = centre**3 - b * c / (6 * a * a) + d / (2 * a)
    reach = sqrt(max(0.0, centre * centre - c / (3 * a)))
    if reach == 0:
        root = -centre
    else:
        signed = reach if v > 0 else -reach
        angle = (pi + acos(min(1.0, max(-1.0, v / signed**3)))) / 3
        root = 2 * signed * cos(angle) - centre
    higher = min(max(root, 0.0, apart), 1.0, 1 + apart)
    return higher, higher - apart


def surprise_at(seen: tuple[float, float], rows: tuple[float, float], truth: tuple[float, float]) -> float:
    """Return by how much two rates make what was seen less likely than the rates that were seen do.

    Parameters
    ----------
    seen, truth : (2,) tuple of float
        In [0, 1].
    rows : (2,) tuple of float
        What was seen in, above 0.

    Returns
    -------
    float
        In nats, 0 to infinity.

    Notes
    -----
    ``rows * KL(seen, truth)``, added up. Half the square of a normal deviation where rows are many; where they are few
    it follows the skewed tails of counts, which standard errors do not.

    Examples
    --------
    >>> round(surprise_at((0.06, 0.01), (100, 100), (0.01, 0.01)), 2)
    5.88
    >>> surprise_at((0.0, 0.5), (10, 10), (0.0, 0.5))
    0.0
    """
    return sum(n * (_part(p, q) + _part(1 - p, 1 - q)) for p, n, q in zip(seen, rows, truth, strict=True))


def _part(seen: float, truth: float) -> float:
    if seen <= 0:
        return 0.0
    return seen * log(seen / truth) if truth > 0 else inf
