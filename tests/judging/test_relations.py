"""Features that go together otherwise than before ring, though no feature and no correlation has changed."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from service.alerting.rules import Signal, read
from service.judging.relations import diagnose_parted
from service.messages import Cause, Finding, Verdict
from service.monitor import FeatureOverride, Monitor, WindowSpec
from service.scoring.apart import APART
from service.scoring.scorer import AllRows
from service.sketches.sample import FloatArray
from tests.judging.joint_streams import (
    COLUMNS,
    HOUR,
    Draw,
    JointCourse,
    independent,
    parabola,
    permuted,
    reference_of,
    ring,
)

CALM_WINDOWS = 40


@cache
def reference(draw: Draw) -> AllRows:
    """Made once for all tests."""
    return reference_of(draw)


@cache
def _calm(draw: Draw, seed: int, panes_each: int) -> JointCourse:
    course = JointCourse(reference(draw), seed=seed, panes_each=panes_each)
    for _ in range(CALM_WINDOWS):
        assert rung(course.take(draw)) == set()
    return course


def calm(draw: Draw, seed: int = 0, panes_each: int = 5) -> JointCourse:
    """A course on which nothing has changed yet."""
    course = _calm(draw, seed, panes_each)
    return replace(course, panes=dict(course.panes))


def restless(rng: np.random.Generator, n: int) -> FloatArray:
    """A season of all features at once: each hour has a level of its own."""
    return independent(rng, n) + rng.normal()


def rung(found: dict[str, Finding]) -> set[str]:
    """The methods that ring."""
    return {method for method, f in found.items() if f.verdict is Verdict.DRIFT}


@pytest.mark.parametrize("seed", [0, 3])
@pytest.mark.parametrize("draw", [parabola, ring])
def test_features_that_part_ring_in_two_windows_and_are_named(draw: Draw, seed: int) -> None:
    # a window has 300 sampled rows: two are looked at together
    course = calm(draw, seed)
    assert rung(course.take(permuted(draw))) == set()
    found = course.take(permuted(draw))
    assert rung(found) == {APART}
    told = found[APART]
    assert told.column is None
    assert None not in (told.value, told.limit, told.p_value)
    assert read(course.result.findings, course.monitor)[Signal(None, "relation")].ratio > 1.0
    diagnosis = diagnose_parted(course.judge.reader, course.terms, course.reference, course.result)
    assert diagnosis is not None
    assert (diagnosis.cause, set(diagnosis.columns)) == (Cause.CORRELATION_BREAK, set(COLUMNS[:2]))


def test_a_window_with_rows_enough_is_looked_at_alone() -> None:
    course = calm(ring, panes_each=10)
    assert rung(course.take(permuted(ring))) == {APART}


def test_what_does_not_ring_is_not_explained() -> None:
    course = JointCourse(reference(ring))
    course.take(ring)
    assert diagnose_parted(course.judge.reader, course.terms, course.reference, course.result) is None


def test_what_has_parted_for_long_is_over() -> None:
    course = calm(parabola)
    last = [rung(course.take(permuted(parabola))) for _ in range(16)]
    assert last[1] == {APART}
    assert last[6:] == [set()] * 10


def test_values_that_move_together_from_hour_to_hour_say_nothing_of_relations() -> None:
    course = JointCourse(reference(restless))
    found = [course.take(restless) for _ in range(CALM_WINDOWS)]
    areas = [f[APART].value or 0.0 for f in found[1:] if APART in f]
    assert len(areas) > CALM_WINDOWS / 2
    assert np.mean(areas) == pytest.approx(0.5, abs=0.02)


def test_relations_that_change_at_the_same_hours_of_some_days_are_no_news() -> None:
    # day      0 ... 1    2              3 ... 4    5
    # hours    as usual   parted at 20   as usual   parted at 20
    course, days = JointCourse(reference(ring)), []
    for day in range(6):
        hours = [permuted(ring) if day in (2, 5) and hour >= 20 else ring for hour in range(24)]
        days.append(set[str]().union(*(rung(course.take(draw)) for draw in hours)))
    assert days == [set(), set(), {APART}, set(), set(), set()]


def test_what_rings_by_itself_and_what_is_ignored_is_left_out() -> None:
    def scaled(rng: np.random.Generator, n: int) -> FloatArray:
        rows = permuted(parabola)(rng, n)
        rows[1] *= 50.0
        return rows

    course = calm(parabola)
    assert [rung(course.take(scaled)) for _ in range(3)] == [set()] * 3
    monitor = Monitor(
        "churn", windows=(WindowSpec.tumbling(HOUR),), features={"weight": FeatureOverride(ignore=True)}
    )
    course = replace(calm(parabola), monitor=monitor)
    assert [rung(course.take(permuted(parabola))) for _ in range(3)] == [set()] * 3


def test_a_correlation_that_breaks_is_told_by_the_correlation_alone() -> None:
    def together(rng: np.random.Generator, n: int) -> FloatArray:
        rows = independent(rng, n)
        rows[1] = rows[0] + 0.3 * rows[1]
        return rows

    course = calm(together)
    course.take(permuted(together))
    found = course.take(permuted(together))
    assert "correlation" in rung(found)
    assert found[APART].verdict is Verdict.OK
    assert (found[APART].value or 0.0) > (found[APART].limit or 1.0)


def test_too_few_rows_or_windows_say_nothing() -> None:
    few = JointCourse(reference(ring), rows=45)
    assert all(APART not in few.take(ring) for _ in range(3))
    course = JointCourse(reference(ring))
    verdicts = [f.verdict for _ in range(29) if (f := course.take(ring).get(APART)) is not None]
    assert verdicts == [Verdict.TOO_LITTLE_DATA] * 26 + [Verdict.OK]


def test_a_judge_that_starts_anew_finds_the_same() -> None:
    kept, anew = JointCourse(reference(ring)), JointCourse(reference(ring))
    for window in range(30):
        draw = permuted(ring) if window >= 27 else ring
        found = kept.take(draw)
        anew.take(draw)
        assert anew.state.evidence == kept.state.evidence
        if window % 7 == 0:
            del anew.judge
        assert {m: f.value for m, f in found.items()} == {
            f.method: f.value for f in anew.result.findings if f.method in found
        }
