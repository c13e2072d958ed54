"""`driftbell incidents ack`, `silence`, `expect` and their ends: what a person says of an incident while it lasts."""

from __future__ import annotations

from datetime import datetime

import click

from service.alerting.standing_words import ending_of
from service.alerting.words import Said, Word, end_of_silence
from service.cli import tables
from service.cli.dead_letter_filters import database, reading
from service.cli.json_lines import echo_json
from service.cli.standing_lines import silences_table
from service.cli.times import span_of, time_of
from service.cli.who import who_option, why_option
from service.cli.whole_numbers import WholeNumber
from service.dead_letters.readable import visible
from service.errors import ConfigurationError
from service.moments import time_at
from service.opening import now_ms
from service.settings import load_from_environment
from service.store.alertmanagers import all_silences
from service.store.incident_words import Order, end, say
from service.store.statements import statement_of

_for = click.option("--for", "lasts", help="So long from now on: 1h, 4h, 1d.")
_until = click.option("--until", help="Until this time, ISO 8601.")


@click.command()
@click.argument("incident")
@click.option("--why", default="looking into it", show_default=True, help="What you are about to do.")
@who_option
def ack(incident: str, why: str, who: str) -> None:
    """Say that you have an incident: everybody sees so, here, on its page and in Alertmanager. It silences nothing.

    \b
    driftbell incidents ack i-3f9a1c0b7d42e815
    """  # noqa: D301 - click reads \b
    _say(Order(incident, Word.ACKNOWLEDGED, statement_of(who, why)))
    click.echo(f"{incident} is acknowledged by {who}")


@click.command()
@click.argument("incident")
@click.option("--why", default="not any more", show_default=True, help="Why.")
@who_option
def release(incident: str, why: str, who: str) -> None:
    """Say that nobody has an incident any more.

    \b
    driftbell incidents release i-3f9a1c0b7d42e815 --why "my shift is over"
    """  # noqa: D301
    _say(Order(incident, Word.RELEASED, statement_of(who, why)))
    click.echo(f"{incident} is nobody's any more")


@click.command()
@click.argument("incident")
@_for
@_until
@click.option(
    "--widely", is_flag=True, help="Also where the same is wrong with the same columns in later incidents."
)
@why_option
@who_option
def silence(incident: str, lasts: str | None, until: str | None, widely: bool, why: str, who: str) -> None:
    """Send no notifications of an incident until then: no webhook, and a silence at each Alertmanager.

    \b
    driftbell incidents silence i-3f9a1c0b7d42e815 --for 4h --why "the supplier repairs it"
    driftbell incidents silence i-3f9a1c0b7d42e815 --until 2026-11-23T08:00Z --widely --why "waits for the day shift"
    """  # noqa: D301
    end_at = _end_of(lasts, until)
    if end_at is None:
        raise ConfigurationError("say until when: --for 4h, or --until 2026-11-23T08:00Z")
    made = _say(Order(incident, Word.SILENCED, statement_of(who, why), end_at, widely))
    click.echo(f"{incident} is silent {ending_of(made)}; to end it: driftbell incidents unsilence {made.id}")


@click.command()
@click.argument("incident")
@_for
@_until
@why_option
@who_option
def expect(incident: str, lasts: str | None, until: str | None, why: str, who: str) -> None:
    """Say that an incident is a planned change: it pages nobody any more and is no false page of the budget.

    The same cause on the same columns does not ring again until then, and at the latest until the model gets another
    reference. What else goes wrong rings as ever.

    \b
    driftbell incidents expect i-3f9a1c0b7d42e815 --why "new prices from today on"
    driftbell incidents expect i-3f9a1c0b7d42e815 --for 7d --why "sale of the week"
    """  # noqa: D301
    made = _say(Order(incident, Word.EXPECTED, statement_of(who, why), _end_of(lasts, until), widely=True))
    click.echo(
        f"{incident} is expected {ending_of(made)}; to end it: driftbell incidents unsilence {made.id}"
    )


@click.command()
@click.argument("number", type=WholeNumber(1, 2**63 - 1))
@click.option("--why", default="not any more", show_default=True, help="Why.")
@who_option
def unsilence(number: int, why: str, who: str) -> None:
    """End a silence, or what is expected, before its time; what still fires rings again.

    \b
    driftbell incidents silences
    driftbell incidents unsilence 12 --why "it was not what we thought"
    """  # noqa: D301
    with database(load_from_environment()) as engine:
        made = end(engine, number, statement_of(who, why), _now())
    if made is None:
        raise ConfigurationError(
            f"there is no silence {number}, or it is over; `driftbell incidents silences` shows those that hold"
        )
    click.echo(f"silence {number} of {made.incident} has ended")


@click.command()
@click.option("--model", help="Only of this model.")
@click.option("--json", "as_json", is_flag=True, help="For programs: a JSON object a line.")
def silences(model: str | None, as_json: bool) -> None:
    """List what is silent or expected now, by whom, until when and why; those of Alertmanagers, too.

    \b
    driftbell incidents silences
    """  # noqa: D301
    with reading() as connection:
        ours, there = all_silences(connection, _now(), model)
    if as_json:
        for one in (*ours, *there):
            echo_json(one)
        return
    if not ours and not there:
        click.echo("nothing is silent")
        return
    tables.show(silences_table(ours, there))


def add_word_commands(incidents: click.Group) -> None:
    """Beside `list`, `show` and `mark`."""
    for command in (ack, release, silence, expect, unsilence, silences):
        incidents.add_command(command)


def _say(order: Order) -> Said:
    with database(load_from_environment()) as engine:
        made = say(engine, order)
    if made is None:
        raise ConfigurationError(
            f"there is no incident {visible(order.incident)!r}; `driftbell incidents list` shows those there are"
        )
    return made


def _end_of(lasts: str | None, until: str | None) -> datetime | None:
    if lasts is not None and until is not None:
        raise ConfigurationError("say --for or --until, not both")
    lasts_ms = None if lasts is None else span_of(lasts, "--for")
    until_ms = None if until is None else time_of(until, "--until")
    return end_of_silence(now_ms(), lasts_ms, until_ms)


def _now() -> datetime:
    return time_at(now_ms())
