"""A reference learned of live traffic and made the model's: which time may be learned, and what speaks against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.dead_letters.readable import visible
from service.errors import ConfigurationError
from service.learning import learn
from service.messages import Severity, iso
from service.monitor import DAY_MS
from service.names import clean_name
from service.plurals import counted
from service.reference.profile import profile_to_bytes
from service.store import acceptance as store
from service.store.acceptance import Incomplete, Span, free_name, incomplete_windows
from service.store.configuration import Applied, StoredReference, refuse_to_replace
from service.store.engine import transaction
from service.store.incidents import IncidentFilter, IncidentRow, list_incidents
from service.store.latest_version import latest_version
from service.store.marks import AlarmVerdict
from service.store.paging import Paging
from service.store.watermarks import load_progress, watermark_ms

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from service.configuration import ModelVersion
    from service.monitor import Monitor
    from service.reference.profile import ReferenceProfile
    from service.store.statements import Statement

USUAL_MS = 7 * DAY_MS
_MOST_INCIDENTS = 1_000
_NOTHING_BROKEN = {AlarmVerdict.FALSE_ALARM.value, AlarmVerdict.EXPECTED.value}


@dataclass(frozen=True, slots=True)
class AskedSpan:
    """The time that is asked for: None for where it began `last_ms` ago, and for where all events have come.

    `until_said` is what sentences call its end.
    """

    since_ms: int | None = None
    until_ms: int | None = None
    last_ms: int = USUAL_MS
    until_said: str = "the end of that time"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The reference that is in force from event time `since_ms` on, what it was learned of, and what it replaces."""

    name: str
    model: str
    rows: int
    from_ms: int
    to_ms: int
    since_ms: int
    replaces: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """Of which incident a person says that this stretch of event time is how the model should be."""

    incident: str
    model: str
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class Objections:
    """What speaks against learning a time: incidents that page now, and windows of it that lack records."""

    paging: tuple[IncidentRow, ...] = ()
    incomplete: Incomplete | None = None


def present_of(engine: Engine, model: str) -> ModelVersion:
    """The newest version of a model. Raises ConfigurationError where there is none."""
    latest = latest_version(engine, model)
    if latest is None:
        raise ConfigurationError(f"there is no monitor for model {model!r}; `driftbell apply` stores one")
    return latest


def span_to_learn(engine: Engine, monitor: Monitor, asked: AskedSpan, now_ms: int) -> Span:
    """Whole panes, none of them beyond the watermark: until then events may still come. Raises ConfigurationError."""
    watermark = watermark_ms(load_progress(engine), monitor.disorder_ms, now_ms, monitor.idle_after_ms)
    if watermark is None:
        raise ConfigurationError(
            "no event has been read, or not of all partitions: nothing can be accepted yet"
        )
    until = watermark if asked.until_ms is None else asked.until_ms
    if until > watermark:
        raise ConfigurationError(
            f"{asked.until_said} lies ahead: all events have come until {iso(watermark)} only"
        )
    since = until - asked.last_ms if asked.since_ms is None else asked.since_ms
    span = Span(*(time - time % monitor.pane_ms for time in (since, until)))
    if span.from_ms >= span.to_ms:
        raise ConfigurationError(f"from {iso(since)} to {iso(until)} there is no whole pane")
    return span


def objections_to(engine: Engine, model: str, span: Span) -> Objections:
    """What speaks against making this time the model's normal: not what people said was none, or was planned."""
    with transaction(engine) as connection:
        wanted = IncidentFilter(model=model, open=True)
        found = list_incidents(connection, wanted, Paging(_MOST_INCIDENTS)).rows
        paging = tuple(
            one for one in found if one.severity == Severity.PAGE.value and one.verdict not in _NOTHING_BROKEN
        )
        return Objections(paging, incomplete_windows(connection, model, span))


def refuse_what_is_not_normal(
    found: Objections,
    *,
    even_so: bool = False,
    on_account_of: str | None = None,
    mend: str = "mend that first, or mark it as a false alarm",
    choose: str = "choose another time",
) -> None:
    """Raise ConfigurationError when there are objections: pages are none if `even_so`, nor is the incident itself.

    `mend` and `choose` say what a person may do of pages and of missing records, where they asked.
    """
    pages = "pages" if on_account_of is None else "pages, too"
    problems = [
        visible(f"incident {one.id} is open and {pages} ({one.summary}): {mend}")
        for one in found.paging
        if not even_so and one.id != on_account_of
    ]
    if found.incomplete is not None:
        windows, (start_ms, end_ms) = counted(found.incomplete.windows, "window"), found.incomplete.span
        between = f"{iso(start_ms)} and {iso(end_ms)}"
        problems.append(f"records are missing in {windows} of that time, between {between}: {choose}")
    if problems:
        raise ConfigurationError(*problems)


def candidate(
    engine: Engine, present: ModelVersion, name: str | None, span: Span, now_ms: int
) -> tuple[ReferenceProfile, Span]:
    """The reference that would be the new one, and the time from its first event on. Raises ConfigurationError."""
    with transaction(engine) as connection:
        if name is None:
            name = free_name(connection, present.model, now_ms)
        elif clean_name(name) != name:
            raise ConfigurationError(f"the name {name!r} cannot be one: write 1 to 200 visible characters")
        else:
            refuse_to_replace(connection, name, present.model, must_be_new=True)
    made = learn(engine, present.model, name, *span)
    return made, _with_events(span, made, present.monitor.pane_ms)


def _with_events(span: Span, made: ReferenceProfile, pane_ms: int) -> Span:
    """From the first pane on that has any: no more is known than that."""
    first_ms = span.from_ms if made.first_ms is None else made.first_ms
    return Span(max(span.from_ms, first_ms - first_ms % pane_ms), span.to_ms)


def accept(
    engine: Engine, present: ModelVersion, made: ReferenceProfile, span: Span, said: Statement, now_ms: int
) -> Applied:
    """Make it the model's reference. Raises ConfigurationError when the monitor was changed meanwhile."""
    one = StoredReference(made.name, made.model, made.grid, made.rows, profile_to_bytes(made))
    return store.accept_reference(engine, present, one, span, said, now_ms)


# ---------------------------------------------------------------- on account of an incident
def accept_span(engine: Engine, asked: Asked, said: Statement, now_ms: int) -> Accepted:
    """Learn a reference of the stretch and make it the model's. Raises ConfigurationError, and changes nothing then.

    The incident itself may be open: who accepts says that it is how the model should be.
    """
    present = present_of(engine, asked.model)
    wanted = AskedSpan(asked.from_ms, asked.to_ms, until_said=f"the end, {iso(asked.to_ms)},")
    span = span_to_learn(engine, present.monitor, wanted, now_ms)
    refuse_what_is_not_normal(objections_to(engine, asked.model, span), on_account_of=asked.incident)
    made, learned = candidate(engine, present, None, span, now_ms)
    applied = accept(engine, present, made, learned, said, now_ms)
    return Accepted(made.name, asked.model, made.rows, *learned, applied.since_ms, present.reference_name)
