"""`driftbell reference accept` and `history`: the present made the new normal, looked at first, and the way back."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

import click
from rich.console import Console

from service import accepting
from service.accepting import candidate, objections_to, present_of, refuse_what_is_not_normal, span_to_learn
from service.cli import tables
from service.cli.acceptance_lines import differences_table, history_table, worth_knowing
from service.cli.acceptance_span import asked_span
from service.cli.dead_letter_filters import database, reading
from service.cli.json_lines import echo_json
from service.cli.known_names import require_model
from service.cli.who import who_option, why_option
from service.errors import ConfigurationError
from service.messages import iso
from service.opening import now_ms
from service.reference.profile import profile_from_bytes
from service.reports.phrases import minute
from service.scoring.differences import differences
from service.settings import load_from_environment
from service.store import acceptance as store
from service.store.acceptance import Span, acceptances_of
from service.store.configuration import Applied, load_reference
from service.store.engine import transaction
from service.store.incidents import IncidentFilter, IncidentRow, list_incidents
from service.store.paging import Paging
from service.store.statements import Statement, statement_of

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from service.configuration import ModelVersion
    from service.reference.profile import ReferenceProfile

_MOST_INCIDENTS = 1_000
_WIDTH = 120


@click.command()
@click.option("--model", required=True, help="The model whose present is normal from now on.")
@click.option("--from", "since", help="Event time, ISO 8601.")
@click.option("--to", "until", help="Event time, ISO 8601 (default: as far as all events have come).")
@click.option("--last", help="So much event time up to there (default: 7d).")
@click.option("--name", help="The reference's name (default: MODEL-YEAR-MONTH-DAY).")
@click.option(
    "--back", is_flag=True, help="Take the acceptance back: the reference before it is normal again."
)
@click.option("--even-so", is_flag=True, help="Also while an incident that pages is open.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@why_option
@who_option
def accept(  # noqa: PLR0913, PLR0917 - click hands over every option
    model: str, since: str | None, until: str | None, last: str | None, name: str | None, back: bool,
    even_so: bool, yes: bool, why: str, who: str,
) -> None:  # fmt: skip
    """Make the present the new normal: learn a reference of live traffic, and compare with it from now on.

    It shows what differs from the present reference, and asks. The reference gets a name of its own and the one before
    stays, so that --back is the way back.

    \b
    driftbell reference accept --model churn --why "new supplier, checked with Anna"
    driftbell reference accept --model churn --from 2026-11-18T00:00Z --to 2026-11-21T00:00Z --why "new prices"
    driftbell reference accept --model churn --back --why "the supplier was wrong after all"
    """  # noqa: D301 - click reads \b
    said = statement_of(who, why)
    with database(load_from_environment()) as engine:
        present = present_of(engine, model)
        if back:
            if any((since, until, last, name)):
                raise ConfigurationError(
                    "--back takes what was there before: leave out which time, and --name"
                )
            _take_back(engine, present, said, yes=yes)
            return
        span = span_to_learn(engine, present.monitor, asked_span(since, until, last), now_ms())
        refuse_what_is_not_normal(
            objections_to(engine, model, span),
            even_so=even_so,
            mend="mend that first, or add --even-so if this is how the model should be",
            choose="choose another time by --from and --to",
        )
        made, span = candidate(engine, present, name, span, now_ms())
        _show(engine, present, made, span)
        if not yes:
            click.confirm(f"Is this how model {model} should be from now on?", abort=True)
        _accept(engine, present, (made, span), said)


@click.command()
@click.option("--model", required=True, help="The model.")
@click.option("--json", "as_json", is_flag=True, help="For programs: a JSON object a line.")
def history(model: str, as_json: bool) -> None:
    """List what was accepted for a model: which reference, learned from when, by whom and why; the newest first.

    \b
    driftbell reference history --model churn
    """  # noqa: D301
    with reading() as connection:
        found = acceptances_of(connection, model)
        if not found:
            require_model(connection, model)
    if as_json:
        for one in found:
            echo_json(one)
        return
    if not found:
        click.echo(f"nothing was accepted for model {model}")
        return
    tables.show(history_table(found))


# ---------------------------------------------------------------- looking
def _show(engine: Engine, present: ModelVersion, made: ReferenceProfile, span: Span) -> None:
    before = _profile(engine, present.reference_name)
    click.echo(
        f"learned of {made.rows:,} events from {minute(span.from_ms)} to {minute(span.to_ms)} UTC, "
        f"against {'no reference' if before is None else f'reference {before.name!r} of {before.rows:,} rows'}"
    )
    if before is not None:
        Console(width=_WIDTH, highlight=False).print(differences_table(differences(before, made)))
    incidents = _incidents_in(engine, present.model, span)
    for line in worth_knowing(before, made, present.monitor.segments, incidents):
        click.secho(f"driftbell: {line}", fg="yellow", err=True)


def _profile(engine: Engine, name: str | None) -> ReferenceProfile | None:
    data = None if name is None else load_reference(engine, name)
    return None if data is None else profile_from_bytes(data)


def _incidents_in(engine: Engine, model: str, span: Span) -> list[IncidentRow]:
    with transaction(engine) as connection:
        wanted = IncidentFilter(model=model, until_ms=span.to_ms)
        found = list_incidents(connection, wanted, Paging(_MOST_INCIDENTS)).rows
    return [one for one in found if one.fired_ms and (one.until_ms is None or one.until_ms > span.from_ms)]


# ---------------------------------------------------------------- doing
def _accept(
    engine: Engine, present: ModelVersion, learned: tuple[ReferenceProfile, Span], said: Statement
) -> None:
    made, span = learned
    applied = accepting.accept(engine, present, made, span, said, now_ms())
    _say(applied, made.name, said)
    click.echo(f'to go back: driftbell reference accept --model {quote(made.model)} --back --why "..."')


def _take_back(engine: Engine, present: ModelVersion, said: Statement, *, yes: bool) -> None:
    if not yes:
        click.confirm(
            f"Give model {present.model} the reference again that {present.reference_name!r} replaced?",
            abort=True,
        )
    name, applied = store.go_back(engine, present, said, now_ms())
    _say(applied, name, said)


def _say(applied: Applied, name: str | None, said: Statement) -> None:
    now_is = "there is no reference any more" if name is None else f"{name!r} is the reference"
    click.echo(f"{applied.model}: from event time {iso(applied.since_ms)} on {now_is}, says {said.who}")
    line = "no `reference`" if name is None else f"`reference: {name}`"
    click.echo(f"write {line} into the monitor's file, or the next `driftbell apply` of it undoes this")
