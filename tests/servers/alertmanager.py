"""A real Alertmanager on a free port, and a pager that remembers what it was sent."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from tests.flow.stack import free_port
from tests.servers.requirements import require_or_skip
from tests.waiting import until

PROGRAM = "prometheus-alertmanager"
INSTALL = "apt-get update && apt-get install -y prometheus-alertmanager"


class Pager:
    """A webhook that remembers the alerts it was sent."""

    def __init__(self) -> None:
        self.alerts: list[dict[str, Any]] = []
        alerts = self.alerts

        class Receiver(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                alerts.extend(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["alerts"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def sent(self, status: str, name: str = "DriftbellIncident") -> list[dict[str, Any]]:
        return [a for a in list(self.alerts) if (a["status"], a["labels"]["alertname"]) == (status, name)]


@dataclass
class RunningAlertmanager:
    """It can be ended and started anew, with nothing of what it knew."""

    folder: Path
    pager: Pager = field(default_factory=Pager)
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        require_or_skip(shutil.which(PROGRAM), PROGRAM, INSTALL)
        config = self.folder / "alertmanager.yml"
        config.write_text(yaml.safe_dump({
            "route": {
                "receiver": "pager", "group_wait": "0s", "group_interval": "1s", "repeat_interval": "1h",
                "group_by": ["..."],
            },
            "receivers": [{"name": "pager", "webhook_configs": [{"url": self.pager.url}]}],
        }))  # fmt: skip
        log = (self.folder / "alertmanager.out").open("ab")
        self._process = subprocess.Popen(
            [
                PROGRAM, f"--config.file={config}", f"--storage.path={self.folder / 'data'}",
                "--cluster.listen-address=", f"--web.listen-address=127.0.0.1:{self.port}",
            ],
            stdout=log, stderr=log,
        )  # fmt: skip
        log.close()
        until(self._is_ready)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=2):
                return True
        except OSError:
            return False

    def end(self, *, forget: bool = False) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(20)
            self._process = None
        if forget:
            shutil.rmtree(self.folder / "data", ignore_errors=True)

    def ask(self, path: str, body: object = None, method: str | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/api/v2/{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text.strip() else None

    def incidents(self) -> list[dict[str, Any]]:
        """The alerts of incidents that it has."""
        return [a for a in self.ask("alerts") if a["labels"]["alertname"] == "DriftbellIncident"]

    def silences(self) -> list[dict[str, Any]]:
        """Those that hold."""
        return [one for one in self.ask("silences") if one["status"]["state"] == "active"]
