"""Errors as problem details (RFC 9457): what went wrong in one sentence, never a traceback."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from service.errors import ConfigurationError, Unavailable
from service.store.paging import BadCursorError
from service.web.methods import allowed_methods, documented_path, options_answer
from service.web.rendering import render
from service.web.unknown_parameters import unknown_parameter

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5
LONGEST_INPUT = 200

logger = logging.getLogger(__name__)


class Mistake(BaseModel):
    """One wrong parameter; of one with many lines, which."""

    parameter: str
    sentence: str
    line: int | None = None


class Problem(BaseModel):
    """What every error answers."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    mistakes: list[Mistake] = []


# Stands in the OpenAPI document for all answers that are not told apart there.
PROBLEM_ANSWERS: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A problem, said in one sentence",
        "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}},
    }
}


class Refused(Exception):
    """What was sent cannot be used: a sentence, and each mistake in it."""

    def __init__(self, status: int, detail: str, mistakes: Sequence[Mistake] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.mistakes = mistakes


def not_found(what: str) -> HTTPException:
    """There is no such thing; `what` is the sentence."""
    return HTTPException(HTTPStatus.NOT_FOUND, what)


def add_problem_answers(app: FastAPI) -> None:
    """Answer every exception with a problem."""
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_parameters)
    app.add_exception_handler(BadCursorError, _on_cursor)
    app.add_exception_handler(Refused, _on_refused)
    app.add_exception_handler(Unavailable, _on_unavailable)
    app.add_exception_handler(ConfigurationError, _on_unavailable)


def problem_response(
    request: Request | None,
    status: int,
    detail: str,
    headers: Mapping[str, str] | None = None,
    mistakes: Sequence[Mistake] = (),
) -> Response:
    """The problem as JSON, or as a page where a browser asks for a page."""
    title = HTTPStatus(status).phrase
    if request is not None and _wants_page(request):
        root = "../" * (request.scope["path"].count("/") - 1)
        page = render("problem.html", title=title, status=status, detail=detail, root=root)
        return HTMLResponse(page, status, headers)
    problem = Problem(title=title, status=status, detail=detail, mistakes=list(mistakes))
    content = problem.model_dump(exclude_defaults=True) | {"type": problem.type}
    return JSONResponse(content, status, headers, MEDIA_TYPE)


def internal_problem(error: Exception) -> Response:
    """The answer to what nobody expected: the traceback goes to the log and nowhere else."""
    logger.error("a request failed", exc_info=error)
    return problem_response(None, 500, "driftbell failed to answer; its log says why")


def _wants_page(request: Request) -> bool:
    return not request.scope["path"].startswith("/api/") and "text/html" in request.headers.get("accept", "")


def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - by its registration
    generic = error.detail == HTTPStatus(error.status_code).phrase
    sentences = {404: "there is nothing at this address", 405: "this address does not answer this method"}
    detail = sentences.get(error.status_code, error.detail) if generic else error.detail
    headers = error.headers
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = allowed_methods(request.app, request.scope["path"])
        if request.method == "OPTIONS":
            return options_answer(allowed)
        headers = {"Allow": allowed}
    return problem_response(request, error.status_code, detail, headers)


def _on_parameters(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - by its registration
    mistakes = [
        Mistake(parameter=".".join(map(str, one["loc"][1:])), sentence=_said(request, one))
        for one in error.errors()
    ]
    return problem_response(request, 422, joined(mistakes), mistakes=mistakes)


def joined(mistakes: Iterable[Mistake]) -> str:
    """All mistakes in one sentence, each with the parameter it is in."""
    return "; ".join(
        f"{one.parameter[:LONGEST_INPUT]}: {one.sentence}".removeprefix(": ") for one in mistakes
    )


def sentence_of(mistake: Mapping[str, Any]) -> str:
    """What pydantic says of it, without its own words before ours."""
    return str(mistake["msg"]).removeprefix("Value error, ")


def query_names(request: Request) -> list[str]:
    """The query parameters of the address that is asked, by the OpenAPI document."""
    allowed = request.app.openapi()["paths"].get(documented_path(request.app, request.scope["path"]), {})
    listed = allowed.get(request.method.lower(), {}).get("parameters", [])
    return sorted(one["name"] for one in listed if one["in"] == "query")


def _said(request: Request, mistake: Mapping[str, Any]) -> str:
    if mistake["type"] == "extra_forbidden" and mistake["loc"][0] == "query":
        return unknown_parameter(str(mistake["loc"][-1]), query_names(request))
    return sentence_of(mistake)


def _on_cursor(request: Request, error: Exception) -> Response:
    mistake = Mistake(parameter="cursor", sentence=str(error))
    return problem_response(request, 422, f"cursor: {error}", mistakes=[mistake])


def _on_refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)  # noqa: S101 - by its registration
    return problem_response(request, error.status, error.detail, mistakes=error.mistakes)


def _on_unavailable(request: Request, error: Exception) -> Response:
    return problem_response(request, 503, str(error), {"Retry-After": str(RETRY_SECONDS)})
