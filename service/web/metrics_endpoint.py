"""`/metrics`: what models do, read from committed results at each scrape, and what this process does.

A series is there only while its window is fresh: a model that stops has no score instead of its last one.
A part that fails is left out and counted; the page itself always parses.
"""

from __future__ import annotations

import gzip
import logging
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from threading import Lock

from fastapi import APIRouter, Depends, Request
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.exposition import choose_encoder, gzip_accepted
from prometheus_client.registry import Collector
from starlette.responses import Response

from service import __version__
from service.errors import Unavailable
from service.monitor import Task
from service.performance.delays import RIPE, delay_seconds
from service.performance.windows import judged_spec
from service.store import gauge_queries
from service.store.engine import transaction
from service.store.gauge_queries import WINDOWS_UNTIL_STALE, Horizon, Joining, NewestWindow, Period
from service.store.watermarks import load_progress, watermarks
from service.web.authorization import may_scrape
from service.web.condition import monitor_of
from service.web.dependencies import WebDependencies
from service.web.series import (
    FAMILIES,
    Group,
    Series,
    Shown,
    alert_series,
    budget_series,
    by_family,
    delay_series,
    finding_series,
    join_series,
    news_series,
    partition_series,
    performance_series,
    watermark_series,
    window_series,
    within,
)

COLLECT_ERRORS = "driftbell_collect_errors"
SERIES_DROPPED = "driftbell_series_dropped"
BUILD = "driftbell_build"

logger = logging.getLogger(__name__)


def metrics_router() -> APIRouter:
    """The one route."""
    router = APIRouter(include_in_schema=False, dependencies=[Depends(may_scrape)])
    router.add_api_route("/metrics", _metrics, methods=["GET", "HEAD"])
    return router


def _metrics(request: Request) -> Response:
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    page = encode(request.app.state.model_metrics)
    headers = {"Content-Type": content_type, "Vary": "Accept, Accept-Encoding"}
    if gzip_accepted(request.headers.get("accept-encoding", "")):
        return Response(gzip.compress(page, compresslevel=1), headers=headers | {"Content-Encoding": "gzip"})
    return Response(page, headers=headers)


class ModelMetrics(Collector):
    """Collects the whole page. Keeps nothing between scrapes but how often a part of the page failed."""

    def __init__(self, dependencies: WebDependencies) -> None:
        self._web = dependencies
        self._errors = 0
        self._lock = Lock()

    def collect(self) -> Iterator[Metric]:
        """Called by the encoder at each scrape, in any thread. A part that fails is left out."""
        shown = self._shown()
        families = [*self._model_families(shown.series), *self._process_families()]
        yield from _first_of_each_name([*families, *_own_families(shown.dropped, self._errors)])

    def _shown(self) -> Shown:
        reading = _Reading(self._web)
        groups: list[Group] = []
        for part in (
            reading.alerts,
            reading.news,
            reading.budgets,
            reading.partitions,
            reading.watermarks,
            reading.performance,
            reading.joins,
            reading.windows,
            reading.estimates,
            reading.findings,
        ):
            try:
                groups += part()
            except Unavailable as error:
                self._failed(error)
                break  # each further part would wait for the database again
            except Exception as error:  # noqa: BLE001 - one part's failure must not take the others away
                self._failed(error)
        shown = within(groups, self._web.max_series)
        return Shown(shown.series, shown.dropped + reading.unread_series)

    def _model_families(self, series: tuple[Series, ...]) -> Iterator[Metric]:
        for name, members in by_family(series).items():
            family = GaugeMetricFamily(name, FAMILIES[name].help, labels=FAMILIES[name].labels)
            for one in members:
                family.add_metric(one.labels, one.value)
            yield family

    def _process_families(self) -> list[Metric]:
        try:
            return list(self._web.registry.collect())
        except Exception as error:  # noqa: BLE001 - as above
            self._failed(error)
            return []

    def _failed(self, error: Exception) -> None:
        logger.warning(
            "a part of /metrics is missing: %s", error, exc_info=not isinstance(error, Unavailable)
        )
        with self._lock:
            self._errors += 1


