"""The worst score of each column and method of a time, and how each column stood window by window."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from service.store.engine import transaction
from service.store.partitions import ensure_partitions
from service.store.report_scores import MOST_OF_A_COLUMN, Score, Span, standings, worst_scores
from tests.web.seeding import NOW_MS, WINDOW_MS, add_finding, add_judged

pytestmark = pytest.mark.postgres
SPAN = Span("churn", NOW_MS - 3 * WINDOW_MS, NOW_MS)


@pytest.fixture(autouse=True)
def _partitions(engine: Engine) -> None:
    ensure_partitions(engine, NOW_MS - 10 * WINDOW_MS, NOW_MS)


def put(engine: Engine, back: int, **changes: Any) -> None:
    """A score of the window that ended so many windows ago."""
    with transaction(engine) as connection:
        add_finding(connection, changes.pop("model", "churn"), NOW_MS - back * WINDOW_MS, **changes)


def found(engine: Engine, span: Span = SPAN, like: str = "%") -> list[Score]:
    with transaction(engine) as connection:
        return list(worst_scores(connection, span, like))


def test_the_worst_window_of_each_is_told_with_how_many_rang(engine: Engine) -> None:
    put(engine, 0, value=0.8, verdict="drift")
    put(engine, 1, value=1.2, verdict="drift")
    put(engine, 2, value=0.1)
    put(engine, 0, feature="age", value=0.39)
    put(engine, 5, value=90.0, verdict="drift")
    put(engine, 0, model="fraud", value=90.0, verdict="drift")
    worst, other = found(engine)
    assert (worst.feature, worst.value, worst.windows, worst.end_ms) == ("amount", 1.2, 2, NOW_MS - WINDOW_MS)
    assert worst.ratio == pytest.approx(3.0)
    assert (other.feature, other.windows) == ("age", 0)


def test_one_column_does_not_hide_the_others(engine: Engine) -> None:
    for number in range(MOST_OF_A_COLUMN + 5):
        put(engine, 0, method=f"m{number}", value=9.0, verdict="drift")
    put(engine, 0, feature="age", value=0.5, verdict="drift")
    names = [one.feature for one in found(engine)]
    assert names == ["amount"] * MOST_OF_A_COLUMN + ["age"]


@pytest.mark.parametrize(
    ("value", "limit", "ratio"),
    [(0.0, 0.0, 0.0), (0.1, 0.0, 1e9), (float("inf"), 2.0, 1e9), (float("nan"), 2.0, 1e9), (-1.0, 2.0, -0.5),
     (3.0, float("inf"), None), (3.0, None, None)],
)  # fmt: skip
def test_limits_and_values_that_are_no_usual_numbers_have_a_ratio_or_none(
    engine: Engine, value: float, limit: float | None, ratio: float | None
) -> None:
    put(engine, 0, value=value, limit=limit)
    (one,) = found(engine)
    assert one.ratio == ratio


def test_findings_about_labels_are_of_the_whole_model(engine: Engine) -> None:
    with transaction(engine) as connection:
        add_judged(connection, "churn", NOW_MS, value=32.0, verdict="drift")
    (one,) = found(engine)
    assert (one.role, one.feature, one.method, one.ratio) == ("", "", "evidence_wrong", 2.0)


def test_only_the_places_and_methods_that_are_asked_for(engine: Engine) -> None:
    put(engine, 0, segment="country=DE", value=0.3)
    put(engine, 0, method="missing_null", value=0.2)
    places = (("1", "country=DE", "5m"),)
    assert [one.segment for one in found(engine, Span("churn", SPAN.after_ms, SPAN.until_ms, places))] == [
        "country=DE"
    ]
    assert [one.method for one in found(engine, like="missing_%")] == ["missing_null"]


def test_a_column_stands_as_its_worst_method_does(engine: Engine) -> None:
    put(engine, 0, value=0.2)
    put(engine, 0, method="psi", value=0.8)
    put(engine, 1, value=0.4)
    with transaction(engine) as connection:
        told = {one.end_ms: one.ratio for one in standings(connection, SPAN)}
    assert told == {NOW_MS: pytest.approx(2.0), NOW_MS - WINDOW_MS: pytest.approx(1.0)}
