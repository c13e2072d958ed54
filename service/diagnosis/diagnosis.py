"""What a diagnosis says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from service.messages import Cause, Column


class Examined(NamedTuple):
    """The rows that a diagnosis is of: from when on, and how many."""

    start_ms: int
    inferences: int
    labels: int


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One cause that explains why these columns rang.

    `columns`: the one that the alert is about first; the others are explained by the same cause.
    `sentence` says what happened without model, place and time: "feature weight is x2.205: kilograms became pounds".
    `confidence` is in [0, 1]: 0.9 and above means that nothing else known explains the counts, 0.5 that it is the
    likeliest of several, below 0.5 nothing is said.
    `evidence` are the numbers behind it, in plain words and units. `alternatives` are the next likely explanations.
    `examined`: None, the rows of the window that rings.
    """

    cause: Cause
    columns: tuple[Column, ...]
    sentence: str
    confidence: float
    evidence: Mapping[str, float | str] = field(default_factory=dict)
    alternatives: tuple[str, ...] = ()
    examined: Examined | None = None
