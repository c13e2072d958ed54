"""Scores one slice of a window against the reference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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

    from service.sketches.pane import PaneSketch

_RATES = 7
_NOTHING = FeatureOverride()


@dataclass(frozen=True, slots=True)
class Scorer:
    """What a slice is scored with: the monitor's wishes, the reference, and the probability of ringing on nothing."""

    monitor: Monitor
    reference: PaneSketch
    alpha: float

    def findings(self, current: PaneSketch) -> tuple[Finding, ...]:
        """All findings of a slice counted on the reference's grid."""
        found: list[Finding] = []
        for compared in compare(self.reference, current):
            override = self._override(compared.column)
            if not override.ignore:
                found += self._distribution(compared, override)
                found += [self._rate(compared.column, rate, override) for rate in compared.rates if rate.n]
        return tuple(found)

    def _override(self, column: Column) -> FeatureOverride:
        return self.monitor.features.get(column.name, _NOTHING) if column.role is Role.FEATURE else _NOTHING

    def _distribution(self, compared: ComparedColumn, override: FeatureOverride) -> Iterator[Finding]:
        if compared.pair is not None:
            methods = _methods(compared, override.methods or self.monitor.methods)
            for score in score_all(compared.pair, self.alpha, methods):
                yield _finding(compared.column, score, tolerance_of(score.method, score.n, score.m, override.tolerance))

    def _rate(self, column: Column, rate: Rate, override: FeatureOverride) -> Finding:
        score = score_proportion(rate.reference_hits, rate.reference_n, rate.hits, rate.n, self.alpha)
        usual = rate.reference_hits / rate.reference_n if rate.reference_n else 0.0
        tolerance = RATE_TOLERANCE if override.tolerance is None else override.tolerance
        limit = None if score.limit is None else min(1.0, usual + max(score.limit, tolerance))
        value = rate.hits / rate.n
        verdict = Verdict.TOO_LITTLE_DATA if limit is None or score.value is None else _verdict(value, limit)
        return Finding(
            column, rate.name, value, limit, score.p_value, rate.n, rate.reference_n, 0.0, verdict, score.reason,
        )  # fmt: skip


def tests_in(reference: PaneSketch, monitor: Monitor) -> int:
    """How many tests one slice has, for the budget."""
    grid = reference.grid
    wanted = set(monitor.methods or NUMERIC)
    numeric, categorical = (len(wanted & set(table)) + _RATES for table in (NUMERIC, CATEGORICAL))
    return len(grid.numbers) * numeric + len(grid.texts) * categorical + 1


def _methods(compared: ComparedColumn, wanted: Sequence[str] | None) -> tuple[str, ...]:
    known = NUMERIC if isinstance(compared.pair, NumericPair) else CATEGORICAL
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
        column, score.method, score.value, limit, score.p_value, score.n, score.m, score.resolution, verdict, score.reason
    )

