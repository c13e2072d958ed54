"""Evidence over windows: quiet when nothing changes, prompt when something does, and what it learns and does not."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
import pytest

from service.scoring.evidence import EVIDENCE, Earlier
from service.scoring.evidence_state import (
    MEMORY_WINDOWS,
    Evidence,
    begin,
    evidence_from_bytes,
    evidence_to_bytes,
)
from service.scoring.groups import RANGE, UNSEEN
from service.scoring.scorer import AllRows
from service.sketches.pane import PaneSketch
from tests.scoring.sketches import AMOUNT, COUNTRY, amounts, countries, drawn, sketch_of
from tests.scoring.streams import (
    HOUR,
    LIMIT,
    START,
    Stream,
    calm_reference,
    seasonal_reference,
    windows_in_theory,
)

Rng = np.random.Generator
SETTLED = 25
"""Windows after which a calm column is known to be steady."""


def settled(stream: Stream, rng: Rng, windows: int = SETTLED, rows: int = 500) -> Stream:
    """After so many windows in which nothing changed."""
    for _ in range(windows):
        stream.take(drawn(rows, rng))
    assert stream.rung == []
    return stream


# Nothing changes


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("rows", [60, 600])
def test_nothing_rings_while_nothing_changes(seed: int, rows: int) -> None:
    stream, rng = Stream(calm_reference(seed), limit=9.0), np.random.default_rng(seed)
    settled(stream, rng, windows=120, rows=rows)
    assert stream.windows == 120


def test_a_reference_without_blocks_does_not_ring_either() -> None:
    rng = np.random.default_rng(3)
    settled(Stream(AllRows(drawn(6_000, rng)), limit=9.0), rng, windows=120, rows=300)


def test_a_change_too_small_to_matter_never_rings_however_many_rows_show_it() -> None:
    rng = np.random.default_rng(5)
    reference = AllRows(drawn(400_000, rng))
    stream = settled(Stream(reference), rng, rows=100_000)
    for _ in range(30):
        stream.take(drawn(100_000, rng, 0.02))
    assert stream.rung == []
    stream.take(drawn(100_000, rng, 0.1))
    assert stream.first(EVIDENCE) == SETTLED + 30 + 1


def test_a_window_without_rows_says_nothing_and_moves_nothing_but_its_count() -> None:
    stream = settled(Stream(calm_reference()), np.random.default_rng(1))
    before = stream.state
    assert stream.take(sketch_of([], [])) == {}
    for name in ("training", "recent", "rates", "varies"):
        assert getattr(stream.state, name) == pytest.approx(getattr(before, name))


# Something changes

Draw = Callable[[int, Rng], PaneSketch]
FAULTS: list[tuple[str, Draw]] = [
    ("moved by a fifth of a sigma", lambda n, rng: drawn(n, rng, 0.2)),
    ("moved by half a sigma", lambda n, rng: drawn(n, rng, 0.5)),
    ("a tenth of the rows rescaled", lambda n, rng: drawn(n, rng, scaled=0.1)),
    ("a third of the rows rescaled", lambda n, rng: drawn(n, rng, scaled=0.33)),
]


@pytest.mark.parametrize(("fault", "draw"), FAULTS, ids=[name for name, _ in FAULTS])
@pytest.mark.parametrize("seed", range(3))
def test_a_changed_distribution_rings_within_the_windows_that_theory_says(
    fault: str, draw: Draw, seed: int
) -> None:
    # windows   0 ... 24        25 ...
    #           as in training  changed
    rng = np.random.default_rng(seed)
    stream = settled(Stream(calm_reference()), rng)
    theory = windows_in_theory(stream.usual, draw(200_000, rng), 500, LIMIT)
    assert theory <= 15
    for _ in range(2 * theory + 2):
        stream.take(draw(500, rng))
    delay = stream.first(EVIDENCE, SETTLED)
    assert delay is not None
    assert delay <= 2 * theory + 1
    assert not [one for one in stream.rung if one[1] == COUNTRY.name]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("share", "windows"), [(0.01, 6), (0.02, 3), (0.1, 1)])
def test_missing_values_ring_within_windows_and_blame_their_column_and_kind(
    share: float, windows: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    stream = settled(Stream(calm_reference()), rng)
    for _ in range(windows):
        stream.take(drawn(500, rng, null=share))
    assert {(column, method) for _, column, method in stream.rung} == {(AMOUNT.name, "evidence_null")}


def test_values_out_of_range_and_categories_never_seen_ring_by_their_own_evidence() -> None:
    rng = np.random.default_rng(1)
    stream = settled(Stream(calm_reference()), rng)
    for _ in range(3):
        stream.take(drawn(500, rng, shares=(0.58, 0.3, 0.1, 0.02)))
        far = [*amounts(490, stream.windows), *[99.0] * 10]
        stream.take(sketch_of(far, countries(500, stream.windows)))
    methods = {(column, method) for _, column, method in stream.rung}
    assert {(COUNTRY.name, "evidence_unseen"), (AMOUNT.name, "evidence_range")} <= methods
    assert (AMOUNT.name, "evidence_unseen") not in methods


def test_trouble_is_dated_from_the_first_window_of_the_run_that_rings() -> None:
    rng = np.random.default_rng(2)
    stream = settled(Stream(calm_reference()), rng)
    while not stream.rung:
        stream.take(drawn(500, rng, 0.2, null=0.006))
    assert stream.last is not None
    for method in (EVIDENCE, "evidence_null"):
        began = stream.last.since_ms[AMOUNT, method]
        assert (began - START) // HOUR in {SETTLED, SETTLED + 1}, method
    assert (COUNTRY, "evidence_unseen") not in stream.last.since_ms  # nothing is suspect there


def test_what_is_over_is_over_at_last_however_long_it_lasted() -> None:
    rng = np.random.default_rng(2)
    stream = settled(Stream(calm_reference()), rng)
    for _ in range(60):
        stream.take(drawn(500, rng, 3.0, null=0.2))
    for _ in range(25):
        stream.take(drawn(500, rng))
    stream.rung.clear()
    settled(stream, rng, 10)


def test_p_values_are_those_of_markovs_inequality() -> None:
    stream = Stream(calm_reference())
    found = stream.take(drawn(500, np.random.default_rng(1), 0.3))[AMOUNT.name, EVIDENCE]
    assert found.value is not None
    assert found.p_value == pytest.approx(np.exp(-found.value))
    assert (found.n, found.m, found.limit) == (500, 8_000, LIMIT)


# Seasons


def test_a_season_that_the_reference_went_through_does_not_ring_and_a_new_level_does() -> None:
    # windows   0 .. 11   12 .. 23   24 .. 35   36 .. 47   48 ..
    # level     1.5       0.5        -0.5       -1.5       4.5
    stream, rng = Stream(seasonal_reference()), np.random.default_rng(4)
    for level in (1.5, 0.5, -0.5, -1.5):
        for _ in range(12):
            stream.take(drawn(500, rng, level))
    assert [one for one in stream.rung if one[2] == EVIDENCE] == []
    for _ in range(5):
        stream.take(drawn(500, rng, 4.5))
    assert stream.first(EVIDENCE, since=48) is not None


def test_the_same_change_rings_when_the_reference_never_went_through_it() -> None:
    stream, rng = Stream(calm_reference()), np.random.default_rng(4)
    for level in (0.0, 1.5):
        for _ in range(12):
            stream.take(drawn(500, rng, level))
    assert stream.first(EVIDENCE, since=12) == 1


def test_an_earlier_stretch_of_time_that_was_alike_explains_a_window_and_is_asked_for_only_then() -> None:
    rng = np.random.default_rng(6)
    unknown, known = Stream(seasonal_reference()), Stream(seasonal_reference())
    for stream in (unknown, known):
        for _ in range(6):
            stream.take(drawn(500, rng, 1.5))
        assert (stream.rung, stream.asked) == ([], 0)
    alike = known.usual.groups.counts(drawn(2_000, rng, 4.5))
    known.earlier = [Earlier("7 days before", alike)]
    for _ in range(3):
        window = drawn(500, rng, 4.5)
        unknown.take(window)
        known.take(window)
    assert unknown.first(EVIDENCE) is not None
    assert known.first(EVIDENCE) is None
    assert known.asked > 0
    assert (told := unknown.take(window)[AMOUNT.name, EVIDENCE].reason) is not None
    assert told.startswith("unlike training (")
    assert " and the recent past (" in told
    assert (told := known.take(window)[AMOUNT.name, EVIDENCE].reason) is not None
    assert told.endswith(", like 7 days before")


# What is learned


def changed_for_good(stream: Stream, rng: Rng, windows: int, level: float = 4.5) -> list[int]:
    """The windows in which evidence about the amount rang, counted from the change."""
    for _ in range(6):
        stream.take(drawn(500, rng, 1.5))
    start = stream.windows
    for _ in range(windows):
        stream.take(drawn(500, rng, level))
    return [w - start for w, column, method in stream.rung if (column, method) == (AMOUNT.name, EVIDENCE)]


def test_a_new_level_becomes_the_recent_past_after_twenty_windows_and_no_sooner() -> None:
    rung = changed_for_good(Stream(seasonal_reference()), np.random.default_rng(7), 140)
    assert set(range(2, 20)) <= set(rung)
    assert max(rung) < 125


def test_nothing_is_learned_of_a_column_while_a_page_about_it_is_open() -> None:
    stream = Stream(seasonal_reference(), held={AMOUNT})
    rung = changed_for_good(stream, np.random.default_rng(7), 80)
    assert set(range(2, 80)) <= set(rung)
    assert stream.state.suspect[0] >= 80
    assert stream.state.suspect[1] == 0  # the country is learned all the while


def test_a_steady_column_is_judged_by_training_alone() -> None:
    """It creeps, so slowly that the recent past hardly differs: only training tells."""
    rng = np.random.default_rng(8)
    stream = settled(Stream(calm_reference()), rng)
    for i in range(200):
        stream.take(drawn(500, rng, 0.002 * i))
    assert stream.first(EVIDENCE, SETTLED) is not None
    unproven = Stream(calm_reference())
    unproven.state = replace(stream.state, agreed=np.zeros(2))
    unproven.take(drawn(500, rng, 0.4))
    assert unproven.rung == []  # the evidence is the same, but the column is not known to be steady
    stream.rung.clear()
    told = stream.take(drawn(500, rng, 0.4))[AMOUNT.name, EVIDENCE].reason
    assert stream.rung
    assert told is not None
    assert re.fullmatch(r"unlike training \(\d+ nats\)", told)


def test_a_rate_that_is_always_a_little_raised_becomes_usual() -> None:
    rng = np.random.default_rng(9)
    known, fresh = Stream(calm_reference()), Stream(calm_reference())
    for _ in range(60):
        known.take(drawn(2_000, rng, null=0.0006))
    assert known.rung == []
    window = drawn(2_000, rng, null=0.004)
    values = [s.take(window).get((AMOUNT.name, "evidence_null")) for s in (known, fresh)]
    assert values[1] is not None
    assert values[1].value is not None
    known_value = 0.0 if values[0] is None or values[0].value is None else values[0].value
    assert known_value < values[1].value - 1


def test_a_rate_that_jumps_does_not_become_usual_however_long_it_lasts() -> None:
    rng = np.random.default_rng(9)
    stream = settled(Stream(calm_reference()), rng)
    for _ in range(4 * MEMORY_WINDOWS):
        stream.take(drawn(500, rng, null=0.05))
    last = stream.windows - 1
    assert (last, AMOUNT.name, "evidence_null") in stream.rung
    assert stream.first("evidence_null", SETTLED) in {1, 2}


# State


def assert_equal(one: Evidence, other: Evidence) -> None:
    for f in fields(Evidence):
        assert np.array_equal(getattr(one, f.name), getattr(other, f.name)), f.name


def test_the_state_comes_back_from_its_bytes_exactly_and_a_step_from_it_is_the_same() -> None:
    rng = np.random.default_rng(10)
    kept, stored = Stream(seasonal_reference(), held={COUNTRY}), Stream(seasonal_reference(), held={COUNTRY})
    for i in range(30):
        window = drawn(400, rng, 1.5 if i < 15 else 4.5, null=0.01 * (i > 20))
        stored.state = evidence_from_bytes(evidence_to_bytes(stored.state, stored.usual), stored.usual, START)
        found = kept.take(window), stored.take(window)
        assert found[0] == found[1]
        assert_equal(kept.state, stored.state)
    assert kept.rung
    assert kept.state.since_ms.min() >= START
    assert len(np.unique(kept.state.since_ms)) > 2


def test_equal_states_have_equal_bytes() -> None:
    stream = settled(Stream(calm_reference()), np.random.default_rng(1), 3)
    data = evidence_to_bytes(stream.state, stream.usual)
    assert evidence_to_bytes(evidence_from_bytes(data, stream.usual, 0), stream.usual) == data


def test_bytes_of_other_columns_are_a_new_state() -> None:
    stream = settled(Stream(calm_reference()), np.random.default_rng(1), 3)
    other = Stream(AllRows(sketch_of(amounts(500, 1), [None] * 500)))
    assert_equal(
        evidence_from_bytes(evidence_to_bytes(stream.state, stream.usual), other.usual, 7),
        begin(other.usual, 7),
    )


def test_bytes_of_another_reference_are_a_new_state_though_it_has_as_many_columns_and_groups() -> None:
    stream = settled(Stream(calm_reference()), np.random.default_rng(1), 3)
    other = Stream(calm_reference(seed=7))
    assert other.usual.proportions.shape == stream.usual.proportions.shape
    assert_equal(
        evidence_from_bytes(evidence_to_bytes(stream.state, stream.usual), other.usual, 7),
        begin(other.usual, 7),
    )


def test_the_recent_past_begins_as_the_references_end() -> None:
    usual = Stream(seasonal_reference()).usual
    memory = begin(usual, 0).memory[0]
    last = usual.blocks[-8:].sum(axis=0)[0]
    assert memory / memory.sum() == pytest.approx(last / last.sum(), abs=0.02)
    assert begin(Stream(AllRows(drawn(500, np.random.default_rng(1)))).usual, 0).memory.sum() == 0


@pytest.mark.parametrize("rows", [200, 5_000, 100_000])
def test_independent_rows_do_not_look_overdispersed_however_many_they_are(rows: int) -> None:
    rng = np.random.default_rng(12)
    stream = settled(Stream(AllRows(drawn(4 * rows, rng))), rng, windows=40, rows=rows)
    assert (stream.state.varies < 1.3).all()


def test_range_and_unseen_follow_the_six_kinds_of_missing() -> None:
    assert (RANGE, UNSEEN) == (6, 7)