class _Reading:
    """One scrape's look at the database, a short transaction for each part."""

    def __init__(self, web: WebDependencies) -> None:
        self._web = web
        self._now_ms = web.clock_ms()
        self._windows: tuple[NewestWindow, ...] = ()
        self.unread_series = 0

    def alerts(self) -> Iterator[Group]:
        with transaction(self._web.engine) as connection:
            return alert_series(gauge_queries.firing_alerts(connection))

    def news(self) -> Iterator[Group]:
        with transaction(self._web.engine) as connection:
            return news_series(gauge_queries.last_news(connection))

    def budgets(self) -> Iterator[Group]:
        with transaction(self._web.engine) as connection:
            monitors = gauge_queries.monitors_in_force(connection, self._now_ms)
            budgets = {model: monitor_of(model, document).budget for model, document in monitors.items()}
            periods = [Period(model, self._now_ms - one.per_ms) for model, one in budgets.items()]
            counts = gauge_queries.incident_counts(connection, periods)
        return budget_series({model: one.false_pages for model, one in budgets.items()}, counts)

    def partitions(self) -> Iterator[Group]:
        with transaction(self._web.engine) as connection:
            return partition_series(gauge_queries.partition_counts(connection))

    def watermarks(self) -> Iterator[Group]:
        progress = load_progress(self._web.engine)
        with transaction(self._web.engine) as connection:
            documents = gauge_queries.monitors_in_force(connection, self._now_ms)
        monitors = [monitor_of(model, document) for model, document in documents.items()]
        return watermark_series(watermarks(progress, monitors, self._now_ms))

    def windows(self) -> Iterator[Group]:
        with transaction(self._web.engine) as connection:
            monitors = gauge_queries.monitors_in_force(connection, self._now_ms)
            horizons = list(_horizons(monitors, self._now_ms))
            self._windows = gauge_queries.newest_windows(connection, horizons)
        return window_series(self._windows)

    def performance(self) -> Iterator[Group]:
        with transaction(self._web.engine) as connection:
            monitors = gauge_queries.monitors_in_force(connection, self._now_ms)
            delays = gauge_queries.label_delays(connection)
            joining = list(_joining(monitors, delays, self._now_ms))
            metrics = gauge_queries.newest_performance(connection, joining)
            judged = gauge_queries.judged_findings(connection, joining)
        return chain(delay_series(delays), performance_series(metrics), finding_series(judged))

    def estimates(self) -> Iterator[Group]:
        with transaction(self._web.engine) as connection:
            return performance_series(gauge_queries.newest_estimates(connection, self._windows))

    def joins(self) -> Iterator[Group]:
        with transaction(self._web.engine) as connection:
            return join_series(gauge_queries.join_backlogs(connection))

    def findings(self) -> list[Group]:
        with transaction(self._web.engine) as connection:
            worst = gauge_queries.worst_findings(connection, self._windows, self._web.max_series)
        groups = list(finding_series(worst.rows))
        self.unread_series = worst.all_series - sum(map(len, groups))
        return groups


def _horizons(monitors: Mapping[str, str], now_ms: int) -> Iterator[Horizon]:
    for model, document in monitors.items():
        monitor = monitor_of(model, document)
        for window in monitor.windows:
            stale_ms = WINDOWS_UNTIL_STALE * window.length_ms + monitor.allowed_lateness_ms
            yield Horizon(model, window.name, now_ms - stale_ms)


def _joining(
    monitors: Mapping[str, str], delays: Mapping[str, Mapping[int, int]], now_ms: int
) -> Iterator[Joining]:
    for model, document in monitors.items():
        monitor = monitor_of(model, document)
        if monitor.task is not Task.NONE:
            ripe_after_seconds = delay_seconds(delays.get(model, {}), RIPE) or 0.0
            ripe_ms, every = now_ms - round(1_000 * ripe_after_seconds), judged_spec(monitor).every_ms
            stale_ms = WINDOWS_UNTIL_STALE * every + monitor.allowed_lateness_ms
            yield Joining(model, monitor.labels.sample, ripe_ms, ripe_ms - stale_ms)


def _own_families(dropped: int, errors: int) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        SERIES_DROPPED, "Series of models that were left out, the least bad ones.", dropped
    )
    yield CounterMetricFamily(COLLECT_ERRORS, "Parts of this page that failed.", errors)
    yield InfoMetricFamily(BUILD, "The version of driftbell.", {"version": __version__})


def _first_of_each_name(families: Iterable[Metric]) -> Iterator[Metric]:
    """Drop a family whose samples another one has: a name that comes twice costs the whole page."""
    seen: set[str] = set()
    for family in families:
        names = {sample.name for sample in family.samples}
        if not names & seen:
            yield family
        seen |= names
