"""What every answer carries, errors and files included, and which hosts are answered at all."""

from __future__ import annotations

import re
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.web.problems import internal_problem, problem_response

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
POLICY = "Content-Security-Policy"
"""A page that needs less than the others says so itself."""
CACHING = "Cache-Control"
"""So does an answer that may be kept."""
HEADERS = {
    POLICY: CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
PROBES = ("/healthz", "/readyz")  # Kubernetes calls these by the pod's address
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?")


class GuardedAnswers:
    """The outermost layer: sets the headers, and makes a problem, with headers, of what nobody caught."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False
        caching = "no-cache" if scope["path"].startswith("/static/") else "no-store"

        async def send_guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                own = {name: headers[name] for name in (POLICY, CACHING) if name in headers}
                headers.update(HEADERS | {CACHING: caching} | own)
            await send(message)

        try:
            await self._app(scope, receive, send_guarded)
        except Exception as error:
            if started:
                raise
            await internal_problem(error)(scope, receive, send_guarded)


class KnownHosts:
    """Refuses requests that name another host than the allowed ones, which is what DNS rebinding does.

    Paths in `any_host` are answered whatever is named: who asks them knows an address and no name.
    """

    def __init__(self, app: ASGIApp, allowed_hosts: Sequence[str], any_host: Sequence[str] = PROBES) -> None:
        self._app = app
        self._any_host = frozenset(any_host)
        self._exact = {host.lower() for host in allowed_hosts}
        self._endings = tuple(host[1:].lower() for host in allowed_hosts if host.startswith("*."))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] in self._any_host or self._knows(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        detail = "this host name is not one of the allowed ones"
        await problem_response(None, 400, detail)(scope, receive, send)

    def _knows(self, headers: Headers) -> bool:
        hosts = headers.getlist("host")
        parts = _HOST.fullmatch(hosts[0].lower()) if len(hosts) == 1 else None
        if parts is None:
            return False
        name = parts[1]
        return name in self._exact or (bool(self._endings) and name.endswith(self._endings))
