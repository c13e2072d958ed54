"""A collector that has died is paged for by the shipped rules in a real Prometheus."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.rendering import render
from tests.faults.outages import Watched, watched
from tests.flow.stack import free_port
from tests.servers.requirements import require_or_skip

pytestmark = [pytest.mark.postgres, pytest.mark.kafka, pytest.mark.prometheus, pytest.mark.slow]

INSTALL = "apt-get update && apt-get install -y prometheus"
SCRAPE_SECONDS, FOR_SECONDS = 1.0, 2.0
MARGIN_SECONDS = 10.0
"""What a slow machine may add."""


@contextmanager
def prometheus(made: Watched, folder: Path) -> Iterator[str]:
    """One that scrapes the collector under the shipped rules, in a hurry; gives its address."""
    address = f"127.0.0.1:{free_port()}"
    nobody = f"127.0.0.1:{free_port()}"
    rendered = render(
        folder / "deploy", serve=nobody, alertmanager=nobody, webhook_url=f"http://{nobody}",
        pipeline={"collect": f"127.0.0.1:{made.stack.port}"}, scrape_interval="1s", for_override="2s",
    )  # fmt: skip
    command = [
        "prometheus", f"--config.file={rendered.prometheus}", f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
    ]  # fmt: skip
    with (
        (folder / "prometheus.out").open("wb") as output,
        subprocess.Popen(command, stdout=output, stderr=output) as started,
    ):
        try:
            yield address
        finally:
            started.terminate()
            started.wait(20)


def state_of(address: str, alert: str) -> str:
    """`pending`, `firing`, or nothing."""
    try:
        with urllib.request.urlopen(f"http://{address}/api/v1/alerts", timeout=5) as answer:
            alerts = json.load(answer)["data"]["alerts"]
    except OSError:
        return ""
    ours = [a["state"] for a in alerts if a["labels"]["alertname"] == alert and a["labels"].get("job") == JOB]
    return str(max(ours, default="", key=["", "pending", "firing"].index))


JOB = "driftbell-collect"


def is_scraped(address: str) -> bool:
    """Whether Prometheus has seen the collector alive."""
    url = f"http://{address}/api/v1/query?query=up{{job=%22{JOB}%22}}"
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
    except OSError:
        return False
    return any(one["value"][1] == "1" for one in found)


def test_a_killed_collector_is_paged_for(database: str, embedded_broker: Any, tmp_path: Path) -> None:
    require_or_skip(shutil.which("prometheus"), "prometheus", INSTALL)
    with watched(database, embedded_broker, tmp_path) as made, prometheus(made, tmp_path) as address:
        made.stack.wait_until(lambda: is_scraped(address), "it is scraped")
        assert not state_of(address, "DriftbellDown"), "quiet before"
        made.process.kill()
        killed_at = time.monotonic()
        made.stack.wait_until(lambda: state_of(address, "DriftbellDown") == "firing", "the alert")
        limit = FOR_SECONDS + 2 * SCRAPE_SECONDS
        assert FOR_SECONDS <= time.monotonic() - killed_at <= limit + MARGIN_SECONDS
