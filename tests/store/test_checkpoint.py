"""Claims and checkpoints: who may write, and what becomes of everybody else's writes; one suite for every keeper."""

from __future__ import annotations

import threading
from dataclasses import replace
from random import Random
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from sqlalchemy import Engine

from service.checkpoints import Claim, Claimant, Trial
from service.errors import ConfigurationChanged, PartitionHalted, PartitionLost, Rewound
from service.messages import (
    Checkpoint,
    Counts,
    DeadLetter,
    FilterKey,
    IdRows,
    Loss,
    LossKind,
    PaneKey,
    PaneRow,
    Partition,
    Reason,
    Stream,
)
from service.names import LONGEST_NAME_BYTES
from tests.fakes.events import MONITOR
from tests.store.keepers import COUNTS, PLACE, InMemory, InPostgres, Keeper

PATIENCE_MS = 60_000


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def keeper(request: pytest.FixtureRequest) -> Keeper:
    if request.param == "memory":
        return InMemory()
    return InPostgres(request.getfixturevalue("engine"))


def longest_name(seed: int) -> str:
    """One of as many bytes as `clean_name` lets through, which no index can shorten."""
    random = Random(seed)
    return "".join(chr(random.randrange(0x4E00, 0x9FFF)) for _ in range(LONGEST_NAME_BYTES // 3))


def claim(keeper: Keeper, owner: str = "one", topic_id: str | None = "id-1", log_start: int = 0) -> Claim:
    return keeper.checkpoints.claim(PLACE, Claimant(owner, PATIENCE_MS), topic_id, log_start)


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


def commit(keeper: Keeper, held: Claim, made: Checkpoint, revision: int = 0) -> None:
    keeper.checkpoints.commit(held, made, revision)


def counts(keeper: Keeper) -> dict[str, int]:
    row = keeper.row()
    return {name: row[name] for name in (*COUNTS, "lost")}


def test_the_first_claim_starts_where_it_is_told(keeper: Keeper) -> None:
    held = claim(keeper, log_start=17)
    assert (held.next_offset, held.owner_epoch, held.highest_ms, held.panes) == (17, 1, None, ())
    assert keeper.row()["first_offset"] == 17


def test_a_later_claim_starts_where_the_database_is_and_brings_its_panes_and_ids(keeper: Keeper) -> None:
    commit(keeper, claim(keeper), step(0, 10))
    again = claim(keeper, "two", log_start=99)
    assert (again.next_offset, again.highest_ms, again.owner_epoch) == (10, 10_000, 2)
    assert again.panes == (pane_of(b"at 10"),)
    assert {key: [h.tolist() for h in hashes] for key, hashes in again.ids.items()} == {
        ("churn", "inference", 0): [[10]]
    }


def test_panes_that_no_row_can_reach_are_not_loaded(keeper: Keeper) -> None:
    # panes   |0-10 s|  ...  |100-110 s|      highest 110 s, patience 60 s: what ended after 50 s is open
    old, open_one = pane_of(b"old", 0), pane_of(b"open", 100_000)
    commit(keeper, claim(keeper), step(0, 110, panes=[old, open_one]))
    assert claim(keeper).panes == (open_one,)


def test_who_was_claimed_over_is_fenced_and_writes_nothing(keeper: Keeper) -> None:
    old = claim(keeper, "old")
    commit(keeper, old, step(0, 10))
    claim(keeper, "new")
    before = keeper.row(), keeper.tables()
    with pytest.raises(PartitionLost, match="owned by new"):
        commit(keeper, old, step(10, 20, dead=[letter(11)]))
    assert (keeper.row(), keeper.tables()) == before


def test_a_commit_whose_reply_was_lost_is_silent_and_writes_nothing_twice(keeper: Keeper) -> None:
    held, made = claim(keeper), step(0, 10, dead=[letter(3)], counts=Counts(accepted=9, dead=1))
    commit(keeper, held, made)
    before = keeper.row(), keeper.tables()
    commit(keeper, held, made)
    assert (keeper.row(), keeper.tables()) == before
    commit(keeper, held, step(10, 20))
    assert counts(keeper)["accepted"] == 19


def test_a_database_that_went_back_by_offsets_rewinds_who_held_it(keeper: Keeper) -> None:
    held = claim(keeper)
    commit(keeper, held, step(0, 10))
    commit(keeper, held, step(10, 20))
    keeper.set_row(next_offset=10, highest_ms=10_000)
    with pytest.raises(Rewound, match="at offset 10, we had committed 20"):
        commit(keeper, held, step(20, 30))
    assert claim(keeper).next_offset == 10


def test_a_database_that_went_back_before_our_claim_rewinds_us(keeper: Keeper) -> None:
    claim(keeper, "earlier")
    held = claim(keeper)
    commit(keeper, held, step(0, 10))
    keeper.set_row(next_offset=0, owner_epoch=1, token=uuid4())
    with pytest.raises(Rewound, match="epoch 1, we hold 2"):
        commit(keeper, held, step(10, 20))


def test_an_epoch_that_repeats_after_a_restore_is_told_by_its_token(keeper: Keeper) -> None:
    held = claim(keeper)
    keeper.set_row(token=uuid4(), owner="other")
    with pytest.raises(PartitionLost, match="owned by other"):
        commit(keeper, held, step(0, 10))


def test_an_offset_that_nobody_can_have_written_halts(keeper: Keeper) -> None:
    held = claim(keeper)
    commit(keeper, held, step(0, 10))
    keeper.set_row(next_offset=15)
    with pytest.raises(PartitionHalted, match="at offset 15, we expected 10"):
        commit(keeper, held, step(10, 20))


def test_a_row_that_is_gone_halts(keeper: Keeper) -> None:
    held = claim(keeper)
    keeper.lose_row()
    with pytest.raises(PartitionHalted, match="has no row"):
        commit(keeper, held, step(0, 10))
    assert keeper.tables()[0] == {}


def test_a_halted_partition_takes_no_commit_and_no_claim_and_keeps_its_first_reason(keeper: Keeper) -> None:
    held = claim(keeper)
    keeper.checkpoints.halt(PLACE, "first")
    with pytest.raises(PartitionHalted, match="first"):
        commit(keeper, held, step(0, 10))
    for _ in range(2):
        with pytest.raises(PartitionHalted, match=r"is halted: first$") as halted:
            claim(keeper)
        keeper.checkpoints.halt(PLACE, str(halted.value))
    row = keeper.row()
    assert (row["halted"], row["owner_epoch"], row["next_offset"]) == ("first", 1, 0)


def test_what_a_fenced_worker_believes_halts_nothing(keeper: Keeper) -> None:
    old = claim(keeper, "old")
    claim(keeper, "new")
    keeper.checkpoints.halt(PLACE, "nonsense", old)
    assert keeper.row()["halted"] is None


def test_a_resumed_partition_goes_on_where_it_stopped(keeper: Keeper) -> None:
    commit(keeper, claim(keeper), step(0, 10))
    keeper.checkpoints.halt(PLACE, "why")
    assert keeper.resume() == 1
    assert (claim(keeper).next_offset, keeper.row()["deaths"]) == (10, 0)


def test_another_topic_of_the_same_name_halts(keeper: Keeper) -> None:
    commit(keeper, claim(keeper, topic_id="id-1"), step(0, 10))
    with pytest.raises(PartitionHalted, match="deleted and made again"):
        claim(keeper, topic_id="id-2")
    assert claim(keeper, topic_id="id-1").next_offset == 10


def test_an_id_that_was_unknown_is_learned_and_one_that_is_not_told_is_kept(keeper: Keeper) -> None:
    assert claim(keeper, topic_id=None).topic_id is None
    assert claim(keeper, topic_id="id-1").topic_id == "id-1"
    assert claim(keeper, topic_id=None).topic_id == "id-1"


def test_a_reset_topic_starts_over(keeper: Keeper) -> None:
    commit(keeper, claim(keeper), step(0, 10))
    keeper.checkpoints.halt(PLACE, "why")
    assert keeper.reset() == 1
    assert claim(keeper, topic_id="id-2").next_offset == 0
    assert keeper.tables()[1] == {}


def test_deaths_are_takeovers_without_release_since_the_last_progress(keeper: Keeper) -> None:
    held = claim(keeper)
    assert [claim(keeper).deaths for _ in range(3)] == [1, 2, 3]
    held = claim(keeper)
    commit(keeper, held, step(0, 10))
    assert keeper.row()["deaths"] == 0
    keeper.checkpoints.release(held)
    assert (claim(keeper).deaths, claim(keeper).deaths) == (0, 1)


def test_a_release_by_who_does_not_hold_it_any_more_does_nothing(keeper: Keeper) -> None:
    old = claim(keeper, "old")
    new = claim(keeper, "new")
    keeper.checkpoints.release(old)
    commit(keeper, new, step(0, 10))


def test_a_checkpoint_under_other_monitors_writes_nothing(keeper: Keeper) -> None:
    held = claim(keeper)
    before = keeper.row(), keeper.tables()
    with pytest.raises(ConfigurationChanged, match="at revision 0, the batch was counted at 5"):
        commit(keeper, held, step(0, 10, dead=[letter(1)]), revision=5)
    assert (keeper.row(), keeper.tables()) == before


def test_a_learned_model_is_stored_once_and_raises_the_revision(keeper: Keeper) -> None:
    held = claim(keeper)
    commit(keeper, held, step(0, 10, learned_models=["new", "newer"]))
    assert (keeper.checkpoints.revision(), set(keeper.checkpoints.configuration().models)) == (
        1,
        {"new", "newer"},
    )
    commit(keeper, held, step(10, 20, learned_models=["new"]), revision=1)
    assert keeper.checkpoints.revision() == 1


def test_no_words_and_no_name_break_the_transaction(keeper: Keeper) -> None:
    model, version, name, value = map(longest_name, range(4))
    panes = [
        pane_of(model=model, version=version, segment=f"{name}={value}"),
        pane_of(segment="a=quote ' \" \\ %s {x} :name"),
    ]
    commit(
        keeper,
        claim(keeper),
        step(0, 3, panes=panes, dead=[letter(1, "a\0b \ud800 c"), letter(2, "%s :name")]),
    )
    assert [letter[3] for letter in keeper.tables()[2]] == ["a\ufffdb ? c", "%s :name"]
    assert set(claim(keeper).panes) == set(panes)


def test_counts_and_lost_sum_to_the_offsets(keeper: Keeper) -> None:
    held = claim(keeper, log_start=5)
    commit(keeper, held, step(5, 15, counts=Counts(4, 3, 1, 1, 1)))
    commit(keeper, held, step(15, 25, counts=Counts(2, 2, 1, 1, 1), lost=3))
    assert counts(keeper) == {"accepted": 6, "duplicate": 5, "late": 2, "dead": 2, "tombstone": 2, "lost": 3}
    assert sum(counts(keeper).values()) == keeper.row()["next_offset"] - 5


def test_event_time_never_goes_back_and_none_is_not_a_time(keeper: Keeper) -> None:
    held = claim(keeper)
    commit(keeper, held, step(0, 1, highest_ms=-(2**62)))
    assert keeper.row()["highest_ms"] is None
    commit(keeper, held, step(1, 2, highest_ms=7_000))
    commit(keeper, held, step(2, 3, highest_ms=5_000))
    assert keeper.row()["highest_ms"] == 7_000


def test_ids_are_forgotten_by_their_holder_only(keeper: Keeper) -> None:
    held = claim(keeper)
    of_panes = [
        IdRows(FilterKey("churn", Stream.INFERENCE, start), np.array([start], np.uint64))
        for start in (0, 10_000)
    ]
    commit(keeper, held, step(0, 10, ids=of_panes))
    keeper.checkpoints.forget_ids(replace(held, token=uuid4()), 10_000)
    assert len(keeper.tables()[1]) == 2
    keeper.checkpoints.forget_ids(held, 10_000)
    assert [key[-1] for key in keeper.tables()[1]] == [10_000]


def note(keeper: Keeper, held: Claim, **progress: Any) -> None:
    """The holder says how far it is."""
    keeper.checkpoints.note_progress(held, stored_offset=keeper.row()["next_offset"], **progress)


def test_progress_is_noted_by_the_holder_only_and_a_pause_is_measured_from_its_start(keeper: Keeper) -> None:
    held = claim(keeper)
    with pytest.raises(PartitionLost):
        keeper.checkpoints.note_progress(
            replace(held, token=uuid4()), stored_offset=keeper.row()["next_offset"], lag=9, idle=True
        )
    assert keeper.row()["lag"] is None
    for quiet_ms in (60_000, 90_000):
        keeper.checkpoints.note_progress(
            held, stored_offset=keeper.row()["next_offset"], lag=0, idle=True, quiet_ms=quiet_ms
        )
        (one,) = keeper.progress()
        assert one.idle_ms is not None
        assert 60_000 <= one.idle_ms < 80_000
    note(keeper, held, lag=3, idle=False)
    assert (keeper.row()["lag"], keeper.row()["idle"]) == (3, False)


@pytest.mark.parametrize("way", ["news", "release", "claim", "halt"])
def test_idleness_ends_with(keeper: Keeper, way: str) -> None:
    """News of event time, and whatever leaves the partition without the owner that was idle."""
    held = claim(keeper)
    note(keeper, held, lag=0, idle=True)
    {
        "news": lambda: commit(keeper, held, step(0, 10)),
        "release": lambda: keeper.checkpoints.release(held),
        "claim": lambda: claim(keeper), "halt": lambda: keeper.checkpoints.halt(PLACE, "why"),
    }[way]()  # fmt: skip
    assert not keeper.row()["idle"]


def test_records_that_move_no_event_time_do_not_end_idleness(keeper: Keeper) -> None:
    held = claim(keeper)
    commit(keeper, held, step(0, 10))
    note(keeper, held, lag=0, idle=True)
    commit(keeper, held, step(10, 12, highest_ms=10_000, counts=Counts(dead=2)))
    assert keeper.row()["idle"]


def test_who_has_nothing_to_commit_learns_that_the_database_went_back(keeper: Keeper) -> None:
    held = claim(keeper)
    commit(keeper, held, step(0, 10))
    with pytest.raises(Rewound):
        keeper.checkpoints.note_progress(held, stored_offset=20, lag=0, idle=True)
    with pytest.raises(PartitionHalted):
        keeper.checkpoints.note_progress(held, stored_offset=5, lag=0, idle=True)


# After deaths


def test_a_trial_is_told_to_whoever_comes_after_a_death_until_it_is_over(keeper: Keeper) -> None:
    held = claim(keeper)
    keeper.checkpoints.note_trial(held, Trial(0, 1_000))
    again = claim(keeper)
    assert (again.trial, again.deaths) == (Trial(0, 1_000), 1)
    commit(keeper, again, step(0, 10))
    assert claim(keeper).trial is None
    last = claim(keeper)
    keeper.checkpoints.note_trial(last, Trial(10, 1))
    keeper.checkpoints.note_trial(last, None)
    assert claim(keeper).trial is None


def test_deaths_are_counted_anew_with_each_trial_and_go_on_with_the_same(keeper: Keeper) -> None:
    held = [claim(keeper) for _ in range(3)][-1]
    keeper.checkpoints.note_trial(held, Trial(0, 1_000))
    assert keeper.row()["deaths"] == 0
    held = claim(keeper)
    keeper.checkpoints.note_trial(held, Trial(0, 1_000))
    assert keeper.row()["deaths"] == 1
    keeper.checkpoints.note_trial(held, Trial(0, 1))
    assert keeper.row()["deaths"] == 0


def test_deaths_of_those_who_never_began_the_trial_are_no_evidence(keeper: Keeper) -> None:
    held = claim(keeper)
    keeper.checkpoints.note_trial(held, Trial(0, 1))
    assert [claim(keeper).deaths for _ in range(3)] == [1, 1, 1]
    keeper.checkpoints.note_trial(claim(keeper), Trial(0, 1))
    assert claim(keeper).deaths == 2


def test_a_trial_is_noted_by_the_holder_only(keeper: Keeper) -> None:
    old = claim(keeper, "old")
    claim(keeper, "new")
    keeper.checkpoints.note_trial(old, Trial(0, 1))
    assert claim(keeper).trial is None


# What the log lost


def test_a_gap_whose_end_is_not_known_is_told_to_the_next_owner_until_it_is(keeper: Keeper) -> None:
    held, gap = claim(keeper), Loss(10, 5, LossKind.LOST, 10_000)
    commit(keeper, held, step(0, 15, counts=Counts(10), lost=5, losses=[gap]))
    assert claim(keeper).open_losses == (gap,)
    ended = replace(gap, until_ms=12_000)
    commit(keeper, claim(keeper), step(15, 20, losses=[ended]))
    assert claim(keeper).open_losses == ()
    assert keeper.tables()[3] == [(10, "lost", 5, 10_000, 12_000)]


def test_what_the_log_took_back_is_counted_and_its_place_stands_at_the_log_s_end(keeper: Keeper) -> None:
    held, loss = claim(keeper), Loss(6, 4, LossKind.TRUNCATED, 1_000, 10_000)
    commit(keeper, held, step(0, 10))
    keeper.checkpoints.take_back(held, 10, loss)
    row = keeper.row()
    assert (row["next_offset"], row["truncated"], row["accepted"]) == (6, 4, 10)
    assert keeper.tables()[3] == [(6, "truncated", 4, 1_000, 10_000)]
    keeper.checkpoints.take_back(held, 10, loss)  # the reply was lost
    assert keeper.row() == row
    commit(keeper, held, step(6, 12))
    assert keeper.row()["next_offset"] == 12


@pytest.mark.parametrize("way", ["fenced", "halted", "rewound"])
def test_nothing_is_taken_back_by_who_may_not_write(keeper: Keeper, way: str) -> None:
    held = claim(keeper)
    commit(keeper, held, step(0, 10))
    {
        "fenced": lambda: claim(keeper, "new"), "halted": lambda: keeper.checkpoints.halt(PLACE, "why"),
        "rewound": lambda: keeper.set_row(next_offset=3),
    }[way]()  # fmt: skip
    raised = {"fenced": PartitionLost, "halted": PartitionHalted, "rewound": Rewound}[way]
    with pytest.raises(raised):
        keeper.checkpoints.take_back(held, 10, Loss(6, 4, LossKind.TRUNCATED, None, None))
    assert (keeper.row()["truncated"], keeper.tables()[3]) == (0, [])


def test_an_offset_that_is_reached_again_holds_the_newest_dead_letter_and_all_ids(keeper: Keeper) -> None:
    held = claim(keeper)
    commit(keeper, held, step(0, 10, dead=[letter(8, "old")]))
    keeper.checkpoints.take_back(held, 10, Loss(6, 4, LossKind.TRUNCATED, None, None))
    more = [IdRows(FilterKey("churn", Stream.INFERENCE, 0), np.array([99], np.uint64))]
    commit(keeper, held, step(6, 10, dead=[letter(8, "new")], ids=more))
    assert [found[3] for found in keeper.tables()[2]] == ["new"]
    assert [h.tolist() for h in next(iter(claim(keeper).ids.values()))] == [[10, 99]]


def test_a_person_s_word_to_read_on_holds_until_a_stretch_is_good_again(keeper: Keeper) -> None:
    held = claim(keeper)
    keeper.checkpoints.halt(PLACE, "all are dead letters")
    keeper.resume()
    held = claim(keeper)
    assert held.dead_accepted
    commit(keeper, held, step(0, 10))
    assert keeper.row()["dead_accepted"]
    commit(keeper, held, step(10, 20, healthy=True))
    assert not claim(keeper).dead_accepted


def test_a_changed_monitor_begins_at_a_border_that_no_partition_has_reached(keeper: Keeper) -> None:
    keeper.apply(MONITOR)
    commit(keeper, claim(keeper), step(0, 10, highest_ms=1_234_567), revision=1)
    keeper.apply(replace(MONITOR, disorder_ms=1))
    first, second = keeper.checkpoints.configuration().models["churn"]
    assert (first.monitor, second.monitor.disorder_ms) == (MONITOR, 1)
    assert second.since_ms == 1_270_000
    assert keeper.checkpoints.revision() == 2
    keeper.apply(replace(MONITOR, disorder_ms=1))
    assert keeper.checkpoints.revision() == 2


def test_a_restored_memory_is_what_it_was_and_repeats_no_token() -> None:
    keeper = InMemory()
    held = claim(keeper)
    commit(keeper, held, step(0, 10))
    before, kept = (keeper.row(), keeper.tables()), keeper.checkpoints.snapshot()
    later = claim(keeper, "two")
    commit(keeper, later, step(10, 20))
    keeper.checkpoints.restore(kept)
    assert (keeper.row(), keeper.tables()) == before
    assert claim(keeper).token not in (held.token, later.token)
    keeper.checkpoints.restore(kept)
    commit(keeper, held, step(10, 30))


# Many at once


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


@pytest.mark.postgres
def test_of_two_who_commit_at_once_exactly_one_wins(engine: Engine) -> None:
    keeper = InPostgres(engine)
    for first in range(0, 100, 10):
        old = claim(keeper, "old", log_start=first)
        new = replace(old, token=uuid4())  # what a split brain after a restore would hold
        made = step(first, first + 10)
        outcomes = together(
            lambda o=old, m=made: commit(keeper, o, m), lambda n=new, m=made: commit(keeper, n, m)
        )
        assert sorted(type(o) for o in outcomes if o is not None) == [PartitionLost]
    assert counts(keeper)["accepted"] == 100


@pytest.mark.postgres
def test_the_same_checkpoint_twice_at_once_is_written_once(engine: Engine) -> None:
    keeper = InPostgres(engine)
    held = claim(keeper)
    for first in range(0, 50, 10):
        made = step(first, first + 10)
        assert together(*[lambda m=made: commit(keeper, held, m)] * 3) == [None] * 3
    assert counts(keeper)["accepted"] == 50
    assert len(next(iter(keeper.tables()[1].values()))) == 5 * 8


@pytest.mark.postgres
def test_partitions_that_learn_at_once_do_not_wait_for_each_other_for_ever(engine: Engine) -> None:
    keeper = InPostgres(engine)
    places = [Partition("events", n) for n in range(4)]
    held = [keeper.checkpoints.claim(p, Claimant("one", 0), None, 0) for p in places]
    made = [Checkpoint(p, 0, 1, 0, Counts(1), learned_models=[f"m{p.number}"]) for p in places]
    outcomes = together(*[lambda h=h, m=m: commit(keeper, h, m) for h, m in zip(held, made, strict=True)])
    assert sum(o is None for o in outcomes) == 1
    assert {type(o) for o in outcomes if o is not None} == {ConfigurationChanged}
