"""The REST API: what is stored, as JSON. Times ending in `_ms` are milliseconds since 1970 UTC."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from starlette.responses import Response

from service.store import queries, result_queries
from service.store.engine import transaction
from service.store.paging import Chunk
from service.store.queries import ModelRow, MonitorRow, OpenAlerts, PartitionRow, ReferenceRow
from service.store.result_queries import AlertRow, FindingRow, PerformanceRow, WindowRow
from service.web.api.column_scores import COLUMN_ENDPOINTS
from service.web.api.comparison import COMPARISON_ENDPOINTS
from service.web.api.distributions import DISTRIBUTION_ENDPOINTS
from service.web.api.feedback import feedback, retraining
from service.web.api.heat import HEAT_ENDPOINTS
from service.web.api.incidents import INCIDENT_ENDPOINTS, mark
from service.web.api.labels import labels, performance_findings
from service.web.api.missing_over_time import MISSING_ENDPOINTS
from service.web.api.overview import OVERVIEW_ENDPOINTS
from service.web.api.parameters import (
    AlertQuery,
    FindingQuery,
    Listing,
    NameInPath,
    PageQuery,
    PartitionQuery,
    PerformanceQuery,
    ReferenceQuery,
    WindowQuery,
    listing,
)
from service.web.api.performance_over_time import PERFORMANCE_ENDPOINTS
from service.web.api.pipeline import PIPELINE_ENDPOINTS
from service.web.api.prediction_health import prediction_health
from service.web.api.report import add_report_route
from service.web.api.representation import ToldRoute
from service.web.api.score import SCORE_ENDPOINTS
from service.web.api.setup_routes import add_setup_routes
from service.web.api.slices import SLICE_ENDPOINTS
from service.web.api.unknown_model import no_model
from service.web.api.weak_slices import weak_slices
from service.web.api.words import add_word_routes
from service.web.authorization import may_use
from service.web.condition import ModelState, condition_of
from service.web.dependencies import Dependencies
from service.web.problems import PROBLEM_ANSWERS, not_found

YAML = "application/yaml"


def api_router() -> APIRouter:
    """All of `/api/v1`. Names may hold slashes, hence `:path`; ids of incidents never do."""
    router = APIRouter(
        prefix="/api/v1", responses=PROBLEM_ANSWERS, dependencies=[Depends(may_use)], route_class=ToldRoute
    )
    router.add_api_route("/incidents/{incident_id}/mark", mark, methods=["POST"])
    add_report_route(router)
    add_word_routes(router)
    add_setup_routes(router)
    for path, endpoint in chain.from_iterable(table.items() for table in _TABLES):
        more: dict[str, Any] = _YAML_TOO if endpoint is monitor else {}
        router.add_api_route(path, endpoint, methods=["GET"], **more)
    return router


# ---------------------------------------------------------------- models
class Model(BaseModel):
    """One model at a glance, and how it is in a word and a sentence."""

    model: str
    state: ModelState
    sentence: str
    versions: list[str]
    reference_name: str | None
    monitor_number: int
    last_event_ms: int | None
    last_label_ms: int | None
    last_window_end_ms: int | None
    open_alerts: OpenAlerts


def _model_of(row: ModelRow, now_ms: int) -> Model:
    condition = condition_of(row, now_ms)
    return Model(
        model=row.model,
        state=condition.state,
        sentence=condition.sentence,
        versions=list(row.versions),
        reference_name=row.reference_name,
        monitor_number=row.number,
        last_event_ms=row.last_event_ms,
        last_label_ms=row.last_label_ms,
        last_window_end_ms=row.last_window_end_ms,
        open_alerts=row.alerts,
    )


def models(web: Dependencies, asked: PageQuery) -> Listing[Model]:
    """All models by name, with their state and last news."""
    now_ms = web.clock_ms()
    with transaction(web.engine) as connection:
        chunk = queries.list_models(connection, now_ms, asked.paging)
    return listing(Chunk(tuple(_model_of(row, now_ms) for row in chunk.rows), chunk.next))


def model(web: Dependencies, model: NameInPath) -> Model:
    """One model."""
    now_ms = web.clock_ms()
    with transaction(web.engine) as connection:
        row = queries.find_model(connection, now_ms, model)
    if row is None:
        raise no_model(web, model)
    return _model_of(row, now_ms)


# ---------------------------------------------------------------- monitors and references
def monitors(web: Dependencies, asked: PageQuery) -> Listing[MonitorRow]:
    """The newest monitor of each model; `monitor` is its YAML."""
    with transaction(web.engine) as connection:
        return listing(queries.list_monitors(connection, asked.paging))


def monitor(web: Dependencies, request: Request, model: NameInPath) -> Any:
    """The newest monitor of one model; the YAML alone with `Accept: application/yaml`."""
    with transaction(web.engine) as connection:
        row = queries.find_monitor(connection, model)
    if row is None:
        raise no_model(web, model, "there is no monitor of a model of this name")
    if YAML in request.headers.get("accept", ""):
        return Response(row.monitor, media_type=YAML)
    return row


def references(web: Dependencies, asked: ReferenceQuery) -> Listing[ReferenceRow]:
    """Stored references, without their profiles."""
    with transaction(web.engine) as connection:
        return listing(queries.list_references(connection, asked.paging, asked.model))


def reference(web: Dependencies, name: NameInPath) -> ReferenceRow:
    """One reference, without its profile."""
    with transaction(web.engine) as connection:
        row = queries.find_reference(connection, name)
    if row is None:
        raise not_found("there is no reference of this name")
    return row


# ---------------------------------------------------------------- results
def windows(web: Dependencies, asked: WindowQuery) -> Listing[WindowRow]:
    """Scored windows, the latest end first."""
    wanted = result_queries.WindowFilter(**asked.filters)
    with transaction(web.engine) as connection:
        return listing(result_queries.list_windows(connection, wanted, asked.paging))


def findings(web: Dependencies, asked: FindingQuery) -> Listing[FindingRow]:
    """Scores with their limits and verdicts, those of the latest window first."""
    wanted = result_queries.FindingFilter(**asked.filters)
    with transaction(web.engine) as connection:
        return listing(result_queries.list_findings(connection, wanted, asked.paging))


def performance(web: Dependencies, asked: PerformanceQuery) -> Listing[PerformanceRow]:
    """Metrics of the predictions of windows, those of the latest window first.

    Of basis `estimated` they are told before labels come, and hold if there is no concept drift: P(label | score), or
    the size of errors at each predicted value, as in the reference. `reason` says why there is no value.
    """
    wanted = result_queries.PerformanceFilter(**asked.filters)
    with transaction(web.engine) as connection:
        return listing(result_queries.list_performance(connection, wanted, asked.paging))


def alerts(web: Dependencies, asked: AlertQuery) -> Listing[AlertRow]:
    """Alerts in all states, the latest begun first."""
    wanted = result_queries.AlertFilter(**asked.filters)
    with transaction(web.engine) as connection:
        return listing(result_queries.list_alerts(connection, wanted, asked.paging))


def alert(web: Dependencies, alert_id: NameInPath) -> AlertRow:
    """One alert."""
    with transaction(web.engine) as connection:
        row = result_queries.find_alert(connection, alert_id)
    if row is None:
        raise not_found("there is no alert of this id")
    return row


# ---------------------------------------------------------------- the log
def partitions(web: Dependencies, asked: PartitionQuery) -> Listing[PartitionRow]:
    """How far each partition is read, its lag, and where its records ended."""
    with transaction(web.engine) as connection:
        return listing(queries.list_partitions(connection, asked.paging, asked.topic, halted=asked.halted))


_YAML_TOO = {
    "response_model": MonitorRow,
    "responses": {200: {"content": {YAML: {"schema": {"type": "string"}}}}},
}

_ENDPOINTS: dict[str, Callable[..., Any]] = {
    "/models": models,
    "/models/{model:path}": model,
    "/monitors": monitors,
    "/monitors/{model:path}": monitor,
    "/references": references,
    "/references/{name:path}": reference,
    "/windows": windows,
    "/findings": findings,
    "/performance": performance,
    "/weak-slices": weak_slices,
    "/prediction-health": prediction_health,
    "/performance-findings": performance_findings,
    "/labels": labels,
    "/feedback": feedback,
    "/retraining": retraining,
    "/alerts": alerts,
    "/alerts/{alert_id:path}": alert,
    "/partitions": partitions,
}

_TABLES = (
    INCIDENT_ENDPOINTS, SCORE_ENDPOINTS, COMPARISON_ENDPOINTS, OVERVIEW_ENDPOINTS, HEAT_ENDPOINTS, COLUMN_ENDPOINTS,
    PERFORMANCE_ENDPOINTS, MISSING_ENDPOINTS, SLICE_ENDPOINTS, PIPELINE_ENDPOINTS,
    DISTRIBUTION_ENDPOINTS, _ENDPOINTS,
)  # fmt: skip
"""Of paths that fit several routes the first one answers."""
