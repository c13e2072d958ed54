"""What a dashboard is made of: queries, panels, rows and the choices at the top of the page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

GRID_COLUMNS = 24


@dataclass(frozen=True)
class Query:
    """One PromQL expression. A dashed line is what the others are held against, such as a limit."""

    expression: str
    legend: str = ""
    instant: bool = False
    dashed: bool = False


@dataclass(frozen=True)
class Link:
    """Where a click on a value leads."""

    title: str
    url: str


@dataclass(frozen=True)
class Word:
    """What a number means, and its colour: never the colour alone."""

    value: int
    text: str
    colour: str


@dataclass(frozen=True)
class Column:
    """A column of a table: the label or `Value #A` that it shows, and what it is called."""

    name: str
    title: str
    unit: str = ""
    red_from: float | None = None
    words: tuple[Word, ...] = ()
    links: tuple[Link, ...] = ()


@dataclass(frozen=True)
class Panel:
    """One picture with what it says in words. `columns` are a table's, in their order; no other is shown."""

    title: str
    explanation: str
    queries: tuple[Query, ...]
    kind: str = "timeseries"
    unit: str = "short"
    width: int = 12
    height: int = 8
    red_from: float | None = None
    words: tuple[Word, ...] = ()
    columns: tuple[Column, ...] = ()
    links: tuple[Link, ...] = ()
    stretched: bool = False
    """Small values are told apart although others are a thousand times as large."""


@dataclass(frozen=True)
class Row:
    """Panels below one heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Choice:
    """A variable: the values of one label in the series of a selector, one of them or several.

    Grafana escapes the chosen value for a regular expression only where several may be chosen, so an expression
    holds a single one against `=` and several against `=~`; `chosen` writes both. `all_is` is what stands for All.
    """

    label: str
    selector: str
    several: bool = False
    all_is: str = ".*"
    title: str = ""

    @property
    def query(self) -> str:
        """How Grafana asks for the values."""
        return f"label_values({self.selector}, {self.label})"

    @property
    def chosen(self) -> str:
        """The matcher of an expression."""
        return f'{self.label}{"=~" if self.several else "="}"${self.label}"'


@dataclass(frozen=True)
class Annotation:
    """What is marked on the time axis of every panel."""

    name: str
    expression: str
    title: str
    text: str
    colour: str


@dataclass(frozen=True)
class Dashboard:
    """One page. Its uid is part of the addresses that people keep, so it never changes."""

    name: str
    title: str
    explanation: str
    choices: tuple[Choice, ...]
    annotations: tuple[Annotation, ...]
    rows: tuple[Row, ...]

    @property
    def uid(self) -> str:
        """By which other dashboards link to it."""
        return f"driftbell-{self.name}"

    def panels(self) -> Iterator[Panel]:
        """Those of all rows."""
        for row in self.rows:
            yield from row.panels
