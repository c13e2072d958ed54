"""What is known of a trouble's effect on the model's answers: how far they moved with it, and how often it is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from service.alerting.rules import EVIDENCE
from service.diagnosis.phrasing import percent
from service.messages import PREDICTION, SCORE, Role, Verdict

if TYPE_CHECKING:
    from service.alerting.rules import Signal
    from service.messages import Column, Finding

EFFECT = "effect"
"""The evidence that says it in words; the figures stand beside it, those that are worse than usual."""
_MOVED, _ERRORS, _USUAL = ("predictions_moved", "scores_moved"), "error_rate", "error_rate_usual"
_NEWS = 1.25
"""So much worse than what was told before is told anew."""

Facts = dict[str, float | str]


def is_about_inputs(signal: Signal) -> bool:
    """Whether answers may follow from it: they do not follow from themselves, from silence or from latency."""
    if signal.column is None:
        return signal.rule == "relation"
    return signal.column.role in {Role.FEATURE, Role.RULE}


def with_effect(evidence: Facts, findings: Sequence[Finding]) -> Facts:
    """The evidence with what these findings of the same slice and window tell of the effect, the worst so far."""
    known = list(_measured(findings))
    worse = {m.name: m for m in known if m.is_worse and m.value > _NEWS * _figure(evidence, m.name)}
    if not known or (not worse and EFFECT in evidence):
        return evidence
    told: dict[str, float | str] = {**evidence, **{name: round(m.value, 4) for name, m in worse.items()}}
    if _ERRORS in worse:
        told[_USUAL] = round(worse[_ERRORS].usual, 4)
    told[EFFECT] = "; ".join(_clauses(told, {m.name for m in known}))
    return told


def effect_said(evidences: Iterable[Mapping[str, float | str]]) -> str | None:
    """What is said of an incident's effect by the evidence of its alerts: the worst of it. None: nothing is known."""
    said = [facts for facts in evidences if isinstance(facts.get(EFFECT), str)]
    worst = max(said, key=_badness, default=None)
    return None if worst is None else str(worst[EFFECT])


def _badness(facts: Mapping[str, float | str]) -> tuple[float, float]:
    return _figure(facts, _ERRORS), max(_figure(facts, name) for name in _MOVED)


class _Measure(NamedTuple):
    """A figure of the answers in one window; what is usual is at most `usual`."""

    name: str
    value: float
    usual: float
    is_worse: bool


def _measured(findings: Sequence[Finding]) -> Iterator[_Measure]:
    for name, column in zip(_MOVED, (PREDICTION, SCORE), strict=True):
        if (tv := _finding(findings, column, "tv")) is not None:
            yield _Measure(name, *tv, _rings(findings, column, "tv", EVIDENCE))
    if (rate := _finding(findings, None, _ERRORS)) is not None:
        is_worse, is_higher = _rings(findings, None, f"{EVIDENCE}_error"), rate[0] > rate[1]
        if is_worse is is_higher:  # else one window says this, and all of them that
            yield _Measure(_ERRORS, *rate, is_worse)


def _finding(findings: Sequence[Finding], column: Column | None, method: str) -> tuple[float, float] | None:
    """A figure and its limit; None where too little is known."""
    found = next((f for f in findings if (f.column, f.method) == (column, method)), None)
    if found is None or found.value is None or found.limit is None:
        return None
    return found.value, found.limit


def _rings(findings: Sequence[Finding], column: Column | None, *methods: str) -> bool:
    return any(f.verdict is Verdict.DRIFT for f in findings if f.column == column and f.method in methods)


def _clauses(told: Facts, known: set[str]) -> Iterator[str]:
    moved = [name for name in _MOVED if name in told]
    looked_at = [name for name in _MOVED if name in known]
    if moved:
        share = percent(_figure(told, moved[0]))
        yield f"its {_answers(moved[0])} moved with it: {share} of them differ"
    elif looked_at:
        yield f"its {_answers(looked_at[0])} have not moved so far"
    if _ERRORS in told:
        usual = percent(_figure(told, _USUAL))
        wrong = percent(_figure(told, _ERRORS))
        yield f"it is wrong in {wrong} of the events whose labels came, usual is at most {usual}"
    elif _ERRORS in known:
        yield "the labels so far show no more errors than usual"


def _answers(name: str) -> str:
    return name.removesuffix("_moved")


def _figure(facts: Mapping[str, float | str], name: str) -> float:
    value = facts.get(name, 0.0)
    return 0.0 if isinstance(value, str) or value is None else float(value)
