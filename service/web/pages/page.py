"""One page as an answer: its template with the way back to the root, the visitor, and where it stands in the menu."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import HTMLResponse

from service.store.keys import Scope
from service.web.authorization import caller_of
from service.web.pages.menu import MENU
from service.web.rendering import render


def page(request: Request, template: str, **values: object) -> HTMLResponse:
    """The page. Its links are relative to `root`, since driftbell may stand below a path of a proxy."""
    shown = {
        "root": root_of(request),
        "caller": caller_of(request),
        "may_write": may_write(request),
        "menu": MENU,
    }
    return HTMLResponse(render(template, **shown | values))


def root_of(request: Request) -> str:
    """The way from the page's address to ours: "" or some "../". A quoted slash of a name is none of the path."""
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    return "../" * (raw.count(b"/") - 1)


def may_write(request: Request) -> bool:
    """Whether the visitor may change something: everybody may where nobody is asked for a key."""
    key = caller_of(request).key
    return key is None or key.allows(Scope.WRITE)
