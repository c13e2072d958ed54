"""Contracts are frozen, hashable values like all that a monitor holds."""

from __future__ import annotations

import copy
import dataclasses
import pickle

import pytest

from service.monitor import Monitor, to_document
from service.promises import ByFeature, Contract, Promise, RowRule

CONTRACT = Contract({"a": Promise(low=0), "b": Promise(categories=("x",))}, (RowRule("r", "a > 0"),))


def test_equal_contracts_hash_alike_and_survive_copies() -> None:
    other = Contract({"b": Promise(categories=("x",)), "a": Promise(low=0)}, (RowRule("r", "a > 0"),))
    assert other == CONTRACT
    assert hash(Monitor("m", contract=other)) == hash(Monitor("m", contract=CONTRACT))
    assert copy.deepcopy(CONTRACT) == pickle.loads(pickle.dumps(CONTRACT)) == CONTRACT
    assert dataclasses.replace(CONTRACT, rules=()) != CONTRACT


def test_a_contract_can_be_neither_changed_nor_changed_from_outside() -> None:
    promises = {"a": Promise()}
    contract = Contract(promises)
    promises["b"] = Promise()
    assert list(contract.features) == ["a"]
    assert repr(contract.features).startswith("ByFeature({'a': Promise(")
    with pytest.raises(dataclasses.FrozenInstanceError):
        contract.rules = ()  # type: ignore[misc]


def test_values_by_feature_equal_any_mapping_of_the_same() -> None:
    assert ByFeature({"a": 1}) == {"a": 1}
    assert len(ByFeature({})) == 0


@pytest.mark.parametrize(
    ("promise", "kind"),
    [
        (Promise(), None),
        (Promise(present=0.9, unique=0.5, constant="1"), None),
        (Promise(low=0), "number"),
        (Promise(high=0), "number"),
        (Promise(integer=True), "number"),
        (Promise(categories=("a",)), "category"),
        (Promise(low=0, categories=("1",)), "number"),
        (Promise(type="category"), "category"),
    ],
)
def test_what_a_column_must_be_is_said_or_implied(promise: Promise, kind: str | None) -> None:
    assert promise.kind == kind


def test_a_document_holds_only_what_is_promised() -> None:
    assert to_document(Monitor("m", contract=CONTRACT)) == {
        "contract": {
            "features": {"a": {"low": 0}, "b": {"categories": ["x"]}},
            "rules": [{"name": "r", "check": "a > 0"}],
        }
    }
    assert to_document(Monitor("m", contract=Contract())) == {"contract": {}}
