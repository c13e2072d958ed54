"""Dead letters over the API: listed, shown, counted, written to the log again. Bytes only as base64 and safe text."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from service.dead_letters.readable import visible
from service.dead_letters.reasons import meaning_of
from service.dead_letters.replaying import Choice, Tried
from service.dead_letters.whole import is_kept_whole
from service.messages import Outcome, Partition, Reason
from service.store import dead_letters as store
from service.store.dead_letters import CountBy, DeadLetterCount, DeadLetterFilter, DeadLetterRow
from service.store.engine import transaction
from service.store.paging import Chunk
from service.web.api.parameters import DeadLetterQuery, Listing, Name, NameInPath, Time, listing
from service.web.api.representation import ToldRoute
from service.web.dependencies import Dependencies
from service.web.problems import PROBLEM_ANSWERS, not_found

PREFIX_BYTES = 1_024
MOST_REPLAYED = 1_000
"""So many letters a request may replay: what takes longer than a person waits is the command's."""

Number = Annotated[int, Path(ge=0, le=2**31 - 1)]
Offset = Annotated[int, Path(ge=0, le=2**63 - 1)]


def dead_letters_router() -> APIRouter:
    """All of `/api/v1/dead-letters`."""
    router = APIRouter(prefix="/api/v1/dead-letters", responses=PROBLEM_ANSWERS, route_class=ToldRoute)
    router.add_api_route("", dead_letters, methods=["GET"])
    router.add_api_route("/by-{by}", counts, methods=["GET"])
    router.add_api_route("/replay", replay, methods=["POST"])
    router.add_api_route("/{topic:path}/{partition}/{offset}", dead_letter, methods=["GET"])
    return router


# ---------------------------------------------------------------- reading
class DeadLetter(BaseModel):
    """A rejected record with the start of its bytes: in base64, and as text in which all that is invisible is escaped.

    `words` say what its reason means, `helps` what usually helps. `kept_whole`: the store has all of its bytes; else
    the log has the rest, until retention takes it.
    """

    id: int
    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    size: int
    reason: str
    words: str
    helps: str
    detail: str
    seen_at: datetime
    replayed_at: datetime | None
    kept_whole: bool
    key_base64: str
    key_text: str
    value_base64: str
    value_text: str


_AS_STORED = ("id", "topic", "partition", "offset", "timestamp_ms", "size", "reason", "detail", "seen_at",
              "replayed_at")  # fmt: skip


def document_of(row: DeadLetterRow, most_bytes: int | None = None) -> DeadLetter:
    """The letter with at most so many bytes of its value."""
    values: dict[str, Any] = {name: getattr(row, name) for name in _AS_STORED}
    for name, data in (("key", row.key), ("value", row.value[:most_bytes])):
        values |= {f"{name}_base64": b64encode(data).decode(), f"{name}_text": visible(data)}
    meaning = meaning_of(row.reason)
    return DeadLetter(**values, words=meaning.words, helps=meaning.helps, kept_whole=is_kept_whole(row))


def dead_letters(web: Dependencies, asked: DeadLetterQuery) -> Listing[DeadLetter]:
    """Rejected records, the latest first, each with the first 1,024 bytes of its value."""
    wanted = DeadLetterFilter(**asked.filters)
    with transaction(web.engine) as connection:
        chunk = store.list_dead_letters(connection, wanted, asked.paging)
    return listing(Chunk(tuple(document_of(row, PREFIX_BYTES) for row in chunk.rows), chunk.next))


def dead_letter(web: Dependencies, topic: NameInPath, partition: Number, offset: Offset) -> DeadLetter:
    """One rejected record, with all of its bytes that are kept: up to 4,096."""
    with transaction(web.engine) as connection:
        row = store.find_dead_letter(connection, Partition(topic, partition), offset)
    if row is None:
        raise not_found("there is no dead letter of this record")
    return document_of(row)


