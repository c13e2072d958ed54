"""The seven tests of monitoring of the ML Test Score, each as it is looked for here."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from service.alerting.rules import ABSENT_KINDS, EVIDENCE, OUTCOMES, RULES, VOLUME
from service.contract.clauses import Code
from service.expressions.parsing import parse_expression
from service.messages import LATENCY, Role, iso
from service.monitor import Task
from service.readiness.freshness import is_on, late, of_roles, ran
from service.readiness.readiness import Found, Test, Way

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.readiness.readiness import Known, Ran, Trace

ERRORS = f"{EVIDENCE}_error"

_FEATURES = frozenset({Role.FEATURE.value})
_ANSWERS = frozenset({Role.PREDICTION.value, Role.SCORE.value})
_WHOLE = frozenset({""})
_WEIGHED = frozenset(f"{EVIDENCE}_{kind}" for kind in (*ABSENT_KINDS, "wrong_type", "range", "unseen")) | {
    EVIDENCE
}
_OF_QUALITY = [rule for rule in RULES if rule.name in OUTCOMES - {"labels"}]
"""What rings by labelled predictions, but for labels that are not like the rest."""
_FIELDS = frozenset({"missing_absent", "missing_wrong_type"})
_NOT_FINITE = frozenset({"missing_nan", "missing_infinite"})
_VALUES = frozenset(
    {*(f"missing_{kind}" for kind in (*ABSENT_KINDS, "wrong_type")), "unseen", "out_of_range"}
)


def _dependencies(known: Known) -> Found:
    fields = ran(known, "missing, type", of_roles(known, _FEATURES), _FIELDS)
    weighed = ran(known, "missing, type, drift", of_roles(known, _FEATURES), _WEIGHED)
    missing = late(fields) or ([] if is_on(fields, weighed) else [_reference_line(known)])
    contract = known.monitor.contract
    if contract is None or contract.unknown_features is None:
        missing.append(
            "a field that is new is recorded, and wakes nobody: `contract: {unknown_features: 0.01}` in the monitor"
        )
    return Found(Way.IN_PART if is_on(fields, weighed) else Way.NOT, [fields], missing)


def _invariants(known: Known) -> Found:
    clauses = ran(known, "contract", of_roles(known, _FEATURES | {Role.RULE.value}), frozenset(Code))
    rates = ran(known, "missing, type, unseen, range", of_roles(known, _FEATURES), _VALUES)
    weighed = ran(known, "missing, type, unseen, range", of_roles(known, _FEATURES), _WEIGHED)
    if is_on(clauses) or is_on(rates, weighed):
        return Found(Way.WHOLE, [clauses, rates])
    missing = late(clauses, rates) or [_reference_line(known)]
    if known.monitor.contract is None:
        missing.append(
            "or a contract: `driftbell contract infer --reference NAME` prints one for the monitor"
        )
    elif clauses is None:
        missing.append("the monitor has a contract that was held against no window yet")
    return Found(Way.NOT, [clauses, rates], missing)


def _skew(known: Known) -> Found:
    drift = ran(known, "drift", of_roles(known, _FEATURES), frozenset({EVIDENCE}))
    if known.reference is None or not is_on(drift):
        return Found(Way.NOT, [drift], late(drift) or [_reference_line(known)])
    compared = known.reference
    remarks = [
        f"compared with reference {compared.name!r}, {compared.rows:,} rows, stored {iso(compared.created_ms)}"
    ]
    if compared.accepted_by is None:
        return Found(Way.WHOLE, [drift], (), remarks)
    remarks.append(f"it was made of served rows, which {compared.accepted_by} accepted")
    missing = [
        f"a reference of the training data: `driftbell reference build --model {_named(known)} --data training.csv`"
    ]
    return Found(Way.BY_HAND, [drift], missing, remarks)


def _staleness(known: Known) -> Found:
    remarks = [f"version {one.version!r} is known since {iso(one.since_ms)}" for one in known.versions]
    if known.reference is not None:
        remarks.append(f"reference {known.reference.name!r} was stored {iso(known.reference.created_ms)}")
    if known.last_label_ms is not None:
        remarks.append(f"the last label is of {iso(known.last_label_ms)}")
    missing = ["nothing in driftbell watches a model's age: alert on it where models are trained or released"]
    return Found(Way.NOT, (), missing, remarks)


def _stability(known: Known) -> Found:
    rates = ran(known, "missing", of_roles(known, _ANSWERS), _NOT_FINITE)
    weighed = ran(known, "missing, range, drift", of_roles(known, _ANSWERS), _WEIGHED)
    if not is_on(rates, weighed):
        advice = (
            "answers in the reference: `driftbell reference build ... --prediction COLUMN --score COLUMN`, or "
            f"`driftbell reference accept --model {_named(known)} --why ...` once they are served"
        )
        return Found(Way.NOT, [rates], late(rates) or [advice])
    if known.monitor.nonfinite == "missing":
        return Found(Way.WHOLE, [rates, weighed])
    advice = (
        "events with NaN or Infinity are dead letters, which ring only in Prometheus and above one in a hundred: "
        "`nonfinite: missing` in the monitor counts them as such answers"
    )
    return Found(Way.IN_PART, [rates, weighed], [advice])


def _computing(known: Known) -> Found:
    drift = ran(known, "drift", of_roles(known, frozenset({Role.LATENCY.value})), frozenset({EVIDENCE}))
    slow = ran(known, "contract", _slow(known))
    latency = slow if drift is None or (slow is not None and slow.fresh) else drift
    volume = ran(known, "silence", of_roles(known, _WHOLE), frozenset({VOLUME}))
    missing = late(latency, volume)
    if latency is None:
        missing.append(
            "`latency_ms` in the events, and a rule of it in the contract: "
            '`rules: [{name: slow, check: "latency_ms <= 500", at_most: 0.01}]`'
        )
    if volume is None:
        missing.append("throughput is judged once three windows with traffic have ended")
    return Found(Way.IN_PART if is_on(latency, volume) else Way.NOT, [latency, volume], missing)


def _slow(known: Known) -> list[Trace]:
    """What was found of the contract's rules that speak of the latency."""
    rules = () if known.monitor.contract is None else known.monitor.contract.rules
    names = {rule.name for rule in rules if LATENCY.name in parse_expression(rule.check).names}
    return [trace for trace in known.findings if trace.role == Role.RULE.value and trace.name in names]


