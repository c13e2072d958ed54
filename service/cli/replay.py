"""Replay a file log: through the whole pipeline in memory, or into Kafka at the pace of its event times."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from service.cli.backtest import Wanted, judge_stored
from service.cli.log_places import records_in
from service.cli.monitors import MonitorFile, read_monitors
from service.cli.progress import progress
from service.cli.replay_output import opened, writer
from service.cli.replay_summary import summary_of
from service.cli.whole_numbers import WholeNumber
from service.errors import ConfigurationError
from service.messages import iso
from service.replay import Tally
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
    type=click.Path(path_type=Path),
    help="JSONL file or folder, plain, .gz or .zst.",
)
@click.option("--stored", is_flag=True, help="The panes that the database keeps, in place of a log.")
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
    type=WholeNumber(1, 1024),
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
@click.option("--model", help="With --stored: only this model of the monitors.")
@click.option("--from", "since", help="With --stored: tell only what came after: 30d (ago), or ISO 8601.")
@click.option("--to", "until", help="With --stored: and not after this.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
def replay(  # noqa: PLR0913, PLR0917 - click hands over every option
    monitors: Path | None, references: tuple[Path, ...], events: Path | None, stored: bool, out: Path | None,
    summary: bool, partitions: int, live: bool, topic: str | None, speed: float, model: str | None,
    since: str | None, until: str | None, quiet: bool,
) -> None:  # fmt: skip
    """Run the pipeline over a log without Kafka or a server, or other monitors over the panes that are stored.

    The same input gives the same bytes, and the database is only read.

    \b
    driftbell replay --monitors monitors.yaml --reference churn.profile --events log.jsonl.gz --out out.jsonl --summary
    driftbell replay --monitors new.yaml --stored --from 30d --summary
    driftbell replay --live --events log.jsonl.gz --topic inference-log --speed 60
    """  # noqa: D301
    given = {"--events": events, "--live": live, "--topic": topic}
    _require_stored(
        stored=stored, only_stored={"--model": model, "--from": since, "--to": until}, never=given
    )
    if stored:
        if monitors is None:
            raise ConfigurationError("say --monitors FILE: what the stored panes are to be judged by")
        judge_stored(
            read_monitors(monitors, references), Wanted(model, since, until, out, summary), quiet=quiet
        )
        return
    if events is None:
        raise ConfigurationError(
            "say --events FILE for a log, or --stored for the panes that the database keeps"
        )
    if live:
        _replay_live(events, topic, speed, quiet=quiet)
        return
    if monitors is None or out is None:
        raise ConfigurationError("say --monitors FILE and --out FILE, or --live to send the events to Kafka")
    _replay_log(read_monitors(monitors, references), events, partitions, out, summary=summary, quiet=quiet)


def _replay_live(events: Path, topic: str | None, speed: float, *, quiet: bool) -> None:
    from service.demo.pacing import replay_live

    settings = load_from_environment()
    kafka, topic = kafka_settings(settings), topic or settings.kafka.topics[0]
    with progress(quiet=quiet) as bar:
        task = bar.add_task(f"sending {events.name} to {topic}", total=records_in(str(events), bar))

        def tell(sent: int, ts_ms: int) -> None:
            at = iso(ts_ms) if ts_ms > 0 else "the start"
            bar.update(task, completed=sent, description=f"sending {events.name} to {topic}, event time {at}")

        sent = replay_live(kafka, events, topic, speed, tell=tell)
    click.echo(f"{sent:,} events sent")


def _replay_log(
    read: MonitorFile, events: Path, partitions: int, out: Path, *, summary: bool, quiet: bool
) -> None:
    _require_references(read.monitors, read.profiles)
    _require_log(out, events)
    with opened(out) as lines, progress(quiet=quiet) as bar:
        task = bar.add_task(f"replaying {events.name}", total=records_in(str(events), bar))
        run = make_replay(read.monitors, read.profiles, events, partitions, writer(lines))
        run.progress = lambda records: bar.advance(task, records)
        tally = run.run()
    _require_events(tally, events)
    if summary:
        for line in summary_of(tally, read.monitors):
            click.echo(line)
    if tally.dead:
        click.secho(f"driftbell: {_dead(tally)}", fg="yellow", err=True)
    click.echo(_counts(tally))


def _require_stored(*, stored: bool, only_stored: Mapping[str, object], never: Mapping[str, object]) -> None:
    """Raises ConfigurationError when an option is given that means nothing here."""
    wrong = [name for name, value in (never if stored else only_stored).items() if value]
    if wrong:
        said = "cannot be given with --stored" if stored else "can be given with --stored only"
        raise ConfigurationError(f"{', '.join(wrong)} {said}")


def _require_references(monitors: Any, profiles: Mapping[str, object]) -> None:
    problems = [
        f"{m.model}: the reference {m.reference!r} is neither a file nor given with --reference"
        for m in monitors
        if m.reference and m.reference not in profiles
    ]
    if problems:
        raise ConfigurationError(*problems)


def _require_log(out: Path, events: Path) -> None:
    if out.resolve() == events.resolve() or (events.is_dir() and events.resolve() in out.resolve().parents):
        raise ConfigurationError(
            f"--out {out} would be written over the events or among them; name another place"
        )
    if not events.exists():
        raise ConfigurationError(f"there is no file or folder {events}; --events names the log to replay")


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


def _counts(tally: Tally) -> str:
    r = tally.records
    return (
        f"accepted {r.accepted}, duplicate {r.duplicate}, late {r.late}, dead {r.dead}, tombstone {r.tombstone}; "
        f"windows {tally.windows}; findings {tally.findings}; alerts {tally.alerts}"
    )
