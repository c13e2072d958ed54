"""Every row is judged by its contract's rules while its batch is assembled, whichever way it was decoded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from service.contract.grids import rule_column
from service.expressions.evaluation import judge
from service.intake import rules as rules_module
from service.messages import PREDICTION, SCORE, Missing, Stream
from service.promises import Contract, RowRule
from service.sketches.cells import kinds_of
from service.sketches.grids import CategoryGrid, Grid, default_number_grid
from tests.contract.rows import batches_of, counted, event, grid_of

BASE = grid_of("balance", "duration", loan=["no", "yes"])
KEPT, BROKEN, UNTOLD = 0.0, 1.0, None


def judged(check: str, rows: list[Any], base: Grid = BASE) -> list[float | None]:
    """What a rule says of each row."""
    contract = Contract(rules=(RowRule("r", check),))
    batches = batches_of(rows, contract, base)
    said: dict[int, float | None] = {}
    for batch in batches:
        if batch.stream is Stream.INFERENCE:
            numbers = batch.numbers[-1]  # rules come after all other numbers of inferences
            said |= {
                int(o): None if np.isnan(v) else float(v) for o, v in zip(batch.offsets, numbers, strict=True)
            }
    return [said[i] for i in sorted(said)]


@pytest.mark.parametrize("strange", [{}, {"tags": {"a": [1]}}], ids=["fast", "loose"])
def test_a_row_keeps_a_rule_breaks_it_or_cannot_be_told(strange: dict[str, Any]) -> None:
    rows = [
        event(0, {"loan": "yes", "balance": -1}, **strange),
        event(1, {"loan": "no", "balance": -1}, **strange),
        event(2, {"loan": "no", "balance": 1}, **strange),
        event(3, {"loan": "no"}, **strange),
        event(4, {"loan": "no", "balance": "many"}, **strange),
        event(5, {"loan": None, "balance": -1}, **strange),
    ]
    assert judged("loan == 'yes' or balance >= 0", rows) == [KEPT, BROKEN, KEPT, UNTOLD, UNTOLD, UNTOLD]


def test_a_row_that_cannot_be_told_is_null() -> None:
    contract = Contract(rules=(RowRule("r", "balance > 0"),))
    (batch,) = batches_of([{"balance": None}], contract, BASE)
    assert kinds_of(batch.numbers[-1]).tolist() == [Missing.NULL]
    sketch = counted([{"balance": None}] * 3, contract, BASE)
    place = sketch.grid.number_at[rule_column("r")]
    assert sketch.numbers.missing[place].tolist() == [3, 0, 0, 0, 0, 0, 0]


def test_features_that_the_grid_does_not_know_are_seen_too() -> None:
    rows = [{"new": 5}, {"new": "five"}, {"new": None}, {}]
    assert judged("new == 5 or new == 'five'", rows) == [KEPT, KEPT, UNTOLD, UNTOLD]
    assert judged("not missing(new)", rows) == [KEPT, KEPT, BROKEN, BROKEN]


def test_rules_may_speak_of_answers_scores_and_latency() -> None:
    base = Grid(
        (*BASE.numbers, default_number_grid(SCORE)), (*BASE.texts, CategoryGrid(PREDICTION, ("no", "yes")))
    )
    rows = [
        event(0, {}, prediction={"label": "yes", "score": 0.9}, latency_ms=5),
        event(1, {}, prediction={"label": "yes", "score": 0.1}, latency_ms=5),
        event(2, {}, prediction="yes"),
    ]
    assert judged("prediction == 'yes' and score > 0.5 and latency_ms < 10", rows, base) == [
        KEPT,
        BROKEN,
        UNTOLD,
    ]


def test_a_feature_of_the_same_name_comes_first() -> None:
    assert judged("score > 1", [event(0, {"score": 5}, prediction={"score": 0.5})], grid_of("score")) == [
        KEPT
    ]


def test_of_events_without_an_answer_it_cannot_be_told_whether_one_is_missing() -> None:
    base = Grid((*BASE.numbers, default_number_grid(SCORE)), BASE.texts)
    rows = [event(0, {}, prediction={"score": None}), event(1, {}).replace(b'"prediction"', b'"features"', 1)]
    assert judged("not missing(score)", rows, base) == [BROKEN, UNTOLD]


def test_labels_are_not_judged() -> None:
    contract = Contract(rules=(RowRule("r", "missing(balance)"),))
    label = b'{"type": "label", "model": "m", "id": "1", "ts": 1795305600000, "label": "yes"}'
    sketch = counted([event(0, {}), label], contract, BASE)
    place = sketch.grid.number_at[rule_column("r")]
    assert int(sketch.numbers.column_counts(place).sum()) == 1


def test_a_rule_that_the_grid_in_force_does_not_have_is_left_out() -> None:
    numbers = np.zeros((1, 2))
    fields = rules_module.RowFields(grid_of("x"), numbers, (), {})
    rules_module.put_rules((RowRule("r", "x > 0"),), grid_of("x"), numbers, fields)
    assert numbers.tolist() == [[0.0, 0.0]]


def test_a_model_without_rules_judges_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    judgements: list[object] = []
    monkeypatch.setattr(
        rules_module,
        "judge",
        lambda *given: judgements.append(given) or judge(*given),  # type: ignore[func-returns-value]
    )
    batches_of([{"balance": 1}], Contract(), BASE)
    assert judgements == []
    batches_of([{"balance": 1}], Contract(rules=(RowRule("r", "balance > 0"),)), BASE)
    assert len(judgements) == 1


def test_batches_of_any_size_say_the_same() -> None:
    rows = [{"balance": float(i % 7 - 3), "loan": "yes" if i % 3 else "no"} for i in range(60)]
    whole = judged("loan == 'yes' or balance >= 0", rows)
    assert [one for row in rows for one in judged("loan == 'yes' or balance >= 0", [row])] == whole
