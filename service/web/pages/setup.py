"""Set-up: from a topic that nobody has looked into to a monitor that is saved, step by step."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import HTMLResponse

from service.monitor import Task
from service.sniffing.tail import MOST_RECORDS, USUAL_RECORDS
from service.store import queries
from service.store.engine import transaction
from service.store.paging import Paging
from service.web.api.backtests import LONGEST_DAYS
from service.web.api.monitor_editing import LONGEST_YAML
from service.web.api.parameters import Name
from service.web.api.topics import topics
from service.web.dependencies import Dependencies
from service.web.limits import MOST_TABLE_BYTES
from service.web.pages.page import page

_MOST_REFERENCES = 200


def setup(
    request: Request, web: Dependencies, topic: Name | None = None, model: Name | None = None
) -> HTMLResponse:
    """All steps on one page; `topic` and `model` are what was chosen so far. A topic that is named is looked into."""
    known = topics(web)
    names = [one.topic for one in known.items]
    with transaction(web.engine) as connection:
        references = queries.list_references(connection, Paging(_MOST_REFERENCES)).rows
    return page(
        request,
        "setup.html",
        place="setup",
        topics=names,
        no_topics=known.sentence,
        topic=topic or (names[0] if len(names) == 1 else ""),
        model=model or "",
        is_asked=topic is not None,
        references=references,
        tasks=[task.value for task in Task],
        usual_records=USUAL_RECORDS,
        most_records=MOST_RECORDS,
        most_megabytes=MOST_TABLE_BYTES // 2**20,
        longest=LONGEST_YAML,
        longest_days=LONGEST_DAYS,
        can_backtest=web.backtesting is not None,
    )
