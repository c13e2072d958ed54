"""The highest rate that still agrees with what was counted."""

from __future__ import annotations

from math import sqrt


def highest_usual_rate(hits: float, rows: float, standard_errors: float) -> float:
    """Return a rate's upper confidence bound.

    Parameters
    ----------
    hits, rows : float
        What was counted; rows above 0.
    standard_errors : float
        How many of them the bound lies above the rate.

    Returns
    -------
    float
        ``r + z sqrt(r (1 - r) / rows)`` with Laplace's ``r = (hits + 1) / (rows + 2)``, so that no hit in many rows is
        not taken for a rate of 0; may exceed 1 for few rows.

    Notes
    -----
    Coverage: that of z standard errors of a normal law for some tens of hits; for fewer hits the added ones make the
    bound wider than Clopper and Pearson's at z = 2.

    References
    ----------
    A. Agresti and B. A. Coull, "Approximate is better than 'exact' for interval estimation of binomial proportions",
    The American Statistician 52(2), 1998, doi:10.1080/00031305.1998.10480550.

    Examples
    --------
    >>> round(highest_usual_rate(50, 1000, 2.0), 4)
    0.0648
    """
    rate = (hits + 1.0) / (rows + 2.0)
    return rate + standard_errors * sqrt(rate * (1.0 - rate) / rows)
