"""What rings is explained with the part of the traffic that it is in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pytest

from service.alerting.fold import Terms as FoldTerms
from service.alerting.fold import fold
from service.alerting.rules import Signal
from service.alerting.state import FoldState
from service.configuration import Configuration, ModelVersion
from service.diagnosis.diagnosis import Diagnosis, Examined
from service.evaluation.evaluation import Evaluation
from service.judging.explaining import Case, explain
from service.judging.slices import SliceReader
from service.judging.terms import Terms
from service.messages import (
    Alert,
    Cause,
    Finding,
    PaneKey,
    PaneRow,
    Partition,
    SliceResult,
    State,
    Verdict,
    WindowKey,
)
from service.monitor import AlertPolicy, Budget, Monitor, WindowSpec
from service.replay import MemoryResults
from service.scoring.scorer import AllRows
from service.sketches.codec import pane_to_bytes
from service.sketches.pane import PaneSketch
from tests.scoring.sketches import AMOUNT, COUNTRY, GRID, drawn, merged
from tests.scoring.streams import calm_reference

MINUTE = 60_000
MONITOR = Monitor(
    "churn",
    reference="r",
    windows=(WindowSpec.tumbling(5 * MINUTE),),
    allowed_lateness_ms=60 * MINUTE,
    disorder_ms=0,
    segments=("country",),
    budget=Budget(1.0, 30 * 86_400_000),
    alerts=AlertPolicy(1, 2, 0.8),
)
BREAKS, END = 40, 50
PARTITIONS = [Partition("events", number) for number in range(4)]


@cache
def reference() -> AllRows:
    """A calm past."""
    return calm_reference(blocks=12, rows=400)


@dataclass(frozen=True)
class Segmented(AllRows):
    """A reference that knows the rows of some segments."""

    rows_of: Mapping[str, PaneSketch] = field(default_factory=dict)

    def segment(self, name: str) -> PaneSketch | None:
        """Those rows."""
        return self.rows_of.get(name)


@dataclass(frozen=True)
class Rows:
    """What the rows of one minute are like."""

    shift: float = 0.0
    null: float = 0.0
    segment: str = ""
    version: str = "1"
    count: int = 60


def pane(minute: int, number: int, like: Rows) -> PaneRow:
    """One minute of one partition."""
    rng = np.random.default_rng([minute, number, len(like.segment), len(like.version)])
    shares = (1.0, 0.0, 0.0, 0.0) if like.segment else (0.6, 0.3, 0.1, 0.0)
    sketch = drawn(like.count, rng, like.shift, null=like.null, shares=shares)
    start = minute * MINUTE
    named = PaneKey("churn", like.version, like.segment, start)
    return PaneRow(named, start + MINUTE, GRID.id, like.count, 0, start, pane_to_bytes(sketch))


def told(like: Callable[[int, int], Iterable[Rows]], known: AllRows | None = None) -> list[Alert]:
    """What fires of the whole model when each minute and partition has these rows."""
    results, alerts = MemoryResults(), list[Alert]()
    version = ModelVersion(MONITOR, GRID, reference_name="r")
    evaluation = Evaluation(
        Configuration({"churn": (version,)}), {"r": known or reference()}.get, {GRID.id: GRID}.__getitem__
    )
    for minute in range(END):
        for one in PARTITIONS:
            for rows in like(minute, one.number):
                results.put(one, pane(minute, one.number, rows))
    while (step := evaluation.advance("churn", results, END * MINUTE)) is not None:
        results.save(step)
        alerts += step.alerts
    return [a for a in alerts if a.state is State.FIRING and not a.segment]


def from_break(broken: Rows, *numbers: int) -> Callable[[int, int], Iterable[Rows]]:
    """These partitions break."""
    return lambda minute, number: [broken if minute >= BREAKS and number in numbers else Rows()]


@pytest.mark.parametrize(
    ("numbers", "place"),
    [
        ((3,), "in partition 3 of topic events"),
        ((0, 2), "in partitions 0 and 2 of topic events"),
    ],
)
def test_values_that_are_missing_in_some_partitions_are_told_with_them(
    numbers: tuple[int, ...], place: str
) -> None:
    fired = told(from_break(Rows(null=0.5), *numbers))
    [said] = {a.summary for a in fired if a.rule == "missing" and a.window == "5m"}
    assert f"only {place} (" in said


def test_values_that_moved_in_one_partition_are_told_with_it() -> None:
    fired = told(from_break(Rows(shift=6.0), 1))
    said = [a for a in fired if a.feature == "amount" and a.window == "5m"]
    assert said
    assert all(a.evidence["partition"] == "partition 1 of topic events" for a in said)


def test_what_is_broken_in_all_partitions_has_no_place() -> None:
    fired = told(from_break(Rows(null=0.5), 0, 1, 2, 3))
    assert fired
    assert not any("only" in a.summary for a in fired)


def test_a_segment_of_another_version_is_no_part_of_a_version() -> None:
    def like(minute: int, _: int) -> Iterable[Rows]:
        broken = minute >= BREAKS
        yield Rows(null=0.3 * broken)
        yield Rows(null=1.0 * broken, version="22", count=30)
        yield Rows(null=1.0 * broken, version="22", segment="country=DE", count=30)

    fired = told(like)
    assert {a.version for a in fired} == {"1", "22"}
    assert not any("only" in a.summary for a in fired)


def test_a_segment_is_held_against_its_own_past() -> None:
    """France never says its amounts, which are a fifth of all rows; Germany stops saying them."""
    nulls = {"country=FR": 1.0, "country=DE": 0.0}
    rng = np.random.default_rng(3)
    blocks = [drawn(400, rng, null=0.2) for _ in range(12)]
    usual = {name: drawn(900, rng, null=null, shares=(1.0, 0.0, 0.0, 0.0)) for name, null in nulls.items()}
    known = Segmented(merged(blocks), blocks, ordered=True, rows_of=usual)

    def like(minute: int, _: int) -> Iterable[Rows]:
        news = 0.75 if minute >= BREAKS else 0.0
        yield Rows(null=0.2 + 0.2 * news)
        yield Rows(null=1.0, segment="country=FR", count=12)
        yield Rows(null=news, segment="country=DE", count=12)

    fired = told(like, known)
    said = [a for a in fired if a.window == "5m" and a.cause is Cause.MISSING]
    assert said
    assert all("only for country=DE" in a.summary for a in said)


# ---------------------------------------------------------------- how far back rows are looked at
WINDOW = 5 * MINUTE
KEY = WindowKey("churn", "1", "", "5m", BREAKS * MINUTE, BREAKS * MINUTE + WINDOW)
NULL, MOVED = Signal(AMOUNT, "missing"), Signal(COUNTRY, "drift")


def explained(country_since_ms: int) -> Mapping[Signal, Diagnosis]:
    """Why half of the amounts are null in one window, and the countries moved at that time."""
    panes = []
    for minute in range(BREAKS - 30, BREAKS + 5):
        rng, start = np.random.default_rng(minute), minute * MINUTE
        shares = (0.1, 0.3, 0.6, 0.0) if start >= country_since_ms else (0.6, 0.3, 0.1, 0.0)
        sketch = drawn(200, rng, null=0.5 * (minute >= BREAKS), shares=shares)
        key = PaneKey("churn", "1", "", start)
        panes.append(
            PaneRow(key, start + MINUTE, GRID.id, 200, 0, start, pane_to_bytes(sketch), PARTITIONS[0])
        )
    since = {NULL: KEY.start_ms, MOVED: country_since_ms}
    version = ModelVersion(MONITOR, GRID, reference_name="r")

    def read(start_ms: int, end_ms: int, _: str | None = None, /) -> list[PaneRow]:
        return [one for one in panes if start_ms <= one.key.start_ms < end_ms]

    terms = Terms(version, MONITOR.windows[0], KEY, read)
    return explain(
        SliceReader({GRID.id: GRID}.__getitem__), Case(terms, reference()), SliceResult(KEY, 1_000, 0, ()),
        [NULL, MOVED], lambda _, signal: since[signal],
    )  # fmt: skip


def test_a_trouble_is_told_of_its_own_rows_however_long_another_one_has_lasted() -> None:
    found = explained(country_since_ms=KEY.start_ms - 5 * WINDOW)
    assert found[NULL].examined == (KEY.start_ms, 1_000, 0)
    assert found[NULL].evidence["missing_share"] == pytest.approx(0.5, abs=0.05)
    assert found[MOVED].examined == (KEY.start_ms - 5 * WINDOW, 6_000, 0)


def test_what_began_in_the_last_windows_is_looked_at_together() -> None:
    found = explained(country_since_ms=KEY.start_ms - 2 * WINDOW)
    assert found[NULL].examined == found[MOVED].examined == (KEY.start_ms - 2 * WINDOW, 3_000, 0)


def test_the_sentence_tells_the_rows_that_its_share_is_of() -> None:
    state, key = FoldState(), KEY._replace(start_ms=KEY.start_ms - WINDOW)
    finding = Finding(AMOUNT, "evidence_null", 40.0, 16.0, None, 1_000, 1_000, 0.0, Verdict.DRIFT)
    diagnosis = Diagnosis(
        Cause.MISSING, (AMOUNT,), "feature amount is null in 25 % of the rows", 0.9,
        examined=Examined(key.start_ms, 2_000, 0),
    )  # fmt: skip
    terms = FoldTerms(MONITOR, diagnose=lambda _, signals: dict.fromkeys(signals, diagnosis))
    (fired,) = fold(state, KEY, [SliceResult(KEY, 1_000, 0, [finding])], terms).changes
    assert fired.summary == (
        "churn version 1: feature amount is null in 25 % of the rows (1970-01-01 00:35 to 00:45 UTC, 2,000 events)"
    )
