"""How long labels take, out of counts on a log-spaced grid of seconds."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

BINS_AN_OCTAVE = 8
"""A bin holds delays of `2**(bin / 8) - 1` seconds and more: known to 9 %, or to 0.1 s near 0."""
QUANTILES = (0.5, 0.9, 0.99)
RIPE = 0.9
"""A window is ripe when so large a share of the labels that ever came would have come by now."""


MOST_DELAYS = 100_000
"""Of more labels all are counted half, so that how long labels take is known of the newest."""
_MOST_WAIT = 0.95
FEWEST_LABELS = 200
"""So many labels must have come before it is known how long they take."""


def ripe_after_ms(counts: Mapping[int, int], wait_ms: int = 2**62) -> int | None:
    """How long after its end a window is ripe, less than predictions wait; None before that is known."""
    if sum(counts.values()) < FEWEST_LABELS:
        return None
    seconds = delay_seconds(counts, RIPE)
    return None if seconds is None else min(ceil(seconds * 1_000), int(_MOST_WAIT * wait_ms))


def delay_seconds(counts: Mapping[int, int], share: float) -> float | None:
    """By when so large a share of the labels has come: the upper end of that bin; None before the first label."""
    left = share * sum(counts.values())
    for place in sorted(counts):
        left -= counts[place]
        if left <= 0 < counts[place]:
            return float(2 ** ((place + 1) / BINS_AN_OCTAVE)) - 1
    return None


class Point(NamedTuple):
    """By so many seconds after its prediction this share of the labels that ever come has come."""

    seconds: float
    share: float


def maturity(counts: Mapping[int, int]) -> list[Point]:
    """How a model's labels come in, as a rising curve from the first to the last that came; empty before the first."""
    total, so_far, points = sum(counts.values()), 0, []
    for place in sorted(counts):
        so_far += counts[place]
        points.append(Point(float(2 ** ((place + 1) / BINS_AN_OCTAVE)) - 1, so_far / total))
    return points


def share_by(counts: Mapping[int, int], age_seconds: float) -> float | None:
    """The share of the labels that ever come that has come to predictions of this age; None before the first label."""
    points = maturity(counts)
    if not points:
        return None
    return max((point.share for point in points if point.seconds <= age_seconds), default=0.0)
