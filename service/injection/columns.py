"""Which of a model's columns are good to inject a fault into: those where it can be seen at all."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from service.injection.column import ColumnFacts, FloatArray, is_number
from service.injection.survey import Survey
from service.monitor import FeatureOverride, Monitor

if TYPE_CHECKING:
    from service.injection.event import Event

_FINE = 50
"""Of so many different values at least a column is taken for a measured one."""
_MOST_SAMPLED = 2_000
_MOST_COMPARED = 30
_RELATED = 0.5
_SEGMENT_SHARE = 0.5
_USUAL = FeatureOverride()


@dataclass(frozen=True)
class Columns:
    """The columns of a survey that a monitor watches, the most important first. `only`: a person's choice of these."""

    survey: Survey
    monitor: Monitor
    only: Collection[str] = field(default=())

    @cached_property
    def watched(self) -> Sequence[ColumnFacts]:
        """All that can be chosen, by importance, then by how many different values they have."""
        names = self.only or self.survey.features
        chosen = [self.survey.feature(name) for name in names if not self._override(name).ignore]
        return sorted(chosen, key=lambda c: (-self._importance(c.name), -min(c.distinct, _FINE)))

    def _importance(self, name: str) -> float:
        importance = self._override(name).importance
        return 1.0 if importance is None else importance

    def _override(self, name: str) -> FeatureOverride:
        return self.monitor.features.get(name, _USUAL)

    @cached_property
    def numbers(self) -> Sequence[ColumnFacts]:
        """Numbers that vary."""
        return [c for c in self.watched if c.is_numeric and c.distinct > 2 and c.std > 0]

    @cached_property
    def fine(self) -> Sequence[ColumnFacts]:
        """Measured numbers, with decimals."""
        return [c for c in self.numbers if c.distinct > _FINE and not c.are_whole]

    @cached_property
    def texts(self) -> Sequence[ColumnFacts]:
        """Categories, more than one and not one for each row."""
        return [c for c in self.watched if not c.is_numeric and 1 < len(c.texts) <= max(2, c.rows // 20)]

    @cached_property
    def unlike(self) -> tuple[str, str] | None:
        """Two number columns whose values are the least alike."""
        pairs = combinations(self.numbers[:_MOST_COMPARED], 2)
        best = max(pairs, key=lambda pair: _apart(*pair), default=None)
        return (best[0].name, best[1].name) if best is not None and _apart(*best) > 1.0 else None

    @cached_property
    def related(self) -> str | None:
        """The number column that goes most with another one; None when none does."""
        names = [c.name for c in self.numbers[:_MOST_COMPARED]]
        if len(names) < 2:
            return None
        strength = np.abs(correlations(self.survey.sample[:_MOST_SAMPLED], names)).max(axis=1)
        best = int(strength.argmax())
        return names[best] if strength[best] > _RELATED else None

    @cached_property
    def segment(self) -> tuple[str, str] | None:
        """A segment that the monitor watches: its largest value that has at most half of the events."""
        for name in self.monitor.segments:
            facts = self.survey.features.get(name) or self.survey.tags.get(name)
            values: Mapping[str, int] = facts.values if facts is not None else {}
            most = _SEGMENT_SHARE * sum(values.values())
            if fitting := [value for value, count in values.items() if count <= most]:
                return name, fitting[0]
        return None


def correlations(events: Sequence[Event], names: Sequence[str]) -> FloatArray:
    """(d, d) correlations between number features of some events, 0 on the diagonal and where they cannot be told."""
    rows = [[event.feature(name) for name in names] for event in events]
    whole = np.array([row for row in rows if all(map(is_number, row))], np.float64)
    if len(whole) < _FINE:
        return np.zeros((len(names), len(names)))
    standard = (whole - whole.mean(axis=0)) / np.maximum(whole.std(axis=0), 1e-300)
    found = standard.T @ standard / len(whole)
    np.fill_diagonal(found, 0.0)
    return np.asarray(found)


def _apart(one: ColumnFacts, other: ColumnFacts) -> float:
    """How far the middles of two columns are from each other, in their quartile ranges; beyond 1 they hardly meet."""
    spread = sum(c.quantile(0.75) - c.quantile(0.25) for c in (one, other)) / 2
    return abs(one.quantile(0.5) - other.quantile(0.5)) / max(spread, 1e-300)
