"""Sampled rows find their labels by the hash of the inference id, however late those came."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, delete, text, update

from service.configuration import ModelVersion
from service.inspection.weak_slices_rows import VERSION, LabelledRows, LossKind
from service.monitor import MINUTE_MS
from service.store import chosen_panes
from service.store import labelled_rows as module
from service.store.configuration import load_configuration
from service.store.engine import transaction
from service.store.labelled_rows import labelled_rows
from service.store.tables import pane, waiting_prediction
from tests.fakes.answered import MINUTES, MODEL, T, Traffic, run
from tests.fakes.fixtures import engine, migrated, single

__all__ = ["engine", "migrated", "single"]
pytestmark = pytest.mark.postgres
END = T + MINUTES * MINUTE_MS


def version_of(engine: Engine) -> ModelVersion:
    found = load_configuration(engine).latest(MODEL)
    assert found is not None
    return found


def read(engine: Engine, since_ms: int = T, until_ms: int = END) -> LabelledRows:
    return labelled_rows(engine, version_of(engine), since_ms, until_ms)


def test_each_sampled_row_with_a_label_is_told_with_its_features_segments_and_loss(
    engine: Engine, tmp_path: Path
) -> None:
    live = Traffic(np.random.default_rng(2))
    live.country[: live.n // 10] = None
    run(engine, Traffic(np.random.default_rng(1)), live, tmp_path)
    rows = read(engine)
    assert (rows.sampled, rows.panes, rows.of_panes) == (64 * MINUTES, MINUTES, MINUTES)
    assert len(rows.losses) == pytest.approx(0.9 * rows.sampled, rel=0.03)
    assert (rows.names, rows.loss) == (("amount", "age"), LossKind.WRONG)
    version, country = rows.groups
    assert (version.name, version.values, country.values) == (VERSION, ("7",), ("DE", "FR", "PL"))
    assert (country.codes < 0).mean() == pytest.approx(0.1, abs=0.03)
    place = {(amount, age): i for i, (amount, age) in enumerate(zip(live.amount, live.age, strict=True))}
    at = [place[amount, age] for amount, age in rows.numbers.T.tolist()]
    told = np.array([*country.values, None], dtype=object)[country.codes]
    assert np.mean(told == live.country[at]) > 0.99
    weak = (rows.numbers[0] >= 40) & (country.codes == 0)
    assert rows.losses[weak].mean() == pytest.approx(0.5, abs=0.07)
    assert rows.losses[~weak].mean() == pytest.approx(0.1, abs=0.03)


def test_only_rows_of_the_time_asked_for_are_read_and_only_labelled_ones(
    engine: Engine, tmp_path: Path
) -> None:
    run(engine, Traffic(np.random.default_rng(1)), Traffic(np.random.default_rng(2)), tmp_path)
    part = read(engine, T + 10 * MINUTE_MS, T + 20 * MINUTE_MS)
    assert (part.panes, part.sampled) == (10, 640)
    assert 0 < len(part.losses) <= 640
    assert len(read(engine, END, END + MINUTE_MS).losses) == 0
    with transaction(engine) as connection:
        connection.execute(update(waiting_prediction).values(label_ms=None))
    assert len(read(engine).losses) == 0
    with transaction(engine) as connection:
        connection.execute(delete(waiting_prediction))
    assert read(engine).sampled == 64 * MINUTES


def test_a_row_is_not_taken_for_one_of_another_pane_that_has_the_same_id(
    engine: Engine, tmp_path: Path
) -> None:
    run(engine, Traffic(np.random.default_rng(1)), Traffic(np.random.default_rng(2)), tmp_path)
    with transaction(engine) as connection:
        connection.execute(
            update(waiting_prediction).values(start_ms=waiting_prediction.c.start_ms - MINUTE_MS)
        )
    assert len(read(engine).losses) == 0


def test_an_id_that_two_partitions_have_in_one_pane_means_neither_row(engine: Engine, tmp_path: Path) -> None:
    run(engine, Traffic(np.random.default_rng(1)), Traffic(np.random.default_rng(2)), tmp_path)
    names = ", ".join(f'"{c.name}"' for c in pane.c if c.name != "partition")
    with transaction(engine) as connection:
        connection.execute(
            text(
                f"INSERT INTO pane ({names}, partition) SELECT {names}, 1 FROM pane WHERE start_ms < {T + MINUTE_MS}"
            )
        )
    assert (read(engine).ids.size, read(engine, T + MINUTE_MS).ids.size) == (
        read(engine, T + MINUTE_MS).ids.size,
    ) * 2


def test_of_more_panes_than_can_be_read_some_are_evenly_over_the_time(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(engine, Traffic(np.random.default_rng(1)), Traffic(np.random.default_rng(2)), tmp_path)
    monkeypatch.setattr(chosen_panes, "MOST_PANES", 20)
    monkeypatch.setattr(module, "_IDS_AT_ONCE", 100)
    rows = read(engine)
    assert (rows.panes, rows.of_panes, rows.sampled) == (20, MINUTES, 20 * 64)
    assert len(rows.losses) > 1_000


def test_one_connection_is_enough_to_read_panes_and_their_grids(
    engine: Engine, single: Engine, tmp_path: Path
) -> None:
    run(engine, Traffic(np.random.default_rng(1)), Traffic(np.random.default_rng(2)), tmp_path)
    assert labelled_rows(single, version_of(engine), T, END).panes == MINUTES
