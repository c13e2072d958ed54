"""Claims and checkpoints on a real PostgreSQL: who may write, and what becomes of everybody else's writes."""

from __future__ import annotations

import threading
from dataclasses import replace
from random import Random
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from sqlalchemy import Engine, text, update

from service.errors import ConfigurationChanged, PartitionHalted, PartitionLost, Rewound
from service.messages import (
    Checkpoint,
    Counts,
    DeadLetter,
    FilterKey,
    IdRows,
    PaneKey,
    PaneRow,
    Partition,
    Reason,
    Stream,
)
from service.names import LONGEST_NAME_BYTES
from service.store import checkpoint as store
from service.store.checkpoint import Claim, Claimant
from service.store.configuration import current_revision, load_configuration
from service.store.engine import transaction
from service.store.tables import source_partition
from tests.fakes.collecting import counts, ids, partition_row, stored

pytestmark = pytest.mark.postgres

PLACE = Partition("events", 0)
PATIENCE_MS = 60_000


def longest_name(seed: int) -> str:
    """One of as many bytes as `clean_name` lets through, which no index can shorten."""
    random = Random(seed)
    return "".join(chr(random.randrange(0x4E00, 0x9FFF)) for _ in range(LONGEST_NAME_BYTES // 3))


def claim(engine: Engine, owner: str = "one", topic_id: str | None = "id-1", log_start: int = 0) -> Claim:
    return store.claim_partition(engine, PLACE, Claimant(owner, PATIENCE_MS), topic_id, log_start)


def pane_of(sketch: bytes = b"s", start_ms: int = 0, **key: str) -> PaneRow:
    named = PaneKey(**{"model": "churn", "version": "1", "segment": ""} | key, start_ms=start_ms)
    return PaneRow(named, start_ms + 10_000, "g", 3, 0, start_ms + 5, sketch)


def letter(offset: int, detail: str = "broken") -> DeadLetter:
    return DeadLetter(offset, 5, b"k\0", b"v\0\xff", 3, Reason.BAD_JSON, detail)


def step(expected: int, next_offset: int, **changes: Any) -> Checkpoint:
    usual: dict[str, Any] = {
        "highest_ms": next_offset * 1000, "counts": Counts(accepted=next_offset - expected),
        "panes": [pane_of(b"at %d" % next_offset)],
        "ids": [IdRows(FilterKey("churn", Stream.INFERENCE, 0), np.array([next_offset], np.uint64))],
    }  # fmt: skip
    return Checkpoint(PLACE, expected, next_offset, **usual | changes)


def commit(engine: Engine, held: Claim, made: Checkpoint, revision: int = 0) -> None:
    store.commit_checkpoint(engine, held, made, revision)


def set_row(engine: Engine, **values: Any) -> None:
    with transaction(engine) as connection:
        connection.execute(update(source_partition).values(**values))


def test_the_first_claim_starts_where_it_is_told(engine: Engine) -> None:
    held = claim(engine, log_start=17)
    assert (held.next_offset, held.owner_epoch, held.highest_ms, held.panes) == (17, 1, None, ())
    assert partition_row(engine)["first_offset"] == 17


def test_a_later_claim_starts_where_the_database_is_and_brings_its_panes_and_ids(engine: Engine) -> None:
    commit(engine, claim(engine), step(0, 10))
    again = claim(engine, "two", log_start=99)
    assert (again.next_offset, again.highest_ms, again.owner_epoch) == (10, 10_000, 2)
    assert again.panes == (pane_of(b"at 10"),)
    assert {key: [h.tolist() for h in hashes] for key, hashes in again.ids.items()} == {
        ("churn", "inference", 0): [[10]]
    }


def test_panes_that_no_row_can_reach_are_not_loaded(engine: Engine) -> None:
    # panes   |0-10 s|  ...  |100-110 s|      highest 110 s, patience 60 s: what ended after 50 s is open
    old, open_one = pane_of(b"old", 0), pane_of(b"open", 100_000)
    commit(engine, claim(engine), step(0, 110, panes=[old, open_one]))
    assert claim(engine).panes == (open_one,)


def test_who_was_claimed_over_is_fenced_and_writes_nothing(engine: Engine) -> None:
    old = claim(engine, "old")
    commit(engine, old, step(0, 10))
    claim(engine, "new")
    before = stored(engine), ids(engine)
    with pytest.raises(PartitionLost, match="owned by new"):
        commit(engine, old, step(10, 20, dead=[letter(11)]))
    assert (stored(engine), ids(engine)) == before


def test_a_commit_whose_reply_was_lost_is_silent_and_writes_nothing_twice(engine: Engine) -> None:
    held, made = claim(engine), step(0, 10, dead=[letter(3)], counts=Counts(accepted=9, dead=1))
    commit(engine, held, made)
    before = stored(engine), ids(engine)
    commit(engine, held, made)
    assert (stored(engine), ids(engine)) == before
    commit(engine, held, step(10, 20))
    assert counts(engine)["accepted"] == 19


def test_a_database_that_went_back_by_offsets_rewinds_who_held_it(engine: Engine) -> None:
    held = claim(engine)
    commit(engine, held, step(0, 10))
    commit(engine, held, step(10, 20))
    set_row(engine, next_offset=10, highest_ms=10_000)
    with pytest.raises(Rewound, match="at offset 10, we had committed 20"):
        commit(engine, held, step(20, 30))
    assert claim(engine).next_offset == 10


def test_a_database_that_went_back_before_our_claim_rewinds_us(engine: Engine) -> None:
    claim(engine, "earlier")
    held = claim(engine)
    commit(engine, held, step(0, 10))
    set_row(engine, next_offset=0, owner_epoch=1, claim_token=uuid4())
    with pytest.raises(Rewound, match="epoch 1, we hold 2"):
        commit(engine, held, step(10, 20))


def test_an_epoch_that_repeats_after_a_restore_is_told_by_its_token(engine: Engine) -> None:
    held = claim(engine)
    set_row(engine, claim_token=uuid4(), owner="other")
    with pytest.raises(PartitionLost, match="owned by other"):
        commit(engine, held, step(0, 10))


def test_an_offset_that_nobody_can_have_written_halts(engine: Engine) -> None:
    held = claim(engine)
    commit(engine, held, step(0, 10))
    set_row(engine, next_offset=15)
    with pytest.raises(PartitionHalted, match="at offset 15, we expected 10"):
        commit(engine, held, step(10, 20))


def test_a_row_that_is_gone_halts(engine: Engine) -> None:
    held = claim(engine)
    with transaction(engine) as connection:
        connection.execute(text("DELETE FROM source_partition"))
    with pytest.raises(PartitionHalted, match="has no row"):
        commit(engine, held, step(0, 10))
    assert stored(engine)["panes"] == {}


def test_a_halted_partition_takes_no_commit_and_no_claim_and_keeps_its_first_reason(engine: Engine) -> None:
    held = claim(engine)
    store.halt_partition(engine, PLACE, "first")
    with pytest.raises(PartitionHalted, match="first"):
        commit(engine, held, step(0, 10))
    for _ in range(2):
        with pytest.raises(PartitionHalted, match=r"is halted: first$") as halted:
            claim(engine)
        store.halt_partition(engine, PLACE, str(halted.value))
    row = partition_row(engine)
    assert (row["halted"], row["owner_epoch"], row["next_offset"]) == ("first", 1, 0)


def test_what_a_fenced_worker_believes_halts_nothing(engine: Engine) -> None:
    old = claim(engine, "old")
    claim(engine, "new")
    store.halt_partition(engine, PLACE, "nonsense", old)
    assert partition_row(engine)["halted"] is None


def test_a_resumed_partition_goes_on_where_it_stopped(engine: Engine) -> None:
    commit(engine, claim(engine), step(0, 10))
    store.halt_partition(engine, PLACE, "why")
    assert store.resume_partitions(engine, PLACE.topic) == 1
    assert (claim(engine).next_offset, partition_row(engine)["deaths"]) == (10, 0)


def test_another_topic_of_the_same_name_halts(engine: Engine) -> None:
    commit(engine, claim(engine, topic_id="id-1"), step(0, 10))
    with pytest.raises(PartitionHalted, match="deleted and made again"):
        claim(engine, topic_id="id-2")
    assert claim(engine, topic_id="id-1").next_offset == 10


def test_an_id_that_was_unknown_is_learned_and_one_that_is_not_told_is_kept(engine: Engine) -> None:
    assert claim(engine, topic_id=None).topic_id is None
    assert claim(engine, topic_id="id-1").topic_id == "id-1"
    assert claim(engine, topic_id=None).topic_id == "id-1"


def test_a_reset_topic_starts_over(engine: Engine) -> None:
    commit(engine, claim(engine), step(0, 10))
    store.halt_partition(engine, PLACE, "why")
    assert store.reset_partitions(engine, PLACE.topic) == 1
    assert claim(engine, topic_id="id-2").next_offset == 0
    assert ids(engine) == {}


def test_deaths_are_takeovers_without_release_since_the_last_progress(engine: Engine) -> None:
    held = claim(engine)
    assert [claim(engine).deaths for _ in range(3)] == [1, 2, 3]
    held = claim(engine)
    commit(engine, held, step(0, 10))
    assert partition_row(engine)["deaths"] == 0
    store.release_partition(engine, held)
    assert (claim(engine).deaths, claim(engine).deaths) == (0, 1)


def test_a_release_by_who_does_not_hold_it_any_more_does_nothing(engine: Engine) -> None:
    old = claim(engine, "old")
    new = claim(engine, "new")
    store.release_partition(engine, old)
    commit(engine, new, step(0, 10))


def test_a_checkpoint_under_other_monitors_writes_nothing(engine: Engine) -> None:
    held = claim(engine)
    before = stored(engine), ids(engine)
    with pytest.raises(ConfigurationChanged, match="at revision 0, the batch was counted at 5"):
        commit(engine, held, step(0, 10, dead=[letter(1)]), revision=5)
    assert (stored(engine), ids(engine)) == before


def test_a_learned_model_is_stored_once_and_raises_the_revision(engine: Engine) -> None:
    held = claim(engine)
    commit(engine, held, step(0, 10, learned_models=["new", "newer"]))
    assert (current_revision(engine), set(load_configuration(engine).models)) == (1, {"new", "newer"})
    commit(engine, held, step(10, 20, learned_models=["new"]), revision=1)
    assert current_revision(engine) == 1


def together(*acts: Any) -> list[BaseException | None]:
    """Do all at once; returns what each raised."""
    ready, outcomes = threading.Barrier(len(acts)), [None] * len(acts)

    def run(n: int, act: Any) -> None:
        ready.wait()
        try:
            act()
        except Exception as error:  # noqa: BLE001 - told to the test
            outcomes[n] = error

    threads = [threading.Thread(target=run, args=(n, act)) for n, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_of_two_who_commit_at_once_exactly_one_wins(engine: Engine) -> None:
    for first in range(0, 100, 10):
        old = claim(engine, "old", log_start=first)
        new = replace(old, token=uuid4())  # what a split brain after a restore would hold
        made = step(first, first + 10)
        outcomes = together(
            lambda o=old, m=made: commit(engine, o, m), lambda n=new, m=made: commit(engine, n, m)
        )
        assert sorted(type(o) for o in outcomes if o is not None) == [PartitionLost]
    assert counts(engine)["accepted"] == 100


def test_the_same_checkpoint_twice_at_once_is_written_once(engine: Engine) -> None:
    held = claim(engine)
    for first in range(0, 50, 10):
        made = step(first, first + 10)
        assert together(*[lambda m=made: commit(engine, held, m)] * 3) == [None] * 3
    assert counts(engine)["accepted"] == 50
    assert len(next(iter(ids(engine).values()))) == 5 * 8


def test_partitions_that_learn_at_once_do_not_wait_for_each_other_for_ever(engine: Engine) -> None:
    places = [Partition("events", n) for n in range(4)]
    held = [store.claim_partition(engine, p, Claimant("one", 0), None, 0) for p in places]
    made = [Checkpoint(p, 0, 1, 0, Counts(1), learned_models=[f"m{p.number}"]) for p in places]
    outcomes = together(*[lambda h=h, m=m: commit(engine, h, m) for h, m in zip(held, made, strict=True)])
    assert sum(o is None for o in outcomes) == 1
    assert {type(o) for o in outcomes if o is not None} == {ConfigurationChanged}


def test_no_words_and_no_name_break_the_transaction(engine: Engine) -> None:
    model, version, name, value = map(longest_name, range(4))
    panes = [
        pane_of(model=model, version=version, segment=f"{name}={value}"),
        pane_of(segment="a=quote ' \" \\ %s {x} :name"),
    ]
    commit(
        engine,
        claim(engine),
        step(0, 3, panes=panes, dead=[letter(1, "a\0b \ud800 c"), letter(2, "%s :name")]),
    )
    assert [row[-1] for row in stored(engine)["dead"]] == ["a\ufffdb ? c", "%s :name"]
    assert set(claim(engine).panes) == set(panes)


def test_counts_and_lost_sum_to_the_offsets(engine: Engine) -> None:
    held = claim(engine, log_start=5)
    commit(engine, held, step(5, 15, counts=Counts(4, 3, 1, 1, 1)))
    commit(engine, held, step(15, 25, counts=Counts(2, 2, 1, 1, 1), lost=3))
    assert counts(engine) == {"accepted": 6, "duplicate": 5, "late": 2, "dead": 2, "tombstone": 2, "lost": 3}
    assert sum(counts(engine).values()) == partition_row(engine)["next_offset"] - 5


def test_event_time_never_goes_back_and_none_is_not_a_time(engine: Engine) -> None:
    held = claim(engine)
    commit(engine, held, step(0, 1, highest_ms=-(2**62)))
    assert partition_row(engine)["highest_ms"] is None
    commit(engine, held, step(1, 2, highest_ms=7_000))
    commit(engine, held, step(2, 3, highest_ms=5_000))
    assert partition_row(engine)["highest_ms"] == 7_000


def test_ids_are_forgotten_by_their_holder_only(engine: Engine) -> None:
    held = claim(engine)
    of_panes = [
        IdRows(FilterKey("churn", Stream.INFERENCE, start), np.array([start], np.uint64))
        for start in (0, 10_000)
    ]
    commit(engine, held, step(0, 10, ids=of_panes))
    store.forget_ids(engine, replace(held, token=uuid4()), 10_000)
    assert len(ids(engine)) == 2
    store.forget_ids(engine, held, 10_000)
    assert [key[-1] for key in ids(engine)] == [10_000]


def test_progress_is_noted_by_the_holder_only_and_a_pause_is_measured_from_its_start(engine: Engine) -> None:
    held = claim(engine)
    store.note_progress(engine, replace(held, token=uuid4()), lag=9, idle=True)
    assert partition_row(engine)["lag"] is None
    store.note_progress(engine, held, lag=0, idle=True, quiet_ms=60_000)
    first = partition_row(engine)["idle_since"]
    assert 60 <= (partition_row(engine)["updated_at"] - first).total_seconds() < 61
    store.note_progress(engine, held, lag=0, idle=True, quiet_ms=90_000)
    assert partition_row(engine)["idle_since"] == first
    store.note_progress(engine, held, lag=3, idle=False)
    assert (partition_row(engine)["lag"], partition_row(engine)["idle_since"]) == (3, None)


@pytest.mark.parametrize("way", ["news", "release", "claim", "halt"])
def test_idleness_ends_with(engine: Engine, way: str) -> None:
    """News of event time, and whatever leaves the partition without the owner that was idle."""
    held = claim(engine)
    store.note_progress(engine, held, lag=0, idle=True)
    {
        "news": lambda: commit(engine, held, step(0, 10)), "release": lambda: store.release_partition(engine, held),
        "claim": lambda: claim(engine), "halt": lambda: store.halt_partition(engine, PLACE, "why"),
    }[way]()  # fmt: skip
    assert partition_row(engine)["idle_since"] is None


def test_records_that_move_no_event_time_do_not_end_idleness(engine: Engine) -> None:
    held = claim(engine)
    commit(engine, held, step(0, 10))
    store.note_progress(engine, held, lag=0, idle=True)
    commit(engine, held, step(10, 12, highest_ms=10_000, counts=Counts(dead=2)))
    assert partition_row(engine)["idle_since"] is not None
