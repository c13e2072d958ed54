"""What is known of lost records, as windows see it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from service.checkpoints import Claim, Claimant
from service.messages import (
    Checkpoint,
    Counts,
    Loss,
    LossKind,
    PaneKey,
    PaneRow,
    Partition,
)
from service.store.checkpoint import PostgresCheckpoints
from service.store.results import PostgresResults, lease
from tests.fakes.collecting import partition_row

pytestmark = pytest.mark.postgres

PLACE = Partition("events", 0)
MIN_MS = 60_000


@pytest.fixture
def checkpoints(engine: Engine) -> PostgresCheckpoints:
    return PostgresCheckpoints(engine)


@pytest.fixture
def claim(checkpoints: PostgresCheckpoints) -> Claim:
    return checkpoints.claim(PLACE, Claimant("one", 0), "id", 0)


def step(expected: int, until: int, *losses: Loss, model: str = "churn", **more: Any) -> Checkpoint:
    pane = PaneRow(PaneKey(model, "1", "", 0), MIN_MS, "g", 3, 0, 5, b"s")
    lost = sum(one.records for one in losses if one.until_ms is None)
    return Checkpoint(
        PLACE, expected, until, 1_000, Counts(until - expected - lost), [pane], losses=losses, lost=lost, **more
    )  # fmt: skip


def losses_of(engine: Engine, model: str, since_ms: int = 0) -> list[Loss]:
    with lease(engine, model, "me") as held:
        assert held is not None
        return list(PostgresResults(engine, held).losses(since_ms))


def test_a_model_sees_the_gaps_of_the_partitions_that_its_rows_come_from(
    engine: Engine, checkpoints: PostgresCheckpoints, claim: Claim
) -> None:
    gap = Loss(10, 5, LossKind.LOST, 2_000)
    checkpoints.commit(claim, step(0, 20, gap), 0)
    assert losses_of(engine, "churn") == [gap]
    assert losses_of(engine, "other") == []


def test_where_a_gap_ends_is_learned_later_and_survives_a_claim(
    engine: Engine, checkpoints: PostgresCheckpoints, claim: Claim
) -> None:
    gap = Loss(10, 5, LossKind.LOST, 2_000)
    checkpoints.commit(claim, step(0, 20, gap), 0)
    again = checkpoints.claim(PLACE, Claimant("two", 0), "id", 0)
    assert again.open_losses == (gap,)
    ended = Loss(10, 5, LossKind.LOST, 2_000, 9_000)
    checkpoints.commit(again, step(20, 30, ended), 0)
    assert losses_of(engine, "churn") == [ended]
    assert losses_of(engine, "churn", since_ms=9_001) == []
    assert checkpoints.claim(PLACE, Claimant("three", 0), "id", 0).open_losses == ()
    assert partition_row(engine)["lost"] == 5


def test_a_truncated_log_takes_the_position_back_once(
    engine: Engine, checkpoints: PostgresCheckpoints, claim: Claim
) -> None:
    checkpoints.commit(claim, step(0, 20), 0)
    loss = Loss(15, 5, LossKind.TRUNCATED, 0, 1_000)
    for _ in range(2):  # the reply to the first was lost
        checkpoints.take_back(claim, 20, loss)
    row = partition_row(engine)
    assert (row["next_offset"], row["truncated"]) == (15, 5)
    checkpoints.commit(claim, step(15, 20), 0)
    assert partition_row(engine)["next_offset"] == 20
    assert losses_of(engine, "churn") == [loss]
