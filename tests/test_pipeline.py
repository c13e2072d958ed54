"""A pipeline takes records once and in order, and its counts sum to the records consumed."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np

from service.configuration import Configuration, ModelVersion
from service.intake.decoder import Decoder
from service.intake.source import Records
from service.messages import Counts, Reason, UnknownModels
from service.monitor import Monitor
from service.panes.partition import PartitionPanes
from service.pipeline import PartitionPipeline
from service.sketches.grids import Grid
from tests.panes.logs import PARTITION, part_of, records

T = 1_795_305_060_000
CONFIGURATION = Configuration({"churn": (ModelVersion(Monitor("churn"), Grid()),)}, 1)


def event(second: int = 0, **fields: Any) -> dict[str, Any]:
    """A good event."""
    return {
        "type": "features",
        "model": "churn",
        "ts": T + 1_000 * second,
        "features": {"amount": second},
    } | fields


def made(next_offset: int = 0, **options: Any) -> PartitionPipeline:
    """A pipeline that has taken nothing yet."""
    return PartitionPipeline(PARTITION, Decoder(CONFIGURATION, **options), PartitionPanes(), next_offset)


def test_every_record_ends_in_exactly_one_outcome() -> None:
    pipeline = made()
    day = 86_400
    pipeline.take(
        records(
            [event(1, id="a"), event(2, id="a"), b"broken", None, event(day), event(3), event(day, id="b")],
            T + day * 1_000,
        )
    )
    checkpoint = pipeline.checkpoint()
    assert checkpoint.counts == Counts(accepted=3, duplicate=1, late=1, dead=1, tombstone=1)
    assert checkpoint.counts.total == checkpoint.next_offset == pipeline.pending_records == 7
    assert checkpoint.highest_ms == T + day * 1_000


def test_records_that_were_taken_before_are_left_out() -> None:
    # first poll  0 1 2 3
    # second poll   1 2 3 4 5      (the log system handed some over again)
    log = records([event(i) for i in range(6)], T)
    pipeline = made()
    pipeline.take(part_of(log, 0, 4))
    pipeline.take(part_of(log, 1, 6))
    pipeline.take(part_of(log, 0, 2))
    assert pipeline.checkpoint().counts == Counts(accepted=6)
    assert pipeline.next_offset == 6


def test_holes_in_the_offsets_are_no_records() -> None:
    log = records([event(i) for i in range(3)], T)
    holed = dataclasses.replace(log, offsets=np.array([5, 9, 40]))
    pipeline = made(5)
    pipeline.take(holed)
    checkpoint = pipeline.checkpoint()
    assert (checkpoint.expected_offset, checkpoint.next_offset, checkpoint.counts.total) == (5, 41, 3)


def test_nothing_is_nothing() -> None:
    pipeline = made(7)
    pipeline.take(records([], T))
    assert not pipeline.dirty
    assert pipeline.next_offset == 7


def test_only_tombstones_move_the_position_but_not_the_time() -> None:
    pipeline = made()
    pipeline.take(records([None, None], T))
    assert pipeline.dirty
    assert pipeline.checkpoint().counts == Counts(tombstone=2)
    assert pipeline.checkpoint().highest_ms == PartitionPanes().highest_ms


def test_lost_records_are_counted_and_passed_over() -> None:
    pipeline = made()
    pipeline.take(records([event()], T))
    pipeline.skip_lost(100)
    pipeline.take(records([event()], T, first=100))
    checkpoint = pipeline.checkpoint()
    assert (checkpoint.lost, checkpoint.next_offset, checkpoint.counts.total) == (99, 101, 2)
    pipeline.committed()
    assert pipeline.checkpoint().lost == 0


def test_after_a_commit_the_next_checkpoint_starts_there() -> None:
    pipeline = made()
    pipeline.take(records([event(), b"broken"], T))
    pipeline.committed()
    assert not pipeline.dirty
    pipeline.take(records([event()], T, first=2))
    checkpoint = pipeline.checkpoint()
    assert (checkpoint.expected_offset, checkpoint.next_offset) == (2, 3)
    assert (checkpoint.counts, checkpoint.dead) == (Counts(accepted=1), [])


def test_ignored_models_are_dead_without_a_letter() -> None:
    pipeline = made(unknown_models=UnknownModels.IGNORE)
    pipeline.take(records([event(model="nobody")] * 3, T))
    assert (pipeline.checkpoint().counts, pipeline.checkpoint().dead) == (Counts(dead=3), [])


def test_learned_models_are_named_in_the_checkpoint() -> None:
    pipeline = made(unknown_models=UnknownModels.LEARN)
    pipeline.take(records([event(model="zeta"), event(model="alpha")], T))
    assert pipeline.checkpoint().learned_models == ["alpha", "zeta"]


def test_a_quarantined_record_is_kept_with_its_bytes_and_coordinates() -> None:
    far = json.dumps(event(86_400 * 70)).encode()
    pipeline = made()
    log = records([event(), far, event(1)], -1)
    pipeline.take(dataclasses.replace(log, keys=[b"k", b"key", None]))
    [letter] = pipeline.checkpoint().dead
    assert (letter.offset, letter.timestamp_ms, letter.key, letter.value, letter.size) == (
        1,
        -1,
        b"key",
        far,
        len(far),
    )
    assert letter.reason is Reason.FUTURE_TIMESTAMP
    assert pipeline.checkpoint().counts == Counts(accepted=2, dead=1)


def test_records_with_and_without_a_time_of_their_own_may_stand_in_one_poll() -> None:
    far, near = event(86_400 * 70), event(1)
    log: Records = records([near, near, far, near, far], [T, -1, -1, T, T])
    pipeline = made()
    pipeline.take(log)
    assert [letter.offset for letter in pipeline.checkpoint().dead] == [2, 4]
    alone = made()
    for i in range(len(log)):
        alone.take(part_of(log, i, i + 1))
    assert alone.checkpoint().counts == pipeline.checkpoint().counts
    assert alone.checkpoint().panes == pipeline.checkpoint().panes


def test_another_configuration_holds_from_the_next_records_on() -> None:
    pipeline = made()
    pipeline.take(records([event()], T))
    pipeline.reconfigure(Configuration())
    pipeline.take(records([event()], T, first=1))
    assert pipeline.checkpoint().counts == Counts(accepted=1, dead=1)
