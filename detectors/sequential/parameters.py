"""Refuses parameters that no method can mean."""

from __future__ import annotations

from typing import Final

MODES: Final = ("up", "down", "both")


def require_inside(name: str, value: float, low: float, high: float) -> None:
    """Refuse a parameter that is not strictly between two bounds.

    Parameters
    ----------
    name : str
        The parameter's name, for the sentence.
    value, low, high : float
        The parameter and its bounds; NaN is outside.

    Raises
    ------
    ValueError
        When not ``low < value < high``.

    Examples
    --------
    >>> require_inside("delta", 0.002, 0, 1)
    """
    if not low < value < high:
        message = f"{name} must be between {low:g} and {high:g}, got {value!r}"
        raise ValueError(message)


def require_at_least(name: str, value: float, low: float) -> None:
    """Refuse a parameter that is below a bound, infinite or NaN.

    Parameters
    ----------
    name : str
        The parameter's name, for the sentence.
    value, low : float
        The parameter and its bound.

    Raises
    ------
    ValueError
        When not ``low <= value < inf``.

    Examples
    --------
    >>> require_at_least("clock", 32, 1)
    """
    if not low <= value < float("inf"):
        message = f"{name} must be at least {low:g}, got {value!r}"
        raise ValueError(message)


def require_mode(mode: str) -> None:
    """Refuse a direction that is none of `MODES`.

    Parameters
    ----------
    mode : str
        "up", "down" or "both".

    Raises
    ------
    ValueError
        When it is another word.

    Examples
    --------
    >>> require_mode("both")
    """
    if mode not in MODES:
        message = f"mode must be one of {', '.join(MODES)}, got {mode!r}"
        raise ValueError(message)
