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

import zlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from detectors.evidence import DISTANCES, distribution_gains, log_mean_exp, rate_gains
from detectors.evidence import RATES as RAISED
from detectors.overdispersion import dispersion
from service.messages import Column, Finding, Missing, Verdict
from service.scoring.groups import RANGE, RATES, UNSEEN, BoolArray, FloatArray
from service.scoring.usual import TOLERANCE

if TYPE_CHECKING:
    from service.scoring.usual import Usual
    from service.sketches.pane import PaneSketch

EVIDENCE = "evidence"
RATE_METHODS = (*(f"evidence_{kind.name.lower()}" for kind in Missing), "evidence_range", "evidence_unseen")

MEMORY_WINDOWS = 28
_SUSPECT, _QUIET = 4.0, 1.0
"""In nats: above the one a window is not learned, below the other a run of suspect windows has ended."""
_LEARNED_AFTER = 20
_STEADY = 1.3
"""A column that varies no more than so, and agreed with training for as long, is judged by training alone."""
_MOST_LIMITS = 1.25
"""Evidence is kept up to a quarter above its limit, and halved by a window that is as usual once it has rung: what is
over is over soon. Less evidence than there was can only ring later.
"""
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


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is carried from window to window of one slice; arrays of float32, so that stored and kept state agree.

    `training`, `recent` (F, A) and `rates` (F, RATES, 8) are e-CUSUMs, never below 0. `memory` (F, K) and
    `rate_memory` (2, F, RATES) are the recent past, `run` (F, K) the counts since the evidence against it began, at
    `since_ms` (1 + RATES, F). `varies` (F,) is the overdispersion seen live, `suspect` (F,) for how many windows
    nothing was learned, `agreed` (F,) how many agreed with training.
    """

    training: FloatArray
    recent: FloatArray
    rates: FloatArray
    memory: FloatArray
    rate_memory: FloatArray
    run: FloatArray
    varies: FloatArray
    suspect: FloatArray
    agreed: FloatArray
    since_ms: FloatArray
    windows: int = 0


class Told(NamedTuple):
    """A step's outcome: the state after it, what is found, and since when each signal is suspect.

    `jumped` are columns that differ from the recent past by this window alone: something happened just now.
    """

    state: Evidence
    findings: tuple[Finding, ...]
    since_ms: dict[tuple[Column, str], int]
    jumped: frozenset[Column] = frozenset()


def begin(usual: Usual, start_ms: int) -> Evidence:
    """The state before the first window: the recent past is the reference's end, where its order is known."""
    columns, width = usual.proportions.shape
    alternatives = (2 * width + 4) * len(DISTANCES)
    memory, rows, wanted = np.zeros((columns, width)), 0.0, 0.0
    for block in usual.blocks[::-1]:
        wanted = wanted or MEMORY_WINDOWS * float(block.sum(axis=1).max()) / 4
        if rows >= wanted:
            break
        memory, rows = memory + block, rows + float(block.sum(axis=1).max())
    return _single(
        Evidence(
            np.zeros((columns, alternatives)), np.zeros((columns, alternatives)),
            np.zeros((columns, RATES, len(RAISED))), memory, np.zeros((2, columns, RATES)),
            np.zeros((columns, width)), np.ones(columns), np.zeros(columns), np.zeros(columns),
            np.full((1 + RATES, columns), float(start_ms)),
        )
    )  # fmt: skip


def _single(state: Evidence) -> Evidence:
    names = ("training", "recent", "rates", "memory", "rate_memory", "run", "varies", "suspect", "agreed")
    return replace(state, **{name: getattr(state, name).astype(np.float32).astype(float) for name in names})


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
    state, against = _distributions(usual, state, counts, watch)
    values = _explained(usual, state, against, watch, earlier)
    state, rates = _rates(usual, state, hits, rate_rows, watch, against)
    since = {
        (column, method): int(state.since_ms[place, i])
        for i, column in enumerate(usual.groups.columns)
        for place, method in enumerate((EVIDENCE, *RATE_METHODS))
    }
    quiet = np.concatenate([(against.recent < _QUIET)[None], (rates < _QUIET).T])
    state = replace(
        state, since_ms=np.where(quiet, float(span_ms[1]), state.since_ms), windows=state.windows + 1,
        run=np.where((against.recent < _QUIET)[:, None], 0.0, state.run),
    )  # fmt: skip
    findings = [
        *_distribution_findings(usual, counts, values, watch),
        *_rate_findings(usual, hits, rate_rows, rates, watch),
    ]
    jumped = np.flatnonzero(against.now > watch.distribution_limits).tolist()
    return Told(_single(state), tuple(findings), since, frozenset(usual.groups.columns[i] for i in jumped))


