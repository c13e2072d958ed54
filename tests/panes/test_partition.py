"""A partition's panes depend on its log and the configuration alone: not on polls, checkpoints or restarts.

Panes last 10 s, lateness 20 s and disorder 5 s in all of these tests. T is a pane's start.
"""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.configuration import Configuration, ModelVersion
from service.messages import Column, Counts, FilterKey, PaneKey, Reason, Role, Stream
from service.monitor import Monitor
from service.panes.admission import JUMP_MS, JUMP_ROWS
from service.panes.partition import MISSING_SEGMENT, MOST_SEGMENTS, MOST_VERSIONS, OTHER
from service.sketches.codec import pane_from_bytes
from service.sketches.grids import Grid, category_grid, default_number_grid, number_grid
from service.sketches.pane import PaneSketch
from tests.panes.logs import Stored, opened, part_of, records, run

T = 1_795_305_070_000
PANE, LATENESS, DISORDER = 10_000, 20_000, 5_000
AMOUNT, COUNTRY = Column(Role.FEATURE, "amount"), Column(Role.FEATURE, "country")
FINE = Grid((number_grid(AMOUNT, np.linspace(0, 100, 300)),), (category_grid(COUNTRY, {"DE": 1, "FR": 1}),))
COARSE = Grid((default_number_grid(AMOUNT),), (category_grid(COUNTRY, {"US": 1}),))


def monitor(**changes: Any) -> Monitor:
    """The monitor of these tests."""
    usual = Monitor("churn", pane_ms=PANE, allowed_lateness_ms=LATENESS, disorder_ms=DISORDER)
    return dataclasses.replace(usual, **changes)


def configured(*versions: ModelVersion, grid: Grid = FINE, **changes: Any) -> Configuration:
    """One model with these versions, or one version with this grid."""
    return Configuration({"churn": versions or (ModelVersion(monitor(**changes), grid),)}, 1)


def at(second: float, **fields: Any) -> dict[str, Any]:
    """An event so many seconds after T."""
    return {
        "type": "features",
        "model": "churn",
        "ts": T + round(second * 1_000),
        "features": {"amount": second},
    } | fields


def stored(
    events: list[Any],
    configuration: Configuration | None = None,
    *,
    timestamps_ms: int | list[int] = T + 10**9,
    **how: Any,
) -> Stored:
    """What is stored after this log; its records bear late times of their own unless told."""
    return run(configuration or configured(), records(events, timestamps_ms), **how)


def sketch(
    found: Stored, start_ms: int, *, version: str = "", segment: str = "", grid: Grid = FINE
) -> PaneSketch:
    """A stored pane's sketch."""
    return pane_from_bytes(found.panes[PaneKey("churn", version, segment, start_ms)].sketch, grid)


def events_by_pane(found: Stored) -> dict[int, int]:
    """Rows in each pane of all traffic, by seconds after T."""
    return {
        (key.start_ms - T) // 1_000: row.inferences + row.labels
        for key, row in found.panes.items()
        if not key.segment
    }


# Lateness and the watermark


def test_rows_are_counted_in_the_pane_of_their_event_time() -> None:
    #      T        T+10       T+20       T+30
    #      |--0-5-9.9-|--10------|---------|--30
    found = stored([at(0), at(5), at(9.999), at(10), at(30)])
    assert events_by_pane(found) == {0: 3, 10: 1, 30: 1}
    assert found.panes[PaneKey("churn", "", "", T)].end_ms == T + PANE
    assert found.panes[PaneKey("churn", "", "", T)].last_ms == T + 9_999
    assert sketch(found, T).first_ms == T


def test_a_row_within_the_lateness_still_counts_and_beyond_it_is_late() -> None:
    #      T        T+10                T+30  T+35
    #      |---------|------lateness------|disorder|
    #  in time: highest is T+34.999               late: highest is T+35
    found = stored([at(34.999), at(1), at(35), at(2)])
    assert found.counts == Counts(accepted=3, late=1)
    assert events_by_pane(found) == {0: 1, 30: 2}


