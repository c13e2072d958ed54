"""One way in which a column's usual rows may have become the current ones, and how likely it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.diagnosis.setting import Usual
from service.messages import Cause

FloatArray = NDArray[np.float64]


class Told(NamedTuple):
    """What a person reads: what happened to the column, the same in a few words, the figures, what else it may be."""

    sentence: str
    brief: str
    evidence: Mapping[str, float | str]
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """`weight` is its log-probability but for a constant: evidence of the rows, and how likely it is before any.

    `shares` are those of the partition's cells that it predicts of the `usual` rows. By itself it is drift.
    """

    weight: float
    usual: Usual
    shares: FloatArray


@dataclass(frozen=True, slots=True)
class Fault(Explanation):
    """An explanation that names a cause.

    `proven` says that exact values prove it, however the rest fits. `tell` is asked only of what is told.
    """

    cause: Cause
    tell: Callable[[], Told]
    proven: bool = False
