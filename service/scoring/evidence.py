"""Evidence that a slice has changed, added up over its windows in order.

Each column is compared with two references at once: what the model was trained on, and the recent past. It rings only
if its windows differ from both, and from every other stretch of time that is known: the regimes of the training data,
and the same hours of earlier days and weeks. So a season that comes back is no news, and a fault is news at once.

    training ---- e-CUSUM over alternatives --.
    recent past - e-CUSUM over alternatives --+-- the smaller -- above the limit? -- differs from all regimes? -- rings
    rates ------- e-CUSUM over raised rates ----- above the limit? ------------------------------------------ rings

What the recent past is: windows of late, forgotten with a half-life of some twenty, those left out that are themselves
suspect (for a while, or as long as a page about the column is open), so that a fault is not learned.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from detectors.evidence import distribution_gains, log_mean_exp, rate_gains
from detectors.overdispersion import dispersion
from service.messages import Column, Finding, Missing, Verdict
from service.scoring.evidence_state import MEMORY_WINDOWS, Evidence, as_stored
from service.scoring.groups import RANGE, UNSEEN, BoolArray, FloatArray
from service.scoring.usual import TOLERANCE

if TYPE_CHECKING:
    from service.scoring.usual import Usual
    from service.sketches.pane import PaneSketch

EVIDENCE = "evidence"
RATE_METHODS = (*(f"evidence_{kind.name.lower()}" for kind in Missing), "evidence_range", "evidence_unseen")

_SUSPECT, _QUIET = 4.0, 1.0
"""In nats: above the one a window is not learned, below the other a run of suspect windows has ended."""
_LEARNED_AFTER = 20
_STEADY = 1.3
"""A column that varies no more than so, and agreed with training for as long, is judged by training alone."""
_MOST_LIMITS = 1.25
"""Evidence is kept up to a quarter above its limit, and halved by a window that is as usual once it has rung: what is
over is over soon. Less evidence than there was can only ring later.
"""
_TRAINING, _RECENT, _REGIME = "training", "the recent past", "another time of the training data"
_VARIES_RATE, _VARIES_MOST = 0.04, 4.0
_TOLD_FROM = 0.25
"""Rates with less than this part of their limit are not written down."""


class Earlier(NamedTuple):
    """A stretch of time that a run of windows may be like, in groups (F, K)."""

    name: str
    counts: FloatArray


Earliers = Callable[[], Sequence[Earlier]]


@dataclass(frozen=True, slots=True)
class Watch:
    """What a step needs to know beside the counts.

    Limits in nats, (F,) and (F, RATES), chi distances too small to matter, (F,), and columns held by a page.
    """

    distribution_limits: FloatArray
    rate_limits: FloatArray
    tolerances: FloatArray | float = TOLERANCE
    held: Collection[Column] = ()


class Told(NamedTuple):
    """A step's outcome: the state after it, what is found, and since when each signal is suspect.

    `since_ms` is known of what is suspect only. `jumped` are columns that differ from the recent past by this window
    alone: something happened just now.
    """

    state: Evidence
    findings: tuple[Finding, ...]
    since_ms: dict[tuple[Column, str], int]
    jumped: frozenset[Column] = frozenset()


def step(
    usual: Usual,
    state: Evidence,
    sketch: PaneSketch,
    watch: Watch,
    span_ms: tuple[int, int],
    earlier: Earliers,
) -> Told:
    """Take one window of a slice. `earlier` is asked for other stretches only when something is about to ring."""
    counts = usual.groups.counts(sketch)
    hits, rate_rows = usual.groups.rates(sketch, counts)
    held = np.array([column in watch.held for column in usual.groups.columns], np.bool_)
    state, against = _distributions(usual, state, counts, watch, held)
    told = _explained(usual, state, against, watch, earlier)
    state, rates = _rates(usual, state, (hits, rate_rows), watch, against.varies, held)
    quiet = np.concatenate([(against.recent < _QUIET)[None], (rates < _QUIET).T])
    since = {
        (usual.groups.columns[i], (EVIDENCE, *RATE_METHODS)[place]): int(state.since_ms[place, i])
        for place, i in np.argwhere(~quiet).tolist()
    }
    state = replace(
        state, since_ms=np.where(quiet, float(span_ms[1]), state.since_ms),
        run=np.where(quiet[0][:, None], 0.0, state.run),
    )  # fmt: skip
    findings = [
        *_distribution_findings(usual, counts, told, watch),
        *_rate_findings(usual, hits, rate_rows, rates, watch),
    ]
    jumped = frozenset(usual.groups.columns[i] for i in np.flatnonzero(against.jumped).tolist())
    return Told(as_stored(state), tuple(findings), since, jumped)


class _Against(NamedTuple):
    """Evidence in nats against training and the recent past, (F,) each, and the overdispersion that counts.

    `jumped` are the columns of which this window alone is enough evidence against the recent past.
    """

    training: FloatArray
    recent: FloatArray
    varies: FloatArray
    jumped: BoolArray


def _distributions(
    usual: Usual, state: Evidence, counts: FloatArray, watch: Watch, held: BoolArray
) -> tuple[Evidence, _Against]:
    rows, limits = counts.sum(axis=1), watch.distribution_limits
    varies = np.maximum(usual.varying(float(rows.max(initial=1.0))), np.maximum(1.0, state.varies))
    tempered, ordered, bounds = counts / varies[:, None], usual.groups.ordered, usual.groups.surprising
    remembered, lately = state.memory.sum(axis=1), usual.smoothed(state.memory)
    now = distribution_gains(tempered, usual.proportions, usual.tolerance(watch.tolerances), ordered, bounds)
    gained = distribution_gains(
        tempered, lately, usual.excuse(remembered / varies, watch.tolerances), ordered, bounds
    )
    training, recent = state.training + now, state.recent + gained
    jumped = gained.max(axis=1) > limits  # the mean of e-values is below the largest
    jumped[jumped] = log_mean_exp(gained[jumped]) > limits[jumped]
    against = _Against(log_mean_exp(training), log_mean_exp(recent), varies, jumped)
    quiet = against.recent < _SUSPECT
    learn = ~held & (quiet | (state.suspect > _LEARNED_AFTER))
    seen = dispersion(*usual.without_surprises(counts, lately)) / (
        1 + rows / np.maximum(remembered, 1) * varies
    )
    known = learn & quiet & (remembered > 3 * rows) & (rows > 0)
    live = (1 - _VARIES_RATE) * state.varies + _VARIES_RATE * np.minimum(seen, _VARIES_MOST * varies)
    made = replace(
        state, run=state.run + counts,
        training=_kept(training, limits, _is_over(against.training > limits, now, rows)),
        recent=_kept(recent, limits, _is_over(against.recent > limits, now, rows)),
        memory=np.where(learn[:, None], state.memory * (1 - 1 / MEMORY_WINDOWS) + counts, state.memory),
        varies=np.where(known, live, state.varies), suspect=np.where(learn & quiet, 0.0, state.suspect + 1),
        agreed=state.agreed + (against.training < _SUSPECT),
    )  # fmt: skip
    return made, against


def _is_over(rung: BoolArray, gains: FloatArray, rows: FloatArray) -> BoolArray:
    """Of what has rung, where this window is as usual."""
    over = rung & (rows > 0)
    over[over] = log_mean_exp(gains[over]) < 0
    return over


def _kept(evidence: FloatArray, limits: FloatArray, over: BoolArray) -> FloatArray:
    """As it is carried on: never below 0, nor far above the limit; less of what is over."""
    kept = np.where(np.isfinite(evidence), evidence, 0.0)
    np.clip(kept, 0.0, _MOST_LIMITS * limits[..., None], out=kept)
    kept[over] /= 2
    return kept


class _Explained(NamedTuple):
    """(F,) evidence in nats against what explains a column best, and in words what that is, where it is told."""

    nats: FloatArray
    why: Mapping[int, str]


def _explained(
    usual: Usual, state: Evidence, against: _Against, watch: Watch, earlier: Earliers
) -> _Explained:
    """What a column differs from, and what explains it: training, the recent past, or another stretch of time."""
    steady = (against.varies < _STEADY) & (state.agreed >= _LEARNED_AFTER)
    nats = np.where(steady, against.training, np.minimum(against.training, against.recent))
    limits = watch.distribution_limits
    over = np.flatnonzero(~steady & (nats > limits))
    excuses = [_TRAINING, _RECENT]
    best = np.where(steady | (against.training <= against.recent), 0, 1)
    if len(over):
        stretches = [(_REGIME, *one) for one in usual.regimes(float(state.run.sum(axis=1).max(initial=1.0)))]
        stretches += [(e.name, usual.smoothed(e.counts), e.counts.sum(axis=1)) for e in earlier()]
        tempered = state.run[over] / against.varies[over, None]
        for name, proportions, there in stretches:
            tolerance = usual.excuse(there / against.varies, watch.tolerances)[over]
            gains = distribution_gains(
                tempered,
                proportions[over],
                tolerance,
                usual.groups.ordered[over],
                usual.groups.surprising[over],
            )
            found = log_mean_exp(gains)
            nearer = over[found < nats[over]]
            nats[over] = np.minimum(nats[over], found)
            best[nearer] = len(excuses)
            excuses.append(name)
    unlike = (against.training > limits) | (against.recent > limits)
    why = {
        i: _unlike(against, i, limits[i], excuses[best[i]], over=bool(nats[i] > limits[i]))
        for i in np.flatnonzero(unlike).tolist()
    }
    return _Explained(nats, why)


def _unlike(against: _Against, i: int, limit: float, nearest: str, *, over: bool) -> str:
    both = ((_TRAINING, against.training[i]), (_RECENT, against.recent[i]))
    far = {name: f"{name} ({nats:.0f} nats)" for name, nats in both if nats > limit}
    told = f"unlike {' and '.join(far.values())}"
    return told if [*far] == [nearest] else f"{told}, {'likest' if over else 'like'} {nearest}"


def _rates(
    usual: Usual, state: Evidence, seen: tuple[FloatArray, FloatArray], watch: Watch, varies: FloatArray,
    held: BoolArray,
) -> tuple[Evidence, FloatArray]:  # fmt: skip
    (hits, rows), limits = seen, watch.rate_limits
    lately_hits, lately_rows = state.rate_memory
    lately = lately_hits / np.maximum(lately_rows, 1.0)
    doubt = 2.5 * np.sqrt(lately * (1 - lately) / np.maximum(lately_rows, 1.0))
    highest = np.where(lately_hits >= 3, np.minimum(lately + doubt, 0.999), 0.0)
    tempered = (
        usual.rates_vary.copy()
    )  # the reference has nothing out of its range: the column's own stands in
    tempered[:, [RANGE, UNSEEN]] = np.maximum(tempered[:, [RANGE, UNSEEN]], varies[:, None])
    gains = rate_gains(hits / tempered, rows / tempered, np.maximum(usual.highest_rates, highest))
    evidence = state.rates + gains
    nats = log_mean_exp(evidence)
    learn = (nats < _SUSPECT) & ~held[:, None]
    memory = np.where(
        learn, state.rate_memory * (1 - 1 / MEMORY_WINDOWS) + np.array([hits, rows]), state.rate_memory
    )
    kept = _kept(evidence, limits, _is_over(nats > limits, gains, rows))
    return replace(state, rates=kept, rate_memory=memory), nats


def _distribution_findings(
    usual: Usual, counts: FloatArray, told: _Explained, watch: Watch
) -> Sequence[Finding]:
    rows = zip(usual.groups.columns, told.nats.tolist(), watch.distribution_limits.tolist(),
               counts.sum(axis=1).tolist(), usual.rows.tolist(), strict=True)  # fmt: skip
    return [
        _finding(column, EVIDENCE, (value, limit), (n, m), told.why.get(i))
        for i, (column, value, limit, n, m) in enumerate(rows)
        if n and limit < np.inf
    ]


def _rate_findings(
    usual: Usual, hits: FloatArray, rows: FloatArray, values: FloatArray, watch: Watch
) -> Sequence[Finding]:
    told = np.argwhere((values > _TOLD_FROM * watch.rate_limits) & (hits > 0)).tolist()
    return [
        _finding(usual.groups.columns[i], RATE_METHODS[k], (float(values[i, k]), float(watch.rate_limits[i, k])),
                 (float(rows[i, k]), float(usual.rate_rows[i, k])))
        for i, k in told
    ]  # fmt: skip


def _finding(
    column: Column, method: str, nats: tuple[float, float], rows: tuple[float, float], why: str | None = None
) -> Finding:
    """Evidence and its limit, of so many rows against so many of the reference.

    By Markov's inequality exp(-value) is a p-value, however often one looks.
    """
    value, limit, n, m = max(0.0, nats[0]), nats[1], *rows
    verdict = Verdict.DRIFT if value > limit else Verdict.OK
    return Finding(column, method, value, limit, math.exp(-value), round(n), round(m), 0.0, verdict, why)
