"""One sentence that a tired person understands: what broke, where, since when, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from detectors.sequential.catalogue import SELF_TAUGHT
from service.alerting.rules import COUNTED, OUTCOMES, SCHEMA, Signal
from service.messages import Cause, Column, Finding, Role, WindowKey
from service.moments import time_at

if TYPE_CHECKING:
    from service.messages import SliceResult

_BROKEN = {
    "missing_null": "is null",
    "missing_absent": "is absent",
    "missing_nan": "is NaN",
    "missing_infinite": "is infinite",
    "missing_empty": "is empty",
    "missing_wrong_type": "has the wrong type",
    "unseen": "has values that the reference never saw",
    "out_of_range": "is outside the reference's range",
}
_PARTED = {
    "correlation": "a correlation moved by {moved}",
    "pca": "the variance outside their main subspace is {moved} times the usual",
    "domain_classifier": "a classifier tells its rows from those just before, its area under the ROC curve is {moved}",
}
_RATES = {
    "error_rate": "the model is wrong in {share} of the labelled events, usual is at most {most}",
    "wrong_rate": "the model is {of} in {share} of its labelled predictions, usual is at most {most}",
    "unexplained_rate": "the model is wrong in {share} of its labelled predictions, by its own scores at most {most} "
    "were to be: the scores do not mean any more what they meant",
    "version_difference": "{of}",
    "label_bias": "labels come for some kinds of predictions more than for others ({of}): {share} of them lie "
    "apart, usual is at most {most}, and what they say of the model may not hold for the rest",
    "beaten_rate": "the model is worse than guessing: of the cases in which only one is right, always saying {of} wins "
    "{share}, usual is at most {most}",
}
_SPELLED = {
    "js_distance": "its Jensen-Shannon distance from the reference",
    "ks": "its Kolmogorov-Smirnov distance from the reference",
    "hellinger": "its Hellinger distance from the reference",
    "psi": "its PSI",
    "chi_square": "its chi-square",
    "evidence": "the evidence against the reference, in nats,",
    "evidence_unseen": "the evidence for values never seen, in nats,",
    "evidence_range": "the evidence for values out of range, in nats,",
    **{name: f"its error rate has changed, the statistic of {name}" for name in SELF_TAUGHT},
}


def sentence(signal: Signal, finding: Finding, result: SliceResult, cause: Cause) -> str:
    """What was counted, in words, with its place and time."""
    return told_sentence(_what(signal, finding, cause), signal, result)


def told_sentence(said: str, signal: Signal, result: SliceResult) -> str:
    """A diagnosis' words with their place and time."""
    of_labels = signal.column is not None and signal.column.role is Role.LABEL
    counted = f"{result.labels:,} labels" if of_labels else f"{result.inferences:,} events"
    if signal.rule in OUTCOMES:
        counted = f"{result.labels:,} labelled predictions"
    return f"{_where(result.key)}: {said} ({_when(result.key)}, {counted})"


def _where(key: WindowKey) -> str:
    version = f" version {key.version}" if key.version else ""
    segment = f" for {key.segment}" if key.segment else ""
    return f"{key.model}{version}{segment}"


def _what(signal: Signal, finding: Finding, cause: Cause) -> str:
    name, value, limit = _named(signal.column), finding.value or 0.0, finding.limit or 0.0
    if cause in {Cause.SILENCE, Cause.PIPELINE}:
        arrived = f"{finding.n:,} events arrived" if finding.n else "no events arrive"
        return f"{arrived}, usual are about {finding.m:,} a window"
    if signal.rule in {SCHEMA, "drift"}:
        moved = f"the distribution of {name} has changed: {_distance(finding.method, value, limit)}"
        return (
            moved if signal.rule == "drift" else f"its events have other fields than before: {finding.reason}"
        )
    if finding.method in _PARTED:
        moved, most = apart(value, limit, _number)
        parted = _PARTED[finding.method].format(moved=moved)
        one = f"{name} no longer goes with the others"
        who = "the features no longer go together" if signal.column is None else one
        return f"{who} as before: {parted}, the limit is {most}"
    if finding.method in _RATES:
        share, most = apart(value, limit, _share)
        return _RATES[finding.method].format(share=share, most=most, of=finding.reason or "wrong")
    if finding.method not in _BROKEN:
        return f"{name}: {_weighed(finding.method, value, limit)}"
    rows = "labels" if signal.column is not None and signal.column.role is Role.LABEL else "events"
    share, most = apart(value, limit, _share)
    return f"{name} {_BROKEN[finding.method]} in {share} of the {rows}, usual is at most {most}"


def _weighed(method: str, value: float, limit: float) -> str:
    """What evidence without a count beside it says."""
    counted = _BROKEN.get(COUNTED.get(method, ""))
    return f"it {counted} far more often than usual" if counted else _distance(method, value, limit)


def _distance(method: str, value: float, limit: float) -> str:
    if method == "wasserstein":
        moved, most = apart(value, limit, _number)
        told = f"its values moved by {moved} of the reference's standard deviations"
    elif method in {"tv", "l_infinity"}:
        share, most = apart(value, limit, _share)
        told = (
            f"{share} of its values have moved"
            if method == "tv"
            else f"the share of one value or group moved by {share}"
        )
    else:
        distance, most = apart(value, limit, _number)
        told = f"{_SPELLED.get(method, method)} is {distance}"
    if value <= limit:
        return f"{told}, which is within the limit of one window, {most}, but lasts"
    return f"{told}, the limit is {most}"


def _named(column: Column | None) -> str:
    if column is None:
        return "the model"
    return (
        f"feature {column.name}" if column.role is Role.FEATURE else f"the {column.name.replace('_ms', '')}"
    )


def apart(value: float, limit: float, say: Callable[[float, int], str]) -> tuple[str, str]:
    """Both in as few digits as tell them apart, three at least."""
    for digits in range(3, 8):
        said = say(value, digits), say(limit, digits)
        if value == limit or said[0] != said[1]:
            break
    return said


def _number(value: float, digits: int) -> str:
    return f"{value:,.0f}" if value >= 10**digits else f"{value:.{digits}g}"


def _share(ratio: float, digits: int) -> str:
    return f"{max(100.0 * ratio, 0.001):.{digits}g} %" if ratio > 0 else "0 %"


def _when(key: WindowKey) -> str:
    start, end = (time_at(ms) for ms in (key.start_ms, key.end_ms))
    clock = "%H:%M" if start.second == end.second == 0 else "%H:%M:%S"
    until = end.strftime(clock if end.date() == start.date() else f"%Y-%m-%d {clock}")
    return f"{start.strftime(f'%Y-%m-%d {clock}')} to {until} UTC"
