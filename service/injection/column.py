"""What a column of a log is like, as far as faults need to know: numbers, texts, and how they are spread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.injection.event import value_text

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class ColumnFacts:
    """Of some rows that had the column. `numbers` is sorted, `texts` counts them from the most frequent on.

    `values` are all plain values as options name them.
    """

    name: str
    rows: int
    numbers: FloatArray
    texts: Mapping[str, int]
    values: Mapping[str, int]

    @property
    def is_numeric(self) -> bool:
        """Whether most of its values are numbers."""
        return len(self.numbers) > sum(self.texts.values())

    @property
    def distinct(self) -> int:
        """How many different values there are among these rows."""
        return len(self.values)

    @property
    def mean(self) -> float:
        """Of the numbers."""
        return float(self.numbers.mean())

    @property
    def std(self) -> float:
        """Of the numbers; outliers beyond the 0.1 and 99.9 % points are taken as these."""
        low, high = self.quantile(0.001), self.quantile(0.999)
        return float(np.clip(self.numbers, low, high).std())

    @property
    def are_whole(self) -> bool:
        """Whether all numbers are whole."""
        return bool((self.numbers == np.floor(self.numbers)).all())

    def quantile(self, share: float) -> float:
        """A value that so many numbers do not exceed."""
        return float(np.quantile(self.numbers, share))

    def share_of(self, value: float) -> float:
        """How many of the numbers are just this one."""
        return float((self.numbers == value).mean()) if len(self.numbers) else 0.0


def facts_of(name: str, values: Sequence[Any]) -> ColumnFacts:
    """The facts of a column, from plain values."""
    numbers = [float(v) for v in values if is_number(v)]
    texts = Counter(v for v in values if isinstance(v, str) and v)
    known = Counter(text for v in values if (text := value_text(v)) is not None)
    return ColumnFacts(name, len(values), np.sort(np.array(numbers)), _by_count(texts), _by_count(known))


def _by_count(counted: Mapping[str, int]) -> Mapping[str, int]:
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def is_number(value: object) -> bool:
    """A finite number; true and false are none."""
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and abs(value) < 1e300
        and isfinite(value)
    )
