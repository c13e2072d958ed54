"""Stored references and grids by their names, read once each."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from sqlalchemy import select

from service.errors import FormatError
from service.reference.profile import answers_bytes, profile_from_bytes, profile_to_bytes
from service.sketches.codec import grid_from_bytes
from service.store.configuration import StoredReference, load_grid, load_reference
from service.store.tables import grid as stored_grid
from service.store.tables import pane

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Engine

    from service.reference.profile import ReferenceProfile
    from service.sketches.grids import Grid


def to_be_stored(profile: ReferenceProfile) -> StoredReference:
    """A reference as it is stored, with the answers of its rows that labels are known of."""
    return StoredReference(
        profile.name,
        profile.model,
        profile.grid,
        profile.rows,
        profile_to_bytes(profile),
        answers_bytes(profile),
    )


def stored_profiles(engine: Engine) -> Callable[[str], ReferenceProfile | None]:
    """A reference by its name, None where there is none."""

    @lru_cache(maxsize=64)
    def profile(name: str) -> ReferenceProfile | None:
        stored = load_reference(engine, name)
        return None if stored is None else profile_from_bytes(stored)

    return profile


def stored_grids(engine: Engine) -> Callable[[str], Grid]:
    """A grid by its id; panes name only grids that are stored. Raises FormatError where one is gone."""

    @lru_cache(maxsize=256)
    def grid(grid_id: str) -> Grid:
        stored = load_grid(engine, grid_id)
        if stored is None:
            raise FormatError(f"grid {grid_id} is not stored any more")
        return grid_from_bytes(stored)

    return grid


def grids_of_panes(connection: Connection, *of: ColumnElement[bool]) -> Callable[[str], Grid]:
    """The grids of these panes, all read now: whoever reads panes then needs no other connection meanwhile.

    Raises FormatError where one is gone.
    """
    c = stored_grid.c
    named = select(c.id, c.definition).where(c.id.in_(select(pane.c.grid_id).where(*of)))
    grids = {row.id: grid_from_bytes(bytes(row.definition)) for row in connection.execute(named)}

    def grid(grid_id: str) -> Grid:
        if grid_id not in grids:
            raise FormatError(f"grid {grid_id} is not stored any more")
        return grids[grid_id]

    return grid
