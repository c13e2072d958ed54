"""How the run went through the log, drawn.

offsets   0    10   20   30   40   50
run       [----read----)  lost  [--x--read--)      x: a record that kills
"""

from __future__ import annotations

import pytest

from service.messages import Counts, Loss, LossKind, Partition
from service.store.snapshot import StoredPartition
from service.verification.route import Route, Stretch, Way, route_of


def stored(first: int, end: int, *losses: tuple[int, int]) -> StoredPartition:
    """A partition's row with these gaps (offset, records)."""
    lost = tuple(Loss(offset, records, LossKind.LOST, None) for offset, records in losses)
    cut = Loss(3, 2, LossKind.TRUNCATED, None)
    return StoredPartition(Partition("t", 0), first, end, Counts(), 0, 0, 0, None, 0, (cut, *lost))


READ, LOST, KILLER = Way.READ, Way.LOST, Way.KILLER


@pytest.mark.parametrize(
    ("row", "log_start", "killers", "expected"),
    [
        (stored(0, 50), 0, [], [(READ, 0, 50)]),
        (stored(0, 0), 0, [], []),
        (stored(0, 50, (20, 15)), 0, [], [(READ, 0, 20), (LOST, 20, 35), (READ, 35, 50)]),
        (stored(0, 50, (0, 15)), 15, [], [(LOST, 0, 15), (READ, 15, 50)]),
        (stored(0, 50, (0, 15), (15, 5)), 20, [], [(LOST, 0, 15), (LOST, 15, 20), (READ, 20, 50)]),
        (stored(0, 50), 0, [0, 7, 8], [(KILLER, 0, 1), (READ, 1, 7), (KILLER, 7, 8), (KILLER, 8, 9), (READ, 9, 50)]),
        (stored(0, 50, (40, 10)), 0, [49], [(READ, 0, 40), (LOST, 40, 50)]),
    ],
)  # fmt: skip
def test_a_whole_route_begins_at_the_first_offset(
    row: StoredPartition, log_start: int, killers: list[int], expected: list[tuple[Way, int, int]]
) -> None:
    assert route_of(row, log_start, killers) == Route(0, True, tuple(Stretch(*one) for one in expected))


def test_a_route_whose_beginning_is_gone_begins_where_the_log_does() -> None:
    assert route_of(stored(0, 50, (10, 5)), 12, [3, 20]) == Route(
        12, False, (Stretch(LOST, 12, 15), Stretch(READ, 15, 20), Stretch(KILLER, 20, 21), Stretch(READ, 21, 50))
    )  # fmt: skip
    assert route_of(stored(5, 50), 5, []).is_whole
    assert not route_of(stored(5, 50), 6, []).is_whole
