"""Monitors are versions that begin where no partition has been, and every change of them raises one number."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, insert, text

from service.configuration import ALWAYS_MS
from service.errors import ConfigurationError
from service.messages import Column, Role
from service.monitor import HOUR_MS, MINUTE_MS, Monitor, WindowSpec
from service.sketches.grids import Grid, NumberGrid, number_grid
from service.store import configuration as store
from service.store.configuration import StoredReference
from service.store.engine import transaction
from service.store.tables import source_partition

pytestmark = pytest.mark.postgres

NOW_MS = 1_795_305_600_000
CHURN, FRAUD = Monitor("churn"), Monitor("fraud", pane_ms=HOUR_MS, windows=(WindowSpec.tumbling(HOUR_MS),))


def apply(
    engine: Engine, *monitors: Monitor, references: Any = (), now_ms: int = NOW_MS
) -> list[tuple[str, int]]:
    return [(a.action, a.since_ms) for a in store.apply_monitors(engine, monitors, references, now_ms)]


def reference_of(name: str = "r", profile: bytes = b"profile", high: float = 9.0) -> StoredReference:
    grid: NumberGrid = number_grid(Column(Role.FEATURE, "amount"), np.linspace(0, high, 100))
    return StoredReference(name, "churn", Grid((grid,)), 100, profile)


def test_a_first_version_holds_for_all_times(engine: Engine) -> None:
    assert apply(engine, CHURN, FRAUD) == [("created", ALWAYS_MS)] * 2
    configuration = store.load_configuration(engine)
    assert configuration.revision == store.current_revision(engine) == 1
    assert configuration.latest("churn").monitor == CHURN  # type: ignore[union-attr]


def test_the_same_again_is_no_change(engine: Engine) -> None:
    apply(engine, CHURN)
    assert apply(engine, CHURN) == [("unchanged", ALWAYS_MS)]
    assert store.current_revision(engine) == 1


def test_a_change_begins_at_a_border_that_no_partition_has_reached(engine: Engine) -> None:
    #   highest event  now+10 min    + 30 s    -> the next full minute, the next full hour
    apply(engine, CHURN, FRAUD)
    with transaction(engine) as connection:
        highest = {"topic": "t", "next_offset": 0, "first_offset": 0}
        rows = [
            highest | {"partition": 0, "highest_ms": NOW_MS + 10 * MINUTE_MS},
            highest | {"partition": 1, "highest_ms": None},
        ]
        connection.execute(insert(source_partition), rows)
    changed = (replace(CHURN, disorder_ms=1), replace(FRAUD, disorder_ms=1))
    assert apply(engine, *changed) == [("changed", NOW_MS + 11 * MINUTE_MS), ("changed", NOW_MS + HOUR_MS)]


def test_versions_begin_in_the_order_of_their_numbers(engine: Engine) -> None:
    """Else a decoder and a restored checkpoint could disagree on which was in force."""
    apply(engine, FRAUD)
    apply(engine, replace(FRAUD, disorder_ms=1))
    apply(engine, replace(FRAUD, pane_ms=MINUTE_MS))
    apply(engine, replace(FRAUD, pane_ms=MINUTE_MS, disorder_ms=2), now_ms=NOW_MS + 2 * HOUR_MS)
    since = [v.since_ms for v in store.load_configuration(engine).models["fraud"]]
    assert since == [ALWAYS_MS, NOW_MS + HOUR_MS, NOW_MS + HOUR_MS, NOW_MS + 2 * HOUR_MS + MINUTE_MS]
    assert store.load_configuration(engine).at("fraud", NOW_MS + HOUR_MS).number == 3  # type: ignore[union-attr]


def test_all_missing_references_are_told_at_once_and_nothing_is_stored(engine: Engine) -> None:
    wrong = [replace(CHURN, reference="a"), replace(FRAUD, reference="b")]
    with pytest.raises(ConfigurationError) as raised:
        apply(engine, Monitor("other"), *wrong, references=[reference_of()])
    assert len(raised.value.problems) == 2
    assert store.load_configuration(engine).models == {}
    assert store.load_reference(engine, "r") is None


def test_a_reference_comes_with_its_monitor_and_its_grid(engine: Engine) -> None:
    one = reference_of()
    apply(engine, replace(CHURN, reference="r"), references=[one])
    version = store.load_configuration(engine).latest("churn")
    assert version is not None
    assert (version.reference_name, version.grid.id) == ("r", one.grid.id)
    assert store.load_reference(engine, "r") == b"profile"
    assert store.load_grid(engine, one.grid.id) is not None
    assert store.load_grid(engine, "none") is store.load_reference(engine, "none") is None


def test_a_reference_that_is_another_under_its_name_is_heard_of(engine: Engine) -> None:
    apply(engine, replace(CHURN, reference="r"), references=[reference_of()])
    before = store.current_revision(engine)
    store.store_reference(engine, reference_of())
    store.store_reference(engine, reference_of("another"))
    assert store.current_revision(engine) == before
    store.store_reference(engine, reference_of(profile=b"rebuilt"))
    assert store.current_revision(engine) == before + 1
    assert (
        apply(engine, replace(CHURN, reference="r"), references=[reference_of(profile=b"again")])[0][0]
        == "unchanged"
    )
    assert store.current_revision(engine) == before + 2


def test_another_grid_of_a_reference_is_a_new_version(engine: Engine) -> None:
    monitor = replace(CHURN, reference="r")
    apply(engine, monitor, references=[reference_of()])
    assert apply(engine, monitor, references=[reference_of(high=99.0)])[0][0] == "changed"


def test_what_is_exported_is_the_newest_and_applies_without_a_change(engine: Engine) -> None:
    from service.monitor_file import parse_monitors

    apply(engine, CHURN, FRAUD)
    apply(engine, replace(CHURN, disorder_ms=1))
    exported = parse_monitors(store.export_monitors(engine), "export")
    assert {a for a, _ in apply(engine, *exported)} == {"unchanged"}
    assert [
        m.model
        for m in parse_monitors(store.export_monitors(engine, lambda model: model == "fraud"), "export")
    ] == ["fraud"]


def test_what_people_typed_survives_a_crash_of_the_server(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = []

    def look(connection: Any, now_ms: int) -> int:
        shown.append(connection.execute(text("SHOW synchronous_commit")).scalar_one())
        return now_ms

    monkeypatch.setattr(store, "_untouched_border", look)
    apply(engine, CHURN)
    assert shown == ["on"]


def test_what_was_learned_counts_until_a_person_applies_it(engine: Engine) -> None:
    with transaction(engine) as connection:
        store.learn_models(connection, ["churn", "fraud", "other"])
    assert store.load_configuration(engine).learned == 3
    assert apply(engine, CHURN, FRAUD) == [("changed", ALWAYS_MS), ("changed", NOW_MS + HOUR_MS)]
    configuration = store.load_configuration(engine)
    assert (configuration.learned, configuration.revision) == (1, 2)
    assert [len(configuration.models[name]) for name in ("churn", "fraud")] == [1, 2]
    assert apply(engine, CHURN) == [("unchanged", ALWAYS_MS)]
    assert store.current_revision(engine) == 2
