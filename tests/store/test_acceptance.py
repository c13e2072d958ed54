"""A reference is accepted with its reason and the monitor's next version, or not at all; and there is a way back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, insert

from service.configuration import ModelVersion
from service.errors import ConfigurationError
from service.messages import Column, Role
from service.monitor import HOUR_MS, MINUTE_MS, Monitor
from service.sketches.grids import Grid, number_grid
from service.store import acceptance as store
from service.store.acceptance import Acceptance, Span, acceptances_of, free_name, incomplete_windows
from service.store.configuration import (
    StoredReference,
    apply_monitors,
    current_revision,
    load_configuration,
    load_reference,
)
from service.store.engine import transaction
from service.store.partitions import ensure_partitions
from service.store.statements import Statement
from service.store.tables import reference_acceptance
from tests.web.seeding import NOW_MS, add_window

pytestmark = pytest.mark.postgres

SAID = Statement("anna", "new supplier")
SPAN = Span(NOW_MS - HOUR_MS, NOW_MS)
CHURN = Monitor("churn", reference="first")


def reference_of(name: str, high: float = 9.0) -> StoredReference:
    grid = number_grid(Column(Role.FEATURE, "amount"), np.linspace(0, high, 100))
    return StoredReference(name, "churn", Grid((grid,)), 100, name.encode())


def present(engine: Engine) -> ModelVersion:
    version = load_configuration(engine).latest("churn")
    assert version is not None
    return version


def accept(engine: Engine, name: str, seen: ModelVersion | None = None, high: float = 9.0) -> int:
    one = reference_of(name, high)
    return store.accept_reference(engine, seen or present(engine), one, SPAN, SAID, NOW_MS).since_ms


def accepted(engine: Engine) -> list[tuple[str | None, str | None]]:
    with transaction(engine) as connection:
        return [(one.name, one.replaces) for one in acceptances_of(connection, "churn")]


@pytest.fixture(autouse=True)
def monitored(engine: Engine) -> None:
    apply_monitors(engine, [CHURN], [reference_of("first")], NOW_MS)


def test_an_accepted_reference_is_the_monitors_from_the_next_border_on(engine: Engine) -> None:
    before = current_revision(engine)
    assert accept(engine, "second", high=5.0) == NOW_MS + MINUTE_MS
    version = present(engine)
    assert (version.reference_name, version.number) == ("second", 2)
    assert version.monitor == replace(CHURN, reference="second")
    assert version.grid.id == reference_of("second", high=5.0).grid.id
    assert load_reference(engine, "second") == b"second"
    assert load_configuration(engine).at("churn", NOW_MS).reference_name == "first"  # type: ignore[union-attr]
    assert current_revision(engine) == before + 1


def test_who_when_and_why_are_kept(engine: Engine) -> None:
    accept(engine, "second")
    with transaction(engine) as connection:
        (one,) = acceptances_of(connection, "churn")
        assert acceptances_of(connection, "fraud") == ()
    assert one == Acceptance(
        "second", "churn", *SPAN, 100, "anna", "new supplier", one.accepted_at, "first"
    )  # fmt: skip


def test_a_name_that_is_taken_changes_nothing(engine: Engine) -> None:
    with pytest.raises(ConfigurationError, match="there is a reference 'first' already"):
        accept(engine, "first", high=5.0)
    assert load_reference(engine, "first") == b"first"
    assert accepted(engine) == []
    assert present(engine).number == 1


def test_a_monitor_that_was_changed_meanwhile_is_looked_at_again(engine: Engine) -> None:
    seen = present(engine)
    apply_monitors(engine, [replace(CHURN, disorder_ms=1)], [], NOW_MS)
    with pytest.raises(ConfigurationError, match="was changed meanwhile"):
        accept(engine, "second", seen)
    with pytest.raises(ConfigurationError, match="was changed meanwhile"):
        store.go_back(engine, seen, SAID, NOW_MS)
    assert load_reference(engine, "second") is None
    assert accepted(engine) == []


def test_what_cannot_be_written_down_is_not_accepted(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(store, "_write", fail)
    with pytest.raises(RuntimeError):
        accept(engine, "second")
    assert (present(engine).number, load_reference(engine, "second")) == (1, None)


# ---------------------------------------------------------------- back
def test_the_way_back_is_a_version_of_its_own_and_is_kept(engine: Engine) -> None:
    accept(engine, "second")
    name, applied = store.go_back(engine, present(engine), Statement("bert", "wrong"), NOW_MS)
    assert (name, applied.action, present(engine).reference_name, present(engine).number) == (
        "first", "changed", "first", 3,
    )  # fmt: skip
    assert accepted(engine) == [("first", "second"), ("second", "first")]
    with transaction(engine) as connection:
        back = acceptances_of(connection, "churn")[0]
    assert (back.from_ms, back.to_ms, back.rows, back.who) == (None, None, 100, "bert")


def test_one_can_go_back_step_by_step_to_the_first(engine: Engine) -> None:
    for name in ("second", "third"):
        accept(engine, name)
    names = [store.go_back(engine, present(engine), SAID, NOW_MS)[0] for _ in range(2)]
    assert names == ["second", "first"]
    with pytest.raises(ConfigurationError, match="'first', was not accepted in place of another"):
        store.go_back(engine, present(engine), SAID, NOW_MS)


def test_before_the_first_reference_there_was_none(engine: Engine) -> None:
    apply_monitors(engine, [Monitor("churn")], [], NOW_MS)
    accept(engine, "second")
    assert store.go_back(engine, present(engine), SAID, NOW_MS)[0] is None
    assert present(engine).reference_name is None
    assert accepted(engine) == [(None, "second"), ("second", None)]


# ---------------------------------------------------------------- names, losses
def test_a_name_says_the_day_and_counts_up(engine: Engine) -> None:
    names = []
    for _ in range(3):
        with transaction(engine) as connection:
            names.append(free_name(connection, "churn", NOW_MS))
        accept(engine, names[-1])
    assert names == ["churn-2026-11-22", "churn-2026-11-22-2", "churn-2026-11-22-3"]


def test_windows_that_lack_records_are_found_where_they_reach_into_a_time(engine: Engine) -> None:
    #  |--lost--|  |==== asked ====|  |--lost--|
    #           |--lost--|     |--lost--|         these two reach into it
    ensure_partitions(engine, NOW_MS - 30 * HOUR_MS, NOW_MS)
    with transaction(engine) as connection:
        for end_ms in (
            SPAN.from_ms,
            SPAN.from_ms + MINUTE_MS,
            SPAN.to_ms + 4 * MINUTE_MS,
            SPAN.to_ms + 5 * MINUTE_MS,
        ):
            for version in ("1", "2"):
                add_window(connection, "churn", end_ms, version=version, incomplete=True)
        add_window(connection, "churn", NOW_MS - 30 * MINUTE_MS)
        add_window(connection, "fraud", NOW_MS - 30 * MINUTE_MS, incomplete=True)
        found = incomplete_windows(connection, "churn", SPAN)
        assert (
            incomplete_windows(connection, "churn", Span(SPAN.from_ms + MINUTE_MS, SPAN.to_ms - MINUTE_MS))
            is None
        )
    assert found is not None
    assert found.windows == 2
    assert found.span == (SPAN.from_ms - 4 * MINUTE_MS, SPAN.to_ms + 4 * MINUTE_MS)


def test_what_was_accepted_names_references_that_are_there(engine: Engine) -> None:
    row = {"name": "none", "model": "churn", "rows": 1, "who": "anna", "why": "x"}
    with pytest.raises(Exception, match="foreign key"), transaction(engine) as connection:
        connection.execute(insert(reference_acceptance).values(row))
