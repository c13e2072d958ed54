"""How often a model is wrong, by the rows whose label has come: the evidence of concept drift.

Of sampled rows a label is counted in the window in which it arrives, once; of all rows in the window of its prediction.
What is usual is the reference's own error, or what was seen live as long as nothing was suspect, whichever is higher.
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
QUIET, _MOST_LIMITS = 1.0, 1.25
_AS_USUAL = -1.0
"""Nats that a window of enough rows to tell loses when the rate is usual; one of few rows says too little to count."""
_DOUBT = 2.0
"""Standard errors by which a usual rate may be off."""


class Watched(NamedTuple):
    """What the findings about a rate are called: the rate itself, and the evidence that it was raised.

    A rate of at most `floor` is usual whatever was seen, and `words` say of which rows it is. What is usual is learned
    of about `memory` rows, the newest, once `fewest` were seen. Rows of a window are alike: `dispersion` of them count
    as one.
    """

    rate: str
    evidence: str
    floor: float = 0.0
    words: str | None = None
    memory: float = 2_000.0
    dispersion: float = 1.0
    fewest: float = FEWEST_LEARNED


ERRORS = Watched(ERROR_RATE, EVIDENCE_ERROR)


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
    state: ErrorState, wrong: int, rows: int, reference: tuple[int, int] | None, limit: float, watched: Watched = ERRORS
) -> tuple[ErrorState, tuple[Finding, ...]]:  # fmt: skip
    """Take the labelled rows of one window. `reference`: wrong and all labelled rows of the reference's slice."""
    if not rows:
        return state, ()
    usual, known = _usual(state, reference, watched), reference[1] if reference else 0
    if usual is None:
        told = Finding(
            None, watched.rate, wrong / rows, None, None, rows, known, 0.0, Verdict.OK, watched.words
        )
        return _remembered(state, wrong, rows, watched), (told,)
    state, found = raised_findings(state, (wrong, rows), usual, limit, watched, known)
    if (found[1].value or 0.0) < QUIET:
        state = _remembered(state, wrong, rows, watched)
    return state, found


def raised_findings(
    state: ErrorState, counted: tuple[int, int], usual: float, limit: float, watched: Watched, known: int = 0
) -> tuple[ErrorState, tuple[Finding, Finding]]:
    """Add the evidence of one window that a rate is higher than `usual`; the rate, and all the evidence for it."""
    hits, rows = counted
    alike = max(1.0, watched.dispersion)
    gains = rate_gains(np.array(hits / alike), np.array(rows / alike), np.array(usual))
    evidence = np.array(state.evidence) + gains
    nats = float(log_mean_exp(evidence))
    kept = np.clip(evidence, 0.0, _MOST_LIMITS * limit)
    if nats > limit and float(log_mean_exp(gains)) < _AS_USUAL:
        kept = kept / 2  # it has rung, and this window is as usual: what is over is over soon
    state = ErrorState([float(np.float32(e)) for e in kept.tolist()], state.wrong, state.rows)
    value = max(0.0, nats)
    verdict = Verdict.DRIFT if value > limit else Verdict.OK
    told = Finding(None, watched.rate, hits / rows, usual, None, rows, known, 0.0, Verdict.OK, watched.words)
    found = Finding(None, watched.evidence, value, limit, float(np.exp(-value)), rows, known, 0.0, verdict)
    return state, (told, found)


def _remembered(state: ErrorState, wrong: int, rows: int, watched: Watched) -> ErrorState:
    forget = (1 - 1 / watched.memory) ** rows
    return ErrorState(state.evidence, state.wrong * forget + wrong, state.rows * forget + rows)


def _usual(state: ErrorState, reference: tuple[int, int] | None, watched: Watched) -> float | None:
    """The highest error rate that is usual; None while too little is known."""
    known = reference is not None and reference[1] > 0
    enough, alike = watched.fewest * (5 if known else 1), max(1.0, watched.dispersion)
    seen = []
    if state.rows >= enough:
        seen.append(highest_usual_rate(state.wrong / alike, state.rows / alike, _DOUBT))
    if reference is not None and known:
        seen.append(highest_usual_rate(*reference, _DOUBT))
    return min(0.99, max(watched.floor, *seen) + TOLERANCE) if seen else None
