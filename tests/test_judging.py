"""Windows judged: restated and resumed courses end as those in order, and faults are explained by their causes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from service.alerting.state import open_alerts, state_from_bytes
from service.configuration import Configuration, ModelVersion
from service.evaluation.evaluation import Evaluation
from service.messages import (
    Alert,
    Cause,
    Column,
    PaneKey,
    PaneRow,
    Partition,
    Role,
    Severity,
    SliceResult,
    State,
)
from service.monitor import AlertPolicy, Budget, FeatureOverride, Monitor, WindowSpec
from service.replay import MemoryResults
from service.scoring.scorer import AllRows
from service.sketches.codec import pane_to_bytes
from service.sketches.pane import PaneSketch
from tests.scoring.sketches import AMOUNT, GRID, drawn
from tests.scoring.streams import calm_reference, seasonal_reference

MINUTE = 60_000
WINDOW = 5 * MINUTE
MONITOR = Monitor(
    "churn",
    reference="r",
    windows=(WindowSpec.tumbling(WINDOW),),
    allowed_lateness_ms=10 * 60 * MINUTE,
    disorder_ms=0,
    segments=("country",),
    budget=Budget(1.0, 30 * 86_400_000),
    alerts=AlertPolicy(1, 2, 0.8),
)


@dataclass(frozen=True)
class Segmented(AllRows):
    """A reference that knows one segment's rows."""

    rows_of: Mapping[str, PaneSketch] = field(default_factory=dict)

    def segment(self, name: str) -> PaneSketch | None:
        """Germany."""
        return self.rows_of.get(name)


@cache
def reference() -> AllRows:
    """A calm past, in order."""
    return calm_reference(blocks=12, rows=400)


@dataclass(frozen=True)
class Minute:
    """What the rows of one minute are like."""

    rows: int = 60
    shift: float = 0.0
    null: float = 0.0


@cache
def pane(minute: int, like: Minute, segment: str = "", version: str = "1") -> PaneRow:
    """The pane of one minute."""
    rng = np.random.default_rng([minute, len(segment), len(version)])
    shares = (1.0, 0.0, 0.0, 0.0) if segment else (0.6, 0.3, 0.1, 0.0)
    sketch = drawn(like.rows, rng, like.shift, null=like.null, shares=shares)
    start = minute * MINUTE
    return PaneRow(
        PaneKey("churn", version, segment, start),
        start + MINUTE,
        GRID.id,
        like.rows,
        0,
        start,
        pane_to_bytes(sketch),
    )


@dataclass
class Course:
    """A model whose panes arrive by hand; everything said of it is kept."""

    monitor: Monitor = MONITOR
    reference: AllRows | None = None
    results: MemoryResults = field(default_factory=MemoryResults)
    alerts: list[Alert] = field(default_factory=list)
    told: list[Alert] = field(default_factory=list)
    anew: bool = False
    _evaluation: Evaluation | None = None

    def put(self, *rows: PaneRow) -> None:
        """These panes arrive."""
        for row in rows:
            self.results.put(Partition("t", 0), row)

    def advance(self, minute: float) -> None:
        """As far as this watermark allows; a process that starts anew for it if `anew`."""
        if self._evaluation is None or self.anew:
            known = self.reference or reference()
            version = ModelVersion(self.monitor, GRID, reference_name="r")
            self._evaluation = Evaluation(
                Configuration({"churn": (version,)}), {"r": known}.get, {GRID.id: GRID}.__getitem__
            )
        while (step := self._evaluation.advance("churn", self.results, int(minute * MINUTE))) is not None:
            self.results.save(step)
            self.alerts += step.alerts
            self.told += self.results.untold(step.alerts)

    def outcome(self) -> tuple[object, bytes | None, dict[str, Alert]]:
        """What is stored at last: results without their revisions, the state, and the open alerts."""
        stored = {
            key: {r.key: replace(r, revision=0, findings=tuple(r.findings)) for r in results}
            for key, results in self.results.stored(0).items()
        }
        data = self.results.state_before(2**62)
        return stored, data, open_alerts(state_from_bytes(data), "churn")

    def results_of(self, segment: str = "") -> Sequence[SliceResult]:
        """The slices of a segment, oldest first."""
        ends = sorted(self.results.stored(0).items())
        return [
            r for _, results in ends for r in results if r.key.segment == segment and r.key.version == "1"
        ]


