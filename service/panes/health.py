"""Whether a partition's records are mostly usable, or the topic is being poisoned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service.messages import Reason

if TYPE_CHECKING:
    from service.messages import DeadLetter

STRETCH = 1_000
"""Over so many records, at least, the share of dead letters is looked at."""


@dataclass(slots=True)
class Health:
    """The share of dead letters in each stretch of records; `poison` says what is wrong with the last one.

    Records of models that nobody wants to watch do not count: they say nothing of the producer.
    """

    most_dead_share: float = 0.5
    good: bool = False
    poison: str | None = None
    _records: int = 0
    _reasons: Counter[Reason] = field(default_factory=Counter)

    def look(self, records: int, dead: Sequence[DeadLetter]) -> None:
        """Count some records, and judge the stretch that they end."""
        self._records += records
        self._reasons.update(letter.reason for letter in dead if letter.reason is not Reason.UNKNOWN_MODEL)
        if self._records >= STRETCH:
            self._judge()

    def _judge(self) -> None:
        bad = self._reasons.total()
        if bad > self.most_dead_share * self._records:
            usual = self._reasons.most_common(1)[0][0].value
            self.poison = f"{bad} of the last {self._records} records are dead letters, most often {usual}"
        else:
            self.good, self.poison = True, None
        self._records = 0
        self._reasons.clear()
