"""The overview over the API: every model, the worst first, with what a person must see of it at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from fastapi import Query
from pydantic import BaseModel, Field

from service.monitor import MINUTE_MS, Budget, WindowSpec
from service.store.engine import transaction
from service.store.gauge_queries import IncidentCount, Period, incident_counts
from service.store.glance import Recent, WorstOfWindow, details_of, every_model, recent_windows
from service.store.incidents import OpenIncidents, open_incidents
from service.store.marks import AlarmVerdict
from service.store.paging import Chunk, Key, Paging, check_key
from service.store.queries import ModelRow, OpenAlerts
from service.web.api.heat_map import percents_of
from service.web.api.parameters import MOST_ROWS, Filled, Name, PageParameters, encode_cursor
from service.web.api.window_spans import shortest_window
from service.web.condition import Condition, ModelState, condition_of, monitor_of, stale_after_ms
from service.web.dependencies import Dependencies

if TYPE_CHECKING:
    from sqlalchemy import Connection

SPARK_WINDOWS = 48
INCIDENTS_TOLD = 3
RATE_WINDOWS = 3
"""Events a minute are those of so many windows: of one they would jump."""
_WORST_FIRST = {state: place for place, state in enumerate(ModelState)}


class OverviewParameters(PageParameters):
    """Filters of the overview. Each row says much: of fewer than other lists have a page is made as soon."""

    limit: int = Field(50, ge=1, le=MOST_ROWS, description="the most models of a page")
    state: Filled[ModelState] = None
    q: Filled[Name] = Field(None, description="a part of the model's name, in capitals or not")


# ---------------------------------------------------------------- what is answered
class Spark(BaseModel):
    """The worst of all columns in the last windows, in percent of the limit, for a small line.

    There is a place for each of the last windows that ended by now; null where nothing was scored. A percent is above
    100 exactly where a verdict was drift.
    """

    window: str
    every_ms: int
    last_end_ms: int
    percents: list[int | None]


class BudgetSpent(BaseModel):
    """False pages that are allowed in `per_ms`, and the share spent; `expected`: with those that nobody has marked."""

    promised: float
    per_ms: int
    marked_false: int
    unmarked: int
    spent: float
    expected: float


class WorstIncident(BaseModel):
    """One of the worst of a model's open incidents; `acknowledged_by` says who has it."""

    id: str
    summary: str
    severity: str
    state: str
    since_ms: int
    acknowledged_by: str | None


class OverviewModel(BaseModel):
    """One model at a glance. Without fresh windows nobody knows its events a minute, and they are null."""

    model: str
    state: ModelState
    sentence: str
    versions: list[str]
    reference_name: str | None
    spark: Spark
    events_a_minute: float | None
    last_event_ms: int | None
    last_label_ms: int | None
    last_window_end_ms: int | None
    budget: BudgetSpent
    open_incidents: int
    worst_incidents: list[WorstIncident]
    open_alerts: OpenAlerts


class Overview(BaseModel):
    """A page of models, the worst first; `totals` are of all models that the name fits, by state."""

    items: list[OverviewModel]
    next: str | None
    totals: dict[ModelState, int]


# ---------------------------------------------------------------- the order of models
@dataclass(frozen=True, slots=True)
class Standing:
    """A model and how it is."""

    row: ModelRow
    condition: Condition

    @property
    def key(self) -> tuple[int, str]:
        """The worst first, then by name."""
        return _WORST_FIRST[self.condition.state], self.row.model


def standings(rows: Iterable[ModelRow], now_ms: int) -> list[Standing]:
    """The worst first."""
    return sorted((Standing(row, condition_of(row, now_ms)) for row in rows), key=lambda one: one.key)


def page_of(standing: Sequence[Standing], paging: Paging) -> Chunk[Standing]:
    """Those after the key, which may have moved since."""
    if paging.after is not None:
        after = _key_of(paging.after)
        standing = [one for one in standing if one.key > after]
    kept = tuple(standing[: paging.limit])
    return Chunk(kept, kept[-1].key if len(standing) > len(kept) else None)


def _key_of(after: Key) -> tuple[int, str]:
    check_key(after, (int, str))
    return int(after[0]), str(after[1])


# ---------------------------------------------------------------- answering
def overview(web: Dependencies, asked: Annotated[OverviewParameters, Query()]) -> Overview:
    """Every model with its state, its last windows, its traffic, its budget and its worst open incident."""
    now_ms = web.clock_ms()
    with transaction(web.engine) as connection:
        return overview_of(connection, asked, now_ms)


def overview_of(connection: Connection, asked: OverviewParameters, now_ms: int) -> Overview:
    """What the endpoint and the page tell."""
    part = (asked.q or "").casefold()
    fitting = [
        one for one in standings(every_model(connection, now_ms), now_ms) if part in one.row.model.casefold()
    ]
    totals = Counter(one.condition.state for one in fitting)
    shown = [one for one in fitting if asked.state in {None, one.condition.state}]
    chunk = page_of(shown, asked.paging)
    return Overview(
        items=_described(connection, chunk.rows, now_ms),
        next=None if chunk.next is None else encode_cursor(chunk.next),
        totals={state: totals[state] for state in ModelState if totals[state]},
    )


