"""The evaluators, judged: each model's windows finished when its events allow it, its labels joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service.doctor.check import Check, failure, not_checked, warning, well
from service.doctor.phrasing import lasting
from service.messages import iso
from service.monitor import MINUTE_MS
from service.plurals import counted

SLOW_MS = 2 * MINUTE_MS
STALE_MS = 15 * MINUTE_MS
LONG_INBOX = 100_000
_LOOK = "see that an evaluator runs (`driftbell evaluate`), and what its log says of this model"


@dataclass(frozen=True, slots=True)
class EvaluationSeen:
    """One model: up to where its windows are evaluated, could be, and its panes reach.

    `first_pane_ms` is None where something is evaluated. `expired_ms` is how long ago a lease ended that nobody has
    given back; None: there is no such lease.
    """

    model: str
    position_ms: int | None
    watermark_ms: int | None
    first_pane_ms: int | None
    last_pane_end_ms: int | None
    pane_ms: int = MINUTE_MS
    owner: str | None = None
    expired_ms: int | None = None
    inbox: int = 0


def evaluator_checks(models: Sequence[EvaluationSeen]) -> list[Check]:
    """Of each model."""
    if not models:
        return [not_checked("evaluators", "there is no model to evaluate")]
    return [check for one in models for check in (_windows(one), *_lease(one), *_join(one))]


def behind_of(one: EvaluationSeen) -> int | None:
    """How much event time could be evaluated and is not; None where nothing can be."""
    from_ms = one.first_pane_ms if one.position_ms is None else one.position_ms
    if from_ms is None or one.last_pane_end_ms is None or one.watermark_ms is None:
        return None
    return max(0, min(one.watermark_ms, one.last_pane_end_ms) - from_ms)


def _windows(one: EvaluationSeen) -> Check:
    name = f"windows of {one.model}"
    if one.last_pane_end_ms is None:
        return not_checked(name, "no event of it is stored")
    if one.watermark_ms is None:
        said = "none can be finished: a partition that was claimed has not brought a single event"
        return warning(name, said, "let it bring one, or see that its collector calls it idle")
    behind_ms = behind_of(one) or 0
    until = "none is evaluated yet" if one.position_ms is None else f"evaluated to {iso(one.position_ms)}"
    if behind_ms <= one.pane_ms + SLOW_MS:
        return well(name, until)
    said = f"{until}, {lasting(behind_ms)} behind what has come"
    return (warning if behind_ms <= 2 * one.pane_ms + STALE_MS else failure)(name, said, _LOOK)


def _lease(one: EvaluationSeen) -> list[Check]:
    if one.expired_ms is None:
        return []
    said = f"{one.owner or 'an evaluator'} has not given back its lease, which ended {lasting(one.expired_ms)} ago"
    advice = "it was killed or hangs: see that an evaluator runs, it takes the model over"
    return [warning(f"lease of {one.model}", said, advice)]


def _join(one: EvaluationSeen) -> list[Check]:
    if one.inbox <= LONG_INBOX:
        return []
    said = f"{counted(one.inbox, 'prediction and label', 'predictions and labels')} wait to be joined"
    advice = "see that evaluators run and have CPU; `labels.sample` in the monitor joins a share of them"
    return [warning(f"join of {one.model}", said, advice)]
