"""Replay a file log: through the whole pipeline in memory, or into Kafka at the pace of its event times."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import click
import msgspec
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from service.cli.monitors import read_monitors
from service.cli.replay_summary import summary_of
from service.errors import ConfigurationError
from service.replay import Sink, Tally
from service.settings import load_from_environment
from service.wiring import kafka_settings, make_replay


@click.command()
@click.option("--monitors", type=click.Path(path_type=Path), help="The monitors' YAML.")
@click.option(
    "--reference",
    "references",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A profile file (may be given again).",
)
@click.option(
    "--events",
    required=True,
    type=click.Path(path_type=Path),
    help="JSONL file or folder, plain, .gz or .zst.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Where windows, findings and alerts go, one JSON object a line.",
)
@click.option(
    "--summary",
    is_flag=True,
    help="Also print each incident and its alerts as sentences, and what would have paged.",
)
@click.option(
    "--partitions",
    default=1,
    show_default=True,
    type=click.IntRange(1, 1024),
    help="Split one file by inference id.",
)
@click.option("--live", is_flag=True, help="Send the events to Kafka instead, paced by their event times.")
@click.option("--topic", help="With --live: the topic (default: the first of DRIFTBELL_KAFKA_TOPICS).")
@click.option(
    "--speed",
    default=1.0,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True),
    help="With --live: times faster than life.",
)
@click.option("--quiet", is_flag=True, help="No progress bar.")
def replay(  # noqa: PLR0913, PLR0917 - click hands over every option
    monitors: Path | None, references: tuple[Path, ...], events: Path, out: Path | None, summary: bool, partitions: int,
    live: bool, topic: str | None, speed: float, quiet: bool,
) -> None:  # fmt: skip
    """Run the pipeline over a log without Kafka or a server. The same input gives the same bytes.

    \b
    driftbell replay --monitors monitors.yaml --reference churn.profile --events log.jsonl.gz --out out.jsonl --summary
    driftbell replay --live --events log.jsonl.gz --topic inference-log --speed 60
    """  # noqa: D301
    if live:
        from service.demo.pacing import replay_live

        settings = load_from_environment()
        sent = replay_live(kafka_settings(settings), events, topic or settings.kafka.topics[0], speed)
        click.echo(f"{sent:,} events sent")
        return
    if monitors is None or out is None:
        raise ConfigurationError("say --monitors FILE and --out FILE, or --live to send the events to Kafka")
    read = read_monitors(monitors, references)
    _require_references(read.monitors, read.profiles)
    with _opened(out, events) as lines, _progress(quiet=quiet) as bar:
        task = bar.add_task(f"replaying {events.name}", total=None)
        run = make_replay(read.monitors, read.profiles, events, partitions, _writer(lines))
        run.progress = lambda records: bar.advance(task, records)
        tally = run.run()
    _require_events(tally, events)
    if summary:
        for line in summary_of(tally, read.monitors):
            click.echo(line)
    if tally.dead:
        click.secho(f"driftbell: {_dead(tally)}", fg="yellow", err=True)
    click.echo(_counts(tally))


def _require_references(monitors: Any, profiles: Mapping[str, object]) -> None:
    problems = [
        f"{m.model}: the reference {m.reference!r} is neither a file nor given with --reference"
        for m in monitors
        if m.reference and m.reference not in profiles
    ]
    if problems:
        raise ConfigurationError(*problems)


def _opened(out: Path, events: Path) -> IO[bytes]:
    if out.resolve() == events.resolve() or (events.is_dir() and events.resolve() in out.resolve().parents):
        raise ConfigurationError(
            f"--out {out} would be written over the events or among them; name another place"
        )
    if not events.exists():
        raise ConfigurationError(f"there is no file or folder {events}; --events names the log to replay")
    try:
        return out.open("wb")
    except OSError as why:
        raise ConfigurationError(f"cannot write {out}: {why.strerror}") from why


def _require_events(tally: Tally, events: Path) -> None:
    """That a log was replayed of which nothing could be used is no success."""
    records = tally.records
    if records.total == 0:
        raise ConfigurationError(f"{events} holds no events")
    if records.dead == records.total:
        raise ConfigurationError(f"{events}: {_dead(tally)}; no window was evaluated")


def _dead(tally: Tally) -> str:
    reasons = ", ".join(f"{count:,} {reason.value}" for reason, count in tally.dead.most_common())
    first = tally.first_dead
    example = f" (the first: {first.detail})" if first is not None else ""
    return f"{tally.records.dead:,} of {tally.records.total:,} events cannot be used: {reasons}{example}"


def _writer(lines: IO[bytes]) -> Sink:
    encode = msgspec.json.encode

    def write(line: Mapping[str, Any]) -> None:
        lines.write(encode(line) + b"\n")

    return write


def _progress(*, quiet: bool) -> Progress:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    return Progress(*columns, console=console, disable=quiet or not console.is_terminal, transient=True)


def _counts(tally: Tally) -> str:
    r = tally.records
    return (
        f"accepted {r.accepted}, duplicate {r.duplicate}, late {r.late}, dead {r.dead}, tombstone {r.tombstone}; "
        f"windows {tally.windows}; findings {tally.findings}; alerts {tally.alerts}"
    )
