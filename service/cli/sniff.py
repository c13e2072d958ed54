"""`driftbell sniff`: what a topic holds, and a first monitor for it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from service.cli import tables
from service.cli.sniff_tables import tables_of
from service.cli.whole_numbers import WholeNumber
from service.dead_letters.readable import visible
from service.errors import ConfigurationError
from service.intake.limits import Limits
from service.monitor import WindowSpec, parse_duration
from service.settings import load_from_environment
from service.sniffing.drafting import Choices, advice_on, draft, draft_yaml
from service.sniffing.tail import MOST_RECORDS, USUAL_RECORDS, sniff_topic
from service.wiring import make_log_reader

if TYPE_CHECKING:
    from service.sniffing.found import ModelFound, TopicFound


def _lengths(_: click.Context, option: click.Parameter, texts: tuple[str, ...]) -> tuple[int, ...]:
    try:
        return tuple(map(parse_duration, texts))
    except ValueError as advice:
        raise click.BadParameter(str(advice), param=option) from None


@click.command()
@click.argument("topic")
@click.option(
    "--records",
    type=WholeNumber(1, MOST_RECORDS),
    default=USUAL_RECORDS,
    show_default=True,
    help="About how many of its last records.",
)
@click.option("--events", type=click.Path(path_type=Path), help="A file log to look at, in place of Kafka.")
@click.option(
    "--draft", "wants_draft", is_flag=True, help="Print a monitor for it as YAML, and nothing else."
)
@click.option("--model", help="Which model to draft for (needed when there are several).")
@click.option("--reference", help="In the draft: the reference to compare with.")
@click.option(
    "--window",
    "windows",
    multiple=True,
    callback=_lengths,
    help="In the draft: a window (may be given again).",
)
@click.option("--pane", "panes", multiple=True, callback=_lengths, help="In the draft: the pane.")
@click.option("--segment", "segments", multiple=True, help="In the draft: a segment (may be given again).")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def sniff(  # noqa: PLR0913, PLR0917 - click hands over every option
    topic: str, records: int, events: Path | None, wants_draft: bool, model: str | None, reference: str | None,
    windows: tuple[int, ...], panes: tuple[int, ...], segments: tuple[str, ...], as_json: bool,
) -> None:  # fmt: skip
    """Read the last records of a topic and say what they hold; with --draft, write a first monitor for them.

    No consumer group is joined and nothing is committed, so it can run beside any number of collectors.

    \b
    driftbell sniff inference-log
    driftbell sniff inference-log --draft > monitors.yaml
    driftbell sniff inference-log --draft --model churn --window 5m --window 1h --segment country
    driftbell sniff inference-log --json | jq '.models[].features[] | select(.kind == "id").name'
    """  # noqa: D301 - click reads \b
    found = _found(topic, records, events)
    if wants_draft:
        chosen = Choices(
            reference=reference,
            pane_ms=panes[-1] if panes else None,
            windows=tuple(map(WindowSpec.tumbling, windows)) or None,
            segments=segments or None,
        )
        _print_draft(found, _only(found, model), chosen)
    elif as_json:
        click.echo(msgspec.json.encode(found))
    else:
        _print(found)


def _found(topic: str, records: int, events: Path | None) -> TopicFound:
    settings = load_from_environment()
    if events is None and not settings.kafka.bootstrap_servers:
        raise ConfigurationError(
            "no Kafka is configured; set DRIFTBELL_KAFKA_BOOTSTRAP_SERVERS to host:port, or say --events FILE"
        )
    limits = Limits(event_bytes=settings.collector.max_event_bytes)
    with closing(make_log_reader(settings, events, topics=(topic,))) as reader:
        return sniff_topic(reader, topic, records, limits)


def _only(found: TopicFound, model: str | None) -> ModelFound:
    if not found.models:
        raise ConfigurationError(f"nothing to draft from: {found.format}")
    known = ", ".join(visible(one.model) for one in found.models)
    if model is None:
        if len(found.models) > 1:
            raise ConfigurationError(f"the topic holds several models; say --model with one of {known}")
        return found.models[0]
    one = found.model(model)
    if one is None:
        raise ConfigurationError(f"the last records hold no model {model!r}; they hold {known}")
    return one


def _print_draft(found: TopicFound, model: ModelFound, chosen: Choices) -> None:
    monitor = draft(model, chosen)
    click.echo(draft_yaml(monitor, found.topic).encode(), nl=False)
    for sentence in advice_on(model, monitor):
        click.secho(f"driftbell: {visible(sentence)}", fg="yellow", err=True)


def _print(found: TopicFound) -> None:
    for part in tables_of(found):
        if isinstance(part, str):
            click.echo(part)
        else:
            tables.show(part)
