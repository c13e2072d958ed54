"""Which findings ring together, what cause they speak of, and whom that wakes.

A page wakes somebody: broken data, silence. A ticket waits for the morning: a changed distribution alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from service.messages import Cause, Column, Finding, Role, Severity, Verdict
from service.monitor import Monitor

DISTRIBUTION = frozenset(
    {"psi", "js_distance", "ks", "wasserstein", "hellinger", "tv", "l_infinity", "chi_square"}
)
ABSENCES = frozenset({"missing_null", "missing_absent", "missing_nan", "missing_infinite", "missing_empty"})
VOLUME = "volume"


class Signal(NamedTuple):
    """One rule's view of one column in one window."""

    column: Column | None
    rule: str


@dataclass(frozen=True, slots=True)
class Reading:
    """How far a rule's worst finding is over its limit (above 1 it rings), and the finding that people are told of.

    Of several methods that ring on one column the one in the most telling unit is told.
    """

    ratio: float
    told: Finding


@dataclass(frozen=True, slots=True)
class Rule:
    """A named group of findings. The rules stand in the order in which causes explain each other: the first that rings
    is said first.
    """

    name: str
    methods: frozenset[str]
    cause: Cause
    severity: Severity


RULES: Sequence[Rule] = (
    Rule("silence", frozenset({VOLUME}), Cause.SILENCE, Severity.PAGE),
    Rule("missing", ABSENCES, Cause.MISSING, Severity.PAGE),
    Rule("type", frozenset({"missing_wrong_type"}), Cause.TYPE_CHANGE, Severity.PAGE),
    Rule("unseen", frozenset({"unseen"}), Cause.NEW_CATEGORY, Severity.TICKET),
    Rule("range", frozenset({"out_of_range"}), Cause.OUT_OF_RANGE, Severity.PAGE),
    Rule("drift", DISTRIBUTION, Cause.DATA_DRIFT, Severity.TICKET),
)
_SAID_FIRST = {
    m: i
    for i, m in enumerate(
        ("wasserstein", "tv", "js_distance", "ks", "hellinger", "psi", "l_infinity", "chi_square")
    )
}
_JUST_OVER, _FAR_OVER = 1.0 + 2**-52, 1e9
_BY_NAME = {rule.name: rule for rule in RULES}
_BY_METHOD = {method: rule for rule in RULES for method in rule.methods}
_ANSWERS = {Role.PREDICTION, Role.SCORE}


def signals_of(findings: Iterable[Finding]) -> set[Signal]:
    """What these findings speak of, even when they have too little data to say anything."""
    return {Signal(f.column, rule.name) for f in findings if (rule := _BY_METHOD.get(f.method)) is not None}


def read(findings: Iterable[Finding]) -> Mapping[Signal, Reading]:
    """How far each rule and column is over its limit; findings with too little data say nothing."""
    groups: dict[Signal, list[Finding]] = {}
    for finding in findings:
        rule = _BY_METHOD.get(finding.method)
        if rule is not None and finding.verdict is not Verdict.TOO_LITTLE_DATA:
            groups.setdefault(Signal(finding.column, rule.name), []).append(finding)
    return {signal: _reading(group) for signal, group in groups.items()}


def _reading(findings: Sequence[Finding]) -> Reading:
    ratio = max(map(_ratio, findings))
    ringing = [f for f in findings if f.verdict is Verdict.DRIFT]
    if not ringing:
        return Reading(ratio, findings[0])
    return Reading(ratio, min(ringing, key=lambda f: (_SAID_FIRST.get(f.method, 0), -_ratio(f))))


def _ratio(finding: Finding) -> float:
    """Value by limit; above 1 exactly when the verdict is drift, also for a limit of zero and in the last digit."""
    value, limit = finding.value or 0.0, finding.limit or 0.0
    if finding.verdict is Verdict.DRIFT:
        return max(_JUST_OVER, value / limit) if limit > 0 else _FAR_OVER
    return min(1.0, value / limit) if limit > 0 else 0.0


def cause_of(signal: Signal, finding: Finding) -> Cause:
    """The cause that an alert of this signal names."""
    rule = _BY_NAME[signal.rule]
    if rule.cause is Cause.DATA_DRIFT and signal.column is not None and signal.column.role in _ANSWERS:
        return Cause.PREDICTION_DRIFT
    if rule.cause is Cause.DATA_DRIFT and signal.column is not None and signal.column.role is Role.LATENCY:
        return Cause.LATENCY
    if rule.cause is Cause.SILENCE and finding.n > 0:
        return Cause.PIPELINE
    return rule.cause


def severity_of(signal: Signal, finding: Finding, monitor: Monitor) -> Severity:
    """Whom it wakes, unless the monitor says otherwise for this feature."""
    if signal.column is not None and signal.column.role is Role.FEATURE:
        override = monitor.features.get(signal.column.name)
        if override is not None and override.severity is not None:
            return Severity(override.severity)
    answer = signal.column is not None and signal.column.role in _ANSWERS and signal.rule == "range"
    if answer or cause_of(signal, finding) is Cause.PIPELINE:
        return Severity.TICKET
    return _BY_NAME[signal.rule].severity
