"""How long labels take, out of counts on a log-spaced grid of seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

BINS_AN_OCTAVE = 8
"""A bin holds delays of `2**(bin / 8) - 1` seconds and more: known to 9 %, or to 0.1 s near 0."""
QUANTILES = (0.5, 0.9, 0.99)
RIPE = 0.9
"""A window is ripe when so large a share of the labels that ever came would have come by now."""


def delay_seconds(counts: Mapping[int, int], share: float) -> float | None:
    """By when so large a share of the labels has come: the upper end of that bin; None before the first label."""
    left = share * sum(counts.values())
    for place in sorted(counts):
        left -= counts[place]
        if left <= 0 < counts[place]:
            return float(2 ** ((place + 1) / BINS_AN_OCTAVE)) - 1
    return None
