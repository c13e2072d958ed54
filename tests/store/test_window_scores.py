"""Scores by their limits, a row for each slice window, as the evaluator writes them and the migration fills them in."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from sqlalchemy import Engine, select

from service.messages import Column, Evaluated, Finding, Role, SliceResult, Verdict
from service.monitor import DAY_MS
from service.store.engine import connect, transaction
from service.store.migrate import downgrade, migrate
from service.store.partitions import WEEK_MS
from service.store.results import PostgresResults, lease
from service.store.retention import Retention, apply_retention
from service.store.tables import score_columns, window_score
from service.store.window_scores import FAR_OVER, columns_id, ratio_of, worst_of_columns
from tests.store.test_results import HOUR_MS, finding_of, result_of

AGE, ANSWER = Column(Role.FEATURE, "age"), Column(Role.PREDICTION, "prediction")
OVER = pytest.approx(1.0001)


def judged(
    value: float | None, limit: float | None, verdict: Verdict = Verdict.OK, **changes: Any
) -> Finding:
    return finding_of(value=value, limit=limit, verdict=verdict, **changes)


@pytest.mark.parametrize(
    ("finding", "ratio"),
    [
        (judged(0.1, 0.4), 0.25),
        (judged(0.4, 0.4), 1.0),
        (judged(0.9, 0.4), 1.0),
        (judged(-0.1, 0.4), 0.0),
        (judged(0.0, 0.0), 0.0),
        (judged(1e-300, 1e300), 0.0),
        (judged(0.1, None), None),
        (judged(None, 0.4), None),
        (judged(0.1, math.inf), None),
        (judged(0.1, 0.4, Verdict.TOO_LITTLE_DATA), None),
        (judged(0.8, 0.4, Verdict.DRIFT), 2.0),
        (judged(math.nextafter(0.4, 1), 0.4, Verdict.DRIFT), OVER),
        (judged(0.3, 0.4, Verdict.DRIFT), OVER),
        (judged(0.1, 0.0, Verdict.DRIFT), FAR_OVER),
        (judged(math.inf, 2.0, Verdict.DRIFT), FAR_OVER),
        (judged(math.nan, 2.0, Verdict.DRIFT), FAR_OVER),
        (judged(3.0, None, Verdict.DRIFT), FAR_OVER),
    ],
)
def test_a_ratio_is_above_one_exactly_when_the_verdict_is_drift(
    finding: Finding, ratio: float | None
) -> None:
    assert ratio_of(finding) == ratio


def test_of_each_column_the_worst_counts_and_what_nobody_judged_is_none() -> None:
    found = [
        judged(0.8, 0.4, Verdict.DRIFT), judged(0.1, 0.4, method="ks"), judged(0.2, 0.4, column=AGE),
        judged(None, None, Verdict.TOO_LITTLE_DATA, column=ANSWER), judged(0.1, 0.4, column=None),
    ]  # fmt: skip
    assert worst_of_columns(found) == {
        ("", ""): 0.25, ("feature", "age"): 0.5, ("feature", "amount"): 2.0, ("prediction", "prediction"): None,
    }  # fmt: skip
    assert list(worst_of_columns(found)) == sorted(worst_of_columns(found))


def test_other_columns_have_another_id_whatever_their_names_hold() -> None:
    sets = [[], [("a", "b")], [("a", "b/c")], [("a", "b"), ("c", "d")], [("a", "b"), ("c", "e")], [("", "")]]
    assert len({columns_id(columns) for columns in sets}) == len(sets)


# ---------------------------------------------------------------- stored
def save(engine: Engine, *results: SliceResult) -> None:
    with lease(engine, "churn", "me") as held:
        assert held is not None
        PostgresResults(engine, held).save(Evaluated(HOUR_MS, list(results)))


def stored(engine: Engine) -> Sequence[Mapping[str, Any]]:
    """Every row with its columns."""
    s = score_columns.c
    query = select(window_score, s.roles, s.names).join(
        score_columns, (s.model == window_score.c.model) & (s.id == window_score.c.columns_id)
    )
    order = (window_score.c.end_ms, window_score.c["window"], window_score.c.segment, window_score.c.version)
    with transaction(engine) as connection:
        return [dict(row) for row in connection.execute(query.order_by(*order)).mappings()]


MANY = (
    judged(0.8, 0.4, Verdict.DRIFT), judged(0.1, 0.4, method="ks"), judged(0.7, 0.4, column=AGE),
    judged(None, None, Verdict.TOO_LITTLE_DATA, column=ANSWER), judged(1.0, 0.0, Verdict.DRIFT, column=None),
)  # fmt: skip


@pytest.mark.postgres
def test_each_slice_has_a_row_and_what_is_said_of_all_versions_too(engine: Engine) -> None:
    said = result_of(
        HOUR_MS, version="", findings=(judged(0.1, 0.4, column=None),), aggregate=True, revision=1
    )
    save(engine, result_of(HOUR_MS, findings=MANY, revision=1, incomplete=True), said)
    of_all, of_one = stored(engine)
    assert (of_all["version"], of_all["inferences"], of_all["ratios"], of_all["worst"]) == (
        "",
        0,
        [0.25],
        0.25,
    )
    assert (of_one["inferences"], of_one["labels"], of_one["revision"], of_one["incomplete"]) == (
        10,
        2,
        1,
        True,
    )
    assert of_one["roles"] == ["", "feature", "feature", "prediction"]
    assert of_one["names"] == ["", "age", "amount", "prediction"]
    assert of_one["ratios"] == [FAR_OVER, 1.0, 2.0, None]
    assert of_one["worst"] == FAR_OVER


@pytest.mark.postgres
def test_a_window_without_findings_has_a_row_without_ratios(engine: Engine) -> None:
    save(engine, result_of(HOUR_MS, findings=()))
    (row,) = stored(engine)
    assert (row["ratios"], row["worst"], row["names"]) == ([], None, [])


@pytest.mark.postgres
def test_a_restated_window_leaves_nothing_of_its_former_scores(engine: Engine) -> None:
    save(engine, result_of(HOUR_MS), result_of(HOUR_MS, "2"), result_of(HOUR_MS, window="1h"))
    save(engine, result_of(HOUR_MS, revision=1, findings=(judged(0.1, 0.4, column=AGE),)))
    hour, five = stored(engine)
    assert (hour["window"], hour["revision"]) == ("1h", 0)
    assert (five["version"], five["revision"], five["names"], five["ratios"]) == ("1", 1, ["age"], [0.25])


@pytest.mark.postgres
def test_windows_with_the_same_columns_share_their_names_and_the_names_go_with_the_last_of_them(
    engine: Engine,
) -> None:
    now_ms = 20 * WEEK_MS
    save(engine, result_of(now_ms - 9 * WEEK_MS), result_of(now_ms - 8 * WEEK_MS), result_of(now_ms))
    save(engine, result_of(now_ms - 9 * WEEK_MS, version="2", findings=(judged(0.1, 0.4, column=AGE),)))
    apply_retention(engine, Retention(6 * WEEK_MS, DAY_MS, DAY_MS), now_ms)
    with transaction(engine) as connection:
        kept = connection.execute(select(score_columns.c.names, score_columns.c.last_end_ms)).all()
    assert [tuple(row) for row in kept] == [(["amount"], now_ms)]
    assert [row["end_ms"] for row in stored(engine)] == [now_ms]


ALIKE = (
    (0.1, 0.4, Verdict.OK), (0.9, 0.4, Verdict.OK), (-0.1, 0.4, Verdict.OK), (0.0, 0.0, Verdict.OK),
    (1e-300, 1e300, Verdict.OK), (1e300, 1e-300, Verdict.OK), (0.1, None, Verdict.OK), (0.1, math.inf, Verdict.OK),
    (None, 0.4, Verdict.TOO_LITTLE_DATA), (0.8, 0.4, Verdict.DRIFT), (0.3, 0.4, Verdict.DRIFT),
    (0.1, 0.0, Verdict.DRIFT), (math.inf, 2.0, Verdict.DRIFT), (math.nan, 2.0, Verdict.DRIFT),
    (3.0, None, Verdict.DRIFT), (1e300, 1e-300, Verdict.DRIFT),
)  # fmt: skip


@pytest.mark.postgres
def test_the_migration_fills_in_what_the_evaluator_would_have_written(database: str) -> None:
    engine = connect(database)
    migrate(engine)
    cases = [
        judged(value, limit, verdict, column=Column(Role.FEATURE, f"{number}\u00e4Z"))
        for number, (value, limit, verdict) in enumerate(ALIKE)
    ]
    save(
        engine, result_of(HOUR_MS, findings=(*MANY, *cases), revision=3, incomplete=True), result_of(HOUR_MS, "2"),
        result_of(HOUR_MS + WEEK_MS, findings=()), result_of(HOUR_MS, segment="country=DE", window="1h"),
        result_of(HOUR_MS, "", labels=0, inferences=0, findings=(judged(0.1, 0.4, column=None),), aggregate=True),
    )  # fmt: skip
    before = stored(engine)
    assert len(before) == 5
    downgrade(engine, "0005")
    migrate(engine)
    assert stored(engine) == before
    save(engine, result_of(HOUR_MS + WEEK_MS, revision=1))
    assert stored(engine)[-1]["revision"] == 1
    engine.dispose()
