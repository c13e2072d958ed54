"""Which windows are due, how panes become windows, and that merging changes nobody's sketch."""

from __future__ import annotations

import numpy as np
import pytest

from service.monitor import WindowSpec
from service.scoring.windows import EMPTY_WINDOWS, Due, PaneRows, SliceKey, due_windows, merge_slices
from tests.scoring.sketches import sketch_of

MINUTE = 60_000
FIVE, SIX = WindowSpec.tumbling(5 * MINUTE), WindowSpec.tumbling(6 * MINUTE)
SLIDING = WindowSpec(6 * MINUTE, 2 * MINUTE)


def ends(due: list[Due], spec: WindowSpec) -> list[int]:
    """The ends of one kind's windows, in minutes."""
    return [w.end_ms // MINUTE for w in due if w.spec is spec]


def test_tumbling_windows_end_at_multiples_of_their_length_and_three_empty_ones_follow_the_last_event() -> (
    None
):
    # minute   0    5    10   15   20   25   30
    # panes      ^2   ^7
    # windows  [-5-][-10][-15][-20][-25]
    due = due_windows([FIVE], [2 * MINUTE, 7 * MINUTE], 0, 60 * MINUTE)
    assert ends(due, FIVE) == [5, 10, 15, 20, 25]
    assert [w.start_ms // MINUTE for w in due] == [0, 5, 10, 15, 20]


def test_a_pane_is_in_every_sliding_window_that_covers_it() -> None:
    # minute   0  2  4  6  8  10 12 14
    # pane           ^4
    # windows  [-----6]                   covers 4
    #             [-----8]                covers 4
    #                [-----10]            covers 4, then three without events: 12, 14, 16
    due = due_windows([SLIDING], [4 * MINUTE], 0, 60 * MINUTE)
    assert ends(due, SLIDING) == [6, 8, 10, 12, 14, 16]


def test_no_window_is_due_before_the_watermark_passes_its_end_nor_twice() -> None:
    # minute   0    5    10   15
    # panes    ^0 ... ^12
    panes = [m * MINUTE for m in range(13)]
    assert ends(due_windows([FIVE], panes, 0, 10 * MINUTE - 1), FIVE) == [5]
    assert ends(due_windows([FIVE], panes, 5 * MINUTE, 10 * MINUTE), FIVE) == [10]
    assert ends(due_windows([FIVE], panes, 10 * MINUTE, 10 * MINUTE), FIVE) == []


def test_several_kinds_come_in_the_order_of_their_ends_and_lengths() -> None:
    due = due_windows([SIX, SLIDING, WindowSpec.tumbling(2 * MINUTE)], [5 * MINUTE], 0, 6 * MINUTE)
    assert [(w.end_ms // MINUTE, w.spec.name) for w in due] == [(6, "2m"), (6, "6m/2m"), (6, "6m")]


def test_panes_that_start_off_the_grid_after_a_change_of_the_monitor_fall_into_the_window_around_them() -> (
    None
):
    assert ends(due_windows([FIVE], [7 * MINUTE + 123], 0, 10 * MINUTE), FIVE) == [10]


def test_event_times_before_1970_have_windows_too() -> None:
    assert ends(due_windows([FIVE], [-2 * MINUTE], -60 * MINUTE, 0), FIVE) == [0]


def test_a_gap_of_ten_years_costs_no_more_than_the_panes_around_it() -> None:
    # panes  |^|..................... ten years .....................|^|
    due = due_windows([FIVE], [0, 10 * 365 * 24 * 60 * MINUTE], -1, 2**62)
    assert len(due) == 2 * (1 + EMPTY_WINDOWS)


def test_the_rows_of_a_window_are_those_of_the_panes_that_start_in_it() -> None:
    # panes    |0: 1|1: 2|5: 4|9: 8|10: 16|      window [0, 5), [5, 10)
    panes = PaneRows({0: 1, MINUTE: 2, 5 * MINUTE: 4, 9 * MINUTE: 8, 10 * MINUTE: 16})
    assert panes.within(Due(5 * MINUTE, 5 * MINUTE, FIVE)) == 3
    assert panes.within(Due(10 * MINUTE, 5 * MINUTE, FIVE)) == 12
    assert panes.within(Due(60 * MINUTE, 5 * MINUTE, FIVE)) == 0


@pytest.mark.parametrize("parts", [1, 2, 5])
def test_merging_gives_the_sum_and_changes_no_sketch_that_was_handed_over(parts: int) -> None:
    all_version, one_version = SliceKey("7", ""), SliceKey("7", "country=DE")
    sketches = [sketch_of(amount=[float(i)] * 10, country=["DE"] * 10) for i in range(parts)]
    before = [s.numbers.counts.copy() for s in sketches]
    merged = merge_slices([(all_version, s) for s in sketches] + [(one_version, sketches[0])])
    assert merged[all_version].inferences == 10 * parts
    assert merged[one_version].inferences == 10
    assert [s.inferences for s in sketches] == [10] * parts
    for sketch, counts in zip(sketches, before, strict=True):
        np.testing.assert_array_equal(sketch.numbers.counts, counts)
