"""Findings and windows for the tests of alerts, made of the one number that matters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from service.alerting.fold import Folded, Terms, fold
from service.alerting.rules import Signal
from service.alerting.state import FoldState, state_from_bytes, state_to_bytes
from service.diagnosis.diagnosis import Diagnosis
from service.messages import Alert, Column, Finding, Role, SliceResult, Verdict, WindowKey
from service.monitor import AlertPolicy, FeatureOverride, Monitor

HOUR = 3_600_000
AMOUNT = Column(Role.FEATURE, "amount")
ALPHA = 1e-4


def finding(
    ratio: float | None, method: str = "evidence", column: Column | None = AMOUNT, limit: float = 0.125
) -> Finding:
    """So many times its limit; None is too little data."""
    if ratio is None:
        return Finding(
            column, method, None, None, None, 3, 1000, 0.0, Verdict.TOO_LITTLE_DATA, "too_little_data"
        )
    verdict = Verdict.DRIFT if ratio > 1 else Verdict.OK
    return Finding(column, method, ratio * limit, limit, 0.5, 500, 1000, 0.0, verdict)


def key(hour: int, version: str = "7", segment: str = "", window: str = "1h") -> WindowKey:
    """The window of one hour."""
    return WindowKey("churn", version, segment, window, hour * HOUR, (hour + 1) * HOUR)


def slice_of(
    hour: int, *findings: Finding, version: str = "7", segment: str = "", events: int = 500
) -> SliceResult:
    """One slice of an hour."""
    return SliceResult(key(hour, version, segment), events, 0, findings)


@dataclass
class Course:
    """A model's windows, folded one after the other."""

    policy: AlertPolicy = field(default_factory=AlertPolicy)
    segments: tuple[str, ...] = ()
    state: FoldState = field(default_factory=FoldState)
    hour: int = 0
    last: Folded | None = None
    watch_volume: bool = False
    learning: bool = False
    diagnose: Callable[[SliceResult, Sequence[Signal]], Mapping[Signal, Diagnosis]] = (
        lambda _result, _signals: {}
    )
    since_ms: Callable[[SliceResult, Signal], int | None] = lambda _result, _signal: None
    methods: tuple[str, ...] | None = None
    features: Mapping[str, FeatureOverride] = field(default_factory=dict)

    def window(self, *results: SliceResult, hours: int = 1) -> Sequence[Alert]:
        """The changes of one window; its slices' hours are put right."""
        monitor = Monitor(
            "churn", alerts=self.policy, segments=self.segments, methods=self.methods, features=self.features
        )
        placed = [
            SliceResult(key(self.hour, r.key.version, r.key.segment), r.inferences, r.labels, r.findings)
            for r in results
        ]
        alpha = ALPHA if self.watch_volume else None
        terms = Terms(monitor, alpha, self.diagnose, self.since_ms, self.learning)
        self.last = fold(self.state, key(self.hour, ""), placed, terms)
        self.hour += hours
        return self.last.changes

    def ratio(self, ratio: float | None) -> list[str]:
        """The states that one finding of this ratio leads to."""
        return [a.state.value for a in self.window(slice_of(0, finding(ratio)))]

    def again(self) -> None:
        """Store the state and read it back."""
        self.state = state_from_bytes(state_to_bytes(self.state))
