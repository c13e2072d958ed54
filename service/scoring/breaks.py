"""Total breaks, seen in a single pane: a column that is mostly missing, or of another type, all at once.

The fast path beside evidence over windows: what is broken in half of the rows need not wait for a window's end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from detectors.evidence import log_mean_exp, rate_gains
from service.messages import NOT_APPLICABLE, Finding, Verdict
from service.scoring.evidence import RATE_METHODS

if TYPE_CHECKING:
    from service.scoring.usual import Usual
    from service.sketches.pane import PaneSketch

SHARE = 0.5
USUAL = 0.05
"""Half of the rows, of a column in which it is usual for at most one row of twenty."""
FEWEST_ROWS = 10


def break_findings(usual: Usual, sketch: PaneSketch, limit: float) -> tuple[Finding, ...]:
    """One finding for each column and kind of missing that is totally broken; `limit` in nats, of one such test."""
    counts = usual.groups.counts(sketch)
    hits, rows = (part[:, :NOT_APPLICABLE] for part in usual.groups.rates(sketch, counts))
    highest = usual.highest_rates[:, :NOT_APPLICABLE]
    broken = (rows >= FEWEST_ROWS) & (hits >= SHARE * rows) & (highest <= USUAL)
    if not broken.any():
        return ()
    nats = log_mean_exp(rate_gains(hits, rows, highest))
    return tuple(
        Finding(
            usual.groups.columns[i], RATE_METHODS[k], float(nats[i, k]), limit, float(np.exp(-nats[i, k])),
            round(rows[i, k]), round(usual.rate_rows[i, k]), 0.0, Verdict.DRIFT,
        )
        for i, k in np.argwhere(broken & (nats > limit)).tolist()
    )  # fmt: skip
