"""Which findings ring together, what cause they speak of, and whom that wakes.

A page wakes somebody: broken data, silence. A ticket waits for the morning: a changed distribution alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from detectors.sequential.catalogue import SELF_TAUGHT
from service.contract.clauses import CAUSES, Code
from service.messages import Cause, Column, Finding, Role, Severity, Verdict
from service.monitor import FeatureOverride, Monitor

DISTRIBUTION = frozenset(
    {"psi", "js_distance", "ks", "wasserstein", "hellinger", "tv", "l_infinity", "chi_square"}
)
VOLUME, EVIDENCE, CONTRACT, SCHEMA = "volume", "evidence", "contract", "schema"
ABSENT_KINDS = ("null", "absent", "nan", "infinite", "empty")
COUNTED = {
    **{f"{EVIDENCE}_{kind}": f"missing_{kind}" for kind in (*ABSENT_KINDS, "wrong_type")},
    f"{EVIDENCE}_range": "out_of_range",
    f"{EVIDENCE}_unseen": "unseen",
    f"{EVIDENCE}_error": "error_rate",
    f"{EVIDENCE}_wrong": "wrong_rate",
    f"{EVIDENCE}_subgroup": "wrong_rate",
    f"{EVIDENCE}_unexplained": "unexplained_rate",
    f"{EVIDENCE}_baseline": "beaten_rate",
}
"""The rate that evidence about a rate is told by."""


OUTCOMES = frozenset({"gap", "performance", "sequence", "subgroup", "baseline", "version", "labels"})
"""The rules about labelled predictions, which are judged when their labels have come."""


LEARNED = frozenset({"performance", "subgroup", "baseline"})
"""Of these, what is usual is learned live where no reference tells."""


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


RULES: Sequence[Rule] = (
    Rule("silence", frozenset({VOLUME}), Cause.SILENCE),
    Rule("missing", frozenset(f"{EVIDENCE}_{kind}" for kind in ABSENT_KINDS), Cause.MISSING),
    Rule("type", frozenset({f"{EVIDENCE}_wrong_type"}), Cause.TYPE_CHANGE),
    Rule("unseen", frozenset({f"{EVIDENCE}_unseen"}), Cause.NEW_CATEGORY),
    Rule("range", frozenset({f"{EVIDENCE}_range"}), Cause.OUT_OF_RANGE),
    Rule("drift", DISTRIBUTION | {EVIDENCE}, Cause.DATA_DRIFT),
    Rule("relation", frozenset({"correlation", "pca", "domain_classifier"}), Cause.CORRELATION_BREAK),
    Rule("error", frozenset({f"{EVIDENCE}_error"}), Cause.CONCEPT_DRIFT),
    Rule("gap", frozenset({f"{EVIDENCE}_unexplained"}), Cause.CONCEPT_DRIFT),
    Rule("performance", frozenset({f"{EVIDENCE}_wrong"}), Cause.PERFORMANCE),
    Rule("sequence", frozenset(SELF_TAUGHT), Cause.CONCEPT_DRIFT),
    Rule("subgroup", frozenset({f"{EVIDENCE}_subgroup"}), Cause.SUBGROUP_GAP),
    Rule("baseline", frozenset({f"{EVIDENCE}_baseline"}), Cause.BELOW_BASELINE),
    Rule("version", frozenset({"version_difference"}), Cause.VERSION_REGRESSION),
    Rule("labels", frozenset({"label_bias"}), Cause.LABEL_BIAS),
    Rule(CONTRACT, frozenset(Code), Cause.SCHEMA_CHANGE),
    Rule(SCHEMA, frozenset({SCHEMA}), Cause.SCHEMA_CHANGE),
)
SEVERITIES: Mapping[Cause, Severity] = {
    Cause.DATA_DRIFT: Severity.TICKET,
    Cause.PREDICTION_DRIFT: Severity.TICKET,
    Cause.NEW_CATEGORY: Severity.TICKET,
    Cause.CLIPPING: Severity.TICKET,
    Cause.PRECISION_LOSS: Severity.TICKET,
    Cause.CORRELATION_BREAK: Severity.TICKET,
    Cause.PIPELINE: Severity.TICKET,
    Cause.LATENCY: Severity.TICKET,
    Cause.LABEL_BIAS: Severity.TICKET,
}
"""Whom a cause wakes; what is not named here pages: broken data, silence, proven harm."""
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
    return {Signal(f.column, rule.name) for f in findings if (rule := rule_of(f)) is not None}


def rule_of(finding: Finding) -> Rule | None:
    """The rule that a finding belongs to; None for one that rings by no rule."""
    return _BY_METHOD.get(finding.method)


def read(findings: Sequence[Finding], monitor: Monitor) -> Mapping[Signal, Reading]:
    """How far each rule and column is over its limit; findings with too little data say nothing.

    Distributions ring by their evidence, the scores tell how far they moved; but methods that a person named ring, too.
    """
    groups: dict[Signal, list[Finding]] = {}
    for finding in findings:
        rule = rule_of(finding)
        if (
            rule is not None
            and finding.verdict is not Verdict.TOO_LITTLE_DATA
            and _may_ring(finding, monitor)
        ):
            groups.setdefault(Signal(finding.column, rule.name), []).append(finding)
    return {signal: _reading(signal, group, findings) for signal, group in groups.items()}


def _may_ring(finding: Finding, monitor: Monitor) -> bool:
    if finding.method not in DISTRIBUTION:
        return True
    return finding.method in (_override(finding.column, monitor).methods or monitor.methods or ())


def _override(column: Column | None, monitor: Monitor) -> FeatureOverride:
    named = column.name if column is not None and column.role is Role.FEATURE else ""
    return monitor.features.get(named, FeatureOverride())


def _reading(signal: Signal, group: Sequence[Finding], findings: Sequence[Finding]) -> Reading:
    worst = max(group, key=_ratio)
    counted = COUNTED.get(worst.method)
    beside = [
        f
        for f in findings
        if f.column == signal.column
        and f.value is not None
        and (f.method == counted or (signal.rule == "drift" and f.method in DISTRIBUTION))
    ]
    told = min(
        beside, key=lambda f: (f.verdict is not Verdict.DRIFT, _SAID_FIRST.get(f.method, 0)), default=worst
    )
    return Reading(_ratio(worst), told)


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
    if rule.name == CONTRACT:
        return CAUSES[finding.method]
    return rule.cause


def severity_of(signal: Signal, cause: Cause, monitor: Monitor) -> Severity:
    """Whom it wakes, unless the monitor says otherwise for this feature."""
    if signal.rule == SCHEMA:
        return Severity.INFO  # an event to look back at: what it breaks rings by itself
    override = _override(signal.column, monitor)
    if override.severity is not None:
        return Severity(override.severity)
    answer = signal.column is not None and signal.column.role in _ANSWERS
    if answer and signal.rule in {"range", "unseen"} and cause is not Cause.STUCK_PREDICTION:
        return Severity.TICKET
    return SEVERITIES.get(cause, Severity.PAGE)
