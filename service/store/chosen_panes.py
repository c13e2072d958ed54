"""Which panes of a time are looked into, where there are more than can be read while somebody waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from sqlalchemy import ARRAY, BigInteger, any_, func, literal, or_, select

from service.sketches.sample import SIZE
from service.store.tables import pane

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

MOST_PANES = 4_000
"""So many sketches are read at the most,"""
MOST_CELLS = 4_000_000
"""and of wide tables so few that their kept rows have at most so many values: 32 MB, and six times that on the way."""


class ChosenPanes(NamedTuple):
    """What the panes that are read have in common, and how many there are in all, read or not."""

    where: tuple[ColumnElement[bool], ...]
    of_panes: int


def choose_panes(
    connection: Connection, of: tuple[ColumnElement[bool], ...], from_ms: int, until_ms: int, columns: int, *,
    with_labels: bool = False,
) -> ChosenPanes:  # fmt: skip
    """Of the panes with inferences that start in [from_ms, until_ms) as many as can be read, evenly over the time.

    All panes of one start are chosen together. Of each row so many columns are kept in memory. `with_labels`: also
    panes that hold nothing but labels, which often name no version.
    """
    c = pane.c
    counted = or_(c.inferences > 0, c.labels > 0) if with_labels else c.inferences > 0
    mine = (*of, counted, c.start_ms >= from_ms, c.start_ms < until_ms)
    query = select(c.start_ms, func.count()).where(*mine).group_by(c.start_ms).order_by(c.start_ms)
    found = connection.execute(query).all()
    sketches = sum(count for _, count in found)
    at_once = min(MOST_PANES, MOST_CELLS // (SIZE * max(1, columns)))
    most = max(1, len(found) * at_once // max(sketches, at_once, 1))
    places = (np.arange(most) * len(found) // most).tolist() if found else []
    starts = [int(found[place][0]) for place in places]
    return ChosenPanes((*mine, c.start_ms == any_(literal(starts, ARRAY(BigInteger)))), sketches)
