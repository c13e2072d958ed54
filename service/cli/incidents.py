"""Incidents for a person at a terminal: listed, shown with their alerts, and marked as right or as false alarms."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from service.cli import tables
from service.cli.dead_letter_filters import database, reading
from service.cli.incident_lines import lines_of, spent_of, table_of
from service.cli.incident_words import add_word_commands
from service.cli.json_lines import echo_json
from service.cli.known_names import require_model
from service.cli.standing_lines import standing_lines
from service.cli.times import ago_or_time
from service.cli.who import who_option, why_option
from service.cli.whole_numbers import WholeNumber
from service.errors import ConfigurationError
from service.moments import time_at
from service.opening import now_ms
from service.settings import load_from_environment
from service.store.alertmanagers import silenced_there
from service.store.configuration import load_configuration
from service.store.engine import transaction
from service.store.incident_words import silences_over, words_of
from service.store.incidents import IncidentFilter, IncidentRow, alerts_of, find_incident, list_incidents
from service.store.ledger import ledger_of
from service.store.marks import AlarmVerdict, add_mark, marks_of
from service.store.paging import Paging
from service.store.statements import statement_of

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine


@click.group()
def incidents() -> None:
    """Alerts that belong together, each such group one page: look at them, and say which were false."""


@incidents.command(name="list")
@click.option("--model", help="Only of this model.")
@click.option("--open", "only_open", is_flag=True, help="Only what is not over.")
@click.option("--since", help="Only what began after this: 2h (ago), or ISO 8601.")
@click.option("--limit", default=20, show_default=True, type=WholeNumber(1, 10_000), help="The most lines.")
@click.option("--json", "as_json", is_flag=True, help="For programs: a JSON object a line.")
def list_(model: str | None, only_open: bool, since: str | None, limit: int, as_json: bool) -> None:
    """List incidents, the open ones first, each with its root's sentence.

    \b
    driftbell incidents list --open
    driftbell incidents list --model churn --since 30d
    """  # noqa: D301 - click reads \b
    since_ms = None if since is None else ago_or_time(since, "--since", now_ms())
    with reading() as connection:
        found = _open_first(connection, model, since_ms, limit, only_open=only_open)
        if model is not None and not list_incidents(connection, IncidentFilter(model=model), Paging(1)).rows:
            require_model(connection, model)
    if as_json:
        for one in found:
            echo_json(one)
        return
    if not found:
        click.echo("no open incidents" if only_open else "no incidents")
        return
    tables.show(table_of(found))


def _open_first(
    connection: Connection, model: str | None, since_ms: int | None, limit: int, *, only_open: bool
) -> list[IncidentRow]:
    found: list[IncidentRow] = []
    for is_open in (True,) if only_open else (True, False):
        wanted = IncidentFilter(model=model, since_ms=since_ms, open=is_open)
        if len(found) < limit:
            found += list_incidents(connection, wanted, Paging(limit - len(found))).rows
    return found


@incidents.command()
@click.argument("incident")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show(incident: str, as_json: bool) -> None:
    """Show an incident: its root, what follows from it, what it rests on, and what people say of it.

    \b
    driftbell incidents show i-3f9a1c0b7d42e815
    """  # noqa: D301
    with reading() as connection:
        one = find_incident(connection, incident)
        if one is None:
            raise _unknown(incident)
        alerts, marks = alerts_of(connection, incident), marks_of(connection, incident)
        now, words = time_at(now_ms()), words_of(connection, incident)
        silences = silences_over(connection, {incident: one.model}, now).get(incident, ())
        there = silenced_there(connection, now, [incident])
    if as_json:
        beside = {
            "alerts": alerts,
            "marks": marks,
            "words": words,
            "silences": silences,
            "silenced_there": there,
        }
        echo_json(asdict(one) | beside)
        return
    for line in lines_of(one, alerts, marks, list(standing_lines(words, silences, there))):
        click.echo(line)


@incidents.command()
@click.argument("incident")
@click.option(
    "--false-alarm",
    "verdict",
    flag_value=AlarmVerdict.FALSE_ALARM.value,
    help="There was nothing to be woken for: the page is on the budget.",
)
@click.option(
    "--true-alarm",
    "verdict",
    flag_value=AlarmVerdict.TRUE_ALARM.value,
    help="There was, whether or not anybody could help.",
)
@why_option
@who_option
def mark(incident: str, verdict: str | None, why: str, who: str) -> None:
    """Say whether an incident was worth its page. The last word holds; the ones before are kept.

    \b
    driftbell incidents mark i-3f9a1c0b7d42e815 --false-alarm --why "planned price change"
    driftbell incidents mark i-3f9a1c0b7d42e815 --true-alarm --why "supplier sent pounds"
    """  # noqa: D301
    if verdict is None:
        raise ConfigurationError("say what it was: --false-alarm or --true-alarm")
    said = statement_of(who, why)
    with database(load_from_environment()) as engine:
        made = add_mark(engine, incident, AlarmVerdict(verdict), said)
        if made is None:
            raise _unknown(incident)
        click.echo(f"{incident} is marked {verdict.replace('_', ' ')} by {made.who}")
        _say_what_is_spent(engine, made.model)


def _say_what_is_spent(engine: Engine, model: str) -> None:
    now = now_ms()
    version = load_configuration(engine).at(model, now)
    if version is not None:
        with transaction(engine) as connection:
            click.echo(spent_of(ledger_of(connection, model, version.monitor.budget, now)))


add_word_commands(incidents)


def _unknown(incident: str) -> ConfigurationError:
    return ConfigurationError(
        f"there is no incident {incident!r}; `driftbell incidents list` shows those there are"
    )
