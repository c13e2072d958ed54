"""Scores one slice of a window against the reference.

A segment is scored against the reference's rows of that segment: against all rows it would always have "drifted", its
own column and all that goes with it. Where those rows are not known, only what is missing or of a wrong type is scored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from detectors.catalogue import CATEGORICAL, NUMERIC
from detectors.proportion import score_proportion
from service.messages import Column, Finding, Role, Verdict
from service.monitor import FeatureOverride, Monitor
from service.scoring.columns import Rate, compare, plan_of, window_counts
from service.scoring.tolerances import RATE_TOLERANCE, tolerances_of
from service.scoring.verdicts import findings_of, verdict_of

if TYPE_CHECKING:
    from detectors.batch import BatchPlan
    from service.scoring.usual import Reference
    from service.sketches.pane import PaneSketch

_RATES = 7
_NOTHING = FeatureOverride()


@dataclass(frozen=True, slots=True)
class AllRows:
    """A reference that knows no segments."""

    sketch: PaneSketch
    blocks: Sequence[PaneSketch] = ()
    ordered: bool = False
    errors: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def segment(self, name: str) -> PaneSketch | None:  # noqa: ARG002
        """None."""
        return None


@dataclass(frozen=True, slots=True)
class Scorer:
    """What a slice is scored with: the monitor's wishes, the reference, and the probability of ringing on nothing.

    `own` is the feature that makes the slice a segment, which is not scored there.
    `quality_only`: the reference's rows of this slice are not known. `plan` is the reference's, made anew without one.
    """

    monitor: Monitor
    reference: PaneSketch
    alpha: float
    own: str | None = None
    quality_only: bool = False
    plan: BatchPlan | None = None

    def findings(self, current: PaneSketch) -> tuple[Finding, ...]:
        """All findings of a slice counted on the reference's grid."""
        found: list[Finding] = []
        by_method = self._by_method(current)
        for place, compared in enumerate(compare(self.reference, current)):
            override = _override(self.monitor, compared.column)
            if override.ignore or compared.column == (Role.FEATURE, self.own):
                continue
            if compared.has_values and not self.quality_only:
                known = NUMERIC if compared.is_number else CATEGORICAL
                wanted = _chosen(known, override.methods or self.monitor.methods)
                found += [by_method[method][place] for method in wanted]
            found += [
                self._rate(compared.column, rate, override)
                for rate in compared.rates
                if rate.n and (rate.is_quality or not self.quality_only)
            ]
        return tuple(found)

    def _by_method(self, current: PaneSketch) -> Mapping[str, Sequence[Finding]]:
        """By method, of all columns in the order of the grid: numbers, then categories."""
        wanted = set(self.monitor.methods or NUMERIC)
        wanted.update(*(o.methods for o in self.monitor.features.values() if o.methods))
        methods = [name for name in NUMERIC if name in wanted]
        if self.quality_only or not methods or not current.inferences + current.labels:
            return {}
        plan = self.plan or plan_of(self.reference)
        made = plan.score(window_counts(self.reference, current), self.alpha, methods)
        grid = self.reference.grid
        columns = [*(one.column for one in grid.numbers), *(one.column for one in grid.texts)]
        overrides = [_override(self.monitor, column).tolerance for column in columns]
        return {
            method: findings_of(columns[: len(scores.n)], scores, tolerances_of(scores, overrides))
            for method, scores in made.items()
        }

    def _rate(self, column: Column, rate: Rate, override: FeatureOverride) -> Finding:
        tolerance = RATE_TOLERANCE if override.tolerance is None else override.tolerance
        return Finding(column, rate.name, *_rate(rate[1:], self.alpha, tolerance))


def scorer_for(
    monitor: Monitor, reference: Reference, segment: str, alpha: float, plan: BatchPlan | None = None
) -> Scorer:
    """How one slice is scored; `segment` is '' or 'name=value', `plan` that of its rows, made anew without one."""
    own = segment.partition("=")[0] if segment else None
    rows = reference.segment(segment) if segment else reference.sketch
    sketch = reference.sketch if rows is None else rows
    return Scorer(monitor, sketch, alpha, own, quality_only=rows is None, plan=plan or plan_of(sketch))


def tests_in(reference: PaneSketch, monitor: Monitor) -> int:
    """How many tests one slice has, for the budget; its volume is one."""
    columns = [(n.column, NUMERIC) for n in reference.grid.numbers] + [
        (t.column, CATEGORICAL) for t in reference.grid.texts
    ]
    overrides = [(_override(monitor, column), known) for column, known in columns]
    return 1 + sum(
        _RATES + len(_chosen(known, override.methods or monitor.methods))
        for override, known in overrides
        if not override.ignore
    )


@lru_cache(maxsize=4096)
def _rate(counts: tuple[int, int, int, int], alpha: float, tolerance: float) -> tuple[Any, ...]:
    """What a finding says behind its name. Most rates of a window are the same: none of so many, as usual."""
    reference_hits, reference_n, hits, n = counts
    score = score_proportion(reference_hits, reference_n, hits, n, alpha)
    usual = reference_hits / reference_n if reference_n else 0.0
    limit = None if score.limit is None else min(1.0, usual + max(score.limit, tolerance))
    value = hits / n
    verdict = Verdict.TOO_LITTLE_DATA if limit is None or score.value is None else verdict_of(value, limit)
    return value, limit, score.p_value, n, reference_n, 0.0, verdict, score.reason


def _override(monitor: Monitor, column: Column) -> FeatureOverride:
    return monitor.features.get(column.name, _NOTHING) if column.role is Role.FEATURE else _NOTHING


def _chosen(known: Iterable[str], wanted: Sequence[str] | None) -> tuple[str, ...]:
    """The methods that fit a kind of column, of those that are wanted; None is all."""
    return tuple(known) if wanted is None else tuple(name for name in known if name in wanted)
