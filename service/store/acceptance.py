"""References that people accepted: the present made the new normal, with who, when and why, and the way back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, insert, select

from service.errors import ConfigurationError
from service.moments import time_at
from service.store.configuration import Applied, apply_within, only_we_configure, refuse_to_replace
from service.store.engine import transaction
from service.store.paging import columns_of
from service.store.tables import model_version, reference, reference_acceptance, window_result

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from service.configuration import ModelVersion
    from service.store.configuration import StoredReference
    from service.store.statements import Statement

_acceptance = reference_acceptance.c


class Span(NamedTuple):
    """Event time from the start of a pane to the end of one."""

    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class Acceptance:
    """One decision: from then on `name` was the model's reference instead of `replaces` (None: none).

    A `from_ms` of None says that it was a way back: the reference had been there before.
    """

    name: str | None
    model: str
    from_ms: int | None
    to_ms: int | None
    rows: int
    who: str
    why: str
    accepted_at: datetime
    replaces: str | None


@dataclass(frozen=True, slots=True)
class Incomplete:
    """How many windows of a time are flagged, and the time that they cover."""

    windows: int
    span: Span


def accept_reference(
    engine: Engine, present: ModelVersion, one: StoredReference, span: Span, said: Statement, now_ms: int
) -> Applied:
    """Make a reference that was learned in `span` the model's, in one transaction: it, the monitor's next version, why.

    `present` is the version that was looked at. Raises ConfigurationError when it is not the newest any more, or when
    the reference's name is taken.
    """
    with transaction(engine) as connection:
        only_we_configure(connection)
        _refuse_another(connection, present)
        # What one of this name holds may be normal again one day.
        refuse_to_replace(connection, one.name, one.model, must_be_new=True)
        monitor = replace(present.monitor, reference=one.name)
        applied = apply_within(connection, [monitor], [one], now_ms)[0]
        made = {"name": one.name, "rows": one.rows, "from_ms": span.from_ms, "to_ms": span.to_ms}
        _write(connection, present, made, said)
    return applied


def go_back(
    engine: Engine, present: ModelVersion, said: Statement, now_ms: int
) -> tuple[str | None, Applied]:
    """Give the model the reference again that its present one replaced; returns its name.

    Raises ConfigurationError when the present one was not accepted, or is not the newest any more.
    """
    with transaction(engine) as connection:
        only_we_configure(connection)
        _refuse_another(connection, present)
        accepted = _acceptance_of(connection, present)
        if accepted is None:
            raise ConfigurationError(
                f"the reference of model {present.model!r}, {present.reference_name!r}, was not accepted in place of "
                "another; `driftbell reference history` shows what was"
            )
        before = accepted.replaces
        applied = apply_within(connection, [replace(present.monitor, reference=before)], (), now_ms)[0]
        rows = select(reference.c.rows).where(reference.c.name == before)
        made = {"name": before, "rows": connection.execute(rows).scalar() or 0}
        _write(connection, present, made, said)
    return before, applied


def acceptances_of(connection: Connection, model: str) -> tuple[Acceptance, ...]:
    """A model's acceptances, the newest first."""
    rows = select(*columns_of(reference_acceptance, Acceptance)).where(_acceptance.model == model)
    found = connection.execute(rows.order_by(_acceptance.id.desc())).mappings()
    return tuple(Acceptance(**row) for row in found)


def free_name(connection: Connection, model: str, now_ms: int) -> str:
    """What to call a reference that is accepted now: the model and the day, and a number if that is taken."""
    first = f"{model}-{time_at(now_ms):%Y-%m-%d}"
    return next(name for name in _numbered(first) if not _is_stored(connection, name))


def incomplete_windows(connection: Connection, model: str, span: Span) -> Incomplete | None:
    """The model's windows that reach into a time and are flagged; None when there are none."""
    window = window_result.c
    flagged = (
        window.model == model,
        window.incomplete,
        window.end_ms > span.from_ms,
        window.start_ms < span.to_ms,
    )
    names = select(window.window, window.start_ms, window.end_ms).where(*flagged).distinct().subquery()
    found = connection.execute(
        select(func.count(), func.min(names.c.start_ms), func.max(names.c.end_ms)).select_from(names)
    ).one()
    return Incomplete(found[0], Span(found[1], found[2])) if found[0] else None


def _numbered(first: str) -> Iterator[str]:
    yield first
    yield from (f"{first}-{number}" for number in count(2))


def _is_stored(connection: Connection, name: str) -> bool:
    found = connection.execute(select(reference.c.name).where(reference.c.name == name))
    return found.first() is not None


def _refuse_another(connection: Connection, present: ModelVersion) -> None:
    newest = select(func.max(model_version.c.number)).where(model_version.c.model == present.model)
    if connection.execute(newest).scalar() != present.number:
        raise ConfigurationError(
            f"the monitor of model {present.model!r} was changed meanwhile; look at it again"
        )


def _acceptance_of(connection: Connection, present: ModelVersion) -> Acceptance | None:
    """How the present reference came to be: the ways back to it do not count, so that one can go back further."""
    return next(
        (
            one
            for one in acceptances_of(connection, present.model)
            if one.name == present.reference_name and one.from_ms is not None
        ),
        None,
    )


def _write(
    connection: Connection, present: ModelVersion, made: Mapping[str, object], said: Statement
) -> None:
    connection.execute(
        insert(reference_acceptance).values(
            model=present.model, replaces=present.reference_name, who=said.who, why=said.why, **made
        )
    )