def _quality(known: Known) -> Found:
    errors = ran(known, "error", known.findings, frozenset({ERRORS}), labelled_ms=0)
    judged = [
        ran(known, rule.name, known.judged, rule.methods, labelled_ms=known.ripe_after_ms)
        for rule in _OF_QUALITY
    ]
    shown = () if known.measured is None else (known.measured,)
    measured = ran(known, "realized performance", shown, labelled_ms=known.ripe_after_ms)
    ringing = [errors, *judged]
    found = [*ringing, measured]
    if any(is_on(one) for one in ringing):
        return Found(Way.WHOLE, found)
    if is_on(measured):
        advice = (
            f"it is measured, but nothing rings by it: look with `driftbell performance {_named(known)}`, and keep "
            "what it says"
        )
        return Found(Way.BY_HAND, found, [advice])
    return Found(Way.NOT, found, _unlabelled(known, found))


def _unlabelled(known: Known, found: Sequence[Ran | None]) -> list[str]:
    if known.monitor.task is Task.NONE:
        return ["the monitor names no task: `task: binary` (or multiclass, regression), and label events"]
    if known.last_label_ms is None:
        return [
            'no label has ever come: send {"type": "label", "model": ..., "id": ..., "ts": ..., "label": ...}'
        ]
    before = [one for one in found if one is not None]
    if before:
        last = max(before, key=lambda one: one.end_ms)
        return [
            f"rule {last.rule} has not run since {iso(last.end_ms)}: labels have stopped, or are not joined"
        ]
    return ["labels come, but none has met its prediction: both need the same `id` (docs/labels.md)"]


def _named(known: Known) -> str:
    """The model's name, as a shell takes it."""
    return quote(known.monitor.model)


def _reference_line(known: Known) -> str:
    if known.reference is None:
        return (
            f"a reference: `driftbell reference build --model {_named(known)} --data training.csv`, and "
            "`reference: NAME` in the monitor"
        )
    return (
        f"reference {known.reference.name!r} is there, but no window with enough rows was scored by it: see "
        "whether events come, and whether `driftbell evaluate` runs"
    )


TESTS: Sequence[Test] = (
    Test(
        "dependency changes result in notification", _dependencies, 0.5,
        "what upstream teams announce, and changes that leave fields, types and values as they were: be on their lists",
    ),
    Test("data invariants hold for inputs", _invariants, 1.0, "inputs of training, which are checked where it runs"),
    Test("training and serving are not skewed", _skew, 1.0, "whether the reference is what the model was trained on"),
    Test("models are not too stale", _staleness, 0.0, "when a model was trained, and what its age costs"),
    Test("models are numerically stable", _stability, 1.0, "weights and activations, which are watched in training"),
    Test("computing performance has not regressed", _computing, 0.5, "training speed and RAM"),
    Test("prediction quality has not regressed", _quality),
)  # fmt: skip
