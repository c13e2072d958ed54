"""The menu of all pages: a name by which a page says that it is this one, its address, and its word."""

from __future__ import annotations

from typing import NamedTuple

from service.web.links import incidents_page, monitors_page, overview_page, pipeline_page, setup_page


class Entry(NamedTuple):
    """One page of the menu."""

    name: str
    address: str
    word: str


MENU = (
    Entry("overview", overview_page(), "Models"),
    Entry("incidents", incidents_page(), "Incidents"),
    Entry("monitors", monitors_page(), "Monitors"),
    Entry("pipeline", pipeline_page(), "Pipeline"),
    Entry("setup", setup_page(), "Set up"),
)
