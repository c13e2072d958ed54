"""The menu of all pages: a name by which a page says that it is this one, its address, and its word."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """One page of the menu."""

    name: str
    address: str
    word: str


MENU = (
    Entry("overview", "", "Models"),
    Entry("incidents", "incidents", "Incidents"),
    Entry("monitors", "monitors", "Monitors"),
    Entry("pipeline", "pipeline", "Pipeline"),
    Entry("setup", "setup", "Set up"),
)
