"""A look at everything as one frame for a terminal: models the worst first, incidents, pipeline. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from service.cli.tables import Column, Shape, table_of
from service.dead_letters.readable import visible
from service.moments import utc
from service.plurals import counted
from service.reports.phrases import lasted
from service.web.condition import STATE_WORDS, ModelState

if TYPE_CHECKING:
    from rich.table import Table

    from service.cli.live_state import LiveState, Pipeline
    from service.store.incidents import IncidentRow
    from service.web.api.overview import OverviewModel

_COLOURS = {
    ModelState.SILENT: "bold magenta", ModelState.ALERT: "bold red", ModelState.WARNING: "yellow",
    ModelState.UNSCORED: "yellow", ModelState.SUSPICION: "cyan", ModelState.WELL: "green",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Shown:
    """A column, the signs that it takes, and the width from which on it is shown."""

    column: Column
    signs: int
    from_width: int = 0


_COLUMNS = {
    "state": _Shown(Column("state", Shape.WHOLE), 10),
    "model": _Shown(Column("model", Shape.WHOLE), 0),
    "spark": _Shown(Column("worst", Shape.WHOLE), 12, 80),
    "percent": _Shown(Column("of limit", Shape.NUMBER), 8),
    "rate": _Shown(Column("events/min", Shape.NUMBER), 10, 66),
    "heard": _Shown(Column("last event", Shape.NUMBER), 10, 54),
    "open": _Shown(Column("open", Shape.NUMBER), 4, 90),
    "why": _Shown(Column("why", Shape.LINE), 0, 130),
}
_BETWEEN = 2
_FRAMING_INCIDENTS = 3
"""A heading, what is left out and an empty line."""
_SHORTEST_NAME, _LONGEST_NAME = 16, 40
_LONG_SPARK_FROM = 110
_BARS = "▁▂▃▄▅▆▇█"
_PLAIN_BARS = "_.-~=+*#"
_SPARK, _LONG_SPARK = 12, 24
_TOP_BAR = 200
"""In percent of the limit: what is further over it is as tall as this."""


@dataclass(frozen=True, slots=True)
class Room:
    """What a frame may take. Without `height` it is as long as it needs to be."""

    width: int
    height: int | None = None
    plain: bool = False
    """Bars and dots are signs that every terminal has."""


def frame_of(state: LiveState, room: Room, footnote: str = "") -> Group:
    """Everything, the most urgent on top; what has no room is counted."""
    head = _head(state, room.width)
    below = [*_pipeline_lines(state.pipeline), *([Text(footnote, "dim")] if footnote else [])]
    free = (
        None if room.height is None else room.height - len(below) - 4
    )  # head, two headings, and an empty line
    incidents = state.incidents if free is None else state.incidents[: max(1, free // 3)]
    above = len(incidents) + _FRAMING_INCIDENTS if incidents else 0
    models = state.models if free is None else state.models[: max(1, free - above)]
    parts: list[Text | Table] = [head]
    parts.append(_models_table(models, state.at_ms, room))
    parts += _more(sum(state.totals.values()) - len(models), "model")
    if incidents:
        parts += [Text(), *_incident_lines(incidents, state.at_ms, room.width)]
        parts += _more(sum(one.open_incidents for one in state.models) - len(incidents), "open incident")
    return Group(*parts, Text(), *below)


def _more(count: int, what: str) -> list[Text]:
    return [Text(f"and {counted(count, f'more {what}')}", "dim")] if count > 0 else []


def _head(state: LiveState, width: int) -> Text:
    totals = ", ".join(
        f"{count} {STATE_WORDS[ModelState(name)].lower()}" for name, count in state.totals.items()
    )
    none = "no models" if state.name is None else f"no model's name holds {visible(state.name)!r}"
    said = Text.assemble(("driftbell", "bold"), f"  {utc(state.at_ms)}  ", (totals or none, "bold"))
    said.truncate(width, overflow="ellipsis")
    return said


# ---------------------------------------------------------------- models
def _models_table(models: Sequence[OverviewModel], now_ms: int, room: Room) -> Table:
    """Narrow terminals drop columns, those that the others say something of first."""
    shown = {name: one for name, one in _COLUMNS.items() if room.width >= one.from_width}
    spark = _LONG_SPARK if room.width >= _LONG_SPARK_FROM else _SPARK
    taken = sum(one.signs + _BETWEEN for one in shown.values()) + spark - _SPARK
    longest = max(_SHORTEST_NAME, min(_LONGEST_NAME, room.width - taken))
    rows = []
    for one in models:
        cells = _cells(one, now_ms, spark, plain=room.plain)
        cells["model"].truncate(longest, overflow="ellipsis")
        rows.append([cells[name] for name in shown])
    return table_of([one.column for one in shown.values()], rows, width=room.width)


def _cells(one: OverviewModel, now_ms: int, spark: int, *, plain: bool) -> dict[str, Text]:
    newest = next((percent for percent in reversed(one.spark.percents) if percent is not None), None)
    over = newest is not None and newest > 100
    heard = None if one.last_event_ms is None else lasted(max(0, now_ms - one.last_event_ms))
    return {
        "state": Text(STATE_WORDS[one.state], _COLOURS.get(one.state, "")),
        "model": Text(visible(one.model)),
        "spark": sparkline(one.spark.percents[-spark:], plain=plain),
        "percent": Text("-" if newest is None else f"{newest:,} %", "bold red" if over else ""),
        "rate": Text("-" if one.events_a_minute is None else f"{one.events_a_minute:,.0f}"),
        "heard": Text("never" if heard is None else f"{heard} ago"),
        "open": Text(str(one.open_incidents or "")),
        "why": Text("" if one.state is ModelState.WELL else visible(one.sentence)),
    }


def sparkline(percents: Sequence[int | None], *, plain: bool = False) -> Text:
    """A sign a window, a dot where nothing was scored; six heights up to the limit and two above it, in red."""
    bars = _PLAIN_BARS if plain else _BARS
    drawn = Text()
    for percent in percents:
        if percent is None:
            drawn.append("." if plain else "·", "dim")
        elif percent > 100:
            drawn.append(bars[7 if percent >= _TOP_BAR else 6], "bold red")
        else:
            drawn.append(bars[min(5, percent * 6 // 100)], "green")
    return drawn


# ---------------------------------------------------------------- incidents and pipeline
def _incident_lines(incidents: Sequence[IncidentRow], now_ms: int, width: int) -> Iterator[Text]:
    yield Text("open incidents", "bold")
    for one in incidents:
        colour = {"page": "bold red", "ticket": "yellow"}.get(one.severity, "")
        pending = "" if one.fired_ms is not None else " pending"
        has_it = "" if one.acknowledged_by is None else f", {visible(one.acknowledged_by)} has it"
        line = Text.assemble(
            (visible(one.id), "cyan"), " ", (f"{one.severity}{pending}", colour),
            f" for {lasted(max(0, now_ms - one.since_ms))}{has_it}  {visible(one.summary or one.cause)}",
        )  # fmt: skip
        line.truncate(max(width, len(one.id)), overflow="ellipsis")
        yield line


def _pipeline_lines(seen: Pipeline) -> Iterator[Text]:
    lag = "nobody reads" if seen.lag is None else f"{counted(seen.lag, 'record')} behind"
    dead = sum(seen.dead_letters.values())
    reasons = ", ".join(f"{count:,} {visible(name)}" for name, count in seen.dead_letters.items())
    yield Text.assemble(
        ("pipeline", "bold"), "  ", (f"{len(seen.halted)} halted", "bold red" if seen.halted else ""),
        f" of {counted(seen.partitions, 'partition')}, {lag}, {counted(dead, 'dead letter')} in the last hour",
        f" ({reasons})" if reasons else "",
        no_wrap=True, overflow="ellipsis",
    )  # fmt: skip
    for one in seen.halted[:3]:
        yield Text(
            f"  HALTED {visible(one.topic)} {one.partition}: {visible(one.why)}", "red",
            no_wrap=True, overflow="ellipsis",
        )  # fmt: skip
    if len(seen.halted) > 3:
        yield Text(f"  and {len(seen.halted) - 3:,} more halted; `driftbell doctor` says what to do", "red")
