"""Server-sent events: what changes is told to pages that are open, as long as who looks at them may look."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from service.errors import DriftbellError
from service.web.api.watcher import Listener, Watcher
from service.web.authorization import is_still_admitted, may_use
from service.web.connections import ENDLESS
from service.web.dependencies import Dependencies, WebDependencies
from service.web.methods import STREAM
from service.web.problems import PROBLEM_ANSWERS

RETRY_MS = 3_000
_LONGEST_ID = 100


def event_router() -> APIRouter:
    """The one stream. It is no part of the OpenAPI document: nothing that reads it waits for an answer's end."""
    router = APIRouter(include_in_schema=False, responses=PROBLEM_ANSWERS, dependencies=[Depends(may_use)])
    router.add_api_route(STREAM, stream, methods=["GET"], response_class=StreamingResponse)
    return router


def stream(request: Request, web: Dependencies) -> StreamingResponse:
    """Events `models` and `incidents` as they come; `Last-Event-ID` takes up where a connection broke off."""
    watcher: Watcher = request.app.state.watcher
    last_id = request.headers.get("last-event-id", "")[:_LONGEST_ID] or None
    listener = watcher.listen(last_id)

    async def told() -> AsyncIterator[str]:
        yield f"retry: {RETRY_MS}\nid: {listener.begun_at}\n\n"
        async for part in _parts(listener, web, partial(_may_still_look, request, web)):
            yield part

    request.scope.get("extensions", {}).get(ENDLESS, lambda: None)()
    return EventStream(told(), listener)


class EventStream(StreamingResponse):
    """Lets the listener go however the stream ends."""

    def __init__(self, parts: AsyncIterator[str], listener: Listener) -> None:
        super().__init__(parts, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
        self._listener = listener

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._listener.close()


async def _parts(
    listener: Listener, web: WebDependencies, is_admitted: Callable[[], bool]
) -> AsyncIterator[str]:
    """Events, and a beat when there are none: who hears neither is not connected any more."""
    news, loop = asyncio.Event(), asyncio.get_running_loop()
    listener.wake = lambda: _wake(loop, news)
    while not listener.is_over:
        news.clear()
        for one in listener.heard():
            yield f"id: {one.id}\nevent: {one.news.name}\ndata: {one.news.data}\n\n"
        if not await _has_news(news, web.beat_seconds):
            yield ": still here\nevent: beat\ndata: {}\n\n"
        if not await run_in_threadpool(is_admitted):
            return


def _may_still_look(request: Request, web: WebDependencies) -> bool:
    """Who cannot be asked about is sent away, and told so when they come back."""
    try:
        return is_still_admitted(request, web)
    except DriftbellError:
        return False


async def _has_news(news: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(news.wait(), seconds)
    except TimeoutError:
        return False
    return True


def _wake(loop: asyncio.AbstractEventLoop, news: asyncio.Event) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(news.set)
