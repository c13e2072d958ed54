"""The monitoring section of the ML Test Score, graded by what a model's monitoring has left behind.

Breck, Cai, Nielsen, Salib and Sculley, "The ML Test Score: A Rubric for ML Production Readiness and Technical Debt
Reduction", IEEE Big Data 2017, doi:10.1109/BigData.2017.8258038: half a point for a test that is done by hand and
documented, a full point for one that a system runs by itself, again and again.

A rule that is configured is no evidence; findings of the last three windows are. What runs by itself and tells nobody
is as good as done by hand: somebody has to look. Of a test that events cannot show whole, the part that rings is worth
half a point, and nothing where nobody is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.readiness.readiness import Grade, Score, Way
from service.readiness.rubric import TESTS

if TYPE_CHECKING:
    from service.readiness.readiness import Known, Notification, Test


def score_of(known: Known, notification: Notification) -> Score:
    """All seven tests."""
    grades = tuple(_grade(i, test, known, notification) for i, test in enumerate(TESTS, start=1))
    points, most = sum(grade.points for grade in grades), sum(grade.most for grade in grades)
    return Score(known.monitor.model, known.now_ms, points, most, notification, grades)


def _grade(number: int, test: Test, known: Known, notification: Notification) -> Grade:
    found = test.look(known)
    points = _points(found.way, told=notification.reaches)
    missing = list(found.missing)
    if found.way in {Way.IN_PART, Way.WHOLE} and not notification.reaches:
        missing.append("somebody who is known to be told when it rings")
    ran = tuple(one for one in found.ran if one is not None)
    return Grade(number, test.says, points, test.most, ran, tuple(found.remarks), tuple(missing), test.unseen)


def _points(way: Way, *, told: bool) -> float:
    match way:
        case Way.NOT:
            return 0.0
        case Way.BY_HAND:
            return 0.5
        case Way.IN_PART:
            return 0.5 if told else 0.0
        case Way.WHOLE:
            return 1.0 if told else 0.5
