"""A report as one HTML file that needs nothing else: its style within, its pictures drawn here, and no script."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

from service.dead_letters.readable import visible
from service.reports.phrases import minute, share
from service.web.rendering import render

if TYPE_CHECKING:
    from service.reports.document import Report, Strip

STRIP_HEIGHT = 20
_HIGHEST = 2.0
"""A score of twice its limit and more fills its strip; the limit is half-way up."""


def html_of(report: Report) -> str:
    """The page."""
    return render("report.html", report=report, **drawn_by())


def drawn_by() -> dict[str, object]:
    """What the parts of a report in `sections.html` are written and drawn by."""
    return {
        "visible": visible, "minute": minute, "share": share, "shape": path_of, "strip_height": STRIP_HEIGHT,
    }  # fmt: skip


@cache
def report_policy() -> str:
    """What a browser may do for a report: take the one style that is within, and nothing more."""
    digest = b64encode(sha256(_style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'; base-uri 'none'; "
        "form-action 'none'"
    )


@cache
def _style() -> str:
    return render("report.css")


def path_of(strip: Strip, *, over: bool, is_limited: bool) -> str:
    """The outline of a strip's columns, each one wide: of those over the limit, or of the others."""
    parts = []
    for place, value in enumerate(strip.values):
        if value is None or (is_limited and value > 1) is not over:
            continue
        high = STRIP_HEIGHT * min(1.0, max(0.02, value / (_HIGHEST if is_limited else 1.0)))
        parts.append(f"M{place} {STRIP_HEIGHT}v-{high:.3g}h.9v{high:.3g}z")
    return "".join(parts)