def test_a_far_future_row_of_a_log_with_times_is_dead_and_does_not_move_the_watermark() -> None:
    #      T=now                 T+5 min             T+1 year
    #      |--ok-----------------|--ok, skew-----x   x dead
    found = stored([at(0), at(300), at(86_400 * 365), at(290)], timestamps_ms=T)
    assert found.counts == Counts(accepted=3, dead=1)
    assert [letter.reason for letter in found.dead] == [Reason.FUTURE_TIMESTAMP]
    assert found.highest_ms == T + 300_000


def test_a_far_future_row_of_a_log_without_times_is_dead_until_others_agree() -> None:
    #      T  T+1        (40 days)   T+40d x 20   T+40d ...        T+2
    #      ok ok                     dead         counted           late by now
    far = [at(JUMP_MS // 1_000 * 2 + i) for i in range(JUMP_ROWS + 2)]
    found = stored([at(0), at(1), *far, at(2)], timestamps_ms=-1)
    assert found.counts == Counts(accepted=4, dead=JUMP_ROWS, late=1)
    assert {letter.reason for letter in found.dead} == {Reason.FUTURE_TIMESTAMP}
    assert [letter.offset for letter in found.dead] == list(range(2, 2 + JUMP_ROWS))


def test_an_id_that_was_quarantined_is_no_duplicate_when_it_comes_again() -> None:
    far = [at(JUMP_MS // 1_000 * 2, id="same") for _ in range(JUMP_ROWS + 1)]
    for cuts in ([], [5], range(30)):
        found = stored([at(0), *far], timestamps_ms=-1, cuts=cuts)
        assert found.counts == Counts(accepted=2, dead=JUMP_ROWS)


# Duplicates


def test_an_id_counts_once_a_pane() -> None:
    #      T              T+10
    #      |-a--b--a--a---|--a--(another pane)
    events = [at(1, id="a"), at(2, id="b"), at(3, id="a"), at(4, id="a"), at(11, id="a"), at(5), at(5)]
    for cuts in ([], [2], [3], [1, 2, 3, 4, 5]):
        found = stored(events, cuts=cuts)
        assert found.counts == Counts(accepted=5, duplicate=2)
        assert events_by_pane(found) == {0: 4, 10: 1}


def test_an_id_is_known_again_after_a_restart() -> None:
    found = stored([at(1, id="a"), at(2, id="b"), at(3, id="a"), at(4, id="b")], restarts=[2])
    assert found.counts == Counts(accepted=2, duplicate=2)


def test_a_prediction_and_its_label_are_no_duplicates_of_each_other() -> None:
    label = {"type": "label", "model": "churn", "id": "a", "ts": T, "label": "yes"}
    found = stored([at(1, id="a"), label, label])
    assert found.counts == Counts(accepted=2, duplicate=1)
    assert set(found.ids) == {FilterKey("churn", stream, T) for stream in Stream}


# Checkpoints


def test_a_checkpoint_is_the_same_until_it_is_committed() -> None:
    pipeline = opened(configured(), Stored())
    pipeline.take(records([at(1, id="a"), b"broken"], T))
    first, second = pipeline.checkpoint(), pipeline.checkpoint()
    assert first.panes == second.panes
    assert (first.counts, first.dead, first.next_offset) == (second.counts, second.dead, second.next_offset)
    assert [ids.hashes.tolist() for ids in first.ids] == [ids.hashes.tolist() for ids in second.ids]
    pipeline.committed()
    assert not pipeline.dirty
    done = pipeline.checkpoint()
    assert (list(done.panes), list(done.ids), list(done.dead)) == ([], [], [])


def test_only_panes_that_changed_are_written_and_those_out_of_reach_are_forgotten() -> None:
    pipeline = opened(configured(), Stored())
    pipeline.take(records([at(1, id="a"), at(11, id="b")], T + 10**6))
    pipeline.committed()
    pipeline.take(records([at(36, id="c")], T + 10**6, first=2))
    assert [row.key.start_ms for row in pipeline.checkpoint().panes] == [T + 30_000]
    pipeline.committed()
    assert {key.start_ms for key in pipeline.panes.panes} == {T + 10_000, T + 30_000}
    assert {key.start_ms for key in pipeline.panes.filters} == {T + 10_000, T + 30_000}
    assert {start for _, start, _ in pipeline.panes.known} == {T + 10_000, T + 30_000}


# Segments and versions

TAGGED = [
    at(1, features={"country": "DE", "amount": 5}, tags={"channel": "web"}),
    at(2, features={"country": "XX", "amount": 5.0}, tags={"channel": "app"}),
    at(3, features={"amount": 7.5}, tags=None),
    at(4, features={"country": None}, tags={"channel": None}, version="2"),
    at(5, features={"country": "DE", "channel": "phone"}, tags={"channel": "web"}, version=2),
]  # fmt: skip


@pytest.mark.parametrize("cuts", [[], [1, 2, 3, 4]])
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "country",
            {
                ("", "DE"): 1,
                ("", OTHER): 1,
                ("", MISSING_SEGMENT): 1,
                ("2", "DE"): 1,
                ("2", MISSING_SEGMENT): 1,
            },
        ),
        ("amount", {("", "5"): 2, ("", "7.5"): 1, ("2", MISSING_SEGMENT): 2}),
        (
            "channel",
            {
                ("", "web"): 1,
                ("", "app"): 1,
                ("", MISSING_SEGMENT): 1,
                ("2", "phone"): 1,
                ("2", MISSING_SEGMENT): 1,
            },
        ),
    ],
)
def test_segments_are_by_category_by_number_or_by_tag(
    name: str, expected: dict[tuple[str, str], int], cuts: list[int]
) -> None:
    found = stored(TAGGED, configured(segments=(name,)), cuts=cuts)
    rows = {(key.version, key.segment): row.inferences for key, row in found.panes.items()}
    assert rows == {("", ""): 3, ("2", ""): 2} | {
        (version, f"{name}={value}"): n for (version, value), n in expected.items()
    }


@pytest.mark.parametrize("how", [{}, {"cuts": range(400)}, {"cuts": [50, 150], "restarts": [120, 130]}])
@pytest.mark.parametrize("shape", [{}, {"odd": [1]}])
def test_the_first_so_many_segments_of_a_pane_have_a_slice_of_their_own(
    how: dict[str, Any], shape: dict[str, Any]
) -> None:
    # Every other event goes the slower way through the decoder, so that one poll is two batches.
    chance = random.Random(5)
    values = [f"s{chance.randrange(200)}" for _ in range(400)]
    events = [at(5, tags={"channel": value}, **(shape if i % 2 else {})) for i, value in enumerate(values)]
    found = stored(events, configured(segments=("channel",)), **how)
    first = list(dict.fromkeys(values))[:MOST_SEGMENTS]
    rows = {key.segment: row.inferences for key, row in found.panes.items() if key.segment}
    assert rows == {f"channel={value}": values.count(value) for value in first} | {
        f"channel={OTHER}": sum(v not in first for v in values)
    }


@pytest.mark.parametrize("how", [{}, {"cuts": range(90)}, {"restarts": [10, 30]}])
def test_the_first_so_many_versions_of_a_pane_have_a_slice_of_their_own(how: dict[str, Any]) -> None:
    found = stored([at(5, version=f"v{i // 2}") for i in range(90)], **how)
    rows = {key.version: row.inferences for key, row in found.panes.items()}
    assert rows == {f"v{i}": 2 for i in range(MOST_VERSIONS)} | {OTHER: 90 - 2 * MOST_VERSIONS}


# Versions of the configuration


@pytest.mark.parametrize("cuts", [[], [1, 2, 3, 4, 5]])
def test_rows_before_a_border_are_counted_on_the_old_grid(cuts: list[int]) -> None:
    #      T                 T+10                T+20
    #      |--1-----9.999----|--10--------11-----|
    #      FINE, in force    COARSE, in force from T+10 on
    configuration = configured(ModelVersion(monitor(), FINE, 1), ModelVersion(monitor(), COARSE, 2, T + PANE))
    found = stored([at(1), at(11), at(9.999), at(10), at(2, odd=[1])], configuration, cuts=cuts)
    assert {key.start_ms - T: row.grid_id for key, row in found.panes.items()} == {
        0: FINE.id,
        PANE: COARSE.id,
    }
    assert sketch(found, T).numbers.high[0] == 9.999
    assert sketch(found, T + PANE, grid=COARSE).inferences == 2


def test_a_border_inside_a_longer_pane_cuts_that_pane() -> None:
    #      T        T+10           T+20        T+30 (border)      T+50
    #      |---------|--------------|-----------|------------------|
    #      panes of 10 s, FINE                   panes of 50 s would start at T: cut at the border
    longer = ModelVersion(monitor(pane_ms=100 * PANE), COARSE, 2, T + 3 * PANE)
    found = stored([at(29), at(30), at(49)], configured(ModelVersion(monitor(), FINE, 1), longer))
    assert {(key.start_ms - T) // 1_000: row.grid_id for key, row in found.panes.items()} == {
        20: FINE.id,
        30: COARSE.id,
    }


def test_two_models_in_one_log_share_the_watermark_and_nothing_else() -> None:
    other = ModelVersion(dataclasses.replace(monitor(), model="other"), COARSE)
    configuration = Configuration({"churn": (ModelVersion(monitor(), FINE),), "other": (other,)}, 1)
    events = [at(1, id="a"), at(1, id="a", model="other"), at(60, model="other"), at(2, id="b")]
    found = stored(events, configuration)
    assert found.counts == Counts(accepted=3, late=1)
    assert {(key.model, key.start_ms - T) for key in found.panes} == {
        ("churn", 0),
        ("other", 0),
        ("other", 60_000),
    }


# Any log, any split


BORDER = T + 3 * PANE
VERSIONED = configured(
    ModelVersion(monitor(segments=("country", "channel")), FINE, 1),
    ModelVersion(monitor(segments=("channel", "amount")), COARSE, 2, BORDER),
)
SECONDS = st.one_of(st.integers(0, 60), st.integers(0, 120), st.just(JUMP_MS // 1_000 * 2))
EVENTS = st.one_of(
    st.builds(
        lambda second, fields, country, channel: at(second, **fields)
        | {"features": {"amount": second % 7, "country": country, "x": channel}}
        | {"tags": {"channel": channel}},
        SECONDS,
        st.fixed_dictionaries(
            {},
            optional={"id": st.sampled_from("abcdef"), "version": st.sampled_from("12"), "odd": st.just([1])},
        ),
        st.sampled_from(["DE", "US", None, 5]), st.sampled_from(["web", "app", None, 1]),
    ),
    st.builds(
        lambda second, i: {"type": "label", "model": "churn", "ts": T + second * 1_000, "id": i, "label": i},
        SECONDS, st.sampled_from("abc"),
    ),
    st.sampled_from([None, b"broken", b"{}", b"\xef\xbb\xbf{}"]),
)  # fmt: skip
CUTS = st.lists(st.integers(1, 90), max_size=6)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(EVENTS, min_size=1, max_size=90), st.sampled_from([-1, T + 10**9, None]), CUTS, CUTS, CUTS)
def test_any_polls_checkpoints_and_restarts_store_the_same(
    events: list[Any], timestamp_ms: int | None, cuts: list[int], commits: list[int], restarts: list[int]
) -> None:
    times = (
        [(-1, T + 10**9)[i % 5 == 4] for i in range(len(events))] if timestamp_ms is None else timestamp_ms
    )
    log = records(events, times)
    within = [[cut for cut in some if cut <= len(events)] for some in (cuts, commits, restarts)]
    at_once = run(VERSIONED, log)
    assert at_once.counts.total == len(events)
    assert at_once.counts.tombstone == events.count(None)
    assert at_once.counts.dead == len(at_once.dead)
    assert at_once.counts.accepted == sum(
        r.inferences + r.labels for k, r in at_once.panes.items() if not k.segment
    )
    in_parts = run(VERSIONED, log, within[0], commits=within[1], restarts=within[2])
    assert in_parts.everything == at_once.everything


def test_a_crash_before_the_commit_replays_to_the_same() -> None:
    chance = random.Random(11)
    log = records([at(chance.randrange(90), id=str(chance.randrange(40))) for _ in range(300)], T + 10**9)
    whole = run(configured(), log)
    found = Stored()
    while found.next_offset < len(log):
        pipeline = opened(configured(), found)
        end = min(len(log), found.next_offset + chance.randrange(1, 60))
        pipeline.take(part_of(log, found.next_offset, end))
        if chance.random() < 0.6:
            found.write(pipeline.checkpoint())
    assert found.everything == whole.everything
