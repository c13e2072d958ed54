"""What every answer carries, errors and files included, and which hosts are answered at all."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.web.problems import internal_problem, problem_response

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
PROBES = ("/healthz", "/readyz")  # Kubernetes calls these by the pod's address


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
                MutableHeaders(scope=message).update(HEADERS | {"Cache-Control": caching})
            await send(message)

        try:
            await self._app(scope, receive, send_guarded)
        except Exception as error:
            if started:
                raise
            await internal_problem(error)(scope, receive, send_guarded)


class KnownHosts:
    """Refuses requests that name another host than the allowed ones, which is what DNS rebinding does."""

    def __init__(self, app: ASGIApp, allowed_hosts: Sequence[str]) -> None:
        self._app = app
        self._exact = {host.lower() for host in allowed_hosts}
        self._endings = tuple(host[1:].lower() for host in allowed_hosts if host.startswith("*."))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] in PROBES or self._knows(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        detail = "this host name is not one of the allowed ones"
        await problem_response(None, 400, detail)(scope, receive, send)

    def _knows(self, headers: Headers) -> bool:
        host = headers.get("host", "").lower()
        name = host if host.endswith("]") else host.rsplit(":", 1)[0]
        return name in self._exact or (bool(self._endings) and name.endswith(self._endings))
