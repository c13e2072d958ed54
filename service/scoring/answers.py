"""How often a model is wrong, by the sampled rows whose label has come: the evidence of concept drift.

A label is counted in the window in which it arrives, once. What is usual is the reference's own error, or what was seen
live as long as nothing was suspect, whichever is higher.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from detectors.evidence import RATES as RAISED
from detectors.evidence import log_mean_exp, rate_gains
from detectors.sequential.usual_rate import highest_usual_rate
from service.messages import Finding, Verdict
from service.sketches.join import join

if TYPE_CHECKING:
    from service.sketches.grids import Grid
    from service.sketches.label_sample import LabelSample
    from service.sketches.sample import RowSample

ERROR_RATE, EVIDENCE_ERROR = "error_rate", "evidence_error"
TOLERANCE = 0.03
"""A model that is wrong in three more of a hundred rows is not worse by enough to wake somebody."""
FEWEST_LEARNED = 100
"""So many labelled rows must have been seen before a model without a reference of its errors is judged."""
_QUIET, _MOST_LIMITS = 1.0, 1.25
_DOUBT = 2.0
"""Standard errors by which a usual rate may be off."""
_FORGETS = 1 - 1 / 2_000


class ErrorState(NamedTuple):
    """Carried from window to window of one slice: e-CUSUM by raised rate, and the errors and rows remembered."""

    evidence: list[float]
    wrong: float = 0.0
    rows: float = 0.0


NOTHING_SEEN = ErrorState([0.0] * len(RAISED))


def errors_of(grid: Grid, rows: Sequence[RowSample], labels: Sequence[LabelSample]) -> tuple[int, int]:
    """Wrong and all of the rows whose label is among these; none when predictions are no classes."""
    joined = join(grid, rows, labels)
    if not joined.classes:
        return 0, 0
    known = ~(np.isnan(joined.predictions) | np.isnan(joined.labels))
    return int((joined.predictions != joined.labels)[known].sum()), int(known.sum())


def error_findings(
    state: ErrorState, wrong: int, rows: int, reference: tuple[int, int] | None, limit: float
) -> tuple[ErrorState, tuple[Finding, ...]]:
    """Take the labelled rows of one window. `reference`: wrong and all labelled rows of the reference's slice."""
    if not rows:
        return state, ()
    usual = _usual(state, reference)
    told = Finding(
        None, ERROR_RATE, wrong / rows, usual, None, rows, reference[1] if reference else 0, 0.0, Verdict.OK
    )
    if usual is None:
        return _remembered(state, wrong, rows), (told,)
    gains = rate_gains(np.array(float(wrong)), np.array(float(rows)), np.array(usual))
    evidence = np.array(state.evidence) + gains
    nats = float(log_mean_exp(evidence))
    kept = np.clip(evidence, 0.0, _MOST_LIMITS * limit)
    if nats > limit and float(log_mean_exp(gains)) < 0:
        kept = kept / 2  # it has rung, and this window is as usual: what is over is over soon
    state = ErrorState([float(np.float32(e)) for e in kept.tolist()], state.wrong, state.rows)
    if nats < _QUIET:
        state = _remembered(state, wrong, rows)
    value = max(0.0, nats)
    verdict = Verdict.DRIFT if value > limit else Verdict.OK
    found = Finding(None, EVIDENCE_ERROR, value, limit, float(np.exp(-value)), rows, told.m, 0.0, verdict)
    return state, (told, found)


def _remembered(state: ErrorState, wrong: int, rows: int) -> ErrorState:
    forget = _FORGETS**rows
    return ErrorState(state.evidence, state.wrong * forget + wrong, state.rows * forget + rows)


def _usual(state: ErrorState, reference: tuple[int, int] | None) -> float | None:
    """The highest error rate that is usual; None while too little is known."""
    known = reference is not None and reference[1] > 0
    enough = FEWEST_LEARNED * (5 if known else 1)
    seen = [highest_usual_rate(state.wrong, state.rows, _DOUBT)] if state.rows >= enough else []
    if reference is not None and known:
        seen.append(highest_usual_rate(*reference, _DOUBT))
    return min(0.99, max(seen) + TOLERANCE) if seen else None
