"""Makes a reference of live panes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.errors import ConfigurationError
from service.reference.learning import profile_from_sketch
from service.reference.regrid import regrid_sketch
from service.sketches.codec import grid_from_bytes, pane_from_bytes
from service.store.configuration import load_configuration, load_grid
from service.store.panes import panes_between

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from service.reference.profile import ReferenceProfile
    from service.sketches.pane import PaneSketch

FEWEST_EVENTS = 100


def learn(engine: Engine, model: str, name: str, start_ms: int, end_ms: int) -> ReferenceProfile:
    """The profile of all of a model's events in these panes. Raises ConfigurationError when there are too few."""
    latest = load_configuration(engine).latest(model)
    if latest is None:
        raise ConfigurationError(
            f"there is no monitor for model {model!r}; apply one, or let unknown models be learned"
        )
    merged = _merged(engine, model, start_ms, end_ms)
    events = 0 if merged is None else merged.inferences
    if merged is None or events < FEWEST_EVENTS:
        raise ConfigurationError(
            f"model {model!r} has {events} events in that time; a reference needs at least {FEWEST_EVENTS}"
        )
    return profile_from_sketch(name, model, latest.monitor.task, merged)


def _merged(engine: Engine, model: str, start_ms: int, end_ms: int) -> PaneSketch | None:
    merged: PaneSketch | None = None
    for row in panes_between(engine, model, start_ms, end_ms):
        definition = load_grid(engine, row.grid_id)
        if definition is None:
            continue
        sketch = pane_from_bytes(row.sketch, grid_from_bytes(definition))
        if merged is None:
            merged = sketch
        else:
            merged.merge(sketch if sketch.grid.id == merged.grid.id else regrid_sketch(sketch, merged.grid))
    return merged