def minutes_of(*stretches: tuple[int, Minute]) -> list[PaneRow]:
    """Panes of consecutive stretches of so many minutes."""
    made: list[PaneRow] = []
    for length, like in stretches:
        for _ in range(length):
            made += [pane(len(made) // 2, like), pane(len(made) // 2, replace(like, rows=30), "country=DE")]
    return made


CALM, NULL, MOVED = Minute(), Minute(null=0.25), Minute(shift=1.5)
LOG = minutes_of((30, CALM), (10, MOVED), (10, NULL), (10, CALM))
END = 60


@cache
def in_order() -> tuple[object, bytes | None, dict[str, Alert]]:
    """The outcome when each minute's rows come in time."""
    course = Course()
    for minute in range(END):
        course.put(*LOG[2 * minute : 2 * minute + 2])
        course.advance(minute + 1)
    assert {a.cause for a in course.alerts} >= {Cause.MISSING}
    return course.outcome()


DELAYS = st.lists(st.sampled_from([0, 0, 0, 1, 3, 7, 12, 25]), min_size=END, max_size=END)


@settings(max_examples=10, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(DELAYS, st.booleans(), st.sampled_from([1, 2, 5, 20]))
def test_rows_that_come_late_end_in_what_they_would_have_been_in_time(
    delays: list[int], anew: bool, pace: int
) -> None:
    course = Course(anew=anew)
    course.put(*LOG[:2])  # the log begins when it begins
    for now in range(0, END + 25 + pace, pace):
        arrived = [m for m, late in enumerate(delays) if now - pace < m + 1 + late <= now]
        course.put(*(row for m in arrived for row in LOG[2 * m : 2 * m + 2]))
        course.advance(min(now, END))
    assert course.outcome() == in_order()


@pytest.mark.parametrize("most_apart", [1, 7, 60])
def test_a_process_that_starts_anew_between_windows_ends_in_the_same(most_apart: int) -> None:
    course = Course(anew=True)
    course.put(*LOG)
    for minute in range(0, END + most_apart, most_apart):
        course.advance(min(minute, END))
    assert course.outcome() == in_order()


def test_a_fault_that_only_late_rows_show_is_told_then_and_one_that_they_take_back_is_withdrawn() -> None:
    # minute   0 ... 30        30 ... 35
    # first    calm            calm
    # then                     null             tells it
    # at last                  calm             withdraws it
    course, calm = Course(), minutes_of((35, CALM))
    course.put(*calm)
    course.advance(35)
    assert course.told == []
    late = minutes_of((30, CALM), (5, replace(NULL, rows=90)))
    course.put(*late[60:])
    course.advance(35)
    fired = [a for a in course.told if not a.segment]
    assert {(a.feature, a.cause, a.state) for a in fired} == {("amount", Cause.MISSING, State.FIRING)}
    course.put(*minutes_of((30, CALM), (5, replace(CALM, rows=120)))[60:])
    course.advance(35)
    withdrawn = [a for a in course.told if not a.segment and a.state is State.RESOLVED]
    assert {a.id for a in withdrawn} == {a.id for a in fired}
    assert all("withdrawn" in a.summary for a in withdrawn)


def test_what_was_told_is_not_told_again_when_its_window_is_restated() -> None:
    course = Course()
    course.put(*minutes_of((30, CALM), (10, NULL)))
    course.advance(40)
    told = list(course.told)
    assert told
    course.put(pane(33, replace(NULL, rows=70)))
    course.advance(40)
    assert len(course.alerts) > len(told)
    assert course.told == told


# What rings, and why


def rung(course: Course, segment: str = "") -> dict[str, Cause]:
    """The features of a segment that fired, and their causes as told last."""
    return {a.feature or "": a.cause for a in course.told if a.state is State.FIRING and a.segment == segment}


def test_a_quiet_stream_rings_nothing() -> None:
    course = Course()
    course.put(*minutes_of((200, CALM)))
    course.advance(200)
    assert course.alerts == []


def test_missing_values_are_explained_with_evidence_and_paged_for() -> None:
    course = Course()
    course.put(*minutes_of((60, CALM), (10, NULL)))
    course.advance(70)
    [alert] = [
        a
        for a in course.told
        if (a.state, a.segment, a.window, a.rule) == (State.FIRING, "", "5m", "missing")
    ]
    assert (alert.cause, alert.severity, alert.feature) == (Cause.MISSING, Severity.PAGE, "amount")
    assert alert.confidence is not None
    assert 60 * MINUTE - WINDOW <= alert.since_ms <= 60 * MINUTE
    assert alert.at_ms <= 70 * MINUTE


def test_a_segments_own_feature_and_unknown_segments_never_ring_by_their_distribution() -> None:
    course = Course()
    course.put(*minutes_of((30, CALM), (30, MOVED)))
    course.advance(60)
    assert rung(course)["amount"] in {Cause.DATA_DRIFT, Cause.OUT_OF_RANGE}
    assert rung(course, "country=DE") == {}
    assert {f.method for r in course.results_of("country=DE") for f in r.findings if f.column != AMOUNT} <= {
        f"missing_{kind}" for kind in ("null", "absent", "nan", "infinite", "empty", "wrong_type")
    }


def test_a_feature_that_is_ignored_never_rings_and_has_no_findings() -> None:
    monitor = replace(MONITOR, features={"amount": FeatureOverride(ignore=True)})
    course = Course(monitor)
    course.put(*minutes_of((30, CALM), (10, replace(MOVED, null=0.5))))
    course.advance(40)
    assert course.alerts == []
    assert {f.column for r in course.results_of() for f in r.findings} == {Column(Role.FEATURE, "country")}


def test_no_finding_holds_what_json_cannot_say() -> None:
    course = Course(replace(MONITOR, features={"amount": FeatureOverride(ignore=True)}))
    course.put(*minutes_of((30, CALM), (10, replace(MOVED, null=0.5))))
    course.advance(40)
    findings = [f for segment in ("", "country=DE") for r in course.results_of(segment) for f in r.findings]
    numbers = [x for f in findings for x in (f.value, f.limit, f.p_value) if x is not None]
    assert len(findings) > 100
    assert np.isfinite(numbers).all()


# Learning


def drifted(*, ordered: bool) -> list[Severity]:
    """Whom a change wakes that a person wants to be woken for: one in the first day of windows, then one after it."""
    season = seasonal_reference(levels=(0.0,), rows=400)
    loud = {name: FeatureOverride(severity="page") for name in ("amount", "country")}
    course = Course(
        replace(MONITOR, segments=(), features=loud), AllRows(season.sketch, season.blocks, ordered)
    )
    course.put(*minutes_of((60, CALM), (10, MOVED), (130, CALM), (10, Minute(shift=-1.5)))[::2])
    course.advance(210)
    return [a.severity for a in course.told if a.state is State.FIRING and a.rule == "drift"]


def test_a_distribution_alone_wakes_nobody_while_a_model_is_learned() -> None:
    """24 windows of five minutes are two hours."""
    assert drifted(ordered=False) == [Severity.TICKET, Severity.PAGE]
    assert drifted(ordered=True) == [Severity.PAGE, Severity.PAGE]


def distinct(alerts: Iterable[Alert]) -> set[str]:
    """The incidents of these."""
    return {a.incident for a in alerts}


def test_two_faults_far_apart_are_two_incidents() -> None:
    # minute   0 .. 60   60 .. 65     65 .. 400     400 .. 405
    #          calm      amount null  calm          silence of the country, in all rows
    course = Course(replace(MONITOR, segments=()))
    course.put(*minutes_of((60, CALM), (5, NULL), (335, CALM), (5, NULL))[::2])
    course.advance(405)
    fired = [a for a in course.told if a.state is State.FIRING and a.rule == "missing"]
    assert len(fired) >= 2
    assert len(distinct(fired)) == 2