class _Against(NamedTuple):
    """Evidence in nats against training and the recent past, (F,) each, and the overdispersion that counts.

    `now` is the part of this window alone in the evidence against the recent past.
    """

    training: FloatArray
    recent: FloatArray
    varies: FloatArray
    now: FloatArray


def _distributions(
    usual: Usual, state: Evidence, counts: FloatArray, watch: Watch
) -> tuple[Evidence, _Against]:
    rows = counts.sum(axis=1)
    varies = np.maximum(usual.varying(float(rows.max(initial=1.0))), np.maximum(1.0, state.varies))
    tempered = counts / varies[:, None]
    remembered = state.memory.sum(axis=1)
    lately = usual.smoothed(state.memory)
    most = _MOST_LIMITS * watch.distribution_limits[:, None]
    ordered = usual.groups.ordered
    now = distribution_gains(
        tempered, usual.proportions, usual.tolerance(usual.rows, watch.tolerances), ordered
    )
    training = state.training + now
    gained = distribution_gains(
        tempered, lately, usual.tolerance(remembered / varies, watch.tolerances), ordered
    )
    recent = state.recent + gained
    against = _Against(log_mean_exp(training), log_mean_exp(recent), varies, log_mean_exp(gained))
    held = np.array([column in watch.held for column in usual.groups.columns], np.bool_)
    quiet = against.recent < _SUSPECT
    learn = ~held & (quiet | (state.suspect > _LEARNED_AFTER))
    seen = dispersion(*usual.without_surprises(counts, lately)) / (
        1 + rows / np.maximum(remembered, 1) * varies
    )
    known = learn & quiet & (remembered > 3 * rows) & (rows > 0)
    live = (1 - _VARIES_RATE) * state.varies + _VARIES_RATE * np.minimum(seen, _VARIES_MOST * varies)
    calm = (log_mean_exp(now) < 0) & (rows > 0)
    made = replace(
        state, run=state.run + counts,
        training=_kept(training, most, calm & (against.training > watch.distribution_limits)),
        recent=_kept(recent, most, calm & (against.recent > watch.distribution_limits)),
        memory=np.where(learn[:, None], state.memory * (1 - 1 / MEMORY_WINDOWS) + counts, state.memory),
        varies=np.where(known, live, state.varies), suspect=np.where(learn & quiet, 0.0, state.suspect + 1),
        agreed=state.agreed + (against.training < _SUSPECT),
    )  # fmt: skip
    return made, against


def _kept(evidence: FloatArray, most: FloatArray, over: BoolArray) -> FloatArray:
    """As it is carried on; `over`: it has rung, and this window is as usual."""
    kept = np.clip(np.where(np.isfinite(evidence), evidence, 0.0), 0.0, most)
    return np.where(over[..., None], kept / 2, kept)


def _explained(
    usual: Usual, state: Evidence, against: _Against, watch: Watch, earlier: Earliers
) -> FloatArray:
    """(F,) evidence against whatever explains a column best: training, the recent past, or another stretch of time."""
    steady = (against.varies < _STEADY) & (state.agreed >= _LEARNED_AFTER)
    values = np.where(steady, against.training, np.minimum(against.training, against.recent))
    over = np.flatnonzero(~steady & (values > watch.distribution_limits))
    if not len(over):
        return values
    stretches = list(usual.regimes(float(state.run.sum(axis=1).max(initial=1.0))))
    stretches += [(usual.smoothed(e.counts), e.counts.sum(axis=1)) for e in earlier()]
    tempered = state.run[over] / against.varies[over, None]
    for proportions, there in stretches:
        tolerance = usual.tolerance(there / against.varies, watch.tolerances)[over]
        gains = distribution_gains(tempered, proportions[over], tolerance, usual.groups.ordered[over])
        values[over] = np.minimum(values[over], log_mean_exp(gains))
    return values


