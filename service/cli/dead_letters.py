"""Dead letters for a person at a terminal: listed, shown, counted, exported, replayed. No raw byte is printed."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from service.cli.dead_letter_filters import database, filtered, reading
from service.cli.json_lines import echo_json
from service.cli.progress import progress
from service.cli.whole_numbers import WholeNumber
from service.dead_letters.replaying import Choice, Replaying, Tried
from service.dead_letters.telling import Tally, bars, document_of, lines_of, prospects_of, table_of
from service.errors import ConfigurationError
from service.messages import Partition
from service.settings import load_from_environment
from service.store.dead_letters import (
    CountBy,
    DeadLetterFilter,
    DeadLetterRow,
    count_dead_letters,
    find_dead_letter,
    list_dead_letters,
    newest_dead_letter,
)
from service.store.engine import transaction
from service.store.paging import Key, Paging
from service.wiring import kafka_settings, make_replaying

if TYPE_CHECKING:
    from sqlalchemy import Engine

_PAGE = 500
_PIPED_WIDTH = 200


@click.group(name="dead-letters")
def dead_letters() -> None:
    """Records that could not be used: look at them, and replay them once the cause is mended."""


# ---------------------------------------------------------------- looking
@dead_letters.command(name="list")
@filtered
@click.option("--limit", default=20, show_default=True, type=WholeNumber(1, 10_000), help="The most lines.")
@click.option("--before", type=WholeNumber(1), help="Go on where a list ended: only ids below this one.")
@click.option("--json", "as_json", is_flag=True, help="For programs: a JSON object a line.")
def list_(wanted: DeadLetterFilter, limit: int, before: int | None, as_json: bool) -> None:
    """List dead letters, the latest first.

    \b
    driftbell dead-letters list --since 2h
    driftbell dead-letters list --topic inference-log --reason bad_json --limit 100
    """  # noqa: D301 - click reads \b
    paging = Paging(limit, None if before is None else (before,))
    with reading() as connection:
        chunk = list_dead_letters(connection, wanted, paging)
    if as_json:
        _print_documents(chunk.rows)
        return
    if not chunk.rows:
        click.echo("no dead letters")
        return
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _PIPED_WIDTH
    for line in table_of(chunk.rows, width):
        click.echo(line)
    if chunk.next is not None:
        click.echo(f"there are older ones: add --before {chunk.next[0]}", err=True)


@dead_letters.command()
@click.argument("topic")
@click.argument("partition", type=WholeNumber(0, 2**31 - 1))
@click.argument("offset", type=WholeNumber(0, 2**63 - 1))
@click.option("--json", "as_json", is_flag=True, help="For programs: one JSON object, its bytes in base64.")
def show(topic: str, partition: int, offset: int, as_json: bool) -> None:
    """Show everything about one dead letter: its value as text and as bytes.

    \b
    driftbell dead-letters show inference-log 3 104729
    """  # noqa: D301
    with reading() as connection:
        letter = find_dead_letter(connection, Partition(topic, partition), offset)
    if letter is None:
        raise ConfigurationError(
            f"there is no dead letter at offset {offset} of {topic!r} {partition}; "
            "`driftbell dead-letters list` shows those there are"
        )
    if as_json:
        _print_documents([letter])
        return
    for line in lines_of(letter):
        click.echo(line)


@dead_letters.command()
@filtered
@click.option(
    "--by", default=CountBy.REASON.value, show_default=True, type=click.Choice([by.value for by in CountBy])
)
@click.option("--json", "as_json", is_flag=True, help="For programs: a JSON object a line.")
def count(wanted: DeadLetterFilter, by: str, as_json: bool) -> None:
    """Count dead letters by reason, topic or hour.

    \b
    driftbell dead-letters count --since 1d
    driftbell dead-letters count --by hour --topic inference-log
    """  # noqa: D301
    with reading() as connection:
        counts = count_dead_letters(connection, wanted, CountBy(by))
    if as_json:
        for one in counts:
            echo_json({by: one.name, "count": one.count, "last_seen_at": one.last_seen_at})
        return
    for line in bars(counts):
        click.echo(line)
    if not counts:
        click.echo("no dead letters")


@dead_letters.command()
@filtered
def export(wanted: DeadLetterFilter) -> None:
    """Print all dead letters, the oldest first, as a JSON object a line with their bytes in base64.

    \b
    driftbell dead-letters export --topic inference-log --since 1d > letters.jsonl
    """  # noqa: D301
    with database(load_from_environment()) as engine:
        _print_documents(_oldest_first(engine, wanted))


def _oldest_first(engine: Engine, wanted: DeadLetterFilter) -> Iterator[DeadLetterRow]:
    with transaction(engine) as connection:
        wanted = replace(wanted, last_id=newest_dead_letter(connection))
    after: Key | None = None
    while True:
        with transaction(engine) as connection:
            chunk = list_dead_letters(connection, wanted, Paging(_PAGE, after), oldest_first=True)
        yield from chunk.rows
        if chunk.next is None:
            return
        after = chunk.next


def _print_documents(letters: Iterable[DeadLetterRow]) -> None:
    for letter in letters:
        echo_json(document_of(letter))


# ---------------------------------------------------------------- replaying
@dead_letters.command()
@filtered
@click.option("--offset", type=WholeNumber(0, 2**63 - 1), help="Only the record at this offset.")
@click.option("--limit", type=WholeNumber(1), help="The most letters, the oldest first (default: all).")
@click.option("--all", "broken", is_flag=True, help="Write also those that still are no events.")
@click.option("--again", is_flag=True, help="Take also those that were replayed before.")
@click.option("--dry-run", is_flag=True, help="Only say what would become of them.")
@click.option("--yes", is_flag=True, help="Write them without asking.")
def replay(  # noqa: PLR0913, PLR0917 - click hands over every option
    wanted: DeadLetterFilter, offset: int | None, limit: int | None, broken: bool, again: bool, dry_run: bool,
    yes: bool,
) -> None:  # fmt: skip
    """Write dead letters to the end of their partitions again, once their cause is mended.

    First it says what would become of each by today's monitors, and asks. Collectors then read and count
    them like any record: by their event time, if their windows are still open, and each inference id once.

    \b
    driftbell dead-letters replay --topic inference-log --reason unknown_model --dry-run
    driftbell dead-letters replay --topic inference-log --reason unknown_model
    """  # noqa: D301
    settings = load_from_environment()
    if not dry_run:
        kafka_settings(settings)  # what is not configured is said before anybody is asked
    with database(settings) as engine:
        replaying = make_replaying(settings, engine)
        # What comes in from now on was not looked at, and is left alone.
        chosen = replace(wanted, offset=offset, last_id=replaying.newest_id())
        choice = Choice(chosen, limit, broken=broken, again=again)
        count = _look(replaying, choice)
        if count and not dry_run:
            if not yes:
                click.confirm(f"Write {count:,} of them to the log again?", abort=True)
            _write(replaying, choice, count)


def _look(replaying: Replaying, choice: Choice) -> int:
    """Say what would become of them; returns how many would be written."""
    tally = _tallied(replaying.look(choice), "looking at dead letters")
    click.echo(prospects_of(tally))
    _say_troubles(tally)
    return tally.letters - tally.unread if choice.broken else tally.decode


def _write(replaying: Replaying, choice: Choice, expected: int) -> None:
    tally = _tallied(replaying.write(choice), "writing", expected)
    click.echo(f"{tally.written:,} written to the log again; collectors count them like any other record")
    if tally.written < expected:
        _say_troubles(tally)
        sys.exit(1)


def _tallied(tried: Iterable[Tried], doing: str, total: int | None = None) -> Tally:
    """Count them; a terminal shows how far it is, at about a thousand letters a second."""
    tally = Tally()
    with progress() as bar:
        for one in bar.track(tried, total=total, description=doing):
            tally.add(one)
    return tally


def _say_troubles(tally: Tally) -> None:
    for trouble in tally.troubles:
        click.secho(f"driftbell: {trouble}", fg="yellow", err=True)
    if tally.troubled > len(tally.troubles):
        click.secho(
            f"driftbell: and {tally.troubled - len(tally.troubles):,} more like these", fg="yellow", err=True
        )
