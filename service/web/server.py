"""uvicorn in a thread, ended by an event."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import uvicorn

from service.errors import ConfigurationError
from service.web.connections import MOST_CONNECTIONS, TimedConnection

if TYPE_CHECKING:
    from fastapi import FastAPI

_HEADER_BYTES = 65_536
_CLOSE_SECONDS = 5


class WebServer:
    """Serves one application on one address. The socket is bound at once: a taken port is said before work starts."""

    def __init__(self, app: FastAPI, host: str, port: int, trusted_proxies: Sequence[str] = ()) -> None:
        self._listener = _listen(host, port)
        self._server = uvicorn.Server(bounded_config(app, trusted_proxies))

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


def bounded_config(app: FastAPI, trusted_proxies: Sequence[str] = (), **more: Any) -> uvicorn.Config:
    """How uvicorn serves us: headers, connections and the end of it bounded, and no trust in headers of anybody."""
    return uvicorn.Config(
        app, log_config=None, log_level="warning", access_log=False, server_header=False,
        http=TimedConnection, ws="none",
        h11_max_incomplete_event_size=_HEADER_BYTES, timeout_graceful_shutdown=_CLOSE_SECONDS,
        limit_concurrency=MOST_CONNECTIONS + 1, proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=list(trusted_proxies), **more,
    )  # fmt: skip


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
