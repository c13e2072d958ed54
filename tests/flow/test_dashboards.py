"""Every panel of every dashboard shows something of a real driftbell, asked through a real Prometheus.

Grafana itself is not run: it is in no package that tests install. Its queries are asked as it would ask them, with
its variables filled in by what Prometheus offers for them; that its page then looks right is not tested.
"""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from deploy.grafana.write import DASHBOARDS
from tests.deploy.asking import Asked, without_data
from tests.deploy.rendering import render
from tests.flow.stack import Stack, free_port, running
from tests.servers.prometheus import prometheus
from tests.servers.requirements import require_or_skip

pytestmark = [pytest.mark.postgres, pytest.mark.kafka, pytest.mark.prometheus, pytest.mark.slow]

INSTALL = "apt-get update && apt-get install -y prometheus"
SPEED = "2"
PATIENCE_SECONDS = 240.0


class Watched(NamedTuple):
    """The three roles as processes of their own, the demo's traffic, and the Prometheus that scrapes them."""

    stack: Stack
    evaluator: Any
    url: str
    began_s: float

    def asked(self) -> Asked:
        """Prometheus up to now."""
        return Asked(self.url, self.began_s, time.time())


@pytest.fixture
def watched(database: str, embedded_broker: Any, tmp_path: Path) -> Iterator[Watched]:
    """Three processes of driftbell, scraped with the shipped configuration while the demo's script plays."""
    require_or_skip(shutil.which("prometheus"), "prometheus", INSTALL)
    stack = Stack(database, embedded_broker.bootstrap_servers, embedded_broker.new_topic(2), tmp_path)
    with ExitStack() as closing:
        closing.enter_context(running(stack))
        assert stack.start("migrate").wait(60) == 0, stack.logs()
        stack.start("serve")
        ports = {role: free_port() for role in ("collect", "evaluate")}
        started = {}
        for role, port in ports.items():
            stack.settings["METRICS_PORT"] = str(port)
            started[role] = stack.start(role)
        made = render(
            tmp_path / "deploy", serve=f"127.0.0.1:{stack.port}", alertmanager="127.0.0.1:1",
            webhook_url="http://127.0.0.1:1", pipeline={r: f"127.0.0.1:{p}" for r, p in ports.items()},
            for_override="0s",
        )  # fmt: skip
        began_s = time.time()
        url = closing.enter_context(prometheus(made.prometheus, tmp_path))
        stack.start("demo-traffic", "--speed", SPEED)
        yield Watched(stack, started["evaluate"], url, began_s)


def test_every_panel_annotation_and_variable_of_every_dashboard_has_data(watched: Watched) -> None:
    missing: list[str] = ["nothing was asked"]

    def nothing_is_missing() -> bool:
        time.sleep(2)
        asked = watched.asked()
        missing[:] = [said for one in DASHBOARDS for said in without_data(asked, one)]
        return all("annotation 'Alerts about driftbell'" in said for said in missing)

    try:
        watched.stack.wait_until(nothing_is_missing, "data", PATIENCE_SECONDS)
    except AssertionError as why:
        raise AssertionError("\n".join(["without data:", *missing, str(why)[-2_000:]])) from None

    # Nothing of the pipeline is wrong until something is: a role that has died is marked, too.
    watched.evaluator.send_signal(signal.SIGKILL)
    watched.stack.wait_until(lambda: nothing_is_missing() and not missing, "the mark of a dead role")
