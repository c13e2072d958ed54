"""What each test of a slice may spend of the budget, and so its limit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from service.alerting.state import FoldState, place_of
from service.contract.findings import clauses_in, contract_findings
from service.messages import Column, Finding, Role, Severity, WindowKey
from service.scoring.budget import FAMILIES, SIGNALS, Slices, alpha_for, column_shares, nats_of
from service.scoring.evidence import Watch
from service.scoring.groups import RANGE, RATES, FloatArray
from service.scoring.usual import TOLERANCE

if TYPE_CHECKING:
    from service.judging.terms import Terms
    from service.scoring.usual import Usual
    from service.scoring.windows import SliceKey
    from service.sketches.pane import PaneSketch


def contract_findings_of(
    terms: Terms, slices: Slices, key: SliceKey, sketch: PaneSketch
) -> tuple[Finding, ...]:
    """What was promised of all rows of a version."""
    monitor = terms.version.monitor
    if monitor.contract is None or key.segment or not sketch.inferences:
        return ()
    share = FAMILIES["contract"] * slices.share(is_segment=False) / max(1, clauses_in(monitor.contract))
    return contract_findings(monitor.contract, sketch, alpha_for(monitor, terms.spec, share))


def slices_of(merged: Mapping[SliceKey, PaneSketch]) -> Slices:
    with_rows = [key for key, sketch in merged.items() if sketch.inferences]
    whole = sum(not key.segment for key in with_rows)
    return Slices(max(1, whole), len(with_rows) - whole)


def watch_of(terms: Terms, usual: Usual, share: float, segment: str, held: frozenset[Column]) -> Watch:
    """Each test's limit: what its share of the budget is, in nats. What is not watched never rings."""
    monitor, columns = terms.version.monitor, usual.groups.columns
    own = Column(Role.FEATURE, segment.partition("=")[0]) if segment else None
    shares = np.array(column_shares(monitor, columns))
    whole = share * FAMILIES["columns"]

    def limits(signal: str) -> FloatArray:
        part = whole * SIGNALS[signal]
        return np.array(
            [
                nats_of(alpha_for(monitor, terms.spec, part * one)) if one else np.inf
                for one in shares.tolist()
            ]
        )

    distribution, rates = limits("distribution"), limits("rate")
    mine = np.array([column == own for column in columns], np.bool_)
    distribution = np.where(mine | usual.quality_only, np.inf, distribution)
    by_rate = np.repeat(np.where(mine, np.inf, rates)[:, None], RATES, axis=1)
    if usual.quality_only:
        by_rate[:, RANGE:] = np.inf
    overrides = [monitor.features.get(c.name) if c.role is Role.FEATURE else None for c in columns]
    tolerances = [TOLERANCE if o is None or o.tolerance is None else o.tolerance for o in overrides]
    return Watch(distribution, by_rate, np.array(tolerances), held)


def held_columns(state: FoldState, key: WindowKey) -> frozenset[Column]:
    """Columns of this slice about which a page is open: what is broken must not become usual."""
    held = set()
    for name, tracked in state.tracked.items():
        place = place_of(name)
        mine = (place.version, place.segment, place.window) == (key.version, key.segment, key.window)
        if mine and place.column is not None and tracked.severity is Severity.PAGE:
            held.add(place.column)
    return frozenset(held)


def is_ignored(terms: Terms, column: Column | None) -> bool:
    override = (
        terms.version.monitor.features.get(column.name) if column and column.role is Role.FEATURE else None
    )
    return override is not None and override.ignore