def counts(web: Dependencies, by: CountBy, asked: DeadLetterQuery) -> list[DeadLetterCount]:
    """How many records were rejected: by reason or topic, the most frequent first, or by hour in their order."""
    wanted = DeadLetterFilter(**asked.filters)
    with transaction(web.engine) as connection:
        return list(store.count_dead_letters(connection, wanted, by))


# ---------------------------------------------------------------- replaying
class ReplayOrder(BaseModel):
    """Which letters to replay, the oldest first; only those that are events by today's monitors, unless `broken`.

    Nothing is written unless `write` is true: the answer says what would become of them.
    """

    model_config = ConfigDict(extra="forbid")

    topic: Name | None = None
    partition: int | None = Field(None, ge=0, le=2**31 - 1)
    offset: int | None = Field(None, ge=0, le=2**63 - 1)
    reason: Reason | None = None
    since: Time | None = Field(None, description="seen after this time")
    until: Time | None = Field(None, description="seen at this time or before")
    last_id: int | None = Field(
        None, ge=0, le=2**63 - 1, description="none that came in after the letter of this id"
    )
    limit: int = Field(100, ge=1, le=MOST_REPLAYED, description="the most letters")
    write: bool = Field(False, description="write them to the log again; else only look")  # noqa: FBT003
    broken: bool = Field(False, description="also those that still are no events")  # noqa: FBT003
    again: bool = Field(False, description="also those that were replayed before")  # noqa: FBT003

    def choice(self) -> Choice:
        """What is asked for, as the replay takes it."""
        wanted = DeadLetterFilter(
            topic=self.topic, partition=self.partition, offset=self.offset, reason=self.reason,
            since_ms=self.since, until_ms=self.until, last_id=self.last_id,
        )  # fmt: skip
        return Choice(wanted, self.limit, self.broken, self.again)


class ReplayedLetter(BaseModel):
    """What becomes of one letter: `outcome` is null where its bytes cannot be had, which `trouble` explains."""

    topic: str
    partition: int
    offset: int
    reason: str
    outcome: Outcome | None
    reason_now: Reason | None
    detail: str
    written: bool
    trouble: str | None


class ReplayAnswer(BaseModel):
    """What would become, or became, of the letters; `outcomes` counts them by what a collector makes of them now."""

    written: int
    outcomes: dict[Outcome, int]
    items: list[ReplayedLetter]


def replay(web: Dependencies, order: ReplayOrder) -> ReplayAnswer:
    """Look at dead letters with today's monitors and, if told so, append them to their partitions once more."""
    if web.replaying is None:
        raise HTTPException(
            HTTPStatus.CONFLICT,
            "this process knows no Kafka to write to; set DRIFTBELL_KAFKA_BOOTSTRAP_SERVERS and "
            "DRIFTBELL_KAFKA_TOPICS for it, or run `driftbell dead-letters replay` where they are set",
        )
    if order.reason is Reason.KILLS_PROCESS:
        raise HTTPException(
            HTTPStatus.CONFLICT,
            "what has killed collectors is not touched here; run `driftbell dead-letters replay --reason "
            "kills_process` once you know why it did",
        )
    choice = order.choice()
    return _answer(web.replaying.write(choice) if order.write else web.replaying.look(choice))


def _answer(tried: Iterable[Tried]) -> ReplayAnswer:
    items = [_replayed(one) for one in tried]
    outcomes = Counter(one.outcome for one in items if one.outcome is not None)
    return ReplayAnswer(written=sum(one.written for one in items), outcomes=dict(outcomes), items=items)


def _replayed(tried: Tried) -> ReplayedLetter:
    letter, prospect = tried.letter, tried.prospect
    return ReplayedLetter(
        topic=letter.topic,
        partition=letter.partition,
        offset=letter.offset,
        reason=letter.reason,
        outcome=prospect.outcome if prospect else None,
        reason_now=prospect.reason if prospect else None,
        detail=prospect.detail if prospect else "",
        written=tried.written,
        trouble=tried.trouble,
    )