def _rates(
    usual: Usual, state: Evidence, hits: FloatArray, rows: FloatArray, watch: Watch, against: _Against
) -> tuple[Evidence, FloatArray]:
    lately_hits, lately_rows = state.rate_memory
    lately = lately_hits / np.maximum(lately_rows, 1.0)
    doubt = 2.5 * np.sqrt(lately * (1 - lately) / np.maximum(lately_rows, 1.0))
    highest = np.where(lately_hits >= 3, np.minimum(lately + doubt, 0.999), 0.0)
    varies = usual.rates_vary.copy()  # the reference has nothing out of its range: the column's own stands in
    varies[:, [RANGE, UNSEEN]] = np.maximum(varies[:, [RANGE, UNSEEN]], against.varies[:, None])
    gains = rate_gains(hits / varies, rows / varies, np.maximum(usual.highest_rates, highest))
    evidence = state.rates + gains
    nats = log_mean_exp(evidence)
    learn: BoolArray = nats < _SUSPECT
    held = np.array([column in watch.held for column in usual.groups.columns], np.bool_)
    learn &= ~held[:, None]
    memory = np.where(
        learn, state.rate_memory * (1 - 1 / MEMORY_WINDOWS) + np.array([hits, rows]), state.rate_memory
    )
    most = _MOST_LIMITS * watch.rate_limits[:, :, None]
    over = (nats > watch.rate_limits) & (log_mean_exp(gains) < 0) & (rows > 0)
    return replace(state, rates=_kept(evidence, most, over), rate_memory=memory), nats


def _distribution_findings(
    usual: Usual, counts: FloatArray, values: FloatArray, watch: Watch
) -> Sequence[Finding]:
    rows = zip(usual.groups.columns, values.tolist(), watch.distribution_limits.tolist(),
               counts.sum(axis=1).tolist(), usual.rows.tolist(), strict=True)  # fmt: skip
    watched = (row for row in rows if row[3] and np.isfinite(row[2]))
    return [_finding(column, EVIDENCE, value, limit, n, m) for column, value, limit, n, m in watched]


def _rate_findings(
    usual: Usual, hits: FloatArray, rows: FloatArray, values: FloatArray, watch: Watch
) -> Sequence[Finding]:
    told = np.argwhere((values > _TOLD_FROM * watch.rate_limits) & (hits > 0)).tolist()
    return [
        _finding(usual.groups.columns[i], RATE_METHODS[k], float(values[i, k]), float(watch.rate_limits[i, k]),
                 float(rows[i, k]), float(usual.rate_rows[i, k]))
        for i, k in told
    ]  # fmt: skip


def _finding(column: Column, method: str, value: float, limit: float, n: float, m: float) -> Finding:
    """By Markov's inequality exp(-value) is a p-value, however often one looks."""
    value = max(0.0, value)
    verdict = Verdict.DRIFT if value > limit else Verdict.OK
    return Finding(column, method, value, limit, float(np.exp(-value)), round(n), round(m), 0.0, verdict)


# ---------------------------------------------------------------- bytes
def evidence_to_bytes(state: Evidence, usual: Usual) -> bytes:
    """The state as it is stored, with what it is evidence against; mostly zeros, so it is compressed."""
    single = (
        state.training, state.recent, state.rates, state.memory, state.rate_memory, state.run, state.varies,
        state.suspect, state.agreed,
    )  # fmt: skip
    body = (
        b"".join(array.astype("<f4").tobytes() for array in single) + state.since_ms.astype("<f8").tobytes()
    )
    return state.windows.to_bytes(4, "little") + usual.identity + zlib.compress(body, 1)


def evidence_from_bytes(data: bytes, usual: Usual, start_ms: int) -> Evidence:
    """The state again; a new one when the bytes are evidence against another reference."""
    fresh = begin(usual, start_ms)
    if data[4:12] != usual.identity:
        return fresh
    body, at, made = zlib.decompress(data[12:]), 0, {}
    names = (
        "training",
        "recent",
        "rates",
        "memory",
        "rate_memory",
        "run",
        "varies",
        "suspect",
        "agreed",
        "since_ms",
    )
    width = {name: 8 if name == "since_ms" else 4 for name in names}
    for name in names:
        like = getattr(fresh, name)
        kind = "<f8" if width[name] == 8 else "<f4"
        made[name] = np.frombuffer(body, kind, like.size, at).reshape(like.shape).astype(float)
        at += like.size * width[name]
    return replace(fresh, **made, windows=int.from_bytes(data[:4], "little"))
