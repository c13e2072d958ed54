"""Rows are counted, late, duplicate or too far ahead by what came before them in their partition alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.panes.admission import JUMP_MS, JUMP_ROWS, NEVER_MS, Admitted, Rows, admit, far_ahead

PANE, LATENESS, DISORDER = 10, 20, 5


def decide(
    *ts_ms: int, highest_ms: int = NEVER_MS, repeated: tuple[int, ...] = (), future: tuple[int, ...] = ()
) -> Admitted:
    """What becomes of rows at these times, in panes of 10 ms, 20 ms of lateness, 5 ms of disorder."""
    ts = np.array(ts_ms, np.int64)
    marks = [np.isin(np.arange(len(ts)), places) for places in (future, repeated)]
    n = np.full(len(ts), 1)
    return admit(Rows(ts, ts - ts % PANE + PANE, n * DISORDER, n * LATENESS, *marks), highest_ms)


def places(mask: np.ndarray) -> list[int]:
    return np.flatnonzero(mask).tolist()


def test_a_row_is_late_once_the_watermark_has_passed_its_pane_and_the_lateness() -> None:
    # pane [0, 10)     lateness            highest 35: watermark 30
    # |---------|-------------------|      |
    # 0        10                  30     35
    assert places(decide(0, 34, 9).late) == []
    assert places(decide(0, 35, 9).late) == [2]
    assert places(decide(0, 35, 10).late) == []


def test_a_row_is_judged_by_the_rows_before_it_only() -> None:
    # order:   9 (in time)   35   9 (late)   35
    assert places(decide(9, 35, 9, 35).late) == [2]
    assert places(decide(9, highest_ms=35).late) == [0]


def test_a_late_row_is_late_even_when_it_is_a_duplicate_too() -> None:
    decided = decide(35, 9, 30, repeated=(1, 2))
    assert (places(decided.late), places(decided.duplicate), places(decided.accepted)) == ([1], [2], [0])


def test_a_quarantined_row_never_moves_the_watermark() -> None:
    decided = decide(0, 1_000, 9, future=(1,))
    assert (places(decided.accepted), decided.highest_ms) == ([0, 2], 9)


def test_the_watermark_never_goes_back() -> None:
    assert decide(3, 2, 1, highest_ms=50).highest_ms == 50
    assert decide(highest_ms=50).highest_ms == 50


def test_of_a_log_without_times_a_far_row_is_quarantined() -> None:
    # 0 .... 30 days .... 30 days + 1
    #  ok        ok             quarantined, then back to ok
    future, jumps = far_ahead(np.array([0, JUMP_MS, 2 * JUMP_MS + 1, JUMP_MS + 1]), 0, 0)
    assert (places(future), jumps) == ([2], 0)


def test_after_twenty_far_rows_in_a_row_time_has_moved_on() -> None:
    far = np.full(JUMP_ROWS + 3, 2 * JUMP_MS)
    future, jumps = far_ahead(far, 0, 0)
    assert (places(future), jumps) == (list(range(JUMP_ROWS)), 0)
    with_one_between = np.concatenate([far[:JUMP_ROWS], [0], far[: JUMP_ROWS - 1]])
    future, jumps = far_ahead(with_one_between, 0, 0)
    assert (int(future.sum()), jumps) == (2 * JUMP_ROWS - 1, JUMP_ROWS - 1)


def test_the_first_row_of_a_log_is_never_too_far_ahead() -> None:
    assert places(far_ahead(np.array([JUMP_MS * 9, 0, JUMP_MS * 11]), NEVER_MS, 0)[0]) == [2]


@pytest.mark.parametrize("jumps", [0, 5])
def test_no_rows_decide_nothing(jumps: int) -> None:
    future, after = far_ahead(np.array([], np.int64), 7, jumps)
    assert (future.tolist(), after) == ([], jumps)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.lists(st.sampled_from([0, 5, 40, JUMP_MS + 41, 2 * JUMP_MS + 90, 3 * JUMP_MS]), max_size=80),
    st.lists(st.integers(0, 80), max_size=5),
)
def test_any_split_quarantines_the_same_rows(times: list[int], cuts: list[int]) -> None:
    def quarantined(ends: list[int]) -> tuple[list[int], int, int]:
        highest, jumps, found = NEVER_MS, 0, []
        for start, end in zip([0, *ends], ends, strict=False):
            ts = np.array(times[start:end], np.int64)
            future, jumps = far_ahead(ts, highest, jumps)
            highest = max([highest, *ts[~future].tolist()])
            found += [start + i for i in places(future)]
        return found, highest, jumps

    assert quarantined(sorted({min(c, len(times)) for c in cuts} | {len(times)})) == quarantined([len(times)])
