"""A model goes quiet, or a feature goes NaN, and the page arrives: with the real Prometheus and Alertmanager."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.monitor import Monitor, WindowSpec
from service.reference.builder import build_reference
from service.reference.specification import ReferenceSpec
from tests.deploy.rendering import render
from tests.flow.stack import Stack, free_port, running
from tests.flow.streams import Table, write_csv
from tests.servers.requirements import require_or_skip

pytestmark = [pytest.mark.postgres, pytest.mark.prometheus, pytest.mark.kafka, pytest.mark.slow]

INSTALL = "apt-get update && apt-get install -y prometheus prometheus-alertmanager"
MODEL = "churn"


class Pager:
    """A webhook that remembers the alerts it was sent."""

    def __init__(self) -> None:
        self.pages: list[dict[str, Any]] = []
        pages = self.pages

        class Receiver(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                pages.extend(a | {"path": self.path} for a in body["alerts"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def firing(self, **labels: str) -> list[dict[str, Any]]:
        """The alerts sent as firing that have these labels."""
        return self._sent("firing", labels)

    def resolved(self, **labels: str) -> list[dict[str, Any]]:
        """The alerts sent as resolved that have these labels."""
        return self._sent("resolved", labels)

    def _sent(self, status: str, labels: dict[str, str]) -> list[dict[str, Any]]:
        return [
            a for a in list(self.pages) if a["status"] == status and labels.items() <= a["labels"].items()
        ]


class Traffic:
    """Ten events every 50 ms, until told otherwise."""

    def __init__(self, stack: Any, broker: Any) -> None:
        from kafka import KafkaProducer

        self.silent, self.nan, self._stop = threading.Event(), threading.Event(), threading.Event()
        self._topic, self._random, self._sent = stack.topic, np.random.default_rng(3), 0
        self._producer = KafkaProducer(bootstrap_servers=broker.bootstrap_servers, linger_ms=5)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(0.05):
            if not self.silent.is_set():
                for _ in range(10):
                    self._producer.send(self._topic, self._event(), partition=self._sent % 2)
                    self._sent += 1

    def _event(self) -> bytes:
        amount = float("nan") if self.nan.is_set() else float(self._random.normal())
        features = {"amount": amount, "age": float(self._random.normal())}
        ts = time.time_ns() // 1_000_000
        return json.dumps(
            {
                "type": "prediction",
                "model": MODEL,
                "version": "1",
                "id": f"e{self._sent}",
                "ts": ts,
                "features": features,
            }
        ).encode()

    def end(self) -> None:
        self._stop.set()
        self._thread.join(5)
        self._producer.close()


@contextmanager
def process(*command: str, log: Path) -> Iterator[None]:
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as started:
        try:
            yield
        finally:
            started.terminate()
            started.wait(20)


@pytest.fixture
def watched(database: str, embedded_broker: Any, tmp_path: Path) -> Iterator[Any]:
    """driftbell, its traffic, Prometheus, Alertmanager and a pager."""
    for program in ("prometheus", "prometheus-alertmanager"):
        require_or_skip(shutil.which(program), program, INSTALL)
    stack = Stack(database, embedded_broker.bootstrap_servers, embedded_broker.new_topic(2), tmp_path)
    values = np.random.default_rng(1).normal(size=(2, 5_000))
    table = Table({"amount": values[0], "age": values[1]})
    profile = build_reference(write_csv(table, tmp_path / "reference.csv"), ReferenceSpec(MODEL, "churn"))
    monitor = Monitor(
        model=MODEL, reference="churn", pane_ms=1_000, windows=(WindowSpec.tumbling(2_000),), disorder_ms=500,
        allowed_lateness_ms=2_000, idle_after_ms=3_000, nonfinite="missing",
    )  # fmt: skip
    stack.prepare([monitor], [profile])
    pager = Pager()
    with ExitStack() as closing:
        closing.enter_context(running(stack))
        stack.start("run")
        start_prometheus(closing, stack, pager, tmp_path)
        traffic = Traffic(stack, embedded_broker)
        closing.callback(pager.server.shutdown)
        closing.callback(traffic.end)
        stack.wait_until(
            lambda: stack.series("driftbell_window_events", model=MODEL), "windows are on /metrics"
        )
        time.sleep(16)  # eight windows: what is usual must be known before less than usual can ring
        stack.traffic, stack.pager = traffic, pager  # type: ignore[attr-defined]
        yield stack


def start_prometheus(closing: ExitStack, stack: Stack, pager: Pager, folder: Path) -> None:
    alertmanager, prometheus = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    made = render(
        folder / "deploy",
        serve=f"127.0.0.1:{stack.port}",
        alertmanager=alertmanager,
        webhook_url=pager.url,
        for_override="1s",
    )
    data = folder / "data"
    closing.enter_context(process(
        "prometheus", f"--config.file={made.prometheus}", f"--storage.tsdb.path={data}/prometheus",
        f"--web.listen-address={prometheus}", log=folder / "prometheus.out",
    ))  # fmt: skip
    closing.enter_context(process(
        "prometheus-alertmanager", f"--config.file={made.alertmanager}", f"--storage.path={data}/alertmanager",
        "--cluster.listen-address=", f"--web.listen-address={alertmanager}", log=folder / "alertmanager.out",
    ))  # fmt: skip


def test_silence_pages_and_ends_when_traffic_returns(watched: Any) -> None:
    assert not watched.pager.firing(model=MODEL), "quiet before"

    watched.traffic.silent.set()
    page = watched.wait_until(
        lambda: watched.pager.firing(model=MODEL, cause="silence"), "the page for silence", 60
    )[0]

    assert page["path"].endswith("/page")
    assert MODEL in page["annotations"]["summary"]
    watched.traffic.silent.clear()
    watched.wait_until(
        lambda: not watched.series("driftbell_alert_firing", cause="silence"), "the alert ends", 60
    )
    watched.wait_until(lambda: watched.pager.resolved(cause="silence"), "the pager hears that it is over", 60)


def test_a_feature_that_goes_nan_pages_with_its_name(watched: Any) -> None:
    watched.traffic.nan.set()

    page = watched.wait_until(
        lambda: watched.pager.firing(model=MODEL, feature="amount"), "the page for the feature", 60
    )[0]

    assert (page["labels"]["cause"], page["labels"]["severity"]) == ("missing", "page")
    assert not watched.pager.firing(feature="age")
    watched.wait_until(
        lambda: (
            max(watched.series("driftbell_missing_ratio", feature="amount", kind="nan").values(), default=0.0)
            == 1.0
        ),
        "the next window is NaN throughout",
    )
