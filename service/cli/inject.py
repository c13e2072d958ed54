"""Put a fault into a copy of a log: one command for each kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import click

from service.cli.log_places import open_log, records_in, require_apart, share_in, topic_in
from service.cli.progress import progress
from service.errors import ConfigurationError
from service.injection.catalogue import KINDS
from service.injection.fault import Fault
from service.injection.injector import Injector, Scope
from service.injection.output import write_file, write_topic
from service.injection.survey import Survey, counted, survey
from service.injection.times import time_of
from service.messages import iso
from service.settings import load_from_environment
from service.wiring import kafka_settings

_FOREVER_MS = 2**62
_PLACES = "JSONL file or folder, plain, .gz or .zst, or topic:NAME."
_FIRST = {
    "missing": "--how absent --share 0.02 --where country=DE ", "encoding": "--map DE=Germany,FR=France ",
    "default-fill": "--value -1 --share 0.1 ", "category-mix": "--share 0.15 ", "silence": "--where country=DE ",
    "shift": "--sigma 0.25 --gradual ", "type-change": "--how unit --unit years ", "late": "--by 2h ",
}  # fmt: skip
"""What the first example of a kind shows beside the options that it must have."""
_NEEDED = {"feature": "--feature amount ", "other": "--other fee ", "unit": "--unit kg:lb "}


class Kinds(click.Group):
    """A command for each kind of fault, made of its options."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(KINDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        return _command(KINDS[cmd_name]) if cmd_name in KINDS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in KINDS and not args[0].startswith("-"):
            from service.parsers import suggestion

            raise ConfigurationError(f"there is no kind of fault {args[0]!r}; {suggestion(args[0], KINDS)}")
        return super().resolve_command(ctx, args)


@click.command(cls=Kinds)
def inject() -> None:
    """Write a copy of a log with one fault in it. `driftbell inject KIND --help` tells a kind's options.

    Events that the fault does not hit keep their bytes; the same seed gives the same copy.

    \b
    driftbell inject missing --feature amount --share 0.02 --events log.jsonl.gz --out faulted.jsonl.gz
    driftbell inject unit --feature weight --unit kg:lb --events topic:inference-log --out topic:game-day
    """  # noqa: D301 - click reads \b


def _command(kind: type[Fault]) -> click.Command:
    own = [_option(one, get_type_hints(kind)[one.name]) for one in fields(kind)]
    says = (kind.__doc__ or "").strip()
    return click.Command(
        kind.name, callback=_runner(kind), params=[*own, *_common()], help=f"{says}\n\n\b\n{_examples(kind)}",
        short_help=says.partition(".")[0],
    )  # fmt: skip


def _examples(kind: type[Fault]) -> str:
    needed = "".join(_NEEDED[one.name] for one in fields(kind) if one.default is MISSING)
    needed += _NEEDED["unit"] if kind.name == "unit" else ""
    return (
        f"driftbell inject {kind.name} {needed}{_FIRST.get(kind.name, '')}--events log.jsonl.gz --out copy.jsonl.gz\n"
        f"driftbell inject {kind.name} {needed}--from 2026-11-21T10:00Z --events topic:live --out topic:game-day"
    )


def _option(one: Field[Any], hint: Any) -> click.Option:
    required = one.default is MISSING
    default = None if required else one.default
    plain = (
        next(t for t in (get_args(hint) or (hint,)) if t is not NoneType)
        if get_origin(hint) is not Literal
        else hint
    )
    name = f"--{one.name.replace('_', '-')}"
    if plain is bool:
        return click.Option([name], is_flag=True, help=one.metadata["help"])
    written: Any = click.Choice(get_args(plain)) if get_origin(plain) is Literal else plain
    return click.Option(
        [name], type=written, required=required, default=default, show_default=default is not None,
        help=one.metadata["help"],
    )  # fmt: skip


def _common() -> list[click.Option]:
    return [
        click.Option(["--events"], required=True, help=f"The log: {_PLACES}"),
        click.Option(["--out"], required=True, help="The copy: a file, packed by its ending, or topic:NAME."),
        click.Option(["--model"], help="Whose events (needed when the log holds those of several)."),
        click.Option(["--where"], help="Only events of a segment: feature=value or tag=value."),
        click.Option(
            ["--share"], type=click.FloatRange(0, 1, min_open=True), default=1.0, show_default=True,
            help="Only this share of them, drawn at random.",
        ),
        click.Option(["--at"], help="Begin when so much of the log has passed (default: 50%)."),
        click.Option(["--from", "since"], help="Or begin at this event time, ISO 8601."),
        click.Option(["--to", "until"], help="End at this event time (default: never)."),
        click.Option(["--seed"], type=int, default=0, show_default=True, help="Of all that is random."),
        click.Option(["--quiet"], is_flag=True, help="No progress bar."),
    ]  # fmt: skip


def _runner(kind: type[Fault]) -> Callable[..., None]:
    names = {one.name for one in fields(kind)}

    def run(**given: Any) -> None:
        fault = kind(**{name: given.pop(name) for name in names})
        _inject(fault, **given)

    return run


def _inject(  # noqa: PLR0913 - click hands over every option
    fault: Fault, *, events: str, out: str, model: str | None, where: str | None, share: float, at: str | None,
    since: str | None, until: str | None, seed: int, quiet: bool,
) -> None:  # fmt: skip
    require_apart(out, events)
    log = open_log(events)
    with progress(quiet=quiet) as bar:
        reading = bar.add_task(f"reading {events}", total=records_in(events, bar))
        found = survey(log, model, lambda n: bar.advance(reading, n))
        scope = _scope(found, share, where, at, since, until)
        injector = Injector(fault, scope, found, seed)
        writing = bar.add_task(f"writing {out}", total=bar.tasks[0].completed)
        written = _write(out, injector.run(counted(log(), lambda n: bar.advance(writing, n))))
    if not injector.hit:
        click.secho(
            "driftbell: no event was hit; look at --from, --to, --where and --share", fg="yellow", err=True
        )
    if injector.unreadable:
        passed = (
            "1 line is no event and was"
            if injector.unreadable == 1
            else f"{injector.unreadable:,} lines are no events and were"
        )
        click.secho(f"driftbell: {passed} left as found", fg="yellow", err=True)
    click.echo(
        f"{fault.name}: {injector.hit:,} events hit from {iso(scope.from_ms)} on; {written:,} written to {out}"
    )


def _write(out: str, records: Any) -> int:
    topic = topic_in(out)
    if topic is None:
        return write_file(Path(out), records)
    from service.intake.kafka_writer import KafkaWriter

    writer = KafkaWriter(kafka_settings(load_from_environment(), (topic,)))
    try:
        return write_topic(writer, topic, records)
    finally:
        writer.close()


def _scope(
    found: Survey, share: float, where: str | None, at: str | None, since: str | None, until: str | None
) -> Scope:
    if at is not None and since is not None:
        raise ConfigurationError("say either --at or --from")
    from_ms = time_of(since, "--from") if since else found.at(share_in(at or "50%", "--at"))
    to_ms = time_of(until, "--to") if until else _FOREVER_MS
    if to_ms <= from_ms:
        raise ConfigurationError(f"--to {until} is not after the fault's begin, {iso(from_ms)}")
    return Scope(from_ms, to_ms, share, _where(where))


def _where(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise ConfigurationError(f"--where {text!r} is no segment; write feature=value, such as country=DE")
    return name, value