def _described(connection: Connection, standing: Sequence[Standing], now_ms: int) -> list[OverviewModel]:
    models = [one.row.model for one in standing]
    monitors = {one.row.model: monitor_of(one.row.model, one.row.monitor) for one in standing}
    windows = {model: shortest_window(monitor) for model, monitor in monitors.items()}
    wanted = [Recent(model, w.name, _spark_since(w.every_ms, now_ms)) for model, w in windows.items()]
    recent = recent_windows(connection, wanted, now_ms)
    details = details_of(connection, models, now_ms)
    incidents = open_incidents(connection, models, INCIDENTS_TOLD)
    periods = [Period(model, now_ms - monitor.budget.per_ms) for model, monitor in monitors.items()]
    spent = _counts_of(incident_counts(connection, periods))
    sparks = _sparks(windows, recent, now_ms)
    return [
        _model(
            replace(one, row=replace(one.row, **details[model]._asdict())),
            sparks[model],
            events_a_minute(
                recent[model], windows[model].length_ms, now_ms - stale_after_ms(monitors[model])
            ),
            budget_spent(monitors[model].budget, spent.get(model, ())),
            incidents.get(model),
        )
        for one in standing
        for model in (one.row.model,)
    ]


def _model(
    one: Standing, spark: Spark, rate: float | None, budget: BudgetSpent, incidents: OpenIncidents | None
) -> OverviewModel:
    row = one.row
    return OverviewModel(
        model=row.model, state=one.condition.state, sentence=one.condition.sentence, versions=list(row.versions),
        reference_name=row.reference_name, spark=spark, events_a_minute=rate, last_event_ms=row.last_event_ms,
        last_label_ms=row.last_label_ms, last_window_end_ms=row.last_window_end_ms, budget=budget,
        open_incidents=0 if incidents is None else incidents.open,
        worst_incidents=[] if incidents is None else _worst(incidents), open_alerts=row.alerts,
    )  # fmt: skip


def _worst(incidents: OpenIncidents) -> list[WorstIncident]:
    names = WorstIncident.model_fields
    return [WorstIncident(**{name: getattr(one, name) for name in names}) for one in incidents.worst]


# ---------------------------------------------------------------- parts of a model
def _spark_since(every_ms: int, now_ms: int) -> int:
    return (now_ms // every_ms - SPARK_WINDOWS) * every_ms


def _sparks(
    windows: Mapping[str, WindowSpec], recent: Mapping[str, Iterable[WorstOfWindow]], now_ms: int
) -> dict[str, Spark]:
    """A place for each window until now, so that silence is seen as one."""
    since = {model: _spark_since(window.every_ms, now_ms) for model, window in windows.items()}
    ratios = np.full((len(windows), SPARK_WINDOWS), np.nan, np.float32)
    for line, (model, window) in zip(ratios, windows.items(), strict=True):
        for one in recent[model]:
            place = (one.end_ms - since[model]) // window.every_ms - 1
            if one.worst is not None and 0 <= place < SPARK_WINDOWS:
                line[place] = one.worst
    return {
        model: Spark(
            window=window.name, every_ms=window.every_ms,
            last_end_ms=since[model] + SPARK_WINDOWS * window.every_ms,
            percents=[None if percent < 0 else percent for percent in percents],
        )
        for (model, window), percents in zip(windows.items(), percents_of(ratios).tolist(), strict=True)
    }  # fmt: skip


def events_a_minute(recent: Sequence[WorstOfWindow], length_ms: int, fresh_ms: int) -> float | None:
    """Of the last windows from which nothing is known to be missing; None where there are none since `fresh_ms`."""
    complete = [one for one in recent if not one.incomplete and one.end_ms >= fresh_ms][-RATE_WINDOWS:]
    if not complete:
        return None
    return sum(one.inferences for one in complete) / (len(complete) * length_ms / MINUTE_MS)


def _counts_of(counts: Iterable[IncidentCount]) -> Mapping[str, Sequence[IncidentCount]]:
    found: dict[str, list[IncidentCount]] = {}
    for one in counts:
        found.setdefault(one.model, []).append(one)
    return found


def budget_spent(budget: Budget, counts: Iterable[IncidentCount]) -> BudgetSpent:
    """What people marked as false pages is spent; what nobody has marked may be."""
    pages: Counter[str] = Counter()
    for one in counts:
        pages[one.verdict] += one.paged
    false, unmarked = pages[AlarmVerdict.FALSE_ALARM], pages["unmarked"]
    return BudgetSpent(
        promised=budget.false_pages, per_ms=budget.per_ms, marked_false=false, unmarked=unmarked,
        spent=false / budget.false_pages, expected=(false + unmarked) / budget.false_pages,
    )  # fmt: skip


OVERVIEW_ENDPOINTS: dict[str, Callable[..., Any]] = {"/overview": overview}
