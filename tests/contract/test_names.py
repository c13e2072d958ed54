"""A name in a rule that nobody knows is told, with the one that was probably meant."""

from __future__ import annotations

from service.contract.names import unknown_names
from service.promises import Contract, Promise, RowRule
from tests.contract.rows import grid_of


def test_a_misspelled_field_is_told_with_the_nearest_one() -> None:
    contract = Contract(
        {"promised": Promise()},
        (
            RowRule("a", "balanc >= 0 or loan == 'yes'"),
            RowRule("b", "promised > 1 and score < 1 and latency_ms > 0 and prediction == 'yes'"),
            RowRule("c", "feature('qqq') > 1"),
        ),
    )
    assert unknown_names(contract, grid_of("balance", loan=["yes"])) == [
        "rule a: there is no feature 'balanc'; did you mean 'balance'?",
        "rule c: there is no feature 'qqq'",
    ]


def test_a_contract_without_rules_misspells_nothing() -> None:
    assert unknown_names(Contract({"x": Promise(low=0)}), grid_of("y")) == []
