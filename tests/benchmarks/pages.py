"""How soon the API and the pages answer over a thousand models and ten million findings: p50 and p95 of each address.

`--findings` makes a smaller database. Addresses that read sketches are left out: the rows here have none.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
from sqlalchemy import text

from service.embedded import EmbeddedPostgres
from service.runner import calm_collection
from service.settings import Auth
from service.store.engine import connect, transaction
from service.web.app import create_app
from service.web.dependencies import WebDependencies
from tests.benchmarks.crowded import LARGE, NOW_MS, Crowd, fill
from tests.web.serving import serving

if TYPE_CHECKING:
    from fastapi import FastAPI
    from sqlalchemy import Engine

SEED, MOST_MS = 20_261_123, 100.0
OTHERS_MS = {"/metrics": 1_000.0}
"""What nobody waits for: a scrape of ten thousand series, every 15 seconds."""
Asked = Callable[[random.Random], tuple[str, dict[str, Any]]]

READ_SKETCHES = {
    "/api/v1/comparison", "/api/v1/weak-slices", "/api/v1/prediction-health", "/api/v1/incidents/{incident_id}/report",
    "/api/v1/distribution", "/api/v1/course",
}  # fmt: skip


def _model(draw: random.Random) -> str:
    return LARGE if draw.random() < 0.2 else f"model-{draw.randrange(1_000):04}"


def _of_model(path: str, **more: Any) -> Asked:
    return lambda draw: (path, {"model": _model(draw), **more})


def _in_path(path: str) -> Asked:
    return lambda draw: (
        path.format(
            model=_model(draw), name=f"{_model(draw)}-ref", alert_id=f"a{draw.randrange(1, 3_000)}",
            incident_id=f"i{draw.randrange(1, 1_000)}", by="reason", topic="events", partition=1, offset=33,
            job_id="none",
        ),
        {},
    )  # fmt: skip


FURTHER: dict[str, Asked] = {
    "/": lambda _: ("/", {}),
    "/?q=": lambda draw: ("/", {"q": f"{draw.randrange(100):02}"}),
    "/models/{model}": _in_path("/models/{model}"),
    "/metrics": lambda _: ("/metrics", {}),
    "/api/v1/overview?state=": lambda _: ("/api/v1/overview", {"state": "silent"}),
    "/api/v1/heat, 200 columns of 720 windows": lambda _: ("/api/v1/heat", {"model": LARGE, "window": "1h"}),
    "/api/v1/scores, a month": lambda draw: (
        "/api/v1/scores", {"model": LARGE, "window": "1h", "feature": f"feature_{draw.randrange(1, 200):03}"},
    ),
    "/api/v1/findings?model=": _of_model("/api/v1/findings"),
    "/api/v1/findings?model=&feature=": _of_model("/api/v1/findings", feature="feature_017"),
    "/api/v1/findings?model=&verdict=drift": _of_model("/api/v1/findings", verdict="drift"),
    "/api/v1/findings?verdict=drift": lambda _: ("/api/v1/findings", {"verdict": "drift"}),
    "/api/v1/windows?model=": _of_model("/api/v1/windows"),
    "/api/v1/windows?limit=1000&format=csv": lambda _: ("/api/v1/windows", {"limit": 1000, "format": "csv"}),
    "/api/v1/incidents?open=true": lambda _: ("/api/v1/incidents", {"open": "true"}),
    "/api/v1/incidents?model=": _of_model("/api/v1/incidents"),
    "/api/v1/alerts?model=&state=firing": _of_model("/api/v1/alerts", state="firing"),
    "/api/v1/alerts?state=firing": lambda _: ("/api/v1/alerts", {"state": "firing"}),
    "/api/v1/performance?model=": _of_model("/api/v1/performance"),
}  # fmt: skip


def asked_of(app: FastAPI) -> dict[str, Asked]:
    """Every address of the API that is answered by GET, and further ways to ask."""
    found: dict[str, Asked] = {}
    for path, methods in app.openapi()["paths"].items():
        if "get" not in methods or path in READ_SKETCHES:
            continue
        wants = {one["name"] for one in methods["get"].get("parameters", []) if one.get("required")}
        in_query = "model" in wants and "{model}" not in path
        found[path] = _of_model(path) if in_query else _in_path(path)
    return found | FURTHER


def measured(url: str, asked: dict[str, Asked], times: int) -> dict[str, np.ndarray[Any, Any]]:
    """Milliseconds of each, asked in random order over one connection."""
    draw = random.Random(SEED)
    order = [name for name in asked for _ in range(times)]
    draw.shuffle(order)
    took: dict[str, list[float]] = {name: [] for name in asked}
    with httpx.Client(base_url=url, timeout=60) as client:
        for name in [*asked, *order]:  # each once before: what is read first comes from the disk
            path, parameters = asked[name](draw)
            begun = time.perf_counter()
            answer = client.get(path, params=parameters or None)
            took[name].append(1000 * (time.perf_counter() - begun))
            if answer.status_code >= 400 and answer.status_code != 404:
                raise SystemExit(f"{answer.url}: {answer.status_code} {answer.text[:300]}")
    return {name: np.array(all_of[1:]) for name, all_of in took.items()}


def serve(engine: Engine) -> FastAPI:
    """The application over this database, at the time of its newest window."""
    return create_app(
        WebDependencies(
            engine=engine, clock_ms=lambda: NOW_MS + 30_000, auth=Auth.OPEN, requests_per_minute=10_000_000
        )
    )


def main() -> None:
    """Print the table; ends with 1 when something takes longer than it may."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--findings", type=int, default=10_000_000)
    options.add_argument("--times", type=int, default=40)
    given = options.parse_args()
    crowd = Crowd(windows=max(2, round((given.findings / 2 - 144_000) / 50_000)))
    with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder), throwaway=True) as server:
        engine = connect(server.url)
        begun = time.perf_counter()
        migrated = fill(engine, crowd)
        said = f"{crowd.findings:,} findings of {crowd.models:,} models, made in {time.perf_counter() - begun:.0f} s"
        print(f"{said}, of which the migration of window scores took {migrated:.0f} s")  # noqa: T201
        with transaction(engine) as connection:
            connection.execute(text("SELECT pg_stat_force_next_flush()"))
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("SET statement_timeout = 0")
            connection.exec_driver_sql("VACUUM ANALYZE")
        app = serve(engine)
        calm_collection()
        with serving(app) as url:
            took = measured(url, asked_of(app), given.times)
        engine.dispose()
    slow = report(took)
    sys.exit(1 if slow else 0)


def report(took: dict[str, np.ndarray[Any, Any]]) -> list[str]:
    """Print p50 and p95, the slowest first; gives those that take longer than they may."""
    print(f"{'p50 ms':>8} {'p95 ms':>8} {'of most':>7}  address")  # noqa: T201
    slow = []
    for name, ms in sorted(took.items(), key=lambda one: -np.quantile(one[1], 0.95)):
        half, ninety_five = np.quantile(ms, 0.5), np.quantile(ms, 0.95)
        most = OTHERS_MS.get(name, MOST_MS)
        print(f"{half:8.1f} {ninety_five:8.1f} {ninety_five / most:7.0%}  {name}")  # noqa: T201
        slow += [name] if ninety_five > most else []
    return slow


if __name__ == "__main__":
    main()
