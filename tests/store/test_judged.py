"""Which kinds of predictions have labels is asked once, also in a database that knows nothing of its tables yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from service.performance.label_bias import Kind
from service.store.engine import connect, transaction
from service.store.judged import kinds_of
from service.store.migrate import migrate

pytestmark = pytest.mark.postgres

_ROWS = text("""
    INSERT INTO waiting_prediction (model, id, start_ms, slices, class, score, value, label_ms)
    SELECT 'churn', i::bigint * 1000003, i, 1, 1 + i % 2, (i % 10) / 10.0 + 0.05, 'NaN', CASE WHEN i % 4 > 0 THEN i END
    FROM generate_series(1, 4000) i
""")


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    made = connect(database)
    migrate(made)
    with transaction(made) as connection:
        connection.execute(_ROWS)
    yield made
    made.dispose()


def test_predictions_are_counted_by_class_and_tenth_of_the_score_with_and_without_a_label(
    engine: Engine,
) -> None:
    with transaction(engine) as connection:
        kinds = kinds_of(connection, "churn", 1, 4001)
        none = kinds_of(connection, "fraud", 1, 4001)
    assert none == []
    assert len(kinds) == 10
    assert (sum(k.labelled for k in kinds), sum(k.unlabelled for k in kinds)) == (3_000, 1_000)
    assert kinds[0] == Kind(1, 1, None, 200, 200)


def test_tenths_are_computed_once_and_not_once_a_row(engine: Engine) -> None:
    plans: list[str] = []

    def explain(connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        if "tenths" in statement:
            plan = connection.connection.cursor()
            plan.execute("EXPLAIN " + statement, parameters)
            plans.append("\n".join(row[0] for row in plan.fetchall()))

    event.listen(engine, "before_cursor_execute", explain)
    with transaction(engine) as connection:
        kinds_of(connection, "churn", 1, 4001)
    assert "CTE tenths" in plans[0]
