"""Bounds of what a request may send and cost. Bytes are counted as they come: a header may say anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from threading import BoundedSemaphore

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.web.problems import RETRY_SECONDS, problem_response

MOST_BODY_BYTES = 1_048_576
MOST_TABLE_BYTES = 32 * 2**20
TABLE_PATHS = ("/api/v1/references",)
"""Where larger bodies are taken, into a file: only once it is known who sends them."""
LARGE_ANSWERS = 2
"""So many answers at once that read thousands of sketches: each has a connection, 200 MB and a core for seconds."""
MOST_UPLOADS = 4
"""So many tables at once that lie on the disk: each has up to 32 MiB, and a minute to come."""
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_RANGES = (b"range", b"if-range")


class BoundedBodies:
    """Reads the whole body before anything else does, and refuses what is too large, compressed or made of parts.

    `form_paths`, and what lies below `form_folders`, are the only ones that take a form. What is posted to
    `streamed_paths` is left to be read, and its bytes to be counted, by who answers there.
    """

    def __init__(
        self,
        app: ASGIApp,
        form_paths: Sequence[str] = (),
        form_folders: Sequence[str] = (),
        streamed_paths: Sequence[str] = (),
    ) -> None:
        self._app = app
        self._form_folders = tuple(form_folders)
        self._form_paths = frozenset(form_paths)
        self._streamed_paths = frozenset(streamed_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_streamed = scope["method"] == "POST" and scope["path"] in self._streamed_paths
        most = MOST_TABLE_BYTES if is_streamed else MOST_BODY_BYTES
        refusal = self._refusal(scope["path"], Headers(scope=scope), most)
        if is_streamed and refusal is None:
            await self._app(scope, receive, send)
            return
        body = None if refusal is not None else await _read(receive, keep=scope["method"] in _WITH_BODY)
        if body is None:
            await (refusal or _too_large(most))(scope, receive, send)
            return
        await self._app(scope, _replayed(body, receive), send)

    def _refusal(self, path: str, headers: Headers, most: int) -> Response | None:
        declared = headers.get("content-length", "")
        if declared.isdecimal() and int(declared[:20]) > most:
            return _too_large(most)
        if headers.get("content-encoding", "identity").lower() not in {"identity", ""}:
            return problem_response(None, 415, "send the body as it is, without a Content-Encoding")
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        takes_forms = path in self._form_paths or path.startswith(self._form_folders)
        if (kind == "application/x-www-form-urlencoded" and not takes_forms) or kind.startswith("multipart/"):
            return problem_response(None, 415, "no form is taken here; send JSON")
        return None


async def _read(receive: Receive, *, keep: bool) -> bytes | None:
    """The body, None when it is too large; empty for methods that have none, whatever they send."""
    parts: list[bytes] = []
    count = 0
    while True:
        message = await receive()
        part: bytes = message.get("body", b"")
        count += len(part)
        if count > MOST_BODY_BYTES:
            return None
        if keep and part:
            parts.append(part)
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return b"".join(parts)


def _replayed(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _too_large(most: int) -> Response:
    return problem_response(None, 413, f"a body may have {most} bytes")


class Turns:
    """So many at once. Nobody waits: who waits holds a thread that probes and metrics need."""

    def __init__(self, at_once: int = LARGE_ANSWERS) -> None:
        self._free = BoundedSemaphore(at_once)

    @contextmanager
    def one(self) -> Iterator[None]:
        """Within it, one more is at it. Raises 503 when there are enough."""
        if not self._free.acquire(blocking=False):
            busy = f"others are being answered who ask for much; ask again in {RETRY_SECONDS} s"
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, busy, {"Retry-After": str(RETRY_SECONDS)})
        try:
            yield
        finally:
            self._free.release()


class WholeFiles(StaticFiles):
    """Files without ranges: ours are small, and ten thousand ranges of one are work for nothing."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = [(name, value) for name, value in scope.get("headers", []) if name not in _RANGES]
        await super().__call__({**scope, "headers": headers}, receive, send)
