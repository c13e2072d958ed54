"""What may become the new normal: whole panes that all events have come for, without losses and open pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from service.cli.times import span_of, time_of
from service.dead_letters.readable import visible
from service.errors import ConfigurationError
from service.messages import Severity, iso
from service.monitor import DAY_MS
from service.store.acceptance import Span, incomplete_windows
from service.store.engine import transaction
from service.store.incidents import IncidentFilter, list_incidents
from service.store.paging import Paging
from service.store.watermarks import load_progress, watermark_ms
from service.wiring import now_ms

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from service.monitor import Monitor

_USUAL_MS = 7 * DAY_MS
_MOST_INCIDENTS = 1_000


class AskedTime(NamedTuple):
    """What was said of the time to learn from."""

    since: str | None
    until: str | None
    last: str | None


def span_to_learn(engine: Engine, monitor: Monitor, asked: AskedTime) -> Span:
    """Whole panes, none of them beyond the watermark: until then events may still come."""
    if asked.last is not None and asked.since is not None:
        raise ConfigurationError("say --from or --last, not both")
    progress = load_progress(engine)
    watermark = watermark_ms(progress, monitor.disorder_ms, now_ms(), monitor.idle_after_ms)
    if watermark is None:
        raise ConfigurationError(
            "no event has been read, or not of all partitions: nothing can be accepted yet"
        )
    until = watermark if asked.until is None else time_of(asked.until, "--to")
    if until > watermark:
        raise ConfigurationError(
            f"--to {asked.until} lies ahead: all events have come until {iso(watermark)} only"
        )
    last_ms = _USUAL_MS if asked.last is None else span_of(asked.last, "--last")
    since = until - last_ms if asked.since is None else time_of(asked.since, "--from")
    span = Span(*(time - time % monitor.pane_ms for time in (since, until)))
    if span.from_ms >= span.to_ms:
        raise ConfigurationError(f"from {iso(since)} to {iso(until)} there is no whole pane")
    return span


def refuse_what_is_not_normal(engine: Engine, model: str, span: Span, *, even_so: bool) -> None:
    """Raise ConfigurationError when the model pages now (unless `even_so`), or when that time lacks records."""
    with transaction(engine) as connection:
        problems = [*(() if even_so else _open_pages(connection, model)), *_losses(connection, model, span)]
    if problems:
        raise ConfigurationError(*problems)


def _open_pages(connection: Connection, model: str) -> Iterator[str]:
    found = list_incidents(connection, IncidentFilter(model=model, open=True), Paging(_MOST_INCIDENTS)).rows
    for one in found:
        if one.severity == Severity.PAGE.value:
            told = visible(f"incident {one.id} is open and pages ({one.summary})")
            yield f"{told}: mend that first, or add --even-so if this is how the model should be"


def _losses(connection: Connection, model: str, span: Span) -> Iterator[str]:
    flagged = incomplete_windows(connection, model, span)
    if flagged is not None:
        windows = "1 window" if flagged.windows == 1 else f"{flagged.windows:,} windows"
        yield (
            f"records are missing in {windows} of that time, between {iso(flagged.span.from_ms)} and "
            f"{iso(flagged.span.to_ms)}: choose another time by --from and --to"
        )
