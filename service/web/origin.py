"""Whether a browser says that a request comes from one of our own pages."""

from __future__ import annotations

from enum import Enum, auto
from urllib.parse import urlsplit

from starlette.datastructures import Headers

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Origin(Enum):
    """Where a request began."""

    OURS = auto()
    FOREIGN = auto()
    UNSAID = auto()  # no browser, or one from before 2020


def origin_of(headers: Headers) -> Origin:
    """What the browser says. No script of a foreign page can set or leave out these two headers."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return Origin.OURS if site == "same-origin" else Origin.FOREIGN
    origin = headers.get("origin")
    if origin is None:
        return Origin.UNSAID
    return Origin.OURS if _place(origin) == headers.get("host", "").lower() else Origin.FOREIGN


def _place(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None
