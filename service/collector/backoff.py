"""How long to wait before the next try while the database or the log system is away."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

SHORTEST_SECONDS, LONGEST_SECONDS = 0.1, 4.0


@dataclass
class Backoff:
    """Doubles from the shortest to the longest time; with jitter, so that not all collectors ask at once."""

    jitter: Callable[[float, float], float] = random.uniform
    seconds: float = 0.0
    until: float = 0.0

    @property
    def is_on(self) -> bool:
        """Whether something was away at the last try."""
        return self.seconds > 0

    def is_waiting(self, now: float) -> bool:
        """Whether it is too early for the next try."""
        return now < self.until

    def wait(self, now: float) -> None:
        """It was away again."""
        self.seconds = min(LONGEST_SECONDS, max(SHORTEST_SECONDS, 2 * self.seconds))
        self.until = now + self.jitter(0.5, 1.0) * self.seconds

    def end(self) -> None:
        """It is back."""
        self.seconds = self.until = 0.0
