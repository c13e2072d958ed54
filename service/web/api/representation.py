"""How the API's answers are told: as JSON or CSV, and not again to who has them already."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from service.web.api.csv_rows import MEDIA_TYPE, TableOf, csv_of, table_of_answer

FORMAT, CSV, JSON = "format", "csv", "json"
CACHING = "private, no-cache"
"""Browsers may keep an answer, and ask each time whether it still holds."""
_TAG_BYTES = 16
_JSON_TYPE = "application/json"
_NOT_AGAIN = ("etag", "cache-control", "vary", "link")

Answering = Callable[[Request], Coroutine[Any, Any, Response]]


class ToldRoute(APIRoute):
    """A route whose answers to GET carry an entity tag, and come as CSV where they have rows and CSV is asked for."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        self._table = table_of_answer(endpoint) if _gets(options.get("methods")) else None
        if self._table is not None:
            options["openapi_extra"] = _CSV_TOO
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Answering:
        """What FastAPI calls."""
        answering = super().get_route_handler()
        if not _gets(self.methods):
            return answering

        async def tell(request: Request) -> Response:
            form = JSON if self._table is None else form_asked(request)
            response = await answering(request if self._table is None else _without_format(request))
            if response.status_code != 200 or not hasattr(response, "body"):
                return response
            if form == CSV and self._table is not None:
                response = await run_in_threadpool(_as_csv, request, response, self._table)
            return _tagged(request, response)

        return tell


def _gets(methods: Any) -> bool:
    return set(methods or {"GET"}) == {"GET"}


# ---------------------------------------------------------------- CSV
_CSV_TOO = {
    "parameters": [{
        "name": FORMAT, "in": "query", "required": False, "schema": {"type": "string", "enum": [JSON, CSV]},
        "description": "csv: the rows as CSV, as with `Accept: text/csv`",
    }],
    "responses": {"200": {"content": {"text/csv": {"schema": {"type": "string"}}}}},
}  # fmt: skip


def form_asked(request: Request) -> str:
    """By the query string, else by what is accepted. Raises RequestValidationError for a form that there is not."""
    asked = request.query_params.getlist(FORMAT)
    if not asked:
        return CSV if _prefers_csv(request.headers.get("accept", "")) else JSON
    if asked[-1] not in {CSV, JSON}:
        mistake = {
            "loc": ("query", FORMAT),
            "msg": "write csv or json",
            "type": "value_error",
            "input": asked[-1],
        }
        raise RequestValidationError([mistake])
    return asked[-1]


def _prefers_csv(accept: str) -> bool:
    weights = weights_of(accept)
    return weights.get("text/csv", 0.0) > weights.get(_JSON_TYPE, 0.0)


def weights_of(accept: str) -> dict[str, float]:
    """How much each kind that an Accept header names is wanted: 0 to 1."""
    parts = (part.partition(";") for part in accept.split(","))
    return {kind.strip().lower(): _weight(more) for kind, _, more in parts}


def _weight(parameters: str) -> float:
    for one in parameters.split(";"):
        name, _, value = one.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def _without_format(request: Request) -> Request:
    """The endpoints do not know of forms, and refuse parameters that they do not know."""
    if FORMAT not in request.query_params:
        return request
    return Request({**request.scope, "query_string": _query(request).encode("ascii")}, request.receive)


def _query(request: Request, **changes: str) -> str:
    query = request.scope["query_string"].decode("latin-1")
    named = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] not in {FORMAT, *changes}]
    return urlencode([*named, *changes.items()], quote_via=quote)


def _as_csv(request: Request, response: Response, table_of: TableOf) -> Response:
    document = json.loads(bytes(response.body))
    name = request.scope["path"].strip("/").rpartition("/")[2]
    headers = {"Content-Disposition": f'attachment; filename="{quote(name)}.csv"'}
    following = document.get("next") if isinstance(document, dict) else None
    if following is not None:
        query = _query(request, cursor=following, format=CSV)
        headers["Link"] = f'<?{query}>; rel="next"'
    return Response(csv_of(table_of(document)), headers=headers, media_type=MEDIA_TYPE)


# ---------------------------------------------------------------- entity tags
def _tagged(request: Request, response: Response) -> Response:
    """The answer with its tag, or 304 for who has it. The tag is weak: the bytes may be compressed on their way."""
    tag = f'W/"{sha256(bytes(response.body)).hexdigest()[: 2 * _TAG_BYTES]}"'
    response.headers.setdefault("Vary", "Accept")
    response.headers["ETag"] = tag
    response.headers["Cache-Control"] = CACHING
    if not _has(request.headers.get("if-none-match", ""), tag):
        return response
    kept = {name: value for name, value in response.headers.items() if name in _NOT_AGAIN}
    return Response(status_code=304, headers=kept)


def _has(sent: str, tag: str) -> bool:
    tags = {one.strip().removeprefix("W/") for one in sent.split(",")}
    return "*" in tags or tag.removeprefix("W/") in tags
