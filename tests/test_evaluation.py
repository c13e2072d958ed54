"""Evaluation: which windows a step takes, what it restates, and how it scores them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from service.configuration import Configuration, ModelVersion
from service.evaluation.evaluation import Evaluation
from service.messages import Cause, Evaluated, Loss, LossKind, PaneKey, PaneRow, Partition, State, Verdict
from service.monitor import Budget, Monitor, WindowSpec
from service.replay import MemoryResults
from service.scoring import scorer
from service.scoring.budget import FAMILIES, SIGNALS, alpha_for, nats_of
from service.scoring.scorer import AllRows
from service.scoring.usual import Reference
from service.sketches.codec import pane_to_bytes
from service.sketches.grids import Grid, category_grid, default_number_grid
from service.sketches.pane import PaneSketch
from tests.scoring.sketches import AMOUNT, COUNTRIES, COUNTRY, GRID, REFERENCE, amounts, countries, sketch_of

MINUTE = 60_000
FIVE, HOUR = WindowSpec.tumbling(5 * MINUTE), WindowSpec.tumbling(60 * MINUTE)
SLIDING = WindowSpec(5 * MINUTE, MINUTE)
MONITOR = Monitor(
    "churn",
    reference="r",
    windows=(FIVE,),
    allowed_lateness_ms=10 * MINUTE,
    disorder_ms=0,
    budget=Budget(1.0, 86_400_000),
)


@dataclass
class Model:
    """One model whose panes are put by hand, and evaluated when a test says so."""

    monitor: Monitor = MONITOR
    most_windows: int = 500
    grid: Grid = GRID
    reference: PaneSketch | Reference | None = REFERENCE
    results: MemoryResults = field(default_factory=MemoryResults)

    def pane(  # noqa: PLR0917
        self,
        minute: int,
        rows: int,
        partition: int = 0,
        version: str = "1",
        segment: str = "",
        shift: float = 0.0,
        nulls: int = 0,
    ) -> None:
        """So many rows of this minute."""
        seed = 1_000 * minute + partition
        amount = [*[None] * nulls, *amounts(rows - nulls, seed, shift)]
        country = [segment.partition("=")[2]] * rows if segment else countries(rows, seed)
        sketch = sketch_of(amount, country, self.grid)
        start = minute * MINUTE
        row = PaneRow(
            PaneKey("churn", version, segment, start),
            start + MINUTE,
            self.grid.id,
            rows,
            0,
            start,
            pane_to_bytes(sketch),
        )
        self.results.put(Partition("t", partition), row)

    def advance(self, minute: float, *, log_end: int | None = None) -> Evaluated | None:
        """One step up to this watermark, saved."""
        version = ModelVersion(self.monitor, GRID, reference_name="r" if self.reference else None)
        configuration = Configuration({"churn": (version,)})
        evaluation = Evaluation(
            configuration, {"r": self.reference}.get, {self.grid.id: self.grid}.__getitem__, self.most_windows
        )
        end = None if log_end is None else log_end * MINUTE
        made = evaluation.advance("churn", self.results, int(minute * MINUTE), log_end_ms=end)
        if made is not None:
            self.results.save(made)
        return made


def ends(made: Evaluated | None) -> list[tuple[int, str]]:
    """The windows of a step, in minutes."""
    return (
        []
        if made is None
        else list(dict.fromkeys((r.key.end_ms // MINUTE, r.key.window) for r in made.results))
    )


def test_windows_are_evaluated_once_the_watermark_has_passed_them() -> None:
    # minute     0    5    10
    # watermark       ^4.9      nothing
    #                 ^5        the first window
    model = Model()
    model.pane(0, 50)
    model.pane(6, 50)
    assert ends(model.advance(4.9)) == []
    assert ends(model.advance(5)) == [(5, "5m")]
    assert ends(model.advance(9.9)) == []
    assert ends(model.advance(10)) == [(10, "5m")]


def test_a_pane_of_several_partitions_is_one_window_with_the_rows_of_all() -> None:
    model = Model()
    for partition in range(3):
        model.pane(1, 40, partition)
    made = model.advance(5)
    assert made is not None
    assert [(r.key.version, r.inferences, r.aggregate) for r in made.results] == [
        ("1", 120, False),
        ("", 120, True),
    ]


def test_a_model_that_nobody_names_is_not_evaluated() -> None:
    evaluation = Evaluation(Configuration({}), {}.get, {}.__getitem__)
    assert evaluation.advance("churn", MemoryResults(), 10**12) is None


def test_late_rows_restate_their_windows_and_nothing_else() -> None:
    # minute    0    5    10   15
    # panes     ^0   ^6   ^11
    # then           ^7            restates 5 .. 10
    model = Model()
    for minute in (0, 6, 11):
        model.pane(minute, 50)
    model.advance(15)
    assert model.advance(15) is None
    model.pane(7, 20)
    made = model.advance(15)
    assert made is not None
    restated = [r for r in made.results if r.key.end_ms == 10 * MINUTE]
    assert [(r.inferences, r.revision) for r in restated if not r.aggregate] == [(70, 1)]
    assert made.position_ms == 15 * MINUTE
    assert model.advance(15) is None


def test_a_late_pane_in_a_long_gap_has_the_empty_windows_after_it_that_it_would_have_had() -> None:
    # minute    0                             50
    # on time   [5][10][15][20]               [55]
    # late                     ^31: [35], and the silent [40][45][50] after it
    model = Model(replace(MONITOR, allowed_lateness_ms=60 * MINUTE))
    model.pane(0, 50)
    model.pane(50, 50)
    assert ends(model.advance(55)) == [(e, "5m") for e in (5, 10, 15, 20, 55)]
    model.pane(31, 50)
    assert {(e, "5m") for e in (35, 40, 45, 50)} <= set(ends(model.advance(55)))


def test_a_window_that_begins_before_what_late_rows_can_reach_is_left_alone() -> None:
    # position 240, lateness 10: rows before 240 - 60 - 10 - 60 = 110 are out of reach
    # the window 60 .. 120 holds panes on both sides of 110
    model = Model(replace(MONITOR, windows=(FIVE, HOUR)))
    for minute in range(0, 240, 2):
        model.pane(minute, 10)
    model.advance(240)
    assert model.advance(240) is None
    model.pane(239, 10, partition=1)
    assert set(ends(model.advance(240))) == {(240, "5m"), (240, "1h")}
    assert model.advance(240) is None


def test_a_backlog_is_taken_in_steps_that_never_part_the_windows_of_one_end() -> None:
    whole, parts = (
        Model(replace(MONITOR, windows=(FIVE, SLIDING, HOUR))),
        Model(replace(MONITOR, windows=(FIVE, SLIDING, HOUR)), 7),
    )
    for model in (whole, parts):
        for minute in range(0, 70, 3):
            model.pane(minute, 20)
    everything, steps = whole.advance(70), []
    while (step := parts.advance(70)) is not None:
        steps.append(step)
    assert everything is not None
    assert len(steps) > 5
    assert [r for step in steps for r in step.results] == everything.results
    assert [s for step in steps for s in step.states] == everything.states
    at_ends = [{r.key.end_ms for r in step.results} for step in steps]
    assert all(not a & b for i, a in enumerate(at_ends) for b in at_ends[:i])


def test_kinds_of_one_length_and_another_pace_are_told_apart() -> None:
    model = Model(replace(MONITOR, windows=(FIVE, SLIDING)))
    model.pane(4, 50)
    assert ends(model.advance(5)) == [(5, "5m/1m"), (5, "5m")]


def test_the_end_of_a_log_closes_what_it_cuts_short_and_says_so() -> None:
    # minute    0    5    7 log's end
    # windows   [ 5 ][  10 ]
    model = Model()
    for minute in range(7):
        model.pane(minute, 20)
    assert ends(model.advance(5)) == [(5, "5m")]
    made = model.advance(5, log_end=7)
    assert made is not None
    assert [(r.key.end_ms // MINUTE, r.incomplete) for r in made.results] == [(10, True)]
    assert not any(f.method == "volume" for r in made.results for f in r.findings)
    assert model.advance(5, log_end=7) is None


def test_each_slice_has_its_share_of_the_budget_and_each_test_its_share_of_that() -> None:
    monitor = replace(MONITOR, segments=("country",))
    seen: dict[str, float] = {}

    @dataclass(frozen=True)
    class Watched(AllRows):
        def segment(self, name: str) -> PaneSketch | None:
            return REFERENCE if name == "country=DE" else None

    model = Model(monitor)
    model.pane(1, 50)
    model.pane(1, 30, segment="country=DE")
    model.pane(1, 20, segment="country=FR")
    original = scorer.scorer_for
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "service.judging.judge.scorer_for",
            lambda m, r, s, alpha, *more: seen.setdefault(s, alpha) and original(m, r, s, alpha, *more),
        )
        model.reference = Watched(REFERENCE)
        made = model.advance(5)
    columns = FAMILIES["columns"] / scorer.tests_in(REFERENCE, monitor)
    whole, part = alpha_for(monitor, FIVE, columns / 2), alpha_for(monitor, FIVE, columns / 4)
    assert seen == {"": whole, "country=DE": part, "country=FR": part}
    assert made is not None
    limits = {
        r.key.segment: f.limit
        for r in made.results for f in r.findings if (f.column, f.method) == (AMOUNT, "evidence")
    }  # fmt: skip
    of_amount = FAMILIES["columns"] * SIGNALS["distribution"] / 2
    assert limits == {
        "": pytest.approx(nats_of(alpha_for(monitor, FIVE, of_amount / 2))),
        "country=DE": pytest.approx(nats_of(alpha_for(monitor, FIVE, of_amount / 4))),
    }


def test_a_bare_sketch_for_a_reference_scores_segments_for_quality_only() -> None:
    model = Model(replace(MONITOR, segments=("country",)))
    model.pane(1, 50)
    model.pane(1, 30, segment="country=DE", shift=9.0)
    made = model.advance(5)
    assert made is not None
    german = next(r for r in made.results if r.key.segment == "country=DE" and r.key.version == "1")
    assert {f.method.partition("_")[0] for f in german.findings} == {"missing"}
    assert made.alerts == []


def test_missing_values_of_a_segment_ring_though_a_bare_sketch_knows_no_segments() -> None:
    model = Model(replace(MONITOR, segments=("country",)))
    model.pane(1, 50)
    model.pane(1, 30, segment="country=DE", nulls=15)
    made = model.advance(5)
    assert made is not None
    assert {(a.segment, a.cause) for a in made.alerts if a.window == "5m"} == {("country=DE", Cause.MISSING)}


def test_panes_that_were_counted_on_another_grid_are_scored_on_the_references() -> None:
    old = Grid((default_number_grid(AMOUNT),), (category_grid(COUNTRY, COUNTRIES),))
    model = Model(grid=old)
    model.pane(1, 200)
    made = model.advance(5)
    assert made is not None
    assert {f.column.name for r in made.results for f in r.findings if f.column} == {"amount", "country"}


def test_without_a_reference_there_are_volumes_only() -> None:
    model = Model(reference=None)
    model.pane(1, 50)
    made = model.advance(5)
    assert made is not None
    assert [f.method for r in made.results for f in r.findings] == ["volume"]


def test_an_alert_of_a_step_can_be_resumed_from_its_states() -> None:
    # minute   0 ..... 30      30 ..... 40     40 ...
    # amount   usual           nine more       usual
    def course(stops: Sequence[int]) -> list[tuple[str, State, int]]:
        model = Model()
        told = []
        for stop in stops:
            for minute in range(max(0, stop - 5), stop):
                model.pane(minute, 40, shift=9.0 if 30 <= minute < 40 else 0.0)
            made = model.advance(stop)
            told += [] if made is None else [(a.id, a.state, a.at_ms) for a in made.alerts]
        return told

    told = course(range(5, 65, 5))
    assert {state for _, state, _ in told} == {State.FIRING, State.RESOLVED}
    assert told == course(range(5, 65, 5))


# Records that the log lost


def loss(from_minute: float | None, until_minute: float | None, kind: LossKind = LossKind.LOST) -> Loss:
    at = [None if m is None else int(m * MINUTE) for m in (from_minute, until_minute)]
    return Loss(100, 50, kind, at[0], at[1])


@pytest.mark.parametrize(
    ("gap", "incomplete"),
    [
        (loss(6, 8), {10}),  # within the second window
        (loss(4, 6), {5, 10}),  # over a border
        (loss(None, 5), {5, 10}),  # since ever, to the first row after it
        (loss(11, None), {15}),  # nothing came since
        (loss(6, 13, LossKind.TRUNCATED), {10, 15}),
        (loss(15, 16), set()),  # after all of them
    ],
)
def test_windows_that_lost_records_are_flagged_and_no_others(gap: Loss, incomplete: set[int]) -> None:
    # minutes  0 ........ 5 ........ 10 ........ 15
    model = Model(results=MemoryResults([gap]))
    for minute in range(15):
        model.pane(minute, 50)
    made = model.advance(15)
    assert made is not None
    assert {r.key.end_ms // MINUTE for r in made.results if r.incomplete} == incomplete


def test_rows_out_of_order_may_be_missing_a_little_before_the_gap() -> None:
    model = Model(replace(MONITOR, disorder_ms=2 * MINUTE), results=MemoryResults([loss(6, 8)]))
    for minute in range(15):
        model.pane(minute, 50)
    made = model.advance(15)
    assert made is not None
    assert {r.key.end_ms // MINUTE for r in made.results if r.incomplete} == {5, 10}


def test_the_volume_of_a_window_that_lost_records_says_nothing() -> None:
    """Traffic did not fall: the log lost it."""
    rung = {}
    for lost in ((), [loss(1_000, 1_010)]):
        model = Model(results=MemoryResults(lost))
        for minute in range(1_010):
            model.pane(minute, 50 if minute < 1_000 else 1)
        made = model.advance(1_010)
        assert made is not None
        while model.advance(1_010) is not None:
            pass
        alerts = [a for results in model.results.stored(0).values() for r in results for a in r.findings]
        rung[bool(lost)] = [f for f in alerts if f.method == "volume" and f.verdict is Verdict.DRIFT]
    assert rung[False]
    assert not rung[True]


def test_windows_evaluated_before_their_loss_was_known_are_flagged_once_and_cleared_when_it_ends() -> None:
    # minutes  0 ... 5 ... 10 ... 15 ... 20     gap from 6; where it ends is known later
    model = Model()
    for minute in range(20):
        model.pane(minute, 50)
    model.advance(20)
    for gap, incomplete in ((loss(6, None), {10, 15, 20}), (loss(6, 12), {10, 15})):
        model.results.lost = [gap]
        made = model.advance(20)
        assert made is not None
        assert model.advance(20) is None  # nothing is left to restate
        stored = [r for results in model.results.stored(0).values() for r in results]
        assert {r.key.end_ms // MINUTE for r in stored if r.incomplete} == incomplete
