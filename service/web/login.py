"""A login for browsers: a form takes a key and gives a cookie, of which only the SHA-256 is stored."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, NamedTuple
from urllib.parse import quote

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from service.moments import time_at
from service.settings import Auth
from service.store.engine import transaction
from service.store.keys import Refusal, close_login, open_login, verify_key, verify_login
from service.web.authorization import (
    COOKIE,
    REALM,
    LoginWanted,
    address_of,
    for_everybody,
    login_token,
    slow_down,
)
from service.web.dependencies import Dependencies, WebDependencies
from service.web.forms import form_fields
from service.web.origin import Origin, origin_of
from service.web.rendering import render

LIFETIME = timedelta(hours=12)
FORM_PATHS = ("/login", "/logout")
_MOST_FIELDS = 4
_LONGEST_NEXT = 2_000
# A path below ours: printable, and with "./" before it no address of another host.
_NEXT = re.compile(r"[!-\[\]-~]*")

logger = logging.getLogger(__name__)


class Form(NamedTuple):
    """What the login form sends: a key, and the page to show then."""

    key: str
    next: str


def login_router() -> APIRouter:
    """The form, and its two ends."""
    router = APIRouter(include_in_schema=False, dependencies=[Depends(for_everybody)])
    router.add_api_route("/login", _show, methods=["GET", "HEAD"], response_class=HTMLResponse)
    router.add_api_route("/login", _open, methods=["POST"], response_class=HTMLResponse)
    router.add_api_route("/logout", _close, methods=["POST"], response_class=HTMLResponse)
    return router


def add_login_answers(app: FastAPI) -> None:
    """Send browsers without a login to the form."""
    app.add_exception_handler(LoginWanted, _to_form)


# ---------------------------------------------------------------- the form
def _show(request: Request, web: Dependencies) -> Response:
    wanted = _below(request.query_params.get("next", ""))
    if web.auth is Auth.OPEN or _is_logged_in(request, web):
        return _see(f"./{wanted}")
    return HTMLResponse(render("login.html", next=wanted, complaint=None))


def _is_logged_in(request: Request, web: WebDependencies) -> bool:
    token = login_token(request)
    if token is None:
        return False
    slow_down(request.app.state.buckets, address_of(request))
    with transaction(web.engine) as connection:
        return verify_login(connection, token, time_at(web.clock_ms())) is not None


async def _form(request: Request) -> Form:
    fields = await form_fields(request, _MOST_FIELDS)
    return Form(fields.get("key", ""), _below(fields.get("next", "")))


def _open(request: Request, web: Dependencies, form: Annotated[Form, Depends(_form)]) -> Response:
    _refuse_foreign_form(request)
    slow_down(request.app.state.login_buckets, address_of(request))
    now = time_at(web.clock_ms())
    with transaction(web.engine) as connection:
        found = verify_key(connection, form.key, now)
        token = None if isinstance(found, Refusal) else open_login(connection, found, now, LIFETIME)
    if isinstance(found, Refusal) or token is None:
        logger.warning("a login from %s was refused: %s", address_of(request), found)
        page = render("login.html", next=form.next, complaint=str(found))
        return HTMLResponse(page, HTTPStatus.UNAUTHORIZED, {"WWW-Authenticate": REALM})
    logger.info("login with key %s (%s) from %s", found.id, found.name, address_of(request))
    answer = _see(f"./{form.next}")
    answer.set_cookie(
        COOKIE, token, max_age=int(LIFETIME.total_seconds()), httponly=True, samesite="strict",
        secure=request.scope["scheme"] == "https",
    )  # fmt: skip
    return answer


def _close(request: Request, web: Dependencies) -> Response:
    _refuse_foreign_form(request)
    token = login_token(request)
    if token is not None:
        slow_down(request.app.state.buckets, address_of(request))
        with transaction(web.engine) as connection:
            close_login(connection, token)
    answer = _see("./login")
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=request.scope["scheme"] == "https")
    return answer


def _refuse_foreign_form(request: Request) -> None:
    """Nobody is logged in or out by another site."""
    if origin_of(request.headers) is not Origin.OURS:
        raise HTTPException(HTTPStatus.FORBIDDEN, "this form was not sent by driftbell's own page")


# ---------------------------------------------------------------- the way there and back
def _to_form(request: Request, _: Exception) -> Response:
    """Where the path of the form is relative to this page: driftbell may stand below a path of a proxy."""
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    if request.headers.get("sec-fetch-site") == "cross-site":
        # A strict cookie does not come along from a link elsewhere, such as an alert; from our own page it does.
        return HTMLResponse(render("bounce.html"))
    path = raw.decode("ascii", "replace").lstrip("/")
    query: bytes = request.scope["query_string"]
    wanted = _below(path + (f"?{query.decode('ascii', 'replace')}" if query else ""))
    back = f"?next={quote(wanted, safe='')}" if wanted else ""
    return _see(f"{'../' * (raw.count(b'/') - 1)}login{back}")


def _below(path: str) -> str:
    """The path below ours, or nothing where it is none."""
    return path if len(path) <= _LONGEST_NEXT and _NEXT.fullmatch(path) else ""


def _see(where: str) -> Response:
    return Response(status_code=HTTPStatus.SEE_OTHER, headers={"Location": where})
