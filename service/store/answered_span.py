"""The answers of a time out of stored panes: their sketches merged, and the rows that they kept side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import select

from service.inspection.health_rows import AnsweredSpan
from service.reference.regrid import regrid_sketch
from service.sketches.codec import pane_from_bytes
from service.sketches.pane import PaneSketch
from service.store.chosen_panes import choose_panes
from service.store.engine import transaction
from service.store.profiles import grids_of_panes, stored_profiles
from service.store.tables import pane

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from service.configuration import ModelVersion
    from service.sketches.grids import Grid


@dataclass(frozen=True, slots=True)
class SpanFilter:
    """Panes of a model that start in [from_ms, until_ms); of all its versions when none is named.

    `with_labels`: also those that hold nothing but labels.
    """

    model: str
    from_ms: int
    until_ms: int
    version: str | None = None
    segment: str = ""
    with_labels: bool = False


def reference_rows(engine: Engine, version: ModelVersion, segment: str) -> PaneSketch | None:
    """What the reference of this version of a monitor counted of all rows, or of a segment; None where it has none."""
    profile = None if version.reference_name is None else stored_profiles(engine)(version.reference_name)
    if profile is None:
        return None
    return profile.segment(segment) if segment else profile.sketch


def answered_span(engine: Engine, grid: Grid, wanted: SpanFilter) -> AnsweredSpan:
    """What was answered then, on `grid` however it was counted."""
    c = pane.c
    of = [c.model == wanted.model, c.segment == wanted.segment]
    of += [] if wanted.version is None else [c.version == wanted.version]
    whole, numbers, classes, versions = PaneSketch(grid), [], [], []
    with transaction(engine) as connection:
        chosen = choose_panes(
            connection,
            tuple(of),
            wanted.from_ms,
            wanted.until_ms,
            len(grid.numbers),
            with_labels=wanted.with_labels,
        )
        grid_of = grids_of_panes(connection, *chosen.where)
        query = select(c.version, c.grid_id, c.sketch).where(*chosen.where).execution_options(yield_per=200)
        with connection.execute(query) as rows:
            for row in rows:
                one = regrid_sketch(pane_from_bytes(bytes(row.sketch), grid_of(row.grid_id)), grid)
                numbers.append(one.sample.values)
                classes.append(one.sample.predictions)
                versions += [row.version] * len(one.sample.priorities)
                one.forget_rows()
                whole.merge(one)
    return AnsweredSpan(
        whole,
        np.concatenate([np.empty((len(whole.sample.values), 0)), *numbers], axis=1),
        np.concatenate([np.empty(0), *classes]),
        np.unique(np.array(versions, np.str_), return_inverse=True)[1].reshape(-1).astype(np.int64),
        len(numbers), chosen.of_panes,
    )  # fmt: skip
