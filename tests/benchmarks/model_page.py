"""How long the page of a model with 200 features and 30 days of hourly windows takes until it can be used.

`make bench-pages` prints it, measured in Chromium from the navigation on: until its text can be read, its heat map is
drawn, and the performance below it.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table
from sqlalchemy import insert, text

from service.embedded import EmbeddedPostgres
from service.monitor import HOUR_MS, Monitor, Task, WindowSpec
from service.store.engine import connect, transaction
from service.store.migrate import migrate
from service.store.partitions import ensure_partitions
from service.store.tables import performance
from tests.browser.looks import Weight
from tests.servers.chromium import chromium, visit
from tests.web.seeding import NOW_MS, add_alert, add_finding, add_grid, add_model, add_pane, add_scored
from tests.web.serving import site_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from sqlalchemy import Connection, Engine

MODEL, FEATURES, WINDOWS, VISITS = "churn", 200, 720, 5
KINDS = ("absent", "null", "nan")
STEPS = ("text", "heat", "performance")


def main() -> None:
    """Print the medians of some visits, each with an empty cache, at both widths."""
    table = Table("width", "text (ms)", "heat map drawn (ms)", "performance drawn (ms)", "over the wire (KB)")
    folder = tempfile.TemporaryDirectory(prefix="driftbell-bench-")
    with folder, EmbeddedPostgres(Path(folder.name) / "postgres", throwaway=True) as server:
        engine = connect(server.url)
        migrate(engine)
        _fill(engine)
        with site_of(engine) as site, chromium() as browser:
            for width in (1200, 390):
                taken = [_visited(browser, f"{site.url}/models/{MODEL}", width) for _ in range(VISITS)]
                told = [f"{statistics.median(one):,.0f}" for one in zip(*taken, strict=True)]
                table.add_row(str(width), *told)
        engine.dispose()
    Console().print(f"{FEATURES} features, {WINDOWS} hourly windows, {VISITS} visits each", table)


def _visited(browser: Browser, url: str, width: int) -> tuple[float, ...]:
    with visit(browser, width=width) as visitor:
        weight = Weight(visitor.page)
        visitor.page.goto(url, wait_until="commit")
        visitor.page.locator("h1").wait_for()
        taken = [_since_navigation(visitor.page)]
        for kind in STEPS[1:]:
            frame = visitor.page.locator(f"figure[data-chart={kind}]")
            frame.scroll_into_view_if_needed()
            frame.and_(visitor.page.locator("[data-drawn=yes]")).wait_for(state="attached")
            taken.append(_since_navigation(visitor.page))
        return (*taken, weight.bytes / 1000)


def _since_navigation(page: Page) -> float:
    return float(page.evaluate("performance.now()"))


# ---------------------------------------------------------------- the database
def _fill(engine: Engine) -> None:
    random = np.random.default_rng(3)
    names = [f"feature_{number:03}" for number in range(FEATURES)]
    ensure_partitions(engine, NOW_MS - WINDOWS * HOUR_MS, NOW_MS)
    monitor = Monitor(MODEL, task=Task.BINARY, windows=(WindowSpec.tumbling(HOUR_MS),), segments=("country",))
    with transaction(engine) as connection:
        add_grid(connection)
        add_model(connection, MODEL, monitor=monitor, since_ms=NOW_MS - WINDOWS * HOUR_MS)
        add_pane(connection, MODEL, NOW_MS - 1_000)
        for number in range(12):
            add_alert(connection, f"a{number}", MODEL, incident=f"i{number}", feature=names[number],
                      since_ms=NOW_MS - number * 50 * HOUR_MS)  # fmt: skip
    for segment in ("", "country=DE", "country=FR"):
        with transaction(engine) as connection:
            for number in range(WINDOWS):
                ratios = random.gamma(2.0, 0.2, FEATURES) * (1 + 20 * (random.random(FEATURES) < 0.01))
                add_scored(
                    connection, MODEL, NOW_MS - number * HOUR_MS, dict(zip(names, ratios.tolist(), strict=True)),
                    window="1h", length_ms=HOUR_MS, segment=segment, inferences=50_000,
                )  # fmt: skip
    with transaction(engine) as connection:
        connection.execute(insert(performance), _metrics(random))
    for kind in KINDS:
        with transaction(engine) as connection:
            _add_missing(connection, names, kind)


def _metrics(random: np.random.Generator) -> list[dict[str, object]]:
    return [
        {"model": MODEL, "version": "1", "segment": "", "window": "1h", "end_ms": NOW_MS - number * HOUR_MS,
         "start_ms": NOW_MS - (number + 1) * HOUR_MS, "basis": basis, "metric": metric, "value": value,
         "low": value - 0.02, "high": value + 0.02, "n": 5_000, "resolution": 0.0}
        for number in range(WINDOWS) for basis in ("realized", "estimated") for metric in ("accuracy", "f1", "roc_auc")
        for value in [float(random.normal(0.9, 0.01))]
    ]  # fmt: skip


def _add_missing(connection: Connection, names: list[str], kind: str) -> None:
    """A finding of each feature and window, as the evaluator leaves them."""
    pattern = f"pattern {kind}"
    add_finding(connection, MODEL, NOW_MS, window="1h", feature=pattern, method=f"missing_{kind}", value=0.0)
    connection.execute(text("""
        INSERT INTO finding SELECT f.model, f.version, f.segment, f."window",
            f.end_ms - number * 3600000::bigint, f.role, name, f.method, f.start_ms, random() * 0.02, f."limit",
            f.p_value, f.n, f.m, f.resolution, f.verdict, f.reason, f.revision
        FROM finding f, generate_series(0, :windows - 1) number, unnest(CAST(:names AS text[])) name
        WHERE f.feature = :pattern
    """), {"windows": WINDOWS, "names": names, "pattern": pattern})  # fmt: skip


if __name__ == "__main__":
    main()
