"""A database is judged by what it lets us do, by the room it has, and by its clock."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from service.doctor.check import Condition
from service.doctor.database import DatabaseSeen, database_checks

SEEN = DatabaseSeen("bell at db-1", "18.0", "0006", "0006")


def judged(name: str, **changes: Any) -> tuple[Condition, str]:
    """How the check of this name comes out, and its sentence with the advice."""
    check = next(one for one in database_checks(replace(SEEN, **changes)) if one.name == name)
    return check.condition, f"{check.sentence}; {check.advice}"


def test_a_database_as_it_should_be_is_well_in_all_parts() -> None:
    assert {one.condition for one in database_checks(SEEN)} == {Condition.OK}
    assert [one.name for one in database_checks(SEEN)] == [
        "database",
        "schema",
        "permissions",
        "connections",
        "clocks",
    ]


@pytest.mark.parametrize(
    ("name", "changes", "condition", "said"),
    [
        ("database", {"read_only": True}, Condition.FAILURE, "takes no writes: it is a standby or read-only"),
        ("schema", {"schema": None}, Condition.FAILURE, "has no driftbell tables; run `driftbell migrate`"),
        ("permissions", {"schema": None}, Condition.NOT_CHECKED, "there are no tables yet"),
        ("schema", {"schema": "0005"}, Condition.FAILURE, "0005, this version needs 0006; run `driftbell migrate`"),
        ("schema", {"schema": "0007"}, Condition.FAILURE, "0007, this version needs 0006; upgrade driftbell"),
        ("permissions", {"lacking": ("INSERT on pane",)}, Condition.FAILURE, "we lack INSERT on pane; GRANT them"),
        ("permissions", {"lacking": tuple("abcdefg")}, Condition.FAILURE, "we lack a, b, c, d, e and 2 more"),
        ("connections", {"connections": 92}, Condition.OK, "8 of 100 connections are free"),
        ("connections", {"connections": 93}, Condition.WARNING, "7 of 100 connections are free; a process takes"),
        ("connections", {"connections": 101}, Condition.FAILURE, "0 of 100 connections are free"),
        ("clocks", {"ahead_ms": 1_999}, Condition.OK, "agree"),
        ("clocks", {"ahead_ms": 2_500}, Condition.WARNING, "the database's clock is 2 s ahead of this host's"),
        ("clocks", {"ahead_ms": -90_000}, Condition.FAILURE, "the database's clock is 90 s behind this host's"),
        ("clocks", {"ahead_ms": 2_500, "unsure_ms": 600}, Condition.OK, "agree"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(name: str, changes: dict[str, Any], condition: Condition, said: str) -> None:
    found, sentence = judged(name, **changes)
    assert found is condition
    assert said in sentence
