"""Topics over the API: which there are, what one holds, and the monitor that follows from it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from service.errors import ConfigurationError
from service.intake.limits import Limits
from service.monitor import Budget, Task, WindowSpec
from service.monitor_file import MAX_SEGMENTS, MAX_WINDOWS, read_monitors
from service.sniffing.drafting import Choices, advice_on, draft, draft_yaml, likely_ids, likely_segments
from service.sniffing.found import ModelFound, RejectedFound, TopicFound
from service.sniffing.tail import MOST_RECORDS, USUAL_RECORDS, sniff_topic
from service.web.api.monitor_editing import Line
from service.web.api.parameters import Duration, Name
from service.web.dependencies import Dependencies
from service.web.problems import Refused

if TYPE_CHECKING:
    from service.intake.log_reader import LogReader

NO_KAFKA = (
    "this process knows no Kafka to read from; set DRIFTBELL_KAFKA_BOOTSTRAP_SERVERS and DRIFTBELL_KAFKA_TOPICS for "
    "it, or run `driftbell sniff TOPIC` where they are set"
)


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics that this process may look into, and a reader of them that joins no group."""

    names: tuple[str, ...]
    open_reader: Callable[[], LogReader]
    limits: Limits = field(default_factory=Limits)


# ---------------------------------------------------------------- looking
class KnownTopic(BaseModel):
    """A topic that is read."""

    topic: str


class KnownTopics(BaseModel):
    """The topics that are read, by this process's settings; `sentence` says what to do where there are none."""

    items: list[KnownTopic]
    sentence: str | None


def topics(web: Dependencies) -> KnownTopics:
    """The topics that can be looked into."""
    known = web.topics
    items = [] if known is None else [KnownTopic(topic=name) for name in known.names]
    return KnownTopics(items=items, sentence=NO_KAFKA if known is None else None)


class SniffOrder(BaseModel):
    """Which topic, and how many of its last records, about."""

    model_config = ConfigDict(extra="forbid")

    topic: str = Field(min_length=1, max_length=249, pattern=r"^[a-zA-Z0-9._-]+$")
    records: int = Field(USUAL_RECORDS, ge=1, le=MOST_RECORDS)


class SuggestedModel(BaseModel):
    """A model that was found, and what a draft of its monitor would take."""

    found: ModelFound
    segments: list[str]
    ids: list[str]


class Sniffed(BaseModel):
    """What a topic holds, by its last records in `looked_at` partitions. Every text in it is safe to show."""

    topic: str
    partitions: int
    looked_at: int
    records: int
    tombstones: int
    events: int
    format: str
    models: list[SuggestedModel]
    more_models: int
    rejected: list[RejectedFound]


def sniff(web: Dependencies, order: SniffOrder) -> Sniffed:
    """Read the last records of a topic and say what they hold. No group is joined and nothing is committed."""
    return _sniffed(sniffed_topic(web, order))


def sniffed_topic(web: Dependencies, order: SniffOrder) -> TopicFound:
    """What was found in a topic that is one of ours."""
    known = web.topics
    if known is None:
        raise HTTPException(503, NO_KAFKA)
    if order.topic not in known.names:
        ours = ", ".join(known.names)
        raise Refused(
            422,
            f"topic: {order.topic} is none of the topics that are read ({ours}); name it in DRIFTBELL_KAFKA_TOPICS, "
            "or run `driftbell sniff` there",
        )
    with web.large_answers.one(), closing(known.open_reader()) as reader:
        try:
            return sniff_topic(reader, order.topic, order.records, known.limits)
        except ConfigurationError as why:
            raise Refused(422, f"topic: {'; '.join(why.problems)}") from why


def _sniffed(found: TopicFound) -> Sniffed:
    return Sniffed(
        topic=found.topic,
        partitions=found.partitions,
        looked_at=found.looked_at,
        records=found.records,
        tombstones=found.tombstones,
        events=found.events,
        format=found.format,
        models=[
            SuggestedModel(found=one, segments=list(likely_segments(one)), ids=list(likely_ids(one)))
            for one in found.models
        ],
        more_models=found.more_models,
        rejected=list(found.rejected),
    )


# ---------------------------------------------------------------- drafting
class DraftChoices(BaseModel):
    """What a person chose; what is left out follows from what was found."""

    model_config = ConfigDict(extra="forbid")

    task: Task | None = None
    reference: Name | None = None
    pane: Duration | None = None
    windows: list[Duration] | None = Field(None, min_length=1, max_length=MAX_WINDOWS)
    allowed_lateness: Duration | None = None
    disorder: Duration | None = None
    false_pages: float | None = Field(None, ge=0.001, le=1_000)
    per: Duration | None = None
    segments: list[Name] | None = Field(None, max_length=MAX_SEGMENTS)
    ignored: list[Name] | None = Field(None, max_length=300)

    def choices(self) -> Choices:
        """The same, as a draft takes it."""
        usual = Budget()
        budget = Budget(
            usual.false_pages if self.false_pages is None else self.false_pages,
            usual.per_ms if self.per is None else self.per,
        )
        windows = None if self.windows is None else tuple(map(WindowSpec.tumbling, self.windows))
        return Choices(
            self.task, self.reference, self.pane, windows, self.allowed_lateness, self.disorder, budget,
            None if self.segments is None else tuple(dict.fromkeys(self.segments)),
            None if self.ignored is None else tuple(dict.fromkeys(self.ignored)),
        )  # fmt: skip


class DraftOrder(BaseModel):
    """What was found of one model, as `sniff` told it in `models[].found`, and what was chosen."""

    model_config = ConfigDict(extra="forbid")

    topic: str = Field(min_length=1, max_length=249, pattern=r"^[a-zA-Z0-9._-]+$")
    found: dict[str, Any]
    choices: DraftChoices | None = None


class Drafted(BaseModel):
    """A monitor as YAML, why it is as it is, and what is wrong with the choices, if anything."""

    yaml: str
    advice: list[str]
    mistakes: list[Line]


def draft_monitor(order: DraftOrder) -> Drafted:
    """A first monitor that follows from what was found and chosen. Nothing is stored."""
    try:
        found = msgspec.convert(order.found, ModelFound)
    except msgspec.ValidationError as why:
        raise Refused(422, f"found: {why}; send what `topics/sniff` has told") from why
    return drafted(order.topic, found, Choices() if order.choices is None else order.choices.choices())


def drafted(topic: str, found: ModelFound, choices: Choices) -> Drafted:
    """The draft, held against what a monitor may be."""
    monitor = draft(found, choices)
    yaml = draft_yaml(monitor, topic)
    _, mistakes = read_monitors(yaml)
    return Drafted(
        yaml=yaml,
        advice=list(advice_on(found, monitor)),
        mistakes=[Line(line=line, sentence=sentence) for line, sentence in mistakes],
    )
