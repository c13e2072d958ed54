#!/usr/bin/env python3
"""A stand-in for your pager: prints every message of Alertmanager as one line per alert.

    python deploy/alertmanager/receiver.py [HOST:PORT]     (default 127.0.0.1:9099)

It shows in `docker compose logs receiver` what would have woken you. Needs nothing but Python.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LARGEST_BODY = 1_000_000


def lines_of(receiver: str, message: dict[str, Any]) -> list[str]:
    """Return a line for each alert of a webhook message: who gets it, its state, and what a person reads."""
    return [
        " ".join(
            (
                receiver,
                str(alert["status"]).upper(),
                str(alert["labels"].get("alertname")),
                json.dumps(str(alert["annotations"].get("summary", ""))),
                str(alert["annotations"].get("runbook_url", "")),
            )
        )
        for alert in message["alerts"]
    ]


class Receiver(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer(200)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        if length > LARGEST_BODY:
            self._answer(413)
            return
        body = self.rfile.read(length)
        try:
            lines = lines_of(self.path.strip("/"), json.loads(body))
        except (ValueError, KeyError, TypeError, AttributeError):
            self._answer(400)
            return
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()
        self._answer(200)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Print alerts only, not requests."""


def main(arguments: list[str]) -> None:
    host, _, port = (arguments[0] if arguments else "127.0.0.1:9099").rpartition(":")
    ThreadingHTTPServer((host, int(port)), Receiver).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
