"""What judging makes of a reference, once: what is usual in each slice, how it is scored, and its relations."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from service.scoring.columns import plan_of
from service.scoring.relations import Relations, relations_of
from service.scoring.usual import UsualSlices

if TYPE_CHECKING:
    from detectors.batch import BatchPlan
    from service.messages import Column
    from service.scoring.usual import Reference, Usual

_MOST_REFERENCES = 64
_MOST_RELATIONS = 64


@dataclass(eq=False)
class Studied:
    """One reference. All is made when it is first asked for, and kept."""

    reference: Reference
    _plans: dict[str, BatchPlan] = field(default_factory=dict)
    _relations: OrderedDict[frozenset[Column], Relations] = field(default_factory=OrderedDict)

    def usual(self, segment: str) -> Usual | None:
        """What is usual of '' (all traffic) or a segment; None when the reference has too few rows to say."""
        return self._usual.of(segment)

    def plan(self, segment: str) -> BatchPlan:
        """How columns of a slice are scored; those of an unknown segment as those of all traffic."""
        rows = self.reference.segment(segment) if segment else None
        name = segment if rows is not None else ""
        if name not in self._plans:
            self._plans[name] = plan_of(self.reference.sketch if rows is None else rows)
        return self._plans[name]

    def relations(self, left_out: frozenset[Column]) -> Relations:
        """How its features go together, but for some; the latest few are kept."""
        if left_out not in self._relations:
            made = relations_of(self.reference.sketch, self.reference.blocks, left_out)
            self._relations[left_out] = made
            if len(self._relations) > _MOST_RELATIONS:
                self._relations.popitem(last=False)
        return self._relations[left_out]

    @cached_property
    def _usual(self) -> UsualSlices:
        return UsualSlices(self.reference)


@dataclass
class Studies:
    """The references that were judged with lately."""

    _made: OrderedDict[int, Studied] = field(default_factory=OrderedDict)

    def of(self, reference: Reference) -> Studied:
        """What is known of this very reference; it lives as long as that is kept, so that no other has its id."""
        if id(reference) not in self._made:
            self._made[id(reference)] = Studied(reference)
            if len(self._made) > _MOST_REFERENCES:
                self._made.popitem(last=False)
        return self._made[id(reference)]
