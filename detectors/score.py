"""What a detector says of one window: a frozen value."""

from __future__ import annotations

from typing import Final, NamedTuple

MIN_CURRENT: Final = 10
MIN_REFERENCE: Final = 30
TOO_LITTLE_DATA: Final = "too_little_data"


class Score(NamedTuple):
    """One detector's view of one window.

    Parameters
    ----------
    method : str
        The detector's name in the catalogue.
    value : float or None
        Larger is always more drift, in the method's own unit; None when there is too little data.
    p_value : float or None
        P(value at least this | current and reference are drawn from one distribution), in [0, 1];
        both sample sizes are counted.
    limit : float or None
        The value that is exceeded with probability alpha under that null, in the unit of `value`.
    n, m : int
        Sizes of the current and of the reference sample.
    resolution : float
        Bound on the error of `value` that the binning causes, in its unit; 0 is exact.
    reason : str or None
        Why `value` is None.

    Examples
    --------
    >>> too_little_data("psi", n=3, m=1000).reason
    'too_little_data'
    """

    method: str
    value: float | None
    p_value: float | None
    limit: float | None
    n: int
    m: int
    resolution: float
    reason: str | None = None


def is_too_little(n: int, m: int) -> bool:
    """Say whether a window or its reference is too small to judge.

    Parameters
    ----------
    n, m : int
        Sizes of the current and of the reference sample.

    Returns
    -------
    bool
        True below 10 current or 30 reference values.

    Examples
    --------
    >>> is_too_little(n=9, m=1000)
    True
    """
    return n < MIN_CURRENT or m < MIN_REFERENCE


def too_little_data(method: str, n: int, m: int) -> Score:
    """Return the score of a window that is too small to judge.

    Parameters
    ----------
    method : str
        The detector's name.
    n, m : int
        Sizes of the current and of the reference sample.

    Returns
    -------
    Score
        Without value, p-value and limit.

    Examples
    --------
    >>> too_little_data("ks", n=0, m=0).value is None
    True
    """
    return Score(method, None, None, None, n, m, 0.0, TOO_LITTLE_DATA)


def require_alpha(alpha: float) -> None:
    """Refuse a false-alarm probability outside (0, 1).

    Parameters
    ----------
    alpha : float
        Probability of a false alarm of one score.

    Raises
    ------
    ValueError
        When alpha is not strictly between 0 and 1.

    Examples
    --------
    >>> require_alpha(1e-6)
    """
    if not 0 < alpha < 1:
        message = f"alpha must be between 0 and 1, got {alpha}"
        raise ValueError(message)
