"""What may become the new normal, as it is asked for and refused on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from service.accepting import USUAL_MS, AskedSpan, objections_to
from service.accepting import span_to_learn as span_of_panes
from service.cli.times import span_of, time_of
from service.dead_letters.readable import visible
from service.errors import ConfigurationError
from service.messages import iso
from service.wiring import now_ms

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from service.monitor import Monitor
    from service.store.acceptance import Incomplete, Span
    from service.store.incidents import IncidentRow


class AskedTime(NamedTuple):
    """What was said of the time to learn from."""

    since: str | None
    until: str | None
    last: str | None


def span_to_learn(engine: Engine, monitor: Monitor, asked: AskedTime) -> Span:
    """Whole panes, none of them beyond the watermark: until then events may still come."""
    if asked.last is not None and asked.since is not None:
        raise ConfigurationError("say --from or --last, not both")
    span = AskedSpan(
        None if asked.since is None else time_of(asked.since, "--from"),
        None if asked.until is None else time_of(asked.until, "--to"),
        USUAL_MS if asked.last is None else span_of(asked.last, "--last"),
        f"--to {asked.until}",
    )
    return span_of_panes(engine, monitor, span, now_ms())


def refuse_what_is_not_normal(engine: Engine, model: str, span: Span, *, even_so: bool) -> None:
    """Raise ConfigurationError when the model pages now (unless `even_so`), or when that time lacks records."""
    found = objections_to(engine, model, span)
    problems = [] if even_so else [_open_page(one) for one in found.paging]
    problems += _losses(found.incomplete)
    if problems:
        raise ConfigurationError(*problems)


def _open_page(one: IncidentRow) -> str:
    told = visible(f"incident {one.id} is open and pages ({one.summary})")
    return f"{told}: mend that first, or add --even-so if this is how the model should be"


def _losses(flagged: Incomplete | None) -> Iterator[str]:
    if flagged is not None:
        windows = "1 window" if flagged.windows == 1 else f"{flagged.windows:,} windows"
        yield (
            f"records are missing in {windows} of that time, between {iso(flagged.span.from_ms)} and "
            f"{iso(flagged.span.to_ms)}: choose another time by --from and --to"
        )
