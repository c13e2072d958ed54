"""HEAD is answered as GET without its body, where that ends; OPTIONS with the methods that an address has."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

API = "/api/"
STREAM = "/api/v1/events/stream"
"""Its answer has no end: a HEAD would wait for ever."""


class BodilessHeads:
    """Asks the API for what a GET would answer, and sends its headers only."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD" or not _has_head(scope["path"]):
            await self._app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET"}, receive, send_head)


def allowed_methods(app: FastAPI, path: str) -> str:
    """The methods that this path answers, as `Allow` says them; empty where it answers none.

    Of several documented paths that fit, such as `/monitors/backtest` and `/monitors/{model}`, the first one's.
    """
    documented = documented_path(app, path)
    routes = (one for one in iter_route_contexts(app.routes) if documented and one.path_format == documented)
    found = {method for route in routes for method in route.methods or ()}
    if "GET" in found and _has_head(path):
        found.add("HEAD")
    return ", ".join(sorted(found))


def _has_head(path: str) -> bool:
    return path.startswith(API) and path != STREAM


def documented_path(app: FastAPI, path: str) -> str:
    """The path, with its parameters in braces, of the first route that answers this one; empty where none does."""
    for route in iter_route_contexts(app.routes):
        pattern = getattr(route, "path_regex", None)
        if pattern is not None and pattern.match(path):
            return route.path_format or ""
    return ""


def options_answer(allowed: str) -> Response:
    """What may be done here. It allows no other site anything: there are no CORS headers."""
    return Response(status_code=204, headers={"Allow": f"{allowed}, OPTIONS"})
