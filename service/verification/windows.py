"""Windows and findings that should be stored against those that are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from service.alerting.rules import VOLUME
from service.messages import Alert, Finding, SliceResult, State, WindowKey, iso
from service.store.texts import storable
from service.verification.discrepancies import Discrepancies, Discrepancy, Kind

if TYPE_CHECKING:
    from service.store.snapshot import StoredWindow

FindingKey = tuple[WindowKey, str, str, str]
_ALWAYS = ("incident", "model", "version", "segment", "window", "column", "rule", "state", "since_ms")
_WHEN_FIRING = ("cause", "severity", "at_ms", "summary")
"""A pending alert is described anew with each window, and stored with its first description."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What of the windows can be verified.

    Windows that start before `whole_from_ms` have panes that cannot be; then the number of events of earlier windows is
    not known either, so that volumes and alerts are left out (not `with_history`). Windows that end before
    `kept_from_ms` may have been deleted.
    """

    whole_from_ms: int
    kept_from_ms: int
    with_history: bool = True
    revisions: bool = False

    def covers(self, key: WindowKey) -> bool:
        """Whether something can be said of this window."""
        return key.start_ms >= self.whole_from_ms


@dataclass(frozen=True, slots=True)
class ModelVerdict:
    """What is to be said of one model's windows. `blocked` says why nothing is."""

    model: str
    windows: int = 0
    findings: int = 0
    unverifiable: int = 0
    notes: tuple[str, ...] = ()
    blocked: str | None = None
    wrong: Discrepancies = field(default_factory=Discrepancies)


@dataclass(frozen=True, slots=True)
class WindowsCompared:
    """How many slices of windows and findings were compared, and how many windows could not be."""

    windows: int
    findings: int
    unverifiable: int
    wrong: Sequence[Discrepancy]


def compare_windows(
    expected: Sequence[SliceResult],
    windows: Sequence[StoredWindow],
    findings: Sequence[tuple[WindowKey, Finding]],
    scope: Scope,
) -> WindowsCompared:
    """All results of some windows of one model."""
    ours = {r.key: _columns(r, scope) for r in expected if not r.aggregate and _tells(r, scope)}
    theirs = {w.key: _columns(w, scope) for w in windows if _tells(w, scope)}
    our_findings = _by_place(((r.key, f) for r in expected for f in r.findings), scope)
    their_findings = _by_place(findings, scope)
    kept = {
        key for key in ours.keys() | theirs.keys() if scope.covers(key) and not _excused(key, theirs, scope)
    }
    places = {p for p in our_findings.keys() | their_findings.keys() if scope.covers(p[0])}
    places = {p for p in places if not _excused(p, their_findings, scope, p[0].end_ms)}
    wrong = [
        d for key in sorted(kept) if (d := _compare_window(key, ours.get(key), theirs.get(key))) is not None
    ]
    for place in sorted(places):
        wrong += _compare_finding(place, our_findings.get(place), their_findings.get(place))
    unverifiable = len((ours.keys() | theirs.keys()) - kept)
    return WindowsCompared(len(kept), len(places), unverifiable, wrong)


def _tells(one: SliceResult | StoredWindow, scope: Scope) -> bool:
    """A slice without rows stands only for its volume."""
    return scope.with_history or bool(one.inferences or one.labels)


def _columns(one: SliceResult | StoredWindow, scope: Scope) -> dict[str, Any]:
    names = ["inferences", "labels", "incomplete"]
    if scope.revisions:
        names.append("revision")
    return {name: getattr(one, name) for name in names}


def _excused(key: Any, stored: Mapping[Any, object], scope: Scope, end_ms: int | None = None) -> bool:
    end = key.end_ms if end_ms is None else end_ms
    return key not in stored and end < scope.kept_from_ms


def _by_place(found: Iterable[tuple[WindowKey, Finding]], scope: Scope) -> dict[FindingKey, Finding]:
    made = {}
    for key, finding in found:
        if scope.with_history or finding.method != VOLUME:
            role, feature = finding.column or ("", "")
            made[key, str(role), feature, finding.method] = finding
    return made


def _compare_window(
    key: WindowKey, expected: dict[str, Any] | None, stored: dict[str, Any] | None
) -> Discrepancy | None:
    if expected == stored:
        return None
    name = say_window(key)
    if stored is None:
        return Discrepancy(Kind.WINDOW_MISSING, name, _say(expected), "no such window")
    if expected is None:
        return Discrepancy(Kind.WINDOW_UNEXPECTED, name, "no such window", _say(stored))
    return Discrepancy(Kind.WINDOW, name, *_differing(expected, stored))


def _compare_finding(
    place: FindingKey, expected: Finding | None, stored: Finding | None
) -> list[Discrepancy]:
    if expected == stored:
        return []
    key, _, feature, method = place
    name = f"{say_window(key)}, {method}{f' of {feature}' if feature else ''}"
    if stored is None or expected is None:
        kind = Kind.FINDING_MISSING if stored is None else Kind.FINDING_UNEXPECTED
        said = [_verdict(one) for one in (expected, stored)]
        return [Discrepancy(kind, name, *said)]
    return [Discrepancy(Kind.FINDING, name, *_differing(expected._asdict(), stored._asdict()))]


def _verdict(finding: Finding | None) -> str:
    return (
        "no such finding" if finding is None else f"{finding.verdict.value} with a score of {finding.value}"
    )


def compare_alerts(
    model: str, expected: Mapping[str, Alert], stored: Mapping[str, Alert]
) -> list[Discrepancy]:
    """The open alerts of a model, by id."""
    wrong = []
    for alert_id in sorted(expected.keys() | stored.keys()):
        ours, theirs = expected.get(alert_id), stored.get(alert_id)
        name = f"{model}, alert {alert_id}"
        if ours is None or theirs is None:
            wrong.append(Discrepancy(Kind.ALERT, name, _state(ours), _state(theirs)))
            continue
        names = _ALWAYS + (_WHEN_FIRING if ours.state is State.FIRING else ())
        left, right = ({n: _text(getattr(a, n)) for n in names} for a in (ours, theirs))
        if left != right:
            wrong.append(Discrepancy(Kind.ALERT, name, *_differing(left, right)))
    return wrong


def _text(value: Any) -> Any:
    return storable(value) if type(value) is str else value


def _state(alert: Alert | None) -> str:
    return "no open alert" if alert is None else f"a {alert.state.value} one ({alert.rule})"


def _differing(expected: Mapping[str, Any], stored: Mapping[str, Any]) -> tuple[str, str]:
    names = [name for name in expected if expected[name] != stored[name]]
    return _say({n: expected[n] for n in names}), _say({n: stored[n] for n in names})


def _say(columns: Mapping[str, Any] | None) -> str:
    return ", ".join(f"{name} {value}" for name, value in (columns or {}).items())


def say_window(key: WindowKey) -> str:
    """A slice of a window in words."""
    version = f" version {key.version}" if key.version else ""
    segment = f" of {key.segment}" if key.segment else ""
    return (
        f"window {key.window} of {key.model}{version}{segment} from {iso(key.start_ms)} to {iso(key.end_ms)}"
    )
