"""Monitors as code: check, apply, export."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from service.applying import Doubt, doubts_about, doubts_of
from service.cli.dead_letter_filters import database
from service.cli.known_names import require_model
from service.errors import ConfigurationError, FormatError
from service.messages import iso
from service.monitor import Monitor
from service.monitor_file import parse_monitors
from service.opening import now_ms, ready_engine
from service.plurals import counted
from service.reference.profile import ReferenceProfile, profile_from_bytes
from service.settings import load_from_environment
from service.store.configuration import apply_monitors, export_monitors
from service.store.engine import transaction
from service.store.profiles import to_be_stored

_FILE = click.option(
    "-f",
    "--file",
    "path",
    required=True,
    type=click.Path(path_type=Path, allow_dash=True),
    help="The monitors' YAML; - is standard input.",
)


@dataclass(frozen=True)
class MonitorFile:
    """A file's monitors, each naming its reference by the reference's own name, and the references it brings along."""

    monitors: tuple[Monitor, ...]
    profiles: dict[str, ReferenceProfile]


def read_monitors(path: Path, profiles: Sequence[Path] = ()) -> MonitorFile:
    """The monitors of a file, with references that are files beside it. Raises ConfigurationError with all mistakes."""
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as why:
        raise ConfigurationError(f"cannot read {path}: {getattr(why, 'strerror', None) or why}") from why
    monitors = parse_monitors(text, path.name)
    given = {str(p): read_profile(p) for p in profiles}
    by_name = {p.name: p for p in given.values()} | {Path(n).name: p for n, p in given.items()} | given
    doubts = [doubt for one in monitors for doubt in doubts_of(one)]
    found: dict[str, ReferenceProfile] = {}
    named = []
    for monitor in monitors:
        profile = by_name.get(monitor.reference or "") or _beside(path, monitor.reference)
        if profile is not None:
            found[profile.name] = profile
            doubts += doubts_about(monitor, profile)
        named.append(monitor if profile is None else replace(monitor, reference=profile.name))
    if doubts:
        raise ConfigurationError(*map(_said, doubts))
    return MonitorFile(tuple(named), found)


def _beside(path: Path, reference: str | None) -> ReferenceProfile | None:
    place = path.parent / reference if reference else None
    return read_profile(place) if place is not None and place.is_file() else None


def read_profile(path: Path) -> ReferenceProfile:
    """A profile from a file. Raises ConfigurationError."""
    try:
        return profile_from_bytes(path.read_bytes())
    except OSError as why:
        raise ConfigurationError(f"cannot read the reference {path}: {why.strerror}") from why
    except FormatError as why:
        raise ConfigurationError(
            f"{path} is no reference profile, or a damaged one; make it with `driftbell reference build` ({why})"
        ) from why


def _said(doubt: Doubt) -> str:
    return f"{doubt.model}: {doubt.sentence}"


@click.command()
@_FILE
def check(path: Path) -> None:
    """Say every mistake in a monitor file, each with its line and what to do. Needs no database.

    \b
    driftbell check -f monitors.yaml
    """  # noqa: D301
    read = read_monitors(path)
    click.echo(f"{path}: {counted(len(read.monitors), 'monitor')}, no mistakes")


@click.command()
@_FILE
def apply(path: Path) -> None:
    """Store all monitors of a file, or none. A change takes effect at a pane's border, half a minute ahead.

    \b
    driftbell apply -f monitors.yaml
    """  # noqa: D301
    read = read_monitors(path)
    engine = ready_engine(load_from_environment())
    references = [to_be_stored(profile) for profile in read.profiles.values()]
    for one in apply_monitors(engine, read.monitors, references, now_ms()):
        since = (
            "" if one.since_ms < 0 or one.action == "unchanged" else f", from event time {iso(one.since_ms)}"
        )
        click.echo(f"{one.model}: {one.action}{since}")


@click.command()
@click.option("--model", "models", multiple=True, help="Only these models (may be given again).")
def export(models: tuple[str, ...]) -> None:
    """Print the stored monitors as YAML that `apply` takes.

    \b
    driftbell export > monitors.yaml
    """  # noqa: D301
    with database(load_from_environment()) as engine:
        with transaction(engine) as connection:
            for model in models:
                require_model(connection, model)
        click.echo(export_monitors(engine, lambda model: not models or model in models).encode(), nl=False)
