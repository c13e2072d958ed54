"""What a monitor's contract needs is on the grid that its events are counted on, live and in a replay."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine

from service.contract.grids import grid_for, rule_column
from service.monitor import Monitor
from service.promises import Contract, Promise, RowRule
from service.sketches.grids import Grid, number_grid
from service.store import configuration as store
from service.store.configuration import StoredReference
from service.wiring import make_replay
from tests.contract.rows import feature
from tests.replaying import MONITOR, event, reference_of, write_log

CONTRACT = Contract({"amount": Promise(low=-1.23, high=4.56)}, (RowRule("r", "amount > 0"),))
NOW_MS = 1_795_305_600_000


def test_a_replay_counts_on_the_grid_in_force(tmp_path: Path) -> None:
    profile = reference_of(tmp_path, rows=500)
    monitor = replace(MONITOR, contract=CONTRACT)
    log = write_log(tmp_path / "log.jsonl", [event(i, minute=i / 10) for i in range(100)])
    lines: list[Any] = []
    run = make_replay([monitor], {"churn-1": profile}, log, 1, lines.append)
    (version,) = run.configuration.models["churn"]
    assert version.grid.id == grid_for(monitor, profile.grid).id != profile.grid.id
    assert rule_column("r") in version.grid.number_at
    assert run.run().records.accepted == 100
    assert [line for line in lines if line["kind"] == "window"]


def stored(grid: Grid) -> StoredReference:
    """A reference with this grid."""
    return StoredReference("r", "churn", grid, 100, b"profile")


@pytest.mark.postgres
def test_a_stored_monitor_counts_on_the_grid_in_force_and_on_another_when_its_contract_changes(
    engine: Engine,
) -> None:
    base = Grid((number_grid(feature("amount"), np.linspace(0, 9, 100)),))
    monitor = Monitor("churn", reference="r")
    store.apply_monitors(engine, [monitor], [stored(base)], NOW_MS)
    promised = replace(monitor, contract=CONTRACT)
    (applied,) = store.apply_monitors(engine, [promised], (), NOW_MS)
    assert applied.action == "changed"
    versions = store.load_configuration(engine).models["churn"]
    assert [version.grid.id for version in versions] == [base.id, grid_for(promised, base).id]
    assert versions[1].monitor == promised
    (again,) = store.apply_monitors(engine, [promised], (), NOW_MS)
    assert again.action == "unchanged"


@pytest.mark.postgres
def test_a_contract_without_a_reference_has_a_grid_of_its_own(engine: Engine) -> None:
    monitor = Monitor("churn", contract=CONTRACT)
    store.apply_monitors(engine, [monitor], (), NOW_MS)
    (version,) = store.load_configuration(engine).models["churn"]
    assert version.grid.id == grid_for(monitor, Grid()).id
