"""uvicorn in a thread, ended by an event."""

from __future__ import annotations

import socket
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import uvicorn

from service.errors import ConfigurationError

if TYPE_CHECKING:
    from fastapi import FastAPI

_HEADER_BYTES = 65_536
_CLOSE_SECONDS = 5


class WebServer:
    """Serves one application on one address. The socket is bound at once: a taken port is said before work starts."""

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        self._listener = _listen(host, port)
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, server_header=False,
            h11_max_incomplete_event_size=_HEADER_BYTES, timeout_graceful_shutdown=_CLOSE_SECONDS,
            limit_concurrency=200, ws="none",
        )  # fmt: skip
        self._server = uvicorn.Server(config)

    def run(self, stop: Event) -> None:
        """Serve until `stop` is set."""
        options: dict[str, Any] = {"sockets": [self._listener]}
        thread = Thread(target=self._server.run, kwargs=options, name="uvicorn", daemon=True)
        thread.start()
        while not stop.wait(0.2) and thread.is_alive():
            pass
        self._server.should_exit = True
        thread.join(2 * _CLOSE_SECONDS)
        self._listener.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(
        family, socket.SOCK_STREAM, socket.IPPROTO_TCP
    )  # else asyncio leaves Nagle on: 40 ms a request
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as why:
        listener.close()
        raise ConfigurationError(
            f"cannot listen on {host}:{port}: {why.strerror or why}; choose another with DRIFTBELL_PORT"
        ) from why
    listener.listen(128)
    return listener
