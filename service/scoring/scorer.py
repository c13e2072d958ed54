"""Scores one slice of a window against the reference.

A segment is scored against the reference's rows of that segment: against all rows it would always have "drifted", its
own column and all that goes with it. Where those rows are not known, only what is missing or of a wrong type is scored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from detectors.catalogue import CATEGORICAL, NUMERIC, score_all
from detectors.pair import NumericPair
from detectors.proportion import score_proportion
from service.messages import Column, Finding, Role, Verdict
from service.monitor import FeatureOverride, Monitor
from service.scoring.columns import ComparedColumn, Rate, compare
from service.scoring.tolerances import RATE_TOLERANCE, tolerance_of

if TYPE_CHECKING:
    from detectors.score import Score
    from service.scoring.usual import Reference
    from service.sketches.pane import PaneSketch

_RATES = 7
_NOTHING = FeatureOverride()


_rate_score = lru_cache(maxsize=4096)(score_proportion)
"""Most rates of a window are the same: none of so many, as in the reference."""


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
    `quality_only`: the reference's rows of this slice are not known.
    """

    monitor: Monitor
    reference: PaneSketch
    alpha: float
    own: str | None = None
    quality_only: bool = False

    def findings(self, current: PaneSketch) -> tuple[Finding, ...]:
        """All findings of a slice counted on the reference's grid."""
        found: list[Finding] = []
        for compared in compare(self.reference, current):
            override = _override(self.monitor, compared.column)
            if override.ignore or compared.column == (Role.FEATURE, self.own):
                continue
            if not self.quality_only:
                found += self._distribution(compared, override)
            rates = (rate for rate in compared.rates if rate.n and (rate.is_quality or not self.quality_only))
            found += [self._rate(compared.column, rate, override) for rate in rates]
        return tuple(found)

    def _distribution(self, compared: ComparedColumn, override: FeatureOverride) -> Iterator[Finding]:
        if compared.pair is not None:
            known = NUMERIC if isinstance(compared.pair, NumericPair) else CATEGORICAL
            methods = _chosen(known, override.methods or self.monitor.methods)
            for score in score_all(compared.pair, self.alpha, methods):
                yield _finding(
                    compared.column, score, tolerance_of(score.method, score.n, score.m, override.tolerance)
                )

    def _rate(self, column: Column, rate: Rate, override: FeatureOverride) -> Finding:
        score = _rate_score(rate.reference_hits, rate.reference_n, rate.hits, rate.n, self.alpha)
        usual = rate.reference_hits / rate.reference_n if rate.reference_n else 0.0
        tolerance = RATE_TOLERANCE if override.tolerance is None else override.tolerance
        limit = None if score.limit is None else min(1.0, usual + max(score.limit, tolerance))
        value = rate.hits / rate.n
        verdict = Verdict.TOO_LITTLE_DATA if limit is None or score.value is None else _verdict(value, limit)
        return Finding(
            column, rate.name, value, limit, score.p_value, rate.n, rate.reference_n, 0.0, verdict, score.reason,
        )  # fmt: skip


def scorer_for(monitor: Monitor, reference: Reference, segment: str, alpha: float) -> Scorer:
    """How one slice is scored; `segment` is '' or 'name=value'."""
    if not segment:
        return Scorer(monitor, reference.sketch, alpha)
    rows = reference.segment(segment)
    own = segment.partition("=")[0]
    return Scorer(monitor, reference.sketch if rows is None else rows, alpha, own, quality_only=rows is None)


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


def _override(monitor: Monitor, column: Column) -> FeatureOverride:
    return monitor.features.get(column.name, _NOTHING) if column.role is Role.FEATURE else _NOTHING


def _chosen(known: Iterable[str], wanted: Sequence[str] | None) -> tuple[str, ...]:
    """The methods that fit a kind of column, of those that are wanted; None is all."""
    return tuple(known) if wanted is None else tuple(name for name in known if name in wanted)


def _verdict(value: float, limit: float) -> Verdict:
    return Verdict.DRIFT if value > limit else Verdict.OK


def _finding(column: Column, score: Score, tolerance: float) -> Finding:
    if score.value is None or score.limit is None:
        verdict, limit = Verdict.TOO_LITTLE_DATA, score.limit
    else:
        limit = max(score.limit, tolerance)
        verdict = _verdict(score.value, limit)
    return Finding(
        column,
        score.method,
        score.value,
        limit,
        score.p_value,
        score.n,
        score.m,
        score.resolution,
        verdict,
        score.reason,
    )
