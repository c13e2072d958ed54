"""The routes by which monitors are set up: topics, drafts, monitors, back-tests, references."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter

from service.web.api import backtests, monitor_editing, reference_making, topics

_TABLE = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("text/csv", "application/vnd.apache.parquet")
        },
    }
}

_POSTS: dict[str, Callable[..., Any]] = {
    "/monitors/validate": monitor_editing.validate,
    "/monitors/diff": monitor_editing.diff,
    "/monitors/draft": topics.draft_monitor,
    "/monitors/backtest": backtests.start,
    "/topics/sniff": topics.sniff,
    "/references/learn": reference_making.learn_reference,
    "/references/accept": reference_making.accept_reference,
}


def add_setup_routes(router: APIRouter) -> None:
    """All of them; what changes or costs something is a POST, which needs the scope write."""
    for path, endpoint in _POSTS.items():
        router.add_api_route(path, endpoint, methods=["POST"])
    router.add_api_route(
        "/monitors", monitor_editing.save, methods=["POST"], response_model=monitor_editing.SavedMonitors
    )
    router.add_api_route("/references", reference_making.upload, methods=["POST"], openapi_extra=_TABLE)
    router.add_api_route("/topics", topics.topics, methods=["GET"])
    router.add_api_route("/backtests/{job_id}", backtests.find, methods=["GET"])
    router.add_api_route("/backtests/{job_id}", backtests.cancel, methods=["DELETE"])
