"""Token buckets: how often one caller may ask, and how long whoever asks too often has to wait."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

MOST_NAMES = 10_000
"""So many callers are remembered; who has not asked for longest is forgotten, and with it what it had used up."""


class Buckets:
    """A bucket for each name, full at first. Used by many threads."""

    def __init__(self, burst: float, per_second: float, clock_ms: Callable[[], int]) -> None:
        self._burst, self._per_ms, self._clock_ms = burst, per_second / 1000, clock_ms
        self._left: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._lock = Lock()

    def take(self, name: str) -> float:
        """Take one token: 0, or the seconds until there is one."""
        with self._lock:
            now_ms = self._clock_ms()
            left, at_ms = self._left.pop(name, (self._burst, now_ms))
            left = min(self._burst, left + max(0, now_ms - at_ms) * self._per_ms)  # a clock may be set back
            short = max(0.0, 1 - left)
            self._left[name] = (left if short else left - 1, now_ms)
            if len(self._left) > MOST_NAMES:
                self._left.popitem(last=False)
        return short / self._per_ms / 1000
