"""Makes a reference of live panes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.errors import ConfigurationError
from service.reference.learning import Parts, profile_from_sketch
from service.reference.regrid import regrid_sketch
from service.reference.segments import FEWEST_ROWS
from service.reference.stretches import Stretches, length_of
from service.sketches.codec import pane_from_bytes
from service.sketches.grids import Grid
from service.sketches.pane import PaneSketch
from service.store.latest_version import latest_version
from service.store.panes import inferences_between, panes_between
from service.store.profiles import stored_grids

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from service.reference.profile import ReferenceProfile

FEWEST_EVENTS = 100


def learn(engine: Engine, model: str, name: str, start_ms: int, end_ms: int) -> ReferenceProfile:
    """The profile of all of a model's events in these panes, in the order of time, with the segments that are watched.

    Raises ConfigurationError when there are too few.
    """
    latest = latest_version(engine, model)
    if latest is None:
        raise ConfigurationError(
            f"there is no monitor for model {model!r}; apply one, or let unknown models be learned"
        )
    events = inferences_between(engine, model, start_ms, end_ms)
    if events < FEWEST_EVENTS:
        raise ConfigurationError(
            f"model {model!r} has {events} events in that time; a reference needs at least {FEWEST_EVENTS}"
        )
    whole, blocks = _stretches(engine, model, start_ms, end_ms, length_of(events))
    segments = _segments(engine, model, start_ms, end_ms, whole.grid)
    return profile_from_sketch(name, model, latest.monitor.task, whole, Parts(blocks, segments))


def _stretches(
    engine: Engine, model: str, start_ms: int, end_ms: int, length: int
) -> tuple[PaneSketch, tuple[PaneSketch, ...]]:
    """All rows, and consecutive parts of so many, on the grid of the first pane."""
    grid_of, made = stored_grids(engine), None
    for row in panes_between(engine, model, start_ms, end_ms):
        sketch = pane_from_bytes(row.sketch, grid_of(row.grid_id))
        made = made or Stretches(sketch.grid, length)
        made.add(row.key.start_ms, sketch)
    return (PaneSketch(Grid()), ()) if made is None else made.finish()


def _segments(engine: Engine, model: str, start_ms: int, end_ms: int, grid: Grid) -> dict[str, PaneSketch]:
    """The segments with enough rows; no detector compares with fewer."""
    grid_of, found = stored_grids(engine), dict[str, PaneSketch]()
    for row in panes_between(engine, model, start_ms, end_ms, segments=True):
        sketch = pane_from_bytes(row.sketch, grid_of(row.grid_id))
        merged = found.setdefault(row.key.segment, PaneSketch(grid))
        merged.merge(sketch if sketch.grid.id == grid.id else regrid_sketch(sketch, grid))
    return {name: sketch for name, sketch in found.items() if sketch.inferences >= FEWEST_ROWS}
