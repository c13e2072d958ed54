"""Ripe windows: what rings when predictions turn out worse, where, and that nothing rings while they do not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from detectors.performance.regression_counts import RegressionScales
from detectors.sequential.catalogue import SELF_TAUGHT
from service.alerting.state import Incident
from service.configuration import ModelVersion
from service.evaluation.ripe import Judged, judge_ripe
from service.judging.outcomes import OutcomeTerms, Ripe
from service.messages import Cause, Role, Severity, State, Verdict, WindowKey
from service.monitor import DAY_MS, HOUR_MS, LabelPolicy, Monitor, Task, WindowSpec
from service.performance.changes import Changes
from service.performance.counting import (
    BinaryCounting,
    Counting,
    MulticlassCounting,
    RegressionCounting,
    added,
)
from service.sketches.grids import Grid

SPEC = WindowSpec.tumbling(HOUR_MS)
NAMES = {1: "no", 2: "yes", 3: "maybe"}
BINARY = BinaryCounting("yes")
Rng = np.random.Generator


def terms(task: Task = Task.BINARY, errors: tuple[int, int] | None = None) -> OutcomeTerms:
    monitor = Monitor("churn", task=task, windows=(SPEC,))
    known = {} if errors is None else {"": errors}
    return OutcomeTerms(ModelVersion(monitor, Grid()), SPEC, known)


def rows(classes: np.ndarray, labels: np.ndarray, scores: np.ndarray | None = None) -> Changes:
    """Predictions and labels by the numbers of their names."""
    n = len(labels)
    none, zero = np.full(n, np.nan), np.zeros(n, np.int32)
    return Changes(
        np.zeros(n, np.int64), zero, classes.astype(np.int32), none if scores is None else scores, none,
        labels.astype(np.int32), none, zero, zero, none,
    )  # fmt: skip


def numbers(predicted: np.ndarray, labels: np.ndarray) -> Changes:
    zero = np.zeros(len(labels), np.int32)
    return rows(zero, zero)._replace(values=predicted, label_values=labels)


def answered(rng: Rng, n: int, wrong: float, positive: float = 0.4) -> Changes:
    """So many rows of two classes, of which about this share is wrong."""
    labels = np.where(rng.random(n) < positive, 2, 1)
    return rows(np.where(rng.random(n) < wrong, 3 - labels, labels), labels)


def window(i: int, counting: Counting, slices: dict[str, Changes], version: str = "7") -> Ripe:
    """The i-th hour; of all traffic and of segments, which are a part of it where '' is not given."""
    counted = {name: counting.count(some, NAMES) for name, some in slices.items()}
    if "" not in counted:
        whole = counting.zeros()
        for one in counted.values():
            whole = added(whole, one)
        counted[""] = whole
    key = WindowKey("churn", "", "", "1h", 100 * DAY_MS + i * HOUR_MS, 100 * DAY_MS + (i + 1) * HOUR_MS)
    return Ripe(key, counting, {(version, name): counted[name] for name in sorted(counted)})


def judged(windows: Iterator[Ripe] | list[Ripe], how: OutcomeTerms) -> Judged:
    return judge_ripe(None, None, windows, lambda _: how)


def fired(found: Judged) -> list[tuple[Cause, str]]:
    return [(a.cause, a.segment) for a in found.alerts if a.state is State.FIRING]


def hours_until(found: Judged, after: int) -> int:
    first = min(a.at_ms for a in found.alerts if a.state is State.FIRING)
    return (first - 100 * DAY_MS) // HOUR_MS - after


def test_a_thousand_windows_that_turn_out_as_ever_never_ring() -> None:
    rng = np.random.default_rng(1)
    slices = ("country=DE", "country=FR", "country=US")
    stream = (
        window(i, BINARY, {name: answered(rng, rng.poisson(100 + 200 * k), 0.1 + 0.03 * k)
                           for k, name in enumerate(slices)})
        for i in range(1_000)
    )  # fmt: skip
    assert fired(judged(stream, terms())) == []


def test_a_model_that_is_wrong_more_often_rings_within_hours_and_says_how_often() -> None:
    rng = np.random.default_rng(2)
    stream = [window(i, BINARY, {"": answered(rng, 300, 0.1 if i < 100 else 0.25)}) for i in range(110)]
    found = judged(stream, terms())
    assert fired(found)[0] == (Cause.PERFORMANCE, "")
    assert hours_until(found, 100) <= 2
    first = next(a for a in found.alerts if a.state is State.FIRING)
    assert "the model is wrong in 2" in first.summary
    assert "labelled predictions)" in first.summary
    assert len({a.incident for a in found.alerts}) == 1


def test_what_the_reference_knows_is_usual_from_the_first_window_on() -> None:
    rng = np.random.default_rng(3)
    stream = [window(i, BINARY, {"": answered(rng, 300, 0.25)}) for i in range(5)]
    assert (Cause.PERFORMANCE, "") in fired(judged(stream, terms(errors=(1_000, 10_000))))
    assert fired(judged(stream, terms(errors=(2_500, 10_000)))) == []


def test_a_flip_in_a_tenth_of_the_traffic_rings_for_that_segment_though_the_average_holds() -> None:
    rng = np.random.default_rng(4)

    def hour(i: int) -> Ripe:
        small = answered(rng, 200, 0.3 if i < 100 else 0.395)
        return window(i, BINARY, {"country=DE": answered(rng, 1_800, 0.3), "country=FR": small})

    found = judged([hour(i) for i in range(200)], terms())
    assert set(fired(found)) == {(Cause.SUBGROUP_GAP, "country=FR")}


def test_worse_than_guessing_rings_only_for_a_model_that_was_better() -> None:
    rng = np.random.default_rng(5)

    def rare(n: int, wrong: float) -> Changes:  # one label in a hundred is positive
        return answered(rng, n, wrong, positive=0.01)

    always_worse = [window(i, BINARY, {"": rare(500, 0.04)}) for i in range(300)]
    assert fired(judged(always_worse, terms())) == []
    turned = [window(i, BINARY, {"": answered(rng, 500, 0.1 if i < 50 else 0.6)}) for i in range(60)]
    told = fired(judged(turned, terms()))
    assert {(Cause.PERFORMANCE, ""), (Cause.BELOW_BASELINE, "")} <= set(told)


def test_naive_models_stand_beside_every_window_that_has_one_before_it() -> None:
    rng = np.random.default_rng(6)
    found = judged([window(i, BINARY, {"": answered(rng, 400, 0.1)}) for i in range(26)], terms())
    of = {(p.key.end_ms, p.basis): p.metrics[0] for p in found.naive}
    ends = sorted({p.key.end_ms for p in found.naive})
    assert len(ends) == 25
    assert {basis for end, basis in of if end == ends[-1]} == {"usual", "last", "seasonal"}
    assert {basis for end, basis in of if end == ends[0]} == {"usual", "last"}
    assert 0.5 < (of[ends[-1], "usual"].value or 0.0) < 0.7


def test_errors_of_numbers_that_grow_ring_and_the_mean_is_the_naive_model() -> None:
    rng = np.random.default_rng(7)
    counting = RegressionCounting(RegressionScales(100.0, 10.0, 3.0))

    def hour(i: int) -> Ripe:
        labels = rng.normal(100, 10, 400)
        return window(i, counting, {"": numbers(labels + rng.normal(0, 3 if i < 100 else 6, 400), labels)})

    found = judged([hour(i) for i in range(105)], terms(Task.REGRESSION))
    assert fired(found)[0] == (Cause.PERFORMANCE, "")
    assert hours_until(found, 100) <= 1
    first = next(a for a in found.alerts if a.state is State.FIRING)
    assert "the model is off by more than 5" in first.summary
    usual = [p.metrics[0].value for p in found.naive if p.basis == "usual"]
    assert usual[-1] == pytest.approx(10, rel=0.15)


def test_of_many_classes_the_frequent_one_is_the_naive_model() -> None:
    rng = np.random.default_rng(8)
    counting = MulticlassCounting(("maybe", "no", "yes"))

    def hour(i: int, wrong: float) -> Ripe:
        labels = rng.choice([1, 2, 3], 300, p=[0.6, 0.3, 0.1])
        said = np.where(rng.random(300) < wrong, labels % 3 + 1, labels)
        return window(i, counting, {"": rows(said, labels)})

    found = judged([hour(i, 0.1 if i < 60 else 0.3) for i in range(70)], terms(Task.MULTICLASS))
    assert (Cause.PERFORMANCE, "") in fired(found)
    assert [p.metrics[0].value for p in found.naive if p.basis == "usual"][-1] == pytest.approx(0.6, abs=0.1)


def test_a_course_taken_up_again_tells_what_it_would_have_told_at_once() -> None:
    rng = np.random.default_rng(9)
    stream = [window(i, BINARY, {"": answered(rng, 300, 0.1 if i < 30 else 0.3)}) for i in range(40)]
    whole, first = judged(stream, terms()), judged(stream[:20], terms())
    rest = judge_ripe(first.states[-1][1], first.states[-1][1], stream[20:], lambda _: terms())
    assert [*first.alerts, *rest.alerts] == whole.alerts
    assert rest.states[-1] == whole.states[-1]


def test_labels_that_take_a_rise_back_withdraw_its_alert() -> None:
    rng = np.random.default_rng(10)
    quiet = [window(i, BINARY, {"": answered(rng, 300, 0.1)}) for i in range(40)]
    bad = [window(i, BINARY, {"": answered(rng, 300, 0.5)}) for i in range(40, 42)]
    good = [window(i, BINARY, {"": answered(rng, 300, 0.1)}) for i in range(40, 42)]
    before, rang = judged(quiet, terms()), judged([*quiet, *bad], terms())
    assert fired(rang)
    again = judge_ripe(before.states[-1][1], rang.states[-1][1], good, lambda _: terms())
    assert {(a.state, "withdrawn" in a.summary) for a in again.alerts} == {(State.RESOLVED, True)}
    assert {a.id for a in again.alerts} == {a.id for a in rang.alerts}


def test_a_new_version_that_is_worse_rings_and_one_that_is_alike_or_better_never() -> None:
    def rollout(wrong: float, seed: int) -> Judged:
        rng = np.random.default_rng(seed)
        stream = []
        for i in range(150):
            old = window(i, BINARY, {"": answered(rng, 400, 0.2)})
            new = window(i, BINARY, {"": answered(rng, 100, wrong)}, version="8")
            both = {**old.slices, **new.slices} if i >= 50 else old.slices
            stream.append(replace(old, slices=both))
        return judged(stream, terms())

    found = rollout(0.3, 11)
    rang = [a for a in found.alerts if a.state is State.FIRING and a.cause is Cause.VERSION_REGRESSION]
    assert [(a.version, a.segment) for a in rang] == [("8", "")]
    assert "8 is worse than 7: its error rate is" in rang[0].summary
    assert fired(rollout(0.2, 12)) == []
    assert fired(rollout(0.1, 13)) == []


def test_detectors_that_a_person_names_look_at_the_error_rates_too() -> None:
    rng = np.random.default_rng(14)
    named = LabelPolicy(detectors=tuple(SELF_TAUGHT))
    how = OutcomeTerms(
        ModelVersion(Monitor("churn", task=Task.BINARY, windows=(SPEC,), labels=named), Grid()), SPEC
    )
    found = judged(
        [window(i, BINARY, {"": answered(rng, 200, 0.1 if i < 60 else 0.4)}) for i in range(80)], how
    )
    methods = {f.method for one in found.results for f in one.findings}
    assert set(SELF_TAUGHT) - {"kswin"} <= methods  # that one wants a hundred windows before it judges
    rang = {f.method for one in found.results for f in one.findings if f.verdict is Verdict.DRIFT}
    assert {"adwin", "page_hinkley", "ddm"} <= rang
    said = [a.summary for a in found.alerts if a.rule == "sequence"]
    assert "its error rate has changed, the statistic of " in said[0]


def test_other_classes_or_another_reference_begin_anew() -> None:
    rng = np.random.default_rng(15)
    many = MulticlassCounting(tuple(f"class {i}" for i in range(7)))
    named = {i + 1: f"class {i}" for i in range(7)}

    def of_seven(i: int) -> Ripe:
        labels = rng.integers(5, 8, 300)
        counted = many.count(rows(labels, labels), named)
        return replace(
            window(i, BINARY, {"": answered(rng, 1, 0.0)}), counting=many, slices={("7", ""): counted}
        )

    binary = [window(i, BINARY, {"": answered(rng, 300, 0.1)}) for i in range(30, 60)]
    found = judged([*(of_seven(i) for i in range(30)), *binary], terms())
    assert fired(found) == []
    naive = [p for p in found.naive if p.key.end_ms == binary[0].key.end_ms]
    assert naive == []


def test_a_version_that_replaces_another_and_is_worse_rings_by_what_was_usual_before_it() -> None:
    rng = np.random.default_rng(16)
    old = [window(i, BINARY, {"": answered(rng, 300, 0.1)}) for i in range(60)]
    new = [window(i, BINARY, {"": answered(rng, 300, 0.4)}, version="8") for i in range(60, 64)]
    found = judged([*old, *new], terms())
    assert next((a.cause, a.version) for a in found.alerts if a.state is State.FIRING) == (
        Cause.PERFORMANCE,
        "8",
    )


def test_a_model_that_is_wrong_more_often_at_night_rings_at_no_night_once_it_is_known() -> None:
    rng = np.random.default_rng(17)

    def hour(i: int) -> Ripe:
        return window(i, BINARY, {"": answered(rng, 300, 0.14 if 8 <= i % 24 < 20 else 0.2)})

    found = judged([hour(i) for i in range(24 * 14)], terms())
    assert fired(found) == []


def test_an_improvement_rings_by_no_detector() -> None:
    rng = np.random.default_rng(18)
    named = LabelPolicy(detectors=tuple(SELF_TAUGHT))
    how = OutcomeTerms(
        ModelVersion(Monitor("churn", task=Task.BINARY, windows=(SPEC,), labels=named), Grid()), SPEC
    )
    found = judged(
        [window(i, BINARY, {"": answered(rng, 200, 0.4 if i < 60 else 0.1)}) for i in range(90)], how
    )
    assert [
        a for a in found.alerts if a.state is State.FIRING and a.at_ms > 100 * DAY_MS + 60 * HOUR_MS
    ] == []


def test_windows_of_another_length_end_what_was_said_of_the_former_ones() -> None:
    rng = np.random.default_rng(19)
    hours = [window(i, BINARY, {"": answered(rng, 300, 0.1 if i < 40 else 0.5)}) for i in range(44)]
    twice = WindowSpec.tumbling(2 * HOUR_MS)
    pairs = [window(i, BINARY, {"": answered(rng, 600, 0.1)}) for i in range(44, 52, 2)]
    longer = [
        replace(one, key=one.key._replace(window="2h", end_ms=one.key.end_ms + HOUR_MS)) for one in pairs
    ]
    found = judge_ripe(None, None, [*hours, *longer], lambda _: replace(terms(), spec=twice))
    states = {a.id: a.state for a in found.alerts if a.window == "1h"}
    assert set(states.values()) == {State.RESOLVED}


def test_what_follows_from_an_incident_of_the_inputs_joins_it_however_long_it_has_been_open() -> None:
    rng = np.random.default_rng(20)
    stream = [window(i, BINARY, {"": answered(rng, 300, 0.1 if i < 60 else 0.4)}) for i in range(64)]
    since = stream[40].key.start_ms
    unit = Incident(
        "i-unit",
        since,
        since + 40 * HOUR_MS,
        HOUR_MS,
        [(Role.FEATURE, "amount")],
        [Cause.UNIT_CHANGE],
        paged=True,
    )
    found = judge_ripe(None, None, stream, lambda _: terms(), [unit])
    first = next(a for a in found.alerts if a.state is State.FIRING)
    assert (first.incident, first.consequence, first.severity) == ("i-unit", True, Severity.INFO)
    over = Incident(
        "i-unit",
        since,
        since + 2 * HOUR_MS,
        HOUR_MS,
        [(Role.FEATURE, "amount")],
        [Cause.UNIT_CHANGE],
        paged=True,
    )
    alone = judge_ripe(None, None, stream, lambda _: terms(), [over])
    assert next(a for a in alone.alerts if a.state is State.FIRING).incident != "i-unit"
