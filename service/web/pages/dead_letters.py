"""Dead letters for a person: listed, and one with its bytes made safe to look at."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import HTMLResponse

from service.dead_letters.readable import hex_dump, visible, visible_lines
from service.messages import Partition, Reason, iso
from service.moments import ms_of
from service.store import dead_letters as store
from service.store.dead_letters import DeadLetterFilter, DeadLetterRow
from service.store.engine import transaction
from service.web.api.dead_letters import MOST_REPLAYED, DeadLetter, Number, Offset, document_of
from service.web.api.parameters import DeadLetterParameters, Filled, NameInPath, encode_cursor
from service.web.dependencies import Dependencies, WebDependencies
from service.web.links import api, dead_letter_page, dead_letters_page, pipeline_page
from service.web.pages.page import may_write, page
from service.web.problems import not_found
from service.web.wording import Moment, moment

SHOWN_BYTES = 200


@dataclass(frozen=True, slots=True)
class LetterView:
    """One letter of a list, or alone."""

    of: DeadLetter
    link: str
    seen: Moment | None
    replayed: Moment | None
    recorded: Moment | None


class LettersPageParameters(DeadLetterParameters):
    """Which letters the page shows; a form sends an empty text for no reason."""

    reason: Filled[Reason] = None


def dead_letters(
    request: Request, web: Dependencies, asked: Annotated[LettersPageParameters, Query()]
) -> HTMLResponse:
    """The latest first, a page of them."""
    with transaction(web.engine) as connection:
        # What comes in from now on is neither shown nor replayed.
        newest = store.newest_dead_letter(connection)
        wanted = DeadLetterFilter(**asked.filters, last_id=newest)
        chunk = store.list_dead_letters(connection, wanted, asked.paging)
    refusal = _refusal(request, web, asked.reason)
    letters = _letters(asked)
    chosen = asked.model_dump(exclude_none=True, exclude_defaults=True, exclude={"cursor"}, mode="json")
    return page(
        request,
        "dead_letters.html",
        place="pipeline",
        asked=asked,
        letters=[_view(row, web.clock_ms(), SHOWN_BYTES) for row in chunk.rows],
        reasons=list(Reason),
        kept={name: value for name, value in chosen.items() if name != "reason"},
        command=replay_command(**letters) + " --dry-run",
        replay=None if refusal else _order(**letters, last_id=newest),
        refusal=refusal,
        source=api("dead-letters", **chosen),
        csv=api("dead-letters", **chosen, format="csv"),
        next=None if chunk.next is None else dead_letters_page(**chosen, cursor=encode_cursor(chunk.next)),
        here=dead_letters_page(),
        pipeline=pipeline_page(),
    )


def dead_letter(
    request: Request, web: Dependencies, topic: NameInPath, partition: Number, offset: Offset
) -> HTMLResponse:
    """One letter with all of its bytes that are kept."""
    with transaction(web.engine) as connection:
        row = store.find_dead_letter(connection, Partition(topic, partition), offset)
    if row is None:
        raise not_found("there is no dead letter of this record")
    refusal = _refusal(request, web, row.reason)
    return page(
        request,
        "dead_letter.html",
        place="pipeline",
        letter=_view(row, web.clock_ms()),
        text=visible_lines(row.value),
        bytes=list(hex_dump(row.value)),
        kept=len(row.value),
        command=replay_command(topic=topic, partition=partition, offset=offset),
        replay=None if refusal else _order(topic=topic, partition=partition, offset=offset),
        refusal=refusal,
        source=api(dead_letter_page(topic, partition, offset).removeprefix("pipeline/")),
        here=dead_letters_page(reason=row.reason),
        pipeline=pipeline_page(),
    )


def _letters(asked: LettersPageParameters) -> dict[str, str | int | None]:
    """Which ones are shown, as the command and the order of a replay name them."""
    since, until = (None if ms is None else iso(ms) for ms in (asked.since, asked.until))
    return {
        "topic": asked.topic, "partition": asked.partition, "reason": asked.reason, "since": since, "until": until,
    }  # fmt: skip


def _view(row: DeadLetterRow, now_ms: int, most_bytes: int | None = None) -> LetterView:
    replayed = row.replayed_at
    return LetterView(
        document_of(row, most_bytes),
        dead_letter_page(row.topic, row.partition, row.offset),
        moment(ms_of(row.seen_at), now_ms),
        None if replayed is None else moment(ms_of(replayed), now_ms),
        moment(row.timestamp_ms, now_ms) if row.timestamp_ms >= 0 else None,
    )


def replay_command(**chosen: str | int | None) -> str:
    """The command that replays these, safe to paste into a shell."""
    options = [
        word for name, value in chosen.items() if value is not None for word in (f"--{name}", str(value))
    ]
    return visible(shlex.join(["driftbell", "dead-letters", "replay", *options]))


def _refusal(request: Request, web: WebDependencies, reason: str | None) -> str | None:
    """Why these cannot be replayed from here."""
    if reason == Reason.KILLS_PROCESS:
        return "what has killed collectors is replayed by a person at a terminal, who knows why it did"
    if web.replaying is None:
        return "this server knows no Kafka to write to"
    return None if may_write(request) else "your key may only read"


def _order(**chosen: str | int | None) -> dict[str, str | int]:
    """What a replay of these is asked for by."""
    return {name: value for name, value in chosen.items() if value is not None} | {"limit": MOST_REPLAYED}
