"""What a query string may hold: names, times, words of closed sets, and the cursor of the next page."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Path, Query
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from service.labelling.feedback import FeedbackKind
from service.messages import Cause, Reason, Severity, State, Verdict
from service.monitor import parse_duration
from service.store.paging import BadCursorError, Chunk, Key, Paging

MOST_ROWS = 1_000
LONGEST_NAME = 401  # a segment is a name, '=' and a value
LONGEST_DURATION = 20
LONGEST_CURSOR = 12_000
_EARLIEST_MS = -62_135_596_800_000  # the first and last millisecond that a datetime can hold
_LATEST_MS = 253_402_300_799_999
_TIMES = "write a time such as 2026-11-21T10:00:00Z, or milliseconds since 1970"

T = TypeVar("T")


# ---------------------------------------------------------------- single values
def parse_time(text: object) -> int:
    """Milliseconds since 1970, of an ISO 8601 time (UTC unless it says otherwise) or written as such."""
    if not isinstance(text, str):  # JSON holds more than query strings do
        raise ValueError(_TIMES)  # noqa: TRY004 - pydantic makes a mistake of a ValueError only
    ms = int(text) if re.fullmatch("-?[0-9]{1,15}", text) else _iso_ms(text)
    if not _EARLIEST_MS <= ms <= _LATEST_MS:
        raise ValueError("is outside the years 1 to 9999")
    return ms


def _iso_ms(text: str) -> int:
    try:
        # In a query string an unescaped plus sign arrives as a space.
        time = datetime.fromisoformat(text.strip().replace(" ", "+") if text.count(":") > 2 else text.strip())
    except ValueError:
        raise ValueError(_TIMES) from None
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    since_epoch = aware - datetime(1970, 1, 1, tzinfo=UTC)
    return (since_epoch.days * 86_400 + since_epoch.seconds) * 1_000 + since_epoch.microseconds // 1_000


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("holds a zero character, which no name has")
    return text


Name = Annotated[str, Field(max_length=LONGEST_NAME), AfterValidator(_storable)]
NameInPath = Annotated[str, Path(max_length=LONGEST_NAME), AfterValidator(_storable)]
Time = Annotated[
    int,
    BeforeValidator(parse_time),
    WithJsonSchema({"type": "string", "description": "ISO 8601, or milliseconds since 1970"}),
]


def _duration(text: object) -> int:
    if not isinstance(text, str) or len(text) > LONGEST_DURATION:
        raise ValueError("write a duration such as 5m, 1h or 30s")
    return parse_duration(text)


Duration = Annotated[
    int,
    BeforeValidator(_duration),
    WithJsonSchema({"type": "string", "description": "a duration such as 5m, 1h or 30s"}),
]


def _none_if_empty(sent: object) -> object:
    return None if sent == "" else sent


Filled = Annotated[T | None, BeforeValidator(_none_if_empty)]
"""Of a form, which sends all of its fields: what a person filled in, None where it is empty."""


# ---------------------------------------------------------------- filters
class _Parameters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    limit: int = Field(100, ge=1, le=MOST_ROWS, description="the most rows of a page")
    cursor: str | None = Field(None, max_length=LONGEST_CURSOR, description="`next` of the page before")

    @property
    def paging(self) -> Paging:
        """How many rows, and after which key."""
        return Paging(self.limit, None if self.cursor is None else decode_cursor(self.cursor))

    @property
    def filters(self) -> dict[str, Any]:
        """All but the paging, as the store names it."""
        values = self.model_dump(exclude={"limit", "cursor"})
        return {
            {"since": "since_ms", "until": "until_ms"}.get(name, name): value
            for name, value in values.items()
        }


class PageParameters(_Parameters):
    """Only paging."""


class ReferenceParameters(_Parameters):
    """Filters of references."""

    model: Name | None = None


class PartitionParameters(_Parameters):
    """Filters of partitions."""

    topic: Name | None = None
    halted: bool | None = None


class _TimedParameters(_Parameters):
    since: Time | None = Field(None, description="after this time")
    until: Time | None = Field(None, description="at this time or before")


class WindowParameters(_TimedParameters):
    """Filters of windows; the times are those of their ends. An empty segment is the whole model."""

    model: Name | None = None
    version: Name | None = None
    segment: Name | None = None
    window: Name | None = None


class FindingParameters(WindowParameters):
    """Filters of findings."""

    feature: Name | None = None
    method: Name | None = None
    verdict: Verdict | None = None


class PerformanceParameters(WindowParameters):
    """Filters of performance."""

    metric: Name | None = None
    basis: Name | None = None


class AlertParameters(WindowParameters):
    """Filters of alerts; the times are those when they began."""

    feature: Name | None = None
    cause: Cause | None = None
    incident: Name | None = None
    state: State | None = None
    severity: Severity | None = None
    consequence: bool | None = Field(
        None, description="whether it follows from another alert of its incident"
    )


class IncidentParameters(_TimedParameters):
    """Filters of incidents; the times are those when they began."""

    model: Name | None = None
    open: bool | None = Field(None, description="whether something in it is pending or fires")


class JudgedParameters(WindowParameters):
    """Filters of findings about labelled predictions."""

    method: Name | None = None
    verdict: Verdict | None = None


class LabelParameters(BaseModel):
    """Of which model, kind of window and segment; an empty segment is the whole model."""

    model_config = ConfigDict(extra="forbid")

    model: Name
    window: Name | None = Field(None, description="the monitor's shortest if none is named")
    segment: Name = ""
    limit: int = Field(24, ge=1, le=MOST_ROWS, description="the most windows")


class FeedbackParameters(_Parameters):
    """Filters of predictions to label; the time is that of their windows."""

    model: Name | None = None
    kind: FeedbackKind | None = None
    since: Time | None = Field(None, description="of windows that ended after this time")


class RetrainingParameters(_Parameters):
    """Filters of advice to train again."""

    model: Name | None = None


class DeadLetterParameters(_TimedParameters):
    """Filters of dead letters; the times are those when they were seen."""

    topic: Name | None = None
    partition: int | None = Field(None, ge=0, le=2**31 - 1)
    reason: Reason | None = None


PageQuery = Annotated[PageParameters, Query()]
ReferenceQuery = Annotated[ReferenceParameters, Query()]
PartitionQuery = Annotated[PartitionParameters, Query()]
WindowQuery = Annotated[WindowParameters, Query()]
FindingQuery = Annotated[FindingParameters, Query()]
PerformanceQuery = Annotated[PerformanceParameters, Query()]
AlertQuery = Annotated[AlertParameters, Query()]
IncidentQuery = Annotated[IncidentParameters, Query()]
DeadLetterQuery = Annotated[DeadLetterParameters, Query()]
JudgedQuery = Annotated[JudgedParameters, Query()]
LabelQuery = Annotated[LabelParameters, Query()]
FeedbackQuery = Annotated[FeedbackParameters, Query()]
RetrainingQuery = Annotated[RetrainingParameters, Query()]


# ---------------------------------------------------------------- pages of rows
class Listing(BaseModel, Generic[T]):
    """A page of rows; `next` is the cursor of the page after it, null on the last page."""

    items: list[T]
    next: str | None


def listing(chunk: Chunk[T]) -> Listing[T]:
    """The chunk as it is answered."""
    return Listing(items=list(chunk.rows), next=None if chunk.next is None else encode_cursor(chunk.next))


def encode_cursor(key: Key) -> str:
    """A text that goes into a URL as it is; clients take it as opaque."""
    return urlsafe_b64encode(json.dumps(key, ensure_ascii=False).encode()).decode().rstrip("=")


def decode_cursor(text: str) -> Key:
    """The key in a cursor; raises BadCursorError for what we never wrote."""
    try:
        found = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, RecursionError):
        raise BadCursorError("this cursor does not come from this listing") from None
    if not isinstance(found, list) or not all(type(one) in (int, str) for one in found):
        raise BadCursorError("this cursor does not come from this listing")
    return tuple(found)
