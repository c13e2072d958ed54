"""A table is counted as events with the same values would be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from service.contract.findings import contract_findings
from service.contract.tables import sketch_of_table
from service.errors import ConfigurationError
from service.messages import Verdict
from service.promises import Contract, Promise, RowRule
from service.reference.specification import ReferenceSpec
from service.sketches.grids import Grid
from tests.contract.rows import counted, grid_of
from tests.reference.tables import write_csv, written

SPEC = ReferenceSpec("m", "")
CONTRACT = Contract(
    {
        "amount": Promise(type="number", present=0.99, low=0, high=10),
        "country": Promise(categories=("DE", "FR")),
        "id": Promise(unique=0.9),
        "flag": Promise(constant="true"),
    },
    (RowRule("cheap", "country == 'FR' or amount < 5"),),
    unknown_features=0.0,
)


def told(
    path: Path, contract: Contract = CONTRACT, base: Grid | None = None, spec: ReferenceSpec = SPEC
) -> list[str]:
    """The broken clauses of a table."""
    findings = contract_findings(contract, sketch_of_table(path, spec, contract, base or Grid()), 1e-3)
    return [
        f"{f.column.name if f.column else ''}: {f.method} {f.value:.3g}"
        for f in findings
        if f.verdict is Verdict.DRIFT
    ]


GOOD = {
    "amount": [1.0, 2.0, 9.0, 3.0] * 25,
    "country": ["DE", "DE", "FR", "DE"] * 25,
    "id": [f"p{i}" for i in range(100)],
    "flag": ["True"] * 100,
}


@pytest.mark.parametrize("base", [Grid(), grid_of("amount", country=["DE"])])
def test_a_table_that_keeps_the_contract_breaks_nothing(tmp_path: Path, base: Grid) -> None:
    assert told(write_csv(tmp_path / "good.csv", GOOD), base=base) == []
    assert told(write_csv(tmp_path / "good.csv.gz", GOOD), base=base) == []


def test_every_broken_clause_is_told(tmp_path: Path) -> None:
    bad = GOOD | {
        "amount": [1.0, 7.0, 90.0, None] * 25,
        "country": ["DE", "DE", "XX", "DE"] * 25,
        "id": ["p1"] * 100,
        "flag": ["True", "False"] * 50,
        "extra": range(100),
    }
    assert told(write_csv(tmp_path / "bad.csv", bad)) == [
        "amount: feature_type_low_fraction_present 0.25",
        "amount: float_type_big_float 0.333",
        "country: enum_type_unexpected_string_values 0.25",
        "flag: contract_not_constant 0.5",
        "id: feature_type_low_unique 0.99",
        "extra: schema_new_column 1",
        "cheap: contract_rule 0.667",
    ]


def test_a_parquet_table_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "good.parquet"
    parquet.write_table(pa.table(GOOD | {"flag": [True] * 100, "odd": [[1]] * 100}), path)
    assert told(path) == ["odd: schema_new_column 1"]


def test_what_a_type_promises_is_not_guessed_from_the_table(tmp_path: Path) -> None:
    table = written(tmp_path / "t.csv", "amount,zip\n" + "1 kg,5\n2,06\n")
    assert told(table, Contract({"amount": Promise(type="number")})) == [
        "amount: float_type_string_not_float 0.5"
    ]
    assert told(table, Contract({"zip": Promise(categories=("5", "06"))})) == []


def test_what_nothing_tells_the_type_of_is_what_the_table_holds(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "t.csv", {"x": [3.0, 3.0, 3.0000001, 3.0]})
    assert told(table, Contract({"x": Promise(constant="3")})) == ["x: contract_not_constant 0.25"]


def test_a_column_that_is_not_there_is_missing(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "t.csv", {"amount": [1.0] * 20})
    contract = Contract({"amount": Promise(low=0), "country": Promise(type="category", present=0.9)})
    assert told(table, contract) == ["country: schema_missing_column 1"]


def test_rules_may_speak_of_what_was_answered(tmp_path: Path) -> None:
    table = write_csv(
        tmp_path / "t.csv", {"a": [1.0, 2.0], "p": [0.5, 1.5], "y": ["no", "yes"], "id": [1, 2]}
    )
    spec = ReferenceSpec("m", "", prediction="y", score="p", exclude=("id",))
    contract = Contract(
        rules=(RowRule("share", "0 <= score <= 1"), RowRule("answer", "prediction == 'yes' or score < 0.9"))
    )
    assert told(table, contract, Grid(), spec) == ["share: contract_rule 0.5"]


def test_a_table_of_many_batches_is_counted_whole(tmp_path: Path) -> None:
    n = 200_000
    values = np.arange(n) % 1_000
    contract = Contract({"x": Promise(high=998)})
    sketch = sketch_of_table(write_csv(tmp_path / "t.csv", {"x": values}), SPEC, contract, Grid())
    assert sketch.inferences == n
    (finding,) = contract_findings(contract, sketch, 1e-3)
    assert finding.value == 0.001


def test_a_table_and_events_of_the_same_values_say_the_same(tmp_path: Path) -> None:
    rows = [
        {"amount": a, "country": c}
        for a, c in zip([1.5, -1.0, 20.0, 4.0], ["DE", "IT", "FR", "DE"], strict=True)
    ]
    contract = Contract(
        {"amount": Promise(low=0, high=10, present=1.0), "country": Promise(categories=("DE", "FR"))},
        CONTRACT.rules,
    )
    base = grid_of("amount", country=["DE"])
    columns = {name: [row[name] for row in rows] for name in ("amount", "country")}
    table = sketch_of_table(write_csv(tmp_path / "t.csv", columns), SPEC, contract, base)
    assert contract_findings(contract, table, 0.01) == contract_findings(
        contract, counted(rows, contract, base), 0.01
    )


def test_a_table_without_rows_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="has no rows"):
        told(written(tmp_path / "t.csv", "a,b\n"))
