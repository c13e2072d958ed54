"""Who may do what. Every route declares it by one of the dependencies here, or the application is not built.

`for_everybody`  no question asked: probes and the login
`may_use`        a key or a login: the scope read to look at something, write to change it
`may_scrape`     the same, or the metrics token
"""

from __future__ import annotations

import hmac
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from fastapi.routing import RouteContext, iter_route_contexts
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException
from starlette.routing import Mount

from service.moments import time_at
from service.settings import Auth
from service.store.engine import transaction
from service.store.keys import ApiKey, Scope, verify_key, verify_login
from service.web.buckets import Buckets
from service.web.dependencies import Dependencies, WebDependencies
from service.web.origin import SAFE_METHODS, Origin, origin_of

COOKIE = "driftbell-login"
REALM = 'Bearer realm="driftbell"'
STATIC = "/static"

logger = logging.getLogger(__name__)

# For the OpenAPI document; what was sent is read below.
Sent = Annotated[
    Any, Depends(HTTPBearer(auto_error=False, scheme_name="key", description="db_<id>_<secret>"))
]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a key, or nobody in particular where everybody is answered."""

    key: ApiKey | None = None
    by_cookie: bool = False


class LoginWanted(Exception):
    """A person's browser asks for a page and has no login: show the form."""


# ---------------------------------------------------------------- what routes declare
def for_everybody() -> None:
    """Answer anybody."""


def may_use(request: Request, web: Dependencies, _: Sent) -> None:
    """Answer who may look at this, or change it."""
    _admit(request, web, scope_for(request.method))


def may_scrape(request: Request, web: Dependencies, _: Sent) -> None:
    """Answer Prometheus, and who may look at this."""
    if web.metrics_token is None or not is_token(request, web.metrics_token):
        _admit(request, web, scope_for(request.method))


DECLARED: frozenset[Callable[..., None]] = frozenset({for_everybody, may_use, may_scrape})


def scope_for(method: str) -> Scope:
    """What a method needs."""
    return Scope.READ if method in SAFE_METHODS else Scope.WRITE


def declared_by(route: RouteContext) -> Callable[..., None]:
    """Who may use this route. Raises LookupError when it does not say so, or twice."""
    if isinstance(route.route, Mount) and route.path == STATIC:
        return for_everybody
    dependant = getattr(route, "dependant", None)
    calls = [one.call for one in dependant.dependencies] if dependant else []
    declared = [one for one in DECLARED if one in calls]
    if len(declared) != 1:
        raise LookupError(
            f"{route.path} declares {len(declared)} of for_everybody, may_use and may_scrape; give its router one"
        )
    return declared[0]


def refuse_undeclared(app: FastAPI) -> None:
    """Raise LookupError for a route that does not say who may use it."""
    for route in iter_route_contexts(app.routes):
        declared_by(route)


# ---------------------------------------------------------------- who asks
def is_token(request: Request, token: str) -> bool:
    """Whether this token was sent; in constant time."""
    return hmac.compare_digest((bearer_of(request) or "").encode(), token.encode())


def bearer_of(request: Request) -> str | None:
    """The text after "Bearer", None without an Authorization header, empty for another scheme."""
    header = request.headers.get("authorization")
    if header is None:
        return None
    scheme, _, text = header.strip().partition(" ")
    return text.strip() if scheme.lower() == "bearer" else ""


def caller_of(request: Request) -> Caller:
    """Who was admitted to this route."""
    caller: Caller = getattr(request.state, "caller", Caller())
    return caller


def login_token(request: Request) -> str | None:
    """The token of the login's cookie."""
    return request.cookies.get(COOKIE)


def _admit(request: Request, web: WebDependencies, wanted: Scope) -> None:
    """Let the request through to its route, or raise what it is answered."""
    if web.auth is Auth.OPEN:
        slow_down(request.app.state.buckets, address_of(request))
        _refuse_foreign_write(request, Caller())
        return
    caller = _identified(request, web)
    assert caller.key is not None  # noqa: S101 - nobody else is identified
    slow_down(request.app.state.buckets, caller.key.id)
    if not caller.key.allows(wanted):
        challenge = {"WWW-Authenticate": f'{REALM}, error="insufficient_scope", scope="{wanted.value}"'}
        raise HTTPException(403, f"this needs a key with the scope {wanted.value}", challenge)
    _refuse_foreign_write(request, caller)
    request.state.caller = caller


def _identified(request: Request, web: WebDependencies) -> Caller:
    now = time_at(web.clock_ms())
    sent, cookie = bearer_of(request), login_token(request)
    refusal = "send a key as `Authorization: Bearer db_...`"
    with transaction(web.engine) as connection:
        if sent is not None:
            found = verify_key(connection, sent, now)
            if isinstance(found, ApiKey):
                return Caller(found)
            refusal = found.value
        elif cookie is not None:
            key = verify_login(connection, cookie, now)
            if key is not None:
                return Caller(key, by_cookie=True)
    slow_down(
        request.app.state.buckets, address_of(request)
    )  # guesses, and our lines about them, are bounded
    if sent is not None:
        logger.info("a key from %s was refused: %s", address_of(request), refusal)
    if sent is None and wants_page(request):
        raise LoginWanted
    raise HTTPException(
        401, refusal, {"WWW-Authenticate": f'{REALM}, error="invalid_token"' if sent else REALM}
    )


def is_still_admitted(request: Request, web: WebDependencies) -> bool:
    """Whether who was admitted to this route may look at it still: keys are revoked, and logins end."""
    if web.auth is Auth.OPEN:
        return True
    now = time_at(web.clock_ms())
    sent, cookie = bearer_of(request), login_token(request)
    with transaction(web.engine) as connection:
        key = (
            verify_key(connection, sent, now)
            if sent is not None
            else verify_login(connection, cookie or "", now)
        )
    return isinstance(key, ApiKey) and key.allows(Scope.READ)


def _refuse_foreign_write(request: Request, caller: Caller) -> None:
    """A browser sends cookies, and reaches loopback addresses, for any page that it shows."""
    if request.method in SAFE_METHODS or (caller.key is not None and not caller.by_cookie):
        return
    origin = origin_of(request.headers)
    if origin is Origin.FOREIGN or (caller.by_cookie and origin is not Origin.OURS):
        raise HTTPException(403, "this comes from another site; change things from driftbell's own pages")


def wants_page(request: Request) -> bool:
    """Whether a person's browser asks for something to look at."""
    is_page = not request.scope["path"].startswith("/api/") and request.method in SAFE_METHODS
    return is_page and "text/html" in request.headers.get("accept", "")


# ---------------------------------------------------------------- how often
def slow_down(buckets: Buckets, name: str) -> None:
    """Raise 429 when this caller has asked too often."""
    seconds = buckets.take(name)
    if seconds:
        wait = math.ceil(seconds)
        raise HTTPException(429, f"too many requests; ask again in {wait} s", {"Retry-After": str(wait)})


def address_of(request: Request) -> str:
    """The client's address, which a trusted proxy may have told."""
    return request.client.host if request.client else "unknown"
